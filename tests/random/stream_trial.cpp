// TIME-1..9 STRM-1..3 STRM-5 POLL-3 POLL-5 SOCK-10: whatever is received, by whatever mix of calls and holders of the
// descriptor, comes once and in order; nobody who looks sees anything but what was not returned; deadlines hold.
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "connection.hpp"
#include "descriptor.hpp"
#include "hooks.hpp"
#include "memory.hpp"
#include "pattern.hpp"
#include "peer.hpp"
#include "reading.hpp"
#include "trial.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;
using Clock = std::chrono::steady_clock;
using What = Peer::What;

// How much longer than its timeout a call may take on a machine that is busy with others.
constexpr auto slack = 4s;

class StreamTrial : Trial {
public:
    StreamTrial(std::uint64_t seed, Record& record)
        : Trial(seed, record),
          pattern_(seed, random_.chance(200) ? 0 : std::uint64_t{2} << random_.below(10)),
          medium_(static_cast<Medium>(random_.below(has_ipv6() ? 3 : 2) * (has_ipv6() ? 1 : 2))),
          buffer_(!lacks("options") && random_.chance(300) ? static_cast<int>(random_.between(1, 4)) * 2048 : 0),
          most_(std::size_t{1} << random_.between(4, random_.chance(100) ? 20 : 13)),
          uses_host_(random_.chance(400)) {
        const Listener listener = listen(medium_);
        address_ = listener.address;
        peer_.emplace(record, pattern_, pattern_, listener.fd);
        descriptor_ = next_descriptor();
        reader_ = must(Socket::open(address_.family(), SOCK_STREAM));
        if (buffer_ != 0) must(reader_.setsockopt(SOL_SOCKET, SO_RCVBUF, buffer_));
        must(reader_.connect(address_));
        peer_->tell(What::accept);
        peer_->tell(What::watch, static_cast<std::uint64_t>(descriptor_));
        hooks_.on_signal = [this] { return handle_signal(); };
        if (random_.chance(500)) must(poll_.register_(reader_, POLLIN));
        trace(std::string(medium_names[static_cast<int>(medium_)]) + ", buffer " + std::to_string(buffer_) +
              (uses_host_ ? ", a host" : ""));
    }

    void run() {
        const std::uint64_t steps = random_.between(5, 60);
        for (std::uint64_t i = 0, steps_at_end = 0; i < steps && steps_at_end < 4 && !failed(); ++i) {
            if (is_ended_ && unreturned_.empty()) ++steps_at_end;
            begin_step(i);
            step();
            if (!failed()) look_around();
        }
        if (!failed()) finish();
    }

private:
    Shared& shared() { return peer_->shared(); }

    // --- What can happen

    void step() {
        // What is kept is rare, and gone with the next read: now is the time for what must leave it alone.
        if (copy_.has_kept() || reader_.has_kept()) {
            if (random_.chance(100)) return fork_a_child();
            if (random_.chance(100)) return set_timeout();
        }
        switch (random_.below(20)) {
            case 0:
            case 1: send(random_.between(1, most_)); break;
            case 2: set_timeout(); break;
            case 3: let_others_look(); break;
            case 4: take_from_elsewhere(); break;
            case 5: fork_a_child(); break;
            case 6: set_options(); break;
            case 7: maybe_end(); break;
            case 8: connect_again(); break;
            default: read(); break;
        }
    }

    void send(std::uint64_t size, microseconds delay = {}) {
        if (is_ended_) return;
        const bool has_descriptor = medium_ == Medium::third && !lacks("ancillary") && random_.chance(100);
        trace("the peer sends " + std::to_string(size) + (has_descriptor ? " and a descriptor" : "") + " in " +
              std::to_string(delay.count()) + " us");
        peer_->tell(has_descriptor ? What::send_beside : What::send, size, delay);
        if (has_descriptor) beside_.push_back(sent_);
        unreturned_.push(sent_, size);
        sent_ += size;
    }
    void end(microseconds delay = {}) {
        if (is_ended_) return;
        trace("the peer ends the stream");
        peer_->tell(What::end, 0, delay);
        is_ended_ = true;
    }
    void maybe_end() {
        if (random_.chance(150)) end(some_time());
    }
    microseconds some_time() { return microseconds(random_.chance(500) ? 0 : random_.below(3000)); }

