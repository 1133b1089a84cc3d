// Outbox: one call that sends, for its length.
#pragma once

#include <cerrno>
#include <cstddef>

#include "socket/aside.hpp"
#include "stream/layer.hpp"
#include "usocket/detail/gate.hpp"
#include "usocket/host.hpp"
#include "usocket/message.hpp"
#include "wait/blocking.hpp"

namespace usocket {

// Inside the gate.
class Outbox {
public:
    // waits_for_receiver: of a family whose sends wait for the receiver in the system, where no close ends them.
    Outbox(Call& call, Timeout timeout, Gate& gate, bool waits_for_receiver) noexcept
        : waiting_(call, timeout, &gate), gate_(gate), waits_for_receiver_(waits_for_receiver) {}

    // What the system takes at once, with the flags of send(2). `to`: where to; null: to the peer.
    Result<std::size_t> send(ConstBuffer data, int flags, const Address* to) noexcept;
    // The same of several pieces, with ancillary data.
    Result<std::size_t> send_message(Gathered pieces, ConstBuffer control, int flags, const Address* to) noexcept;
    // The same of a stream's, for which there is no limit of pieces: those that the system takes at once, and what
    // follows as far as there is room for it.
    Result<std::size_t> send_pieces(Gathered pieces, ConstBuffer control, int flags, const Address* to) noexcept;
    // A part of a file; as send_all().
    Error send_file(int file, std::uint64_t offset, std::size_t count, std::size_t& done) noexcept;
    // All of it but the `done` bytes in front, which have gone out; then how many have, whatever ends the call.
    // Non-blocking: EAGAIN where it had to wait.
    Error send_all(ConstBuffer data, int flags, std::size_t& done) noexcept;

    // --- For what moves one stream into this one
    [[nodiscard]] Gate& gate() const noexcept { return gate_; }
    [[nodiscard]] bool has_layer() const noexcept { return layer_of(gate_) != nullptr; }
    // What has gone out of a non-blocking call is its result, whatever there is none of for now: an error would have it
    // sent once more (TIME-4).
    [[nodiscard]] bool is_short(Error error, std::size_t sent) const noexcept {
        const int code = error.code();
        const bool is_for_now = code == EAGAIN || code == ENOBUFS || code == ENOMEM;
        return is_for_now && sent != 0 && waiting_.is_nonblocking();
    }
    // Whether the system can take something now, and until it can.
    Result<bool> has_room() noexcept;
    Result<void> await_room() noexcept { return waiting_.anew().await(gate_.fd(), sys::poll_out); }
    // `count` bytes that are in a conduit; as send_all().
    Error pass_all(const sys::Conduit& conduit, std::size_t count, std::size_t& done) noexcept;

private:
    Error send_copy(int file, std::uint64_t offset, std::size_t count, std::size_t& done) noexcept;
    Result<std::size_t> send_through(Layer& layer, ConstBuffer data, int flags) noexcept;
    void heed(int flags) noexcept;
    // `once`, with the flags that it is given.
    template <class Once> Result<std::size_t> perform(int flags, Once once) noexcept;
    Error check_between() noexcept;

    Blocking waiting_;
    Gate& gate_;
    bool waits_for_receiver_;
};

}  // namespace usocket
