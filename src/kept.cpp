// Kept bytes: TIME-6.
#include <cstring>

#include "aside.hpp"
#include "sys/sys.hpp"

namespace usocket {

bool Kept::reserve(std::size_t capacity) noexcept {
    if (block_.data != nullptr && block_.size >= capacity) return true;
    void* memory = sys::resize(nullptr, capacity);
    if (memory == nullptr) return false;
    block_.release();
    block_ = {static_cast<std::uint8_t*>(memory), capacity, memory,
              [](void* owner) noexcept { (void)sys::resize(owner, 0); }};
    return true;
}

void Kept::keep_copy(const std::uint8_t* bytes, std::size_t size) noexcept {
    std::memcpy(block_.data, bytes, size);
    begin_ = 0;
    size_.store(size, std::memory_order_relaxed);
}

void Kept::keep(Block block) noexcept {
    block_.release();
    block_ = block;
    begin_ = 0;
    size_.store(block.size, std::memory_order_relaxed);
}

void Kept::consume(std::size_t count) noexcept {
    begin_ += count;
    size_.store(size() - count, std::memory_order_relaxed);
    trim();
}

void Kept::trim() noexcept {
    if (empty()) clear();
}

void Kept::clear() noexcept {
    size_.store(0, std::memory_order_relaxed);
    block_.release();
}

}  // namespace usocket
