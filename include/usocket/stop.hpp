// Stopping by std::stop_token: a request ends a wait, or closes a socket, whatever thread it comes from (POLL-6,
// SOCK-4). Optional: usocket.hpp leaves it out. Where the standard library has no <stop_token>, this header is there
// and empty.
#pragma once

#include <version>

#if defined(__cpp_lib_jthread)
#include <stop_token>
#include <utility>

#include "usocket/poll.hpp"
#include "usocket/socket.hpp"

namespace usocket {

// While it lives, a stop request wakes a Poll or a PollOf<T>: the wait that goes on ends, or else the next one. Ask
// stop_requested() after each. Of several threads that wait in the poll it wakes one, so let each have its own.
//
//     std::jthread server([&](std::stop_token stop) {
//         const usocket::WakeOnStop wake(poll, stop);
//         while (!stop.stop_requested()) handle(poll.poll(events));
//     });
template <class AnyPoll> class WakeOnStop {
public:
    [[nodiscard]] WakeOnStop(AnyPoll& poll, std::stop_token stop) noexcept : callback_(std::move(stop), Wake{&poll}) {}

private:
    struct Wake {
        AnyPoll* poll;
        void operator()() const noexcept { poll->wake(); }
    };
    std::stop_callback<Wake> callback_;
};

// While it lives, a stop request closes a socket: every call that is on it ends with EBADF, as accept() of a pool of
// workers.
class CloseOnStop {
public:
    [[nodiscard]] CloseOnStop(Socket& socket, std::stop_token stop) noexcept
        : callback_(std::move(stop), Close{&socket}) {}

private:
    struct Close {
        Socket* socket;
        void operator()() const noexcept { socket->close(); }
    };
    std::stop_callback<Close> callback_;
};

}  // namespace usocket
#endif
