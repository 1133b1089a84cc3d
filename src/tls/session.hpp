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

// Where the peer's records begin and end: a header of {type, version, version, size, size}, and a body of that size
// (RFC 8446, section 5.1).
class Record {
public:
    // How many of the bytes to come surely belong to the one that goes on.
    [[nodiscard]] std::size_t rest() const noexcept { return rest_; }
    // At most so many have come.
    void count(ConstBuffer bytes) noexcept;

private:
    static constexpr std::size_t header_size = 5;
    std::size_t rest_ = header_size;  // of the header or of the body
    bool is_header_ = true;
    std::uint16_t size_ = 0;
};

class Session : public Layer {
public:
    // On the connected descriptor `fd`, or on one that will be; lives until release().
    static Result<Session*> open(Context& context, const TlsOptions& options, sys::Fd fd) noexcept;

    Result<void> establish(Blocking& waiting) noexcept;
    Result<bool> refill(Blocking& waiting) noexcept;
    bool settle() noexcept;
    bool look() noexcept;
    Result<std::size_t> send(Blocking& waiting, ConstBuffer data) noexcept;
    Result<void> end_sending(Blocking& waiting) noexcept;
    void release() noexcept;
    // ENOTCONN: nothing is agreed on yet.
    Result<void> tell(Blocking& waiting, Fact fact, Sink& into) noexcept;

private:
    explicit Session(const Engine& engine, sys::Fd fd) noexcept;

    // What an attempt has come to: the call's end, or what the system has to show before the next one is worth while;
    // neither: the next one is at once.
    struct Attempt {
        bool is_over = false;
        Error error;
        unsigned events = 0;
        bool has_slept = false;  // in the system, which has let SO_RCVTIMEO expire
    };
    // From the system's queue.
    enum class Taking : std::uint8_t { needed, all };
    template <class Op> Error run(Blocking& waiting, Op op, Taking taking) noexcept;
    template <class Body> void exclusively(Blocking& waiting, Body body) noexcept;
    template <class Op> Attempt attempt(Blocking& waiting, Op op, Taking taking) noexcept;
    Attempt await_input(Blocking& waiting, Error flushed, Taking taking) noexcept;
    void note_end() noexcept;
    Error fail() noexcept;
    Step decrypt() noexcept;
    bool has_plain_room() noexcept;
    void say_goodbye() noexcept;
    void discard() noexcept;
    bool finds_something() noexcept;
    Error flush() noexcept;
    Result<std::size_t> receive(std::size_t most, int flags) noexcept;
    [[nodiscard]] bool is_ours() const noexcept;

    [[nodiscard]] std::size_t take_owed(ConstBuffer data) noexcept;
    bool owe(ConstBuffer data) noexcept;

    const Engine& engine_;
    void* state_ = nullptr;
    Wire wire_;
    Record record_;  // until the handshake is done
    const sys::Fd fd_;
    Lock lock_;
    std::size_t plain_capacity_ = 0;  // of Layer::bytes
    std::uint64_t queued_ = 0;        // bytes of ciphertext that were ever made
    std::uint64_t flushed_ = 0;       // that the system has got
    Pipe owed_;  // plaintext of a record that the system had not got all of when its call ended: not counted as sent
    Error failure_;
    bool is_dry_ = true;         // the engine makes nothing of what there is without more input
    bool has_ended_ = false;     // the peer's close_notify has come, or this side has shut reading
    bool has_said_end_ = false;  // ours is made
};

}  // namespace usocket::tls
