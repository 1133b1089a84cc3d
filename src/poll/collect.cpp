// What is ready: a round of poll(), and how everything gets its turn.
#include <algorithm>
#include <utility>

#include "poll/state.hpp"

namespace usocket {

Poll::State::Round Poll::State::round_for(std::size_t room) const noexcept {
    Round round;
    round.room = room;
    round.is_tight = room < count.load(std::memory_order_relaxed);
    round.removals = removals.load(std::memory_order_acquire);
    return round;
}

Result<Poll::State::Round> Poll::State::begin_round(std::size_t room, bool may_sleep) noexcept {
    Round round = round_for(room);
    // What becomes urgent after this look rings the bell.
    if (is_plain(may_sleep)) return round;
    const Registry locked;
    if (const Error error = prepare(); error != Error()) return error;
    heed_forks();
    if (may_sleep && !is_armed.load(std::memory_order_relaxed)) {
        round.is_deaf = !sys::poller_arm(poller);
        is_armed.store(!round.is_deaf, std::memory_order_seq_cst);
    }
    round.removals = removals.load(std::memory_order_relaxed);
    urgent_first = !urgent_first;
    round.urgent_first = urgent_first;
    round.urgent = std::min(urgent.size(), room);
    // What the system finds goes to the end of its queue, so it is not asked for what would find no room.
    if (urgent_first && round.is_tight) round.room -= round.urgent;
    return round;
}

Result<std::size_t> Poll::State::end_round(Round& round, sys::PollerEvents& found, Event* events, std::size_t room,
                                           bool one_shot, const std::atomic<std::uint32_t>& wakes) noexcept {
    if (found.count == 0 && round.urgent == 0) return std::size_t{0};
    const Registry locked;
    const bool may_be_plain = !one_shot && urgent.empty() && found.count < sys::PollerEvents::room;
    const std::size_t plain = may_be_plain ? collect_plain(found, events, room) : 0;
    if (plain != 0) return plain;
    const std::size_t ready = collect_all(round, found, events, room);
    for (std::size_t i = 0; i < ready; ++i) {
        Registration& one = *events[i].registration;
        one.reported = nullptr;
        // Only another look tells whether it still is.
        if (std::exchange(one.overlooked, false)) sort_urgent(one);
        if (one_shot || one.spent != 0) spend(one, events[i].events);
    }
    // The bell rings on while somebody else may want to hear it.
    if (round.has_rung && urgent.empty()) {
        sys::poller_hush(poller);
        if (wakes.load(std::memory_order_seq_cst) != 0) sys::poller_ring(poller);
    }
    // An event on its way may have been overtaken by what took its descriptor out; one that comes again was not.
    if (round.is_stale && round.removals == removals.load(std::memory_order_relaxed)) {
        const Error error = reopen();
        if (error != Error() && ready == 0) return error;
    }
    return ready;
}

std::size_t Poll::State::collect_plain(const sys::PollerEvents& found, Event* events, std::size_t room) const noexcept {
    if (found.count > room) return 0;
    std::size_t ready = 0;
    for (std::size_t i = 0; i < found.count; ++i) {
        const sys::PollerEvent event = sys::poller_event(found, i);
        Registration* one = watched.first_of(event);
        if (one == nullptr || one->next_of_fd != nullptr || (event.events & sys::poll_nval) != 0) return 0;
        const unsigned shown = one->shown(event.events);
        if (shown == 0) continue;
        if (one->spent != 0) return 0;
        if (one->may_vanish && is_elsewhere(event.fd, event.events)) return 0;
        events[ready++] = {one->fd, shown, one->userdata, one};
    }
    return ready;
}

std::size_t Poll::State::collect_all(Round& round, sys::PollerEvents& found, Event* events, std::size_t room) noexcept {
    bool has_bell = look_at(found, round);
    std::size_t ready = round.urgent_first ? collect_urgent(events, 0, room, round.is_tight) : 0;
    std::size_t vain = 0;  // found, and urgent already
    for (std::size_t asked = round.room; found.count != 0;) {
        const std::size_t before = ready;
        ready = collect_found(found, events, ready, room);
        if (ready == before) vain += found.count;
        // The system goes round what is ready: again, until it begins to repeat itself. Nor may the bell keep anything
        // out, which rings as long as something is urgent.
        const bool is_all = found.count < std::min(asked, sys::PollerEvents::room);
        const bool is_full = round.is_tight && ready == room;
        if (is_full || is_all || (vain > round.urgent && !has_bell)) break;
        asked = round.is_tight ? room - ready : room;
        (void)sys::poller_wait(poller, found, asked, Timeout::zero());
        has_bell = look_at(found, round) && !has_bell;
    }
    return round.urgent_first ? ready : collect_urgent(events, ready, room, false);
}

// For what is no registration's readiness. Returns whether the bell is among it.
bool Poll::State::look_at(const sys::PollerEvents& found, Round& round) noexcept {
    bool has_bell = false;
    for (std::size_t i = 0; i < found.count; ++i) {
        const sys::PollerEvent event = sys::poller_event(found, i);
        if (event.fd == sys::no_fd) {
            has_bell = round.has_rung = true;
        } else if (watched.first_of(event) == nullptr) {
            round.is_stale = true;
        } else if ((event.events & sys::poll_nval) != 0 || is_elsewhere(event.fd, event.events)) {
            gone(event.fd);
        }
    }
    return has_bell;
}

void Poll::State::report(Registration& registration, unsigned events, Event& event) noexcept {
    event = {registration.closed ? sys::no_fd : registration.fd, events, registration.userdata, &registration};
    registration.reported = &event;
}

// Both collect behind the `ready` events that are there already, or into them, and return how many there are then.
// What finds no room is the first to be looked at the next time. `asks`: the system has not been asked about these.
std::size_t Poll::State::collect_urgent(Event* events, std::size_t ready, std::size_t room, bool asks) noexcept {
    Registration* left_out = nullptr;
    urgent.for_each([&](Registration& one) {
        if (!one.closed && is_elsewhere(one.fd, one.urgent_events())) gone(one.fd);
        if (one.reported != nullptr) {
            one.reported->events |= one.urgent_events();
        } else if (ready < room) {
            const unsigned told = asks && !one.closed ? sys::wait(one.fd, one.mask(), Timeout::zero()).value_or(0u) : 0;
            report(one, one.urgent_events() | one.shown(told), events[ready++]);
        } else if (left_out == nullptr) {
            left_out = &one;
        }
    });
    if (left_out != nullptr) urgent.begin_with(*left_out);
    return ready;
}

std::size_t Poll::State::collect_found(const sys::PollerEvents& found, Event* events, std::size_t ready,
                                       std::size_t room) noexcept {
    // Each descriptor once, before any of them a second time.
    for (std::size_t i = 0; i < found.count && ready < room; ++i) {
        const sys::PollerEvent event = sys::poller_event(found, i);
        Registration* one = watched.first_of(event);
        while (one != nullptr && one->shown(event.events) == 0) one = one->next_of_fd;
        if (one != nullptr && one->reported == nullptr) report(*one, one->shown(event.events), events[ready++]);
    }
    for (std::size_t i = 0; i < found.count; ++i) {
        Registration* left_out = nullptr;
        const sys::PollerEvent event = sys::poller_event(found, i);
        for (Registration* one = watched.first_of(event); one != nullptr; one = one->next_of_fd) {
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
    Registration*& first = watched[registration.fd].first;
    if (first == &registration) return;
    Registration* before = first;
    while (before->next_of_fd != &registration) before = before->next_of_fd;
    before->next_of_fd = nullptr;
    Registration* last = &registration;
    while (last->next_of_fd != nullptr) last = last->next_of_fd;
    last->next_of_fd = std::exchange(first, &registration);
}

}  // namespace usocket
