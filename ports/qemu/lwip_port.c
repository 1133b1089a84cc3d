/* The four functions that usocket asks of a board (docs/porting.md), and what lwIP asks of it. */
#include "board.h"
#include "callbacks.h"
#include "disk.h"
#include "lwip/netif.h"
#include "lwip/sys.h"
#include "network_lan.h"
#include "py/mpprint.h"
#include "sys/lwip/port.h"

void usocket_port_poll(void) { lan_receive(); }

uint64_t usocket_port_now(void) { return board_now(); }

u32_t sys_now(void) { return (u32_t)(usocket_port_now() / 1000000); }

void usocket_port_lock(void) { board_lock_lwip(); }
void usocket_port_unlock(void) { board_unlock_lwip(); }

/* Interrupts are off from the unlocking to the sleep: whatever comes in between, PendSV too, is pending then, and ends
 * the sleep at once. */
bool usocket_port_idle(uint32_t milliseconds) {
    const uint32_t before = board_disable_irqs();
    board_unlock_lwip();
    if (milliseconds != 0) {
        board_sleep();
    }
    board_restore_irqs(before);
    __asm volatile("isb"); /* what is pending comes here */
    board_lock_lwip();
    return board_has_work();
}

/* Every interrupt ends the sleep. */
void usocket_port_wake(void) { usocket_callbacks_changed(); }

/* --- lwIP's own */

/* Numbers that nobody outside can guess, as ports, DNS's questions and TCP's sequences (tcp_isn.c) want them; without a
 * source of them they can be guessed. */
uint32_t board_random(void) {
    static uint32_t numbers[16];
    static unsigned left;
    if (left == 0) {
        if (!disk_random(numbers, sizeof numbers)) {
            return (uint32_t)board_ticks() * 2654435761u;
        }
        left = sizeof numbers / sizeof *numbers;
    }
    return numbers[--left];
}

void board_panic(const char* text) {
    mp_printf(&mp_plat_print, "lwIP: %s\n", text);
    board_exit(1);
}
