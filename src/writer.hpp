// Writer: text into memory of a fixed size, without what std::to_chars and printf weigh.
#pragma once

#include <cstdint>
#include <string_view>

#include "decimal.hpp"
#include "usocket/buffer.hpp"

namespace usocket {

// Appends to the caller's memory, and stops at its end; no NUL.
class Writer {
public:
    explicit Writer(MutableBuffer text) noexcept : text_(text) {}

    Writer& operator<<(std::string_view piece) noexcept {
        for (const char c : piece) {
            if (size_ < text_.size()) text_.data()[size_++] = static_cast<std::uint8_t>(c);
        }
        return *this;
    }
    Writer& operator<<(std::int64_t number) noexcept {
        if (number < 0) *this << "-";
        return *this << Decimal(static_cast<std::uint64_t>(number < 0 ? -number : number)).view();
    }
    // Printable ASCII as it is, but for backslashes and apostrophes; the rest as \xNN.
    Writer& escaped(ConstBuffer bytes) noexcept {
        for (std::size_t i = 0; i < bytes.size(); ++i) escape(bytes.data()[i]);
        return *this;
    }
    Writer& escape(std::uint8_t byte) noexcept {
        const char plain = static_cast<char>(byte);
        const bool is_plain = byte >= ' ' && byte < 127 && byte != '\\' && byte != '\'';
        return is_plain ? *this << std::string_view(&plain, 1) : (*this << "\\x").hex(byte);
    }
    // Text as it is, but for control characters: as \xNN.
    Writer& readable(std::string_view text) noexcept {
        for (const char& c : text) {
            const auto byte = static_cast<std::uint8_t>(c);
            const bool is_control = byte < ' ' || byte == 127;
            is_control ? (*this << "\\x").hex(byte) : *this << std::string_view(&c, 1);
        }
        return *this;
    }
    Writer& hex(std::uint8_t byte) noexcept {
        static constexpr char digits[] = "0123456789abcdef";
        const char two[] = {digits[byte >> 4], digits[byte & 15]};
        return *this << std::string_view(two, sizeof two);
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool is_full() const noexcept { return size_ == text_.size(); }

private:
    MutableBuffer text_;
    std::size_t size_ = 0;
};

}  // namespace usocket
