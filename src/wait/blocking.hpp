// Blocking: the one place where a call sleeps. It knows the deadline, lets the host's other threads run, retries
// after signals and asks the host whether to go on (TIME-2..10, invariant 3).
#pragma once

#include <cerrno>

#include "stream/layer.hpp"
#include "sys/sys.hpp"
#include "usocket/detail/gate.hpp"
#include "usocket/host.hpp"

namespace usocket {

// The host's signal handlers have run, and what the call had got was given back before: it begins anew. Never leaves
// the core.
inline constexpr Error start_over(INT32_MIN);

// Nobody can come between the steps of a call, not even its host's signal handlers. Not asked on a small device, where
// all calls have a host.
inline bool is_undisturbed([[maybe_unused]] const Host* host) noexcept {
#if defined(USOCKET_SMALL)
    return false;
#else
    return host == nullptr && sys::is_only_thread();
#endif
}

class Blocking {
public:
    // `gate`: of the socket that the call is inside of, whose close ends it; may be null.
    Blocking(Call& call, Timeout timeout, Gate* gate) noexcept : call_(call), timeout_(timeout), gate_(gate) {}
    // For another wait of the same call: what the one before has found out of its descriptor counts no more.
    Blocking& anew() noexcept {
        sleeps_ = Sleeps::unknown;
        has_heeded_ = trusts_poll_ = has_lost_watch_ = false;
        return *this;
    }
    // From now on it waits for nothing, as with MSG_DONTWAIT, whatever the timeout and the call's deadline are.
    void wait_for_nothing() noexcept {
        timeout_ = Timeout::zero();
        call_.has_deadline_ = false;
    }

