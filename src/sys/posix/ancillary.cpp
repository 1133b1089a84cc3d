// Ancillary data, in control memory of any alignment: cmsghdr's, as the CMSG_* macros lay them out.
#include <sys/socket.h>
#include <unistd.h>

#include <climits>
#include <cstring>

#include "sys/sys.hpp"

namespace usocket::sys {
namespace {

constexpr std::size_t header_size = CMSG_LEN(0);
// What socklen_t and int can count, with room for padding.
constexpr std::size_t largest_data = INT_MAX - CMSG_SPACE(0) - CMSG_SPACE(1);

}  // namespace

std::size_t ancillary_space(std::size_t data_size) noexcept {
    return data_size > largest_data ? 0 : CMSG_SPACE(data_size);
}

std::size_t ancillary_length(std::size_t data_size) noexcept {
    return data_size > largest_data ? 0 : CMSG_LEN(data_size);
}

void ancillary_put(std::uint8_t* memory, const Ancillary& item) noexcept {
    cmsghdr header{};
    header.cmsg_level = item.level;
    header.cmsg_type = item.type;
    header.cmsg_len = static_cast<decltype(header.cmsg_len)>(CMSG_LEN(item.data.size()));
    std::memset(memory, 0, CMSG_SPACE(item.data.size()));
    std::memcpy(memory, &header, sizeof header);
    if (item.data.size() != 0) std::memcpy(memory + header_size, item.data.data(), item.data.size());
}

bool ancillary_get(ConstBuffer control, std::size_t& position, Ancillary& item) noexcept {
    if (position >= control.size() || control.size() - position < header_size) return false;
    const std::size_t room = control.size() - position;
    cmsghdr header{};
    std::memcpy(&header, control.data() + position, sizeof header);
    const std::size_t length = header.cmsg_len;
    if (length < header_size) return false;
    const std::size_t data_size = (length < room ? length : room) - header_size;
    item = {header.cmsg_level, header.cmsg_type, {control.data() + position + header_size, data_size}};
    position += data_size > largest_data ? room : CMSG_SPACE(data_size);
    return true;
}

void close_descriptors(ConstBuffer control) noexcept {
    Ancillary item;
    for (std::size_t position = 0; ancillary_get(control, position, item);) {
        if (item.level != SOL_SOCKET || item.type != SCM_RIGHTS) continue;
        for (std::size_t i = 0; i + sizeof(int) <= item.data.size(); i += sizeof(int)) {
            int fd = -1;
            std::memcpy(&fd, item.data.data() + i, sizeof fd);
            ::close(fd);
        }
    }
}

}  // namespace usocket::sys
