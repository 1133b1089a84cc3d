// Poll: the system's poller tells what is ready in its queues; sockets tell what only they know, kept bytes and
// their close (POLL-3, POLL-5). Both cost nothing per registration that is not ready (POLL-4).
#include "usocket/poll.hpp"

#include <cerrno>
#include <new>
#include <utility>

#include "poll/state.hpp"
#include "poll/stay.hpp"
#include "wait/blocking.hpp"
#include "wait/settling.hpp"
#include "wait/uncancelled.hpp"

namespace usocket {

Poll::Poll(Poll&& other) noexcept : state_(other.state_.exchange(nullptr)), wakes_(other.wakes_.exchange(0)) {}

Poll& Poll::operator=(Poll&& other) noexcept {
    state_ = other.state_.exchange(state_);
    wakes_ = other.wakes_.exchange(wakes_);
    return *this;
}

// Where a wait does not end, what it uses stays.
Poll::~Poll() {
    State* state = state_;
    const Uncancelled uncancelled;
    if (state == nullptr || !end_waits(*state)) return;
    const Held held;
    {
        const Registry locked;
        state_ = nullptr;
        state->close();
    }
    state->~State();
    (void)sys::resize(state, 0);
}

#if defined(USOCKET_SMALL)

bool Poll::end_waits(State& /*state*/) noexcept { return true; }

#else

// Those of other threads, as when exit() destroys a static poll (SOCK-9). False: one of them does not end, as that of
// the thread whose signal handler has called exit(). In a child of fork those of its parent are nobody.
bool Poll::end_waits(State& state) noexcept {
    constexpr int patience = 100;
    const Timeout nap = Timeout::of_nanoseconds(10'000'000);
    std::uint32_t word = inside_.fetch_or(Stay::ended_bit, std::memory_order_seq_cst) | Stay::ended_bit;
    for (int i = 0; i < patience && Stay::count(word) != 0; ++i) {
        sys::poller_ring(state.poller);
        (void)sys::sleep_on_word(inside_, word, nap);
        word = inside_.load(std::memory_order_seq_cst);
    }
    return Stay::count(word) == 0;
}

#endif

// nullptr: no memory.
Poll::State* Poll::make_state() noexcept {
    State* state = state_.load(std::memory_order_acquire);
    if (state != nullptr) return state;
    sys::Poller* poller = sys::poller_make();
    void* memory = poller == nullptr ? nullptr : sys::resize(nullptr, sizeof(State));
    if (memory == nullptr) {
        if (poller != nullptr) sys::poller_destroy(poller);
        return nullptr;
    }
    State* made = new (memory) State(poller);
    if (state_.compare_exchange_strong(state, made)) return made;
    made->~State();
    (void)sys::resize(made, 0);
    return state;
}

// --- Registering

Result<Registration*> Poll::register_(Socket& socket) noexcept {
    return register_(socket, sys::poll_in | sys::poll_out);
}

Result<Registration*> Poll::register_(int fd, unsigned events, void* userdata) noexcept {
    return register_fd(fd, events, userdata, true);
}

Result<Registration*> Poll::register_another(int fd, unsigned events, void* userdata) noexcept {
    return register_fd(fd, events, userdata, false);
}

Result<Registration*> Poll::register_fd(int fd, unsigned events, void* userdata, bool is_once) noexcept {
    const Stay stay(*this);
    if (stay.is_over()) return Error(EBADF);
    State* state = make_state();
    if (state == nullptr) return Error(ENOMEM);
    const Wanted wanted{fd, events, userdata, nullptr, true};
    return state->provide_for(fd,
                              [&]() noexcept { return state->add(wanted, is_once ? state->find_fd(fd) : nullptr); });
}

Registration* Poll::find_fd(int fd) const noexcept {
    State* state = state_;
    return state == nullptr ? nullptr : state->find_fd(fd);
}

Result<void> Poll::modify_found(Registration* registration, unsigned events) noexcept {
    if (registration == nullptr) return Error(ENOENT);
    return registration->poll->change(*registration, events);
}

Result<void> Poll::modify(Socket& socket, unsigned events) noexcept {
    const Registry locked;
    return modify_found(find_socket(socket), events);
}

Result<void> Poll::modify(int fd, unsigned events) noexcept {
    const Registry locked;
    return modify_found(find_fd(fd), events);
}

Result<void> Poll::modify(Registration* registration, unsigned events) noexcept {
    const Registry locked;
    if (state_ == nullptr) return Error(EBADF);
    return modify_found(registration, events);
}

Result<void> Poll::unregister_found(Registration* registration) noexcept {
    if (registration == nullptr) return Error(ENOENT);
    registration->poll->remove(*registration);
    return {};
}

Result<void> Poll::unregister(Socket& socket) noexcept {
    const Registry locked;
    return unregister_found(find_socket(socket));
}

Result<void> Poll::unregister(int fd) noexcept {
    const Registry locked;
    return unregister_found(find_fd(fd));
}

void Poll::unregister(Registration* registration) noexcept {
    const Registry locked;
    if (state_ != nullptr) (void)unregister_found(registration);
}

std::size_t Poll::size() const noexcept {
    const State* state = state_;
    return state == nullptr ? 0 : state->count.load(std::memory_order_relaxed);
}

// --- Waking

// The count first: who hangs up the bell later, and so is not rung for, looks at it before it sleeps.
void Poll::wake() noexcept {
    wakes_.fetch_add(1, std::memory_order_seq_cst);
    const State* state = state_.load(std::memory_order_seq_cst);
    if (state != nullptr) sys::poller_ring(state->poller);
}

bool Poll::take_wake() noexcept {
    std::uint32_t left = wakes_.load(std::memory_order_seq_cst);
    while (left != 0 && !wakes_.compare_exchange_weak(left, left - 1, std::memory_order_seq_cst)) {
    }
    return left != 0;
}

// --- Waiting

namespace {

// How long a wait sleeps without a look at what nobody tells it: at descriptors that may be closed behind its back
// (POLL-7) or that another holder makes it deaf for (TIME-9), and at everything where it has no bell: a server that has
// used up its descriptors still waits.
class Slices {
public:
    explicit Slices(const std::atomic<std::size_t>& behind) noexcept : behind_(behind) {}

