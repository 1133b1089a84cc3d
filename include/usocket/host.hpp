// Host and Call: what a host language supplies so that its other threads and its signals live while a call waits.
// A C++ program needs neither.
#pragma once

#include <cstdint>
#include <optional>

#include "usocket/buffer.hpp"
#include "usocket/timeout.hpp"

namespace usocket {

class Gate;

namespace sys {
struct Lookup;
// What a stack notes of a system call that receives, should a longjmp lose its result. All zero: nothing.
struct ReceiveNote {
    static constexpr std::size_t size = 96;
    alignas(std::int64_t) unsigned char bytes[size];
};
}  // namespace sys

// Whether a call that waits looks for signals that its host has noted, which end no sleep of the system's: those that
// came just before it, or to another thread. And whether one that has received something looks before it returns.
enum class Looks : std::uint8_t {
    no,      // the host has none, or jumps out of its handlers
    often,   // at most 50 ms apart: the host has more to do then
    seldom,  // after as long again as the call has waited, at most a second apart; and before it returns: the host runs
             // its handlers then, before the program has the result
};

// All members may be null. The functions must not throw and must not longjmp.
struct Host {
    // Before the calling thread may sleep: let the host's other threads run. What it returns goes to enter().
    void* (*leave)() noexcept = nullptr;
    // After it: take the host back. The core touches the host's objects only between enter and leave.
    void (*enter)(void* token) noexcept = nullptr;
    // After a signal, inside the host: run its handlers. True: give the call up, the host has an exception to
    // raise; the call then ends with Error(EINTR).
    bool (*interrupted)() noexcept = nullptr;
    // Its signal handler may longjmp out of a call. The host then calls Socket::unwound() with the Call. Not with
    // USOCKET_ONE_THREAD.
    bool unwinds = false;
    // It notes a signal and no more.
    Looks looks_for_signals = Looks::no;
};

// One call of a method that may wait: lives in the host's frame for its length, and remembers what the
// method has under way, so that Socket::unwound() can put it right after a longjmp. Not to be used twice.
class Call {
public:
    Call() noexcept {}
    explicit Call(const Host& host) noexcept : host_(&host) {}
    // A call that ends by this point of time, whatever the socket's timeout is (TIME-10).
    Call(Deadline deadline) noexcept : deadline_(deadline.nanoseconds()), has_deadline_(true) {}
    Call(const Host& host, Deadline deadline) noexcept : Call(deadline) { host_ = &host; }
    // As it comes from another language: either may be missing.
    Call(const Host* host, std::optional<Deadline> deadline) noexcept
        : host_(host), deadline_(deadline ? deadline->nanoseconds() : 0), has_deadline_(deadline.has_value()) {}

    // It was made with a deadline.
    [[nodiscard]] bool has_deadline() const noexcept { return has_deadline_; }

private:
    friend class Blocking;
    friend class Connecting;
    friend class Outbox;
    friend class Reader;
    friend class Socket;
    friend class Resolution;

    [[nodiscard]] bool looks_last() const noexcept {
#if defined(USOCKET_SMALL)
        return false;
#else
        return host_ != nullptr && host_->looks_for_signals == Looks::seldom;
#endif
    }
    [[nodiscard]] bool unwinds() const noexcept {
#if defined(USOCKET_ONE_THREAD)
        return false;
#else
        return host_ != nullptr && host_->unwinds;
#endif
    }
    [[nodiscard]] bool looks_for_signals() const noexcept {
        return host_ != nullptr && host_->looks_for_signals != Looks::no;
    }

    const Host* host_ = nullptr;
    void* token_ = nullptr;
    // Before the host's signal handlers run, which may use the same socket: gives back what the call has got. False:
    // there is no memory for that.
    bool (*give_back_)(void* reader) noexcept = nullptr;
    void* reader_ = nullptr;
    Sink* sink_ = nullptr;            // what has been taken in so far
    Sink memory_{MutableBuffer()};    // that, if it goes into the caller's own memory
    sys::Lookup* lookup_ = nullptr;   // what the resolver has under way
    std::int64_t deadline_ = 0;       // of the monotonic clock, in ns; 0: not yet asked for
    std::int64_t paused_ = 0;         // how long a read has waited for more, not yet counted; in ns
    std::int64_t next_look_ = 0;      // for signals, where the host has to look for them; of the same clock
    std::uint8_t looks_ = 0;          // how many there were
    bool has_deadline_ = false;       // it was given to the call: the socket's timeout does not count
    bool has_tried_last_ = false;     // though the deadline has passed
    std::uint8_t vain_waits_ = 0;     // one after the other that were over at once, though nothing had come
    volatile bool left_ = false;      // between leave and enter
    volatile bool inside_ = false;    // counted by the socket's gate
    volatile bool reads_ = false;     // has or wants the socket's reader lock
    volatile bool notes_ = false;     // note_ counts bytes behind the sink's first taken_from_
    volatile int growth_ = -1;        // the descriptor of a Growth
    volatile std::size_t shown_ = 0;  // what the front had to give before it gave what is behind taken_from_
    std::size_t taken_from_ = 0;
    sys::ReceiveNote note_;  // only for a host that unwinds
#if !defined(USOCKET_SMALL)
    // Of a call on two sockets: to close either ends it.
    Gate* from_ = nullptr;
    Gate* to_ = nullptr;
#endif
};

}  // namespace usocket
