// What an OSError says beside the system's own words, where a beginner most likely did what it cannot mean.
#pragma once

#include "convert.hpp"

namespace usocket::cpython {

// What is wrong with a host that is neither an address nor a name. Null: nothing that is seen so often.
const char* hint_of_host(std::string_view host) noexcept;

// The Python error is set, by the call that is written `usage` and was given these arguments. Where there is a hint,
// str(error) says it; errno, class and args stay as they are. Always null.
PyObject* hinted(const char* usage, PyObject* const* given, Py_ssize_t count) noexcept;

}  // namespace usocket::cpython
