// Random: numbers from a seed, the same on every machine and compiler (splitmix64).
#pragma once

#include <cstddef>
#include <cstdint>

namespace usocket::tests {

class Random {
public:
    explicit Random(std::uint64_t seed) noexcept : state_(seed * 0x2545f4914f6cdd1dULL + 0x9e3779b97f4a7c15ULL) {}

    std::uint64_t next() noexcept {
        state_ += 0x9e3779b97f4a7c15ULL;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
        return mixed ^ (mixed >> 31);
    }
    // 0 to limit - 1; limit is not 0. What is drawn counts something in memory, on 32 bits too.
    std::size_t below(std::uint64_t limit) noexcept { return static_cast<std::size_t>(next() % limit); }
    // first to last.
    std::size_t between(std::size_t first, std::size_t last) noexcept {
        return first + below(std::uint64_t{last} - first + 1);
    }
    // True this many times in a thousand.
    bool chance(unsigned per_mille) noexcept { return per_mille != 0 && below(1000) < per_mille; }

private:
    std::uint64_t state_;
};

}  // namespace usocket::tests
