// Registration: what a poll watches, and the memory that registrations live in.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "stream/layer.hpp"
#include "sys/sys.hpp"
#include "usocket/poll.hpp"

namespace usocket {

struct Aside;

// A pointer that keeps nothing alive: where memory is a collector's, it does not see where this points to.
template <class T> class Weak {
public:
    constexpr Weak() noexcept = default;
    Weak(T* to) noexcept : bits_(reinterpret_cast<std::uintptr_t>(to) + 1) {}
    // NOLINTNEXTLINE(performance-no-int-to-ptr): that is the disguise
    operator T*() const noexcept { return reinterpret_cast<T*>(bits_ - 1); }
    T* operator->() const noexcept { return *this; }

private:
    std::uintptr_t bits_ = 1;
};

// What somebody wants to have watched.
struct Wanted {
    sys::Fd fd;
    unsigned events;
    void* userdata;
    Aside* aside;     // of its socket; nullptr: a bare descriptor
    bool may_vanish;  // somebody else may close its number, and we are not told (POLL-7)
};

// Guarded by the registry's lock (state.hpp).
struct Registration {
    Poll::State* poll = nullptr;  // nullptr: free memory
    Weak<Aside> aside;            // of its socket; nullptr: a bare descriptor, or the socket is gone
    sys::Fd fd = sys::no_fd;
    unsigned events = 0;
    // Reported in one-shot mode since the last mask: spent_bit, and what of its end has been told, which is news once.
    unsigned spent = 0;
    unsigned instead = 0;  // what the system has to show before any of them is worth a call (Layer::waits_for)
    void* userdata = nullptr;
    bool is_socket = false;
    bool may_vanish = false;  // as Wanted has it
    bool shared = false;      // a socket whose descriptor others may hold too (TIME-9)
    bool closed = false;      // its socket is, or its number is another file's
    bool kept = false;        // its socket keeps bytes back
    // Its queue is not empty, and the system shows nothing (SO_RCVLOWAT), or a layer cannot tell what that is.
    bool overlooked = false;
    bool always_ready = false;        // the system cannot poll it: a regular file
    bool is_urgent = false;           // in the ring of those that the system does not know to be ready
    Poll::Event* reported = nullptr;  // during poll(): where
    Registration* next_of_socket = nullptr;
    Registration* next_of_fd = nullptr;  // of free memory: the next such
    Registration* next_urgent = nullptr;
    Registration* previous_urgent = nullptr;

    static constexpr unsigned spent_bit = 0x80000000;
    // What comes unasked (POLL-3).
    [[nodiscard]] static unsigned end_of(unsigned found) noexcept {
        return found & (sys::poll_err | sys::poll_hup | sys::poll_nval);
    }
    // What the system says of it may not be all: it is looked at now and then.
    [[nodiscard]] bool is_behind() const noexcept { return may_vanish || shared; }
    // What the system is to look for.
    [[nodiscard]] unsigned mask() const noexcept {
        if (spent != 0) return spent != spent_bit ? sys::poll_nothing : 0;
        return instead == 0 || wants_look() || events == 0 ? events : instead;
    }
    // What can be read its layer has to say; that makes it `kept`.
    [[nodiscard]] bool wants_look() const noexcept { return instead == waits_for_plaintext; }
    // What of the system's events it reports.
    [[nodiscard]] unsigned shown(unsigned found) const noexcept {
        const unsigned always = end_of(found) & ~spent;
        if (spent != 0) return always;
        if (instead == 0) return always | (found & events);
        if (wants_look()) return always | (found & events & ~sys::poll_in);
        return (found & instead) != 0 ? always | events : always;
    }
    // What it is ready for though the system does not say so.
    [[nodiscard]] unsigned urgent_events() const noexcept {
        // To be told as one: whatever was told of the peer's end before.
        if (closed) return (spent & sys::poll_nval) != 0 ? 0 : sys::poll_hup | sys::poll_nval;
        if (spent != 0) return 0;
        if (always_ready) return events & (sys::poll_in | sys::poll_out);
        return kept || overlooked ? events & sys::poll_in : 0;
    }
};

// Got for many at a time and given back all at once.
class RegistrationMemory {
public:
    // nullptr: lacks() more.
    Registration* take() noexcept {
        if (free_ != nullptr) return new (std::exchange(free_, free_->next_of_fd)) Registration;
        if (is_full()) return nullptr;
        return new (&blocks_->items()[blocks_->used++]) Registration;
    }
    // How many bytes it wants for the next; 0: none.
    [[nodiscard]] std::size_t lacks() const noexcept {
        return free_ == nullptr && is_full() ? sizeof(Block) + next_size() * sizeof(Registration) : 0;
    }
    // So many as it lacked.
    void provide(void* memory, std::size_t size) noexcept {
        blocks_ = new (memory) Block{blocks_, (size - sizeof(Block)) / sizeof(Registration), 0};
    }
    void give_back(Registration& registration) noexcept {
        registration.poll = nullptr;
        registration.next_of_fd = std::exchange(free_, &registration);
    }
    // Of those that are taken; `body` may give back the one that it is given.
    template <class Body> void for_each(Body body) noexcept {
        for (Block* block = blocks_; block != nullptr; block = block->next) {
            for (std::size_t i = 0; i < block->used; ++i) {
                if (block->items()[i].poll != nullptr) body(block->items()[i]);
            }
        }
    }
    void clear() noexcept {
        while (Block* block = blocks_) {
            blocks_ = block->next;
            (void)sys::resize(block, 0);
        }
        free_ = nullptr;
    }

private:
    struct Block {
        Block* next;
        std::size_t size;
        std::size_t used;  // nothing behind these has been a registration yet
        Registration* items() noexcept { return reinterpret_cast<Registration*>(this + 1); }
    };
    static_assert(sizeof(Block) % alignof(Registration) == 0);

    [[nodiscard]] bool is_full() const noexcept { return blocks_ == nullptr || blocks_->used == blocks_->size; }
    [[nodiscard]] std::size_t next_size() const noexcept {
        return blocks_ == nullptr ? first_size : std::min(2 * blocks_->size, largest_size);
    }

    static constexpr std::size_t first_size = 8;
    static constexpr std::size_t largest_size = 256;
    Block* blocks_ = nullptr;
    Registration* free_ = nullptr;
};

}  // namespace usocket
