// The interpreter around a call: how a thread leaves it and comes back, and what happens once it has begun to end.
//
// Up to 3.13 CPython then ends a thread that wants in: by a forced unwind, out of whatever function of its C API the
// thread is in. That must not go through our frames: some are noexcept, and destructors would touch Python's objects
// without the GIL. So the thread stops at the first of them, and sleeps for good (SOCK-9). From 3.14 on CPython itself
// puts it to sleep.
#pragma once

#include <nanobind/nanobind.h>

#include "usocket/host.hpp"

namespace usocket::cpython {

// The GIL, and PyErr_CheckSignals() after a signal; where the calling thread is the one that runs Python's handlers,
// also now and then. From inside the interpreter, with no error set.
const Host& host() noexcept;

[[noreturn]] void sleep_for_good() noexcept;

// Lets other threads into the interpreter; what it returns brings this one back.
void* leave() noexcept;
void enter(void* token) noexcept;

// What may wait for the GIL is called through this: all that runs Python code, as it may, or the garbage collector.
template <auto function, class... Arguments> auto python(Arguments... arguments) noexcept {
    try {
        return function(arguments...);
    } catch (...) {  // nothing else comes out of C
        sleep_for_good();
    }
}

// Outside the interpreter while it lives.
class Outside {
public:
    Outside() noexcept : token_(leave()) {}
    Outside(const Outside&) = delete;
    Outside& operator=(const Outside&) = delete;
    ~Outside() { enter(token_); }

private:
    void* token_;
};

// Lets go a reference to what has no __del__(), from inside the interpreter or from outside.
void release(PyObject* object) noexcept;

}  // namespace usocket::cpython
