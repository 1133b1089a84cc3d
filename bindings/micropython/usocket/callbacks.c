// Callbacks of sockets (SOCK-11): setsockopt(SOL_SOCKET, 20, f) has f(sock) called when there is something to read or
// to accept.
//
// The sockets that have one are registered in a poll of their own. Somebody notices that one of them may be ready, a
// thread (callbacks_thread.c) or the board's interrupts (callbacks_lwip.c), and has the host schedule what asks the
// poll again, where the host's objects may be touched, and calls. A callback that leaves something unread is called
// again; rarely if it has not used a socket, as a poll does not tell what is new from what is old. The end of a stream
// is told once, as lwIP's ports tell it: nothing can come after it.
//
// A callback keeps no socket alive (SOCK-3). What the poll has of each is a place_t, in which the collector does not
// see the socket; and only the socket leads to its function, which may refer to it: both go together.
#include "module.h"

#include "py/gc.h"
#include "py/stream.h"

#if USOCKET_HAS_CALLBACKS

enum { MOST_AT_ONCE = 8 };  // of those that are ready

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

typedef struct {
    uintptr_t disguised;  // 0: the socket has gone, or has no callback any more
} place_t;

typedef struct {
    mp_obj_t function;
    place_t* place;
    mp_obj_t poll;
    usocket_registration_t* registration;
} callback_t;

// The collector knows blocks by their addresses, which are even.
static uintptr_t disguise(const usocket_obj_t* sock) { return (uintptr_t)sock + 1; }

static uintptr_t look_into(const place_t* place) { return __atomic_load_n(&place->disguised, __ATOMIC_SEQ_CST); }

// Puts the sockets that were found where the collector sees them, on the caller's stack; NULL: it has gone. Before any
// of them is called, which may give the places of others to somebody else.
static void reveal(const usocket_event_t* found, size_t count, usocket_obj_t* volatile* socks) {
    for (size_t i = 0; i < count; ++i) {
        const uintptr_t disguised = look_into(found[i].userdata);
        socks[i] = disguised == 0 ? NULL : (usocket_obj_t*)(disguised - 1);
    }
#if MICROPY_PY_THREAD && !MICROPY_PY_THREAD_GIL
    // The collector may be at work in another thread, and have looked at this stack before. This waits until it is
    // through: what it has taken has left its place empty.
    usocket_hold_signals();
    (void)gc_nbytes(socks[0]);
    usocket_release_signals();
#endif
    for (size_t i = 0; i < count; ++i) {
        if (look_into(found[i].userdata) == 0) {
            socks[i] = NULL;
        }
    }
}

static callback_t* callback_of(usocket_obj_t* sock) {
    void** word = usocket_host_word(&sock->socket);
    return word == NULL ? NULL : __atomic_load_n(word, __ATOMIC_SEQ_CST);
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

// Whether it was called.
static bool call(usocket_obj_t* sock, unsigned events, bool* goes_on) {
    callback_t* callback = callback_of(sock);
    if (callback == NULL) {
        return false;  // the one before has removed it
    }
    if ((events & MP_STREAM_POLL_NVAL) != 0) {
        usocket_forget_callback(sock);
        return false;
    }
    if ((events & MP_STREAM_POLL_RD) == 0) {
        return false;
    }
    const mp_obj_t function = callback->function, object = MP_OBJ_FROM_PTR(sock);
    // not after an error: a look would take it from the program
    if ((events & MP_STREAM_POLL_ERR) == 0 && usocket_is_at_end(object)) {
        usocket_forget_callback(sock);  // before the call, which may set another one
    }
    *goes_on = call_protected(function, object);
    return true;
}

usocket_called_t usocket_call_ready(void) {
    if (REGISTERED == MP_OBJ_NULL) {
        return USOCKET_CALLED_NOBODY;
    }
    usocket_event_t found[MOST_AT_ONCE];
    const size_t count = usocket_poll_once(usocket_poll_core(REGISTERED), found, MOST_AT_ONCE, 0, false);
    if (count == 0) {
        return USOCKET_CALLED_NOBODY;
    }
    usocket_obj_t* volatile socks[MOST_AT_ONCE];
    reveal(found, count, socks);
    const uint32_t waits = usocket_waits;
    bool has_called = false, goes_on = true;
    for (size_t i = 0; i < count && goes_on; ++i) {
        if (socks[i] != NULL && call(socks[i], found[i].events, &goes_on)) {
            has_called = true;
        }
    }
    const bool may_be_more = count == MOST_AT_ONCE;
    return usocket_waits != waits || may_be_more ? USOCKET_CALLED
           : has_called                          ? USOCKET_CALLED_IN_VAIN
                                                 : USOCKET_CALLED_NOBODY;
}

// Of what schedules them: an error of the poll's.
void usocket_report_callback(mp_obj_t exception) { report(exception); }

// --- Setting one

typedef struct {
    usocket_obj_t* sock;
    mp_obj_t function;
    usocket_error_t error;
} setting_t;

// The poll and the socket know of it afterwards, or neither.
static void set(void* of) {
    setting_t* setting = of;
    usocket_obj_t* sock = setting->sock;
    callback_t* callback = callback_of(sock);
    if (callback == NULL) {
        callback = m_new0(callback_t, 1);
        callback->place = m_new0(place_t, 1);
    }
    setting->error = usocket_poll_register(usocket_poll_core(REGISTERED), &sock->socket, MP_STREAM_POLL_RD,
                                           callback->place, &callback->registration);
    if (setting->error == 0) {
        callback->function = setting->function;
        callback->poll = REGISTERED;
        __atomic_store_n(&callback->place->disguised, disguise(sock), __ATOMIC_SEQ_CST);
        __atomic_store_n(usocket_host_word(&sock->socket), callback, __ATOMIC_SEQ_CST);
    }
}

void usocket_set_callback(usocket_obj_t* sock, mp_obj_t function) {
    if (function == mp_const_none) {
        usocket_forget_callback(sock);
        return;
    }
    if (REGISTERED == MP_OBJ_NULL) {
        keep(usocket_new_poll());
    }
    setting_t setting = {sock, function, 0};
    usocket_in_steps(set, &setting);
    usocket_check(setting.error, MP_OBJ_NULL);
    usocket_event_t found;
    usocket_poll_once(usocket_poll_core(REGISTERED), &found, 1, 0,
                      false);  // gets the memory that who watches must not ask for
    usocket_begin_watching(REGISTERED);
}

void usocket_end_callbacks(mp_obj_t poll) {
    if (poll != MP_OBJ_NULL && poll == REGISTERED) {
        usocket_end_watching(poll);
        REGISTERED = MP_OBJ_NULL;
    }
}

void usocket_forget_callback(usocket_obj_t* sock) {
    void** word = usocket_host_word(&sock->socket);
    usocket_hold_signals();
    callback_t* callback = word == NULL ? NULL : __atomic_exchange_n(word, NULL, __ATOMIC_SEQ_CST);
    if (callback != NULL) {
        __atomic_store_n(&callback->place->disguised, 0, __ATOMIC_SEQ_CST);
        if (callback->poll == REGISTERED) {
            usocket_poll_unregister(usocket_poll_core(REGISTERED), callback->registration);
        }
    }
    usocket_release_signals();
}

#endif
