// What the engines do alike.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "usocket/tls.hpp"

namespace usocket::tls {

// What is demanded of the peer's certificate: by the program, or else by the side of the connection.
class Demand {
public:
    // EINVAL: a number that was cast and is none of them, which each engine would understand in its own way.
    [[nodiscard]] Error set(CertReqs reqs) noexcept {
        if (reqs > CertReqs::required) return Error(EINVAL);
        is_set_ = true;
        reqs_ = reqs;
        return Error();
    }
    [[nodiscard]] CertReqs of(bool server_side) const noexcept {
        if (is_set_) return reqs_;
        return server_side ? CertReqs::none : CertReqs::required;
    }

private:
    bool is_set_ = false;
    CertReqs reqs_ = CertReqs::required;
};

// What a connection checks, in short. A session carries it, and a connection that checks anything else does not take it
// up: the certificate is not looked at again (TLS-4).
struct Checks {
    unsigned char bytes[32] = {};
};

// Whom a certificate has to be for, a host or a numeric address, as certificates and SNI have it: without the dot of
// the root at its end (RFC 6066, section 3). One in front OpenSSL would take for any name below.
class PeerName {
public:
    // False: it is no such name.
    [[nodiscard]] bool set(std::string_view name) noexcept {
        if (name.size() > 1 && name.back() == '.') name.remove_suffix(1);
        const bool is_plain = !name.empty() && name.front() != '.' && name.find('\0') == std::string_view::npos;
        if (!is_plain || name.size() >= sizeof text_) return false;
        std::memcpy(text_, name.data(), name.size());
        text_[name.size()] = '\0';
        size_ = name.size();
        return true;
    }
    [[nodiscard]] const char* c_str() const noexcept { return text_; }
    [[nodiscard]] std::string_view view() const noexcept { return {text_, size_}; }

private:
    char text_[256] = {};
    std::size_t size_ = 0;
};

// A fact, for whoever asked.
inline Result<void> append(Sink& sink, ConstBuffer bytes) noexcept {
    if (bytes.size() == 0) return {};
    if (!sink.reserve(bytes.size())) return Error(ENOMEM);
    sink.append(bytes.data(), bytes.size());
    return {};
}

}  // namespace usocket::tls
