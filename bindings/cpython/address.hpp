// Addresses as Python writes them: bytes, tuples, AF_UNIX paths (ADDR-1..4).
#pragma once

#include "convert.hpp"

namespace usocket::cpython {

// What a socket of this family takes as an address. False: the Python error is set.
bool to_address(int family, nb::handle from, Address& address);

// An address as the socket's class shows it: opaque, or where `_shows` of the class is no None as CPython has it. It is
// called, with the opaque address and the socket, for the rarer families. Null: the Python error is set.
[[nodiscard]] nb::object shown(nb::handle socket, const Address& address) noexcept;

}  // namespace usocket::cpython
