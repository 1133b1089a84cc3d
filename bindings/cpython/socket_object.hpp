// An instance of the class socket: its life from __new__() to its finaliser (SOCK-1, SOCK-3).
#pragma once

#include "convert.hpp"

namespace usocket::cpython {

struct SocketObject {
    PyObject_HEAD PyObject* weakrefs;
    std::uint32_t users;  // calls in it, counted inside the interpreter: none may find another Socket in its place
    bool is_ending;       // of finalize_first()
    Socket socket;        // closed until __init__() has run
};

inline SocketObject& socket_object(PyObject* object) noexcept { return *reinterpret_cast<SocketObject*>(object); }

// Counts a call in it, for a caller that is exclusive already.
class Counted {
public:
    explicit Counted(PyObject* object) noexcept : object_(socket_object(object)) { ++object_.users; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --object_.users; }
    [[nodiscard]] Socket& operator*() const noexcept { return object_.socket; }

private:
    SocketObject& object_;
};

// The socket of an instance for the length of a call.
class InUse {
public:
    explicit InUse(PyObject* object) noexcept : exclusive_(object), counted_(object) {}
    [[nodiscard]] Socket& operator*() const noexcept { return *counted_; }

private:
    Exclusive exclusive_;  // goes last
    Counted counted_;
};

// The same with the object itself, for what depends on its class.
struct Faced {
    nb::handle object;
    Socket& socket;
};

class FacedInUse {
public:
    explicit FacedInUse(PyObject* object) noexcept : socket_(object), faced_{object, *socket_} {}
    [[nodiscard]] const Faced& operator*() const noexcept { return faced_; }

private:
    InUse socket_;
    Faced faced_;
};

// Of another object's method: exclusive in that object, and in the socket that the method was given, if it is one.
class ExclusiveWith {
public:
#ifdef Py_GIL_DISABLED
    ExclusiveWith(PyObject* object, PyObject* argument) noexcept
        : exclusive_(object, argument != nullptr && socket_of(argument) != nullptr ? argument : nullptr) {}
#else
    ExclusiveWith(PyObject* object, PyObject*) noexcept : exclusive_(object) {}
#endif

private:
    Exclusive exclusive_;
};

// The class itself or a subclass.
struct SocketClass {
    static constexpr const char* kind = "a subclass of socket";
    PyTypeObject* type = nullptr;

    [[nodiscard]] bool set(nb::handle from) noexcept;
};

// What `make` returns for the socket's descriptor, which is then no longer this socket's. If it fails, the descriptor
// is closed, unless another socket has taken it before. Null: the Python error is set.
nb::object hand_over(Socket& socket, nb::handle make) noexcept;

// Null: the Python error is set.
PyObject* make_socket_class(nb::module_& module, PyMethodDef* methods, PyGetSetDef* properties) noexcept;

// A new instance, without its __init__(). Null, and the Python error: no memory; `socket` is then closed.
nb::object make_socket(PyTypeObject* type, Socket&& socket) noexcept;

// Closing may take as long as SO_LINGER says.
void close_socket(Socket& socket) noexcept;

}  // namespace usocket::cpython
