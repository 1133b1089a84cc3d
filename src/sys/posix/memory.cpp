// Memory of the core's own: the C heap.
#include <cstdlib>

#include "sys/posix/native.hpp"

namespace usocket::sys {

void* resize(void* memory, std::size_t size) noexcept {
    if (size != 0) return std::realloc(memory, size);
    std::free(memory);
    return nullptr;
}

}  // namespace usocket::sys
