// How full a receive queue is: TCP_INFO and SO_MEMINFO.
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cstring>

#include "sys/posix/native.hpp"

namespace usocket::sys {
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

}  // namespace usocket::sys
