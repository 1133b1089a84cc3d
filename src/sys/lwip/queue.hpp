// Queue: the received bytes of a stream. A list of our own of lwIP's buffers: a chain of lwIP's counts its bytes in 16
// bits and would lose what is beyond.
#pragma once

#include "sys/lwip/lwip.hpp"

namespace usocket::sys {

class Queue {
public:
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    // Takes the chain over. Where the last buffer has some room, it is copied there: a peer that sends little at a time
    // would else use up the pool in which all that arrives must find place.
    void append(pbuf* chain) noexcept;
    // Copies as much as there is and fits; nothing leaves.
    [[nodiscard]] std::size_t peek(MutableBuffer buffer) const noexcept;
    // The first `count` bytes, which there are.
    void drop(std::size_t count) noexcept;

private:
    pbuf* first_ = nullptr;  // linked by `next`; their tot_len means nothing
    pbuf* last_ = nullptr;
    std::size_t size_ = 0;
    std::size_t dropped_ = 0;  // of the first one's bytes
};

}  // namespace usocket::sys
