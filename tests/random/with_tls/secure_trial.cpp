// TLS-3 TLS-5 TIME-2..8 STRM-1..4 POLL-5: over TLS, whatever is written by whatever mix of calls comes once and in
// order, whatever ends the calls: timeouts, handlers that give up or read themselves, memory that runs out, a fork. A
// poll knows what is unread; the end is the end that was made.
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "certificates.hpp"
#include "connection.hpp"
#include "hooks.hpp"
#include "memory.hpp"
#include "pattern.hpp"
#include "reading.hpp"
#include "trial.hpp"
#include "usocket/tls.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto slack = 4s;
constexpr auto enough_time = 10s;             // for what must happen
constexpr std::uint64_t record_size = 16384;  // what a call has begun and not counted is on its way all the same

// One direction.
struct Flow {
    Pattern pattern;
    std::uint64_t sent = 0;      // as the calls have counted
    std::uint64_t returned = 0;  // may be more: what was begun and is to be sent once more
    // How much of it there surely is.
    [[nodiscard]] std::uint64_t unread() const { return sent - std::min(sent, returned); }
};

class SecureTrial : Trial {
public:
    SecureTrial(std::uint64_t seed, Record& record)
        : Trial(seed, record),
          most_(std::size_t{1} << random_.between(4, random_.chance(300) ? 17 : 11)),
          flows_{new_flow(), new_flow()},
          uses_host_(random_.chance(500)),
          server_(must(TlsContext::make())),
          client_(must(TlsContext::make())) {
        const Identity& own = identity();
        must(server_.set_cert_key(std::string_view(own.certificate), std::string_view(own.key)));
        must(client_.load_verify_locations(std::string_view(trusted_issuer().certificate())));
        hooks_.on_signal = [this] { return handle_signal(); };
        connect();
        trace("most " + std::to_string(most_) + (uses_host_ ? ", a host" : ""));
    }

    void run() {
        must(client_end().wrap(client_, {.server_hostname = "localhost", .do_handshake = false}));
        if (!ends_[1].is_wrapped()) must(ends_[1].wrap(server_, {.server_side = true, .do_handshake = false}));
        shake_hands();
        const std::uint64_t steps = random_.between(5, 80);
        for (std::uint64_t i = 0; i < steps && !failed(); ++i) {
            begin_step(i);
            step();
        }
        begin_step(steps);
        if (!failed()) finish();
        for (Socket& end : ends_) end.close();
        checked(::close(below_));
    }

    // Made before the trials fork, once.
    static const Identity& identity() {
        static const Identity made = trusted_issuer().issue();
        return made;
    }

private:
    Flow new_flow() {
        return {Pattern(random_.next(), random_.chance(200) ? 0 : std::uint64_t{2} << random_.below(10))};
    }
    Socket& client_end() { return ends_[0]; }

    void connect() {
        const bool is_tcp = random_.chance(500);
        int fds[2];
        if (is_tcp) {
            const Listener listener = listen(Medium::tcp);
            ends_[0] = must(Socket::open(AF_INET, SOCK_STREAM));
            must(ends_[0].connect(listener.address));
            Socket accepting = must(Socket::adopt(listener.fd));
            const bool has_tls = random_.chance(500);
            if (has_tls) must(accepting.wrap(server_, {.server_side = true}));
            ends_[1] = std::move(must(accepting.accept()).socket);
            trace(has_tls ? "its listener has TLS" : "its listener has none");
        } else {
            checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
            for (int i : {0, 1}) ends_[i] = must(Socket::adopt(fds[i]));
        }
        // TCP's window takes its time to open again.
        if (!is_tcp && random_.chance(500)) {
            for (Socket& end : ends_)
                must(end.setsockopt(SOL_SOCKET, SO_SNDBUF, static_cast<int>(random_.between(1, 30000))));
        }
        below_ = checked(::fcntl(ends_[0].fileno(), F_DUPFD_CLOEXEC, 0));
        trace(is_tcp ? "TCP" : "AF_UNIX");
    }

    // --- The handshake

