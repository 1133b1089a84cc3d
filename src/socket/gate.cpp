#include "socket/gate.hpp"

#include <cerrno>
#include <cstring>

#include "socket/aside.hpp"
#include "wait/held.hpp"
#include "stream/window.hpp"

namespace usocket {
namespace {

constexpr std::uint32_t closed_bit = 0x80000000;  // all of Socket::closed_gate
constexpr std::uint32_t exposed_bit = 0x40000000;
constexpr std::uint32_t generation_mask = 0x3f000000;
constexpr std::uint32_t generation_shift = 24;
constexpr std::uint32_t forks_mask = 0x00ff0000;
constexpr std::uint32_t forks_shift = 16;
constexpr std::uint32_t polled_bit = 0x00008000;
constexpr std::uint32_t calls_mask = 0x00007fff;
constexpr std::uint32_t forks_limit = 255;

std::uint32_t generation_bits() noexcept { return (sys::process_generation() << generation_shift) & generation_mask; }

// The calls that a fork has left behind do not go on in the child.
std::uint32_t in_this_process(std::uint32_t gate) noexcept {
    const std::uint32_t generation = generation_bits();
    if ((gate & generation_mask) == generation) return gate;
    return (gate & ~(generation_mask | calls_mask)) | generation;
}

std::uint32_t reader_id(const Call& call) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(&call);
    return generation_bits() | (static_cast<std::uint32_t>(address >> 3) & 0x00ffffff) | 1;
}

// Stores `now` where `old` has been found, unless another thread was quicker: `old` is then what that has stored. A
// thread alone needs no locked instruction for it, which are what a call would spend most of its own time on.
bool replace(std::atomic<std::uint32_t>& word, std::uint32_t& old, std::uint32_t now) noexcept {
    if (*sys::single_threaded == 0) return word.compare_exchange_weak(old, now, std::memory_order_seq_cst);
    word.store(now, std::memory_order_relaxed);
    return true;
}

}  // namespace

Socket::Socket(int fd, int family, int type, int proto) noexcept
    : fd_(fd),
      gate_(generation_bits() | (sys::forks() << forks_shift)),
      kind_(static_cast<std::uint16_t>((type << 12) | (proto & 0xfff))),
      family_(static_cast<std::uint8_t>(family)) {}

bool Socket::closed() const noexcept { return (gate_.load(std::memory_order_acquire) & closed_bit) != 0; }

Error Socket::enter(Call& call) noexcept {
    std::uint32_t old = gate_.load(std::memory_order_relaxed);
    std::uint32_t now = 0;
    do {
        if ((old & closed_bit) != 0) return Error(EBADF);
        now = in_this_process(old);
        if ((now & calls_mask) == calls_mask) return Error(EBUSY);
    } while (!replace(gate_, old, now + 1));
    call.inside_ = true;
    return Error();
}

// Returns the error to report: whatever went wrong in a call that close() ended is EBADF.
Error Socket::leave(Call& call, Error error) noexcept {
    call.inside_ = false;
    std::uint32_t old = gate_.load(std::memory_order_relaxed);
    std::uint32_t now = 0;
    do {
        now = in_this_process(old);
        if ((now & calls_mask) != 0) --now;
    } while (!replace(gate_, old, now));
    if ((now & closed_bit) == 0) return error;
    if ((now & calls_mask) == 0) release();
    return error == Error() || error == Error(EINTR) ? error : Error(EBADF);
}

void Socket::close() noexcept {
    Call call;
    if (enter(call) != Error()) return;
    const std::uint32_t old = gate_.fetch_or(closed_bit, std::memory_order_acq_rel);
    if ((old & closed_bit) == 0) {
        if (Aside* aside = aside_.load(std::memory_order_acquire)) aside->tell(true);
        // Calls that sleep in the system wake up from this; the last one out frees the descriptor.
        if ((old & calls_mask) > 1) (void)sys::shutdown(fd_.load(std::memory_order_relaxed), sys::shut_rdwr);
    }
    call.inside_ = false;
    if (((gate_.fetch_sub(1, std::memory_order_acq_rel) - 1) & calls_mask) == 0) release();
}

// Like close(), but the descriptor lives on, so nobody may be inside and nothing may be kept back.
Result<int> Socket::detach() noexcept {
    Call call;
    if (const Error error = enter(call); error != Error()) return error;
    expose();
    std::uint32_t alone = (gate_.load(std::memory_order_relaxed) & ~calls_mask) | 1;
    const bool can = !has_kept() && gate_.compare_exchange_strong(alone, (alone & ~calls_mask) | closed_bit);
    if (!can) {
        (void)leave(call, Error());
        return Error(EBUSY);
    }
    if (Aside* aside = aside_.load(std::memory_order_acquire)) aside->tell(true);
    return fd_.exchange(sys::no_fd, std::memory_order_acq_rel);
}

// Alone, after close(): nobody can enter any more.
void Socket::release() noexcept {
    Windows::close(*this);
    const int fd = fd_.exchange(sys::no_fd, std::memory_order_acq_rel);
    if (Aside* aside = aside_.load(std::memory_order_acquire)) aside->kept.clear();
    if (fd != sys::no_fd) sys::close(fd);
}

bool Socket::exposed() const noexcept {
    const std::uint32_t gate = gate_.load(std::memory_order_seq_cst);
    const std::uint32_t forks = sys::forks();
    return (gate & exposed_bit) != 0 || forks == forks_limit || ((gate & forks_mask) >> forks_shift) != forks;
}

