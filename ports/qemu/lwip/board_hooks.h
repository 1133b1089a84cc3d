/* What lwIP calls of the board's. It includes this itself (LWIP_HOOK_FILENAME). */
#ifndef USOCKET_QEMU_BOARD_HOOKS_H
#define USOCKET_QEMU_BOARD_HOOKS_H

#include "lwip/ip_addr.h"

/* network_lan.c: it is about to send a message. */
struct dhcp;
void lan_dhcp_sends(struct dhcp* dhcp, u8_t state, u8_t message);

/* tcp_isn.c: where a new connection's sequence numbers begin. */
u32_t board_tcp_isn(const ip_addr_t* local, u16_t local_port, const ip_addr_t* remote, u16_t remote_port);

#endif
