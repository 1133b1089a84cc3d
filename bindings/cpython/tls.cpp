// The class of contexts for TLS, wrapping a socket, and what a wrapped one says (TLS-1, TLS-7).
#include "tls.hpp"

#include <atomic>
#include <cerrno>
#include <new>

#include "tls/library.hpp"

namespace usocket {

// Of usocket._tls; set before there is a context, by each thread to the same.
static std::atomic<const cpython::TlsLibrary*> library = nullptr;

Result<TlsContext> TlsContext::make() noexcept { return library.load()->make(); }
TlsContext::~TlsContext() {
    if (context_ != nullptr) library.load()->end(*this);
}
Result<void> TlsContext::set_cert_key(ConstBuffer cert, ConstBuffer key) noexcept {
    return library.load()->set_cert_key(*this, cert, key);
}
Result<void> TlsContext::load_verify_locations(ConstBuffer certificates) noexcept {
    return library.load()->load_verify_locations(*this, certificates);
}
Result<void> TlsContext::set_cert_reqs(CertReqs reqs) noexcept { return library.load()->set_cert_reqs(*this, reqs); }
Result<void> TlsContext::set_alpn_protocols(std::string_view protocols) noexcept {
    return library.load()->set_alpn_protocols(*this, protocols);
}

}  // namespace usocket

namespace usocket::cpython {
namespace {

struct ContextObject {
    PyObject_HEAD TlsContext context;
};

TlsContext& context_of(PyObject* object) noexcept { return reinterpret_cast<ContextObject*>(object)->context; }

class ContextInUse {
public:
    ContextInUse(PyObject* object, PyObject* argument) noexcept
        : exclusive_(object, argument), context_(context_of(object)) {}
    [[nodiscard]] TlsContext& operator*() const noexcept { return context_; }

private:
    ExclusiveWith exclusive_;
    TlsContext& context_;
};

// A str, as UTF-8, or bytes-like; None is an empty one.
struct Name : Readable {
    const char* kind = "a str, a bytes-like object or None";

    [[nodiscard]] bool set(nb::handle from) noexcept {
        if (from.is_none()) return true;
        std::string_view chars;
        if (!PyUnicode_Check(from.ptr())) return Readable::set(from);
        if (!utf8_of(from, chars)) return false;
        lend(chars);
        return true;
    }
    [[nodiscard]] std::string_view text() const noexcept { return {static_cast<const char*>(data()), size()}; }
};

// An instance of the class socket, or of a subclass.
struct SocketArgument {
    static constexpr const char* kind = "a socket of usocket";
    nb::handle object;

