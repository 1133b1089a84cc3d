#include "usocket/detail/inbox.hpp"

#include "socket/aside.hpp"
#include "stream/window.hpp"
#include "sys/sys.hpp"
#include "usocket/detail/gate.hpp"
#include "wait/held.hpp"
#include "wait/replace.hpp"

namespace usocket {
namespace {

// The lock: its holder's id with the generation of the process, and whether somebody waits for it. Free it is even: 0,
// or what left_by() makes of the last reader's id. Those that lock it without reading leave it as it was.
constexpr std::uint32_t waiters_bit = 0x80000000;
constexpr std::uint32_t generation_mask = 0x7f000000;
constexpr std::uint32_t generation_shift = 24;

// Of whoever closes a window without reading: no call's.
constexpr std::uint32_t closing_reader = 0x00fffffd;

std::uint32_t generation_bits() noexcept { return (sys::process_generation() << generation_shift) & generation_mask; }

bool is_held(std::uint32_t word) noexcept { return (word & 1) != 0 && (word & generation_mask) == generation_bits(); }

// On a device nobody asks.
std::uint32_t left_by([[maybe_unused]] std::uint32_t id) noexcept {
#if defined(USOCKET_SMALL)
    return 0;
#else
    return (id | generation_bits()) & ~std::uint32_t{1};
#endif
}

Pending* pending_of(const Gate& gate) noexcept {
    Aside* aside = gate.aside();
    return aside != nullptr && !aside->pending.empty() ? &aside->pending : nullptr;
}

}  // namespace

void Inbox::take(Inbox& other) noexcept {
    lock_.store(0, std::memory_order_relaxed);
    set_window(other.window());
    other.set_window(0);
}

// --- The lock

std::uint32_t Inbox::replace_holder(std::uint32_t id) noexcept {
    std::uint32_t holder = lock_.load(std::memory_order_seq_cst);
    do {
        if (is_held(holder)) return not_free;
    } while (!replace(lock_, holder, id | generation_bits()));
    return holder;
}

bool Inbox::is_locked_by(std::uint32_t id) const noexcept {
    return (lock_.load(std::memory_order_relaxed) & ~waiters_bit) == (id | generation_bits());
}

void Inbox::release(std::uint32_t free) noexcept {
    if (sys::is_only_thread()) return lock_.store(free, std::memory_order_relaxed);
    if ((lock_.exchange(free, std::memory_order_seq_cst) & waiters_bit) != 0) sys::wake_word(lock_);
}

// Either this sees what Gate::expose() has set, or close_window() finds the lock free.
void Inbox::unlock(const Gate& gate, std::uint32_t id) noexcept {
    const bool was_exposed = gate.exposed();
    if (was_exposed) Windows::close(*this);
    release(left_by(id));
    if (!was_exposed && !sys::is_only_thread() && gate.exposed()) close_window();
}

#if !defined(USOCKET_SMALL)
bool Inbox::try_lock_again(std::uint32_t id) noexcept {
    std::uint32_t free = left_by(id);
    return lock_.compare_exchange_strong(free, id | generation_bits(), std::memory_order_seq_cst);
}
#endif

std::uint32_t Inbox::announce_wait() noexcept {
    std::uint32_t holder = lock_.load(std::memory_order_seq_cst);
    do {
        if (!is_held(holder)) return 0;
    } while (!replace(lock_, holder, holder | waiters_bit));
    return holder | waiters_bit;
}

void Inbox::wake_waiters() noexcept {
    if ((lock_.load(std::memory_order_seq_cst) & waiters_bit) != 0) sys::wake_word(lock_);
}

void Inbox::close_window() noexcept {
    if (Windows::pool_size == 0) return;
    const Held held;
    // Whoever reads either sees that the gate is exposed when it would open a window, or has one open and is busy.
    std::uint32_t free = replace_holder(closing_reader);
    for (; free == not_free; free = replace_holder(closing_reader)) {
        const std::uint8_t open = window_.load(std::memory_order_seq_cst);
        if (open == 0 || open >= no_window) return;
        sys::yield_thread();
    }
    Windows::close(*this);
    release(free);
}

void Inbox::forget_calls() noexcept {
    const Held held;
    while (replace_holder(closing_reader) == not_free) sys::yield_thread();  // another thread closes idle windows
    Windows::close(*this);
    release(0);
}

// --- The front

ConstBuffer Inbox::front(const Gate& gate) const noexcept {
    const Pending* pending = pending_of(gate);
    if (pending != nullptr) return pending->front();
    const Layer* layer = layer_of(gate);
    if (layer == nullptr) return Windows::view(*this);
    return layer->process == sys::process_generation() ? layer->front() : ConstBuffer();
}

void Inbox::consume(const Gate& gate, std::size_t count) noexcept {
    Pending* pending = pending_of(gate);
    if (pending == nullptr) {
        Layer* layer = layer_of(gate);
        return layer != nullptr ? layer->consume(count) : Windows::consume(*this, Windows::of(*this), count);
    }
    const Held held;
    pending->consume(count);
    if (pending->empty()) gate.aside()->tell(false);
}

void Inbox::commit(const Gate& gate) noexcept {
    Aside* aside = gate.aside();
    if (aside == nullptr || aside->pending.is_unused()) return;
    const Held held;
    aside->pending.commit();
}

std::size_t Inbox::keepable(Gate& gate, const Sink& sink) noexcept {
    const Held held;
    Aside* aside = gate.make_aside();
    return aside != nullptr ? aside->pending.reserve(sink) : 0;
}

bool Inbox::give_back(Gate& gate, Sink& sink) noexcept {
    Aside* aside = sink.size() != 0 ? gate.make_aside() : gate.aside();
    if (aside == nullptr) return sink.size() == 0;
    const Held held;
    if (!aside->pending.give_back(sink)) return false;
    if (!aside->pending.empty()) aside->tell(false);
    return true;
}

#if !defined(USOCKET_SMALL)
bool Inbox::unread(Gate& gate, Sink& sink) noexcept {
    Aside* aside = gate.make_aside();
    if (aside == nullptr || !aside->pending.unread(sink)) return false;
    aside->tell(false);
    return true;
}
#endif

void Inbox::forget(const Gate& gate) noexcept {
    const Held held;
    Windows::forget(*this);
    Aside* aside = gate.aside();
    if (aside == nullptr) return;
    aside->pending.clear();
    aside->early = Error();
    aside->tell(false);
}

void Inbox::settle(const Gate& gate) noexcept {
    Layer* layer = layer_of(gate);
    if (layer == nullptr) return;
    Aside& aside = *gate.aside();
    const bool has_more = layer->front().size() != 0;
    const bool is_told =
        aside.layer_holds.load(std::memory_order_relaxed) != 0 && aside.layer_waits == layer->waits_for;
    if (has_more && is_told) return;
    const Held held;
    bool is_news = false;
    {
        const Locked locked(aside.looking);
        is_news = aside.note_held(layer->hooks->settle(*layer));
    }
    if (aside.note_waits(*layer) || is_news) aside.tell(gate.closed());
}

void Inbox::settle_unless_read(const Gate& gate) noexcept {
    if (layer_of(gate) == nullptr) return;
    const Held held;
    const std::uint32_t free = replace_holder(closing_reader);
    if (free == not_free) return;
    settle(gate);
    release(free);
}

bool Inbox::has_pending(const Gate& gate) noexcept {
    const Aside* aside = gate.aside();
    return aside != nullptr && aside->has_unread();
}

}  // namespace usocket
