// The core as the C files of this module see it: plain structures and functions, nothing of C++. What is opaque here
// is a C++ object of the core; bridge.cpp checks the sizes.
#ifndef USOCKET_BRIDGE_H
#define USOCKET_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// usocket::Error: 0 for none, an errno, a negative resolver code, or a larger number for a fault.
typedef struct {
    int32_t number;
} usocket_error_t;

static inline bool usocket_failed(usocket_error_t error) { return error.number != 0; }
bool usocket_core_is_fault(usocket_error_t error);
int usocket_core_code(usocket_error_t error);
const char* usocket_core_message(usocket_error_t error);

// In words of 64 and 32 bits, and in pointers, so that they are right for every size of a pointer.
typedef struct {
    uint32_t numbers[2];
    int64_t timeout;
    void* aside;
    uint32_t more[2];
} usocket_socket_t;
typedef struct {
    __attribute__((aligned(8))) uint64_t space[17];
} usocket_address_t;
typedef struct {
    __attribute__((aligned(8))) uint64_t space[32];
} usocket_call_t;
typedef struct {
    void* space[5];
} usocket_sink_t;

typedef struct {
    const void* data;
    size_t size;
} usocket_bytes_t;

// What a call that may wait is given, and what it gives back. Lives in the C frame that makes the call, so that
// usocket_core_unwound() finds it after a longjmp.
typedef struct {
    usocket_socket_t* socket;
    uint8_t* data;  // what is sent, or is to be filled
    size_t size;
    int flags;                  // MSG_*
    usocket_address_t address;  // where to, or where from
    usocket_socket_t* conn;     // closed; what accept() fills
    bool has_limit;             // read(), readline(): whether there is `limit`
    int64_t limit;
    usocket_sink_t sink;  // what they fill
    size_t count;         // how many bytes moved
    usocket_call_t call;
} usocket_request_t;

typedef usocket_error_t (*usocket_method_t)(usocket_request_t* request);

// Before a method gets the request; after a longjmp out of it.
void usocket_core_begin(usocket_request_t* request);
void usocket_core_unwound(usocket_request_t* request);

usocket_error_t usocket_core_accept(usocket_request_t* request);
usocket_error_t usocket_core_connect(usocket_request_t* request);
usocket_error_t usocket_core_send(usocket_request_t* request);
usocket_error_t usocket_core_sendall(usocket_request_t* request);
usocket_error_t usocket_core_sendto(usocket_request_t* request);
usocket_error_t usocket_core_recv(usocket_request_t* request);
usocket_error_t usocket_core_recvfrom(usocket_request_t* request);
usocket_error_t usocket_core_read(usocket_request_t* request);
usocket_error_t usocket_core_readline(usocket_request_t* request);
usocket_error_t usocket_core_readinto(usocket_request_t* request);
usocket_error_t usocket_core_write(usocket_request_t* request);

// A sink over memory of the host's collector, and what it holds.
void usocket_core_sink(usocket_sink_t* sink);
bool usocket_core_sink_reserve(usocket_sink_t* sink, size_t size);
uint8_t* usocket_core_sink_data(const usocket_sink_t* sink);
size_t usocket_core_sink_size(const usocket_sink_t* sink);
size_t usocket_core_sink_capacity(const usocket_sink_t* sink);

// --- A socket, without waiting. `socket` is memory for one (make), or one.
void usocket_core_make(usocket_socket_t* socket);
void usocket_core_destroy(usocket_socket_t* socket);
usocket_error_t usocket_core_open(usocket_socket_t* socket, int af, int type, int proto);
usocket_error_t usocket_core_pair(usocket_socket_t* first, usocket_socket_t* second, int af, int type, int proto);
usocket_error_t usocket_core_adopt(usocket_socket_t* socket, int fd);
void usocket_core_close(usocket_socket_t* socket);
usocket_error_t usocket_core_dup(usocket_socket_t* socket, usocket_socket_t* copy);
usocket_error_t usocket_core_detach(usocket_socket_t* socket, int* fd);
usocket_error_t usocket_core_bind(usocket_socket_t* socket, const usocket_address_t* address);
// Without a number: the core's default.
usocket_error_t usocket_core_listen(usocket_socket_t* socket, bool has_backlog, int64_t backlog);
usocket_error_t usocket_core_shutdown(usocket_request_t* request);  // how: its flags
usocket_error_t usocket_core_getsockname(usocket_socket_t* socket, usocket_address_t* address);
usocket_error_t usocket_core_getpeername(usocket_socket_t* socket, usocket_address_t* address);
// Without a number: None.
usocket_error_t usocket_core_settimeout(usocket_socket_t* socket, bool has_seconds, double seconds);
usocket_error_t usocket_core_check_timeout(double seconds);
bool usocket_core_gettimeout(const usocket_socket_t* socket, double* seconds);
usocket_error_t usocket_core_setblocking(usocket_socket_t* socket, bool blocking);
bool usocket_core_getblocking(const usocket_socket_t* socket);
usocket_error_t usocket_core_setsockopt(usocket_socket_t* socket, int level, int name, int value);
usocket_error_t usocket_core_setsockopt_bytes(usocket_socket_t* socket, int level, int name, usocket_bytes_t value);
usocket_error_t usocket_core_getsockopt(usocket_socket_t* socket, int level, int name, int* value);
// `size` is what there is room for, and then what was filled.
usocket_error_t usocket_core_getsockopt_bytes(usocket_socket_t* socket, int level, int name, void* value, size_t* size);
int usocket_core_fileno(usocket_socket_t* socket);
unsigned usocket_core_poll_now(usocket_socket_t* socket, unsigned events);
int usocket_core_family(const usocket_socket_t* socket);
int usocket_core_type(const usocket_socket_t* socket);
int usocket_core_proto(const usocket_socket_t* socket);
size_t usocket_core_describe(usocket_socket_t* socket, char* text, size_t size);

