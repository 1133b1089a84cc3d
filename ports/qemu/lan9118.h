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

/* Takes the frames that have come off the chip: what its interrupt does. */
void lan9118_take(void);

/* Hands those that were taken to lwIP. */
void lan9118_receive(struct netif* nic);

/* Its free-running counter: 25 MHz, 32 bits. */
uint32_t lan9118_counter(void);

#endif
