// Signals whose handlers longjmp: there are none. A host of its own kind brings these two itself.
#include "sys/sys.hpp"

namespace usocket::sys {

void hold_signals() noexcept {}
void release_signals() noexcept {}

}  // namespace usocket::sys