// --- Addresses
typedef struct {
    usocket_bytes_t host;  // text
    int64_t port, flowinfo, scopeid;
} usocket_inet_t;

usocket_error_t usocket_core_tuple_size(int family, size_t count);
usocket_error_t usocket_core_address_inet(usocket_address_t* address, int family, const usocket_inet_t* from);
// Which element of an address tuple the error is about; -1: the tuple as a whole.
int usocket_core_tuple_element(usocket_error_t error);
bool usocket_core_is_name(usocket_error_t error);  // the host is not numeric
bool usocket_core_takes_paths(int family);         // AF_UNIX
usocket_error_t usocket_core_address_path(usocket_address_t* address, int family, usocket_bytes_t path);
usocket_error_t usocket_core_address_native(usocket_address_t* address, usocket_bytes_t native);
usocket_bytes_t usocket_core_address_bytes(const usocket_address_t* address);
usocket_bytes_t usocket_core_address_payload(const usocket_address_t* address);

enum { USOCKET_INET, USOCKET_INET6, USOCKET_UNIX, USOCKET_OTHER };
typedef struct {
    int kind;    // one of the above
    int family;  // the system's number
    uint16_t port;
    uint32_t flowinfo, scopeid;
    char host[48];
    size_t host_size;
} usocket_decoded_t;
void usocket_core_address_decode(const usocket_address_t* address, usocket_decoded_t* decoded);

usocket_error_t usocket_core_inet_ntop(int family, usocket_bytes_t packed, char text[48], size_t* size);
usocket_error_t usocket_core_inet_pton(int family, usocket_bytes_t text, uint8_t packed[16], size_t* size);

// --- Resolving
typedef struct {
    usocket_request_t request;  // first, so that it is one; without a socket
    usocket_bytes_t host;       // data NULL: none
    usocket_bytes_t service;    // data NULL: none, or the port
    bool has_port;
    int64_t port;
    int family, type, proto, flags;
    void* found;  // the list, to be given to usocket_core_found_free(); NULL if empty
} usocket_query_t;
usocket_error_t usocket_core_getaddrinfo(usocket_request_t* query);
bool usocket_core_is_port(usocket_error_t error);  // the port is out of range
void usocket_core_found_free(void** found);

typedef struct {
    const void* next;  // at first the list
    int family, type, proto;
    usocket_bytes_t canonname;  // lives as long as the list
    usocket_address_t address;
} usocket_found_t;
// The next entry; false: there is none any more.
bool usocket_core_found_next(usocket_found_t* entry);

// --- Connecting to a host and a port
typedef struct {
    usocket_request_t request;  // first, so that it is one; without a socket. Its conn, closed, becomes the connection
    usocket_bytes_t host;
    usocket_bytes_t service;  // data NULL: the port
    int64_t port;
    bool has_source;
    usocket_address_t source;
    bool has_seconds;
    double seconds;     // for all of it together, and then the connection's timeout
    char message[512];  // which addresses failed, and why
    __attribute__((aligned(8))) uint64_t space[128];
} usocket_connecting_t;
// As usocket_core_begin() and usocket_core_unwound().
void usocket_core_connecting_begin(usocket_request_t* connecting);
void usocket_core_connecting_unwound(usocket_request_t* connecting);
usocket_error_t usocket_core_connecting(usocket_request_t* connecting);

