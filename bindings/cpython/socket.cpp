// The class socket (SOCK-1..8, TIME-1..6, STRM-1..7) and socketpair().
#include <algorithm>
#include <cerrno>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "address.hpp"

namespace usocket::cpython {
namespace {

// --- Making

// A closed socket of this class: made before the system opens one for it, so that no failure loses a descriptor.
nb::object make_closed(nb::handle type, Socket*& socket) {
    nb::object made = nb::inst_alloc(type);
    socket = new (nb::inst_ptr<Socket>(made)) Socket;
    nb::inst_mark_ready(made);
    return made;
}

bool is_socket_type(nb::handle type) {
    const auto base = reinterpret_cast<PyTypeObject*>(nb::type<Socket>().ptr());
    if (PyType_Check(type.ptr()) && PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(type.ptr()), base)) return true;
    PyErr_SetString(PyExc_TypeError, "not a subclass of socket");
    return false;
}

bool to_ints(std::initializer_list<std::pair<Int, int*>> arguments) {
    for (const auto& [from, to] : arguments) {
        const auto number = arguments::to_int(from.value);
        if (!number) {
            raise(number.error(), from.object);
            return false;
        }
        *to = *number;
    }
    return true;
}

nb::object init(Socket* self, Int af, Int type, Int proto, OptionalInt fileno) {
    int family = 0, kind = 0, protocol = 0;
    if (!to_ints({{af, &family}, {type, &kind}, {proto, &protocol}})) return {};
    int fd = -1;
    if (fileno.value && !to_ints({{{*fileno.value, fileno.object}, &fd}})) return {};
    auto made = fileno.value ? Socket::adopt(fd) : Socket::open(family, kind, protocol);
    if (!made) return raise(made.error());
    new (self) Socket(std::move(*made));
    return nb::none();
}

nb::object pair_as(nb::handle type, Int af, Int kind, Int proto) {
    int family = 0, kind_number = 0, protocol = 0;
    if (!is_socket_type(type)) return {};
    if (!to_ints({{af, &family}, {kind, &kind_number}, {proto, &protocol}})) return {};
    Socket *first = nullptr, *second = nullptr;
    auto pair = tuple_of(make_closed(type, first), make_closed(type, second));
    auto opened = Socket::pair(family, kind_number, protocol);
    if (!opened) return raise(opened.error());
    *first = std::move(opened->first);
    *second = std::move(opened->second);
    return pair;
}

nb::object pair(Int af, Int kind, Int proto) { return pair_as(nb::type<Socket>(), af, kind, proto); }

// --- Connections

nb::object accept_as(Socket& self, nb::handle type) {
    if (!is_socket_type(type)) return {};
    Socket* conn = nullptr;
    const auto made = make_closed(type, conn);
    const auto peer = self.accept_into(*conn, Call(host));
    if (!peer) return raise(peer.error());
    return tuple_of(made, to_python(*peer));
}

nb::object accept(Socket& self) { return accept_as(self, nb::type<Socket>()); }

nb::object bind(Socket& self, nb::handle address) {
    Address native;
    if (!to_address(self.family(), address, native)) return {};
    return none_or_raise(self.bind(native));
}

nb::object connect(Socket& self, nb::handle address) {
    Address native;
    if (!to_address(self.family(), address, native)) return {};
    return none_or_raise(self.connect(native, Call(host)));
}

nb::object listen(Socket& self, OptionalInt backlog) {
    if (!backlog.value) return none_or_raise(self.listen());
    const auto number = arguments::backlog(*backlog.value);
    return number ? none_or_raise(self.listen(*number)) : raise(number.error(), backlog.object);
}

nb::object shutdown(Socket& self, Int how) {
    int number = 0;
    return to_ints({{how, &number}}) ? none_or_raise(self.shutdown(number)) : nb::object();
}

// Closing may take as long as SO_LINGER says.
void close(Socket& self) {
    const nb::gil_scoped_release released;
    self.close();
}

// --- Socket methods

nb::object send(Socket& self, const Readable& data, int flags) {
    return size_or_raise(self.send(data, flags, Call(host)));
}

nb::object sendall(Socket& self, Readable& data, Int flags) {
    int number = 0;
    return to_ints({{flags, &number}}) ? none_or_raise(self.sendall(data, number, Call(host))) : nb::object();
}

nb::object sendto_with(Socket& self, Readable& data, Int flags, nb::handle address) {
    int number = 0;
    Address native;
    if (!to_ints({{flags, &number}}) || !to_address(self.family(), address, native)) return {};
    return size_or_raise(self.sendto(data, native, number, Call(host)));
}

nb::object sendto(Socket& self, Readable& data, nb::handle address) { return sendto_with(self, data, Int(), address); }

// For asyncio's transports, which send what they have queued up with it.
nb::object sendmsg(Socket& self, nb::handle buffers, nb::handle ancdata, Int flags, nb::handle address) {
    const int has_ancdata = PyObject_IsTrue(ancdata.ptr());
    if (has_ancdata > 0) PyErr_SetString(PyExc_ValueError, "ancillary data is not supported");
    if (has_ancdata != 0) return {};
    const auto joined = nb::steal(PyObject_CallMethod(to_bytes({}).ptr(), "join", "(O)", buffers.ptr()));
    Readable data;
    if (!joined.is_valid() || !data.borrow(joined)) return {};
    if (!address.is_none()) return sendto_with(self, data, flags, address);
    int number = 0;
    return to_ints({{flags, &number}}) ? send(self, data, number) : nb::object();
}

// Allocates what recv(bufsize) and recvfrom(bufsize) fill. False: the Python error is set.
bool make_room(BytesSink& bytes, Int bufsize) {
    const auto size = arguments::bufsize(bufsize.value);
    if (size && bytes.sink().reserve(*size)) return true;
    if (size)
        PyErr_NoMemory();
    else
        raise(size.error(), bufsize.object);
    return false;
}

// With MSG_TRUNC the system counts more than there is room for.
nb::object take(BytesSink& bytes, std::size_t size) {
    bytes.sink().set_size(std::min(size, bytes.sink().capacity()));
    return bytes.take();
}

nb::object recv(Socket& self, Int bufsize, int flags) {
    BytesSink bytes;
    if (!make_room(bytes, bufsize)) return {};
    const auto size = self.recv_into(bytes.sink().room(), flags, Call(host));
    return size ? take(bytes, *size) : raise(size.error());
}

nb::object recvfrom(Socket& self, Int bufsize, Int flags) {
    BytesSink bytes;
    int number = 0;
    if (!to_ints({{flags, &number}}) || !make_room(bytes, bufsize)) return {};
    Address from;
    const auto size = self.recvfrom_into(bytes.sink().room(), from, number, Call(host));
    return size ? tuple_of(take(bytes, *size), to_python(from)) : raise(size.error());
}

nb::object recv_into(Socket& self, Writable& buffer, Int nbytes, Int flags) {
    int number = 0;
    if (!to_ints({{flags, &number}})) return {};
    const auto part = arguments::recv_part(buffer, nbytes.value);
    return part ? size_or_raise(self.recv_into(*part, number, Call(host))) : raise(part.error(), nbytes.object);
}

nb::object recvfrom_into(Socket& self, Writable& buffer, Int nbytes, Int flags) {
    int number = 0;
    if (!to_ints({{flags, &number}})) return {};
    const auto part = arguments::recv_part(buffer, nbytes.value);
    if (!part) return raise(part.error(), nbytes.object);
    Address from;
    const auto size = self.recvfrom_into(*part, from, number, Call(host));
    return size ? tuple_of(nb::steal(PyLong_FromSize_t(*size)), to_python(from)) : raise(size.error());
}

// --- Stream methods

nb::object read(Socket& self, OptionalInt n) {
    const auto limit = arguments::limit(n.value);
    if (!limit) return raise(limit.error(), n.object);
    BytesSink bytes;
    const auto done = self.read_to(bytes.sink(), *limit, Call(host));
    return done ? bytes.take() : raise_or_none(done.error());
}

nb::object readline(Socket& self, OptionalInt n) {
    const auto limit = arguments::limit(n.value);
    if (!limit) return raise(limit.error(), n.object);
    BytesSink bytes;
    const auto done = self.readline_to(bytes.sink(), *limit, Call(host));
    return done ? bytes.take() : raise_or_none(done.error());
}

nb::object readinto(Socket& self, Writable& buffer, OptionalInt nbytes) {
    const auto part = arguments::read_part(buffer, nbytes.value);
    if (!part) return raise(part.error(), nbytes.object);
    const auto size = self.readinto(*part, Call(host));
    return size ? size_or_raise(size) : raise_or_none(size.error());
}

nb::object write_part(Socket& self, Readable& buffer, Int off, OptionalInt n) {
    const auto part = arguments::write_part(buffer, off.value, n.value);
    if (!part) return raise(part.error(), off.value < 0 ? off.object : n.object);
    const auto size = self.write(*part, Call(host));
    return size ? size_or_raise(size) : raise_or_none(size.error());
}

nb::object write(Socket& self, Readable& buffer, OptionalInt n) { return write_part(self, buffer, Int(), n); }

nb::object makefile(nb::handle self, const nb::str& mode, OptionalInt) {
    if (nb::inst_ptr<Socket>(self)->closed()) return raise(Error(EBADF));
    Py_ssize_t size = 0;
    const char* chars = PyUnicode_AsUTF8AndSize(mode.ptr(), &size);
    if (chars == nullptr) return {};
    const auto known = arguments::makefile_mode({chars, static_cast<std::size_t>(size)});
    return known ? nb::borrow(self) : raise(known.error(), mode);
}

// One receive's worth, for io.TextIOWrapper, which otherwise would wait for more.
nb::object read1(Socket& self, OptionalInt n) {
    constexpr std::int64_t usual = 8192;
    const Int size{n.value && *n.value != -1 ? *n.value : usual, n.object};
    BytesSink bytes;
    if (!make_room(bytes, size)) return {};
    const auto got = self.recv_into(bytes.sink().room(), 0, Call(host));
    return got ? take(bytes, *got) : raise_or_none(got.error());
}

// --- Options

nb::object settimeout(Socket& self, OptionalNumber value) {
    if (!value.value) return none_or_raise(self.settimeout(Timeout::none()));
    const auto timeout = Timeout::from_seconds(*value.value);
    return timeout ? none_or_raise(self.settimeout(*timeout)) : raise(timeout.error(), value.object);
}

nb::object gettimeout(const Socket& self) {
    const Timeout timeout = self.gettimeout();
    return timeout.is_none() ? nb::none() : nb::steal(PyFloat_FromDouble(timeout.seconds()));
}

nb::object setblocking(Socket& self, nb::handle flag) {
    const int blocking = PyObject_IsTrue(flag.ptr());
    return blocking < 0 ? nb::object() : none_or_raise(self.setblocking(blocking != 0));
}

nb::object setsockopt_int(Socket& self, Int level, Int name, Int value) {
    int level_number = 0, name_number = 0, number = 0;
    if (!to_ints({{level, &level_number}, {name, &name_number}, {value, &number}})) return {};
    return none_or_raise(self.setsockopt(level_number, name_number, number));
}

nb::object setsockopt_bytes(Socket& self, Int level, Int name, Readable& value) {
    int level_number = 0, name_number = 0;
    if (!to_ints({{level, &level_number}, {name, &name_number}})) return {};
    return none_or_raise(self.setsockopt(level_number, name_number, ConstBuffer(value)));
}

nb::object getsockopt(Socket& self, Int level, Int name, Int length) {
    int level_number = 0, name_number = 0;
    if (!to_ints({{level, &level_number}, {name, &name_number}})) return {};
    const auto size = arguments::option_length(length.value);
    if (!size) return raise(size.error(), length.object);
    if (*size == 0) {
        const auto value = self.getsockopt(level_number, name_number);
        return value ? nb::steal(PyLong_FromLong(*value)) : raise(value.error());
    }
    BytesSink bytes;
    if (!bytes.sink().reserve(*size)) return nb::steal(PyErr_NoMemory());
    const auto got = self.getsockopt(level_number, name_number, bytes.sink().room());
    return got ? take(bytes, *got) : raise(got.error());
}

// --- What it is

nb::object address_or_raise(const Result<Address>& address) {
    return address ? to_python(*address) : raise(address.error());
}

nb::object getsockname(Socket& self) { return address_or_raise(self.getsockname()); }
nb::object getpeername(Socket& self) { return address_or_raise(self.getpeername()); }

nb::object detach(Socket& self) {
    const auto fd = self.detach();
    return fd ? nb::steal(PyLong_FromLong(*fd)) : raise(fd.error());
}

nb::object dup_as(Socket& self, nb::handle type) {
    if (!is_socket_type(type)) return {};
    Socket* copy = nullptr;
    auto made = make_closed(type, copy);
    auto opened = self.dup();
    if (!opened) return raise(opened.error());
    *copy = std::move(*opened);
    return made;
}

nb::object dup(Socket& self) { return dup_as(self, nb::type<Socket>()); }

nb::object refuse_pickling(nb::handle self, nb::handle) {
    PyErr_Format(PyExc_TypeError, "cannot pickle '%s' object", Py_TYPE(self.ptr())->tp_name);
    return {};
}

PyObject* repr(PyObject* self) {
    const nb::handle type = reinterpret_cast<PyObject*>(Py_TYPE(self));
    const auto module = nb::steal(PyObject_GetAttrString(type.ptr(), "__module__"));
    const auto name = nb::steal(PyObject_GetAttrString(type.ptr(), "__qualname__"));
    if (!module.is_valid() || !name.is_valid()) return nullptr;
    if (!nb::inst_ready(self)) return PyUnicode_FromFormat("<%S.%S, not initialised>", module.ptr(), name.ptr());
    char text[1024];
    const std::size_t size = nb::inst_ptr<Socket>(self)->describe(MutableBuffer(text));
    const auto state = nb::steal(PyUnicode_DecodeASCII(text, static_cast<Py_ssize_t>(size), "replace"));
    if (!state.is_valid()) return nullptr;
    return PyUnicode_FromFormat("<%S.%S %U>", module.ptr(), name.ptr(), state.ptr());
}

PyObject* next_line(PyObject* self) {
    if (!nb::inst_ready(self)) {
        PyErr_SetString(PyExc_TypeError, "not initialised");
        return nullptr;
    }
    const auto line = readline(*nb::inst_ptr<Socket>(self), OptionalInt());
    const bool is_line = line.is_valid() && PyBytes_Check(line.ptr()) && PyBytes_GET_SIZE(line.ptr()) != 0;
    return is_line ? nb::object(line).release().ptr() : nullptr;
}

// --- The end (SOCK-3)

// Warns of a socket that nobody has closed, as CPython's own does.
void finalize(PyObject* self) {
    if (!nb::inst_ready(self)) return;
    Socket& socket = *nb::inst_ptr<Socket>(self);
    if (socket.closed()) return;
    const nb::error_scope pending;
    if (PyErr_ResourceWarning(self, 1, "unclosed %R", self) < 0) {
        if (PyErr_ExceptionMatches(PyExc_Warning)) PyErr_WriteUnraisable(self);
        PyErr_Clear();
    }
    close(socket);
}

destructor dealloc_of_base = nullptr;

// What nanobind does, after the finaliser; a subclass's own dealloc has called that already.
void dealloc(PyObject* self) {
    const bool is_subclass = Py_TYPE(self)->tp_dealloc != dealloc;
    if (is_subclass || PyObject_CallFinalizerFromDealloc(self) == 0) dealloc_of_base(self);
}

// --- send() and recv() in CPython's own calling convention: nanobind's is a tenth of what they take. All return null
// with the Python error set.

// The socket, if its __init__ has run.
Socket* ready(PyObject* self) {
    if (nb::inst_ready(self)) return nb::inst_ptr<Socket>(self);
    PyErr_SetString(PyExc_TypeError, "the socket has not been made: its __init__() has not run");
    return nullptr;
}

// What the two share: one argument, and flags.
bool to_flags(const char* usage, PyObject* const* arguments, Py_ssize_t count, int& flags) {
    if (count != 1 && count != 2) {
        PyErr_Format(PyExc_TypeError, "%s takes one argument or two, not %zd", usage, count);
        return false;
    }
    Int given;
    if (count == 2 && !given.set(arguments[1])) {
        PyErr_Format(PyExc_TypeError, "flags must be int, not %s", Py_TYPE(arguments[1])->tp_name);
        return false;
    }
    return count == 1 || to_ints({{given, &flags}});
}

PyObject* fast_send(PyObject* object, PyObject* const* arguments, Py_ssize_t count) {
    Socket* self = ready(object);
    int flags = 0;
    if (self == nullptr || !to_flags("send(bytes[, flags])", arguments, count, flags)) return nullptr;
    Readable data;
    if (data.borrow(arguments[0])) return send(*self, data, flags).release().ptr();
    PyErr_Format(PyExc_TypeError, "bytes must be a contiguous buffer, not %s", Py_TYPE(arguments[0])->tp_name);
    return nullptr;
}

PyObject* fast_recv(PyObject* object, PyObject* const* arguments, Py_ssize_t count) {
    Socket* self = ready(object);
    int flags = 0;
    if (self == nullptr || !to_flags("recv(bufsize[, flags])", arguments, count, flags)) return nullptr;
    Int bufsize;
    if (bufsize.set(arguments[0])) return recv(*self, bufsize, flags).release().ptr();
    PyErr_Format(PyExc_TypeError, "bufsize must be int, not %s", Py_TYPE(arguments[0])->tp_name);
    return nullptr;
}

PyMethodDef fast_methods[] = {
    {"send", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(fast_send)), METH_FASTCALL,
     "send($self, bytes, flags=0, /)\n--\n\nSends what the system takes; returns how many bytes that was."},
    {"recv", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(fast_recv)), METH_FASTCALL,
     "recv($self, bufsize, flags=0, /)\n--\n\nReceives at most bufsize bytes; none means that the peer has shut down."},
    {nullptr, nullptr, 0, nullptr}};

