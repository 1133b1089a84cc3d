// The engine `openssl`: TlsContext.
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cerrno>
#include <climits>
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

// Certificates between the peer's and a trusted one; mbedTLS takes no more.
constexpr int longest_chain = 8;

// The peer's certificate. OpenSSL 3.0 has made the connection's parameters the check's, but goes on without a name to
// check where memory ran out in the middle of that.
int verify(X509_STORE_CTX* check, void* /*unused*/) noexcept {
    auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(check, SSL_get_ex_data_X509_STORE_CTX_idx()));
    if (X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(check), SSL_get0_param(ssl)) == 1) {
        return X509_verify_cert(check);
    }
    X509_STORE_CTX_set_error(check, X509_V_ERR_OUT_OF_MEM);
    return 0;
}

bool configure(SSL_CTX* ctx) noexcept {
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_security_level(ctx, security_level);
    SSL_CTX_set_verify_depth(ctx, longest_chain);
    SSL_CTX_set_cert_verify_callback(ctx, verify, nullptr);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, nullptr);
    SSL_CTX_set_client_cert_cb(ctx, note_lack);
    // A certificate that is itself trusted needs no issuer.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1;
}

int no_password(char* /*buffer*/, int /*size*/, int /*writes*/, void* /*unused*/) noexcept { return -1; }

using Certificates = STACK_OF(X509);

void release(Certificates* certificates) noexcept { sk_X509_pop_free(certificates, X509_free); }

// Takes the certificate; false: there is no memory.
bool append(Certificates* certificates, X509* one) noexcept {
    if (sk_X509_push(certificates, one) > 0) return true;
    X509_free(one);
    return false;
}

