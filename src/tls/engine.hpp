// Engine: what a library for TLS has to supply, without I/O: one table of functions for each, in a folder beside this
// file. Nothing here waits, and nothing knows of sockets, deadlines or hosts; the Session does.
#pragma once

#include <cstddef>
#include <cstdint>

#include "usocket/buffer.hpp"
#include "usocket/result.hpp"

namespace usocket {
struct TlsOptions;
}

namespace usocket::tls {

// Bytes on their way, in memory that is there while some are: {taken | there | free}.
struct Pipe {
    std::uint8_t* bytes = nullptr;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t capacity = 0;

    [[nodiscard]] bool empty() const noexcept { return begin == end; }
    [[nodiscard]] ConstBuffer there() const noexcept { return {bytes + begin, end - begin}; }
    [[nodiscard]] MutableBuffer room() const noexcept { return {bytes + end, capacity - end}; }
};

// What the session and the engine hand to one another: ciphertext.
struct Wire {
    Pipe in;  // the engine takes from it
    // And gives to this one: how many of the bytes are on their way; 0: there is no room.
    std::size_t (*give)(Wire& wire, ConstBuffer bytes) noexcept = nullptr;
    std::uint64_t given = 0;  // bytes, ever
    Pipe out;                 // those that the system has not taken yet
    bool is_cut = false;      // nothing will come after what is in `in`
};

enum class Step : std::uint8_t {
    done,
    wants_input,   // all of Wire::in is taken; goes on once there is more
    wants_output,  // there is no room on the wire; goes on, with the same arguments, once there is
    lacks_memory,  // nothing has happened; goes on, with the same arguments, once there is some
    ended,         // the peer has said that nothing more will come (close_notify)
    failed,        // for good; failure() says why. An alert for the peer may be in Wire::out.
};

// What was agreed on, as text or bytes.
enum class Fact : std::uint8_t { version, cipher, protocol, certificate, session, is_resumed };

// Plaintext for one write(), so that its record, with what the protocol adds, fits an empty Wire::out.
#if defined(USOCKET_SMALL)
inline constexpr std::size_t largest_write = sizeof(void*) < 8 ? 4096 : 16384;
#else
inline constexpr std::size_t largest_write = 16384;
#endif
inline constexpr std::size_t largest_overhead = 128;  // TLS 1.2 with blocks and SHA-384: 85

struct Context;

// What a connection is made of: a context and what the program has said.
struct Terms {
    Context* context = nullptr;
    const TlsOptions* options = nullptr;
    // Or this alone: the state of a server's, whatever has become of that, whose terms are those of this one.
    const void* another = nullptr;
};

struct Engine {
    // The state of one connection, which keeps what it needs of the terms; `wire` lives longer than it.
    Result<void*> (*open)(const Terms& terms, Wire& wire) noexcept;
    void (*close)(void* state) noexcept;
    Step (*handshake)(void* state) noexcept;
    // `count`: how many bytes of plaintext. With no room: done once there is some.
    Step (*read)(void* state, MutableBuffer room, std::size_t& count) noexcept;
    // `count`: how many bytes of `data`, which is at most largest_write, are in records now.
    Step (*write)(void* state, ConstBuffer data, std::size_t& count) noexcept;
    // close_notify.
    Step (*end)(void* state) noexcept;
    Error (*failure)(void* state) noexcept;
    // Into the sink, which may not grow enough: ENOMEM.
    Result<void> (*tell)(void* state, Fact fact, Sink& into) noexcept;
};

// An engine's contexts begin with this.
struct Context {
    const Engine* engine = nullptr;
};

}  // namespace usocket::tls
