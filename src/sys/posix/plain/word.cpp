// Words in memory that threads sleep on: whoever sleeps looks now and then.
#include "sys/posix/native.hpp"

namespace usocket::sys {

Result<void> sleep_on_word(const std::atomic<std::uint32_t>& /*word*/, std::uint32_t /*value*/,
                           Timeout /*timeout*/) noexcept {
    return wait(no_fd, 0, Timeout::of_nanoseconds(1'000'000)).error();
}

void wake_word(const std::atomic<std::uint32_t>& /*word*/) noexcept {}

}  // namespace usocket::sys
