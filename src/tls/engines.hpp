// What the engines do alike.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
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

// What the peer has begun with: {type, major version} of a record, or anything else.
class Greeting {
public:
    void take(ConstBuffer bytes) noexcept {
        for (std::size_t i = 0; i < bytes.size() && size_ < 2; ++i, ++size_) {
            const std::uint8_t byte = bytes.data()[i];
            is_tls_ = size_ == 0 ? byte >= 20 && byte <= 23 : is_tls_ && byte == 3;
        }
    }
    [[nodiscard]] bool is_tls() const noexcept { return is_tls_; }

private:
    bool is_tls_ = false;
    std::uint8_t size_ = 0;
};

// Whom a certificate has to be for, a host or a numeric address, as certificates and SNI have it: in ASCII, without the
// dot of the root at its end (RFC 6066, section 3). One in front OpenSSL would take for any name below, and a space
// there it would pass over.
class PeerName {
public:
    // False: it is no such name.
    [[nodiscard]] bool set(std::string_view name) noexcept {
        if (name.size() > 1 && name.back() == '.') name.remove_suffix(1);
        if (name.empty() || name.front() == '.' || name.size() >= sizeof text_) return false;
        for (const char c : name) {
            if (c <= ' ' || c > '~') return false;
        }
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

// What a session ends with: SHA-256 of all before it. A library that is given something else than what it once gave may
// take it for a session all the same, or read beyond its end (TLS-7).
struct Seal {
    static constexpr std::size_t size = 32;

    // Of what is in the sink from `begin` on; there is room. False: there is no memory.
    template <class Digest> [[nodiscard]] static bool append(Sink& sink, std::size_t begin, Digest digest) noexcept {
        unsigned char made[size];
        const ConstBuffer sealed(sink.data() + begin, sink.size() - begin);
        if (!digest(std::span(&sealed, 1), made)) return false;
        sink.append(made, size);
        return true;
    }
    // Off the end of the bytes. False: there is none, or another's.
    template <class Digest> [[nodiscard]] static bool take(ConstBuffer& bytes, Digest digest) noexcept {
        unsigned char made[size];
        if (bytes.size() < size) return false;
        const ConstBuffer sealed(bytes.data(), bytes.size() - size);
        if (!digest(std::span(&sealed, 1), made)) return false;
        if (std::memcmp(made, sealed.data() + sealed.size(), size) != 0) return false;
        bytes = sealed;
        return true;
    }
};

}  // namespace usocket::tls
