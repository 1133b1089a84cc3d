// What a host language's arguments mean to the core: rules that every binding shares. A C++ program has no need of it.
// Numbers are whatever the caller got, saturated to 64 bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "usocket/buffer.hpp"
#include "usocket/result.hpp"
#include "usocket/timeout.hpp"

namespace usocket::arguments {

// For an int of the system's: a family, a type, a level, flags. Fault::int_range.
[[nodiscard]] USOCKET_API Result<int> to_int(std::int64_t number) noexcept;
// The same, but below the system's int is its least: a negative backlog counts as 0 however negative it is.
[[nodiscard]] USOCKET_API Result<int> backlog(std::int64_t number) noexcept;
// POLLIN and so on; what is no mask becomes one that Poll refuses.
[[nodiscard]] USOCKET_API unsigned event_mask(std::int64_t number) noexcept;

// The size of recv() and recvfrom(), 0..2147483647 (SOCK-6). Fault::bufsize_range.
[[nodiscard]] USOCKET_API Result<std::size_t> bufsize(std::int64_t number) noexcept;
// The size of read() and readline(): none and -1 are Socket::no_limit; other negatives Fault::bufsize_range.
[[nodiscard]] USOCKET_API Result<std::size_t> limit(std::optional<std::int64_t> number) noexcept;
// What recv_into() and recvfrom_into() fill: nbytes 0 is all of the buffer. Fault::slice_range.
[[nodiscard]] USOCKET_API Result<MutableBuffer> recv_part(MutableBuffer buffer, std::int64_t nbytes) noexcept;
// What readinto() fills: no more than there is room for (STRM-2); none and -1 are all of it. Other negatives:
// Fault::bufsize_range.
[[nodiscard]] USOCKET_API Result<MutableBuffer> read_part(MutableBuffer buffer,
                                                          std::optional<std::int64_t> nbytes) noexcept;
// What write() sends: at most n bytes from off on, as far as there are any (STRM-4); none and -1 are all of them. Other
// negatives: Fault::slice_range.
[[nodiscard]] USOCKET_API Result<ConstBuffer> write_part(ConstBuffer buffer, std::int64_t off,
                                                         std::optional<std::int64_t> n) noexcept;
// The length that getsockopt() is given for an option's bytes, 0..1024; 0 asks for an int. Fault::option_length.
[[nodiscard]] USOCKET_API Result<std::size_t> option_length(std::int64_t number) noexcept;

// How many elements an address tuple of this family has (ADDR-2). Fault::address_family, Fault::address_arity.
[[nodiscard]] USOCKET_API Result<void> tuple_size(int family, std::size_t count) noexcept;
// How many elements what sockaddr() returns has, the family included (ADDR-8). Fault::address_parts.
[[nodiscard]] USOCKET_API Result<void> parts_size(int family, std::size_t count) noexcept;
// STRM-6. Fault::makefile_mode.
[[nodiscard]] USOCKET_API Result<void> makefile_mode(std::string_view mode) noexcept;
// The timeout of uselect's poll(), in milliseconds: negative waits for ever (POLL-1). Fault::poll_timeout_range.
[[nodiscard]] USOCKET_API Result<Timeout> poll_timeout(double milliseconds) noexcept;

}  // namespace usocket::arguments
