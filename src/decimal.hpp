// Decimal: a number as text, in fewer bytes of code than std::to_chars takes; and back.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace usocket {

class Decimal {
public:
    [[gnu::noinline]] explicit Decimal(std::uint64_t number) noexcept {
        do {
            *--begin_ = static_cast<char>('0' + number % 10);
            number /= 10;
        } while (number != 0);
    }
    Decimal(const Decimal&) = delete;
    Decimal& operator=(const Decimal&) = delete;

    [[nodiscard]] std::string_view view() const noexcept {
        return {begin_, static_cast<std::size_t>(digits_ + sizeof digits_ - begin_)};
    }

private:
    char digits_[20];
    char* begin_ = digits_ + sizeof digits_;
};

// Nothing but digits, and no more of them than a number of 32 bits has.
inline std::optional<std::uint64_t> parse_decimal(std::string_view text) noexcept {
    if (text.empty() || text.size() > 10) return std::nullopt;
    std::uint64_t number = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        number = number * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return number;
}

}  // namespace usocket
