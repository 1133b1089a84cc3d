#include "address.hpp"

#include <array>
#include <cstring>
#include <string_view>

#include "hints.hpp"
#include "method.hpp"
#include "state.hpp"

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

// The element that the core found fault with; the host is at `place`.
nb::handle culprit(nb::handle tuple, std::size_t place, Fault fault) {
    switch (fault) {
        case Fault::address_not_numeric:
        case Fault::address_other_family:
        case Fault::packed_length: return tuple_item(tuple, place);
        case Fault::port_range: return tuple_item(tuple, place + 1);
        case Fault::flowinfo_not_zero:
        case Fault::flowinfo_range: return tuple_item(tuple, place + 2);
        case Fault::scopeid_range: return tuple_item(tuple, place + 3);
        default: return tuple;
    }
}

// A host is text; the bytes of one are taken for it.
bool text_of(nb::handle from, std::string_view& text) {
    if (PyBytes_Check(from.ptr())) {
        text = bytes_of(from);
        return true;
    }
    if (PyUnicode_Check(from.ptr())) return utf8_of(from, text);
    PyErr_Format(PyExc_TypeError, "the host of an address is a str, not %S", name_of_type(from).ptr());
    return false;
}

// What follows the host, which is at `place`: port, flowinfo, scopeid.
using Numbers = std::array<Int, 3>;
bool numbers_of(nb::handle tuple, std::size_t place, Numbers& numbers) {
    constexpr std::array<const char*, 3> names{"port", "flowinfo", "scopeid"};
    const std::size_t first = place + 1, size = tuple_size(tuple);
    for (std::size_t i = first; i < size; ++i) {
        PyObject* item = tuple_item(tuple, i);
        if (numbers[i - first].set(item)) continue;
        if (PyErr_Occurred() != nullptr) return false;
        PyErr_Format(PyExc_TypeError, "the %s of an address is an int, not %S", names[i - first],
                     name_of_type(item).ptr());
        return false;
    }
    return true;
}

// One of getaddrinfo()'s results, or the list of them.
bool is_result(nb::handle from) {
    if (!PyTuple_Check(from.ptr()) || tuple_size(from) != 5) return false;
    return Py_TYPE(tuple_item(from, 4)) == state().address_class;
}

// Of a list a copy is looked at: another thread may change it.
bool are_results(nb::handle from) {
    if (!PyList_Check(from.ptr())) return false;
    const auto results = nb::steal(python<PyList_AsTuple>(from.ptr()));
    if (!results.is_valid()) PyErr_Clear();
    return results.is_valid() && tuple_size(results) != 0 && is_result(tuple_item(results, 0));
}

bool from_host(int family, nb::handle from, Address& address) {
    if (is_result(from)) {
        PyErr_Format(PyExc_ValueError,
                     "of what getaddrinfo() has found the address is the last element: found[-1] of %R", from.ptr());
        return false;
    }
    if (const auto fits = arguments::tuple_size(family, tuple_size(from)); !fits) {
        raise(fits.error(), from);
        return false;
    }
    std::string_view host;
    Numbers numbers;
    if (!text_of(tuple_item(from, 0), host) || !numbers_of(from, 0, numbers)) return false;
    const auto made = Address::inet(family, host, numbers[0].value, numbers[1].value, numbers[2].value);
    const char* hint = !made && made.error().fault() == Fault::address_not_numeric ? hint_of_host(host) : nullptr;
    if (hint != nullptr) {
        PyErr_Format(PyExc_ValueError, "the host is not a numeric address (%s): %R", hint, tuple_item(from, 0));
        return false;
    }
    return found(address, made, made ? from : culprit(from, 0, made.error().fault()));
}

// What sockaddr() returns (ADDR-8).
bool from_parts(nb::handle from, Address& address) {
    SystemInt family;
    if (!family.set(tuple_item(from, 0))) return false;
    if (const auto fits = arguments::parts_size(family.value, tuple_size(from)); !fits) {
        raise(fits.error(), from);
        return false;
    }
    Readable payload;
    Numbers numbers;
    if (!payload.set(tuple_item(from, 1)) || !numbers_of(from, 1, numbers)) return false;
    const auto made = Address::from_parts(family.value, payload, numbers[0].value, numbers[1].value, numbers[2].value);
    return found(address, made, made ? from : culprit(from, 1, made.error().fault()));
}

