// Errors and addresses through << (CPP-4, ADDR-9). Optional, as is format.hpp: what <ostream> brings along is more than
// all of usocket.
#pragma once

#include <ostream>

#include "usocket/address.hpp"
#include "usocket/connect.hpp"
#include "usocket/result.hpp"

namespace usocket {

// Its message().
inline std::ostream& operator<<(std::ostream& out, const Error& error) { return out << error.message(); }
inline std::ostream& operator<<(std::ostream& out, const EndpointError& error) { return out << error.message(); }
// Its text().
inline std::ostream& operator<<(std::ostream& out, const Address& address) { return out << address.text().view(); }

}  // namespace usocket
