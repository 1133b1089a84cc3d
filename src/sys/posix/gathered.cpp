// Several pieces in one system call, and files.
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/sendfile.h>
#endif

#include <algorithm>
#include <climits>
#include <limits>

#include "sys/posix/native.hpp"

namespace usocket::sys {
namespace {

// The two are passed on as they are.
static_assert(sizeof(ConstBuffer) == sizeof(iovec) && sizeof(MutableBuffer) == sizeof(iovec));
static_assert(offsetof(iovec, iov_base) == 0 && offsetof(iovec, iov_len) == sizeof(void*));

template <class Pieces> msghdr header_of(Pieces pieces, const void* control, std::size_t control_size) noexcept {
    msghdr header{};
    header.msg_iov =
        reinterpret_cast<iovec*>(const_cast<std::remove_const_t<typename Pieces::value_type>*>(pieces.data()));
    header.msg_iovlen = static_cast<decltype(header.msg_iovlen)>(pieces.size());
    header.msg_control = control_size != 0 ? const_cast<void*>(control) : nullptr;
    header.msg_controllen = static_cast<decltype(header.msg_controllen)>(control_size);
    return header;
}

#if defined(MSG_CMSG_CLOEXEC)
constexpr int cloexec = MSG_CMSG_CLOEXEC;
#else
constexpr int cloexec = 0;
#endif

}  // namespace

Result<std::size_t> sendmsg(Fd fd, Gathered pieces, ConstBuffer control, int flags, const Address* to) noexcept {
    msghdr header = header_of(pieces, control.data(), control.size());
    if (to != nullptr) {
        header.msg_name = const_cast<std::uint8_t*>(to->data());
        header.msg_namelen = static_cast<socklen_t>(to->size());
    }
    return checked_size(::sendmsg(fd, &header, flags | MSG_NOSIGNAL));
}

Result<ReceivedMessage> recvmsg(Fd fd, Scattered pieces, MutableBuffer control, int flags) noexcept {
    ReceivedMessage message;
    msghdr header = header_of(pieces, control.data(), control.size());
    header.msg_name = message.address.raw();
    header.msg_namelen = Address::max_size;
    const ssize_t size = ::recvmsg(fd, &header, flags | cloexec);
    if (size < 0) return last_error();
    message.size = static_cast<std::size_t>(size);
    message.control_size = header.msg_controllen;
    message.flags = header.msg_flags & ~(cloexec & ~flags);
    message.address.set_size(header.msg_namelen);
    return message;
}

namespace {

// Through memory of our own, for a descriptor that blocks and must not (TIME-9).
Result<std::size_t> copy_file(Fd fd, Fd file, std::uint64_t offset, std::size_t count) noexcept {
    std::uint8_t block[16 * 1024];
    const ssize_t got = ::pread(file, block, std::min(count, sizeof block), static_cast<off_t>(offset));
    if (got <= 0) return got == 0 ? Result<std::size_t>(std::size_t{0}) : last_error();
    return checked_size(::send(fd, block, static_cast<std::size_t>(got), MSG_DONTWAIT | MSG_NOSIGNAL));
}

#if defined(__linux__)
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
#endif

}  // namespace

Result<void> check_file(Fd file) noexcept {
    struct stat status;
    if (::fstat(file, &status) != 0) return last_error();
    return S_ISREG(status.st_mode) ? Error() : Error(EINVAL);
}

Result<std::size_t> sendfile(Fd fd, Fd file, std::uint64_t offset, std::size_t count, bool waits) noexcept {
    constexpr auto largest_offset = std::uint64_t{std::numeric_limits<off_t>::max()};
    if (offset > largest_offset) return Error(EINVAL);
    count = static_cast<std::size_t>(std::min<std::uint64_t>(count, largest_offset - offset));
#if defined(__linux__)
    if (waits || is_nonblocking(fd)) return send_part(fd, file, offset, count);
#else
    (void)waits;
#endif
    return copy_file(fd, file, offset, count);
}

}  // namespace usocket::sys
