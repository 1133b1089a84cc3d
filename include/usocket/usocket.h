// usocket for C, and for every language that can call C: sockets that are streams, addresses, getaddrinfo, connecting,
// polling, TLS. C99 and C++; the guide is docs/c.md.
//
// Objects (usocket_socket_t, usocket_poll_t, ...) lie where their user puts them, aligned as their types are. What an
// init function has made is ended by the destroy function of the same name, and neither copied nor moved meanwhile.
// Addresses, bytes, timeouts and deadlines are plain values.
//
// A function that may fail returns a usocket_error_t, 0 if it went well. What it gives besides goes to where its last
// pointers say, and, unless it says otherwise, only if it went well. Nothing throws.
//
// Functions that may wait have a last argument `call`: NULL, or what usocket_call_init() has made of memory of the
// caller's: a deadline, and the host that lets its other threads run. The functions of a socket may be called from
// several threads at once, usocket_close() too; init, destroy and what gives a socket its timeout may not.
//
// Names in brackets, such as (TIME-2), are rules of docs/rules.md. AF_INET, MSG_PEEK, POLLIN, EAGAIN and the like are
// the system's own, from its headers.
#ifndef USOCKET_USOCKET_H
#define USOCKET_USOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "usocket/version.hpp"

#if defined(__GNUC__)
#define USOCKET_C_ALIGNED __attribute__((aligned(8)))
// The library reads and writes it by a type of its own.
#define USOCKET_C_SHARED __attribute__((may_alias))
#else
#define USOCKET_C_ALIGNED
#define USOCKET_C_SHARED
#endif
#if defined(USOCKET_BUILDS_SHARED)
#define USOCKET_C_API __attribute__((visibility("default")))
#else
#define USOCKET_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

// --- Version and errors

// "0.1.0", of the library; USOCKET_VERSION_STRING is that of this header (NAME-5).
USOCKET_C_API const char* usocket_version(void);

// 0: none. Positive: an errno. Negative: a resolver code, EAI_NONAME and so on. From USOCKET_FIRST_FAULT on: an
// argument that no system would accept, or why TLS ended. Compare it with an errno or EAI_* as it is.
typedef int32_t usocket_error_t;
enum { USOCKET_FIRST_FAULT = 1 << 24 };

// The number to show: a positive errno (of a fault EINVAL, of a failure of TLS EACCES, EPROTO, ...) or a negative
// resolver code. EINTR means that the host gave the call up and has an exception to raise.
USOCKET_C_API int usocket_code(usocket_error_t error);
// What it says, and of a fault what would be right. Lives as long as the program (of an errno that the system does not
// know: until this thread's next call).
USOCKET_C_API const char* usocket_message(usocket_error_t error);
// An argument was wrong: what is a ValueError in Python.
USOCKET_C_API bool usocket_is_fault(usocket_error_t error);

// --- Bytes

// Bytes to read, or text, which needs no NUL at its end: the caller's, for the length of a call.
typedef struct {
    const void* data;
    size_t size;
} USOCKET_C_SHARED usocket_bytes_t;

// Bytes to fill.
typedef struct {
    void* data;
    size_t size;
} USOCKET_C_SHARED usocket_room_t;

// Of a C string; NULL: none.
static inline usocket_bytes_t usocket_text(const char* text) {
    usocket_bytes_t bytes;
    bytes.data = text;
    bytes.size = text ? strlen(text) : 0;
    return bytes;
}

// --- Time (TIME-1, TIME-2, TIME-10)

// How long a call may take, in nanoseconds. Negative: for ever. 0: not at all, that is non-blocking.
typedef struct {
    int64_t nanoseconds;
} usocket_timeout_t;

// Until when calls may last: a point of the monotonic clock, in nanoseconds. 0: no deadline.
typedef struct {
    int64_t nanoseconds;
} usocket_deadline_t;

// Blocking, for ever.
static inline usocket_timeout_t usocket_no_timeout(void) {
    usocket_timeout_t timeout;
    timeout.nanoseconds = -1;
    return timeout;
}
// Non-blocking.
static inline usocket_timeout_t usocket_at_once(void) {
    usocket_timeout_t timeout;
    timeout.nanoseconds = 0;
    return timeout;
}
// So many milliseconds. None left, or fewer: a time that has passed, ETIMEDOUT, and not non-blocking.
static inline usocket_timeout_t usocket_ms(int64_t milliseconds) {
    usocket_timeout_t timeout;
    timeout.nanoseconds = milliseconds <= 0                    ? 1
                          : milliseconds > INT64_MAX / 1000000 ? INT64_MAX
                                                               : milliseconds * 1000000;
    return timeout;
}
// Rounded up. NaN, a negative number or more than 9223372036: a fault.
USOCKET_C_API usocket_error_t usocket_seconds(double seconds, usocket_timeout_t* timeout);

