/* As sys/socket.h beside it. Errors of resolving are negative (GAI-3), with the numbers that desktop programs know. */
#ifndef USOCKET_LWIP_NETDB_H
#define USOCKET_LWIP_NETDB_H

#define AI_PASSIVE 0x01
#define AI_CANONNAME 0x02
#define AI_NUMERICHOST 0x04
#define AI_NUMERICSERV 0x08

#define EAI_BADFLAGS (-1)
#define EAI_NONAME (-2)
#define EAI_AGAIN (-3)
#define EAI_FAIL (-4)
#define EAI_FAMILY (-6)
#define EAI_SOCKTYPE (-7)
#define EAI_SERVICE (-8)
#define EAI_MEMORY (-10)

#endif
