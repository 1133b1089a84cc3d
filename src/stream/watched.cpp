// Reader: a stream whose descriptor others may poll or read. What does not yet complete a read stays in the system's
// queue, as far as it fits, so that a call that fails halfway has changed nothing for them (TIME-6, STRM-5).
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "stream/lines.hpp"
#include "stream/reader.hpp"
#include "wait/held.hpp"

namespace usocket {
namespace {

// For longer reads than this the queue might be too small, or its sender not yet be told of room, which on AF_UNIX
// takes three quarters of what it may send at once (208 KiB on Linux): they take it in, but for one byte, and go on.
constexpr std::size_t most_to_wait_for = 32 * 1024;
constexpr std::size_t first_line_room = 512;

// How long a queue that may be full has to stay as it is until it is taken for that: where the system can tell or that
// was right before, and where it is a guess.
constexpr Timeout stuck_span = Timeout::of_nanoseconds(5'000'000);
constexpr Timeout guess_span = Timeout::of_nanoseconds(1'000'000'000);
constexpr Timeout slice = Timeout::of_nanoseconds(5'000'000);

// As much as may leave the queue though it completes nothing: one byte stays, for others to see that there is
// something.
std::size_t all_but_one(std::size_t there) noexcept { return there > 1 ? there - 1 : there; }

}  // namespace

// Also where there is no memory to keep what a longjmp would leave behind.
#if !defined(USOCKET_WITHOUT_sharing)
bool Reader::leaves_in_queue() noexcept {
    if (is_nonblocking()) return false;
    return source_.gate->exposed() || (call_.unwinds() && keepable() == 0);
}

// Once the urgent byte has been taken (MSG_OOB) its mark stays where it is, and then not even a poll tells of it.
void Reader::note_mark(int flags) noexcept {
    if (!source_.is_tcp || (flags & (sys::msg_oob | sys::msg_peek)) != sys::msg_oob) return;
    source_.inbox->close_window();  // what it has handed out would be counted
    const std::size_t before = sys::queued(fd()).value_or(0u);
    Aside* aside = before != 0 ? source_.gate->make_aside() : nullptr;
    if (aside != nullptr) aside->detours.set_before_mark(before);
}

void Reader::pass_mark(std::size_t taken) noexcept {
    if (Aside* aside = source_.gate->aside()) aside->detours.pass(taken);
}

void Reader::end_growth() noexcept {
    if (call_.growth_ == sys::no_fd) return;
    const Held held;
    sys::close(call_.growth_);
    call_.growth_ = sys::no_fd;
}
#endif

// How many of the next `count` bytes to take in now; there may be none, at the end. completes: with them all the read
// is complete.
Result<std::size_t> Reader::await_whole(std::size_t count, bool completes) noexcept {
    const std::size_t most = std::min(count, most_to_wait_for);
    for (More more = More::maybe;;) {
        const auto queued = await_some(most);
        if (!queued || *queued == 0) return queued;
        const bool is_whole = *queued == count && completes;
        const auto now = take_or_wait(*queued, is_whole ? count : 0, most, more);
        if (!now || *now != 0) return now;
    }
}

// Until there are bytes in the queue, and how many of the next `most`, for which the sink has room; 0 is EOF. Whatever
// is not returned is waited for: where the system counts nothing, a peek has the last word.
Result<std::size_t> Reader::await_some(std::size_t most) noexcept {
    Blocking& waiting = blocking();
    for (bool has_waited = false;; has_waited = true) {
        auto there = sys::queued(fd());
        if (!there) return there;
        if (*there == 0) there = sys::recv(fd(), sink().room().first(most), sys::msg_peek | sys::msg_dontwait);
        if (there && *there != 0 && has_waited) waiting.note_progress();
        if (there) return std::min(*there, most);
        if (Blocking::is_settled(there.error())) return there;
        // Another holder makes peeks begin elsewhere: taking one shows the others.
        if (has_waited && sys::peeks_at_offset(fd())) {
            has_news_ = true;
            return suspected_ = 1;
        }
        const auto ready = waiting.await_retry(fd(), sys::poll_in, false);
        if (!ready) return ready.error();
    }
}

// How many of the next `limit` bytes to take in now: through a newline, all of them, or fewer; 0 is EOF.
Result<std::size_t> Reader::await_line(std::size_t limit) noexcept {
    if (source_.gate->knows(Gate::peeks_elsewhere)) return std::size_t{1};
    const std::size_t most = std::min(limit, most_to_wait_for);
    std::size_t size = std::min(most, first_line_room);
    for (More more = More::maybe;;) {
        if (!sink().reserve(size)) return Error(ENOMEM);
        const MutableBuffer room = sink().room().first(size);
        const auto peeked = peek(room);
        if (source_.gate->knows(Gate::peeks_elsewhere)) return std::size_t{1};
        if (!peeked || *peeked == 0) return peeked;
        const std::size_t line = whole_line(room.data(), *peeked);
        if (line == 0 && *peeked == size && size != most) {
            size = std::min(most, 4 * size);
            continue;
        }
        const auto now = take_or_wait(*peeked, line == 0 && *peeked == limit ? limit : line, most, more);
        if (!now || *now != 0) return now;
    }
}

// How many of the `there` bytes to take in now, of at most `most`; 0: none, there may be more. whole: so many of them
// complete the read; 0: they do not.
Result<std::size_t> Reader::take_or_wait(std::size_t there, std::size_t whole, std::size_t most, More& more) noexcept {
    if (more != More::stuck) note_growth(there);
    if (whole != 0) return whole;
    if (more == More::never || more == More::behind) return there;
    if (more == More::stuck) take_for_full(there);
    if (there == most || more == More::stuck) return all_but_one(there);
    const auto next = await_growth(there);
    more = next.value_or(More::maybe);
    return next ? Result<std::size_t>(std::size_t{0}) : next.error();
}

// All but the last byte of what is there is about to be taken.
void Reader::take_for_full(std::size_t there) noexcept {
    Aside* aside = source_.gate->aside();
    if (aside == nullptr) return;
    aside->standstill.left = there - all_but_one(there);
    aside->standstill.taken_at = sys::now();
}

// If the queue had been taken for full: one that is filled again at once need not be waited for the next time.
void Reader::note_growth(std::size_t there) noexcept {
    Aside* aside = source_.gate->aside();
    if (aside == nullptr) return;
    Standstill& still = aside->standstill;
    if (still.taken_at == 0 || there <= still.left) return;
    still.is_refilled = sys::now() - still.taken_at <= stuck_span.nanoseconds();
    still.taken_at = 0;
}

// Until there may be more in the queue than the bytes that are there. A peer that keeps to what it is told cannot send
// while the queue is full, but the system need not tell: then one that stays as it is for so long, in one call or in
// several, is taken for full.
Result<Reader::More> Reader::await_growth(std::size_t there) noexcept {
    if (has_ended_) return More::never;
    const bool has_growth = call_.growth_ != sys::no_fd;
    const bool is_opened = !has_growth && open_growth();
    if (has_ended_) return More::never;
    if (has_news_ || is_opened) {
        const auto stands = stands_before_more(there);
        if (!stands) return stands.error();
        if (*stands) return More::behind;
        has_news_ = suspected_ != 0;
    }
    if (is_opened || has_news_) return More::maybe;
    const auto fullness = sys::queue_fullness(fd());
    if (fullness == sys::Fullness::full) return More::stuck;
    Aside* aside = source_.gate->make_aside();
    if (aside == nullptr) return Error(ENOMEM);
    Standstill& still = aside->standstill;
    if (still.process != sys::process_generation()) still = {};
    // Fewer: what was taken for full has been taken in, but for the last byte.
    if (there != still.there) {
        if (there > still.there) blocking().note_progress();
        still.was_stuck = still.was_stuck && there < still.there;
        still.there = there;
        still.waited = 0;
        call_.paused_ = 0;
    }
    if (const Error error = blocking().heed_descriptor(fd(), sys::poll_in); error != Error()) return error;
    still.waited += std::exchange(call_.paused_, 0);  // until a signal handler, or a look for one
    const bool is_tight = fullness == sys::Fullness::tight;
    if (is_tight && still.is_refilled) return More::stuck;
    // A last byte may hold the memory of all that came with it: it goes if nothing came after the others had gone.
    const bool may_be_full = is_tight || (fullness == sys::Fullness::unknown && (there > 1 || still.was_stuck));
    const Timeout span = is_tight || (may_be_full && still.was_full) ? stuck_span : guess_span;
    const std::int64_t left = may_be_full ? span.nanoseconds() - still.waited : span.nanoseconds();
    if (left <= 0) {
        if (still.was_stuck) still.was_full = false;
        still.was_stuck = true;
        return More::stuck;
    }
    const auto grown = has_growth ? pause_for(still, call_.growth_, sys::poll_in, Timeout::of_nanoseconds(left))
                                  : pause_for(still, fd(), sys::poll_rdhup, slice);
    // Calls whose deadlines are shorter must make progress together. Not one that has another reason to end.
    const bool is_expired = grown.error() == Error(ETIMEDOUT) || grown.error() == Error(EAGAIN);
    if (is_expired && is_tight && there > 1) return More::stuck;
    if (!grown) return grown.error();
    has_news_ = *grown || !has_growth;
    if (!*grown) return More::maybe;
    still.was_full = still.was_full || (still.was_stuck && has_growth);
    has_ended_ = !has_growth || sys::growth_take(call_.growth_);
    return has_ended_ ? More::never : More::maybe;
}

// Whether the bytes that are there end before what lies in the queue, so that no waiting shows more of it, but only
// taking them. It may just have come: what is shown a second time, as it was, does.
Result<bool> Reader::stands_before_more(std::size_t there) noexcept {
    const std::size_t before = std::exchange(suspected_, 0);
    Aside* aside = source_.gate->aside();
    if (before == there) {
        // They are taken now, up to the mark. Where it was no more, as another holder had read, it is not looked for
        // again.
        if (aside != nullptr) aside->detours.set_before_mark(0);
        return true;
    }
    const bool has_mark = aside != nullptr && there <= aside->detours.before_mark();
    if (!sys::holds_more(fd(), there, has_mark)) return false;
    suspected_ = there;
    const Error late = before != 0 ? blocking().check_deadline() : Error();
    return late == Error() ? Result<bool>(false) : late;
}

Result<bool> Reader::pause_for(Standstill& still, sys::Fd watched, unsigned events, Timeout span) noexcept {
    const std::int64_t start = sys::now();
    const auto ready = blocking().pause(watched, events, span);
    call_.paused_ += sys::now() - start;
    if (has_turn()) still.waited += std::exchange(call_.paused_, 0);
    return ready;
}

// From then on nothing that comes is missed; but it may have come before. False: there is no such thing.
bool Reader::open_growth() noexcept {
    const Held held;
    const auto opened = sys::growth_open(fd());
    if (!opened) return false;
    call_.growth_ = *opened;
    has_ended_ = sys::growth_take(*opened);
    return true;
}

// The last `count` bytes were taken for a line, or a part of one, after what a peek had shown. If another holder has
// set SO_PEEK_OFF meanwhile, or has read, they are others.
Error Reader::mend_line(std::size_t count) noexcept {
    if (!source_.gate->exposed()) return Error();
    const std::size_t line = whole_line(sink().data() + (sink().size() - count), count);
    if (line == 0 || line == count) return Error();
    return source_.inbox->give_back(*source_.gate, sink()) ? Error() : Error(ENOMEM);
}

}  // namespace usocket
