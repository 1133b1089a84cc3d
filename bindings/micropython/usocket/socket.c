// The class socket (SOCK-1..8, TIME-1..6, STRM-1..7) and socketpair(). Two types, one for each module, have the same
// methods.
#include "module.h"

#include <sys/socket.h>

#include "py/mperrno.h"
#include "py/stream.h"

// --- Making

// A closed socket: made before the system opens one for it, so that no failure loses a descriptor.
usocket_obj_t* usocket_new_socket(const mp_obj_type_t* type) {
    usocket_obj_t* self = m_malloc_with_finaliser(sizeof(usocket_obj_t));
    usocket_init(&self->socket);
    self->base.type = type;
    return self;
}

static bool is_ours(mp_obj_t object) {
    const mp_obj_type_t* type = mp_obj_get_type(object);
    return type == &usocket_type_socket || type == &usocket_type_socket_compat;
}

usocket_obj_t* usocket_find(mp_obj_t from) {
    if (is_ours(from)) {
        return MP_OBJ_TO_PTR(from);
    }
    mp_obj_t base = mp_obj_cast_to_native_base(from, MP_OBJ_FROM_PTR(&usocket_type_socket_compat));
    if (base == MP_OBJ_NULL) {
        base = mp_obj_cast_to_native_base(from, MP_OBJ_FROM_PTR(&usocket_type_socket));
    }
    // What an instance of a subclass has as its base before __init__ has been called is something else.
    return base != MP_OBJ_NULL && is_ours(base) ? MP_OBJ_TO_PTR(base) : NULL;
}

// The socket of a method, which may have been called with anything, or be one of a subclass.
static usocket_obj_t* get(mp_obj_t from) {
    usocket_obj_t* self = usocket_find(from);
    if (self == NULL) {
        mp_raise_TypeError(MP_ERROR_TEXT("not a socket"));
    }
    return self;
}

// Of the socket itself, also of an instance of a subclass.
static void forget_callback(mp_obj_t self_in) {
#if USOCKET_HAS_CALLBACKS
    usocket_forget_callback(get(self_in));
#else
    (void)self_in;
#endif
}

static mp_obj_t none_or_raise(usocket_error_t error, mp_obj_t argument) {
    usocket_check(error, argument);
    return mp_const_none;
}

// Timeout of new sockets of the face socket.
static usocket_timeout_t default_timeout = {-1};

static void set_default_timeout(usocket_obj_t* self) {
    if (default_timeout.nanoseconds >= 0 && usocket_is_compat(self)) {
        usocket_check(usocket_settimeout(&self->socket, default_timeout), MP_OBJ_NULL);
    }
}

