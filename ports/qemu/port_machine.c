/* Of the module machine; extmod/modmachine.c includes this. */
#include "board.h"

static void mp_machine_idle(void) { board_sleep(); }
NORETURN static void mp_machine_reset(void) { board_exit(0); }
static mp_int_t mp_machine_reset_cause(void) { return 0; }
