// TIME-2 TIME-7 TIME-9 SOCK-5: accept() and connect() keep their deadlines, and do not spin, though other holders of
// the descriptor set O_NONBLOCK as they like and take connections away.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>
#include <string>

#include "connection.hpp"
#include "descriptor.hpp"
#include "trial.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;
using Clock = std::chrono::steady_clock;

long sleeps_so_far() {
    rusage usage{};
    (void)::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw;
}

// A process that does `body` until it is ended.
class Child {
public:
    template <class Body> explicit Child(Body body) : process_(checked(::fork())) {
        if (process_ != 0) return;
        body();
        ::_exit(0);
    }
    ~Child() {
        (void)::kill(process_, SIGKILL);
        (void)::waitpid(process_, nullptr, 0);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

private:
    pid_t process_;
};

class AcceptTrial : Trial {
public:
    AcceptTrial(std::uint64_t seed, Record& record)
        : Trial(seed, record), medium_(static_cast<Medium>(random_.below(3))) {
        if (medium_ == Medium::tcp6 && !has_ipv6()) medium_ = Medium::tcp;
        const Listener listener = listen(medium_);
        descriptor_ = listener.fd;
        server_ = must(Socket::adopt(listener.fd));
        address_ = listener.address;
    }

    void run() {
        for (std::uint64_t i = 0; i < 12 && !failed(); ++i) {
            begin_step(i);
            step();
        }
        for (Socket* socket : {&server_, &copy_}) socket->close();
    }

private:
    void step() {
        switch (random_.below(7)) {
            case 0: set_timeout(server_); break;
            case 1:
                if (copy_.closed()) copy_ = must(server_.dup());
                set_timeout(copy_);
                break;
            case 2: flip(server_.fileno()); break;
            case 3:
                if (!lacks("fork")) lose_races();
                break;
            case 4: connect_to_a_full_backlog(); break;
            case 5: expire(); break;
            default: accept(!copy_.closed() && random_.chance(300) ? copy_ : server_, random_.chance(600)); break;
        }
    }

