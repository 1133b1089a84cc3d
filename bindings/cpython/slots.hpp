// What each of the extensions tells the interpreter of itself: how it is filled, that each interpreter of a process may
// have one of its own, and that it needs no GIL.
#pragma once

#include <Python.h>

namespace usocket::cpython {

template <int (*fill)(PyObject* module)>
inline PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, reinterpret_cast<void*>(fill)},
#if PY_VERSION_HEX >= 0x030c0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, nullptr},
};

}  // namespace usocket::cpython
