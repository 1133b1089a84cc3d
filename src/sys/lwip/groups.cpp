// Multicast groups.
#include <netinet/in.h>

#include <cerrno>

#include "sys/lwip/groups.hpp"
// after it, which has lwIP's options
#include "lwip/mld6.h"
#include "sys/lwip/udp.hpp"
#include "sys/lwip/values.hpp"

#if !defined(USOCKET_WITHOUT_groups)

namespace usocket::sys {
namespace {

struct Membership {
    Sock* sock = nullptr;  // nullptr: this is free
    ip_addr_t group{};
    std::uint8_t interface = 0;
};
Membership memberships[USOCKET_LWIP_MEMBERSHIPS];

err_t tell_netif(netif& interface, const ip_addr_t& group, bool joins) noexcept {
#if LWIP_IPV6
    if (IP_IS_V6_VAL(group)) {
        ip6_addr_t scoped = *ip_2_ip6(&group);
        ip6_addr_assign_zone(&scoped, IP6_MULTICAST, &interface);
        return joins ? mld6_joingroup_netif(&interface, &scoped) : mld6_leavegroup_netif(&interface, &scoped);
    }
#endif
    return joins ? igmp_joingroup_netif(&interface, ip_2_ip4(&group))
                 : igmp_leavegroup_netif(&interface, ip_2_ip4(&group));
}

Membership* find_membership(const Sock* sock, const ip_addr_t& group, std::uint8_t interface) noexcept {
    for (Membership& one : memberships) {
        if (one.sock == sock && ip_addr_cmp(&one.group, &group) && (interface == 0 || one.interface == interface))
            return &one;
    }
    return nullptr;
}

void leave(Membership& membership) noexcept {
    netif* interface = netif_get_by_index(membership.interface);
    if (interface != nullptr) (void)tell_netif(*interface, membership.group, false);
    membership.sock = nullptr;
}

// Where a group is joined that names no interface.
netif* default_interface(const ip_addr_t& group) noexcept {
    netif* found = ip_route(IP46_ADDR_ANY(IP_GET_TYPE(&group)), &group);
    return found != nullptr ? found : netif_list;
}

Error join_group(Sock& sock, const ip_addr_t& group, std::uint8_t interface) noexcept {
    if (!ip_addr_ismulticast(&group)) return Error(EINVAL);
    netif* at = interface != 0 ? netif_get_by_index(interface) : default_interface(group);
    if (at == nullptr) return Error(ENODEV);
    const std::uint8_t number = netif_get_index(at);
    if (find_membership(&sock, group, number) != nullptr) return Error(EADDRINUSE);
    Membership* free = nullptr;
    for (Membership& one : memberships) {
        if (one.sock == nullptr) free = &one;
    }
    if (free == nullptr) return Error(ENOBUFS);
    const err_t error = tell_netif(*at, group, true);
    if (error != ERR_OK) return error == ERR_MEM ? Error(ENOBUFS) : error == ERR_VAL ? Error(ENODEV) : error_of(error);
    *free = {&sock, group, number};
    return Error();
}

Error leave_group(Sock& sock, const ip_addr_t& group, std::uint8_t interface) noexcept {
    Membership* found = find_membership(&sock, group, interface);
    if (found == nullptr) return Error(EADDRNOTAVAIL);
    leave(*found);
    return Error();
}

std::uint8_t interface_with(in_addr address) noexcept {
    netif* one = nullptr;
    NETIF_FOREACH(one) {
        if (address.s_addr != 0 && netif_ip4_addr(one)->addr == address.s_addr) return netif_get_index(one);
    }
    return 0;
}

Error set_group(Sock& sock, bool joins, ConstBuffer value) noexcept {
    ip_mreqn wanted{};
    ip_mreq plain{};
    if (!take(value, plain)) return Error(EINVAL);
    if (!take(value, wanted)) wanted = {plain.imr_multiaddr, plain.imr_interface, 0};
    if (wanted.imr_ifindex < 0 || wanted.imr_ifindex > 0xff) return Error(ENODEV);
    auto interface = static_cast<std::uint8_t>(wanted.imr_ifindex);
    if (interface == 0 && wanted.imr_address.s_addr != 0) {
        interface = interface_with(wanted.imr_address);
        if (interface == 0) return Error(ENODEV);
    }
    ip_addr_t group{};
    ip_addr_set_ip4_u32(&group, wanted.imr_multiaddr.s_addr);
    return joins ? join_group(sock, group, interface) : leave_group(sock, group, interface);
}

Error set_interface(udp_pcb& pcb, ConstBuffer value) noexcept {
    in_addr address{};
    if (!take(value, address)) return Error(EINVAL);
    const std::uint8_t interface = interface_with(address);
    if (interface == 0 && address.s_addr != 0) return Error(EADDRNOTAVAIL);
    udp_set_multicast_netif_index(&pcb, interface);
    return Error();
}

}  // namespace

Error set_group_option(Sock& sock, int name, ConstBuffer value) noexcept {
    if (sock.kind != Sock::Kind::udp) return Error(ENOPROTOOPT);
    std::uint8_t byte = 0;
    switch (name) {
        case IP_ADD_MEMBERSHIP:
        case IP_DROP_MEMBERSHIP: return set_group(sock, name == IP_ADD_MEMBERSHIP, value);
        case IP_MULTICAST_IF: return set_interface(*sock.udp, value);
        case IP_MULTICAST_TTL:
            if (!take_byte(value, byte)) return Error(EINVAL);
            udp_set_multicast_ttl(sock.udp, byte);
            return Error();
        case IP_MULTICAST_LOOP:
            if (!take_byte(value, byte)) return Error(EINVAL);
            set_loop(*sock.udp, byte != 0);
            return Error();
        default: return Error(ENOPROTOOPT);
    }
}

#if LWIP_IPV6
// lwIP has one number and one switch in a socket, for both families.
Error set_group_option6(Sock& sock, int name, ConstBuffer value) noexcept {
    if (name == IPV6_MULTICAST_HOPS) return set_group_option(sock, IP_MULTICAST_TTL, value);
    if (name == IPV6_MULTICAST_LOOP) return set_group_option(sock, IP_MULTICAST_LOOP, value);
    const bool is_group = (name == IPV6_JOIN_GROUP || name == IPV6_LEAVE_GROUP) && sock.kind == Sock::Kind::udp;
    if (!is_group) return Error(ENOPROTOOPT);
    ipv6_mreq wanted{};
    if (!take(value, wanted)) return Error(EINVAL);
    ip_addr_t group{};
    ip6_addr_t bare{};
    std::memcpy(bare.addr, &wanted.ipv6mr_multiaddr, sizeof bare.addr);
    ip_addr_copy_from_ip6(group, bare);
    if (wanted.ipv6mr_interface > 0xff) return Error(ENODEV);
    const auto interface = static_cast<std::uint8_t>(wanted.ipv6mr_interface);
    return name == IPV6_JOIN_GROUP ? join_group(sock, group, interface) : leave_group(sock, group, interface);
}
#endif

Result<std::size_t> get_group_option(Sock& sock, int name, MutableBuffer value) noexcept {
    if (sock.kind != Sock::Kind::udp) return Error(ENOPROTOOPT);
    if (name == IP_MULTICAST_TTL) return put(value, int{udp_get_multicast_ttl(sock.udp)});
    if (name == IP_MULTICAST_LOOP) return put(value, (udp_flags(sock.udp) & UDP_FLAGS_MULTICAST_LOOP) != 0 ? 1 : 0);
    return Error(ENOPROTOOPT);
}

#if LWIP_IPV6
Result<std::size_t> get_group_option6(Sock& sock, int name, MutableBuffer value) noexcept {
    if (name == IPV6_MULTICAST_HOPS) return get_group_option(sock, IP_MULTICAST_TTL, value);
    if (name == IPV6_MULTICAST_LOOP) return get_group_option(sock, IP_MULTICAST_LOOP, value);
    return Error(ENOPROTOOPT);
}
#endif

void leave_groups(const Sock& sock) noexcept {
    for (Membership& one : memberships) {
        if (one.sock == &sock) leave(one);
    }
}

}  // namespace usocket::sys

#endif
