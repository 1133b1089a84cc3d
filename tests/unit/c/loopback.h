// Connected sockets on the loopback, for the tests in C.
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include <usocket/usocket.h>

#include "check.h"

typedef struct {
    usocket_socket_t here, there;
} pair_t;

// Listens on a port of the system's choice; its address.
void make_listener(usocket_socket_t* listener, usocket_address_t* address);
void make_tcp_pair(pair_t* pair);
void make_pair(pair_t* pair, int type);  // AF_UNIX
void end_pair(pair_t* pair);
// Sends text, all of it.
void say(usocket_socket_t* socket, const char* text);
// The next so many bytes are these.
void expect(usocket_socket_t* socket, const char* text);

#endif