// So long from now; of no timeout no deadline.
USOCKET_C_API usocket_deadline_t usocket_deadline_after(usocket_timeout_t timeout);
// What is left of it; a time that has passed if nothing is.
USOCKET_C_API usocket_timeout_t usocket_deadline_left(usocket_deadline_t deadline);

// --- Hosts: what a language supplies so that its threads and its signals live while a call waits

// Each of the functions may be NULL. They must not throw and must not longjmp.
typedef struct {
    // Before the thread may sleep: lets the host's other threads run. What it returns goes to enter().
    void* (*leave)(void);
    // After it: takes the host back. Memory of the host's is touched between enter() and leave() only.
    void (*enter)(void* token);
    // After a signal, inside the host: runs its handlers. True: the call ends with EINTR, and the host has an exception
    // to raise (TIME-5).
    bool (*interrupted)(void);
    // Its signal handlers may longjmp out of a call, and then it calls usocket_unwound().
    bool unwinds;
    // It only notes a signal: a call that waits asks interrupted() now and then.
    bool looks_for_signals;
} USOCKET_C_SHARED usocket_host_t;

// realloc() and free() in one: memory of `size` bytes with what was in `memory`, or NULL if there is none; with a size
// of 0 it frees and returns NULL. It must not longjmp.
typedef void* (*usocket_resize_t)(void* memory, size_t size);

// Where all memory is from (what TLS takes is that of its library), and, for a host that unwinds, what keeps its signal
// handlers from a longjmp between `hold` and `release`, which come in pairs, also nested. By default realloc() and
// free(), and nothing. To be set before all else.
USOCKET_C_API void usocket_set_resize(usocket_resize_t resize);
USOCKET_C_API void usocket_set_signals(void (*hold)(void), void (*release)(void));

// A host that compiles the core itself, with USOCKET_HOST_HOOKS, supplies these three instead of setting them, in the
// same program.
#if defined(USOCKET_HOST_HOOKS) && defined(__GNUC__)
#define USOCKET_C_HOOK __attribute__((visibility("hidden")))
USOCKET_C_HOOK void* usocket_host_resize(void* memory, size_t size);
USOCKET_C_HOOK void usocket_host_hold_signals(void);
USOCKET_C_HOOK void usocket_host_release_signals(void);
#else
void* usocket_host_resize(void* memory, size_t size);
USOCKET_C_API void usocket_host_hold_signals(void);
USOCKET_C_API void usocket_host_release_signals(void);
#endif

// --- Calls

// What one call is given, and what it remembers: in the caller's frame, for its length.
typedef struct {
    USOCKET_C_ALIGNED uint64_t space[32];
} USOCKET_C_SHARED usocket_call_t;

// For one call. host: NULL if there is none. The deadline counts instead of the socket's timeout, if it is one. Returns
// the call.
USOCKET_C_API usocket_call_t* usocket_call_init(usocket_call_t* call, const usocket_host_t* host,
                                                usocket_deadline_t deadline);

#if !defined(__cplusplus)
// As the last argument of a call: until then, whatever the socket's timeout is.
#define USOCKET_BY(deadline) usocket_call_init(&(usocket_call_t){{0}}, NULL, (deadline))
#endif

// --- Memory that grows as bytes arrive, from usocket_resize_t, with room for a NUL behind them

typedef struct {
    void* space[5];
} USOCKET_C_SHARED usocket_sink_t;

USOCKET_C_API void usocket_sink_init(usocket_sink_t* sink);
USOCKET_C_API void usocket_sink_destroy(usocket_sink_t* sink);
// Empty again; the memory stays.
USOCKET_C_API void usocket_sink_clear(usocket_sink_t* sink);
// Makes room for `size` bytes more. False: there is no memory.
USOCKET_C_API bool usocket_sink_reserve(usocket_sink_t* sink, size_t size);
USOCKET_C_API uint8_t* usocket_sink_data(const usocket_sink_t* sink);
USOCKET_C_API size_t usocket_sink_size(const usocket_sink_t* sink);
USOCKET_C_API size_t usocket_sink_capacity(const usocket_sink_t* sink);

// --- Addresses: plain values, opaque until they are taken apart (ADDR-1)

typedef struct {
    USOCKET_C_ALIGNED uint64_t space[17];
} USOCKET_C_SHARED usocket_address_t;

enum { USOCKET_ADDRESS_TEXT = 448, USOCKET_HOST_TEXT = 48 };

