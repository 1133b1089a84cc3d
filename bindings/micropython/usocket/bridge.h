// Calls of usocket.h that may wait, as requests: what one is given, and what it gives back, lies in the C frame that
// makes it, so that usocket_request_unwound() finds it after a longjmp. bridge.cpp makes a call of each.
#ifndef USOCKET_BRIDGE_H
#define USOCKET_BRIDGE_H

#include "usocket/usocket.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    usocket_socket_t* socket;
    union {  // what is sent, or is to be filled
        struct {
            uint8_t* data;
            size_t size;
        };
        usocket_bytes_t bytes;
        usocket_room_t room;
    };
    // What is used most comes first: the code for what is near the front is shorter.
    int flags;       // MSG_*
    bool has_limit;  // read(), readline(): whether there is `limit`
    size_t count;    // how many bytes moved
    usocket_call_t call;
    int64_t limit;
    usocket_sink_t sink;        // what they fill
    usocket_socket_t* conn;     // closed; what accept() fills
    usocket_address_t address;  // where to, or where from
} usocket_request_t;

typedef usocket_error_t (*usocket_method_t)(usocket_request_t* request);

// Before a method gets the request; after a longjmp out of it.
void usocket_request_begin(usocket_request_t* request);
void usocket_request_unwound(usocket_request_t* request);

usocket_error_t usocket_request_accept(usocket_request_t* request);
usocket_error_t usocket_request_connect(usocket_request_t* request);
usocket_error_t usocket_request_send(usocket_request_t* request);
usocket_error_t usocket_request_sendall(usocket_request_t* request);
usocket_error_t usocket_request_sendto(usocket_request_t* request);
usocket_error_t usocket_request_recv(usocket_request_t* request);
usocket_error_t usocket_request_recvfrom(usocket_request_t* request);
usocket_error_t usocket_request_read(usocket_request_t* request);
usocket_error_t usocket_request_readline(usocket_request_t* request);
usocket_error_t usocket_request_readinto(usocket_request_t* request);
usocket_error_t usocket_request_write(usocket_request_t* request);
usocket_error_t usocket_request_shutdown(usocket_request_t* request);  // how: its flags

// --- Resolving
typedef struct {
    usocket_request_t request;  // first, so that it is one; without a socket
    usocket_query_t query;
    usocket_addrinfo_list_t list;
} usocket_resolving_t;
usocket_error_t usocket_request_getaddrinfo(usocket_request_t* resolving);

// --- Connecting to a host and a port
typedef struct {
    usocket_request_t request;  // first, so that it is one; without a socket. Its conn, closed, becomes the connection
    usocket_endpoint_t to;
    usocket_address_t source;   // for `to`
    usocket_timeout_t timeout;  // for all of it together, and then the connection's
    usocket_failure_t failure;
    usocket_connecting_t state;
} usocket_create_t;
// As usocket_request_begin() and usocket_request_unwound().
void usocket_request_connecting_begin(usocket_request_t* create);
void usocket_request_connecting_unwound(usocket_request_t* create);
usocket_error_t usocket_request_connecting(usocket_request_t* create);

// --- Polling
typedef struct {
    usocket_request_t request;  // first, so that it is one; without a socket. Its count: how many events there are
    usocket_poll_t* poll;
    usocket_event_t* events;  // what it fills
    size_t room;
    usocket_timeout_t timeout;
    bool one_shot;
} usocket_waiting_t;
usocket_error_t usocket_request_poll(usocket_request_t* waiting);
// For a thread that runs nothing of the host's: sleeps until something is ready, the poll was woken, or it cannot.
void usocket_request_watch(usocket_poll_t* poll);

#if USOCKET_TLS
// --- TLS
typedef struct {
    usocket_request_t request;  // first, so that it is one
    usocket_context_t* context;
    usocket_tls_options_t options;
} usocket_wrapping_t;
usocket_error_t usocket_request_wrap(usocket_request_t* wrapping);
usocket_error_t usocket_request_do_handshake(usocket_request_t* request);
#endif

// --- What the host gives; host.c
extern const usocket_host_t usocket_host, usocket_host_of_poll;

#ifdef __cplusplus
}
#endif
#endif
