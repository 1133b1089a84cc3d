// Poll: the system's poller tells what is ready in its queues; sockets tell what only they know, kept bytes and
// their close (POLL-3, POLL-5). Both cost nothing per registration that is not ready (POLL-4).
#include "usocket/poll.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "socket/aside.hpp"
#include "socket/inside.hpp"
#include "wait/blocking.hpp"
#include "wait/lock.hpp"

namespace usocket {
namespace {

// Guards every registration's links and flags, of all polls: they change seldom and for a few steps.
Lock registry;

// A fork copies the table of descriptors before it copies the memory: a poller that is opened in between would have
// numbers in the child that are not its own. The windows come first, because their readers may want this lock.
[[maybe_unused]] const bool knows_forks = (sys::on_fork(1, [] { registry.lock(); }, [] { registry.unlock(); }), true);

constexpr unsigned all_events = 0xffff;

}  // namespace

struct Registration {
    Poll::State* poll = nullptr;  // nullptr: free memory
    Aside* aside = nullptr;       // of its socket; nullptr: a bare descriptor, or the socket is gone
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
    Registration* next_of_fd = nullptr;  // of free memory: the next such
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

// The memory of registrations, got for many at a time and given back all at once.
class RegistrationMemory {
public:
    // nullptr: there is none.
    Registration* take() noexcept {
        if (free_ == nullptr && !add_block()) return nullptr;
        Registration* taken = free_;
        free_ = taken->next_of_fd;
        return new (taken) Registration;
    }
    void give_back(Registration& registration) noexcept {
        registration.poll = nullptr;
        registration.next_of_fd = std::exchange(free_, &registration);
    }
    // Of those that are taken; `body` may give back the one that it is given.
    template <class Body> void for_each(Body body) noexcept {
        for (Block* block = blocks_; block != nullptr; block = block->next) {
            for (std::size_t i = 0; i < block->size; ++i) {
                if (block->items()[i].poll != nullptr) body(block->items()[i]);
            }
        }
    }
    void clear() noexcept {
        while (Block* block = blocks_) {
            blocks_ = block->next;
            (void)sys::resize(block, 0);
        }
        free_ = nullptr;
    }

private:
    struct Block {
        Block* next;
        std::size_t size;
        Registration* items() noexcept { return reinterpret_cast<Registration*>(this + 1); }
    };
    static_assert(sizeof(Block) % alignof(Registration) == 0);

    bool add_block() noexcept {
        const std::size_t size = blocks_ == nullptr ? first_size : std::min(2 * blocks_->size, largest_size);
        void* memory = sys::resize(nullptr, sizeof(Block) + size * sizeof(Registration));
        if (memory == nullptr) return false;
        blocks_ = new (memory) Block{blocks_, size};
        for (std::size_t i = size; i-- != 0;) give_back(*new (&blocks_->items()[i]) Registration);
        return true;
    }

    static constexpr std::size_t first_size = 8;
    static constexpr std::size_t largest_size = 256;
    Block* blocks_ = nullptr;
    Registration* free_ = nullptr;
};

struct Poll::State {
    sys::Poller* poller = nullptr;
    std::uint32_t generation = 0;    // of the process that opened it
    Registration** by_fd = nullptr;  // the first registration of each descriptor number
    std::size_t by_fd_size = 0;
    std::size_t count = 0;
    RegistrationMemory registrations;
    Registration* urgent = nullptr;
    std::size_t urgent_count = 0;
    bool urgent_first = false;
    std::uint32_t waiting = 0;  // threads in poll()