bool from_tuple(int family, nb::handle from, Address& address) {
    const bool is_taken_apart =
        tuple_size(from) >= 2 && PyLong_Check(tuple_item(from, 0)) && PyBytes_Check(tuple_item(from, 1));
    return is_taken_apart ? from_parts(from, address) : from_host(family, from, address);
}

bool from_path(int family, nb::handle from, Address& address) {
    if (family != AF_UNIX) return found(address, Error(Fault::address_family), from);
    const auto path = nb::steal(PyUnicode_EncodeFSDefault(from.ptr()));
    if (!path.is_valid()) return false;
    return found(address, Address::unix_path(bytes_of(path)), from);
}

// --- The class of native addresses (ADDR-9)

// An instance holds what bytes do and nothing else, so new bytes become one. Not the shortest, which all share; no
// address is as short.
nb::object make_address(ConstBuffer native) noexcept {
    auto made = to_bytes(native);
    if (!made.is_valid()) return {};
    PyTypeObject* const type = state().address_class;
    Py_INCREF(reinterpret_cast<PyObject*>(type));
    Py_SET_TYPE(made.ptr(), type);
    return made;
}

// Null: the Python error is set.
nb::object written(nb::handle self) noexcept {
    const auto address = PyBytes_Size(self.ptr()) == 0 ? Address() : Address::from_native(bytes_of(self));
    if (!address) return raise(address.error());
    const Address::Written text = address->text();
    return nb::steal(PyUnicode_FromStringAndSize(text.chars.data(), text.size));
}

PyObject* address_str(PyObject* self) noexcept { return written(self).release().ptr(); }

PyObject* address_repr(PyObject* self) noexcept {
    const auto text = written(self);
    return text.is_valid() ? PyUnicode_FromFormat("<address %U>", text.ptr()) : nullptr;
}

// What Address(address) makes of a text or, for copies and pickles, of bytes.
struct TextOrNative {
    static constexpr const char* kind = "a str or a bytes-like object";
    Result<Address> address = Address();

    [[nodiscard]] bool set(nb::handle from) {
        if (PyUnicode_Check(from.ptr())) {
            std::string_view chars;
            if (!utf8_of(from, chars)) return false;
            address = Address::parse(chars);
        } else {
            Readable native;
            if (!native.set(from)) return false;
            if (native.size() != 0) address = Address::from_native(native);
        }
        if (!address) raise(address.error(), from);
        return address.has_value();
    }
};

PyObject* address_new(PyTypeObject*, PyObject* given, PyObject* keywords) noexcept {
    Converted<TextOrNative> arguments;
    if (keywords != nullptr && PyDict_Size(keywords) != 0) {
        PyErr_SetString(PyExc_TypeError, "Address(address) takes no keyword arguments");
        return nullptr;
    }
    const Given<1> one(given);
    if (!arguments.set("Address(address)", nullptr, one.items(), one.count())) return nullptr;
    return to_python(*std::get<0>(arguments.values).address).release().ptr();
}

// Pickled as its bytes.
PyObject* address_reduce(PyObject* self, PyObject*) noexcept {
    const auto native = nb::steal(PyBytes_FromObject(self));
    return tuple_of(nb::borrow(reinterpret_cast<PyObject*>(Py_TYPE(self))), tuple_of(native)).release().ptr();
}

PyMethodDef address_methods[] = {
    {"__reduce__", address_reduce, METH_NOARGS, "__reduce__($self, /)\n--\n\nPickled as its bytes."},
    {nullptr, nullptr, 0, nullptr},
};

