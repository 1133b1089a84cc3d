// The peer's connections with TLS: OpenSSL by itself.
#include <openssl/ssl.h>

#include "channel.hpp"

namespace bench {
namespace {

class Secure : public Channel {
public:
    Secure(Fd fd, SSL_CTX* context) : Channel(std::move(fd)), ssl_(SSL_new(context)) {
        must(ssl_ != nullptr && SSL_set_fd(ssl_, fd_.get()) == 1 && SSL_accept(ssl_) == 1, "the peer's handshake");
    }
    // The worker learns that it is the end.
    ~Secure() override {
        (void)SSL_shutdown(ssl_);
        SSL_free(ssl_);
    }

    bool send_all(const char* data, std::size_t size) override {
        std::size_t sent = 0;
        return SSL_write_ex(ssl_, data, size, &sent) == 1 && sent == size;
    }
    std::size_t recv(char* into, std::size_t size) override {
        std::size_t count = 0;
        return SSL_read_ex(ssl_, into, size, &count) == 1 ? count : 0;
    }

private:
    SSL* ssl_;
};

SSL_CTX* make_context(const std::string& certificates) {
    SSL_CTX* made = SSL_CTX_new(TLS_server_method());
    const bool is_ready =
        made != nullptr &&
        SSL_CTX_use_certificate_file(made, (certificates + "/right.pem").c_str(), SSL_FILETYPE_PEM) == 1 &&
        SSL_CTX_use_PrivateKey_file(made, (certificates + "/right.key").c_str(), SSL_FILETYPE_PEM) == 1;
    must(is_ready, "the peer's certificate");
    return made;
}

}  // namespace

std::unique_ptr<Channel> make_secure(Fd fd, const std::string& certificates) {
    static SSL_CTX* const context = make_context(certificates);
    return std::make_unique<Secure>(std::move(fd), context);
}

}  // namespace bench
