// The life of a poller whose memory is its own, and whose system has what each registration needs: at the end of the
// file that defines Poller.
#pragma once

#include <new>

#include "sys/posix/native.hpp"

namespace usocket::sys {

Poller* poller_make() noexcept {
    void* memory = resize(nullptr, sizeof(Poller));
    return memory == nullptr ? nullptr : new (memory) Poller;
}

bool poller_provide(Poller* /*poller*/) noexcept { return false; }

void poller_destroy(Poller* poller) noexcept { (void)resize(poller, 0); }

}  // namespace usocket::sys
