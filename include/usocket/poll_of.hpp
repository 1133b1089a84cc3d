// PollOf<T>: a Poll whose userdata are objects of one type, so that nothing is cast (POLL-1).
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include "usocket/poll.hpp"
#include "usocket/result.hpp"
#include "usocket/socket.hpp"
#include "usocket/timeout.hpp"

namespace usocket {

// All that a Poll is, threads included, with a T& where that has a void*: what a socket was registered with is what its
// events have. The objects are the caller's, and outlive their registration.
//
//     usocket::PollOf<Client> poll;
//     USOCKET_TRY(poll.register_(client.socket, POLLIN, client));
//     usocket::PollOf<Client>::Event events[64];
//     for (const auto& event : USOCKET_TRY(poll.poll(events))) event.userdata()->take_turn();
template <class T> class PollOf : private Poll {
public:
    // As Poll::Event.
    class Event : private Poll::Event {
    public:
        using Poll::Event::events;
        using Poll::Event::fd;
        using Poll::Event::registration;
        // Null for what was registered without one, as a listener among clients may be.
        [[nodiscard]] T* userdata() const noexcept { return static_cast<T*>(Poll::Event::userdata); }

    private:
        friend class PollOf;
    };

    // As with Poll: watches a socket, or any descriptor, from now on with this mask and this object.
    Result<Registration*> register_(Socket& socket, unsigned events) noexcept {
        return Poll::register_(socket, events, nullptr);
    }
    Result<Registration*> register_(Socket& socket, unsigned events, T& userdata) noexcept {
        return Poll::register_(socket, events, erased(userdata));
    }
    Result<Registration*> register_(int fd, unsigned events) noexcept { return Poll::register_(fd, events, nullptr); }
    Result<Registration*> register_(int fd, unsigned events, T& userdata) noexcept {
        return Poll::register_(fd, events, erased(userdata));
    }
    using Poll::modify;
    using Poll::size;
    using Poll::unregister;
    using Poll::wake;

    // Waits as Poll::poll() does; returns those of `events` that it has filled, none on timeout or when woken.
    Result<std::span<Event>> poll(std::span<Event> events, Timeout timeout = Timeout::none(),
                                  bool one_shot = false) noexcept {
        static_assert(sizeof(Event) == sizeof(Poll::Event));
        const auto count = Poll::poll(static_cast<Poll::Event*>(events.data()), events.size(), timeout, one_shot);
        if (!count) return count.error();
        return events.first(*count);
    }

private:
    static void* erased(T& userdata) noexcept { return const_cast<std::remove_cv_t<T>*>(&userdata); }
};

}  // namespace usocket
