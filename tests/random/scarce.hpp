// A sink whose heap may run out: how a host's does.
#pragma once

#include <cstdlib>
#include <string>

#include "usocket/buffer.hpp"

namespace usocket::tests {

class Scarce {
public:
    // It grows so often; -1: as often as it wants.
    static void allow(int times) { growths() = times; }
    [[nodiscard]] static Sink sink() { return Sink(grow, surrender); }
    // The bytes, with the sink's memory given back.
    [[nodiscard]] static std::string take(Sink& sink) {
        std::string bytes(reinterpret_cast<const char*>(sink.data()), sink.size());
        std::free(sink.data());
        sink = Scarce::sink();
        return bytes;
    }

private:
    static int& growths() {
        static int left = -1;
        return left;
    }
    static bool grow(Sink& sink, std::size_t capacity) noexcept {
        if (growths() == 0) return false;
        if (growths() > 0) --growths();
        void* memory = std::realloc(sink.data(), capacity);
        if (memory == nullptr) return false;
        sink.set_memory(static_cast<std::uint8_t*>(memory), capacity);
        return true;
    }
    static Block surrender(Sink& sink) noexcept {
        const Block block{sink.data(), sink.size(), sink.data(), [](void* owner) noexcept { std::free(owner); }};
        sink = Scarce::sink();
        return block;
    }
};

}  // namespace usocket::tests
