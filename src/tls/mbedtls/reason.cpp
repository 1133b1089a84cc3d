// The engine `mbedtls`: what the library says, in the words that every engine has (TLS-4).
#include "tls/mbedtls/common.hpp"  // first: it opens what 3.x hides

#include <mbedtls/asn1.h>
#include <mbedtls/bignum.h>
#include <mbedtls/cipher.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>

#include <cerrno>
#include <iterator>

// Errors that only one of the versions has get a number that is none there.
#if !defined(MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION)
#define MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION
#endif
#if !defined(MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL)
#define MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL 1
#endif
#if !defined(MBEDTLS_ERR_SSL_NO_CIPHER_CHOSEN)
#define MBEDTLS_ERR_SSL_NO_CIPHER_CHOSEN MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE
#define MBEDTLS_ERR_SSL_NO_USABLE_CIPHERSUITE 2
#endif

namespace usocket::tls::mbedtls {
namespace {

// RFC 8446, section 6.
enum Alert : std::uint8_t {
    alert_handshake_failure = 40,
    alert_no_certificate = 41,  // of SSL 3.0, and what mbedTLS 3.6 says as a server of TLS 1.3
    alert_bad_certificate = 42,
    alert_unsupported_certificate = 43,
    alert_certificate_revoked = 44,
    alert_certificate_expired = 45,
    alert_certificate_unknown = 46,
    alert_unknown_ca = 48,
    alert_access_denied = 49,
    alert_protocol_version = 70,
    alert_insufficient_security = 71,
    alert_certificate_required = 116,
    alert_no_application_protocol = 120,
};

TlsFailure of_alert(std::uint8_t alert, const Circumstances& around) noexcept {
    const TlsFailure refused = around.is_established ? TlsFailure::alert : TlsFailure::nothing_in_common;
    switch (alert) {
        case alert_bad_certificate:
        case alert_unsupported_certificate:
        case alert_certificate_revoked:
        case alert_certificate_expired:
        case alert_certificate_unknown:
        case alert_unknown_ca:
        case alert_access_denied: return TlsFailure::refused_by_peer;
        case alert_no_certificate:
        case alert_certificate_required: return TlsFailure::wanted_by_peer;
        // TLS 1.2 has no other word for it.
        case alert_handshake_failure: return around.was_asked ? TlsFailure::wanted_by_peer : refused;
        case alert_insufficient_security: return refused;
        case alert_protocol_version: return TlsFailure::version;
        case alert_no_application_protocol: return TlsFailure::protocols;
        default: return TlsFailure::alert;
    }
}

// What the library says of a message that it does not like is less than what it tells the peer.
TlsFailure of_message(const Circumstances& around) noexcept {
    if (!around.greeting.is_tls()) return TlsFailure::not_tls;
    switch (around.alert_out) {
        case alert_no_application_protocol: return TlsFailure::protocols;
        case alert_protocol_version: return TlsFailure::version;
        case alert_handshake_failure:
        case alert_insufficient_security: return TlsFailure::nothing_in_common;
        default: return TlsFailure::failed;
    }
}

}  // namespace

// Errors are the sum of one of a module and one of what it uses.
bool is_out_of_memory(int code) noexcept {
    const int low = -(-code & 0x7f);
    const int high = -(-code & ~0x7f);
    if (low == MBEDTLS_ERR_ASN1_ALLOC_FAILED || code == MBEDTLS_ERR_MPI_ALLOC_FAILED) return true;
    switch (high) {
        case MBEDTLS_ERR_SSL_ALLOC_FAILED:
        case MBEDTLS_ERR_X509_ALLOC_FAILED:
        case MBEDTLS_ERR_PK_ALLOC_FAILED:
        case MBEDTLS_ERR_ECP_ALLOC_FAILED:
        case MBEDTLS_ERR_MD_ALLOC_FAILED:
        case MBEDTLS_ERR_CIPHER_ALLOC_FAILED: return true;
        default: return low == MBEDTLS_ERR_MPI_ALLOC_FAILED && high != 0;
    }
}

// With a key of RSA, 4096 bits, it takes 10 KB; on the curve P-256 4 to 5.
bool has_memory() noexcept {
    constexpr std::size_t piece = 1024;
    void* pieces[12];
    std::size_t count = 0;
    for (; count < std::size(pieces); ++count) {
        pieces[count] = mbedtls_calloc(1, piece);
        if (pieces[count] == nullptr) break;
    }
    const bool has_all = count == std::size(pieces);
    while (count != 0) mbedtls_free(pieces[--count]);
    return has_all;
}

Error reason(int code, const Verdict& verdict, const Circumstances& around) noexcept {
    if (is_out_of_memory(code)) return Error(ENOMEM);
    if (!around.is_established && verdict.flags != 0) return Error(verdict.failure());
    switch (code) {
        case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE: return Error(of_alert(around.alert_in, around));
        case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY: return Error(TlsFailure::alert);
        default: break;
    }
    // One word for all that is wrong with a record: what the libraries tell apart differs.
    if (around.is_established) return Error(TlsFailure::bad_record);
    switch (code) {
        case MBEDTLS_ERR_SSL_INTERNAL_ERROR: return Error(TlsFailure::library);
        case MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE: return Error(TlsFailure::certificate_missing);
        case MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL: return Error(TlsFailure::protocols);
        case MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION: return Error(TlsFailure::version);
        case MBEDTLS_ERR_SSL_NO_CIPHER_CHOSEN:
        case MBEDTLS_ERR_SSL_NO_USABLE_CIPHERSUITE: return Error(TlsFailure::nothing_in_common);
        case MBEDTLS_ERR_SSL_INVALID_MAC: return Error(TlsFailure::bad_record);
        case MBEDTLS_ERR_X509_FATAL_ERROR:  // more of them than it looks at
        case MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED: return Error(TlsFailure::certificate_issuer);
        default: break;
    }
    // X.509's, with ASN.1's in it: a certificate that cannot be read.
    const int module = -code & ~0x7f;
    if (module >= 0x2000 && module <= 0x2f80) return Error(TlsFailure::certificate_bad);
    return Error(of_message(around));
}

}  // namespace usocket::tls::mbedtls
