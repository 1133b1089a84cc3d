/* What a system with BSD sockets has in this header, for one that has lwIP's raw API alone (NAME-3): the names, with
   the numbers and layouts of lwIP's own lwip/sockets.h, and no function. */
#ifndef USOCKET_LWIP_SYS_SOCKET_H
#define USOCKET_LWIP_SYS_SOCKET_H

#include <stdint.h>
#include <sys/time.h>
#include <sys/types.h>

typedef unsigned int socklen_t;

struct sockaddr {
    uint8_t sa_len;
    uint8_t sa_family;
    char sa_data[14];
};

struct sockaddr_storage {
    uint8_t s2_len;
    uint8_t ss_family;
    char s2_data1[2];
    uint32_t s2_data2[6];
};

struct linger {
    int l_onoff;
    int l_linger; /* seconds */
};

#define AF_UNSPEC 0
#define AF_UNIX 1 /* not lwIP's: a family that there is not */
#define AF_INET 2
#define AF_INET6 10

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_SEQPACKET 5 /* not lwIP's: a type that there is not */

#define SHUT_RD 0
#define SHUT_WR 1
#define SHUT_RDWR 2

#define SOMAXCONN 255

#define SOL_SOCKET 0xfff
#define SO_ACCEPTCONN 0x0002
#define SO_REUSEADDR 0x0004
#define SO_KEEPALIVE 0x0008
#define SO_BROADCAST 0x0020
#define SO_LINGER 0x0080
#define SO_REUSEPORT 0x0200 /* nothing takes it */
#define SO_SNDBUF 0x1001
#define SO_RCVBUF 0x1002
#define SO_RCVLOWAT 0x1004
#define SO_SNDTIMEO 0x1005
#define SO_RCVTIMEO 0x1006
#define SO_ERROR 0x1007
#define SO_TYPE 0x1008

#define MSG_PEEK 0x01
#define MSG_WAITALL 0x02
#define MSG_OOB 0x04
#define MSG_DONTWAIT 0x08
#define MSG_MORE 0x10
#define MSG_NOSIGNAL 0x20
/* What recvmsg() says. */
#define MSG_TRUNC 0x04
#define MSG_CTRUNC 0x08

#endif
