// A receive that notes its count: right but for a handler that longjmps between the two.
#include <new>

#include "sys/posix/native.hpp"

namespace usocket::sys {

Result<std::size_t> recv_noted(Fd fd, MutableBuffer buffer, int flags, ReceiveNote& note) noexcept {
    auto* count = new (note.bytes) std::size_t{0};
    const auto received = recv(fd, buffer, flags);
    if (received) *count = *received;
    return received;
}

std::size_t noted(const ReceiveNote& note) noexcept { return *reinterpret_cast<const std::size_t*>(note.bytes); }

}  // namespace usocket::sys
