// Addresses: the layouts of lwIP's sockaddr_in and sockaddr_in6, and nothing else about them.
#include <netinet/in.h>

#include <cstring>
#include <new>

#include "c_string.hpp"
#include "decimal.hpp"
#include "sys/lwip/endpoint.hpp"

namespace usocket::sys {

#include "sys/address.inc"

namespace {

constexpr std::size_t family_offset = offsetof(sockaddr, sa_family);

void set_ipv4(ip_addr_t& ip, const std::uint8_t* bytes) noexcept {
    std::uint32_t ipv4 = 0;
    std::memcpy(&ipv4, bytes, sizeof ipv4);
    ip_addr_set_ip4_u32_val(ip, ipv4);
}

#if LWIP_IPV6
constexpr std::uint8_t mapped_prefix[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

Error set_ipv6(ip_addr_t& ip, const std::uint8_t* bytes, std::uint32_t scopeid) noexcept {
    if (std::memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0) {
        set_ipv4(ip, bytes + sizeof mapped_prefix);
        return Error();
    }
    ip6_addr_t ipv6{};
    std::memcpy(ipv6.addr, bytes, sizeof ipv6.addr);
    if (scopeid != 0 && ip6_addr_has_scope(&ipv6, IP6_UNKNOWN)) {
        if (scopeid > 0xff) return Error(ENODEV);
        ip6_addr_set_zone(&ipv6, static_cast<std::uint8_t>(scopeid));
    }
    ip_addr_copy_from_ip6(ip, ipv6);
    return Error();
}
#endif

}  // namespace

// --- For lwIP

Error to_endpoint(const Address& address, int family, Endpoint& endpoint) noexcept {
    if (address.size() < address_min_size(family)) return Error(EINVAL);
    if (address.family() != family) return Error(EAFNOSUPPORT);
    endpoint.port = address.port();
    const std::uint8_t* ip = address.payload().data();
#if LWIP_IPV6
    if (family == AF_INET6) return set_ipv6(endpoint.ip, ip, address.scopeid());
#endif
    set_ipv4(endpoint.ip, ip);
    return Error();
}

Error to_peer(const Address& address, int family, Endpoint& peer) noexcept {
    const Error error = to_endpoint(address, family, peer);
    if (ip_addr_isany(&peer.ip)) ip_addr_set_loopback(IP_IS_V6_VAL(peer.ip), &peer.ip);
    return error;
}

Address to_address(const Endpoint& endpoint, int family) noexcept {
    PackedAddress ip;
    std::uint32_t scopeid = 0;
#if LWIP_IPV6
    if (family == AF_INET6) {
        ip.size = 16;
        if (IP_IS_V6_VAL(endpoint.ip) || IP_IS_ANY_TYPE_VAL(endpoint.ip)) {
            std::memcpy(ip.bytes.data(), ip_2_ip6(&endpoint.ip)->addr, 16);
            scopeid = ip6_addr_zone(ip_2_ip6(&endpoint.ip));
        } else if (!ip_addr_isany(&endpoint.ip)) {
            std::memcpy(ip.bytes.data(), mapped_prefix, sizeof mapped_prefix);
            std::memcpy(ip.bytes.data() + sizeof mapped_prefix, &ip_2_ip4(&endpoint.ip)->addr, 4);
        }
        return make_inet(family, ip, endpoint.port, 0, scopeid);
    }
#endif
    ip.size = 4;
    std::memcpy(ip.bytes.data(), &ip_2_ip4(&endpoint.ip)->addr, 4);
    return make_inet(family, ip, endpoint.port, 0, scopeid);
}

// --- For the core

std::uint32_t zone_index(std::string_view text) noexcept {
    char name[NETIF_NAMESIZE];
    if (text.empty() || !copy_c_string(text, name, sizeof name)) return 0;
    if (const auto number = parse_decimal(text)) return *number <= UINT32_MAX ? static_cast<std::uint32_t>(*number) : 0;
    const Guard guard;
    netif* interface = netif_find(name);
    return interface == nullptr ? 0 : netif_get_index(interface);
}

// Of IPv4 with the interface by its number, which is this stack's own (ip_mreqn).
GroupOption group_option(const Address& group, std::uint32_t interface, bool joins) noexcept {
    GroupOption option;
    if (group.family() == AF_INET) {
        const ip_mreqn request{at<in_addr>(group, offsetof(sockaddr_in, sin_addr)), {}, static_cast<int>(interface)};
        option.level = IPPROTO_IP;
        option.name = joins ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP;
        option.size = sizeof request;
        std::memcpy(option.bytes, &request, sizeof request);
        return option;
    }
    const ipv6_mreq request{at<in6_addr>(group, offsetof(sockaddr_in6, sin6_addr)), interface};
    option.level = IPPROTO_IPV6;
    option.name = joins ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP;
    option.size = sizeof request;
    std::memcpy(option.bytes, &request, sizeof request);
    return option;
}

// The length inside is that of the family, or of what there is.
std::size_t address_normalise(std::uint8_t* bytes, std::size_t size) noexcept {
    if (size < family_size) return 0;
    const int family = bytes[family_offset];
    if (family == AF_INET && size >= sizeof(sockaddr_in)) {
        size = sizeof(sockaddr_in);
        std::memset(bytes + offsetof(sockaddr_in, sin_zero), 0, sizeof(sockaddr_in::sin_zero));
    }
    if (family == AF_INET6 && size >= sizeof(sockaddr_in6)) size = sizeof(sockaddr_in6);
    bytes[0] = static_cast<std::uint8_t>(size);
    return size;
}

}  // namespace usocket::sys
