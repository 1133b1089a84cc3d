// What this stack does not have; stack.cmake lists it.
#include "sys/sys.hpp"

#include <cerrno>

namespace usocket::sys {

// --- Files
Result<void> check_file(Fd) noexcept { return Error(EOPNOTSUPP); }
Result<std::size_t> read_file(Fd, std::uint64_t, MutableBuffer) noexcept { return Error(EOPNOTSUPP); }
Result<std::size_t> sendfile(Fd, Fd, std::uint64_t, std::size_t, bool) noexcept { return Error(EOPNOTSUPP); }
void refuse_sendfile(Fd) noexcept {}

// --- Conduits
Result<Conduit> conduit_open(std::size_t) noexcept { return Error(EOPNOTSUPP); }
void conduit_close(const Conduit&) noexcept {}
Result<std::size_t> conduit_take(const Conduit&, Fd, std::size_t) noexcept { return Error(EOPNOTSUPP); }
Result<std::size_t> conduit_pass(const Conduit&, Fd, std::size_t) noexcept { return Error(EOPNOTSUPP); }
std::size_t conduit_recover(const Conduit&, MutableBuffer) noexcept { return 0; }

// --- Ancillary data
std::size_t ancillary_space(std::size_t) noexcept { return 0; }
std::size_t ancillary_length(std::size_t) noexcept { return 0; }
void ancillary_put(std::uint8_t*, const Ancillary&) noexcept {}
bool ancillary_get(ConstBuffer, std::size_t&, Ancillary&) noexcept { return false; }
void close_descriptors(ConstBuffer) noexcept {}

// --- AF_UNIX
Result<Address> make_unix(std::string_view) noexcept { return Error(EAFNOSUPPORT); }
std::size_t address_max_size(int) noexcept { return Address::max_size; }

// --- SO_PEEK_OFF
bool peeks_at_offset(Fd) noexcept { return false; }

// --- Processes
std::uint32_t forks() noexcept { return 0; }
std::uint32_t process_generation() noexcept { return 0; }
void on_fork(std::size_t, void (*)(), void (*)()) noexcept {}

}  // namespace usocket::sys
