// The constants of NAME-3, all that the compiler's headers have, in as few bytes as may be: a program that names one
// looks it up once. The build lists them in constants.inc.
#include "usocket/constants.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "bridge.h"
#include "usocket/socket.hpp"

namespace usocket {
namespace {

constexpr Constant table[] = {
#include "constants.inc"
};

static_assert(std::ranges::all_of(table, [](const Constant& one) {
    return static_cast<std::int32_t>(one.value) == one.value;
}));

// In place of a name stands its hash (FNV-1a), which takes a third of the bytes. No two of them have the same; that a
// name which is none of them has the hash of one is as likely as one in ten million.
constexpr std::uint32_t hash_of(std::string_view name) noexcept {
    std::uint32_t hash = 2166136261;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
    return hash;
}

static_assert([] {
    std::array<std::uint32_t, std::size(table)> hashes{};
    std::ranges::transform(table, hashes.begin(), [](const Constant& one) { return hash_of(one.name); });
    std::ranges::sort(hashes);
    return std::ranges::adjacent_find(hashes) == hashes.end();
}());

constexpr unsigned char last = 0x80;  // on the last byte of a value

// Each constant is: four bytes of hash, and the value twice, plus one if it is negative, in groups of seven bits, both
// with the lowest first.
template <class Put> consteval void encode(Put put) {
    for (const Constant& one : table) {
        const std::uint32_t hash = hash_of(one.name);
        for (unsigned shift = 0; shift != 32; shift += 8) put(hash >> shift & 0xff);
        const std::int64_t value = one.value;  // twice a long may be too large for one
        auto number = static_cast<std::uint64_t>(value < 0 ? -value * 2 + 1 : value * 2);
        for (; number >= last; number >>= 7) put(number % last);
        put(number | last);
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

bool usocket_constant(const char* name, size_t size, int64_t* value) {
    using namespace usocket;
    const std::uint32_t wanted = hash_of({name, size});
    for (const unsigned char* at = encoded.bytes; at != std::end(encoded.bytes);) {
        std::uint32_t hash = 0;
        for (unsigned shift = 0; shift != 32; shift += 8) hash |= std::uint32_t{*at++} << shift;
        std::uint32_t number = 0;
        unsigned shift = 0;
        do {
            number |= static_cast<std::uint32_t>(*at & ~last) << shift;
            shift += 7;
        } while ((*at++ & last) == 0);
        if (hash == wanted) {
            const auto magnitude = static_cast<std::int32_t>(number / 2);
            *value = number % 2 != 0 ? -magnitude : magnitude;
            return true;
        }
    }
    return false;
}
