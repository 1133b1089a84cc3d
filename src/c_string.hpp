// Text for a function that wants a C string.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

namespace usocket {

// A copy with a NUL behind it. False: there is not so much room, or a NUL in the text.
inline bool copy_c_string(std::string_view text, char* chars, std::size_t room) noexcept {
    if (text.size() >= room || text.find('\0') != std::string_view::npos) return false;
    if (!text.empty()) std::memcpy(chars, text.data(), text.size());
    chars[text.size()] = '\0';
    return true;
}

}  // namespace usocket