// False: there is no memory, or one of them is damaged.
bool append_pem(Certificates* certificates, ConstBuffer text) noexcept {
    BIO* bio = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
    if (bio == nullptr) return false;
    bool is_right = true;
    while (X509* one = is_right ? PEM_read_bio_X509(bio, nullptr, no_password, nullptr) : nullptr) {
        is_right = append(certificates, one);
    }
    BIO_free(bio);
    return is_right && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

bool append_der(Certificates* certificates, ConstBuffer text) noexcept {
    const unsigned char* bytes = text.data();
    X509* one = d2i_X509(nullptr, &bytes, static_cast<long>(text.size()));
    return one != nullptr && append(certificates, one) && bytes == text.data() + text.size();
}

// PEM, one or several, or one in DER. nullptr: not all of it can be used, and OpenSSL's queue of errors says whether
// that is for lack of memory. Else for release().
Certificates* parse_certificates(ConstBuffer text) noexcept {
    Certificates* found = text.size() <= INT_MAX ? sk_X509_new_null() : nullptr;
    bool is_right = found != nullptr && append_pem(found, text);
    if (is_right && sk_X509_num(found) == 0) is_right = append_der(found, text);
    if (!is_right) {
        release(found);
        return nullptr;
    }
    ERR_clear_error();
    return found;
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

// Why OpenSSL does not take the certificate with the key.
Error own_failure() noexcept {
    const int code = ERR_GET_REASON(ERR_peek_error());
    const bool is_weak =
        code == SSL_R_EE_KEY_TOO_SMALL || code == SSL_R_CA_KEY_TOO_SMALL || code == SSL_R_CA_MD_TOO_WEAK;
    return memory_or(is_weak ? TlsFailure::certificate_weak : TlsFailure::key_mismatch);
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

// The first of the chain is our own certificate.
bool show_identity(SSL* ssl, Certificates* chain, EVP_PKEY* key) noexcept {
    Certificates* between = sk_X509_dup(chain);
    if (between == nullptr) return false;
    X509* own = sk_X509_shift(between);
    const bool is_shown = SSL_use_cert_and_key(ssl, own, key, between, 1) == 1;
    sk_X509_free(between);
    return is_shown;
}

}  // namespace tls::openssl

// Where nobody has used OpenSSL before: exit() is not to take away what the handshakes of other threads use (SOCK-9).
Result<TlsContext> TlsContext::make() noexcept {
    (void)OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, nullptr);
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
    tls::openssl::release(own.chain);
    EVP_PKEY_free(own.key);
    CRYPTO_THREAD_lock_free(own.lock);
    OPENSSL_free(context_);
}

Result<void> TlsContext::set_cert_key(ConstBuffer cert, ConstBuffer key) noexcept {
    if (context_ == nullptr) return Error(EINVAL);
    OwnContext& own = tls::openssl::own(context_);
    ERR_clear_error();
    auto* chain = tls::openssl::parse_certificates(cert);
    if (chain == nullptr) return tls::openssl::memory_or(TlsFailure::bad_certificate);
    EVP_PKEY* parsed_key = tls::openssl::parse_key(key);
    const Error key_error = parsed_key == nullptr ? tls::openssl::memory_or(TlsFailure::bad_key) : Error();
    ERR_clear_error();
    SSL* trial = parsed_key != nullptr ? SSL_new(own.ctx) : nullptr;
    Error error;
    if (parsed_key == nullptr) {
        error = key_error;
    } else if (trial == nullptr) {
        error = Error(ENOMEM);
    } else if (!tls::openssl::show_identity(trial, chain, parsed_key)) {
        error = tls::openssl::own_failure();
    }
    SSL_free(trial);
    if (error == Error()) {
        std::swap(own.chain, chain);
        std::swap(own.key, parsed_key);
    }
    tls::openssl::release(chain);
    EVP_PKEY_free(parsed_key);
    ERR_clear_error();
    return error;
}

Result<void> TlsContext::load_verify_locations(ConstBuffer certificates) noexcept {
    if (context_ == nullptr) return Error(EINVAL);
    OwnContext& own = tls::openssl::own(context_);
    ERR_clear_error();
    auto* trusted = tls::openssl::parse_certificates(certificates);
    if (trusted == nullptr) return tls::openssl::memory_or(TlsFailure::bad_certificate);
    // Another one: connections and listeners keep what they have been made with.
    X509_STORE* store = X509_STORE_new();
    bool is_right = store != nullptr;
    const STACK_OF(X509_OBJECT)* before = X509_STORE_get0_objects(SSL_CTX_get_cert_store(own.ctx));
    for (int i = 0; is_right && i < sk_X509_OBJECT_num(before); ++i) {
        X509* one = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(before, i));
        is_right = one == nullptr || X509_STORE_add_cert(store, one) == 1;
    }
    for (int i = 0; i < sk_X509_num(trusted); ++i) {
        X509* one = sk_X509_value(trusted, i);
        is_right = is_right && X509_STORE_add_cert(store, one) == 1 && SSL_CTX_add_client_CA(own.ctx, one) == 1;
    }
    tls::openssl::release(trusted);
    if (is_right) {
        SSL_CTX_set_cert_store(own.ctx, store);
    } else {
        X509_STORE_free(store);
    }
    ERR_clear_error();
    own.has_trusted = true;
    const ConstBuffer parts[] = {{own.trusted, sizeof own.trusted}, certificates};
    return tls::openssl::digest(parts, own.trusted) && is_right ? Error() : Error(ENOMEM);
}

Result<void> TlsContext::set_cert_reqs(CertReqs reqs) noexcept {
    if (context_ == nullptr) return Error(EINVAL);
    OwnContext& own = tls::openssl::own(context_);
    if (const Error error = own.demand.set(reqs); error != Error()) return error;
    return {};
}

Result<void> TlsContext::set_alpn_protocols(std::string_view protocols) noexcept {
    if (context_ == nullptr) return Error(EINVAL);
    OwnContext& own = tls::openssl::own(context_);
    const auto failed = Error(TlsFailure::bad_protocols);
    unsigned char made[sizeof own.protocols];
    if (protocols.size() + 1 > sizeof made) return failed;
    if (protocols.empty()) {
        own.protocols_size = 0;
        return {};
    }
    std::size_t begin = 0;  // of the name that is being copied, whose length stands before it
    for (std::size_t i = 0; i <= protocols.size(); ++i) {
        if (i != protocols.size() && protocols[i] != ',') {
            made[i + 1] = static_cast<unsigned char>(protocols[i]);
            continue;
        }
        const std::size_t size = i - begin;
        if (size == 0 || size > 255) return failed;
        made[begin] = static_cast<unsigned char>(size);
        begin = i + 1;
    }
    std::memcpy(own.protocols, made, protocols.size() + 1);
    own.protocols_size = protocols.size() + 1;
    return {};
}

}  // namespace usocket
