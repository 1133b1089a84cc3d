// Who is registered, and what the system's poller has to know of it.
#include <algorithm>
#include <cstring>

#include "poll/state.hpp"
#include "socket/aside.hpp"
#include "wait/uncancelled.hpp"

namespace usocket {
namespace {

constexpr unsigned all_events = 0xffff;

// The number is not the file's that was added.
bool is_gone(Error error) noexcept { return error == Error(ENOENT) || error == Error(EBADF); }

// Others read it without the Registry, but only who holds it writes.
template <class T> T add_one(std::atomic<T>& number) noexcept {
    const T now = number.load(std::memory_order_relaxed) + 1;
    number.store(now, std::memory_order_release);
    return now;
}
template <class T> void subtract_one(std::atomic<T>& number) noexcept {
    number.store(number.load(std::memory_order_relaxed) - 1, std::memory_order_release);
}

}  // namespace

Lock Registry::lock_;

#if !defined(USOCKET_WITHOUT_poll) || !defined(USOCKET_WITHOUT_creating)  // else there is no poll
// A fork copies the table of descriptors before it copies the memory: a poller that is opened in between would have
// numbers in the child that are not its own. The windows come first, because their readers may want this lock.
const bool Registry::knows_forks_ = (sys::on_fork(1, [] { lock_.lock(); }, [] { lock_.unlock(); }), true);
#endif

std::size_t Watched::lacks(sys::Fd fd) const noexcept {
    if (has(fd)) return 0;
    const std::size_t least = static_cast<std::size_t>(fd) + 1;
    return std::max<std::size_t>({least, 2 * size_, 16}) * sizeof(Slot);
}

void* Watched::provide(void* memory, std::size_t size) noexcept {
    const std::size_t wanted = size / sizeof(Slot);
    if (wanted <= size_) return memory;
    auto* slots = static_cast<Slot*>(memory);
    for (std::size_t i = 0; i < wanted; ++i) new (&slots[i]) Slot(i < size_ ? slots_[i] : Slot());
    size_ = wanted;
    return std::exchange(slots_, slots);
}

void Watched::clear() noexcept {
    (void)sys::resize(slots_, 0);
    slots_ = nullptr;
    size_ = 0;
}

void Poll::State::close() noexcept {
    sys::poller_close(poller);
    registrations.for_each([](Registration& one) { unlink_socket(one); });
}

Poll::State::~State() {
    registrations.clear();
    watched.clear();
    sys::poller_destroy(poller);
}

// --- The system's poller

// The parent's would report to both: a child of fork gets one of its own.
Error Poll::State::open() noexcept {
    const Uncancelled uncancelled;
    if (const Error error = sys::poller_open(poller, true); error != Error()) return error;
    registrations.for_each([this](Registration& one) {
        // What a socket keeps may be the parent's alone (TIME-6).
        one.kept = keeps(one.aside);
        sort_urgent(one);
    });
    if (const Error error = restore(); error != Error()) return error;
    opened_in.store(this_process(), std::memory_order_seq_cst);
    return Error();
}

Error Poll::State::reopen() noexcept {
    // They come into the new one by their numbers: what has those must be the files of the old one.
    for (std::size_t i = 0; i < watched.size(); ++i) (void)look_at(static_cast<sys::Fd>(i));
    if (const Error error = sys::poller_open(poller, false); error != Error()) return error;
    add_one(removals);
    return restore();
}

// Into a poller that has nothing in it.
Error Poll::State::restore() noexcept {
    for (std::size_t i = 0; i < watched.size(); ++i) {
        const auto fd = static_cast<sys::Fd>(i);
        if (watched[fd].first == nullptr) continue;
        const Error error = sys::poller_add(poller, fd, mask_of(fd), watched[fd].generation).error();
        if (is_gone(error)) {
            gone(fd);
        } else if (error != Error() && error != Error(EPERM)) {
            return error;
        }
    }
    return Error();
}

// The union of the masks of all that are registered with the descriptor.
unsigned Poll::State::mask_of(sys::Fd fd) const noexcept {
    unsigned mask = sys::poll_nothing;
    for (const Registration* one = watched[fd].first; one != nullptr; one = one->next_of_fd) {
        const unsigned own = one->mask();
        if (own != sys::poll_nothing) mask = (mask & ~sys::poll_nothing) | own;
    }
    return mask;
}

Error Poll::State::tell_system(sys::Fd fd) const noexcept {
    return sys::poller_change(poller, fd, mask_of(fd), watched[fd].generation).error();
}

void Poll::State::take_from_system(sys::Fd fd) noexcept {
    sys::poller_remove(poller, fd);
    add_one(removals);
}

void Poll::State::ring() noexcept {
    // Alone, nobody else can be waiting.
    if (sys::is_only_thread() || !is_open()) return;
    const Uncancelled uncancelled;
    sys::poller_ring(poller);
}

// --- Coming, changing, going

Poll::State::Lack Poll::State::lacks(sys::Fd fd) const noexcept {
    const std::size_t of_registrations = registrations.lacks();
    return of_registrations != 0 ? Lack{of_registrations, false} : Lack{watched.lacks(fd), true};
}

bool Poll::State::provide(Lack lack) noexcept {
    if (lack.size == 0) return sys::poller_provide(poller);
    void* memory = sys::resize(nullptr, lack.size);
    if (memory == nullptr) return false;
    void* useless = nullptr;
    {
        const Registry locked;
        if (lack.is_of_slots) {
            useless = watched.provide(memory, lack.size);
        } else {
            registrations.provide(memory, lack.size);
        }
    }
    (void)sys::resize(useless, 0);
    return true;
}

Result<Registration*> Poll::State::provide_while(sys::Fd fd, Result<Registration*> (*attempt)(void* body) noexcept,
                                                 void* body) noexcept {
    for (Lack lack{};;) {
        {
            const Registry locked;
            const auto added = attempt(body);
            if (added.error() != Error(ENOMEM)) return added;
            lack = lacks(fd);
        }
        if (!provide(lack)) return Error(ENOMEM);
    }
}

Result<Registration*> Poll::State::add(const Wanted& wanted, Registration* old) noexcept {
    if (wanted.events > all_events) return Error(Fault::event_mask);
    if (const Error error = prepare(); error != Error()) return error;
    heed_forks();
    if (old != nullptr) {
        if (const Error error = renew(*old, wanted); error != Error()) return error;
        return old;
    }
    Registration* registration = registrations.take();
    if (registration == nullptr) return Error(ENOMEM);
    registration->poll = this;
    registration->aside = wanted.aside;
    registration->is_socket = wanted.aside != nullptr;
    registration->fd = wanted.fd;
    registration->events = wanted.events;
    heed_layer(*registration);
    registration->userdata = wanted.userdata;
    registration->may_vanish = wanted.may_vanish;
    registration->shared = wanted.may_vanish && registration->is_socket;
    if (const Error error = link_fd(*registration); error != Error()) {
        registrations.give_back(*registration);
        return error;
    }
    if (Aside* aside = registration->aside) {
        registration->next_of_socket = aside->watches;
        aside->watches = registration;
    }
    add_one(count);
    sort_urgent(*registration);
    return registration;
}

// Registered once more: its number may be another file's by now, which is then meant.
Error Poll::State::renew(Registration& old, const Wanted& wanted) noexcept {
    Error error = old.closed ? Error(EBADF) : change(old, wanted.events);
    if (is_gone(error)) error = revive(old, wanted);
    if (error == Error()) old.userdata = wanted.userdata;
    return error;
}

Error Poll::State::revive(Registration& old, const Wanted& wanted) noexcept {
    const Registration before = old;
    old.fd = wanted.fd;
    old.events = wanted.events;
    old.may_vanish = wanted.may_vanish;
    old.closed = old.always_ready = false;
    old.spent = 0;
    if (const Error error = link_fd(old); error != Error()) {
        old.fd = before.fd;
        old.events = before.events;
        old.may_vanish = before.may_vanish;
        old.spent = before.spent;
        old.closed = true;
        return error;
    }
    if (!old.is_socket) --vanished;
    sort_urgent(old);
    return Error();
}

Error Poll::State::change(Registration& registration, unsigned events) noexcept {
    if (events > all_events) return Error(Fault::event_mask);
    if (const Error error = prepare(); error != Error()) return error;
    const unsigned was_spent = std::exchange(registration.spent, 0);
    const unsigned old_events = std::exchange(registration.events, events);
    if (!registration.closed) {
        const Error error = tell_system(registration.fd);
        if (is_gone(error)) {
            gone(registration.fd);
            return Error(EBADF);
        }
        if (error != Error() && !registration.always_ready) {
            registration.spent = was_spent;
            registration.events = old_events;
            return error;
        }
    }
    sort_urgent(registration);
    return registration.closed && !registration.is_socket ? Error(EBADF) : Error();
}

void Poll::State::spend(Registration& registration, unsigned reported) noexcept {
    registration.spent |= Registration::spent_bit | Registration::end_of(reported);
    registration.events = 0;
    const bool is_known = !registration.closed && !registration.always_ready;
    if (is_known && is_gone(tell_system(registration.fd))) gone(registration.fd);
    sort_urgent(registration);
}

void Poll::State::remove(Registration& registration) noexcept {
    if (!registration.closed) {
        if (registration.is_behind()) subtract_one(behind);
        unlink_fd(registration);
    } else if (!registration.is_socket) {
        --vanished;
    }
    unlink_socket(registration);
    if (registration.is_urgent) urgent.remove(registration);
    subtract_one(count);
    registrations.give_back(registration);
}

void Poll::State::update(Registration& registration, bool kept, bool closed) noexcept {
    registration.kept = kept;
    const bool is_other = heed_layer(registration);
    if (is_other && !registration.closed && !closed && is_open() && is_gone(tell_system(registration.fd)))
        gone(registration.fd);
    if (closed && !registration.closed) {
        // Its number may be handed out anew from now on.
        unlink_fd(registration);
        set_closed(registration);
    }
    sort_urgent(registration);
}

// Returns whether it waits for something else now.
bool Poll::State::heed_layer(Registration& registration) noexcept {
    const unsigned instead = waits(registration.aside);
    if (instead == waits_for_plaintext) has_layers.store(true, std::memory_order_relaxed);
    return std::exchange(registration.instead, instead) != instead;
}

void Poll::State::expose(Registration& registration) noexcept {
    if (registration.closed) return;
    const bool was_behind = registration.is_behind();
    registration.may_vanish = registration.shared = true;
    if (!was_behind) count_behind(registration);
}

// A fork shares every socket: children have descriptors of their own, but one file with us.
void Poll::State::heed_forks() noexcept {
    const std::uint32_t now = sys::forks();
    if (forks.load(std::memory_order_relaxed) == now) return;
    forks.store(now, std::memory_order_relaxed);
    registrations.for_each([this](Registration& one) {
        if (one.closed || !one.is_socket) return;
        const bool was_behind = one.is_behind();
        one.shared = true;
        if (!was_behind) count_behind(one);
    });
}

// One that is closed has left the table, but whoever registered its number may still want it out.
Registration* Poll::State::find_fd(sys::Fd fd) noexcept {
    for (Registration* one = watched.first_of(fd); one != nullptr; one = one->next_of_fd) {
        if (!one->is_socket) return one;
    }
    if (vanished == 0) return nullptr;
    Registration* found = nullptr;
    registrations.for_each([&](Registration& one) {
        if (one.closed && !one.is_socket && one.fd == fd) found = &one;
    });
    return found;
}

// --- Links

Error Poll::State::link_fd(Registration& registration) noexcept {
    const sys::Fd fd = registration.fd;
    if (watched.first_of(fd) == nullptr) return link_first(registration);
    registration.next_of_fd = std::exchange(watched[fd].first, &registration);
    const Error error = tell_system(fd);
    registration.always_ready = error == Error(EPERM);
    if (error != Error() && !registration.always_ready) {
        watched[fd].first = std::exchange(registration.next_of_fd, nullptr);
        if (!is_gone(error)) return error;
        // The others' file is no longer what has the number.
        gone(fd);
        return link_first(registration);
    }
    count_behind(registration);
    return Error();
}

// Only a descriptor that there is may decide on the size of the table: a socket's is, of any other the system is told
// first.
Error Poll::State::link_first(Registration& registration) noexcept {
    const sys::Fd fd = registration.fd;
    if (registration.is_socket && !watched.has(fd)) return Error(ENOMEM);
    const std::uint32_t own_generation = watched.next_generation(fd);
    const Error error = sys::poller_add(poller, fd, registration.mask(), own_generation).error();
    registration.always_ready = error == Error(EPERM);
    if (error != Error() && !registration.always_ready) return error;
    if (!watched.has(fd)) {
        take_from_system(fd);
        return Error(ENOMEM);
    }
    watched[fd] = {&registration, own_generation};
    count_behind(registration);
    return Error();
}

void Poll::State::count_behind(const Registration& registration) noexcept {
    if (!registration.is_behind()) return;
    // Who waits without an end must begin to look.
    if (add_one(behind) == 1) ring();
}

void Poll::State::unlink_fd(Registration& registration) noexcept {
    const sys::Fd fd = registration.fd;
    Registration** link = &watched[fd].first;
    while (*link != &registration) link = &(*link)->next_of_fd;
    *link = std::exchange(registration.next_of_fd, nullptr);
    if (!is_open()) return;
    if (watched[fd].first == nullptr) {
        take_from_system(fd);
    } else if (is_gone(tell_system(fd))) {
        gone(fd);
    }
}

void Poll::State::unlink_socket(Registration& registration) noexcept {
    if (registration.aside == nullptr) return;
    Registration** link = &registration.aside->watches;
    while (*link != &registration) link = &(*link)->next_of_socket;
    *link = registration.next_of_socket;
    registration.aside = nullptr;
}

void Poll::State::set_closed(Registration& registration) noexcept {
    registration.closed = true;
    if (registration.is_behind()) subtract_one(behind);
    if (!registration.is_socket) ++vanished;
}

void Poll::State::sort_urgent(Registration& registration) noexcept {
    const bool is_urgent = registration.urgent_events() != 0;
    if (is_urgent == registration.is_urgent) return;
    if (!is_urgent) return urgent.remove(registration);
    // While there are others, whoever waits has heard it or is about to.
    const bool is_news = urgent.empty();
    urgent.insert(registration);
    if (is_news) ring();
}

// --- Closed behind our back

// The number is no longer the file's that all these are registered for.
void Poll::State::gone(sys::Fd fd) noexcept {
    while (Registration* one = watched[fd].first) {
        watched[fd].first = std::exchange(one->next_of_fd, nullptr);
        set_closed(*one);
        sort_urgent(*one);
    }
    take_from_system(fd);
}

// One that is spent is not asked about without news: the system would then speak of it again.
bool Poll::State::is_elsewhere(sys::Fd fd, unsigned events) const noexcept {
    for (const Registration* one = watched[fd].first; one != nullptr; one = one->next_of_fd) {
        if (one->may_vanish && one->shown(events) != 0) return is_gone(tell_system(fd));
    }
    return false;
}

// Returns whether it has asked the system.
bool Poll::State::look_at(sys::Fd fd) noexcept {
    Registration* one = watched[fd].first;
    while (one != nullptr && !one->is_behind()) one = one->next_of_fd;
    if (one == nullptr) return false;
    if (one->may_vanish && is_gone(tell_system(fd))) {
        gone(fd);
    } else if (one->shared && one->aside != nullptr && (one->events & sys::poll_in) != 0) {
        one->overlooked = is_overlooked(fd, one->aside);
        sort_urgent(*one);
    }
    return true;
}

bool Poll::State::look_behind(std::size_t most_calls) noexcept {
    if (behind.load(std::memory_order_relaxed) == 0) return false;
    const Registry locked;
    if (!is_open()) return false;
    constexpr std::size_t most_slots = 1024;
    std::size_t calls = 0;
    for (std::size_t i = std::min(watched.size(), most_slots); i != 0 && calls < most_calls; --i) {
        next_look = (next_look + 1) % watched.size();
        if (look_at(static_cast<sys::Fd>(next_look))) ++calls;
    }
    return !urgent.empty();
}

}  // namespace usocket
