// Who watches the sockets that have callbacks, over lwIP: whatever happens to a socket, the board says so
// (callbacks.h), in an interrupt or not, and the host schedules run().
#include "callbacks.h"
#include "module.h"

#if USOCKET_HAS_CALLBACKS && defined(USOCKET_OVER_lwip)

static volatile bool is_watching;
static volatile bool is_due;    // run() is scheduled
static volatile bool is_again;  // something may be left unread, or the host's queue was full

static mp_obj_t run(mp_obj_t unused) {
    (void)unused;
    is_due = false;
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        if (usocket_call_ready()) {
            is_again = true;
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
        is_again = false;
        is_due = true;
        if (!mp_sched_schedule(MP_OBJ_FROM_PTR(&run_obj), mp_const_none)) {
            is_due = false;
            is_again = true;
        }
    }
}

void usocket_callbacks_tick(void) {
    if (is_again) {
        usocket_callbacks_changed();
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
    is_watching = is_due = is_again = false;
}

#endif