    void set_timeout(Socket& socket) {
        const std::uint64_t kind = random_.below(4);
        Timeout timeout = microseconds(random_.between(1, 60'000));
        if (kind == 0) timeout = Timeout::none();
        if (kind == 1) timeout = Timeout::zero();
        trace((&socket == &copy_ ? "the copy's timeout " : "timeout ") +
              (timeout.is_none() ? "None" : std::to_string(timeout.nanoseconds())));
        must(socket.settimeout(timeout));
    }
    void flip(int fd) {
        trace("another holder flips O_NONBLOCK");
        set_nonblocking(fd, !is_nonblocking(fd));
    }

    // Which has been there in time, or not.
    void accept(Socket& socket, bool has_client) {
        const Timeout timeout = socket.gettimeout();
        if (timeout.is_none()) has_client = true;
        Socket client;
        if (has_client) {
            client = must(Socket::open(address_.family(), SOCK_STREAM));
            must(client.connect(address_));
            pollfd pending{descriptor_, POLLIN, 0};
            (void)::poll(&pending, 1, 5000);  // over a wire it takes its time
        }
        trace(std::string(&socket == &copy_ ? "the copy's " : "") + "accept()" +
              (has_client ? ", a client is there" : ""));
        const auto start = Clock::now();
        const auto accepted = socket.accept();
        check_time(timeout, accepted.error(), Clock::now() - start);
        if (has_client) {
            if (!require(accepted.has_value(), std::string("accept: ") + accepted.error().message())) return;
            require(!is_nonblocking_socket(accepted->socket), "an accepted connection blocks (SOCK-5)");
        } else {
            require(accepted.error() == Error(timeout.is_zero() ? EAGAIN : ETIMEDOUT),
                    std::string("accept: ") + accepted.error().message());
        }
    }
    static bool is_nonblocking_socket(const Socket& socket) { return !socket.gettimeout().is_none(); }

    void check_time(Timeout timeout, Error error, Clock::duration took) {
        trace("    -> " + std::string(error == Error() ? "well" : error.message()));
        if (timeout.is_none()) return;
        const std::chrono::nanoseconds span(timeout.nanoseconds());
        require(took < span + 2s, "longer than its timeout (TIME-2)");
        if (error == Error(ETIMEDOUT)) require(took >= span - 1ms, "timed out too early (TIME-2)");
    }

    // Clients come now and then, and another holder is quicker.
    void lose_races() {
        if (server_.gettimeout().is_zero()) return;
        trace("accept() among others");
        const std::uint64_t clients = random_.between(1, 5);
        const auto pace = microseconds(random_.between(1000, 5000));
        const int family = address_.family();
        must(server_.settimeout(300ms));
        const Child thief([&] {
            for (pollfd one{descriptor_, POLLIN, 0};;) {
                if (::poll(&one, 1, -1) == 1) close_descriptor(::accept4(descriptor_, nullptr, nullptr, SOCK_NONBLOCK));
            }
        });
        const Child come([&] {
            for (std::uint64_t i = 0; i < clients; ++i) {
                ::usleep(static_cast<useconds_t>(pace.count()));
                const int fd = ::socket(family, SOCK_STREAM, 0);
                (void)::connect(fd, reinterpret_cast<const sockaddr*>(address_.data()),
                                static_cast<socklen_t>(address_.size()));
            }
            ::pause();
        });
        std::uint64_t got = 0;
        for (Error error; error == Error() && got <= clients; ++got) {
            const long before = sleeps_so_far();
            const auto start = Clock::now();
            const auto accepted = server_.accept();
            error = accepted.error();
            check_time(server_.gettimeout(), error, Clock::now() - start);
            const long sleeps = sleeps_so_far() - before;
            require(sleeps < 60, "accept() wakes up again and again: " + std::to_string(sleeps) + " times");
            if (error != Error()) require(error == Error(ETIMEDOUT), std::string("accept: ") + error.message());
        }
        require(got <= clients + 1, "connections out of nowhere");
        ::usleep(2000);
        while (is_readable(descriptor_)) close_descriptor(::accept4(descriptor_, nullptr, nullptr, 0));
    }

    // TIME-9: a deadline does not rest on O_NONBLOCK.
    void connect_to_a_full_backlog() {
        if (medium_ == Medium::third) return;
        const Listener full = listen(medium_, 0);
        int clients[8];
        for (int& client : clients) {
            client = checked(::socket(address_.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            (void)::connect(client, reinterpret_cast<const sockaddr*>(full.address.data()),
                            static_cast<socklen_t>(full.address.size()));
        }
        Socket socket = must(Socket::open(address_.family(), SOCK_STREAM));
        must(socket.settimeout(microseconds(random_.between(1, 30'000))));
        if (random_.chance(500)) flip(socket.fileno());
        trace("connect() where nobody answers");
        const auto start = Clock::now();
        const Error error = socket.connect(full.address).error();
        check_time(socket.gettimeout(), error, Clock::now() - start);
        require(error == Error(ETIMEDOUT) || error == Error(), std::string("connect: ") + error.message());
        for (const int client : clients) close_descriptor(client);
        close_descriptor(full.fd);
    }

    // TIME-7
    void expire() {
        const timeval span{0, 20'000}, none{0, 0};
        const Timeout before = server_.gettimeout();
        must(server_.setsockopt(SOL_SOCKET, SO_RCVTIMEO, ConstBuffer(&span, sizeof span)));
        must(server_.settimeout(Timeout::none()));
        trace("accept() with SO_RCVTIMEO");
        require(server_.accept().error() == Error(EAGAIN), "accept() with SO_RCVTIMEO ends with EAGAIN (TIME-7)");
        must(server_.setsockopt(SOL_SOCKET, SO_RCVTIMEO, ConstBuffer(&none, sizeof none)));
        must(server_.settimeout(before));
    }

    Medium medium_;
    Socket server_, copy_;
    Address address_;
    int descriptor_ = -1;
};

}  // namespace

void run_accept_trial(std::uint64_t seed, Record& record) { AcceptTrial(seed, record).run(); }

}  // namespace usocket::tests
