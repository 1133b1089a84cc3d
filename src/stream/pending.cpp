#include "stream/pending.hpp"

#include <cstring>

#include "sys/sys.hpp"

namespace usocket {
namespace {

Block allocate(std::size_t size) noexcept {
    void* memory = sys::resize(nullptr, size);
    if (memory == nullptr) return {};
    return {static_cast<std::uint8_t*>(memory), size, memory,
            [](void* owner) noexcept { (void)sys::resize(owner, 0); }};
}

}  // namespace

bool Pending::empty() const noexcept {
    return size_.load(std::memory_order_acquire) == 0 || generation_ != sys::process_generation();
}

ConstBuffer Pending::front() const noexcept {
    if (empty()) return {};
    const std::size_t left = size_.load(std::memory_order_relaxed) - consumed_;
    return {block_.data + (block_.size - left), left};
}

bool Pending::commit() noexcept {
    reserve_.release();
    const std::size_t size = size_.load(std::memory_order_relaxed);
    const std::size_t left = size - consumed_;
    consumed_ = 0;
    if (size == 0) return false;
    size_.store(left, std::memory_order_release);
    if (left == 0) block_.release();
    return left == 0;
}

bool Pending::give_back(Sink& sink) noexcept {
    // No more than what was consumed: that is still here.
    const std::size_t here = empty() ? 0 : size_.load(std::memory_order_relaxed);
    if (sink.size() > here) {
        if (sink.can_surrender()) {
            hold(sink.surrender());
        } else {
            if (!reserve(sink)) return false;
            std::memcpy(reserve_.data, sink.data(), sink.size());
            Block block = reserve_;
            block.size = sink.size();
            reserve_ = {};
            hold(block);
        }
    }
    consumed_ = 0;
    reserve_.release();
    sink.set_size(0);
    return true;
}

void Pending::hold(Block block) noexcept {
    block_.release();
    block_ = block;
    generation_ = sys::process_generation();
    size_.store(block.size, std::memory_order_release);
}

bool Pending::reserve(const Sink& sink) noexcept {
    if (sink.can_surrender() || reserve_.size >= sink.capacity()) return true;
    reserve_.release();
    reserve_ = allocate(sink.capacity());
    return reserve_.data != nullptr;
}

void Pending::clear() noexcept {
    size_.store(0, std::memory_order_release);
    consumed_ = 0;
    block_.release();
    reserve_.release();
}

}  // namespace usocket
