// What the module socket has besides usocket's functions (NAME-2), by calls as a Python program would make them.
#include "module.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "py/mperrno.h"

#if !defined(USOCKET_WITHOUT_creating)

static mp_obj_t call(mp_obj_t sock, qstr method, size_t n_args, const mp_obj_t* args) {
    mp_obj_t dest[5];
    mp_load_method(sock, method, dest);
    for (size_t i = 0; i < n_args; ++i) {
        dest[2 + i] = args[i];
    }
    return mp_call_method_n_kw(n_args, 0, dest);
}

static void set_option(mp_obj_t sock, int level, int name, bool value) {
    const mp_obj_t args[] = {MP_OBJ_NEW_SMALL_INT(level), MP_OBJ_NEW_SMALL_INT(name), MP_OBJ_NEW_SMALL_INT(value)};
    call(sock, MP_QSTR_setsockopt, MP_ARRAY_SIZE(args), args);
}

static mp_obj_t new_socket(size_t n_args, const mp_obj_t* args) {
    return mp_call_function_n_kw(MP_OBJ_FROM_PTR(&usocket_type_socket_compat), n_args, 0, args);
}

// Makes something of the socket; closes it if that fails. Returns the exception, or NULL.
typedef void (*make_t)(mp_obj_t sock, const mp_arg_val_t* args, mp_obj_t address);
static void* try_to(make_t make, mp_obj_t sock, const mp_arg_val_t* args, mp_obj_t address) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        call(sock, MP_QSTR_close, 0, NULL);
        return nlr.ret_val;
    }
    make(sock, args, address);
    nlr_pop();
    return NULL;
}

// --- create_connection()

// Of the family that a socket of this source has to be.
static void get_source(mp_obj_t from, usocket_create_t* create) {
    mp_obj_t *source, *entries, *entry;
    mp_obj_get_array_fixed_n(from, 2, &source);
    size_t count;
    const mp_obj_t query[] = {mp_obj_is_true(source[0]) ? source[0] : mp_const_none,
                              source[1],
                              MP_OBJ_NEW_SMALL_INT(AF_UNSPEC),
                              MP_OBJ_NEW_SMALL_INT(SOCK_STREAM),
                              MP_OBJ_NEW_SMALL_INT(0),
                              MP_OBJ_NEW_SMALL_INT(AI_PASSIVE)};
    mp_obj_get_array(mp_call_function_n_kw(MP_OBJ_FROM_PTR(&usocket_getaddrinfo_obj), MP_ARRAY_SIZE(query), 0, query),
                     &count, &entries);
    mp_obj_get_array_fixed_n(entries[0], 5, &entry);  // it has found something, or raised
    create->to.source = &create->source;
    usocket_check(usocket_address_native(&create->source, usocket_get_bytes(entry[4])), from);
}

USOCKET_NORETURN static void raise_connecting(usocket_error_t error, const usocket_failure_t* failure, mp_obj_t port) {
    if (error == MP_EINTR || usocket_is_fault(error)) {
        usocket_raise(error, usocket_is_port(error) ? port : MP_OBJ_NULL);
    }
    const mp_obj_t args[] = {MP_OBJ_NEW_SMALL_INT(error), mp_obj_new_str(failure->message, strlen(failure->message))};
    nlr_raise(mp_obj_new_exception_args(&mp_type_OSError, MP_ARRAY_SIZE(args), args));
}

