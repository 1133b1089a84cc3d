// Reader: moving what comes in into another stream (CPP-4).
//
// Nothing comes off the queue before the other stream has room. What has, and cannot be sent after all when the call
// ends, goes back to the inbox, as with every read (TIME-6). Kept bytes and what a layer has made are sent from where
// they lie; the queue's own go through memory, a block at a time, and once a block was full through a conduit of the
// system's, which does not copy.
#include "stream/outbox.hpp"
#include "stream/reader.hpp"
#include "stream/resized.hpp"

#if !defined(USOCKET_SMALL)
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace usocket {
namespace {

constexpr std::size_t block_size = std::size_t{16} << 10;
constexpr std::size_t conduit_size = std::size_t{256} << 10;

// The system's way has no flag for it; a descriptor that others hold is left as it is (TIME-9).
bool never_blocks(Gate& gate) noexcept {
    if (sys::is_nonblocking(gate.fd())) return true;
    if (gate.exposed()) return false;
    gate.learn(Gate::stays_nonblocking);
    return sys::set_nonblocking(gate.fd(), true).has_value();
}

}  // namespace

// What a call moves bytes through, for its length.
struct Reader::Passage {
    Outbox& to;
    std::size_t& done;  // what has gone out
    Sink memory = Resized::sink();
    sys::Conduit conduit{};
    bool may_open = true;   // a conduit: nothing has shown yet that it will not do
    bool has_room = false;  // all that was sent so far was taken
};

Result<void> Reader::splice(Outbox& to, std::size_t limit, std::size_t& done) noexcept {
    Passage passage{to, done};
    passage.may_open = layer() == nullptr && !to.has_layer() && !source_.gate->knows(Gate::peeks_elsewhere);
    const auto result = exclusively([&]() noexcept -> Result<void> {
        if (layer() == nullptr) Windows::close(*source_.inbox);
        while (done != limit) {
            const auto goes_on = move_some(passage, limit - done);
            if (!goes_on) return goes_on.error();
            if (!*goes_on) return end_of_stream();
            if (const Error error = blocking().check_deadline(); error != Error() && done != limit) return error;
        }
        return {};
    });
    close_conduit(passage);
    Resized::release(passage.memory);
    return result;
}

// Of what is next in line. False: the stream has ended.
Result<bool> Reader::move_some(Passage& passage, std::size_t most) noexcept {
    if (front().size() == 0) {
        Layer* maker = layer();
        if (maker == nullptr)
            return passage.conduit.is_open() ? move_by_conduit(passage, most) : move_block(passage, most);
        const auto ended = refill(*maker);
        if (!ended || *ended) return ended ? Result<bool>(false) : ended.error();
    }
    const ConstBuffer shown = front();
    const auto sent = passage.to.send({shown.data(), std::min(shown.size(), most)}, 0, nullptr);
    if (!sent) return sent.error();
    source_.inbox->consume(*source_.gate, *sent);
    source_.inbox->commit(*source_.gate);
    passage.done += *sent;
    return true;
}

// Before anything comes off the queue: what will hold it if the call ends before it has gone out, and room for it.
// False: the stream has ended.
Result<bool> Reader::prepare(Passage& passage, std::size_t size) noexcept {
    if (!passage.memory.reserve(size)) return Error(ENOMEM);
    if (source_.inbox->keepable(*source_.gate, passage.memory) == 0) return Error(ENOMEM);
    const auto ready = passage.has_room ? Result<bool>(true) : await_both(passage);
    passage.has_room = true;
    return ready;
}

// Room is not waited for while there is nothing to send, nor if there never will be.
Result<bool> Reader::await_both(Passage& passage) noexcept {
    const auto has_room = passage.to.has_room();
    if (!has_room || *has_room) return has_room;
    std::uint8_t next = 0;
    const auto peeked = peek({&next, 1});
    if (!peeked) return peeked.error();
    if (*peeked == 0 && !source_.gate->knows(Gate::peeks_elsewhere)) return false;
    const auto room = passage.to.await_room();
    return room ? Result<bool>(true) : room.error();
}

Result<bool> Reader::move_block(Passage& passage, std::size_t most) noexcept {
    if (const auto ready = prepare(passage, block_size); !ready || !*ready) return ready;
    const MutableBuffer room = passage.memory.room().first(std::min(most, block_size));
    const auto taken =
        blocking().perform(fd(), sys::poll_in, [&]() noexcept { return sys::recv(fd(), room, sys::msg_dontwait); });
    if (!taken) return taken.error();
    if (*taken == 0) return false;
    pass_mark(*taken);
    passage.memory.set_size(*taken);
    if (*taken == block_size && passage.may_open) open_conduit(passage);
    const Error error = send_memory(passage);
    return error == Error() ? Result<bool>(true) : error;
}

Error Reader::send_memory(Passage& passage) noexcept {
    Sink& memory = passage.memory;
    std::size_t sent = 0;
    const Error error = passage.to.send_all({memory.data(), memory.size()}, 0, sent);
    passage.done += sent;
    const std::size_t left = memory.size() - sent;
    if (left != 0) std::memmove(memory.data(), memory.data() + sent, left);
    memory.set_size(left);
    if (left != 0) (void)source_.inbox->give_back(*source_.gate, memory);
    return error;
}

void Reader::open_conduit(Passage& passage) noexcept {
    passage.may_open = false;
    if (!never_blocks(*source_.gate) || !never_blocks(passage.to.gate())) return;
    if (const auto opened = sys::conduit_open(conduit_size)) passage.conduit = *opened;
}

void Reader::close_conduit(Passage& passage) noexcept {
    if (passage.conduit.is_open()) sys::conduit_close(passage.conduit);
    passage.conduit = {};
}

// At an urgent mark it gives nothing, though a poll shows what is behind: a receive gets over that, and knows the end.
Result<bool> Reader::move_by_conduit(Passage& passage, std::size_t most) noexcept {
    if (const auto ready = prepare(passage, conduit_size); !ready || !*ready) return ready;
    const std::size_t wanted = std::min(most, conduit_size);
    bool may_wait = !blocking().is_nonblocking();
    const auto taken = blocking().perform(fd(), sys::poll_in, [&]() noexcept {
        const auto once = sys::conduit_take(passage.conduit, fd(), wanted);
        const bool is_empty = once.error() == Error(EAGAIN) && !std::exchange(may_wait, false);
        return is_empty ? Result<std::size_t>(std::size_t{0}) : once;
    });
    if (taken.error() == Error(EINVAL)) {  // not from this kind of socket
        close_conduit(passage);
        return true;
    }
    if (!taken) return taken.error();
    if (*taken == 0) return move_block(passage, most);
    pass_mark(*taken);
    std::size_t passed = 0;
    Error error = passage.to.pass_all(passage.conduit, *taken, passed);
    passage.done += passed;
    if (passed == *taken) return true;
    passage.memory.set_size(sys::conduit_recover(passage.conduit, passage.memory.room().first(*taken - passed)));
    if (error == Error(EINVAL)) {  // not into this kind
        close_conduit(passage);
        error = send_memory(passage);
        return error == Error() ? Result<bool>(true) : error;
    }
    (void)source_.inbox->give_back(*source_.gate, passage.memory);
    return error;
}

}  // namespace usocket
#endif
