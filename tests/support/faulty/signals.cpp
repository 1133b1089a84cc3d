// The seam's signals: of the one whose handler longjmps.
#include "network.hpp"

namespace usocket::sys {

using namespace usocket::faulty;

bool hold_signals() noexcept {
    ++network().held;
    return true;
}

void release_signals() noexcept {
    if (--network().held == 0 && network().jump_waits) signal_released();
}

}  // namespace usocket::sys
