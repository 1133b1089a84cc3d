// Conduits: there are none.
#include <cerrno>

#include "sys/posix/native.hpp"

namespace usocket::sys {

Result<Conduit> conduit_open(std::size_t) noexcept { return Error(EOPNOTSUPP); }
void conduit_close(const Conduit&) noexcept {}
Result<std::size_t> conduit_take(const Conduit&, Fd, std::size_t) noexcept { return Error(EOPNOTSUPP); }
Result<std::size_t> conduit_pass(const Conduit&, Fd, std::size_t) noexcept { return Error(EOPNOTSUPP); }
std::size_t conduit_recover(const Conduit&, MutableBuffer) noexcept { return 0; }

}  // namespace usocket::sys
