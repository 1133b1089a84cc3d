#include "host.hpp"

#include <chrono>
#include <thread>

namespace usocket::cpython {
namespace {

// Of this thread, if it is inside.
PyThreadState* state_inside() noexcept {
#if PY_VERSION_HEX >= 0x030d0000
    return PyThreadState_GetUnchecked();
#else
    return _PyThreadState_UncheckedGet();
#endif
}

}  // namespace

const Host host{
    .leave = []() noexcept -> void* { return PyEval_SaveThread(); },
    .enter = [](void* token) noexcept { python<PyEval_RestoreThread>(static_cast<PyThreadState*>(token)); },
    .interrupted = []() noexcept { return python<PyErr_CheckSignals>() != 0; },
    .unwinds = false,
};

void sleep_for_good() noexcept {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

void release(PyObject* object) noexcept {
    // Not PyGILState_Ensure(): it would make a new state for a thread that the interpreter, as it ends, has forgotten.
    PyThreadState* const own = PyGILState_GetThisThreadState();
    if (own == nullptr) return;  // what is left of the interpreter goes with the process
    const bool is_inside = state_inside() == own;
    if (!is_inside) python<PyEval_RestoreThread>(own);
    Py_DECREF(object);
    if (!is_inside) PyEval_SaveThread();
}

}  // namespace usocket::cpython
