// The seam's memory: the C heap, counted, and refused when the test wants it to be. As a host's collector might close
// polls for it, nobody may ask for memory, or give some back, while the registry of polls is held.
#include <cstdio>
#include <cstdlib>

#include "left.hpp"
#include "network.hpp"
#include "poll/state.hpp"

namespace usocket::sys {

using namespace usocket::faulty;

void* resize(void* memory, std::size_t size) noexcept {
    if (!Registry::is_free()) {
        std::fputs("faulty stack: memory is asked for under the registry of polls\n", stderr);
        std::abort();
    }
    if (size != 0 && tests::host_is_left) {
        std::fputs("faulty stack: memory is asked for outside the host\n", stderr);
        std::abort();
    }
    if (size == 0) {
        if (memory != nullptr) --network().live_blocks;
        std::free(memory);
        return nullptr;
    }
    const bool is_planned = network().refuse_after != 0 && --network().refuse_after == 0;
    if (is_planned || size > network().largest_block || inject(Kind::refuse)) return nullptr;
    if (memory == nullptr) ++network().live_blocks;
    return std::realloc(memory, size);
}

}  // namespace usocket::sys
