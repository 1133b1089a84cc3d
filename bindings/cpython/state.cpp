#include "state.hpp"

#include <cstdio>
#include <mutex>
#include <new>

namespace usocket::cpython {

State first_state;

namespace {

std::mutex others;  // and where there is none yet, the first

State* find(PyInterpreterState* interpreter) noexcept {
    State* state = &first_state;
    while (state != nullptr && state->interpreter != interpreter) state = state->next;
    return state;
}

// In the interpreter's dict: says that what is known of this interpreter is not of an earlier one in the same place,
// nor of the extension that this one stands in for (--chaos).
struct Mark {
    Mark() noexcept { std::snprintf(text, sizeof text, "usocket._usocket %p", static_cast<const void*>(&first_state)); }
    char text[64];
};

}  // namespace

State& state_of_another(PyInterpreterState* interpreter) noexcept {
    const std::lock_guard lock(others);
    return *find(interpreter);
}

bool State::keep(const char* name, PyObject* object) noexcept {
    return object != nullptr && PyDict_SetItemString(PyInterpreterState_GetDict(interpreter), name, object) == 0;
}

bool add_state() noexcept {
    PyInterpreterState* const running = PyInterpreterState_Get();
    PyObject* const dict = PyInterpreterState_GetDict(running);
    if (dict == nullptr) return PyErr_NoMemory() != nullptr;
    const Mark mark;
    if (PyDict_GetItemString(dict, mark.text) != nullptr) return true;
    const std::lock_guard lock(others);
    State* state = find(running);
    if (state == nullptr) state = find(nullptr);
    if (state == nullptr) {
        state = new (std::nothrow) State;  // for good: whoever looks holds no lock once it is found
        if (state == nullptr) return PyErr_NoMemory() != nullptr;
        state->next = first_state.next;
        first_state.next = state;
    }
    state->socket_class = state->address_class = nullptr;
    state->no_address = nullptr;
    state->interpreter = running;
    return PyDict_SetItemString(dict, mark.text, Py_None) == 0;
}

}  // namespace usocket::cpython
