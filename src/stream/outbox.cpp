#include "stream/outbox.hpp"

#include <algorithm>
#include <cerrno>

#include "socket/aside.hpp"
#include "stream/lines.hpp"
#include "wait/held.hpp"

namespace usocket {
namespace {

// Of a file, in one system call: to a peer that keeps up it ends only there.
constexpr std::size_t largest_part = std::size_t{16} << 20;
#if !defined(USOCKET_SMALL)
// Where it goes through memory.
constexpr std::size_t copied_part = std::size_t{16} << 10;
#endif

}  // namespace

// MSG_DONTWAIT waits for nothing (TIME-8).
void Outbox::heed(int flags) noexcept {
    if ((flags & sys::msg_dontwait) != 0) waiting_.wait_for_nothing();
}

template <class Once> Result<std::size_t> Outbox::perform(int flags, Once once) noexcept {
    heed(flags);
    waiting_.anew();
    // In the system a connection that is opened would be waited for out of reach of a close() that has just begun.
    const bool never_sleeps = waits_for_receiver_ || (flags & sys::msg_fastopen) != 0;
    flags |= never_sleeps ? sys::msg_dontwait : waiting_.sleep_flags();
    return waiting_.perform(gate_.fd(), sys::poll_out, [&]() noexcept { return once(flags); });
}

Result<std::size_t> Outbox::send(ConstBuffer data, int flags, const Address* to) noexcept {
    if (Layer* layer = layer_of(gate_)) return send_through(*layer, data, flags);
    const ConstBuffer bounded(data.data(), std::min(data.size(), max_transfer));
    return perform(flags, [&](int now) noexcept {
        return to == nullptr ? sys::send(gate_.fd(), bounded, now) : sys::sendto(gate_.fd(), bounded, now, *to);
    });
}

Result<std::size_t> Outbox::send_message(Gathered pieces, ConstBuffer control, int flags, const Address* to) noexcept {
    if (Layer* layer = layer_of(gate_)) {
        if (control.size() != 0) return Error(EOPNOTSUPP);
        const auto first =
            std::find_if(pieces.begin(), pieces.end(), [](ConstBuffer piece) { return piece.size() != 0; });
        return first != pieces.end() ? send_through(*layer, *first, flags) : Result<std::size_t>(std::size_t{0});
    }
    return perform(flags, [&](int now) noexcept { return sys::sendmsg(gate_.fd(), pieces, control, now, to); });
}

Result<std::size_t> Outbox::send_pieces(Gathered pieces, ConstBuffer control, int flags, const Address* to) noexcept {
    std::size_t done = 0;
    for (;;) {
        const Gathered part = pieces.first(std::min(pieces.size(), sys::most_pieces));
        const auto sent = send_message(part, control, flags, to);
        if (!sent) return done != 0 && sent.error() != Error(EINTR) ? done : sent;
        done += *sent;
        std::size_t left = *sent;
        for (const ConstBuffer& piece : part) {
            if (left < piece.size()) return done;
            left -= piece.size();
        }
        pieces = pieces.subspan(part.size());
        if (pieces.empty()) return done;
        control = {};
        if (done != 0) flags |= sys::msg_dontwait;
    }
}

// `to` is its peer in any case. Nothing of a wrapped stream is out of its order.
Result<std::size_t> Outbox::send_through(Layer& layer, ConstBuffer data, int flags) noexcept {
    if ((flags & sys::msg_oob) != 0) return Error(EOPNOTSUPP);
    heed(flags);
    const auto sent = layer.hooks->send(layer, waiting_.anew(), data);
    // It may have gone on with a handshake.
    if (Aside& aside = *gate_.aside(); aside.layer_waits != layer.waits_for) {
        const Held held;
        if (aside.note_waits(layer)) aside.tell(gate_.closed());
    }
    return sent;
}

Error Outbox::send_all(ConstBuffer data, int flags, std::size_t& done) noexcept {
    for (;;) {
        const auto sent = send(data.from(done), flags, nullptr);
        if (!sent) return sent.error();
        done += *sent;
        if (done == data.size()) return Error();
        if (const Error error = check_between(); error != Error()) return error;
    }
}

Error Outbox::send_file(int file, std::uint64_t offset, std::size_t count, std::size_t& done) noexcept {
    done = 0;
    if (const auto checked = sys::check_file(file); !checked) return checked.error();
    if (layer_of(gate_) != nullptr) return send_copy(file, offset, count, done);
    while (done != count) {
        const auto sent = perform(0, [&](int now) noexcept {
            const std::size_t part = std::min(count - done, largest_part);
            return sys::sendfile(gate_.fd(), file, offset + done, part, (now & sys::msg_dontwait) == 0);
        });
        if (!sent) return sent.error();
        if (*sent == 0) return Error();
        done += *sent;
        if (const Error error = check_between(); error != Error()) return error;
    }
    return Error();
}

// The system would send it as it is, around the layer.
Error Outbox::send_copy(int file, std::uint64_t offset, std::size_t count, std::size_t& done) noexcept {
#if defined(USOCKET_SMALL)
    (void)file, (void)offset, (void)count, (void)done;
    return Error(EOPNOTSUPP);
#else
    std::uint8_t block[copied_part];
    while (done != count) {
        const auto got = sys::read_file(file, offset + done, {block, std::min(count - done, copied_part)});
        if (!got || *got == 0) return got.error();
        std::size_t sent = 0;
        const Error error = send_all({block, *got}, 0, sent);
        done += sent;
        if (error != Error()) return error;
        if (const Error between = check_between(); between != Error()) return between;
    }
    return Error();
#endif
}

Result<bool> Outbox::has_room() noexcept {
    // One that is not connected would never have any: it says so to whoever sends nothing.
    const Error error = sys::send(gate_.fd(), {}, sys::msg_dontwait).error();
    if (error != Error() && Blocking::is_settled(error)) return error;
    const auto ready = sys::wait(gate_.fd(), sys::poll_out, Timeout::zero());
    return ready.value_or(0u) != 0;
}

Error Outbox::pass_all(const sys::Conduit& conduit, std::size_t count, std::size_t& done) noexcept {
    for (done = 0;;) {
        const auto passed = waiting_.anew().perform(
            gate_.fd(), sys::poll_out, [&]() noexcept { return sys::conduit_pass(conduit, gate_.fd(), count - done); });
        if (!passed) return passed.error();
        done += *passed;
        if (done == count) return Error();
        if (const Error error = check_between(); error != Error()) return error;
    }
}

// Of the system calls of one method.
Error Outbox::check_between() noexcept {
    if (const Error error = waiting_.anew().check_signals(); error != Error()) return error;
    return waiting_.check_deadline();
}

}  // namespace usocket
