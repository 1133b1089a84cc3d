// Many at once, by poll(2), for systems without epoll: a wait costs what is registered.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "sys/posix/native.hpp"
#include "wait/lock.hpp"

namespace usocket::sys {

// A wait works on a copy of the list, because other threads may change the list meanwhile; whoever changes it wakes it.
struct Poller {
    Lock lock;
    pollfd* watched = nullptr;
    std::size_t size = 0;
    std::size_t room = 0;
    std::size_t first = 0;  // where the next wait starts to report, for fairness
    int wake_read = -1;
    int wake_write = -1;
};

namespace {

pollfd* find(Poller& poller, Fd fd) noexcept {
    pollfd* end = poller.watched + poller.size;
    pollfd* found = std::find_if(poller.watched, end, [fd](const pollfd& one) { return one.fd == fd; });
    return found == end ? nullptr : found;
}

}  // namespace

Result<Poller*> poller_open() noexcept {
    void* memory = resize(nullptr, sizeof(Poller));
    if (memory == nullptr) return Error(ENOMEM);
    auto* poller = new (memory) Poller;
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        const Error error = last_error();
        (void)resize(poller, 0);
        return error;
    }
    poller->wake_read = ends[0];
    poller->wake_write = ends[1];
    const auto added = poller_set(poller, poller->wake_read, POLLIN, true);
    if (added) return poller;
    poller_close(poller);
    return added.error();
}

void poller_close(Poller* poller) noexcept {
    ::close(poller->wake_read);
    ::close(poller->wake_write);
    (void)resize(poller->watched, 0);
    (void)resize(poller, 0);
}

Result<void> poller_set(Poller* poller, Fd fd, unsigned events, bool) noexcept {
    if (::fcntl(fd, F_GETFD) < 0) return last_error();
    {
        const Locked locked(poller->lock);
        pollfd* place = find(*poller, fd);
        if (place == nullptr) {
            if (poller->size == poller->room) {
                const std::size_t room = std::max<std::size_t>(16, 2 * poller->room);
                void* memory = resize(poller->watched, room * sizeof(pollfd));
                if (memory == nullptr) return Error(ENOMEM);
                poller->watched = static_cast<pollfd*>(memory);
                poller->room = room;
            }
            place = &poller->watched[poller->size++];
        }
        *place = {fd, static_cast<short>(events), 0};
    }
    poller_wake(poller);
    return {};
}

void poller_remove(Poller* poller, Fd fd) noexcept {
    const Locked locked(poller->lock);
    if (pollfd* place = find(*poller, fd)) *place = poller->watched[--poller->size];
}

Error poller_wait(Poller* poller, PollerEvents& found, std::size_t most, Timeout timeout) noexcept {
    auto* events = reinterpret_cast<PollerEvent*>(found.native);
    const std::size_t room = std::min(most, PollerEvents::room);
    found.count = 0;
    pollfd* copy = nullptr;
    std::size_t size = 0;
    std::size_t first = 0;
    {
        const Locked locked(poller->lock);
        size = poller->size;
        copy = static_cast<pollfd*>(resize(nullptr, size * sizeof(pollfd)));
        if (copy == nullptr) return Error(ENOMEM);
        std::memcpy(copy, poller->watched, size * sizeof(pollfd));
        first = poller->first % size;
    }
    timespec span{};
    if (!timeout.is_none()) {
        span.tv_sec = static_cast<time_t>(timeout.nanoseconds() / 1'000'000'000);
        span.tv_nsec = static_cast<long>(timeout.nanoseconds() % 1'000'000'000);
    }
    const int ready = ::ppoll(copy, size, timeout.is_none() ? nullptr : &span, nullptr);
    const Error error = ready < 0 ? last_error() : Error();
    std::size_t next = 0;
    for (std::size_t i = 0; ready > 0 && i < size && found.count < room; ++i) {
        const pollfd& one = copy[(first + i) % size];
        if (one.revents == 0) continue;
        if (one.fd == poller->wake_read) {
            char unused[64];
            while (::read(poller->wake_read, unused, sizeof unused) > 0) {
            }
        } else if ((one.revents & POLLNVAL) != 0) {
            // A descriptor that was closed leaves by itself.
            poller_remove(poller, one.fd);
        } else {
            events[found.count++] = {one.fd, static_cast<unsigned>(static_cast<unsigned short>(one.revents))};
            if (found.count == room) next = first + i + 1;
        }
    }
    if (next != 0) {
        const Locked locked(poller->lock);
        poller->first = next;
    }
    (void)resize(copy, 0);
    return error;
}

PollerEvent poller_event(const PollerEvents& found, std::size_t index) noexcept {
    return reinterpret_cast<const PollerEvent*>(found.native)[index];
}

Result<void> poller_arm(Poller*) noexcept { return {}; }  // it can be woken from the start

void poller_wake(Poller* poller) noexcept {
    const char unused = 0;
    (void)!::write(poller->wake_write, &unused, 1);
}

}  // namespace usocket::sys
