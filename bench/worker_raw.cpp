// Raw system calls: the limit. What a careful C programmer writes for the same job: EINTR repeated, a deadline on the
// monotonic clock, bytes that the caller owns where ours gives such; lines split out of a buffer that is read ahead
// (which hides bytes from poll, so it is less than what ours does).
#include <poll.h>
#include <sys/epoll.h>

#include "worker.hpp"

namespace {

using bench::Fd;
using bench::must;

std::size_t checked(ssize_t size, const char* what) {
    must(size >= 0, what);
    return static_cast<std::size_t>(size);
}

class Stream {
public:
    void open() {
        fd_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        must(fd_.get() >= 0, "socket()");
    }
    void adopt(Fd fd) { fd_ = std::move(fd); }
    void connect(std::uint16_t port) {
        open();
        const int size = bench::receive_buffer;
        must(::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0, "SO_RCVBUF");
        const sockaddr_in address = bench::loopback(port);
        must(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "connect()");
    }
    void set_timeout() { has_timeout_ = true; }
    void close() { fd_.close(); }

    std::size_t send(const char* bytes, std::size_t size) {
        const int flags = MSG_NOSIGNAL | (has_timeout_ ? MSG_DONTWAIT : 0);
        return perform(POLLOUT, [&] { return ::send(fd_.get(), bytes, size, flags); });
    }
    std::size_t recv(char* bytes, std::size_t size) {
        const int flags = has_timeout_ ? MSG_DONTWAIT : 0;
        return perform(POLLIN, [&] { return ::recv(fd_.get(), bytes, size, flags); });
    }
    void write(const char* bytes, std::size_t size) {
        while (size != 0) {
            const std::size_t sent = send(bytes, size);
            bytes += sent;
            size -= sent;
        }
    }
    std::size_t readinto(char* bytes, std::size_t size) {
        std::size_t done = 0;
        while (done < size) {
            const std::size_t got =
                perform(POLLIN, [&] { return ::recv(fd_.get(), bytes + done, size - done, MSG_WAITALL); });
            if (got == 0) break;
            done += got;
        }
        return done;
    }
    bench::Bytes read(std::size_t size) {
        bench::Bytes bytes;
        bytes.reserve(size);
        bytes.length = readinto(bytes.data, size);
        return bytes;
    }
    bench::Bytes read_all() {
        bench::Bytes bytes;
        for (;;) {
            if (bytes.length == bytes.capacity) bytes.reserve(std::max<std::size_t>(16 * 1024, 2 * bytes.capacity));
            const std::size_t got = readinto(bytes.data + bytes.length, bytes.capacity - bytes.length);
            bytes.length += got;
            if (bytes.length < bytes.capacity) return bytes;
        }
    }
    std::size_t read_line(char* line, std::size_t size) {
        return lines_.read_line(line, size, [this](char* into, std::size_t room) { return recv(into, room); });
    }

private:
    template <class Call> std::size_t perform(short events, const Call& call) {
        std::int64_t deadline = 0;
        for (;;) {
            const ssize_t result = call();
            if (result >= 0) return static_cast<std::size_t>(result);
            must(errno == EINTR || (errno == EAGAIN && has_timeout_), "send() or recv()");
            if (errno == EAGAIN) wait(events, deadline);
        }
    }
    void wait(short events, std::int64_t& deadline) const {
        const std::int64_t now = bench::now();
        if (deadline == 0) deadline = now + std::chrono::nanoseconds(bench::timeout).count();
        const std::int64_t left = std::max<std::int64_t>(0, deadline - now);
        const timespec span{static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
        pollfd watched{fd_.get(), events, 0};
        const int ready = ::ppoll(&watched, 1, &span, nullptr);
        must(ready > 0 || (ready < 0 && errno == EINTR), "waiting: the time is over");
    }

    Fd fd_;
    bool has_timeout_ = false;
    bench::LineReader lines_;
};

class Listener {
public:
    [[nodiscard]] std::uint16_t port() const { return bench::port_of(fd_.get()); }
    Stream accept() {
        sockaddr_storage peer;
        socklen_t size = sizeof peer;
        Fd fd(::accept4(fd_.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC));
        must(fd.get() >= 0, "accept4()");
        Stream stream;
        stream.adopt(std::move(fd));
        return stream;
    }

private:
    Fd fd_ = bench::listen_loopback();
};

class Datagram {
public:
    void open() {
        fd_ = Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        must(fd_.get() >= 0, "socket()");
    }
    void bind() { fd_ = bench::bind_loopback(SOCK_DGRAM); }
    [[nodiscard]] sockaddr_in address() const { return bench::loopback(bench::port_of(fd_.get())); }
    std::size_t send_to(const char* bytes, std::size_t size, const sockaddr_in& to) {
        return checked(
            ::sendto(fd_.get(), bytes, size, MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), sizeof to),
            "sendto()");
    }
    std::size_t receive_from(char* bytes, std::size_t size) {
        sockaddr_storage from;
        socklen_t from_size = sizeof from;
        return checked(::recvfrom(fd_.get(), bytes, size, 0, reinterpret_cast<sockaddr*>(&from), &from_size),
                       "recvfrom()");
    }
    void send_to_itself() {
        const sockaddr_in any = bench::loopback(0);
        must(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0, "bind()");
        (void)send_to("x", 1, address());
    }
    [[nodiscard]] int fd() const { return fd_.get(); }

private:
    Fd fd_;
};

class Poller {
public:
    explicit Poller(std::size_t) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        must(epoll_.get() >= 0, "epoll_create1()");
    }
    void add(Datagram& socket) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &socket;
        must(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.fd(), &event) == 0, "epoll_ctl()");
    }
    std::size_t wait() {
        epoll_event events[16];
        const int ready = ::epoll_wait(epoll_.get(), events, 16, -1);
        must(ready >= 0, "epoll_wait()");
        return static_cast<std::size_t>(ready);
    }

private:
    Fd epoll_;
};

// What every contestant has.
struct Net {
    using Stream = ::Stream;
    using Listener = ::Listener;
    using Datagram = ::Datagram;
    using Watched = ::Datagram;  // what Poller takes
    using Poller = ::Poller;
};

}  // namespace

int main(int argc, char** argv) { return bench::worker_main<bench::Items<Net>>(argc, argv); }
