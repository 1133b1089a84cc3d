// Poll::State: who is registered, what the system's poller has been told of it, and what of that is ready.
//
// The bell is what ends a wait for a reason that the system does not know. It rings on until somebody who hears it
// finds no reason left, so everybody who waits hears it, and a wait that a longjmp has left owes nobody anything
// (POLL-6).
//
// The system's events name a number and its generation, which differs each time that the number is watched anew. An
// event of an earlier one comes from a file that lives on after its number was closed behind our back: such a file can
// no longer be taken out of the system's poller, so that begins anew (POLL-7).
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "poll/registration.hpp"
#include "poll/urgent.hpp"
#include "wait/held.hpp"
#include "wait/lock.hpp"

namespace usocket {

// Held while anything of a registration or a State changes, of all polls: that is seldom and takes a few steps. Nothing
// asks for memory under it, or gives some back: a host that collects its garbage then, in this thread or another,
// closes sockets and polls, which want the Registry.
class Registry {
public:
    Registry() noexcept : locked_(lock_) {}
    [[nodiscard]] static bool is_free() noexcept { return lock_.is_free(); }

private:
    static Lock lock_;
    static const bool knows_forks_;

    Held held_;
    Locked locked_;
};

// What is watched, by the descriptor's number.
class Watched {
public:
    struct Slot {
        Registration* first = nullptr;
        std::uint32_t generation = 0;  // of `first` and those behind it
    };

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] Slot& operator[](sys::Fd fd) const noexcept { return slots_[fd]; }
    [[nodiscard]] bool has(sys::Fd fd) const noexcept { return fd >= 0 && static_cast<std::size_t>(fd) < size_; }
    [[nodiscard]] Registration* first_of(sys::Fd fd) const noexcept { return has(fd) ? slots_[fd].first : nullptr; }
    // nullptr: the event is nobody's.
    [[nodiscard]] Registration* first_of(const sys::PollerEvent& event) const noexcept {
        return has(event.fd) && slots_[event.fd].generation == event.generation ? slots_[event.fd].first : nullptr;
    }
    [[nodiscard]] std::uint32_t next_generation(sys::Fd fd) const noexcept {
        return has(fd) ? slots_[fd].generation + 1 : 1;
    }
    // How many bytes it wants for having the number; 0: none.
    [[nodiscard]] std::size_t lacks(sys::Fd fd) const noexcept;
    // So many as it lacked. Returns what is to be given back.
    [[nodiscard]] void* provide(void* memory, std::size_t size) noexcept;
    void clear() noexcept;

private:
    Slot* slots_ = nullptr;
    std::size_t size_ = 0;
};

// Everything is under the Registry but where it says otherwise. What is atomic may be read without it.
struct Poll::State {
    sys::Poller* const poller;
    std::atomic<std::uint32_t> opened_in{0};  // this_process() that opened it
    std::atomic<bool> is_armed{false};        // it has a bell, and so can be slept in
    std::atomic<std::uint32_t> removals{0};   // how often something has left the poller
    std::atomic<std::size_t> count{0};
    std::atomic<std::size_t> behind{0};              // those of which the system may not know all
    std::atomic<bool> has_layers{false};             // some may want a look
    std::atomic<std::uint32_t> forks{sys::forks()};  // of this process, that were heeded
    Watched watched;
    std::size_t vanished = 0;  // bare descriptors that are no longer what was registered
    RegistrationMemory registrations;
    Urgent urgent;
    bool urgent_first = false;
    std::size_t next_look = 0;

    explicit State(sys::Poller* made) noexcept : poller(made) {}
    ~State();  // without the Registry, once it is closed

