/* The machine: what its clock, its interrupts and its serial line are to the other files. */
#ifndef USOCKET_BOARD_H
#define USOCKET_BOARD_H

#include <stdbool.h>
#include <stdint.h>

/* --- Interrupts. All have the same priority, but for PendSV, which comes last and is where lwIP works. */

enum { IRQ_UART0_RX = 0, IRQ_ETHERNET = 13, IRQ_COUNT = 14 };

void board_enable_irq(int irq);

/* Nothing interrupts until board_restore_irqs() gets what this has returned. */
static inline uint32_t board_disable_irqs(void) {
    uint32_t before;
    __asm volatile("mrs %0, primask\n cpsid i" : "=r"(before) : : "memory");
    return before;
}
static inline void board_restore_irqs(uint32_t before) { __asm volatile("msr primask, %0" : : "r"(before) : "memory"); }

/* PendSV stays away, and nothing else. */
static inline void board_lock_lwip(void) { __asm volatile("msr basepri, %0" : : "r"(0xe0) : "memory"); }
static inline void board_unlock_lwip(void) { __asm volatile("msr basepri, %0" : : "r"(0) : "memory"); }

/* Lets lwIP work, as soon as it is not locked. From anywhere. */
void board_pend_lwip(void);

/* MicroPython has something to do: Ctrl-C, a callback that is scheduled. */
bool board_has_work(void);
/* Sleeps until an interrupt comes, which is a millisecond at most; not at all if MicroPython has something to do. */
void board_sleep(void);

/* --- Time */

/* Of 40 ns each. From anywhere, and at least every 171 s. */
uint64_t board_ticks(void);
uint64_t board_now(void); /* the same in nanoseconds */

/* Nanoseconds since 1970. */
uint64_t board_time(void);

/* --- The serial line */

/* Whether a line's end goes out as terminals want it: a prompt's does, a script's does not. */
extern bool board_is_terminal;

/* --- Life */

void board_init(void);
_Noreturn void board_exit(int status);

/* At a soft reset: no socket and no configuration of the interface outlives it. */
void board_reset_network(void);
void board_init_network(void);

#endif
