#include "usocket/timeout.hpp"

namespace usocket {

Result<Timeout> Timeout::from_seconds(double seconds) noexcept {
    if (!(seconds >= 0 && seconds <= 9223372036.0)) return Error(Fault::timeout_range);
    const auto whole = static_cast<std::int64_t>(seconds);
    // volatile: x87, where 32 bits of x86 compute, would compare with more digits than a double has.
    const volatile double rest = (seconds - static_cast<double>(whole)) * 1e9;
    auto nanoseconds = static_cast<std::int64_t>(rest);
    if (static_cast<double>(nanoseconds) < rest) ++nanoseconds;
    return of_nanoseconds(whole * 1'000'000'000 + nanoseconds);
}

}  // namespace usocket
