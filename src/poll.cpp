// Poll: the system's poller tells what is ready in its queues; sockets tell what only they know, kept bytes and
// their close (POLL-3, POLL-5). Both cost nothing per registration that is not ready (POLL-4).
#include "usocket/poll.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "aside.hpp"
#include "gate.hpp"
#include "lock.hpp"

namespace usocket {
namespace {

// Guards every registration's links and flags, of all polls: they change seldom and for a few steps.
Lock registry;

// A fork copies the table of descriptors before it copies the memory: a poller that is opened in between would have
// numbers in the child that are not its own. The windows come first, because their readers may want this lock.
[[maybe_unused]] const bool knows_forks = (sys::on_fork(1, [] { registry.lock(); }, [] { registry.unlock(); }), true);

constexpr unsigned all_events = 0xffff;

// How many events are asked of the system at a time.
constexpr std::size_t batch = 256;

}  // namespace

struct Registration {
    Poll::State* poll = nullptr;
    Aside* aside = nullptr;  // of its socket; nullptr: a bare descriptor, or the socket is gone
    sys::Fd fd = sys::no_fd;
    unsigned events = 0;
    void* userdata = nullptr;
    bool is_socket = false;
    bool closed = false;              // its socket is
    bool kept = false;                // its socket keeps bytes back
    bool always_ready = false;        // the system cannot poll it: a regular file
    bool spent = false;               // reported in one-shot mode since the last mask
    bool is_urgent = false;           // in the list of those that the system does not know to be ready
    Poll::Event* reported = nullptr;  // during poll(): where
    Registration* next_of_socket = nullptr;
    Registration* next_of_fd = nullptr;
    Registration* next = nullptr;  // of all
    Registration* previous = nullptr;
    Registration* next_urgent = nullptr;
    Registration* previous_urgent = nullptr;

    // What of the system's events it reports.
    [[nodiscard]] unsigned shown(unsigned found) const noexcept {
        return spent ? 0 : found & (events | sys::poll_err | sys::poll_hup | sys::poll_nval);
    }
    // What it is ready for though the system does not say so.
    [[nodiscard]] unsigned urgent_events() const noexcept {
        if (spent) return 0;
        if (closed) return sys::poll_hup | sys::poll_nval;
        if (always_ready) return events & (sys::poll_in | sys::poll_out);
        return kept ? events & sys::poll_in : 0;
    }
};

struct Poll::State {
    sys::Poller* poller = nullptr;
    std::uint32_t generation = 0;    // of the process that opened it
    Registration** by_fd = nullptr;  // the first registration of each descriptor number
    std::size_t by_fd_size = 0;
    std::size_t count = 0;
    Registration* all = nullptr;
    Registration* urgent = nullptr;
    std::size_t urgent_count = 0;
    bool urgent_first = false;
    std::uint32_t waiting = 0;  // threads in poll()