// --- Polling
typedef struct {
    void* state;
    uint32_t wakes;
} usocket_poll_t;

// usocket::Poll::Event
typedef struct {
    int fd;
    unsigned events;
    void* userdata;
    void* registration;
} usocket_event_t;

typedef struct {
    usocket_request_t request;  // first, so that it is one; without a socket. Its count: how many events there are
    usocket_poll_t* poll;
    usocket_event_t* events;  // what it fills
    size_t room;
    double timeout_ms;  // negative: none
    bool one_shot;
} usocket_waiting_t;

void usocket_core_poll_make(usocket_poll_t* poll);
void usocket_core_poll_destroy(usocket_poll_t* poll);
// Without a socket: the descriptor.
usocket_error_t usocket_core_poll_register(usocket_poll_t* poll, usocket_socket_t* socket, int fd, unsigned events,
                                           void* userdata, void** registration);
usocket_error_t usocket_core_poll_modify(usocket_poll_t* poll, void* registration, unsigned events);
void usocket_core_poll_unregister(usocket_poll_t* poll, void* registration);
usocket_error_t usocket_core_poll(usocket_request_t* waiting);

// For a thread that runs nothing of the host's: sleeps until something is ready, wake() was called, or it cannot.
void usocket_core_watch(usocket_poll_t* poll);
void usocket_core_wake(usocket_poll_t* poll);
// Until the word is not `value` any more, or for no reason; a negative time: no limit.
void usocket_core_sleep_on_word(const uint32_t* word, uint32_t value, int ms);
void usocket_core_wake_word(const uint32_t* word);

// --- Arguments: rules that the core has for every host
usocket_error_t usocket_core_to_int(int64_t number, int* value);
usocket_error_t usocket_core_events(int64_t number, unsigned* events);
usocket_error_t usocket_core_bufsize(int64_t number, size_t* size);
usocket_error_t usocket_core_option_length(int64_t number, size_t* size);
usocket_error_t usocket_core_makefile_mode(usocket_bytes_t mode);
// These narrow the request's data and size.
usocket_error_t usocket_core_recv_part(usocket_request_t* request, int64_t nbytes);
usocket_error_t usocket_core_read_part(usocket_request_t* request, bool has_nbytes, int64_t nbytes);
usocket_error_t usocket_core_write_part(usocket_request_t* request, int64_t off, bool has_n, int64_t n);

#if USOCKET_TLS
// --- TLS (TLS-1..7). A context is a pointer to memory of the TLS library's.
typedef struct {
    void* state;
} usocket_context_t;
usocket_error_t usocket_core_context_make(usocket_context_t* context);
void usocket_core_context_destroy(usocket_context_t* context);
usocket_error_t usocket_core_context_cert_key(usocket_context_t* context, usocket_bytes_t cert, usocket_bytes_t key);
usocket_error_t usocket_core_context_issuers(usocket_context_t* context, usocket_bytes_t certificates);
usocket_error_t usocket_core_context_reqs(usocket_context_t* context, int reqs);  // 0: none, 1: optional, 2: required
usocket_error_t usocket_core_context_protocols(usocket_context_t* context, usocket_bytes_t names);

typedef struct {
    usocket_request_t request;  // first, so that it is one
    usocket_context_t* context;
    bool server_side, do_handshake;
    usocket_bytes_t server_hostname, session;
} usocket_wrapping_t;
usocket_error_t usocket_core_wrap(usocket_request_t* wrapping);
usocket_error_t usocket_core_do_handshake(usocket_request_t* request);

// usocket::tls::Fact
enum { USOCKET_VERSION, USOCKET_CIPHER, USOCKET_PROTOCOL, USOCKET_CERTIFICATE, USOCKET_SESSION, USOCKET_IS_RESUMED };
// Into the request's sink.
usocket_error_t usocket_core_tell(usocket_request_t* request, int fact);
#endif

enum { USOCKET_IPPROTO_SEC = 100 };  // the WiPy's

// The value of a constant that is in none of the modules' tables (NAME-3).
bool usocket_core_constant(const char* name, size_t size, int32_t* value);

// --- What the host gives the core; host.c
// usocket::Host
typedef struct {
    void* (*leave)(void);
    void (*enter)(void* token);
    bool (*interrupted)(void);
    bool unwinds, looks_for_signals;
} usocket_host_t;
extern const usocket_host_t usocket_host, usocket_host_of_poll;

void* usocket_host_resize(void* memory, size_t size);
void usocket_host_hold_signals(void);
void usocket_host_release_signals(void);

#ifdef __cplusplus
}
#endif
#endif
