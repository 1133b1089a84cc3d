// Many at once, by kqueue(2), for macOS and the BSDs: a wait costs what is ready, not what is registered (POLL-4). And,
// by its edges, a queue that grows.
//
// The queue says which descriptors to look at, poll(2) then says what they are ready for: so it is the same everywhere.
// A number that is closed takes what was registered with it along, duplicates or not. A child of fork has none of its
// parent's queues, nor are their numbers taken there.
#include <fcntl.h>
#include <sys/event.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <new>

#include "sys/posix/native.hpp"
#include "sys/posix/poller/pipe_bell.hpp"
#include "sys/posix/span.hpp"

namespace usocket::sys {

struct Poller {
    std::atomic<int> queue{-1};
    std::uint32_t process = 0;  // the generation of the one that opened it
    PipeBell bell;
};

static_assert(sizeof(PollerEvents::native) >= PollerEvents::room * sizeof(PollerEvent));

namespace {

using Change = struct kevent;

// Longer spans are refused; whoever waits longer comes again.
constexpr Timeout longest_span = Timeout::of_nanoseconds(std::int64_t{24} * 60 * 60 * 1'000'000'000);

Result<Fd> open_queue() noexcept {
    const int queue = ::kqueue();
    if (queue < 0) return last_error();
    (void)::fcntl(queue, F_SETFD, FD_CLOEXEC);
    return queue;
}

Change change_of(Fd fd, int filter, int flags, std::uint32_t generation = 0) noexcept {
    Change change{};
    EV_SET(&change, static_cast<decltype(change.ident)>(fd), static_cast<decltype(change.filter)>(filter),
           static_cast<decltype(change.flags)>(flags), 0, 0, nullptr);
    change.udata = reinterpret_cast<decltype(change.udata)>(std::uintptr_t{generation});
    return change;
}

// One after the other; the first that is refused is the last.
template <std::size_t count> Result<void> apply(Fd queue, const Change (&changes)[count]) noexcept {
    return check(::kevent(queue, changes, count, nullptr, 0, nullptr));
}

// Systems count in one type or another.
template <class Count>
int wait_by(int (*call)(int, const Change*, Count, Change*, Count, const timespec*), Fd queue, Change* room,
            std::size_t size, const timespec* span) noexcept {
    return call(queue, nullptr, Count{0}, room, static_cast<Count>(size), span);
}

// What can be read is always looked for, as what stands for the number. Who does not ask for it wants to know of errors
// and of the end: then each change is worth a look, once.
Change read_change(Fd fd, unsigned events, std::uint32_t generation) noexcept {
    const bool is_wanted = events != poll_nothing && (events & POLLIN) != 0;
    return change_of(fd, EVFILT_READ, is_wanted ? EV_ADD : EV_ADD | EV_CLEAR, generation);
}

// What cannot be sent on, as one end of a pipe, has nothing to tell about it; nor is there always something to take
// out.
void change_write(Fd queue, Fd fd, unsigned events, std::uint32_t generation) noexcept {
    const bool is_wanted = events != poll_nothing && (events & POLLOUT) != 0;
    (void)apply(queue, {change_of(fd, EVFILT_WRITE, is_wanted ? EV_ADD : EV_DELETE, generation)});
}

// Not a number that was closed, and that the poller has got itself; nor a file, which is always ready.
Result<void> check_watchable(const Poller& poller, Fd fd) noexcept {
    if (fd == poller.queue || poller.bell.has(fd)) return Error(EBADF);
    struct stat status{};
    if (::fstat(fd, &status) < 0) return last_error();
    return S_ISREG(status.st_mode) ? Error(EPERM) : Error();
}

Error add_bell(const Poller& poller) noexcept {
    return apply(poller.queue, {change_of(poller.bell.read_end(), EVFILT_READ, EV_ADD)}).error();
}

}  // namespace

void poller_close(Poller* poller) noexcept {
    if (poller->queue >= 0 && poller->process == process_generation()) (void)::close(poller->queue);
    poller->bell.close();
}

// Anew in the same process: what has been closed is out already, and what is added again takes the place of what is
// there.
Error poller_open(Poller* poller, bool is_inherited) noexcept {
    if (poller->queue >= 0 && !is_inherited) return Error();
    const auto queue = open_queue();
    if (!queue) return queue.error();
    poller->queue = *queue;
    poller->process = process_generation();
    if (!poller->bell.is_open()) return Error();
    const Error error = poller->bell.open();
    return error != Error() ? error : add_bell(*poller);
}

Result<void> poller_add(Poller* poller, Fd fd, unsigned events, std::uint32_t generation) noexcept {
    if (const auto watchable = check_watchable(*poller, fd); !watchable) return watchable;
    const auto added = apply(poller->queue, {read_change(fd, events, generation)});
    if (added) change_write(poller->queue, fd, events, generation);
    return added;
}

// Anew, because a filter that is there does not change its kind.
Result<void> poller_change(Poller* poller, Fd fd, unsigned events, std::uint32_t generation) noexcept {
    if (const auto watchable = check_watchable(*poller, fd); !watchable) return watchable;
    const auto changed =
        apply(poller->queue, {change_of(fd, EVFILT_READ, EV_DELETE), read_change(fd, events, generation)});
    if (changed) change_write(poller->queue, fd, events, generation);
    return changed;
}

void poller_remove(Poller* poller, Fd fd) noexcept {
    if (!check_watchable(*poller, fd)) return;
    (void)apply(poller->queue, {change_of(fd, EVFILT_READ, EV_DELETE), change_of(fd, EVFILT_WRITE, EV_DELETE)});
}

Error poller_wait(Poller* poller, PollerEvents& found, std::size_t most, Timeout timeout) noexcept {
    found.count = 0;
    Change ready[PollerEvents::room];
    const bool is_long = !timeout.is_none() && timeout.nanoseconds() > longest_span.nanoseconds();
    const Span span(is_long ? longest_span : timeout);
    const int count = wait_by(::kevent, poller->queue, ready, std::min(most, PollerEvents::room), span.get());
    if (count < 0) return last_error();
    auto* events = reinterpret_cast<PollerEvent*>(found.native);
    pollfd looks[PollerEvents::room];
    std::size_t size = 0;
    for (const Change* one = ready; one != ready + count; ++one) {
        const auto fd = static_cast<Fd>(one->ident);
        const auto* const end = looks + size;
        if (std::find_if(+looks, looks + size, [fd](const pollfd& look) { return look.fd == fd; }) != end) continue;
        const bool is_bell = fd == poller->bell.read_end();
        looks[size] = {fd, static_cast<short>(POLLIN | POLLOUT | POLLPRI | poll_rdhup), 0};
        const auto generation = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(one->udata));
        events[size++] = {is_bell ? no_fd : fd, generation, POLLIN};
    }
    if (calls::poll(looks, size, Timeout::zero()) < 0) return last_error();
    for (std::size_t i = 0; i < size; ++i) {
        const auto shown = static_cast<unsigned short>(looks[i].revents);
        if (shown != 0) events[found.count++] = {events[i].fd, events[i].generation, shown};
    }
    return Error();
}

PollerEvent poller_event(const PollerEvents& found, std::size_t index) noexcept {
    return reinterpret_cast<const PollerEvent*>(found.native)[index];
}

Result<void> poller_arm(Poller* poller) noexcept {
    if (poller->bell.is_open()) return {};
    const Error error = poller->bell.open();
    return error != Error() ? error : add_bell(*poller);
}

void poller_ring(Poller* poller) noexcept { poller->bell.ring(); }
void poller_hush(Poller* poller) noexcept { poller->bell.hush(); }

// --- A queue that grows

Result<Fd> growth_open(Fd fd) noexcept {
    const auto growth = open_queue();
    if (!growth) return growth;
    const auto added = apply(*growth, {change_of(fd, EVFILT_READ, EV_ADD | EV_CLEAR)});
    if (added) return growth;
    (void)::close(*growth);
    return added.error();
}

bool growth_take(Fd growth) noexcept {
    Change event{};
    const timespec at_once{};
    return ::kevent(growth, nullptr, 0, &event, 1, &at_once) == 1 && (event.flags & EV_EOF) != 0;
}

}  // namespace usocket::sys

#include "sys/posix/poller/life.hpp"