// An IP address, port and so on, as a program has them. The numbers are whatever it got.
typedef struct {
    usocket_bytes_t host;  // numeric text; empty: the wildcard. May have a zone: "fe80::1%eth0" (ADDR-8)
    int64_t port;          // 0..65535; 0: any, for usocket_bind()
    int64_t flowinfo;      // 0
    int64_t scopeid;       // an interface's number, 0: none
} usocket_inet_t;

// AF_INET or AF_INET6. What is wrong is a fault (ADDR-2, ADDR-3); usocket_tuple_element() says where.
USOCKET_C_API usocket_error_t usocket_address_inet(usocket_address_t* address, int family, const usocket_inet_t* from);
// What an address is taken apart into, put together again (ADDR-8): `host` is its payload, the numbers are those of
// usocket_address_decode(). Of any family; for others than AF_INET and AF_INET6 the numbers do not count.
USOCKET_C_API usocket_error_t usocket_address_from_parts(usocket_address_t* address, int family,
                                                         const usocket_inet_t* from);
// AF_UNIX: a path; on Linux one that begins with a NUL is an abstract name (ADDR-4). Of any other family: a fault.
USOCKET_C_API usocket_error_t usocket_address_path(usocket_address_t* address, int family, usocket_bytes_t path);
// The bytes of a struct sockaddr, checked for their length (ADDR-6).
USOCKET_C_API usocket_error_t usocket_address_native(usocket_address_t* address, usocket_bytes_t native);
// What usocket_address_text() gives: "127.0.0.1:80", "[::1]:80", "unix:/run/server" (ADDR-9).
USOCKET_C_API usocket_error_t usocket_address_parse(usocket_address_t* address, usocket_bytes_t text);

// The struct sockaddr in it; lives as long as the address.
USOCKET_C_API usocket_bytes_t usocket_address_bytes(const usocket_address_t* address);
// The IP address (4 or 16 bytes), the path, or else all that follows the family; likewise.
USOCKET_C_API usocket_bytes_t usocket_address_payload(const usocket_address_t* address);
// As text, for people and usocket_address_parse(), with a NUL behind it; returns its length.
USOCKET_C_API size_t usocket_address_text(const usocket_address_t* address, char text[USOCKET_ADDRESS_TEXT]);
// The same endpoint.
USOCKET_C_API bool usocket_address_equal(const usocket_address_t* one, const usocket_address_t* other);

enum { USOCKET_INET, USOCKET_INET6, USOCKET_UNIX, USOCKET_OTHER };

// What is in one (ADDR-5).
typedef struct {
    int kind;    // USOCKET_INET, ...
    int family;  // AF_INET, ...; 0 if the address is empty
    uint16_t port;
    uint32_t flowinfo, scopeid;
    char host[USOCKET_HOST_TEXT];  // the IP address as text, with a NUL behind it; else empty
    size_t host_size;
} usocket_decoded_t;
USOCKET_C_API void usocket_address_decode(const usocket_address_t* address, usocket_decoded_t* decoded);

// inet_ntop(3) and inet_pton(3) (ADDR-7). Malformed text: EINVAL; a wrong number of bytes: a fault; another family:
// EAFNOSUPPORT. There is a NUL behind the text, which `*size` does not count.
USOCKET_C_API usocket_error_t usocket_inet_ntop(int family, usocket_bytes_t packed, char text[USOCKET_HOST_TEXT],
                                                size_t* size);
USOCKET_C_API usocket_error_t usocket_inet_pton(int family, usocket_bytes_t text, uint8_t packed[16], size_t* size);

// --- Sockets (SOCK-1 to SOCK-8)

// 32 bytes on a 64-bit machine, 28 on one with 32 bits.
typedef struct {
    uint32_t numbers[2];
    void* aside;
    uint32_t more[4];
} USOCKET_C_SHARED usocket_socket_t;

enum { USOCKET_IPPROTO_SEC = 100 };  // a socket that TLS can be put on before it connects (TLS-2)

// A closed socket. Where a function makes one, it is given a closed socket.
USOCKET_C_API void usocket_init(usocket_socket_t* socket);
// Closes it; what is left is a closed socket.
USOCKET_C_API void usocket_destroy(usocket_socket_t* socket);
// AF_INET and SOCK_STREAM, for example; proto 0: the type's usual one (SOCK-1). Close-on-exec, without SIGPIPE
// (SOCK-2).
USOCKET_C_API usocket_error_t usocket_open(usocket_socket_t* socket, int family, int type, int proto);
// Two that are connected to one another; AF_UNIX.
USOCKET_C_API usocket_error_t usocket_pair(usocket_socket_t* first, usocket_socket_t* second, int family, int type,
                                           int proto);