    void set_timeout() {
        const std::uint64_t kind = random_.below(10);
        Timeout timeout;
        if (kind < 2) timeout = Timeout::zero();
        if (kind == 2) timeout = microseconds(-1);  // what is left of a deadline that has passed (TIME-10)
        if (kind == 3) timeout = 500ms;
        if (kind > 6) timeout = microseconds(random_.between(1, 20'000));
        Socket& socket = choose_reader();
        trace(std::string(&socket == &copy_ ? "copy." : "") + "settimeout " +
              (kind == 2           ? "-1 us"
               : timeout.is_none() ? "None"
                                   : std::to_string(timeout.nanoseconds())));
        shared().nonblocking = -1;
        must(socket.settimeout(timeout));
        expired_ = kind == 2 ? &socket : expired_ == &socket ? nullptr : expired_;
        shared().nonblocking = is_nonblocking(descriptor_) ? 1 : 0;
    }

    void let_others_look() {
        const std::uint64_t kind = random_.below(2);
        trace(kind == 0 ? "fileno()" : "dup()");
        if (kind == 0) is_exposed_ = require(reader_.fileno() == descriptor_, "fileno() is another");
        if (kind == 1 && copy_.closed()) {
            copy_ = must(reader_.dup());
            is_exposed_ = true;
        }
    }

    // Another holder reads what is in the queue: that is behind what a socket has kept.
    void take_from_elsewhere() {
        if (!is_exposed_ || !peer_->settle() || shared().peek_off != -1) return;
        const std::uint64_t kept =
            unreturned_.size() - std::min(unreturned_.size(), std::uint64_t{queued(descriptor_)});
        const std::string bytes = take(descriptor_, random_.between(1, most_));
        trace("another holder takes " + std::to_string(bytes.size()) + " behind " + std::to_string(kept));
        require(unreturned_.is_next(pattern_, bytes, kept),
                "another holder of the descriptor gets other bytes (STRM-5)");
        if (!failed()) unreturned_.erase(bytes.size(), kept);
    }

    void set_options() {
        const int value = random_.chance(500) ? 1 : static_cast<int>(random_.between(2, 200));
        const auto set = [&](int name, int number) { must(reader_.setsockopt(SOL_SOCKET, name, number)); };
        switch (random_.below(5)) {
            case 0:
                trace("SO_RCVLOWAT " + std::to_string(value));
                shared().lowat = value;
                is_exposed_ = true;
                set(SO_RCVLOWAT, value);
                break;
            case 1:
                trace("another holder sets SO_RCVLOWAT to " + std::to_string(value));
                peer_->tell(What::set_lowat, static_cast<std::uint64_t>(value));
                (void)peer_->settle();
                break;
            case 2:
                if (lacks("options") || shared().peek_off != -1 || option(descriptor_, SO_PEEK_OFF) != -1) break;
                trace("SO_PEEK_OFF 0");
                is_exposed_ = true;
                set(SO_PEEK_OFF, 0);
                shared().peek_off = 0;
                break;
            case 3: {
                const timeval span{0, random_.chance(300) ? 0 : 20'000};
                trace("SO_RCVTIMEO " + std::to_string(span.tv_usec));
                must(reader_.setsockopt(SOL_SOCKET, SO_RCVTIMEO, ConstBuffer(&span, sizeof span)));
                has_receive_timeout_ = span.tv_usec != 0;
                break;
            }
            default:
                // A window below a segment of the loopback's, which comes after the connection, is filled every 200 ms.
                if (!lacks("options")) set(SO_RCVBUF, static_cast<int>(random_.between(8, 16)) * 4096);
                break;
        }
    }

    void connect_again() {
        const bool is_possible = medium_ != Medium::third && !is_ended_ && copy_.closed() &&
                                 reader_.gettimeout() != Timeout::passed() && random_.chance(300);
        if (!is_possible || !peer_->settle()) return;
        trace("connects to another peer, " + std::to_string(unreturned_.size()) + " bytes are left of this one");
        shared().nonblocking = -1;  // connect() has no other way to keep a deadline than to see to it
        const sockaddr nobody{};    // AF_UNSPEC
        const auto parted = reader_.connect(must(Address::from_native(ConstBuffer(&nobody, sizeof nobody))));
        require(parted.has_value(), "connect() to AF_UNSPEC");
        unreturned_.clear();
        sent_ = shared().written;
        shared().peek_off = option(descriptor_, SO_PEEK_OFF);  // another connection begins without
        const auto joined = reader_.connect(address_);
        require(joined.has_value() || joined.error() == Error(EINPROGRESS), "connect() once more");
        shared().nonblocking = is_nonblocking(descriptor_) ? 1 : 0;
        peer_->tell(What::accept);
        (void)peer_->settle();
    }

    // --- A read, and what it must be like

    Socket& choose_reader() {
        if (copy_.has_kept()) return copy_;
        const bool can_choose = !copy_.closed() && !reader_.has_kept();
        return can_choose && random_.chance(400) ? copy_ : reader_;
    }

    void read() {
        Reading reading = Reading::choose(random_, most_);
        // A peek of the trial's own moves the offset for the next.
        if (shared().peek_off != -1) reading.flags &= ~MSG_PEEK;
        // AF_UNIX has no error queue, and reads on.
        if (medium_ == Medium::third) reading.flags &= ~MSG_ERRQUEUE;
        Socket& socket = choose_reader();
        let_the_peer_go_on(reading);
        ensure_an_end(socket, reading);
        const int growths = random_.chance(100) ? static_cast<int>(random_.below(4)) : -1;
        const unsigned refused = random_.chance(50) ? static_cast<unsigned>(random_.between(1, 3)) : 0;
        const bool has_signals = random_.chance(300);
        const auto pace = microseconds(random_.between(100, 3000));
        const Host* host = uses_host_ && random_.chance(700) ? &hooks_.host() : nullptr;
        Scarce::allow(growths);
        refuse_memory(refused);
        running_ = reading;
        running_socket_ = &socket;
        {
            std::optional<Alarms> alarms;
            if (has_signals) alarms.emplace(pace);
            receive(socket, reading, host);
        }
        running_socket_ = nullptr;
        Scarce::allow(-1);
        refuse_memory(0);
        (void)was_refused();
    }

    // Something comes while the call waits, and the peer looks at what it has no business to change.
    void let_the_peer_go_on(const Reading& reading) {
        for (std::uint64_t i = random_.below(4); i != 0; --i) {
            const microseconds delay = some_time();
            switch (random_.below(4)) {
                case 0: send(random_.between(1, 1 + reading.size), delay); break;
                case 1:
                    if (random_.chance(150)) flip_nonblocking(delay);
                    break;
                default: peer_->tell(What::look, 0, delay); break;
            }
        }
    }
    void flip_nonblocking(microseconds delay) {
        trace("another holder flips O_NONBLOCK in " + std::to_string(delay.count()) + " us");
        peer_->tell(What::set_nonblocking, is_nonblocking(descriptor_) ? 0 : 1, delay);
        is_flipped_ = true;
    }

    // A call without a deadline gets what it waits for.
    void ensure_an_end(const Socket& socket, const Reading& reading) {
        const bool is_bounded = !socket.gettimeout().is_none() || reading.is_at_once();
        if (is_bounded && !random_.chance(300)) return;
        if (has_receive_timeout_ && random_.chance(500)) return;
        using How = Reading::How;
        if (reading.how == How::read_all) return end(some_time());
        const bool is_whole = reading.is_stream_method() || (reading.flags & MSG_WAITALL) != 0;
        const std::uint64_t wanted = reading.how == How::readline ? next_line() : is_whole ? reading.size : 1;
        // Linux wakes a recv for SO_RCVLOWAT bytes in the queue, whatever it has taken in and still wants (tcp(7)).
        const auto lowat = static_cast<std::uint64_t>(std::max(1, shared().lowat.load()));
        if (lowat != 1) {
            send(wanted + lowat, some_time());
        } else if (wanted > unreturned_.size()) {
            send(wanted - unreturned_.size(), some_time());
        }
    }
    // How long the next line is; the stream may have to end for it.
    std::uint64_t next_line() {
        for (std::uint64_t i = 0; i < 100'000; ++i) {
            const std::uint64_t behind = i - std::min(i, unreturned_.size());
            const std::uint64_t position = i < unreturned_.size() ? unreturned_.position(i) : sent_ + behind;
            if (i > 4096 && i >= unreturned_.size()) break;
            if (pattern_.at(position) == '\n') return i + 1;
        }
        end(some_time());
        return 0;
    }

    void receive(Socket& socket, const Reading& reading, const Host* host) {
        // What is there before it for certain.
        const bool is_quiet = depth_ == 0 && peer_->settle();
        const std::uint64_t arrived = is_quiet ? unreturned_.size() : 0;
        peak_ = std::max<std::uint64_t>(peak_, unreturned_.size());  // which a window of this call may show
        const Timeout timeout = socket.gettimeout();
        trace((&socket == &copy_ ? "copy." : "") + reading.text() + " timeout " +
              (timeout.is_none() ? "None" : std::to_string(timeout.nanoseconds())));
        const auto start = Clock::now();
        const Got got = perform(reading, socket, host);
        const auto took = Clock::now() - start;
        trace("    -> " +
              (got.error == Error() ? std::to_string(got.count) + " bytes" : std::string(got.error.message())));
        check_bytes(reading, got);
        check_time(reading, timeout, got, took);
        const bool is_undisturbed = shared().lowat == 1;
        if (got.error != Error()) {
            require(expired_ != &socket || reading.is_at_once() || got.error != Error(EAGAIN),
                    "EAGAIN from a socket whose deadline has passed (TIME-10)");
            if (expired_ != &socket) check_error(reading, timeout, got);
            const bool had_enough = is_undisturbed && arrived != 0 && !reading.is_stream_method() &&
                                    (reading.flags & MSG_WAITALL) == 0 && !reading.is_elsewhere();
            require(!had_enough || got.error == Error(EINTR) || got.error == Error(ENOMEM),
                    "an error though bytes were there");
        } else {
            check_success(socket, reading, timeout, got, arrived);
        }
        last_at_once_ = timeout.is_zero() || expired_ == &socket || reading.is_at_once();
        last_count_ = got.count;
    }
    void check_bytes(const Reading& reading, const Got& got) {
        if (failed() || reading.is_elsewhere()) return;
        const bool is_dropped = (reading.flags & MSG_TRUNC) != 0 && medium_ != Medium::third;  // tcp(7)
        if (got.count > unreturned_.size()) {
            require(false, "more bytes than were sent (TIME-6)");
        } else if (!is_dropped && !unreturned_.is_next(pattern_, got.bytes)) {
            const auto where = pattern_.find(got.bytes, sent_);
            const std::uint64_t expected = unreturned_.position(0);
            const std::string kind = !where              ? "bytes that nobody sent"
                                     : *where < expected ? "bytes twice"
                                                         : "later bytes first";
            require(false, kind + ": position " + (where ? std::to_string(*where) : "unknown") + ", not " +
                               std::to_string(expected) + " (TIME-6)");
        } else {
            check_descriptors(reading, got);
            if (!reading.is_peek()) unreturned_.erase(got.count);
        }
    }
    // SOCK-10: they come with the first byte of what they were sent with. Linux shows a peek those of what is behind
    // it, too.
    void check_descriptors(const Reading& reading, const Got& got) {
        const std::uint64_t in_view = reading.is_peek() ? unreturned_.size() : got.count;
        std::size_t there = 0;
        for (std::uint64_t i = 0; i < in_view; ++i)
            there += static_cast<std::size_t>(std::count(beside_.begin(), beside_.end(), unreturned_.position(i)));
        require(got.descriptors <= there, "a descriptor beside bytes that it was not sent with (SOCK-10)");
    }

    void check_time(const Reading& reading, Timeout timeout, const Got& got, Clock::duration took) {
        const auto microseconds_taken = std::chrono::duration_cast<microseconds>(took).count();
        const std::string text = ", after " + std::to_string(microseconds_taken) + " us";
        if (depth_ != 0) return;
        if (timeout.is_zero() || reading.is_at_once())
            require(took < slack, "a call for one time waits (TIME-8)" + text);
        if (timeout.is_none() || timeout.is_zero()) return;
        const std::chrono::nanoseconds span(timeout.nanoseconds());
        require(took < span + slack, "longer than its timeout (TIME-2)" + text);
        if (got.error == Error(ETIMEDOUT)) require(took >= span - 1ms, "timed out too early (TIME-2)" + text);
    }

    void check_error(const Reading& reading, Timeout timeout, const Got& got) {
        const bool may_try_once = timeout.is_zero() || reading.is_at_once();
        switch (got.error.code()) {
            case EAGAIN:
                require(may_try_once || (timeout.is_none() && has_receive_timeout_),
                        "EAGAIN from a call that waits (TIME-3)");
                break;
            case ETIMEDOUT: require(!timeout.is_none() && !timeout.is_zero(), "ETIMEDOUT without a timeout"); break;
            case EINTR: require(hooks_.has_given_up(), "EINTR though no handler gave up (TIME-5)"); break;
            case ENOMEM: break;
            case EINVAL:
            case EOPNOTSUPP: require(reading.is_elsewhere(), "an argument is refused"); break;
            default: require(false, std::string("unexpected: ") + got.error.message()); break;
        }
    }

    void check_success(const Socket& socket, const Reading& reading, Timeout timeout, const Got& got,
                       std::uint64_t arrived) {
        if (failed() || reading.is_elsewhere()) return;
        // A handler's call on the other holder may have been left with some, which only that one returns.
        const bool is_with_other = (&socket == &copy_ ? reader_ : copy_).has_kept() && !socket.has_kept();
        const std::uint64_t size = reading.is_unlimited() ? UINT64_MAX : reading.size;
        const bool is_at_end = is_ended_ && (unreturned_.empty() || reading.is_peek() || is_with_other);
        require(got.count <= size, "more than was asked for");
        if (got.count == 0) require(is_at_end, "nothing, but something is to come");
        if (reading.is_line()) {
            const auto newline = got.bytes.find('\n');
            require(newline == std::string::npos || newline + 1 == got.count, "more than a line");
        }
        const bool is_cut = reading.is_socket_method() && !beside_.empty();  // where descriptors come
        const bool is_disturbed = shared().lowat != 1 || depth_ != 0 || reading.is_message() || is_cut;
        const bool takes_all = reading.is_stream_method() || (reading.flags & MSG_WAITALL) != 0;
        if (!takes_all || is_disturbed || (reading.is_peek() && buffer_ != 0)) return;
        const bool has_line_end = reading.is_line() && got.count != 0 && got.bytes.back() == '\n';
        const bool is_whole = got.count == size || has_line_end || (is_at_end && !reading.is_peek());
        if (is_whole) return;
        if (reading.is_stream_method()) require(timeout.is_zero() || has_receive_timeout_, "a short read (STRM-1)");
        // A signal or a deadline may cut a recv short, but not below what was there.
        const bool is_short = got.count < std::min<std::uint64_t>(arrived, size) && got.error == Error();
        require(!is_short, "less than was there (TIME-4, MSG_WAITALL)");
    }

    // --- In the middle of a call

    bool handle_signal() {
        if (depth_ != 0 || failed()) return false;
        ++depth_;
        const Socket* outer = running_socket_;
        if (random_.chance(200)) use_while_busy();
        --depth_;
        const bool gives_up = random_.chance(150);
        if (gives_up) trace("    a handler gives the call up");
        if (!gives_up && outer != nullptr) ensure_an_end(*outer, running_);
        return gives_up;
    }
    void use_while_busy() {
        Reading reading = Reading::choose(random_, 100);
        if (reading.how == Reading::How::read_all) return;
        if (shared().peek_off != -1) reading.flags &= ~MSG_PEEK;
        if (medium_ == Medium::third) reading.flags &= ~MSG_ERRQUEUE;
        Socket& socket = copy_.has_kept() ? copy_ : reader_;
        if (socket.gettimeout().is_none()) {
            reading.how = Reading::How::recv;
            reading.flags |= MSG_DONTWAIT;
        }
        receive(socket, reading, nullptr);
    }

    // --- Children

    void fork_a_child() {
        if (lacks("fork") || !peer_->settle() || shared().peek_off != -1 || shared().lowat != 1) return;
        switch (random_.below(3)) {
            case 0: return let_child_read();
            case 1: return let_child_poll();
            default: return kill_child_that_waits();
        }
    }

    // Calls body(write) in a child, where write() is how it tells its parent bytes; returns these.
    template <class Body> std::string in_child(Body body) {
        is_exposed_ = true;
        int pipe[2];
        checked(::pipe2(pipe, O_CLOEXEC));
        const pid_t child = checked(::fork());
        if (child == 0) {
            body([&](std::string_view bytes) { (void)!::write(pipe[1], bytes.data(), bytes.size()); });
            ::_exit(0);
        }
        ::close(pipe[1]);
        std::string told;
        char piece[4096];
        for (ssize_t count; (count = ::read(pipe[0], piece, sizeof piece)) > 0;) told.append(piece, piece + count);
        ::close(pipe[0]);
        (void)::waitpid(child, nullptr, 0);
        return told;
    }
    // How many bytes the sockets of this process keep to themselves.
    std::uint64_t kept_here() {
        return unreturned_.size() - std::min<std::uint64_t>(unreturned_.size(), queued(descriptor_));
    }

    void let_child_read() {
        const std::size_t size = random_.between(1, 3000);
        const std::uint64_t kept = kept_here();
        const std::string bytes = in_child([&](auto tell) {
            if (const auto got = reader_.recv(size, MSG_DONTWAIT)) tell(got->view());
        });
        trace("a child takes " + std::to_string(bytes.size()) + " of " + std::to_string(size) + " behind " +
              std::to_string(kept));
        require(unreturned_.is_next(pattern_, bytes, kept), "a child gets bytes that are the parent's (TIME-6)");
        if (!failed()) unreturned_.erase(bytes.size(), kept);
    }

    void let_child_poll() {
        const bool is_right = is_ended_ || queued(descriptor_) != 0;
        const std::string told = in_child([&](auto tell) {
            Poll poll;
            (void)poll.register_(reader_, POLLIN);
            Poll::Event event[1];
            const bool polled = poll.poll(event, Timeout::zero()).value_or(std::size_t{9}) == 1;
            tell(polled ? "1" : "0");
            tell((reader_.poll_now(POLLIN) & POLLIN) != 0 ? "1" : "0");
        });
        trace("a child polls: " + told);
        require(told == (is_right ? "11" : "00"), "a child's poll is wrong (POLL-5)");
    }

    // It waits for more than there is, so it has taken nothing when it dies, and left nothing changed.
    void kill_child_that_waits() {
        if (is_ended_ || buffer_ != 0 || unreturned_.size() > 4000) return;
        if (!require(reader_.fileno() == descriptor_, "fileno() is another")) return;
        const std::uint64_t before = queued(descriptor_);
        const std::uint64_t size = before + random_.between(1, 2000);
        const bool is_line = random_.chance(300) && before == 0;
        const auto span = microseconds(random_.below(4000));
        is_exposed_ = true;
        // Its settimeout() is for it alone, but for O_NONBLOCK.
        const pid_t child = checked(::fork());
        if (child == 0) {
            std::string memory(size, ' ');
            (void)(is_line ? reader_.readline_into(memory) : reader_.readinto(memory));
            ::_exit(0);
        }
        const auto end = Clock::now() + span;
        bool is_deaf = false;
        while (Clock::now() < end)
            is_deaf = before != 0 && !is_readable(descriptor_) && !reader_.gettimeout().is_zero();
        (void)::kill(child, SIGKILL);
        int status = 0;
        (void)::waitpid(child, &status, 0);
        trace("a child that waits for " + std::to_string(size) + " bytes is killed");
        require(!is_deaf, "the parent's poll is deaf while a child waits (TIME-9)");
        if (reader_.gettimeout().is_zero()) {
            // Without waiting it returns what there is, and its process had the time to do so, or not.
            const std::uint64_t taken = before - std::min<std::uint64_t>(before, queued(descriptor_));
            unreturned_.erase(taken, unreturned_.size() - before);
        } else {
            require(queued(descriptor_) == before, "a child that was killed has taken bytes with it (TIME-6)");
        }
    }

    // --- What anybody may see between two calls

    void look_around() {
        if (is_flipped_) {
            (void)peer_->settle();
            is_flipped_ = false;
        }
        if (!peer_->settle() || shared().is_stuck) return;
        check_options();
        const std::uint64_t queue = queued(descriptor_);
        const bool kept = reader_.has_kept() || copy_.has_kept();
        const bool is_in = !unreturned_.empty() || is_ended_;
        if (kept) {
            require(queue < unreturned_.size(), "kept bytes are in the queue too");
        } else if (is_exposed_ || unreturned_.empty()) {
            require(queue == unreturned_.size(),
                    "the queue is not what is unreturned (STRM-5): " + std::to_string(queue) + ", not " +
                        std::to_string(unreturned_.size()));
        } else {
            require(queue >= unreturned_.size(), "bytes are lost: " + std::to_string(queue) + " in the queue, not " +
                                                     std::to_string(unreturned_.size()) + " (TIME-6)");
        }
        check_polls(is_in, kept);
        check_lag(queue, kept);
    }

    void check_options() {
        require(option(descriptor_, SO_RCVLOWAT) == shared().lowat, "SO_RCVLOWAT is not as it was (TIME-9)");
        if (shared().peek_off != -1)
            require(option(descriptor_, SO_PEEK_OFF) == shared().peek_off, "SO_PEEK_OFF is not as it was (TIME-9)");
        if (shared().nonblocking == -1) return;
        require(is_nonblocking(descriptor_) == (shared().nonblocking != 0), "O_NONBLOCK is not as it was (TIME-9)");
    }

    void check_polls(bool is_in, bool kept) {
        if (shared().lowat != 1) return;
        const bool foreign = is_readable(descriptor_);
        if (!kept || reader_.has_kept()) {
            require(((reader_.poll_now(POLLIN) & POLLIN) != 0) == is_in, "poll_now() is wrong (POLL-5)");
            Poll::Event event[1];
            const auto count = poll_.poll(event, Timeout::zero());
            if (poll_.size() != 0) require((count.value_or(std::size_t{9}) == 1) == is_in, "Poll is wrong (POLL-5)");
        }
        // Without peeks a line is taken byte by byte.
        // A small queue that is full cannot be left so, though nothing may follow.
        const bool had_to_keep = last_at_once_ || kept_before_ || shared().peek_off != -1 || buffer_ != 0;
        const bool others_look = is_exposed_;
        kept_before_ = kept;
        if (others_look && !(kept && had_to_keep)) {
            require(foreign == is_in, "a poll of the descriptor is wrong (STRM-5, TIME-6)");
        }
    }

    // STRM-5: the peer's flow control may lag behind what was returned by half a window.
    void check_lag(std::uint64_t queue, bool kept) {
        // A window that was trimmed is as large as it was.
        peak_ = queue == 0 ? 0 : std::max(peak_, queue);
        if (kept || queue == unreturned_.size()) return;
        const std::uint64_t lag = queue - unreturned_.size();
        require(lag <= peak_ / 2 + last_count_, "the peer does not see what was returned (STRM-5): " +
                                                    std::to_string(lag) + " of " + std::to_string(peak_));
    }

    // All that is left comes out in the end.
    void finish() {
        trace("the end");
        depth_ = 0;
        shared().nonblocking = -1;
        end();
        const bool is_copys = copy_.has_kept();
        Socket& first = is_copys ? copy_ : reader_;
        for (Socket* socket : {&first, &reader_}) {
            must(socket->settimeout(Timeout::none()));
            if (has_receive_timeout_) must(socket->settimeout(10s));
            const bool is_all = socket == &reader_;
            const Reading reading{is_all ? Reading::How::read_all : Reading::How::recv,
                                  std::max<std::size_t>(unreturned_.size(), 1), 0};
            const Got got = perform(reading, *socket, nullptr);
            check_bytes(reading, got);
            require(got.error == Error(), std::string("the last read: ") + got.error.message());
        }
        require(unreturned_.empty(),
                "the last read is not all that was left (TIME-6): " + std::to_string(unreturned_.size()));
        reader_.close();
        require(reader_.recv(1).error() == Error(EBADF), "a closed socket is EBADF (SOCK-3)");
    }

    Pattern pattern_;
    Medium medium_;
    int buffer_;        // SO_RCVBUF; 0: the system's choice
    std::size_t most_;  // that is sent or read at once
    bool uses_host_;
    std::optional<Peer> peer_;
    Hooks hooks_;
    Poll poll_;
    Socket reader_, copy_;
    int descriptor_ = -1;
    Address address_;

    std::vector<std::uint64_t> beside_;  // where in the stream descriptors were sent
    Unreturned unreturned_;
    std::uint64_t sent_ = 0;
    bool is_ended_ = false;
    bool is_exposed_ = false;
    bool has_receive_timeout_ = false;
    bool is_flipped_ = false;
    Reading running_;
    Socket* running_socket_ = nullptr;
    const Socket* expired_ = nullptr;  // its timeout is a negative span
    bool last_at_once_ = false, kept_before_ = false;
    std::uint64_t last_count_ = 0;
    std::uint64_t peak_ = 0;
};

}  // namespace

void run_stream_trial(std::uint64_t seed, Record& record) { StreamTrial(seed, record).run(); }

}  // namespace usocket::tests
