// What the files of this engine share. mbedTLS 2.28 and 3.6; what differs between the two is in here.
//
// All that the engine allocates comes from the library's allocator: the host has set it up so that its collector does
// not free what the library holds, and the library's own memory is where a collector cannot see what it points to.
#pragma once

// The alert that has come, the state of a handshake, the session: in 3.x behind names of their own, and no function
// tells them.
#define MBEDTLS_ALLOW_PRIVATE_ACCESS

#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#include <atomic>
#include <cstdint>
#include <new>
#include <span>
#include <utility>

#include "tls/engine.hpp"
#include "tls/engines.hpp"
#include "usocket/tls.hpp"
#include "wait/lock.hpp"

namespace usocket::tls::mbedtls {

extern const Engine engine;

// The library does not lock what connections share: keys, issuers, the keys of tickets, PSA. So one handshake after the
// other takes its steps, none of which waits.
extern Lock handshakes;

// --- Memory of the library's

template <class T> T* make() noexcept {
    void* memory = mbedtls_calloc(1, sizeof(T));
    return memory != nullptr ? new (memory) T : nullptr;
}

template <class T> void destroy(T* object) noexcept {
    object->~T();
    mbedtls_free(object);
}

// What a context and its connections share: gone with the last of them.
template <class T> class Shared {
public:
    Shared() noexcept = default;
    Shared(const Shared& other) noexcept : object_(other.object_) {
        if (object_ != nullptr) object_->owners.fetch_add(1, std::memory_order_relaxed);
    }
    Shared(Shared&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Shared& operator=(Shared other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Shared() {
        if (object_ != nullptr && object_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(object_);
    }
    // Empty: there is no memory.
    [[nodiscard]] static Shared made() noexcept {
        Shared shared;
        shared.object_ = make<T>();
        return shared;
    }

    [[nodiscard]] explicit operator bool() const noexcept { return object_ != nullptr; }
    T* operator->() const noexcept { return object_; }

private:
    T* object_ = nullptr;
};

// --- Random numbers, by one generator for all: random.cpp

namespace random {

// Before something new needs them. EIO: the system gives no entropy. ENOMEM.
[[nodiscard]] Error prepare() noexcept;
// As the library wants it, which has no state to give.
int get(void* unused, unsigned char* into, std::size_t size) noexcept;

}  // namespace random

// --- What a program brings

struct Identity {
    Identity() noexcept {
        mbedtls_x509_crt_init(&chain);
        mbedtls_pk_init(&key);
    }
    Identity(const Identity&) = delete;
    Identity& operator=(const Identity&) = delete;
    ~Identity() {
        mbedtls_pk_free(&key);
        mbedtls_x509_crt_free(&chain);
    }

    std::atomic<unsigned> owners{1};
    mbedtls_x509_crt chain;  // our own certificate is the first
    mbedtls_pk_context key;
};

struct Trusted {
    Trusted() noexcept { mbedtls_x509_crt_init(&issuers); }
    Trusted(const Trusted&) = delete;
    Trusted& operator=(const Trusted&) = delete;
    ~Trusted() { mbedtls_x509_crt_free(&issuers); }

    std::atomic<unsigned> owners{1};
    mbedtls_x509_crt issuers;
    unsigned char digest[32] = {};  // which they are
};

// For ALPN.
struct Protocols {
    static constexpr std::size_t most_bytes = 511;

    std::atomic<unsigned> owners{1};
    const char* names[most_bytes / 2 + 2];  // the best first, then null
    char text[most_bytes + 1];
};

#if defined(MBEDTLS_SSL_TICKET_C) && defined(MBEDTLS_SSL_SESSION_TICKETS) && defined(MBEDTLS_SSL_SRV_C)
#define USOCKET_TLS_TICKETS 1
// With which a server seals its sessions, for clients to keep. Made anew when it checks something else: what was sealed
// before is then worth nothing (TLS-4).
struct Tickets {
    Tickets() noexcept { mbedtls_ssl_ticket_init(&context); }
    Tickets(const Tickets&) = delete;
    Tickets& operator=(const Tickets&) = delete;
    ~Tickets() { mbedtls_ssl_ticket_free(&context); }

    std::atomic<unsigned> owners{1};
    mbedtls_ssl_ticket_context context;
};
#else
#define USOCKET_TLS_TICKETS 0
#endif

// What a context lends its connections.
struct Lent {
    Shared<Identity> identity;
    Shared<Trusted> trusted;
    Shared<Protocols> protocols;
#if USOCKET_TLS_TICKETS
    Shared<Tickets> tickets;
#endif
};

struct OwnContext : Context, Lent {
    Demand demand;
};

// SHA-256 of the parts, one behind the other; false: there is no memory. `into` may be one of them.
[[nodiscard]] bool digest(std::span<const ConstBuffer> parts, unsigned char (&into)[32]) noexcept;

// --- The peer's certificate: verify.cpp

// Keys below 112 bits of security are too weak.
extern const mbedtls_x509_crt_profile strong;

// Whether a certificate is for that name, a host's or a numeric address (RFC 9525; as OpenSSL sees it).
[[nodiscard]] bool is_for(const mbedtls_x509_crt& certificate, std::string_view name) noexcept;

// Four or sixteen bytes, or none: it is not a numeric address.
struct Numeric {
    std::uint8_t bytes[16];
    std::size_t size = 0;
};
[[nodiscard]] Numeric numeric(std::string_view name) noexcept;

// What has been seen of a chain: the library asks from the top down (mbedtls_ssl_conf_verify()).
struct Verdict {
    std::string_view name{};              // a client: whom the certificate has to be for
    mbedtls_x509_crt* trusted = nullptr;  // a list; null: none
    bool is_servers = false;              // the certificate is one
    bool is_final = false;  // a certificate that does not hold ends the handshake, although none is required
    std::uint32_t flags = 0;
    bool is_self_signed = false;

    static int look_at(void* verdict, mbedtls_x509_crt* one, int depth, std::uint32_t* flags) noexcept;
    // In the words that every engine has (TLS-4), the first that OpenSSL would find.
    [[nodiscard]] TlsFailure failure() const noexcept;
};

// --- What the library says: reason.cpp

struct Circumstances {
    std::uint8_t alert_in = 0;    // the last that has come, if `code` says so
    std::uint8_t alert_out = 0;   // the last of ours that was in the clear
    Greeting greeting;            // of the peer
    bool is_established = false;  // the handshake is done
    bool was_asked = false;       // for a certificate that we do not have
};
[[nodiscard]] Error reason(int code, const Verdict& verdict, const Circumstances& around) noexcept;
[[nodiscard]] bool is_out_of_memory(int code) noexcept;
// Whether there is as much as the largest of the library's steps takes, the check of a signature.
[[nodiscard]] bool has_memory() noexcept;

}  // namespace usocket::tls::mbedtls
