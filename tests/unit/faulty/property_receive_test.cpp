// TIME-2 TIME-3 TIME-4 TIME-5 TIME-6 STRM-1 STRM-2 STRM-3 STRM-5 POLL-5: whatever is received, by whatever mix of
// calls, over a network that fails all the time: nothing is lost, nothing comes twice, the order is kept, a poll is
// right after each call, and deadlines hold.
#include <sys/socket.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <optional>
#include <string>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "print.hpp"
#include "scripted_host.hpp"
#include "trial.hpp"

namespace usocket::tests {
namespace {

using faulty::Kind;

enum class Op {
    read,
    read_all,
    readinto,
    readline,
    readline_limit,
    readline_into,
    recv,
    recv_into,
    recvfrom,
    peek,
    count
};
constexpr const char* op_names[] = {"read",          "read_all", "readinto",  "readline", "readline_limit",
                                    "readline_into", "recv",     "recv_into", "recvfrom", "peek"};

bool is_line(Op op) { return op == Op::readline || op == Op::readline_limit || op == Op::readline_into; }
bool is_socket_method(Op op) { return op >= Op::recv; }

struct Outcome {
    Error error;
    std::string bytes;
    bool jumped = false;
};

// One run: a socket, its peer, and all that was sent to the socket and that nobody has got yet.
class Receiving : Trial {
public:
    Receiving(std::uint64_t seed, HostKind host_kind)
        : Trial(seed),
          host_kind_(host_kind),
          host_(host_kind == HostKind::unwinds),
          marking_(~seed),
          has_marks_(marking_.chance(200)) {
        faulty::set_single_threaded(host_kind == HostKind::none && random_.chance(500));
        faulty::when_idle([this] { return send_more(); });
        const int family = random_.chance(500) ? AF_INET : AF_UNIX;
        auto connection = faulty::connect_pair(family, SOCK_STREAM);
        socket_ = std::move(connection.socket);
        peer_ = std::move(connection.peer);
        holder_ = peer_.holder_of_socket();
        line_length_ = random_.chance(200) ? 0 : std::uint64_t{1} << random_.below(11);
        bytes_left_ = std::uint64_t{1} << random_.between(2, random_.chance(50) ? 19 : 13);
        choose_faults();
        host_.while_left = [this] { be_another_thread(); };
        host_.on_signal = [this] { return handle_signal(); };
        if (random_.chance(500)) {
            const faulty::Calm calm;
            is_polled_ = poll_.register_(socket_, POLLIN, nullptr).has_value();
        }
    }

