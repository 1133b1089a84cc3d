// The other end of a connection: OpenSSL by itself, which does what ours does not.
#pragma once

#include <openssl/pem.h>
#include <openssl/ssl.h>

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

// The handshake alone; 1: it is done.
inline int raw_handshake(int fd, const RawOptions& options) {
    SSL_CTX* ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_min_proto_version(ctx, options.version);
    SSL_CTX_set_max_proto_version(ctx, options.version);
    if (options.identity != nullptr) use_identity(ctx, *options.identity);
    SSL* ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    const int done = options.is_server ? SSL_accept(ssl) : SSL_connect(ssl);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return done;
}

}  // namespace usocket::tests
