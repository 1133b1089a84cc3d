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

// The socket of an instance for the length of a call.
class InUse {
public:
    explicit InUse(PyObject* object) noexcept : exclusive_(object), object_(socket_object(object)) { ++object_.users; }
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;
    ~InUse() { --object_.users; }
    [[nodiscard]] Socket& operator*() const noexcept { return object_.socket; }

private:
    Exclusive exclusive_;  // goes last
    SocketObject& object_;
};

// The class itself or a subclass.
struct SocketClass {
    static constexpr const char* kind = "a subclass of socket";
    PyTypeObject* type = nullptr;

    [[nodiscard]] bool set(nb::handle from) noexcept;
};

// Null: the Python error is set.
PyObject* make_socket_class(nb::module_& module, PyMethodDef* methods, PyGetSetDef* properties) noexcept;

// A new instance, without its __init__(). Null, and the Python error: no memory; `socket` is then closed.
nb::object make_socket(PyTypeObject* type, Socket&& socket) noexcept;

// Closing may take as long as SO_LINGER says.
void close_socket(Socket& socket) noexcept;

}  // namespace usocket::cpython
