// Socket: what moves bytes. The short ways of a program with one thread are here; the rest is the Reader's and the
// Outbox's.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "socket/aside.hpp"
#include "socket/inside.hpp"
#include "stream/lines.hpp"
#include "stream/outbox.hpp"
#include "stream/reader.hpp"
#include "wait/settling.hpp"

namespace usocket {
namespace {

// Neither flags nor a size that want care: an empty read of a stream does not wait for anything.
bool is_usual(ConstBuffer data, int flags) noexcept { return flags == 0 && data.size() <= max_transfer; }
bool is_usual(MutableBuffer buffer, int flags) noexcept { return flags == 0 && buffer.size() - 1 < max_transfer; }

// Whether what finds all it wants there takes a way of its own.
#if defined(USOCKET_WITHOUT_quick)
constexpr bool has_short_ways = false;
#else
constexpr bool has_short_ways = true;
#endif

}  // namespace

bool Socket::is_stream() const noexcept { return type() == sys::sock_stream; }

bool Socket::is_tcp() const noexcept {
    const int proto = kind_ & proto_mask;
    return is_stream() && (proto == sys::ipproto_tcp || proto == IPPROTO_SEC);
}

Reader Socket::reader(Call& call) noexcept {
    return {call, timeout_, Source{&gate_, &inbox_, is_stream(), is_tcp(), type() == sys::sock_seqpacket}};
}

// A datagram of AF_UNIX would wait in the system for its receiver, out of reach of close() (SOCK-4).
Outbox Socket::outbox(Call& call) noexcept {
    const bool is_unix = sys::has_af_unix && family_ == sys::af_unix;
    return {call, timeout_, gate_, is_unix && !is_stream()};
}

// --- One system call and a few checks

// Nobody else is there, nothing is kept, no stream method, of any socket, has left a window open (STRM-5), and no
// signal can make a timeout of the system's begin anew (TIME-7).
inline bool Socket::is_plain() const noexcept {
    if (!has_short_ways || !sys::is_only_thread() || gate_.closed() || has_to_settle()) return false;
    const Aside* aside = gate_.aside();
    return aside == nullptr || (aside->pending.empty() && layer_of(gate_) == nullptr && !has_detours(gate_));
}

// What most calls of a C++ program come to is one system call, done by `once`. Where the arguments are unusual, or that
// does not settle it, `whole` does the job from there on; also where a sleep in the system would heed another holder's
// SO_RCVLOWAT (TIME-9).
template <class Once, class Whole>
inline auto Socket::at_once(unsigned events, bool is_usual, Once once, const Whole& whole) noexcept
    -> Result<std::size_t> {
    Error error;
    if (is_usual && is_plain() && (events != sys::poll_in || !gate_.exposed(sys::forks()))) {
        const Result<std::size_t> result = once(timeout_.is_none() ? 0 : sys::msg_dontwait);
        error = result.error();
        if (Blocking::is_settled(error)) return result;
    }
    return go_on(error, events, whole);
}

// `error`: what a first attempt has met, if there was one: EAGAIN or EINTR.
template <class Whole>
[[gnu::noinline, gnu::cold]] auto Socket::go_on(Error error, unsigned events, const Whole& whole) noexcept
    -> Result<std::size_t> {
    Call call;
    if (error == Error(EAGAIN)) {
        const auto ready = Blocking(call, timeout_, &gate_).await_retry(gate_.fd(), events, timeout_.is_none());
        if (!ready) return ready.error();
    }
    return whole(static_cast<Call&&>(call));
}

// A host whose other threads and handlers run only while a call waits, as a board's: until then its calls are as short.
bool leaves_alone(const Host* host) noexcept { return host != nullptr && host->leave == nullptr && !host->unwinds; }

// --- Socket methods

Result<std::size_t> Socket::send(ConstBuffer data, int flags) noexcept {
    return at_once(
        sys::poll_out, is_usual(data, flags), [=, this](int own) noexcept { return sys::send(gate_.fd(), data, own); },
        [=, this](Call&& call) noexcept { return send(data, flags, static_cast<Call&&>(call)); });
}

Result<std::size_t> Socket::send(ConstBuffer data, int flags, Call&& call) noexcept {
    if (leaves_alone(call.host_) && is_usual(data, flags) && is_plain()) {
        const auto sent = sys::send(gate_.fd(), data, sys::msg_dontwait);
        if (Blocking::is_settled(sent.error())) return sent;
    }
    return inside(call, [&]() noexcept { return outbox(call).send(data, flags, nullptr); });
}

Result<void> Socket::sendall(ConstBuffer data, int flags, Call&& call) noexcept {
    return inside(call, [&]() noexcept -> Result<void> {
        std::size_t sent = 0;
        return outbox(call).send_all(data, flags, sent);
    });
}

Result<std::size_t> Socket::sendto(ConstBuffer data, const Address& to, int flags) noexcept {
    return at_once(
        sys::poll_out, is_usual(data, flags),
        [=, this, &to](int own) noexcept { return sys::sendto(gate_.fd(), data, own, to); },
        [=, this, &to](Call&& call) noexcept { return sendto(data, to, flags, static_cast<Call&&>(call)); });
}

Result<std::size_t> Socket::sendto(ConstBuffer data, const Address& to, int flags, Call&& call) noexcept {
    if (leaves_alone(call.host_) && is_usual(data, flags) && is_plain()) {
        const auto sent = sys::sendto(gate_.fd(), data, sys::msg_dontwait, to);
        if (Blocking::is_settled(sent.error())) return sent;
    }
    return sending(call, flags, &to,
                   [&](int now, const Address* where) noexcept { return outbox(call).send(data, now, where); });
}

Result<std::size_t> Socket::recv_into(MutableBuffer buffer, int flags) noexcept {
    return at_once(
        sys::poll_in, is_usual(buffer, flags),
        [=, this](int own) noexcept { return sys::recv(gate_.fd(), buffer, own); },
        [=, this](Call&& call) noexcept { return recv_into(buffer, flags, static_cast<Call&&>(call)); });
}

Result<std::size_t> Socket::recv_into(MutableBuffer buffer, int flags, Call&& call) noexcept {
    return receive_inside(call, buffer, flags, nullptr);
}

Result<ReceivedFrom> Socket::recvfrom_into(MutableBuffer buffer, int flags) noexcept {
    Result<ReceivedFrom> from{Error()};
    Address* address = &from->address;
    const auto size = at_once(
        sys::poll_in, is_usual(buffer, flags),
        [=, this](int own) noexcept { return sys::recvfrom(gate_.fd(), buffer, own, *address); },
        [=, this](Call&& call) noexcept { return receive_inside(call, buffer, flags, address); });
    if (size) {
        from->size = *size;
        name_sender(*address);
    } else {
        from = size.error();
    }
    return from;
}

Result<std::size_t> Socket::recvfrom_into(MutableBuffer buffer, Address& from, int flags, Call&& call) noexcept {
    from.set_size(0);
    const auto size = receive_inside(call, buffer, flags, &from);
    if (size) name_sender(from);
    return size;
}

// Of a TCP connection the system names no sender with the bytes; there is but one.
void Socket::name_sender(Address& from) const noexcept {
    if (from.empty() && is_tcp()) from = getpeername().value_or(Address());
}

Result<std::size_t> Socket::receive_inside(Call& call, MutableBuffer buffer, int flags, Address* from) noexcept {
    if (leaves_alone(call.host_) && is_usual(buffer, flags) && is_plain() && !gate_.exposed(sys::forks())) {
        const auto received = from != nullptr ? sys::recvfrom(gate_.fd(), buffer, sys::msg_dontwait, *from)
                                              : sys::recv(gate_.fd(), buffer, sys::msg_dontwait);
        if (Blocking::is_settled(received.error())) return received;
    }
    const auto size = inside(call, [&]() noexcept { return reader(call).recv(buffer, flags, from); });
    if (!size || !takes_next(flags)) return size;
    Sink got(buffer);
    got.set_size(*size);
    const Error error = last_look(call, got);
    return error == Error() ? size : error;
}

// --- Stream methods

Result<std::size_t> Socket::write(ConstBuffer data, Call&& call) noexcept {
    std::size_t sent = 0;
    return write(data, sent, static_cast<Call&&>(call));
}

Result<std::size_t> Socket::write(ConstBuffer data, std::size_t& sent, Call&& call) noexcept {
    sent = 0;
    if (leaves_alone(call.host_) && is_usual(data, 0) && is_stream() && is_plain()) {
        const auto first = sys::send(gate_.fd(), data, sys::msg_dontwait);
        sent = first.value_or(0u);
        if (Blocking::is_settled(first.error()) && (!first || sent == data.size())) return first;
    }
    return inside(call, [&]() noexcept -> Result<std::size_t> {
        if (data.size() == 0) return std::size_t{0};
        Outbox out = outbox(call);
        const Error error = out.send_all(data, 0, sent);
        return error == Error() || out.is_short(error, sent) ? Result<std::size_t>(sent) : error;
    });
}

Result<std::size_t> Socket::readinto(MutableBuffer buffer, Call&& call) noexcept {
    call.memory_ = Sink(buffer);
    const auto read = read_to(call.memory_, buffer.size(), static_cast<Call&&>(call));
    if (!read) return read.error();
    return call.memory_.size();
}

// The open window, if there is one and nobody can come between: what is read most, at its shortest. An open window says
// that the socket is open and nobody else's.
inline Window* Socket::window_at_hand(const Host* host) const noexcept {
    const bool unwinds = host != nullptr && host->unwinds;
    if (!has_short_ways || !Windows::is_open(inbox_) || !sys::is_only_thread() || unwinds) return nullptr;
    const Aside* aside = gate_.aside();
    return aside == nullptr || !aside->has_unread() ? &Windows::of(inbox_) : nullptr;
}

// The same of a layer. It has more than what is asked for, so that a poll need not be told anything.
inline Layer* Socket::layer_at_hand(const Host* host) const noexcept {
    Layer* layer = layer_of(gate_);
    const bool unwinds = host != nullptr && host->unwinds;
    const bool is_short = has_short_ways && layer != nullptr && sys::is_only_thread() && !unwinds;
    if (!is_short || gate_.closed()) return nullptr;
    const bool is_next = gate_.aside()->pending.empty() && layer->process == sys::process_generation();
    return is_next ? layer : nullptr;
}

// Gives `take` what is at hand, which says how many bytes of it it has taken; 0 is none. It is over too soon for a last
// look for signals.
template <class Take> inline std::size_t Socket::take_at_hand(const Host* host, Take take) noexcept {
    if (Window* window = window_at_hand(host)) {
        inbox_.forget_reader();
        const std::size_t taken = take(window->view());
        if (taken != 0) Windows::consume(inbox_, *window, taken);
        return taken;
    }
    Layer* layer = layer_at_hand(host);
    if (layer == nullptr || layer->front().size() == 0) return 0;
    inbox_.forget_reader();
    const ConstBuffer view = layer->front();
    const std::size_t taken = take(ConstBuffer(view.data(), view.size() - 1));
    layer->consume(taken);
    return taken;
}

// A whole line of what is at hand; returns its length, or 0.
inline std::size_t Socket::copy_line(const Host* host, MutableBuffer buffer) noexcept {
    return take_at_hand(host, [&](ConstBuffer view) noexcept {
        const std::size_t line = whole_line(view.data(), std::min(view.size(), buffer.size()));
        if (line != 0) std::memcpy(buffer.data(), view.data(), line);
        return line;
    });
}

Result<std::size_t> Socket::readline_into(MutableBuffer buffer) noexcept {
    const std::size_t size = copy_line(nullptr, buffer);
    return size != 0 ? size : readline_into(buffer, Call());
}

Result<std::size_t> Socket::readline_into(MutableBuffer buffer, Call&& call) noexcept {
    if (const std::size_t size = copy_line(call.host_, buffer); size != 0) return size;
    call.memory_ = Sink(buffer);
    const auto read = readline_to(call.memory_, buffer.size(), static_cast<Call&&>(call));
    if (!read) return read.error();
    return call.memory_.size();
}

Result<void> Socket::read_to(Sink& sink, std::size_t limit, Call&& call) noexcept {
    const std::size_t taken = take_at_hand(call.host_, [&](ConstBuffer view) noexcept {
        const bool is_there = limit <= view.size() && sink.reserve(limit);
        if (is_there) sink.append(view.data(), limit);
        return is_there ? limit : 0;
    });
    return taken != 0 ? Result<void>() : read_inside(call, sink, limit, false);
}

Result<void> Socket::readline_to(Sink& sink, std::size_t limit, Call&& call) noexcept {
    const std::size_t taken = take_at_hand(call.host_, [&](ConstBuffer view) noexcept {
        const std::size_t line = whole_line(view.data(), std::min(view.size(), limit));
        if (line == 0 || !sink.reserve(line)) return std::size_t{0};
        sink.append(view.data(), line);
        return line;
    });
    return taken != 0 ? Result<void>() : read_inside(call, sink, limit, true);
}

Result<void> Socket::read_inside(Call& call, Sink& sink, std::size_t limit, bool is_line) noexcept {
    const auto read = inside(call, [&]() noexcept {
        Reader reading = reader(call);
        return is_line ? reading.readline(sink, limit) : reading.read(sink, limit);
    });
    return read ? Result<void>(last_look(call, sink)) : read;
}

// --- For C++: into memory of the C heap

namespace {

// What receive(room) puts into room of this size; it returns how much there was.
template <class Receive> Result<Bytes> receive_bytes(std::size_t size, Receive receive) noexcept {
    if (size > max_transfer) return Error(Fault::bufsize_range);
    Sink sink = Bytes::sink();
    if (!sink.reserve(size)) return Error(ENOMEM);
    const Result<std::size_t> count = receive(sink.room());
    if (count) sink.set_size(std::min(*count, size));
    Bytes bytes = Bytes::take(sink);
    if (!count) return count.error();
    return bytes;
}

// What receive(sink) puts into it.
template <class Receive> Result<Bytes> read_bytes(Receive receive) noexcept {
    Sink sink = Bytes::sink();
    const Result<void> read = receive(sink);
    Bytes bytes = Bytes::take(sink);
    if (!read) return read.error();
    return bytes;
}

Result<Received> with_sender(Result<Bytes> bytes, const Address& from) noexcept {
    if (!bytes) return bytes.error();
    return Received{std::move(*bytes), from};
}

}  // namespace

Result<Bytes> Socket::recv(std::size_t size, int flags) noexcept {
    return receive_bytes(size, [&](MutableBuffer room) noexcept { return recv_into(room, flags); });
}

Result<Bytes> Socket::recv(std::size_t size, int flags, Call&& call) noexcept {
    return receive_bytes(
        size, [&](MutableBuffer room) noexcept { return recv_into(room, flags, static_cast<Call&&>(call)); });
}

Result<Received> Socket::recvfrom(std::size_t size, int flags) noexcept {
    Address from;
    auto bytes = receive_bytes(size, [&](MutableBuffer room) noexcept -> Result<std::size_t> {
        const auto received = recvfrom_into(room, flags);
        if (!received) return received.error();
        from = received->address;
        return received->size;
    });
    return with_sender(std::move(bytes), from);
}

Result<Received> Socket::recvfrom(std::size_t size, int flags, Call&& call) noexcept {
    Address from;
    auto bytes = receive_bytes(
        size, [&](MutableBuffer room) noexcept { return recvfrom_into(room, from, flags, static_cast<Call&&>(call)); });
    return with_sender(std::move(bytes), from);
}

Result<Bytes> Socket::read(Call&& call) noexcept { return read(no_limit, static_cast<Call&&>(call)); }

Result<Bytes> Socket::read(std::size_t size, Call&& call) noexcept {
    return read_bytes([&](Sink& sink) noexcept { return read_to(sink, size, static_cast<Call&&>(call)); });
}

Result<Bytes> Socket::readline(Call&& call) noexcept { return readline(no_limit, static_cast<Call&&>(call)); }

Result<Bytes> Socket::readline(std::size_t limit, Call&& call) noexcept {
    return read_bytes([&](Sink& sink) noexcept { return readline_to(sink, limit, static_cast<Call&&>(call)); });
}

}  // namespace usocket
