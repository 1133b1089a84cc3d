// Socket::describe: the text inside a repr (SOCK-8), the same on every host.
#include <string_view>

#include "sys/sys.hpp"
#include "usocket/socket.hpp"
#include "writer.hpp"

namespace usocket {
namespace {

// As the tuple that the address methods take, or the path.
void write_address(Writer& out, const Address& address) noexcept {
    const Address::Text host = address.host();
    if (host.size == 0) {
        (out << "'").escaped(address.payload()) << "'";
        return;
    }
    out << "('" << host.view() << "', " << address.port();
    if (address.family() == sys::af_inet6) out << ", " << address.flowinfo() << ", " << address.scopeid();
    out << ")";
}

// Seconds with as many decimals as they need.
void write_seconds(Writer& out, Timeout timeout) noexcept {
    constexpr std::int64_t second = 1'000'000'000;
    const Decimal one_and_rest(static_cast<std::uint64_t>(second + timeout.nanoseconds() % second));
    std::string_view rest = one_and_rest.view();
    rest.remove_prefix(1);
    while (rest.size() > 1 && rest.back() == '0') rest.remove_suffix(1);
    out << timeout.nanoseconds() / second << "." << rest;
}

}  // namespace

std::size_t Socket::describe(MutableBuffer text) const noexcept {
    Writer out(text);
    const auto number = [&](std::string_view label, std::int64_t value) noexcept { out << label << value; };
    number(closed() ? "[closed] fd=" : "fd=", closed() ? -1 : gate_.fd());
    number(", family=", family());
    number(", type=", type());
    number(", proto=", proto());
    out << ", timeout=";
    if (timeout_.is_none()) {
        out << "None";
    } else {
        write_seconds(out, timeout_);
    }
    const auto name = [&](std::string_view label, const Result<Address>& address) noexcept {
        if (address && address->size() != 0) write_address(out << label, *address);
    };
    name(", laddr=", getsockname());
    name(", raddr=", getpeername());
    return out.size();
}

}  // namespace usocket