    // The next of a wait that has so much left.
    [[nodiscard]] Timeout of(Timeout left, bool is_deaf) noexcept {
        if (!is_deaf && behind_.load(std::memory_order_relaxed) == 0) return left;
        const Timeout slice = is_deaf ? deaf : std::exchange(is_first_, false) ? first : later;
        return !left.is_none() && left.nanoseconds() < slice.nanoseconds() ? left : slice;
    }

    // At how many descriptors to look after such a slice: a short one must not cost more than it is worth.
    [[nodiscard]] static std::size_t most_looks(Timeout slice) noexcept {
        return slice.is_none() || slice.nanoseconds() >= first.nanoseconds() ? 64 : 1;
    }

    static constexpr Timeout deaf = Timeout::of_nanoseconds(20'000'000);
    static constexpr Timeout first = Timeout::of_nanoseconds(50'000'000);
    static constexpr Timeout later = Timeout::of_nanoseconds(1'000'000'000);

private:
    bool is_first_ = true;
    const std::atomic<std::size_t>& behind_;
};

}  // namespace

// The short way of a program with one thread: nobody is to be kept out, and while the system knows all that is ready,
// one system call is the whole job. A signal handler that wakes it rings the bell.
Result<std::size_t> Poll::poll(Event* events, std::size_t count, Timeout timeout, bool one_shot) noexcept {
    State* const state = state_.load(std::memory_order_acquire);
    const bool is_simple = (timeout.is_none() || timeout.is_zero()) && !one_shot && count != 0;
    if (!is_simple || !sys::is_only_thread() || state == nullptr || !state->is_plain(timeout.is_none()) ||
        wakes_.load(std::memory_order_relaxed) != 0 || (timeout.is_none() && has_to_settle())) {
        return poll(events, count, timeout, one_shot, Call());
    }
    const bool looks = timeout.is_none() && state->behind.load(std::memory_order_relaxed) != 0;
    sys::PollerEvents found;
    const Error error = sys::poller_wait(state->poller, found, count, looks ? Slices::first : timeout);
    const bool has_layers = state->has_layers.load(std::memory_order_relaxed);
    const bool is_all = found.count < sys::PollerEvents::room && state->urgent.empty() && !has_layers;
    if (const std::size_t ready = is_all ? state->collect_plain(found, events, count) : 0; ready != 0) return ready;
    State::Round round = state->round_for(count);
    if (has_layers) state->look_into(found, round);
    const auto ready = state->end_round(round, found, events, count, false, wakes_);
    if (!ready || *ready != 0) return ready;
    const bool is_over = timeout.is_zero() && error == Error() && !round.is_vain();
    return is_over ? ready : poll(events, count, timeout, one_shot, Call());
}

Result<std::size_t> Poll::poll(Event* events, std::size_t count, Timeout timeout, bool one_shot, Call&& call) noexcept {
    if (count == 0) return Error(Fault::no_room);
    Blocking blocking(call, timeout, nullptr);
    const Uncancelled uncancelled(blocking.has_host());
    const Stay stay(*this, blocking);
    if (stay.is_over()) return Error(EBADF);
    State* const state = make_state();
    if (state == nullptr) return Error(ENOMEM);
    Slices slices(state->behind);
    bool has_settled = timeout.is_zero();
    for (;;) {
        auto round = state->begin_round(count, !timeout.is_zero());
        if (!round) return round.error();
        const bool sleeps = round->urgent == 0 && wakes_.load(std::memory_order_seq_cst) == 0;
        const bool looks_first = sleeps && !has_settled && has_to_settle();
        const bool waits = sleeps && !looks_first;
        Timeout slice = Timeout::zero();
        sys::PollerEvents found;
        found.count = 0;
        const Error waited = blocking.once([&]() noexcept {
            if (round->room == 0) return Error();
            // Reading the clock, as all do who look for signals, costs a third more where something is ready.
            if (waits && !timeout.is_zero()) {
                if (blocking.looks_for_signals()) {
                    const Error error = sys::poller_wait(state->poller, found, round->room, Timeout::zero());
                    if (error != Error() || found.count != 0) return error;
                }
                slice = blocking.until_look(slices.of(blocking.remaining(), round->is_deaf));
            }
            return sys::poller_wait(state->poller, found, round->room, slice);
        });
        if (stay.is_over()) return Error(EBADF);
        const bool is_cut_short = waited == Error(EINTR);
        if (waited != Error() && !is_cut_short) return waited;
        // A host that is given something looks by itself, but a one-shot report must not be lost to its handlers.
        if (is_cut_short || (blocking.looks_for_signals() && (found.count == 0 || one_shot))) {
            if (const Error error = blocking.check_signals(); error != Error()) return error;
        }
        if (!is_cut_short) {
            if (state->has_layers.load(std::memory_order_relaxed)) state->look_into(found, *round);
            const auto ready = state->end_round(*round, found, events, count, one_shot, wakes_);
            if (!ready || *ready != 0) return ready;
            if (take_wake()) return std::size_t{0};
        }
        if (looks_first) {
            settle();
            has_settled = true;
            continue;
        }
        const bool has_slept = found.count == 0 && !slice.is_zero();
        if (has_slept && state->look_behind(Slices::most_looks(slice))) continue;
        if (!is_cut_short && !round->is_vain() && blocking.remaining().is_zero()) return std::size_t{0};
    }
}

}  // namespace usocket
