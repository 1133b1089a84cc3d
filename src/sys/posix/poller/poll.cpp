// Many at once, by poll(2), for systems without epoll: a wait costs what is registered.
#include <pthread.h>
#include <sys/stat.h>

#include <algorithm>
#include <new>
#include <utility>

#include "sys/posix/native.hpp"
#include "sys/posix/poller/pipe_bell.hpp"
#include "wait/held.hpp"
#include "wait/lock.hpp"

namespace usocket::sys {

static_assert(sizeof(PollerEvents::native) >= (PollerEvents::room + 1) * sizeof(PollerEvent));

struct Poller {
    // Which file a number stands for, as far as the system tells: a number that was handed out anew is another's.
    struct File {
        dev_t device = 0;
        ino_t inode = 0;

        static Result<File> of(Fd fd) noexcept {
            struct stat status{};
            if (::fstat(fd, &status) < 0) return last_error();
            return File{status.st_dev, status.st_ino};
        }
        friend bool operator==(const File&, const File&) = default;
    };
    struct Entry {
        Fd fd;
        unsigned events;
        std::uint32_t generation;
        File file;
    };
    // What one thread waits for: its own copy, because others may change the list meanwhile. One that a longjmp has
    // left is found again by its thread's next wait.
    struct Waiter {
        Waiter* next;
        pthread_t thread;
        bool is_inside;
        std::uint32_t version;  // of the list that it has copied
        std::size_t size;
        std::size_t room;
        Entry* entries;
        pollfd* polled;  // one more, for the bell
    };

