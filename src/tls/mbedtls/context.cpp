// The engine `mbedtls`: TlsContext.
#include "tls/mbedtls/common.hpp"  // first: it opens what 3.x hides

#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "tls/mbedtls/pem.hpp"

#if defined(MBEDTLS_PSA_CRYPTO_C)
#include <psa/crypto.h>
#endif

namespace usocket {

using tls::mbedtls::OwnContext;

namespace tls::mbedtls {

constinit Lock handshakes;

namespace {

OwnContext& own(Context* context) noexcept { return static_cast<OwnContext&>(*context); }

// --- DER out of what a program has

// Memory of the library's for a while, wiped afterwards: it may be a key's.
class Scratch {
public:
    explicit Scratch(std::size_t size) noexcept : size_(size), bytes_(mbedtls_calloc(1, size)) {}
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() {
        if (bytes_ != nullptr) mbedtls_platform_zeroize(bytes_, size_);
        mbedtls_free(bytes_);
    }
    [[nodiscard]] std::uint8_t* bytes() const noexcept { return static_cast<std::uint8_t*>(bytes_); }

private:
    std::size_t size_;
    void* bytes_;
};

// As Ed25519's, of keys or signatures.
bool is_unknown_kind(int code) noexcept {
    const int high = -(-code & ~0x7f);
    return high == MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG || high == MBEDTLS_ERR_PK_UNKNOWN_PK_ALG ||
           high == MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE;
}

// Calls `use`, for `into`, with the DER of each block of such a label, `most` of them, or with all if there is no PEM
// in it. All of them, or it is what `otherwise` says.
using Use = int (*)(void* into, ConstBuffer der) noexcept;
Error each_der(ConstBuffer text, std::string_view label, std::size_t most, TlsFailure otherwise, Use use,
               void* into) noexcept {
    const auto as_error = [&](int code) noexcept {
        if (code == 0) return Error();
        if (is_out_of_memory(code)) return Error(ENOMEM);
        return Error(is_unknown_kind(code) ? TlsFailure::unknown_kind : otherwise);
    };
    PemReader pem(text);
    std::size_t count = 0;
    std::size_t blocks = 0;
    for (; count != most && pem.next(); ++blocks) {
        if (!pem.label().ends_with(label)) continue;
        const Scratch der(pem.body().size() / 4 * 3 + 3);
        if (der.bytes() == nullptr) return Error(ENOMEM);
        std::size_t size = 0;
        if (!decode_base64(pem.body(), der.bytes(), size)) return Error(otherwise);
        if (const int code = use(into, ConstBuffer(der.bytes(), size)); code != 0) return as_error(code);
        ++count;
    }
    if (pem.is_cut()) return Error(otherwise);
    if (blocks == 0 && text.size() != 0) return as_error(use(into, text));
    return count != 0 ? Error() : Error(otherwise);
}

int add_certificate(void* chain, ConstBuffer der) noexcept {
    auto* last = static_cast<mbedtls_x509_crt*>(chain);
    const int code = mbedtls_x509_crt_parse_der(last, der.data(), der.size());
    while (last->next != nullptr) last = last->next;
    const bool is_all = code != 0 || last->raw.len == der.size();
    return is_all ? code : MBEDTLS_ERR_X509_INVALID_FORMAT;
}

Error parse_certificates(mbedtls_x509_crt& into, ConstBuffer text) noexcept {
    return each_der(text, "CERTIFICATE", SIZE_MAX, TlsFailure::bad_certificate, add_certificate, &into);
}

int set_key(void* into, ConstBuffer der) noexcept {
    auto* key = static_cast<mbedtls_pk_context*>(into);
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_parse_key(key, der.data(), der.size(), nullptr, 0, random::get, nullptr);
#else
    return mbedtls_pk_parse_key(key, der.data(), der.size(), nullptr, 0);
#endif
}

int check_pair(const mbedtls_pk_context& certified, const mbedtls_pk_context& key) noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_check_pair(&certified, &key, random::get, nullptr);
#else
    return mbedtls_pk_check_pair(&certified, &key);
#endif
}

// The library shows them in one record, or fails in the middle of the handshake. TLS 1.3 puts more around them.
bool is_long(const mbedtls_x509_crt& chain) noexcept {
    std::size_t size = 8;
    for (const mbedtls_x509_crt* one = &chain; one != nullptr; one = one->next) size += 5 + one->raw.len;
    return size > MBEDTLS_SSL_OUT_CONTENT_LEN;
}

// Nobody would take it of us. What is behind the eighth issuer the library does not look at, and sets all flags.
bool is_weak(mbedtls_x509_crt& chain) noexcept {
    constexpr std::uint32_t all = 0xffffffff;
    std::uint32_t flags = 0;
    (void)mbedtls_x509_crt_verify_with_profile(&chain, nullptr, nullptr, &strong, nullptr, &flags, nullptr, nullptr);
    return flags != all &&
           (flags & (MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY)) != 0;
}

// Whether ours is made for what it is shown for, is for the peer to say. The library would not even show it.
void allow_all(mbedtls_x509_crt& own) noexcept {
    own.ext_types &= ~(MBEDTLS_X509_EXT_KEY_USAGE | MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE);
}

Error fill(Identity& identity, ConstBuffer cert, ConstBuffer key) noexcept {
    if (const Error error = random::prepare(); error != Error()) return error;
    if (const Error error = parse_certificates(identity.chain, cert); error != Error()) return error;
    if (is_long(identity.chain)) return Error(TlsFailure::long_chain);
    if (is_weak(identity.chain)) return Error(TlsFailure::certificate_weak);
    allow_all(identity.chain);
    const Error parsed = each_der(key, "PRIVATE KEY", 1, TlsFailure::bad_key, set_key, &identity.key);
    if (parsed != Error()) return parsed;
    const int code = check_pair(identity.chain.pk, identity.key);
    if (is_out_of_memory(code)) return Error(ENOMEM);
    return code == 0 ? Error() : Error(TlsFailure::key_mismatch);
}

// Connections look at theirs while this one changes.
Shared<Trusted> copy(const Shared<Trusted>& from) noexcept {
    Shared<Trusted> made = Shared<Trusted>::made();
    if (!made || !from) return made;
    std::memcpy(made->digest, from->digest, sizeof made->digest);
    for (const mbedtls_x509_crt* one = &from->issuers; one != nullptr && one->raw.p != nullptr; one = one->next) {
        if (mbedtls_x509_crt_parse_der(&made->issuers, one->raw.p, one->raw.len) != 0) return {};
    }
    return made;
}

// Those without basic constraints may sign if their key usage says so, as over OpenSSL.
void allow_old_issuers(mbedtls_x509_crt& trusted) noexcept {
    for (mbedtls_x509_crt* one = &trusted; one != nullptr; one = one->next) {
        constexpr int both = MBEDTLS_X509_EXT_BASIC_CONSTRAINTS | MBEDTLS_X509_EXT_KEY_USAGE;
        if ((one->ext_types & both) == MBEDTLS_X509_EXT_KEY_USAGE) one->ca_istrue = 1;
    }
}

void forget_tickets(OwnContext& own) noexcept {
#if USOCKET_TLS_TICKETS
    own.tickets = {};
#else
    (void)own;
#endif
}

// Each name gets its end where its comma was.
bool split(Protocols& protocols, std::string_view names) noexcept {
    std::size_t count = 0;
    std::memcpy(protocols.text, names.data(), names.size());
    protocols.text[names.size()] = '\0';
    for (std::size_t begin = 0; begin <= names.size();) {
        const std::size_t comma = std::min(names.find(',', begin), names.size());
        if (comma == begin || comma - begin > 255) return false;
        protocols.names[count++] = protocols.text + begin;
        protocols.text[comma] = '\0';
        begin = comma + 1;
    }
    protocols.names[count] = nullptr;
    return true;
}

}  // namespace

bool digest(std::span<const ConstBuffer> parts, unsigned char (&into)[32]) noexcept {
    mbedtls_md_context_t made;
    mbedtls_md_init(&made);
    bool is_right = mbedtls_md_setup(&made, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 0) == 0;
    is_right = is_right && mbedtls_md_starts(&made) == 0;
    for (const ConstBuffer& part : parts) {
        is_right = is_right && mbedtls_md_update(&made, part.data(), part.size()) == 0;
    }
    is_right = is_right && mbedtls_md_finish(&made, into) == 0;
    mbedtls_md_free(&made);
    return is_right;
}

}  // namespace tls::mbedtls

