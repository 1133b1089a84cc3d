// What has to be done before a thread goes to sleep, whatever for: the peer's flow control then sees all that has been
// returned (STRM-5). Windows are what does it; waiting knows no more of them than this.
#pragma once

#include <atomic>
#include <cstdint>

namespace usocket {

// How many windows are open.
inline std::atomic<std::uint32_t> open_windows{0};
[[nodiscard]] inline bool has_to_settle() noexcept { return open_windows.load(std::memory_order_relaxed) != 0; }
// Closes those that no call is at work with.
void settle() noexcept;

}  // namespace usocket
