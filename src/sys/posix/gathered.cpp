// Several pieces in one system call, and files.
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <limits>

#include "sys/posix/native.hpp"

namespace usocket::sys {

#if defined(IOV_MAX)
const std::size_t most_pieces = IOV_MAX;
#else
const std::size_t most_pieces = 16;  // what POSIX promises
#endif

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

}  // namespace

Result<std::size_t> sendmsg(Fd fd, Gathered pieces, ConstBuffer control, int flags, const Address* to) noexcept {
    msghdr header = header_of(pieces, control.data(), control.size());
    if (to != nullptr) {
        header.msg_name = const_cast<std::uint8_t*>(to->data());
        header.msg_namelen = static_cast<socklen_t>(to->size());
    }
    return checked_size(::sendmsg(fd, &header, flags | calls::no_sigpipe));
}

Result<ReceivedMessage> recvmsg(Fd fd, Scattered pieces, MutableBuffer control, int flags) noexcept {
    ReceivedMessage message;
    msghdr header = header_of(pieces, control.data(), control.size());
    header.msg_name = message.address.raw();
    header.msg_namelen = Address::max_size;
    const ssize_t size = calls::recvmsg(fd, &header, flags);
    if (size < 0) return last_error();
    message.size = static_cast<std::size_t>(size);
    message.control_size = header.msg_controllen;
    message.flags = header.msg_flags;
    message.address.set_size(header.msg_namelen);
    return message;
}

// For a descriptor that blocks and must not (TIME-9), and for what sendfile(2) does not take.
Result<std::size_t> copy_file(Fd fd, Fd file, std::uint64_t offset, std::size_t count, int flags) noexcept {
    std::uint8_t block[16 * 1024];
    const auto got = read_file(file, offset, {block, std::min(count, sizeof block)});
    if (!got || *got == 0) return got;
    return checked_size(::send(fd, block, *got, flags | calls::no_sigpipe));
}

Result<void> check_file(Fd file) noexcept {
    struct stat status;
    if (::fstat(file, &status) != 0) return last_error();
    return S_ISREG(status.st_mode) ? Error() : Error(EINVAL);
}

namespace {

constexpr auto largest_offset = std::uint64_t{std::numeric_limits<off_t>::max()};

}  // namespace

Result<std::size_t> read_file(Fd file, std::uint64_t offset, MutableBuffer room) noexcept {
    if (offset > largest_offset) return Error(EINVAL);
    return checked_size(::pread(file, room.data(), room.size(), static_cast<off_t>(offset)));
}

Result<std::size_t> sendfile(Fd fd, Fd file, std::uint64_t offset, std::size_t count, bool waits) noexcept {
    if (offset > largest_offset) return Error(EINVAL);
    count = static_cast<std::size_t>(std::min<std::uint64_t>(count, largest_offset - offset));
    return send_file(fd, file, offset, count, waits);
}

}  // namespace usocket::sys
