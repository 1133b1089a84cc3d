// The engine `openssl`: TlsContext.
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cerrno>
#include <cstring>
#include <new>

#include "tls/openssl/common.hpp"

namespace usocket {

using tls::openssl::OwnContext;

namespace tls::openssl {
namespace {

OwnContext& own(Context* context) noexcept { return static_cast<OwnContext&>(*context); }

// Keys below 112 bits of security are too weak (RSA of 2048 bits is not).
constexpr int security_level = 2;

bool configure(SSL_CTX* ctx) noexcept {
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_security_level(ctx, security_level);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, nullptr);
    // A certificate that is itself trusted needs no issuer.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1;
}

int no_password(char* /*buffer*/, int /*size*/, int /*writes*/, void* /*unused*/) noexcept { return -1; }

// Calls `use`, which takes what it is given, for each certificate: PEM, one or several, or one in DER.
template <class Use> Error each_certificate(ConstBuffer text, Use use) noexcept {
    BIO* bio = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
    if (bio == nullptr) return Error(ENOMEM);
    std::size_t count = 0;
    bool is_used = true;
    while (X509* one = is_used ? PEM_read_bio_X509(bio, nullptr, no_password, nullptr) : nullptr) {
        is_used = use(one, count++);
    }
    BIO_free(bio);
    if (count == 0) {
        const unsigned char* bytes = text.data();
        X509* one = d2i_X509(nullptr, &bytes, static_cast<long>(text.size()));
        if (one != nullptr) is_used = use(one, count++);
    }
    ERR_clear_error();
    return count != 0 && is_used ? Error() : Error(TlsFailure::bad_certificate);
}

EVP_PKEY* parse_key(ConstBuffer text) noexcept {
    BIO* bio = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
    if (bio == nullptr) return nullptr;
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, no_password, nullptr);
    BIO_free(bio);
    if (key != nullptr) return key;
    const unsigned char* bytes = text.data();
    return d2i_AutoPrivateKey(nullptr, &bytes, static_cast<long>(text.size()));
}

// OpenSSL refuses a certificate that is too weak for us to show.
Error own_failure() noexcept {
    const int code = ERR_GET_REASON(ERR_peek_error());
    ERR_clear_error();
    const bool is_weak =
        code == SSL_R_EE_KEY_TOO_SMALL || code == SSL_R_CA_KEY_TOO_SMALL || code == SSL_R_CA_MD_TOO_WEAK;
    return Error(is_weak ? TlsFailure::certificate_weak : TlsFailure::bad_certificate);
}

}  // namespace

bool digest(std::span<const ConstBuffer> parts, unsigned char (&into)[32]) noexcept {
    EVP_MD_CTX* made = EVP_MD_CTX_new();
    bool is_right = made != nullptr && EVP_DigestInit_ex(made, EVP_sha256(), nullptr) == 1;
    for (const ConstBuffer& part : parts) is_right = is_right && EVP_DigestUpdate(made, part.data(), part.size()) == 1;
    is_right = is_right && EVP_DigestFinal_ex(made, into, nullptr) == 1;
    EVP_MD_CTX_free(made);
    return is_right;
}

}  // namespace tls::openssl

Result<TlsContext> TlsContext::make() noexcept {
    void* memory = OPENSSL_malloc(sizeof(OwnContext));
    if (memory == nullptr) return Error(ENOMEM);
    auto* made = new (memory) OwnContext;
    TlsContext context(made);
    made->engine = &tls::openssl::engine;
    made->ctx = SSL_CTX_new(TLS_method());
    made->lock = CRYPTO_THREAD_lock_new();
    const bool is_ready = made->ctx != nullptr && made->lock != nullptr && tls::openssl::configure(made->ctx);
    ERR_clear_error();
    if (!is_ready) return Error(ENOMEM);
    return context;
}

TlsContext::~TlsContext() {
    if (context_ == nullptr) return;
    OwnContext& own = tls::openssl::own(context_);
    SSL_CTX_free(own.ctx);
    CRYPTO_THREAD_lock_free(own.lock);
    OPENSSL_free(context_);
}

Result<void> TlsContext::set_cert_key(ConstBuffer cert, ConstBuffer key) noexcept {
    OwnContext& own = tls::openssl::own(context_);
    own.has_cert = false;
    SSL_CTX_clear_chain_certs(own.ctx);
    Error error;
    const Error parsed = tls::openssl::each_certificate(cert, [&](X509* one, std::size_t index) noexcept {
        const bool is_used =
            index == 0 ? SSL_CTX_use_certificate(own.ctx, one) == 1 : SSL_CTX_add1_chain_cert(own.ctx, one) == 1;
        if (!is_used) error = tls::openssl::own_failure();
        X509_free(one);
        return is_used;
    });
    if (error != Error() || parsed != Error()) return error != Error() ? error : parsed;
    EVP_PKEY* parsed_key = tls::openssl::parse_key(key);
    ERR_clear_error();
    if (parsed_key == nullptr) return Error(TlsFailure::bad_key);
    const bool fits = SSL_CTX_use_PrivateKey(own.ctx, parsed_key) == 1 && SSL_CTX_check_private_key(own.ctx) == 1;
    EVP_PKEY_free(parsed_key);
    ERR_clear_error();
    own.has_cert = fits;
    return fits ? Error() : Error(TlsFailure::key_mismatch);
}

Result<void> TlsContext::load_verify_locations(ConstBuffer certificates) noexcept {
    OwnContext& own = tls::openssl::own(context_);
    X509_STORE* store = SSL_CTX_get_cert_store(own.ctx);
    const Error error = tls::openssl::each_certificate(certificates, [&](X509* one, std::size_t /*index*/) noexcept {
        const bool is_used = X509_STORE_add_cert(store, one) == 1 && SSL_CTX_add_client_CA(own.ctx, one) == 1;
        X509_free(one);
        return is_used;
    });
    own.has_trusted = own.has_trusted || error == Error();
    const ConstBuffer parts[] = {{own.trusted, sizeof own.trusted}, certificates};
    return tls::openssl::digest(parts, own.trusted) ? Result<void>(error) : Error(ENOMEM);
}

Result<void> TlsContext::set_cert_reqs(CertReqs reqs) noexcept {
    OwnContext& own = tls::openssl::own(context_);
    own.reqs = reqs;
    own.has_reqs = true;
    return {};
}

Result<void> TlsContext::set_alpn_protocols(std::string_view protocols) noexcept {
    OwnContext& own = tls::openssl::own(context_);
    const auto failed = Error(TlsFailure::bad_protocols);
    if (protocols.size() + 1 > sizeof own.protocols) return failed;
    std::size_t begin = 0;  // of the name that is being copied, whose length stands before it
    for (std::size_t i = 0; i <= protocols.size(); ++i) {
        if (i != protocols.size() && protocols[i] != ',') {
            own.protocols[i + 1] = static_cast<unsigned char>(protocols[i]);
            continue;
        }
        const std::size_t size = i - begin;
        if (size == 0 || size > 255) {
            own.protocols_size = 0;
            return protocols.empty() ? Error() : failed;
        }
        own.protocols[begin] = static_cast<unsigned char>(size);
        begin = i + 1;
    }
    own.protocols_size = protocols.size() + 1;
    return {};
}

}  // namespace usocket
