// Between an Address and what lwIP calls one.
#pragma once

#include "sys/lwip/table.hpp"

namespace usocket::sys {

// As a socket of this family takes it: ::ffff:1.2.3.4 is IPv4. EINVAL: too short; EAFNOSUPPORT: another family; ENODEV:
// the scopeid is no interface's.
Error to_endpoint(const Address& address, int family, Endpoint& endpoint) noexcept;
// Likewise, of whom it sends or connects to: any address is this host's own.
Error to_peer(const Address& address, int family, Endpoint& peer) noexcept;
// As a socket of this family shows it.
Address to_address(const Endpoint& endpoint, int family) noexcept;

}  // namespace usocket::sys
