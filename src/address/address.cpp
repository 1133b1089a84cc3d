// Address: checks what comes from outside; what only the system's headers know is asked of the stack.
#include "usocket/address.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "sys/sys.hpp"

namespace usocket {
namespace {

// Takes the zone off the host's text: its index, which is 0 where there is none.
Result<std::uint32_t> take_zone(int family, std::string_view& host) noexcept {
    const std::size_t sign = family == sys::af_inet6 ? host.find('%') : std::string_view::npos;
    if (sign == std::string_view::npos) return std::uint32_t{0};
    const std::uint32_t index = sys::zone_index({host.data() + sign + 1, host.size() - sign - 1});
    if (index == 0) return Error(Fault::address_zone);
    host.remove_suffix(host.size() - sign);  // substr() wants libstdc++, which a small host has not
    return index;
}

// The family, and behind it bytes that only the system knows.
Result<Address> other(int family, ConstBuffer payload) noexcept {
    Address address = sys::make_other(family);
    if (address.family() != family) return Error(Fault::family_range);
    const std::size_t size = address.size() + payload.size();
    if (size > Address::max_size) return Error(Fault::address_too_long);
    std::copy_n(payload.data(), payload.size(), address.raw() + address.size());
    return Address::from_native({address.raw(), size});
}

constexpr bool has_32_bits(std::int64_t number) noexcept { return number >= 0 && number <= 0xffffffff; }

constexpr std::uint8_t packed_size(int family) noexcept { return family == sys::af_inet ? 4 : 16; }

// The numbers are checked, but for flowinfo. Not in both places that call it: it is as long as they are.
[[gnu::noinline]] Result<Address> make_checked(int family, const PackedAddress& ip, std::int64_t port,
                                               std::int64_t flowinfo, std::int64_t scopeid) noexcept {
    if (port < 0 || port > 0xffff) return Error(Fault::port_range);
    if (!has_32_bits(scopeid)) return Error(Fault::scopeid_range);
    return sys::make_inet(family, ip, static_cast<std::uint16_t>(port), static_cast<std::uint32_t>(flowinfo),
                          static_cast<std::uint32_t>(scopeid));
}

}  // namespace

Result<Address> Address::inet(int family, std::string_view host, std::int64_t port, std::int64_t flowinfo,
                              std::int64_t scopeid) noexcept {
    if (family != sys::af_inet && family != sys::af_inet6) return Error(Fault::address_family);
    const auto zone = take_zone(family, host);
    if (!zone) return zone.error();
    PackedAddress ip;  // all zero: the wildcard
    if (!host.empty()) {
        const auto parsed = sys::parse_ip(family, host);
        if (!parsed) {
            const int other = family == sys::af_inet ? sys::af_inet6 : sys::af_inet;
            return Error(sys::parse_ip(other, host) ? Fault::address_other_family : Fault::address_not_numeric);
        }
        ip = *parsed;
    }
    if (flowinfo != 0) return Error(Fault::flowinfo_not_zero);
    if (*zone != 0 && has_32_bits(scopeid)) scopeid = *zone;
    return make_checked(family, ip, port, 0, scopeid);
}

Result<Address> Address::from_parts(int family, ConstBuffer payload, std::int64_t port, std::int64_t flowinfo,
                                    std::int64_t scopeid) noexcept {
    if (family != sys::af_inet && family != sys::af_inet6) return other(family, payload);
    PackedAddress ip;
    ip.size = packed_size(family);
    if (payload.size() != ip.size) return Error(Fault::packed_length);
    std::memcpy(ip.bytes.data(), payload.data(), ip.size);
    if (!has_32_bits(flowinfo)) return Error(Fault::flowinfo_range);
    return make_checked(family, ip, port, flowinfo, scopeid);
}

Result<Address> Address::unix_path(std::string_view path) noexcept { return sys::make_unix(path); }

Result<Address> Address::from_native(ConstBuffer native) noexcept {
    const bool is_long = native.size() > max_size;
    const bool is_short = native.size() < sys::address_min_size(0);
    Result<Address> address{Error(is_long    ? Fault::address_too_long
                                  : is_short ? Fault::address_too_short
                                             : Fault::none)};
    if (!address) return address;
    std::memcpy(address->raw(), native.data(), native.size());
    address->size_ = static_cast<std::uint32_t>(native.size());
    if (native.size() < sys::address_min_size(address->family())) {
        address = Error(Fault::address_too_short);
    } else {
        address->set_size(native.size());
        if (address->size() > sys::address_max_size(address->family())) address = Error(Fault::path_too_long);
    }
    return address;
}

void Address::set_size(std::size_t size) noexcept {
    // A system may report more than it had room for.
    size_ = static_cast<std::uint32_t>(sys::address_normalise(bytes_.data(), std::min(size, max_size)));
    // A path is a C string too, where there is room.
    if (size_ < max_size) bytes_[size_] = 0;
}

int Address::family() const noexcept { return size_ == 0 ? 0 : sys::address_family(*this); }
std::uint16_t Address::port() const noexcept { return sys::address_port(*this); }
std::uint32_t Address::flowinfo() const noexcept { return sys::address_flowinfo(*this); }
std::uint32_t Address::scopeid() const noexcept { return sys::address_scopeid(*this); }
ConstBuffer Address::payload() const noexcept { return sys::address_payload(*this); }

Address::Text Address::host() const noexcept {
    const int af = family();
    if (af != sys::af_inet && af != sys::af_inet6) return {};
    return sys::format_ip(af, payload());
}

Result<Address::Text> inet_ntop(int family, ConstBuffer packed) noexcept {
    if (family != sys::af_inet && family != sys::af_inet6) return Error(EAFNOSUPPORT);
    if (packed.size() != packed_size(family)) return Error(Fault::packed_length);
    return sys::format_ip(family, packed);
}

Result<PackedAddress> inet_pton(int family, std::string_view text) noexcept {
    if (family != sys::af_inet && family != sys::af_inet6) return Error(EAFNOSUPPORT);
    return sys::parse_ip(family, text);
}

}  // namespace usocket
