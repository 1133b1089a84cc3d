// usocket._usocket: the core for CPython. Nothing is decided here: values and errors are converted, Python's objects
// allocated, their memory lent to the core.
#include "convert.hpp"

namespace {

using namespace usocket::cpython;

// nanobind's, if it runs with the interpreter already in: an instance of what it binds is known to it by one module.
void refuse_subinterpreters() {
    if (PyInterpreterState_Get() != PyInterpreterState_Main())
        throw nb::import_error("usocket works in the main interpreter only, not in a sub-interpreter");
}

NB_MODULE(_usocket, module) {
    refuse_subinterpreters();
    // What threads hold that are still in a call as the process ends is not a leak (SOCK-9).
    nb::set_leak_warnings(false);
    module.doc() = "Sockets that are streams: the core of usocket.";
    // Classes and functions say that they are from where a user finds them.
    const nb::object own_name = module.attr("__name__");
    module.attr("__name__") = "usocket";
    if (!add_addresses(module) || !add_resolver(module) || !add_socket(module)) nb::raise_python_error();
    module.attr("__name__") = "uselect";
    if (!add_poll(module)) nb::raise_python_error();
    module.attr("__name__") = own_name;
    module.attr("__version__") = USOCKET_VERSION_STRING;

    // What `usocket` shows (NAME-1).
    nb::list names;
    for (const char* name : {"getaddrinfo", "inet_ntop", "inet_pton", "sockaddr", "socket", "socketpair"}) {
        names.append(name);
    }
    for (const usocket::Constant& constant : usocket::constants()) {
        module.attr(constant.name) = constant.value;
        names.append(constant.name);
    }
    module.attr("__all__") = names;
}

}  // namespace
