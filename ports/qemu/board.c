/* Interrupts, time and the serial line; what MicroPython asks of them (py/mphal.h). */
#include "board.h"

#include <string.h>

#include "callbacks.h"
#include "disk.h"
#include "lan9118.h"
#include "py/mphal.h"
#include "py/mpstate.h"
#include "py/ringbuf.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "shared/runtime/interrupt_char.h"
#include "sys/lwip/port.h"

void SysTick_Handler(void);
void PendSV_Handler(void);
void Uart_Handler(void);
void Ethernet_Handler(void);

#define REGISTER(address) (*(volatile uint32_t*)(address))
#define NVIC_ISER REGISTER(0xe000e100)
#define NVIC_IPR(irq) (*(volatile uint8_t*)(0xe000e400 + (irq)))
#define SCB_ICSR REGISTER(0xe000ed04)
#define SCB_SHPR3 REGISTER(0xe000ed20)
#define SYST_CSR REGISTER(0xe000e010)
#define SYST_RVR REGISTER(0xe000e014)

enum { CLOCK_HZ = 25000000, NS_PER_TICK = 40, TICKS_PER_MS = CLOCK_HZ / 1000 };
enum { PRIORITY = 0x40, PRIORITY_LAST = 0xe0, PEND_SV = 1 << 28 };

/* --- Interrupts */

void board_enable_irq(int irq) {
    NVIC_IPR(irq) = PRIORITY;
    NVIC_ISER = 1u << irq;
}

void board_pend_lwip(void) { SCB_ICSR = PEND_SV; }

void PendSV_Handler(void) { usocket_lwip_turn(); }

void Ethernet_Handler(void) {
    lan9118_take();
    board_pend_lwip();
}

/* Every millisecond: nobody sleeps longer. lwIP's timers are in no hurry. */
void SysTick_Handler(void) {
    static uint32_t count;
    (void)board_ticks();
    if (++count % 16 == 0) {
        board_pend_lwip();
    }
    usocket_callbacks_tick();
}

bool board_has_work(void) {
    return MP_STATE_VM(sched_state) == MP_SCHED_PENDING || MP_STATE_THREAD(mp_pending_exception) != MP_OBJ_NULL;
}

/* An interrupt that is pending ends wfi, masked or not: so none comes between the look and the sleep. */
void board_sleep(void) {
    const uint32_t before = board_disable_irqs();
    if (!board_has_work()) {
        __asm volatile("wfi");
    }
    board_restore_irqs(before);
}

/* --- Time */

uint64_t board_ticks(void) {
    static uint32_t last, high;
    const uint32_t before = board_disable_irqs();
    const uint32_t now = lan9118_counter();
    high += now < last;
    last = now;
    const uint64_t ticks = (uint64_t)high << 32 | now;
    board_restore_irqs(before);
    return ticks;
}

static uint64_t boot_time; /* nanoseconds since 1970 */

uint64_t board_time(void) { return boot_time + board_ticks() * NS_PER_TICK; }

uint64_t board_now(void) { return board_ticks() * NS_PER_TICK; }
mp_uint_t mp_hal_ticks_ms(void) { return (mp_uint_t)(board_ticks() / TICKS_PER_MS); }
mp_uint_t mp_hal_ticks_us(void) { return (mp_uint_t)(board_ticks() / (TICKS_PER_MS / 1000)); }
mp_uint_t mp_hal_ticks_cpu(void) { return (mp_uint_t)board_ticks(); }
uint64_t mp_hal_time_ns(void) { return board_time(); }

void mp_hal_delay_ms(mp_uint_t ms) {
    const uint64_t end = board_ticks() + (uint64_t)ms * TICKS_PER_MS;
    do {
        mp_event_wait_ms(1);
    } while (board_ticks() < end);
}

void mp_hal_delay_us(mp_uint_t us) {
    const uint64_t end = board_ticks() + (uint64_t)us * (TICKS_PER_MS / 1000);
    while (board_ticks() < end) {
    }
}

