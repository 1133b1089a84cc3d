// What a board with lwIP calls for the callbacks of sockets (SOCK-11). From anywhere, interrupts too.
#ifndef USOCKET_CALLBACKS_H
#define USOCKET_CALLBACKS_H

#if !defined(USOCKET_WITHOUT_poll)
// Something has happened to a socket: usocket_port_wake() calls this.
void usocket_callbacks_changed(void);
// About every millisecond: a callback that has left something unread is called again.
void usocket_callbacks_tick(void);
#else
static inline void usocket_callbacks_changed(void) {}
static inline void usocket_callbacks_tick(void) {}
#endif

#endif
