/* Of the module time; extmod/modtime.c includes this. */
#include "board.h"

static mp_obj_t mp_time_time_get(void) { return mp_obj_new_int_from_ull(board_time() / 1000000000); }
