// Peer: the other end of a connection, in a process of its own, so that the one under test may have a single thread; or
// in a thread, over a stack that knows no processes. It does what it is told, one command after the other, each a while
// after the one before; meanwhile a call of the socket under test may wait. It holds that socket's descriptor as well,
// and looks at what all holders share.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

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
    std::atomic<bool> is_over{false};        // whatever it does
    // What all holders of the descriptor share, and nobody may change but who is told to; -1: it may be anything now.
    std::atomic<int> lowat{1}, nonblocking{-1}, peek_off{-1};
};

struct Command {
    enum class What : std::uint8_t {
        accept,
        watch,
        send,
        send_beside,
        end,
        take,
        look,
        set_lowat,
        set_nonblocking,
        urge
    };
    What what = What::look;
    std::uint64_t value = 0;
    std::chrono::microseconds delay{};
};

// What obeys, wherever it is.
class Hands {
public:
    // Takes the listener over.
    Hands(Record& record, Shared& shared, const Pattern& out, const Pattern& in, int listener)
        : record_(record), shared_(shared), out_(out), in_(in), listener_(listener) {}
    Hands(Hands&& other) noexcept
        : record_(other.record_),
          shared_(other.shared_),
          out_(other.out_),
          in_(other.in_),
          listener_(std::exchange(other.listener_, -1)) {}
    Hands& operator=(Hands&&) = delete;
    ~Hands();
    void obey(const Command& command);
    [[nodiscard]] int listener() const { return listener_; }

private:
    using What = Command::What;
    static constexpr int slice_ms = 50;  // between two looks whether all is over

    void accept();
    void send(std::uint64_t size);
    void send_with_a_descriptor(std::uint64_t size);
    void end();
    void await_arrival();
    void take(std::uint64_t until);
    void look();
    void expect(const std::atomic<int>& expected, int name, const char* what);

    Record& record_;
    Shared& shared_;
    Pattern out_, in_;
    int end_ = -1, watched_ = -1;
    int listener_;
};

// Where they are; random/<stack>/worker.cpp. Its end is theirs.
class Worker {
public:
    Worker() = default;
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    virtual ~Worker() = default;
    // `watch`: the descriptor is duplicated for them. False: they are gone.
    virtual bool tell(Command command) = 0;
};
std::unique_ptr<Worker> start_worker(Hands hands);

class Peer {
public:
    using What = Command::What;

    // Takes the listener over: the socket under test may connect there, again and again. `in`: what that receives,
    // `out`: what it sends.
    Peer(Record& record, const Pattern& in, const Pattern& out, int listener);
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer();

    // accept: the next connection is the peer's; watch: the descriptor of the socket under test, which is passed to it;
    // send_beside: so many bytes, and a descriptor beside them; take: until so many bytes have come in all; urge: one
    // urgent byte, of which a connection stands one (tcp(7): what was urgent before becomes a part of the stream).
    void tell(What what, std::uint64_t value = 0, std::chrono::microseconds delay = {});
    // Until every command is done; false: it is stuck in one.
    bool settle();
    [[nodiscard]] Shared& shared() { return shared_; }

private:
    Shared& shared_;
    std::unique_ptr<Worker> worker_;
    std::uint64_t told_ = 0;
};

}  // namespace usocket::tests
