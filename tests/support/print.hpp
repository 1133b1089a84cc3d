// How GoogleTest prints what usocket returns.
#pragma once

#include <ostream>

#include "usocket/usocket.hpp"

namespace usocket {

inline void PrintTo(const Error& error, std::ostream* out) {
    *out << "Error(" << error.code() << ": " << (error == Error() ? "none" : error.message()) << ")";
}

inline void PrintTo(const Timeout& timeout, std::ostream* out) {
    if (timeout.is_none()) {
        *out << "none";
    } else {
        *out << timeout.nanoseconds() << " ns";
    }
}

inline void PrintTo(const Address& address, std::ostream* out) {
    *out << address.host().view() << " port " << address.port() << " (family " << address.family() << ")";
}

}  // namespace usocket
