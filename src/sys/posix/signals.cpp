// Signals: nobody's handler longjmps, unless a binding has its own version of this file.
#include "sys/posix/native.hpp"

namespace usocket::sys {

bool hold_signals() noexcept { return false; }
void release_signals() noexcept {}

}  // namespace usocket::sys