    [[nodiscard]] Registration* first_of(sys::Fd fd) const noexcept {
        return fd >= 0 && static_cast<std::size_t>(fd) < by_fd_size ? by_fd[fd] : nullptr;
    }
    // The poller is there, and this process's own.
    [[nodiscard]] bool is_open() const noexcept { return poller != nullptr && generation == sys::process_generation(); }
    // The system knows all that is ready.
    [[nodiscard]] bool is_plain() const noexcept { return urgent == nullptr && is_open(); }
    Error prepare() noexcept { return is_open() ? Error() : open(); }
    Error open() noexcept;
    Error tell_system(sys::Fd fd, bool is_new) noexcept;
    // `old`: what is to be changed instead, if anything.
    Result<Registration*> add(sys::Fd fd, unsigned events, void* userdata, Aside* aside, Registration* old) noexcept;
    Error change(Registration& registration, unsigned events) noexcept;
    void remove(Registration& registration) noexcept;
    void update(Registration& registration, bool kept, bool closed) noexcept;
    Error link_fd(Registration& registration) noexcept;
    void unlink_fd(Registration& registration) noexcept;
    void unlink_socket(Registration& registration) noexcept;
    void sort_urgent(Registration& registration) noexcept {
        const bool is_urgent = registration.urgent_events() != 0;
        if (is_urgent != registration.is_urgent) set_urgent(registration, is_urgent);
    }
    void set_urgent(Registration& registration, bool is_urgent) noexcept;
    // What one round of poll() does: those that the system does not know of and what it finds take turns to be first.
    struct Round {
        bool urgent_first = false;
        std::size_t urgent = 0;
        std::size_t room = 0;  // for what the system finds
    };
    Result<Round> begin_round(std::size_t room) noexcept;
    std::size_t end_round(const Round& round, sys::PollerEvents& found, Event* events, std::size_t room,
                          bool one_shot) noexcept;
    std::size_t collect(sys::PollerEvents& found, Event* events, std::size_t room, bool one_shot,
                        bool begins_urgent) noexcept;
    std::size_t collect_all(sys::PollerEvents& found, Event* events, std::size_t room, bool one_shot,
                            bool begins_urgent) noexcept;
    std::size_t collect_urgent(Event* events, std::size_t ready, std::size_t room) noexcept;
    void begin_with(Registration& registration) noexcept;
    std::size_t collect_plain(const sys::PollerEvents& found, Event* events, std::size_t room) const noexcept;
    std::size_t collect_found(const sys::PollerEvents& found, Event* events, std::size_t ready,
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
        state_->registrations.for_each([this](Registration& one) { state_->remove(one); });
    }
    state_->registrations.clear();
    (void)sys::resize(state_->by_fd, 0);
    (void)sys::resize(state_, 0);
}

inline Error Poll::make_state() noexcept {
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
    Aside* aside = socket.gate_.make_aside();
    if (aside == nullptr) return Error(ENOMEM);
    return socket.inside([&]() noexcept -> Result<Registration*> {
        if (const Error error = make_state(); error != Error()) return error;
        aside->hooks.store(&hooks_, std::memory_order_release);
        const Locked locked(registry);
        const auto added =
            state_->add(socket.gate_.fd(), events, userdata, aside, find(state_->first_of(socket.gate_.fd()), aside));
        // close() may have told the polls that it found before this one was among them.
        const bool is_news = added && (socket.has_kept() || socket.closed());
        if (is_news) state_->update(**added, socket.has_kept(), socket.closed());
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
    const Aside* aside = socket.gate_.aside();
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

// The short way of a program with one thread: nobody is to be kept out or can wake it up, and while the system knows
// all that is ready, one system call is the whole job.
Result<std::size_t> Poll::poll(Event* events, std::size_t count, Timeout timeout, bool one_shot) noexcept {
    if (count == 0) return std::size_t{0};
    if (const Error error = make_state(); error != Error()) return error;
    const bool can_begin_anew = timeout.is_none() || timeout.is_zero();
    if (can_begin_anew && sys::is_only_thread() && state_->is_plain()) {
        sys::PollerEvents found;
        const Error error = sys::poller_wait(state_->poller, found, count, timeout);
        const std::size_t ready = state_->collect(found, events, count, one_shot, false);
        const bool is_settled = ready != 0 || (error == Error() && timeout.is_zero());
        if (is_settled) return ready;
    }
    return poll(events, count, timeout, one_shot, Call());
}

Result<std::size_t> Poll::poll(Event* events, std::size_t count, Timeout timeout, bool one_shot, Call&& call) noexcept {
    if (count == 0) return std::size_t{0};
    if (const Error error = make_state(); error != Error()) return error;
    Blocking blocking(call, timeout, nullptr);
    for (;;) {
        const auto round = state_->begin_round(count);
        if (!round) return round.error();
        sys::PollerEvents found;
        const Timeout left = round->urgent != 0 ? Timeout::zero() : blocking.remaining();
        const Error waited = blocking.once([&]() noexcept {
            return round->room == 0 ? Error() : sys::poller_wait(state_->poller, found, round->room, left);
        });
        const bool is_cut_short = waited == Error(EINTR);
        const std::size_t ready = state_->end_round(*round, found, events, is_cut_short ? 0 : count, one_shot);
        if (ready != 0) return ready;
        if (is_cut_short) {
            if (const Error error = blocking.check_signals(); error != Error()) return error;
            continue;
        }
        if (waited != Error()) return waited;
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
    round.room = urgent_first ? room - round.urgent : room;
    ++waiting;
    return round;
}

std::size_t Poll::State::end_round(const Round& round, sys::PollerEvents& found, Event* events, std::size_t room,
                                   bool one_shot) noexcept {
    const Locked locked(registry);
    --waiting;
    return collect(found, events, room, one_shot, round.urgent_first);
}

// --- State: under the registry's lock

// Opens the poller. The parent's would report to both: a child of fork gets one of its own.
Error Poll::State::open() noexcept {
    const auto opened = sys::poller_open();
    if (!opened) return opened.error();
    if (poller != nullptr) sys::poller_close(poller);
    poller = *opened;
    generation = sys::process_generation();
    waiting = 0;
    // What a socket keeps is its parent's alone (TIME-6).
    registrations.for_each([this](Registration& one) noexcept {
        if (one.aside != nullptr) update(one, !one.aside->pending.empty(), false);
    });
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
    Registration* registration = registrations.take();
    if (registration == nullptr) return Error(ENOMEM);
    registration->poll = this;
    registration->aside = aside;
    registration->is_socket = aside != nullptr;
    registration->fd = fd;
    registration->events = events;
    registration->userdata = userdata;
    if (const Error error = link_fd(*registration); error != Error()) {
        registrations.give_back(*registration);
        return error;
    }
    if (aside != nullptr) {
        registration->next_of_socket = aside->watches;
        aside->watches = registration;
    }
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
    if (registration.is_urgent) set_urgent(registration, false);
    --count;
    registrations.give_back(registration);
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
inline Error Poll::State::link_fd(Registration& registration) noexcept {
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
    if (!is_open()) return;
    (void)tell_system(registration.fd, false);
}

void Poll::State::unlink_socket(Registration& registration) noexcept {
    if (registration.aside == nullptr) return;
    Registration** link = &registration.aside->watches;
    while (*link != &registration) link = &(*link)->next_of_socket;
    *link = registration.next_of_socket;
    registration.aside = nullptr;
}

// What it is not yet. A ring: before the first comes the last.
void Poll::State::set_urgent(Registration& one, bool is_urgent) noexcept {
    one.is_urgent = is_urgent;
    if (is_urgent) {
        if (urgent == nullptr) urgent = one.next_urgent = one.previous_urgent = &one;
        one.next_urgent = urgent;
        one.previous_urgent = urgent->previous_urgent;
        one.previous_urgent->next_urgent = &one;
        urgent->previous_urgent = &one;
        ++urgent_count;
    } else {
        one.previous_urgent->next_urgent = one.next_urgent;
        one.next_urgent->previous_urgent = one.previous_urgent;
        if (urgent == &one) urgent = one.next_urgent == &one ? nullptr : one.next_urgent;
        one.next_urgent = one.previous_urgent = nullptr;
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

inline std::size_t Poll::State::collect(sys::PollerEvents& found, Event* events, std::size_t room, bool one_shot,
                                        bool begins_urgent) noexcept {
    if (!one_shot && urgent == nullptr && found.count < sys::PollerEvents::room) {
        const std::size_t ready = collect_plain(found, events, room);
        if (ready != 0) return ready;
    }
    return collect_all(found, events, room, one_shot, begins_urgent);
}

std::size_t Poll::State::collect_all(sys::PollerEvents& found, Event* events, std::size_t room, bool one_shot,
                                     bool begins_urgent) noexcept {
    std::size_t ready = begins_urgent ? collect_urgent(events, 0, room) : 0;
    for (std::size_t before = room; found.count != 0 && ready != before && ready < room;) {
        before = ready;
        ready = collect_found(found, events, ready, room);
        if (found.count < sys::PollerEvents::room) break;
        // The system goes round what is ready: again, until it begins to repeat itself.
        (void)sys::poller_wait(poller, found, room - ready, Timeout::zero());
    }
    if (!begins_urgent) ready = collect_urgent(events, ready, room);
    for (std::size_t i = 0; i < ready; ++i) {
        events[i].registration->reported = nullptr;
        if (one_shot) spend(*events[i].registration);
    }
    return ready;
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
std::size_t Poll::State::collect_plain(const sys::PollerEvents& found, Event* events, std::size_t room) const noexcept {
    if (found.count > room) return 0;
    std::size_t ready = 0;
    for (std::size_t i = 0; i < found.count; ++i) {
        const sys::PollerEvent event = sys::poller_event(found, i);
        Registration* one = first_of(event.fd);
        if (one == nullptr) continue;
        if (one->next_of_fd != nullptr) return 0;
        const unsigned shown = one->shown(event.events);
        if (shown != 0) events[ready++] = {one->fd, shown, one->userdata, one};
    }
    return ready;
}

std::size_t Poll::State::collect_found(const sys::PollerEvents& found, Event* events, std::size_t ready,
                                       std::size_t room) noexcept {
    // Each descriptor once, before any of them a second time.
    for (std::size_t i = 0; i < found.count && ready < room; ++i) {
        const sys::PollerEvent event = sys::poller_event(found, i);
        Registration* one = first_of(event.fd);
        while (one != nullptr && one->shown(event.events) == 0) one = one->next_of_fd;
        if (one != nullptr && one->reported == nullptr) report(*one, one->shown(event.events), events[ready++]);
    }
    for (std::size_t i = 0; i < found.count; ++i) {
        Registration* left_out = nullptr;
        const sys::PollerEvent event = sys::poller_event(found, i);
        for (Registration* one = first_of(event.fd); one != nullptr; one = one->next_of_fd) {
            const unsigned shown = one->shown(event.events);
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
