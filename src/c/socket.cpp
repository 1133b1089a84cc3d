// usocket.h: sockets, their stream methods and their options.
#include "c/convert.hpp"
#include "wait/held.hpp"

using namespace usocket;
using namespace usocket::c_face;

void usocket_init(usocket_socket_t* socket) { new (&opened<Socket>(socket)) Socket; }

void usocket_destroy(usocket_socket_t* socket) {
    const Held held;
    cxx(socket).~Socket();
    usocket_init(socket);
}

usocket_error_t usocket_open(usocket_socket_t* socket, int family, int type, int proto) {
    const Held held;
    return c(Socket::open_into(cxx(socket), family, type, proto));
}

usocket_error_t usocket_pair(usocket_socket_t* first, usocket_socket_t* second, int family, int type, int proto) {
    const Held held;
    return c(Socket::pair_into(cxx(first), cxx(second), family, type, proto));
}

usocket_error_t usocket_adopt(usocket_socket_t* socket, int fd) { return c(Socket::adopt_into(cxx(socket), fd)); }

void usocket_close(usocket_socket_t* socket) { cxx(socket).close(); }
bool usocket_is_closed(const usocket_socket_t* socket) { return cxx(socket).closed(); }

usocket_error_t usocket_dup(usocket_socket_t* socket, usocket_socket_t* copy) {
    const Held held;
    return c(cxx(socket).dup_into(cxx(copy)));
}

usocket_error_t usocket_detach(usocket_socket_t* socket, int* fd) { return give(cxx(socket).detach(), fd); }
int usocket_fileno(usocket_socket_t* socket) { return cxx(socket).fileno(); }

// --- Connections

usocket_error_t usocket_bind(usocket_socket_t* socket, const usocket_address_t* address) {
    return c(cxx(socket).bind(cxx(address)));
}

usocket_error_t usocket_listen(usocket_socket_t* socket, int backlog) {
    return c(backlog == USOCKET_DEFAULT_BACKLOG ? cxx(socket).listen() : cxx(socket).listen(backlog));
}

usocket_error_t usocket_accept(usocket_socket_t* socket, usocket_socket_t* conn, usocket_address_t* from,
                               usocket_call_t* call) {
    return give(cxx(socket).accept_into(cxx(conn), Given(call)), from);
}

usocket_error_t usocket_connect(usocket_socket_t* socket, const usocket_address_t* to, usocket_call_t* call) {
    return c(cxx(socket).connect(cxx(to), Given(call)));
}

usocket_error_t usocket_shutdown(usocket_socket_t* socket, int how, usocket_call_t* call) {
    return c(cxx(socket).shutdown(how, Given(call)));
}

// --- Socket methods. Without a call they have a way of their own, which is shorter for a program with one thread.

usocket_error_t usocket_send(usocket_socket_t* socket, const void* data, size_t size, int flags, size_t* count,
                             usocket_call_t* call) {
    const ConstBuffer bytes(data, size);
    return give(call == nullptr ? cxx(socket).send(bytes, flags) : cxx(socket).send(bytes, flags, cxx(call)), count);
}

usocket_error_t usocket_sendall(usocket_socket_t* socket, const void* data, size_t size, int flags,
                                usocket_call_t* call) {
    return c(cxx(socket).sendall(ConstBuffer(data, size), flags, Given(call)));
}

usocket_error_t usocket_sendto(usocket_socket_t* socket, const void* data, size_t size, int flags,
                               const usocket_address_t* to, size_t* count, usocket_call_t* call) {
    const ConstBuffer bytes(data, size);
    return give(call == nullptr ? cxx(socket).sendto(bytes, cxx(to), flags)
                                : cxx(socket).sendto(bytes, cxx(to), flags, cxx(call)),
                count);
}

usocket_error_t usocket_recv(usocket_socket_t* socket, void* data, size_t size, int flags, size_t* count,
                             usocket_call_t* call) {
    const MutableBuffer room(data, size);
    return give(call == nullptr ? cxx(socket).recv_into(room, flags) : cxx(socket).recv_into(room, flags, cxx(call)),
                count);
}

