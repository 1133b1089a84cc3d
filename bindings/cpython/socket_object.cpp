// The class socket but for its methods: __new__(), __init__(), the finaliser, repr, iteration.
#include "socket_object.hpp"

#include <cerrno>
#include <cstddef>
#include <new>
#include <utility>

#include "method.hpp"
#include "state.hpp"

namespace usocket::cpython {

Socket* socket_of(nb::handle object) noexcept {
    return PyObject_TypeCheck(object.ptr(), state().socket_class) ? &socket_object(object.ptr()).socket : nullptr;
}

bool SocketClass::set(nb::handle from) noexcept {
    if (!PyType_Check(from.ptr())) return false;
    type = reinterpret_cast<PyTypeObject*>(from.ptr());
    return PyType_IsSubtype(type, state().socket_class) != 0;
}

void close_socket(Socket& socket) noexcept {
    const Outside outside;
    socket.close();
}

nb::object make_socket(PyTypeObject* type, Socket&& socket) noexcept {
    auto made = nb::steal(python<PyType_GenericAlloc>(type, Py_ssize_t{0}));
    if (made.is_valid()) new (&socket_object(made.ptr()).socket) Socket(std::move(socket));
    return made;
}

namespace {

PyObject* create(PyTypeObject* type, PyObject*, PyObject*) noexcept { return make_socket(type, {}).release().ptr(); }

// --- __init__

struct Arguments {
    Converted<Maybe<SystemInt>, Maybe<SystemInt>, Maybe<SystemInt>> numbers;  // af, type, proto
    Maybe<SystemInt> fileno;

    // False: the Python error is set.
    bool set(PyObject* given, PyObject* keywords) noexcept {
        const Given<decltype(numbers)::most> positional(given);
        if (!numbers.set(usage, nullptr, positional.items(), positional.count())) return false;
        nb::object number;
        PyObject *name = nullptr, *value = nullptr;
        for (Py_ssize_t i = 0; keywords != nullptr && PyDict_Next(keywords, &i, &name, &value) != 0;) {
            if (PyUnicode_CompareWithASCIIString(name, "fileno") != 0) {
                PyErr_Format(PyExc_TypeError,
                             "%s has no keyword argument '%U', only fileno; the others go by their place", usage, name);
                return false;
            }
            number = nb::borrow(value);
        }
        if (!number.is_valid() || number.is_none() || fileno.set(number)) return true;
        return wrong_type(usage, "fileno", fileno.kind, number);
    }

