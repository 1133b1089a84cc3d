// What an option's bytes hold.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "usocket/buffer.hpp"
#include "usocket/result.hpp"

namespace usocket::sys {

template <class T> [[nodiscard]] bool take(ConstBuffer value, T& into) noexcept {
    if (value.size() < sizeof into) return false;
    std::memcpy(&into, value.data(), sizeof into);
    return true;
}

template <class T> Result<std::size_t> put(MutableBuffer value, const T& from) noexcept {
    const std::size_t size = std::min(value.size(), sizeof from);
    std::memcpy(value.data(), &from, size);
    return size;
}

// Of an option that fits in a byte, as an int or a byte. False: it is neither, or does not fit.
[[nodiscard]] inline bool take_byte(ConstBuffer value, std::uint8_t& byte) noexcept {
    if (value.size() == 1) return take(value, byte);
    int number = 0;
    if (!take(value, number) || number < 0 || number > 255) return false;
    byte = static_cast<std::uint8_t>(number);
    return true;
}

}  // namespace usocket::sys
