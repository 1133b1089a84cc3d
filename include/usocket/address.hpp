// Address: a socket address as a plain value, opaque until it is decoded (ADDR-1..9); inet_ntop and inet_pton.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "usocket/buffer.hpp"
#include "usocket/result.hpp"

namespace usocket {

// The native sockaddr with its length. Equal for the same endpoint: padding is zero, a path has no NUL at its end.
class USOCKET_API Address {
public:
    static constexpr std::size_t max_size = 128;  // of struct sockaddr_storage

    Address() noexcept {}

    // From numeric text (ADDR-2, ADDR-3). family: AF_INET or AF_INET6; host "" is the wildcard; a zone in it,
    // "fe80::1%eth0", is the scopeid (ADDR-8). The numbers are whatever the caller got: out of range is a Fault that
    // says which one. flowinfo must be 0.
    [[nodiscard]] static Result<Address> inet(int family, std::string_view host, std::int64_t port,
                                              std::int64_t flowinfo = 0, std::int64_t scopeid = 0) noexcept;
    // An AF_UNIX path; on Linux one that starts with a NUL is an abstract name (ADDR-4).
    [[nodiscard]] static Result<Address> unix_path(std::string_view path) noexcept;
    // The bytes of a native sockaddr, checked for length (ADDR-6), that of an AF_UNIX path included.
    [[nodiscard]] static Result<Address> from_native(ConstBuffer native) noexcept;

    // What sockaddr() takes an address apart into, put together again (ADDR-8): family(), payload(), port(), flowinfo()
    // and scopeid() of any address make an equal one. The numbers count for AF_INET and AF_INET6 only, and are whatever
    // the caller got.
    [[nodiscard]] static Result<Address> from_parts(int family, ConstBuffer payload, std::int64_t port = 0,
                                                    std::int64_t flowinfo = 0, std::int64_t scopeid = 0) noexcept;

    // From what text() gives (ADDR-9): "127.0.0.1:80", "[::1]:80", "unix:/run/server". Fault::address_text, or as
    // inet() and unix_path().
    [[nodiscard]] static Result<Address> parse(std::string_view text) noexcept;

    [[nodiscard]] const std::uint8_t* data() const noexcept USOCKET_BORROWS { return bytes_.data(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    // AF_UNSPEC (0) if empty.
    [[nodiscard]] int family() const noexcept;
    // 0 unless AF_INET or AF_INET6.
    [[nodiscard]] std::uint16_t port() const noexcept;
    // 0 unless AF_INET6.
    [[nodiscard]] std::uint32_t flowinfo() const noexcept;
    [[nodiscard]] std::uint32_t scopeid() const noexcept;
    // What the family's own part holds: the IP address (4 or 16 bytes), the AF_UNIX path, or else all that
    // follows the family. Points into this object.
    [[nodiscard]] ConstBuffer payload() const noexcept USOCKET_BORROWS;
    // The IP address as text, with a NUL behind it; empty unless AF_INET or AF_INET6.
    struct Text {
        std::array<char, 48> chars{};
        std::uint8_t size = 0;
        [[nodiscard]] std::string_view view() const noexcept USOCKET_BORROWS { return {chars.data(), size}; }
    };
    [[nodiscard]] Text host() const noexcept;
    // For people, and for parse(): "127.0.0.1:80", "[fe80::1%2]:80"; "unix:/run/server", of an abstract name
    // "unix:@name", with \xNN for what cannot be printed; of any other family "af16:0c0f", its number and its bytes.
    // With a NUL behind it; empty if the address is.
    struct Written {
        std::array<char, 448> chars{};
        std::uint16_t size = 0;
        [[nodiscard]] std::string_view view() const noexcept USOCKET_BORROWS { return {chars.data(), size}; }
    };
    [[nodiscard]] Written text() const noexcept;

    friend bool operator==(const Address& a, const Address& b) noexcept {
        return std::string_view(a) == std::string_view(b);
    }
    friend std::strong_ordering operator<=>(const Address& a, const Address& b) noexcept {
        return std::string_view(a).compare(std::string_view(b)) <=> 0;  // libc++ 14 has no <=> for it
    }

    // For a stack: the memory that a system call fills, and what it left there, normalised.
    [[nodiscard]] std::uint8_t* raw() noexcept { return bytes_.data(); }
    void set_size(std::size_t size) noexcept;

private:
    friend struct std::hash<Address>;
    explicit operator std::string_view() const noexcept {
        return {reinterpret_cast<const char*>(bytes_.data()), size_};
    }

    alignas(8) std::array<std::uint8_t, max_size> bytes_;  // only what size_ counts
    std::uint32_t size_ = 0;
};

// A packed IP address: 4 bytes for AF_INET, 16 for AF_INET6.
struct PackedAddress {
    std::array<std::uint8_t, 16> bytes{};
    std::uint8_t size = 0;
};

// ADDR-7, inet_ntop(3), inet_pton(3). Malformed text: EINVAL. A wrong number of packed bytes: Fault::packed_length.
// Unknown family: EAFNOSUPPORT.
[[nodiscard]] USOCKET_API Result<Address::Text> inet_ntop(int family, ConstBuffer packed) noexcept;
[[nodiscard]] USOCKET_API Result<PackedAddress> inet_pton(int family, std::string_view text) noexcept;

}  // namespace usocket

template <> struct std::hash<usocket::Address> {
    [[nodiscard]] std::size_t operator()(const usocket::Address& address) const noexcept {
        return std::hash<std::string_view>()(std::string_view(address));
    }
};
