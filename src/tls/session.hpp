// Session: TLS on one socket. The state machine between an engine, which does no I/O, and the system's calls, none of
// which waits: waiting is Blocking's, as everywhere.
//
// All that changes here changes in an attempt: a few steps of the engine and the system under one short lock, with
// signals held. So a call may end between two attempts, by a deadline, a signal, a close or a longjmp, and the next one
// goes on where it stood. Reader and writer are two calls that make attempts in turn.
#pragma once

#include <cstdint>

#include "stream/layer.hpp"
#include "sys/sys.hpp"
#include "tls/engine.hpp"
#include "wait/blocking.hpp"
#include "wait/lock.hpp"

namespace usocket::tls {

// The wire of a session: what the engine gives goes to the system's socket, without waiting. Once the system takes
// nothing for good, it swallows all: what TLS owes the peer, as an answer to new keys, keeps nobody from reading.
class SystemWire : public Wire {
public:
    explicit SystemWire(sys::Fd to) noexcept;

    // Room for so much that the system does not take at once, or for less. False: there is no memory.
    bool make_room(std::size_t capacity) noexcept;
    // The handshake is done: no more flights, and what the system refuses now it refuses for good.
    void note_established() noexcept { is_established_ = true; }
    // Error(): the system has all of it. ENOMEM: what the engine wanted to give had no room.
    Error flush() noexcept;
    // Nothing goes out any more: flush() says why.
    [[nodiscard]] bool is_broken() const noexcept { return broken_ != Error(); }
    // How many of the bytes that were ever given the system has got.
    [[nodiscard]] std::uint64_t gone() const noexcept { return given - swallowed_ - out.there().size(); }

private:
    static std::size_t take(Wire& wire, ConstBuffer bytes) noexcept;
    Result<std::size_t> send(ConstBuffer bytes) noexcept;
    void find_room(std::size_t size) noexcept;
    const sys::Fd to_;
    Error error_;   // that a send has met and nobody was told yet
    Error broken_;  // for good
    std::uint64_t swallowed_ = 0;
    bool is_established_ = false;
};

class Session : public Layer {
public:
    // On the connected descriptor `fd`, or on one that will be; lives until release(). `shows_front`: MSG_PEEK does, as
    // far as is known.
    static Result<Layer*> open(const Engine& engine, const Terms& terms, sys::Fd fd, bool shows_front) noexcept;
    Result<Layer*> another(sys::Fd fd) const noexcept { return open(engine_, {.another = state_}, fd, true); }

    Result<void> establish(Blocking& waiting) noexcept;
    Result<bool> refill(Blocking& waiting) noexcept;
    bool settle() noexcept;
    Seen look() noexcept;
    Result<std::size_t> send(Blocking& waiting, ConstBuffer data) noexcept;
    Result<void> end_sending(Blocking& waiting) noexcept;
    void release() noexcept;
    // Nothing is said: it was on no socket yet.
    void free() noexcept;
    // MSG_PEEK does not show it.
    void hide_front() noexcept { shows_front_ = false; }
    // ENOTCONN: nothing is agreed on yet.
    Result<void> tell(Blocking& waiting, Fact fact, Sink& into) noexcept;

private:
    explicit Session(const Engine& engine, sys::Fd fd) noexcept;

    // What an attempt has come to: the call's end, or what the system has to show before the next one is worth while;
    // neither: the next one is at once.
    struct Attempt {
        bool is_over = false;
        Error error{};
        unsigned events = 0;
        bool has_slept = false;    // in the system, which has let SO_RCVTIMEO expire
        bool waits_turn = false;   // another call waits at the queue
        std::size_t received = 0;  // from there
    };
    // From the system's queue: what the engine makes use of, or whatever is there.
    enum class Taking : std::uint8_t { needed, all };
    // What is made of steps of the engine: a lambda, which lives longer.
    class Op {
    public:
        template <class Made>
        Op(Made& made) noexcept
            : made_(&made), step_([](void* self) noexcept { return (*static_cast<Made*>(self))(); }) {}
        Step operator()() const noexcept { return step_(made_); }

    private:
        void* made_;
        Step (*step_)(void* made) noexcept;
    };
    class Alone;
    class Watching;
    Error run(Blocking& waiting, const Op& op, Taking taking) noexcept;
    Attempt attempt(Blocking& waiting, const Op& op, Taking taking) noexcept;
    Attempt await_input(Blocking& waiting, Error flushed, Taking taking) noexcept;
    Error let_out(Taking taking) noexcept;
    Error reason_for(Error error) noexcept;
    Error await_turn(Blocking& waiting) noexcept;
    void note_end() noexcept;
    static Attempt after_taking(Error error) noexcept;
    Error fail() noexcept;
    Step decrypt() noexcept;
    bool has_plain_room() noexcept;
    void free_plain() noexcept;
    void say_goodbye() noexcept;
    void discard() noexcept;
    Seen find_something() noexcept;
    Result<std::size_t> receive(int flags) noexcept;
    Result<std::size_t> look_at_queue(int flags) noexcept;
    Error take_used() noexcept;
    void note_received(std::size_t count) noexcept;
    void give_memory_back(Blocking& waiting) noexcept;
    void release_wire() noexcept;
    [[nodiscard]] bool is_ours() const noexcept;
    [[nodiscard]] bool is_nobodys() const noexcept { return process.load(std::memory_order_relaxed) == nobody; }
    Result<std::size_t> send_record(Blocking& waiting, ConstBuffer data) noexcept;

    [[nodiscard]] std::size_t take_owed(ConstBuffer data) noexcept;
    bool owe(ConstBuffer data) noexcept;

    const Engine& engine_;
    void* state_ = nullptr;
    SystemWire wire_;
    const sys::Fd fd_;
    Lock lock_;
    std::size_t plain_capacity_ = 0;  // of Layer::bytes
    std::size_t expected_;            // how much one call of the system may bring
    std::size_t used_ = 0;            // bytes that the engine has made use of and that are still in the queue
    Pipe owed_;  // plaintext of a record that the system had not got all of when its call ended: not counted as sent
    Error failure_;
    bool is_dry_ = true;         // the engine makes nothing of what there is without more input
    bool is_in_queue_ = false;   // what is in Wire::in is in the system's queue as well
    bool shows_front_ = true;    // MSG_PEEK does: no SO_PEEK_OFF is in the way
    bool was_empty_ = false;     // nothing has come since it was looked at
    bool has_ended_ = false;     // the peer's close_notify has come, or this side has shut reading
    bool has_said_end_ = false;  // ours is made
};

}  // namespace usocket::tls