// Opens a socket that is closed.
static void initialise(usocket_obj_t* self, size_t n_args, size_t n_kw, const mp_obj_t* all_args) {
    enum { ARG_family, ARG_type, ARG_proto, ARG_fileno };
    static const mp_arg_t allowed[] = {
        {MP_QSTR_family, MP_ARG_OBJ, {.u_obj = MP_OBJ_NEW_SMALL_INT(AF_INET)}},
        {MP_QSTR_type, MP_ARG_OBJ, {.u_obj = MP_OBJ_NEW_SMALL_INT(SOCK_STREAM)}},
        {MP_QSTR_proto, MP_ARG_OBJ, {.u_obj = MP_OBJ_NEW_SMALL_INT(0)}},
#if !defined(USOCKET_WITHOUT_sharing)
        {MP_QSTR_fileno, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
#endif
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all_kw_array(n_args, n_kw, all_args, MP_ARRAY_SIZE(allowed), allowed, args);
    const int family = usocket_get_int(args[ARG_family].u_obj);
    const int kind = usocket_get_int(args[ARG_type].u_obj);
    const int proto = usocket_get_int(args[ARG_proto].u_obj);
#if defined(USOCKET_WITHOUT_sharing)
    usocket_check(usocket_open(&self->socket, family, kind, proto), MP_OBJ_NULL);
#else
    const mp_obj_t fileno = args[ARG_fileno].u_obj;
    const bool adopts = fileno != MP_OBJ_NULL && fileno != mp_const_none;
    const int fd = adopts ? usocket_get_int(fileno) : -1;
    usocket_check(adopts ? usocket_adopt(&self->socket, fd) : usocket_open(&self->socket, family, kind, proto),
                  MP_OBJ_NULL);
#endif
    set_default_timeout(self);
}

static mp_obj_t make_new(const mp_obj_type_t* type, size_t n_args, size_t n_kw, const mp_obj_t* args) {
#if !USOCKET_MICROPYTHON
    // An instance of a subclass gets its base at once, with arguments that may be meant for its own __init__ only.
    MP_MAKE_NEW_GET_ONLY_FLAGS();
    if (only_new) {
        return MP_OBJ_FROM_PTR(usocket_new_socket(type));
    }
#endif
    usocket_obj_t* self = usocket_new_socket(type);
    initialise(self, n_args, n_kw, args);
    return MP_OBJ_FROM_PTR(self);
}

#if !USOCKET_MICROPYTHON
// MicroPython calls make_new() for this, and would take one of ours for an ordinary method.
static mp_obj_t socket___init__(size_t n_args, const mp_obj_t* args, mp_map_t* kw_args) {
    usocket_obj_t* self = get(args[0]);
    usocket_close(&self->socket);
    forget_callback(args[0]);  // which would go with what the socket has been
    initialise(self, n_args - 1, kw_args->used, args + 1);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(socket___init___obj, 1, socket___init__);
#define INIT_ENTRY {MP_ROM_QSTR(MP_QSTR___init__), MP_ROM_PTR(&socket___init___obj)},
#else
#define INIT_ENTRY
#endif

#if !defined(USOCKET_WITHOUT_sharing)
static mp_obj_t socketpair_as(const mp_obj_type_t* type, size_t n_args, const mp_obj_t* args) {
    const int family = n_args > 0 ? usocket_get_int(args[0]) : AF_UNIX;
    const int kind = n_args > 1 ? usocket_get_int(args[1]) : SOCK_STREAM;
    const int proto = n_args > 2 ? usocket_get_int(args[2]) : 0;
    usocket_obj_t *first = usocket_new_socket(type), *second = usocket_new_socket(type);
    mp_obj_t pair[] = {MP_OBJ_FROM_PTR(first), MP_OBJ_FROM_PTR(second)};
    const mp_obj_t tuple = mp_obj_new_tuple(2, pair);
    usocket_check(usocket_pair(&first->socket, &second->socket, family, kind, proto), MP_OBJ_NULL);
    set_default_timeout(first);
    set_default_timeout(second);
    return tuple;
}

static mp_obj_t socketpair_opaque(size_t n_args, const mp_obj_t* args) {
    return socketpair_as(&usocket_type_socket, n_args, args);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(usocket_socketpair_obj, 0, 3, socketpair_opaque);

static mp_obj_t socketpair_compat(size_t n_args, const mp_obj_t* args) {
    return socketpair_as(&usocket_type_socket_compat, n_args, args);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(usocket_socketpair_compat_obj, 0, 3, socketpair_compat);
#endif

// --- Connections

// What a call that may wait is given before all else.
static MP_NOINLINE usocket_obj_t* begin(usocket_request_t* request, mp_obj_t self_in) {
    usocket_obj_t* self = get(self_in);
    request->socket = &self->socket;
    request->flags = 0;
    return self;
}

bool usocket_is_at_end(mp_obj_t sock) {
    uint8_t next;
    usocket_request_t request;
    usocket_obj_t* self = begin(&request, sock);
    request.data = &next;
    request.size = sizeof(next);
    request.flags = MSG_PEEK | MSG_DONTWAIT;
    if (usocket_type(&self->socket) != SOCK_STREAM) {
        return false;
    }
    const usocket_error_t error = usocket_wait(usocket_request_recv, &request);
    --usocket_waits;  // a look is no use of the socket
    return error == 0 && request.count == 0;
}

// Flags are the last argument, or not there.
static void get_flags(usocket_request_t* request, size_t n_args, const mp_obj_t* args, size_t index) {
    if (n_args > index) {
        request->flags = usocket_get_int(args[index]);
    }
}

static mp_obj_t wait_for_none(usocket_method_t method, usocket_request_t* request) {
    return none_or_raise(usocket_wait(method, request), MP_OBJ_NULL);
}

static mp_obj_t wait_for_count(usocket_method_t method, usocket_request_t* request) {
    usocket_check(usocket_wait(method, request), MP_OBJ_NULL);
    return mp_obj_new_int_from_uint(request->count);
}

// What a result beside an address needs is there before the call: whoever has no memory for it has received nothing
// (TIME-6), or taken no connection. An address has several objects, of sizes that nobody knows yet: its place is held,
// and given back to the host's heap just before they are made.
typedef struct {
    mp_obj_tuple_t* pair;
    byte* place;
} usocket_pair_t;

enum { PLACE_OF_ADDRESS = 32 * sizeof(mp_uint_t) + 128 };  // text of 127 bytes, a tuple of 4, two large numbers

static usocket_pair_t begin_pair(void) {
    return (usocket_pair_t){MP_OBJ_TO_PTR(mp_obj_new_tuple(2, NULL)), m_new(byte, PLACE_OF_ADDRESS)};
}

static MP_NOINLINE mp_obj_t end_pair(usocket_pair_t result, const usocket_obj_t* self, mp_obj_t first,
                                     const usocket_address_t* address) {
    m_del(byte, result.place, PLACE_OF_ADDRESS);
    result.pair->items[0] = first;
    result.pair->items[1] = usocket_new_address(address, usocket_is_compat(self));
    return MP_OBJ_FROM_PTR(result.pair);
}

static mp_obj_t socket_accept(mp_obj_t self_in) {
    usocket_request_t request;
    usocket_obj_t* self = begin(&request, self_in);
    usocket_obj_t* conn = usocket_new_socket(self->base.type);
    request.conn = &conn->socket;
    const usocket_pair_t result = begin_pair();
    usocket_check(usocket_wait(usocket_request_accept, &request), MP_OBJ_NULL);
    set_default_timeout(conn);
    return end_pair(result, self, MP_OBJ_FROM_PTR(conn), &request.address);
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_accept_obj, socket_accept);

static mp_obj_t socket_bind(mp_obj_t self_in, mp_obj_t from) {
    usocket_obj_t* self = get(self_in);
    usocket_address_t address;
    usocket_get_address(self, from, &address);
    return none_or_raise(usocket_bind(&self->socket, &address), MP_OBJ_NULL);
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_bind_obj, socket_bind);

static usocket_error_t connect_to(mp_obj_t self_in, mp_obj_t from) {
    usocket_request_t request;
    usocket_get_address(begin(&request, self_in), from, &request.address);
    return usocket_wait(usocket_request_connect, &request);
}

static mp_obj_t socket_connect(mp_obj_t self_in, mp_obj_t from) {
    return none_or_raise(connect_to(self_in, from), MP_OBJ_NULL);
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_connect_obj, socket_connect);

// connect() that returns the errno, 0 for none.
static mp_obj_t socket_connect_ex(mp_obj_t self_in, mp_obj_t from) {
    const usocket_error_t error = connect_to(self_in, from);
    if (error == MP_EINTR) {
        usocket_raise(error, MP_OBJ_NULL);
    }
    return MP_OBJ_NEW_SMALL_INT(usocket_code(error));
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_connect_ex_obj, socket_connect_ex);

static mp_obj_t socket_listen(size_t n_args, const mp_obj_t* args) {
    usocket_obj_t* self = get(args[0]);
    int backlog = USOCKET_DEFAULT_BACKLOG;
    if (n_args > 1 && args[1] != mp_const_none) {
        usocket_check(usocket_arg_backlog(usocket_get_int64(args[1]), &backlog), args[1]);
    }
    return none_or_raise(usocket_listen(&self->socket, backlog), MP_OBJ_NULL);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_listen_obj, 1, 2, socket_listen);

static mp_obj_t socket_shutdown(mp_obj_t self_in, mp_obj_t how) {
    usocket_request_t request;
    begin(&request, self_in);
    request.flags = usocket_get_int(how);
    return wait_for_none(usocket_request_shutdown, &request);
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_shutdown_obj, socket_shutdown);

static mp_obj_t socket_close(size_t n_args, const mp_obj_t* args) {
    (void)n_args;  // 4 as __exit__
    usocket_close(&get(args[0])->socket);
    forget_callback(args[0]);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_close_obj, 1, 1, socket_close);
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket___exit___obj, 4, 4, socket_close);

// The finaliser: called once the object is garbage, with the collector locked.
static mp_obj_t socket___del__(mp_obj_t self_in) {
    forget_callback(self_in);
    usocket_destroy(&get(self_in)->socket);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket___del___obj, socket___del__);

// --- Socket methods

static MP_NOINLINE void lend(usocket_request_t* request, mp_obj_t from, mp_uint_t access) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(from, &info, access);
    request->data = info.buf;
    request->size = info.len;
}

// What is sent, and flags.
static usocket_obj_t* begin_send(usocket_request_t* request, size_t n_args, const mp_obj_t* args) {
    usocket_obj_t* self = begin(request, args[0]);
    lend(request, args[1], MP_BUFFER_READ);
    get_flags(request, n_args, args, 2);
    return self;
}

static mp_obj_t socket_send(size_t n_args, const mp_obj_t* args) {
    usocket_request_t request;
    begin_send(&request, n_args, args);
    return wait_for_count(usocket_request_send, &request);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_send_obj, 2, 3, socket_send);

static mp_obj_t socket_sendall(size_t n_args, const mp_obj_t* args) {
    usocket_request_t request;
    begin_send(&request, n_args, args);
    return wait_for_none(usocket_request_sendall, &request);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_sendall_obj, 2, 3, socket_sendall);

static mp_obj_t socket_sendto(size_t n_args, const mp_obj_t* args) {
    usocket_request_t request;
    usocket_obj_t* self = begin_send(&request, n_args - 1, args);
    usocket_get_address(self, args[n_args - 1], &request.address);
    return wait_for_count(usocket_request_sendto, &request);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_sendto_obj, 3, 4, socket_sendto);

static mp_obj_str_t* make_room(usocket_request_t* request, size_t n_args, const mp_obj_t* args) {
    size_t size;
    usocket_check(usocket_arg_bufsize(usocket_get_int64(args[1]), &size), args[1]);
    get_flags(request, n_args, args, 2);
    return usocket_bytes_begin_sized(request, size);
}

static mp_obj_t socket_recv(size_t n_args, const mp_obj_t* args) {
    usocket_request_t request;
    begin(&request, args[0]);
    mp_obj_str_t* bytes = make_room(&request, n_args, args);
    usocket_check(usocket_wait(usocket_request_recv, &request), MP_OBJ_NULL);
    return usocket_bytes_end(bytes, &request.sink, request.count);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_recv_obj, 2, 3, socket_recv);

static mp_obj_t socket_recvfrom(size_t n_args, const mp_obj_t* args) {
    usocket_request_t request;
    usocket_obj_t* self = begin(&request, args[0]);
    mp_obj_str_t* bytes = make_room(&request, n_args, args);
    const usocket_pair_t result = begin_pair();
    usocket_check(usocket_wait(usocket_request_recvfrom, &request), MP_OBJ_NULL);
    return end_pair(result, self, usocket_bytes_end(bytes, &request.sink, request.count), &request.address);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_recvfrom_obj, 2, 3, socket_recvfrom);

// recv_into(buffer, nbytes=0, flags=0)
static usocket_obj_t* lend_part(usocket_request_t* request, size_t n_args, const mp_obj_t* pos_args,
                                mp_map_t* kw_args) {
    enum { ARG_buffer, ARG_nbytes, ARG_flags };
    static const mp_arg_t allowed[] = {
        {MP_QSTR_buffer, MP_ARG_REQUIRED | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
        {MP_QSTR_nbytes, MP_ARG_OBJ, {.u_obj = MP_OBJ_NEW_SMALL_INT(0)}},
        {MP_QSTR_flags, MP_ARG_OBJ, {.u_obj = MP_OBJ_NEW_SMALL_INT(0)}},
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, pos_args + 1, kw_args, MP_ARRAY_SIZE(allowed), allowed, args);
    usocket_obj_t* self = begin(request, pos_args[0]);
    lend(request, args[ARG_buffer].u_obj, MP_BUFFER_WRITE);
    request->flags = usocket_get_int(args[ARG_flags].u_obj);
    const mp_obj_t nbytes = args[ARG_nbytes].u_obj;
    usocket_check(usocket_arg_recv_part(&request->room, usocket_get_int64(nbytes)), nbytes);
    return self;
}

static mp_obj_t socket_recv_into(size_t n_args, const mp_obj_t* pos_args, mp_map_t* kw_args) {
    usocket_request_t request;
    lend_part(&request, n_args, pos_args, kw_args);
    return wait_for_count(usocket_request_recv, &request);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(socket_recv_into_obj, 1, socket_recv_into);

static mp_obj_t socket_recvfrom_into(size_t n_args, const mp_obj_t* pos_args, mp_map_t* kw_args) {
    usocket_request_t request;
    usocket_obj_t* self = lend_part(&request, n_args, pos_args, kw_args);
    const usocket_pair_t result = begin_pair();
    const mp_obj_t count = wait_for_count(usocket_request_recvfrom, &request);
    return end_pair(result, self, count, &request.address);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(socket_recvfrom_into_obj, 1, socket_recvfrom_into);

// --- Stream methods: None where nothing moved (TIME-4)

static bool would_block(usocket_error_t error) { return error == MP_EAGAIN; }

// An int, or None or not there, which count as none.
static MP_NOINLINE bool get_optional(size_t n_args, const mp_obj_t* args, size_t index, int64_t* number) {
    *number = 0;
    if (n_args <= index || args[index] == mp_const_none) {
        return false;
    }
    *number = usocket_get_int64(args[index]);
    return true;
}

static mp_obj_t read_by(usocket_method_t method, size_t n_args, const mp_obj_t* args) {
    usocket_request_t request;
    begin(&request, args[0]);
    request.has_limit = get_optional(n_args, args, 1, &request.limit);
    mp_obj_str_t* bytes = usocket_bytes_begin(&request.sink);
    const usocket_error_t error = usocket_wait(method, &request);
    if (would_block(error)) {
        return mp_const_none;
    }
    usocket_check(error, request.has_limit ? args[1] : MP_OBJ_NULL);
    return usocket_bytes_end(bytes, &request.sink, usocket_sink_size(&request.sink));
}

static mp_obj_t socket_read(size_t n_args, const mp_obj_t* args) { return read_by(usocket_request_read, n_args, args); }
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_read_obj, 1, 2, socket_read);

static mp_obj_t socket_readline(size_t n_args, const mp_obj_t* args) {
    return read_by(usocket_request_readline, n_args, args);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_readline_obj, 1, 2, socket_readline);

static mp_obj_t count_or_none(usocket_method_t method, usocket_request_t* request) {
    const usocket_error_t error = usocket_wait(method, request);
    if (would_block(error)) {
        return mp_const_none;
    }
    usocket_check(error, MP_OBJ_NULL);
    return mp_obj_new_int_from_uint(request->count);
}

static mp_obj_t socket_readinto(size_t n_args, const mp_obj_t* args) {
    usocket_request_t request;
    begin(&request, args[0]);
    lend(&request, args[1], MP_BUFFER_WRITE);
    int64_t nbytes;
    const bool has_nbytes = get_optional(n_args, args, 2, &nbytes);
    usocket_check(usocket_arg_read_part(&request.room, has_nbytes, nbytes), has_nbytes ? args[2] : MP_OBJ_NULL);
    return count_or_none(usocket_request_readinto, &request);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_readinto_obj, 2, 3, socket_readinto);

// write(buf), write(buf, n), write(buf, off, n)
static mp_obj_t socket_write(size_t n_args, const mp_obj_t* args) {
    usocket_request_t request;
    begin_send(&request, 2, args);
    const int64_t off = n_args == 4 ? usocket_get_int64(args[2]) : 0;
    int64_t n;
    const bool has_n = get_optional(n_args, args, n_args == 4 ? 3 : 2, &n);
    const mp_obj_t culprit = off < 0 || !has_n ? args[2] : args[n_args - 1];
    usocket_check(usocket_arg_write_part(&request.bytes, off, has_n, n), culprit);
    return count_or_none(usocket_request_write, &request);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_write_obj, 2, 4, socket_write);

static mp_obj_t socket_makefile(size_t n_args, const mp_obj_t* pos_args, mp_map_t* kw_args) {
    enum { ARG_mode, ARG_buffering };
    static const mp_arg_t allowed[] = {
        {MP_QSTR_mode, MP_ARG_OBJ, {.u_obj = MP_OBJ_NEW_QSTR(MP_QSTR_rb)}},
        {MP_QSTR_buffering, MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, pos_args + 1, kw_args, MP_ARRAY_SIZE(allowed), allowed, args);
    const mp_obj_t mode = args[ARG_mode].u_obj;
    usocket_check(usocket_arg_makefile_mode(usocket_get_text(mode)), mode);
    get(pos_args[0]);
    return pos_args[0];
}
static MP_DEFINE_CONST_FUN_OBJ_KW(socket_makefile_obj, 1, socket_makefile);

// A line, or the end of the iteration.
static mp_obj_t iternext(mp_obj_t self_in) {
    const mp_obj_t line = socket_readline(1, &self_in);
    return line == mp_const_none || line == mp_const_empty_bytes ? MP_OBJ_STOP_ITERATION : line;
}

// --- Options

static mp_obj_t new_timeout(usocket_timeout_t timeout) {
    if (timeout.nanoseconds < 0) {
        return mp_const_none;
    }
#if MICROPY_PY_BUILTINS_FLOAT
    return mp_obj_new_float((mp_float_t)((double)timeout.nanoseconds / 1e9));
#else
    return mp_obj_new_int((mp_int_t)(timeout.nanoseconds / 1000000000));
#endif
}

static mp_obj_t socket_settimeout(mp_obj_t self_in, mp_obj_t value) {
    usocket_obj_t* self = get(self_in);
    return none_or_raise(usocket_settimeout(&self->socket, usocket_get_timeout(value)), MP_OBJ_NULL);
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_settimeout_obj, socket_settimeout);

static mp_obj_t socket_gettimeout(mp_obj_t self_in) { return new_timeout(usocket_gettimeout(&get(self_in)->socket)); }
static MP_DEFINE_CONST_FUN_OBJ_1(socket_gettimeout_obj, socket_gettimeout);

static mp_obj_t setdefaulttimeout(mp_obj_t value) {
    default_timeout = usocket_get_timeout(value);
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_1(usocket_setdefaulttimeout_obj, setdefaulttimeout);

static mp_obj_t getdefaulttimeout(void) { return new_timeout(default_timeout); }
MP_DEFINE_CONST_FUN_OBJ_0(usocket_getdefaulttimeout_obj, getdefaulttimeout);

static mp_obj_t socket_setblocking(mp_obj_t self_in, mp_obj_t flag) {
    return none_or_raise(usocket_setblocking(&get(self_in)->socket, mp_obj_is_true(flag)), MP_OBJ_NULL);
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_setblocking_obj, socket_setblocking);

static mp_obj_t socket_getblocking(mp_obj_t self_in) {
    return mp_obj_new_bool(usocket_getblocking(&get(self_in)->socket));
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_getblocking_obj, socket_getblocking);

static mp_obj_t socket_setsockopt(size_t n_args, const mp_obj_t* args) {
    (void)n_args;  // 4
    usocket_obj_t* self = get(args[0]);
    const int level = usocket_get_int(args[1]), name = usocket_get_int(args[2]);
    if (mp_obj_is_int(args[3]) || mp_obj_is_bool(args[3])) {
        return none_or_raise(usocket_setsockopt(&self->socket, level, name, usocket_get_int(args[3])), MP_OBJ_NULL);
    }
    if (level == SOL_SOCKET && name == USOCKET_SO_CALLBACK &&
        (args[3] == mp_const_none || mp_obj_is_callable(args[3]))) {
#if USOCKET_HAS_CALLBACKS
        usocket_set_callback(self, args[3]);
        return mp_const_none;
#else
        mp_raise_OSError(MP_EOPNOTSUPP);
#endif
    }
    const usocket_bytes_t value = usocket_get_bytes(args[3]);
    return none_or_raise(usocket_setsockopt_bytes(&self->socket, level, name, value), MP_OBJ_NULL);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_setsockopt_obj, 4, 4, socket_setsockopt);

static mp_obj_t socket_getsockopt(size_t n_args, const mp_obj_t* args) {
    usocket_request_t request;
    usocket_obj_t* self = begin(&request, args[0]);
    const int level = usocket_get_int(args[1]), name = usocket_get_int(args[2]);
    size_t size = 0;
    if (n_args > 3) {
        usocket_check(usocket_arg_option_length(usocket_get_int64(args[3]), &size), args[3]);
    }
    if (size == 0) {
        int value;
        usocket_check(usocket_getsockopt(&self->socket, level, name, &value), MP_OBJ_NULL);
        return mp_obj_new_int(value);
    }
    mp_obj_str_t* bytes = usocket_bytes_begin_sized(&request, size);
    usocket_check(usocket_getsockopt_bytes(&self->socket, level, name, request.data, &size), MP_OBJ_NULL);
    return usocket_bytes_end(bytes, &request.sink, size);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_getsockopt_obj, 3, 4, socket_getsockopt);

// --- What it is

static mp_obj_t name_by(usocket_error_t (*ask)(usocket_socket_t*, usocket_address_t*), mp_obj_t self_in) {
    usocket_obj_t* self = get(self_in);
    usocket_address_t address;
    usocket_check(ask(&self->socket, &address), MP_OBJ_NULL);
    return usocket_new_address(&address, usocket_is_compat(self));
}

static mp_obj_t socket_getsockname(mp_obj_t self_in) { return name_by(usocket_getsockname, self_in); }
static MP_DEFINE_CONST_FUN_OBJ_1(socket_getsockname_obj, socket_getsockname);

static mp_obj_t socket_getpeername(mp_obj_t self_in) { return name_by(usocket_getpeername, self_in); }
static MP_DEFINE_CONST_FUN_OBJ_1(socket_getpeername_obj, socket_getpeername);

static mp_obj_t socket_fileno(mp_obj_t self_in) { return MP_OBJ_NEW_SMALL_INT(usocket_fileno(&get(self_in)->socket)); }
static MP_DEFINE_CONST_FUN_OBJ_1(socket_fileno_obj, socket_fileno);

#if !defined(USOCKET_WITHOUT_sharing)
static mp_obj_t socket_detach(mp_obj_t self_in) {
    int fd;
    usocket_check(usocket_detach(&get(self_in)->socket, &fd), MP_OBJ_NULL);
    forget_callback(self_in);
    return MP_OBJ_NEW_SMALL_INT(fd);
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_detach_obj, socket_detach);

static mp_obj_t socket_dup(mp_obj_t self_in) {
    usocket_obj_t* self = get(self_in);
    usocket_obj_t* copy = usocket_new_socket(self->base.type);
    usocket_check(usocket_dup(&self->socket, &copy->socket), MP_OBJ_NULL);
    return MP_OBJ_FROM_PTR(copy);
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_dup_obj, socket_dup);

#define SHARING_ENTRIES \
    {MP_ROM_QSTR(MP_QSTR_detach), MP_ROM_PTR(&socket_detach_obj)}, \
        {MP_ROM_QSTR(MP_QSTR_dup), MP_ROM_PTR(&socket_dup_obj)},
#else
#define SHARING_ENTRIES
#endif

static void print(const mp_print_t* print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    usocket_obj_t* self = MP_OBJ_TO_PTR(self_in);
#if defined(USOCKET_WITHOUT_texts)
    mp_printf(print, "<%s.socket %p>", usocket_is_compat(self) ? "socket" : "usocket", self);
#else
    char text[512];
    const size_t size = usocket_describe(&self->socket, text, sizeof text);
    mp_printf(print, "<%s.socket %.*s>", usocket_is_compat(self) ? "socket" : "usocket", (int)size, text);
#endif
}

// Loads family, type and proto; methods are found where the host looks for them.
static void attr(mp_obj_t self_in, qstr name, mp_obj_t* dest) {
    const usocket_obj_t* self = MP_OBJ_TO_PTR(self_in);
    if (dest[0] != MP_OBJ_NULL) {
        return;
    }
    switch (name) {
        case MP_QSTR_family: dest[0] = MP_OBJ_NEW_SMALL_INT(usocket_family(&self->socket)); return;
        case MP_QSTR_type: dest[0] = MP_OBJ_NEW_SMALL_INT(usocket_type(&self->socket)); return;
        case MP_QSTR_proto: dest[0] = MP_OBJ_NEW_SMALL_INT(usocket_proto(&self->socket)); return;
        default:
#if USOCKET_MICROPYTHON
            dest[1] = MP_OBJ_SENTINEL;  // go on in locals_dict
#else
            mp_load_method_maybe_from_locals_dict(self_in, name, dest);
#endif
    }
}

#if USOCKET_TLS
// --- What a wrapped one says (TLS-7)

static mp_obj_t socket_do_handshake(mp_obj_t self_in) {
    usocket_request_t request;
    begin(&request, self_in);
    return wait_for_none(usocket_request_do_handshake, &request);
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_do_handshake_obj, socket_do_handshake);

static mp_obj_t told(mp_obj_t self_in, int fact) {
    usocket_request_t request;
    begin(&request, self_in);
    mp_obj_str_t* bytes = usocket_bytes_begin(&request.sink);
    usocket_check(usocket_tell(request.socket, fact, &request.sink), MP_OBJ_NULL);
    return usocket_bytes_end(bytes, &request.sink, usocket_sink_size(&request.sink));
}

static mp_obj_t told_text(mp_obj_t self_in, int fact) {
    const usocket_bytes_t text = usocket_get_bytes(told(self_in, fact));
    return mp_obj_new_str(text.data, text.size);
}

static mp_obj_t or_none(mp_obj_t told) { return mp_obj_is_true(told) ? told : mp_const_none; }

static mp_obj_t socket_version(mp_obj_t self_in) { return told_text(self_in, USOCKET_TLS_VERSION); }
static MP_DEFINE_CONST_FUN_OBJ_1(socket_version_obj, socket_version);

static mp_obj_t socket_cipher(mp_obj_t self_in) {
    mp_obj_t pair[] = {told_text(self_in, USOCKET_TLS_CIPHER), told_text(self_in, USOCKET_TLS_VERSION)};
    return mp_obj_new_tuple(2, pair);
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_cipher_obj, socket_cipher);

static mp_obj_t socket_selected_alpn_protocol(mp_obj_t self_in) {
    return or_none(told_text(self_in, USOCKET_TLS_PROTOCOL));
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_selected_alpn_protocol_obj, socket_selected_alpn_protocol);

static mp_obj_t socket_getpeercert(size_t n_args, const mp_obj_t* args) {
    if (n_args < 2 || !mp_obj_is_true(args[1])) {
        mp_raise_NotImplementedError(MP_ERROR_TEXT("a certificate is shown as it came: getpeercert(True)"));
    }
    return or_none(told(args[0], USOCKET_TLS_CERTIFICATE));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_getpeercert_obj, 1, 2, socket_getpeercert);

static mp_obj_t socket_tls_session(mp_obj_t self_in) { return told(self_in, USOCKET_TLS_SESSION); }
static MP_DEFINE_CONST_FUN_OBJ_1(socket_tls_session_obj, socket_tls_session);

static mp_obj_t socket_session_reused(mp_obj_t self_in) {
    return mp_obj_new_bool(mp_obj_is_true(told(self_in, USOCKET_TLS_IS_RESUMED)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_session_reused_obj, socket_session_reused);

#define TLS_ENTRIES \
    {MP_ROM_QSTR(MP_QSTR_do_handshake), MP_ROM_PTR(&socket_do_handshake_obj)}, \
        {MP_ROM_QSTR(MP_QSTR_version), MP_ROM_PTR(&socket_version_obj)}, \
        {MP_ROM_QSTR(MP_QSTR_cipher), MP_ROM_PTR(&socket_cipher_obj)}, \
        {MP_ROM_QSTR(MP_QSTR_selected_alpn_protocol), MP_ROM_PTR(&socket_selected_alpn_protocol_obj)}, \
        {MP_ROM_QSTR(MP_QSTR_getpeercert), MP_ROM_PTR(&socket_getpeercert_obj)}, \
        {MP_ROM_QSTR(MP_QSTR_tls_session), MP_ROM_PTR(&socket_tls_session_obj)}, \
        {MP_ROM_QSTR(MP_QSTR_session_reused), MP_ROM_PTR(&socket_session_reused_obj)},
#else
#define TLS_ENTRIES
#endif

// --- The host's stream protocol (STRM-7): short reads and writes, EAGAIN for its callers to see

static mp_uint_t transfer(usocket_method_t method, mp_obj_t self_in, void* data, mp_uint_t size, int* errcode) {
    usocket_request_t request;
    begin(&request, self_in);
    request.data = data;
    request.size = size;
    const usocket_error_t error = usocket_wait(method, &request);
    if (error == 0) {
        return request.count;
    }
    if (error == MP_EINTR) {
        usocket_raise(error, MP_OBJ_NULL);
    }
    *errcode = usocket_code(error);
    return MP_STREAM_ERROR;
}

static mp_uint_t stream_read(mp_obj_t self_in, void* data, mp_uint_t size, int* errcode) {
    return transfer(usocket_request_recv, self_in, data, size, errcode);
}

static mp_uint_t stream_write(mp_obj_t self_in, const void* data, mp_uint_t size, int* errcode) {
    return transfer(usocket_request_send, self_in, (void*)data, size, errcode);
}

static mp_uint_t stream_ioctl(mp_obj_t self_in, mp_uint_t request, uintptr_t arg, int* errcode) {
    usocket_obj_t* self = get(self_in);
    switch (request) {
        case MP_STREAM_FLUSH: return 0;
        case MP_STREAM_POLL:
            // The system's numbers are the host's on this port.
            return usocket_poll_now(&self->socket, arg);
        case MP_STREAM_CLOSE: usocket_close(&self->socket); return 0;
        case MP_STREAM_GET_FILENO: {
            const int fd = usocket_fileno(&self->socket);
            if (fd >= 0) {
                return fd;
            }
            *errcode = MP_EBADF;
            return MP_STREAM_ERROR;
        }
        default: *errcode = MP_EINVAL; return MP_STREAM_ERROR;
    }
}

static const mp_stream_p_t protocol = {
    .read = stream_read,
    .write = stream_write,
    .ioctl = stream_ioctl,
};

// --- The types

static const mp_rom_map_elem_t locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&socket_read_obj)},
    {MP_ROM_QSTR(MP_QSTR_readinto), MP_ROM_PTR(&socket_readinto_obj)},
    {MP_ROM_QSTR(MP_QSTR_readline), MP_ROM_PTR(&socket_readline_obj)},
    {MP_ROM_QSTR(MP_QSTR_write), MP_ROM_PTR(&socket_write_obj)},
    {MP_ROM_QSTR(MP_QSTR_recv), MP_ROM_PTR(&socket_recv_obj)},
    {MP_ROM_QSTR(MP_QSTR_send), MP_ROM_PTR(&socket_send_obj)},
    {MP_ROM_QSTR(MP_QSTR_recvfrom), MP_ROM_PTR(&socket_recvfrom_obj)},
    {MP_ROM_QSTR(MP_QSTR_sendto), MP_ROM_PTR(&socket_sendto_obj)},
    {MP_ROM_QSTR(MP_QSTR_recv_into), MP_ROM_PTR(&socket_recv_into_obj)},
    {MP_ROM_QSTR(MP_QSTR_recvfrom_into), MP_ROM_PTR(&socket_recvfrom_into_obj)},
    {MP_ROM_QSTR(MP_QSTR_sendall), MP_ROM_PTR(&socket_sendall_obj)},
    {MP_ROM_QSTR(MP_QSTR_accept), MP_ROM_PTR(&socket_accept_obj)},
    {MP_ROM_QSTR(MP_QSTR_close), MP_ROM_PTR(&socket_close_obj)},
    {MP_ROM_QSTR(MP_QSTR_connect), MP_ROM_PTR(&socket_connect_obj)},
    {MP_ROM_QSTR(MP_QSTR_connect_ex), MP_ROM_PTR(&socket_connect_ex_obj)},
    {MP_ROM_QSTR(MP_QSTR_bind), MP_ROM_PTR(&socket_bind_obj)},
    {MP_ROM_QSTR(MP_QSTR_listen), MP_ROM_PTR(&socket_listen_obj)},
    {MP_ROM_QSTR(MP_QSTR_shutdown), MP_ROM_PTR(&socket_shutdown_obj)},
    {MP_ROM_QSTR(MP_QSTR_makefile), MP_ROM_PTR(&socket_makefile_obj)},
    {MP_ROM_QSTR(MP_QSTR_settimeout), MP_ROM_PTR(&socket_settimeout_obj)},
    {MP_ROM_QSTR(MP_QSTR_gettimeout), MP_ROM_PTR(&socket_gettimeout_obj)},
    {MP_ROM_QSTR(MP_QSTR_setblocking), MP_ROM_PTR(&socket_setblocking_obj)},
    {MP_ROM_QSTR(MP_QSTR_getblocking), MP_ROM_PTR(&socket_getblocking_obj)},
    {MP_ROM_QSTR(MP_QSTR_setsockopt), MP_ROM_PTR(&socket_setsockopt_obj)},
    {MP_ROM_QSTR(MP_QSTR_getsockopt), MP_ROM_PTR(&socket_getsockopt_obj)},
    {MP_ROM_QSTR(MP_QSTR_getsockname), MP_ROM_PTR(&socket_getsockname_obj)},
    {MP_ROM_QSTR(MP_QSTR_getpeername), MP_ROM_PTR(&socket_getpeername_obj)},
    {MP_ROM_QSTR(MP_QSTR_fileno), MP_ROM_PTR(&socket_fileno_obj)},
    SHARING_ENTRIES TLS_ENTRIES{MP_ROM_QSTR(MP_QSTR___enter__), MP_ROM_PTR(&mp_identity_obj)},
    {MP_ROM_QSTR(MP_QSTR___exit__), MP_ROM_PTR(&socket___exit___obj)},
    {MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&socket___del___obj)},
    INIT_ENTRY};
static MP_DEFINE_CONST_DICT(locals, locals_table);

#if USOCKET_MICROPYTHON
#define DEFINE_TYPE(object) \
    MP_DEFINE_CONST_OBJ_TYPE(object, MP_QSTR_socket, MP_TYPE_FLAG_ITER_IS_ITERNEXT, make_new, make_new, print, print, \
                             attr, attr, iter, iternext, protocol, &protocol, locals_dict, &locals)
#else
#define DEFINE_TYPE(object) \
    const mp_obj_type_t object = { \
        {&mp_type_type},      .name = MP_QSTR_socket, .print = print, \
        .make_new = make_new, .attr = attr,           .getiter = mp_identity_getiter, \
        .iternext = iternext, .protocol = &protocol,  .locals_dict = (mp_obj_dict_t*)&locals, \
    }
#endif

DEFINE_TYPE(usocket_type_socket);
DEFINE_TYPE(usocket_type_socket_compat);
