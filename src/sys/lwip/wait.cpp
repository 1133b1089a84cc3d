// Time, and waiting: whoever waits lets lwIP work meanwhile.
#include "sys/lwip/waiting.hpp"

#include "sys/lwip/table.hpp"
#include "sys/lwip/tcp.hpp"

namespace usocket::sys {
namespace {

constexpr std::int64_t millisecond = 1'000'000;
constexpr std::uint32_t soon_ms = 5;  // a timer that is not due yet may be by the time that they are looked at

Result<Fd> opened(Sock* sock) noexcept {
    if (sock == nullptr) return Error(ENFILE);
    const Fd fd = new_fd(*sock);
    if (fd != no_fd) return fd;
    free_sock(*sock);
    return Error(EMFILE);
}

}  // namespace

std::int64_t now() noexcept { return static_cast<std::int64_t>(usocket_port_now()) + 1; }

void deliver() noexcept {
    usocket_port_poll();
#if ENABLE_LOOPBACK
    netif_poll_all();
#endif
}

// Called from so many places that a copy in each would be 100 bytes of a firmware.
[[gnu::noinline]] void turn() noexcept {
    deliver();
    if (sys_timeouts_sleeptime() <= soon_ms) attend_tcp();
    sys_check_timeouts();
    end_lookups();
}

Waiting::Waiting(Timeout timeout) noexcept {
    if (timeout.is_none()) return;
    const std::int64_t begin = now();
    end_ = timeout.nanoseconds() > INT64_MAX - begin ? INT64_MAX : begin + timeout.nanoseconds();
}

Waiting::Slept Waiting::sleep() noexcept {
    const std::int64_t time = now();
    if (end_ <= time) return Slept::timed_out;
    const std::int64_t left = std::max<std::int64_t>(std::min(end_, next_lookup_end()) - time, 0);
    const std::int64_t due = sys_timeouts_sleeptime();
    const std::int64_t longest = std::min<std::int64_t>(left / millisecond + (left % millisecond != 0 ? 1 : 0), 60'000);
    return usocket_port_idle(static_cast<std::uint32_t>(std::min(longest, due))) ? Slept::interrupted : Slept::some;
}

Result<unsigned> wait(Fd fd, unsigned events, Timeout timeout, Fd bell) noexcept {
    const Guard guard;
    Waiting waiting(timeout);
    for (;;) {
        turn();
        if (fd != no_fd) {
            const Sock* sock = find(fd);
            const unsigned found = sock == nullptr ? poll_nval : ready(*sock) & (events | poll_err | poll_hup);
            if (found != 0) return found;
        }
        const Sock* rings = find(bell);
        if (rings != nullptr && ready(*rings) != 0) return 0u;
        switch (waiting.sleep()) {
            case Waiting::Slept::timed_out: return 0u;
            case Waiting::Slept::interrupted: return Error(EINTR);
            case Waiting::Slept::some: break;
        }
    }
}

// There are no threads that somebody could cancel.
int hold_cancellation() noexcept { return 0; }
void release_cancellation(int /*before*/) noexcept {}

void yield_thread() noexcept {
    const Guard guard;
    turn();
    (void)usocket_port_idle(0);
}

// --- Bells, and words in memory

Result<Fd> bell_open() noexcept {
    const Guard guard;
    return opened(new_sock(Sock::Kind::bell));
}

void bell_ring(Fd bell) noexcept {
    const Guard guard;
    Sock* sock = find(bell);
    if (sock == nullptr) return;
    sock->eof = true;
    changed(*sock);
}

Result<void> sleep_on_word(const std::atomic<std::uint32_t>& word, std::uint32_t value, Timeout timeout) noexcept {
    const Guard guard;
    Waiting waiting(timeout);
    while (word.load(std::memory_order_seq_cst) == value) {
        turn();
        const auto slept = waiting.sleep();
        if (slept == Waiting::Slept::interrupted) return Error(EINTR);
        if (slept == Waiting::Slept::timed_out) break;
    }
    return {};
}

void wake_word(const std::atomic<std::uint32_t>&) noexcept { usocket_port_wake(); }

// --- Queues that grow

Result<Fd> growth_open(Fd fd) noexcept {
    const Found target(fd);
    if (!target) return target.error();
    Sock* sock = new_sock(Sock::Kind::growth);
    if (sock == nullptr) return Error(ENFILE);
    sock->target = &*target;
    sock->changes = target->changes - 1;
    ++target->holders;
    return opened(sock);
}

bool growth_take(Fd growth) noexcept {
    const Guard guard;
    Sock* sock = find(growth);
    if (sock == nullptr) return true;
    const Sock& target = *sock->target;
    sock->changes = target.changes;
    return target.eof || target.no_read || target.state == Sock::State::closed;
}

Result<std::size_t> queued(Fd fd) noexcept {
    const Found sock(fd);
    if (!sock) return sock.error();
    turn();
    return sock->queue.size();
}

// Nothing is urgent in lwIP.
bool holds_more(Fd /*fd*/, std::size_t /*shown*/, bool /*has_mark*/) noexcept { return false; }
bool holds_nothing_urgent(Fd /*fd*/) noexcept { return true; }

// A peer does not send less than a segment when its window is as small as that.
Fullness queue_fullness(Fd fd) noexcept {
    const Found sock(fd);
    if (!sock || sock->kind != Sock::Kind::tcp || sock->state != Sock::State::connected) return Fullness::unknown;
    const tcp_pcb* pcb = sock->tcp;
    if (pcb == nullptr) return Fullness::unknown;
    if (pcb->rcv_ann_wnd == 0) return Fullness::full;
    return pcb->rcv_ann_wnd < pcb->mss ? Fullness::tight : Fullness::roomy;
}

}  // namespace usocket::sys

void usocket_lwip_turn(void) {
    const usocket::sys::Guard guard;
    usocket::sys::turn();
}
