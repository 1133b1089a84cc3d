// What each interpreter of the process has of the module: classes of its own.
#pragma once

#include <atomic>

#include "abi.hpp"

namespace usocket::cpython {

// The interpreter keeps what is in it, as long as it lives.
struct State {
    std::atomic<PyInterpreterState*> interpreter = nullptr;
    PyTypeObject* socket_class = nullptr;
    PyTypeObject* address_class = nullptr;
    PyObject* no_address = nullptr;  // that of a sender without one: empty
    State* next = nullptr;

    // Keeps an object for the interpreter. False: the Python error is set.
    [[nodiscard]] bool keep(const char* name, PyObject* object) noexcept;
};

// The first interpreter to import the module, which as a rule is the only one.
extern State first_state;
State& state_of_another(PyInterpreterState* interpreter) noexcept;

// That of the running interpreter, which has imported the module.
inline State& state() noexcept {
    PyInterpreterState* const running = PyInterpreterState_Get();
    return first_state.interpreter.load(std::memory_order_relaxed) == running ? first_state : state_of_another(running);
}

// At each import; the second in one interpreter finds what the first has made. False: the Python error is set.
[[nodiscard]] bool add_state() noexcept;

}  // namespace usocket::cpython