    // --- registry.cpp
    // The poller is open, and this process's own. Without the Registry too.
    [[nodiscard]] bool is_open() const noexcept { return opened_in.load(std::memory_order_seq_cst) == this_process(); }
    // The system knows all that is ready. Without the Registry too.
    [[nodiscard]] bool is_plain(bool may_sleep) const noexcept {
        return urgent.empty() && is_open() && forks.load(std::memory_order_relaxed) == sys::forks() &&
               (is_armed.load(std::memory_order_seq_cst) || !may_sleep);
    }
    Error prepare() noexcept { return is_open() ? Error() : open(); }
    Error open() noexcept;
    Error reopen() noexcept;
    void close() noexcept;
    // What add() has lacked, to be asked for before others can change it; and the memory for that, got without the
    // Registry. False: there is none.
    struct Lack {
        std::size_t size;  // in bytes; 0: it was the poller that lacked some
        bool is_of_slots;
    };
    [[nodiscard]] Lack lacks(sys::Fd fd) const noexcept;
    bool provide(Lack lack) noexcept;
    // What `attempt`, which is called under the Registry, returns once it does not lack memory.
    template <class Attempt> Result<Registration*> provide_for(sys::Fd fd, Attempt attempt) noexcept {
        return provide_while(fd, [](void* body) noexcept { return (*static_cast<Attempt*>(body))(); }, &attempt);
    }
    // `old`: what is to be changed instead, if anything. ENOMEM: lacks() memory.
    Result<Registration*> add(const Wanted& wanted, Registration* old) noexcept;
    Error change(Registration& registration, unsigned events) noexcept;
    void remove(Registration& registration) noexcept;
    void update(Registration& registration, bool kept, bool closed) noexcept;
    void expose(Registration& registration) noexcept;
    void heed_forks() noexcept;
    [[nodiscard]] Registration* find_fd(sys::Fd fd) noexcept;
    // Reported, in one-shot mode or after that.
    void spend(Registration& registration, unsigned reported) noexcept;
    // Looks at some of those that others hold too: whether their numbers have been closed behind our back, or their
    // polls made deaf; true if something is urgent now. Takes the Registry itself.
    bool look_behind(std::size_t most_calls) noexcept;
    void gone(sys::Fd fd) noexcept;
    // These events of the system's are not this number's any more: its file lives on as a duplicate. That takes a
    // system call for each that may_vanish and is to be reported, none for sockets of our own. Without the Registry
    // too, while there is one thread alone.
    [[nodiscard]] bool is_elsewhere(sys::Fd fd, unsigned events) const noexcept;
    void ring() noexcept;

    // --- collect.cpp: what one round of poll() does. Those that the system does not know of and what it finds take
    // turns to be first.
    struct Round {
        std::size_t room = 0;  // for what the system finds
        std::size_t urgent = 0;
        std::uint32_t removals = 0;
        bool urgent_first = false;
        bool has_rung = false;
        bool is_tight = false;    // there is less room than there are registrations
        bool is_stale = false;    // an event was nobody's
        bool is_deaf = false;     // no descriptor is left for a bell
        bool is_crowded = false;  // there was no room for more, and a look found nothing to read in what there was

        // What it has found may have kept an event out, for which there was no room.
        [[nodiscard]] bool is_vain() const noexcept { return has_rung || is_stale || is_crowded; }
    };
    // Of what the system has found readable, the sockets with layers: whether they are. Without the Registry.
    void look_into(const sys::PollerEvents& found, Round& round) noexcept;
    void report_once(const sys::PollerEvent& event) noexcept;
    // One in which nothing is urgent. Without the Registry.
    [[nodiscard]] Round round_for(std::size_t room) const noexcept;
    // Without the Registry.
    Result<Round> begin_round(std::size_t room, bool may_sleep) noexcept;
    Result<std::size_t> end_round(Round& round, sys::PollerEvents& found, Event* events, std::size_t room,
                                  bool one_shot, const std::atomic<std::uint32_t>& wakes) noexcept;
    // Puts `found` into `events`, if each descriptor is registered once and there is room for all; else returns 0.
    // While there is one thread alone, without the Registry.
    std::size_t collect_plain(const sys::PollerEvents& found, Event* events, std::size_t room) const noexcept;

private:
    static std::uint32_t this_process() noexcept { return 1 + sys::process_generation(); }
    Result<Registration*> provide_while(sys::Fd fd, Result<Registration*> (*attempt)(void* body) noexcept,
                                        void* body) noexcept;
    Error tell_system(sys::Fd fd) const noexcept;
    [[nodiscard]] unsigned mask_of(sys::Fd fd) const noexcept;
    Error restore() noexcept;
    bool heed_layer(Registration& registration) noexcept;
    Error renew(Registration& old, const Wanted& wanted) noexcept;
    Error revive(Registration& old, const Wanted& wanted) noexcept;
    void count_behind(const Registration& registration) noexcept;
    Error link_fd(Registration& registration) noexcept;
    Error link_first(Registration& registration) noexcept;
    void unlink_fd(Registration& registration) noexcept;
    void take_from_system(sys::Fd fd) noexcept;
    bool look_at(sys::Fd fd) noexcept;
    void set_closed(Registration& registration) noexcept;
    static void unlink_socket(Registration& registration) noexcept;
    void sort_urgent(Registration& registration) noexcept;

    bool look_at(const sys::PollerEvents& found, Round& round) noexcept;
    std::size_t collect_all(Round& round, sys::PollerEvents& found, Event* events, std::size_t room) noexcept;
    std::size_t collect_urgent(Event* events, std::size_t ready, std::size_t room, bool asks) noexcept;
    std::size_t collect_found(const sys::PollerEvents& found, Event* events, std::size_t ready,
                              std::size_t room) noexcept;
    void begin_with(Registration& registration) noexcept;
    static void report(Registration& registration, unsigned events, Event& event) noexcept;
};

// sockets.cpp: whether the socket that this belongs to keeps bytes back.
[[nodiscard]] bool keeps(const Aside* aside) noexcept;
// What its layer waits for; 0: it has none.
[[nodiscard]] unsigned waits(const Aside* aside) noexcept;

}  // namespace usocket
