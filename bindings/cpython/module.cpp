// usocket._usocket: the core for CPython. Nothing is decided here: values and errors are converted, Python's objects
// allocated, their memory lent to the core.
#include "convert.hpp"
#include "slots.hpp"
#include "state.hpp"

namespace {

using namespace usocket::cpython;

bool add_names(nb::handle module) noexcept {
    const auto names = nb::steal(PyList_New(0));
    if (!names.is_valid()) return false;
    const auto add = [&](const char* name) {
        const auto text = nb::steal(PyUnicode_FromString(name));
        return text.is_valid() && PyList_Append(names.ptr(), text.ptr()) == 0;
    };
    for (const char* name : {"getaddrinfo", "inet_ntop", "inet_pton", "sockaddr", "socket", "socketpair"}) {
        if (!add(name)) return false;
    }
    for (const usocket::Constant& constant : usocket::constants()) {
        const auto value = nb::steal(PyLong_FromLongLong(constant.value));
        if (!value.is_valid() || PyObject_SetAttrString(module.ptr(), constant.name, value.ptr()) != 0) return false;
        if (!add(constant.name)) return false;
    }
    return PyObject_SetAttrString(module.ptr(), "__all__", names.ptr()) == 0;
}

// Classes and functions that are made from now on say that they are of this module.
bool made_in(nb::handle module, nb::handle name) noexcept {
    return name.is_valid() && PyObject_SetAttrString(module.ptr(), "__name__", name.ptr()) == 0;
}
bool made_in(nb::handle module, const char* name) noexcept {
    return made_in(module, nb::steal(PyUnicode_FromString(name)));
}

// One import. -1: the Python error is set.
int execute(PyObject* object) noexcept {
    nb::module_ module = nb::borrow<nb::module_>(object);
    const auto own_name = nb::steal(PyObject_GetAttrString(object, "__name__"));
    const bool is_done = add_header() && add_state() &&                                    //
                         made_in(module, "usocket") && add_addresses(module) &&            //
                         add_resolver(module) && add_socket(module) && add_tls(module) &&  //
                         made_in(module, "uselect") && add_poll(module) &&                 //
                         made_in(module, own_name) && add_names(module) &&                 //
                         PyModule_AddStringConstant(object, "__version__", USOCKET_VERSION_STRING) == 0;
    return is_done ? 0 : -1;
}

PyModuleDef definition{
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_usocket",
    .m_doc = "Sockets that are streams: the core of usocket.",
    .m_size = 0,
    .m_methods = nullptr,
    .m_slots = module_slots<execute>,
    .m_traverse = nullptr,
    .m_clear = nullptr,
    .m_free = nullptr,
};

}  // namespace

// NOLINTNEXTLINE(bugprone-reserved-identifier): the name is Python's.
PyMODINIT_FUNC PyInit__usocket() { return PyModuleDef_Init(&definition); }
