#include "usocket/arguments.hpp"

#include <algorithm>
#include <climits>

#include "sys/sys.hpp"
#include "usocket/socket.hpp"

namespace usocket::arguments {
namespace {

constexpr std::int64_t largest_size = 0x7fffffff;
constexpr std::int64_t largest_option = 1024;
constexpr std::int64_t all = -1;  // as devices say it

// How much of `size` a number that is not negative asks for.
std::size_t at_most(std::size_t size, std::int64_t number) noexcept {
    return static_cast<std::size_t>(std::min<std::uint64_t>(size, static_cast<std::uint64_t>(number)));
}

}  // namespace

Result<int> to_int(std::int64_t number) noexcept {
    if (number < INT_MIN || number > INT_MAX) return Error(Fault::int_range);
    return static_cast<int>(number);
}

Result<int> backlog(std::int64_t number) noexcept { return to_int(std::max<std::int64_t>(number, INT_MIN)); }

unsigned event_mask(std::int64_t number) noexcept {
    return number < 0 || number > UINT_MAX ? UINT_MAX : static_cast<unsigned>(number);
}

Result<std::size_t> bufsize(std::int64_t number) noexcept {
    if (number < 0 || number > largest_size) return Error(Fault::bufsize_range);
    return static_cast<std::size_t>(number);
}

Result<std::size_t> limit(std::optional<std::int64_t> number) noexcept {
    if (!number || *number == all) return Socket::no_limit;
    if (*number < 0) return Error(Fault::bufsize_range);
    return at_most(Socket::no_limit, *number);
}

Result<MutableBuffer> recv_part(MutableBuffer buffer, std::int64_t nbytes) noexcept {
    if (nbytes == 0) return buffer;
    const std::size_t size = nbytes < 0 ? 0 : at_most(buffer.size(), nbytes);
    if (nbytes < 0 || static_cast<std::uint64_t>(nbytes) != size) return Error(Fault::slice_range);
    return buffer.first(size);
}

Result<MutableBuffer> read_part(MutableBuffer buffer, std::optional<std::int64_t> nbytes) noexcept {
    if (!nbytes || *nbytes == all) return buffer;
    if (*nbytes < 0) return Error(Fault::bufsize_range);
    return buffer.first(at_most(buffer.size(), *nbytes));
}

Result<ConstBuffer> write_part(ConstBuffer buffer, std::int64_t off, std::optional<std::int64_t> n) noexcept {
    if (off < 0 || (n && *n < all)) return Error(Fault::slice_range);
    const ConstBuffer rest = buffer.from(at_most(buffer.size(), off));
    return n && *n != all ? ConstBuffer(rest.data(), at_most(rest.size(), *n)) : rest;
}

Result<std::size_t> option_length(std::int64_t number) noexcept {
    if (number < 0 || number > largest_option) return Error(Fault::option_length);
    return static_cast<std::size_t>(number);
}

Result<void> tuple_size(int family, std::size_t count) noexcept {
    if (family != sys::af_inet && family != sys::af_inet6) return Error(Fault::address_family);
    if (count < 2 || count > (family == sys::af_inet ? 2u : 4u)) return Error(Fault::address_arity);
    return {};
}

Result<void> parts_size(int family, std::size_t count) noexcept {
    const std::size_t wanted = family == sys::af_inet ? 3 : family == sys::af_inet6 ? 5 : 2;
    return count == wanted ? Error() : Error(Fault::address_parts);
}

Result<void> makefile_mode(std::string_view mode) noexcept {
    if (mode != "rb" && mode != "wb" && mode != "rwb") return Error(Fault::makefile_mode);
    return {};
}

Result<Timeout> poll_timeout(double milliseconds) noexcept {
    if (milliseconds < 0) return Timeout::none();
    const auto timeout = Timeout::from_seconds(milliseconds / 1000);
    return timeout ? timeout : Error(Fault::poll_timeout_range);
}

}  // namespace usocket::arguments
