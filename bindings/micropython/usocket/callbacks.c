// Callbacks of sockets (SOCK-11): setsockopt(SOL_SOCKET, 20, f) has f(sock) called when there is something to read or
// to accept.
//
// The sockets that have one are registered in a poll of their own, with f as their userdata. Somebody notices that one
// of them may be ready, a thread (callbacks_thread.c) or the board's interrupts (callbacks_lwip.c), and has the host
// schedule what asks the poll again, where the host's objects may be touched, and calls. A callback that leaves
// something unread is called again; rarely if it has not used a socket, as a poll does not tell what is new from what
// is old. The end of a stream is told once, as lwIP's ports tell it: nothing can come after it.
#include "module.h"

#include "py/stream.h"

#if USOCKET_HAS_CALLBACKS

#if USOCKET_MICROPYTHON
MP_REGISTER_ROOT_POINTER(mp_obj_t usocket_callbacks);
#define REGISTERED MP_STATE_VM(usocket_callbacks)
static void keep(mp_obj_t poll) { REGISTERED = poll; }
#else
// Without root pointers for modules: what is kept alive is among the loaded modules, by a name that cannot be imported.
static mp_obj_t REGISTERED;
static void keep(mp_obj_t poll) {
    REGISTERED = poll;
    mp_obj_dict_store(MP_OBJ_FROM_PTR(&MP_STATE_VM(mp_loaded_modules_dict)), mp_obj_new_str("usocket callbacks", 17),
                      poll);
}
#endif

static mp_obj_t call_poll(qstr method, size_t n_args, const mp_obj_t* args) {
    mp_obj_t dest[5];
    mp_load_method(REGISTERED, method, dest);
    for (size_t i = 0; i < n_args; ++i) {
        dest[2 + i] = args[i];
    }
    return mp_call_method_n_kw(n_args, 0, dest);
}

// --- Calling them: scheduled, so one at a time, and where the host runs what is scheduled

// Prints what a callback has raised; false: it was meant to end more than that.
static bool report(mp_obj_t exception) {
    if (!mp_obj_exception_match(exception, MP_OBJ_FROM_PTR(&mp_type_Exception))) {
        mp_sched_exception(exception);
        return false;
    }
    mp_obj_print_exception(MICROPY_ERROR_PRINTER, exception);
    return true;
}

static bool call_protected(mp_obj_t function, mp_obj_t sock) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        return report(MP_OBJ_FROM_PTR(nlr.ret_val));
    }
    mp_call_function_1(function, sock);
    nlr_pop();
    return true;
}

usocket_called_t usocket_call_ready(void) {
    if (REGISTERED == MP_OBJ_NULL) {
        return USOCKET_CALLED_NOBODY;
    }
    const mp_obj_t at_once = MP_OBJ_NEW_SMALL_INT(0);
    size_t count;
    mp_obj_t *found, *one;
    mp_obj_get_array(call_poll(MP_QSTR_poll, 1, &at_once), &count, &found);
    const uint32_t waits = usocket_waits;
    bool has_called = false;
    for (size_t i = 0; i < count; ++i) {
        mp_obj_get_array_fixed_n(found[i], 3, &one);
        const mp_int_t events = mp_obj_get_int(one[1]);
        const mp_obj_t function = usocket_poll_userdata(REGISTERED, one[0]);  // the one before may have removed it
        if ((events & MP_STREAM_POLL_NVAL) != 0) {
            usocket_forget_callback(one[0]);
        } else if ((events & MP_STREAM_POLL_RD) != 0 && function != MP_OBJ_NULL) {
            // not after an error: a look would take it from the program
            if ((events & MP_STREAM_POLL_ERR) == 0 && usocket_is_at_end(one[0])) {
                usocket_forget_callback(one[0]);  // before the call, which may set another one
            }
            has_called = true;
            if (!call_protected(function, one[0])) {
                break;
            }
        }
    }
    return usocket_waits != waits ? USOCKET_CALLED : has_called ? USOCKET_CALLED_IN_VAIN : USOCKET_CALLED_NOBODY;
}

// Of what schedules them: an error of the poll's.
void usocket_report_callback(mp_obj_t exception) { report(exception); }

// --- Setting one

void usocket_set_callback(mp_obj_t sock, mp_obj_t function) {
    if (function == mp_const_none) {
        usocket_forget_callback(sock);
        return;
    }
    if (REGISTERED == MP_OBJ_NULL) {
        keep(usocket_new_poll());
    }
    const mp_obj_t args[] = {sock, MP_OBJ_NEW_SMALL_INT(MP_STREAM_POLL_RD), function};
    call_poll(MP_QSTR_register, MP_ARRAY_SIZE(args), args);
    const mp_obj_t at_once = MP_OBJ_NEW_SMALL_INT(0);
    call_poll(MP_QSTR_poll, 1, &at_once);  // gets the memory that who watches must not ask for
    usocket_begin_watching(REGISTERED);
}

void usocket_end_callbacks(mp_obj_t poll) {
    if (poll != MP_OBJ_NULL && poll == REGISTERED) {
        usocket_end_watching(poll);
        REGISTERED = MP_OBJ_NULL;
    }
}

void usocket_forget_callback(mp_obj_t sock) {
    if (REGISTERED != MP_OBJ_NULL) {
        const mp_obj_t args[] = {sock, mp_const_false};
        call_poll(MP_QSTR_unregister, MP_ARRAY_SIZE(args), args);
    }
}

#endif