bool make_address_class(nb::module_& module, State& own) noexcept {
    PyType_Slot slots[] = {
        {Py_tp_doc,
         const_cast<char*>("Address(address, /)\n--\n\n"
                           "A native address: immutable bytes whose str() is \"127.0.0.1:80\", \"[::1]:80\"\n"
                           "or \"unix:/run/server\", and which is made of the same text.")},
        {Py_tp_new, reinterpret_cast<void*>(address_new)},
        {Py_tp_str, reinterpret_cast<void*>(address_str)},
        {Py_tp_repr, reinterpret_cast<void*>(address_repr)},
        {Py_tp_methods, address_methods},
        {0, nullptr},
    };
    PyType_Spec spec{"usocket._usocket.Address", 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots};
    auto* const bases = reinterpret_cast<PyObject*>(&PyBytes_Type);
    const auto made = nb::steal(PyType_FromModuleAndSpec(module.ptr(), &spec, bases));
    own.address_class = reinterpret_cast<PyTypeObject*>(made.ptr());
    if (!own.keep("usocket.Address", made.ptr())) return false;
    const auto empty = nb::steal(PyType_GenericAlloc(own.address_class, 0));
    own.no_address = empty.ptr();
    return own.keep("usocket.no_address", empty.ptr());
}

bool add_address_class(nb::module_& module) noexcept {
    State& own = state();
    if (own.address_class == nullptr && !make_address_class(module, own)) return false;
    return PyModule_AddObjectRef(module.ptr(), "Address", reinterpret_cast<PyObject*>(own.address_class)) == 0;
}

// --- As CPython shows them

nb::object number(std::uint32_t value) noexcept { return nb::steal(PyLong_FromUnsignedLong(value)); }

nb::object host_of(const Address& address) noexcept {
    const auto text = usocket::inet_ntop(address.family(), address.payload());
    return text ? nb::steal(PyUnicode_FromStringAndSize(text->chars.data(), text->size)) : raise(text.error());
}

// Abstract ones are bytes.
nb::object path_of(ConstBuffer path) noexcept {
    const auto* chars = reinterpret_cast<const char*>(path.data());
    if (path.size() != 0 && *chars == '\0') return to_bytes(path);
    return nb::steal(PyUnicode_DecodeFSDefaultAndSize(chars, static_cast<Py_ssize_t>(path.size())));
}

// --- The module's functions

nb::object sockaddr(const Readable& addr) {
    const auto address = Address::from_native(addr);
    if (!address) return raise(address.error(), to_bytes(addr));
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
                     "(AF_UNIX, path) or (family, data), with ip, path and data as bytes. That is an address again."),
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
    if (are_results(from)) {
        PyErr_SetString(PyExc_TypeError,
                        "getaddrinfo() returns a list of all it has found: the address of the first is "
                        "getaddrinfo(host, port)[0][-1]");
        return false;
    }
    PyErr_Format(PyExc_TypeError,
                 "an address is bytes as getaddrinfo() returns them, a tuple or, for AF_UNIX, a str, not %S",
                 name_of_type(from).ptr());
    return false;
}

nb::object shown(nb::handle socket, const Address& address) noexcept {
    PyTypeObject* const type = Py_TYPE(socket.ptr());
    if (type == state().socket_class) return to_python(address);
    const auto shows = nb::steal(python<PyObject_GetAttrString>(reinterpret_cast<PyObject*>(type), "_shows"));
    if (!shows.is_valid()) return {};
    if (shows.is_none()) return to_python(address);
    if (address.empty()) return nb::none();
    switch (address.family()) {
        case AF_UNIX: return path_of(address.payload());
        case AF_INET: return tuple_of(host_of(address), number(address.port()));
        case AF_INET6:
            return tuple_of(host_of(address), number(address.port()), number(address.flowinfo()),
                            number(address.scopeid()));
        default: break;
    }
    const auto native = to_python(address);
    if (!native.is_valid()) return {};
    return nb::steal(python<PyObject_CallFunctionObjArgs>(shows.ptr(), native.ptr(), socket.ptr(), nullptr));
}

nb::object to_python(const Address& address) noexcept {
    return address.empty() ? nb::borrow(state().no_address) : make_address({address.data(), address.size()});
}

bool add_addresses(nb::module_& module) {
    return add_address_class(module) && PyModule_AddFunctions(module.ptr(), functions) == 0;
}

}  // namespace usocket::cpython