    Lock lock;
    Entry* entries = nullptr;
    std::size_t size = 0;
    std::size_t room = 0;
    std::size_t first = 0;  // where the next wait starts to report, for fairness
    std::uint32_t version = 0;
    Waiter* waiters = nullptr;
    PipeBell bell;
};

namespace {

using Entry = Poller::Entry;
using Waiter = Poller::Waiter;

class Guard {
public:
    explicit Guard(Poller& poller) noexcept : locked_(poller.lock) {}

private:
    Held held_;
    Locked locked_;
};

template <class T> T* make_array(std::size_t size) noexcept {
    return static_cast<T*>(resize(nullptr, size * sizeof(T)));
}

Entry* find(Poller& poller, Fd fd) noexcept {
    Entry* end = poller.entries + poller.size;
    Entry* found = std::find_if(poller.entries, end, [fd](const Entry& one) { return one.fd == fd; });
    return found == end ? nullptr : found;
}

// Whoever waits has an old copy.
void changed(Poller& poller) noexcept {
    ++poller.version;
    for (const Waiter* one = poller.waiters; one != nullptr; one = one->next) {
        if (one->is_inside) return poller_ring(&poller);
    }
}

// One that nobody uses, or that a longjmp has left. Under the lock.
Waiter* find_waiter(const Poller& poller) noexcept {
    const pthread_t self = ::pthread_self();
    for (Waiter* one = poller.waiters; one != nullptr; one = one->next) {
        if (!one->is_inside || ::pthread_equal(one->thread, self) != 0) return one;
    }
    return nullptr;
}

void free_arrays(const Waiter& waiter) noexcept {
    (void)resize(waiter.entries, 0);
    (void)resize(waiter.polled, 0);
}

// Room for `size` entries, for the next enter(). False: no memory. Without the lock.
bool provide_waiter(Poller& poller, std::size_t size) noexcept {
    Waiter* made = static_cast<Waiter*>(resize(nullptr, sizeof(Waiter)));
    if (made == nullptr) return false;
    *made = {nullptr, {}, false, 0, 0, size, make_array<Entry>(size + 1), make_array<pollfd>(size + 1)};
    const bool has_memory = made->entries != nullptr && made->polled != nullptr;
    Waiter* old = made;
    if (has_memory) {
        const Guard guard(poller);
        old = find_waiter(poller);
        if (old == nullptr) {
            made->next = std::exchange(poller.waiters, made);
        } else {
            std::swap(old->entries, made->entries);
            std::swap(old->polled, made->polled);
            old->room = size;
            old->is_inside = false;
            old = made;
        }
    }
    if (old == nullptr) return true;
    free_arrays(*old);
    (void)resize(old, 0);
    return has_memory;
}

// nullptr: provide_waiter() must come first. Under the lock.
Waiter* enter(Poller& poller) noexcept {
    Waiter* waiter = find_waiter(poller);
    if (waiter == nullptr || waiter->room < poller.size) return nullptr;
    waiter->thread = ::pthread_self();
    waiter->is_inside = true;
    waiter->version = poller.version;
    waiter->size = poller.size;
    std::copy_n(poller.entries, poller.size, waiter->entries);
    for (std::size_t i = 0; i < poller.size; ++i) {
        const Entry& entry = poller.entries[i];
        const bool is_wanted = entry.events != poll_nothing;
        waiter->polled[i] = {is_wanted ? entry.fd : no_fd, static_cast<short>(is_wanted ? entry.events : 0), 0};
    }
    waiter->polled[poller.size] = {poller.bell.read_end(), POLLIN, 0};
    return waiter;
}

// What poll(2) has found. Under the lock.
void report(Poller& poller, const Waiter& waiter, PollerEvents& found, std::size_t room) noexcept {
    auto* events = reinterpret_cast<PollerEvent*>(found.native);
    const std::size_t first = waiter.size == 0 ? 0 : poller.first % waiter.size;
    for (std::size_t i = 0; i < waiter.size && found.count < room; ++i) {
        const std::size_t index = (first + i) % waiter.size;
        const auto ready = static_cast<unsigned short>(waiter.polled[index].revents);
        if (ready == 0) continue;
        const Entry& entry = waiter.entries[index];
        const auto file = Poller::File::of(entry.fd);
        const bool is_same = file && *file == entry.file;
        events[found.count++] = {entry.fd, entry.generation, is_same ? ready : unsigned{POLLNVAL}};
        if (found.count == room) poller.first = index + 1;
    }
    // Beside them: it must not take the place of an event each time.
    if (waiter.polled[waiter.size].revents != 0) events[found.count++] = {no_fd, 0, POLLIN};
}

}  // namespace

Poller* poller_make() noexcept {
    void* memory = resize(nullptr, sizeof(Poller));
    return memory == nullptr ? nullptr : new (memory) Poller;
}

bool poller_provide(Poller* poller) noexcept {
    std::size_t room = 0;
    {
        const Guard guard(*poller);
        if (poller->size < poller->room) return true;
        room = std::max<std::size_t>(16, 2 * poller->room);
    }
    Entry* useless = make_array<Entry>(room);
    if (useless == nullptr) return false;
    {
        const Guard guard(*poller);
        if (poller->room < room) {
            std::copy_n(poller->entries, poller->size, useless);
            std::swap(poller->entries, useless);
            poller->room = room;
        }
    }
    (void)resize(useless, 0);
    return true;
}

void poller_destroy(Poller* poller) noexcept {
    while (Waiter* waiter = poller->waiters) {
        poller->waiters = waiter->next;
        free_arrays(*waiter);
        (void)resize(waiter, 0);
    }
    (void)resize(poller->entries, 0);
    (void)resize(poller, 0);
}

void poller_close(Poller* poller) noexcept { poller->bell.close(); }

Error poller_open(Poller* poller, bool is_inherited) noexcept {
    const Guard guard(*poller);
    if (is_inherited) {
        const Error error = poller->bell.is_open() ? poller->bell.open() : Error();
        if (error != Error()) return error;
        for (Waiter* one = poller->waiters; one != nullptr; one = one->next) one->is_inside = false;
    }
    poller->size = 0;
    changed(*poller);
    return Error();
}

Result<void> poller_add(Poller* poller, Fd fd, unsigned events, std::uint32_t generation) noexcept {
    if (poller->bell.has(fd)) return Error(EBADF);
    const auto file = Poller::File::of(fd);
    if (!file) return file.error();
    const Guard guard(*poller);
    Entry* place = find(*poller, fd);
    if (place == nullptr) {
        if (poller->size == poller->room) return Error(ENOMEM);
        place = &poller->entries[poller->size++];
    }
    *place = {fd, events, generation, *file};
    changed(*poller);
    return {};
}

Result<void> poller_change(Poller* poller, Fd fd, unsigned events, std::uint32_t generation) noexcept {
    const auto file = Poller::File::of(fd);
    if (!file) return file.error();
    const Guard guard(*poller);
    Entry* place = find(*poller, fd);
    if (place == nullptr || place->file != *file) return Error(ENOENT);
    if (place->events == events && place->generation == generation) return {};
    place->events = events;
    place->generation = generation;
    changed(*poller);
    return {};
}

void poller_remove(Poller* poller, Fd fd) noexcept {
    const Guard guard(*poller);
    if (Entry* place = find(*poller, fd)) *place = poller->entries[--poller->size];
}

Error poller_wait(Poller* poller, PollerEvents& found, std::size_t most, Timeout timeout) noexcept {
    found.count = 0;
    Waiter* waiter = nullptr;
    for (std::size_t size = 0; waiter == nullptr;) {
        if (size != 0 && !provide_waiter(*poller, size)) return Error(ENOMEM);
        const Guard guard(*poller);
        waiter = enter(*poller);
        size = poller->room + 1;
    }
    const int ready = calls::poll(waiter->polled, waiter->size + 1, timeout);
    const Error error = ready < 0 ? last_error() : Error();
    const Guard guard(*poller);
    if (ready > 0) report(*poller, *waiter, found, std::min(most, PollerEvents::room));
    waiter->is_inside = false;
    return error;
}

PollerEvent poller_event(const PollerEvents& found, std::size_t index) noexcept {
    return reinterpret_cast<const PollerEvent*>(found.native)[index];
}

Result<void> poller_arm(Poller* poller) noexcept {
    const Guard guard(*poller);
    return poller->bell.is_open() ? Error() : poller->bell.open();
}

void poller_ring(Poller* poller) noexcept { poller->bell.ring(); }

// Not while somebody who waits has an old copy and may not have heard it.
void poller_hush(Poller* poller) noexcept {
    const Guard guard(*poller);
    for (const Waiter* one = poller->waiters; one != nullptr; one = one->next) {
        if (one->is_inside && one->version != poller->version) return;
    }
    poller->bell.hush();
}

// --- A queue that grows: nothing tells of it.

Result<Fd> growth_open(Fd /*fd*/) noexcept { return Error(ENOSYS); }
bool growth_take(Fd /*growth*/) noexcept { return false; }

}  // namespace usocket::sys
