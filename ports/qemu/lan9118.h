/* Driver for the LAN9118, the Ethernet controller of the machine, as an interface of lwIP's. */
#ifndef USOCKET_LAN9118_H
#define USOCKET_LAN9118_H

#include "lwip/netif.h"

#include <stdbool.h>
#include <stdint.h>

/* First of all. False: the chip is not there. */
bool lan9118_reset(void);

/* For netif_add(). The interface has its address by then (hwaddr). */
err_t lan9118_init(struct netif* nic);

/* Hands all frames that have come to lwIP, and has the chip interrupt when the next one comes. */
void lan9118_receive(struct netif* nic);

/* What its interrupt begins with: it does not come again before lan9118_receive(). */
void lan9118_hush(void);

/* Its free-running counter: 25 MHz, 32 bits. */
uint32_t lan9118_counter(void);

#endif
