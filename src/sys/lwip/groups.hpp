// Groups: what a socket that sends to multicast groups, or is in some, has for that: options, of IP and of IPv6.
#pragma once

#include "sys/lwip/table.hpp"

namespace usocket::sys {

#if defined(USOCKET_WITHOUT_groups)

inline Error set_group_option(Sock& /*sock*/, int /*name*/, ConstBuffer /*value*/) noexcept {
    return Error(ENOPROTOOPT);
}
inline Error set_group_option6(Sock& /*sock*/, int /*name*/, ConstBuffer /*value*/) noexcept {
    return Error(ENOPROTOOPT);
}
inline Result<std::size_t> get_group_option(Sock& /*sock*/, int /*name*/, MutableBuffer /*value*/) noexcept {
    return Error(ENOPROTOOPT);
}
inline Result<std::size_t> get_group_option6(Sock& /*sock*/, int /*name*/, MutableBuffer /*value*/) noexcept {
    return Error(ENOPROTOOPT);
}
inline void leave_groups(const Sock& /*sock*/) noexcept {}

#else

// ENOPROTOOPT: it is none of these options, or the socket sends no datagrams.
Error set_group_option(Sock& sock, int name, ConstBuffer value) noexcept;
Error set_group_option6(Sock& sock, int name, ConstBuffer value) noexcept;
Result<std::size_t> get_group_option(Sock& sock, int name, MutableBuffer value) noexcept;
Result<std::size_t> get_group_option6(Sock& sock, int name, MutableBuffer value) noexcept;
// All that it is in.
void leave_groups(const Sock& sock) noexcept;

#endif

}  // namespace usocket::sys