Result<TlsContext> TlsContext::make() noexcept {
#if defined(MBEDTLS_PSA_CRYPTO_C)
    {
        const Locked locked(tls::mbedtls::handshakes);
        if (psa_crypto_init() != PSA_SUCCESS) return Error(ENOMEM);
    }
#endif
    auto* made = tls::mbedtls::make<OwnContext>();
    if (made == nullptr) return Error(ENOMEM);
    made->engine = &tls::mbedtls::engine;
    return TlsContext(made);
}

TlsContext::~TlsContext() {
    if (context_ != nullptr) tls::mbedtls::destroy(&tls::mbedtls::own(context_));
}

Result<void> TlsContext::set_cert_key(ConstBuffer cert, ConstBuffer key) noexcept {
    if (context_ == nullptr) return Error(EINVAL);
    using tls::mbedtls::Identity;
    auto made = tls::mbedtls::Shared<Identity>::made();
    if (!made) return Error(ENOMEM);
    const Error error = tls::mbedtls::fill(*made.operator->(), cert, key);
    if (error != Error()) return error;
    tls::mbedtls::own(context_).identity = std::move(made);
    // The library would take up a session of a suite that goes with another kind of key.
    tls::mbedtls::forget_tickets(tls::mbedtls::own(context_));
    return {};
}

