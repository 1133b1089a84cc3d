// Values and errors: the host's as the core's, and back.
#include "module.h"

#include <string.h>

#include "py/mperrno.h"
#include "py/objint.h"
#include "py/objstr.h"

void usocket_raise(usocket_error_t error, mp_obj_t argument) {
    if (error == MP_EINTR) {
        mp_handle_pending(true);
    }
    const char* message = usocket_message(error);
    if (!usocket_is_fault(error)) {
        const int code = usocket_code(error);
        const bool is_errno = error > 0 && error == code;  // whose name the host knows
        mp_obj_t args[2] = {MP_OBJ_NEW_SMALL_INT(code)};
        size_t count = 1;
        if (!is_errno && *message != '\0') {
            args[count++] = mp_obj_new_str(message, strlen(message));
        }
        nlr_raise(mp_obj_new_exception_args(&mp_type_OSError, count, args));
    }
    vstr_t vstr;
    mp_print_t print;
    vstr_init_print(&vstr, 64, &print);
    mp_print_str(&print, message);
    if (argument != MP_OBJ_NULL) {
        if (*message != '\0') {
            mp_print_str(&print, ": ");
        }
        mp_obj_print_helper(&print, argument, PRINT_REPR);
    }
    nlr_raise(mp_obj_new_exception_arg1(&mp_type_ValueError, mp_obj_new_str(vstr.buf, vstr.len)));
}

int64_t usocket_get_int64(mp_obj_t from) {
    if (!mp_obj_is_int(from) || mp_obj_is_small_int(from)) {
        return mp_obj_get_int(from);
    }
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        const int64_t value = mp_obj_get_int(from);
        nlr_pop();
        return value;
    }
    return mp_obj_int_sign(from) < 0 ? INT64_MIN : INT64_MAX;
}

int usocket_get_int(mp_obj_t from) {
    int value;
    usocket_check(usocket_arg_int(usocket_get_int64(from), &value), from);
    return value;
}

double usocket_get_double(mp_obj_t from) {
#if MICROPY_PY_BUILTINS_FLOAT
    return (double)mp_obj_get_float(from);
#else
    return (double)usocket_get_int64(from);
#endif
}

usocket_timeout_t usocket_get_timeout(mp_obj_t from) {
    usocket_timeout_t timeout = usocket_no_timeout();
    if (from != mp_const_none) {
        usocket_check(usocket_seconds(usocket_get_double(from), &timeout), from);
    }
    return timeout;
}

#if !defined(USOCKET_WITHOUT_poll)
unsigned usocket_get_events(mp_obj_t from) {
    unsigned events;
    usocket_check(usocket_arg_events(usocket_get_int64(from), &events), from);
    return events;
}
#endif

usocket_bytes_t usocket_get_bytes(mp_obj_t from) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(from, &info, MP_BUFFER_READ);
    return (usocket_bytes_t){info.buf, info.len};
}

usocket_bytes_t usocket_get_text(mp_obj_t from) {
    usocket_bytes_t text;
    text.data = mp_obj_str_get_data(from, &text.size);
    return text;
}

mp_obj_t usocket_new_bytes(usocket_bytes_t bytes) { return mp_obj_new_bytes(bytes.data, bytes.size); }

// --- Bytes that the core fills

// From how many bytes of slack on it pays to give them back.
#define WORTH_SHRINKING (32)

mp_obj_str_t* usocket_bytes_begin(usocket_sink_t* sink) {
    mp_obj_str_t* object = m_new_obj(mp_obj_str_t);
    *object = (mp_obj_str_t){{&mp_type_bytes}, 0, 0, NULL};
    usocket_sink_init(sink);
    return object;
}

mp_obj_str_t* usocket_bytes_begin_sized(usocket_request_t* request, size_t size) {
    mp_obj_str_t* object = usocket_bytes_begin(&request->sink);
    if (!usocket_sink_reserve(&request->sink, size)) {
        m_malloc_fail(size);
    }
    request->data = usocket_sink_data(&request->sink);
    request->size = size;
    return object;
}

// The hash is computed by whoever wants it: the host does so where it is 0.
mp_obj_t usocket_bytes_end(mp_obj_str_t* object, const usocket_sink_t* sink, size_t size) {
    const size_t capacity = usocket_sink_capacity(sink);
    uint8_t* data = usocket_sink_data(sink);
    if (size > capacity) {
        size = capacity;  // with MSG_TRUNC the system counts what it had no room for
    }
    if (size == 0) {
        m_del(byte, data, capacity + 1);
        return mp_const_empty_bytes;
    }
    if (capacity - size >= WORTH_SHRINKING) {
        uint8_t* shrunk = m_renew_maybe(byte, data, capacity + 1, size + 1, true);
        data = shrunk != NULL ? shrunk : data;
    }
    data[size] = '\0';
    object->len = size;
    object->data = data;
    return MP_OBJ_FROM_PTR(object);
}