    [[nodiscard]] Registration* first_of(sys::Fd fd) const noexcept {
        return fd >= 0 && static_cast<std::size_t>(fd) < by_fd_size ? by_fd[fd] : nullptr;
    }
    Error prepare() noexcept;
    Error after_fork() noexcept;
    Error tell_system(sys::Fd fd, bool is_new) noexcept;
    // `old`: what is to be changed instead, if anything.
    Result<Registration*> add(sys::Fd fd, unsigned events, void* userdata, Aside* aside, Registration* old) noexcept;
    Error change(Registration& registration, unsigned events) noexcept;
    void remove(Registration& registration) noexcept;
    void update(Registration& registration, bool kept, bool closed) noexcept;
    Error link_fd(Registration& registration) noexcept;
    void unlink_fd(Registration& registration) noexcept;
    void unlink_socket(Registration& registration) noexcept;
    void sort_urgent(Registration& registration) noexcept;
    void set_urgent(Registration& registration, bool is_urgent) noexcept;
    // What one round of poll() does: those that the system does not know of and what it finds take turns to be first.
    struct Round {
        bool urgent_first = false;
        std::size_t urgent = 0;
        std::size_t room = 0;  // for what the system finds
    };
    Result<Round> begin_round(std::size_t room) noexcept;
    std::size_t end_round(const Round& round, sys::PollerEvent* found, std::size_t found_count, Event* events,
                          std::size_t room, bool one_shot) noexcept;
    std::size_t collect_urgent(Event* events, std::size_t ready, std::size_t room) noexcept;
    void begin_with(Registration& registration) noexcept;
    std::size_t collect_plain(const sys::PollerEvent* found, std::size_t found_count, Event* events,
                              std::size_t room) const noexcept;
    std::size_t collect_found(const sys::PollerEvent* found, std::size_t found_count, Event* events, std::size_t ready,
                              std::size_t room) noexcept;
    static void report(Registration& registration, unsigned events, Event& event) noexcept;
    void spend(Registration& registration) noexcept;
};

namespace {

// Grows an array of trivial elements; the new ones are zero.
template <class T> bool grow(T*& array, std::size_t& size, std::size_t least) noexcept {
    if (size >= least) return true;
    const std::size_t wanted = std::max<std::size_t>({least, 2 * size, 16});
    void* memory = sys::resize(array, wanted * sizeof(T));
    if (memory == nullptr) return false;
    array = static_cast<T*>(memory);
    std::memset(static_cast<void*>(array + size), 0, (wanted - size) * sizeof(T));
    size = wanted;
    return true;
}

// Rings: before the first comes the last.
template <class T> void unlink(T*& first, T& item, T* T::* next, T* T::* previous) noexcept {
    item.*previous->*next = item.*next;
    item.*next->*previous = item.*previous;
    if (first == &item) first = item.*next == &item ? nullptr : item.*next;
    item.*next = item.*previous = nullptr;
}

// As the last.
template <class T> void link(T*& first, T& item, T* T::* next, T* T::* previous) noexcept {
    if (first == nullptr) first = item.*next = item.*previous = &item;
    item.*next = first;
    item.*previous = first->*previous;
    item.*previous->*next = &item;
    first->*previous = &item;
}

Registration* find(Registration* first, const Aside* aside) noexcept {
    while (first != nullptr && (first->aside != aside || first->is_socket != (aside != nullptr))) {
        first = first->next_of_fd;
    }
    return first;
}

}  // namespace

// --- What sockets tell

const WatchHooks Poll::hooks_ = {
    [](Aside& aside, bool kept, bool closed) noexcept {
        const Locked locked(registry);
        for (Registration* watch = aside.watches; watch != nullptr; watch = watch->next_of_socket) {
            State& poll = *watch->poll;
            poll.update(*watch, kept, closed);
            if (watch->is_urgent && poll.waiting != 0) sys::poller_wake(poll.poller);
        }
    },
    [](Aside& aside) noexcept {
        const Locked locked(registry);
        while (Registration* watch = std::exchange(aside.watches, nullptr)) {
            aside.watches = std::exchange(watch->next_of_socket, nullptr);
            watch->aside = nullptr;
        }
    },
};

// --- Poll

Poll::Poll(Poll&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}

Poll& Poll::operator=(Poll&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
}

Poll::~Poll() {
    if (state_ == nullptr) return;
    {
        const Locked locked(registry);
        // The poller first: then there is nothing to take out of it.
        if (state_->poller != nullptr) sys::poller_close(std::exchange(state_->poller, nullptr));
        while (state_->all != nullptr) state_->remove(*state_->all);
    }
    (void)sys::resize(state_->by_fd, 0);
    (void)sys::resize(state_, 0);
}

Error Poll::make_state() noexcept {
    if (state_ != nullptr) return Error();
    void* memory = sys::resize(nullptr, sizeof(State));
    if (memory == nullptr) return Error(ENOMEM);
    state_ = new (memory) State;
    return Error();
}

Result<Registration*> Poll::register_(Socket& socket) noexcept {
    return register_(socket, sys::poll_in | sys::poll_out);
}

Result<Registration*> Poll::register_(Socket& socket, unsigned events, void* userdata) noexcept {
    Aside* aside = socket.make_aside();
    if (aside == nullptr) return Error(ENOMEM);
    Call call;
    return socket.inside(call, [&]() noexcept -> Result<Registration*> {
        if (const Error error = make_state(); error != Error()) return error;
        aside->hooks.store(&hooks_, std::memory_order_release);
        const Locked locked(registry);
        const auto added = state_->add(socket.fd_, events, userdata, aside, find(state_->first_of(socket.fd_), aside));
        if (added) {
            // close() may have told the polls that it found before this one was among them.
            state_->update(**added, socket.has_kept(), socket.closed());
        }
        return added;
    });
}

Result<Registration*> Poll::register_(int fd, unsigned events, void* userdata) noexcept {
    if (const Error error = make_state(); error != Error()) return error;
    const Locked locked(registry);
    return state_->add(fd, events, userdata, nullptr, find(state_->first_of(fd), nullptr));
}

Result<Registration*> Poll::register_another(int fd, unsigned events, void* userdata) noexcept {
    if (const Error error = make_state(); error != Error()) return error;
    const Locked locked(registry);
    return state_->add(fd, events, userdata, nullptr, nullptr);
}

Registration* Poll::find_socket(const Socket& socket) const noexcept {
    const Aside* aside = socket.aside_.load(std::memory_order_acquire);
    Registration* watch = aside == nullptr ? nullptr : aside->watches;
    while (watch != nullptr && watch->poll != state_) watch = watch->next_of_socket;
    return watch;
}

Registration* Poll::find_fd(int fd) const noexcept {
    return state_ == nullptr ? nullptr : find(state_->first_of(fd), nullptr);
}

Result<void> Poll::modify_found(Registration* registration, unsigned events) noexcept {
    if (registration == nullptr) return Error(ENOENT);
    return state_->change(*registration, events);
}

Result<void> Poll::modify(Socket& socket, unsigned events) noexcept {
    const Locked locked(registry);
    return modify_found(find_socket(socket), events);
}

Result<void> Poll::modify(int fd, unsigned events) noexcept {
    const Locked locked(registry);
    return modify_found(find_fd(fd), events);
}

Result<void> Poll::modify(Registration* registration, unsigned events) noexcept {
    const Locked locked(registry);
    return modify_found(registration, events);
}

Result<void> Poll::unregister_found(Registration* registration) noexcept {
    if (registration == nullptr) return Error(ENOENT);
    state_->remove(*registration);
    return {};
}

Result<void> Poll::unregister(Socket& socket) noexcept {
    const Locked locked(registry);
    return unregister_found(find_socket(socket));
}

Result<void> Poll::unregister(int fd) noexcept {
    const Locked locked(registry);
    return unregister_found(find_fd(fd));
}

void Poll::unregister(Registration* registration) noexcept {
    const Locked locked(registry);
    (void)unregister_found(registration);
}

std::size_t Poll::size() const noexcept { return state_ == nullptr ? 0 : state_->count; }

Result<std::size_t> Poll::poll(Event* events, std::size_t count, Timeout timeout, bool one_shot, Call&& call) noexcept {
    if (count == 0) return std::size_t{0};
    if (const Error error = make_state(); error != Error()) return error;
    Blocking blocking(call, timeout, nullptr);
    for (;;) {
        const auto round = state_->begin_round(count);
        if (!round) return round.error();
        sys::PollerEvent found[batch];
        const Timeout left = round->urgent != 0 ? Timeout::zero() : blocking.remaining();
        const auto found_count = blocking.once([&]() noexcept {
            return round->room == 0 ? Result<std::size_t>(0)
                                    : sys::poller_wait(state_->poller, found, round->room, left);
        });
        const bool is_cut_short = found_count.error() == Error(EINTR);
        const std::size_t ready =
            state_->end_round(*round, found, found_count.value_or(0u), events, is_cut_short ? 0 : count, one_shot);
        if (ready != 0) return ready;
        if (is_cut_short) {
            if (const Error error = blocking.check_signals(); error != Error()) return error;
            continue;
        }
        if (!found_count) return found_count.error();
        if (blocking.remaining().is_zero()) return std::size_t{0};
    }
}

Result<Poll::State::Round> Poll::State::begin_round(std::size_t room) noexcept {
    const Locked locked(registry);
    if (const Error error = prepare(); error != Error()) return error;
    if (const auto armed = sys::poller_arm(poller); !armed) return armed.error();
    Round round;
    urgent_first = !urgent_first;
    round.urgent_first = urgent_first;
    round.urgent = std::min(urgent_count, room);
    round.room = std::min(urgent_first ? room - round.urgent : room, batch);
    ++waiting;
    return round;
}

std::size_t Poll::State::end_round(const Round& round, sys::PollerEvent* found, std::size_t found_count, Event* events,
                                   std::size_t room, bool one_shot) noexcept {
    const Locked locked(registry);
    --waiting;
    if (!one_shot && urgent == nullptr && found_count < batch) {
        const std::size_t ready = collect_plain(found, found_count, events, room);
        if (ready != 0) return ready;
    }
    std::size_t ready = round.urgent_first ? collect_urgent(events, 0, room) : 0;
    for (std::size_t before = room; found_count != 0 && ready != before && ready < room;) {
        before = ready;
        ready = collect_found(found, found_count, events, ready, room);
        if (found_count < batch) break;
        // The system goes round what is ready: again, until it begins to repeat itself.
        found_count = sys::poller_wait(poller, found, std::min(room - ready, batch), Timeout::zero()).value_or(0u);
    }
    if (!round.urgent_first) ready = collect_urgent(events, ready, room);
    for (std::size_t i = 0; i < ready; ++i) {
        events[i].registration->reported = nullptr;
        if (one_shot) spend(*events[i].registration);
    }
    return ready;
}

// --- State: under the registry's lock

// Opens the poller, anew in a child of fork.
Error Poll::State::prepare() noexcept {
    if (poller != nullptr && generation != sys::process_generation()) {
        if (const Error error = after_fork(); error != Error()) return error;
    }
    if (poller == nullptr) {
        const auto opened = sys::poller_open();
        if (!opened) return opened.error();
        poller = *opened;
        generation = sys::process_generation();
    }
    return Error();
}

// The parent's poller would report to both: a child gets one of its own.
Error Poll::State::after_fork() noexcept {
    const auto opened = sys::poller_open();
    if (!opened) return opened.error();
    sys::poller_close(poller);
    poller = *opened;
    generation = sys::process_generation();
    waiting = 0;
    for (std::size_t fd = 0; fd < by_fd_size; ++fd) {
        if (by_fd[fd] != nullptr) (void)tell_system(static_cast<sys::Fd>(fd), true);
    }
    return Error();
}

// The system gets the union of the masks of all that are registered with the descriptor.
Error Poll::State::tell_system(sys::Fd fd, bool is_new) noexcept {
    unsigned events = 0;
    bool is_wanted = false;
    for (Registration* one = by_fd[fd]; one != nullptr; one = one->next_of_fd) {
        if (one->spent) continue;
        events |= one->events;
        is_wanted = true;
    }
    if (!is_wanted) {
        sys::poller_remove(poller, fd);
        return Error();
    }
    return sys::poller_set(poller, fd, events, is_new).error();
}

Result<Registration*> Poll::State::add(sys::Fd fd, unsigned events, void* userdata, Aside* aside,
                                       Registration* old) noexcept {
    if (events > all_events) return Error(Fault::event_mask);
    if (const Error error = prepare(); error != Error()) return error;
    if (old != nullptr) {
        old->userdata = userdata;
        if (const Error error = change(*old, events); error != Error()) return error;
        return old;
    }
    void* memory = sys::resize(nullptr, sizeof(Registration));
    if (memory == nullptr) return Error(ENOMEM);
    auto* registration = new (memory) Registration;
    registration->poll = this;
    registration->aside = aside;
    registration->is_socket = aside != nullptr;
    registration->fd = fd;
    registration->events = events;
    registration->userdata = userdata;
    if (const Error error = link_fd(*registration); error != Error()) {
        (void)sys::resize(registration, 0);
        return error;
    }
    if (aside != nullptr) {
        registration->next_of_socket = aside->watches;
        aside->watches = registration;
    }
    link(all, *registration, &Registration::next, &Registration::previous);
    ++count;
    sort_urgent(*registration);
    return registration;
}

Error Poll::State::change(Registration& registration, unsigned events) noexcept {
    if (events > all_events) return Error(Fault::event_mask);
    if (const Error error = prepare(); error != Error()) return error;
    const bool was_spent = std::exchange(registration.spent, false);
    const unsigned old_events = std::exchange(registration.events, events);
    if (!registration.closed && !registration.always_ready) {
        if (const Error error = tell_system(registration.fd, was_spent); error != Error()) {
            registration.spent = was_spent;
            registration.events = old_events;
            return error;
        }
    }
    sort_urgent(registration);
    return Error();
}

void Poll::State::remove(Registration& registration) noexcept {
    if (!registration.closed) unlink_fd(registration);
    unlink_socket(registration);
    set_urgent(registration, false);
    unlink(all, registration, &Registration::next, &Registration::previous);
    --count;
    (void)sys::resize(&registration, 0);
}

void Poll::State::update(Registration& registration, bool kept, bool closed) noexcept {
    registration.kept = kept;
    if (closed && !registration.closed) {
        registration.closed = true;
        unlink_fd(registration);
    }
    sort_urgent(registration);
}

// The system is told first: only a descriptor that there is may decide on the size of the table.
Error Poll::State::link_fd(Registration& registration) noexcept {
    const sys::Fd fd = registration.fd;
    Registration* const others = first_of(fd);
    if (others == nullptr) {
        const auto told = sys::poller_set(poller, fd, registration.events, true);
        registration.always_ready = told.error() == Error(EPERM);
        if (!told && !registration.always_ready) return told.error();
        if (!grow(by_fd, by_fd_size, static_cast<std::size_t>(fd) + 1)) {
            sys::poller_remove(poller, fd);
            return Error(ENOMEM);
        }
    }
    registration.next_of_fd = others;
    by_fd[fd] = &registration;
    if (others == nullptr) return Error();
    const Error error = tell_system(fd, false);
    registration.always_ready = error == Error(EPERM);
    if (error == Error() || registration.always_ready) return Error();
    unlink_fd(registration);
    return error;
}

// Its number may be handed out anew from now on.
void Poll::State::unlink_fd(Registration& registration) noexcept {
    Registration** link = &by_fd[registration.fd];
    while (*link != nullptr && *link != &registration) link = &(*link)->next_of_fd;
    if (*link == nullptr) return;
    *link = registration.next_of_fd;
    registration.next_of_fd = nullptr;
    if (poller == nullptr || generation != sys::process_generation()) return;
    (void)tell_system(registration.fd, false);
}

void Poll::State::unlink_socket(Registration& registration) noexcept {
    if (registration.aside == nullptr) return;
    Registration** link = &registration.aside->watches;
    while (*link != &registration) link = &(*link)->next_of_socket;
    *link = registration.next_of_socket;
    registration.aside = nullptr;
}

void Poll::State::sort_urgent(Registration& registration) noexcept {
    set_urgent(registration, registration.urgent_events() != 0);
}

void Poll::State::set_urgent(Registration& registration, bool is_urgent) noexcept {
    if (is_urgent == registration.is_urgent) return;
    registration.is_urgent = is_urgent;
    if (is_urgent) {
        link(urgent, registration, &Registration::next_urgent, &Registration::previous_urgent);
        ++urgent_count;
    } else {
        unlink(urgent, registration, &Registration::next_urgent, &Registration::previous_urgent);
        --urgent_count;
    }
}

// --- State: reporting

void Poll::State::report(Registration& registration, unsigned events, Event& event) noexcept {
    event = {registration.closed ? sys::no_fd : registration.fd, events, registration.userdata, &registration};
    registration.reported = &event;
}

void Poll::State::spend(Registration& registration) noexcept {
    registration.spent = true;
    registration.events = 0;
    if (!registration.closed && !registration.always_ready) (void)tell_system(registration.fd, false);
    sort_urgent(registration);
}

// Both collect behind the `ready` events that are there already, or into them, and return how many there are then.
// What finds no room is the first to be looked at the next time.
std::size_t Poll::State::collect_urgent(Event* events, std::size_t ready, std::size_t room) noexcept {
    Registration* left_out = nullptr;
    Registration* one = urgent;
    while (one != nullptr) {
        if (one->reported != nullptr) {
            one->reported->events |= one->urgent_events();
        } else if (ready < room) {
            report(*one, one->urgent_events(), events[ready++]);
        } else if (left_out == nullptr) {
            left_out = one;
        }
        one = one->next_urgent == urgent ? nullptr : one->next_urgent;
    }
    if (left_out != nullptr) urgent = left_out;
    return ready;
}

// As collect_found(), if each descriptor is registered once and there is room for all; else 0.
std::size_t Poll::State::collect_plain(const sys::PollerEvent* found, std::size_t found_count, Event* events,
                                       std::size_t room) const noexcept {
    if (found_count > room) return 0;
    std::size_t ready = 0;
    for (std::size_t i = 0; i < found_count; ++i) {
        Registration* one = first_of(found[i].fd);
        if (one == nullptr) continue;
        if (one->next_of_fd != nullptr) return 0;
        const unsigned shown = one->shown(found[i].events);
        if (shown != 0) events[ready++] = {one->fd, shown, one->userdata, one};
    }
    return ready;
}

std::size_t Poll::State::collect_found(const sys::PollerEvent* found, std::size_t found_count, Event* events,
                                       std::size_t ready, std::size_t room) noexcept {
    // Each descriptor once, before any of them a second time.
    for (std::size_t i = 0; i < found_count && ready < room; ++i) {
        Registration* one = first_of(found[i].fd);
        while (one != nullptr && one->shown(found[i].events) == 0) one = one->next_of_fd;
        if (one != nullptr && one->reported == nullptr) report(*one, one->shown(found[i].events), events[ready++]);
    }
    for (std::size_t i = 0; i < found_count; ++i) {
        Registration* left_out = nullptr;
        for (Registration* one = first_of(found[i].fd); one != nullptr; one = one->next_of_fd) {
            const unsigned shown = one->shown(found[i].events);
            if (shown == 0) continue;
            if (one->reported != nullptr) {
                one->reported->events |= shown;
            } else if (ready < room) {
                report(*one, shown, events[ready++]);
            } else if (left_out == nullptr) {
                left_out = one;
            }
        }
        if (left_out != nullptr) begin_with(*left_out);
    }
    return ready;
}

// Among those of the same descriptor.
void Poll::State::begin_with(Registration& registration) noexcept {
    Registration** first = &by_fd[registration.fd];
    if (*first == &registration) return;
    Registration* before = *first;
    while (before->next_of_fd != &registration) before = before->next_of_fd;
    before->next_of_fd = nullptr;
    Registration* last = &registration;
    while (last->next_of_fd != nullptr) last = last->next_of_fd;
    last->next_of_fd = std::exchange(*first, &registration);
}

}  // namespace usocket