    static constexpr const char* usage = "socket(af=AF_INET, type=SOCK_STREAM, proto=0, *, fileno=None)";
};

// Of this thread: the descriptor that hand_over() has given to somebody, until a socket takes it; else -1.
thread_local int handed_over = -1;

Result<Socket> adopt(int fd) noexcept {
    auto socket = Socket::adopt(fd);
    if (socket && fd == handed_over) handed_over = -1;
    return socket;
}

// What the arguments ask for. Opens nothing that is not in the result.
Result<Socket> open(const Arguments& arguments) noexcept {
    if (arguments.fileno.given) return adopt(arguments.fileno.value);
    const auto& [af, type, proto] = arguments.numbers.values;
    return Socket::open(af.given ? af.value : AF_INET, type.given ? type.value : int{SOCK_STREAM}, proto.value);
}

// Called again, it closes the socket that was there, as io.FileIO does.
int init(PyObject* self, PyObject* given, PyObject* keywords) noexcept {
    SocketObject& object = socket_object(self);
    Arguments arguments;
    if (!arguments.set(given, keywords)) return -1;
    const Exclusive exclusive(self);
    if (object.users == 0 && !object.socket.closed()) {
        const InUse closing(self);
        close_socket(*closing);
    }
    if (object.users != 0) {  // it may have been entered meanwhile
        raise(Error(EBUSY));
        return -1;
    }
    auto opened = open(arguments);
    if (!opened) {
        raise(opened.error());
        (void)hinted(Arguments::usage, nullptr, 0);
        return -1;
    }
    object.socket = std::move(*opened);
    return 0;
}

// --- The end

// Warns of a socket that nobody has closed, as CPython's own does (SOCK-3).
void finalize(PyObject* self) noexcept {
    Socket& socket = socket_object(self).socket;
    if (socket.closed()) return;
    const nb::error_scope pending;
    if (python<PyErr_ResourceWarning>(self, Py_ssize_t{1}, "unclosed %R", self) < 0) {
        if (PyErr_ExceptionMatches(PyExc_Warning)) python<PyErr_WriteUnraisable>(self);
        PyErr_Clear();
    }
    close_socket(socket);
}

void destroy(PyObject* self) noexcept {
    SocketObject& object = socket_object(self);
    if (std::exchange(object.is_ending, false)) return;
    // A subclass's own has called the finaliser already.
    const bool is_ours = slot_of<destructor>(Py_TYPE(self), Py_tp_dealloc) == destroy;
    if (is_ours && !object.socket.closed() && !finalize_first(self, object.is_ending)) return;
    if (object.weakrefs != nullptr) python<PyObject_ClearWeakRefs>(self);
    object.socket.~Socket();
    free_instance(self);
}

// --- What it shows

std::size_t describe(PyObject* self, MutableBuffer text) noexcept {
    const InUse socket(self);
    return (*socket).describe(text);
}

PyObject* represent(PyObject* self) noexcept {
    auto* type = reinterpret_cast<PyObject*>(Py_TYPE(self));
    const auto module = nb::steal(python<PyObject_GetAttrString>(type, "__module__"));
    const auto name = nb::steal(python<PyObject_GetAttrString>(type, "__qualname__"));
    if (!module.is_valid() || !name.is_valid()) return nullptr;
    char text[1024];
    const std::size_t size = describe(self, MutableBuffer(text));
    const auto state = nb::steal(PyUnicode_DecodeASCII(text, static_cast<Py_ssize_t>(size), "replace"));
    if (!state.is_valid()) return nullptr;
    return python<PyUnicode_FromFormat>("<%S.%S %U>", module.ptr(), name.ptr(), state.ptr());
}

// Iteration is by lines (SOCK-8).
PyObject* next_line(PyObject* self) noexcept {
    const InUse socket(self);
    BytesSink bytes;
    const auto done = (*socket).readline_to(bytes.sink(), Socket::no_limit, Call(host()));
    if (!done) {
        if (done.error() == Error(EAGAIN)) return nullptr;
        raise(done.error());
        return hinted("next()", nullptr, 0);
    }
    return bytes.sink().size() == 0 ? nullptr : bytes.take().release().ptr();
}

PyMemberDef members[] = {
    {"__weaklistoffset__", member_size, offsetof(SocketObject, weakrefs), member_readonly, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

}  // namespace

nb::object hand_over(Socket& socket, nb::handle make) noexcept {
    const auto number = nb::steal(PyLong_FromLong(socket.fileno()));
    if (!number.is_valid()) return {};
    const auto fd = socket.detach();
    if (!fd) return raise(fd.error());
    const int before = std::exchange(handed_over, *fd);
    auto made = nb::steal(python<PyObject_CallFunctionObjArgs>(make.ptr(), number.ptr(), nullptr));
    if (!made.is_valid() && handed_over == *fd) {
        const nb::error_scope failure;
        auto nobodys = Socket::adopt(*fd);
        if (nobodys) close_socket(*nobodys);
    }
    handed_over = before;
    return made;
}

PyObject* make_socket_class(nb::module_& module, PyMethodDef* methods, PyGetSetDef* properties) noexcept {
    // One class, however often the module is imported.
    State& own = state();
    if (own.socket_class != nullptr) return reinterpret_cast<PyObject*>(own.socket_class);
    PyType_Slot slots[] = {
        {Py_tp_doc, const_cast<char*>("socket(af=..., type=..., proto=0, /, *, fileno=None)\n--\n\n"
                                      "A socket that is a stream. A new one, or with fileno the owner of a descriptor\n"
                                      "that somebody else has opened.")},
        {Py_tp_new, reinterpret_cast<void*>(create)},
        {Py_tp_init, reinterpret_cast<void*>(init)},
        {Py_tp_dealloc, reinterpret_cast<void*>(destroy)},
        {Py_tp_finalize, reinterpret_cast<void*>(finalize)},
        {Py_tp_repr, reinterpret_cast<void*>(represent)},
        {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
        {Py_tp_iternext, reinterpret_cast<void*>(next_line)},
        {Py_tp_methods, methods},
        {Py_tp_members, members},
        {Py_tp_getset, properties},
        {0, nullptr},
    };
    PyType_Spec spec{"usocket.socket", sizeof(SocketObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};
    const auto made = nb::steal(PyType_FromModuleAndSpec(module.ptr(), &spec, nullptr));
    if (!own.keep("usocket.socket", made.ptr())) return nullptr;
    if (PyObject_SetAttrString(made.ptr(), "_takes_str", Py_True) < 0) return nullptr;
    if (PyObject_SetAttrString(made.ptr(), "_skips_empty", Py_False) < 0) return nullptr;
    if (PyObject_SetAttrString(made.ptr(), "_shows", Py_None) < 0) return nullptr;
    own.socket_class = reinterpret_cast<PyTypeObject*>(made.ptr());
    return made.ptr();
}

}  // namespace usocket::cpython
