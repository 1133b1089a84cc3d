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
    {"", EBADF, "the socket is closed"},
    {" bind ", EADDRINUSE, "another socket has this port; port 0 takes a free one"},
    {" bind ", EADDRNOTAVAIL, "this is not an address of this machine; the host \"\" stands for all that it has"},
    {" bind ", EACCES, "ports below 1024 are the administrator's"},
    {" bind ", EINVAL, "a socket is bound once, before it connects or listens"},
    {" listen ", EOPNOTSUPP, "only a stream socket listens"},
    {" accept ", EINVAL, "listen() comes before accept()"},
    {" accept ", EOPNOTSUPP, "only a stream socket that listens has connections to accept"},
    {" connect ", ECONNREFUSED, "nothing listens there"},
    {" connect ", EISCONN, "a stream socket connects once; make a new one"},
    {" connect ", EINPROGRESS, "non-blocking: poll for POLLOUT, then ask for SO_ERROR"},
    {receiving, ENOTCONN, "connect() comes first; where a socket listens, receive from what accept() returns"},
    {sending, ENOTCONN, "connect() comes first"},
    {sending, EPIPE, "the other end has closed the connection, or there has been no connect()"},
    {sending, EDESTADDRREQ, "connect() comes first, or sendto() says where to"},
    {sending, EMSGSIZE, "one datagram does not hold so much"},
    {" sendto ", EMSGSIZE, "one datagram does not hold so much"},
    {" sendto ", EACCES, "to broadcast, set SO_BROADCAST first"},
    {" shutdown ", EINVAL, "how is SHUT_RD, SHUT_WR or SHUT_RDWR"},
    {" getpeername shutdown ", ENOTCONN, "connect() comes first"},
    {" setsockopt getsockopt ", ENOPROTOOPT, "this level has no such option"},
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

// What is found out by a look at the argument.
const char* hint_of_argument(string_view method, int code, nb::handle argument) noexcept {
    const bool is_refused = code == EINVAL || code == EAFNOSUPPORT;
    if (is_refused && has(addressed, method) && PyBytes_CheckExact(argument.ptr()))
        return "bytes are a native address, as getaddrinfo() returns it; what people write is a tuple, (host, port)";
    string_view host;
    if (method != "getaddrinfo" || !PyUnicode_Check(argument.ptr()) || !utf8_of(argument, host)) return nullptr;
    if (host.find("://") != string_view::npos) return "this is a URL: the host is what stands between '//' and '/'";
    const auto colon = host.find(':');
    if (colon != string_view::npos && colon == host.rfind(':')) return "the port is the next argument";
    return nullptr;
}

const char* hint_of(string_view method, int code) noexcept {
    const auto* const hint = std::find_if(std::begin(hints), std::end(hints), [&](const Hint& one) {
        return one.code == code && (one.methods.empty() || has(one.methods, method));
    });
    return hint == std::end(hints) ? nullptr : hint->text;
}

// Null: none, or there is no memory for it.
nb::object text_of(string_view method, int code, PyObject* const* given, Py_ssize_t count) noexcept {
    const bool has_address = has(addressed, method) && code != EBADF && count > 0;
    const nb::handle argument = count == 0 ? nullptr : given[has_address ? count - 1 : 0];
    const char* hint = argument.is_valid() ? hint_of_argument(method, code, argument) : nullptr;
    if (hint == nullptr) hint = hint_of(method, code);
    if (!has_address) return hint != nullptr ? nb::steal(PyUnicode_FromString(hint)) : nb::object();
    const bool is_native = PyBytes_Check(argument.ptr()) && !PyBytes_CheckExact(argument.ptr());
    auto address = nb::steal(is_native ? python<PyObject_Str>(argument.ptr()) : python<PyObject_Repr>(argument.ptr()));
    if (!address.is_valid() || hint == nullptr) return address;
    return nb::steal(python<PyUnicode_FromFormat>("%U (%s)", address.ptr(), hint));
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
