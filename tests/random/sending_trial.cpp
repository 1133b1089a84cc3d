// SOCK-6 SOCK-10 TIME-1..5 TIME-7 TIME-10 STRM-4 POLL-3: what is sent arrives once and in order, whatever ends a call;
// what a call says has gone out, has gone out.
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "connection.hpp"
#include "descriptor.hpp"
#include "hooks.hpp"
#include "pattern.hpp"
#include "peer.hpp"
#include "trial.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;
using Clock = std::chrono::steady_clock;
using What = Peer::What;

constexpr auto slack = 4s;
enum class How { send, sendall, sendto, write, sendmsg, sendfile };
constexpr const char* names[] = {"send", "sendall", "sendto", "write", "sendmsg", "sendfile"};

class SendingTrial : Trial {
public:
    SendingTrial(std::uint64_t seed, Record& record)
        : Trial(seed, record),
          pattern_(seed, 0),
          medium_(static_cast<Medium>(random_.below(3))),
          most_(std::size_t{1} << random_.between(4, 21)),
          uses_host_(random_.chance(400)) {
        if (medium_ == Medium::tcp6 && !has_ipv6()) medium_ = Medium::tcp;
        const Listener listener = listen(medium_);
        peer_.emplace(record, pattern_, pattern_, listener.fd);
        descriptor_ = next_descriptor();
        socket_ = must(Socket::open(listener.address.family(), SOCK_STREAM));
        if (!lacks("options") && random_.chance(500)) must(socket_.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096));
        must(socket_.connect(listener.address));
        peer_->tell(What::accept);
        peer_->tell(What::watch, static_cast<std::uint64_t>(descriptor_));
        hooks_.on_signal = [this] { return random_.chance(150); };
    }

    void run() {
        const std::uint64_t steps = random_.between(3, 30);
        for (std::uint64_t i = 0; i < steps && !failed(); ++i) {
            begin_step(i);
            step();
        }
        if (!failed()) finish();
    }

