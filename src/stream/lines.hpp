// Where lines end, and how much one transfer moves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "usocket/buffer.hpp"

namespace usocket {

inline constexpr std::size_t max_transfer = 0x7fffffff;
inline constexpr std::size_t no_limit = SIZE_MAX;  // to EOF

// The length of the first line of the bytes, if it is there as a whole; else 0.
inline std::size_t whole_line(const std::uint8_t* bytes, std::size_t size) noexcept {
    const void* newline = size == 0 ? nullptr : std::memchr(bytes, '\n', size);
    if (newline == nullptr) return 0;
    return static_cast<std::size_t>(static_cast<const std::uint8_t*>(newline) - bytes) + 1;
}

// Through the newline, or all there is.
inline std::size_t line_length(const std::uint8_t* bytes, std::size_t size) noexcept {
    const std::size_t line = whole_line(bytes, size);
    return line != 0 ? line : size;
}

inline bool ends_line(const Sink& sink) noexcept { return sink.size() != 0 && sink.data()[sink.size() - 1] == '\n'; }

}  // namespace usocket