    void run() {
        const std::uint64_t steps = random_.between(3, 100);
        for (step_ = 0; step_ < steps && !failed_ && !socket_.closed(); ++step_) {
            const Before before = snapshot();
            step();
            // A read that does not wait takes what there is. A system without memory, and one whose polls lie, leave no
            // choice but to keep that.
            if (before.timeout.is_zero()) must_show_ = false;
            // What stands before a mark is taken, whatever others do with what is behind it.
            if (has_marks_) must_show_ = false;
            // A queue of AF_UNIX that does not grow for so long may be full.
            if (faulty::now() - before.time >= 1'000'000'000) must_show_ = false;
            for (const Kind kind : {Kind::no_buffers, Kind::no_memory, Kind::spurious}) {
                if (happened(before, kind)) must_show_ = false;
            }
            if (!failed_ && !socket_.closed()) check_queue();
        }
        finish();
    }

private:
    struct Before {
        std::int64_t time;
        Timeout timeout;
        std::string unreturned;
        bool was_ended;
        unsigned given_up;
        unsigned nested;
        std::array<std::size_t, faulty::kind_count> injected;
    };

    // --- What can happen

    void step() {
        switch (random_.below(16)) {
            case 0: send_some(); break;
            case 1: send_later(); break;
            case 2: faulty::advance(static_cast<std::int64_t>(random_.below(20'000'000))); break;
            case 3: set_timeout(); break;
            case 4: look_closer(); break;
            case 5: take_from_elsewhere(); break;
            case 6: maybe_end(); break;
            default: receive(); break;
        }
    }

    void choose_faults() {
        faulty::Faults faults;
        const bool is_calm = random_.chance(150);
        for (const Kind kind : {Kind::cut, Kind::interrupt, Kind::again, Kind::no_buffers, Kind::no_memory,
                                Kind::spurious, Kind::refuse}) {
            if (is_calm || random_.chance(500)) continue;
            faults[kind] = static_cast<unsigned>(random_.between(1, kind == Kind::cut ? 600 : 120));
        }
        // A call that does not wait asks again behind a mark. Here a signal may interrupt that, and nothing was
        // reserved for what it has got.
        if (has_marks_) faults[Kind::refuse] = 0;
        if (!is_calm && random_.chance(100)) faults[Kind::reset] = 5;
        if (!is_calm && random_.chance(100)) faults[Kind::delay] = 200;
        has_delays_ = faults[Kind::delay] != 0;
        faulty::set_faults(faults);
    }

    std::string next_bytes(std::uint64_t size) {
        std::string bytes;
        for (; bytes.size() < size; ++sent_) {
            const bool ends_line = line_length_ != 0 && random_.below(line_length_) == 0;
            bytes += ends_line ? '\n' : static_cast<char>('!' + (sent_ * 2654435761U >> 7) % 90);
        }
        return bytes;
    }

    void send(std::uint64_t size) {
        const std::string bytes = next_bytes(std::min(size, bytes_left_));
        if (has_marks_ && marking_.chance(300)) peer_.mark();
        if (peer_.feed(bytes) != 0) unreturned_ += bytes;
        bytes_left_ -= bytes.size();
        trace("sent " + std::to_string(bytes.size()));
    }
    void send_some() { send(random_.chance(50) ? random_.below(100'000) : random_.between(1, 2 + random_.below(600))); }
    void send_later() {
        faulty::at(faulty::now() + static_cast<std::int64_t>(random_.below(30'000'000)), [this] { send_some(); });
    }
    void maybe_end() {
        if (random_.chance(100)) peer_.shut_down();
    }
    // Everybody waits: something must come, or the end.
    bool send_more() {
        if (ended()) return false;
        if (bytes_left_ == 0) {
            peer_.shut_down();
        } else {
            send_some();
        }
        return true;
    }
    [[nodiscard]] bool ended() const { return (holder_.poll() & (POLLRDHUP)) != 0; }

    void set_timeout() {
        const faulty::Calm calm;
        const auto kind = random_.below(10);
        Timeout timeout;
        if (kind < 3) timeout = Timeout::zero();
        if (kind > 5) timeout = Timeout::of_nanoseconds(static_cast<std::int64_t>(random_.between(1, 30'000'000)));
        require(socket_.settimeout(timeout).has_value(), "settimeout");
    }

    // What makes others see the queue.
    void look_closer() {
        const faulty::Calm calm;
        const auto kind = random_.below(12);
        trace("look closer, " + std::to_string(kind));
        switch (kind) {
            case 0: exposed_ = socket_.fileno() >= 0; break;
            case 1: exposed_ = socket_.dup().has_value() || exposed_; break;
            case 3: faulty::fork_as_parent(), exposed_ = true; break;
            case 4: become_a_child(); break;
            case 5: require(socket_.getsockname().has_value(), "getsockname"); break;
            case 6: {
                Socket moved = std::move(socket_);
                socket_ = std::move(moved);
                break;
            }
            default: break;
        }
    }

    // What the socket has kept is the parent's alone (TIME-6).
    void become_a_child() {
        faulty::fork_as_child();
        exposed_ = true;
        unreturned_.erase(0, unreturned_.size() - std::min(unreturned_.size(), holder_.queue().size()));
    }

    // Another holder of the descriptor reads: it gets what is not yet returned, behind what the socket keeps.
    void take_from_elsewhere() {
        if (!exposed_) return;
        const std::size_t kept = unreturned_.size() - holder_.queue().size();
        const std::string bytes = holder_.read(random_.below(30));
        require(unreturned_.compare(kept, bytes.size(), bytes) == 0, "another holder got other bytes than were left");
        unreturned_.erase(kept, bytes.size());
    }

    // --- Receiving

    void receive() {
        const auto op = static_cast<Op>(random_.below(static_cast<std::uint64_t>(Op::count)));
        if (op == Op::read_all && !random_.chance(200)) return;
        if (host_kind_ == HostKind::unwinds && random_.chance(400)) {
            faulty::arm_jump(jump_, static_cast<unsigned>(random_.below(6)), random_.chance(700));
        }
        choose_flags(op);
        receive(op, random_.chance(30) ? random_.below(150'000) : random_.between(1, 1 + random_.below(400)),
                &host_.host());
        faulty::disarm_jump();
        if ((flags_ & MSG_DONTWAIT) != 0) must_show_ = false;  // it takes what there is
        flags_ = 0;
    }

    // Whatever a flag asks for besides, the order is the same (TIME-6).
    void choose_flags(Op op) {
        const bool takes_flags = op == Op::recv || op == Op::recv_into || op == Op::peek;
        if (!takes_flags || random_.chance(500)) return;
        for (const int flag : {MSG_DONTWAIT, MSG_WAITALL, MSG_NOSIGNAL}) flags_ |= random_.chance(300) ? flag : 0;
    }

    void receive(Op op, std::size_t size, const Host* host) {
        const Before before = snapshot();
        const Outcome outcome = perform(op, size, host);
        trace(std::string(op_names[static_cast<int>(op)]) + "(" + std::to_string(size) + ") timeout " +
              (before.timeout.is_none() ? "none" : std::to_string(before.timeout.nanoseconds())) + " -> " +
              (outcome.jumped ? "jumped" : std::to_string(outcome.error.code())) + " " +
              std::to_string(outcome.bytes.size()) + " bytes");
        if (outcome.jumped) {
            must_show_ = false;  // it may have been complete
            return;
        }
        check_bytes(op, outcome);
        check_time(before, outcome);
        if (outcome.error == Error()) {
            check_success(op, size, before, outcome);
        } else {
            check_error(op, before, outcome);
        }
    }

    Before snapshot() {
        if (!is_nested_) nested_until_ = 0;
        Before before{faulty::now(), socket_.gettimeout(), unreturned_, ended(), host_.given_up(), nested_count_, {}};
        for (std::size_t i = 0; i < faulty::kind_count; ++i)
            before.injected[i] = faulty::injected(static_cast<Kind>(i));
        return before;
    }

    Outcome perform(Op op, std::size_t size, const Host* host) {
        Attempt attempt;
        if (host_kind_ == HostKind::none || host == nullptr) {
            do_call(op, size, attempt);
            return finish(op, attempt);
        }
        attempt.call.emplace(*host);
        if (host_kind_ == HostKind::unwinds) return perform_with_jumps(op, size, attempt);
        do_call(op, size, attempt, *attempt.call);
        return finish(op, attempt);
    }

    // What outlives a call that a longjmp ends.
    struct Attempt {
        std::optional<Call> call;
        Sink sink = Bytes::sink();
        std::vector<char> memory;
        Result<void> read = Error();
        Result<std::size_t> count = std::size_t{0};

        MutableBuffer room(Op op, std::size_t size) {
            memory.resize(op == Op::read_all || op == Op::read ? 0 : size);
            return memory;
        }
    };

    Outcome perform_with_jumps(Op op, std::size_t size, Attempt& attempt) {
        if (setjmp(jump_) == 0) {
            do_call(op, size, attempt, *attempt.call);
            return finish(op, attempt);
        }
        {
            // Without memory for them, what the call had taken in is lost: there is nobody left to give it to.
            const faulty::Calm calm(Kind::refuse);
            socket_.unwound(*attempt.call);
        }
        (void)Bytes::take(attempt.sink);
        Outcome outcome;
        outcome.jumped = true;
        return outcome;
    }

    // With the call of a host, or without as a C++ program does.
    template <class... OfHost> void do_call(Op op, std::size_t size, Attempt& attempt, OfHost&&... call) {
        const MutableBuffer memory = attempt.room(op, size);
        const auto limit = op == Op::read_all || op == Op::readline ? Socket::no_limit : size;
        switch (op) {
            case Op::read:
            case Op::read_all: attempt.read = socket_.read_to(attempt.sink, limit, std::move(call)...); break;
            case Op::readline:
            case Op::readline_limit: attempt.read = socket_.readline_to(attempt.sink, limit, std::move(call)...); break;
            case Op::readinto: attempt.count = socket_.readinto(memory, std::move(call)...); break;
            case Op::readline_into: attempt.count = socket_.readline_into(memory, std::move(call)...); break;
            case Op::recvfrom: attempt.count = recvfrom_size(socket_, memory, std::move(call)...); break;
            case Op::recv:
            case Op::recv_into: attempt.count = socket_.recv_into(memory, flags_, std::move(call)...); break;
            case Op::peek: attempt.count = socket_.recv_into(memory, flags_ | MSG_PEEK, std::move(call)...); break;
            case Op::count: break;
        }
    }

    static Outcome finish(Op op, Attempt& attempt) {
        Outcome outcome;
        const Bytes bytes = Bytes::take(attempt.sink);
        const bool is_into_sink =
            op == Op::read || op == Op::read_all || op == Op::readline || op == Op::readline_limit;
        outcome.error = is_into_sink ? attempt.read.error() : attempt.count.error();
        if (outcome.error != Error()) return outcome;
        outcome.bytes = is_into_sink ? std::string(bytes.view()) : std::string(attempt.memory.data(), *attempt.count);
        return outcome;
    }

    // --- What must be right

    // In order, each once.
    void check_bytes(Op op, const Outcome& outcome) {
        require(unreturned_.compare(0, outcome.bytes.size(), outcome.bytes) == 0, "these are not the next bytes");
        if (op != Op::peek && !failed_) unreturned_.erase(0, outcome.bytes.size());
    }

    // One deadline for the whole call, whatever happens in it (TIME-2). It counts from when the call first has to wait,
    // which is at once, unless others ran meanwhile.
    void check_time(const Before& before, const Outcome& outcome) {
        if (before.timeout.is_none() || has_delays_) return;
        const std::int64_t deadline = before.time + before.timeout.nanoseconds();
        const std::int64_t latest = std::max(before.time, nested_until_) + before.timeout.nanoseconds();
        require(faulty::now() <= latest, "it lasted longer than its timeout");
        if (outcome.error == Error(ETIMEDOUT)) require(faulty::now() >= deadline, "it timed out too early");
    }

    void check_success(Op op, std::size_t size, const Before& before, const Outcome& outcome) {
        const std::size_t got = outcome.bytes.size();
        const bool is_at_end = ended() && unreturned_.empty();
        if (op == Op::read_all) size = SIZE_MAX;
        if (op == Op::readline) size = SIZE_MAX;
        require(got <= size, "more than was asked for");
        if (got == 0 && size != 0) require(is_at_end, "nothing, but there is something to come");
        if (is_line(op)) {
            const auto newline = outcome.bytes.find('\n');
            require(newline == std::string::npos || newline + 1 == got, "more than a line");
        }
        if ((flags_ & MSG_WAITALL) != 0 && trouble_free(before) && op != Op::peek) {
            require(got >= std::min(size, before.unreturned.size()), "less than there was (MSG_WAITALL)");
        }
        if (is_socket_method(op)) return;
        const bool is_whole = got == size || (is_line(op) && got != 0 && outcome.bytes.back() == '\n') || is_at_end;
        if (is_whole || happened(before, Kind::refuse)) return;
        require(before.timeout.is_zero(), "a short read (STRM-1)");
        if (trouble_free(before)) require(unreturned_.empty(), "less than there was (TIME-4)");
    }

    void check_error(Op op, const Before& before, const Outcome& outcome) {
        switch (outcome.error.code()) {
            case EAGAIN:
                require(before.timeout.is_zero() || (flags_ & MSG_DONTWAIT) != 0,
                        "EAGAIN from a socket that blocks (TIME-3)");
                if (trouble_free(before))
                    require(before.unreturned.empty(), "EAGAIN though there was something (TIME-4)");
                break;
            case ETIMEDOUT:
                require(!before.timeout.is_none() && !before.timeout.is_zero(), "ETIMEDOUT without a timeout");
                break;
            case EINTR: require(host_.given_up() != before.given_up, "EINTR though no handler gave up (TIME-5)"); break;
            case ECONNRESET:
                require(faulty::injected(Kind::reset) != 0 && !is_reset_known_, "ECONNRESET out of nowhere");
                is_reset_known_ = true;
                break;
            case ENOMEM:
                require(happened(before, Kind::refuse) || happened(before, Kind::no_memory), "ENOMEM out of nowhere");
                break;
            case ENOBUFS: require(happened(before, Kind::no_buffers), "ENOBUFS out of nowhere"); break;
            case EBADF: require(socket_.closed(), "EBADF from an open socket"); break;
            default: require(false, std::string("unexpected: ") + outcome.error.message()); break;
        }
        (void)op;
    }

    [[nodiscard]] static bool happened(const Before& before, Kind kind) {
        return faulty::injected(kind) != before.injected[static_cast<std::size_t>(kind)];
    }
    [[nodiscard]] bool trouble_free(const Before& before) const {
        for (std::size_t i = 0; i < faulty::kind_count; ++i) {
            if (happened(before, static_cast<Kind>(i))) return false;
        }
        return nested_count_ == before.nested && !is_nested_;
    }

    // What anybody else sees between two calls (STRM-5, POLL-5).
    void check_queue() {
        const std::string queue = holder_.queue();
        const bool kept = socket_.has_kept();
        const bool is_suffix = queue.size() <= unreturned_.size() &&
                               unreturned_.compare(unreturned_.size() - queue.size(), queue.size(), queue) == 0;
        const bool ends_with = queue.size() >= unreturned_.size() &&
                               queue.compare(queue.size() - unreturned_.size(), unreturned_.size(), unreturned_) == 0;
        if (unreturned_.empty()) {
            require(queue.empty() && !kept, "bytes are left that have been returned");
        } else if (kept) {
            require(is_suffix && queue.size() < unreturned_.size(),
                    "kept bytes and the queue are not what is unreturned");
        } else if (exposed_) {
            require(queue == unreturned_, "the queue is not what is unreturned");
        } else {
            require(ends_with, "the queue does not end with what is unreturned");
        }
        const bool is_readable = !unreturned_.empty() || ended();
        require((holder_.readable() || kept) == is_readable, "a poll of the queue and of what is kept is wrong");
        // Who only has the descriptor must not be wrong either: a read that fails leaves bytes for it to see.
        if (must_show_) require(holder_.readable() == is_readable, "a foreign poll is wrong");
        must_show_ = exposed_ && !kept;
        if (is_polled_) check_poll(is_readable);
    }

    void check_poll(bool is_readable) {
        const faulty::Calm calm;
        Poll::Event event[1];
        const auto count = poll_.poll(event, Timeout::zero());
        require(count.has_value(), "poll");
        const bool is_in = count && *count == 1 && (event[0].events & POLLIN) != 0;
        require(is_in == is_readable, "Poll is wrong (POLL-5)");
    }

    // --- What happens in the middle of a call

    void be_another_thread() {
        if (is_nested_ || !random_.chance(60)) return;
        nest([this] {
            switch (random_.below(4)) {
                case 0: look_while_busy(); break;
                case 1: send_some(); break;
                // It waits for whoever reads, as that does for bytes.
                default:
                    if (!socket_.gettimeout().is_none()) receive_nested();
                    break;
            }
        });
    }

    bool handle_signal() {
        if (!is_nested_) {
            nest([this] {
                if (random_.chance(300)) faulty::advance(static_cast<std::int64_t>(random_.below(1'000'000)));
                if (random_.chance(100)) look_while_busy();
                if (random_.chance(300)) receive_nested();
                if (random_.chance(3)) socket_.close();
            });
        }
        return random_.chance(250);
    }

    void look_while_busy() {
        const faulty::Calm calm;
        switch (random_.below(4)) {
            case 0: exposed_ = socket_.fileno() >= 0; break;
            case 1: exposed_ = socket_.dup().has_value() || exposed_; break;
            case 2: (void)socket_.has_kept(); break;
            default: (void)socket_.poll_now(POLLIN); break;
        }
    }

    void receive_nested() {
        const auto op = static_cast<Op>(random_.below(static_cast<std::uint64_t>(Op::count)));
        if (op == Op::read_all) return;
        receive(op, random_.between(1, 1 + random_.below(60)), nullptr);
    }

    template <class Body> void nest(Body body) {
        is_nested_ = true;
        ++nested_count_;
        body();
        is_nested_ = false;
        nested_until_ = faulty::now();
    }

    // --- The run

    // All that is left comes out in the end, and nothing stays behind.
    void finish() {
        faulty::set_faults(faulty::Faults());
        host_.while_left = nullptr;
        host_.on_signal = nullptr;
        peer_.shut_down();
        if (!socket_.closed() && !failed_) {
            require(socket_.settimeout(Timeout::none()).has_value(), "settimeout");
            auto rest = socket_.read();
            if (rest.error() == Error(ECONNRESET)) rest = socket_.read();
            require(rest.has_value(), "the last read failed");
            require(rest && rest->view() == unreturned_, "the last read is not what was left");
            socket_.close();
        }
        require(socket_.recv(1).error() == Error(EBADF), "a closed socket is EBADF (SOCK-3)");
        socket_ = Socket();
        poll_ = Poll();
        holder_ = {};
        peer_ = faulty::Peer();
        require_nothing_left();
    }

    void trace(const std::string& what) {
        last_ = what;
        static const bool is_wanted = std::getenv("USOCKET_TRACE") != nullptr;
        if (!is_wanted) return;
        std::printf("%4llu %s%s; unreturned %zu, queue %zu, at %lld\n", static_cast<unsigned long long>(step_),
                    is_nested_ ? "    " : "", what.c_str(), unreturned_.size(), holder_.queue().size(),
                    static_cast<long long>(faulty::now()));
    }

    HostKind host_kind_;
    ScriptedHost host_;
    Poll poll_;
    Socket socket_;
    faulty::Peer peer_;
    faulty::Holder holder_;
    std::jmp_buf jump_{};

    std::string unreturned_;
    std::uint64_t sent_ = 0;
    std::uint64_t line_length_ = 0;  // on average; 0: no newlines
    std::uint64_t bytes_left_ = 0;
    std::int64_t nested_until_ = 0;  // when the last one that ran in the middle of this call was done
    unsigned nested_count_ = 0;
    bool exposed_ = false;
    Random marking_;  // receives end where nothing else ends
    bool has_marks_;
    bool must_show_ = false;  // since before this step others may look, and nothing was kept then
    bool is_polled_ = false;
    bool has_delays_ = false;
    bool is_reset_known_ = false;
    bool is_nested_ = false;
    int flags_ = 0;  // of the socket method that runs, or that what runs is nested in
};

TEST(PropertyReceive, NothingIsLostOrDoubled) {
    for_each_seed([](std::uint64_t seed) { Receiving(seed, HostKind::none).run(); });
}

TEST(PropertyReceive, NothingIsLostUnderSignalsAndOtherThreads) {
    for_each_seed([](std::uint64_t seed) { Receiving(seed, HostKind::hooks).run(); });
}

TEST(PropertyReceive, NothingIsLostWhenAHandlerJumps) {
    for_each_seed([](std::uint64_t seed) { Receiving(seed, HostKind::unwinds).run(); });
}

}  // namespace
}  // namespace usocket::tests
