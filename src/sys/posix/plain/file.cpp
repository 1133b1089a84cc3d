// Files that are sent, by memory of our own.
#include "sys/posix/native.hpp"

namespace usocket::sys {

Result<std::size_t> send_file(Fd fd, Fd file, std::uint64_t offset, std::size_t count, bool /*waits*/) noexcept {
    return copy_file(fd, file, offset, count, MSG_DONTWAIT);
}

}  // namespace usocket::sys