    void shake_hands() {
        bool is_done[2] = {false, false};
        Poll poll;
        for (Socket& end : ends_) {
            must(end.setblocking(false));
            must(poll.register_(end, POLLIN));
        }
        while (!failed() && !(is_done[0] && is_done[1])) {
            for (int i : {0, 1}) {
                if (is_done[i]) continue;
                const Error error = shake(ends_[i]);
                is_done[i] = error == Error();
                if (is_done[i]) must(poll.unregister(ends_[i]));
                if (was_refused() && error == Error(ENOMEM)) return shake_hands_calmly(is_done);
                require(is_done[i] || error == Error(EAGAIN), std::string("the handshake: ") + error.message());
            }
            Poll::Event event[2];
            const bool is_over = is_done[0] && is_done[1];
            require(is_over || poll.poll(event, Timeout(enough_time)).value_or(std::size_t{0}) != 0,
                    "the handshake hangs (TLS-3)");
        }
        trace("the handshake is done");
    }
    Error shake(Socket& end) {
        const Scarcity scarcity(random_);
        return end.do_handshake().error();
    }
    // A step that had no memory shows nothing to a poll.
    void shake_hands_calmly(bool (&is_done)[2]) {
        trace("no memory for a step of the handshake");
        const auto start = Clock::now();
        while (!failed() && !(is_done[0] && is_done[1])) {
            for (int i : {0, 1}) is_done[i] = is_done[i] || ends_[i].do_handshake().error() == Error();
            require(Clock::now() - start < enough_time, "the handshake does not go on after ENOMEM (TLS-3)");
        }
    }

    // Memory that runs out in the middle of a call, now and then.
    class Scarcity {
    public:
        explicit Scarcity(Random& random) {
            if (random.chance(30)) refuse_memory(static_cast<unsigned>(random.between(1, 4)));
        }
        ~Scarcity() { refuse_memory(0); }
        Scarcity(const Scarcity&) = delete;
        Scarcity& operator=(const Scarcity&) = delete;
    };

    // --- What can happen

    void step() {
        const auto i = static_cast<int>(random_.below(2));
        switch (random_.below(10)) {
            case 0: return poll(i);
            case 1: return random_.chance(100) ? fork_a_child(i) : poll(i);
            case 2:
            case 3:
            case 4:
            case 5: return write(i);
            default: return read(i);
        }
    }

    Timeout some_timeout() {
        if (random_.chance(400)) return Timeout::zero();
        return std::chrono::microseconds(random_.between(1, 5000));
    }

    // --- Writing: a call that ends in the middle says how far it has come

    void write(int i) {
        Flow& flow = flows_[i];
        const std::size_t size = random_.between(1, 1 + random_.below(most_));
        const std::string bytes = flow.pattern.bytes(flow.sent, size);
        const bool is_write = random_.chance(600);
        Socket& socket = ends_[i];
        const Timeout timeout = some_timeout();
        must(socket.settimeout(timeout));
        std::size_t sent = 0;
        Error error;
        running_ = i;
        is_writing_ = true;
        const auto start = Clock::now();
        {
            const Scarcity scarcity(random_);
            const Disturbance disturbance(*this);
            if (is_write) {
                error = socket.write(bytes, sent, disturbance.call()).error();
            } else {
                const auto result = socket.send(bytes, 0, disturbance.call());
                error = result.error();
                sent = result.value_or(0u);
            }
        }
        is_writing_ = false;
        trace(std::to_string(i) + (is_write ? " write " : " send ") + std::to_string(size) + " timeout " +
              std::to_string(timeout.nanoseconds()) + " -> " + std::to_string(error.code()) + ", " +
              std::to_string(sent));
        require(sent <= size, "more than there was (STRM-4)");
        require(error != Error() || sent != 0, "nothing went, and no error (STRM-4)");
        check_error(error, timeout, Clock::now() - start, was_refused());
        flow.sent += sent;
    }

    // --- Reading

    void read(int i) {
        Reading reading = Reading::choose(random_, most_);
        if (reading.how == Reading::How::read_all) reading.how = Reading::How::read;
        reading.flags &= ~(MSG_OOB | MSG_ERRQUEUE | MSG_TRUNC);
        Timeout timeout = random_.chance(500) ? some_timeout() : Timeout::none();
        if (timeout.is_none() && !ends(flows_[1 - i], reading)) timeout = std::chrono::milliseconds(1);
        running_ = i;
        receive(i, reading, timeout);
    }

