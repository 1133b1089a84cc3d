// Timeout: how long a call may take: for ever, not at all, or a time span (TIME-1).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "usocket/result.hpp"

namespace usocket {

class Timeout {
public:
    // Without a value: blocking, for ever.
    constexpr Timeout() noexcept = default;
    constexpr Timeout(std::nullopt_t) noexcept {}
    // Zero: non-blocking. A negative span counts as zero, one over 292 years as that.
    template <class Rep, class Period>
    constexpr Timeout(std::chrono::duration<Rep, Period> span) noexcept : nanoseconds_(clamp(span)) {}

    [[nodiscard]] static constexpr Timeout none() noexcept { return {}; }
    [[nodiscard]] static constexpr Timeout zero() noexcept { return of_nanoseconds(0); }
    [[nodiscard]] static constexpr Timeout of_nanoseconds(std::int64_t nanoseconds) noexcept {
        Timeout timeout;
        timeout.nanoseconds_ = nanoseconds < 0 ? 0 : nanoseconds;
        return timeout;
    }
    // Rounded up to the nanosecond. NaN, a negative number or more than 9223372036 s: Fault::timeout_range.
    [[nodiscard]] static Result<Timeout> from_seconds(double seconds) noexcept;

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
        if (!(seconds > 0)) return 0;
        if (seconds >= 9223372036.0) return INT64_MAX;
        return std::chrono::ceil<std::chrono::nanoseconds>(span).count();
    }

    std::int64_t nanoseconds_ = -1;
};

}  // namespace usocket
