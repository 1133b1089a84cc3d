// Time, and waiting for one descriptor.
#include <poll.h>
#include <sched.h>
#include <time.h>

#include <algorithm>

#include "sys/posix/native.hpp"

namespace usocket::sys {

const unsigned poll_in = POLLIN;
const unsigned poll_out = POLLOUT;
const unsigned poll_err = POLLERR;
const unsigned poll_hup = POLLHUP;
const unsigned poll_nval = POLLNVAL;
#if defined(POLLRDHUP)
const unsigned poll_rdhup = POLLRDHUP;
#else
const unsigned poll_rdhup = 0;
#endif

std::int64_t now() noexcept {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec + 1;
}

Result<unsigned> wait(Fd fd, unsigned events, Timeout timeout) noexcept {
    pollfd watched{fd, static_cast<short>(events), 0};
    timespec span{};
    if (!timeout.is_none()) {
        span.tv_sec = static_cast<time_t>(timeout.nanoseconds() / 1'000'000'000);
        span.tv_nsec = static_cast<long>(timeout.nanoseconds() % 1'000'000'000);
    }
    const int ready = ::ppoll(&watched, fd == no_fd ? 0 : 1, timeout.is_none() ? nullptr : &span, nullptr);
    if (ready < 0) return last_error();
    return static_cast<unsigned>(static_cast<unsigned short>(watched.revents));
}

void yield_thread() noexcept { ::sched_yield(); }

}  // namespace usocket::sys
