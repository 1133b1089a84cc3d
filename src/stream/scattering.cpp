// Reader: receiving into several pieces, with what comes beside the data (SOCK-10).
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "stream/lines.hpp"
#include "stream/reader.hpp"
#include "wait/held.hpp"

namespace usocket {
namespace {

// How many pieces a peek behind the kept bytes shows at most.
constexpr std::size_t peeked_pieces = 8;

// Copies the bytes into the pieces, as far as there is room; returns how many.
std::size_t scatter(ConstBuffer bytes, Scattered pieces) noexcept {
    std::size_t done = 0;
    for (const MutableBuffer& piece : pieces) {
        const std::size_t count = std::min(piece.size(), bytes.size() - done);
        if (count != 0) std::memcpy(piece.data(), bytes.data() + done, count);
        done += count;
    }
    return done;
}

}  // namespace

// One system call's worth.
Result<ReceivedMessage> Reader::receive_message(Scattered pieces, MutableBuffer control, int flags) noexcept {
    // The system then may count bytes that it does not write: the caller must not see what was there before.
    if ((flags & sys::msg_trunc) != 0) {
        for (const MutableBuffer& piece : pieces) std::fill_n(piece.data(), piece.size(), std::uint8_t{0});
    }
    if (source_.is_stream) pieces = pieces.first(std::min(pieces.size(), sys::most_pieces));
    Blocking& waiting = blocking();
    flags |= sleep_flags(waiting);
    const auto take = [&]() noexcept { return sys::recvmsg(fd(), pieces, control, flags); };
    const bool can_be_unread = source_.is_stream && control.size() == 0;
    const auto received = waiting.perform(fd(), sys::poll_in, take, can_be_unread);
    const int beside = sys::msg_peek | sys::msg_oob | sys::msg_errqueue;
    if (received && source_.is_stream && (flags & beside) == 0) pass_mark(received->size);
    // EOF, or another thread's close()? Not if descriptors came along, which nobody else would close.
    if (received && received->size == 0 && received->control_size == 0 && source_.gate->closed()) return Error(EBADF);
    return received;
}

Result<ReceivedMessage> Reader::receive_stream_message(Scattered pieces, MutableBuffer control, int flags) noexcept {
    Layer* maker = layer();
    if (maker != nullptr && front().size() == 0) {
        const auto ended = refill(*maker);
        if (!ended) return ended.error();
        if (*ended) return end_of_stream() == Error() ? Result<ReceivedMessage>(ReceivedMessage()) : end_of_stream();
    }
    if (maker == nullptr && !Inbox::has_pending(*source_.gate)) {
        Windows::close(*source_.inbox);
        return receive_message(pieces, control, flags);
    }
    const bool peeks = (flags & sys::msg_peek) != 0;
    ReceivedMessage message;
    bool has_room = false;
    {
        const Held held;
        const ConstBuffer kept = front();
        message.size = scatter(kept, pieces);
        has_room = message.size == kept.size();
        if (!peeks) {
            source_.inbox->consume(*source_.gate, message.size);
            source_.inbox->commit(*source_.gate);
        }
    }
    if (!peeks || !has_room || maker != nullptr) return message;
    return receive_message_behind(pieces, control, flags, message.size);
}

// MSG_WAITALL: until the pieces are full, the stream ends, or something comes beside the data that belongs to this part
// of it: descriptors, credentials, not a time stamp. The bytes are gathered in
// one place, so that they go back if the call does not succeed (TIME-6).
Result<ReceivedMessage> Reader::receive_all(Scattered pieces, MutableBuffer control, int flags) noexcept {
    std::size_t total = 0;
    for (const MutableBuffer& piece : pieces) total += std::min(piece.size(), max_transfer - total);
    const bool is_one = pieces.size() == 1;
    ReceivedMessage message;
    call_.memory_ = is_one ? Sink(pieces.front().first(total)) : Bytes::sink();
    call_.sink_ = &call_.memory_;
    const auto done = exclusively([&]() noexcept -> Result<void> {
        message = {};
        return end(fill_all(total, control, flags, message));
    });
    message.size = sink().size();
    call_.sink_ = nullptr;
    if (!is_one) (void)scatter(Bytes::take(call_.memory_).view(), pieces);
    return done ? Result<ReceivedMessage>(message) : done.error();
}

Error Reader::fill_all(std::size_t total, MutableBuffer control, int flags, ReceivedMessage& message) noexcept {
    if (layer() != nullptr) return fill(total);
    while (sink().size() < total && (message.control_size == 0 || source_.is_tcp)) {
        const std::size_t wanted = total - sink().size();
        if (const std::size_t there = front().size(); there != 0) {
            if (const Error error = take_front(std::min(wanted, there)); error != Error()) return error;
            continue;
        }
        if (const Error error = before_more(); error != Error()) return error;
        if (!sink().reserve(wanted)) return Error(ENOMEM);
        const auto count = leaves_in_queue() ? await_whole(wanted, true) : Result<std::size_t>(wanted);
        if (!count) return count.error();
        const MutableBuffer room = sink().room().first(*count);
        const auto received = receive_message({&room, 1}, control, flags);
        if (!received) return received.error();
        message = *received;
        if (message.size == 0) return end_of_stream();
        blocking().note_progress();
        sink().set_size(sink().size() + message.size);
    }
    return Error();
}

// A peek that has shown kept bytes shows what is behind them as well, as far as it is there.
Result<ReceivedMessage> Reader::receive_message_behind(Scattered pieces, MutableBuffer control, int flags,
                                                       std::size_t shown) noexcept {
    std::array<MutableBuffer, peeked_pieces> rest;
    std::size_t count = 0;
    std::size_t skipped = shown;
    for (const MutableBuffer& piece : pieces) {
        const std::size_t used = std::min(skipped, piece.size());
        skipped -= used;
        if (used != piece.size() && count < rest.size()) rest[count++] = piece.from(used);
    }
    ReceivedMessage kept;
    kept.size = shown;
    if (count == 0) return kept;
    waiting_.wait_for_nothing();
    auto behind = receive_message(Scattered(rest.data(), count), control, flags);
    const bool is_interrupted = behind.error() == start_over || behind.error() == Error(EINTR);
    if (is_interrupted) return behind;
    if (!behind) return kept;
    behind->size += shown;
    return behind;
}

}  // namespace usocket
