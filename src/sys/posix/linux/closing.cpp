// What ends the calls of others on a socket that is closed: shutdown(2), or an eventfd that they watch beside it.
#include <sys/eventfd.h>
#include <unistd.h>

#include "sys/posix/native.hpp"

namespace usocket::sys {

bool knows_shutdown(int family) noexcept { return family == AF_INET || family == AF_INET6 || family == AF_UNIX; }

Result<Fd> bell_open() noexcept {
    const int bell = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (bell < 0) return last_error();
    return bell;
}

void bell_ring(Fd bell) noexcept {
    const std::uint64_t one = 1;
    (void)!::write(bell, &one, sizeof one);
}

}  // namespace usocket::sys
