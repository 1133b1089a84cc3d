// Decimal: a number as text, in fewer bytes of code than std::to_chars takes.
#pragma once

#include <cstdint>
#include <string_view>

namespace usocket {

class Decimal {
public:
    explicit Decimal(std::uint64_t number) noexcept {
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

}  // namespace usocket