PyType_Slot slots[] = {{Py_tp_methods, fast_methods},
                       {Py_tp_repr, reinterpret_cast<void*>(repr)},
                       {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
                       {Py_tp_iternext, reinterpret_cast<void*>(next_line)},
                       {Py_tp_finalize, reinterpret_cast<void*>(finalize)},
                       {0, nullptr}};

// The parts of the class, each with what a reader of help() sees.
using Class = nb::class_<Socket>;

#define USOCKET_ADDRESS "bytes | tuple[str, int] | tuple[str, int, int, int] | str"

void add_connections(Class& socket) {
    socket.def("bind", bind, nb::sig("def bind(self, address: " USOCKET_ADDRESS ", /) -> None"),
               "Binds the socket to its own address.");
    socket.def(
        "connect", connect, nb::sig("def connect(self, address: " USOCKET_ADDRESS ", /) -> None"),
        "Connects to a remote socket. Non-blocking: OSError(EINPROGRESS); poll for POLLOUT, then ask for SO_ERROR.");
    socket.def("listen", listen, nb::arg() = nb::none(),
               nb::sig("def listen(self, backlog: int | None = None, /) -> None"),
               "Lets the system accept up to backlog connections ahead of accept(); a negative number counts as 0.");
    socket.def("accept", accept, nb::sig("def accept(self) -> tuple[socket, bytes]"),
               "Waits for a connection: (conn, address), where conn is a new, blocking socket.");
    socket.def("_accept_as", accept_as, nb::sig("def _accept_as(self, cls: type, /) -> tuple[socket, bytes]"),
               "accept() that makes conn of a subclass.");
    socket.def("shutdown", shutdown, nb::sig("def shutdown(self, how: int, /) -> None"),
               "Ends one direction or both: SHUT_RD, SHUT_WR or SHUT_RDWR.");
    socket.def("close", close, nb::sig("def close(self) -> None"),
               "Frees all resources; the peer sees EOF, and calls that other threads are in end with OSError(EBADF).");
}

void add_socket_methods(Class& socket) {
    // Of those called often each is overloaded: nanobind's quickest way to a function is without defaults.
    socket.def(
        "sendall", [](Socket& self, Readable& data) { return sendall(self, data, Int()); },
        nb::sig("def sendall(self, bytes: Buffer, /) -> None"), "Sends all of the bytes.");
    socket.def("sendall", sendall, nb::sig("def sendall(self, bytes: Buffer, flags: int, /) -> None"));
    socket.def("sendto", sendto, nb::sig("def sendto(self, bytes: Buffer, address: " USOCKET_ADDRESS ", /) -> int"),
               "Sends to an address; returns how many bytes.");
    socket.def("sendto", sendto_with,
               nb::sig("def sendto(self, bytes: Buffer, flags: int, address: " USOCKET_ADDRESS ", /) -> int"));
    socket.def("sendmsg", sendmsg, nb::arg(), nb::arg() = nb::make_tuple(), nb::arg() = 0, nb::arg() = nb::none(),
               nb::sig("def sendmsg(self, buffers: Iterable[Buffer], ancdata: tuple[()] = (), flags: int = 0, "
                       "address: " USOCKET_ADDRESS " | None = None, /) -> int"),
               "Sends the buffers as one, without ancillary data; returns how many bytes went out.");
    socket.def(
        "recvfrom", [](Socket& self, Int bufsize) { return recvfrom(self, bufsize, Int()); },
        nb::sig("def recvfrom(self, bufsize: int, /) -> tuple[bytes, bytes]"),
        "recv() that also returns the address of the sender: (bytes, address).");
    socket.def("recvfrom", recvfrom, nb::sig("def recvfrom(self, bufsize: int, flags: int, /) -> tuple[bytes, bytes]"));
    socket.def("recv_into", recv_into, nb::arg("buffer"), nb::arg("nbytes") = 0, nb::arg("flags") = 0,
               nb::sig("def recv_into(self, buffer: Buffer, nbytes: int = 0, flags: int = 0) -> int"),
               "recv() into a buffer, at most nbytes or, with 0, all of it; returns how many bytes arrived.");
    socket.def("recvfrom_into", recvfrom_into, nb::arg("buffer"), nb::arg("nbytes") = 0, nb::arg("flags") = 0,
               nb::sig("def recvfrom_into(self, buffer: Buffer, nbytes: int = 0, flags: int = 0) -> tuple[int, bytes]"),
               "recv_into() that also returns the address of the sender: (count, address).");
}

void add_stream_methods(Class& socket) {
    socket.def(
        "read", read, nb::arg() = nb::none(), nb::sig("def read(self, n: int | None = None, /) -> bytes | None"),
        "Reads n bytes, fewer only at EOF, or all until EOF. Non-blocking: what there is, None if that is nothing.");
    socket.def("readinto", readinto, nb::arg(), nb::arg() = nb::none(),
               nb::sig("def readinto(self, buf: Buffer, nbytes: int | None = None, /) -> int | None"),
               "read() into a buffer; returns how many bytes.");
    socket.def("readline", readline, nb::arg() = nb::none(),
               nb::sig("def readline(self, n: int | None = None, /) -> bytes | None"),
               "Reads through the next newline, or n bytes, or to EOF, whichever comes first.");
    socket.def("write", write, nb::arg(), nb::arg() = nb::none(),
               nb::sig("def write(self, buf: Buffer, n: int | None = None, /) -> int | None"),
               "Writes all of buf, or its first n bytes, or n bytes from off on; returns how many. Non-blocking: what\n"
               "the system takes, None if that is nothing.");
    socket.def("write", write_part, nb::arg(), nb::arg(), nb::arg().none(),
               nb::sig("def write(self, buf: Buffer, off: int, n: int | None, /) -> int | None"));
    socket.def("makefile", makefile, nb::arg() = "rb", nb::arg().none() = 0,
               nb::sig("def makefile(self, mode: str = 'rb', buffering: int | None = 0, /) -> Self"),
               "The socket itself, which is a stream; mode is 'rb', 'wb' or 'rwb', buffering is ignored.");
}

// What the classes of io ask a stream beside that.
void add_io_methods(Class& socket) {
    socket.def("read1", read1, nb::arg() = nb::none(),
               nb::sig("def read1(self, n: int | None = None, /) -> bytes | None"),
               "Reads what arrives first, at most n bytes.");
    socket.def("readable", [](const Socket&) { return true; }, "True: a socket can be read from.");
    socket.def("writable", [](const Socket&) { return true; }, "True: a socket can be written to.");
    socket.def("seekable", [](const Socket&) { return false; }, "False: a socket has no position.");
    socket.def("flush", [](const Socket&) {}, "Does nothing: a socket holds back nothing that was written.");
    socket.def_prop_ro("closed", &Socket::closed, "Whether close() or detach() was called.");
}

void add_options(Class& socket) {
    socket.def("settimeout", settimeout, nb::arg().none(),
               nb::sig("def settimeout(self, value: float | None, /) -> None"),
               "How long a call may take, in seconds; then it is OSError(ETIMEDOUT). None: for ever. 0: non-blocking.");
    socket.def("gettimeout", gettimeout, nb::sig("def gettimeout(self) -> float | None"),
               "The timeout in seconds or None.");
    socket.def("setblocking", setblocking, nb::arg().none(), nb::sig("def setblocking(self, flag: object, /) -> None"),
               "True is settimeout(None), False is settimeout(0).");
    socket.def("getblocking", &Socket::getblocking, "False if non-blocking.");
    socket.def("setsockopt", setsockopt_int,
               nb::sig("def setsockopt(self, level: int, optname: int, value: int, /) -> None"),
               "Sets an option of the system's to an int or to bytes.");
    socket.def("setsockopt", setsockopt_bytes,
               nb::sig("def setsockopt(self, level: int, optname: int, value: Buffer, /) -> None"));
    socket.def("getsockopt", getsockopt, nb::arg(), nb::arg(), nb::arg() = 0,
               nb::sig("def getsockopt(self, level: int, optname: int, length: int = 0, /) -> int | bytes"),
               "An option of the system's: an int or, with a length, at most so many bytes.");
}

void add_state(Class& socket) {
    socket.def("getsockname", getsockname, nb::sig("def getsockname(self) -> bytes"), "The socket's own address.");
    socket.def("getpeername", getpeername, nb::sig("def getpeername(self) -> bytes"), "The address of the other end.");
    socket.def("fileno", &Socket::fileno, "The descriptor; -1 if closed.");
    socket.def("detach", detach, nb::sig("def detach(self) -> int"),
               "Closes the socket, but not the descriptor, which it returns.");
    socket.def("dup", dup, nb::sig("def dup(self) -> socket"), "A second socket on the same connection.");
    socket.def("_dup_as", dup_as, nb::sig("def _dup_as(self, cls: type, /) -> socket"), "dup() to a subclass.");
    socket.def_prop_ro("family", &Socket::family, "The address family, AF_*.");
    socket.def_prop_ro("type", &Socket::type, "The type, SOCK_*.");
    socket.def_prop_ro("proto", &Socket::proto, "The protocol, IPPROTO_*.");
    socket.def("__enter__", [](nb::handle self) { return nb::borrow(self); });
    socket.def("__exit__", [](Socket& self, const nb::args&) { close(self); });
    socket.def("__reduce_ex__", refuse_pickling);
}

}  // namespace

