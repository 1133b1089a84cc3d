// What the host gives the core: memory of the collector's, other threads and signals while a call waits.
#include "module.h"

#include <signal.h>

#include "py/gc.h"
#include "py/mpthread.h"

// Also from a finaliser, which the collector calls while it is locked: then freeing does nothing, the sweep does it.
void* usocket_host_resize(void* memory, size_t size) {
    if (size == 0) {
        m_del(byte, memory, 0);
        return NULL;
    }
    return memory == NULL ? m_malloc_maybe(size) : m_renew_maybe(byte, memory, 0, size, true);
}

bool usocket_host_has_gil(void) { return MICROPY_PY_THREAD_GIL; }

void usocket_host_leave(void) { MP_THREAD_GIL_EXIT(); }

void usocket_host_enter(void) { MP_THREAD_GIL_ENTER(); }

// The exception stays pending until usocket_raise() lets the host raise it.
bool usocket_host_interrupted(void) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_handle_pending(true);
        nlr_pop();
        return false;
    }
    USOCKET_PENDING_EXCEPTION = MP_OBJ_FROM_PTR(nlr.ret_val);
    return true;
}

bool usocket_host_unwinds(void) { return MICROPY_ASYNC_KBD_INTR; }

#if MICROPY_ASYNC_KBD_INTR
bool usocket_host_hold_signals(void) {
    sigset_t interrupt, before;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    pthread_sigmask(SIG_BLOCK, &interrupt, &before);
    return !sigismember(&before, SIGINT);
}

void usocket_host_release_signals(void) {
    sigset_t interrupt;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL);
}
#else
bool usocket_host_hold_signals(void) { return false; }

void usocket_host_release_signals(void) {}
#endif

usocket_error_t usocket_wait(usocket_method_t method, usocket_request_t* request) {
    usocket_core_begin(request);
#if MICROPY_ASYNC_KBD_INTR
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        usocket_core_unwound(request);
        nlr_jump(nlr.ret_val);
    }
    const usocket_error_t error = method(request);
    nlr_pop();
    return error;
#else
    return method(request);
#endif
}