private:
    void step() {
        switch (random_.below(8)) {
            case 0: set_timeout(); break;
            case 1: set_send_timeout(); break;
            case 2:
                trace("dup()");
                copy_ = must(socket_.dup());
                break;
            case 3: check_poll(); break;
            default: send(); break;
        }
    }

    void set_timeout() {
        const std::uint64_t kind = random_.below(9);
        Timeout timeout;
        if (kind < 3) timeout = Timeout::zero();
        if (kind > 5) timeout = microseconds(random_.between(1, 20'000));
        trace("settimeout " + (timeout.is_none() ? "None" : std::to_string(timeout.nanoseconds())));
        must(socket_.settimeout(timeout));
    }
    void set_send_timeout() {
        const timeval span{0, random_.chance(500) ? 0 : 20'000};
        trace("SO_SNDTIMEO " + std::to_string(span.tv_usec));
        must(socket_.setsockopt(SOL_SOCKET, SO_SNDTIMEO, ConstBuffer(&span, sizeof span)));
        has_send_timeout_ = span.tv_usec != 0;
    }

    void send() {
        const auto how = static_cast<How>(random_.below(lacks("files") ? 5 : 6));
        const std::size_t size = random_.between(1, 1 + random_.below(random_.chance(300) ? most_ : 1000));
        const std::string bytes = pattern_.bytes(sent_, size);
        const bool is_bounded = !socket_.gettimeout().is_none() || has_send_timeout_;
        const bool is_taken = !is_bounded || random_.chance(500);
        if (is_taken) peer_->tell(What::take, sent_ + size, microseconds(random_.below(3000)));
        const Timeout timeout = socket_.gettimeout();
        trace(std::string(names[static_cast<int>(how)]) + "(" + std::to_string(size) + ")" +
              (is_taken ? ", the peer takes it," : "") + " timeout " +
              (timeout.is_none() ? "None" : std::to_string(timeout.nanoseconds())));
        const auto start = Clock::now();
        std::size_t told = 0;  // where a call says so although it fails
        const Result<std::size_t> result = perform(how, bytes, told);
        const auto took = Clock::now() - start;
        trace("    -> " + (result ? std::to_string(*result) + " bytes" : std::string(result.error().message())));
        check(how, size, timeout, result, took);
        if (result) {
            sent_ += *result;
        } else {
            const std::uint64_t before = sent_;
            find_out_what_went_out(size);
            require(!tells(how) || sent_ - before == told, "a call that failed says " + std::to_string(told) +
                                                               " bytes went out, not " +
                                                               std::to_string(sent_ - before) + " (TIME-10)");
        }
        shared().takes_no_more = true;
        (void)peer_->settle();
        shared().takes_no_more = false;
    }

    static bool tells(How how) { return how == How::write || how == How::sendfile; }

    Result<std::size_t> perform(How how, const std::string& bytes, std::size_t& told) {
        std::optional<Alarms> alarms;
        if (random_.chance(300)) alarms.emplace(microseconds(random_.between(100, 3000)));
        Call call = uses_host_ ? Call(hooks_.host()) : Call();
        switch (how) {
            case How::send: return uses_host_ ? socket_.send(bytes, 0, std::move(call)) : socket_.send(bytes);
            case How::sendto: return socket_.sendto(bytes, must(socket_.getpeername()), 0, std::move(call));
            case How::write: return socket_.write(bytes, told, std::move(call));
            case How::sendmsg: {
                const ConstBuffer all(bytes);
                const std::size_t third = all.size() / 3;
                const ConstBuffer pieces[] = {{all.data(), third}, {all.data() + third, third}, all.from(2 * third)};
                return socket_.sendmsg(pieces, {}, 0, nullptr, std::move(call));
            }
            case How::sendfile: return send_file(bytes, told, std::move(call));
            default: {
                const auto sent = socket_.sendall(bytes, 0, std::move(call));
                return sent ? Result<std::size_t>(bytes.size()) : sent.error();
            }
        }
    }

    // From somewhere in the file.
    Result<std::size_t> send_file(const std::string& bytes, std::size_t& told, Call&& call) {
        const int file = checked(::memfd_create("random", MFD_CLOEXEC));
        const std::size_t before = random_.below(3) * 4000;
        const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(before));
        if (written != static_cast<ssize_t>(bytes.size())) std::abort();
        auto sent = socket_.sendfile(file, before, random_.chance(500) ? bytes.size() : Socket::whole_file, told,
                                     std::move(call));
        checked(::close(file));
        return sent;
    }

    void check(How how, std::size_t size, Timeout timeout, const Result<std::size_t>& result, Clock::duration took) {
        if (!timeout.is_none())
            require(took < std::chrono::nanoseconds(timeout.nanoseconds()) + slack, "longer than its timeout (TIME-2)");
        const Error error = result.error();
        switch (error.code()) {
            case 0: break;
            case EAGAIN:
                require(timeout.is_zero() || (timeout.is_none() && has_send_timeout_),
                        "EAGAIN from a call that waits (TIME-3)");
                break;
            case ETIMEDOUT:
                require(!timeout.is_none() && !timeout.is_zero(), "ETIMEDOUT without a timeout");
                if (!failed())
                    require(took >= std::chrono::nanoseconds(timeout.nanoseconds()) - 1ms,
                            "timed out too early (TIME-2)");
                break;
            case EINTR: require(hooks_.has_given_up(), "EINTR though no handler gave up (TIME-5)"); break;
            case EISCONN: require(how == How::sendto && medium_ == Medium::third, "EISCONN"); break;
            default: require(false, std::string("unexpected: ") + error.message()); break;
        }
        if (!result) return;
        require(*result <= size && *result != 0, "a count out of nowhere");
        const bool is_whole = how == How::sendall || (tells(how) && !timeout.is_zero());
        require(!is_whole || *result == size, "less than all (STRM-4)");
    }

    // A call that failed may have sent a part.
    void find_out_what_went_out(std::size_t size) {
        shared().takes_no_more = true;
        (void)peer_->settle();
        shared().takes_no_more = false;
        peer_->tell(What::take, sent_ + size);
        for (int pending = 1; ::ioctl(descriptor_, TIOCOUTQ, &pending) == 0 && pending != 0;) ::usleep(50);
        shared().takes_no_more = true;
        (void)peer_->settle();
        shared().takes_no_more = false;
        require(shared().taken >= sent_ && shared().taken <= sent_ + size, "the peer got more or less than was sent");
        sent_ = shared().taken;
    }

    void check_poll() {
        (void)peer_->settle();
        pollfd one{descriptor_, POLLOUT, 0};
        const bool foreign = ::poll(&one, 1, 0) == 1;
        const bool ours = (socket_.poll_now(POLLOUT) & POLLOUT) != 0;
        pollfd again{descriptor_, POLLOUT, 0};
        if ((::poll(&again, 1, 0) == 1) == foreign) require(ours == foreign, "poll_now() is wrong for POLLOUT");
    }

    void finish() {
        trace("the end");
        peer_->tell(What::take, sent_);
        (void)peer_->settle();
        require(shared().taken == sent_,
                "what was sent has not arrived: " + std::to_string(shared().taken) + " of " + std::to_string(sent_));
    }
    Shared& shared() { return peer_->shared(); }

    Pattern pattern_;
    Medium medium_;
    std::size_t most_;
    bool uses_host_;
    std::optional<Peer> peer_;
    Hooks hooks_;
    Socket socket_, copy_;
    int descriptor_ = -1;
    std::uint64_t sent_ = 0;
    bool has_send_timeout_ = false;
};

}  // namespace

void run_sending_trial(std::uint64_t seed, Record& record) { SendingTrial(seed, record).run(); }

}  // namespace usocket::tests
