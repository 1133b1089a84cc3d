// PEM (RFC 7468): the library has it only in some builds, a device's not among them.
#pragma once

#include <string_view>

#include "usocket/buffer.hpp"

namespace usocket::tls::mbedtls {

// One block after the other: its label and what is to be decoded.
class PemReader {
public:
    explicit PemReader(ConstBuffer text) noexcept : rest_(reinterpret_cast<const char*>(text.data()), text.size()) {}
    // False: there is none any more, or the next one has no end.
    [[nodiscard]] bool next() noexcept;
    [[nodiscard]] bool is_cut() const noexcept { return is_cut_; }
    [[nodiscard]] std::string_view label() const noexcept { return label_; }
    [[nodiscard]] std::string_view body() const noexcept { return body_; }

private:
    std::string_view rest_;
    std::string_view label_;
    std::string_view body_;
    bool is_cut_ = false;
};

// Base64 into `into`, which has room for three quarters of it. False: it is none, as of an encrypted key.
[[nodiscard]] bool decode_base64(std::string_view text, std::uint8_t* into, std::size_t& size) noexcept;

}  // namespace usocket::tls::mbedtls
