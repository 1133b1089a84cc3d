/* What the tests put between lwIP and itself, and an interrupt of theirs. Both are changed with the lock held. */
#ifndef USOCKET_LINUX_WIRE_H
#define USOCKET_LINUX_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Hands the frames that have arrived to lwIP; in how many milliseconds the next one does. NULL: there is no wire. */
extern uint32_t (*usocket_linux_wire)(void);

/* Lets lwIP work whenever nobody keeps it out, as an interrupt does: as the lock is taken, and as it is given back. */
extern bool usocket_linux_interrupts;

#ifdef __cplusplus
}
#endif

#endif
