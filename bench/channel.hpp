// A data connection of the peer's, in the clear or with TLS.
#pragma once

#include <memory>
#include <string>

#include "posix.hpp"

namespace bench {

class Channel {
public:
    explicit Channel(Fd fd) : fd_(std::move(fd)) {}
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    virtual ~Channel() = default;

    [[nodiscard]] int fd() const { return fd_.get(); }
    // False: the worker has gone.
    virtual bool send_all(const char* data, std::size_t size) = 0;
    // How many bytes have come; 0: the end, or the worker has gone.
    virtual std::size_t recv(char* into, std::size_t size) = 0;
    // The same of bytes that nobody looks at; `into` has room for them.
    virtual std::size_t drop(char* into, std::size_t size) { return recv(into, size); }

protected:
    Fd fd_;
};

// The server's side of TLS, after the handshake. certificates: a folder with right.pem and right.key.
std::unique_ptr<Channel> make_secure(Fd fd, const std::string& certificates);

}  // namespace bench
