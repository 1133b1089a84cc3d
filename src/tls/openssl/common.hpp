// What the files of this engine share. OpenSSL 3.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <span>

#include "tls/engine.hpp"
#include "tls/engines.hpp"
#include "usocket/tls.hpp"

namespace usocket::tls::openssl {

struct OwnContext : Context {
    SSL_CTX* ctx = nullptr;
    bool has_trusted = false;          // issuers of the program's own
    unsigned char trusted[32] = {};    // which they are: a digest of all that were loaded
    bool has_system = false;           // the system's are loaded
    STACK_OF(X509) * chain = nullptr;  // our own certificate, and those behind it
    EVP_PKEY* key = nullptr;
    Demand demand;
    unsigned char protocols[512];  // for ALPN, each behind its length
    std::size_t protocols_size = 0;
    CRYPTO_RWLOCK* lock = nullptr;  // for what a connection changes: has_system
};

extern const Engine engine;

// Where the system's trusted issuers are, besides the places that OpenSSL was built with; null: nowhere. Whoever brings
// an OpenSSL that was built on another system sets them.
extern std::atomic<const char*> issuers_file;
extern std::atomic<const char*> issuers_folder;

// As a server: the best of our protocols that the client offers (ALPN).
int choose_protocol(SSL* ssl, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void* unused) noexcept;

// As a client that is asked for a certificate and has none: it shows none.
int note_lack(SSL* ssl, X509** certificate, EVP_PKEY** key) noexcept;

// What a connection shows to its peer. False: OpenSSL's queue of errors says why not.
bool show_identity(SSL* ssl, STACK_OF(X509) * chain, EVP_PKEY* key) noexcept;

// Sessions as bytes. `certificate`: the peer's, in DER, which a session that was taken up does not have itself.
Result<void> append_session(Sink& into, SSL_SESSION* session, ConstBuffer certificate) noexcept;
SSL_SESSION* parse_session(ConstBuffer bytes, ConstBuffer& certificate) noexcept;

// SHA-256 of the parts, one behind the other; false: there is no memory. `into` may be one of them.
bool digest(std::span<const ConstBuffer> parts, unsigned char (&into)[32]) noexcept;

struct Circumstances {
    bool is_tls = false;          // what came first
    bool is_established = false;  // the handshake is done
    bool was_asked = false;       // for a certificate that we do not have
};

// Why OpenSSL's last function has failed, from its queue of errors, which is empty afterwards.
Error reason(SSL* ssl, const Circumstances& around) noexcept;
// The same where there is but one reason: memory that has run out (ENOMEM), the library's own, or `otherwise`.
Error memory_or(TlsFailure otherwise) noexcept;

}  // namespace usocket::tls::openssl
