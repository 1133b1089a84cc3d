/* From reset to main(), and what is done about an exception that nobody wants. */
#include <stdint.h>
#include <string.h>

#include "board.h"
#include "py/mpprint.h"

extern uint32_t _estack, _sidata, _sdata, _edata, _sbss, _ebss;
typedef void (*function_t)(void);
extern function_t __init_array_start[], __init_array_end[];

int main(void);
void Reset_Handler(void);
void SysTick_Handler(void);
void PendSV_Handler(void);
void Uart_Handler(void);
void Ethernet_Handler(void);

void Reset_Handler(void) {
    memcpy(&_sdata, &_sidata, (uintptr_t)&_edata - (uintptr_t)&_sdata);
    memset(&_sbss, 0, (uintptr_t)&_ebss - (uintptr_t)&_sbss);
    for (function_t* one = __init_array_start; one != __init_array_end; ++one) {
        (*one)();
    }
    board_exit(main());
}

/* A bug: says which exception it was and where, and ends the machine. */
void board_fault(const uint32_t* frame, uint32_t kind);
void board_fault(const uint32_t* frame, uint32_t kind) {
    mp_printf(&mp_plat_print, "exception %u at %08x, called from %08x\n", (unsigned)kind, (unsigned)frame[6],
              (unsigned)frame[5]);
    board_exit(1);
}

__attribute__((naked)) static void Fault_Handler(void) {
    __asm volatile(
        "mov r0, sp\n"
        "mrs r1, ipsr\n"
        "b board_fault\n");
}

__attribute__((section(".isr_vector"), used)) static const function_t vectors[16 + IRQ_COUNT] = {
    (function_t)&_estack,
    Reset_Handler,
    Fault_Handler,
    Fault_Handler,
    Fault_Handler,
    Fault_Handler,
    Fault_Handler,
    [11] = Fault_Handler,
    [12] = Fault_Handler,
    [14] = PendSV_Handler,
    [15] = SysTick_Handler,
    [16 + IRQ_UART0_RX] = Uart_Handler,
    [16 + IRQ_ETHERNET] = Ethernet_Handler,
};
