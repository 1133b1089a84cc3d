#include "wire.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "wire.h"

namespace usocket::tests {
namespace {

Wire* the_wire = nullptr;

bool is_ipv6(const std::string& frame) { return (static_cast<unsigned char>(frame[0]) >> 4) == 6; }

bool goes_to_a_group(const std::string& frame) {
    const auto first = static_cast<unsigned char>(frame[is_ipv6(frame) ? 24 : 16]);
    return is_ipv6(frame) ? first == 0xff : first >= 224;
}

bool goes_to_the_mirror(const std::string& frame) {
    const auto last = frame[is_ipv6(frame) ? 39 : 19];
    return last == 2;
}

// Checksums contain the sum of both addresses, which stays.
void swap_addresses(std::string& frame) {
    const auto begin = frame.begin() + (is_ipv6(frame) ? 8 : 12);
    const auto size = is_ipv6(frame) ? 16 : 4;
    std::swap_ranges(begin, begin + size, begin + size);
}

}  // namespace

Wire::Wire(std::uint64_t seed, WireFaults faults) : random_(seed), faults_(faults) {
    const sys::Guard guard;
    if (std::exchange(the_wire, this) != nullptr) std::abort();
    ip4_addr_t ip{}, mask{}, gateway{};
    IP4_ADDR(&ip, 10, 0, 0, 1);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    if (netif_add(&netif_, &ip, &mask, &gateway, nullptr, init, ip_input) == nullptr) std::abort();
    netif_set_link_up(&netif_);
    netif_set_up(&netif_);
    ip6_addr_t local{};
    IP6_ADDR(&local, PP_HTONL(0xfe800000), 0, 0, PP_HTONL(1));
    ip6_addr_assign_zone(&local, IP6_UNICAST, &netif_);
    netif_ip6_addr_set(&netif_, 0, &local);
    netif_ip6_addr_set_state(&netif_, 0, IP6_ADDR_PREFERRED);
    usocket_linux_wire = []() -> std::uint32_t { return the_wire->deliver(); };
}

Wire::~Wire() {
    interrupt(false);
    const sys::Guard guard;
    usocket_linux_wire = nullptr;
    netif_remove(&netif_);
    the_wire = nullptr;
}

err_t Wire::init(netif* self) {
    self->name[0] = 'w';
    self->name[1] = 'r';
    self->mtu = 1500;
    self->flags |= NETIF_FLAG_BROADCAST | NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
    self->output = [](netif*, pbuf* data, const ip4_addr_t*) -> err_t { return the_wire->take(data); };
    self->output_ip6 = [](netif*, pbuf* data, const ip6_addr_t*) -> err_t { return the_wire->take(data); };
    return ERR_OK;
}

void Wire::interrupt(bool on) {
    const sys::Guard guard;
    usocket_linux_interrupts = on;
}

void Wire::inject(std::string frame) {
    const sys::Guard guard;
    queue(std::move(frame));
}

// What lwIP sends; guarded.
err_t Wire::take(pbuf* data) {
    std::string frame(data->tot_len, '\0');
    (void)pbuf_copy_partial(data, frame.data(), data->tot_len, 0);
    if (!goes_to_a_group(frame)) {
        if (!goes_to_the_mirror(frame)) return ERR_OK;
        swap_addresses(frame);
    }
    if (random_.chance(faults_.dropped)) return ERR_OK;
    if (random_.chance(faults_.duplicated)) queue(frame);
    queue(std::move(frame));
    return ERR_OK;
}

void Wire::queue(std::string frame) {
    const std::uint64_t late = random_.chance(faults_.late) ? random_.below(faults_.latest_us + 1) : 0;
    frames_.emplace(usocket_port_now() + late * 1000, std::move(frame));
    usocket_port_wake();
}

// What has arrived by now; guarded. In how many milliseconds the next does.
std::uint32_t Wire::deliver() {
    const std::uint64_t now = usocket_port_now();
    while (!frames_.empty() && frames_.begin()->first <= now) {
        const std::string frame = std::move(frames_.extract(frames_.begin()).mapped());
        pbuf* data = pbuf_alloc(PBUF_RAW, static_cast<std::uint16_t>(frame.size()), PBUF_POOL);
        if (data == nullptr) {
            ++refused_;
            continue;
        }
        (void)pbuf_take(data, frame.data(), static_cast<std::uint16_t>(frame.size()));
        if (netif_.input(data, &netif_) != ERR_OK) pbuf_free(data);
    }
    if (frames_.empty()) return UINT32_MAX;
    return static_cast<std::uint32_t>((frames_.begin()->first - std::min(now, frames_.begin()->first)) / 1'000'000 + 1);
}

}  // namespace usocket::tests
