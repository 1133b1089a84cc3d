// usocket.h: messages of several pieces, ancillary data, files (SOCK-10).
#include "usocket/message.hpp"

#include "c/convert.hpp"
#include "sys/sys.hpp"

using namespace usocket;
using namespace usocket::c_face;

namespace {

static_assert(sizeof(ConstBuffer) == sizeof(usocket_bytes_t) && sizeof(MutableBuffer) == sizeof(usocket_room_t));

Gathered gathered(const usocket_bytes_t* pieces, size_t count) noexcept {
    return {reinterpret_cast<const ConstBuffer*>(pieces), count};
}
Scattered scattered(const usocket_room_t* pieces, size_t count) noexcept {
    return {reinterpret_cast<const MutableBuffer*>(pieces), count};
}

}  // namespace

usocket_error_t usocket_sendmsg(usocket_socket_t* socket, const usocket_bytes_t* pieces, size_t pieces_count,
                                usocket_bytes_t control, int flags, const usocket_address_t* to, size_t* count,
                                usocket_call_t* call) {
    const Address* address = to == nullptr ? nullptr : &cxx(to);
    return give(cxx(socket).sendmsg(gathered(pieces, pieces_count), cxx(control), flags, address, Given(call)), count);
}

usocket_error_t usocket_recvmsg(usocket_socket_t* socket, usocket_message_t* message, usocket_call_t* call) {
    const auto received = cxx(socket).recvmsg_into(scattered(message->pieces, message->pieces_count),
                                                   cxx(message->control), message->flags, Given(call));
    if (received) {
        message->size = received->size;
        message->control.size = received->control_size;
        message->flags = received->flags;
        new (&opened<Address>(&message->from)) Address(received->address);
    }
    return c(received);
}

size_t usocket_ancillary_space(size_t data_size) { return sys::ancillary_space(data_size); }

usocket_error_t usocket_ancillary_add(usocket_room_t memory, size_t* used, const usocket_ancillary_t* item) {
    if (*used > memory.size) return ENOBUFS;
    AncillaryWriter writer(cxx(memory).from(*used));
    const auto added = writer.add({item->level, item->type, cxx(item->data)});
    if (added) *used += writer.control().size();
    return c(added);
}

bool usocket_ancillary_next(usocket_bytes_t control, size_t* position, usocket_ancillary_t* item) {
    Ancillary found;
    if (!sys::ancillary_get(cxx(control), *position, found)) return false;
    *item = {found.level, found.type, c(found.data)};
    return true;
}

usocket_error_t usocket_sendfile(usocket_socket_t* socket, int file, uint64_t offset, size_t count, size_t* sent,
                                 usocket_call_t* call) {
    return c(cxx(socket).sendfile(file, offset, count, *sent, Given(call)));
}
