// Timeout: how long a call may take: for ever, not at all, or a time span (TIME-1). Deadline: until when (TIME-10).
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>

#include "usocket/result.hpp"

namespace usocket {

class Timeout {
public:
    // Without a value: blocking, for ever.
    constexpr Timeout() noexcept = default;
    constexpr Timeout(std::nullopt_t) noexcept {}
    // A span that is used up, zero or negative, has passed: ETIMEDOUT. Non-blocking is zero(). One over 292 years
    // counts as that.
    template <class Rep, class Period>
    constexpr Timeout(std::chrono::duration<Rep, Period> span) noexcept : nanoseconds_(clamp(span)) {}

    [[nodiscard]] static constexpr Timeout none() noexcept { return {}; }
    // Non-blocking.
    [[nodiscard]] static constexpr Timeout zero() noexcept { return of_nanoseconds(0); }
    // The shortest span there is: it has passed before a call can wait.
    [[nodiscard]] static constexpr Timeout passed() noexcept { return of_nanoseconds(1); }
    [[nodiscard]] static constexpr Timeout of_nanoseconds(std::int64_t nanoseconds) noexcept {
        Timeout timeout;
        timeout.nanoseconds_ = nanoseconds < 0 ? 0 : nanoseconds;
        return timeout;
    }
    // Rounded up to the nanosecond. NaN, a negative number or more than 9223372036 s: Fault::timeout_range.
    [[nodiscard]] USOCKET_API static Result<Timeout> from_seconds(double seconds) noexcept;

    // Blocking for ever; non-blocking.
    [[nodiscard]] constexpr bool is_none() const noexcept { return nanoseconds_ < 0; }
    [[nodiscard]] constexpr bool is_zero() const noexcept { return nanoseconds_ == 0; }
    // Only without is_none().
    [[nodiscard]] constexpr std::int64_t nanoseconds() const noexcept { return nanoseconds_; }
    [[nodiscard]] constexpr double seconds() const noexcept { return static_cast<double>(nanoseconds_) / 1e9; }

    friend constexpr bool operator==(const Timeout&, const Timeout&) noexcept = default;

private:
    template <class Rep, class Period>
    static constexpr std::int64_t clamp(std::chrono::duration<Rep, Period> span) noexcept {
        using Seconds = std::chrono::duration<double>;
        const double seconds = std::chrono::duration_cast<Seconds>(span).count();
        if (!(seconds > 0)) return passed().nanoseconds();
        if (seconds >= 9223372036.0) return INT64_MAX;
        return std::chrono::ceil<std::chrono::nanoseconds>(span).count();
    }

    // Aligned as a word, so that a Socket has no gap before it where pointers have 32 bits.
    using Nanoseconds [[gnu::aligned(4)]] = std::int64_t;
    Nanoseconds nanoseconds_ = -1;
};

// A point of the monotonic clock. Calls that are given one, by Call(deadline), end by then, all of them together.
class Deadline {
public:
    constexpr explicit Deadline(std::chrono::steady_clock::time_point point) noexcept
        : nanoseconds_(positive(nanoseconds_of(point))) {}
    // So long from now.
    template <class Rep, class Period>
    [[nodiscard]] static Deadline after(std::chrono::duration<Rep, Period> span) noexcept {
        const std::int64_t now = nanoseconds_of(std::chrono::steady_clock::now());
        const Timeout timeout(span);
        Deadline deadline;
        deadline.nanoseconds_ =
            positive(timeout.nanoseconds() > INT64_MAX - now ? INT64_MAX : now + timeout.nanoseconds());
        return deadline;
    }

    // Of the monotonic clock.
    [[nodiscard]] constexpr std::int64_t nanoseconds() const noexcept { return nanoseconds_; }
    // What is left; Timeout::passed() if nothing is.
    [[nodiscard]] Timeout remaining() const noexcept {
        return Timeout(std::chrono::nanoseconds(nanoseconds_) - std::chrono::steady_clock::now().time_since_epoch());
    }
    [[nodiscard]] bool has_passed() const noexcept {
        return nanoseconds_ <= nanoseconds_of(std::chrono::steady_clock::now());
    }
    // The earlier one is less.
    friend constexpr auto operator<=>(const Deadline&, const Deadline&) noexcept = default;

private:
    constexpr Deadline() noexcept = default;
    static constexpr std::int64_t nanoseconds_of(std::chrono::steady_clock::time_point point) noexcept {
        const std::chrono::nanoseconds since_zero = point.time_since_epoch();
        return since_zero.count();
    }
    static constexpr std::int64_t positive(std::int64_t nanoseconds) noexcept {
        return nanoseconds > 0 ? nanoseconds : 1;
    }

    std::int64_t nanoseconds_ = 1;  // of CLOCK_MONOTONIC
};

}  // namespace usocket
