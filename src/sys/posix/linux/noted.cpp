// A receive that notes its count: recvmmsg(2), where the kernel itself writes it, before it delivers a signal.
#include <new>

#include "sys/posix/native.hpp"

namespace usocket::sys {
namespace {

struct NativeNote {
    mmsghdr header;
    iovec room;
};
static_assert(sizeof(NativeNote) <= ReceiveNote::size);

// Libraries have one type of flags or another.
template <class Flags>
int receive_one(int (*call)(int, mmsghdr*, unsigned, Flags, timespec*), Fd fd, mmsghdr& header, int flags) noexcept {
    return call(fd, &header, 1, static_cast<Flags>(flags), nullptr);
}

}  // namespace

Result<std::size_t> recv_noted(Fd fd, MutableBuffer buffer, int flags, ReceiveNote& note) noexcept {
    auto* native_note = new (note.bytes) NativeNote{};
    native_note->room = {buffer.data(), buffer.size()};
    native_note->header.msg_hdr.msg_iov = &native_note->room;
    native_note->header.msg_hdr.msg_iovlen = 1;
    if (receive_one(::recvmmsg, fd, native_note->header, flags) < 0) return last_error();
    return std::size_t{native_note->header.msg_len};
}

std::size_t noted(const ReceiveNote& note) noexcept {
    return reinterpret_cast<const NativeNote*>(note.bytes)->header.msg_len;
}

}  // namespace usocket::sys
