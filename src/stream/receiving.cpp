// Reader: taking bytes in from where they are next in line.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "stream/lines.hpp"
#include "stream/reader.hpp"
#include "wait/held.hpp"

namespace usocket {
namespace {

// Reading to EOF starts with this much memory and doubles it; reading n bytes asks for at most the second at first.
// Where there is not so much, half and half again, down to the third.
constexpr std::size_t first_room = 16 * 1024;
constexpr std::size_t largest_first_room = 1024 * 1024;
constexpr std::size_t least_room = 256;

// How much readline() looks at where it has no window.
constexpr std::size_t line_peek = 512;
// And at most, once so much of the line has come as to fill that.
constexpr std::size_t largest_line_peek = 64 * 1024;

// Only a non-blocking call that has got this much is asked whether it goes on for ever.
constexpr std::size_t much_at_once = 64 * 1024;

constexpr std::size_t largest_message = 65536;

}  // namespace

// --- A stream

// Until `limit` bytes or EOF.
Error Reader::fill(std::size_t limit) noexcept {
    while (sink().size() < limit) {
        const std::size_t wanted = limit - sink().size();
        if (const std::size_t there = front().size(); there != 0) {
            if (const Error error = take_front(std::min(wanted, there)); error != Error()) return error;
            continue;
        }
        if (const Error error = before_more(); error != Error()) return error;
        if (Layer* maker = layer()) {
            const auto ended = refill(*maker);
            if (!ended) return after_failure(*maker, ended.error());
            if (*ended) return end_of_stream();
            // Memory that doubles makes a read to EOF linear; that there is no more is no error yet.
            const bool is_short = limit == no_limit && sink().room().size() < front().size();
            if (is_short) (void)sink().reserve(std::max(sink().size(), front().size()));
            continue;
        }
        if (sink().room().size() == 0) {
            const auto more = make_room(wanted, limit != no_limit);
            if (!more) return more.error();
            if (*more == 0) return end_of_stream();
        }
        const std::size_t count = std::min(wanted, sink().room().size());
        const auto taken = take_more(count, count == wanted && limit != no_limit);
        if (!taken) return taken.error();
        if (*taken == 0 && front().size() == 0) return end_of_stream();
    }
    return Error();
}

// Through the first newline, or the same.
Error Reader::fill_line(std::size_t limit) noexcept {
    while (sink().size() < limit && !ends_line(sink())) {
        const std::size_t wanted = limit - sink().size();
        if (const ConstBuffer shown = front(); shown.size() != 0) {
            const std::size_t count = line_length(shown.data(), std::min(wanted, shown.size()));
            if (const Error error = take_front(count); error != Error()) return error;
            continue;
        }
        if (const Error error = before_more(); error != Error()) return error;
        if (Layer* maker = layer()) {
            const auto ended = refill(*maker);
            if (!ended) return after_failure(*maker, ended.error());
            if (*ended) return end_of_stream();
            continue;
        }
        const bool leaves = leaves_in_queue();
        const auto count = leaves ? await_line(wanted) : find_line(wanted);
        if (!count) return count.error();
        if (front().size() != 0) {  // a window is open
            blocking().note_progress();
            continue;
        }
        if (*count == 0) return end_of_stream();
        if (!sink().reserve(*count)) return Error(ENOMEM);
        const auto taken = take_queued(*count, leaves);
        if (!taken) return taken.error();
        if (*taken == 0) return end_of_stream();
        if (const Error error = mend_line(*taken); error != Error()) return error;
    }
    return Error();
}

// What ends a layer for good is told once. Then whoever reads gets what had come whole, as at the end of a stream, and
// the error again once there is no more (TIME-6, TLS-5).
Error Reader::after_failure(Layer& layer, Error error) noexcept {
    const bool may_pass = error == start_over || error == Error(EINTR) || error == Error(EAGAIN) ||
                          error == Error(ETIMEDOUT) || error == Error(EBADF) || error == Error(ENOMEM);
    if (may_pass || !layer.has_failed) return error;
    const bool is_told = std::exchange(layer.has_told_failure, true);
    return is_told && sink().size() != 0 ? end_of_stream() : error;
}

// EOF, another thread's close(), or an error that has its turn now?
Error Reader::end_of_stream() noexcept {
    if (source_.gate->closed()) return Error(EBADF);
#if !defined(USOCKET_WITHOUT_sharing)
    if (Aside* aside = source_.gate->aside()) return std::exchange(aside->early, Error());
#endif
    return Error();
}

// Before the system is asked. What the call has got so far is to find a place if it does not succeed, and a peer that
// never stops sending must not hold it beyond its deadline (TIME-2), or beyond what was there (TIME-4).
Error Reader::before_more() noexcept {
    if (sink().size() == 0) return Error();
    if (is_nonblocking()) return has_what_was_there() ? Error(EAGAIN) : Error();
    (void)keepable();
    return blocking().check_deadline();
}

// A non-blocking call that has got much: what was in the queue then is what there is to get, though more comes.
bool Reader::has_what_was_there() noexcept {
    if (sink().size() < much_at_once) return false;
    if (there_was_ == 0) there_was_ = sink().size() + std::max<std::size_t>(sys::queued(fd()).value_or(0u), 1);
    return sink().size() >= there_was_;
}

// Room for some of the `wanted` bytes, which there was none for: how much. 0: there is no need for it, the stream has
// ended. Memory that doubles is looked for only once it is known that there is more to come.
Result<std::size_t> Reader::make_room(std::size_t wanted, bool is_bounded) noexcept {
    const bool is_growth = !is_bounded && sink().size() != 0 && !source_.gate->knows(Gate::peeks_elsewhere);
    if (is_growth) {
        std::uint8_t next = 0;
        const auto peeked = peek({&next, 1});
        if (!peeked) return peeked.error();
        if (*peeked == 0 && !source_.gate->knows(Gate::peeks_elsewhere)) return peeked;
    }
    const std::size_t least = is_bounded ? largest_first_room : first_room;
    std::size_t more = std::min(wanted, std::max(sink().size(), least));
    while (!sink().reserve(more)) {
        more /= 2;
        if (more < least_room) return Error(ENOMEM);
    }
    return sink().room().size();
}

// Of what can be had without asking the system. A longjmp finds the front where it was, or moved: count_taken() looks.
Error Reader::take_front(std::size_t count) noexcept {
    const ConstBuffer shown = front();
    if (!sink().reserve(count)) return Error(ENOMEM);
    call_.taken_from_ = sink().size();
    call_.shown_ = shown.size();
    in_this_order();
    sink().append(shown.data(), count);
    in_this_order();
    source_.inbox->consume(*source_.gate, count);
    in_this_order();
    call_.shown_ = 0;
    return Error();
}

// At most `count` bytes, for which the sink has room; 0 is EOF, or that they are in front now. completes: with them all
// the read is complete.
Result<std::size_t> Reader::take_more(std::size_t count, bool completes) noexcept {
    if (completes) {
        const auto opened = Windows::open_for_reads(*source_.inbox, queue(), count);
        if (!opened) return opened.error();
        if (*opened != 0) return std::size_t{0};
    }
    if (leaves_in_queue()) {
        const auto whole = await_whole(count, completes);
        return whole && *whole != 0 ? take_queued(*whole, true) : whole;
    }
    // A longjmp leaves no time to look for memory.
    const bool is_sure = call_.unwinds() && !is_nonblocking();
    return take_queued(is_sure ? std::min(count, keepable()) : count, false);
}

// From the system's queue. is_there: without waiting for more than there is.
Result<std::size_t> Reader::take_queued(std::size_t count, bool is_there) noexcept {
    Blocking& waiting = blocking();
    const MutableBuffer room = sink().room().first(std::min(count, max_transfer));
    const bool may_sleep = !is_there && waiting.sleep_flags() == 0;
    const int flags = may_sleep ? sys::msg_waitall : sys::msg_dontwait;
    const bool unwinds = call_.unwinds();
    call_.taken_from_ = sink().size();
    const auto received = waiting.perform(fd(), sys::poll_in, [&]() noexcept {
        return unwinds ? receive_noted(room, flags) : sys::recv(fd(), room, flags);
    });
    if (received) sink().set_size(call_.taken_from_ + *received);
    if (!received) return unwinds ? take_before(received.error(), room) : received;
    pass_mark(*received);
    if (*received != 0) waiting.note_progress();
    // A signal may be what cut it short.
    if (may_sleep && *received != 0 && *received < room.size()) {
        if (const Error error = waiting.check_signals(); error != Error()) return error;
    }
    return received;
}

// A longjmp out of it leaves behind how much has come: count_taken() looks.
Result<std::size_t> Reader::receive_noted(MutableBuffer room, int flags) noexcept {
    call_.note_ = {};
    in_this_order();
    call_.notes_ = true;
    const auto received = sys::recv_noted(fd(), room, flags, call_.note_);
    if (received) sink().set_size(call_.taken_from_ + *received);
    in_this_order();
    call_.notes_ = false;
    return received;
}

#if defined(USOCKET_WITHOUT_sharing)
// A device's stack tells of things in their order.
Result<std::size_t> Reader::take_before(Error error, MutableBuffer /*room*/) noexcept { return error; }
#else
// What came before the connection was reset. recvmmsg(2), by which a receive is noted, tells of the error first; here
// that comes where the stream ends, as from recv(2). EPIPE: there the peer had ended it, and just sending fails.
Result<std::size_t> Reader::take_before(Error error, MutableBuffer room) noexcept {
    if (error != Error(ECONNRESET) && error != Error(EPIPE)) return error;
    Aside* aside = source_.gate->make_aside();
    if (aside == nullptr) return error;
    const auto received = receive_noted(room, sys::msg_dontwait);
    const bool is_whole = error == Error(EPIPE);
    if (!received || (*received == 0 && !is_whole)) return error;
    if (!is_whole) aside->early = error;
    return received;
}
#endif

// How many of the next `limit` bytes belong to the line: through its newline, or all that are there; 0 is EOF, or that
// a window has been opened. They are there, so taking them in does not wait.
Result<std::size_t> Reader::find_line(std::size_t limit) noexcept {
    if (source_.gate->knows(Gate::peeks_elsewhere)) return std::size_t{1};
    if (Windows::may_pay(*source_.inbox) && !source_.gate->exposed()) {
        const auto opened = Windows::open(*source_.inbox, queue());
        if (!opened) return opened.error();
        if (*opened != 0) return std::size_t{0};
    }
    std::uint8_t seen[line_peek];
    const std::size_t more = std::min({limit, sink().size(), largest_line_peek});
    const bool is_long = more > sizeof seen && sink().reserve(more);
    const MutableBuffer room = is_long ? sink().room().first(more) : MutableBuffer(seen).first(limit);
    const auto peeked = peek(room);
    if (source_.gate->knows(Gate::peeks_elsewhere)) return std::size_t{1};
    if (!peeked || *peeked == 0) return peeked;
    const std::size_t line = line_length(room.data(), *peeked);
    // There is more than this line: a window pays.
    if ((line < *peeked || *peeked >= sizeof seen) && !source_.gate->exposed()) {
        const auto opened = Windows::open(*source_.inbox, queue(), Windows::first_size);
        if (!opened) return opened.error();
    }
    return line;
}

// Shows what is in the queue now; 0 is EOF, or that a peek would show something else, which the gate knows then: to
// peek would move the offset of whoever has set SO_PEEK_OFF.
Result<std::size_t> Reader::peek(MutableBuffer room) noexcept {
    Blocking& waiting = blocking();
    const int flags = sys::msg_peek | sleep_flags(waiting);
    return waiting.perform(fd(), sys::poll_in, [&]() noexcept -> Result<std::size_t> {
        const bool is_elsewhere = source_.gate->exposed() && sys::peeks_at_offset(fd());
        if (!is_elsewhere) return sys::recv(fd(), room, flags);
        source_.gate->learn(Gate::peeks_elsewhere);
        return std::size_t{0};
    });
}

// --- Messages, and the socket methods

// One message: what does not fit is lost, as with recv(). Not of a connection, whose packets come in order and all of
// them (TIME-6): there it is an error, and the packet stays where it is.
Error Reader::fill_message(std::size_t limit) noexcept {
    std::size_t size = std::min(limit, largest_message);
    if (source_.has_packets) {
        if (limit == 0) return Error();
        const auto whole = receive({}, sys::msg_peek | sys::msg_trunc, nullptr);
        if (!whole) return whole.error();
        if (*whole > limit) return Error(EMSGSIZE);
        size = std::max(size, *whole);
    }
    if (!sink().reserve(size)) return Error(ENOMEM);
    const auto received = receive(sink().room().first(size), 0, nullptr);
    if (!received) return received.error();
    sink().set_size(std::min(*received, size));
    return Error();
}

// One system call's worth.
Result<std::size_t> Reader::receive(MutableBuffer buffer, int flags, Address* from) noexcept {
    // The system then counts bytes that it does not write: the caller must not see what was there before.
    if ((flags & sys::msg_trunc) != 0) std::fill_n(buffer.data(), buffer.size(), std::uint8_t{0});
    Blocking& waiting = blocking();
    flags |= sleep_flags(waiting);
    const auto take = [&]() noexcept {
        return from == nullptr ? sys::recv(fd(), buffer, flags) : sys::recvfrom(fd(), buffer, flags, *from);
    };
    const auto received = waiting.perform(fd(), sys::poll_in, take, source_.is_stream);
    if (received && *received == 0) {
        if (const Error ended = end_of_stream(); ended != Error()) return ended;
    }
    return received;
}

// What a layer has made, one piece.
Result<std::size_t> Reader::receive_made(Layer& layer, MutableBuffer buffer, int flags) noexcept {
    if (front().size() == 0) {
        const auto ended = refill(layer);
        if (!ended) return ended.error();
        if (*ended) {
            const Error how = end_of_stream();
            return how == Error() ? Result<std::size_t>(std::size_t{0}) : how;
        }
    }
    return copy_front(buffer, flags);
}

// What can be had without asking the system, as far as there is room for it.
std::size_t Reader::copy_front(MutableBuffer buffer, int flags) noexcept {
    const ConstBuffer shown = front();
    const std::size_t count = std::min(buffer.size(), shown.size());
    const Held held;
    std::memcpy(buffer.data(), shown.data(), count);
    if ((flags & sys::msg_peek) == 0) {
        source_.inbox->consume(*source_.gate, count);
        source_.inbox->commit(*source_.gate);
    }
    return count;
}

// The front is empty: until a layer has made something. True: it has ended.
Result<bool> Reader::refill(Layer& layer) noexcept { return layer.hooks->refill(layer, blocking()); }

Result<std::size_t> Reader::receive_stream(MutableBuffer buffer, int flags, Address* from) noexcept {
    if (source_.gate->aside() == nullptr) {
        Windows::close(*source_.inbox);
        return receive(buffer, flags, from);
    }
    if (Layer* maker = layer()) return receive_made(*maker, buffer, flags);
    if (!Inbox::has_pending(*source_.gate)) {
        Windows::close(*source_.inbox);
        const auto received = receive(buffer, flags, from);
        if ((flags & sys::msg_peek) == 0) pass_mark(received.value_or(0u));
        return received;
    }
    const std::size_t count = copy_front(buffer, flags);
    // A peek shows what is behind it as well.
    if ((flags & sys::msg_peek) == 0 || count == buffer.size()) return count;
    if ((flags & sys::msg_waitall) == 0) waiting_.wait_for_nothing();
    const auto rest = receive(buffer.from(count), flags, from);
    const bool is_interrupted = rest.error() == start_over || rest.error() == Error(EINTR);
    return is_interrupted ? rest : count + rest.value_or(0u);
}

}  // namespace usocket
