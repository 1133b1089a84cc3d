// usocket.h: addresses, inet_ntop, inet_pton.
#include "usocket/address.hpp"

#include <algorithm>

#include "c/convert.hpp"
#include "sys/sys.hpp"

using namespace usocket;
using namespace usocket::c_face;

static_assert(std::tuple_size_v<decltype(Address::Text::chars)> == USOCKET_HOST_TEXT &&
              std::tuple_size_v<decltype(Address::Written::chars)> == USOCKET_ADDRESS_TEXT);

usocket_error_t usocket::c_face::give(const Result<Address>& result, usocket_address_t* to) noexcept {
    if (result) new (to) Address(*result);
    return c(result);
}

usocket_error_t usocket_address_inet(usocket_address_t* address, int family, const usocket_inet_t* from) {
    return give(Address::inet(family, text(from->host), from->port, from->flowinfo, from->scopeid), address);
}

usocket_error_t usocket_address_from_parts(usocket_address_t* address, int family, const usocket_inet_t* from) {
    return give(Address::from_parts(family, cxx(from->host), from->port, from->flowinfo, from->scopeid), address);
}

usocket_error_t usocket_address_path(usocket_address_t* address, int family, usocket_bytes_t path) {
    if (!usocket_takes_paths(family)) return c(Error(Fault::address_family));
    return give(Address::unix_path(text(path)), address);
}

usocket_error_t usocket_address_native(usocket_address_t* address, usocket_bytes_t native) {
    return give(Address::from_native(cxx(native)), address);
}

usocket_error_t usocket_address_parse(usocket_address_t* address, usocket_bytes_t from) {
    return give(Address::parse(text(from)), address);
}

usocket_bytes_t usocket_address_bytes(const usocket_address_t* address) {
    return c(ConstBuffer(cxx(address).data(), cxx(address).size()));
}

usocket_bytes_t usocket_address_payload(const usocket_address_t* address) { return c(cxx(address).payload()); }

size_t usocket_address_text(const usocket_address_t* address, char into[USOCKET_ADDRESS_TEXT]) {
    const Address::Written written = cxx(address).text();
    std::ranges::copy(written.chars, into);
    return written.size;
}

bool usocket_address_equal(const usocket_address_t* one, const usocket_address_t* other) {
    return cxx(one) == cxx(other);
}

void usocket_address_decode(const usocket_address_t* from, usocket_decoded_t* decoded) {
    const Address& address = cxx(from);
    const int family = address.family();
    decoded->kind = family == sys::af_inet    ? USOCKET_INET
                    : family == sys::af_inet6 ? USOCKET_INET6
                    : family == sys::af_unix  ? USOCKET_UNIX
                                              : USOCKET_OTHER;
    decoded->family = family;
    decoded->port = address.port();
    decoded->flowinfo = address.flowinfo();
    decoded->scopeid = address.scopeid();
    const Address::Text host = address.host();
    decoded->host_size = host.size;
    std::copy_n(host.chars.begin(), host.size + 1, decoded->host);
}

bool usocket_takes_paths(int family) { return family == sys::af_unix; }

usocket_error_t usocket_inet_ntop(int family, usocket_bytes_t packed, char into[USOCKET_HOST_TEXT], size_t* size) {
    const auto found = inet_ntop(family, cxx(packed));
    if (found) {
        *size = found->size;
        std::copy_n(found->chars.begin(), found->size + 1, into);
    }
    return c(found);
}

usocket_error_t usocket_inet_pton(int family, usocket_bytes_t from, uint8_t packed[16], size_t* size) {
    const auto found = inet_pton(family, text(from));
    if (found) {
        *size = found->size;
        std::copy(found->bytes.begin(), found->bytes.end(), packed);
    }
    return c(found);
}
