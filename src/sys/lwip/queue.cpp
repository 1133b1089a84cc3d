#include "sys/lwip/queue.hpp"

#include <algorithm>
#include <cstring>

namespace usocket::sys {

void Queue::append(pbuf* chain) noexcept {
    size_ += chain->tot_len;
    (last_ == nullptr ? first_ : last_->next) = chain;
    while (chain->next != nullptr) chain = chain->next;
    last_ = chain;
}

std::size_t Queue::peek(MutableBuffer buffer) const noexcept {
    std::size_t done = 0;
    std::size_t skipped = dropped_;
    for (const pbuf* one = first_; one != nullptr && done < buffer.size(); one = one->next) {
        const std::size_t count = std::min(buffer.size() - done, one->len - skipped);
        if (count != 0)
            std::memcpy(buffer.data() + done, static_cast<const std::uint8_t*>(one->payload) + skipped, count);
        done += count;
        skipped = 0;
    }
    return done;
}

void Queue::drop(std::size_t count) noexcept {
    size_ -= count;
    dropped_ += count;
    while (first_ != nullptr && dropped_ >= first_->len) {
        pbuf* gone = first_;
        dropped_ -= gone->len;
        first_ = gone->next;
        if (first_ == nullptr) last_ = nullptr;
        gone->next = nullptr;
        gone->tot_len = gone->len;
        pbuf_free(gone);
    }
}

}  // namespace usocket::sys
