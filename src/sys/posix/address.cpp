// Addresses: the layouts of sockaddr_in, sockaddr_in6 and sockaddr_un, and nothing else about them.
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#if defined(__linux__)
#include <netpacket/packet.h>
#endif

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>

#include "c_string.hpp"
#include "decimal.hpp"
#include "sys/posix/native.hpp"

namespace usocket::sys {

#include "sys/address.inc"

namespace {

constexpr std::size_t path_offset = offsetof(sockaddr_un, sun_path);
#if defined(__linux__)
constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path);
#else
constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;
#endif

// The BSDs have an address's length in it.
template <class Header = sockaddr>
void note_length([[maybe_unused]] std::uint8_t* bytes, [[maybe_unused]] std::size_t size) noexcept {
    if constexpr (requires(Header header) { header.sa_len; }) bytes[0] = static_cast<std::uint8_t>(size);
}

}  // namespace

Result<PackedAddress> parse_ip(int family, std::string_view text) noexcept {
    char chars[INET6_ADDRSTRLEN];
    PackedAddress ip;
    if (!copy_c_string(text, chars, sizeof chars)) return Error(EINVAL);
    if (::inet_pton(family, chars, ip.bytes.data()) != 1) return Error(EINVAL);
    ip.size = family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr);
    return ip;
}

Address::Text format_ip(int family, ConstBuffer packed) noexcept {
    Address::Text text;
    if (family == AF_INET) {  // inet_ntop() does it by printf
        char* at = text.chars.data();
        for (std::size_t i = 0; i < packed.size(); ++i) {
            if (i != 0) *at++ = '.';
            const Decimal number(packed.data()[i]);
            at = std::copy(number.view().begin(), number.view().end(), at);
        }
        text.size = static_cast<std::uint8_t>(at - text.chars.data());
    } else {
        (void)::inet_ntop(family, packed.data(), text.chars.data(), text.chars.size());  // there is room for it
        text.size = static_cast<std::uint8_t>(std::strlen(text.chars.data()));
    }
    return text;
}

std::uint32_t zone_index(std::string_view text) noexcept {
    char name[IF_NAMESIZE];
    if (text.empty() || !copy_c_string(text, name, sizeof name)) return 0;
    if (const auto number = parse_decimal(text)) return *number <= UINT32_MAX ? static_cast<std::uint32_t>(*number) : 0;
    return ::if_nametoindex(name);
}

// A path gets a NUL at its end where there is room for one, which Linux does without (unix(7)); the address's length
// does not count it.
Result<Address> make_unix(std::string_view path) noexcept {
    const bool is_abstract = !path.empty() && path.front() == '\0';
    if (path.size() > longest_path) return Error(Fault::path_too_long);
    if (!is_abstract && path.find('\0') != std::string_view::npos) return Error(Fault::bad_path);
    Result<Address> address{Error()};
    auto* native = in<sockaddr_un>(*address);
    native->sun_family = AF_UNIX;
    std::memcpy(native->sun_path, path.data(), path.size());
    address->set_size(path_offset + path.size());
    return address;
}

std::size_t address_max_size(int family) noexcept {
    return family == AF_UNIX ? path_offset + longest_path : Address::max_size;
}

// The form of RFC 3678, which both families share.
GroupOption group_option(const Address& group, std::uint32_t interface, bool joins) noexcept {
    group_req request{};
    request.gr_interface = interface;
    std::memcpy(&request.gr_group, group.data(), group.size());
    GroupOption option;
    option.level = group.family() == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
    option.name = joins ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP;
    option.size = sizeof request;
    static_assert(sizeof request <= sizeof option.bytes);
    std::memcpy(option.bytes, &request, sizeof request);
    return option;
}

namespace {

std::size_t normal_size(std::uint8_t* bytes, std::size_t size) noexcept {
    sa_family_t family = AF_UNSPEC;
    std::memcpy(&family, bytes + offsetof(sockaddr, sa_family), sizeof family);
    if (family == AF_INET && size >= sizeof(sockaddr_in)) {
        std::memset(bytes + offsetof(sockaddr_in, sin_zero), 0, sizeof(sockaddr_in::sin_zero));
        return sizeof(sockaddr_in);
    }
    if (family == AF_INET6 && size >= sizeof(sockaddr_in6)) return sizeof(sockaddr_in6);
#if defined(__linux__)
    // What it says of an interface, the system ends with the hardware address, and takes it whole only (packet(7)).
    if (family == AF_PACKET && size >= offsetof(sockaddr_ll, sll_addr) && size < sizeof(sockaddr_ll)) {
        std::memset(bytes + size, 0, sizeof(sockaddr_ll) - size);
        return sizeof(sockaddr_ll);
    }
#endif
    const bool is_path = family == AF_UNIX && size > path_offset && bytes[path_offset] != 0;
    const void* end = is_path ? std::memchr(bytes + path_offset, 0, size - path_offset) : nullptr;
    return end == nullptr ? size : static_cast<std::size_t>(static_cast<const std::uint8_t*>(end) - bytes);
}

}  // namespace

std::size_t address_normalise(std::uint8_t* bytes, std::size_t size) noexcept {
    if (size < family_size) return 0;
    size = normal_size(bytes, size);
    note_length(bytes, size);
    return size;
}

}  // namespace usocket::sys
