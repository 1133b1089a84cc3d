// Memory of the core's own: the C heap, or where the host has it from (usocket.h).
#include <cstdlib>

#include "sys/sys.hpp"
#include "usocket/usocket.h"

void* usocket::sys::resize(void* memory, std::size_t size) noexcept { return usocket_host_resize(memory, size); }

#if !defined(USOCKET_HOST_HOOKS)

namespace {

void* resize_on_heap(void* memory, std::size_t size) {
    if (size != 0) return std::realloc(memory, size);
    std::free(memory);
    return nullptr;
}

usocket_resize_t chosen = resize_on_heap;

}  // namespace

void usocket_set_resize(usocket_resize_t resize) { chosen = resize; }

// A signal handler that longjmps would leave the heap halfway.
void* usocket_host_resize(void* memory, std::size_t size) {
    usocket::sys::hold_signals();
    void* resized = chosen(memory, size);
    usocket::sys::release_signals();
    return resized;
}

#endif
