// Files that are sent: sendfile(2).
#include <signal.h>
#include <sys/sendfile.h>
#include <time.h>

#include "sys/posix/native.hpp"

namespace usocket::sys {
namespace {

// sendfile(2) has no flag for it (SOCK-2): the signal waits for this thread, and is taken off again.
class WithoutSigpipe {
public:
    WithoutSigpipe() noexcept {
        sigset_t pending;
        (void)::sigemptyset(&pipe_);
        (void)::sigaddset(&pipe_, SIGPIPE);
        (void)::sigpending(&pending);
        was_pending_ = ::sigismember(&pending, SIGPIPE) != 0;
        (void)::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    WithoutSigpipe(const WithoutSigpipe&) = delete;
    WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;
    ~WithoutSigpipe() { (void)::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    void drop() noexcept {
        const timespec at_once{};
        if (!was_pending_) (void)::sigtimedwait(&pipe_, nullptr, &at_once);
    }

private:
    sigset_t pipe_{}, before_{};
    bool was_pending_ = false;
};

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
