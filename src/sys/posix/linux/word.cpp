// Words in memory that threads sleep on: futex(2).
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

#include "sys/posix/native.hpp"
#include "sys/posix/span.hpp"

namespace usocket::sys {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));
#if defined(SYS_futex_time64)
constexpr long futex = sizeof(time_t) > sizeof(long) ? SYS_futex_time64 : SYS_futex;
#else
constexpr long futex = SYS_futex;
#endif

Result<void> sleep_on_word(const std::atomic<std::uint32_t>& word, std::uint32_t value, Timeout timeout) noexcept {
    const Span span(timeout);
    const long result = ::syscall(futex, &word, FUTEX_WAIT_PRIVATE, value, span.get(), nullptr, 0);
    if (result < 0 && errno == EINTR) return Error(EINTR);
    return {};
}

void wake_word(const std::atomic<std::uint32_t>& word) noexcept {
    (void)::syscall(futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace usocket::sys
