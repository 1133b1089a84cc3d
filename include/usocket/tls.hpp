// TlsContext: what a program brings to TLS: certificates, whom it trusts, how strict it is (TLS-1, TLS-4, TLS-7). A
// component of its own, usocket::tls, which links a library for TLS.
//
//     auto context = usocket::TlsContext::make();
//     auto socket = usocket::socket();
//     ... connect ...
//     socket->wrap(*context, {.server_hostname = "example.org"});
//
// Names and issuers of servers are checked unless the program turns that off. TLS 1.2 and 1.3. Revoked certificates
// are not looked for.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "usocket/buffer.hpp"
#include "usocket/export.hpp"
#include "usocket/result.hpp"
#include "usocket/socket.hpp"

namespace usocket {

namespace tls {
struct Context;
struct Engine;
}  // namespace tls

// Whether the peer has to show a certificate that holds. `optional`: one that it shows has to.
enum class CertReqs : std::uint8_t { none, optional, required };

// For Socket::wrap(). Only looked at during the call.
struct TlsOptions {
    bool server_side = false;
    // The peer's name, which its certificate has to be for, or its numeric address. A name is sent to the server (SNI).
    std::string_view server_hostname{};
    // Else the first call that needs it does it, or do_handshake().
    bool do_handshake = true;
    // What Socket::tls_session() of an earlier connection to the same peer gave, to spare a full handshake.
    ConstBuffer session{};
};

// Serves any number of connections, of both sides; they keep what they need of it. Move-only. Not from several threads
// at once while it is being changed. One that has been moved from is of no use: EINVAL.
class USOCKET_API TlsContext {
public:
    // Of usocket::tls; ENOMEM.
    [[nodiscard]] static Result<TlsContext> make() noexcept;

    TlsContext(TlsContext&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
    TlsContext& operator=(TlsContext&& other) noexcept {
        std::swap(context_, other.context_);
        return *this;
    }
    ~TlsContext();

    // Our own certificate, followed by those between it and a trusted one, and its key: PEM or DER. EINVAL says what is
    // wrong with them.
    Result<void> set_cert_key(ConstBuffer cert, ConstBuffer key) noexcept;
    // Trusts these issuers, PEM (one or several) or DER, instead of those that the system trusts.
    Result<void> load_verify_locations(ConstBuffer certificates) noexcept;
    // By default `required` as a client, `none` as a server. EINVAL: it is none of CertReqs.
    Result<void> set_cert_reqs(CertReqs reqs) noexcept;
    // Application protocols (ALPN, RFC 7301), the best first, separated by commas: "h2,http/1.1".
    Result<void> set_alpn_protocols(std::string_view protocols) noexcept;

private:
    friend class Socket;
    friend Result<TlsContext>;
    TlsContext() noexcept = default;  // empty: what a Result that failed holds
    explicit TlsContext(tls::Context* context) noexcept : context_(context) {}

    tls::Context* context_ = nullptr;
};

}  // namespace usocket
