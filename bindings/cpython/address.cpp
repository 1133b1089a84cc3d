#include "address.hpp"

#include <array>
#include <cstring>
#include <string_view>

#include "method.hpp"

namespace usocket::cpython {
namespace {

bool found(Address& address, const Result<Address>& result, nb::handle argument) {
    if (!result)
        raise(result.error(), argument);
    else
        address = *result;
    return result.has_value();
}

bool from_native(nb::handle from, Address& address) {
    Readable native;
    if (!native.set(from)) {
        if (PyErr_Occurred() == nullptr) PyErr_SetString(PyExc_TypeError, "a native address is contiguous bytes");
        return false;
    }
    return found(address, Address::from_native(native), from);
}

// The element that the core found fault with.
nb::handle culprit(nb::handle tuple, Fault fault) {
    switch (fault) {
        case Fault::address_not_numeric:
        case Fault::address_other_family: return PyTuple_GET_ITEM(tuple.ptr(), 0);
        case Fault::port_range: return PyTuple_GET_ITEM(tuple.ptr(), 1);
        case Fault::flowinfo_not_zero: return PyTuple_GET_ITEM(tuple.ptr(), 2);
        case Fault::scopeid_range: return PyTuple_GET_ITEM(tuple.ptr(), 3);
        default: return tuple;
    }
}

// A host is text; the bytes of one are taken for it.
bool text_of(nb::handle from, std::string_view& text) {
    if (PyBytes_Check(from.ptr())) {
        text = {PyBytes_AS_STRING(from.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(from.ptr()))};
        return true;
    }
    if (PyUnicode_Check(from.ptr())) return utf8_of(from, text);
    PyErr_Format(PyExc_TypeError, "the host of an address is a str, not %s", Py_TYPE(from.ptr())->tp_name);
    return false;
}

bool from_tuple(int family, nb::handle from, Address& address) {
    const auto size = static_cast<std::size_t>(PyTuple_GET_SIZE(from.ptr()));
    if (const auto fits = arguments::tuple_size(family, size); !fits) {
        raise(fits.error(), from);
        return false;
    }
    std::string_view host;
    if (!text_of(PyTuple_GET_ITEM(from.ptr(), 0), host)) return false;
    constexpr std::array<const char*, 3> names{"port", "flowinfo", "scopeid"};
    std::array<Int, names.size()> numbers;
    for (std::size_t i = 1; i < size; ++i) {
        PyObject* item = PyTuple_GET_ITEM(from.ptr(), static_cast<Py_ssize_t>(i));
        if (numbers[i - 1].set(item)) continue;
        if (PyErr_Occurred() != nullptr) return false;
        PyErr_Format(PyExc_TypeError, "the %s of an address is an int, not %s", names[i - 1], Py_TYPE(item)->tp_name);
        return false;
    }
    const auto made = Address::inet(family, host, numbers[0].value, numbers[1].value, numbers[2].value);
    return found(address, made, made ? from : culprit(from, made.error().fault()));
}

bool from_path(int family, nb::handle from, Address& address) {
    if (family != AF_UNIX) return found(address, Error(Fault::address_family), from);
    const auto path = nb::steal(PyUnicode_EncodeFSDefault(from.ptr()));
    if (!path.is_valid()) return false;
    const std::string_view text(PyBytes_AS_STRING(path.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(path.ptr())));
    return found(address, Address::unix_path(text), from);
}

// --- The module's functions

nb::object sockaddr(const Readable& addr) {
    const auto address = Address::from_native(addr);
    if (!address) return raise(address.error(), to_bytes(addr));
    const auto number = [](std::uint32_t value) { return nb::steal(PyLong_FromUnsignedLong(value)); };
    const auto family = nb::steal(PyLong_FromLong(address->family()));
    const auto payload = to_bytes(address->payload());
    switch (address->family()) {
        case AF_INET: return tuple_of(family, payload, number(address->port()));
        case AF_INET6:
            return tuple_of(family, payload, number(address->port()), number(address->flowinfo()),
                            number(address->scopeid()));
        default: return tuple_of(family, payload);
    }
}

nb::object inet_ntop(SystemInt af, const Readable& bin_addr) {
    const auto text = usocket::inet_ntop(af.value, bin_addr);
    if (!text) return raise(text.error(), to_bytes(bin_addr));
    return nb::steal(PyUnicode_FromStringAndSize(text->chars.data(), text->size));
}

struct Text {
    static constexpr const char* kind = "a str";
    std::string_view chars;

    [[nodiscard]] bool set(nb::handle from) { return PyUnicode_Check(from.ptr()) && utf8_of(from, chars); }
};

nb::object inet_pton(SystemInt af, Text txt_addr) {
    const auto packed = usocket::inet_pton(af.value, txt_addr.chars);
    return packed ? to_bytes({packed->bytes.data(), packed->size}) : raise(packed.error());
}

PyMethodDef functions[] = {
    USOCKET_FUNCTION(sockaddr, "addr",
                     "Decodes a native address: (AF_INET, ip, port), (AF_INET6, ip, port, flowinfo, scopeid),\n"
                     "(AF_UNIX, path) or (family, data), with ip, path and data as bytes."),
    USOCKET_FUNCTION(inet_ntop, "af, bin_addr",
                     "The textual form of a packed IP address: 4 bytes for AF_INET, 16 for AF_INET6."),
    USOCKET_FUNCTION(inet_pton, "af, txt_addr",
                     "The packed form of a textual IP address; OSError(EINVAL) if it is malformed."),
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

bool to_address(int family, nb::handle from, Address& address) {
    if (PyTuple_Check(from.ptr())) return from_tuple(family, from, address);
    if (PyUnicode_Check(from.ptr())) return from_path(family, from, address);
    if (PyObject_CheckBuffer(from.ptr())) return from_native(from, address);
    PyErr_Format(PyExc_TypeError,
                 "an address is bytes as getaddrinfo() returns them, a tuple or, for AF_UNIX, a str, not %s",
                 Py_TYPE(from.ptr())->tp_name);
    return false;
}

bool add_addresses(nb::module_& module) { return PyModule_AddFunctions(module.ptr(), functions) == 0; }

}  // namespace usocket::cpython
