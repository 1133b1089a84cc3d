/* lwIP's view of the compiler: the defaults of its arch.h, and where randomness comes from. */
#ifndef USOCKET_LINUX_ARCH_CC_H
#define USOCKET_LINUX_ARCH_CC_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#ifdef __cplusplus
extern "C" {
#endif
uint32_t usocket_linux_random(void);
#ifdef __cplusplus
}
#endif
#define LWIP_RAND() usocket_linux_random()

#endif
