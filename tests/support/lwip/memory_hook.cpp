#include "memory_hook.hpp"

#include <cstdlib>

#include "sys/sys.hpp"

namespace usocket {

std::function<void()> tests::on_resize;

void* sys::resize(void* memory, std::size_t size) noexcept {
    if (tests::on_resize) tests::on_resize();
    if (size != 0) return std::realloc(memory, size);
    std::free(memory);
    return nullptr;
}

}  // namespace usocket
