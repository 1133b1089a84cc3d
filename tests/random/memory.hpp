// The core's memory, counted, and refused when a trial wants it to be.
#pragma once

#include <cstddef>

namespace usocket::tests {

// How many blocks the core holds.
[[nodiscard]] std::size_t live_blocks();
// After this many allocations more the next one fails; 0: none does.
void refuse_memory(unsigned after);
// Whether one has failed since this was asked last.
bool was_refused();

}  // namespace usocket::tests
