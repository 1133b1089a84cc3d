// The other end of every connection that is measured, the same for all contestants.
//
// Prints the port where it takes control connections, and ends when its standard input does. On a control connection
// it first sends the port where it takes data connections, then obeys lines of text, and answers "ok" once done:
//
//   accept            takes the next data connection; the commands below are about that
//   fill BYTES LINE   sends BYTES bytes, a "\n" at the end of every LINE; "ok" when all of them are in the reader's
//   queue source BYTES      sends BYTES bytes and closes; no "ok" echo              sends back what it receives, to
//   EOF; no "ok" sink              says "ok" and drops what it receives, to EOF port              binds an ephemeral
//   TCP port, gives it back and sends its number instead of "ok"
#include <linux/sockios.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cinttypes>
#include <thread>
#include <vector>

#include "posix.hpp"

namespace {

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

class Session {
public:
    explicit Session(Fd control) : control_(std::move(control)), listener_(bench::listen_loopback()) {}

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
        if (line == "accept") {
            data_ = Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            must(data_.get() >= 0, "accept()");
            const int on = 1;
            must(::setsockopt(data_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
            return ok();
        }
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

    bool fill(std::uint64_t bytes, std::uint64_t length) {
        if (lines_.size() != bytes || line_length_ != length) {
            lines_.assign(bytes, 'x');
            line_length_ = length;
            for (std::uint64_t i = length; i <= bytes; i += length) lines_[i - 1] = '\n';
        }
        if (!send_all(data_.get(), lines_.data(), lines_.size())) return false;
        wait_until_sent(data_.get());
        return ok();
    }

    bool source(std::uint64_t bytes) {
        static const std::vector<char> zeros(chunk);
        while (bytes != 0) {
            const std::size_t count = std::min<std::uint64_t>(bytes, chunk);
            if (!send_all(data_.get(), zeros.data(), count)) break;
            bytes -= count;
        }
        data_.close();
        return true;
    }

    bool echo() {
        char bytes[4096];
        for (;;) {
            const ssize_t got = ::recv(data_.get(), bytes, sizeof bytes, 0);
            if (got <= 0 || !send_all(data_.get(), bytes, static_cast<std::size_t>(got))) return true;
        }
    }

    bool sink() {
        std::vector<char> bytes(chunk);
        while (::recv(data_.get(), bytes.data(), bytes.size(), MSG_TRUNC) > 0) {
        }
        return true;
    }

    Fd control_;
    Fd listener_;
    Fd data_;
    std::string lines_;  // what fill sends, kept for the next time
    std::uint64_t line_length_ = 0;
};

}  // namespace

int main() {
    const Fd listener = bench::listen_loopback();
    std::printf("%u\n", unsigned{bench::port_of(listener.get())});
    std::fflush(stdout);
    std::thread([&listener] {
        for (;;) {
            Fd control(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
            must(control.get() >= 0, "accept()");
            std::thread([session = Session(std::move(control))]() mutable { session.run(); }).detach();
        }
    }).detach();
    char unused = 0;
    while (::read(STDIN_FILENO, &unused, 1) > 0) {
    }
    std::_Exit(0);
}
