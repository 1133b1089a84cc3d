// The engine `mbedtls`: the peer's certificate. The library checks the chain; names, addresses and purpose are looked
// at here, so that they mean what they mean over OpenSSL.

#include <cstring>

#include "sys/sys.hpp"
#include "tls/mbedtls/common.hpp"
#include "usocket/address.hpp"

namespace usocket::tls::mbedtls {
namespace {

constexpr std::uint32_t bit(unsigned number) noexcept { return std::uint32_t{1} << number; }

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_same(std::string_view one, std::string_view other) noexcept {
    if (one.size() != other.size()) return false;
    for (std::size_t i = 0; i < one.size(); ++i) {
        if (lower(one[i]) != lower(other[i])) return false;
    }
    return true;
}

std::string_view text_of(const mbedtls_x509_buf& buffer) noexcept {
    return {reinterpret_cast<const char*>(buffer.p), buffer.len};
}

bool is_host_name(std::string_view name) noexcept {
    for (const char c : name) {
        const bool is_letter = lower(c) >= 'a' && lower(c) <= 'z';
        if (!is_letter && (c < '0' || c > '9') && c != '-' && c != '.') return false;
    }
    return true;
}

// The star stands for the whole first label, with at least two behind it, and not for what is no host name, as one with
// an underscore.
bool matches(std::string_view pattern, std::string_view name) noexcept {
    if (is_same(pattern, name)) return true;
    if (!pattern.starts_with("*.") || !is_host_name(name)) return false;
    const std::size_t dot = name.find('.');
    if (dot == std::string_view::npos || dot == 0) return false;
    pattern.remove_prefix(1);
    name.remove_prefix(dot);
    return pattern.find('.', 1) != std::string_view::npos && is_same(pattern, name);
}

// Of subjectAltName (RFC 5280): which kind of name, behind the class of the tag.
enum Kind : unsigned { kind_dns = 2, kind_address = 7 };

bool is(const mbedtls_x509_buf& name, Kind kind) noexcept {
    return (static_cast<unsigned>(name.tag) & 0x1f) == kind && name.p != nullptr;
}

// Empty is what the library does not know.
bool is_same_bytes(const mbedtls_x509_buf& one, const mbedtls_x509_buf& other) noexcept {
    return one.len != 0 && one.len == other.len && std::memcmp(one.p, other.p, one.len) == 0;
}

bool is_in(const mbedtls_x509_crt* list, const mbedtls_x509_crt& one) noexcept {
    for (; list != nullptr; list = list->next) {
        if (is_same_bytes(list->raw, one.raw)) return true;
    }
    return false;
}

// That a certificate is for any purpose does not do, as over OpenSSL. Without the extension it is.
bool has_purpose(const mbedtls_x509_crt& one, bool is_servers) noexcept {
    if ((one.ext_types & MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE) == 0) return true;
    const std::string_view purpose = is_servers ? MBEDTLS_OID_SERVER_AUTH : MBEDTLS_OID_CLIENT_AUTH;
    for (const auto* each = &one.ext_key_usage; each != nullptr; each = each->next) {
        if (text_of(each->buf) == purpose) return true;
    }
    return false;
}

// As OpenSSL has it, in the peer's own: by the extensions for its key and, of old, for it (nsCertType). The library
// asks that a key of RSA sign, of which no peer that shows it thinks.
std::uint32_t check_use(mbedtls_x509_crt& one, bool is_servers) noexcept {
    const int type = is_servers ? MBEDTLS_X509_NS_CERT_TYPE_SSL_SERVER : MBEDTLS_X509_NS_CERT_TYPE_SSL_CLIENT;
    const bool has_type = (one.ext_types & MBEDTLS_X509_EXT_NS_CERT_TYPE) != 0;
    if (has_type && (one.ns_cert_type & type) == 0) return MBEDTLS_X509_BADCERT_NS_CERT_TYPE;
    if ((one.ext_types & MBEDTLS_X509_EXT_KEY_USAGE) == 0) return 0;
    constexpr unsigned clients = MBEDTLS_X509_KU_DIGITAL_SIGNATURE | MBEDTLS_X509_KU_KEY_AGREEMENT;
    const unsigned uses = is_servers ? clients | MBEDTLS_X509_KU_KEY_ENCIPHERMENT : clients;
    if ((one.key_usage & uses) == 0) return MBEDTLS_X509_BADCERT_KEY_USAGE;
    if (mbedtls_pk_can_do(&one.pk, MBEDTLS_PK_RSA) != 0) one.ext_types &= ~MBEDTLS_X509_EXT_KEY_USAGE;
    return 0;
}

bool may_issue(const mbedtls_x509_crt& issuer, const mbedtls_x509_crt& one, int depth) noexcept {
    const bool has_room = issuer.max_pathlen == 0 || issuer.max_pathlen > depth;  // one more than may stand between
    return has_room && issuer.ca_istrue != 0 && is_same_bytes(issuer.subject_raw, one.issuer_raw) &&
           mbedtls_x509_crt_check_key_usage(&issuer, MBEDTLS_X509_KU_KEY_CERT_SIGN) == 0;
}

// The library takes a signature for a wrong one where it has no memory to check it. True: one of the trusted, or of
// those that the peer has shown, may have signed this one.
bool may_be_signed(mbedtls_x509_crt* trusted, const mbedtls_x509_crt& one, int depth) noexcept {
    unsigned char hash[MBEDTLS_MD_MAX_SIZE];
    const mbedtls_md_info_t* kind = mbedtls_md_info_from_type(one.sig_md);
    const int made = mbedtls_md(kind, one.tbs.p, one.tbs.len, hash);
    if (made != 0) return is_out_of_memory(made);
    for (mbedtls_x509_crt* issuer : {trusted, one.next}) {
        for (; issuer != nullptr; issuer = issuer->next) {
            if (!may_issue(*issuer, one, depth)) continue;
            const int code = mbedtls_pk_verify_ext(one.sig_pk, one.sig_opts, &issuer->pk, one.sig_md, hash,
                                                   mbedtls_md_get_size(kind), one.sig.p, one.sig.len);
            if (code == 0 || is_out_of_memory(code)) return true;
        }
    }
    return false;
}

}  // namespace

const mbedtls_x509_crt_profile strong = {
    .allowed_mds = bit(MBEDTLS_MD_SHA224 - 1) | bit(MBEDTLS_MD_SHA256 - 1) | bit(MBEDTLS_MD_SHA384 - 1) |
                   bit(MBEDTLS_MD_SHA512 - 1),
    .allowed_pks = 0xfffffff,
    .allowed_curves = bit(MBEDTLS_ECP_DP_SECP224R1 - 1) | bit(MBEDTLS_ECP_DP_SECP256R1 - 1) |
                      bit(MBEDTLS_ECP_DP_SECP384R1 - 1) | bit(MBEDTLS_ECP_DP_SECP521R1 - 1) |
                      bit(MBEDTLS_ECP_DP_BP256R1 - 1) | bit(MBEDTLS_ECP_DP_BP384R1 - 1) |
                      bit(MBEDTLS_ECP_DP_BP512R1 - 1) | bit(MBEDTLS_ECP_DP_SECP256K1 - 1),
    .rsa_min_bitlen = 2048,
};

Numeric numeric(std::string_view name) noexcept {
    Numeric found;
    for (const int family : {sys::af_inet, sys::af_inet6}) {
        const auto packed = inet_pton(family, name);
        if (!packed) continue;
        found.size = packed->size;
        std::memcpy(found.bytes, packed->bytes.data(), packed->size);
    }
    return found;
}

// The subject's common name is no host name (RFC 9525, section 2); an address is found among addresses only.
bool is_for(const mbedtls_x509_crt& certificate, std::string_view name) noexcept {
    const Numeric address = numeric(name);
    for (const auto* one = &certificate.subject_alt_names; one != nullptr; one = one->next) {
        if (address.size == 0) {
            if (is(one->buf, kind_dns) && matches(text_of(one->buf), name)) return true;
        } else if (is(one->buf, kind_address) && one->buf.len == address.size) {
            if (std::memcmp(one->buf.p, address.bytes, address.size) == 0) return true;
        }
    }
    return false;
}

int Verdict::look_at(void* verdict, mbedtls_x509_crt* one, int depth, std::uint32_t* flags) noexcept {
    auto& self = *static_cast<Verdict*>(verdict);
    constexpr std::uint32_t not_trusted = MBEDTLS_X509_BADCERT_NOT_TRUSTED;
    if (is_in(self.trusted, *one)) {
        // It needs no issuer, and so it does not matter who those are that it was shown with.
        *flags &= ~not_trusted;
        self.flags &= ~not_trusted;
    } else if ((*flags & not_trusted) != 0 && may_be_signed(self.trusted, *one, depth)) {
        return MBEDTLS_ERR_X509_ALLOC_FAILED;
    }
    if (depth == 0) {
        self.is_self_signed = is_same_bytes(one->issuer_raw, one->subject_raw);
        *flags &= ~std::uint32_t{MBEDTLS_X509_BADCERT_CN_MISMATCH};
        if (!self.name.empty() && !is_for(*one, self.name)) *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
        *flags |= check_use(*one, self.is_servers);
    }
    // The library looks at this in the peer's own certificate alone.
    if (!has_purpose(*one, self.is_servers)) *flags |= MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
    self.flags |= *flags;
    // The library adds up what it is told of each: all of it with the last.
    *flags = depth == 0 ? self.flags : 0;
    return self.is_final && self.flags != 0 && depth == 0 ? MBEDTLS_ERR_X509_CERT_VERIFY_FAILED : 0;
}

TlsFailure Verdict::failure() const noexcept {
    const auto has = [&](std::uint32_t mask) noexcept { return (flags & mask) != 0; };
    if (has(MBEDTLS_X509_BADCERT_NOT_TRUSTED)) {
        return is_self_signed ? TlsFailure::certificate_self_signed : TlsFailure::certificate_issuer;
    }
    if (has(MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE | MBEDTLS_X509_BADCERT_NS_CERT_TYPE)) {
        return TlsFailure::certificate_purpose;
    }
    if (has(MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY)) {
        return TlsFailure::certificate_weak;
    }
    if (has(MBEDTLS_X509_BADCERT_CN_MISMATCH)) return TlsFailure::certificate_name;
    if (has(MBEDTLS_X509_BADCERT_FUTURE)) return TlsFailure::certificate_not_yet_valid;
    if (has(MBEDTLS_X509_BADCERT_EXPIRED)) return TlsFailure::certificate_expired;
    return TlsFailure::certificate_bad;
}

}  // namespace usocket::tls::mbedtls
