// The modules usocket and socket (NAME-1..3).
#define _GNU_SOURCE
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "module.h"

#define IPPROTO_SEC USOCKET_IPPROTO_SEC

// The constants that have an entry in the modules' tables, which dir() shows; the others are found by name
// (constants.cpp).
#if defined(USOCKET_WITHOUT_texts)
#define CONSTANTS(X)
#else
// clang-format off
#define CONSTANTS(X) \
    X(AF_INET) X(AF_INET6) X(AF_UNIX) X(SOCK_STREAM) X(SOCK_DGRAM) X(SOCK_RAW) \
    X(IPPROTO_TCP) X(IPPROTO_UDP) X(IPPROTO_SEC) \
    X(SOL_SOCKET) X(SO_REUSEADDR) X(SO_KEEPALIVE) X(SO_BROADCAST) X(SO_LINGER) X(SO_ERROR) X(TCP_NODELAY) \
    X(MSG_PEEK) X(MSG_DONTWAIT) X(SHUT_RD) X(SHUT_WR) X(SHUT_RDWR) X(AI_PASSIVE) X(EAI_NONAME)
// clang-format on
#endif

#define ENTRY(name) {MP_ROM_QSTR(MP_QSTR_##name), MP_ROM_INT(name)},

static bool find_constant(qstr name, mp_obj_t* value) {
    size_t size;
    const char* text = (const char*)qstr_data(name, &size);
    int64_t number;
    if (!usocket_constant(text, size, &number)) {
        return false;
    }
    *value = mp_obj_new_int((mp_int_t)number);
    return true;
}

#if USOCKET_MICROPYTHON
// Called by the host for names that are in no table.
void usocket_delegate(mp_obj_t module, qstr name, mp_obj_t* dest);
void usocket_delegate(mp_obj_t module, qstr name, mp_obj_t* dest) {
    (void)module;
    if (dest[0] == MP_OBJ_NULL) {
        find_constant(name, &dest[0]);
    }
}
#define GETATTR_ENTRY
#else
static mp_obj_t getattr(mp_obj_t name_in) {
    const qstr name = mp_obj_str_get_qstr(name_in);
    mp_obj_t value;
    if (!find_constant(name, &value)) {
        mp_raise_msg_varg(&mp_type_AttributeError, MP_ERROR_TEXT("'module' object has no attribute '%q'"), name);
    }
    return value;
}
static MP_DEFINE_CONST_FUN_OBJ_1(getattr_obj, getattr);
#define GETATTR_ENTRY {MP_ROM_QSTR(MP_QSTR___getattr__), MP_ROM_PTR(&getattr_obj)},
#endif

// What is the same in both.
#define COMMON_ENTRIES \
    {MP_ROM_QSTR(MP_QSTR_inet_ntop), MP_ROM_PTR(&usocket_inet_ntop_obj)}, \
        {MP_ROM_QSTR(MP_QSTR_inet_pton), MP_ROM_PTR(&usocket_inet_pton_obj)}, \
        {MP_ROM_QSTR(MP_QSTR_sockaddr), MP_ROM_PTR(&usocket_sockaddr_obj)}, GETATTR_ENTRY CONSTANTS(ENTRY)

#if defined(USOCKET_WITHOUT_sharing)
#define SOCKETPAIR_ENTRY(object)
#else
#define SOCKETPAIR_ENTRY(object) {MP_ROM_QSTR(MP_QSTR_socketpair), MP_ROM_PTR(&object)},
#endif

#if defined(USOCKET_WITHOUT_creating)
#define CREATING_ENTRIES
#else
#define CREATING_ENTRIES \
    {MP_ROM_QSTR(MP_QSTR_create_connection), MP_ROM_PTR(&usocket_create_connection_obj)}, \
        {MP_ROM_QSTR(MP_QSTR_create_server), MP_ROM_PTR(&usocket_create_server_obj)},
#endif

static const mp_rom_map_elem_t usocket_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_usocket)},
    {MP_ROM_QSTR(MP_QSTR_socket), MP_ROM_PTR(&usocket_type_socket)},
    {MP_ROM_QSTR(MP_QSTR_getaddrinfo), MP_ROM_PTR(&usocket_getaddrinfo_obj)},
    SOCKETPAIR_ENTRY(usocket_socketpair_obj) COMMON_ENTRIES};
static MP_DEFINE_CONST_DICT(usocket_globals, usocket_table);

const mp_obj_module_t usocket_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t*)&usocket_globals,
};

static const mp_rom_map_elem_t socket_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_socket)},
    {MP_ROM_QSTR(MP_QSTR_socket), MP_ROM_PTR(&usocket_type_socket_compat)},
    {MP_ROM_QSTR(MP_QSTR_getaddrinfo), MP_ROM_PTR(&usocket_getaddrinfo_compat_obj)},
    SOCKETPAIR_ENTRY(usocket_socketpair_compat_obj){MP_ROM_QSTR(MP_QSTR_error), MP_ROM_PTR(&mp_type_OSError)},
    {MP_ROM_QSTR(MP_QSTR_timeout), MP_ROM_PTR(&mp_type_OSError)},
    {MP_ROM_QSTR(MP_QSTR_gaierror), MP_ROM_PTR(&mp_type_OSError)},
    CREATING_ENTRIES{MP_ROM_QSTR(MP_QSTR_getdefaulttimeout), MP_ROM_PTR(&usocket_getdefaulttimeout_obj)},
    {MP_ROM_QSTR(MP_QSTR_setdefaulttimeout), MP_ROM_PTR(&usocket_setdefaulttimeout_obj)},
    {MP_ROM_QSTR(MP_QSTR__GLOBAL_DEFAULT_TIMEOUT), MP_ROM_PTR(USOCKET_GLOBAL_DEFAULT_TIMEOUT)},
    {MP_ROM_QSTR(MP_QSTR_inet_aton), MP_ROM_PTR(&usocket_inet_aton_obj)},
    {MP_ROM_QSTR(MP_QSTR_inet_ntoa), MP_ROM_PTR(&usocket_inet_ntoa_obj)},
    {MP_ROM_QSTR(MP_QSTR_INADDR_ANY), MP_ROM_INT(0)},
    {MP_ROM_QSTR(MP_QSTR_SOCK_SEQPACKET), MP_ROM_INT(SOCK_SEQPACKET)},
    COMMON_ENTRIES};
static MP_DEFINE_CONST_DICT(socket_globals, socket_table);

const mp_obj_module_t usocket_socket_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t*)&socket_globals,
};

// Pycopy searches the lines of this file for MP_REGISTER_MODULE, blind to #ifdef, but not behind a comment.
#ifdef MP_DEFINE_CONST_OBJ_TYPE
/* MicroPython */ MP_REGISTER_MODULE(MP_QSTR_usocket, usocket_module);
/* MicroPython */ MP_REGISTER_EXTENSIBLE_MODULE(MP_QSTR_socket, usocket_socket_module);
/* MicroPython */ MP_REGISTER_MODULE_DELEGATION(usocket_module, usocket_delegate);
/* MicroPython */ MP_REGISTER_MODULE_DELEGATION(usocket_socket_module, usocket_delegate);
#else
MP_REGISTER_MODULE(MP_QSTR_usocket, usocket_module, 1);
MP_REGISTER_MODULE(MP_QSTR_socket, usocket_socket_module, 1);
#endif
