// TLS-4: memory that runs out is ENOMEM, and not the peer's or a certificate's fault.
#include "secure.hpp"

#if defined(USOCKET_TESTS_OPENSSL)
#include <openssl/err.h>
#include <openssl/evp.h>

#include <cerrno>

#include "tls/openssl/common.hpp"

namespace usocket::tests {
namespace {

// As OpenSSL does: deep inside there is no memory, and each layer above says what has failed for it.
void run_out_of_memory() {
    ERR_clear_error();
    ERR_raise(ERR_LIB_SSL, ERR_R_EVP_LIB);
    ERR_raise(ERR_LIB_EVP, ERR_R_MALLOC_FAILURE);
    ERR_raise(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED);
}

TEST(TlsMemory, TLS_4_in_the_middle_of_a_call) {
    SSL_CTX* context = SSL_CTX_new(TLS_method());
    SSL* ssl = SSL_new(context);
    const tls::openssl::Circumstances around{.is_tls = true};
    run_out_of_memory();
    EXPECT_EQ(tls::openssl::reason(ssl, around), Error(ENOMEM));
    EXPECT_EQ(ERR_peek_error(), 0u);
    EXPECT_EQ(tls::openssl::reason(ssl, around), Error(TlsFailure::failed));
    // It did not get on, and does not say why: neither the peer nor a certificate is to blame.
    ERR_raise(ERR_LIB_EVP, EVP_R_DECODE_ERROR);
    ERR_raise(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED);
    EXPECT_EQ(tls::openssl::reason(ssl, around), Error(TlsFailure::library));
    ERR_raise(ERR_LIB_EVP, EVP_R_INITIALIZATION_ERROR);
    ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR);
    EXPECT_EQ(tls::openssl::reason(ssl, around), Error(TlsFailure::library));
    EXPECT_EQ(Error(TlsFailure::library).code(), ENOMEM);
    SSL_set_verify_result(ssl, X509_V_ERR_OUT_OF_MEM);
    ERR_raise(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED);
    EXPECT_EQ(tls::openssl::reason(ssl, around), Error(ENOMEM));
    SSL_free(ssl);
    SSL_CTX_free(context);
}

TEST(TlsMemory, TLS_4_in_a_context) {
    run_out_of_memory();
    EXPECT_EQ(tls::openssl::memory_or(TlsFailure::bad_key), Error(ENOMEM));
    EXPECT_EQ(ERR_peek_error(), 0u);
    EXPECT_EQ(tls::openssl::memory_or(TlsFailure::bad_key), Error(TlsFailure::bad_key));
    ERR_raise(ERR_LIB_EVP, EVP_R_DECODE_ERROR);
    ERR_raise(ERR_LIB_SSL, SSL_R_EE_KEY_TOO_SMALL);
    EXPECT_EQ(tls::openssl::memory_or(TlsFailure::key_mismatch), Error(TlsFailure::library));
}

}  // namespace
}  // namespace usocket::tests
#endif