    void receive(int i, const Reading& reading, Timeout timeout) {
        Flow& flow = flows_[1 - i];
        Socket& socket = ends_[i];
        must(socket.settimeout(timeout));
        const bool is_sure = ends(flow, reading);
        const auto start = Clock::now();
        Got got;
        if (depth_ == 0) {
            const Scarcity scarcity(random_);
            const Disturbance disturbance(*this);
            got = perform(reading, socket, disturbance.host());
        } else {
            got = perform(reading, socket, nullptr);
        }
        trace(std::to_string(i) + " " + reading.text() + " timeout " +
              (timeout.is_none() ? "None" : std::to_string(timeout.nanoseconds())) + " -> " +
              std::to_string(got.error.code()) + ", " + std::to_string(got.count));
        const bool is_at_once = timeout.is_zero() || reading.is_at_once();
        const bool is_scarce = was_refused();
        check_error(got.error, reading.is_at_once() ? Timeout::zero() : timeout, Clock::now() - start, is_scarce);
        if (got.error == Error(EAGAIN) && depth_ == 0)
            require(!is_sure || reading.is_at_once() || timeout.is_zero(), "nothing, though it was there");
        if (got.error != Error()) return;
        require(flow.pattern.is_at(flow.returned, got.bytes), "other bytes than were sent (TIME-6)");
        require(flow.returned + got.count <= flow.sent + record_size, "more than was sent");
        require(got.count != 0, "an end that nobody has made (TLS-5)");
        const bool may_be_short = is_at_once || is_scarce || reading.is_socket_method() || reading.is_line();
        require(may_be_short || got.count == reading.size, "a short read (STRM-1)");
        if (!reading.is_peek()) flow.returned += got.count;
    }

    // Whether what is there for certain ends such a call; a record that is on its way in part is nothing yet.
    static bool ends(const Flow& flow, const Reading& reading) {
        const std::uint64_t unread = flow.unread();
        const bool takes_all = !reading.is_line() && (reading.is_stream_method() || (reading.flags & MSG_WAITALL) != 0);
        if (takes_all && !reading.is_peek()) return unread >= reading.size;
        if (!reading.is_line()) return unread != 0;
        const bool is_limited = !reading.is_unlimited();
        const std::uint64_t size = is_limited ? std::min<std::uint64_t>(unread, reading.size) : unread;
        for (std::uint64_t i = 0; i < size; ++i) {
            if (flow.pattern.at(flow.returned + i) == '\n') return true;
        }
        return is_limited && unread >= reading.size;
    }

    void check_error(Error error, Timeout timeout, Clock::duration took, bool is_scarce) {
        if (depth_ == 0 && !timeout.is_none()) {
            require(took < std::chrono::nanoseconds(timeout.nanoseconds()) + slack, "longer than its timeout (TIME-2)");
        }
        switch (error.code()) {
            case 0: break;
            case EAGAIN: require(timeout.is_zero(), "EAGAIN from a call that waits (TIME-3)"); break;
            case ETIMEDOUT: require(!timeout.is_none() && !timeout.is_zero(), "ETIMEDOUT without a timeout"); break;
            case EINTR: require(hooks_.has_given_up(), "EINTR though no handler gave up (TIME-5)"); break;
            case ENOMEM: require(is_scarce, "ENOMEM though there is memory"); break;
            default: require(false, std::string("unexpected: ") + error.message()); break;
        }
    }

    // --- In the middle of a call

    // Signals come, to a host that handles them or to nobody.
    class Disturbance {
    public:
        explicit Disturbance(SecureTrial& trial) : trial_(trial) {
            if (trial.random_.chance(300)) {
                alarms_.emplace(std::chrono::microseconds(trial.random_.between(50, 1500)));
            }
        }
        [[nodiscard]] const Host* host() const { return trial_.uses_host_ ? &trial_.hooks_.host() : nullptr; }
        [[nodiscard]] Call call() const { return trial_.uses_host_ ? Call(trial_.hooks_.host()) : Call(); }

    private:
        SecureTrial& trial_;
        std::optional<Alarms> alarms_;
    };

    // A handler may give the call up, or use the very socket.
    bool handle_signal() {
        if (depth_ != 0 || failed()) return false;
        ++depth_;
        refuse_memory(0);
        if (random_.chance(300)) {
            Socket& socket = ends_[running_];
            const Timeout before = socket.gettimeout();
            Reading reading;
            reading.how = Reading::How::recv_into;
            reading.size = random_.between(1, 100);
            reading.flags = MSG_DONTWAIT;
            // What it takes, the call that it interrupts cannot wait for any more.
            if (is_writing_ || !before.is_none()) receive(running_, reading, before);
        }
        --depth_;
        return random_.chance(100);
    }

    // --- What others see

