// The seam's signals: of the one whose handler longjmps.
#include "network.hpp"

namespace usocket::sys {

using namespace usocket::faulty;

void hold_signals() noexcept { ++network().held; }

void release_signals() noexcept {
    if (--network().held == 0 && network().jump_waits) signal_released();
}

}  // namespace usocket::sys