// Takes over a descriptor of the system's.
USOCKET_C_API usocket_error_t usocket_adopt(usocket_socket_t* socket, int fd);
// As often as one likes; what is called afterwards ends with EBADF, and so does what waits in another thread (SOCK-3,
// SOCK-4).
USOCKET_C_API void usocket_close(usocket_socket_t* socket);
USOCKET_C_API bool usocket_is_closed(const usocket_socket_t* socket);
// `copy` becomes a second socket on the same connection, with the same timeout.
USOCKET_C_API usocket_error_t usocket_dup(usocket_socket_t* socket, usocket_socket_t* copy);
// Gives the descriptor away; the socket is closed then. EBUSY: another thread is in a call, or bytes are kept (TIME-6).
USOCKET_C_API usocket_error_t usocket_detach(usocket_socket_t* socket, int* fd);
// -1: closed. Whoever asks may use it: from now on nothing handed out stays in the system's queue (STRM-5).
USOCKET_C_API int usocket_fileno(usocket_socket_t* socket);
// For a host that unwinds: after a longjmp out of a function that was given the socket (NULL: none) and the call. What
// it had received is unread again (TIME-6).
USOCKET_C_API void usocket_unwound(usocket_socket_t* socket, usocket_call_t* call);

USOCKET_C_API usocket_error_t usocket_bind(usocket_socket_t* socket, const usocket_address_t* address);
// How many may wait to be accepted; a negative backlog counts as 0, this one as 128, or SOMAXCONN if that is lower.
#define USOCKET_DEFAULT_BACKLOG (-2147483647 - 1)
USOCKET_C_API usocket_error_t usocket_listen(usocket_socket_t* socket, int backlog);
// `conn`, a closed socket, becomes the connection, which blocks; `from`: who it is.
USOCKET_C_API usocket_error_t usocket_accept(usocket_socket_t* socket, usocket_socket_t* conn, usocket_address_t* from,
                                             usocket_call_t* call);
// Non-blocking: EINPROGRESS; then wait for POLLOUT and ask for SO_ERROR (TIME-4).
USOCKET_C_API usocket_error_t usocket_connect(usocket_socket_t* socket, const usocket_address_t* to,
                                              usocket_call_t* call);
// how: SHUT_RD, SHUT_WR or SHUT_RDWR.
USOCKET_C_API usocket_error_t usocket_shutdown(usocket_socket_t* socket, int how, usocket_call_t* call);

// As send(2) and recv(2) (SOCK-6). flags: MSG_*. Non-blocking: EAGAIN; too late: ETIMEDOUT (TIME-3). `count`: how many
// bytes went out or came in; none came in: the peer has shut down.
USOCKET_C_API usocket_error_t usocket_send(usocket_socket_t* socket, const void* data, size_t size, int flags,
                                           size_t* count, usocket_call_t* call);
// All of it.
USOCKET_C_API usocket_error_t usocket_sendall(usocket_socket_t* socket, const void* data, size_t size, int flags,
                                              usocket_call_t* call);
USOCKET_C_API usocket_error_t usocket_sendto(usocket_socket_t* socket, const void* data, size_t size, int flags,
                                             const usocket_address_t* to, size_t* count, usocket_call_t* call);
USOCKET_C_API usocket_error_t usocket_recv(usocket_socket_t* socket, void* data, size_t size, int flags, size_t* count,
                                           usocket_call_t* call);
USOCKET_C_API usocket_error_t usocket_recvfrom(usocket_socket_t* socket, void* data, size_t size, int flags,
                                               usocket_address_t* from, size_t* count, usocket_call_t* call);

// --- Streams (STRM-1 to STRM-5). Without short reads and writes when blocking. Non-blocking: what there was, EAGAIN if
// nothing moved at all. What a call that fails had received is what the next one gets first (TIME-6).

#define USOCKET_NO_LIMIT SIZE_MAX

// `limit` bytes, fewer only at the end; without a limit all until the end. The sink has to be empty, and is if it
// fails.
USOCKET_C_API usocket_error_t usocket_read(usocket_socket_t* socket, size_t limit, usocket_sink_t* into,
                                           usocket_call_t* call);
// Through the next newline, or `limit` bytes, or to the end. Empty: the end.
USOCKET_C_API usocket_error_t usocket_readline(usocket_socket_t* socket, size_t limit, usocket_sink_t* into,
                                               usocket_call_t* call);
// The same into memory of the caller's, whose size is the limit.
USOCKET_C_API usocket_error_t usocket_readinto(usocket_socket_t* socket, void* data, size_t size, size_t* count,
                                               usocket_call_t* call);
USOCKET_C_API usocket_error_t usocket_readline_into(usocket_socket_t* socket, void* data, size_t size, size_t* count,
                                                    usocket_call_t* call);
// All of it. `count`: how many bytes went out, also if it fails (TIME-10).
USOCKET_C_API usocket_error_t usocket_write(usocket_socket_t* socket, const void* data, size_t size, size_t* count,
                                            usocket_call_t* call);

