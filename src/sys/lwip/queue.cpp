#include "sys/lwip/queue.hpp"

#include <algorithm>
#include <cstring>

namespace usocket::sys {

namespace {

// A buffer of lwIP's pool that is nobody else's, without what pbuf.c has in front; nullptr: it is something else.
std::uint8_t* begin_of(pbuf* buffer) noexcept {
    const bool is_pools = pbuf_match_allocsrc(buffer, PBUF_POOL) && (buffer->flags & PBUF_FLAG_IS_CUSTOM) == 0;
    if (!is_pools || buffer->ref != 1) return nullptr;
    return reinterpret_cast<std::uint8_t*>(buffer) + LWIP_MEM_ALIGN_SIZE(sizeof(pbuf));
}

constexpr std::size_t buffer_size = LWIP_MEM_ALIGN_SIZE(PBUF_POOL_BUFSIZE);

std::uint8_t* end_of_bytes(const pbuf* buffer) noexcept {
    return static_cast<std::uint8_t*>(buffer->payload) + buffer->len;
}

// Behind its bytes.
std::size_t room_in(pbuf* buffer) noexcept {
    const std::uint8_t* begin = begin_of(buffer);
    return begin == nullptr ? 0 : static_cast<std::size_t>(begin + buffer_size - end_of_bytes(buffer));
}

// Its bytes, to where their headers were.
void move_to_the_front(pbuf* buffer) noexcept {
    std::uint8_t* begin = begin_of(buffer);
    if (begin == nullptr) return;
    std::memmove(begin, buffer->payload, buffer->len);
    buffer->payload = begin;
}

}  // namespace

void Queue::append(pbuf* chain) noexcept {
    size_ += chain->tot_len;
    const std::size_t room = last_ == nullptr ? 0 : room_in(last_);
    if (room >= buffer_size / 8) {
        const auto count = static_cast<std::uint16_t>(std::min<std::size_t>(chain->tot_len, room));
        (void)pbuf_copy_partial(chain, end_of_bytes(last_), count, 0);
        last_->len = static_cast<std::uint16_t>(last_->len + count);
        chain = pbuf_free_header(chain, count);
        if (chain == nullptr) return;
        move_to_the_front(chain);
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
