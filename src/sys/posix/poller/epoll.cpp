// Many at once, by epoll(7): a wait costs what is ready, not what is registered (POLL-4). And, by its edges, a queue
// that grows.
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <new>

#include "sys/posix/native.hpp"
#include "sys/posix/span.hpp"

namespace usocket::sys {

static_assert(EPOLLIN == 0x1 && EPOLLOUT == 0x4 && EPOLLERR == 0x8 && EPOLLHUP == 0x10, "the values of poll(2)");

// The numbers stay as long as it lives: whoever waits or rings needs no lock to read them.
struct Poller {
    int epoll = -1;
    std::atomic<int> bell{-1};  // an eventfd, also in the epoll; a poll that never sleeps has none
};

static_assert(sizeof(PollerEvents::native) >= PollerEvents::room * sizeof(epoll_event));

namespace {

// What has no mask stays in the epoll, so that its file is known again: after one report of an error, if there is one,
// it is silent.
std::uint32_t native_events(unsigned events) noexcept {
    return events == poll_nothing ? std::uint32_t{EPOLLET} | std::uint32_t{EPOLLONESHOT} : events;
}

Result<void> control(const Poller* poller, int operation, Fd fd, unsigned events, std::uint32_t tag) noexcept {
    // One that was closed, and whose number the poller has got itself.
    if (fd == poller->epoll || fd == poller->bell.load(std::memory_order_relaxed)) return Error(EBADF);
    epoll_event event{};
    event.events = native_events(events);
    event.data.u64 = std::uint64_t{tag} << 32 | static_cast<std::uint32_t>(fd);
    return check(::epoll_ctl(poller->epoll, operation, fd, &event));
}

Result<void> control_bell(int epoll, int operation, int bell, std::uint32_t events) noexcept {
    epoll_event event{};
    event.events = events;
    event.data.u64 = static_cast<std::uint32_t>(no_fd);
    return check(::epoll_ctl(epoll, operation, bell, &event));
}

// Puts one descriptor in the place of another.
Error replace(int place, int fd) noexcept {
    const Error error = check(calls::dup2(fd, place)).error();
    ::close(fd);
    return error;
}

}  // namespace

void poller_close(Poller* poller) noexcept {
    if (poller->bell >= 0) ::close(poller->bell);
    if (poller->epoll >= 0) ::close(poller->epoll);
}

Error poller_open(Poller* poller, bool is_inherited) noexcept {
    const int bell = poller->bell;
    if (bell >= 0 && is_inherited) {
        const auto own_bell = bell_open();
        if (!own_bell) return own_bell.error();
        if (const Error error = replace(bell, *own_bell); error != Error()) return error;
    }
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) return last_error();
    if (bell >= 0) {
        if (const auto added = control_bell(epoll, EPOLL_CTL_ADD, bell, EPOLLIN); !added) {
            ::close(epoll);
            return added.error();
        }
        // Whoever still sleeps in the old one, which lives as long, finds that the bell can always be rung.
        if (!is_inherited) (void)control_bell(poller->epoll, EPOLL_CTL_MOD, bell, EPOLLIN | EPOLLOUT);
    }
    if (poller->epoll >= 0) return replace(poller->epoll, epoll);
    poller->epoll = epoll;
    return Error();
}

Result<void> poller_add(Poller* poller, Fd fd, unsigned events, std::uint32_t generation) noexcept {
    const auto added = control(poller, EPOLL_CTL_ADD, fd, events, generation);
    // The same file was known by this number before, and the number has been somebody else's meanwhile.
    return added.error() == Error(EEXIST) ? control(poller, EPOLL_CTL_MOD, fd, events, generation) : added;
}

Result<void> poller_change(Poller* poller, Fd fd, unsigned events, std::uint32_t generation) noexcept {
    return control(poller, EPOLL_CTL_MOD, fd, events, generation);
}

void poller_remove(Poller* poller, Fd fd) noexcept { (void)control(poller, EPOLL_CTL_DEL, fd, 0, 0); }

Error poller_wait(Poller* poller, PollerEvents& found, std::size_t most, Timeout timeout) noexcept {
    auto* native = reinterpret_cast<epoll_event*>(found.native);
    const int room = static_cast<int>(std::min(most, PollerEvents::room));
    const int ready = ::epoll_wait(poller->epoll, native, room, milliseconds(timeout));
    found.count = ready < 0 ? 0 : static_cast<std::size_t>(ready);
    return ready < 0 ? last_error() : Error();
}

PollerEvent poller_event(const PollerEvents& found, std::size_t index) noexcept {
    const epoll_event& native = reinterpret_cast<const epoll_event*>(found.native)[index];
    const std::uint64_t data = native.data.u64;
    return {static_cast<Fd>(static_cast<std::uint32_t>(data)), static_cast<std::uint32_t>(data >> 32), native.events};
}

Result<void> poller_arm(Poller* poller) noexcept {
    if (poller->bell.load(std::memory_order_relaxed) >= 0) return {};
    const auto bell = bell_open();
    if (!bell) return bell.error();
    const auto added = control_bell(poller->epoll, EPOLL_CTL_ADD, *bell, EPOLLIN);
    if (added) {
        poller->bell.store(*bell, std::memory_order_seq_cst);
    } else {
        ::close(*bell);
    }
    return added;
}

void poller_ring(Poller* poller) noexcept {
    const int bell = poller->bell.load(std::memory_order_seq_cst);
    if (bell < 0) return;
    const int before = errno;
    bell_ring(bell);
    errno = before;
}

void poller_hush(Poller* poller) noexcept {
    std::uint64_t rings = 0;
    (void)!::read(poller->bell, &rings, sizeof rings);
}

// --- A queue that grows

Result<Fd> growth_open(Fd fd) noexcept {
    const int growth = ::epoll_create1(EPOLL_CLOEXEC);
    if (growth < 0) return last_error();
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
    if (::epoll_ctl(growth, EPOLL_CTL_ADD, fd, &event) == 0) return growth;
    const Error error = last_error();
    ::close(growth);
    return error;
}

bool growth_take(Fd growth) noexcept {
    epoll_event event{};
    if (::epoll_wait(growth, &event, 1, 0) != 1) return false;
    return (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
}

}  // namespace usocket::sys

#include "sys/posix/poller/life.hpp"
