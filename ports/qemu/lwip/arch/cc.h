/* lwIP's view of the compiler and of the board: where its complaints and its randomness come from. */
#ifndef USOCKET_QEMU_ARCH_CC_H
#define USOCKET_QEMU_ARCH_CC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
uint32_t board_random(void);
__attribute__((noreturn)) void board_panic(const char* text);
#ifdef __cplusplus
}
#endif

#define LWIP_NO_UNISTD_H 1
#define LWIP_RAND() board_random()
#define LWIP_PLATFORM_DIAG(message)
#define LWIP_PLATFORM_ASSERT(text) board_panic(text)

#endif