// --- Messages: several pieces, and what goes beside them (SOCK-10)

// send() of the pieces as one. control: what usocket_ancillary_add() has made, or nothing; to: NULL is the peer.
USOCKET_C_API usocket_error_t usocket_sendmsg(usocket_socket_t* socket, const usocket_bytes_t* pieces,
                                              size_t pieces_count, usocket_bytes_t control, int flags,
                                              const usocket_address_t* to, size_t* count, usocket_call_t* call);

typedef struct {
    const usocket_room_t* pieces;  // filled one after the other
    size_t pieces_count;
    usocket_room_t control;  // for ancillary data; `size` becomes how much of it is in use
    size_t size;             // what came: bytes in the pieces; with MSG_TRUNC, of the whole message
    int flags;               // MSG_*, to be asked for; then MSG_TRUNC, MSG_CTRUNC, MSG_EOR, ...
    usocket_address_t from;  // empty if the system names none
} usocket_message_t;
USOCKET_C_API usocket_error_t usocket_recvmsg(usocket_socket_t* socket, usocket_message_t* message,
                                              usocket_call_t* call);

// SOL_SOCKET and SCM_RIGHTS with descriptors, for example. Received descriptors are close-on-exec, and the caller's.
typedef struct {
    int level;
    int type;
    usocket_bytes_t data;
} usocket_ancillary_t;
// How much control memory an item with so much data takes; 0: more than can be counted.
USOCKET_C_API size_t usocket_ancillary_space(size_t data_size);
// Puts an item behind the first `*used` bytes of the memory, which grow by it. ENOBUFS: there is no room.
USOCKET_C_API usocket_error_t usocket_ancillary_add(usocket_room_t memory, size_t* used,
                                                    const usocket_ancillary_t* item);
// The next item of received control memory, from `*position` on, at first 0. False: there is none.
USOCKET_C_API bool usocket_ancillary_next(usocket_bytes_t control, size_t* position, usocket_ancillary_t* item);

// `count` bytes of a regular file from `offset` on, or to its end; its own position stays. `sent`: how many went out,
// also if it fails. EINVAL: not a regular file.
USOCKET_C_API usocket_error_t usocket_sendfile(usocket_socket_t* socket, int file, uint64_t offset, size_t count,
                                               size_t* sent, usocket_call_t* call);

// --- A socket's options, and what it is

// Not while another thread is in a call.
USOCKET_C_API usocket_error_t usocket_settimeout(usocket_socket_t* socket, usocket_timeout_t timeout);
USOCKET_C_API usocket_timeout_t usocket_gettimeout(const usocket_socket_t* socket);
// True is no timeout, false non-blocking.
USOCKET_C_API usocket_error_t usocket_setblocking(usocket_socket_t* socket, bool blocking);
USOCKET_C_API bool usocket_getblocking(const usocket_socket_t* socket);
// SOL_SOCKET and SO_KEEPALIVE, for example (SOCK-7): as an int, or as the bytes of a struct.
USOCKET_C_API usocket_error_t usocket_setsockopt(usocket_socket_t* socket, int level, int name, int value);
USOCKET_C_API usocket_error_t usocket_setsockopt_bytes(usocket_socket_t* socket, int level, int name,
                                                       usocket_bytes_t value);
USOCKET_C_API usocket_error_t usocket_getsockopt(usocket_socket_t* socket, int level, int name, int* value);
// `*size`: how much room there is, and then how much was filled.
USOCKET_C_API usocket_error_t usocket_getsockopt_bytes(usocket_socket_t* socket, int level, int name, void* value,
                                                       size_t* size);
// A multicast group, on the interface of this number; 0: that of the address's scopeid, else the system's choice.
USOCKET_C_API usocket_error_t usocket_join_group(usocket_socket_t* socket, const usocket_address_t* group,
                                                 uint32_t interface_number);
USOCKET_C_API usocket_error_t usocket_leave_group(usocket_socket_t* socket, const usocket_address_t* group,
                                                  uint32_t interface_number);

USOCKET_C_API usocket_error_t usocket_getsockname(usocket_socket_t* socket, usocket_address_t* address);
USOCKET_C_API usocket_error_t usocket_getpeername(usocket_socket_t* socket, usocket_address_t* address);
USOCKET_C_API int usocket_family(const usocket_socket_t* socket);
USOCKET_C_API int usocket_type(const usocket_socket_t* socket);
USOCKET_C_API int usocket_proto(const usocket_socket_t* socket);
// Which of POLLIN and POLLOUT are there now, kept bytes included (POLL-5), and POLLERR, POLLHUP; closed: POLLNVAL.
USOCKET_C_API unsigned usocket_poll_now(usocket_socket_t* socket, unsigned events);
// For a host with a collector: a word of its own, NULL at first. The socket leads to it, and of what the library has
// nothing else does, so that what it points to lives as long as the socket. NULL: there is none yet, since the socket
// has never been registered in a poll.
USOCKET_C_API void** usocket_host_word(usocket_socket_t* socket);
// "fd=3, family=2, type=1, proto=6, timeout=None, laddr=('127.0.0.1', 80), raddr=...", without a NUL; returns its
// length, which is at most `size`.
USOCKET_C_API size_t usocket_describe(usocket_socket_t* socket, char* text, size_t size);

