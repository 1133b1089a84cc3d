// What the host gives the core: memory of the collector's, other threads and signals while a call waits.
#include "module.h"

#include <signal.h>

#include "py/gc.h"
#include "py/mpthread.h"

// Also from a finaliser, which the collector calls while it is locked: then freeing does nothing, the sweep does it.
void* usocket_host_resize(void* memory, size_t size) {
#if USOCKET_HAS_THREAD_FOR_CALLBACKS
    if (usocket_is_callbacks_thread()) {
        return NULL;
    }
#endif
    if (size == 0) {
        m_del(byte, memory, 0);
        return NULL;
    }
    return memory == NULL ? m_malloc_maybe(size) : m_renew_maybe(byte, memory, 0, size, true);
}

#if MICROPY_PY_THREAD_GIL
static void* leave(void) {
    MP_THREAD_GIL_EXIT();
    return NULL;
}

static void enter(void* token) {
    (void)token;
    MP_THREAD_GIL_ENTER();
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
// How often this thread holds them, and what was blocked before it did.
static __thread unsigned holds;
static __thread sigset_t before_holds;

// Counts once no handler can jump out any more.
void usocket_host_hold_signals(void) {
    sigset_t interrupt, before;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    pthread_sigmask(SIG_BLOCK, &interrupt, &before);
    if (holds++ == 0) {
        before_holds = before;
    }
}

void usocket_host_release_signals(void) {
    if (--holds == 0) {
        pthread_sigmask(SIG_SETMASK, &before_holds, NULL);
    }
}
#else
void usocket_host_hold_signals(void) {}

void usocket_host_release_signals(void) {}
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

usocket_error_t usocket_wait_connecting(usocket_create_t* create) {
    usocket_request_connecting_begin(&create->request);
    return guarded(usocket_request_connecting, &create->request, usocket_request_connecting_unwound);
}
