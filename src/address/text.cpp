// An address as people write it, and back (ADDR-9).
#include <cstring>

#include "decimal.hpp"
#include "sys/sys.hpp"
#include "usocket/address.hpp"
#include "writer.hpp"

namespace usocket {
namespace {

constexpr std::string_view unix_prefix = "unix:";
constexpr std::string_view family_prefix = "af";
constexpr std::string_view flow_sign = ";flow=";
constexpr char abstract_sign = '@';

// What substr() does, but for its range check, which wants libstdc++; a small host has not got it.
std::string_view from(std::string_view text, std::size_t begin) noexcept {
    text.remove_prefix(begin);
    return text;
}
std::string_view first(std::string_view text, std::size_t count) noexcept {
    text.remove_suffix(text.size() - count);
    return text;
}

// A path that begins with the sign of an abstract name has it escaped.
void write_path(Writer& out, ConstBuffer path) noexcept {
    out << unix_prefix;
    if (path.size() == 0) return;
    const std::uint8_t first = path.data()[0];
    if (first == 0) {
        out << std::string_view(&abstract_sign, 1);
    } else if (first == abstract_sign) {
        (out << "\\x").hex(first);
    } else {
        out.escape(first);
    }
    out.escaped(path.from(1));
}

// -1: not a hexadecimal digit.
int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// -1: the text does not begin with two of them.
int hex_byte(std::string_view text) noexcept {
    if (text.size() < 2) return -1;
    const int high = hex_digit(text[0]), low = hex_digit(text[1]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

Result<Address> parse_path(std::string_view text) noexcept {
    char path[Address::max_size];
    std::size_t size = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (size == sizeof path) return Error(Fault::path_too_long);
        const bool is_escape = text[i] == '\\';
        const int escaped = is_escape && from(text, i + 1).starts_with('x') ? hex_byte(from(text, i + 2)) : -1;
        if (is_escape && escaped < 0) return Error(Fault::address_text);
        path[size++] = is_escape ? static_cast<char>(escaped) : i == 0 && text[i] == abstract_sign ? '\0' : text[i];
        if (is_escape) i += 3;
    }
    return Address::unix_path({path, size});
}

// "af16:0c0f". Nothing: it does not begin like that.
std::optional<Result<Address>> parse_other(std::string_view text) noexcept {
    const std::size_t colon = text.find(':');
    if (!text.starts_with(family_prefix) || colon == std::string_view::npos) return std::nullopt;
    const auto family = parse_decimal(from(first(text, colon), family_prefix.size()));
    if (!family || *family > 0xffff) return std::nullopt;
    text.remove_prefix(colon + 1);
    Address address = sys::make_other(static_cast<int>(*family));
    std::size_t size = address.size();
    for (; !text.empty(); text.remove_prefix(2)) {
        const int byte = hex_byte(text);
        if (byte < 0) return Error(Fault::address_text);
        if (size == Address::max_size) return Error(Fault::address_too_long);
        address.raw()[size++] = static_cast<std::uint8_t>(byte);
    }
    return Address::from_native({address.raw(), size});
}

Result<Address> with_flow(const Result<Address>& address, std::string_view flow) noexcept {
    const auto number = parse_decimal(flow);
    if (!number) return Error(Fault::address_text);
    if (!address) return address;
    return Address::from_parts(sys::af_inet6, address->payload(), address->port(), static_cast<std::int64_t>(*number),
                               address->scopeid());
}

}  // namespace

Address::Written Address::text() const noexcept {
    Written text;
    Writer out({text.chars.data(), text.chars.size() - 1});
    const int af = family();
    if (af == sys::af_inet) {
        out << host().view() << ":" << port();
    } else if (af == sys::af_inet6) {
        out << "[" << host().view();
        if (scopeid() != 0) out << "%" << scopeid();
        out << "]:" << port();
        if (flowinfo() != 0) out << flow_sign << flowinfo();
    } else if (af == sys::af_unix) {
        write_path(out, payload());
    } else if (!empty()) {
        out << family_prefix << af << ":";
        for (std::size_t i = 0; i < payload().size(); ++i) out.hex(payload().data()[i]);
    }
    text.size = static_cast<std::uint16_t>(out.size());
    return text;
}

Result<Address> Address::parse(std::string_view text) noexcept {
    if (text.starts_with(unix_prefix)) return parse_path(from(text, unix_prefix.size()));
    if (const auto other = parse_other(text)) return *other;
    const std::size_t flow = text.find(flow_sign);
    if (flow != std::string_view::npos && text.starts_with('['))
        return with_flow(parse(first(text, flow)), from(text, flow + flow_sign.size()));
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return Error(Fault::address_text);
    const auto port = parse_decimal(from(text, colon + 1));
    if (!port) return Error(Fault::address_text);
    std::string_view host = first(text, colon);
    const bool is_bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
    if (is_bracketed)
        return inet(sys::af_inet6, from(first(host, host.size() - 1), 1), static_cast<std::int64_t>(*port));
    if (host.find(':') != std::string_view::npos) return Error(Fault::address_text);
    return inet(sys::af_inet, host, static_cast<std::int64_t>(*port));
}

}  // namespace usocket
