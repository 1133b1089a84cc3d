#include "sys/lwip/udp.hpp"

#include <climits>

#include "lwip/prot/ip6.h"
#include "sys/lwip/groups.hpp"

namespace usocket::sys {
namespace {

Datagram datagrams[USOCKET_LWIP_DATAGRAMS];

// All that arrives comes in buffers of one pool: datagrams that nobody reads may have half of it.
constexpr unsigned most_buffers = MEMP_MEM_MALLOC != 0 ? UINT_MAX : PBUF_POOL_SIZE / 2;
unsigned buffers = 0;

unsigned buffers_of(const pbuf* data) noexcept {
    unsigned count = 0;
    for (; data != nullptr; data = data->next) count += pbuf_match_allocsrc(data, PBUF_POOL) ? 1 : 0;
    return count;
}

Datagram* new_datagram() noexcept {
    for (Datagram& one : datagrams) {
        if (one.data == nullptr) return &one;
    }
    return nullptr;
}

unsigned count_of(const Sock& sock) noexcept {
    unsigned count = 0;
    for (const Datagram* one = sock.first_datagram; one != nullptr; one = one->next) ++count;
    return count;
}

void drop(Sock& sock, Datagram*& link) noexcept {
    Datagram& gone = *link;
    link = gone.next;
    sock.datagram_bytes -= gone.data->tot_len;
    buffers -= buffers_of(gone.data);
    pbuf_free(std::exchange(gone.data, nullptr));
}

void on_recv(void* arg, udp_pcb*, pbuf* data, const ip_addr_t* from, std::uint16_t port) noexcept;

// Whoever has the most loses the last one that came, though never its only one: it may have been shown already. False:
// nobody has more than this one.
bool make_room(const Sock& sock) noexcept {
    Sock* most = nullptr;
    unsigned count = std::max(count_of(sock), 1u);
    for (const udp_pcb* pcb = udp_pcbs; pcb != nullptr; pcb = pcb->next) {
        if (pcb->recv != on_recv) continue;
        auto& one = *static_cast<Sock*>(pcb->recv_arg);
        const unsigned its = count_of(one);
        if (its <= count) continue;
        most = &one;
        count = its;
    }
    if (most == nullptr) return false;
    Datagram** last = &most->first_datagram;
    while (--count != 0) last = &(*last)->next;
    drop(*most, *last);
    return true;
}

// What nobody has room for is lost, as datagrams may be.
void on_recv(void* arg, udp_pcb*, pbuf* data, const ip_addr_t* from, std::uint16_t port) noexcept {
    auto& sock = *static_cast<Sock*>(arg);
    // One finds room in an empty queue, however large.
    const bool is_bounded = sock.datagram_bytes == 0 || sock.datagram_bytes + data->tot_len <= sock.rcvbuf;
    Datagram* datagram = nullptr;
    if (is_bounded && !sock.no_read && buffers_of(data) <= most_buffers) {
        do datagram = buffers_of(data) <= most_buffers - buffers ? new_datagram() : nullptr;
        while (datagram == nullptr && make_room(sock));
    }
    if (datagram == nullptr) {
        pbuf_free(data);
        return;
    }
    *datagram = {nullptr, data, {*from, port}};
    Datagram** end = &sock.first_datagram;
    while (*end != nullptr) end = &(*end)->next;
    *end = datagram;
    sock.datagram_bytes += data->tot_len;
    buffers += buffers_of(data);
    changed(sock);
}

// Of all pieces. nullptr: no memory. The largest datagrams have no room left for headers to be put before them.
pbuf* joined(Gathered pieces, std::size_t size) noexcept {
    constexpr std::size_t largest_with_room = 60000;
    const auto layer = size <= largest_with_room ? PBUF_TRANSPORT : PBUF_RAW;
    pbuf* data = pbuf_alloc(layer, static_cast<std::uint16_t>(size), PBUF_RAM);
    if (data == nullptr) return nullptr;
    std::size_t done = 0;
    for (const ConstBuffer& piece : pieces) {
        if (piece.size() == 0) continue;
        (void)pbuf_take_at(data, piece.data(), static_cast<std::uint16_t>(piece.size()),
                           static_cast<std::uint16_t>(done));
        done += piece.size();
    }
    return data;
}

#if LWIP_MULTICAST_TX_OPTIONS && LWIP_HAVE_LOOPIF
bool goes_to_loopback(const udp_pcb& pcb, const ip_addr_t& to) noexcept {
    const std::uint8_t chosen = udp_get_multicast_netif_index(&pcb);
    const netif* way = chosen != 0 ? netif_get_by_index(chosen) : ip_route(&pcb.local_ip, &to);
    return way != nullptr && way->name[0] == 'l' && way->name[1] == 'o';
}

// What goes out by the loopback interface comes back as it is, and would twice.
err_t send_to(udp_pcb& pcb, pbuf* data, const Endpoint& to) noexcept {
    const bool loops = (udp_flags(&pcb) & UDP_FLAGS_MULTICAST_LOOP) != 0;
    const bool is_twice = loops && ip_addr_ismulticast(&to.ip) && goes_to_loopback(pcb, to.ip);
    if (is_twice) set_loop(pcb, false);
    const err_t error = udp_sendto(&pcb, data, &to.ip, to.port);
    if (is_twice) set_loop(pcb, true);
    return error;
}
#else
err_t send_to(udp_pcb& pcb, pbuf* data, const Endpoint& to) noexcept { return udp_sendto(&pcb, data, &to.ip, to.port); }
#endif

}  // namespace

#if LWIP_MULTICAST_TX_OPTIONS
void set_loop(udp_pcb& pcb, bool on) noexcept {
    const unsigned others = udp_flags(&pcb) & ~unsigned{UDP_FLAGS_MULTICAST_LOOP};
    udp_setflags(&pcb, static_cast<std::uint8_t>(others | (on ? UDP_FLAGS_MULTICAST_LOOP : 0u)));
}
#endif

Error open_udp(Sock& sock) noexcept {
    sock.udp = udp_new_ip_type(sock.family == static_cast<std::uint8_t>(af_inet) ? IPADDR_TYPE_V4 : IPADDR_TYPE_ANY);
    if (sock.udp == nullptr) return Error(ENOBUFS);
    sock.rcvbuf = USOCKET_LWIP_RCVBUF;
    udp_recv(sock.udp, on_recv, &sock);
#if LWIP_MULTICAST_TX_OPTIONS
    // As others have it: RFC 1112 wants groups asked for beyond the own network by name, and this board may be a
    // member.
    udp_set_multicast_ttl(sock.udp, 1);
    set_loop(*sock.udp, ENABLE_LOOPBACK);
#endif
    return Error();
}

unsigned ready_udp(const Sock& sock) noexcept {
    return poll_out | (sock.first_datagram != nullptr || sock.no_read ? poll_in : 0) | (sock.error != 0 ? poll_err : 0);
}

Result<Received> receive_udp(Sock& sock, Scattered pieces, bool peeks) noexcept {
    if (sock.first_datagram == nullptr) return sock.no_read ? Result<Received>(Received()) : Error(EAGAIN);
    const Datagram& first = *sock.first_datagram;
    Received received{0, first.data->tot_len, true, first.from};
    for (const MutableBuffer& piece : pieces) {
        const auto room = static_cast<std::uint16_t>(std::min<std::size_t>(piece.size(), 0xffff));
        const auto offset = static_cast<std::uint16_t>(received.size);
        if (room != 0) received.size += pbuf_copy_partial(first.data, piece.data(), room, offset);
    }
    if (!peeks) drop(sock, sock.first_datagram);
    return received;
}

Result<std::size_t> send_udp(Sock& sock, Gathered pieces, const Endpoint* to) noexcept {
    if (sock.no_write) return Error(EPIPE);
    const Endpoint& target = to != nullptr ? *to : sock.peer;
    if (to == nullptr && sock.state != Sock::State::connected) return Error(EDESTADDRREQ);
    if (target.port == 0) return Error(EINVAL);
    std::size_t size = 0;
    for (const ConstBuffer& piece : pieces) size += piece.size();
    // lwIP counts a packet's bytes in 16 bits, its headers with it, IPv6's too.
    const std::size_t largest = 0xffff - UDP_HLEN - (IP_IS_V6_VAL(target.ip) ? IP6_HLEN : IP_HLEN);
    if (size > largest) return Error(EMSGSIZE);
    pbuf* data = joined(pieces, size);
    if (data == nullptr) return Error(ENOBUFS);
    const err_t error = send_to(*sock.udp, data, target);
    pbuf_free(data);
    sock.bound = sock.udp->local_port != 0;
    deliver();
    if (error == ERR_OK) return size;
    // Broadcasting wants SO_BROADCAST.
    return error == ERR_VAL ? Error(EACCES) : error == ERR_MEM ? Error(ENOBUFS) : error_of(error);
}

Error connect_udp(Sock& sock, const Endpoint& peer) noexcept {
    const err_t error = udp_connect(sock.udp, &peer.ip, peer.port);
    if (error != ERR_OK) return error_of(error);
    sock.state = Sock::State::connected;
    sock.bound = true;
    sock.peer = peer;
    return Error();
}

void end_udp(Sock& sock) noexcept {
    leave_groups(sock);
    while (sock.first_datagram != nullptr) drop(sock, sock.first_datagram);
    if (sock.udp != nullptr) udp_remove(std::exchange(sock.udp, nullptr));
}

}  // namespace usocket::sys
