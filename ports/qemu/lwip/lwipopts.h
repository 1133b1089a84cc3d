/* lwIP for a board with a megabyte for it, as connections of 100 KB in flight want it. What usocket needs of it is in
 * docs/porting.md; a small board has smaller pools. */
#ifndef USOCKET_QEMU_LWIPOPTS_H
#define USOCKET_QEMU_LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0 /* usocket_port_lock() does that */
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_NETIF_API 0
#define LWIP_STATS 0

#define LWIP_IPV4 1
#ifndef LWIP_IPV6
#define LWIP_IPV6 1
#endif
#define LWIP_ARP 1
#define LWIP_ETHERNET 1
#define ARP_QUEUEING 1   /* else the last packet alone stays while a neighbour is asked for its address: no fragments */
#define ARP_QUEUE_LEN 48 /* as many as the fragments of a datagram of 64 KiB */
#define MEMP_NUM_ARP_QUEUE 64
#define MEMP_NUM_ND6_QUEUE 64
#define LWIP_RAW 0
#define LWIP_IGMP 1
#ifndef USOCKET_LWIP_MEMBERSHIPS
#define USOCKET_LWIP_MEMBERSHIPS 8
#endif
/* Groups of sockets; for each interface that of all systems; for each address the one that its neighbours ask. */
#define MEMP_NUM_IGMP_GROUP (USOCKET_LWIP_MEMBERSHIPS + 2)
#define MEMP_NUM_MLD6_GROUP (USOCKET_LWIP_MEMBERSHIPS + LWIP_IPV6_NUM_ADDRESSES)
#define LWIP_MULTICAST_TX_OPTIONS 1
#define LWIP_DHCP 1
#define LWIP_DHCP_DOES_ACD_CHECK 0 /* 2.2: whether somebody else has the address */
#define DHCP_DOES_ARP_CHECK 0      /* 2.1, likewise: it takes seconds */
#define LWIP_HOOK_FILENAME "board_hooks.h"
#define LWIP_HOOK_DHCP_APPEND_OPTIONS(netif, dhcp, state, msg, message, size) lan_dhcp_sends(dhcp, state, message)
#define LWIP_DNS 1
#ifndef USOCKET_LWIP_LOOKUPS
#define USOCKET_LWIP_LOOKUPS 4
#endif
#define DNS_TABLE_SIZE (2 * USOCKET_LWIP_LOOKUPS) /* each asks for both families */
#define LWIP_NETIF_LOOPBACK 1
#define LWIP_HAVE_LOOPIF 1
#define LWIP_LOOPIF_MULTICAST 1
#define LWIP_LOOPBACK_MAX_PBUFS 32
#define SO_REUSE 1
#define SO_REUSE_RXTOALL 1
#define IP_SOF_BROADCAST 1
#define LWIP_TCP_KEEPALIVE 1
#define TCP_LISTEN_BACKLOG 1
#define TCP_TMR_INTERVAL 50    /* as fast as desktops are: an ACK is delayed by 50 ms, a repetition by 200 */
#define LWIP_TCP_RTO_TIME 1000 /* RFC 6298, section 2; lwIP's own is 3000, as before it */
#define TCP_SYNMAXRTX 12       /* lwIP takes no more; a SYN is repeated each second, however often it was before */

#define MEM_ALIGNMENT 4
#define MEM_SIZE (512 * 1024)
#define MEMP_NUM_TCP_PCB 192
#define MEMP_NUM_TCP_PCB_LISTEN 32
#define MEMP_NUM_UDP_PCB 192
#define MEMP_NUM_TCP_SEG 512
#define MEMP_NUM_PBUF 256
#define MEMP_NUM_REASSDATA 4
#define IP_REASS_MAX_PBUFS 96 /* two such datagrams, of 65,507 bytes each */
#define PBUF_POOL_SIZE 256
#define TCP_MSS 1460
#define TCP_WND (44 * TCP_MSS)
#define TCP_SND_BUF (44 * TCP_MSS)
#define TCP_SND_QUEUELEN (4 * TCP_SND_BUF / TCP_MSS)
#define TCP_QUEUE_OOSEQ 1
#define LWIP_HOOK_TCP_ISN(local, local_port, remote, remote_port) board_tcp_isn(local, local_port, remote, remote_port)

#endif
