// The modules ussl, ssl and tls (TLS-1, TLS-2, TLS-7): one module with three names. A socket that is wrapped stays the
// object that it was; what a context holds is the TLS library's, which the collector does not see.
#include "module.h"

#if USOCKET_TLS

#include <string.h>

#include "py/builtin.h"
#include "py/stream.h"

enum { PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER };
enum { CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED };

// --- Certificates and keys: bytes-like, or the text of PEM, or the name of a file

static mp_obj_t content_of_file(mp_obj_t name) {
    const usocket_bytes_t path = usocket_get_text(name);
    if (memchr(path.data, 0, path.size) != NULL) {
        mp_raise_ValueError(MP_ERROR_TEXT("a file's name has no NUL in it"));
    }
    const mp_obj_t args[] = {name, MP_OBJ_NEW_QSTR(MP_QSTR_rb)};
    const mp_obj_t file = mp_call_function_n_kw(MP_OBJ_FROM_PTR(&mp_builtin_open_obj), 2, 0, args);
    mp_obj_t dest[2];
    mp_load_method(file, MP_QSTR_read, dest);
    const mp_obj_t content = mp_call_method_n_kw(0, 0, dest);
    mp_load_method(file, MP_QSTR_close, dest);
    mp_call_method_n_kw(0, 0, dest);
    return content;
}

// `*keeper` keeps what is read while the bytes are in use.
static usocket_bytes_t get_source(mp_obj_t from, mp_obj_t* keeper) {
    *keeper = from;
    if (mp_obj_is_str(from) && strstr(mp_obj_str_get_str(from), "-----BEGIN") == NULL) {
        *keeper = content_of_file(from);
    }
    return usocket_get_bytes(*keeper);
}

static bool is_given(mp_obj_t value) { return value != MP_OBJ_NULL && value != mp_const_none; }

// --- The class SSLContext

typedef struct {
    mp_obj_base_t base;
    usocket_context_t context;
    mp_int_t verify_mode;
    bool checks_hostname;
    bool is_told;  // by the program: verify_mode
} context_obj_t;

static const mp_obj_type_t type_context;

static context_obj_t* get_context(mp_obj_t from) {
    const mp_obj_t found = mp_obj_cast_to_native_base(from, MP_OBJ_FROM_PTR(&type_context));
    if (found == MP_OBJ_NULL || mp_obj_get_type(found) != &type_context) {
        mp_raise_TypeError(MP_ERROR_TEXT("not an SSLContext"));
    }
    return MP_OBJ_TO_PTR(found);
}

static mp_int_t default_mode(bool server_side) { return server_side ? CERT_NONE : CERT_REQUIRED; }

static context_obj_t* new_context(mp_int_t protocol) {
    context_obj_t* self = m_malloc_with_finaliser(sizeof(context_obj_t));
    self->context.state = NULL;
    self->base.type = &type_context;
    self->verify_mode = default_mode(protocol == PROTOCOL_TLS_SERVER);
    self->checks_hostname = true;
    self->is_told = false;
    usocket_check(usocket_context_init(&self->context), MP_OBJ_NULL);
    return self;
}

static mp_obj_t context_make_new(const mp_obj_type_t* type, size_t n_args, size_t n_kw, const mp_obj_t* args) {
    (void)type;
    mp_arg_check_num(n_args, n_kw, 0, 1, false);
    const mp_int_t protocol = n_args > 0 ? mp_obj_get_int(args[0]) : PROTOCOL_TLS_CLIENT;
    if (protocol != PROTOCOL_TLS_CLIENT && protocol != PROTOCOL_TLS_SERVER) {
        mp_raise_ValueError(MP_ERROR_TEXT("protocol is PROTOCOL_TLS_CLIENT or PROTOCOL_TLS_SERVER"));
    }
    return MP_OBJ_FROM_PTR(new_context(protocol));
}

