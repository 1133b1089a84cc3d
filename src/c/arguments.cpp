// usocket.h: what a language's arguments mean.
#include "usocket/arguments.hpp"

#include <algorithm>
#include <optional>

#include "c/convert.hpp"

using namespace usocket;
using namespace usocket::c_face;

usocket_error_t usocket_arg_int(int64_t number, int* value) { return give(arguments::to_int(number), value); }

// A negative one counts as 0, and is never the one that stands for the default.
usocket_error_t usocket_arg_backlog(int64_t number, int* backlog) {
    return give(arguments::backlog(std::max<std::int64_t>(number, -1)), backlog);
}

usocket_error_t usocket_arg_events(int64_t number, unsigned* events) {
    const unsigned mask = arguments::event_mask(number);
    *events = mask;
    return c(mask > 0xffff ? Error(Fault::event_mask) : Error());
}

usocket_error_t usocket_arg_bufsize(int64_t number, size_t* size) { return give(arguments::bufsize(number), size); }

usocket_error_t usocket_arg_option_length(int64_t number, size_t* size) {
    return give(arguments::option_length(number), size);
}

usocket_error_t usocket_arg_poll_timeout(double milliseconds, usocket_timeout_t* timeout) {
    return give(arguments::poll_timeout(milliseconds), timeout);
}

usocket_error_t usocket_arg_makefile_mode(usocket_bytes_t mode) { return c(arguments::makefile_mode(text(mode))); }

namespace {

std::optional<std::int64_t> optional(bool has, std::int64_t number) noexcept {
    return has ? std::optional(number) : std::nullopt;
}

}  // namespace

usocket_error_t usocket_arg_limit(bool has_number, int64_t number, size_t* limit) {
    return give(arguments::limit(optional(has_number, number)), limit);
}

usocket_error_t usocket_arg_recv_part(usocket_room_t* buffer, int64_t nbytes) {
    const auto part = arguments::recv_part(cxx(*buffer), nbytes);
    if (part) *buffer = {part->data(), part->size()};
    return c(part);
}

usocket_error_t usocket_arg_read_part(usocket_room_t* buffer, bool has_nbytes, int64_t nbytes) {
    const auto part = arguments::read_part(cxx(*buffer), optional(has_nbytes, nbytes));
    if (part) *buffer = {part->data(), part->size()};
    return c(part);
}

usocket_error_t usocket_arg_write_part(usocket_bytes_t* buffer, int64_t off, bool has_n, int64_t n) {
    const auto part = arguments::write_part(cxx(*buffer), off, optional(has_n, n));
    if (part) *buffer = c(*part);
    return c(part);
}

// --- Address tuples

usocket_error_t usocket_tuple_size(int family, size_t count) { return c(arguments::tuple_size(family, count)); }

usocket_error_t usocket_parts_size(int family, size_t count) { return c(arguments::parts_size(family, count)); }

int usocket_tuple_element(usocket_error_t error) {
    switch (cxx(error).fault()) {
        case Fault::address_not_numeric: return 0;
        case Fault::port_range: return 1;
        case Fault::flowinfo_not_zero:
        case Fault::flowinfo_range: return 2;
        case Fault::scopeid_range: return 3;
        default: return -1;
    }
}

bool usocket_is_name(usocket_error_t error) { return cxx(error).fault() == Fault::address_not_numeric; }
bool usocket_is_port(usocket_error_t error) { return cxx(error).fault() == Fault::port_range; }
