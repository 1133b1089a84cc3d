// Time, and waiting for one descriptor.
#include <sched.h>
#include <sys/ioctl.h>
#include <time.h>

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

// A descriptor of -1 is skipped by poll(2).
Result<unsigned> wait(Fd fd, unsigned events, Timeout timeout, Fd bell) noexcept {
    pollfd watched[] = {{fd, static_cast<short>(events), 0}, {bell, POLLIN, 0}};
    if (calls::poll(watched, bell == no_fd ? 1 : 2, timeout) < 0) return last_error();
    return static_cast<unsigned>(static_cast<unsigned short>(watched[0].revents));
}

Result<std::size_t> queued(Fd fd) noexcept {
    int count = 0;
    if (::ioctl(fd, FIONREAD, &count) < 0) return last_error();
    return static_cast<std::size_t>(count);
}

// Before an urgent mark Linux counts for TCP what is before it. A poll tells of the mark, also once it is reached and
// no longer in the way.
bool holds_more(Fd fd, std::size_t shown, bool has_mark) noexcept {
    if (queued(fd).value_or(0u) > shown) return true;
    if (!has_mark) has_mark = (wait(fd, POLLPRI, Timeout::zero()).value_or(0u) & POLLPRI) != 0;
    int is_at_mark = 1;  // as sockatmark(3) asks
    return has_mark && ::ioctl(fd, SIOCATMARK, &is_at_mark) == 0 && is_at_mark == 0;
}

bool holds_nothing_urgent(Fd fd) noexcept {
    const auto ready = wait(fd, POLLIN | POLLPRI, Timeout::zero());
    return (ready.value_or(0u) & (POLLIN | POLLPRI)) == POLLIN;
}

void yield_thread() noexcept { ::sched_yield(); }

}  // namespace usocket::sys
