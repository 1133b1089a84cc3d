/* lwIP as the tests on Linux have it: its loopback interface alone, each object allocated on its own, so that
   AddressSanitizer sees it. USOCKET_LWIP_SCARCE: small pools instead, whose ends are soon met (STACK-2). */
#ifndef USOCKET_LINUX_LWIPOPTS_H
#define USOCKET_LINUX_LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#ifndef LWIP_SOCKET /* a test looks at its numbers */
#define LWIP_SOCKET 0
#endif
#define LWIP_NETCONN 0
#define MEM_ALIGNMENT 8

#define LWIP_IPV4 1
#define LWIP_IPV6 1
#define LWIP_ARP 0
#define LWIP_ETHERNET 0
#define LWIP_RAW 0
#define LWIP_IGMP 1
#define LWIP_MULTICAST_TX_OPTIONS 1
#define LWIP_DNS 1
#define DNS_TABLE_SIZE 8 /* four names */
#define LWIP_TCP_KEEPALIVE 1
#define LWIP_NETIF_LOOPBACK 1
#define LWIP_HAVE_LOOPIF 1
#define LWIP_LOOPIF_MULTICAST 1
#define LWIP_STATS 1           /* what is in use, for the tests */
#define LWIP_TCP_RTO_TIME 200  /* the tests' wire loses segments, and is short */
#define IPV6_FRAG_COPYHEADER 1 /* pointers have 64 bits */
#define TCP_TMR_INTERVAL 2     /* tests do not wait for an ACK that is delayed */
#define SO_REUSE 1
#define SO_REUSE_RXTOALL 1
#define TCP_LISTEN_BACKLOG 1
#define IP_SOF_BROADCAST 1
#define LWIP_NETIF_API 0
#define MEMP_NUM_SYS_TIMEOUT (LWIP_NUM_SYS_TIMEOUT_INTERNAL + 4)

#define TCP_MSS 1460
#ifdef USOCKET_LWIP_SCARCE
#define MEM_SIZE (64 * 1024)
#define MEMP_NUM_TCP_PCB 8
#define MEMP_NUM_TCP_PCB_LISTEN 4
#define MEMP_NUM_UDP_PCB 8
#define MEMP_NUM_TCP_SEG 32
#define MEMP_NUM_PBUF 32
#define PBUF_POOL_SIZE 16
#define TCP_WND (4 * TCP_MSS)
#define TCP_SND_BUF (4 * TCP_MSS)
#define LWIP_LOOPBACK_MAX_PBUFS 24
#define MEMP_SANITY_CHECK 1
#define MEMP_OVERFLOW_CHECK 2
#define MEM_OVERFLOW_CHECK 1
#else
#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#define MEMP_NUM_TCP_PCB 1024
#define MEMP_NUM_TCP_SEG 65535
#define TCP_WND (1024 * 1024)
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 5
#define TCP_SND_BUF (256 * 1024)
#define TCP_SND_QUEUELEN 2048
#define TCP_SNDLOWAT (56 * 1024)
#define TCP_OVERSIZE TCP_MSS
#endif

#endif
