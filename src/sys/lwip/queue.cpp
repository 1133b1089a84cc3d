#include "sys/lwip/queue.hpp"

#include <algorithm>
#include <cstring>

namespace usocket::sys {

namespace {

// Behind its bytes, in a buffer of lwIP's pool; pbuf.c lays them out.
std::size_t room_in(const pbuf* buffer) noexcept {
    const bool is_pools = pbuf_match_allocsrc(buffer, PBUF_POOL) && (buffer->flags & PBUF_FLAG_IS_CUSTOM) == 0;
    if (!is_pools || buffer->ref != 1) return 0;
    const auto* begin = reinterpret_cast<const std::uint8_t*>(buffer) + LWIP_MEM_ALIGN_SIZE(sizeof(pbuf));
    const auto* end = begin + LWIP_MEM_ALIGN_SIZE(PBUF_POOL_BUFSIZE);
    const auto* used = static_cast<const std::uint8_t*>(buffer->payload) + buffer->len;
    return static_cast<std::size_t>(end - used);
}

}  // namespace

void Queue::append(pbuf* chain) noexcept {
    size_ += chain->tot_len;
    if (last_ != nullptr && chain->tot_len <= room_in(last_)) {
        auto* end = static_cast<std::uint8_t*>(last_->payload) + last_->len;
        (void)pbuf_copy_partial(chain, end, chain->tot_len, 0);
        last_->len = static_cast<std::uint16_t>(last_->len + chain->tot_len);
        pbuf_free(chain);
        return;
    }
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