/* --- The serial line */

#define UART0_DATA REGISTER(0x40004000)
#define UART0_STATE REGISTER(0x40004004)
#define UART0_CTRL REGISTER(0x40004008)
#define UART0_INTCLEAR REGISTER(0x4000400c)
#define UART0_BAUDDIV REGISTER(0x40004010)

enum { UART_TX_FULL = 1, UART_RX_FULL = 2 };
enum { UART_TX_ON = 1, UART_RX_ON = 2, UART_RX_IRQ_ON = 8, UART_RX_IRQ = 2 };

static uint8_t received[256];
static ringbuf_t input = {received, sizeof received, 0, 0};

/* What does not fit waits in the wire, which is told to wait by what has not been read. */
void Uart_Handler(void) {
    UART0_INTCLEAR = UART_RX_IRQ;
    if (ringbuf_free(&input) == 0) {
        UART0_CTRL = UART_TX_ON | UART_RX_ON;
        return;
    }
    if ((UART0_STATE & UART_RX_FULL) != 0) {
        const int c = (int)(UART0_DATA & 0xff);
        if (c == mp_interrupt_char) {
            mp_sched_keyboard_interrupt();
        } else {
            ringbuf_put(&input, (uint8_t)c);
        }
    }
}

static int take_char(void) {
    const uint32_t before = board_disable_irqs();
    const int c = ringbuf_get(&input);
    if ((UART0_CTRL & UART_RX_IRQ_ON) == 0) {
        UART0_CTRL = UART_TX_ON | UART_RX_ON | UART_RX_IRQ_ON;
        Uart_Handler();
    }
    board_restore_irqs(before);
    return c;
}

uintptr_t mp_hal_stdio_poll(uintptr_t events) {
    return (events & MP_STREAM_POLL_WR) | (ringbuf_avail(&input) != 0 ? events & MP_STREAM_POLL_RD : 0);
}

int mp_hal_stdin_rx_chr(void) {
    for (;;) {
        const int c = take_char();
        if (c >= 0) {
            return c;
        }
        mp_event_wait_indefinite();
    }
}

mp_uint_t mp_hal_stdout_tx_strn(const char* text, size_t size) {
    for (size_t i = 0; i < size; ++i) {
        while ((UART0_STATE & UART_TX_FULL) != 0) {
        }
        UART0_DATA = (uint8_t)text[i];
    }
    return size;
}

bool board_is_terminal = true;

void mp_hal_stdout_tx_strn_cooked(const char* text, size_t size) {
    for (const char* end = text + size; text != end;) {
        const char* stop = board_is_terminal ? memchr(text, '\n', (size_t)(end - text)) : NULL;
        const size_t count = (size_t)((stop == NULL ? end : stop) - text);
        mp_hal_stdout_tx_strn(text, count);
        text += count;
        if (stop != NULL) {
            mp_hal_stdout_tx_strn("\r\n", 2);
            ++text;
        }
    }
}

void mp_hal_stdout_tx_str(const char* text) { mp_hal_stdout_tx_strn(text, strlen(text)); }

/* --- Life */

void board_init(void) {
    if (!lan9118_reset()) {
        board_exit(1); /* there is no clock either */
    }
    boot_time = (uint64_t)disk_time() * 1000000000 - board_ticks() * NS_PER_TICK;
    SCB_SHPR3 = (uint32_t)PRIORITY << 24 | PRIORITY_LAST << 16;
    UART0_BAUDDIV = 16;
    UART0_CTRL = UART_TX_ON | UART_RX_ON | UART_RX_IRQ_ON;
    board_enable_irq(IRQ_UART0_RX);
    SYST_RVR = TICKS_PER_MS - 1;
    SYST_CSR = 7; /* on, interrupts, at the processor's clock */
}

_Noreturn void board_exit(int status) { disk_exit(status); }
