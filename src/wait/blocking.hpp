// Blocking: the one place where a call sleeps. It knows the deadline, lets the host's other threads run, retries
// after signals and asks the host whether to go on (TIME-2..5, invariant 3).
#pragma once

#include <cerrno>

#include "sys/sys.hpp"
#include "usocket/host.hpp"
#include "usocket/socket.hpp"

namespace usocket {

// The host's signal handlers have run, and the socket has been theirs: a call that reads begins anew with what it has.
// Never leaves the core.
inline constexpr Error start_over(INT32_MIN);

class Blocking {
public:
    // `socket`: whose reader lock to lend out while the host runs its signal handlers; may be null.
    Blocking(Call& call, Timeout timeout, Socket* socket) noexcept : call_(call), timeout_(timeout), socket_(socket) {}

    // Whether a call that ended so is not to be repeated.
    static bool is_settled(Error error) noexcept { return error != Error(EAGAIN) && error != Error(EINTR); }
    // Does `op` until it does something else than ask to be repeated. Without a deadline op itself may sleep in
    // the system; else it must not, and is done again each time `fd` shows one of `events`.
    template <class Op> auto perform(sys::Fd fd, unsigned events, Op op) noexcept -> decltype(op()) {
        leave();
        for (unsigned sleeps = 0;;) {
            auto result = op();
            if (is_settled(result.error())) {
                enter();
                return result;
            }
            const bool is_signal = result.error() == Error(EINTR);
            const Error error = is_signal ? after_signal() : ++sleeps <= 2 ? sleep(fd, events) : nap();
            if (error != Error()) {
                enter();
                return error;
            }
        }
    }
    // Does `op` once, outside the host.
    template <class Op> auto once(Op op) noexcept -> decltype(op()) {
        leave();
        auto result = op();
        enter();
        return result;
    }
    // For op: with a deadline, or none to wait for, or signals to look for, the system must not sleep in it.
    static int sleep_flags(const Call& call, Timeout timeout) noexcept {
        return timeout.is_none() && !call.looks_for_signals() ? 0 : sys::msg_dontwait;
    }
    // Until `fd` shows one of `events`, whatever the timeout is but zero: EAGAIN, ETIMEDOUT, EINTR.
    Result<void> wait(sys::Fd fd, unsigned events) noexcept;
    // The same, but at most for `span`, after which it is well.
    Result<void> pause(sys::Fd fd, unsigned events, Timeout span) noexcept;
    // Lets the host look for signals after a system call that one may have cut short: EINTR to give up, or start_over.
    Error check_signals() noexcept;
    // ETIMEDOUT once the deadline has passed: for calls that go on and on though they need not wait.
    Error check_deadline() noexcept;
    // What is left until the deadline; none if there is none.
    Timeout remaining() noexcept;

private:
    void leave() noexcept;
    void enter() noexcept;
    Error after_signal() noexcept;
    Error look_for_signals() noexcept;
    Error sleep(sys::Fd fd, unsigned events) noexcept;
    Error nap() noexcept;
    Error sleep_once(sys::Fd fd, unsigned events, Timeout span) noexcept;

    Call& call_;
    Timeout timeout_;
    Socket* socket_;
};

}  // namespace usocket