    // Whether a call that ended so is not to be repeated.
    static bool is_settled(Error error) noexcept { return error != Error(EAGAIN) && error != Error(EINTR); }
    // Does `op` until it does something else than ask to be repeated, each time `fd` shows one of `events`. Sleeping in
    // the system is for ops that have asked sleep_flags().
    // What cannot be unread is taken by an op that never sleeps, and then a host that runs its handlers when the call
    // returns is not left for it: from the last look for signals until then there is nothing to wait for.
    template <class Op>
    auto perform(sys::Fd fd, unsigned events, Op op, bool can_be_unread = true) noexcept -> decltype(op()) {
        const bool stays = !can_be_unread && call_.looks_last();
        if (!stays) leave();
        for (bool has_waited = false;; has_waited = true) {
            auto result = op();
            Error error = result.error();
            if (repeats(error, has_waited, stays, fd, events)) continue;
            if (error != result.error()) return error;
            return result;
        }
    }
    // Does `op` once, outside the host.
    template <class Op> auto once(Op op) noexcept -> decltype(op()) {
        leave();
        auto result = op();
        enter();
        return result;
    }
    // For op: MSG_DONTWAIT, unless the system may sleep in it.
    int sleep_flags() noexcept {
        if (!sys::calls_sleep) return sys::msg_dontwait;
        if (sleeps_ == Sleeps::unknown) sleeps_ = may_sleep_in_system() ? Sleeps::in_system : Sleeps::here;
        return sleeps_in_system() ? 0 : sys::msg_dontwait;
    }
    // For who has met EAGAIN by himself, in the system or because it must not sleep: what perform() does before it
    // tries again.
    Result<void> await_retry(sys::Fd fd, unsigned events, bool in_system) noexcept {
        sleeps_ = in_system ? Sleeps::in_system : Sleeps::here;
        leave();
        const Error error = again(fd, events);
        enter();
        return error;
    }
    // Lets others run, outside the host: whoever is in the way may want it back before going on.
    void step_aside() noexcept {
        leave();
        sys::yield_thread();
        enter();
    }
    // What was waited for has come, if not all of it: the waits so far were not in vain, and SO_RCVTIMEO and
    // SO_SNDTIMEO begin anew. By a call that began anew itself only for what it had not got before.
    void note_progress() noexcept {
        call_.vain_waits_ = 0;
        if (call_.deadline_ != 0) begin_span_anew();
    }
    // Makes SO_RCVTIMEO or SO_SNDTIMEO the call's deadline until something moves, if there is no other (TIME-7).
    // EAGAIN: it has expired.
    Error heed_descriptor(sys::Fd fd, unsigned events) noexcept;
    // Does not wait where `fd` shows one of `events` now; else as wait().
    Result<void> await(sys::Fd fd, unsigned events) noexcept;
    // Until `fd` shows one of `events`: EAGAIN, ETIMEDOUT, EINTR, EBADF.
    Result<void> wait(sys::Fd fd, unsigned events) noexcept;
    // The same, but at most for `span`: whether it is ready.
    Result<bool> pause(sys::Fd fd, unsigned events, Timeout span) noexcept;
    // Until the word is not `value` any more, or for no reason: ETIMEDOUT, EINTR, EBADF.
    Result<void> wait_for_word(const std::atomic<std::uint32_t>& word, std::uint32_t value) noexcept;
    // Lets the host look for signals after a system call that one may have cut short: EINTR to give up, or start_over.
    // start_over: what the call has got was given back for it. Without memory for that a call ends, with ENOMEM, by
    // which it comes to a short read; if it only looks, it goes on.
    Error check_signals(bool only_looks = false) noexcept;
    // ETIMEDOUT once the deadline has passed: for calls that go on and on though they need not wait.
    Error check_deadline() noexcept;
    // What is left until the deadline; none if there is none.
    Timeout remaining() noexcept;
    // Other holders of the descriptor cannot make its poll deaf.
    void trust_poll() noexcept { trusts_poll_ = true; }
    // Its host has to look for signals now and then.
    [[nodiscard]] bool looks_for_signals() const noexcept { return call_.looks_for_signals(); }
    // The call's, for a Watch.
    [[nodiscard]] std::uint32_t id() const noexcept { return Watch::id_of(&call_); }
    [[nodiscard]] bool has_host() const noexcept { return call_.host_ != nullptr; }
    // Its host's signal handlers may longjmp.
    [[nodiscard]] bool unwinds() const noexcept { return call_.unwinds(); }
    // `longest`, or until the next look for signals.
    Timeout until_look(Timeout longest) noexcept;
    // EAGAIN and no deadline.
    [[nodiscard, gnu::noinline]] bool is_nonblocking() const noexcept {
        return timeout_.is_zero() && !call_.has_deadline_;
    }
    [[nodiscard]] bool is_alone() const noexcept { return is_undisturbed(call_.host_); }
    // Nothing ends a wait but what is waited for.
    [[nodiscard]] bool is_endless() const noexcept { return timeout_.is_none() && !call_.has_deadline_; }

private:
    bool may_sleep_in_system() noexcept;
    [[nodiscard]] bool sleeps_in_system() const noexcept { return sys::calls_sleep && sleeps_ == Sleeps::in_system; }
    void leave() noexcept;
    void enter() noexcept;
    Error after_signal(bool only_looks = false) noexcept;
    bool repeats(Error& error, bool has_waited, bool stays, sys::Fd fd, unsigned events) noexcept;
    Error before_repeating(Error met, sys::Fd fd, unsigned events) noexcept;
    Error after_interruption(sys::Fd fd, unsigned events) noexcept;
    Error sleep_until(sys::Fd fd, unsigned events) noexcept;
    Timeout own_span(sys::Fd fd, unsigned events) noexcept;
    void begin_span_anew() noexcept;
    Error look_for_signals() noexcept;
    std::int64_t next_look_span() noexcept;
    Error again(sys::Fd fd, unsigned events) noexcept;
    [[nodiscard]] Error expired() const noexcept;
    Result<bool> sleep_once(sys::Fd fd, unsigned events, Timeout span) noexcept;
    [[nodiscard]] bool is_distrusted() const noexcept;
    Aside* make_aside(Gate& gate) noexcept;
    sys::Fd bell_of(Gate& gate) noexcept;
    Result<sys::Fd> watch_closing(Timeout& longest) noexcept;
    // Of a call on two sockets the one that it does not wait for now; else null.
    [[nodiscard]] Gate* other() const noexcept {
#if defined(USOCKET_SMALL)
        return nullptr;
#else
        return gate_ == call_.from_ ? call_.to_ : call_.from_;
#endif
    }
    [[nodiscard]] bool is_closed() const noexcept {
        const Gate* beside = other();
        return (gate_ != nullptr && gate_->closed()) || (beside != nullptr && beside->closed());
    }

    Call& call_;
    Timeout timeout_;
    Gate* gate_;
    enum class Sleeps : std::uint8_t { unknown, in_system, here } sleeps_ = Sleeps::unknown;
    bool has_heeded_ = false;  // SO_RCVTIMEO and SO_SNDTIMEO
    bool trusts_poll_ = false;
    bool has_lost_watch_ = false;  // of its layer: something may have come, and be gone
};

}  // namespace usocket