// --- Resolving (GAI-1 to GAI-4)

// All zero: anything.
typedef struct {
    usocket_bytes_t host;     // a name or numeric text; data NULL: loopback, or with AI_PASSIVE the wildcard
    usocket_bytes_t service;  // a name or a decimal number; data NULL: none, or the port
    bool has_port;
    int64_t port;
    int family, type, proto;  // 0: any
    int flags;                // AI_*
} usocket_query_t;

// What was found; NULL: nothing.
typedef struct {
    void* first;
} USOCKET_C_SHARED usocket_addrinfo_list_t;

typedef struct {
    const void* next;  // begins with the list's `first`
    int family, type, proto;
    usocket_bytes_t canonname;  // empty if there is none; lives as long as the list
    usocket_address_t address;
} usocket_addrinfo_t;

// In the system's order. A negative resolver code, or the errno where that says EAI_SYSTEM. If it fails the list is
// empty.
USOCKET_C_API usocket_error_t usocket_getaddrinfo(const usocket_query_t* query, usocket_addrinfo_list_t* list,
                                                  usocket_call_t* call);
// Takes one entry on. False: there is none any more.
USOCKET_C_API bool usocket_addrinfo_next(usocket_addrinfo_t* entry);
USOCKET_C_API void usocket_addrinfo_free(usocket_addrinfo_list_t* list);

// --- Connecting to a host, listening on one (GAI-5)

// What to connect to, or to listen on. All zero, but for a port: AF_INET and AF_INET6, of any address.
typedef struct {
    usocket_bytes_t host;             // a name or numeric text; data NULL: localhost, or to listen every address
    usocket_bytes_t service;          // a name or a decimal number; data NULL: the port
    int64_t port;                     // 0..65535
    int family;                       // to connect: AF_INET or AF_INET6 alone; 0: both
    const usocket_address_t* source;  // to connect from; NULL: the system's choice
    int backlog;                      // to listen: as usocket_listen() has it, but for 0, which is the default
    bool reuse_port;                  // to listen: SO_REUSEPORT
} usocket_endpoint_t;

// Which addresses failed, and why; with a NUL behind it.
typedef struct {
    char message[512];
} usocket_failure_t;

// Resolves, tries the addresses of both families as RFC 8305 says, and makes `conn`, a closed socket, the first that is
// connected: all by the call's deadline. It blocks then. failure: NULL, or what is filled if it fails.
USOCKET_C_API usocket_error_t usocket_create_connection(const usocket_endpoint_t* to, usocket_socket_t* conn,
                                                        usocket_failure_t* failure, usocket_call_t* call);
// `listener`, a closed socket, listens on the first of the host's addresses that can be bound, with SO_REUSEADDR;
// without a host on IPv6 and IPv4 at once.
USOCKET_C_API usocket_error_t usocket_create_server(const usocket_endpoint_t* on, usocket_socket_t* listener,
                                                    usocket_failure_t* failure, usocket_call_t* call);

// What usocket_create_connection() has under way, for a host that unwinds: it lies where the host finds it after a
// longjmp. For one connection.
typedef struct {
#if defined(USOCKET_SMALL)
    USOCKET_C_ALIGNED uint64_t space[128];
#else
    USOCKET_C_ALIGNED uint64_t space[320];
#endif
} USOCKET_C_SHARED usocket_connecting_t;

USOCKET_C_API void usocket_connecting_init(usocket_connecting_t* connecting);
// Once, and then there is nothing to end.
USOCKET_C_API usocket_error_t usocket_connecting_run(usocket_connecting_t* connecting, const usocket_endpoint_t* to,
                                                     usocket_socket_t* conn, usocket_failure_t* failure,
                                                     usocket_call_t* call);
// After a longjmp out of it.
USOCKET_C_API void usocket_connecting_unwound(usocket_connecting_t* connecting, usocket_call_t* call);

// --- Polling (POLL-1 to POLL-7). All but init and destroy from several threads at once, also while others wait.

typedef struct {
    void* state;
    uint32_t wakes;
#if !defined(USOCKET_SMALL)
    uint32_t inside;
#endif
} USOCKET_C_SHARED usocket_poll_t;

