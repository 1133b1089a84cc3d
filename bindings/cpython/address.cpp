#include "address.hpp"

#include <array>
#include <cstring>
#include <string_view>

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
    if (!native.borrow(from)) {
        PyErr_SetString(PyExc_TypeError, "a native address is contiguous bytes");
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
    if (!PyUnicode_Check(from.ptr())) {
        PyErr_Format(PyExc_TypeError, "the host of an address is a str, not %s", Py_TYPE(from.ptr())->tp_name);
        return false;
    }
    Py_ssize_t size = 0;
    const char* chars = PyUnicode_AsUTF8AndSize(from.ptr(), &size);
    if (chars != nullptr) text = {chars, static_cast<std::size_t>(size)};
    return chars != nullptr;
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

nb::object decode(Readable& native) {
    const auto address = Address::from_native(native);
    if (!address) return raise(address.error(), to_bytes(native));
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

nb::object ntop(Int af, Readable& packed) {
    const auto family = arguments::to_int(af.value);
    if (!family) return raise(family.error(), af.object);
    const auto text = inet_ntop(*family, packed);
    if (!text) return raise(text.error(), to_bytes(packed));
    return nb::steal(PyUnicode_FromStringAndSize(text->chars.data(), text->size));
}

nb::object pton(Int af, const nb::str& text) {
    const auto family = arguments::to_int(af.value);
    if (!family) return raise(family.error(), af.object);
    Py_ssize_t size = 0;
    const char* chars = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
    if (chars == nullptr) return {};
    const auto packed = inet_pton(*family, {chars, static_cast<std::size_t>(size)});
    return packed ? to_bytes({packed->bytes.data(), packed->size}) : raise(packed.error());
}

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

void add_addresses(nb::module_& module) {
    module.def("sockaddr", decode, nb::sig("def sockaddr(addr: Buffer, /) -> tuple[Any, ...]"),
               "Decodes a native address: (AF_INET, ip, port), (AF_INET6, ip, port, flowinfo, scopeid),\n"
               "(AF_UNIX, path) or (family, data), with ip, path and data as bytes.");
    module.def("inet_ntop", ntop, nb::sig("def inet_ntop(af: int, bin_addr: Buffer, /) -> str"),
               "The textual form of a packed IP address: 4 bytes for AF_INET, 16 for AF_INET6.");
    module.def("inet_pton", pton, nb::sig("def inet_pton(af: int, txt_addr: str, /) -> bytes"),
               "The packed form of a textual IP address; OSError(EINVAL) if it is malformed.");
}

}  // namespace usocket::cpython
