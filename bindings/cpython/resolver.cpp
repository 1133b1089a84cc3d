// getaddrinfo (GAI-1..4).
#include <optional>
#include <string_view>

#include "convert.hpp"

namespace usocket::cpython {
namespace {

using Text = std::optional<std::string_view>;

nb::object refuse(const char* what, nb::handle got) {
    PyErr_Format(PyExc_TypeError, "%s, not %s", what, Py_TYPE(got.ptr())->tp_name);
    return {};
}

// Null: the Python error is set. The text belongs to `from`.
bool text_of(nb::handle from, Text& text) {
    Py_ssize_t size = 0;
    const char* chars = PyUnicode_AsUTF8AndSize(from.ptr(), &size);
    if (chars != nullptr) text = std::string_view(chars, static_cast<std::size_t>(size));
    return chars != nullptr;
}

nb::object entry(const AddressInfo& info) {
    const auto number = [](int value) { return nb::steal(PyLong_FromLong(value)); };
    const auto name = nb::steal(
        PyUnicode_DecodeUTF8(info.canonname.data(), static_cast<Py_ssize_t>(info.canonname.size()), "surrogateescape"));
    return make_tuple(number(info.family), number(info.type), number(info.proto), name, to_python(info.sockaddr));
}

nb::object resolve(nb::handle host, nb::handle port, Int af, Int type, Int proto, Int flags) {
    Text host_text;
    if (PyBytes_Check(host.ptr())) {
        host_text = std::string_view(PyBytes_AS_STRING(host.ptr()), static_cast<std::size_t>(Py_SIZE(host.ptr())));
    } else if (!host.is_none() && !PyUnicode_Check(host.ptr())) {
        return refuse("host must be str, bytes or None", host);
    } else if (!host.is_none() && !text_of(host, host_text)) {
        return {};
    }
    Service service;
    Int port_number;
    if (PyUnicode_Check(port.ptr())) {
        Text port_text;
        if (!text_of(port, port_text)) return {};
        service = Service(*port_text);
    } else if (!port.is_none()) {
        if (!port_number.set(port)) return refuse("port must be int, str or None", port);
        service = Service(port_number.value);
    }
    const Int given[] = {af, type, proto, flags};
    int numbers[4];
    for (std::size_t i = 0; i < 4; ++i) {
        const auto number = arguments::to_int(given[i].value);
        if (!number) return raise(number.error(), given[i].object);
        numbers[i] = *number;
    }
    const auto found =
        getaddrinfo(host_text, service, numbers[0], numbers[1], numbers[2], numbers[3], Call(usocket::cpython::host));
    if (!found) return raise(found.error(), found.error().fault() == Fault::port_range ? port : host);
    const auto list = nb::steal(PyList_New(0));
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
