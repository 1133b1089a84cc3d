// Addresses: the layouts of lwIP's sockaddr_in and sockaddr_in6, and nothing else about them.
#include <netinet/in.h>

#include <cstring>

#include "c_string.hpp"
#include "decimal.hpp"
#include "sys/lwip/endpoint.hpp"

namespace usocket::sys {

#include "sys/address.inc"

namespace {

constexpr std::size_t family_offset = offsetof(sockaddr, sa_family);

template <class Native> Address from(const Native& native) noexcept {
    Address address;
    std::memcpy(address.raw(), &native, sizeof native);
    address.set_size(sizeof native);
    return address;
}

#if LWIP_IPV6
constexpr std::uint8_t mapped_prefix[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

Error set_ipv6(Endpoint& endpoint, const sockaddr_in6& native) noexcept {
    if (std::memcmp(&native.sin6_addr, mapped_prefix, sizeof mapped_prefix) == 0) {
        std::uint32_t ipv4 = 0;
        std::memcpy(&ipv4, native.sin6_addr.s6_addr + sizeof mapped_prefix, sizeof ipv4);
        ip_addr_set_ip4_u32(&endpoint.ip, ipv4);
        return Error();
    }
    ip6_addr_t ip{};
    std::memcpy(ip.addr, &native.sin6_addr, sizeof ip.addr);
    if (native.sin6_scope_id != 0 && ip6_addr_has_scope(&ip, IP6_UNKNOWN)) {
        if (native.sin6_scope_id > 0xff) return Error(ENODEV);
        ip6_addr_set_zone(&ip, static_cast<std::uint8_t>(native.sin6_scope_id));
    }
    ip_addr_copy_from_ip6(endpoint.ip, ip);
    return Error();
}
#endif

}  // namespace

// --- For lwIP

Result<Endpoint> to_endpoint(const Address& address, int family) noexcept {
    if (address.size() < address_min_size(family)) return Error(EINVAL);
    if (address.family() != family) return Error(EAFNOSUPPORT);
    Endpoint endpoint;
    endpoint.port = address.port();
#if LWIP_IPV6
    if (family == AF_INET6) {
        const Error error = set_ipv6(endpoint, as<sockaddr_in6>(address));
        return error == Error() ? Result<Endpoint>(endpoint) : error;
    }
#endif
    ip_addr_set_ip4_u32(&endpoint.ip, as<sockaddr_in>(address).sin_addr.s_addr);
    return endpoint;
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

Address make_inet(int family, const PackedAddress& ip, std::uint16_t port, std::uint32_t flowinfo,
                  std::uint32_t scopeid) noexcept {
    if (family == AF_INET) {
        sockaddr_in native{};
        native.sin_family = AF_INET;
        native.sin_port = lwip_htons(port);
        std::memcpy(&native.sin_addr, ip.bytes.data(), sizeof native.sin_addr);
        return from(native);
    }
    sockaddr_in6 native{};
    native.sin6_family = AF_INET6;
    native.sin6_port = lwip_htons(port);
    native.sin6_flowinfo = lwip_htonl(flowinfo);
    native.sin6_scope_id = scopeid;
    std::memcpy(&native.sin6_addr, ip.bytes.data(), sizeof native.sin6_addr);
    return from(native);
}

Address make_other(int family) noexcept {
    sockaddr native{};
    native.sa_family = static_cast<std::uint8_t>(family);
    Address address;
    std::memcpy(address.raw(), &native, sizeof native);
    address.set_size(family_size);
    return address;
}

int address_family(const Address& address) noexcept { return address.data()[family_offset]; }

// Of IPv4 with the interface by its number, which is this stack's own (ip_mreqn).
GroupOption group_option(const Address& group, std::uint32_t interface, bool joins) noexcept {
    GroupOption option;
    if (group.family() == AF_INET) {
        const ip_mreqn request{as<sockaddr_in>(group).sin_addr, {}, static_cast<int>(interface)};
        option.level = IPPROTO_IP;
        option.name = joins ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP;
        option.size = sizeof request;
        std::memcpy(option.bytes, &request, sizeof request);
        return option;
    }
    const ipv6_mreq request{as<sockaddr_in6>(group).sin6_addr, interface};
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
