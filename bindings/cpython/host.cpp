#include "host.hpp"

#include <chrono>
#include <thread>

namespace usocket::cpython {
namespace {

// Of this thread, while it is outside of the interpreter.
thread_local PyThreadState* outside = nullptr;

}  // namespace

void* leave() noexcept { return outside = PyEval_SaveThread(); }

void enter(void* token) noexcept {
    python<PyEval_RestoreThread>(static_cast<PyThreadState*>(token));
    outside = nullptr;
}

const Host host{
    .leave = leave,
    .enter = enter,
    .interrupted = []() noexcept { return python<PyErr_CheckSignals>() != 0; },
    .unwinds = false,
};

void sleep_for_good() noexcept {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

void release(PyObject* object) noexcept {
    PyThreadState* const own = outside;
    if (own != nullptr) enter(own);
    // What is left of an interpreter that has ended goes with the process.
    if (Py_IsInitialized() != 0) Py_DECREF(object);
    if (own != nullptr) leave();
}

}  // namespace usocket::cpython
