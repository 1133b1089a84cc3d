// What a poll and the sockets that it watches tell one another; nothing else of src/poll knows a socket.
#include <algorithm>
#include <utility>

#include "poll/state.hpp"
#include "poll/stay.hpp"
#include "socket/aside.hpp"
#include "socket/inside.hpp"

namespace usocket {

bool keeps(const Aside* aside) noexcept { return aside != nullptr && aside->has_unread(); }
unsigned waits(const Aside* aside) noexcept {
    return aside != nullptr ? aside->layer_waits.load(std::memory_order_acquire) : 0;
}

// Whoever closes the socket meanwhile waits for the end of the look.
void Poll::State::look_into(const sys::PollerEvents& found, Round& round) noexcept {
    const bool is_full = found.count == std::min(round.room, sys::PollerEvents::room);
    for (std::size_t i = 0; i < found.count; ++i) {
        const sys::PollerEvent event = sys::poller_event(found, i);
        if ((event.events & sys::poll_in) == 0) continue;
        const Held held;
        Aside* aside = nullptr;
        {
            const Registry locked;
            const Registration* one = watched.first_of(event);
            while (one != nullptr && !one->wants_look()) one = one->next_of_fd;
            if (one == nullptr || one->kept || one->aside == nullptr || !one->aside->looking.try_lock()) continue;
            aside = one->aside;
        }
        const Seen seen = aside->look();
        const Layer* layer = aside->layer.load(std::memory_order_acquire);
        const bool is_other = layer != nullptr && aside->note_waits(*layer);
        if (seen == Seen::something || is_other) aside->tell(false);
        aside->looking.unlock();
        if (seen == Seen::unknown) report_once(event);
        round.is_crowded = round.is_crowded || (seen == Seen::nothing && is_full);
    }
}

// As readable, where a look could not tell.
void Poll::State::report_once(const sys::PollerEvent& event) noexcept {
    const Registry locked;
    for (Registration* one = watched.first_of(event); one != nullptr; one = one->next_of_fd) {
        one->overlooked = one->wants_look() && one->spent == 0 && (one->events & sys::poll_in) != 0;
        sort_urgent(*one);
    }
}

const WatchHooks Poll::hooks_ = {
    [](Aside& aside, bool kept, bool closed) noexcept {
        const Registry locked;
        for (Registration* watch = aside.watches; watch != nullptr; watch = watch->next_of_socket) {
            watch->poll->update(*watch, kept, closed);
        }
    },
    [](Aside& aside) noexcept {
        const Registry locked;
        for (Registration* watch = aside.watches; watch != nullptr; watch = watch->next_of_socket) {
            watch->poll->expose(*watch);
        }
    },
    [](Aside& aside) noexcept {
        const Registry locked;
        while (Registration* watch = std::exchange(aside.watches, nullptr)) {
            aside.watches = std::exchange(watch->next_of_socket, nullptr);
            watch->aside = nullptr;
        }
    },
};

Result<Registration*> Poll::register_(Socket& socket, unsigned events, void* userdata) noexcept {
    Aside* aside = socket.gate_.make_aside();
    if (aside == nullptr) return Error(ENOMEM);
    const Stay stay(*this);
    if (stay.is_over()) return Error(EBADF);
    return socket.inside([&]() noexcept -> Result<Registration*> {
        State* state = make_state();
        if (state == nullptr) return Error(ENOMEM);
        aside->hooks.store(&hooks_, std::memory_order_seq_cst);
        const sys::Fd fd = socket.gate_.fd();
        return state->provide_for(fd, [&]() noexcept {
            // Whoever exposes it after this look tells this poll, and must wait until it is registered.
            const Wanted wanted{fd, events, userdata, aside, socket.gate_.exposed()};
            const auto added = state->add(wanted, find_socket(socket));
            // close() may have told the polls that it found before this one was among them.
            const bool is_news = added && (socket.has_kept() || socket.closed());
            if (is_news) state->update(**added, socket.has_kept(), socket.closed());
            return added;
        });
    });
}

// Under the Registry.
Registration* Poll::find_socket(const Socket& socket) const noexcept {
    const Aside* aside = socket.gate_.aside();
    Registration* watch = aside == nullptr ? nullptr : aside->watches;
    while (watch != nullptr && watch->poll != state_) watch = watch->next_of_socket;
    return watch;
}

}  // namespace usocket
