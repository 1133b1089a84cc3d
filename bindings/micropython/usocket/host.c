// What the host gives the core: memory of the collector's, other threads and signals while a call waits.
#include "module.h"

#include <signal.h>

#include "py/gc.h"
#include "py/mphal.h"
#include "py/mpthread.h"

// A build for tests (tools/micropython): whoever touches the heap without the lock ends the program. What that breaks
// shows seldom, and elsewhere.
#if USOCKET_CHECKS_LOCK
#include <stdio.h>
#include <stdlib.h>

static _Thread_local bool is_outside;
static void check_lock(void) {
    if (is_outside) {
        fputs("usocket: the heap is touched outside the interpreter's lock\n", stderr);
        abort();
    }
}
#define NOTE_OUTSIDE(now) (is_outside = (now))
#else
#define check_lock() ((void)0)
#define NOTE_OUTSIDE(now) ((void)0)
#endif

// Also from a finaliser, which the collector calls while it is locked: then freeing does nothing, the sweep does it.
void* usocket_host_resize(void* memory, size_t size) {
#if USOCKET_HAS_THREAD_FOR_CALLBACKS
    if (usocket_is_callbacks_thread()) {
        return NULL;
    }
#endif
    check_lock();
    if (size == 0) {
        m_del(byte, memory, 0);
        return NULL;
    }
    return memory == NULL ? m_malloc_maybe(size) : m_renew_maybe(byte, memory, 0, size, true);
}

#if MICROPY_PY_THREAD_GIL
static void* leave(void) {
    NOTE_OUTSIDE(true);
    MP_THREAD_GIL_EXIT();
    return NULL;
}

static void enter(void* token) {
    (void)token;
    MP_THREAD_GIL_ENTER();
    NOTE_OUTSIDE(false);
}
#else
#define leave NULL
#define enter NULL
#endif

// The exception stays pending until usocket_raise() lets the host raise it.
static bool interrupted(void) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_handle_pending(true);
        if (USOCKET_PENDING_EXCEPTION != MP_OBJ_NULL) {
            mp_handle_pending(true);  // a callback has left it
        }
        nlr_pop();
        return false;
    }
    USOCKET_SET_PENDING_EXCEPTION(MP_OBJ_FROM_PTR(nlr.ret_val));
    return true;
}

const usocket_host_t usocket_host = {leave, enter, interrupted, MICROPY_ASYNC_KBD_INTR, !MICROPY_ASYNC_KBD_INTR};

// A callback that another thread schedules ends no system call: one that waits for long looks for such.
const usocket_host_t usocket_host_of_poll = {leave, enter, interrupted, MICROPY_ASYNC_KBD_INTR, true};

#if MICROPY_ASYNC_KBD_INTR
// The host's handler longjmps. The one that stands before it lets it wait while a thread holds signals: a system call
// for that would cost more than most of what is held.
static __thread volatile unsigned holds;             // how often this thread holds them
static __thread volatile sig_atomic_t is_postponed;  // one has come meanwhile
static void (*host_handler)(int signal);

static void postpone(int signal) {
    if (holds != 0) {
        is_postponed = 1;
    } else {
        host_handler(signal);
    }
}

static void stand_before_host(void) {
    struct sigaction action;
    sigaction(SIGINT, NULL, &action);
    if (action.sa_handler == SIG_DFL) {
        return;
    }
    host_handler = action.sa_handler;
    action.sa_handler = postpone;
    action.sa_flags |= SA_RESTART;  // it comes back only to what is held
    sigaction(SIGINT, &action, NULL);
}

void usocket_host_hold_signals(void) { ++holds; }

void usocket_host_release_signals(void) {
    if (--holds == 0 && is_postponed) {
        is_postponed = 0;
        host_handler(SIGINT);
    }
}

#else
void usocket_host_hold_signals(void) {}

void usocket_host_release_signals(void) {}
#endif

#if USOCKET_SHARES_HEAP
// The heap's own lock keeps the collector away, too, which otherwise looks through what others change meanwhile, and
// frees what they move past it. Where its holder may not take it again, as it does to allocate, there is one of ours.
#if MICROPY_PY_THREAD_RECURSIVE_MUTEX
static void lock(void) { mp_thread_recursive_mutex_lock(&MP_STATE_MEM(gc_mutex), 1); }
static void unlock(void) { mp_thread_recursive_mutex_unlock(&MP_STATE_MEM(gc_mutex)); }
#else
static uint32_t is_locked;
static void lock(void) {
    while (__atomic_exchange_n(&is_locked, 1, __ATOMIC_ACQUIRE) != 0) {
        mp_hal_delay_us(1);
    }
}
static void unlock(void) { __atomic_store_n(&is_locked, 0, __ATOMIC_RELEASE); }
#endif

// At its end the host cancels its threads, wherever they are: none is to leave with the lock.
#if __unix__
#include <pthread.h>
static void set_cancel_state(int state) { pthread_setcancelstate(state, &state); }
#else
#define set_cancel_state(state) ((void)0)
#endif

void usocket_begin_steps(void) {
    usocket_hold_signals();
    set_cancel_state(PTHREAD_CANCEL_DISABLE);
    lock();
}

void usocket_end_steps(void) {
    unlock();
    set_cancel_state(PTHREAD_CANCEL_ENABLE);
    usocket_release_signals();
}
#endif

#if USOCKET_SHARES_HEAP || MICROPY_ASYNC_KBD_INTR
void usocket_in_steps(void (*steps)(void* of), void* of) {
    nlr_buf_t nlr;
    usocket_begin_steps();
    if (nlr_push(&nlr) != 0) {
        usocket_end_steps();
        nlr_jump(nlr.ret_val);
    }
    steps(of);
    nlr_pop();
    usocket_end_steps();
}
#endif

#if USOCKET_SETS_INTERRUPT_CHAR
// Called by the host, whose own function of that name has another one here (micropython.mk).
void usocket_host_set_interrupt_char(char c);
void mp_hal_set_interrupt_char(char c) {
    usocket_host_set_interrupt_char(c);
#if MICROPY_ASYNC_KBD_INTR
    stand_before_host();
#endif
}
#endif

#if USOCKET_SETS_INTERRUPT_CHAR && MICROPY_PY_THREAD
#include <errno.h>
#include <semaphore.h>

// Called by the host's collector in place of sem_wait (micropython.mk), until another thread has looked through its
// stack. The host takes a signal, Ctrl-C's or one that is for callbacks, for the end of that, and frees what is in use.
int usocket_host_sem_wait(sem_t* semaphore);
int usocket_host_sem_wait(sem_t* semaphore) {
    int result;
    do {
        result = sem_wait(semaphore);
    } while (result != 0 && errno == EINTR);
    return result;
}
#endif

static usocket_error_t guarded(usocket_method_t method, usocket_request_t* request,
                               void (*unwound)(usocket_request_t* request)) {
#if MICROPY_ASYNC_KBD_INTR
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        unwound(request);
        nlr_jump(nlr.ret_val);
    }
    const usocket_error_t error = method(request);
    nlr_pop();
    return error;
#else
    (void)unwound;
    return method(request);
#endif
}

uint32_t usocket_waits;

usocket_error_t usocket_wait(usocket_method_t method, usocket_request_t* request) {
    ++usocket_waits;
    usocket_request_begin(request);
    return guarded(method, request, usocket_request_unwound);
}

#if !defined(USOCKET_WITHOUT_creating)
usocket_error_t usocket_wait_connecting(usocket_create_t* create) {
    usocket_request_connecting_begin(&create->request);
    return guarded(usocket_request_connecting, &create->request, usocket_request_connecting_unwound);
}
#endif
