// Files that are sent: sendfile(2).
#include <sys/sendfile.h>

#include "sys/posix/linux/sigpipe.hpp"
#include "sys/posix/native.hpp"

namespace usocket::sys {
namespace {

Result<std::size_t> send_part(Fd fd, Fd file, std::uint64_t offset, std::size_t count) noexcept {
    auto position = static_cast<off_t>(offset);
    WithoutSigpipe without;
    const auto sent = checked_size(::sendfile(fd, file, &position, count));
    // A part may have gone before the connection broke: then the signal comes with a count.
    if (!sent || *sent != count) without.drop();
    // Behind where any file of that file system could end.
    return sent.error() == Error(EOVERFLOW) ? Result<std::size_t>(std::size_t{0}) : sent;
}

}  // namespace

Result<std::size_t> send_file(Fd fd, Fd file, std::uint64_t offset, std::size_t count, bool waits) noexcept {
    return waits || is_nonblocking(fd) ? send_part(fd, file, offset, count) : copy_file(fd, file, offset, count);
}

}  // namespace usocket::sys
