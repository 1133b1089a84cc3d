#include "usocket/detail/inbox.hpp"

#include "socket/aside.hpp"
#include "stream/window.hpp"
#include "sys/sys.hpp"
#include "usocket/detail/gate.hpp"
#include "wait/held.hpp"
#include "wait/replace.hpp"

namespace usocket {
namespace {

// The lock: 0, or its holder's id with the generation of the process, and whether somebody waits for it.
constexpr std::uint32_t waiters_bit = 0x80000000;
constexpr std::uint32_t generation_mask = 0x7f000000;
constexpr std::uint32_t generation_shift = 24;

// Of whoever closes a window without reading: no call's.
constexpr std::uint32_t closing_reader = 0x00fffffd;

std::uint32_t generation_bits() noexcept { return (sys::process_generation() << generation_shift) & generation_mask; }

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

bool Inbox::try_lock(std::uint32_t id) noexcept {
    id |= generation_bits();
    std::uint32_t holder = lock_.load(std::memory_order_seq_cst);
    do {
        if (holder != 0 && (holder & generation_mask) == generation_bits()) return false;
    } while (!replace(lock_, holder, id));
    return true;
}

bool Inbox::is_locked_by(std::uint32_t id) const noexcept {
    return (lock_.load(std::memory_order_relaxed) & ~waiters_bit) == (id | generation_bits());
}

void Inbox::release() noexcept {
    if (sys::is_only_thread()) return lock_.store(0, std::memory_order_relaxed);
    if ((lock_.exchange(0, std::memory_order_seq_cst) & waiters_bit) != 0) sys::wake_word(lock_);
}

// Either this sees what Gate::expose() has set, or close_window() finds the lock free.
void Inbox::unlock(const Gate& gate) noexcept {
    const bool was_exposed = gate.exposed();
    if (was_exposed) Windows::close(*this);
    release();
    if (!was_exposed && !sys::is_only_thread() && gate.exposed()) close_window();
}

std::uint32_t Inbox::announce_wait() noexcept {
    std::uint32_t holder = lock_.load(std::memory_order_seq_cst);
    do {
        const bool is_held = holder != 0 && (holder & generation_mask) == generation_bits();
        if (!is_held) return 0;
    } while (!replace(lock_, holder, holder | waiters_bit));
    return holder | waiters_bit;
}

void Inbox::wake_waiters() noexcept {
    if ((lock_.load(std::memory_order_seq_cst) & waiters_bit) != 0) sys::wake_word(lock_);
}

void Inbox::close_window() noexcept {
    const Held held;
    // Whoever reads either sees that the gate is exposed when it would open a window, or has one open and is busy.
    while (!try_lock(closing_reader)) {
        const std::uint8_t open = window_.load(std::memory_order_seq_cst);
        if (open == 0 || open >= no_window) return;
        sys::yield_thread();
    }
    Windows::close(*this);
    release();
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

bool Inbox::can_keep(Gate& gate, const Sink& sink) noexcept {
    const Held held;
    Aside* aside = gate.make_aside();
    return aside != nullptr && aside->pending.reserve(sink);
}

bool Inbox::give_back(Gate& gate, Sink& sink) noexcept {
    Aside* aside = sink.size() != 0 ? gate.make_aside() : gate.aside();
    if (aside == nullptr) return sink.size() == 0;
    const Held held;
    if (!aside->pending.give_back(sink)) return false;
    if (!aside->pending.empty()) aside->tell(false);
    return true;
}

void Inbox::forget(const Gate& gate) noexcept {
    const Held held;
    Windows::forget(*this);
    Aside* aside = gate.aside();
    if (aside == nullptr) return;
    aside->pending.clear();
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
    if (!try_lock(closing_reader)) return;
    settle(gate);
    release();
}

bool Inbox::has_pending(const Gate& gate) noexcept {
    const Aside* aside = gate.aside();
    return aside != nullptr && aside->has_unread();
}

}  // namespace usocket
