// Streams: what lwIP's TCP tells, and what it is told.
#pragma once

#include "sys/lwip/table.hpp"

// How many seconds a connection that was closed has to bring its bytes and its end to the peer, unless SO_LINGER says
// so.
#if !defined(USOCKET_LWIP_CLOSING)
#define USOCKET_LWIP_CLOSING 60
#endif
// For how many seconds a peer has taken nothing that is reset when others can send nothing for want of memory.
#if !defined(USOCKET_LWIP_STUCK)
#define USOCKET_LWIP_STUCK 30
#endif

namespace usocket::sys {

// Any address, as a socket of this family is bound to it: one of both families is to any of both.
const ip_addr_t& any_ip(const Sock& sock) noexcept;
// A PCB for it, if it has none, with its options and bound as it was. ENOBUFS: there is none; EADDRINUSE.
Error need_tcp(Sock& sock) noexcept;
Error listen_tcp(Sock& sock, int backlog) noexcept;
// The first that waits, which is the caller's then; nullptr: none.
Sock* accept_tcp(Sock& sock) noexcept;
// EINPROGRESS, whatever comes of it at once; EALREADY; EISCONN; what it has failed with.
Error connect_tcp(Sock& sock, const Endpoint& peer) noexcept;
// Ends the connection at once, or the attempt: a fresh socket, with its options and what it was bound to.
void dissolve_tcp(Sock& sock) noexcept;
Error shutdown_tcp(Sock& sock, bool reading, bool writing) noexcept;
unsigned ready_tcp(const Sock& sock) noexcept;
Result<std::size_t> receive_tcp(Sock& sock, MutableBuffer buffer, bool peeks) noexcept;
// Drops up to `count` bytes off the queue: how many.
std::size_t drop_tcp(Sock& sock, std::size_t count) noexcept;
// As much as lwIP has room for; EAGAIN if that is nothing. `more` will follow at once.
Result<std::size_t> write_tcp(Sock& sock, ConstBuffer data, bool more) noexcept;
// Sends what was written.
void output_tcp(Sock& sock) noexcept;
// Before lwIP's timers run: sees to what peers ask of it, and where memory is short to one that keeps some.
void attend_tcp() noexcept;
// Resets what was closed and has not come to its end: nothing of ours has a port any more.
void forget_closed_tcp() noexcept;
// Gives back all that it holds; its connection, if it has one, ends by itself.
void end_tcp(Sock& sock) noexcept;

}  // namespace usocket::sys
