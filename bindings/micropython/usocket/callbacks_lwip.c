// Who watches the sockets that have callbacks, over lwIP: whatever happens to a socket, the board says so
// (callbacks.h), in an interrupt or not, and the host schedules run().
#include "callbacks.h"
#include "module.h"

#if USOCKET_HAS_CALLBACKS && defined(USOCKET_OVER_lwip)

static volatile bool is_watching;
static volatile bool is_due;       // run() is scheduled
static volatile uint8_t again_ms;  // until then: something may be left unread, or the host's queue was full; 0: not

enum {
    AGAIN_MS = 1,
    VAIN_MS = 20,  // where who was called has used no socket: a poll does not tell what is new from what is old
};

static mp_obj_t run(mp_obj_t unused) {
    (void)unused;
    is_due = false;
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        const usocket_called_t called = usocket_call_ready();
        if (called != USOCKET_CALLED_NOBODY) {
            again_ms = called == USOCKET_CALLED ? AGAIN_MS : VAIN_MS;
        }
        nlr_pop();
    } else {
        usocket_report_callback(MP_OBJ_FROM_PTR(nlr.ret_val));
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(run_obj, run);

void usocket_callbacks_changed(void) {
    if (is_watching && !is_due) {
        again_ms = 0;
        is_due = true;
        if (!mp_sched_schedule(MP_OBJ_FROM_PTR(&run_obj), mp_const_none)) {
            is_due = false;
            again_ms = AGAIN_MS;
        }
    }
}

void usocket_callbacks_tick(void) {
    const uint8_t left = again_ms;
    if (left != 0) {
        again_ms = left - 1;
        if (left == 1) {
            usocket_callbacks_changed();
        }
    }
}

void usocket_begin_watching(mp_obj_t poll) {
    (void)poll;
    is_watching = true;
    usocket_callbacks_changed();
}

// What is scheduled is lost at a soft reset.
void usocket_end_watching(mp_obj_t poll) {
    (void)poll;
    is_watching = is_due = false;
    again_ms = 0;
}

#endif
