#include "convert.hpp"

#include <cerrno>
#include <cmath>
#include <cstddef>
#include <limits>

namespace usocket::cpython {

const Host host{
    .leave = []() noexcept -> void* { return PyEval_SaveThread(); },
    .enter = [](void* token) noexcept { PyEval_RestoreThread(static_cast<PyThreadState*>(token)); },
    .interrupted = []() noexcept { return PyErr_CheckSignals() != 0; },
    .unwinds = false,
};

// --- Errors

nb::object raise(Error error) {
    if (error == Error(EINTR) && PyErr_Occurred() != nullptr) return {};
    const auto text = nb::steal(PyUnicode_DecodeLocale(error.message(), "surrogateescape"));
    if (!text.is_valid()) return {};
    if (error.fault() != Fault::none) {
        PyErr_SetObject(PyExc_ValueError, text.ptr());
        return {};
    }
    // OSError itself chooses the subclass: ETIMEDOUT makes it a TimeoutError.
    const auto exception = nb::steal(PyObject_CallFunction(PyExc_OSError, "iO", error.code(), text.ptr()));
    if (exception.is_valid()) PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
    return {};
}

nb::object raise(Error error, nb::handle argument) {
    if (error.fault() == Fault::none || !argument.is_valid()) return raise(error);
    PyErr_Format(PyExc_ValueError, "%s: %.200R", error.message(), argument.ptr());
    return {};
}

nb::object raise_or_none(Error error) { return error == Error(EAGAIN) ? nb::none() : raise(error); }

// --- Arguments

bool Int::set(nb::handle from) noexcept {
    object = from;
    int overflow = 0;
    if (PyLong_CheckExact(from.ptr())) {
        value = PyLong_AsLongLongAndOverflow(from.ptr(), &overflow);
        if (value != -1) return true;  // nearly all are such
    } else if (const auto number = nb::steal(PyNumber_Index(from.ptr())); number.is_valid()) {
        value = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
    }
    if (overflow != 0) {
        using Limits = std::numeric_limits<std::int64_t>;
        value = overflow < 0 ? Limits::min() : Limits::max();
    }
    if (PyErr_Occurred() == nullptr) return true;
    PyErr_Clear();
    return false;
}

// --- Bytes

namespace {

constexpr std::size_t header = offsetof(PyBytesObject, ob_sval);

// What _PyBytes_Resize() does to an object that nobody else has seen, except that without memory for a larger one
// it leaves the object as it is and returns null.
PyObject* resize(PyObject* bytes, std::size_t size) noexcept {
    auto* resized = static_cast<PyBytesObject*>(PyObject_Realloc(bytes, header + size + 1));
    if (resized == nullptr && size > static_cast<std::size_t>(Py_SIZE(bytes))) return nullptr;
    if (resized == nullptr) resized = reinterpret_cast<PyBytesObject*>(bytes);
    Py_SET_SIZE(reinterpret_cast<PyVarObject*>(resized), static_cast<Py_ssize_t>(size));
    resized->ob_sval[size] = '\0';
    return reinterpret_cast<PyObject*>(resized);
}

void release_bytes(void* owner) noexcept {
    // A socket may be closed, and let go what it kept, while another thread has the GIL.
    const PyGILState_STATE state = PyGILState_Ensure();
    Py_DECREF(static_cast<PyObject*>(owner));
    PyGILState_Release(state);
}

}  // namespace

PyObject* BytesSink::object(const Sink& sink) noexcept {
    return sink.data() == nullptr ? nullptr : reinterpret_cast<PyObject*>(sink.data() - header);
}

bool BytesSink::grow(Sink& sink, std::size_t capacity) noexcept {
    if (capacity > static_cast<std::size_t>(PY_SSIZE_T_MAX) - header - 1) return false;
    PyObject* bytes = object(sink);
    PyObject* grown = bytes != nullptr ? resize(bytes, capacity)
                                       : PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(capacity));
    if (grown == nullptr) {
        PyErr_Clear();
        return false;
    }
    sink.set_memory(reinterpret_cast<std::uint8_t*>(PyBytes_AS_STRING(grown)), capacity);
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

namespace nanobind::detail {

bool type_caster<usocket::cpython::OptionalNumber>::from_python(handle from, std::uint32_t, cleanup_list*) noexcept {
    value.object = from;
    if (from.is_none()) return true;
    const double number = PyFloat_AsDouble(from.ptr());
    if (!PyErr_Occurred()) {
        value.value = number;
        return true;
    }
    // An int that no double holds is out of every range as well.
    const bool is_huge = PyErr_ExceptionMatches(PyExc_OverflowError) != 0;
    PyErr_Clear();
    usocket::cpython::Int saturated;
    if (!is_huge || !saturated.set(from)) return false;
    value.value = std::copysign(std::numeric_limits<double>::infinity(), static_cast<double>(saturated.value));
    return true;
}

}  // namespace nanobind::detail
