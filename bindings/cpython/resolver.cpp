// getaddrinfo (GAI-1..4).
#include <optional>
#include <string_view>

#include "convert.hpp"

namespace usocket::cpython {
namespace {

nb::object refuse(const char* what, nb::handle got) {
    PyErr_Format(PyExc_TypeError, "%s, not %s", what, Py_TYPE(got.ptr())->tp_name);
    return {};
}

// False: the Python error is set. The text belongs to `from`.
bool text_of(nb::handle from, std::string_view& text) {
    Py_ssize_t size = 0;
    const char* chars = PyUnicode_AsUTF8AndSize(from.ptr(), &size);
    if (chars != nullptr) text = {chars, static_cast<std::size_t>(size)};
    return chars != nullptr;
}

nb::object entry(const AddressInfo& info) {
    const auto number = [](int value) { return nb::steal(PyLong_FromLong(value)); };
    const auto name = nb::steal(
        PyUnicode_DecodeUTF8(info.canonname.data(), static_cast<Py_ssize_t>(info.canonname.size()), "surrogateescape"));
    return tuple_of(number(info.family), number(info.type), number(info.proto), name, to_python(info.sockaddr));
}

nb::object resolve(nb::handle host, nb::handle port, Int af, Int type, Int proto, Int flags) {
    std::string_view host_text;
    if (PyBytes_Check(host.ptr())) {
        host_text = {PyBytes_AS_STRING(host.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(host.ptr()))};
    } else if (PyUnicode_Check(host.ptr())) {
        if (!text_of(host, host_text)) return {};
    } else if (!host.is_none()) {
        return refuse("host must be str, bytes or None", host);
    }
    Service service;
    if (PyUnicode_Check(port.ptr())) {
        std::string_view name;
        if (!text_of(port, name)) return {};
        service = Service(name);
    } else if (!port.is_none()) {
        Int number;
        if (!number.set(port)) return refuse("port must be int, str or None", port);
        service = Service(number.value);
    }
    const Int given[] = {af, type, proto, flags};
    int numbers[4];
    for (std::size_t i = 0; i < 4; ++i) {
        const auto number = arguments::to_int(given[i].value);
        if (!number) return raise(number.error(), given[i].object);
        numbers[i] = *number;
    }
    const auto text = host.is_none() ? std::nullopt : std::optional(host_text);
    const auto found =
        getaddrinfo(text, service, numbers[0], numbers[1], numbers[2], numbers[3], Call(usocket::cpython::host));
    if (!found) {
        const bool is_port = found.error().fault() == Fault::port_range;
        return is_port ? raise(found.error(), port)
                       : raise(found.error(), tuple_of(nb::borrow(host), nb::borrow(port)));
    }
    auto list = nb::steal(PyList_New(0));
    if (!list.is_valid()) return {};
    for (const AddressInfo& info : *found) {
        const auto item = entry(info);
        if (!item.is_valid() || PyList_Append(list.ptr(), item.ptr()) < 0) return {};
    }
    return list;
}

}  // namespace

void add_resolver(nb::module_& module) {
    module.def("getaddrinfo", resolve, nb::arg().none(), nb::arg().none(), nb::arg() = 0, nb::arg() = 0, nb::arg() = 0,
               nb::arg() = 0,
               nb::sig("def getaddrinfo(host: str | bytes | None, port: int | str | None, af: int = 0, type: int = 0, "
                       "proto: int = 0, flags: int = 0, /) -> list[tuple[int, int, int, str, bytes]]"),
               "What a host and port resolve to, in the system's order: (family, type, proto, canonname, sockaddr).\n"
               "A failure is OSError with a negative code, the resolver's own.");
}

}  // namespace usocket::cpython
