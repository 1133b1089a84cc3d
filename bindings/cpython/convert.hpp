// What the files of the binding share: Python's values as the core's, the core's errors as exceptions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "abi.hpp"
#include "host.hpp"
#include "usocket/arguments.hpp"
#include "usocket/usocket.hpp"

namespace usocket::cpython {

// --- Errors: each sets the Python error and returns a null object, which the caller of the function passes on. That
// costs a third of what a C++ exception does.
// OSError; for EINTR the exception that the signal handler has raised.
nb::object raise(Error error) noexcept;
// ValueError if the core found fault with an argument, which the message then shows.
nb::object raise(Error error, nb::handle argument) noexcept;

inline nb::object none_or_raise(const Result<void>& result) { return result ? nb::none() : raise(result.error()); }
inline nb::object size_or_raise(const Result<std::size_t>& result) {
    return result ? nb::steal(PyLong_FromSize_t(*result)) : raise(result.error());
}
// For stream methods: None where nothing moved (TIME-4).
nb::object raise_or_none(Error error) noexcept;

// --- Arguments. Each has `kind`, which completes "... is required", and set(), which returns false for what it is not;
// the Python error is then set if the object's own __index__() and the like, or the value, are to blame.
inline constexpr const char* an_int = "an int";
inline constexpr const char* an_int_or_none = "an int or None";

// An int of any size, saturated; `object` is what the caller passed.
struct Int {
    static constexpr const char* kind = an_int;
    std::int64_t value = 0;
    bool is_saturated = false;
    nb::handle object;

    [[nodiscard]] bool set(nb::handle from) noexcept;
};

// The same, or None.
struct OptionalInt {
    static constexpr const char* kind = an_int_or_none;
    std::optional<std::int64_t> value;
    nb::handle object;

    [[nodiscard]] bool set(nb::handle from) noexcept;
};

// A float or int, or None.
struct OptionalNumber {
    static constexpr const char* kind = "a number or None";
    std::optional<double> value;
    nb::handle object;

    [[nodiscard]] bool set(nb::handle from) noexcept;
};

// An int of the system's: a family, a level, flags.
struct SystemInt {
    static constexpr const char* kind = an_int;
    int value = 0;

    [[nodiscard]] bool set(nb::handle from) noexcept;
};

// How much recv() is to receive.
struct BufferSize {
    static constexpr const char* kind = an_int;
    std::size_t value = 0;

    [[nodiscard]] bool set(nb::handle from) noexcept;
};

// How much read() and readline() are to return: None and -1 are no limit.
struct Limit {
    static constexpr const char* kind = an_int_or_none;
    std::size_t value = Socket::no_limit;

    [[nodiscard]] bool set(nb::handle from) noexcept;
};

// Whatever it is.
struct Anything {
    static constexpr const char* kind = "an object";
    nb::handle object;

    [[nodiscard]] bool set(nb::handle from) noexcept {
        object = from;
        return true;
    }
};

// Anything: whether it is true.
struct Truth {
    static constexpr const char* kind = "an object that is true or false";
    bool value = false;

    [[nodiscard]] bool set(nb::handle from) noexcept {
        const int truth = python<PyObject_IsTrue>(from.ptr());
        value = truth > 0;
        return truth >= 0;
    }
};

// A contiguous bytes-like object, lent to the core: its exporter stays locked until this goes.
template <int flags> class Lent {
public:
    Lent() noexcept = default;
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;
    ~Lent() {
        if (view_.obj != nullptr) python<PyBuffer_Release>(&view_);
    }

    [[nodiscard]] bool set(nb::handle from) noexcept {
        // Bytes need no lock, and the caller holds them.
        if (flags == PyBUF_SIMPLE && PyBytes_CheckExact(from.ptr())) {
            lend(bytes_of(from));
            return true;
        }
        if (!PyObject_CheckBuffer(from.ptr())) return false;
        kind = flags == PyBUF_SIMPLE ? "a contiguous bytes-like object" : "a contiguous and writable bytes-like object";
        if (python<PyObject_GetBuffer>(from.ptr(), &view_, flags) == 0) return true;
        view_.obj = nullptr;
        if (PyErr_ExceptionMatches(PyExc_BufferError)) PyErr_Clear();
        return false;
    }
    [[nodiscard]] void* data() const noexcept { return view_.buf; }
    [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(view_.len); }

    const char* kind = flags == PyBUF_SIMPLE ? "a bytes-like object" : "a writable bytes-like object";

protected:
    // Of an object that the caller holds.
    void lend(std::string_view chars) noexcept {
        view_.buf = const_cast<char*>(chars.data());
        view_.len = static_cast<Py_ssize_t>(chars.size());
    }

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

// Whether an attribute, which classes set for their instances, is True.
[[nodiscard]] bool class_says(nb::handle object, const char* name) noexcept;

// What is sent: bytes-like, or a str, which goes out as UTF-8 unless the socket's class says `_takes_str = False`
// (SOCK-6).
class Sendable : public Readable {
public:
    [[nodiscard]] bool set(nb::handle from, nb::handle socket) noexcept;
};

// May be left out, and is then as it is made.
template <class Argument> struct Maybe : Argument {
    bool given = false;

    template <class... More>
        requires requires(Argument argument, nb::handle from, More... more) { argument.set(from, more...); }
    [[nodiscard]] bool set(nb::handle from, const More&... more) noexcept {
        given = true;
        return Argument::set(from, more...);
    }
};

template <class Argument> inline constexpr bool is_optional = false;
template <class Argument> inline constexpr bool is_optional<Maybe<Argument>> = true;

// That of an instance of the class socket, which keeps it alive. Null: it is none.
[[nodiscard]] Socket* socket_of(nb::handle object) noexcept;

// The UTF-8 of a str, which must be one; lives as long as that. False: the Python error is set.
[[nodiscard]] bool utf8_of(nb::handle text, std::string_view& chars) noexcept;

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
// The native address: bytes that show what they stand for (ADDR-1, ADDR-9).
nb::object to_python(const Address& address) noexcept;

// A tuple of what is given, which must be valid; null if any is not.
template <class... Items> nb::object tuple_of(const Items&... items) noexcept {
    if ((!items.is_valid() || ...)) return {};
    auto tuple = nb::steal(python<PyTuple_New>(Py_ssize_t{sizeof...(items)}));
    std::size_t place = 0;
    if (tuple.is_valid()) (set_item(tuple, place++, items), ...);
    return tuple;
}

// --- The parts of the module; false: the Python error is set.
[[nodiscard]] bool add_addresses(nb::module_& module);
[[nodiscard]] bool add_resolver(nb::module_& module);
[[nodiscard]] bool add_socket(nb::module_& module);
[[nodiscard]] bool add_poll(nb::module_& module);
[[nodiscard]] bool add_tls(nb::module_& module);

}  // namespace usocket::cpython