// One deadline for resolving and all attempts (GAI-5).
static mp_obj_t create_connection(size_t n_args, const mp_obj_t* pos_args, mp_map_t* kw_args) {
    enum { ARG_address, ARG_timeout, ARG_source_address };
    static const mp_arg_t allowed[] = {
        {MP_QSTR_address, MP_ARG_REQUIRED | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
        {MP_QSTR_timeout, MP_ARG_OBJ, {.u_rom_obj = MP_ROM_PTR(USOCKET_GLOBAL_DEFAULT_TIMEOUT)}},
        {MP_QSTR_source_address, MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args, pos_args, kw_args, MP_ARRAY_SIZE(allowed), allowed, args);
    mp_obj_t* address;
    mp_obj_get_array_fixed_n(args[ARG_address].u_obj, 2, &address);
    mp_obj_t timeout = args[ARG_timeout].u_obj;
    if (timeout == MP_OBJ_FROM_PTR(USOCKET_GLOBAL_DEFAULT_TIMEOUT)) {
        timeout = mp_call_function_0(MP_OBJ_FROM_PTR(&usocket_getdefaulttimeout_obj));
    }

    usocket_create_t create;
    create.to.host = (usocket_bytes_t){NULL, 0};
    if (address[0] != mp_const_none) {
        create.to.host = usocket_get_text(address[0]);
    }
    usocket_get_service(address[1], &create.to.port, &create.to.service);
    create.to.family = AF_UNSPEC;
    create.to.source = NULL;
    create.timeout = usocket_get_timeout(timeout);
    if (args[ARG_source_address].u_obj != mp_const_none) {
        get_source(args[ARG_source_address].u_obj, &create);
    }
    usocket_obj_t* conn = usocket_new_socket(&usocket_type_socket_compat);
    create.request.socket = NULL;
    create.request.conn = &conn->socket;
    const usocket_error_t error = usocket_wait_connecting(&create);
    if (error != 0) {
        raise_connecting(error, &create.failure, address[1]);
    }
    return MP_OBJ_FROM_PTR(conn);
}
MP_DEFINE_CONST_FUN_OBJ_KW(usocket_create_connection_obj, 0, create_connection);

// --- create_server()

enum { ARG_at, ARG_family, ARG_backlog, ARG_reuse_port, ARG_dualstack_ipv6 };

static void make_server(mp_obj_t sock, const mp_arg_val_t* args, mp_obj_t address) {
    const mp_obj_t family = args[ARG_family].u_obj;
    if (family != MP_OBJ_NEW_SMALL_INT(AF_UNIX)) {
        set_option(sock, SOL_SOCKET, SO_REUSEADDR, true);
    }
    if (args[ARG_reuse_port].u_bool) {
        set_option(sock, SOL_SOCKET, SO_REUSEPORT, true);
    }
    if (family == MP_OBJ_NEW_SMALL_INT(AF_INET6)) {
        set_option(sock, IPPROTO_IPV6, IPV6_V6ONLY, !args[ARG_dualstack_ipv6].u_bool);
    }
    call(sock, MP_QSTR_bind, 1, &address);
    call(sock, MP_QSTR_listen, 1, &args[ARG_backlog].u_obj);
}

static mp_obj_t create_server(size_t n_args, const mp_obj_t* pos_args, mp_map_t* kw_args) {
    static const mp_arg_t allowed[] = {
        {MP_QSTR_address, MP_ARG_REQUIRED | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
        {MP_QSTR_family, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_INT(AF_INET)}},
        {MP_QSTR_backlog, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
        {MP_QSTR_reuse_port, MP_ARG_KW_ONLY | MP_ARG_BOOL, {.u_bool = false}},
        {MP_QSTR_dualstack_ipv6, MP_ARG_KW_ONLY | MP_ARG_BOOL, {.u_bool = false}},
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args, pos_args, kw_args, MP_ARRAY_SIZE(allowed), allowed, args);
    const mp_obj_t sock = new_socket(1, &args[ARG_family].u_obj);
    void* exception = try_to(make_server, sock, args, args[ARG_at].u_obj);
    if (exception != NULL) {
        nlr_raise(MP_OBJ_FROM_PTR(exception));
    }
    return sock;
}
MP_DEFINE_CONST_FUN_OBJ_KW(usocket_create_server_obj, 0, create_server);

#endif

// --- IPv4 addresses as bytes

static mp_obj_t inet_aton(mp_obj_t text) {
    return mp_call_function_2(MP_OBJ_FROM_PTR(&usocket_inet_pton_obj), MP_OBJ_NEW_SMALL_INT(AF_INET), text);
}
MP_DEFINE_CONST_FUN_OBJ_1(usocket_inet_aton_obj, inet_aton);

static mp_obj_t inet_ntoa(mp_obj_t packed) {
    return mp_call_function_2(MP_OBJ_FROM_PTR(&usocket_inet_ntop_obj), MP_OBJ_NEW_SMALL_INT(AF_INET), packed);
}
MP_DEFINE_CONST_FUN_OBJ_1(usocket_inet_ntoa_obj, inet_ntoa);
