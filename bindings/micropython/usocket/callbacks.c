// Callbacks of sockets (SOCK-11): setsockopt(SOL_SOCKET, 20, f) schedules f(sock) when there is something to read or to
// accept.
//
// The sockets that have one are registered in a poll of their own, with f as their userdata. A thread of ours, which
// runs nothing of the host's, sleeps in that poll; what it finds is no more than a reason to have the host schedule
// run(). run() asks the poll again, where the host's objects may be touched, and calls. A signal ends the system call
// in which the host may sleep just then, so that it looks for what is scheduled. A callback that leaves something
// unread is called again; rarely if it has not used a socket, as a poll does not tell what is new from what is old.
#include "module.h"

#include "py/stream.h"

#if USOCKET_HAS_CALLBACKS

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

// Nobody's by convention; where there are no real-time signals, one that is ignored unless asked for.
#ifdef SIGRTMAX
#define NUDGE (SIGRTMAX - 1)
#else
#define NUDGE SIGURG
#endif

enum {
    AGAIN_MS = 1,   // until a socket that has been left unread has its next turn
    NUDGE_MS = 10,  // until a signal is sent once more, should it have come just before the host went to sleep
    VAIN_MS = 20,   // the same if nobody has been called (an unconnected socket looks hung up), or in vain
};

// Whose turn it is: the thread's, the host's to begin run(), run()'s.
enum { WATCHING, DUE, RUNNING, ENDED };
static uint32_t state;

static pthread_t thread;
static bool has_thread;
static _Thread_local bool is_thread;
static bool was_vain;  // the last run() has called nobody who used a socket

#if USOCKET_MICROPYTHON
#define MAIN_PENDING_EXCEPTION MP_STATE_MAIN_THREAD(mp_pending_exception)
MP_REGISTER_ROOT_POINTER(mp_obj_t usocket_callbacks);
#define REGISTERED MP_STATE_VM(usocket_callbacks)
static void keep(mp_obj_t poll) { REGISTERED = poll; }
#else
#define MAIN_PENDING_EXCEPTION USOCKET_PENDING_EXCEPTION
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

static void pass(uint32_t from, uint32_t to) {
    if (__atomic_compare_exchange_n(&state, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        usocket_wake_word(&state);
    }
}

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

static void call_ready(void) {
    const mp_obj_t at_once = MP_OBJ_NEW_SMALL_INT(0);
    size_t count;
    mp_obj_t *found, *one;
    mp_obj_get_array(call_poll(MP_QSTR_poll, 1, &at_once), &count, &found);
    for (size_t i = 0; i < count; ++i) {
        mp_obj_get_array_fixed_n(found[i], 3, &one);
        const mp_int_t events = mp_obj_get_int(one[1]);
        const mp_obj_t function = usocket_poll_userdata(REGISTERED, one[0]);  // the one before may have removed it
        if ((events & MP_STREAM_POLL_NVAL) != 0) {
            usocket_forget_callback(one[0]);
        } else if ((events & MP_STREAM_POLL_RD) != 0 && function != MP_OBJ_NULL) {
            const uint32_t waits = usocket_waits;
            const bool goes_on = call_protected(function, one[0]);
            was_vain = was_vain && usocket_waits == waits;
            if (!goes_on) {
                break;
            }
        }
    }
}

static mp_obj_t run(mp_obj_t unused) {
    (void)unused;
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        pass(DUE, RUNNING);
        was_vain = true;
        if (REGISTERED != MP_OBJ_NULL) {
            call_ready();
        }
        pass(RUNNING, WATCHING);
        nlr_pop();
    } else {
        pass(RUNNING, WATCHING);
        report(MP_OBJ_FROM_PTR(nlr.ret_val));
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(run_obj, run);

// --- The thread

bool usocket_is_callbacks_thread(void) { return is_thread; }

static uint32_t now(void) { return __atomic_load_n(&state, __ATOMIC_SEQ_CST); }

// Ends the system call that the host is in. Linux gives the signal to the main thread, which takes it.
static void nudge(uint32_t while_state) {
    kill(getpid(), NUDGE);
    usocket_sleep_on_word(&state, while_state, NUDGE_MS);
}

// Returns when run() has ended.
static void have_run(void) {
    while (!mp_sched_schedule(MP_OBJ_FROM_PTR(&run_obj), mp_const_none)) {
        if (now() == ENDED) {
            return;
        }
        usocket_sleep_on_word(&state, DUE, AGAIN_MS);  // the queue is full
    }
    while (now() == DUE) {
        nudge(DUE);
    }
    while (now() == RUNNING) {
        usocket_sleep_on_word(&state, RUNNING, -1);
    }
    while (now() == WATCHING && MAIN_PENDING_EXCEPTION != MP_OBJ_NULL) {
        nudge(WATCHING);  // a callback has raised what ends more than itself
    }
}

static void* watch(void* poll) {
    is_thread = true;
    while (now() != ENDED) {
        usocket_request_watch(poll);  // if it cannot wait, run() finds out
        pass(WATCHING, DUE);
        have_run();
        usocket_sleep_on_word(&state, WATCHING, was_vain ? VAIN_MS : AGAIN_MS);
    }
    return NULL;
}

static void wake(int signal) { (void)signal; }

static void start_thread(usocket_poll_t* poll) {
    struct sigaction action = {.sa_handler = wake};  // without SA_RESTART
    sigaction(NUDGE, &action, NULL);
    // It must not get the host's signals, whose handlers would jump out of it.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    state = WATCHING;
    const int error = pthread_create(&thread, NULL, watch, poll);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    has_thread = error == 0;
    if (error != 0) {
        mp_raise_OSError(error);
    }
}

void usocket_end_callbacks(mp_obj_t poll) {
    if (!has_thread || poll != REGISTERED) {
        return;
    }
    __atomic_store_n(&state, ENDED, __ATOMIC_SEQ_CST);
    usocket_wake_word(&state);
    usocket_poll_wake(usocket_poll_core(poll));
    pthread_join(thread, NULL);
    has_thread = false;
    REGISTERED = MP_OBJ_NULL;
}

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
    if (!has_thread) {
        const mp_obj_t at_once = MP_OBJ_NEW_SMALL_INT(0);
        call_poll(MP_QSTR_poll, 1, &at_once);  // gets the memory that the thread must not ask for
        start_thread(usocket_poll_core(REGISTERED));
    }
}

void usocket_forget_callback(mp_obj_t sock) {
    if (REGISTERED != MP_OBJ_NULL) {
        const mp_obj_t args[] = {sock, mp_const_false};
        call_poll(MP_QSTR_unregister, MP_ARRAY_SIZE(args), args);
    }
}

#endif
