// Certificates for the tests of TLS, made when they are asked for: what is not named is as it should be.
#pragma once

#include <memory>
#include <string>

namespace usocket::tests {

struct Identity {
    std::string certificate;  // PEM, of all the chain
    std::string key;          // PEM
};

struct CertificateSpec {
    std::string names = "DNS:localhost";  // as in OpenSSL's configuration: "DNS:*.example.org, IP:127.0.0.1"
    std::string purpose{};                // "serverAuth", "clientAuth"; empty: any
    long valid_from = -3600;              // seconds from now
    long valid_until = 3600;
    int rsa_bits = 0;  // 0: a key on the curve P-256
    bool is_ed25519 = false;
    bool is_self_signed = false;
};

// One that signs, itself trusted or not.
class Issuer {
public:
    explicit Issuer(const char* name, bool is_ed25519 = false);
    // One between this one and whom it issues to.
    [[nodiscard]] Issuer between(const char* name, const std::string& purpose) const;
    [[nodiscard]] const std::string& certificate() const { return identity_.certificate; }
    [[nodiscard]] Identity issue(const CertificateSpec& spec = {}) const;

private:
    Issuer() = default;
    Identity identity_;
};

// The one that the tests trust.
const Issuer& trusted_issuer();

}  // namespace usocket::tests
