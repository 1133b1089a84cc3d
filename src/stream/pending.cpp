#include "stream/pending.hpp"

#include <cstring>
#include <utility>

#include "sys/sys.hpp"
#include "wait/held.hpp"

namespace usocket {
namespace {

Block allocate(std::size_t size) noexcept {
    void* memory = sys::resize(nullptr, size);
    if (memory == nullptr) return {};
    return {static_cast<std::uint8_t*>(memory), size, memory,
            [](void* owner) noexcept { (void)sys::resize(owner, 0); }};
}

}  // namespace

bool Pending::is_parents() const noexcept {
    return generation_.load(std::memory_order_relaxed) != sys::process_generation();
}

ConstBuffer Pending::front() const noexcept {
    if (empty()) return {};
    const std::size_t left = left_.load(std::memory_order_relaxed);
    return {block_.data + (block_.size - left), left};
}

void Pending::commit() noexcept {
    reserve_.release();
    size_ = left_.load(std::memory_order_relaxed);
    if (size_ == 0) block_.release();
}

bool Pending::give_back(Sink& sink) noexcept {
    // No more than what was consumed: that is still here.
    const std::size_t here = is_parents() ? 0 : size_;
    if (sink.size() <= here) {
        left_.store(here, std::memory_order_release);
    } else {
        (void)reserve(sink);
        if (sink.can_surrender()) {
            reserve_ = sink.surrender();
        } else if (reserve_.data != nullptr) {
            std::memcpy(reserve_.data, sink.data(), sink.size());
            reserve_.size = sink.size();
        } else {
            return false;
        }
        std::swap(block_, reserve_);
        size_ = block_.size;
        generation_.store(sys::process_generation(), std::memory_order_relaxed);
        left_.store(size_, std::memory_order_release);
    }
    reserve_.release();
    sink.set_size(0);
    return true;
}

#if !defined(USOCKET_SMALL)
bool Pending::unread(Sink& sink) noexcept {
    // There are more: so all of the call's were from here, and stand before them still.
    if (!empty()) size_ += sink.size();
    return give_back(sink);
}
#endif

std::size_t Pending::reserve(const Sink& sink) noexcept {
    if (sink.can_surrender()) return SIZE_MAX;
    if (reserve_.size <= sink.size() && reserve_.size < sink.capacity()) {
#if !defined(USOCKET_HOST_HOOKS)
        const Held held;
#endif
        reserve_.release();
        std::size_t more = sink.capacity() - sink.size();
        do {
            reserve_ = allocate(sink.size() + more);
            more /= 8;
        } while (reserve_.data == nullptr && more != 0);
    }
    return reserve_.data != nullptr ? reserve_.size - sink.size() : 0;
}

void Pending::clear() noexcept {
    left_.store(0, std::memory_order_release);
    size_ = 0;
    block_.release();
    reserve_.release();
}

}  // namespace usocket
