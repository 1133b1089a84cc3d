/* network.LAN, the interface with the LAN9118. */
#ifndef USOCKET_NETWORK_LAN_H
#define USOCKET_NETWORK_LAN_H

#include "py/obj.h"

extern const mp_obj_type_t network_lan_type;

/* For usocket_port_poll(). */
void lan_receive(void);

#endif
