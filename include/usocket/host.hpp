// Host and Call: what a host language supplies so that its other threads and its signals live while a call waits.
// A C++ program needs neither.
#pragma once

#include <cstdint>

#include "usocket/buffer.hpp"

namespace usocket {

namespace sys {
struct Lookup;
// What a stack notes of a system call that receives, should a longjmp lose its result. All zero: nothing.
struct ReceiveNote {
    static constexpr std::size_t size = 96;
    alignas(std::int64_t) unsigned char bytes[size];
};
}  // namespace sys

// All members may be null. The functions must not throw and must not longjmp.
struct Host {
    // Before the calling thread may sleep: let the host's other threads run. What it returns goes to enter().
    void* (*leave)() noexcept = nullptr;
    // After it: take the host back. The core touches the host's objects only between enter and leave.
    void (*enter)(void* token) noexcept = nullptr;
    // After a signal, inside the host: run its handlers. True: give the call up, the host has an exception to
    // raise; the call then ends with Error(EINTR).
    bool (*interrupted)() noexcept = nullptr;
    // Its signal handler may longjmp out of a call. The host then calls Socket::unwound() with the Call.
    bool unwinds = false;
    // It notes a signal and no more, also one that comes just before the system sleeps and so does not end that sleep:
    // a call that waits looks for such now and then.
    bool looks_for_signals = false;
    // Its poll watches the descriptor and asks the socket nothing: an unfinished read leaves what it can in the
    // system's queue, whether or not there is such a poll yet (TIME-6).
    bool polls_descriptors = false;
};

// One call of a method that may wait: lives in the host's frame for its length, and remembers what the
// method has under way, so that Socket::unwound() can put it right after a longjmp. Not to be used twice.
class Call {
public:
    Call() noexcept {}
    explicit Call(const Host& host) noexcept : host_(&host) {}

private:
    friend class Blocking;
    friend class Socket;
    friend class Resolution;

    [[nodiscard]] bool unwinds() const noexcept { return host_ != nullptr && host_->unwinds; }
    [[nodiscard]] bool looks_for_signals() const noexcept { return host_ != nullptr && host_->looks_for_signals; }
    [[nodiscard]] bool polls_descriptors() const noexcept { return host_ != nullptr && host_->polls_descriptors; }

    const Host* host_ = nullptr;
    void* token_ = nullptr;
    Sink* sink_ = nullptr;            // what has been taken in so far
    Sink memory_{MutableBuffer()};    // that, if it goes into the caller's own memory
    sys::Lookup* lookup_ = nullptr;   // what the resolver has under way
    std::int64_t deadline_ = 0;       // of the monotonic clock, in ns; 0: not yet asked for
    std::int64_t next_look_ = 0;      // for signals, where the host has to look for them; of the same clock
    volatile bool left_ = false;      // between leave and enter
    volatile bool inside_ = false;    // counted by the socket's gate
    volatile bool reads_ = false;     // has or wants the socket's reader lock
    bool lent_ = false;               // what is in the sink has been lent to the socket's other readers
    volatile int lowat_ = 0;          // SO_RCVLOWAT to restore; 0: it is as it was
    volatile bool notes_ = false;     // note_ counts bytes behind the sink's first taken_from_
    volatile std::size_t shown_ = 0;  // what the window had to give before it gave what is behind taken_from_
    std::size_t taken_from_ = 0;
    sys::ReceiveNote note_;  // only for a host that unwinds
};

}  // namespace usocket
