#include "certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace usocket::tests {
namespace {

template <class T, void (*Free)(T*)> struct Freed {
    void operator()(T* object) const { Free(object); }
};
using Certificate = std::unique_ptr<X509, Freed<X509, X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;

void check(bool is_right, const char* what) {
    if (is_right) return;
    std::fprintf(stderr, "cannot make a certificate: %s\n", what);
    std::abort();
}

template <class Write> std::string to_pem(Write write) {
    BIO* bio = BIO_new(BIO_s_mem());
    check(write(bio) == 1, "PEM");
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio, &bytes);
    std::string text(bytes, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
}

template <class T> T* from_pem(const std::string& text, T* (*read)(BIO*, T**, pem_password_cb*, void*)) {
    BIO* bio = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
    T* object = read(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    check(object != nullptr, "from PEM");
    return object;
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    check(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, value.c_str());
    X509_EXTENSION_free(extension);
}

Certificate begin(const char* name, EVP_PKEY* key, long from, long until) {
    static std::atomic<long> serial{1};
    Certificate made(X509_new());
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), from);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), until);
    X509_NAME* subject = X509_get_subject_name(made.get());
    const auto* text = reinterpret_cast<const unsigned char*>(name);
    check(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1, name);
    check(X509_set_pubkey(made.get(), key) == 1, "a public key");
    return made;
}

Key make_key(int rsa_bits, bool is_ed25519) {
    Key key(is_ed25519      ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
            : rsa_bits == 0 ? EVP_EC_gen("P-256")
                            : EVP_RSA_gen(static_cast<unsigned>(rsa_bits)));
    check(key != nullptr, "a key");
    return key;
}

Identity finish(X509* certificate, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key) {
    check(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1, "an issuer's name");
    check(X509_sign(certificate, issuer_key, EVP_PKEY_is_a(issuer_key, "ED25519") == 1 ? nullptr : EVP_sha256()) != 0,
          "a signature");
    return {to_pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); }), to_pem([&](BIO* bio) {
                return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
            })};
}

}  // namespace

Issuer::Issuer(const char* name, bool is_ed25519) {
    const Key key = make_key(0, is_ed25519);
    const Certificate made = begin(name, key.get(), -86400, 86400);
    add_extension(made.get(), made.get(), NID_basic_constraints, "critical,CA:TRUE");
    add_extension(made.get(), made.get(), NID_subject_key_identifier, "hash");
    identity_ = finish(made.get(), key.get(), made.get(), key.get());
}

Issuer Issuer::between(const char* name, const std::string& purpose) const {
    const Certificate issuer(from_pem<X509>(identity_.certificate, PEM_read_bio_X509));
    const Key issuer_key(from_pem<EVP_PKEY>(identity_.key, PEM_read_bio_PrivateKey));
    const Key key = make_key(0, false);
    const Certificate made = begin(name, key.get(), -86400, 86400);
    add_extension(made.get(), issuer.get(), NID_basic_constraints, "critical,CA:TRUE");
    if (!purpose.empty()) add_extension(made.get(), issuer.get(), NID_ext_key_usage, purpose);
    Issuer found;
    found.identity_ = finish(made.get(), key.get(), issuer.get(), issuer_key.get());
    return found;
}

Identity Issuer::issue(const CertificateSpec& spec) const {
    const Certificate issuer(from_pem<X509>(identity_.certificate, PEM_read_bio_X509));
    const Key issuer_key(from_pem<EVP_PKEY>(identity_.key, PEM_read_bio_PrivateKey));
    const Key key = make_key(spec.rsa_bits, spec.is_ed25519);
    const Certificate made = begin("localhost", key.get(), spec.valid_from, spec.valid_until);
    X509* signer = spec.is_self_signed ? made.get() : issuer.get();
    add_extension(made.get(), signer, NID_subject_alt_name, spec.names);
    if (!spec.purpose.empty()) add_extension(made.get(), signer, NID_ext_key_usage, spec.purpose);
    return finish(made.get(), key.get(), signer, spec.is_self_signed ? key.get() : issuer_key.get());
}

const Issuer& trusted_issuer() {
    static const Issuer issuer("the trusted issuer");
    return issuer;
}

}  // namespace usocket::tests
