// Multicast groups: an address that a socket receives for.
#include "sys/sys.hpp"
#include "usocket/socket.hpp"

namespace usocket {
namespace {

Result<void> set_group(Socket& socket, const Address& group, std::uint32_t interface, bool joins) noexcept {
    const int family = group.family();
    if (family != sys::af_inet && family != sys::af_inet6) return Error(Fault::address_family);
    const sys::GroupOption option = sys::group_option(group, interface != 0 ? interface : group.scopeid(), joins);
    return socket.setsockopt(option.level, option.name, ConstBuffer(option.bytes, option.size));
}

}  // namespace

Result<void> Socket::join_group(const Address& group, std::uint32_t interface) noexcept {
    return set_group(*this, group, interface, true);
}

Result<void> Socket::leave_group(const Address& group, std::uint32_t interface) noexcept {
    return set_group(*this, group, interface, false);
}

}  // namespace usocket
