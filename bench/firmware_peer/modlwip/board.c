/* What the board asks of usocket, done by lwIP alone. */
#include "callbacks.h"
#include "lwip/netif.h"
#include "lwip/timeouts.h"
#include "network_lan.h"
#include "sys/lwip/port.h"

void usocket_lwip_turn(void) {
    lan_receive();
    netif_poll_all();
    sys_check_timeouts();
}

/* Its sockets are closed by the collector; it has callbacks of its own. */
void usocket_lwip_reset(void) {}
void usocket_callbacks_changed(void) {}
void usocket_callbacks_tick(void) {}