    void poll(int i) {
        const std::uint64_t unread = flows_[1 - i].unread();
        Poll poll;
        must(poll.register_(ends_[i], POLLIN));
        Poll::Event event[1];
        const auto span = unread != 0 ? Timeout(enough_time) : Timeout::zero();
        const std::size_t ready = must(poll.poll(event, span));
        trace(std::to_string(i) + " poll, unread " + std::to_string(unread) + " -> " + std::to_string(ready));
        require(unread == 0 || ready == 1, "a poll does not know what is unread (POLL-5)");
        require(unread == 0 || (ends_[i].poll_now(POLLIN) & POLLIN) != 0, "poll_now() does not (POLL-5)");
    }

    // TLS is the parent's, and nothing that a child does is seen here.
    void fork_a_child(int i) {
        const pid_t child = checked(::fork());
        if (child == 0) {
            char byte = 0;
            const Error read = ends_[i].recv_into({&byte, 1}, MSG_DONTWAIT).error();
            const Error sent = ends_[i].send("x").error();
            ends_[i].close();
            ::_exit(read.code() == EPERM && sent.code() == EPERM ? 0 : 1);
        }
        int status = 0;
        (void)::waitpid(child, &status, 0);
        trace(std::to_string(i) + " a child");
        require(status == 0, "a child of fork can use its parent's TLS");
    }

    // --- The end

    // The first end makes its direction's, in one way or another; the second reads what is left of it.
    void finish() {
        Flow& flow = flows_[0];
        must(ends_[0].settimeout(Timeout::zero()));
        must(ends_[1].settimeout(Timeout::zero()));
        // Once it is through, nothing is that was begun before.
        while (!failed() && ends_[0].write(flow.pattern.bytes(flow.sent, 1)).value_or(0u) == 0) drain(flow);
        ++flow.sent;
        const std::uint64_t how = random_.below(4);
        trace(std::string("the end: ") + (how == 0 ? "cut" : how == 1 ? "shutdown" : how == 2 ? "close" : "thread"));
        if (how == 3) return close_from_a_thread();
        while (how != 0 && !failed() && flow.unread() != 0) drain(flow);  // there has to be room for what says so
        must(ends_[0].settimeout(enough_time));
        if (how == 0) checked(::shutdown(below_, SHUT_WR));
        if (how == 1) must(ends_[0].shutdown(SHUT_WR));
        if (how == 2) ends_[0].close();
        must(ends_[1].settimeout(enough_time));
        Error error;
        while (!failed()) {
            const auto got = ends_[1].recv(1000);
            error = got.error();
            if (!got || got->empty()) break;
            take(flow, got->view());
        }
        require((error == Error()) == (how != 0), "a cut and an end look the same (TLS-5)");
        require(error == Error() || error == Error(ECONNRESET), std::string("the end: ") + error.message());
        require(flow.sent <= flow.returned && flow.returned <= flow.sent + record_size,
                "bytes that had come whole are lost (TLS-5)");
    }
    void drain(Flow& flow) {
        const auto got = ends_[1].recv(1000);
        if (got) take(flow, got->view());
    }
    void take(Flow& flow, std::string_view bytes) {
        require(flow.pattern.is_at(flow.returned, bytes), "other bytes at the end (TIME-6)");
        flow.returned += bytes.size();
    }

    // SOCK-4
    void close_from_a_thread() {
        must(ends_[1].settimeout(Timeout::none()));
        Error error;
        std::jthread reader([&] {
            std::array<char, 1000> bytes;
            while (const auto got = ends_[1].recv_into({bytes.data(), bytes.size()})) {
                take(flows_[0], {bytes.data(), *got});
            }
            error = ends_[1].recv_into({bytes.data(), 1}).error();
        });
        std::this_thread::sleep_for(std::chrono::microseconds(random_.below(500)));
        ends_[1].close();
        reader.join();
        require(error == Error(EBADF), std::string("close() in another thread: ") + error.message() + " (SOCK-4)");
    }

    std::size_t most_;
    std::array<Flow, 2> flows_;  // of what each end writes
    bool uses_host_;
    TlsContext server_;
    TlsContext client_;
    std::array<Socket, 2> ends_;
    int below_ = -1;  // another holder of the first end's descriptor
    Hooks hooks_;
    int running_ = 0;  // the end whose call is running
    bool is_writing_ = false;
};

}  // namespace

void run_secure_trial(std::uint64_t seed, Record& record) { SecureTrial(seed, record).run(); }

}  // namespace usocket::tests
