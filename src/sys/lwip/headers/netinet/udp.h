/* As sys/socket.h beside it: lwIP has no options of UDP's that have such names. */
#ifndef USOCKET_LWIP_NETINET_UDP_H
#define USOCKET_LWIP_NETINET_UDP_H
#endif
