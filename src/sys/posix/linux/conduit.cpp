// Conduits: pipes, through which splice(2) moves bytes from one socket into another without copying them.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "sys/posix/linux/sigpipe.hpp"
#include "sys/posix/native.hpp"

namespace usocket::sys {

Result<Conduit> conduit_open(std::size_t size) noexcept {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return last_error();
    // A user may have only so much of it; then it stays as it is.
    (void)::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(size));
    return Conduit{ends[1], ends[0]};
}

void conduit_close(const Conduit& conduit) noexcept {
    close(conduit.in);
    close(conduit.out);
}

Result<std::size_t> conduit_take(const Conduit& conduit, Fd from, std::size_t count) noexcept {
    return checked_size(::splice(from, nullptr, conduit.in, nullptr, count, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
}

Result<std::size_t> conduit_pass(const Conduit& conduit, Fd to, std::size_t count) noexcept {
    WithoutSigpipe without;
    const auto passed =
        checked_size(::splice(conduit.out, nullptr, to, nullptr, count, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
    // A part may have gone before the connection broke: then the signal comes with a count.
    if (!passed || *passed != count) without.drop();
    return passed;
}

std::size_t conduit_recover(const Conduit& conduit, MutableBuffer room) noexcept {
    std::size_t count = 0;
    while (count != room.size()) {
        const ssize_t got = ::read(conduit.out, room.data() + count, room.size() - count);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        count += static_cast<std::size_t>(got);
    }
    return count;
}

}  // namespace usocket::sys
