// The other end of every connection that is measured, the same for all contestants.
//
//   bench_peer [CERTIFICATES]     CERTIFICATES: the folder with what it shows where TLS is asked for
//
// Prints the port where it takes control connections, and ends when its standard input does. On a control connection
// it first sends the port where it takes data connections, then obeys lines of text, and answers "ok" once done:
//
//   accept            takes the next data connection; the commands below are about that
//   secure            puts TLS on it: the server's handshake, while the worker does the client's
//   keep              leaves it open, until the control connection ends
//   serve COUNT       takes COUNT data connections, one after the other: handshake, one byte to the worker, to EOF;
//                     no "ok"
//   fill BYTES LINE   sends BYTES bytes, a "\n" at the end of every LINE; "ok" when all of them are in the reader's
//                     queue
//   source BYTES      sends BYTES bytes and closes; no "ok"
//   echo              sends back what it receives, to EOF; no "ok"
//   sink              says "ok" and drops what it receives, to EOF
//   port              binds an ephemeral TCP port, gives it back and sends its number instead of "ok"
#include <linux/sockios.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cinttypes>
#include <memory>
#include <thread>
#include <vector>

#include "channel.hpp"

namespace {

using bench::Channel;
using bench::Fd;
using bench::must;

constexpr std::size_t chunk = 256 * 1024;

bool send_all(int fd, const char* data, std::size_t size) {
    while (size != 0) {
        const ssize_t sent = ::send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        data += sent;
        size -= static_cast<std::size_t>(sent);
    }
    return true;
}

bool send_text(int fd, const std::string& text) { return send_all(fd, text.data(), text.size()); }

// On the loopback what is sent is in the reader's queue; what that has no room for is not sent.
void wait_until_sent(int fd) {
    int unsent = 1;
    for (int i = 0; i < 1'000'000 && unsent != 0; ++i) {
        if (i != 0) ::sched_yield();
        must(::ioctl(fd, SIOCOUTQNSD, &unsent) == 0, "SIOCOUTQNSD");
    }
    must(unsent == 0, "the reader's queue has no room for what it is filled with; raise net.core.rmem_max");
}

class Plain : public Channel {
public:
    using Channel::Channel;
    bool send_all(const char* data, std::size_t size) override { return ::send_all(fd(), data, size); }
    std::size_t recv(char* into, std::size_t size) override { return received(::recv(fd(), into, size, 0)); }
    std::size_t drop(char* into, std::size_t size) override { return received(::recv(fd(), into, size, MSG_TRUNC)); }
    Fd give_up() { return std::move(fd_); }

private:
    static std::size_t received(ssize_t count) { return count > 0 ? static_cast<std::size_t>(count) : 0; }
};

class Session {
public:
    Session(Fd control, std::string certificates)
        : control_(std::move(control)), listener_(bench::listen_loopback()), certificates_(std::move(certificates)) {}

    void run() {
        const int on = 1;
        (void)::setsockopt(control_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (!send_text(control_.get(), std::to_string(bench::port_of(listener_.get())) + "\n")) return;
        for (;;) {
            const std::string line = read_line();
            if (line.empty() || !obey(line)) return;
        }
    }

private:
    std::string read_line() {
        std::string line;
        char c = 0;
        while (::recv(control_.get(), &c, 1, 0) == 1) {
            if (c == '\n') return line;
            line += c;
        }
        return {};
    }

    bool obey(const std::string& line) {
        std::uint64_t bytes = 0;
        std::uint64_t length = 0;
        if (line == "accept") return accept() && ok();
        if (line == "secure") return secure() && ok();
        if (line == "keep") {
            kept_.push_back(std::move(data_));
            return ok();
        }
        if (std::sscanf(line.c_str(), "serve %" SCNu64, &bytes) == 1) return serve(bytes);
        if (std::sscanf(line.c_str(), "fill %" SCNu64 " %" SCNu64, &bytes, &length) == 2) return fill(bytes, length);
        if (std::sscanf(line.c_str(), "source %" SCNu64, &bytes) == 1) return source(bytes);
        if (line == "echo") return echo();
        if (line == "sink") return ok() && sink();
        if (line == "port") {
            const std::uint16_t port = bench::port_of(bench::bind_loopback(SOCK_STREAM).get());
            return send_text(control_.get(), std::to_string(port) + "\n");
        }
        errno = EINVAL;
        bench::fail("the peer does not know this command");
    }

    bool ok() { return send_text(control_.get(), "ok\n"); }

    // False: the worker has gone instead.
    bool accept() {
        pollfd watched[] = {{listener_.get(), POLLIN, 0}, {control_.get(), POLLIN, 0}};
        must(::poll(watched, 2, -1) > 0, "poll()");
        if (watched[0].revents == 0) return false;
        Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        must(fd.get() >= 0, "accept()");
        const int on = 1;
        must(::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
        data_ = std::make_unique<Plain>(std::move(fd));
        return true;
    }

    bool secure() {
        data_ = bench::make_secure(static_cast<Plain&>(*data_).give_up(), certificates_);
        return true;
    }

    bool serve(std::uint64_t count) {
        char byte = 0;
        for (; count != 0; --count) {
            if (!accept() || !secure() || !data_->send_all("x", 1)) return false;
            while (data_->recv(&byte, 1) != 0) {
            }
            data_.reset();
        }
        return true;
    }

    bool fill(std::uint64_t bytes, std::uint64_t length) {
        if (lines_.size() != bytes || line_length_ != length) {
            lines_.assign(bytes, 'x');
            line_length_ = length;
            for (std::uint64_t i = length; i <= bytes; i += length) lines_[i - 1] = '\n';
        }
        if (!data_->send_all(lines_.data(), lines_.size())) return false;
        wait_until_sent(data_->fd());
        return ok();
    }

    bool source(std::uint64_t bytes) {
        static const std::vector<char> zeros(chunk);
        while (bytes != 0) {
            const std::size_t count = std::min<std::uint64_t>(bytes, chunk);
            if (!data_->send_all(zeros.data(), count)) break;
            bytes -= count;
        }
        data_.reset();
        return true;
    }

    bool echo() {
        char bytes[4096];
        for (;;) {
            const std::size_t got = data_->recv(bytes, sizeof bytes);
            if (got == 0 || !data_->send_all(bytes, got)) return true;
        }
    }

    bool sink() {
        std::vector<char> bytes(chunk);
        while (data_->drop(bytes.data(), bytes.size()) != 0) {
        }
        return true;
    }

    Fd control_;
    Fd listener_;
    std::string certificates_;
    std::unique_ptr<Channel> data_;
    std::vector<std::unique_ptr<Channel>> kept_;
    std::string lines_;  // what fill sends, kept for the next time
    std::uint64_t line_length_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    (void)::signal(SIGPIPE, SIG_IGN);  // OpenSSL's own writes do not ask for that
    const std::string certificates = argc > 1 ? argv[1] : "";
    const Fd listener = bench::listen_loopback();
    std::printf("%u\n", unsigned{bench::port_of(listener.get())});
    std::fflush(stdout);
    std::thread([&listener, &certificates] {
        for (;;) {
            Fd control(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
            must(control.get() >= 0, "accept()");
            std::thread([session = Session(std::move(control), certificates)]() mutable { session.run(); }).detach();
        }
    }).detach();
    char unused = 0;
    while (::read(STDIN_FILENO, &unused, 1) > 0) {
    }
    std::_Exit(0);
}
