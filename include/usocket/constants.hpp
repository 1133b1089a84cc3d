// The system's own names for families, types, levels, options and flags (NAME-3). A C++ program gets them from the
// system's headers; the host languages get the list of src/sys/<stack>/constants.cpp.
#pragma once

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstddef>

#include "usocket/export.hpp"

namespace usocket {

struct Constant {
    const char* name;
    long value;
};

// Every constant of NAME-3 that the platform has, sorted by name.
struct ConstantList {
    const Constant* first;
    std::size_t count;
    // A range of Constant.
    [[nodiscard]] const Constant* begin() const noexcept { return first; }
    [[nodiscard]] const Constant* end() const noexcept { return first + count; }
};
[[nodiscard]] USOCKET_API ConstantList constants() noexcept;

}  // namespace usocket
