// What the files of this stack share of lwIP's, and the lock around it.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "lwip/igmp.h"
#include "lwip/ip.h"
#include "lwip/netif.h"
#include "lwip/opt.h"
#include "lwip/pbuf.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"
#include "lwip/udp.h"

#include "sys/lwip/port.h"
#include "sys/sys.hpp"

namespace usocket::sys {

// While it lives nobody else uses lwIP or the tables of this stack.
class Guard {
public:
    Guard() noexcept { usocket_port_lock(); }
    ~Guard() { usocket_port_unlock(); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
};

// Lets lwIP take in what has arrived and loop back what was sent to ourselves. Guarded, as is turn().
void deliver() noexcept;
// The same, and runs its timers: all that is due.
void turn() noexcept;

// lwIP's error as the host's (STACK-4).
Error error_of(err_t error) noexcept;

}  // namespace usocket::sys
