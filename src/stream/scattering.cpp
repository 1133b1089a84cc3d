// Reader: receiving into several pieces, with what comes beside the data (SOCK-10).
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

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
    Blocking waiting = blocking();
    flags |= waiting.sleep_flags();
    const auto received =
        waiting.perform(fd(), sys::poll_in, [&]() noexcept { return sys::recvmsg(fd(), pieces, control, flags); });
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
    source_.timeout = Timeout::zero();
    auto behind = receive_message(Scattered(rest.data(), count), control, flags);
    const bool is_interrupted = behind.error() == start_over || behind.error() == Error(EINTR);
    if (is_interrupted) return behind;
    if (!behind) return kept;
    behind->size += shown;
    return behind;
}

}  // namespace usocket
