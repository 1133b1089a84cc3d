// What usocket._tls, which links OpenSSL, has for usocket._usocket, which does not: the functions of TlsContext. Both
// are built together. Whoever does not import `ussl` loads none of it (TLS-6).
#pragma once

#include "usocket/tls.hpp"

namespace usocket::cpython {

struct TlsLibrary {
    static constexpr const char* capsule = "usocket._tls.library";

    Result<TlsContext> (*make)() noexcept;
    // Leaves the context empty.
    void (*end)(TlsContext& context) noexcept;
    Result<void> (*set_cert_key)(TlsContext& context, ConstBuffer cert, ConstBuffer key) noexcept;
    Result<void> (*load_verify_locations)(TlsContext& context, ConstBuffer certificates) noexcept;
    Result<void> (*set_cert_reqs)(TlsContext& context, CertReqs reqs) noexcept;
    Result<void> (*set_alpn_protocols)(TlsContext& context, std::string_view protocols) noexcept;
};

}  // namespace usocket::cpython
