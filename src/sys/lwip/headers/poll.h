/* As sys/socket.h beside it; the numbers are those that MicroPython's streams have. */
#ifndef USOCKET_LWIP_POLL_H
#define USOCKET_LWIP_POLL_H

#define POLLIN 0x01
#define POLLPRI 0x02 /* nothing here shows it */
#define POLLOUT 0x04
#define POLLERR 0x08
#define POLLHUP 0x10
#define POLLNVAL 0x20

#endif
