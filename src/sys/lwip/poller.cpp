// Many at once. Each poller has a ring of those that may be ready: what changes puts its watches there, and a wait
// takes out those that it finds are not. So a wait costs what is ready or has changed (POLL-4).
#include <new>
#include <utility>

#include "sys/lwip/table.hpp"
#include "sys/lwip/waiting.hpp"

namespace usocket::sys {

static_assert(sizeof(PollerEvents::native) >= (PollerEvents::room + 1) * sizeof(PollerEvent));

struct Watch {
    Poller* poller;
    Sock* sock;  // nullptr: it is gone
    Fd fd;
    std::uint32_t serial;  // of the number, when it was added
    unsigned events;
    std::uint32_t generation;
    Watch* next_of_sock;
    Watch* next;  // of the poller's all
    Watch** link;
    Watch* next_maybe;  // nullptr: not in the ring
};

struct Poller {
    Watch* all = nullptr;
    Watch* last_maybe = nullptr;  // of the ring; behind it is the first
    Watch* spare = nullptr;       // by `next`: nothing asks for memory, or gives it back, under the guard
    std::size_t waiters = 0;
    std::atomic<bool> rings{false};
};

namespace {

void note(Watch& watch) noexcept {
    if (watch.next_maybe != nullptr) return;
    Poller& poller = *watch.poller;
    if (poller.last_maybe == nullptr) {
        watch.next_maybe = &watch;
    } else {
        watch.next_maybe = poller.last_maybe->next_maybe;
        poller.last_maybe->next_maybe = &watch;
    }
    poller.last_maybe = &watch;
}

// The one behind `before` leaves the ring.
void leave_ring(Poller& poller, Watch& before) noexcept {
    Watch* gone = before.next_maybe;
    before.next_maybe = gone->next_maybe;
    if (poller.last_maybe == gone) poller.last_maybe = &before;
    if (gone == &before) poller.last_maybe = nullptr;
    gone->next_maybe = nullptr;
}

void forget(Watch& watch) noexcept {
    if (watch.next_maybe != nullptr) {
        Watch* before = &watch;
        while (before->next_maybe != &watch) before = before->next_maybe;
        leave_ring(*watch.poller, *before);
    }
    if (watch.sock != nullptr) {
        Watch** link = &watch.sock->watches;
        while (*link != &watch) link = &(*link)->next_of_sock;
        *link = watch.next_of_sock;
    }
    *watch.link = watch.next;
    if (watch.next != nullptr) watch.next->link = watch.link;
    watch.next = std::exchange(watch.poller->spare, &watch);
}

// The number is still what was added.
bool is_same(const Watch& watch) noexcept { return watch.sock != nullptr && serial_of(watch.fd) == watch.serial; }

Watch* find_watch(Poller& poller, Fd fd) noexcept {
    const Sock* sock = find(fd);
    for (Watch* one = sock == nullptr ? nullptr : sock->watches; one != nullptr; one = one->next_of_sock) {
        if (one->poller == &poller && one->fd == fd && is_same(*one)) return one;
    }
    return nullptr;
}

Watch* find_gone(Poller& poller, Fd fd) noexcept {
    for (Watch* one = poller.all; one != nullptr; one = one->next) {
        if (one->fd == fd) return one;
    }
    return nullptr;
}

unsigned events_of(const Watch& watch) noexcept {
    if (watch.events == poll_nothing) return 0;
    return is_same(watch) ? ready(*watch.sock) & (watch.events | poll_err | poll_hup) : poll_nval;
}

// Once around the ring, at most; the next time begins behind what was found last.
void collect(Poller& poller, PollerEvents& found, std::size_t most) noexcept {
    auto* events = reinterpret_cast<PollerEvent*>(found.native);
    Watch* const last = poller.last_maybe;
    while (poller.last_maybe != nullptr && found.count < most) {
        Watch& watch = *poller.last_maybe->next_maybe;
        const bool is_last = &watch == last;
        const unsigned shown = events_of(watch);
        if (shown == 0) {
            leave_ring(poller, *poller.last_maybe);
        } else {
            events[found.count++] = {watch.fd, watch.generation, shown};
            poller.last_maybe = &watch;
        }
        if (is_last) break;
    }
    if (poller.rings.load(std::memory_order_seq_cst)) events[found.count++] = {no_fd, 0, poll_in};
}

}  // namespace

void note_watches(const Sock& sock) noexcept {
    for (Watch* one = sock.watches; one != nullptr; one = one->next_of_sock) note(*one);
}

void drop_watches(Sock& sock) noexcept {
    while (Watch* one = sock.watches) {
        sock.watches = one->next_of_sock;
        one->sock = nullptr;
        note(*one);
    }
}

Poller* poller_make() noexcept {
    void* memory = resize(nullptr, sizeof(Poller));
    return memory == nullptr ? nullptr : new (memory) Poller;
}

bool poller_provide(Poller* poller) noexcept {
    {
        const Guard guard;
        if (poller->spare != nullptr) return true;
    }
    void* memory = resize(nullptr, sizeof(Watch));
    if (memory == nullptr) return false;
    auto* made = new (memory) Watch{};
    const Guard guard;
    made->next = std::exchange(poller->spare, made);
    return true;
}

void poller_destroy(Poller* poller) noexcept {
    while (Watch* one = poller->spare) {
        poller->spare = one->next;
        (void)resize(one, 0);
    }
    (void)resize(poller, 0);
}

void poller_close(Poller* poller) noexcept {
    const Guard guard;
    while (poller->all != nullptr) forget(*poller->all);
}

Error poller_open(Poller* poller, bool) noexcept {
    const Guard guard;
    while (poller->all != nullptr) forget(*poller->all);
    if (poller->waiters != 0) poller_ring(poller);
    return Error();
}

Result<void> poller_add(Poller* poller, Fd fd, unsigned events, std::uint32_t generation) noexcept {
    const Guard guard;
    Sock* sock = find(fd);
    if (sock == nullptr) return Error(EBADF);
    if (Watch* old = find_watch(*poller, fd)) forget(*old);
    Watch* watch = poller->spare;
    if (watch == nullptr) return Error(ENOMEM);
    poller->spare = watch->next;
    *watch = {poller, sock, fd, serial_of(fd), events, generation, sock->watches, poller->all, &poller->all, nullptr};
    if (watch->next != nullptr) watch->next->link = &watch->next;
    poller->all = watch;
    sock->watches = watch;
    note(*watch);
    if (poller->waiters != 0) usocket_port_wake();
    return {};
}

Result<void> poller_change(Poller* poller, Fd fd, unsigned events, std::uint32_t generation) noexcept {
    const Guard guard;
    if (find(fd) == nullptr) return Error(EBADF);
    Watch* watch = find_watch(*poller, fd);
    if (watch == nullptr) return Error(ENOENT);
    if (watch->events == events && watch->generation == generation) return {};
    watch->events = events;
    watch->generation = generation;
    note(*watch);
    if (poller->waiters != 0) usocket_port_wake();
    return {};
}

void poller_remove(Poller* poller, Fd fd) noexcept {
    const Guard guard;
    Watch* watch = find_watch(*poller, fd);
    if (watch == nullptr) watch = find_gone(*poller, fd);
    if (watch != nullptr) forget(*watch);
}

Error poller_wait(Poller* poller, PollerEvents& found, std::size_t most, Timeout timeout) noexcept {
    const Guard guard;
    Waiting waiting(timeout);
    found.count = 0;
    ++poller->waiters;
    Error error;
    for (;;) {
        turn();
        collect(*poller, found, std::min(most, PollerEvents::room));
        if (found.count != 0) break;
        const auto slept = waiting.sleep();
        if (slept == Waiting::Slept::interrupted) error = Error(EINTR);
        if (slept != Waiting::Slept::some) break;
    }
    --poller->waiters;
    return error;
}

PollerEvent poller_event(const PollerEvents& found, std::size_t index) noexcept {
    return reinterpret_cast<const PollerEvent*>(found.native)[index];
}

Result<void> poller_arm(Poller*) noexcept { return {}; }

void poller_ring(Poller* poller) noexcept {
    poller->rings.store(true, std::memory_order_seq_cst);
    usocket_port_wake();
}

void poller_hush(Poller* poller) noexcept { poller->rings.store(false, std::memory_order_seq_cst); }

}  // namespace usocket::sys
