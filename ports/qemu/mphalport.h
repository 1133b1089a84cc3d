/* What MicroPython's files want of the board. */
#include "board.h"
#include "shared/runtime/interrupt_char.h"

#define MICROPY_BEGIN_ATOMIC_SECTION() board_disable_irqs()
#define MICROPY_END_ATOMIC_SECTION(state) board_restore_irqs(state)