void add_socket(nb::module_& module) {
    Class socket(module, "socket", nb::type_slots(slots), nb::is_weak_referenceable(), "A socket that is a stream.");
    auto* type = reinterpret_cast<PyTypeObject*>(socket.ptr());
    dealloc_of_base = std::exchange(type->tp_dealloc, dealloc);
    socket.def("__init__", init, nb::arg() = AF_INET, nb::arg() = int{SOCK_STREAM}, nb::arg() = 0, nb::kw_only(),
               nb::arg("fileno") = nb::none(),
               nb::sig("def __init__(self, af: int = ..., type: int = ..., proto: int = 0, /, *, "
                       "fileno: int | None = None) -> None"),
               "A new socket, or with fileno the owner of a descriptor that somebody else has opened.");
    add_connections(socket);
    add_socket_methods(socket);
    add_stream_methods(socket);
    add_io_methods(socket);
    add_options(socket);
    add_state(socket);

    module.def("socketpair", pair, nb::arg() = AF_UNIX, nb::arg() = int{SOCK_STREAM}, nb::arg() = 0,
               nb::sig("def socketpair(af: int = ..., type: int = ..., proto: int = 0, /) -> tuple[socket, socket]"),
               "Two sockets that are connected to each other.");
    module.def("_socketpair_as", pair_as,
               nb::sig("def _socketpair_as(cls: type, af: int, type: int, proto: int, /) -> tuple[socket, socket]"),
               "socketpair() of a subclass.");
}

}  // namespace usocket::cpython
