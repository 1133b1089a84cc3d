#include "usocket/detail/gate.hpp"

#include <algorithm>
#include <cerrno>
#include <new>

#include "socket/aside.hpp"
#include "sys/sys.hpp"
#include "wait/replace.hpp"

namespace usocket {

// The calls that a fork has left behind do not go on in the child.
std::uint32_t Gate::in_this_process(std::uint32_t word) noexcept {
    const std::uint32_t generation = (sys::process_generation() << generation_shift) & generation_mask;
    if ((word & generation_mask) == generation) return word;
    return (word & ~(generation_mask | sleepers_bit | calls_mask)) | generation;
}

// Returns what it was, if `change` returns the same: unchanged.
template <class Change> inline std::uint32_t Gate::update(Change change) noexcept {
    std::uint32_t old = word_.load(std::memory_order_relaxed);
    std::uint32_t now = 0;
    do {
        now = change(old);
        if (now == old) return old;
    } while (!replace(word_, old, now));
    return now;
}

Gate::Gate(int fd) noexcept : fd_(fd), word_(in_this_process(sys::forks() << forks_shift)) {}

void Gate::take(Gate& other) noexcept {
    const auto move = [](auto& to, auto& from, auto left_behind) noexcept {
        to.store(from.load(std::memory_order_relaxed), std::memory_order_relaxed);
        from.store(left_behind, std::memory_order_relaxed);
    };
    move(fd_, other.fd_, no_fd);
    move(word_, other.word_, closed_bit);
    move(aside_, other.aside_, nullptr);
}

// Counts as `count` calls, where fewer than `most` are inside.
Error Gate::enter(std::uint32_t most, std::uint32_t count) noexcept {
    Error error;
    (void)update([&error, most, count](std::uint32_t word) noexcept {
        const std::uint32_t now = in_this_process(word);
        const std::uint32_t calls = now & calls_mask;
        error = (word & closed_bit) != 0 ? Error(EBADF)
                : calls == calls_mask    ? Error(EAGAIN)
                : calls >= most          ? Error(EBUSY)
                                         : Error();
        return error == Error() ? now + count : word;
    });
    return error;
}

Gate::Left Gate::leave(std::uint32_t count) noexcept {
    const std::uint32_t word = update([count](std::uint32_t old) noexcept {
        std::uint32_t now = in_this_process(old);
        now -= std::min(now & calls_mask, count);
        return (now & calls_mask) == 0 ? now & ~sleepers_bit : now;
    });
    if ((word & closed_bit) == 0) return Left::open;
    return (word & calls_mask) == 0 ? Left::last : Left::closed;
}

Gate::Shut Gate::shut() noexcept {
    const std::uint32_t old = word_.fetch_or(closed_bit, std::memory_order_acq_rel);
    return {(old & closed_bit) == 0, (old & calls_mask) > 1, (old & sleepers_bit) != 0};
}

bool Gate::shut_alone() noexcept {
    std::uint32_t alone = (word_.load(std::memory_order_relaxed) & ~(calls_mask | closed_bit)) | 1;
    return word_.compare_exchange_strong(alone, (alone & ~(calls_mask | sleepers_bit)) | closed_bit);
}

bool Gate::has_others() const noexcept {
    return (in_this_process(word_.load(std::memory_order_seq_cst)) & calls_mask) > 1;
}

void Gate::expose() noexcept { word_.fetch_or(exposed_bit, std::memory_order_seq_cst); }

#if !defined(USOCKET_WITHOUT_sharing)
bool Gate::exposed() const noexcept {
    const std::uint32_t word = word_.load(std::memory_order_seq_cst);
    const std::uint32_t forks = sys::forks();
    return (word & exposed_bit) != 0 || forks == forks_limit || ((word & forks_mask) >> forks_shift) != forks;
}
#endif

// Either this sees that the gate is shut, or whoever shuts it sees that somebody may sleep.
bool Gate::let_sleep() noexcept {
    if (knows(needs_bell) || exposed()) return false;
    std::uint32_t word = word_.load(std::memory_order_seq_cst);
    if ((word & sleepers_bit) == 0) word = word_.fetch_or(sleepers_bit, std::memory_order_seq_cst);
    return (word & closed_bit) == 0;
}

Aside* Gate::make_aside() noexcept {
    Aside* found = aside();
    if (found != nullptr) return found;
    void* memory = sys::resize(nullptr, sizeof(Aside));
    if (memory == nullptr) return nullptr;
    auto* made = new (memory) Aside;
    if (aside_.compare_exchange_strong(found, made, std::memory_order_acq_rel)) return made;
    (void)sys::resize(made, 0);
    return found;
}

}  // namespace usocket
