// Memory of the stack's (sys::resize) that grows as a call receives, and that the socket keeps as it is if the call
// fails.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sys/sys.hpp"
#include "usocket/buffer.hpp"
#include "wait/held.hpp"

namespace usocket {

struct Resized {
    [[nodiscard]] static Sink sink() noexcept { return Sink(grow, surrender); }
    // A sink's that has kept its memory.
    static void release(Sink& sink) noexcept {
        if (sink.data() != nullptr) (void)sys::resize(sink.data(), 0);
        sink = Resized::sink();
    }

private:
    static bool grow(Sink& sink, std::size_t capacity) noexcept {
#if !defined(USOCKET_HOST_HOOKS)  // else two system calls for each, and the old memory is the collector's
        const Held held;          // the sink knows its memory, whatever signal has waited for the heap
#endif
        void* memory = capacity == SIZE_MAX ? nullptr : sys::resize(sink.data(), capacity + 1);  // and a NUL, for C
        if (memory == nullptr) return false;
        sink.set_memory(static_cast<std::uint8_t*>(memory), capacity);
        return true;
    }
    // A collector knows memory by its start only: that is what the socket keeps.
    static Block surrender(Sink& sink) noexcept {
        const Block block{sink.data(), sink.size(), sink.data(),
                          [](void* owner) noexcept { (void)sys::resize(owner, 0); }};
        sink = Resized::sink();
        return block;
    }
};

}  // namespace usocket
