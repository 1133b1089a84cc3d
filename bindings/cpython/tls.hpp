// TLS for Python: what a socket says once it is wrapped (TLS-7).
#pragma once

#include "method.hpp"

namespace usocket::cpython {

// --- Methods of the class socket
nb::object do_handshake(Socket& self);
nb::object version(Socket& self);
nb::object cipher(Socket& self);
nb::object selected_alpn_protocol(Socket& self);
nb::object getpeercert(Socket& self, Maybe<Truth> binary_form);
nb::object tls_session(Socket& self);
nb::object session_reused(Socket& self);

}  // namespace usocket::cpython
