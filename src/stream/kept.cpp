// Kept bytes: TIME-6.
#include <cstring>
#include <functional>

#include "socket/aside.hpp"
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
    lend(block_.data, size);
}

void Kept::keep(Block block) noexcept {
    block_.release();
    block_ = block;
    lend(block.data, block.size);
}

void Kept::lend(const std::uint8_t* bytes, std::size_t size) noexcept {
    data_ = bytes;
    size_.store(size, std::memory_order_release);
}

std::size_t Kept::take_back(const std::uint8_t* bytes, std::size_t size) noexcept {
    const bool is_this = !empty() && std::less_equal<>()(bytes, data_) && std::less<>()(data_, bytes + size);
    return is_this ? size_.exchange(0, std::memory_order_acq_rel) : 0;
}

void Kept::consume(std::size_t count) noexcept {
    data_ += count;
    size_.store(size() - count, std::memory_order_release);
    trim();
}

void Kept::trim() noexcept {
    if (empty()) clear();
}

void Kept::clear() noexcept {
    size_.store(0, std::memory_order_release);
    block_.release();
}

}  // namespace usocket
