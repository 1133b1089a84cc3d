// What an OSError says beside the system's own words, where a beginner most likely did what it cannot mean.
#pragma once

#include "convert.hpp"

namespace usocket::cpython {

// The Python error is set, by the call that is written `usage` and was given these arguments. Where there is a hint,
// str(error) says it; errno, class and args stay as they are. Always null.
PyObject* hinted(const char* usage, PyObject* const* given, Py_ssize_t count) noexcept;

}  // namespace usocket::cpython
