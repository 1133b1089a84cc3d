// The table: what descriptors stand for. lwIP's callbacks hold nothing but its slots, and nothing in it is allocated.
#pragma once

#include <algorithm>

#include "sys/lwip/lwip.hpp"
#include "sys/lwip/queue.hpp"

// How many sockets there are at most, with those that wait to be accepted, bells and lookups; how many datagrams wait
// in all of them together; how many groups they are in.
#if !defined(USOCKET_LWIP_SOCKETS)
#define USOCKET_LWIP_SOCKETS 32
#endif
#if !defined(USOCKET_LWIP_DATAGRAMS)
#define USOCKET_LWIP_DATAGRAMS 32
#endif
#if !defined(USOCKET_LWIP_MEMBERSHIPS)
#define USOCKET_LWIP_MEMBERSHIPS 8
#endif
// How many bytes of datagrams wait in one socket, until SO_RCVBUF says otherwise.
#if !defined(USOCKET_LWIP_RCVBUF)
#define USOCKET_LWIP_RCVBUF 16384
#endif

namespace usocket::sys {

struct Endpoint {
    ip_addr_t ip{};
    std::uint16_t port = 0;
};

struct Datagram {
    Datagram* next;
    pbuf* data;  // nullptr: this is free
    Endpoint from;
};

struct Watch;

// What is put on each PCB that a socket gets, and on those of the connections that it accepts (put_options()).
struct PcbOptions {
    std::uint8_t so = 0;  // SOF_*
    std::uint8_t ttl = 0, tos = 0;
    bool nodelay = false;
    std::uint32_t keep_idle_ms = 0, keep_intvl_ms = 0, keep_cnt = 0;
};

struct Sock {
    enum class Kind : std::uint8_t { free, tcp, udp, bell, growth, lookup };
    enum class State : std::uint8_t { fresh, listening, connecting, connected, closed };

    Kind kind = Kind::free;
    State state = State::fresh;
    std::uint8_t family = 0;
    std::uint8_t holders = 0;  // descriptors, and growths
    bool nonblocking : 1 = false;
    bool bound : 1 = false;
    bool keeps_port : 1 = false;  // bind() has chosen it, for whatever PCB there will be
    bool keeps_ip : 1 = false;    // likewise, and not any address
    bool eof : 1 = false;         // the peer sends no more
    bool no_read : 1 = false;     // shut down
    bool no_write : 1 = false;    // likewise
    bool v6only : 1 = false;
    bool lingers : 1 = false;        // SO_LINGER is on
    bool lacks_memory : 1 = false;   // it had none to send with; until lwIP has given some back
    bool is_last_try : 1 = false;    // of connecting
    bool told = false;               // a connect() has said that it is connected
    std::uint16_t linger_s = 0;      // its time
    int error = 0;                   // SO_ERROR
    std::uint32_t lowat = 0;         // SO_RCVLOWAT, at least 1 once it is in use
    std::uint32_t rcvbuf = 0;        // SO_RCVBUF, of datagrams
    std::uint32_t timeouts_ms[2]{};  // SO_RCVTIMEO, SO_SNDTIMEO; 0: none
    std::uint32_t moved_at = 0;      // when nothing was under way, or some of it arrived, of sys_now()
    std::uint32_t changes = 0;       // how often something about it has changed
    PcbOptions options;
    union {
        tcp_pcb* tcp = nullptr;  // none: closed, or refused
        udp_pcb* udp;
        Sock* target;  // of a growth
    };
    Queue queue;  // of a stream
    Datagram* first_datagram = nullptr;
    std::uint32_t datagram_bytes = 0;
    Sock* first_pending = nullptr;  // of a listener: not yet accepted, in order
    Sock* next_pending = nullptr;   // behind this one, which is such a one
    Endpoint local, peer;           // once it has them
    Watch* watches = nullptr;       // of the pollers that look at it
};

// nullptr: all are in use.
Sock* new_sock(Sock::Kind kind) noexcept;
// Ends what it is; nothing refers to it any more.
void free_sock(Sock& sock) noexcept;
// One holder less.
void let_go(Sock& sock) noexcept;

// A descriptor for it. no_fd: there is none left.
Fd new_fd(Sock& sock) noexcept;
// nullptr: not open.
Sock* find(Fd fd) noexcept;
// The socket that a descriptor stands for, and nobody else uses lwIP, for as long as it lives.
class Found {
public:
    explicit Found(Fd fd) noexcept;
    // EBADF, ENOTSOCK; else there is one.
    [[nodiscard]] Error error() const noexcept { return error_; }
    explicit operator bool() const noexcept { return error_ == Error(); }
    Sock& operator*() const noexcept { return *sock_; }
    Sock* operator->() const noexcept { return sock_; }

private:
    const Guard guard_;
    Sock* const sock_;
    Error error_;
};
// Differs each time that the number is opened; 0: it is not.
std::uint32_t serial_of(Fd fd) noexcept;

// Its options on its PCB, if it has one.
void put_options(Sock& sock) noexcept;

// What it is ready for: poll_*.
unsigned ready(const Sock& sock) noexcept;
// Something that ready() may show is different: whoever waits looks again.
void changed(Sock& sock) noexcept;
// poller.cpp: its watches look again; they have lost it, or a number of it.
void note_watches(const Sock& sock) noexcept;
void drop_watches(Sock& sock) noexcept;

// lookup.cpp: a lookup has ended; ends those whose time is over; when the next one's is, of now(), INT64_MAX: none's;
// nobody waits for any more.
bool is_lookup_done(const Sock& sock) noexcept;
void end_lookups() noexcept;
std::int64_t next_lookup_end() noexcept;
void leave_lookups() noexcept;

}  // namespace usocket::sys
