// Who watches the sockets that have callbacks, where there are threads: a thread of ours, which runs nothing of the
// host's, sleeps in their poll. What it finds is no more than a reason to have the host schedule run(). A signal ends
// the system call in which the host may sleep just then, so that it looks for what is scheduled.
#include "module.h"

#if USOCKET_HAS_CALLBACKS && USOCKET_HAS_THREAD_FOR_CALLBACKS

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
#else
#define MAIN_PENDING_EXCEPTION USOCKET_PENDING_EXCEPTION
#endif

static void pass(uint32_t from, uint32_t to) {
    if (__atomic_compare_exchange_n(&state, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        usocket_wake_word(&state);
    }
}

static mp_obj_t run(mp_obj_t unused) {
    (void)unused;
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        pass(DUE, RUNNING);
        was_vain = usocket_call_ready() != USOCKET_CALLED;
        pass(RUNNING, WATCHING);
        nlr_pop();
    } else {
        pass(DUE, WATCHING);  // Ctrl-C was quicker
        pass(RUNNING, WATCHING);
        usocket_report_callback(MP_OBJ_FROM_PTR(nlr.ret_val));
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

void usocket_begin_watching(mp_obj_t poll) {
    if (has_thread) {
        return;
    }
    struct sigaction action = {.sa_handler = wake};  // without SA_RESTART
    sigaction(NUDGE, &action, NULL);
    // It must not get the host's signals, whose handlers would jump out of it.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    state = WATCHING;
    const int error = pthread_create(&thread, NULL, watch, usocket_poll_core(poll));
    has_thread = error == 0;  // before a signal can jump out
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        mp_raise_OSError(error);
    }
}

void usocket_end_watching(mp_obj_t poll) {
    if (!has_thread) {
        return;
    }
    __atomic_store_n(&state, ENDED, __ATOMIC_SEQ_CST);
    usocket_wake_word(&state);
    usocket_poll_wake(usocket_poll_core(poll));
    pthread_join(thread, NULL);
    has_thread = false;
}

#endif
