#include "tls/mbedtls/pem.hpp"

namespace usocket::tls::mbedtls {
namespace {

constexpr std::string_view begin_mark = "-----BEGIN ";
constexpr std::string_view end_mark = "-----END ";
constexpr std::string_view dashes = "-----";

// 64: what is none.
unsigned value_of(char digit) noexcept {
    if (digit >= 'A' && digit <= 'Z') return static_cast<unsigned>(digit - 'A');
    if (digit >= 'a' && digit <= 'z') return static_cast<unsigned>(digit - 'a') + 26;
    if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0') + 52;
    return digit == '+' ? 62 : digit == '/' ? 63 : 64;
}

bool is_space(char c) noexcept { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; }

// What stands before a mark: a comment may name one. Spaces may be there, the end of another block, and what tells the
// encoding of a file, which is no ASCII.
bool begins_a_line(std::string_view before) noexcept {
    while (!before.empty() && (before.back() == ' ' || before.back() == '\t')) before.remove_suffix(1);
    return before.empty() || is_space(before.back()) || before.back() == '-' || (before.back() & 0x80) != 0;
}

}  // namespace

bool PemReader::next() noexcept {
    std::size_t begin = rest_.find(begin_mark);
    while (begin != std::string_view::npos && !begins_a_line({rest_.data(), begin})) {
        begin = rest_.find(begin_mark, begin + begin_mark.size());
    }
    if (begin == std::string_view::npos) return false;
    rest_.remove_prefix(begin + begin_mark.size());
    const std::size_t label_end = rest_.find(dashes);
    const std::size_t end = rest_.find(end_mark);
    is_cut_ = end == std::string_view::npos || label_end > end;
    if (is_cut_) return false;
    label_ = {rest_.data(), label_end};
    body_ = {rest_.data() + label_end + dashes.size(), end - label_end - dashes.size()};
    rest_.remove_prefix(end + end_mark.size());
    return true;
}

bool decode_base64(std::string_view text, std::uint8_t* into, std::size_t& size) noexcept {
    unsigned bits = 0;
    unsigned count = 0;  // of them
    size = 0;
    for (const char c : text) {
        if (is_space(c)) continue;
        if (c == '=') break;  // what is left of the bits is filling
        const unsigned value = value_of(c);
        if (value == 64) return false;
        bits = bits << 6 | value;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        into[size++] = static_cast<std::uint8_t>(bits >> count);
    }
    return size != 0;
}

}  // namespace usocket::tls::mbedtls
