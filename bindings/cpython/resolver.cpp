// getaddrinfo (GAI-1..4).
#include <optional>
#include <string_view>

#include "method.hpp"

namespace usocket::cpython {
namespace {

struct HostName {
    static constexpr const char* kind = "a str, bytes or None";
    std::optional<std::string_view> text;
    nb::handle object;

    [[nodiscard]] bool set(nb::handle from) {
        object = from;
        if (from.is_none()) return true;
        std::string_view chars;
        if (PyBytes_Check(from.ptr()))
            chars = bytes_of(from);
        else if (!PyUnicode_Check(from.ptr()) || !utf8_of(from, chars))
            return false;
        text = chars;
        return true;
    }
};

struct PortOrName {
    static constexpr const char* kind = "an int, str or None";
    Service service;
    nb::handle object;

    [[nodiscard]] bool set(nb::handle from) {
        object = from;
        if (from.is_none()) return true;
        Int number;
        std::string_view name;
        if (PyUnicode_Check(from.ptr())) {
            if (!utf8_of(from, name)) return false;
            service = Service(name);
        } else {
            if (!number.set(from)) return false;
            service = Service(number.value);
        }
        return true;
    }
};

nb::object entry(const AddressInfo& info) {
    const auto number = [](int value) { return nb::steal(PyLong_FromLong(value)); };
    const auto name = nb::steal(
        PyUnicode_DecodeUTF8(info.canonname.data(), static_cast<Py_ssize_t>(info.canonname.size()), "surrogateescape"));
    return tuple_of(number(info.family), number(info.type), number(info.proto), name, to_python(info.sockaddr));
}

nb::object getaddrinfo(HostName name, const PortOrName& port, Maybe<SystemInt> af, Maybe<SystemInt> type,
                       Maybe<SystemInt> proto, Maybe<SystemInt> flags) {
    const auto found =
        usocket::getaddrinfo(name.text, port.service, af.value, type.value, proto.value, flags.value, Call(host()));
    if (!found) {
        const bool is_port = found.error().fault() == Fault::port_range;
        return is_port ? raise(found.error(), port.object)
                       : raise(found.error(), tuple_of(nb::borrow(name.object), nb::borrow(port.object)));
    }
    auto list = nb::steal(python<PyList_New>(Py_ssize_t{0}));
    if (!list.is_valid()) return {};
    for (const AddressInfo& info : *found) {
        const auto item = entry(info);
        if (!item.is_valid() || PyList_Append(list.ptr(), item.ptr()) < 0) return {};
    }
    return list;
}

PyMethodDef functions[] = {
    USOCKET_FUNCTION(getaddrinfo, "host, port, af=0, type=0, proto=0, flags=0",
                     "What a host and port resolve to, in the system's order: (family, type, proto, canonname,\n"
                     "sockaddr). A failure is OSError with a negative code, the resolver's own."),
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

bool add_resolver(nb::module_& module) { return PyModule_AddFunctions(module.ptr(), functions) == 0; }

}  // namespace usocket::cpython
