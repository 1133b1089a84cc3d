// What the files of the binding share: Python's values as the core's, the core's errors as exceptions.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <optional>

#include "usocket/arguments.hpp"
#include "usocket/usocket.hpp"

namespace usocket::cpython {

namespace nb = nanobind;

// The GIL, and PyErr_CheckSignals() after a signal.
extern const Host host;

// --- Errors: each sets the Python error and returns a null object, which nanobind passes on. That costs a third of
// what a C++ exception does.
// OSError; for EINTR the exception that the signal handler has raised.
nb::object raise(Error error);
// ValueError if the core found fault with an argument, which the message then shows.
nb::object raise(Error error, nb::handle argument);

inline nb::object none_or_raise(const Result<void>& result) { return result ? nb::none() : raise(result.error()); }
inline nb::object size_or_raise(const Result<std::size_t>& result) {
    return result ? nb::steal(PyLong_FromSize_t(*result)) : raise(result.error());
}
// For stream methods: None where nothing moved (TIME-4).
nb::object raise_or_none(Error error);

// --- Arguments
// An int of any size, saturated; `object` is what the caller passed.
struct Int {
    std::int64_t value = 0;
    nb::handle object;

    // False, and no Python error: not an int.
    [[nodiscard]] bool set(nb::handle from) noexcept;
};

// The same, or None.
struct OptionalInt {
    std::optional<std::int64_t> value;
    nb::handle object;
};

// A float or int, or None.
struct OptionalNumber {
    std::optional<double> value;
    nb::handle object;
};

// A contiguous bytes-like object, lent to the core: its exporter stays locked until this goes.
template <int flags> class Lent {
public:
    Lent() noexcept = default;
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;
    ~Lent() {
        if (view_.obj != nullptr) PyBuffer_Release(&view_);
    }

    // False, and no Python error: not bytes-like.
    [[nodiscard]] bool borrow(nb::handle from) noexcept {
        if (PyObject_GetBuffer(from.ptr(), &view_, flags) == 0) return true;
        view_.obj = nullptr;
        PyErr_Clear();
        return false;
    }
    [[nodiscard]] void* data() const noexcept { return view_.buf; }
    [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(view_.len); }

private:
    Py_buffer view_{};
};

class Readable : public Lent<PyBUF_SIMPLE> {
public:
    operator ConstBuffer() const noexcept { return {data(), size()}; }
};

class Writable : public Lent<PyBUF_WRITABLE> {
public:
    operator MutableBuffer() const noexcept { return {data(), size()}; }
};

// --- Results
// A bytes object that the core fills: no copy is made of what it receives (SOCK-6).
class BytesSink {
public:
    BytesSink() noexcept : sink_(grow, surrender) {}
    BytesSink(const BytesSink&) = delete;
    BytesSink& operator=(const BytesSink&) = delete;
    ~BytesSink() { Py_XDECREF(object(sink_)); }

    [[nodiscard]] Sink& sink() noexcept { return sink_; }
    // The bytes so far; leaves nothing behind.
    [[nodiscard]] nb::object take() noexcept;

private:
    static PyObject* object(const Sink& sink) noexcept;
    static bool grow(Sink& sink, std::size_t capacity) noexcept;
    static Block surrender(Sink& sink) noexcept;

    Sink sink_;
};

inline nb::object to_bytes(ConstBuffer bytes) noexcept {
    return nb::steal(
        PyBytes_FromStringAndSize(reinterpret_cast<const char*>(bytes.data()), static_cast<Py_ssize_t>(bytes.size())));
}
// The native address (ADDR-1).
inline nb::object to_python(const Address& address) noexcept { return to_bytes({address.data(), address.size()}); }

// A tuple of what is given, which must be valid; null if any is not.
template <class... Items> nb::object tuple_of(const Items&... items) noexcept {
    if ((!items.is_valid() || ...)) return {};
    return nb::steal(PyTuple_Pack(sizeof...(items), items.ptr()...));
}

// --- The parts of the module
void add_addresses(nb::module_& module);
void add_resolver(nb::module_& module);
void add_socket(nb::module_& module);
void add_poll(nb::module_& module);

}  // namespace usocket::cpython

namespace nanobind::detail {

template <> struct type_caster<usocket::cpython::Int> {
    NB_TYPE_CASTER(usocket::cpython::Int, const_name("int"))
    bool from_python(handle from, std::uint32_t, cleanup_list*) noexcept { return value.set(from); }
};

template <> struct type_caster<usocket::cpython::OptionalInt> {
    NB_TYPE_CASTER(usocket::cpython::OptionalInt, const_name("int | None"))
    bool from_python(handle from, std::uint32_t, cleanup_list*) noexcept {
        value.object = from;
        if (from.is_none()) return true;
        usocket::cpython::Int number;
        if (!number.set(from)) return false;
        value.value = number.value;
        return true;
    }
};

template <> struct type_caster<usocket::cpython::OptionalNumber> {
    NB_TYPE_CASTER(usocket::cpython::OptionalNumber, const_name("float | None"))
    bool from_python(handle from, std::uint32_t, cleanup_list*) noexcept;
};

template <> struct type_caster<usocket::cpython::Readable> {
    NB_TYPE_CASTER(usocket::cpython::Readable, const_name("Buffer"))
    bool from_python(handle from, std::uint32_t, cleanup_list*) noexcept { return value.borrow(from); }
};

template <> struct type_caster<usocket::cpython::Writable> {
    NB_TYPE_CASTER(usocket::cpython::Writable, const_name("WritableBuffer"))
    bool from_python(handle from, std::uint32_t, cleanup_list*) noexcept { return value.borrow(from); }
};

}  // namespace nanobind::detail
