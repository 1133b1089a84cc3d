#include "wait/blocking.hpp"

namespace usocket {
namespace {

constexpr Timeout look_span = Timeout::of_nanoseconds(50'000'000);  // between two looks for signals

Timeout shorter(Timeout left, Timeout span) noexcept {
    return !left.is_none() && left.nanoseconds() < span.nanoseconds() ? left : span;
}

}  // namespace

void Blocking::leave() noexcept {
    if (call_.host_ == nullptr || call_.host_->leave == nullptr) return;
    call_.token_ = call_.host_->leave();
    call_.left_ = true;
}

void Blocking::enter() noexcept {
    if (!call_.left_) return;
    call_.left_ = false;
    if (call_.host_->enter != nullptr) call_.host_->enter(call_.token_);
}

// Outside the host, after EINTR; outside it again afterwards.
Error Blocking::after_signal() noexcept {
    enter();
    const Error error = check_signals();
    leave();
    return error;
}

// Not each time: a read that looks begins anew, and it must come to its end.
Error Blocking::look_for_signals() noexcept {
    if (!call_.looks_for_signals()) return Error();
    const std::int64_t now = sys::now();
    if (now < call_.next_look_) return Error();
    call_.next_look_ = now + look_span.nanoseconds();
    return after_signal();
}

Error Blocking::check_signals() noexcept {
    if (call_.host_ == nullptr || call_.host_->interrupted == nullptr) return Error();
    (void)remaining();  // the time that a handler takes counts
    // A handler may use the socket itself: it must not find it locked by the call that it interrupts.
    const bool is_lent = socket_ != nullptr && socket_->lend(call_);
    if (call_.host_->interrupted()) return Error(EINTR);
    return is_lent ? start_over : Error();
}

Error Blocking::check_deadline() noexcept {
    return !timeout_.is_zero() && remaining().is_zero() ? Error(ETIMEDOUT) : Error();
}

Timeout Blocking::remaining() noexcept {
    if (timeout_.is_none() || timeout_.is_zero()) return timeout_;
    const std::int64_t now = sys::now();
    if (call_.deadline_ == 0) {
        call_.deadline_ = timeout_.nanoseconds() > INT64_MAX - now ? INT64_MAX : now + timeout_.nanoseconds();
    }
    return Timeout::of_nanoseconds(call_.deadline_ - now);
}

Error Blocking::sleep(sys::Fd fd, unsigned events) noexcept {
    if (timeout_.is_zero()) return Error(EAGAIN);
    for (;;) {
        const Timeout left = remaining();
        if (left.is_zero()) return Error(ETIMEDOUT);
        const Result<unsigned> ready =
            sys::wait(fd, events, call_.looks_for_signals() ? shorter(left, look_span) : left);
        if (ready && *ready != 0) return socket_ != nullptr && socket_->closed() ? Error(EBADF) : Error();
        if (!ready && ready.error().code() != EINTR) return ready.error();
        const Error error = ready ? look_for_signals() : after_signal();
        if (error != Error()) return error;
    }
}

// Ready, and again nothing goes: a datagram to a full receiver of AF_UNIX, which the sender's poll does not show.
Error Blocking::nap() noexcept {
    const Error error = sleep_once(sys::no_fd, 0, Timeout::of_nanoseconds(1'000'000));
    return error == Error() && socket_ != nullptr && socket_->closed() ? Error(EBADF) : error;
}

Error Blocking::sleep_once(sys::Fd fd, unsigned events, Timeout span) noexcept {
    const Timeout left = remaining();
    if (left.is_zero()) return Error(timeout_.is_zero() ? EAGAIN : ETIMEDOUT);
    const Result<unsigned> ready = sys::wait(fd, events, shorter(left, span));
    if (ready) return look_for_signals();
    return ready.error() == Error(EINTR) ? after_signal() : ready.error();
}

Result<void> Blocking::wait(sys::Fd fd, unsigned events) noexcept {
    leave();
    const Error error = sleep(fd, events);
    enter();
    return error;
}

Result<void> Blocking::pause(sys::Fd fd, unsigned events, Timeout span) noexcept {
    leave();
    const Error error = sleep_once(fd, events, span);
    enter();
    return error;
}

}  // namespace usocket
