#include "stream/outbox.hpp"

#include <algorithm>

#include "stream/lines.hpp"

namespace usocket {

Result<std::size_t> Outbox::send(ConstBuffer data, int flags, const Address* to) noexcept {
    if ((flags & sys::msg_dontwait) != 0) {
        timeout_ = Timeout::zero();
        call_.has_deadline_ = false;
    }
    Blocking waiting(call_, timeout_, &gate_);
    flags |= waits_for_receiver_ ? sys::msg_dontwait : waiting.sleep_flags();
    const ConstBuffer bounded(data.data(), std::min(data.size(), max_transfer));
    return waiting.perform(gate_.fd(), sys::poll_out, [&]() noexcept {
        int now = flags;
        if (inbox_.has_window()) {
            now |= sys::msg_dontwait;
            if (has_tried_) inbox_.close_window();
            has_tried_ = true;
        }
        return to == nullptr ? sys::send(gate_.fd(), bounded, now) : sys::sendto(gate_.fd(), bounded, now, *to);
    });
}

Error Outbox::send_all(ConstBuffer data, int flags, std::size_t& done) noexcept {
    for (done = 0;;) {
        const auto sent = send(data.from(done), flags, nullptr);
        if (!sent) return sent.error();
        done += *sent;
        if (done == data.size()) return Error();
        Blocking waiting(call_, timeout_, &gate_);
        if (const Error error = waiting.check_signals(); error != Error()) return error;
        if (const Error error = waiting.check_deadline(); error != Error()) return error;
    }
}

}  // namespace usocket
