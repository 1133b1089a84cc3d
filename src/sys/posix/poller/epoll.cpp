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

static_assert(sizeof(PollerEvents::native) >= PollerEvents::room * sizeof(epoll_event));

namespace {

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

Error poller_wait(Poller* poller, PollerEvents& found, std::size_t most, Timeout timeout) noexcept {
    auto* native = reinterpret_cast<epoll_event*>(found.native);
    const int room = static_cast<int>(std::min(most, PollerEvents::room));
    const int ready = ::epoll_wait(poller->epoll, native, room, milliseconds(timeout));
    found.count = ready < 0 ? 0 : static_cast<std::size_t>(ready);
    if (ready < 0) return last_error();
    if (poller->wake >= 0) {
        const bool is_woken =
            std::any_of(native, native + ready, [](const epoll_event& one) { return one.data.fd == no_fd; });
        eventfd_t unused = 0;
        if (is_woken) (void)::eventfd_read(poller->wake, &unused);
    }
    return Error();
}

PollerEvent poller_event(const PollerEvents& found, std::size_t index) noexcept {
    const epoll_event& native = reinterpret_cast<const epoll_event*>(found.native)[index];
    return {native.data.fd, native.events};
}

Result<void> poller_arm(Poller* poller) noexcept {
    if (poller->wake >= 0) return {};
    const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake < 0) return last_error();
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = no_fd;
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
