// usocket._tls: TlsContext over OpenSSL, lent to usocket._usocket by a capsule. An extension of its own, so that only
// whoever imports `ussl` needs the library (TLS-6).
//
// Why not the interpreter's own _ssl, through MemoryBIO: each of its functions ends with PyErr_CheckSignals(). The
// handlers of a program then run in the middle of a step, where they may neither use the socket nor raise anything:
// of records that were read while an exception came, all were lost (TIME-5, TIME-6).
#include <Python.h>

#include <openssl/crypto.h>
#include <openssl/x509.h>

#include <utility>

#include "library.hpp"
#include "slots.hpp"
#include "tls/openssl/common.hpp"

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

PyObject* default_verify_paths(PyObject*, PyObject*) {
    return Py_BuildValue("(ss)", X509_get_default_cert_file(), X509_get_default_cert_dir());
}

// Whoever reads it may go on doing so: what it was before is not freed.
bool set(std::atomic<const char*>& path, const char* text) {
    char* copy = text != nullptr ? OPENSSL_strdup(text) : nullptr;
    path.store(copy, std::memory_order_release);
    if (text != nullptr && copy == nullptr) PyErr_NoMemory();
    return text == nullptr || copy != nullptr;
}

PyObject* set_verify_paths(PyObject*, PyObject* args) {
    const char* file = nullptr;
    const char* folder = nullptr;
    if (!PyArg_ParseTuple(args, "zz", &file, &folder)) return nullptr;
    if (!set(tls::openssl::issuers_file, file) || !set(tls::openssl::issuers_folder, folder)) return nullptr;
    Py_RETURN_NONE;
}

PyMethodDef functions[] = {
    {"default_verify_paths", default_verify_paths, METH_NOARGS, "The file and the folder that OpenSSL was built with."},
    {"set_verify_paths", set_verify_paths, METH_VARARGS, "Where the system's issuers are besides: a file, a folder."},
    {nullptr, nullptr, 0, nullptr},
};

int fill(PyObject* module) {
    PyObject* capsule = PyCapsule_New(const_cast<TlsLibrary*>(&library), TlsLibrary::capsule, nullptr);
    const int added = capsule != nullptr ? PyModule_AddObjectRef(module, "library", capsule) : -1;
    Py_XDECREF(capsule);
    return added;
}

PyModuleDef definition{PyModuleDef_HEAD_INIT,
                       "usocket._tls",
                       "The library for TLS that usocket's sockets are wrapped with.",
                       0,
                       functions,
                       cpython::module_slots<fill>,
                       nullptr,
                       nullptr,
                       nullptr};

}  // namespace

// NOLINTNEXTLINE(bugprone-reserved-identifier): Python's name for it
PyMODINIT_FUNC PyInit__tls() { return PyModuleDef_Init(&definition); }
