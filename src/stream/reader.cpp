// Reader: the lock, and what becomes of what a call has taken in.
#include "stream/reader.hpp"

#include <cerrno>

#include "stream/lines.hpp"
#include "wait/held.hpp"

namespace usocket {

// --- The lock

inline std::uint32_t Reader::id() const noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(&call_);
    return (static_cast<std::uint32_t>(address >> 3) & 0x00ffffff) | 1;
}

bool Reader::try_lock() noexcept { return source_.inbox->try_lock(id()); }

Error Reader::begin_turn() noexcept {
    if (const Error error = lock(); error != Error()) return error;
    call_.reader_ = this;
    call_.give_back_ = [](void* reader) noexcept { return static_cast<Reader*>(reader)->give_back(); };
    return Error();
}

// False: the host's signal handlers have had theirs meanwhile, and the call begins anew.
bool Reader::ends_turn(Error error) noexcept {
    if (!call_.reads_) return error != start_over;
    source_.inbox->settle(*source_.gate);
    unlock();
    return true;
}

#if defined(USOCKET_ONE_THREAD)

// The only thread has given it back before anything of its host's runs.
Error Reader::lock() noexcept {
    call_.reads_ = try_lock();
    return call_.reads_ ? Error() : Error(EAGAIN);
}

#else

// While another thread reads, its call decides when the next one begins: as with a lock around each read.
Error Reader::lock() noexcept {
    call_.reads_ = true;
    Error error;
    if (!try_lock()) error = is_nonblocking() ? lock_now() : await_lock();
    if (error != Error()) call_.reads_ = false;
    return error;
}

// Nothing moves for it meanwhile: SO_RCVTIMEO begins here (TIME-7).
Error Reader::await_lock() noexcept {
    Blocking& waiting = blocking();
    if (const Error error = waiting.heed_descriptor(fd(), sys::poll_in); error != Error()) return error;
    do {
        const std::uint32_t held = source_.inbox->announce_wait();
        if (held == 0) continue;
        const auto woken = waiting.wait_for_word(source_.inbox->lock_word(), held);
        if (!woken) return woken.error();
    } while (!try_lock());
    return Error();
}

// Waits for nobody who sleeps (TIME-8): only for whoever takes in what is there, and may want the host back for that.
Error Reader::lock_now() noexcept {
    constexpr int most_tries = 1000;
    constexpr std::int64_t patience = 3'000'000;
    return blocking().once([&]() noexcept {
        const std::int64_t start = sys::now();
        for (int i = 0; i < most_tries && sys::now() - start < patience; ++i) {
            const auto ready = sys::wait(fd(), sys::poll_in, Timeout::zero());
            const bool has_more = ready.value_or(0u) != 0 || Inbox::has_pending(*source_.gate);
            if (!has_more) break;
            sys::yield_thread();
            if (source_.gate->closed()) return Error(EBADF);
            if (try_lock()) return Error();
        }
        return Error(EAGAIN);
    });
}

#endif

void Reader::unlock() noexcept {
    source_.inbox->unlock(*source_.gate, id());
    call_.give_back_ = nullptr;
    call_.reads_ = false;
}

// --- What was taken in

// The host's signal handlers are about to run: they find the socket as if this call had not begun. False: no memory,
// nothing changed.
bool Reader::give_back() noexcept {
    const Held held;
    if (call_.sink_ != nullptr && !source_.inbox->give_back(*source_.gate, sink())) return false;
    end_growth();
    unlock();
    return true;
}

// Gets the memory that give_back() will need; for how many bytes more than there are now. Without any the call goes on:
// nothing may come that would end it.
std::size_t Reader::keepable() noexcept {
    const std::size_t more = has_no_memory_ ? 0 : source_.inbox->keepable(*source_.gate, sink());
    has_no_memory_ = more == 0;
    return more;
}

Result<void> Reader::read_with(Sink& into, std::size_t limit, Fill filler) noexcept {
    call_.sink_ = &into;
    const auto result = exclusively([&]() noexcept -> Result<void> {
        if (!source_.is_stream) return fill_message(limit);
        return end((this->*filler)(limit));
    });
    call_.sink_ = nullptr;
    return result;
}

// A call that is short of success leaves nothing in the sink. Without memory to keep it in, a short read is all that
// can be done with what there is.
Error Reader::end(Error error) noexcept {
    end_growth();
    if (!has_turn()) return error;
    const bool is_short = error == Error(EAGAIN) && sink().size() != 0 && is_nonblocking();
    if (error != Error() && !is_short && source_.inbox->give_back(*source_.gate, sink())) return error;
    source_.inbox->commit(*source_.gate);
    return Error();
}

