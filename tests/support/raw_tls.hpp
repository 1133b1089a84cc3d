// The other end of a connection: OpenSSL by itself, which does what ours does not.
#pragma once

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <string>
#include <string_view>

#include "certificates.hpp"

namespace usocket::tests {

inline void use_identity(SSL_CTX* ctx, const Identity& identity) {
    BIO* certificate = BIO_new_mem_buf(identity.certificate.data(), static_cast<int>(identity.certificate.size()));
    BIO* key = BIO_new_mem_buf(identity.key.data(), static_cast<int>(identity.key.size()));
    X509* parsed = PEM_read_bio_X509(certificate, nullptr, nullptr, nullptr);
    EVP_PKEY* parsed_key = PEM_read_bio_PrivateKey(key, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(ctx, parsed);
    SSL_CTX_use_PrivateKey(ctx, parsed_key);
    X509_free(parsed);
    EVP_PKEY_free(parsed_key);
    BIO_free(certificate);
    BIO_free(key);
}

struct RawOptions {
    bool is_server = false;
    int version = 0;                     // the only one that it speaks; 0: any
    const Identity* identity = nullptr;  // what it shows
};

class RawPeer {
public:
    RawPeer(int fd, const RawOptions& options) : ctx_(SSL_CTX_new(TLS_method())), is_server_(options.is_server) {
        SSL_CTX_set_security_level(ctx_, 0);
        SSL_CTX_set_min_proto_version(ctx_, options.version);
        SSL_CTX_set_max_proto_version(ctx_, options.version);
        if (options.identity != nullptr) use_identity(ctx_, *options.identity);
        ssl_ = SSL_new(ctx_);
        SSL_set_fd(ssl_, fd);
    }
    RawPeer(const RawPeer&) = delete;
    RawPeer& operator=(const RawPeer&) = delete;
    ~RawPeer() {
        SSL_free(ssl_);
        SSL_CTX_free(ctx_);
    }
    [[nodiscard]] SSL* ssl() const { return ssl_; }
    // 1: it is done.
    int shake_hands() { return is_server_ ? SSL_accept(ssl_) : SSL_connect(ssl_); }
    bool write(std::string_view text) {
        return SSL_write(ssl_, text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size());
    }
    // What comes next; empty: the end, or an error.
    std::string read() {
        char room[1024];
        const int count = SSL_read(ssl_, room, sizeof room);
        return {room, count > 0 ? static_cast<std::size_t>(count) : 0};
    }

private:
    SSL_CTX* ctx_;
    SSL* ssl_ = nullptr;
    const bool is_server_;
};

// The handshake alone; 1: it is done.
inline int raw_handshake(int fd, const RawOptions& options) { return RawPeer(fd, options).shake_hands(); }

}  // namespace usocket::tests
