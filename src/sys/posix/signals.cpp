// Signals: nobody's handler longjmps, unless a binding has its own version of this file.
#include "sys/posix/native.hpp"

namespace usocket::sys {

void hold_signals() noexcept {}
void release_signals() noexcept {}

}  // namespace usocket::sys
