/* As sys/socket.h beside it. */
#ifndef USOCKET_LWIP_NETINET_TCP_H
#define USOCKET_LWIP_NETINET_TCP_H

#define TCP_NODELAY 0x01
#define TCP_KEEPALIVE 0x02 /* milliseconds; the others of this kind: seconds */
#define TCP_KEEPIDLE 0x03
#define TCP_KEEPINTVL 0x04
#define TCP_KEEPCNT 0x05

#endif
