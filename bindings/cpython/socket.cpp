// The methods and properties of the class socket (SOCK-1..8, TIME-1..6, STRM-1..7) and socketpair().
#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "address.hpp"
#include "message.hpp"
#include "state.hpp"
#include "tls.hpp"

namespace usocket::cpython {
namespace {

nb::object to_int_object(long value) { return nb::steal(PyLong_FromLong(value)); }
nb::object to_bool(bool value) { return nb::borrow(value ? Py_True : Py_False); }

// --- Making

nb::object pair_of(PyTypeObject* type, const Maybe<SystemInt>& af, const Maybe<SystemInt>& kind, int proto) {
    auto pair = Socket::pair(af.given ? af.value : AF_UNIX, kind.given ? kind.value : int{SOCK_STREAM}, proto);
    if (!pair) return raise(pair.error());
    return tuple_of(make_socket(type, std::move(pair->first)), make_socket(type, std::move(pair->second)));
}

nb::object socketpair(Maybe<SystemInt> af, Maybe<SystemInt> type, Maybe<SystemInt> proto) {
    return pair_of(state().socket_class, af, type, proto.value);
}

nb::object _socketpair_as(SocketClass cls, Maybe<SystemInt> af, Maybe<SystemInt> type, Maybe<SystemInt> proto) {
    return pair_of(cls.type, af, type, proto.value);
}

nb::object _dup_as(Socket& self, SocketClass cls) {
    auto copy = self.dup();
    return copy ? make_socket(cls.type, std::move(*copy)) : raise(copy.error());
}

nb::object dup(Socket& self) { return _dup_as(self, {state().socket_class}); }

// --- Connections

nb::object _accept_as(const Faced& self, SocketClass cls) {
    auto accepted = self.socket.accept(Call(host()));
    if (!accepted) return raise(accepted.error());
    const auto address = shown(self.object, accepted->address);
    return tuple_of(make_socket(cls.type, std::move(accepted->socket)), address);
}

nb::object accept(const Faced& self) { return _accept_as(self, {state().socket_class}); }

// CPython's, which its subclasses call.
nb::object _accept(const Faced& self) {
    auto accepted = self.socket.accept(Call(host()));
    if (!accepted) return raise(accepted.error());
    const auto address = shown(self.object, accepted->address);
    const auto result = tuple_of(to_int_object(accepted->socket.fileno()), address);
    if (!result.is_valid()) return {};
    const auto fd = accepted->socket.detach();
    return fd ? result : raise(fd.error());
}

nb::object _hand_over(Socket& self, Anything make) { return hand_over(self, make.object); }

nb::object bind(Socket& self, Anything address) {
    Address native;
    if (!to_address(self.family(), address.object, native)) return {};
    return none_or_raise(self.bind(native));
}

nb::object connect(Socket& self, Anything address) {
    Address native;
    if (!to_address(self.family(), address.object, native)) return {};
    return none_or_raise(self.connect(native, Call(host())));
}

nb::object listen(Socket& self, Maybe<OptionalInt> backlog) {
    if (!backlog.value) return none_or_raise(self.listen());
    const auto number = arguments::backlog(*backlog.value);
    return number ? none_or_raise(self.listen(*number)) : raise(number.error(), backlog.object);
}

nb::object shutdown(Socket& self, SystemInt how) { return none_or_raise(self.shutdown(how.value, Call(host()))); }

nb::object close(Socket& self) {
    close_socket(self);
    return nb::none();
}

// --- Socket methods: what is sent

nb::object send(Socket& self, const Sendable& bytes, Maybe<SystemInt> flags) {
    return size_or_raise(self.send(bytes, flags.value, Call(host())));
}

nb::object sendall(Socket& self, const Sendable& bytes, Maybe<SystemInt> flags) {
    return none_or_raise(self.sendall(bytes, flags.value, Call(host())));
}

constexpr char usage_of_sendto[] = "sendto(bytes[, flags], address)";

nb::object send_to(Socket& self, const Readable& bytes, int flags, nb::handle address) {
    Address native;
    if (!to_address(self.family(), address, native)) return {};
    return size_or_raise(self.sendto(bytes, native, flags, Call(host())));
}

nb::object sendto(Socket& self, const Sendable& bytes, Anything second, Maybe<Anything> third) {
    if (!third.given) return send_to(self, bytes, 0, second.object);
    SystemInt flags;
    if (flags.set(second.object)) return send_to(self, bytes, flags.value, third.object);
    const bool is_host = PyUnicode_Check(second.object.ptr()) && PyLong_Check(third.object.ptr());
    if (is_host)
        PyErr_Format(PyExc_TypeError, "%s: host and port are one, a tuple (host, port)", usage_of_sendto);
    else
        wrong_type(usage_of_sendto, 2, flags.kind, second.object);
    return {};
}

// --- Socket methods: what is received

// Makes room for what recv(bufsize) and recvfrom(bufsize) fill. False: the Python error is set.
bool make_room(BytesSink& bytes, std::size_t size) {
    const bool has_room = bytes.sink().reserve(size);
    if (!has_room) PyErr_NoMemory();
    return has_room;
}

// With MSG_TRUNC the system counts more than there is room for.
nb::object take(BytesSink& bytes, std::size_t size) {
    bytes.sink().set_size(std::min(size, bytes.sink().capacity()));
    return bytes.take();
}

// To the system a message is received even where there is no room for any of it. CPython does not ask the system then,
// nor do classes that say `_skips_empty = True` (COMPAT-1).
bool is_skipped(const Faced& self, std::size_t size) {
    return size == 0 && !self.socket.closed() && class_says(self.object, "_skips_empty");
}

nb::object recv(const Faced& self, BufferSize bufsize, Maybe<SystemInt> flags) {
    BytesSink bytes;
    if (is_skipped(self, bufsize.value)) return bytes.take();
    if (!make_room(bytes, bufsize.value)) return {};
    const auto size = self.socket.recv_into(bytes.sink().room(), flags.value, Call(host()));
    return size ? take(bytes, *size) : raise(size.error());
}

nb::object recvfrom(Socket& self, BufferSize bufsize, Maybe<SystemInt> flags) {
    BytesSink bytes;
    if (!make_room(bytes, bufsize.value)) return {};
    Address from;
    const auto size = self.recvfrom_into(bytes.sink().room(), from, flags.value, Call(host()));
    return size ? tuple_of(take(bytes, *size), to_python(from)) : raise(size.error());
}

nb::object recv_into(const Faced& self, const Writable& buffer, Maybe<Int> nbytes, Maybe<SystemInt> flags) {
    const auto part = arguments::recv_part(buffer, nbytes.value);
    if (!part) return raise(part.error(), nbytes.object);
    if (is_skipped(self, part->size())) return to_int_object(0);
    return size_or_raise(self.socket.recv_into(*part, flags.value, Call(host())));
}

nb::object recvfrom_into(Socket& self, const Writable& buffer, Maybe<Int> nbytes, Maybe<SystemInt> flags) {
    const auto part = arguments::recv_part(buffer, nbytes.value);
    if (!part) return raise(part.error(), nbytes.object);
    Address from;
    const auto size = self.recvfrom_into(*part, from, flags.value, Call(host()));
    return size ? tuple_of(nb::steal(PyLong_FromSize_t(*size)), to_python(from)) : raise(size.error());
}

// --- Stream methods

nb::object read(Socket& self, Maybe<Limit> n) {
    BytesSink bytes;
    const auto done = self.read_to(bytes.sink(), n.value, Call(host()));
    return done ? bytes.take() : raise_or_none(done.error());
}

nb::object readline(Socket& self, Maybe<Limit> n) {
    BytesSink bytes;
    const auto done = self.readline_to(bytes.sink(), n.value, Call(host()));
    return done ? bytes.take() : raise_or_none(done.error());
}

nb::object readinto(Socket& self, const Writable& buf, Maybe<OptionalInt> nbytes) {
    const auto part = arguments::read_part(buf, nbytes.value);
    if (!part) return raise(part.error(), nbytes.object);
    const auto size = self.readinto(*part, Call(host()));
    return size ? size_or_raise(size) : raise_or_none(size.error());
}

constexpr char usage_of_write[] = "write(buf[, off][, n])";

nb::object write(Socket& self, const Sendable& buf, Maybe<OptionalInt> off_or_n, Maybe<OptionalInt> n) {
    const OptionalInt off = n.given ? off_or_n : OptionalInt{0, {}};
    const OptionalInt& count = n.given ? n : off_or_n;
    if (!off.value) {
        wrong_type(usage_of_write, 2, an_int, off.object);
        return {};
    }
    const auto part = arguments::write_part(buf, *off.value, count.value);
    if (!part) return raise(part.error(), *off.value < 0 ? off.object : count.object);
    std::size_t sent = 0;
    const auto size = self.write(*part, sent, Call(host()));
    // Also where SO_SNDTIMEO has expired: the count must not be lost.
    const bool is_short = size.error() == Error(EAGAIN) && sent != 0;
    return size || is_short ? nb::steal(PyLong_FromSize_t(sent)) : raise_or_none(size.error());
}

// Only to be known (STRM-6).
struct Mode {
    static constexpr const char* kind = "a str";

