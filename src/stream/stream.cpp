// Socket: what moves bytes. A stream's bytes come from where they are next in line: kept back by a failed call
// (TIME-6), shown by the open window (STRM-5), in the system's queue.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "socket/aside.hpp"
#include "socket/gate.hpp"
#include "wait/held.hpp"
#include "usocket/socket.hpp"
#include "stream/window.hpp"

namespace usocket {
namespace {

constexpr std::size_t max_transfer = 0x7fffffff;

// Reading to EOF starts with this much memory and doubles it; reading n bytes asks for at most the second at first.
constexpr std::size_t first_room = 16 * 1024;
constexpr std::size_t largest_first_room = 1024 * 1024;

// How much readline() looks at where it has no window.
constexpr std::size_t line_peek = 512;

constexpr std::size_t largest_message = 65536;

// The caller may ask for a call that does not wait, whatever the socket does.
Timeout timeout_with(int flags, Timeout timeout) noexcept {
    return (flags & sys::msg_dontwait) != 0 ? Timeout::zero() : timeout;
}

// The length of the first line of the bytes, if it is there as a whole; else 0.
std::size_t whole_line(const std::uint8_t* bytes, std::size_t size) noexcept {
    const void* newline = std::memchr(bytes, '\n', size);
    if (newline == nullptr) return 0;
    return static_cast<std::size_t>(static_cast<const std::uint8_t*>(newline) - bytes) + 1;
}

// Neither flags nor a size that want care: an empty read of a stream does not wait for anything.
bool is_usual(ConstBuffer data, int flags) noexcept { return flags == 0 && data.size() <= max_transfer; }
bool is_usual(MutableBuffer buffer, int flags) noexcept { return flags == 0 && buffer.size() - 1 < max_transfer; }

// Through the newline, or all there is.
std::size_t line_length(const std::uint8_t* bytes, std::size_t size) noexcept {
    const std::size_t line = size == 0 ? 0 : whole_line(bytes, size);
    return line != 0 ? line : size;
}

bool ends_line(const Sink& sink) noexcept { return sink.size() != 0 && sink.data()[sink.size() - 1] == '\n'; }

}  // namespace

// --- Socket methods

// Nobody else is there, and no stream method has left anything behind.
inline bool Socket::is_plain() const noexcept {
    const bool keeps = Aside::keeps(aside_.load(std::memory_order_relaxed));
    return sys::is_only_thread() && !closed() && !keeps && !Windows::is_open(*this);
}

// What most calls of a C++ program come to is one system call, done by `once`. Where the arguments are unusual, or that
// does not settle it, `whole` does the job from there on.
template <class Once, class Whole>
inline auto Socket::at_once(unsigned events, bool is_usual, Once once, Whole whole) noexcept -> Result<std::size_t> {
    if (!is_usual || !is_plain()) return go_on(Error(), events, whole);
    const Result<std::size_t> result = once(timeout_.is_none() ? 0 : sys::msg_dontwait);
    return Blocking::is_settled(result.error()) ? result : go_on(result.error(), events, whole);
}

// `error`: what a first attempt has met, if there was one: EAGAIN or EINTR.
template <class Whole>
[[gnu::noinline]] auto Socket::go_on(Error error, unsigned events, Whole whole) noexcept -> Result<std::size_t> {
    Call call;
    if (error == Error(EAGAIN)) {
        const auto ready = Blocking(call, timeout_, this).wait(fd_, events);
        if (!ready) return ready.error();
    }
    return whole(static_cast<Call&&>(call));
}

Result<std::size_t> Socket::send(ConstBuffer data, int flags) noexcept {
    return at_once(
        sys::poll_out, is_usual(data, flags), [=, this](int own) noexcept { return sys::send(fd_, data, own); },
        [=, this](Call&& call) noexcept { return send(data, flags, static_cast<Call&&>(call)); });
}

Result<std::size_t> Socket::send(ConstBuffer data, int flags, Call&& call) noexcept {
    return inside(call, [&]() noexcept { return transmit(call, data, flags, nullptr); });
}

Result<void> Socket::sendall(ConstBuffer data, int flags, Call&& call) noexcept {
    return inside(call, [&]() noexcept -> Result<void> {
        const auto sent = transmit_all(call, data, flags);
        if (!sent) return sent.error();
        return *sent == data.size() ? Error() : Error(EAGAIN);
    });
}

Result<std::size_t> Socket::sendto(ConstBuffer data, const Address& to, int flags) noexcept {
    return at_once(
        sys::poll_out, is_usual(data, flags),
        [=, this, &to](int own) noexcept { return sys::sendto(fd_, data, own, to); },
        [=, this, &to](Call&& call) noexcept { return sendto(data, to, flags, static_cast<Call&&>(call)); });
}

Result<std::size_t> Socket::sendto(ConstBuffer data, const Address& to, int flags, Call&& call) noexcept {
    return inside(call, [&]() noexcept { return transmit(call, data, flags, &to); });
}

Result<std::size_t> Socket::recv_into(MutableBuffer buffer, int flags) noexcept {
    return at_once(
        sys::poll_in, is_usual(buffer, flags), [=, this](int own) noexcept { return sys::recv(fd_, buffer, own); },
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
        [=, this](int own) noexcept { return sys::recvfrom(fd_, buffer, own, *address); },
        [=, this](Call&& call) noexcept { return receive_inside(call, buffer, flags, address); });
    from->size = *size;
    if (!size) from = size.error();
    return from;
}

Result<std::size_t> Socket::recvfrom_into(MutableBuffer buffer, Address& from, int flags, Call&& call) noexcept {
    return receive_inside(call, buffer, flags, &from);
}

Result<std::size_t> Socket::receive_inside(Call& call, MutableBuffer buffer, int flags, Address* from) noexcept {
    return reading_inside(call, [&]() noexcept { return receive(call, buffer, flags, from); });
}

Result<std::size_t> Socket::transmit(Call& call, ConstBuffer data, int flags, const Address* to) noexcept {
    const Timeout timeout = timeout_with(flags, timeout_);
    flags |= Blocking::sleep_flags(call, timeout);
    // In the system it would wait for the receiver, out of reach of close() (SOCK-4).
    if (family_ == sys::af_unix && !is_stream()) flags |= sys::msg_dontwait;
    const ConstBuffer bounded(data.data(), std::min(data.size(), max_transfer));
    return Blocking(call, timeout, this).perform(fd_, sys::poll_out, [&]() noexcept {
        return to == nullptr ? sys::send(fd_, bounded, flags) : sys::sendto(fd_, bounded, flags, *to);
    });
}

// How many bytes went out: fewer than there are only if non-blocking.
Result<std::size_t> Socket::transmit_all(Call& call, ConstBuffer data, int flags) noexcept {
    Blocking blocking(call, timeout_, this);
    std::size_t done = 0;
    do {
        const auto sent = transmit(call, data.from(done), flags, nullptr);
        if (!sent) {
            if (sent.error() == Error(EAGAIN) && done != 0) return done;
            return sent;
        }
        done += *sent;
        if (done < data.size()) {
            if (const Error error = blocking.check_signals(); error != Error()) return error;
            if (const Error error = blocking.check_deadline(); error != Error()) return error;
        }
    } while (done < data.size());
    return done;
}

// One system call's worth; the reader lock is held if this is a stream.
Result<std::size_t> Socket::receive(Call& call, MutableBuffer buffer, int flags, Address* from) noexcept {
    buffer = buffer.first(max_transfer);
    // The system then counts bytes that it does not write: the caller must not see what was there before.
    if ((flags & sys::msg_trunc) != 0) std::fill_n(buffer.data(), buffer.size(), std::uint8_t{0});
    const int own_flags = sys::msg_peek | sys::msg_dontwait | sys::msg_waitall;
    if ((flags & ~own_flags) == 0 && has_kept() && buffer.size() != 0) {
        const Held held;
        Kept& kept = aside_.load(std::memory_order_acquire)->kept;
        const std::size_t count = std::min(buffer.size(), kept.size());
        std::memcpy(buffer.data(), kept.data(), count);
        if ((flags & sys::msg_peek) == 0) {
            kept.consume(count);
            kept_changed();
        }
        return count;
    }
    // Nothing is there at once, even if nothing has arrived.
    if (buffer.size() == 0 && is_stream()) return std::size_t{0};
    Windows::close(*this);
    const Timeout timeout = timeout_with(flags, timeout_);
    flags |= Blocking::sleep_flags(call, timeout);
    const auto received = Blocking(call, timeout, this).perform(fd_, sys::poll_in, [&]() noexcept {
        return from == nullptr ? sys::recv(fd_, buffer, flags) : sys::recvfrom(fd_, buffer, flags, *from);
    });
    // EOF, or another thread's close()?
    if (received && *received == 0 && closed()) return Error(EBADF);
    return received;
}

// --- Stream methods

Result<std::size_t> Socket::write(ConstBuffer data, Call&& call) noexcept {
    return inside(call, [&]() noexcept -> Result<std::size_t> {
        if (data.size() == 0) return std::size_t{0};
        return transmit_all(call, data, 0);
    });
}

Result<std::size_t> Socket::readinto(MutableBuffer buffer, Call&& call) noexcept {
    call.memory_ = Sink(buffer);
    const auto read = read_to(call.memory_, buffer.size(), static_cast<Call&&>(call));
    if (!read) return read.error();
    return call.memory_.size();
}

// The open window, if nobody can come between: what is read most, at its shortest. An open window says that the socket
// is open and nobody else's.
inline Window* Socket::window_at_hand(const Host* host) const noexcept {
    if (!sys::is_only_thread() || !Windows::is_open(*this) || has_kept()) return nullptr;
    return host != nullptr && host->unwinds ? nullptr : &Windows::opened(*this);
}

// A whole line out of the window at hand; returns its length, or 0.
inline std::size_t Socket::copy_line(const Host* host, MutableBuffer buffer) noexcept {
    Window* window = window_at_hand(host);
    if (window == nullptr) return 0;
    const ConstBuffer view = window->view();
    const std::size_t line = whole_line(view.data(), std::min(view.size(), buffer.size()));
    if (line == 0) return 0;
    std::memcpy(buffer.data(), view.data(), line);
    Windows::consume(*this, *window, line);
    return line;
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
    Window* window = window_at_hand(call.host_);
    if (window != nullptr && limit != 0 && limit <= window->view().size() && sink.reserve(limit)) {
        sink.append(window->view().data(), limit);
        Windows::consume(*this, *window, limit);
        return {};
    }
    return read_with(call, sink, limit, &Socket::fill);
}

Result<void> Socket::readline_to(Sink& sink, std::size_t limit, Call&& call) noexcept {
    if (Window* window = window_at_hand(call.host_)) {
        const ConstBuffer view = window->view();
        const std::size_t line = whole_line(view.data(), std::min(view.size(), limit));
        if (line != 0 && sink.reserve(line)) {
            sink.append(view.data(), line);
            Windows::consume(*this, *window, line);
            return {};
        }
    }
    return read_with(call, sink, limit, &Socket::fill_line);
}

// Runs `filler` and sees to it that what it took in before it failed stays with the socket.
Result<void> Socket::read_with(Call& call, Sink& sink, std::size_t limit, Fill filler) noexcept {
    call.sink_ = &sink;
    const auto result = reading_inside(call, [&]() noexcept -> Result<void> {
        const Error error = is_stream() ? (this->*filler)(call, sink, limit) : fill_message(call, sink, limit);
        if (error == Error() || sink.size() == 0 || call.lent_) return error;
        // A short read is all that can be done without memory to keep the bytes in; fill() fails before it waits.
        if (error == Error(EAGAIN) || !can_keep(sink)) return {};
        keep(sink);
        return error;
    });
    call.sink_ = nullptr;
    return result;
}

// Until `limit` bytes or EOF.
Error Socket::fill(Call& call, Sink& sink, std::size_t limit) noexcept {
    while (sink.size() < limit) {
        if (const Error error = check_progress(call, sink); error != Error()) return error;
        const std::size_t wanted = limit - sink.size();
        if (sink.room().size() == 0) {
            const std::size_t step = std::max(sink.size(), limit == no_limit ? first_room : largest_first_room);
            if (!sink.reserve(std::min(wanted, step))) return Error(ENOMEM);
        }
        const std::size_t count = std::min(wanted, sink.room().size());
        const auto taken = take_in(call, sink, count, count == wanted && limit != no_limit);
        if (!taken) return taken.error();
        if (*taken == 0) return closed() ? Error(EBADF) : Error();
    }
    return Error();
}

// A peer that never stops sending must not hold a call beyond its deadline (TIME-2).
Error Socket::check_progress(Call& call, const Sink& sink) noexcept {
    return sink.size() == 0 ? Error() : Blocking(call, timeout_, this).check_deadline();
}

// At most `count` bytes, for which the sink has room, from where they are next in line; 0 is EOF.
Result<std::size_t> Socket::take_in(Call& call, Sink& sink, std::size_t count, bool completes) noexcept {
    const bool is_watched = watched(call) && !timeout_.is_zero();
    if (is_watched && Windows::view(*this).size() < count) Windows::close(*this);
    if (const std::size_t held = take_held(call, sink, count); held != 0) return held;
    // From here on the call may end without the bytes that it has: make sure now that they can be kept.
    if (sink.size() != 0 && !can_keep(sink)) return Error(ENOMEM);
    if (completes) {
        const auto opened = Windows::open_for_reads(*this, count);
        if (!opened) return opened.error();
        if (*opened) return take_held(call, sink, count);
    }
    if (is_watched) {
        const auto whole = await_whole(call, sink.room().first(count), completes);
        if (!whole || *whole == 0) return whole;
        count = *whole;
    }
    return take_queued(call, sink, count);
}

// From the bytes kept back or shown by the window.
std::size_t Socket::take_held(Call& call, Sink& sink, std::size_t count) noexcept {
    if (has_kept()) {
        const Held held;
        Kept& kept = aside_.load(std::memory_order_acquire)->kept;
        count = std::min(count, kept.size());
        sink.append(kept.data(), count);
        kept.consume(count);
        kept_changed();
        return count;
    }
    Window* window = Windows::of(*this);
    if (window == nullptr) return 0;
    const ConstBuffer shown = window->view();
    if (count >= shown.size()) {
        const Held held;
        sink.append(shown.data(), shown.size());
        Windows::consume(*this, *window, shown.size());
        return shown.size();
    }
    // A longjmp finds the window's front where it was, or moved: unwound() looks.
    call.taken_from_ = sink.size();
    call.shown_ = shown.size();
    in_this_order();
    sink.append(shown.data(), count);
    in_this_order();
    Windows::consume(*this, *window, count);
    in_this_order();
    call.shown_ = 0;
    return count;
}

// From the system's queue.
Result<std::size_t> Socket::take_queued(Call& call, Sink& sink, std::size_t count) noexcept {
    Blocking blocking(call, timeout_, this);
    const MutableBuffer room = sink.room().first(std::min(count, max_transfer));
    const bool may_sleep = Blocking::sleep_flags(call, timeout_) == 0;
    const int flags = may_sleep ? sys::msg_waitall : sys::msg_dontwait;
    const bool unwinds = call.unwinds();
    call.taken_from_ = sink.size();
    if (unwinds) {
        call.note_ = {};
        in_this_order();
        call.notes_ = true;
    }
    const auto received = blocking.perform(fd_, sys::poll_in, [&]() noexcept {
        return unwinds ? sys::recv_noted(fd_, room, flags, call.note_) : sys::recv(fd_, room, flags);
    });
    if (received) sink.set_size(call.taken_from_ + *received);
    in_this_order();
    call.notes_ = false;
    if (!received) return received;
    // A signal may be what cut it short.
    if (may_sleep && *received != 0 && *received < room.size()) {
        if (!can_keep(sink)) return Error(ENOMEM);
        if (const Error error = blocking.check_signals(); error != Error()) return error;
    }
    return received;
}

// One message: what does not fit is lost, as with recv().
Error Socket::fill_message(Call& call, Sink& sink, std::size_t limit) noexcept {
    const std::size_t size = std::min(limit, largest_message);
    if (!sink.reserve(size)) return Error(ENOMEM);
    const auto received = receive(call, sink.room().first(size), 0, nullptr);
    if (!received) return received.error();
    sink.set_size(std::min(*received, size));
    return Error();
}

Error Socket::fill_line(Call& call, Sink& sink, std::size_t limit) noexcept {
    while (sink.size() < limit && !ends_line(sink)) {
        if (const Error error = check_progress(call, sink); error != Error()) return error;
        if (sink.size() != 0 && !has_kept() && !can_keep(sink)) return Error(ENOMEM);
        const auto line = peek_line(call, limit - sink.size());
        if (!line) return line.error();
        if (*line == 0) return closed() ? Error(EBADF) : Error();
        if (sink.room().size() < *line && !sink.reserve(*line)) return Error(ENOMEM);
        if (take_held(call, sink, *line) != 0) continue;
        const auto taken = take_queued(call, sink, *line);
        if (!taken) return taken.error();
        if (*taken == 0) return Error();
    }
    return Error();
}

// How many of the next `limit` bytes belong to the line: through its newline, or all that are there (but for one, if
// others watch the queue); 0 is EOF. They are there, so taking them in does not wait.
Result<std::size_t> Socket::peek_line(Call& call, std::size_t limit) noexcept {
    if (has_kept()) {
        const Kept& kept = aside_.load(std::memory_order_acquire)->kept;
        return line_length(kept.data(), std::min(limit, kept.size()));
    }
    const bool is_watched = watched(call) && !timeout_.is_zero();
    if (const std::size_t line = line_in_window(limit, !is_watched); line != 0) return line;
    if (Windows::may_pay(*this) && !exposed()) {
        if (const auto opened = Windows::open(*this); !opened) return opened.error();
        if (const std::size_t line = line_in_window(limit, !is_watched); line != 0) return line;
    }

    std::uint8_t seen[line_peek];
    const MutableBuffer room(seen, std::min(limit, sizeof seen));
    const auto peeked = is_watched ? peek_until(call, room, true) : peek(call, room);
    if (!peeked || peeked->size == 0) return peeked.error() == Error() ? Result<std::size_t>(0) : peeked.error();
    const std::size_t line = line_length(seen, peeked->size);
    // There is more than this line: a window pays.
    if ((line < peeked->size || peeked->size == sizeof seen) && !exposed()) {
        if (const auto opened = Windows::open(*this, Windows::first_size); !opened) return opened.error();
        if (const std::size_t shown = line_in_window(limit, !is_watched); shown != 0) return shown;
    }
    const bool is_whole = seen[line - 1] == '\n' || line == limit || !is_watched || peeked->ended;
    return is_whole || line == 1 ? line : line - 1;
}

// As peek_line(), of the open window; 0: there is none. Unless `partly`, half a line closes it: 0 as well.
std::size_t Socket::line_in_window(std::size_t limit, bool partly) noexcept {
    const ConstBuffer shown = Windows::view(*this);
    if (shown.size() == 0) return 0;
    const std::size_t line = line_length(shown.data(), std::min(limit, shown.size()));
    if (partly || line == limit || shown.data()[line - 1] == '\n') return line;
    Windows::close(*this);
    return 0;
}

// Shows what is in the queue now, or just counts it.
Result<Socket::Peeked> Socket::peek(Call& call, MutableBuffer room, bool counts) noexcept {
    const int flags = sys::msg_peek | (counts && is_tcp() ? sys::msg_trunc : 0) | Blocking::sleep_flags(call, timeout_);
    const auto size = Blocking(call, timeout_, this).perform(fd_, sys::poll_in, [&]() noexcept {
        return sys::recv(fd_, room, flags);
    });
    if (!size) return size.error();
    return Peeked{*size, *size == 0};
}

// --- Keeping

// Whether keep() is sure to succeed; gets the memory for it.
bool Socket::can_keep(Sink& sink) noexcept {
    Aside* aside = make_aside();
    return aside != nullptr && (sink.can_surrender() || aside->kept.reserve(sink.capacity()));
}

void Socket::keep(Sink& sink) noexcept {
    if (!can_keep(sink)) return;
    const Held held;
    Aside* aside = aside_.load(std::memory_order_acquire);
    if (sink.can_surrender()) {
        aside->kept.keep(sink.surrender());
    } else {
        aside->kept.keep_copy(sink.data(), sink.size());
        sink.set_size(0);
    }
    kept_changed();
}

void Socket::kept_changed() noexcept { aside_.load(std::memory_order_acquire)->tell(false); }

// --- For C++: into memory of the C heap

Result<Bytes> Socket::recv(std::size_t size, int flags) noexcept {
    auto received = recvfrom(size, flags);
    if (!received) return received.error();
    return std::move(received->bytes);
}

Result<Received> Socket::recvfrom(std::size_t size, int flags) noexcept {
    if (size > max_transfer) return Error(Fault::bufsize_range);
    Sink sink = Bytes::sink();
    if (!sink.reserve(size)) return Error(ENOMEM);
    auto from = recvfrom_into(sink.room(), flags);
    if (from) sink.set_size(std::min(from->size, size));
    Bytes bytes = Bytes::take(sink);
    if (!from) return from.error();
    return Received{std::move(bytes), from->address};
}

Result<Bytes> Socket::read() noexcept { return read(no_limit); }

Result<Bytes> Socket::read(std::size_t size) noexcept {
    Sink sink = Bytes::sink();
    const auto read = read_to(sink, size);
    Bytes bytes = Bytes::take(sink);
    if (!read) return read.error();
    return bytes;
}

Result<Bytes> Socket::readline(std::size_t limit) noexcept {
    Sink sink = Bytes::sink();
    const auto read = readline_to(sink, limit);
    Bytes bytes = Bytes::take(sink);
    if (!read) return read.error();
    return bytes;
}

}  // namespace usocket
