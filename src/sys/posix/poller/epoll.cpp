// Many at once, by epoll(7): a wait costs what is ready, not what is registered (POLL-4).
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "sys/posix/native.hpp"

namespace usocket::sys {

static_assert(EPOLLIN == 0x1 && EPOLLOUT == 0x4 && EPOLLERR == 0x8 && EPOLLHUP == 0x10, "the values of poll(2)");

struct Poller {
    int epoll = -1;
    int wake = -1;  // an eventfd, also in the epoll; a poll that never waits has none
};

namespace {

constexpr int max_batch = 256;

// epoll counts in milliseconds: rounded up, so that a wait is not too short.
int milliseconds(Timeout timeout) noexcept {
    if (timeout.is_none()) return -1;
    const std::int64_t rounded = timeout.nanoseconds() / 1'000'000 + (timeout.nanoseconds() % 1'000'000 != 0 ? 1 : 0);
    return static_cast<int>(std::min<std::int64_t>(rounded, INT_MAX));
}

}  // namespace

Result<Poller*> poller_open() noexcept {
    auto* poller = static_cast<Poller*>(resize(nullptr, sizeof(Poller)));
    if (poller == nullptr) return Error(ENOMEM);
    poller->wake = -1;
    poller->epoll = ::epoll_create1(EPOLL_CLOEXEC);
    if (poller->epoll >= 0) return poller;
    const Error error = last_error();
    poller_close(poller);
    return error;
}

void poller_close(Poller* poller) noexcept {
    if (poller->wake >= 0) ::close(poller->wake);
    if (poller->epoll >= 0) ::close(poller->epoll);
    (void)resize(poller, 0);
}

Result<void> poller_set(Poller* poller, Fd fd, unsigned events, bool is_new) noexcept {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    const int first = is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (::epoll_ctl(poller->epoll, first, fd, &event) == 0) return {};
    // The number may belong to another file than when the caller last looked.
    if (errno != EEXIST && errno != ENOENT) return last_error();
    return check(::epoll_ctl(poller->epoll, is_new ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event));
}

void poller_remove(Poller* poller, Fd fd) noexcept {
    epoll_event unused{};
    (void)::epoll_ctl(poller->epoll, EPOLL_CTL_DEL, fd, &unused);
}

Result<std::size_t> poller_wait(Poller* poller, PollerEvent* events, std::size_t count, Timeout timeout) noexcept {
    epoll_event found[max_batch];
    const int room = static_cast<int>(std::min<std::size_t>(count, max_batch));
    const int ready = ::epoll_wait(poller->epoll, found, room, milliseconds(timeout));
    if (ready < 0) return last_error();
    std::size_t kept = 0;
    for (int i = 0; i < ready; ++i) {
        if (found[i].data.fd != poller->wake) {
            events[kept++] = {found[i].data.fd, found[i].events};
            continue;
        }
        eventfd_t unused = 0;
        (void)::eventfd_read(poller->wake, &unused);
    }
    return kept;
}

Result<void> poller_arm(Poller* poller) noexcept {
    if (poller->wake >= 0) return {};
    const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake < 0) return last_error();
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = wake;
    if (::epoll_ctl(poller->epoll, EPOLL_CTL_ADD, wake, &event) < 0) {
        const Error error = last_error();
        ::close(wake);
        return error;
    }
    poller->wake = wake;
    return {};
}

void poller_wake(Poller* poller) noexcept { (void)::eventfd_write(poller->wake, 1); }

}  // namespace usocket::sys
