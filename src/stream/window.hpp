// Windows: how lines are read fast without reading ahead (STRM-5).
//
// A window is a copy, got by MSG_PEEK, of the front of a socket's receive queue. Lines are handed out of it while
// the queue still holds them: {handed out | not yet}. What was handed out comes off the queue by one call when half of
// the window has been, so that the peer's flow control moves on, and again when its second part becomes empty, or when
// anything but a stream method touches the socket, or somebody goes to sleep. A poll stays right because the queue is
// never empty while an open window has bytes to give.
//
// Only for a descriptor that nobody else holds; a few windows serve all sockets, and before a fork all are closed.
// Nobody sleeps, or goes back into the host, with an open window.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "sys/sys.hpp"
#include "usocket/buffer.hpp"
#include "usocket/detail/inbox.hpp"

// How many bytes a window shows, and how many windows there are; a small device sets less (0 windows: none).
#if !defined(USOCKET_WINDOW_SIZE)
#define USOCKET_WINDOW_SIZE 262144
#endif
#if defined(USOCKET_WITHOUT_windows)
#undef USOCKET_WINDOWS
#define USOCKET_WINDOWS 0
#endif
#if !defined(USOCKET_WINDOWS)
#define USOCKET_WINDOWS 16
#endif

namespace usocket {

// What a window is a view of.
struct Queue {
    const Gate* gate = nullptr;
    bool is_tcp = false;
};

struct Window {
    // free -> owned -> free; a fork holds each window, from before it until after it, so that none is open then.
    enum class State : std::uint32_t { free, owned, held };

    std::atomic<State> state{State::free};
    std::uint32_t begin = 0;    // bytes handed out
    std::uint32_t end = 0;      // bytes peeked
    std::uint32_t trimmed = 0;  // of those handed out, how many are off the queue
    std::uint32_t due = 0;      // once so many are handed out: half of it since the queue was trimmed, or all of it
    std::atomic<Inbox*> owner{nullptr};
    sys::Fd fd = 0;  // whose queue it shows
    bool is_tcp = false;
    std::uint8_t bytes[USOCKET_WINDOWS == 0 ? 1 : USOCKET_WINDOW_SIZE]{};

    [[nodiscard]] ConstBuffer view() const noexcept { return {bytes + begin, end - begin}; }
    void set_due() noexcept { due = std::min(end, trimmed + (end + 1) / 2); }
};

// All of it under the inbox's lock.
class Windows {
public:
    static constexpr std::size_t pool_size = USOCKET_WINDOWS;
    // Only if the inbox has one.
    static Window& of(const Inbox& inbox) noexcept { return pool[inbox.window() - 1]; }
    // What it has to give; empty without one.
    static ConstBuffer view(const Inbox& inbox) noexcept { return is_open(inbox) ? of(inbox).view() : ConstBuffer(); }
    static bool is_open(const Inbox& inbox) noexcept { return pool_size != 0 && inbox.has_window(); }
    // What the first window of a reader of lines shows; once it is used up, the next one shows all that it has room
    // for.
    static constexpr std::size_t first_size = 65536;
    // Opens one over what is in the queue now, `most` bytes of it; how many it shows. 0: none is free, or there is
    // nothing in the queue. An error is the socket's own (SO_ERROR), which the system tells but once.
    static Result<std::size_t> open(Inbox& inbox, Queue queue, std::size_t most = SIZE_MAX) noexcept {
        return pool_size == 0 ? std::size_t{0} : open_one(inbox, queue, most);
    }
    // Opens one if the reads, of which the next is of `size` bytes, have been short for some time, and if the queue has
    // more than the next one takes.
    static Result<std::size_t> open_for_reads(Inbox& inbox, Queue queue, std::size_t size) noexcept {
        return pool_size == 0 ? std::size_t{0} : open_if_it_pays(inbox, queue, size);
    }
    // The last window was used up: more may have come meanwhile.
    static bool may_pay(const Inbox& inbox) noexcept { return pool_size != 0 && inbox.window() == used_up; }
    // Hands out `count` bytes of view(); closes the window with its last one.
    static void consume(Inbox& inbox, Window& window, std::size_t count) noexcept {
        window.begin += static_cast<std::uint32_t>(count);
        if (pool_size != 0 && window.begin >= window.due) trim_or_finish(inbox);
    }
    // Takes what was handed out off the queue. Does nothing without a window.
    static void close(Inbox& inbox) noexcept {
        if (is_open(inbox)) close_open(inbox);
    }
    // Closes it and leaves the queue as it is: it is another connection's.
    static void forget(Inbox& inbox) noexcept {
        if (is_open(inbox)) forget_open(inbox);
    }
    // The inbox has moved in memory.
    static void moved(Inbox& inbox) noexcept {
        if (is_open(inbox)) moved_open(inbox);
    }

private:
    // In Inbox::window_: no window is open, and the bits below count the short reads since there was one.
    static constexpr std::uint8_t row = Inbox::no_window;
    static constexpr std::uint8_t used_up = row + 2;  // the next short read looks whether there is more
    static_assert(pool_size < row);

    static void trim_or_finish(Inbox& inbox) noexcept;
    static void trim(Window& window) noexcept;
    static Result<std::size_t> open_one(Inbox& inbox, Queue queue, std::size_t most) noexcept;
    static Result<std::size_t> open_if_it_pays(Inbox& inbox, Queue queue, std::size_t size) noexcept;
    static void close_open(Inbox& inbox) noexcept;
    static void forget_open(Inbox& inbox) noexcept;
    static void moved_open(Inbox& inbox) noexcept;
    friend void settle() noexcept;
    static bool close_idle(Window& window, std::uint32_t reader) noexcept;
    static void before_fork() noexcept;
    static void after_fork() noexcept;
    static const bool knows_forks_;
    static Window pool[pool_size == 0 ? 1 : pool_size];
};

}  // namespace usocket
