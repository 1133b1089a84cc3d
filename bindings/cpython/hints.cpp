#include "hints.hpp"

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "usocket/constants.hpp"

namespace usocket::cpython {
namespace {

using std::string_view;

// Of these methods, with a blank around each; empty: of all.
struct Hint {
    string_view methods;
    int code;
    const char* text;
};

constexpr string_view addressed = " bind connect sendto ";
constexpr string_view receiving =
    " recv recv_into recvfrom recvfrom_into recvmsg recvmsg_into read read1 readinto readline ";
constexpr string_view sending = " send sendall sendmsg sendfile write ";

constexpr Hint hints[] = {
    {" socket ", EAFNOSUPPORT, "the system has no such family"},
    {" socket ", EINVAL, "this family has no such type or protocol"},
    {" socket ", EPROTONOSUPPORT, "this type has no such protocol"},
    {" socket ", ESOCKTNOSUPPORT, "this family has no such type"},
    {" socket register select ", EBADF, "it is not open"},
    {" socket ", ENOTSOCK, "this descriptor is something else's"},
    {"", EBADF, "the socket is closed"},
    {" bind ", EADDRINUSE, "another socket has this port; port 0 takes a free one"},
    {" bind ", EADDRNOTAVAIL, "this is not an address of this machine; the host \"\" stands for all that it has"},
    {" bind ", EACCES, "ports below 1024 are the administrator's"},
    {" bind ", EINVAL, "a socket is bound once, before it connects or listens"},
    {" listen ", EOPNOTSUPP, "only a stream socket listens"},
    {" accept ", EINVAL, "listen() comes before accept()"},
    {" accept ", EOPNOTSUPP, "only a stream socket that listens has connections to accept"},
    {" connect ", ECONNREFUSED, "nothing listens there"},
    {" connect ", EISCONN, "a stream socket connects once, and one that listens never; make a new one"},
    {" connect ", EINPROGRESS, "non-blocking: poll for POLLOUT, then ask for SO_ERROR"},
    {" next ", ENOTCONN, "a socket yields the lines of its peer, so connect() comes first"},
    {receiving, ENOTCONN, "connect() comes first; where a socket listens, receive from what accept() returns"},
    {sending, ENOTCONN, "connect() comes first"},
    {" sendto ", EPIPE, "a stream socket connects first, and then sends without an address"},
    {sending, EPIPE, "the other end has closed the connection, or there has been no connect()"},
    {sending, EDESTADDRREQ, "connect() comes first, or sendto() says where to"},
    {" sendmsg ", EMSGSIZE, "one datagram does not hold so much, or not in so many pieces"},
    {" recvmsg_into ", EMSGSIZE, "the system fills fewer pieces with one datagram"},
    {sending, EMSGSIZE, "one datagram does not hold so much"},
    {" sendto ", EMSGSIZE, "one datagram does not hold so much"},
    {" sendto ", EACCES, "to broadcast, set SO_BROADCAST first"},
    {" shutdown ", EINVAL, "how is SHUT_RD, SHUT_WR or SHUT_RDWR"},
    {" getpeername shutdown ", ENOTCONN, "connect() comes first"},
    {" setsockopt getsockopt ", ENOPROTOOPT,
     "this level has no such option; the level comes first, as in (SOL_SOCKET, SO_REUSEADDR, 1)"},
    {" inet_pton ", EINVAL, "numeric addresses only, and of this family"},
    {" modify ", ENOENT, "register() comes first"},
};

bool has(string_view methods, string_view method) noexcept {
    const auto found = methods.find(method);
    return found != string_view::npos && methods[found - 1] == ' ' && methods[found + method.size()] == ' ';
}

// What stands before the bracket; "accept" for "_accept_as(cls)".
string_view method_of(string_view usage) noexcept {
    usage = usage.substr(0, usage.find('('));
    if (!usage.starts_with('_')) return usage;
    return usage.substr(1, usage.rfind('_') - 1);
}

// (family, data) of a family of which neither the core nor CPython knows the form.
bool is_apart(nb::handle address) noexcept {
    if (!PyTuple_Check(address.ptr()) || tuple_size(address) != 2 || !PyBytes_Check(tuple_item(address, 1)))
        return false;
    const nb::handle family = tuple_item(address, 0);
    return PyLong_Check(family.ptr()) && PyLong_AsLong(family.ptr()) != AF_UNIX;
}

// What is found out by a look at the argument.
const char* hint_of_address(int code, nb::handle address) noexcept {
    const bool is_refused = code == EINVAL || code == EAFNOSUPPORT;
    if (is_refused && PyBytes_CheckExact(address.ptr()))
        return "bytes are a native address, as getaddrinfo() returns it; what people write is a tuple, (host, port)";
    if (code == EINVAL && is_apart(address))
        return "the data is what follows the family in the system's own struct, all of it, and names what there is";
    if (code == EADDRINUSE && PyUnicode_Check(address.ptr()))
        return "the file is there already; if no server uses it any more, remove it first";
    const bool has_port = code == ECONNREFUSED && PyTuple_Check(address.ptr()) && tuple_size(address) > 1;
    const nb::handle port = has_port ? tuple_item(address, 1) : nullptr;
    const bool is_zero = has_port && PyLong_Check(port.ptr()) && PyLong_AsLong(port.ptr()) == 0;
    return is_zero ? "port 0 is for bind(), and getsockname() then says which one that is" : nullptr;
}

const char* hint_of_name(int code, nb::handle host) noexcept {
    if (code == EAI_SERVICE) return "the port is a number, or a service that this system knows by name and type";
    string_view chars;
    if (!PyUnicode_Check(host.ptr()) || !utf8_of(host, chars)) return nullptr;
    if (chars.empty()) return "None stands for this machine";
    return hint_of_host(chars);
}

const char* hint_of(string_view method, int code) noexcept {
    const auto* const hint = std::find_if(std::begin(hints), std::end(hints), [&](const Hint& one) {
        return one.code == code && (one.methods.empty() || has(one.methods, method));
    });
    return hint == std::end(hints) ? nullptr : hint->text;
}

// The argument that the system found fault with, which the text then shows; null: none.
nb::handle culprit(string_view method, int code, PyObject* const* given, Py_ssize_t count) noexcept {
    if (count == 0 || code == EBADF) return nullptr;
    if (has(addressed, method)) return given[count - 1];
    if (method != "getaddrinfo" || code > 0) return nullptr;
    return given[code == EAI_SERVICE && count > 1 ? 1 : 0];
}

// Null: none, or there is no memory for it.
nb::object text_of(string_view method, int code, PyObject* const* given, Py_ssize_t count) noexcept {
    const nb::handle argument = culprit(method, code, given, count);
    const char* hint = nullptr;
    if (argument.is_valid()) hint = code < 0 ? hint_of_name(code, argument) : hint_of_address(code, argument);
    if (hint == nullptr) hint = hint_of(method, code);
    if (!argument.is_valid()) return hint != nullptr ? nb::steal(PyUnicode_FromString(hint)) : nb::object();
    const bool is_native = PyBytes_Check(argument.ptr()) && !PyBytes_CheckExact(argument.ptr());
    auto shown = nb::steal(is_native ? python<PyObject_Str>(argument.ptr()) : python<PyObject_Repr>(argument.ptr()));
    if (!shown.is_valid() || hint == nullptr) return shown;
    return nb::steal(python<PyUnicode_FromFormat>("%U (%s)", shown.ptr(), hint));
}

// Lets `error`, an OSError of ours, say it.
void add_hint(nb::handle error, string_view method, PyObject* const* given, Py_ssize_t count) noexcept {
    const auto number = nb::steal(python<PyObject_GetAttrString>(error.ptr(), "errno"));
    const auto words = nb::steal(python<PyObject_GetAttrString>(error.ptr(), "strerror"));
    if (!number.is_valid() || !words.is_valid() || !PyLong_Check(number.ptr())) return;
    const auto hint = text_of(method, static_cast<int>(PyLong_AsLong(number.ptr())), given, count);
    if (!hint.is_valid()) return;
    const auto text = nb::steal(python<PyUnicode_FromFormat>("%S: %U", words.ptr(), hint.ptr()));
    if (text.is_valid()) (void)python<PyObject_SetAttrString>(error.ptr(), "strerror", text.ptr());
}

// Takes the exception that is set.
nb::object raised() noexcept {
#if PY_VERSION_HEX >= 0x030c0000
    return nb::steal(PyErr_GetRaisedException());
#else
    PyObject *type = nullptr, *error = nullptr, *traceback = nullptr;
    PyErr_Fetch(&type, &error, &traceback);
    python<PyErr_NormalizeException>(&type, &error, &traceback);
    if (traceback != nullptr) PyException_SetTraceback(error, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return nb::steal(error);
#endif
}

}  // namespace

const char* hint_of_host(string_view host) noexcept {
    if (host.find("://") != string_view::npos) return "this is a URL: the host is what stands between '//' and '/'";
    if (host.starts_with('[')) return "the brackets are no part of the host";
    const auto colon = host.find(':');
    return colon != string_view::npos && colon == host.rfind(':') ? "the port stands by itself, behind the host"
                                                                  : nullptr;
}

PyObject* hinted(const char* usage, PyObject* const* given, Py_ssize_t count) noexcept {
    const string_view method = method_of(usage);
    if (PyErr_ExceptionMatches(PyExc_OSError) == 0) return nullptr;
    // No hint is worth the time of those who ask again and again.
    if (PyErr_ExceptionMatches(PyExc_BlockingIOError) != 0 && method != "connect") return nullptr;
    const auto error = raised();
    if (!error.is_valid()) return nullptr;
    // What a handler of the program's has raised has been through Python code, and has a traceback.
    if (!nb::steal(PyException_GetTraceback(error.ptr())).is_valid()) {
        add_hint(error, method, given, std::find(given, given + count, nullptr) - given);
        PyErr_Clear();
    }
    python<PyErr_SetObject>(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
    return nullptr;
}

}  // namespace usocket::cpython