static mp_obj_t context___del__(mp_obj_t self_in) {
    usocket_context_destroy(&get_context(self_in)->context);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(context___del___obj, context___del__);

static void set_verify_mode(context_obj_t* self, mp_obj_t value) {
    const mp_int_t mode = mp_obj_get_int(value);
    if (mode < CERT_NONE || mode > CERT_REQUIRED) {
        mp_raise_ValueError(MP_ERROR_TEXT("verify_mode is CERT_NONE, CERT_OPTIONAL or CERT_REQUIRED"));
    }
    usocket_hold_signals();
    const usocket_error_t error = usocket_context_set_cert_reqs(&self->context, mode);
    if (error == 0) {
        self->verify_mode = mode;
        self->is_told = true;
    }
    usocket_release_signals();
    usocket_check(error, MP_OBJ_NULL);
}

static void context_attr(mp_obj_t self_in, qstr name, mp_obj_t* dest) {
    context_obj_t* self = MP_OBJ_TO_PTR(self_in);
    const bool is_load = dest[0] == MP_OBJ_NULL;
    if (!is_load && dest[1] == MP_OBJ_NULL) {
        return;
    }
    if (name == MP_QSTR_verify_mode) {
        if (is_load) {
            dest[0] = MP_OBJ_NEW_SMALL_INT(self->verify_mode);
            return;
        }
        set_verify_mode(self, dest[1]);
        dest[0] = MP_OBJ_NULL;
    } else if (name == MP_QSTR_check_hostname) {
        if (is_load) {
            dest[0] = mp_obj_new_bool(self->checks_hostname);
            return;
        }
        self->checks_hostname = mp_obj_is_true(dest[1]);
        dest[0] = MP_OBJ_NULL;
    } else if (is_load) {
#if USOCKET_MICROPYTHON
        dest[1] = MP_OBJ_SENTINEL;  // go on in locals_dict
#else
        mp_load_method_maybe_from_locals_dict(self_in, name, dest);
#endif
    }
}

static void use_cert_key(context_obj_t* self, mp_obj_t cert, mp_obj_t key) {
    mp_obj_t keepers[2];
    const usocket_bytes_t cert_bytes = get_source(cert, &keepers[0]);
    const usocket_bytes_t key_bytes = get_source(key, &keepers[1]);
    usocket_check(usocket_context_set_cert_key(&self->context, cert_bytes, key_bytes), MP_OBJ_NULL);
}

// Without a keyfile the key is in the certfile too.
static mp_obj_t set_cert_key(size_t n_args, const mp_obj_t* pos_args, mp_map_t* kw_args, qstr cert, qstr key,
                             bool needs_key) {
    const mp_arg_t allowed[] = {
        {cert, MP_ARG_REQUIRED | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
        {key, (needs_key ? MP_ARG_REQUIRED : 0) | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, pos_args + 1, kw_args, MP_ARRAY_SIZE(allowed), allowed, args);
    const bool has_key = needs_key || is_given(args[1].u_obj);
    use_cert_key(get_context(pos_args[0]), args[0].u_obj, args[has_key ? 1 : 0].u_obj);
    return mp_const_none;
}

static mp_obj_t context_set_cert_key(size_t n_args, const mp_obj_t* args, mp_map_t* kw_args) {
    return set_cert_key(n_args, args, kw_args, MP_QSTR_cert, MP_QSTR_key, true);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(context_set_cert_key_obj, 1, context_set_cert_key);

static mp_obj_t context_load_cert_chain(size_t n_args, const mp_obj_t* args, mp_map_t* kw_args) {
    return set_cert_key(n_args, args, kw_args, MP_QSTR_certfile, MP_QSTR_keyfile, false);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(context_load_cert_chain_obj, 1, context_load_cert_chain);

static void trust(context_obj_t* self, mp_obj_t source) {
    mp_obj_t keeper;
    const usocket_bytes_t bytes = get_source(source, &keeper);
    usocket_check(usocket_context_load_verify_locations(&self->context, bytes), MP_OBJ_NULL);
}

// MicroPython's tls takes the bytes as its only argument, which is where ssl has the name of a file: either will do.
static mp_obj_t context_load_verify_locations(size_t n_args, const mp_obj_t* pos_args, mp_map_t* kw_args) {
    static const mp_arg_t allowed[] = {
        {MP_QSTR_cafile, MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
        {MP_QSTR_cadata, MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, pos_args + 1, kw_args, MP_ARRAY_SIZE(allowed), allowed, args);
    context_obj_t* self = get_context(pos_args[0]);
    if (!is_given(args[0].u_obj) && !is_given(args[1].u_obj)) {
        mp_raise_TypeError(MP_ERROR_TEXT("cafile or cadata is needed"));
    }
    for (size_t i = 0; i < MP_ARRAY_SIZE(args); ++i) {
        if (is_given(args[i].u_obj)) {
            trust(self, args[i].u_obj);
        }
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(context_load_verify_locations_obj, 1, context_load_verify_locations);

static mp_obj_t context_set_alpn_protocols(mp_obj_t self_in, mp_obj_t names) {
    context_obj_t* self = get_context(self_in);
    vstr_t joined;
    vstr_init(&joined, 32);
    mp_obj_iter_buf_t buffer;
    const mp_obj_t iterable = mp_getiter(names, &buffer);
    mp_obj_t name;
    size_t count = 0;
    for (; (name = mp_iternext(iterable)) != MP_OBJ_STOP_ITERATION; ++count) {
        const usocket_bytes_t text = usocket_get_text(name);
        if (memchr(text.data, ',', text.size) != NULL) {
            mp_raise_ValueError(MP_ERROR_TEXT("an application protocol's name has no comma in it"));
        }
        if (count != 0) {
            vstr_add_char(&joined, ',');
        }
        vstr_add_strn(&joined, text.data, text.size);
    }
    if (count == 1 && joined.len == 0) {
        vstr_add_char(&joined, ',');  // a name that is none, and not that there is none
    }
    const usocket_bytes_t all = {joined.buf, joined.len};
    usocket_check(usocket_context_set_alpn_protocols(&self->context, all), MP_OBJ_NULL);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(context_set_alpn_protocols_obj, context_set_alpn_protocols);

// --- Wrapping

static usocket_bytes_t get_optional(mp_obj_t from) {
    return is_given(from) ? usocket_get_bytes(from) : (usocket_bytes_t){NULL, 0};
}

static mp_obj_t wrap(context_obj_t* self, mp_obj_t sock, usocket_wrapping_t* wrapping) {
    usocket_obj_t* found = usocket_find(sock);
    if (found == NULL) {
        mp_raise_TypeError(MP_ERROR_TEXT("a socket of usocket is wanted"));
    }
    wrapping->request.socket = &found->socket;
    wrapping->request.flags = 0;
    wrapping->context = &self->context;
    usocket_check(usocket_wait(usocket_request_wrap, &wrapping->request), MP_OBJ_NULL);
    return sock;
}

static mp_obj_t context_wrap_socket(size_t n_args, const mp_obj_t* pos_args, mp_map_t* kw_args) {
    enum { ARG_sock, ARG_server_side, ARG_server_hostname, ARG_do_handshake, ARG_on_connect, ARG_session };
    static const mp_arg_t allowed[] = {
        {MP_QSTR_sock, MP_ARG_REQUIRED | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
        {MP_QSTR_server_side, MP_ARG_BOOL, {.u_bool = false}},
        {MP_QSTR_server_hostname, MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
        {MP_QSTR_do_handshake, MP_ARG_BOOL, {.u_bool = true}},
        {MP_QSTR_do_handshake_on_connect, MP_ARG_KW_ONLY | MP_ARG_BOOL, {.u_bool = true}},
        {MP_QSTR_session, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, pos_args + 1, kw_args, MP_ARRAY_SIZE(allowed), allowed, args);
    context_obj_t* self = get_context(pos_args[0]);
    usocket_wrapping_t wrapping;
    wrapping.options.server_side = args[ARG_server_side].u_bool;
    wrapping.options.do_handshake = args[ARG_do_handshake].u_bool && args[ARG_on_connect].u_bool;
    wrapping.options.server_hostname = get_optional(args[ARG_server_hostname].u_obj);
    wrapping.options.session = get_optional(args[ARG_session].u_obj);
    if (!self->is_told) {
        self->verify_mode = default_mode(wrapping.options.server_side);
    }
    if (!self->checks_hostname && !wrapping.options.server_side && self->verify_mode != CERT_NONE) {
        mp_raise_ValueError(MP_ERROR_TEXT("check_hostname=False goes with CERT_NONE"));
    }
    return wrap(self, args[ARG_sock].u_obj, &wrapping);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(context_wrap_socket_obj, 1, context_wrap_socket);

// The older way, without a context. By default it checks nothing: anybody may be at the other end. The names of the
// arguments are those of CPython's, and of MicroPython's.
static mp_obj_t wrap_socket(size_t n_args, const mp_obj_t* pos_args, mp_map_t* kw_args) {
    enum {
        ARG_sock,
        ARG_keyfile,
        ARG_certfile,
        ARG_server_side,
        ARG_cert_reqs,
        ARG_ca_certs,
        ARG_server_hostname,
        ARG_do_handshake,
        ARG_key,
        ARG_cert,
        ARG_cadata
    };
    static const mp_arg_t allowed[] = {
        {MP_QSTR_sock, MP_ARG_REQUIRED | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
        {MP_QSTR_keyfile, MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
        {MP_QSTR_certfile, MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
        {MP_QSTR_server_side, MP_ARG_BOOL, {.u_bool = false}},
        {MP_QSTR_cert_reqs, MP_ARG_OBJ, {.u_obj = MP_OBJ_NEW_SMALL_INT(CERT_NONE)}},
        {MP_QSTR_ca_certs, MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
        {MP_QSTR_server_hostname, MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
        {MP_QSTR_do_handshake, MP_ARG_BOOL, {.u_bool = true}},
        {MP_QSTR_key, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
        {MP_QSTR_cert, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
        {MP_QSTR_cadata, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args, pos_args, kw_args, MP_ARRAY_SIZE(allowed), allowed, args);
    usocket_wrapping_t wrapping;
    wrapping.options.server_side = args[ARG_server_side].u_bool;
    wrapping.options.do_handshake = args[ARG_do_handshake].u_bool;
    wrapping.options.server_hostname = get_optional(args[ARG_server_hostname].u_obj);
    wrapping.options.session = get_optional(MP_OBJ_NULL);
    context_obj_t* self = new_context(wrapping.options.server_side ? PROTOCOL_TLS_SERVER : PROTOCOL_TLS_CLIENT);
    set_verify_mode(self, args[ARG_cert_reqs].u_obj);
    const mp_obj_t cert = args[is_given(args[ARG_cert].u_obj) ? ARG_cert : ARG_certfile].u_obj;
    const mp_obj_t key = args[is_given(args[ARG_key].u_obj) ? ARG_key : ARG_keyfile].u_obj;
    if (is_given(cert)) {
        use_cert_key(self, cert, is_given(key) ? key : cert);
    }
    for (size_t i = ARG_ca_certs; i <= ARG_cadata; i += ARG_cadata - ARG_ca_certs) {
        if (is_given(args[i].u_obj)) {
            trust(self, args[i].u_obj);
        }
    }
    return wrap(self, args[ARG_sock].u_obj, &wrapping);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(wrap_socket_obj, 1, wrap_socket);

// --- The type and the modules

static const mp_rom_map_elem_t context_table[] = {
    {MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&context___del___obj)},
    {MP_ROM_QSTR(MP_QSTR_set_cert_key), MP_ROM_PTR(&context_set_cert_key_obj)},
    {MP_ROM_QSTR(MP_QSTR_load_cert_chain), MP_ROM_PTR(&context_load_cert_chain_obj)},
    {MP_ROM_QSTR(MP_QSTR_load_verify_locations), MP_ROM_PTR(&context_load_verify_locations_obj)},
    {MP_ROM_QSTR(MP_QSTR_set_alpn_protocols), MP_ROM_PTR(&context_set_alpn_protocols_obj)},
    {MP_ROM_QSTR(MP_QSTR_wrap_socket), MP_ROM_PTR(&context_wrap_socket_obj)},
};
static MP_DEFINE_CONST_DICT(context_locals, context_table);

#if USOCKET_MICROPYTHON
static MP_DEFINE_CONST_OBJ_TYPE(type_context, MP_QSTR_SSLContext, MP_TYPE_FLAG_NONE, make_new, context_make_new, attr,
                                context_attr, locals_dict, &context_locals);
#else
static const mp_obj_type_t type_context = {
    {&mp_type_type},
    .name = MP_QSTR_SSLContext,
    .make_new = context_make_new,
    .attr = context_attr,
    .locals_dict = (mp_obj_dict_t*)&context_locals,
};
#endif

static const mp_rom_map_elem_t tls_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_ussl)},
    {MP_ROM_QSTR(MP_QSTR_SSLContext), MP_ROM_PTR(&type_context)},
    {MP_ROM_QSTR(MP_QSTR_wrap_socket), MP_ROM_PTR(&wrap_socket_obj)},
    {MP_ROM_QSTR(MP_QSTR_PROTOCOL_TLS_CLIENT), MP_ROM_INT(PROTOCOL_TLS_CLIENT)},
    {MP_ROM_QSTR(MP_QSTR_PROTOCOL_TLS_SERVER), MP_ROM_INT(PROTOCOL_TLS_SERVER)},
    {MP_ROM_QSTR(MP_QSTR_CERT_NONE), MP_ROM_INT(CERT_NONE)},
    {MP_ROM_QSTR(MP_QSTR_CERT_OPTIONAL), MP_ROM_INT(CERT_OPTIONAL)},
    {MP_ROM_QSTR(MP_QSTR_CERT_REQUIRED), MP_ROM_INT(CERT_REQUIRED)},
};
static MP_DEFINE_CONST_DICT(tls_globals, tls_table);

// By this name the host's table of modules knows its own `tls`, whose file micropython.mk leaves empty.
const mp_obj_module_t mp_module_tls = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t*)&tls_globals,
};

// Pycopy searches the lines of this file, as modusocket.c says.
#ifdef MP_DEFINE_CONST_OBJ_TYPE
/* MicroPython */ MP_REGISTER_MODULE(MP_QSTR_ussl, mp_module_tls);
/* MicroPython */ MP_REGISTER_EXTENSIBLE_MODULE(MP_QSTR_ssl, mp_module_tls);
#if !MICROPY_PY_SSL
/* MicroPython */ MP_REGISTER_MODULE(MP_QSTR_tls, mp_module_tls);
#endif
#else
MP_REGISTER_MODULE(MP_QSTR_ussl, mp_module_tls, USOCKET_TLS);
MP_REGISTER_MODULE(MP_QSTR_ssl, mp_module_tls, USOCKET_TLS);
MP_REGISTER_MODULE(MP_QSTR_tls, mp_module_tls, USOCKET_TLS);
#endif

#endif