#if !defined(USOCKET_SMALL)
void Reader::unread(Sink& got) noexcept {
    if (!source_.inbox->try_lock_again(id())) return;
    Windows::close(*source_.inbox);  // a peek behind what is kept is one into the queue
    (void)source_.inbox->unread(*source_.gate, got);
    unlock();
}
#endif

void Reader::unwound() noexcept {
    end_growth();
    if (!call_.reads_) return;
    call_.reads_ = false;
    if (!source_.inbox->is_locked_by(id())) return;
    if (call_.sink_ != nullptr) {
        count_taken();
        (void)source_.inbox->give_back(*source_.gate, sink());
    }
    Windows::close(*source_.inbox);
    unlock();
}

// What the call has got, if it was left while it took something in.
void Reader::count_taken() noexcept {
    if (call_.notes_) sink().set_size(call_.taken_from_ + sys::noted(call_.note_));
    const bool is_still_shown = call_.shown_ != 0 && front().size() == call_.shown_;
    if (is_still_shown) sink().set_size(call_.taken_from_);
}

// --- The methods

Result<void> Reader::read(Sink& into, std::size_t limit) noexcept { return read_with(into, limit, &Reader::fill); }

Result<void> Reader::readline(Sink& into, std::size_t limit) noexcept {
    return read_with(into, limit, &Reader::fill_line);
}

// Of another queue than that of the unread bytes: no reader is in the way.
static bool is_beside(int flags) noexcept { return (flags & (sys::msg_oob | sys::msg_errqueue)) != 0; }

static bool is_for_all(int flags) noexcept { return (flags & (sys::msg_waitall | sys::msg_peek)) == sys::msg_waitall; }

// What the flags of recv(2) mean to a call; returns them as the system is to see them. Those of another queue, and
// MSG_DONTWAIT, wait for nothing (TIME-8).
int Reader::heed(int flags) noexcept {
    // AF_UNIX has no error queue, and takes the flag for none.
    const bool is_none = source_.is_stream && !source_.is_tcp && (flags & sys::msg_errqueue) != 0;
    if (is_none) flags = (flags & ~sys::msg_errqueue) | sys::msg_dontwait;
    if (is_beside(flags) || (flags & sys::msg_dontwait) != 0) waiting_.wait_for_nothing();
    return flags;
}

Result<std::size_t> Reader::recv(MutableBuffer buffer, int flags, Address* from) noexcept {
    buffer = buffer.first(max_transfer);
    flags = heed(flags);
    // Nothing of a wrapped stream is out of its order.
    if (layer() != nullptr && (flags & sys::msg_oob) != 0) return Error(EOPNOTSUPP);
    if (is_beside(flags) || !source_.is_stream) {
        const auto received = receive(buffer, flags, from);
        if (received) note_mark(flags);
        return received;
    }
    // Nothing is there at once, even if nothing has arrived.
    if (buffer.size() == 0) return std::size_t{0};
    if (is_for_all(flags)) {
        call_.memory_ = Sink(buffer);
        const auto all = read(call_.memory_, buffer.size());
        return all ? Result<std::size_t>(call_.memory_.size()) : all.error();
    }
    return exclusively([=, this]() noexcept { return receive_stream(buffer, flags, from); });
}

Result<ReceivedMessage> Reader::recvmsg(Scattered pieces, MutableBuffer control, int flags) noexcept {
    flags = heed(flags);
    if (is_beside(flags) || !source_.is_stream) {
        const auto received = receive_message(pieces, control, flags);
        if (received) note_mark(flags);
        return received;
    }
    // What the system would drop unseen could not go back.
    if (is_for_all(flags)) return receive_all(pieces, control, flags & ~(sys::msg_waitall | sys::msg_trunc));
    return exclusively([&]() noexcept { return receive_stream_message(pieces, control, flags); });
}

Result<void> Reader::forget_after(Result<void> (*dissolve)(sys::Fd fd, const Address& address) noexcept,
                                  const Address& address) noexcept {
    return exclusively([&]() noexcept {
        const Result<void> dissolved = dissolve(fd(), address);
        if (!dissolved) return dissolved;
        source_.inbox->forget(*source_.gate);
        // SO_PEEK_OFF may have gone with the connection.
        if (!sys::peeks_at_offset(fd())) source_.gate->forget(Gate::peeks_elsewhere);
        return dissolved;
    });
}

}  // namespace usocket
