// Peer: the other end of a connection, in a process of its own, so that the one under test may have a single thread. It
// does what it is told, one command after the other, each a while after the one before; meanwhile a call of the socket
// under test may wait. It holds that socket's descriptor as well, and looks at what all holders share.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>

#include "pattern.hpp"
#include "record.hpp"

namespace usocket::tests {

// What the peer and the trial tell each other without a command.
struct Shared {
    std::atomic<std::uint64_t> done{0};      // commands
    std::atomic<std::uint64_t> written{0};   // bytes of the pattern
    std::atomic<std::uint64_t> taken{0};     // bytes that came from the socket under test, all as they should be
    std::atomic<bool> is_stuck{false};       // its send waits for room
    std::atomic<bool> takes_no_more{false};  // what it waits for will not come
    // What all holders of the descriptor share, and nobody may change but who is told to; -1: it may be anything now.
    std::atomic<int> lowat{1}, nonblocking{-1}, peek_off{-1};
};

class Peer {
public:
    enum class What : std::uint8_t { accept, watch, send, end, take, look, set_lowat, set_nonblocking };

    // Starts the process, which takes the listener over: the socket under test may connect there, again and again.
    // `in`: what that receives, `out`: what it sends.
    Peer(Record& record, const Pattern& in, const Pattern& out, int listener);
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer();

    // accept: the next connection is the peer's; watch: the descriptor of the socket under test, which is passed to it;
    // take: until so many bytes have come in all.
    void tell(What what, std::uint64_t value = 0, std::chrono::microseconds delay = {});
    // Until every command is done; false: it is stuck in one.
    bool settle();
    [[nodiscard]] Shared& shared() { return shared_; }

private:
    Shared& shared_;
    int commands_ = -1;
    std::uint64_t told_ = 0;
    pid_t process_ = -1;
};

}  // namespace usocket::tests
