// usocket._tls: TlsContext over OpenSSL, lent to usocket._usocket by a capsule. An extension of its own, so that only
// whoever imports `ussl` needs the library (TLS-6).
//
// Why not the interpreter's own _ssl, through MemoryBIO: each of its functions ends with PyErr_CheckSignals(). The
// handlers of a program then run in the middle of a step, where they may neither use the socket nor raise anything:
// of records that were read while an exception came, all were lost (TIME-5, TIME-6).
#include <Python.h>

#include <utility>

#include "library.hpp"

namespace {

using namespace usocket;
using cpython::TlsLibrary;

constexpr TlsLibrary library{
    .make = &TlsContext::make,
    .end = [](TlsContext& context) noexcept { const TlsContext gone = std::move(context); },
    .set_cert_key = [](TlsContext& context, ConstBuffer cert,
                       ConstBuffer key) noexcept { return context.set_cert_key(cert, key); },
    .load_verify_locations =
        [](TlsContext& context, ConstBuffer certificates) noexcept {
            return context.load_verify_locations(certificates);
        },
    .set_cert_reqs = [](TlsContext& context, CertReqs reqs) noexcept { return context.set_cert_reqs(reqs); },
    .set_alpn_protocols = [](TlsContext& context,
                             std::string_view protocols) noexcept { return context.set_alpn_protocols(protocols); },
};

int fill(PyObject* module) {
    PyObject* capsule = PyCapsule_New(const_cast<TlsLibrary*>(&library), TlsLibrary::capsule, nullptr);
    const int added = capsule != nullptr ? PyModule_AddObjectRef(module, "library", capsule) : -1;
    Py_XDECREF(capsule);
    return added;
}

PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(fill)}, {0, nullptr}};
PyModuleDef definition{PyModuleDef_HEAD_INIT,
                       "usocket._tls",
                       "The library for TLS that usocket's sockets are wrapped with.",
                       0,
                       nullptr,
                       slots,
                       nullptr,
                       nullptr,
                       nullptr};

}  // namespace

// NOLINTNEXTLINE(bugprone-reserved-identifier): Python's name for it
PyMODINIT_FUNC PyInit__tls() { return PyModuleDef_Init(&definition); }