    [[nodiscard]] bool set(nb::handle from) {
        std::string_view chars;
        if (!PyUnicode_Check(from.ptr()) || !utf8_of(from, chars)) return false;
        const auto known = arguments::makefile_mode(chars);
        if (!known) raise(known.error(), from);
        return known.has_value();
    }
};

PyObject* makefile(PyObject* self, PyObject* const* given, Py_ssize_t count) {
    Converted<Maybe<Mode>, Maybe<OptionalInt>> converted;
    if (!converted.set("makefile(mode='rb', buffering=0)", self, given, count)) return nullptr;
    const InUse socket(self);
    if ((*socket).closed()) return raise(Error(EBADF)).release().ptr();
    return Py_NewRef(self);
}

// One receive's worth, for io.TextIOWrapper, which otherwise would wait for more.
nb::object read1(Socket& self, Maybe<OptionalInt> n) {
    constexpr std::int64_t usual = 8192;
    const auto size = arguments::bufsize(n.value && *n.value != -1 ? *n.value : usual);
    if (!size) return raise(size.error(), n.object);
    BytesSink bytes;
    if (!make_room(bytes, *size)) return {};
    const auto got = self.recv_into(bytes.sink().room(), 0, Call(host()));
    return got ? take(bytes, *got) : raise_or_none(got.error());
}

nb::object readable(Socket&) { return to_bool(true); }
nb::object writable(Socket&) { return to_bool(true); }
nb::object seekable(Socket&) { return to_bool(false); }
nb::object flush(Socket&) { return nb::none(); }

// --- Options

nb::object settimeout(Socket& self, OptionalNumber value) {
    if (!value.value) return none_or_raise(self.settimeout(Timeout::none()));
    const auto timeout = Timeout::from_seconds(*value.value);
    return timeout ? none_or_raise(self.settimeout(*timeout)) : raise(timeout.error(), value.object);
}

nb::object gettimeout(Socket& self) {
    const Timeout timeout = self.gettimeout();
    return timeout.is_none() ? nb::none() : nb::steal(PyFloat_FromDouble(timeout.seconds()));
}

nb::object setblocking(Socket& self, Truth flag) { return none_or_raise(self.setblocking(flag.value)); }
nb::object getblocking(Socket& self) { return to_bool(self.getblocking()); }

struct OptionValue {
    static constexpr const char* kind = "an int or a bytes-like object";
    SystemInt number;
    Readable bytes;
    bool is_number = false;

