// Signals: nobody's handler longjmps, unless a host that unwinds says how to hold them (usocket.h).
#include "sys/posix/native.hpp"
#include "usocket/usocket.h"

void usocket::sys::hold_signals() noexcept { usocket_host_hold_signals(); }
void usocket::sys::release_signals() noexcept { usocket_host_release_signals(); }

#if !defined(USOCKET_HOST_HOOKS)

namespace {

void nothing() {}

void (*chosen_hold)() = nothing;
void (*chosen_release)() = nothing;

}  // namespace

void usocket_set_signals(void (*hold)(void), void (*release)(void)) {
    chosen_hold = hold;
    chosen_release = release;
}
void usocket_host_hold_signals() { chosen_hold(); }
void usocket_host_release_signals() { chosen_release(); }

#endif
