// Files that are sent: sendfile(2).
#include <fcntl.h>
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
    if (!waits && !is_nonblocking(fd)) return copy_file(fd, file, offset, count, MSG_DONTWAIT);
    const auto sent = send_part(fd, file, offset, count);
    // A file that lends nothing, as most of /proc; or the socket takes none, after refuse_sendfile().
    if (sent.error() != Error(EINVAL) || (::fcntl(fd, F_GETFL) & O_APPEND) != 0) return sent;
    return copy_file(fd, file, offset, count, waits ? 0 : MSG_DONTWAIT);
}

}  // namespace usocket::sys
