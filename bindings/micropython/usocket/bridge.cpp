// A request becomes a call of usocket.h, and nothing else. C++ for the sake of size alone: so it is one with the core
// when that is optimised, and each call is made in place.
#include "bridge.h"

#include <cerrno>

void usocket_request_begin(usocket_request_t* request) { usocket_call_init(&request->call, &usocket_host, {0}); }
void usocket_request_unwound(usocket_request_t* request) { usocket_unwound(request->socket, &request->call); }

usocket_error_t usocket_request_accept(usocket_request_t* request) {
    return usocket_accept(request->socket, request->conn, &request->address, &request->call);
}

usocket_error_t usocket_request_connect(usocket_request_t* request) {
    return usocket_connect(request->socket, &request->address, &request->call);
}

usocket_error_t usocket_request_send(usocket_request_t* request) {
    return usocket_send(request->socket, request->data, request->size, request->flags, &request->count, &request->call);
}

usocket_error_t usocket_request_sendall(usocket_request_t* request) {
    return usocket_sendall(request->socket, request->data, request->size, request->flags, &request->call);
}

usocket_error_t usocket_request_sendto(usocket_request_t* request) {
    return usocket_sendto(request->socket, request->data, request->size, request->flags, &request->address,
                          &request->count, &request->call);
}

usocket_error_t usocket_request_recv(usocket_request_t* request) {
    return usocket_recv(request->socket, request->data, request->size, request->flags, &request->count, &request->call);
}

usocket_error_t usocket_request_recvfrom(usocket_request_t* request) {
    return usocket_recvfrom(request->socket, request->data, request->size, request->flags, &request->address,
                            &request->count, &request->call);
}

usocket_error_t usocket_request_read(usocket_request_t* request) {
    size_t limit;
    const usocket_error_t error = usocket_arg_limit(request->has_limit, request->limit, &limit);
    return error != 0 ? error : usocket_read(request->socket, limit, &request->sink, &request->call);
}

usocket_error_t usocket_request_readline(usocket_request_t* request) {
    size_t limit;
    const usocket_error_t error = usocket_arg_limit(request->has_limit, request->limit, &limit);
    return error != 0 ? error : usocket_readline(request->socket, limit, &request->sink, &request->call);
}

usocket_error_t usocket_request_readinto(usocket_request_t* request) {
    return usocket_readinto(request->socket, request->data, request->size, &request->count, &request->call);
}

usocket_error_t usocket_request_write(usocket_request_t* request) {
    const usocket_error_t error =
        usocket_write(request->socket, request->data, request->size, &request->count, &request->call);
    // Also where SO_SNDTIMEO has expired: the count must not be lost.
    return error == EAGAIN && request->count != 0 ? 0 : error;
}

usocket_error_t usocket_request_shutdown(usocket_request_t* request) {
    return usocket_shutdown(request->socket, request->flags, &request->call);
}

// --- Resolving, connecting, polling

usocket_error_t usocket_request_getaddrinfo(usocket_request_t* request) {
    auto* resolving = reinterpret_cast<usocket_resolving_t*>(request);
    return usocket_getaddrinfo(&resolving->query, &resolving->list, &request->call);
}

void usocket_request_connecting_begin(usocket_request_t* request) {
    auto* create = reinterpret_cast<usocket_create_t*>(request);
    usocket_call_init(&request->call, &usocket_host, usocket_deadline_after(create->timeout));
    usocket_connecting_init(&create->state);
}

void usocket_request_connecting_unwound(usocket_request_t* request) {
    usocket_connecting_unwound(&reinterpret_cast<usocket_create_t*>(request)->state, &request->call);
}

usocket_error_t usocket_request_connecting(usocket_request_t* request) {
    auto* create = reinterpret_cast<usocket_create_t*>(request);
    const usocket_error_t error =
        usocket_connecting_run(&create->state, &create->to, request->conn, &create->failure, &request->call);
    return error != 0 ? error : usocket_settimeout(request->conn, create->timeout);
}

usocket_error_t usocket_request_poll(usocket_request_t* request) {
    auto* waiting = reinterpret_cast<usocket_waiting_t*>(request);
    usocket_call_init(&request->call, &usocket_host_of_poll, {0});
    return usocket_poll_wait(waiting->poll, waiting->events, waiting->room, waiting->timeout, waiting->one_shot,
                             &request->count, &request->call);
}

void usocket_request_watch(usocket_poll_t* poll) {
    usocket_event_t event;
    size_t count;
    usocket_poll_wait(poll, &event, 1, usocket_no_timeout(), false, &count, nullptr);
}

// --- TLS

#if USOCKET_TLS
usocket_error_t usocket_request_wrap(usocket_request_t* request) {
    auto* wrapping = reinterpret_cast<usocket_wrapping_t*>(request);
    return usocket_wrap(request->socket, wrapping->context, &wrapping->options, &request->call);
}

usocket_error_t usocket_request_do_handshake(usocket_request_t* request) {
    return usocket_do_handshake(request->socket, &request->call);
}
#endif
