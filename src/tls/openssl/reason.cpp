// What OpenSSL says, in the words that every engine has (TLS-4).
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>

#include <cerrno>

#include "tls/openssl/common.hpp"

namespace usocket::tls::openssl {
namespace {

TlsFailure of_certificate(long result) noexcept {
    switch (result) {
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH: return TlsFailure::certificate_name;
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return TlsFailure::certificate_self_signed;
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        // One of a trusted issuer's name, signed with a key of somebody else's.
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        // One between that may not issue it, and so does not count.
        case X509_V_ERR_INVALID_CA:
        case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
        case X509_V_ERR_PATH_LENGTH_EXCEEDED:
        case X509_V_ERR_CERT_CHAIN_TOO_LONG: return TlsFailure::certificate_issuer;
        case X509_V_ERR_CERT_HAS_EXPIRED: return TlsFailure::certificate_expired;
        case X509_V_ERR_CERT_NOT_YET_VALID: return TlsFailure::certificate_not_yet_valid;
        case X509_V_ERR_EE_KEY_TOO_SMALL:
        case X509_V_ERR_CA_KEY_TOO_SMALL:
        case X509_V_ERR_CA_MD_TOO_WEAK: return TlsFailure::certificate_weak;
        case X509_V_ERR_INVALID_PURPOSE: return TlsFailure::certificate_purpose;
        default: return TlsFailure::certificate_bad;
    }
}

TlsFailure alert(int description, const Circumstances& around) noexcept {
    const TlsFailure refused = around.is_established ? TlsFailure::alert : TlsFailure::nothing_in_common;
    switch (description) {
        case SSL_AD_BAD_CERTIFICATE:
        case SSL_AD_UNSUPPORTED_CERTIFICATE:
        case SSL_AD_CERTIFICATE_REVOKED:
        case SSL_AD_CERTIFICATE_EXPIRED:
        case SSL_AD_CERTIFICATE_UNKNOWN:
        case SSL_AD_UNKNOWN_CA:
        case SSL_AD_ACCESS_DENIED: return TlsFailure::refused_by_peer;
        case SSL3_AD_NO_CERTIFICATE:  // mbedTLS 3.6 as a server of TLS 1.3
        case TLS13_AD_CERTIFICATE_REQUIRED: return TlsFailure::wanted_by_peer;
        // TLS 1.2 has no other word for it.
        case SSL_AD_HANDSHAKE_FAILURE: return around.was_asked ? TlsFailure::wanted_by_peer : refused;
        case SSL_AD_INSUFFICIENT_SECURITY: return refused;
        case SSL_AD_PROTOCOL_VERSION: return TlsFailure::version;
        case SSL_AD_NO_APPLICATION_PROTOCOL: return TlsFailure::protocols;
        default: return TlsFailure::alert;
    }
}

TlsFailure own(int code, long verified) noexcept {
    switch (code) {
        case SSL_R_CERTIFICATE_VERIFY_FAILED: return of_certificate(verified);
        // A certificate that cannot be read.
        case ERR_R_ASN1_LIB:
        case ERR_R_X509_LIB: return TlsFailure::certificate_bad;
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return TlsFailure::certificate_missing;
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_UNSUPPORTED_SSL_VERSION:
        case SSL_R_VERSION_TOO_LOW: return TlsFailure::version;
        case SSL_R_NO_SHARED_CIPHER:
        case SSL_R_NO_SUITABLE_KEY_SHARE:
        case SSL_R_NO_SUITABLE_GROUPS:
        case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
        case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS: return TlsFailure::nothing_in_common;
        case SSL_R_NO_APPLICATION_PROTOCOL: return TlsFailure::protocols;
        case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC: return TlsFailure::bad_record;
        case SSL_R_EE_KEY_TOO_SMALL:
        case SSL_R_CA_KEY_TOO_SMALL:
        case SSL_R_CA_MD_TOO_WEAK:
        case SSL_R_DH_KEY_TOO_SMALL: return TlsFailure::certificate_weak;
        default: return TlsFailure::failed;
    }
}

}  // namespace

namespace {

// Whatever is said after it follows from it.
bool lacks_memory(unsigned long error) noexcept {
    const int code = ERR_GET_REASON(error);
    return code == ERR_R_MALLOC_FAILURE || code == ERR_R_INIT_FAIL;
}

// It did not get on by itself. OpenSSL 3.0 seldom says that this was for lack of memory: it cannot decode a key then,
// and goes on to say that the certificate is too weak, or that nobody has issued it.
bool is_own(unsigned long error) noexcept {
    const int code = ERR_GET_REASON(error);
    if (ERR_GET_LIB(error) == ERR_LIB_EVP) return code == EVP_R_DECODE_ERROR;
    return ERR_GET_LIB(error) == ERR_LIB_SSL && (code == ERR_R_INTERNAL_ERROR || code == ERR_R_EVP_LIB);
}

// Memory that has run out, or an error of the library's own, or the first that TLS itself has to say: what it has
// called may have said more before, as that a signature is wrong.
unsigned long take_error() noexcept {
    const unsigned long first = ERR_peek_error();
    unsigned long found = 0;
    while (const unsigned long error = ERR_get_error()) {
        if (lacks_memory(error) || (is_own(error) && !lacks_memory(found))) found = error;
        if (found == 0 && ERR_GET_LIB(error) == ERR_LIB_SSL) found = error;
    }
    return found != 0 ? found : first;
}

}  // namespace

// Once the handshake is done it is one word for all that is wrong with a record: what the libraries tell apart differs.
Error reason(SSL* ssl, const Circumstances& around) noexcept {
    const unsigned long error = take_error();
    const int code = ERR_GET_REASON(error);
    const long verified = SSL_get_verify_result(ssl);
    if (lacks_memory(error) || verified == X509_V_ERR_OUT_OF_MEM) return Error(ENOMEM);
    constexpr int last_alert = SSL_AD_REASON_OFFSET + 255;
    const bool is_alert = ERR_GET_LIB(error) == ERR_LIB_SSL && code >= SSL_AD_REASON_OFFSET && code <= last_alert;
    if (is_alert) return Error(alert(code - SSL_AD_REASON_OFFSET, around));
    // OpenSSL takes a record of TLS 1.2 that is too short for an error of its own: Finished is the first under keys.
    if (around.is_established) return Error(TlsFailure::bad_record);
    const OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl);
    const bool wants_finished = state == TLS_ST_CR_CHANGE || state == TLS_ST_SR_CHANGE;
    if (is_own(error)) return Error(wants_finished ? TlsFailure::bad_record : TlsFailure::library);
    const TlsFailure failure = own(code, verified);
    return Error(failure == TlsFailure::failed && !around.is_tls ? TlsFailure::not_tls : failure);
}

Error memory_or(TlsFailure otherwise) noexcept {
    const unsigned long error = take_error();
    if (lacks_memory(error)) return Error(ENOMEM);
    return Error(is_own(error) ? TlsFailure::library : otherwise);
}

}  // namespace usocket::tls::openssl
