#include "memory.hpp"

#include <atomic>
#include <cstdlib>

#include "sys/sys.hpp"

namespace usocket {
namespace {

std::atomic<std::size_t> blocks{0};
std::atomic<unsigned> until_refusal{0};
std::atomic<bool> refused{false};

}  // namespace

std::size_t tests::live_blocks() { return blocks; }
void tests::refuse_memory(unsigned after) { until_refusal = after; }
bool tests::was_refused() { return refused.exchange(false); }

void* sys::resize(void* memory, std::size_t size) noexcept {
    if (size == 0) {
        if (memory != nullptr) --blocks;
        std::free(memory);
        return nullptr;
    }
    if (until_refusal != 0 && --until_refusal == 0) {
        refused = true;
        return nullptr;
    }
    if (memory == nullptr) ++blocks;
    return std::realloc(memory, size);
}

}  // namespace usocket
