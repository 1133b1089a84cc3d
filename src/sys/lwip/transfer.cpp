// Bytes and messages, of either kind of socket.
#include <netinet/in.h>

#include <new>

#include "sys/lwip/endpoint.hpp"
#include "sys/lwip/tcp.hpp"
#include "sys/lwip/udp.hpp"

namespace usocket::sys {
namespace {

using Kind = Sock::Kind;

// There is no other queue than the one (MSG_OOB).
Error check_flags(const Sock& sock, int flags) noexcept {
    if ((flags & MSG_OOB) == 0) return Error();
    return Error(sock.kind == Kind::tcp ? EINVAL : EOPNOTSUPP);
}

// Whether lwIP may have more for a call that wants so much than what is there.
bool is_short_of(const Sock& sock, std::size_t size) noexcept {
    return sock.kind == Kind::udp ? sock.first_datagram == nullptr : sock.queue.size() < size;
}

// What recv() and its like begin with.
Error prepare_to_receive(const Found& sock, std::size_t size, int flags) noexcept {
    if (!sock) return sock.error();
    if (is_short_of(*sock, size)) turn();
    return check_flags(*sock, flags);
}

// `from`: where a datagram's sender goes, if somebody wants it.
Result<std::size_t> receive(Fd fd, MutableBuffer buffer, int flags, Address* from) noexcept {
    const Found found(fd);
    if (const Error error = prepare_to_receive(found, buffer.size(), flags); error != Error()) return error;
    Sock& sock = *found;
    const bool peeks = (flags & MSG_PEEK) != 0;
    if (sock.kind == Kind::tcp) return buffer.size() == 0 ? std::size_t{0} : receive_tcp(sock, buffer, peeks);
    const auto received = receive_udp(sock, {&buffer, 1}, peeks);
    if (!received) return received.error();
    if (from != nullptr && received->has_sender) *from = to_address(received->from, sock.family);
    return received->size;
}

Result<std::size_t> send_pieces(Fd fd, Gathered pieces, int flags, const Address* to) noexcept {
    const Found found(fd);
    if (!found) return found.error();
    Sock& sock = *found;
    if ((flags & MSG_OOB) != 0) return Error(EOPNOTSUPP);
    if (sock.kind == Kind::udp) {
        if (to == nullptr) return send_udp(sock, pieces, nullptr);
        Endpoint target;
        if (const Error error = to_peer(*to, sock.family, target); error != Error()) return error;
        return send_udp(sock, pieces, &target);
    }
    std::size_t done = 0;
    for (const ConstBuffer& piece : pieces) {
        const bool more = (flags & MSG_MORE) != 0 || &piece != &pieces.back();
        auto sent = write_tcp(sock, piece, more);
        if (sent.error() == Error(EAGAIN) && done == 0) {
            turn();
            sent = write_tcp(sock, piece, more);
        }
        if (!sent && done == 0) return sent.error();
        done += sent.value_or(0u);
        if (!sent || *sent < piece.size()) break;
    }
    output_tcp(sock);
    return done;
}

}  // namespace

Result<std::size_t> recv(Fd fd, MutableBuffer buffer, int flags) noexcept {
    return receive(fd, buffer, flags, nullptr);
}

Result<std::size_t> recvfrom(Fd fd, MutableBuffer buffer, int flags, Address& from) noexcept {
    return receive(fd, buffer, flags, &from);
}

Result<ReceivedMessage> recvmsg(Fd fd, Scattered pieces, MutableBuffer, int flags) noexcept {
    const Found found(fd);
    std::size_t size = 0;
    for (const MutableBuffer& piece : pieces) size += piece.size();
    if (const Error error = prepare_to_receive(found, size, flags); error != Error()) return error;
    Sock& sock = *found;
    const bool peeks = (flags & MSG_PEEK) != 0;
    ReceivedMessage message;
    if (sock.kind == Kind::udp) {
        const auto received = receive_udp(sock, pieces, peeks);
        if (!received) return received.error();
        message.size = received->size;
        message.flags = received->whole > received->size ? MSG_TRUNC : 0;
        if (received->has_sender) message.address = to_address(received->from, sock.family);
        return message;
    }
    for (const MutableBuffer& piece : pieces) {
        if (piece.size() == 0) continue;
        const auto received = receive_tcp(sock, piece, peeks);
        if (!received && message.size == 0) return received.error();
        message.size += received.value_or(0u);
        // A peek of a second piece would show the same again.
        if (!received || *received < piece.size() || peeks) break;
    }
    return message;
}

Result<std::size_t> recv_noted(Fd fd, MutableBuffer buffer, int flags, ReceiveNote& note) noexcept {
    auto* count = new (note.bytes) std::size_t{0};
    const auto received = recv(fd, buffer, flags);
    if (received) *count = *received;
    return received;
}

std::size_t noted(const ReceiveNote& note) noexcept { return *reinterpret_cast<const std::size_t*>(note.bytes); }

Result<std::size_t> discard(Fd fd, MutableBuffer scratch, bool) noexcept {
    const Found sock(fd);
    if (!sock) return sock.error();
    const std::size_t dropped = sock->kind == Kind::tcp ? drop_tcp(*sock, scratch.size()) : 0;
    return dropped == 0 ? Result<std::size_t>(Error(EAGAIN)) : dropped;
}

Result<std::size_t> send(Fd fd, ConstBuffer data, int flags) noexcept {
    return send_pieces(fd, {&data, 1}, flags, nullptr);
}

Result<std::size_t> sendto(Fd fd, ConstBuffer data, int flags, const Address& to) noexcept {
    return send_pieces(fd, {&data, 1}, flags, &to);
}

// There is nothing beside the data.
Result<std::size_t> sendmsg(Fd fd, Gathered pieces, ConstBuffer control, int flags, const Address* to) noexcept {
    if (control.size() != 0) return Error(EOPNOTSUPP);
    return send_pieces(fd, pieces, flags, to);
}

}  // namespace usocket::sys
