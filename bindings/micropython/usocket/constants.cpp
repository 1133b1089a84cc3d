// The constants of NAME-3, all that the compiler's headers have, in as few bytes as may be: a program that names one
// looks it up once. The build lists them in constants.inc, sorted.
#include "usocket/constants.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "bridge.h"
#include "usocket/socket.hpp"

namespace usocket {
namespace {

constexpr Constant table[] = {
#include "constants.inc"
};

constexpr std::size_t longest_name = 48;
static_assert(std::ranges::all_of(table, [](const Constant& one) {
    return std::string_view(one.name).size() <= longest_name && static_cast<std::int32_t>(one.value) == one.value;
}));

constexpr unsigned char last = 0x80;  // on the last byte of a name, and of a number

// Each constant is: how much its name shares with the one before, the rest of the name, and the value twice, plus one
// if it is negative, in groups of seven bits with the lowest first.
template <class Put> consteval void encode(Put put) {
    std::string_view before;
    for (const Constant& one : table) {
        const std::string_view name(one.name);
        std::size_t at = 0;
        while (at < before.size() && at < name.size() && before[at] == name[at]) ++at;
        put(at);
        for (; at < name.size(); ++at) put(static_cast<unsigned char>(name[at]) | (at + 1 == name.size() ? last : 0u));
        const std::int64_t value = one.value;  // twice a long may be too large for one
        auto number = static_cast<std::uint64_t>(value < 0 ? -value * 2 + 1 : value * 2);
        for (; number >= last; number >>= 7) put(number % last);
        put(number | last);
        before = name;
    }
}

consteval std::size_t encoded_size() {
    std::size_t size = 0;
    encode([&](std::uint64_t) { ++size; });
    return size;
}

struct Encoded {
    unsigned char bytes[encoded_size()]{};

    consteval Encoded() {
        unsigned char* end = bytes;
        encode([&](std::uint64_t byte) { *end++ = static_cast<unsigned char>(byte); });
    }
};

constexpr Encoded encoded;

}  // namespace
}  // namespace usocket

bool usocket_core_constant(const char* wanted, size_t wanted_size, int32_t* value) {
    using namespace usocket;
    char name[longest_name];
    for (const unsigned char* at = encoded.bytes; at != std::end(encoded.bytes);) {
        std::size_t size = *at++;
        do name[size++] = static_cast<char>(*at & ~last);
        while ((*at++ & last) == 0);
        std::uint32_t number = 0;
        unsigned shift = 0;
        do {
            number |= static_cast<std::uint32_t>(*at & ~last) << shift;
            shift += 7;
        } while ((*at++ & last) == 0);
        if (size == wanted_size && std::memcmp(name, wanted, size) == 0) {
            const auto magnitude = static_cast<std::int32_t>(number / 2);
            *value = number % 2 != 0 ? -magnitude : magnitude;
            return true;
        }
    }
    return false;
}