usocket_error_t usocket_recvfrom(usocket_socket_t* socket, void* data, size_t size, int flags, usocket_address_t* from,
                                 size_t* count, usocket_call_t* call) {
    auto* address = new (&opened<Address>(from)) Address;
    return give(cxx(socket).recvfrom_into(MutableBuffer(data, size), *address, flags, Given(call)), count);
}

// --- Stream methods

usocket_error_t usocket_read(usocket_socket_t* socket, size_t limit, usocket_sink_t* into, usocket_call_t* call) {
    return c(cxx(socket).read_to(cxx(into), limit, Given(call)));
}

usocket_error_t usocket_readline(usocket_socket_t* socket, size_t limit, usocket_sink_t* into, usocket_call_t* call) {
    return c(cxx(socket).readline_to(cxx(into), limit, Given(call)));
}

usocket_error_t usocket_readinto(usocket_socket_t* socket, void* data, size_t size, size_t* count,
                                 usocket_call_t* call) {
    return give(cxx(socket).readinto(MutableBuffer(data, size), Given(call)), count);
}

usocket_error_t usocket_readline_into(usocket_socket_t* socket, void* data, size_t size, size_t* count,
                                      usocket_call_t* call) {
    const MutableBuffer room(data, size);
    return give(call == nullptr ? cxx(socket).readline_into(room) : cxx(socket).readline_into(room, cxx(call)), count);
}

usocket_error_t usocket_write(usocket_socket_t* socket, const void* data, size_t size, size_t* count,
                              usocket_call_t* call) {
    return c(cxx(socket).write(ConstBuffer(data, size), *count, Given(call)));
}

// --- Options

usocket_error_t usocket_settimeout(usocket_socket_t* socket, usocket_timeout_t timeout) {
    const Held held;
    return c(cxx(socket).settimeout(cxx(timeout)));
}

usocket_timeout_t usocket_gettimeout(const usocket_socket_t* socket) { return c(cxx(socket).gettimeout()); }

usocket_error_t usocket_setblocking(usocket_socket_t* socket, bool blocking) {
    return usocket_settimeout(socket, blocking ? usocket_no_timeout() : usocket_at_once());
}

bool usocket_getblocking(const usocket_socket_t* socket) { return cxx(socket).getblocking(); }

usocket_error_t usocket_setsockopt(usocket_socket_t* socket, int level, int name, int value) {
    return c(cxx(socket).setsockopt(level, name, value));
}

usocket_error_t usocket_setsockopt_bytes(usocket_socket_t* socket, int level, int name, usocket_bytes_t value) {
    return c(cxx(socket).setsockopt(level, name, cxx(value)));
}

usocket_error_t usocket_getsockopt(usocket_socket_t* socket, int level, int name, int* value) {
    return give(cxx(socket).getsockopt(level, name), value);
}

usocket_error_t usocket_getsockopt_bytes(usocket_socket_t* socket, int level, int name, void* value, size_t* size) {
    return give(cxx(socket).getsockopt(level, name, MutableBuffer(value, *size)), size);
}

usocket_error_t usocket_join_group(usocket_socket_t* socket, const usocket_address_t* group,
                                   uint32_t interface_number) {
    return c(cxx(socket).join_group(cxx(group), interface_number));
}

usocket_error_t usocket_leave_group(usocket_socket_t* socket, const usocket_address_t* group,
                                    uint32_t interface_number) {
    return c(cxx(socket).leave_group(cxx(group), interface_number));
}

// --- What it is

usocket_error_t usocket_getsockname(usocket_socket_t* socket, usocket_address_t* address) {
    return give(cxx(socket).getsockname(), address);
}

usocket_error_t usocket_getpeername(usocket_socket_t* socket, usocket_address_t* address) {
    return give(cxx(socket).getpeername(), address);
}

int usocket_family(const usocket_socket_t* socket) { return cxx(socket).family(); }
int usocket_type(const usocket_socket_t* socket) { return cxx(socket).type(); }
int usocket_proto(const usocket_socket_t* socket) { return cxx(socket).proto(); }
void** usocket_host_word(usocket_socket_t* socket) { return cxx(socket).host_word(); }
unsigned usocket_poll_now(usocket_socket_t* socket, unsigned events) { return cxx(socket).poll_now(events); }

size_t usocket_describe(usocket_socket_t* socket, char* text, size_t size) {
    return cxx(socket).describe(MutableBuffer(text, size));
}
