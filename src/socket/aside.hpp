// Aside: what few sockets have, allocated when the first needs it.
#pragma once

#include <atomic>

#include "stream/pending.hpp"

namespace usocket {

struct Aside;
struct Registration;

// How a socket tells the polls that watch it what the system does not know; a program that has no Poll has none.
struct WatchHooks {
    // Its pending bytes have changed, or it has been closed.
    void (*changed)(Aside& aside, bool pending, bool closed) noexcept;
    // Others may hold its descriptor from now on.
    void (*exposed)(Aside& aside) noexcept;
    // It is gone: its registrations stand alone.
    void (*orphaned)(Aside& aside) noexcept;
};

struct Aside {
    Registration* watches = nullptr;  // guarded by the polls' lock
    std::atomic<const WatchHooks*> hooks{nullptr};
    Pending pending;
    std::atomic<int> bell{-1};  // what calls watch beside a descriptor that is not to be shut down (SOCK-4)

    void tell(bool closed) noexcept {
        if (const WatchHooks* set = hooks.load(std::memory_order_acquire))
            set->changed(*this, !pending.empty(), closed);
    }
    void tell_exposed() noexcept {
        if (const WatchHooks* set = hooks.load(std::memory_order_seq_cst)) set->exposed(*this);
    }
    void tell_orphaned() noexcept {
        if (const WatchHooks* set = hooks.load(std::memory_order_acquire)) set->orphaned(*this);
    }
};

}  // namespace usocket
