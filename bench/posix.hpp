// What the peer and every worker need of the system beside the connections that are measured.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

namespace bench {

// The bench has no use for an error but its message.
[[noreturn]] inline void fail(const char* what) {
    std::fprintf(stderr, "bench: %s (errno: %s)\n", what, std::strerror(errno));
    std::exit(1);
}

inline void must(bool ok, const char* what) {
    if (!ok) fail(what);
}

class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Fd() { close(); }

    [[nodiscard]] int get() const { return fd_; }
    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

private:
    int fd_ = -1;
};

inline sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

inline Fd bind_loopback(int type) {
    Fd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(0);
    must(fd.get() >= 0, "socket()");
    must(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "bind()");
    return fd;
}

inline Fd listen_loopback() {
    Fd fd = bind_loopback(SOCK_STREAM);
    must(::listen(fd.get(), 128) == 0, "listen()");
    return fd;
}

inline std::uint16_t port_of(int fd) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    must(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname()");
    return ntohs(address.sin_port);
}

}  // namespace bench