bool Socket::watched(const Call& call) const noexcept {
    return call.polls_descriptors() || (gate_.load(std::memory_order_relaxed) & polled_bit) != 0 || exposed();
}

int Socket::poll_fileno() noexcept {
    if ((gate_.fetch_or(polled_bit, std::memory_order_relaxed) & closed_bit) != 0) return sys::no_fd;
    return fd_.load(std::memory_order_relaxed);
}

// From now on no call leaves handed-out bytes in the queue; a call that goes on sees to it as it ends.
void Socket::expose() noexcept {
    gate_.fetch_or(exposed_bit, std::memory_order_seq_cst);
    close_window();
}

bool Socket::try_lock_reader(std::uint32_t id) noexcept {
    id |= generation_bits();
    std::uint32_t holder = reader_.load(std::memory_order_seq_cst);
    do {
        if (holder != 0 && (holder & generation_mask) == generation_bits()) return false;
    } while (!replace(reader_, holder, id));
    return true;
}

// Unless somebody reads, who then sees to it.
void Socket::close_window() noexcept {
    const Held held;
    if (!try_lock_reader(fork_reader)) return;
    Windows::close(*this);
    reader_.exchange(0, std::memory_order_seq_cst);
}

// Either this sees what expose() has set, or expose() finds the lock free.
void Socket::unlock_reader() noexcept {
    const bool was_exposed = exposed();
    if (was_exposed) Windows::close(*this);
    if (sys::is_only_thread()) return reader_.store(0, std::memory_order_relaxed);
    reader_.exchange(0, std::memory_order_seq_cst);
    if (!was_exposed && exposed()) close_window();
}

bool Socket::reading(const Call& call) const noexcept {
    return call.reads_ && reader_.load(std::memory_order_relaxed) == reader_id(call);
}

void Socket::unlock_reader(Call& call) noexcept {
    unlock_reader();
    call.reads_ = false;
}

// While another thread reads, its call decides when the next one begins: as with a lock around each read.
Error Socket::lock_reader(Call& call) noexcept {
    const std::uint32_t id = reader_id(call);
    call.reads_ = true;
    if (try_lock_reader(id)) return Error();
    const Error error = await_reader(call, id);
    if (error != Error()) call.reads_ = false;
    return error;
}

Error Socket::await_reader(Call& call, std::uint32_t id) noexcept {
    Blocking blocking(call, timeout_, nullptr);
    for (;;) {
        // Something arrives for whoever reads, and then it takes that reader a moment to take it in. What it keeps
        // back instead (TIME-6) does not show: look now and then.
        const auto arrived =
            blocking.pause(fd_.load(std::memory_order_relaxed), sys::poll_in, Timeout::of_nanoseconds(20'000'000));
        if (!arrived) return arrived.error();
        if (try_lock_reader(id)) return Error();
        if (closed()) return Error(EBADF);
        const auto paused = blocking.pause(sys::no_fd, 0, Timeout::of_nanoseconds(1'000'000));
        if (!paused) return paused.error();
        if (try_lock_reader(id)) return Error();
    }
}

// While the host's signal handlers run, others may read, and what this call has taken in so far is next in line for
// them. False: it keeps the lock.
bool Socket::lend(Call& call) noexcept {
    if (!reading(call)) return false;
    const Held held;
    if (call.sink_ != nullptr && call.sink_->size() != 0) {
        Aside* aside = make_aside();
        if (aside == nullptr || has_kept()) return false;
        aside->kept.lend(call.sink_->data(), call.sink_->size());
        call.lent_ = true;
        kept_changed();
    }
    unlock_reader(call);
    return true;
}

// With the lock again: what of it nobody has read is the call's again.
void Socket::take_back(Call& call) noexcept {
    if (!call.lent_) return;
    const Held held;
    call.lent_ = false;
    Sink& sink = *call.sink_;
    const std::size_t left = aside_.load(std::memory_order_acquire)->kept.take_back(sink.data(), sink.size());
    std::memmove(sink.data(), sink.data() + (sink.size() - left), left);
    sink.set_size(left);
    if (left != 0) kept_changed();
}

// The call ends while its bytes are lent: they stay with the socket (TIME-6).
void Socket::give_up(Call& call) noexcept {
    if (!call.lent_) return;
    const Held held;
    // Another reader either takes them in now or, having taken them all, sleeps.
    while (!try_lock_reader(reader_id(call))) {
        if (!has_kept()) {
            call.lent_ = false;
            call.sink_->set_size(0);
            return;
        }
        sys::yield_thread();
    }
    take_back(call);
    if (call.sink_->size() != 0) keep(*call.sink_);
    unlock_reader();
}

void Socket::unwound(Call& call) noexcept {
    const Held held;
    if (reading(call)) {
        take_back(call);
        if (call.sink_ != nullptr) {
            count_taken(call, *call.sink_);
            restore_lowat(call);
            if (call.sink_->size() != 0 && !has_kept()) keep(*call.sink_);
        }
        Windows::close(*this);
        unlock_reader(call);
    }
    give_up(call);
    if (call.inside_) (void)leave(call, Error());
}

// What the call has got, if it was left while it took something in.
void Socket::count_taken(const Call& call, Sink& sink) const noexcept {
    if (call.notes_) sink.set_size(call.taken_from_ + sys::noted(call.note_));
    const bool is_still_shown = call.shown_ != 0 && Windows::view(*this).size() == call.shown_;
    if (is_still_shown) sink.set_size(call.taken_from_);
}

}  // namespace usocket
