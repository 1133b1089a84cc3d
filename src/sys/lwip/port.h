/* The port: all that usocket over lwIP asks of a board or a system (STACK-3). docs/porting.md has examples.
 *
 * Besides, lwIP itself must be there and initialised (lwip_init(), its interfaces added, sys_now()) by the time the
 * first of these is called, with NO_SYS=1.
 */
#ifndef USOCKET_LWIP_PORT_H
#define USOCKET_LWIP_PORT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Hands the frames that have arrived to lwIP (netif->input), and waits for none. Called often, with the lock held.
 * Where an interrupt does that: nothing. */
void usocket_port_poll(void);

/* Nanoseconds of a clock that never goes back, and does not wrap. From anywhere, with the lock held or not. */
uint64_t usocket_port_now(void);

/* Nobody else uses lwIP between these two: not another thread, not an interrupt that calls into lwIP. They do not nest,
 * and nothing between them waits, but for idle(). */
void usocket_port_lock(void);
void usocket_port_unlock(void);

/* Sleeps until something may have happened: an interrupt, a frame, a wake(); at most so many milliseconds, or less for
 * no reason; with 0 it only lets others in. Called with the lock held, lets go of it while it sleeps, and has it again
 * afterwards. A wake() since the lock was taken, or since the last idle(), ends it at once. True: the host has
 * something to do first, as a signal or Ctrl-C; the call that waits then asks it. */
bool usocket_port_idle(uint32_t milliseconds);

/* Ends idle(), of all threads. From anywhere, interrupts and signal handlers too, with the lock held or not. Where any
 * interrupt ends idle(), and there is one thread: nothing. */
void usocket_port_wake(void);

/* --- What usocket has for the port's program. */

/* Lets lwIP do what is due: call it now and then, or when a frame has come, while no call of usocket's waits. */
void usocket_lwip_turn(void);

/* Closes every socket, aborting its connection: for a soft reset. Numbers that somebody still holds are EBADF then. */
void usocket_lwip_reset(void);

#ifdef __cplusplus
}
#endif

#endif
