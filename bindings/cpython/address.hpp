// Addresses as Python writes them: bytes, tuples, AF_UNIX paths (ADDR-1..4).
#pragma once

#include "convert.hpp"

namespace usocket::cpython {

// What a socket of this family takes as an address. False: the Python error is set.
bool to_address(int family, nb::handle from, Address& address);

}  // namespace usocket::cpython
