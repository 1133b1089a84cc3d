#include "convert.hpp"

#include <cerrno>
#include <cmath>
#include <cstddef>
#include <limits>

namespace usocket::cpython {

// --- Errors

nb::object raise(Error error) noexcept {
    if (error == Error(EINTR) && PyErr_Occurred() != nullptr) return {};
    const auto text = nb::steal(PyUnicode_DecodeLocale(error.message(), "surrogateescape"));
    if (!text.is_valid()) return {};
    if (error.fault() != Fault::none) {
        python<PyErr_SetObject>(PyExc_ValueError, text.ptr());
        return {};
    }
    // OSError itself chooses the subclass: ETIMEDOUT makes it a TimeoutError.
    const auto exception = nb::steal(python<PyObject_CallFunction>(PyExc_OSError, "iO", error.code(), text.ptr()));
    if (!exception.is_valid()) return {};
    python<PyErr_SetObject>(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
    return {};
}

nb::object raise(Error error, nb::handle argument) noexcept {
    if (error.fault() == Fault::none || !argument.is_valid()) return raise(error);
    python<PyErr_Format>(PyExc_ValueError, "%s: %.200R", error.message(), argument.ptr());
    return {};
}

nb::object raise_or_none(Error error) noexcept { return error == Error(EAGAIN) ? nb::none() : raise(error); }

// --- Arguments

bool Int::set(nb::handle from) noexcept {
    object = from;
    int overflow = 0;
    if (PyLong_CheckExact(from.ptr())) {
        value = PyLong_AsLongLongAndOverflow(from.ptr(), &overflow);
    } else {
        if (!PyIndex_Check(from.ptr())) return false;
        const auto number = nb::steal(python<PyNumber_Index>(from.ptr()));
        if (!number.is_valid()) return false;
        value = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
    }
    using Limits = std::numeric_limits<std::int64_t>;
    is_saturated = overflow != 0;
    if (is_saturated) value = overflow < 0 ? Limits::min() : Limits::max();
    return true;
}

bool OptionalInt::set(nb::handle from) noexcept {
    object = from;
    if (from.is_none()) return true;
    Int number;
    if (!number.set(from)) return false;
    value = number.value;
    return true;
}

bool OptionalNumber::set(nb::handle from) noexcept {
    object = from;
    if (from.is_none()) return true;
    if (PyLong_CheckExact(from.ptr())) {  // without an object of a float's in between
        Int whole;
        if (whole.set(from)) value = static_cast<double>(whole.value);
        return true;
    }
    if (!PyFloat_Check(from.ptr()) && !PyNumber_Check(from.ptr())) return false;
    const double number = python<PyFloat_AsDouble>(from.ptr());
    if (number != -1 || PyErr_Occurred() == nullptr) {
        value = number;
        return true;
    }
    // An int that no double holds is out of every range as well.
    Int saturated;
    if (PyErr_ExceptionMatches(PyExc_TypeError)) PyErr_Clear();  // complex numbers
    if (!PyErr_ExceptionMatches(PyExc_OverflowError)) return false;
    PyErr_Clear();
    if (!saturated.set(from)) return false;
    value = std::copysign(std::numeric_limits<double>::infinity(), static_cast<double>(saturated.value));
    return true;
}

namespace {

// What the core makes of a number; false, with the Python error set, if it finds fault with it.
template <class Given, class Value, class Convert>
bool set_as(nb::handle from, Value& value, Convert convert) noexcept {
    Given given;
    if (!given.set(from)) return false;
    const auto converted = convert(given.value);
    if (converted)
        value = *converted;
    else
        raise(converted.error(), from);
    return converted.has_value();
}

}  // namespace

bool SystemInt::set(nb::handle from) noexcept { return set_as<Int>(from, value, arguments::to_int); }
bool BufferSize::set(nb::handle from) noexcept { return set_as<Int>(from, value, arguments::bufsize); }
bool Limit::set(nb::handle from) noexcept { return set_as<OptionalInt>(from, value, arguments::limit); }

bool utf8_of(nb::handle text, std::string_view& chars) noexcept {
    Py_ssize_t size = 0;
    const char* utf8 = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
    if (utf8 != nullptr) chars = {utf8, static_cast<std::size_t>(size)};
    return utf8 != nullptr;
}

bool class_says(nb::handle object, const char* name) noexcept {
    const auto said = nb::steal(python<PyObject_GetAttrString>(object.ptr(), name));
    if (!said.is_valid()) PyErr_Clear();
    return said.ptr() == Py_True;
}

bool Sendable::set(nb::handle from, nb::handle socket) noexcept {
    if (Readable::set(from)) return true;
    if (PyErr_Occurred() != nullptr || PyObject_CheckBuffer(from.ptr())) return false;
    if (!class_says(socket, "_takes_str")) return false;
    kind = "a bytes-like object or str";
    std::string_view chars;
    if (!PyUnicode_Check(from.ptr()) || !utf8_of(from, chars)) return false;
    lend(chars);
    return true;
}

// --- Bytes

namespace {

// What _PyBytes_Resize() does to an object that nobody else has seen, except that without memory for a larger one
// it leaves the object as it is and returns null.
PyObject* resize(PyObject* bytes, std::size_t size) noexcept {
    auto* resized = static_cast<PyVarObject*>(PyObject_Realloc(bytes, bytes_header + size + 1));
    if (resized == nullptr && size > static_cast<std::size_t>(Py_SIZE(bytes))) return nullptr;
    if (resized == nullptr) resized = reinterpret_cast<PyVarObject*>(bytes);
    Py_SET_SIZE(resized, static_cast<Py_ssize_t>(size));
    reinterpret_cast<char*>(resized)[bytes_header + size] = '\0';
    return reinterpret_cast<PyObject*>(resized);
}

// A socket may let go what it kept while another thread has the interpreter.
void release_bytes(void* owner) noexcept { release(static_cast<PyObject*>(owner)); }

}  // namespace

PyObject* BytesSink::object(const Sink& sink) noexcept {
    return sink.data() == nullptr ? nullptr : reinterpret_cast<PyObject*>(sink.data() - bytes_header);
}

bool BytesSink::grow(Sink& sink, std::size_t capacity) noexcept {
    if (capacity > static_cast<std::size_t>(PY_SSIZE_T_MAX) - bytes_header - 1) return false;
    PyObject* bytes = object(sink);
    PyObject* grown = bytes != nullptr ? resize(bytes, capacity)
                                       : PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(capacity));
    if (grown == nullptr) {
        PyErr_Clear();
        return false;
    }
    sink.set_memory(reinterpret_cast<std::uint8_t*>(grown) + bytes_header, capacity);
    return true;
}

Block BytesSink::surrender(Sink& sink) noexcept {
    const Block block{sink.data(), sink.size(), object(sink), release_bytes};
    sink = Sink(grow, surrender);
    return block;
}

nb::object BytesSink::take() noexcept {
    PyObject* bytes = object(sink_);
    const std::size_t size = sink_.size();
    if (size == 0) return nb::steal(PyBytes_FromStringAndSize(nullptr, 0));
    if (size != sink_.capacity()) bytes = resize(bytes, size);
    sink_ = Sink(grow, surrender);
    return nb::steal(bytes);
}

}  // namespace usocket::cpython
