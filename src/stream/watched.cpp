// Socket: reading a stream whose descriptor others may poll or read. What does not yet complete a read stays in the
// system's queue, as far as it fits, so that a call that fails halfway has changed nothing for them (TIME-6, STRM-5).
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "socket/gate.hpp"
#include "usocket/socket.hpp"

namespace usocket {
namespace {

// For longer reads than this the queue might be too small; they take it in, but for one byte, and go on.
constexpr std::size_t most_to_wait_for = 64 * 1024;

constexpr Timeout slice = Timeout::of_nanoseconds(1'000'000);

}  // namespace

// How many of the next `count` bytes to take in now; 0 is EOF. completes: with them all the read is complete.
Result<std::size_t> Socket::await_whole(Call& call, MutableBuffer room, bool completes) noexcept {
    const MutableBuffer step = room.first(most_to_wait_for);
    const auto peeked = peek_until(call, step, false);
    if (!peeked) return peeked.error();
    const bool is_all = peeked->size == room.size() && completes;
    return is_all || peeked->ended || peeked->size <= 1 ? peeked->size : peeked->size - 1;
}

// Shows what is in the queue once it fills `room`, or holds a newline if that is enough, or stops growing.
Result<Socket::Peeked> Socket::peek_until(Call& call, MutableBuffer room, bool by_line) noexcept {
    Blocking blocking(call, timeout_, this);
    Peeked peeked;
    for (;;) {
        const auto now = peek(call, room, !by_line);
        if (!now || now->size == 0) return now;
        const bool has_grown = now->size > peeked.size;
        peeked.size = now->size;
        const bool has_line = by_line && std::memchr(room.data(), '\n', peeked.size) != nullptr;
        // One byte that completes nothing stays where it is until there are more or the end comes.
        if (has_line || peeked.size == room.size() || (!has_grown && (peeked.ended || peeked.size > 1))) return peeked;
        const auto ended = await_more(call, blocking, by_line ? peeked.size + 1 : room.size());
        if (!ended) return ended.error();
        peeked.ended = *ended;
    }
}

// Until there may be `enough` bytes in the queue, which has fewer. True: if there are no more than before, none will
// come.
Result<bool> Socket::await_more(Call& call, Blocking& blocking, std::size_t enough) noexcept {
    if (!is_tcp()) {
        // Readable is what it is all the time; only the end can be waited for, and bytes looked for now and then.
        const auto paused = blocking.pause(fd_, sys::poll_rdhup, slice);
        if (!paused) return paused.error();
        const auto ready = sys::wait(fd_, sys::poll_rdhup, Timeout::zero());
        return closed() ? Result<bool>(Error(EBADF)) : Result<bool>(ready && *ready != 0);
    }
    int before = 0;
    const auto asked = sys::getsockopt(fd_, sys::sol_socket, sys::so_rcvlowat, {&before, sizeof before});
    if (!asked) return asked.error();
    // Linux wakes a poll at this mark, at EOF, on an error, and if its memory is short (tcp(7), SO_RCVLOWAT).
    call.lowat_ = before;
    set_lowat(static_cast<int>(enough));
    const auto waited = blocking.wait(fd_, sys::poll_in);
    restore_lowat(call);
    if (!waited) return waited.error();
    return true;
}

void Socket::set_lowat(int bytes) noexcept {
    (void)sys::setsockopt(fd_, sys::sol_socket, sys::so_rcvlowat, ConstBuffer(&bytes, sizeof bytes));
}

void Socket::restore_lowat(Call& call) noexcept {
    if (call.lowat_ != 0) set_lowat(call.lowat_);
    call.lowat_ = 0;
}

}  // namespace usocket
