#include "wait/blocking.hpp"

#include <algorithm>

#include "socket/aside.hpp"
#include "wait/settling.hpp"

namespace usocket {
namespace {

constexpr std::int64_t millisecond = 1'000'000;
// From a call's first sleep to its first look for signals; each later one may take twice as long. A small device takes
// the longest at once.
constexpr std::int64_t longest_look_span = 50 * millisecond;
#if !defined(USOCKET_SMALL)
constexpr std::int64_t first_look_span = 5 * millisecond;
constexpr std::int64_t longest_seldom_span = 1000 * millisecond;
constexpr std::uint8_t most_doublings = 8;
// What a read has taken it gives back for a look, and takes anew: with so much in its hands it looks as seldom as it
// may.
constexpr std::size_t much = 64 * 1024;
// To take that anew costs 1 ns a byte, fresh memory included: a look after 32 ns for each is 3 %, however much it is.
constexpr std::int64_t span_per_byte = 32;
#endif
// Where another holder of the descriptor may have made its poll deaf (SO_RCVLOWAT), it is tried after this time.
constexpr Timeout distrust_span = Timeout::of_nanoseconds(1000 * millisecond);
// Between two looks whether the socket has been closed, if there is no descriptor left for a bell.
constexpr Timeout closing_span = Timeout::of_nanoseconds(20 * millisecond);
// A wait that is shorter was none.
constexpr std::int64_t at_once = millisecond / 5;
constexpr std::uint8_t vain_waits_allowed = 3;
constexpr std::uint8_t most_vain_waits = vain_waits_allowed + 4;  // naps of up to 16 ms

Timeout shorter(Timeout one, Timeout other) noexcept {
    if (one.is_none() || other.is_none()) return one.is_none() ? other : one;
    return one.nanoseconds() < other.nanoseconds() ? one : other;
}

}  // namespace

// --- The host

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
Error Blocking::after_signal(bool only_looks) noexcept {
    enter();
    const Error error = check_signals(only_looks);
    leave();
    return error;
}

// Not each time: a read that looks begins anew, and it must come to its end.
Error Blocking::look_for_signals() noexcept {
    if (!call_.looks_for_signals() || sys::now() < call_.next_look_) return Error();
    return after_signal(true);
}

inline std::int64_t Blocking::next_look_span() noexcept {
#if defined(USOCKET_SMALL)
    return longest_look_span;
#else
    const bool is_seldom = call_.host_->looks_for_signals == Looks::seldom;
    const std::int64_t span = first_look_span << call_.looks_;
    if (call_.looks_ != most_doublings) ++call_.looks_;
    const std::size_t held = call_.sink_ != nullptr ? call_.sink_->size() : 0;
    return std::max(std::min(span, is_seldom ? longest_seldom_span : longest_look_span),
                    static_cast<std::int64_t>(held) * span_per_byte);
#endif
}

Timeout Blocking::until_look(Timeout longest) noexcept {
    if (!call_.looks_for_signals()) return longest;
    const std::int64_t now = sys::now();
#if !defined(USOCKET_SMALL)
    const bool has_much = call_.sink_ != nullptr && call_.sink_->size() >= much;
    if (has_much && call_.looks_ != most_doublings) {
        call_.looks_ = most_doublings;
        call_.next_look_ = now;
    }
#endif
    if (now >= call_.next_look_) call_.next_look_ = now + next_look_span();
    return shorter(longest, Timeout::of_nanoseconds(call_.next_look_ - now));
}

Error Blocking::check_signals([[maybe_unused]] bool only_looks) noexcept {
    if (call_.host_ == nullptr || call_.host_->interrupted == nullptr) return Error();
    (void)remaining();  // the time that a handler takes counts
    if (Layer* layer = gate_ != nullptr ? layer_of(*gate_) : nullptr) has_lost_watch_ = layer->watch.give_up(id());
    const bool gives_back = call_.give_back_ != nullptr;
    if (gives_back && !call_.give_back_(call_.reader_)) {
#if defined(USOCKET_ONE_THREAD)
        // What its handlers raise waits for the call's end; to them the socket is being read.
        return call_.host_->interrupted() ? Error(ENOMEM) : Error();
#else
        return only_looks ? Error() : Error(ENOMEM);
#endif
    }
    if (call_.host_->interrupted()) return Error(EINTR);
    // A handler may have closed the very socket.
    if (gate_ != nullptr && gate_->closed()) return Error(EBADF);
    return gives_back ? start_over : Error();
}

// --- Time

Timeout Blocking::remaining() noexcept {
    if (call_.deadline_ == 0) {
        if (timeout_.is_none() || timeout_.is_zero()) return timeout_;
        const std::int64_t now = sys::now();
        call_.deadline_ = timeout_.nanoseconds() > INT64_MAX - now ? INT64_MAX : now + timeout_.nanoseconds();
        return timeout_ == Timeout::passed() ? Timeout::zero() : timeout_;
    }
    return Timeout::of_nanoseconds(call_.deadline_ - sys::now());
}

// SO_RCVTIMEO and SO_SNDTIMEO end a call as the system does (TIME-7).
Error Blocking::expired() const noexcept { return Error(is_endless() ? EAGAIN : ETIMEDOUT); }

Error Blocking::check_deadline() noexcept { return !is_nonblocking() && remaining().is_zero() ? expired() : Error(); }

// --- Sleeping

// There is no deadline, no signal that could be missed, nothing to settle before, and a close can end it: by
// shutdown(2), which not every family knows and which other holders of the descriptor would feel, or it must come from
// this thread's signal handlers.
bool Blocking::may_sleep_in_system() noexcept {
    const bool has_deadline = !is_endless() || call_.deadline_ != 0;
    if (has_deadline || call_.looks_for_signals() || has_to_settle()) return false;
    if (gate_ == nullptr) return true;
    // There a part of what is wanted hides that they have expired.
    if (has_spans(*gate_)) return false;
    return sys::is_only_thread() || (other() == nullptr && gate_->let_sleep());
}

// Memory is the host's: whoever asks for it has to be inside.
Aside* Blocking::make_aside(Gate& gate) noexcept {
    const bool was_outside = call_.left_ && gate.aside() == nullptr;
    if (was_outside) enter();
    Aside* aside = gate.make_aside();
    if (was_outside) leave();
    return aside;
}

// What rings when the socket is closed by another thread.
sys::Fd Blocking::bell_of(Gate& gate) noexcept {
    Aside* aside = make_aside(gate);
    return aside == nullptr ? sys::no_fd : aside->bell.open();
}

// What a sleep has to watch besides, so that another thread's close ends it; else no_fd. What no descriptor tells, a
// look now and then does.
Result<sys::Fd> Blocking::watch_closing(Timeout& longest) noexcept {
    if (gate_ == nullptr || sys::is_only_thread()) return sys::no_fd;
    Gate* beside = other();
    const bool is_shut_down = gate_->let_sleep();
    Gate* rings = is_shut_down ? beside : gate_;
    if (rings == nullptr) return sys::no_fd;
    const sys::Fd bell = bell_of(*rings);
    const bool is_told_all = bell != sys::no_fd && (is_shut_down || beside == nullptr);
    if (!is_told_all) longest = shorter(longest, closing_span);
    // It may have been closed before it had a bell.
    return is_closed() ? Error(EBADF) : Result<sys::Fd>(bell);
}

// One sleep, outside the host, at most for `span`: whether it is ready. It may be over earlier.
Result<bool> Blocking::sleep_once(sys::Fd fd, unsigned events, Timeout span) noexcept {
    Timeout longest = remaining();
    if (longest.is_zero()) return is_nonblocking() ? Error(EAGAIN) : expired();
    longest = shorter(longest, span);
    longest = until_look(longest);
    if (is_distrusted()) longest = shorter(longest, distrust_span);
    const auto bell = watch_closing(longest);
    if (!bell) return bell.error();
    if (has_to_settle()) settle();
    const Result<unsigned> ready = sys::wait(fd, events, longest, *bell);
    if (is_closed()) return Error(EBADF);
    if (!ready && ready.error() != Error(EINTR)) return ready.error();
    const Error error = ready ? look_for_signals() : after_signal();
    if (error != Error()) return error;
    if (ready && *ready != 0) return true;
    return remaining().is_zero() ? Result<bool>(expired()) : false;
}

// Somebody else holds the descriptor, and may have made its poll deaf.
bool Blocking::is_distrusted() const noexcept { return !trusts_poll_ && gate_ != nullptr && gate_->exposed(); }

// The op has met EAGAIN: until it is worth a try. Where it is ready all the time and yet nothing goes, as a datagram to
// a full receiver of AF_UNIX, which the sender's poll does not show, by naps that grow longer.
Error Blocking::again(sys::Fd fd, unsigned events) noexcept {
    if (is_nonblocking()) return Error(EAGAIN);
    has_lost_watch_ = false;
    // A first sleep that ends to look for signals is short: only who sleeps longer asks for its descriptor's timeouts.
    const bool may_be_short = call_.looks_for_signals() && !sleeps_in_system() && call_.next_look_ == 0;
    if (!may_be_short) {
        if (const Error error = heed_descriptor(fd, events); error != Error()) return error;
    }
    if (call_.vain_waits_ >= vain_waits_allowed) {
        const std::int64_t nap = millisecond << (call_.vain_waits_ - vain_waits_allowed);
        const auto slept = sleep_once(sys::no_fd, 0, Timeout::of_nanoseconds(nap));
        if (!slept) return slept.error();
    }
    // The first is taken for vain unmeasured: what it waits for ends most calls.
    const bool is_first = call_.vain_waits_ == 0;
    const std::int64_t before = is_first ? 0 : sys::now();
    while (!has_lost_watch_) {
        const auto ready = sleep_once(fd, events, Timeout::none());
        // A poll that is not to be trusted has the last word neither.
        const bool is_last_try = !ready && ready.error() == expired() && is_distrusted() && !call_.has_tried_last_;
        if (!ready && !is_last_try) return ready.error();
        call_.has_tried_last_ = is_last_try;
        if (is_last_try || *ready || is_distrusted()) break;
        if (const Error error = heed_descriptor(fd, events); error != Error()) return error;
    }
    const bool was_vain = is_first || sys::now() - before < at_once;
    call_.vain_waits_ = was_vain ? std::min<std::uint8_t>(call_.vain_waits_ + 1, most_vain_waits) : std::uint8_t{0};
    return Error();
}

// SO_RCVTIMEO or SO_SNDTIMEO of the user's: the system has let it expire, or did not sleep, and then it is a deadline
// here.
Error Blocking::heed_descriptor(sys::Fd fd, unsigned events) noexcept {
    if (has_heeded_ || !is_endless() || call_.deadline_ != 0) return Error();
    has_heeded_ = true;
    const Timeout own = own_span(fd, events);
    if (own.is_none()) return Error();
    if (sleeps_in_system() && !sys::is_nonblocking(fd)) return Error(EAGAIN);
    call_.deadline_ = sys::now() + own.nanoseconds();
    return Error();
}

// One that was set behind our back is known from now on.
Timeout Blocking::own_span(sys::Fd fd, unsigned events) noexcept {
    const Timeout own = sys::descriptor_timeout(fd, events);
    const bool is_news = sys::calls_sleep && !own.is_none() && gate_ != nullptr;
    if (is_news && make_aside(*gate_) != nullptr) note_spans(*gate_, true);
    return own;
}

void Blocking::begin_span_anew() noexcept {
    if (!is_endless()) return;
    call_.deadline_ = 0;
    has_heeded_ = false;
}

// Whether an op that has ended with `error` is to be repeated, which is now; else `error` is what the call ends with,
// and it is inside the host again.
bool Blocking::repeats(Error& error, bool has_waited, bool stays, sys::Fd fd, unsigned events) noexcept {
    if (is_settled(error)) {
        if (has_waited && error == Error()) note_progress();
        enter();
        return false;
    }
    if (stays) leave();
    error = before_repeating(error, fd, events);
    if (stays) enter();
    if (stays && error == Error()) error = check_signals();
    return error == Error();
}

// An op has met EAGAIN or EINTR: until it is to be repeated, still outside the host; or inside it again, with what ends
// the call.
Error Blocking::before_repeating(Error met, sys::Fd fd, unsigned events) noexcept {
    const Error error = met == Error(EINTR) ? after_interruption(fd, events) : again(fd, events);
    if (error != Error()) enter();
    return error;
}

// A signal has ended a sleep in the system, which would begin its span anew: the rest of it is slept here, also where
// the whole call begins anew.
Error Blocking::after_interruption(sys::Fd fd, unsigned events) noexcept {
    const Timeout own = sleeps_in_system() ? own_span(fd, events) : Timeout::none();
    if (!own.is_none()) call_.deadline_ = sys::now() + own.nanoseconds();
    const Error error = after_signal();
    if (own.is_none() || (error != Error() && error != start_over)) return error;
    if (remaining().is_zero()) return expired();
    return error == Error() ? sleep_until(fd, events) : error;
}

// Outside the host, until `fd` is ready.
Error Blocking::sleep_until(sys::Fd fd, unsigned events) noexcept {
    Result<bool> ready = false;
    do ready = sleep_once(fd, events, Timeout::none());
    while (ready && !*ready);
    return ready.error();
}

Result<void> Blocking::await(sys::Fd fd, unsigned events) noexcept {
    return perform(fd, events, [&]() noexcept -> Result<void> {
        const auto ready = sys::wait(fd, events, Timeout::zero());
        return ready && *ready == 0 ? Error(EAGAIN) : ready.error();
    });
}

Result<void> Blocking::wait(sys::Fd fd, unsigned events) noexcept {
    leave();
    const Error error = sleep_until(fd, events);
    enter();
    return error;
}

Result<bool> Blocking::pause(sys::Fd fd, unsigned events, Timeout span) noexcept {
    leave();
    const std::int64_t end = sys::now() + span.nanoseconds();
    Result<bool> ready = false;
    do ready = sleep_once(fd, events, Timeout::of_nanoseconds(end - sys::now()));
    while (ready && !*ready && sys::now() < end);
    enter();
    return ready;
}

Result<void> Blocking::wait_for_word(const std::atomic<std::uint32_t>& word, std::uint32_t value) noexcept {
    const Timeout left = remaining();
    if (left.is_zero()) return is_nonblocking() ? Error(EAGAIN) : expired();
    leave();
    if (has_to_settle()) settle();
    Timeout longest = until_look(left);
    if (other() != nullptr) longest = shorter(longest, closing_span);
    const auto woken = sys::sleep_on_word(word, value, longest);
    Error error = woken.error() == Error(EINTR) ? after_signal() : look_for_signals();
    if (error == Error() && is_closed()) error = Error(EBADF);
    enter();
    return error;
}

}  // namespace usocket