// One that is registered; the poll's.
typedef struct usocket_registration usocket_registration_t;

typedef struct {
    int fd;           // -1: it has been closed
    unsigned events;  // POLLIN, POLLOUT, POLLERR, POLLHUP; POLLHUP and POLLNVAL of a closed one (POLL-3)
    void* userdata;
    usocket_registration_t* registration;
} USOCKET_C_SHARED usocket_event_t;

USOCKET_C_API void usocket_poll_init(usocket_poll_t* poll);
// What is left is one with nothing registered.
USOCKET_C_API void usocket_poll_destroy(usocket_poll_t* poll);
// events: POLLIN, POLLOUT. A socket that is registered already gets the new events and userdata. It may be closed and
// destroyed meanwhile: it is then reported until it is unregistered. registration: NULL, or where it goes to.
USOCKET_C_API usocket_error_t usocket_poll_register(usocket_poll_t* poll, usocket_socket_t* socket, unsigned events,
                                                    void* userdata, usocket_registration_t** registration);
// Any descriptor that can be polled; each time a registration of its own.
USOCKET_C_API usocket_error_t usocket_poll_register_fd(usocket_poll_t* poll, int fd, unsigned events, void* userdata,
                                                       usocket_registration_t** registration);
// EBADF: the number is no longer the file's that was registered (POLL-7).
USOCKET_C_API usocket_error_t usocket_poll_modify(usocket_poll_t* poll, usocket_registration_t* registration,
                                                  unsigned events);
USOCKET_C_API void usocket_poll_unregister(usocket_poll_t* poll, usocket_registration_t* registration);
// How many are registered.
USOCKET_C_API size_t usocket_poll_size(const usocket_poll_t* poll);
// Waits until something is ready, and puts at most `room` events into `events`; `count`: how many, 0 if the time is
// over or the poll was woken. What does not fit has its turn the next times; without room for one: EINVAL. one_shot:
// what is reported is watched no more until it is modified.
USOCKET_C_API usocket_error_t usocket_poll_wait(usocket_poll_t* poll, usocket_event_t* events, size_t room,
                                                usocket_timeout_t timeout, bool one_shot, size_t* count,
                                                usocket_call_t* call);
// Ends one wait, the one that goes on or the next; from any thread or signal handler (POLL-6).
USOCKET_C_API void usocket_poll_wake(usocket_poll_t* poll);

// --- Constants: the system's, by name (NAME-3)

typedef struct {
    const char* name;
    long value;
} USOCKET_C_SHARED usocket_constant_t;

// AF_*, SOCK_*, SO_*, ... as the library was compiled with. False: the system has none of this name.
USOCKET_C_API bool usocket_constant(const char* name, size_t size, int64_t* value);
// All of them, sorted by name. Not with USOCKET_SMALL.
USOCKET_C_API const usocket_constant_t* usocket_constants(size_t* count);

// --- TLS (TLS-1 to TLS-7): in a library of its own, usocket-tls. A wrapped socket has all functions of a socket.

// What connections are made with. It may be changed while none is being made of it, and destroyed when that is done.
typedef struct {
    void* state;
} USOCKET_C_SHARED usocket_context_t;

enum { USOCKET_CERT_NONE, USOCKET_CERT_OPTIONAL, USOCKET_CERT_REQUIRED };

// ENOMEM. If it fails, too, it may be destroyed.
USOCKET_C_API usocket_error_t usocket_context_init(usocket_context_t* context);
USOCKET_C_API void usocket_context_destroy(usocket_context_t* context);
// Our own certificate, followed by those between it and a trusted one, and its key: PEM or DER.
USOCKET_C_API usocket_error_t usocket_context_set_cert_key(usocket_context_t* context, usocket_bytes_t cert,
                                                           usocket_bytes_t key);
// Trusts these issuers, PEM or DER, instead of those that the system trusts.
USOCKET_C_API usocket_error_t usocket_context_load_verify_locations(usocket_context_t* context,
                                                                    usocket_bytes_t certificates);
// USOCKET_CERT_*: whether the peer has to show a certificate that holds. Unless set: servers have to, clients do not.
// EINVAL: it is none of these.
USOCKET_C_API usocket_error_t usocket_context_set_cert_reqs(usocket_context_t* context, int reqs);
// ALPN, the best first, separated by commas: "h2,http/1.1".
USOCKET_C_API usocket_error_t usocket_context_set_alpn_protocols(usocket_context_t* context, usocket_bytes_t names);