    [[nodiscard]] bool set(nb::handle from) {
        is_number = !PyObject_CheckBuffer(from.ptr());
        return is_number ? number.set(from) : bytes.set(from);
    }
};

nb::object setsockopt(Socket& self, SystemInt level, SystemInt optname, const OptionValue& value) {
    if (value.is_number) return none_or_raise(self.setsockopt(level.value, optname.value, value.number.value));
    return none_or_raise(self.setsockopt(level.value, optname.value, ConstBuffer(value.bytes)));
}

// CPython's form with four arguments, for usocket.compat: a null pointer of some length, as some options want it.
nb::object _setsockopt_null(Socket& self, SystemInt level, SystemInt optname, Int optlen) {
    const auto length = arguments::bufsize(optlen.value);
    if (!length) return raise(length.error(), optlen.object);
    return none_or_raise(self.setsockopt(level.value, optname.value, ConstBuffer(nullptr, *length)));
}

nb::object getsockopt(Socket& self, SystemInt level, SystemInt optname, Maybe<Int> length) {
    const auto size = arguments::option_length(length.value);
    if (!size) return raise(size.error(), length.object);
    if (*size == 0) {
        const auto value = self.getsockopt(level.value, optname.value);
        return value ? to_int_object(*value) : raise(value.error());
    }
    BytesSink bytes;
    if (!make_room(bytes, *size)) return {};
    const auto got = self.getsockopt(level.value, optname.value, bytes.sink().room());
    return got ? take(bytes, *got) : raise(got.error());
}

// --- What it is

nb::object address_or_raise(const Result<Address>& address) {
    return address ? to_python(*address) : raise(address.error());
}

nb::object getsockname(Socket& self) { return address_or_raise(self.getsockname()); }
nb::object getpeername(Socket& self) { return address_or_raise(self.getpeername()); }
nb::object fileno(Socket& self) { return to_int_object(self.fileno()); }

nb::object detach(Socket& self) {
    const auto fd = self.detach();
    return fd ? to_int_object(*fd) : raise(fd.error());
}

// --- Special methods

PyObject* enter(PyObject* self, PyObject*) { return Py_NewRef(self); }

PyObject* exit(PyObject* self, PyObject* const*, Py_ssize_t) {
    const InUse socket(self);
    return close(*socket).release().ptr();
}

PyObject* reduce(PyObject* self, PyObject*) {
    return PyErr_Format(PyExc_TypeError,
                        "cannot pickle '%S' object, nor copy it; dup() makes another on the same connection",
                        name_of_type(self).ptr());
}

// --- The tables

#define USOCKET_ADDRESS_TEXT "a native address, (host, port), (host, port, flowinfo, scopeid) or a path of AF_UNIX"

PyMethodDef methods[] = {
    USOCKET_METHOD(bind, "address", "Binds the socket to its own address:\n" USOCKET_ADDRESS_TEXT "."),
    USOCKET_METHOD(connect, "address",
                   "Connects to a remote socket:\n" USOCKET_ADDRESS_TEXT ".\n"
                   "Non-blocking: OSError(EINPROGRESS); poll for POLLOUT, then ask for SO_ERROR."),
    USOCKET_METHOD(
        listen, "backlog=None",
        "Lets the system accept up to backlog connections ahead of accept(); a negative number counts as 0."),
    USOCKET_METHOD_WITHOUT(accept, "Waits for a connection: (conn, address), where conn is a new, blocking socket."),
    USOCKET_METHOD(_accept_as, "cls", "accept() that makes conn of a subclass."),
    USOCKET_METHOD_LOOKING_WITHOUT(_accept, close_of_accept,
                                   "accept() with a descriptor, which is the caller's to close, in the place of conn."),
    USOCKET_METHOD(_hand_over, "make",
                   "detach(), and make(descriptor), which is returned. The descriptor is closed if that fails."),
    USOCKET_METHOD(shutdown, "how", "Ends one direction or both: SHUT_RD, SHUT_WR or SHUT_RDWR."),
    USOCKET_METHOD_WITHOUT(close,
                           "Frees all resources; the peer sees EOF, and calls that other threads are in end with\n"
                           "OSError(EBADF)."),

    USOCKET_METHOD(send, "bytes, flags=0",
                   "Sends what the system takes; returns how many bytes that was. A str goes out as UTF-8."),
    USOCKET_METHOD(sendall, "bytes, flags=0", "Sends all of the bytes. A str goes out as UTF-8."),
    {"sendto", as_c_function(Method<usage_of_sendto, sendto>::call), METH_FASTCALL,
     "sendto($self, bytes, flags_or_address, address=..., /)\n--\n\n"
     "sendto(bytes, address) and sendto(bytes, flags, address) send to an address; returns how many bytes.\n"
     "A str goes out as UTF-8."},
    USOCKET_METHOD(sendmsg, "buffers, ancdata=(), flags=0, address=None",
                   "Sends the buffers as one, without joining them, with ancillary data beside them:\n"
                   "(level, type, data) each. Returns how many bytes of the buffers went out."),
    USOCKET_METHOD_LOOKING(
        recvmsg, "bufsize, ancbufsize=0, flags=0", close_of_message,
        "recv() with what came beside the data: (bytes, [(level, type, data), ...], flags, address).\n"
        "Descriptors in it are close-on-exec, and the caller's to close."),
    USOCKET_METHOD_LOOKING(recvmsg_into, "buffers, ancbufsize=0, flags=0", close_of_message,
                           "recvmsg() into the buffers, filled one after the other: (count, ancdata, flags, address)."),
    USOCKET_METHOD(sendfile, "file, offset=0, count=None",
                   "Sends count bytes of a regular file from offset on, or all to its end; returns how many.\n"
                   "The file's own position stays as it is."),
    USOCKET_METHOD(recv, "bufsize, flags=0", "Receives at most bufsize bytes; none means that the peer has shut down."),
    USOCKET_METHOD(recvfrom, "bufsize, flags=0",
                   "recv() that also returns the address of the sender: (bytes, address)."),
    USOCKET_METHOD_WITH_KEYWORDS(
        recv_into, "buffer, nbytes=0, flags=0",
        "recv() into a buffer, at most nbytes or, with 0, all of it; returns how many bytes arrived."),
    USOCKET_METHOD_WITH_KEYWORDS(recvfrom_into, "buffer, nbytes=0, flags=0",
                                 "recv_into() that also returns the address of the sender: (count, address)."),

    USOCKET_METHOD(read, "n=None",
                   "Reads n bytes, fewer only at EOF, or all until EOF. Non-blocking: what there is, None if that is\n"
                   "nothing."),
    USOCKET_METHOD(readinto, "buf, nbytes=None", "read() into a buffer; returns how many bytes."),
    USOCKET_METHOD(readline, "n=None", "Reads through the next newline, or n bytes, or to EOF, whichever comes first."),
    {"write", as_c_function(Method<usage_of_write, write>::call), METH_FASTCALL,
     "write($self, buf, off_or_n=None, n=..., /)\n--\n\n"
     "write(buf), write(buf, n) and write(buf, off, n): all of buf, or its first n bytes, or n bytes from off on;\n"
     "returns how many. Non-blocking: what the system takes, None if that is nothing. A str goes out as UTF-8."},
    {"makefile", as_c_function(makefile), METH_FASTCALL,
     "makefile($self, mode='rb', buffering=0, /)\n--\n\n"
     "The socket itself, which is a stream; mode is 'rb', 'wb' or 'rwb', buffering is ignored."},

    // What the classes of io ask a stream beside that.
    USOCKET_METHOD(read1, "n=None", "Reads what arrives first, at most n bytes."),
    USOCKET_METHOD_WITHOUT(readable, "True: a socket can be read from."),
    USOCKET_METHOD_WITHOUT(writable, "True: a socket can be written to."),
    USOCKET_METHOD_WITHOUT(seekable, "False: a socket has no position."),
    USOCKET_METHOD_WITHOUT(flush, "Does nothing: a socket holds back nothing that was written."),

    USOCKET_METHOD(settimeout, "value",
                   "How long a call may take, in seconds; then it is OSError(ETIMEDOUT). None: for ever. 0:\n"
                   "non-blocking."),
    USOCKET_METHOD_WITHOUT(gettimeout, "The timeout in seconds or None."),
    USOCKET_METHOD(setblocking, "flag", "True is settimeout(None), False is settimeout(0)."),
    USOCKET_METHOD_WITHOUT(getblocking, "False if non-blocking."),
    USOCKET_METHOD(setsockopt, "level, optname, value", "Sets an option of the system's to an int or to bytes."),
    USOCKET_METHOD(_setsockopt_null, "level, optname, optlen", "Sets it to a null pointer of a length."),
    USOCKET_METHOD(getsockopt, "level, optname, length=0",
                   "An option of the system's: an int or, with a length, at most so many bytes."),

    USOCKET_METHOD_WITHOUT(getsockname, "The socket's own address."),
    USOCKET_METHOD_WITHOUT(getpeername, "The address of the other end."),
    USOCKET_METHOD_WITHOUT(fileno, "The descriptor; -1 if closed."),
    USOCKET_METHOD_WITHOUT(detach, "Closes the socket, but not the descriptor, which it returns."),
    USOCKET_METHOD_WITHOUT(dup, "A second socket on the same connection."),
    USOCKET_METHOD(_dup_as, "cls", "dup() to a subclass."),

    // Of a socket that ussl has wrapped.
    USOCKET_METHOD_WITHOUT(do_handshake,
                           "Agrees with the peer, if no call has done so yet. Non-blocking: OSError(EAGAIN)."),
    USOCKET_METHOD_WITHOUT(version, "'TLSv1.2' or 'TLSv1.3'."),
    USOCKET_METHOD_WITHOUT(cipher, "(the cipher suite's name, the version)."),
    USOCKET_METHOD_WITHOUT(selected_alpn_protocol, "The protocol that ALPN has chosen, or None."),
    USOCKET_METHOD(getpeercert, "binary_form=False",
                   "With True the peer's certificate in DER, or None if it has shown none."),
    USOCKET_METHOD_WITHOUT(tls_session,
                           "What wrap_socket(session=...) of a later connection to the same peer takes. Keep it\n"
                           "secret. Empty: there is none; with TLS 1.3 it comes with the first bytes that are read."),
    USOCKET_METHOD_WITHOUT(session_reused, "Whether this connection has taken one up."),

    {"__enter__", enter, METH_NOARGS, "__enter__($self, /)\n--\n\nThe socket itself."},
    {"__exit__", as_c_function(exit), METH_FASTCALL,
     "__exit__($self, kind, value, traceback, /)\n--\n\nCloses the socket."},
    {"__reduce_ex__", reduce, METH_O, "__reduce_ex__($self, protocol, /)\n--\n\nTypeError: a socket is not pickled."},
    {nullptr, nullptr, 0, nullptr},
};

template <auto member> PyObject* get(PyObject* self, void*) {
    const InUse socket(self);
    return PyLong_FromLong(((*socket).*member)());
}

PyObject* get_closed(PyObject* self, void*) {
    const InUse socket(self);
    return to_bool((*socket).closed()).release().ptr();
}

PyObject* get_is_wrapped(PyObject* self, void*) {
    const InUse socket(self);
    return to_bool((*socket).is_wrapped()).release().ptr();
}

PyGetSetDef properties[] = {
    {"_is_wrapped", get_is_wrapped, nullptr, "Whether ussl has put TLS on it.", nullptr},
    {"closed", get_closed, nullptr, "Whether close() or detach() was called.", nullptr},
    {"family", get<&Socket::family>, nullptr, "The address family, AF_*.", nullptr},
    {"type", get<&Socket::type>, nullptr, "The type, SOCK_*.", nullptr},
    {"proto", get<&Socket::proto>, nullptr, "The protocol, IPPROTO_*.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMethodDef functions[] = {
    USOCKET_FUNCTION(socketpair, "af=..., type=..., proto=0", "Two sockets that are connected to each other."),
    USOCKET_FUNCTION(_socketpair_as, "cls, af, type, proto", "socketpair() of a subclass."),
    USOCKET_FUNCTION_LOOKING(
        recv_fds, "sock, bufsize, maxfds, flags=0", close_of_list,
        "Receives up to bufsize bytes and maxfds descriptors: (data, descriptors, flags, address)."),
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

bool add_socket(nb::module_& module) {
    PyObject* made = make_socket_class(module, methods, properties);
    return made != nullptr && PyModule_AddObjectRef(module.ptr(), "socket", made) == 0 &&
           PyModule_AddFunctions(module.ptr(), functions) == 0;
}

}  // namespace usocket::cpython
