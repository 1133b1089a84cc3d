// usocket._usocket: the core for CPython. Nothing is decided here: values and errors are converted, Python's objects
// allocated, their memory lent to the core.
#include "convert.hpp"

namespace {

using namespace usocket::cpython;

NB_MODULE(_usocket, module) {
    module.doc() = "Sockets that are streams: the core of usocket.";
    // Classes and functions say that they are from where a user finds them.
    const nb::object own_name = module.attr("__name__");
    module.attr("__name__") = "usocket";
    add_addresses(module);
    add_resolver(module);
    add_socket(module);
    module.attr("__name__") = "uselect";
    add_poll(module);
    module.attr("__name__") = own_name;

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
