// Poll: waits for many sockets and descriptors at once (POLL-1..7).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "usocket/host.hpp"
#include "usocket/result.hpp"
#include "usocket/socket.hpp"
#include "usocket/timeout.hpp"

namespace usocket {

// One registration; belongs to its Poll.
struct Registration;
struct WatchHooks;

// Everything but moving and destroying may be done from several threads at once, also while others wait in poll():
// every one of them learns what concerns it (POLL-6). Destroying it, as exit() does with a static one, ends waits of
// other threads with EBADF, and waits up to a second for them to end; in a child of fork for none of its parent's.
class USOCKET_API Poll {
public:
    struct Event {
        int fd = -1;          // -1: it has been closed
        unsigned events = 0;  // POLLIN, POLLOUT, POLLERR, POLLHUP; POLLHUP and POLLNVAL for a closed one
        void* userdata = nullptr;
        Registration* registration = nullptr;
    };

    Poll() noexcept = default;
    Poll(Poll&& other) noexcept;
    Poll& operator=(Poll&& other) noexcept;
    ~Poll();

    // Watches a socket, or any descriptor; what is registered already gets the new mask and userdata. The socket
    // may be closed and destroyed while registered: it is then reported until it is unregistered. So is a descriptor
    // that is closed behind the poll's back, within about a second of waiting (POLL-7); registering its number once
    // more means the new file. Without a mask: POLLIN and POLLOUT. (`register` is a keyword of C++.)
    Result<Registration*> register_(Socket& socket) noexcept;
    Result<Registration*> register_(Socket& socket, unsigned events, void* userdata = nullptr) noexcept;
    Result<Registration*> register_(int fd, unsigned events, void* userdata = nullptr) noexcept;
    // A registration of its own, beside any other of the same descriptor.
    Result<Registration*> register_another(int fd, unsigned events, void* userdata = nullptr) noexcept;
    // Not registered: ENOENT. No longer the descriptor that was registered: EBADF.
    Result<void> modify(Socket& socket, unsigned events) noexcept;
    Result<void> modify(int fd, unsigned events) noexcept;
    Result<void> modify(Registration* registration, unsigned events) noexcept;
    Result<void> unregister(Socket& socket) noexcept;
    Result<void> unregister(int fd) noexcept;
    void unregister(Registration* registration) noexcept;

    // Waits until something is ready, and puts at most `count` events into `events`; returns how many, 0 on timeout or
    // when woken. What does not fit has its turn the next times; without room for one: Fault::no_room. one_shot: sets
    // the mask of what it returns to 0; of that an error, a hang-up and a close is reported once more, when it comes,
    // and then no more until the next mask. The cost grows with what is ready, not with what is registered (POLL-4).
    Result<std::size_t> poll(Event* events, std::size_t count, Timeout timeout = Timeout::none(),
                             bool one_shot = false) noexcept;
    Result<std::size_t> poll(Event* events, std::size_t count, Timeout timeout, bool one_shot, Call&& call) noexcept;
    Result<std::size_t> poll(std::span<Event> events, Timeout timeout = Timeout::none(),
                             bool one_shot = false) noexcept {
        return poll(events.data(), events.size(), timeout, one_shot);
    }

    // Ends one wait, the one that goes on or the next one: it returns 0, unless it has events to return, after which
    // the next returns 0. From any thread or signal handler; takes no lock, leaves errno alone. Say first, in a
    // variable of your own, what there is to do: a wait without a timeout returns 0 for this reason alone.
    void wake() noexcept;

    // How many are registered.
    [[nodiscard]] std::size_t size() const noexcept;

private:
    friend struct Registration;
    struct USOCKET_LOCAL State;
    class USOCKET_LOCAL Stay;
    USOCKET_LOCAL static const WatchHooks hooks_;

    USOCKET_LOCAL State* make_state() noexcept;
    USOCKET_LOCAL Result<Registration*> register_fd(int fd, unsigned events, void* userdata, bool is_once) noexcept;
    USOCKET_LOCAL [[nodiscard]] Registration* find_socket(const Socket& socket) const noexcept;
    USOCKET_LOCAL [[nodiscard]] Registration* find_fd(int fd) const noexcept;
    USOCKET_LOCAL static Result<void> modify_found(Registration* registration, unsigned events) noexcept;
    USOCKET_LOCAL static Result<void> unregister_found(Registration* registration) noexcept;
    USOCKET_LOCAL bool take_wake() noexcept;
    USOCKET_LOCAL bool end_waits(State& state) noexcept;

    std::atomic<State*> state_{nullptr};   // made by the first call that needs it
    std::atomic<std::uint32_t> wakes_{0};  // those that have not ended a wait yet
#if !defined(USOCKET_SMALL)
    std::atomic<std::uint32_t> inside_{0};  // who is inside, and whether it is being destroyed
#endif
};

}  // namespace usocket
