// Socket: messages of several pieces with ancillary data, and files (SOCK-10).
#include "usocket/message.hpp"

#include <cerrno>

#include "socket/inside.hpp"
#include "stream/outbox.hpp"
#include "stream/reader.hpp"
#include "sys/sys.hpp"

namespace usocket {

Result<std::size_t> Socket::sendmsg(Gathered pieces, ConstBuffer control, int flags, const Address* to,
                                    Call&& call) noexcept {
    // Urgent is the last byte of all, not of each part.
    const bool goes_in_parts = is_stream() && (flags & sys::msg_oob) == 0;
    return sending(call, flags, to, [&](int now, const Address* where) noexcept {
        Outbox out = outbox(call);
        return goes_in_parts ? out.send_pieces(pieces, control, now, where)
                             : out.send_message(pieces, control, now, where);
    });
}

Result<ReceivedMessage> Socket::recvmsg_into(Scattered pieces, MutableBuffer control, int flags, Call&& call) noexcept {
    const auto message = inside(call, [&]() noexcept { return reader(call).recvmsg(pieces, control, flags); });
    if (!message) return message;
    const bool can_be_unread = message->size != 0 && is_stream() && takes_next(flags);
    const bool needs_look = can_be_unread || message->control_size != 0;
    if (!needs_look || !is_given_up(call)) return message;
    // Descriptors come but once, and nobody else would close them.
    const MutableBuffer beside = control.first(message->control_size);
    close_descriptors({beside.data(), beside.size()});
    return can_be_unread ? unread_scattered(call, pieces, message->size) : Error(EINTR);
}

#if !defined(USOCKET_SMALL)
Error Socket::unread_scattered(Call& call, Scattered pieces, std::size_t size) noexcept {
    Sink got = Bytes::sink();
    const bool has_memory = got.reserve(size);
    for (const MutableBuffer& piece : pieces) {
        if (has_memory) got.append(piece.data(), std::min(piece.size(), size - got.size()));
    }
    const Error error = unread(call, got);
    (void)Bytes::take(got);
    return error;
}
#endif

Result<std::size_t> Socket::sendfile(int file, std::uint64_t offset, std::size_t count) noexcept {
    std::size_t sent = 0;
    return sendfile(file, offset, count, sent);
}

// Of SO_RCVTIMEO and SO_SNDTIMEO EAGAIN is an error, here and in splice(), or nobody could tell that from the end.
Result<std::size_t> Socket::sendfile(int file, std::uint64_t offset, std::size_t count, std::size_t& sent,
                                     Call&& call) noexcept {
    sent = 0;
    return inside(call, [&]() noexcept -> Result<std::size_t> {
        Outbox out = outbox(call);
        const Error error = out.send_file(file, offset, count, sent);
        return error == Error() || out.is_short(error, sent) ? Result<std::size_t>(sent) : error;
    });
}

// --- One stream into another

#if !defined(USOCKET_SMALL)

Result<std::size_t> Socket::splice(Socket& to, std::size_t count) noexcept {
    std::size_t moved = 0;
    return splice(to, count, moved);
}

Result<std::size_t> Socket::splice(Socket& to, std::size_t count, std::size_t& moved, Call&& call) noexcept {
    moved = 0;
    if (call.host_ != nullptr) return Error(EOPNOTSUPP);
    if (!is_stream() || !to.is_stream()) return Error(closed() || to.closed() ? EBADF : EINVAL);
    call.from_ = &gate_;
    call.to_ = &to.gate_;
    return inside(call, [&]() noexcept {
        Call beside;
        return to.inside(beside, [&]() noexcept -> Result<std::size_t> {
            Outbox outbox(call, timeout_, to.gate_, false);
            const Error error = reader(call).splice(outbox, count, moved).error();
            return error == Error() || outbox.is_short(error, moved) ? Result<std::size_t>(moved) : error;
        });
    });
}

#endif

// --- Ancillary data

std::optional<std::size_t> ancillary_space(std::size_t data_size) noexcept {
    const std::size_t space = sys::ancillary_space(data_size);
    return space != 0 ? std::optional(space) : std::nullopt;
}

std::optional<std::size_t> ancillary_length(std::size_t data_size) noexcept {
    const std::size_t length = sys::ancillary_length(data_size);
    return length != 0 ? std::optional(length) : std::nullopt;
}

Result<void> AncillaryWriter::add(const Ancillary& item) noexcept {
    const std::size_t space = sys::ancillary_space(item.data.size());
    if (space == 0 || space > memory_.size() - size_) return Error(ENOBUFS);
    sys::ancillary_put(memory_.data() + size_, item);
    size_ += space;
    return {};
}

void close_descriptors(ConstBuffer control) noexcept { sys::close_descriptors(control); }

std::optional<Ancillary> AncillaryReader::next() noexcept {
    Ancillary item;
    return sys::ancillary_get(control_, position_, item) ? std::optional(item) : std::nullopt;
}

}  // namespace usocket
