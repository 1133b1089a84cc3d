// Addresses as the host writes them: opaque bytes, tuples, AF_UNIX paths (ADDR-1..5); names, and what they resolve to.
#include "module.h"

#include <string.h>

#include "py/objlist.h"
#include "py/objtuple.h"

// --- Resolving

// What is found is not the collector's: it is freed whatever happens, once `use` has seen it.
static void resolve(usocket_resolving_t* resolving, mp_obj_t host, mp_obj_t port,
                    void (*use)(usocket_addrinfo_t* before_first, void* of), void* of) {
    resolving->request.socket = NULL;
    resolving->list.first = NULL;
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        usocket_addrinfo_free(&resolving->list);
        nlr_jump(nlr.ret_val);
    }
    const usocket_error_t error = usocket_wait(usocket_request_getaddrinfo, &resolving->request);
    usocket_check(error, usocket_is_port(error) ? port : host);
    usocket_addrinfo_t entry;
    entry.next = resolving->list.first;
    use(&entry, of);
    usocket_addrinfo_free(&resolving->list);
    nlr_pop();
}

static mp_obj_t new_entry(const usocket_addrinfo_t* entry, bool compat) {
    mp_obj_t items[] = {
        MP_OBJ_NEW_SMALL_INT(entry->family),          MP_OBJ_NEW_SMALL_INT(entry->type),
        MP_OBJ_NEW_SMALL_INT(entry->proto),           mp_obj_new_str(entry->canonname.data, entry->canonname.size),
        usocket_new_address(&entry->address, compat),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}

typedef struct {
    mp_obj_t list;
    bool compat;
} listing_t;

static void list_all(usocket_addrinfo_t* entry, void* of) {
    const listing_t* listing = of;
    while (usocket_addrinfo_next(entry)) {
        mp_obj_list_append(listing->list, new_entry(entry, listing->compat));
    }
}

static void take_first(usocket_addrinfo_t* entry, void* of) {
    usocket_addrinfo_next(entry);
    usocket_address_decode(&entry->address, of);
}

bool usocket_get_service(mp_obj_t from, int64_t* port, usocket_bytes_t* service) {
    *port = 0;
    *service = (usocket_bytes_t){NULL, 0};
    if (from == mp_const_none) {
        return false;
    }
    if (mp_obj_is_str(from)) {
        *service = usocket_get_text(from);
    } else {
        *port = usocket_get_int64(from);
    }
    return true;
}

static mp_obj_t getaddrinfo(size_t n_args, const mp_obj_t* pos_args, mp_map_t* kw_args, bool compat) {
    enum { ARG_host, ARG_port, ARG_family, ARG_type, ARG_proto, ARG_flags };
    static const mp_arg_t allowed[] = {
        {MP_QSTR_host, MP_ARG_REQUIRED | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
        {MP_QSTR_port, MP_ARG_REQUIRED | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL}},
        {MP_QSTR_family, MP_ARG_OBJ, {.u_obj = MP_OBJ_NEW_SMALL_INT(0)}},
        {MP_QSTR_type, MP_ARG_OBJ, {.u_obj = MP_OBJ_NEW_SMALL_INT(0)}},
        {MP_QSTR_proto, MP_ARG_OBJ, {.u_obj = MP_OBJ_NEW_SMALL_INT(0)}},
        {MP_QSTR_flags, MP_ARG_OBJ, {.u_obj = MP_OBJ_NEW_SMALL_INT(0)}},
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args, pos_args, kw_args, MP_ARRAY_SIZE(allowed), allowed, args);
    const mp_obj_t host = args[ARG_host].u_obj, port = args[ARG_port].u_obj;

    usocket_resolving_t resolving;
    usocket_query_t* query = &resolving.query;
    query->host = (usocket_bytes_t){NULL, 0};
    if (host != mp_const_none) {
        query->host = usocket_get_text(host);
    }
    query->has_port = usocket_get_service(port, &query->port, &query->service);
    query->family = usocket_get_int(args[ARG_family].u_obj);
    query->type = usocket_get_int(args[ARG_type].u_obj);
    query->proto = usocket_get_int(args[ARG_proto].u_obj);
    query->flags = usocket_get_int(args[ARG_flags].u_obj);
    listing_t listing = {mp_obj_new_list(0, NULL), compat};
    resolve(&resolving, host, port, list_all, &listing);
    return listing.list;
}

static mp_obj_t getaddrinfo_opaque(size_t n_args, const mp_obj_t* pos_args, mp_map_t* kw_args) {
    return getaddrinfo(n_args, pos_args, kw_args, false);
}
MP_DEFINE_CONST_FUN_OBJ_KW(usocket_getaddrinfo_obj, 2, getaddrinfo_opaque);

static mp_obj_t getaddrinfo_compat(size_t n_args, const mp_obj_t* pos_args, mp_map_t* kw_args) {
    return getaddrinfo(n_args, pos_args, kw_args, true);
}
MP_DEFINE_CONST_FUN_OBJ_KW(usocket_getaddrinfo_compat_obj, 2, getaddrinfo_compat);

// --- To a socket

// A name (NAME-2) counts as the first address of the family that it has.
static void get_resolved(int family, usocket_inet_t* from, mp_obj_t host, usocket_address_t* address) {
    usocket_resolving_t resolving;
    resolving.query = (usocket_query_t){.host = from->host, .family = family};
    usocket_decoded_t decoded;
    resolve(&resolving, host, host, take_first, &decoded);
    from->host = (usocket_bytes_t){decoded.host, decoded.host_size};
    if (from->scopeid == 0) {
        from->scopeid = decoded.scopeid;
    }
    usocket_check(usocket_address_inet(address, family, from), host);
}

static void get_tuple(const usocket_obj_t* self, mp_obj_t from, usocket_address_t* address) {
    int family = usocket_family(&self->socket);
    size_t size;
    mp_obj_t* items;
    mp_obj_tuple_get(from, &size, &items);
    // What sockaddr() returns (ADDR-8): the family, and then the host.
    const bool is_apart = size >= 2 && mp_obj_is_int(items[0]) && mp_obj_is_type(items[1], &mp_type_bytes);
    if (is_apart) {
        family = usocket_get_int(items[0]);
        usocket_check(usocket_parts_size(family, size), from);
        ++items;
        --size;
    } else {
        usocket_check(usocket_tuple_size(family, size), from);
    }
    usocket_inet_t inet = {usocket_get_text(items[0]), 0, 0, 0};
    int64_t* const numbers[] = {&inet.port, &inet.flowinfo, &inet.scopeid};
    for (size_t i = 1; i < size; ++i) {
        *numbers[i - 1] = usocket_get_int64(items[i]);
    }
    const usocket_error_t error =
        is_apart ? usocket_address_from_parts(address, family, &inet) : usocket_address_inet(address, family, &inet);
    if (usocket_is_compat(self) && usocket_is_name(error)) {
        get_resolved(family, &inet, items[0], address);
        return;
    }
    const int element = usocket_tuple_element(error);
    usocket_check(error, element < 0 ? from : items[element]);
}

void usocket_get_address(const usocket_obj_t* self, mp_obj_t from, usocket_address_t* address) {
    if (mp_obj_is_type(from, &mp_type_tuple)) {
        get_tuple(self, from, address);
        return;
    }
    const int family = usocket_family(&self->socket);
    const usocket_bytes_t bytes = usocket_get_bytes(from);
    const bool is_path = mp_obj_is_str(from) || (usocket_is_compat(self) && usocket_takes_paths(family));
    usocket_check(is_path ? usocket_address_path(address, family, bytes) : usocket_address_native(address, bytes),
                  from);
}

// --- From a socket

#if !defined(USOCKET_OVER_lwip)  // which has no paths
// Well-formed UTF-8: what MicroPython and Pycopy take as the content of a str. Their own check differs in name from
// version to version, and is missing from small builds.
static bool is_utf8(usocket_bytes_t bytes) {
    size_t following = 0;
    for (size_t i = 0; i < bytes.size; ++i) {
        const uint8_t one = ((const uint8_t*)bytes.data)[i];
        if (following != 0) {
            if ((one & 0xc0) != 0x80) {
                return false;
            }
            --following;
        } else if (one >= 0x80) {
            following = 1u + (one >= 0xe0) + (one >= 0xf0);
            if (one < 0xc0 || one >= 0xf8) {
                return false;
            }
        }
    }
    return following == 0;
}

// As CPython has it: text, but bytes where there is none, as in an abstract name.
static mp_obj_t new_path(usocket_bytes_t path) {
    const bool is_abstract = path.size != 0 && *(const char*)path.data == '\0';
    if (is_abstract || !is_utf8(path)) {
        return usocket_new_bytes(path);
    }
    return mp_obj_new_str(path.data, path.size);
}
#endif

static mp_obj_t new_compat(const usocket_address_t* address) {
    usocket_decoded_t decoded;
    usocket_address_decode(address, &decoded);
#if !defined(USOCKET_OVER_lwip)
    if (decoded.kind == USOCKET_UNIX) {
        return new_path(usocket_address_payload(address));
    }
#endif
    if (decoded.kind == USOCKET_OTHER) {
        const usocket_bytes_t native = usocket_address_bytes(address);
        return native.size == 0 ? mp_const_none : usocket_new_bytes(native);
    }
    mp_obj_t items[] = {
        mp_obj_new_str(decoded.host, decoded.host_size),
        MP_OBJ_NEW_SMALL_INT(decoded.port),
        mp_obj_new_int_from_uint(decoded.flowinfo),
        mp_obj_new_int_from_uint(decoded.scopeid),
    };
    return mp_obj_new_tuple(decoded.kind == USOCKET_INET ? 2 : 4, items);
}

mp_obj_t usocket_new_address(const usocket_address_t* address, bool compat) {
    return compat ? new_compat(address) : usocket_new_bytes(usocket_address_bytes(address));
}

// --- The modules' functions

static mp_obj_t decode(mp_obj_t from) {
    const usocket_bytes_t native = usocket_get_bytes(from);
    usocket_address_t address;
    usocket_check(usocket_address_native(&address, native), from);
    usocket_decoded_t decoded;
    usocket_address_decode(&address, &decoded);
    mp_obj_t items[] = {
        MP_OBJ_NEW_SMALL_INT(decoded.family),      usocket_new_bytes(usocket_address_payload(&address)),
        MP_OBJ_NEW_SMALL_INT(decoded.port),        mp_obj_new_int_from_uint(decoded.flowinfo),
        mp_obj_new_int_from_uint(decoded.scopeid),
    };
    const size_t size = decoded.kind == USOCKET_INET ? 3 : decoded.kind == USOCKET_INET6 ? 5 : 2;
    return mp_obj_new_tuple(size, items);
}
MP_DEFINE_CONST_FUN_OBJ_1(usocket_sockaddr_obj, decode);

static mp_obj_t ntop(mp_obj_t af, mp_obj_t packed) {
    char text[48];
    size_t size;
    const int family = usocket_get_int(af);
    usocket_check(usocket_inet_ntop(family, usocket_get_bytes(packed), text, &size), packed);
    return mp_obj_new_str(text, size);
}
MP_DEFINE_CONST_FUN_OBJ_2(usocket_inet_ntop_obj, ntop);

static mp_obj_t pton(mp_obj_t af, mp_obj_t text) {
    uint8_t packed[16];
    size_t size;
    const int family = usocket_get_int(af);
    usocket_check(usocket_inet_pton(family, usocket_get_text(text), packed, &size), text);
    return mp_obj_new_bytes(packed, size);
}
MP_DEFINE_CONST_FUN_OBJ_2(usocket_inet_pton_obj, pton);