    [[nodiscard]] bool set(nb::handle from) noexcept {
        object = from;
        return socket_of(from) != nullptr;
    }
};

nb::object set_cert_key(TlsContext& self, const Readable& cert, const Readable& key) {
    return none_or_raise(self.set_cert_key(cert, key));
}

nb::object load_verify_locations(TlsContext& self, const Readable& certificates) {
    return none_or_raise(self.load_verify_locations(certificates));
}

nb::object set_cert_reqs(TlsContext& self, SystemInt reqs) {
    const bool is_known = reqs.value >= 0 && reqs.value <= static_cast<int>(CertReqs::required);
    return is_known ? none_or_raise(self.set_cert_reqs(static_cast<CertReqs>(reqs.value))) : raise(Error(EINVAL));
}

nb::object set_alpn_protocols(TlsContext& self, const Name& protocols) {
    return none_or_raise(self.set_alpn_protocols(protocols.text()));
}

nb::object wrap(TlsContext& self, SocketArgument sock, Truth server_side, const Name& server_hostname,
                Truth do_handshake, const Name& session) {
    const Counted socket(sock.object.ptr());  // exclusive with the context
    const TlsOptions options{.server_side = server_side.value,
                             .server_hostname = server_hostname.text(),
                             .do_handshake = do_handshake.value,
                             .session = session};
    return none_or_raise((*socket).wrap(self, options, Call(host())));
}

// --- The class

PyObject* create(PyTypeObject* type, PyObject*, PyObject*) noexcept {
    if (library == nullptr) {
        const auto* lent = static_cast<const TlsLibrary*>(python<PyCapsule_Import>(TlsLibrary::capsule, 0));
        if (lent == nullptr) return nullptr;
        library = lent;
    }
    auto made = TlsContext::make();
    if (!made) return raise(made.error()).release().ptr();
    PyObject* object = python<PyType_GenericAlloc>(type, Py_ssize_t{0});
    if (object != nullptr) new (&context_of(object)) TlsContext(std::move(*made));
    return object;
}

void destroy(PyObject* self) noexcept {
    context_of(self).~TlsContext();
    free_instance(self);
}

}  // namespace

template <> struct Receiver<TlsContext> {
    using Type = ContextInUse;
};

namespace {

PyMethodDef methods[] = {
    USOCKET_METHOD(set_cert_key, "cert, key", "Our own certificate and its key: PEM or DER."),
    USOCKET_METHOD(load_verify_locations, "certificates", "Trusts these issuers: PEM or DER."),
    USOCKET_METHOD(set_cert_reqs, "reqs", "0: none, 1: optional, 2: required."),
    USOCKET_METHOD(set_alpn_protocols, "protocols", "The best first, separated by commas."),
    USOCKET_METHOD(wrap, "sock, server_side, server_hostname, do_handshake, session", "Puts TLS on a socket."),
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>("What a program brings to TLS; ussl.SSLContext is for programs.")},
    {Py_tp_new, reinterpret_cast<void*>(create)},
    {Py_tp_dealloc, reinterpret_cast<void*>(destroy)},
    {Py_tp_methods, methods},
    {0, nullptr},
};

nb::object bytes_or_raise(const Result<Bytes>& told) {
    return told ? to_bytes({told->data(), told->size()}) : raise(told.error());
}

nb::object text_or_raise(const Result<Bytes>& told) {
    if (!told) return raise(told.error());
    const auto* chars = reinterpret_cast<const char*>(told->data());
    return nb::steal(PyUnicode_DecodeUTF8(chars, static_cast<Py_ssize_t>(told->size()), "backslashreplace"));
}

}  // namespace

// --- A wrapped socket

nb::object do_handshake(Socket& self) { return none_or_raise(self.do_handshake(Call(host()))); }
nb::object version(Socket& self) { return text_or_raise(self.version()); }
nb::object cipher(Socket& self) {
    const auto name = text_or_raise(self.cipher());
    return name.is_valid() ? tuple_of(name, version(self)) : name;
}

nb::object selected_alpn_protocol(Socket& self) {
    const auto chosen = self.selected_alpn_protocol();
    return chosen && chosen->empty() ? nb::none() : text_or_raise(chosen);
}

nb::object getpeercert(Socket& self, Maybe<Truth> binary_form) {
    if (!binary_form.value) {
        PyErr_SetString(PyExc_NotImplementedError, "a certificate is shown as it came: getpeercert(True)");
        return {};
    }
    const auto shown = self.getpeercert();
    return shown && shown->empty() ? nb::none() : bytes_or_raise(shown);
}

nb::object tls_session(Socket& self) { return bytes_or_raise(self.tls_session()); }

nb::object session_reused(Socket& self) {
    const auto is_reused = self.session_reused();
    return is_reused ? nb::borrow(*is_reused ? Py_True : Py_False) : raise(is_reused.error());
}

bool add_tls(nb::module_& module) {
    PyType_Spec spec{"usocket._usocket._TlsContext", sizeof(ContextObject), 0, Py_TPFLAGS_DEFAULT, slots};
    const auto made = nb::steal(PyType_FromModuleAndSpec(module.ptr(), &spec, nullptr));
    return made.is_valid() && PyModule_AddObjectRef(module.ptr(), "_TlsContext", made.ptr()) == 0;
}

}  // namespace usocket::cpython