// All zero: a client that puts the handshake off.
typedef struct {
    bool server_side;
    bool do_handshake;                // at once; else by the first call that needs it, or usocket_do_handshake()
    usocket_bytes_t server_hostname;  // what the server's certificate has to be for
    usocket_bytes_t session;          // what USOCKET_TLS_SESSION told of an earlier connection to the same peer
} usocket_tls_options_t;
// One that listens, or will, may be wrapped with server_side: what it accepts has TLS, with the handshake put off.
USOCKET_C_API usocket_error_t usocket_wrap(usocket_socket_t* socket, usocket_context_t* context,
                                           const usocket_tls_options_t* options, usocket_call_t* call);
USOCKET_C_API usocket_error_t usocket_do_handshake(usocket_socket_t* socket, usocket_call_t* call);

// What was agreed on: "TLSv1.3"; the cipher suite's name; the protocol of ALPN; the peer's certificate in DER; a
// session to take up later; a byte if this one was taken up.
enum {
    USOCKET_TLS_VERSION,
    USOCKET_TLS_CIPHER,
    USOCKET_TLS_PROTOCOL,
    USOCKET_TLS_CERTIFICATE,
    USOCKET_TLS_SESSION,
    USOCKET_TLS_IS_RESUMED
};
// Into a sink, which stays empty where there is none. ENOTCONN: the handshake has not ended.
USOCKET_C_API usocket_error_t usocket_tell(usocket_socket_t* socket, int fact, usocket_sink_t* into);

// --- For those who bind a language: what its arguments mean, so that the rules are the same in all. Numbers are
// whatever was given, saturated to 64 bits.

// An int of the system's: a family, a level, flags.
USOCKET_C_API usocket_error_t usocket_arg_int(int64_t number, int* value);
USOCKET_C_API usocket_error_t usocket_arg_backlog(int64_t number, int* backlog);
// POLLIN and so on.
USOCKET_C_API usocket_error_t usocket_arg_events(int64_t number, unsigned* events);
// Of recv(): 0..2147483647 (SOCK-6).
USOCKET_C_API usocket_error_t usocket_arg_bufsize(int64_t number, size_t* size);
// Of read() and readline(): -1, or none at all, is USOCKET_NO_LIMIT.
USOCKET_C_API usocket_error_t usocket_arg_limit(bool has_number, int64_t number, size_t* limit);
// The length that getsockopt() was given: 0..1024.
USOCKET_C_API usocket_error_t usocket_arg_option_length(int64_t number, size_t* size);
// The milliseconds of poll(): negative is no timeout (POLL-1).
USOCKET_C_API usocket_error_t usocket_arg_poll_timeout(double milliseconds, usocket_timeout_t* timeout);
// "rb", "wb" or "rwb" (STRM-6).
USOCKET_C_API usocket_error_t usocket_arg_makefile_mode(usocket_bytes_t mode);
// What recv_into(), readinto() and write() fill or send of a buffer (STRM-2, STRM-4).
USOCKET_C_API usocket_error_t usocket_arg_recv_part(usocket_room_t* buffer, int64_t nbytes);
USOCKET_C_API usocket_error_t usocket_arg_read_part(usocket_room_t* buffer, bool has_nbytes, int64_t nbytes);
USOCKET_C_API usocket_error_t usocket_arg_write_part(usocket_bytes_t* buffer, int64_t off, bool has_n, int64_t n);
// Whether an address tuple of this family may have so many elements (ADDR-2).
USOCKET_C_API usocket_error_t usocket_tuple_size(int family, size_t count);
// The same of what sockaddr() returns (ADDR-8).
USOCKET_C_API usocket_error_t usocket_parts_size(int family, size_t count);
// Which element of an address tuple an error is about, counted from the host; -1: the tuple as a whole.
USOCKET_C_API int usocket_tuple_element(usocket_error_t error);
// The error says that the host is a name and has to be resolved; that a port is out of range.
USOCKET_C_API bool usocket_is_name(usocket_error_t error);
USOCKET_C_API bool usocket_is_port(usocket_error_t error);
// Its addresses are paths: AF_UNIX.
USOCKET_C_API bool usocket_takes_paths(int family);

// Until the word is not `value` any more and somebody has called the other one, or so many milliseconds (negative: for
// ever), or for no reason at all.
USOCKET_C_API void usocket_sleep_on_word(const uint32_t* word, uint32_t value, int ms);
USOCKET_C_API void usocket_wake_word(const uint32_t* word);

// How much memory an object takes, aligned to 8 bytes, for a language that does not read this header; 0: unknown.
enum {
    USOCKET_SIZE_SOCKET,
    USOCKET_SIZE_ADDRESS,
    USOCKET_SIZE_CALL,
    USOCKET_SIZE_SINK,
    USOCKET_SIZE_POLL,
    USOCKET_SIZE_CONNECTING
};
USOCKET_C_API size_t usocket_size_of(int object);

#ifdef __cplusplus
}
#endif
#endif
