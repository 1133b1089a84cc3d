#include "host.hpp"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstdint>
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

namespace {

constexpr Host of_thread(Looks looks) noexcept {
    return {
        .leave = leave,
        .enter = enter,
        .interrupted = []() noexcept { return python<PyErr_CheckSignals>() != 0; },
        .unwinds = false,
        .looks_for_signals = looks,
    };
}

const Host host_of_handlers = of_thread(Looks::seldom);
const Host host_of_others = of_thread(Looks::no);

// What a thread has found out: it may be another's place in a child of fork, and in another interpreter.
struct Place {
    PyInterpreterState* interpreter = nullptr;
    std::uint32_t forks = 0;
    bool runs_handlers = false;
};
thread_local Place place;
std::atomic<std::uint32_t> forks{0};
const int knows_forks = ::pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });

// The main thread of the main interpreter does. Nothing of the C API says which one that is, but this function looks
// for that first, and then refuses the descriptor. Nothing of Python's own runs here: an import would run handlers.
bool runs_handlers() noexcept {
    PyObject* const name = PyUnicode_FromString("_signal");
    PyObject* const module = name != nullptr ? PyImport_GetModule(name) : nullptr;
    PyObject* const set = module != nullptr ? PyObject_CallMethod(module, "set_wakeup_fd", "i", -2) : nullptr;
    const bool is_main = set == nullptr && PyErr_ExceptionMatches(PyExc_OSError) != 0;
    PyErr_Clear();
    Py_XDECREF(set);
    Py_XDECREF(module);
    Py_XDECREF(name);
    return is_main;
}

}  // namespace

const Host& host() noexcept {
    PyInterpreterState* const running = PyInterpreterState_Get();
    const std::uint32_t now = forks.load(std::memory_order_relaxed);
    if (place.interpreter != running || place.forks != now) place = {running, now, runs_handlers()};
    return place.runs_handlers ? host_of_handlers : host_of_others;
}

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
