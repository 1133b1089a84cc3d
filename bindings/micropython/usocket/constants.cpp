// The constants of NAME-3, all that the compiler's headers have, in as few bytes as may be: a program that names one
// looks it up once. The build lists them in constants.inc.
#include "usocket/constants.hpp"

#include <algorithm>
#include <array>
#include <bit>
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

constexpr std::size_t count = std::size(table);

// In place of a name stands its hash (FNV-1a), which takes less than half of the bytes: as many bits of it as make the
// distance from one to the next about 18 bits. No two of the names have the same; that a name which is none of them has
// the hash of one is as likely as one in 260,000.
constexpr std::uint32_t hash_of(std::string_view name) noexcept {
    constexpr std::uint32_t bits = (std::bit_ceil(count) << 18) - 1;
    std::uint32_t hash = 2166136261;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
    return (hash ^ hash >> 28) & bits;
}

struct Row {
    std::uint32_t hash;
    std::int64_t value;
};

constexpr auto rows = [] {
    std::array<Row, count> all{};
    std::ranges::transform(table, all.begin(), [](const Constant& one) { return Row{hash_of(one.name), one.value}; });
    std::ranges::sort(all, {}, &Row::hash);
    return all;
}();

static_assert(std::ranges::adjacent_find(rows, {}, &Row::hash) == rows.end());

constexpr unsigned char last = 0x80;  // on the last byte of a number

// Each constant is two numbers, in groups of seven bits with the lowest first: how much its hash is more than that of
// the one before, and its value twice, plus one if it is negative.
template <class Put> consteval void encode(Put put) {
    const auto put_number = [&](std::uint64_t number) {
        for (; number >= last; number >>= 7) put(number % last);
        put(number | last);
    };
    std::uint32_t before = 0;
    for (const Row& row : rows) {
        put_number(row.hash - before);
        put_number(static_cast<std::uint64_t>(row.value < 0 ? -row.value * 2 + 1 : row.value * 2));
        before = row.hash;
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

[[gnu::noinline]] std::uint32_t take_number(const unsigned char*& at) noexcept {
    std::uint32_t number = 0;
    for (unsigned shift = 0;; shift += 7) {
        number |= static_cast<std::uint32_t>(*at & ~last) << shift;
        if ((*at++ & last) != 0) return number;
    }
}

}  // namespace
}  // namespace usocket

bool usocket_constant(const char* name, size_t size, int64_t* value) {
    using namespace usocket;
    const std::uint32_t wanted = hash_of({name, size});
    std::uint32_t hash = 0;
    for (const unsigned char* at = encoded.bytes; at != std::end(encoded.bytes);) {
        hash += take_number(at);
        const std::uint32_t number = take_number(at);
        if (hash == wanted) {
            const auto magnitude = static_cast<std::int32_t>(number / 2);
            *value = number % 2 != 0 ? -magnitude : magnitude;
            return true;
        }
    }
    return false;
}
