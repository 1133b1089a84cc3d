// Wire: an interface of lwIP's, 10.0.0.1 and fe80::1, whose far end is a mirror. What is sent to 10.0.0.2 or fe80::2
// comes back with both addresses swapped: so the stack talks to itself over an interface, and not by the short way of
// its own addresses. What is sent to a group comes back as it is. Frames come in buffers of the pool, as a chip's do.
// By its seed the wire drops, duplicates, delays and so reorders them. What is sent elsewhere is lost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "random.hpp"
#include "sys/lwip/lwip.hpp"

namespace usocket::tests {

// Of a thousand frames.
struct WireFaults {
    unsigned dropped = 0, duplicated = 0, late = 0;
    unsigned latest_us = 0;  // how late one may be at most
};

// One at a time.
class Wire {
public:
    explicit Wire(std::uint64_t seed = 1, WireFaults faults = {});
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;
    ~Wire();

    // Frames come whenever nobody keeps them out, as with an interrupt: as each lock is taken and given back.
    static void interrupt(bool on);
    // A frame from outside, with its IP header.
    void inject(std::string frame);
    // Frames lost because there was no buffer for them.
    [[nodiscard]] std::size_t refused() const { return refused_; }
    [[nodiscard]] std::uint8_t index() const { return netif_get_index(&netif_); }

    static constexpr const char* here = "10.0.0.1";
    static constexpr const char* there = "10.0.0.2";
    static constexpr const char* here_ipv6 = "fe80::1";
    static constexpr const char* there_ipv6 = "fe80::2";

private:
    static err_t init(netif* self);
    err_t take(pbuf* data);
    void queue(std::string frame);
    std::uint32_t deliver();

    Random random_;
    WireFaults faults_;
    netif netif_{};
    std::multimap<std::uint64_t, std::string> frames_;  // by when they arrive
    std::size_t refused_ = 0;
};

}  // namespace usocket::tests
