// Datagrams.
#pragma once

#include "sys/lwip/table.hpp"

namespace usocket::sys {

// ENOBUFS: there is no PCB.
// IP_MULTICAST_LOOP.
void set_loop(udp_pcb& pcb, bool on) noexcept;
Error open_udp(Sock& sock) noexcept;
unsigned ready_udp(const Sock& sock) noexcept;
struct Received {
    std::size_t size = 0;   // copied
    std::size_t whole = 0;  // of the datagram
    bool has_sender = false;
    Endpoint from;
};
Result<Received> receive_udp(Sock& sock, Scattered pieces, bool peeks) noexcept;
// `to`: nullptr is the peer.
Result<std::size_t> send_udp(Sock& sock, Gathered pieces, const Endpoint* to) noexcept;
Error connect_udp(Sock& sock, const Endpoint& peer) noexcept;
void end_udp(Sock& sock) noexcept;

}  // namespace usocket::sys
