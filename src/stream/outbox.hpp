// Outbox: one call that sends, for its length.
#pragma once

#include <cstddef>

#include "usocket/detail/gate.hpp"
#include "usocket/host.hpp"
#include "wait/blocking.hpp"

namespace usocket {

// Inside the gate.
class Outbox {
public:
    // waits_for_receiver: of a family whose sends wait for the receiver in the system, where no close ends them.
    Outbox(Call& call, Timeout timeout, Gate& gate, bool waits_for_receiver) noexcept
        : call_(call), timeout_(timeout), gate_(gate), waits_for_receiver_(waits_for_receiver) {}

    // What the system takes at once, with the flags of send(2). `to`: where to; null: to the peer.
    Result<std::size_t> send(ConstBuffer data, int flags, const Address* to) noexcept;
    // All of it. `done`: how many bytes have gone out, whatever ends the call. Non-blocking: EAGAIN where it had to
    // wait.
    Error send_all(ConstBuffer data, int flags, std::size_t& done) noexcept;

private:
    Call& call_;
    Timeout timeout_;
    Gate& gate_;
    bool waits_for_receiver_;
};

}  // namespace usocket
