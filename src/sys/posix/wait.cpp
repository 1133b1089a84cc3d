// Time, and waiting for one descriptor.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/futex.h>
#include <linux/sock_diag.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#endif

#include <cerrno>
#include <climits>
#include <cstring>

#include "sys/posix/native.hpp"

namespace usocket::sys {

const unsigned poll_in = POLLIN;
const unsigned poll_out = POLLOUT;
const unsigned poll_err = POLLERR;
const unsigned poll_hup = POLLHUP;
const unsigned poll_nval = POLLNVAL;
#if defined(POLLRDHUP)
const unsigned poll_rdhup = POLLRDHUP;
#else
const unsigned poll_rdhup = 0;
#endif

std::int64_t now() noexcept {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec + 1;
}

namespace {

// For a system call that takes a span or, for none, null.
class Span {
public:
    explicit Span(Timeout timeout) noexcept : is_none_(timeout.is_none()) {
        if (is_none_) return;
        span_.tv_sec = static_cast<time_t>(timeout.nanoseconds() / 1'000'000'000);
        span_.tv_nsec = static_cast<long>(timeout.nanoseconds() % 1'000'000'000);
    }
    [[nodiscard]] const timespec* get() const noexcept { return is_none_ ? nullptr : &span_; }

private:
    timespec span_{};
    bool is_none_;
};

}  // namespace

// A descriptor of -1 is skipped by poll(2).
Result<unsigned> wait(Fd fd, unsigned events, Timeout timeout, Fd bell) noexcept {
    pollfd watched[] = {{fd, static_cast<short>(events), 0}, {bell, POLLIN, 0}};
    const Span span(timeout);
    if (::ppoll(watched, bell == no_fd ? 1 : 2, span.get(), nullptr) < 0) return last_error();
    return static_cast<unsigned>(static_cast<unsigned short>(watched[0].revents));
}

// --- Bells, and words in memory

#if defined(__linux__)

Result<Fd> bell_open() noexcept {
    const int bell = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (bell < 0) return last_error();
    return bell;
}

void bell_ring(Fd bell) noexcept {
    const std::uint64_t one = 1;
    (void)!::write(bell, &one, sizeof one);
}

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));
#if defined(SYS_futex_time64)
constexpr long futex = sizeof(time_t) > sizeof(long) ? SYS_futex_time64 : SYS_futex;
#else
constexpr long futex = SYS_futex;
#endif

Result<void> sleep_on_word(const std::atomic<std::uint32_t>& word, std::uint32_t value, Timeout timeout) noexcept {
    const Span span(timeout);
    const long result = ::syscall(futex, &word, FUTEX_WAIT_PRIVATE, value, span.get(), nullptr, 0);
    if (result < 0 && errno == EINTR) return Error(EINTR);
    return {};
}

void wake_word(const std::atomic<std::uint32_t>& word) noexcept {
    (void)::syscall(futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

#else

// Without one: whoever sleeps looks now and then.
Result<Fd> bell_open() noexcept { return Error(ENOSYS); }
void bell_ring(Fd) noexcept {}

Result<void> sleep_on_word(const std::atomic<std::uint32_t>&, std::uint32_t, Timeout) noexcept {
    const auto slept = wait(no_fd, 0, Timeout::of_nanoseconds(1'000'000));
    return slept.error();
}

void wake_word(const std::atomic<std::uint32_t>&) noexcept {}

#endif

// --- Queues that grow

Result<std::size_t> queued(Fd fd) noexcept {
    int count = 0;
    if (::ioctl(fd, FIONREAD, &count) < 0) return last_error();
    return static_cast<std::size_t>(count);
}

#if defined(__linux__)

Result<Fd> growth_open(Fd fd) noexcept {
    const int growth = ::epoll_create1(EPOLL_CLOEXEC);
    if (growth < 0) return last_error();
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
    if (::epoll_ctl(growth, EPOLL_CTL_ADD, fd, &event) == 0) return growth;
    const Error error = last_error();
    ::close(growth);
    return error;
}

bool growth_take(Fd growth) noexcept {
    epoll_event event{};
    if (::epoll_wait(growth, &event, 1, 0) != 1) return false;
    return (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
}

namespace {

// Of struct tcp_info: how large the peer's segments are, and the window that it was last told of, which is there since
// Linux 6.2 and not in older headers.
constexpr std::size_t rcv_mss_offset = 20;
constexpr std::size_t rcv_wnd_offset = 232;

// A queue that may take less than this was made small by its user; the system's own are larger (tcp(7), tcp_rmem).
constexpr std::uint32_t usual_rcvbuf = 128 * 1024;

std::uint32_t number_at(const unsigned char* bytes) noexcept {
    std::uint32_t number = 0;
    std::memcpy(&number, bytes, sizeof number);
    return number;
}

}  // namespace

// A window of TCP that is left may be too small to be worth a segment, which is up to half of the largest window, and
// that is half of the memory that the queue may take (sock_diag(7)). A small queue may lack the memory for a segment
// that fits its window: the system drops it. A queue of AF_UNIX is bounded by the sender's memory.
Fullness queue_fullness(Fd fd) noexcept {
    unsigned char info[rcv_wnd_offset + sizeof(std::uint32_t)] = {};
    socklen_t size = sizeof info;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &size) < 0) return Fullness::unknown;
    const bool tells_window = size == sizeof info;
    const std::uint32_t window = number_at(info + rcv_wnd_offset);
    if (tells_window && window == 0) return Fullness::full;
    std::uint32_t memory[SK_MEMINFO_VARS] = {};
    size = sizeof memory;
    if (::getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size) < 0) return Fullness::unknown;
    const std::uint32_t rcvbuf = memory[SK_MEMINFO_RCVBUF];
    const std::uint32_t taken = memory[SK_MEMINFO_RMEM_ALLOC];
    const std::uint32_t segment = number_at(info + rcv_mss_offset);
    const bool is_small = rcvbuf < usual_rcvbuf;
    const bool drops = is_small && taken + 2 * segment > rcvbuf;
    const bool is_shut = tells_window ? window <= (is_small ? rcvbuf / 4 : segment - 1) : taken > rcvbuf / 2;
    return drops || is_shut ? Fullness::tight : Fullness::roomy;
}

#else

Result<Fd> growth_open(Fd) noexcept { return Error(ENOSYS); }
bool growth_take(Fd) noexcept { return false; }
Fullness queue_fullness(Fd) noexcept { return Fullness::unknown; }

#endif

void yield_thread() noexcept { ::sched_yield(); }

}  // namespace usocket::sys