Result<void> TlsContext::load_verify_locations(ConstBuffer certificates) noexcept {
    if (context_ == nullptr) return Error(EINVAL);
    OwnContext& own = tls::mbedtls::own(context_);
    auto made = tls::mbedtls::copy(own.trusted);
    if (!made) return Error(ENOMEM);
    if (const Error error = tls::mbedtls::parse_certificates(made->issuers, certificates); error != Error())
        return error;
    tls::mbedtls::allow_old_issuers(made->issuers);
    const ConstBuffer parts[] = {{made->digest, sizeof made->digest}, certificates};
    if (!tls::mbedtls::digest(parts, made->digest)) return Error(ENOMEM);
    own.trusted = std::move(made);
    tls::mbedtls::forget_tickets(own);
    return {};
}

Result<void> TlsContext::set_cert_reqs(CertReqs reqs) noexcept {
    if (context_ == nullptr) return Error(EINVAL);
    OwnContext& own = tls::mbedtls::own(context_);
    if (const Error error = own.demand.set(reqs); error != Error()) return error;
    tls::mbedtls::forget_tickets(own);
    return {};
}

Result<void> TlsContext::set_alpn_protocols(std::string_view protocols) noexcept {
    if (context_ == nullptr) return Error(EINVAL);
    using tls::mbedtls::Protocols;
    OwnContext& own = tls::mbedtls::own(context_);
    if (protocols.size() > Protocols::most_bytes) return Error(TlsFailure::bad_protocols);
    if (protocols.empty()) {
        own.protocols = {};
        return {};
    }
#if !defined(MBEDTLS_SSL_ALPN)
    return Error(EOPNOTSUPP);
#else
    auto made = tls::mbedtls::Shared<Protocols>::made();
    if (!made) return Error(ENOMEM);
    if (!tls::mbedtls::split(*made.operator->(), protocols)) return Error(TlsFailure::bad_protocols);
    own.protocols = std::move(made);
    return {};
#endif
}

}  // namespace usocket
