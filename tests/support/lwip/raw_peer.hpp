// RawPeer: at the far end of a Wire, at 10.0.0.77, whose frames are lost: what it sends is the test's, and it answers
// nothing of its own accord.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "loopback.hpp"
#include "lwip/priv/tcp_priv.h"
#include "wire.hpp"

namespace usocket::tests {

struct RawPeer {
    static constexpr std::uint8_t syn = TCP_SYN, ack = TCP_ACK;
    static constexpr std::uint32_t first = 1;  // its sequence number

    std::uint16_t port;    // its own
    std::uint16_t target;  // of the listener at Wire::here
    std::uint16_t window = 0x1000;
    std::uint16_t mss = 0;  // what the next segment says of it; 0: nothing

    // A segment without data, with its IP header.
    [[nodiscard]] std::string segment(std::uint8_t flags, std::uint32_t number = first, std::uint32_t acked = 0) const {
        std::string tcp(mss == 0 ? 20 : 24, '\0');
        put_16(tcp, 0, port);
        put_16(tcp, 2, target);
        put_16(tcp, 4, number >> 16);
        put_16(tcp, 6, number);
        put_16(tcp, 8, acked >> 16);
        put_16(tcp, 10, acked);
        put_16(tcp, 12, static_cast<unsigned>(tcp.size() / 4) << 12 | flags);
        put_16(tcp, 14, window);
        if (mss != 0) put_16(tcp, 20, 0x0204), put_16(tcp, 22, mss);
        std::string ip("\x45\0\0\0\0\0\0\0\x40\x06\0\0\x0a\0\0\x4d\x0a\0\0\1", 20);
        put_16(ip, 2, static_cast<unsigned>(20 + tcp.size()));
        put_16(ip, 10, sum_of(ip));
        std::string pseudo = ip.substr(12) + std::string("\0\6\0\0", 4);
        put_16(pseudo, 10, static_cast<unsigned>(tcp.size()));
        put_16(tcp, 16, sum_of(pseudo + tcp));
        return ip + tcp;
    }

    // Connects: what the listener accepts.
    [[nodiscard]] Socket connect(Wire& wire, Socket& listener) {
        wire.inject(segment(syn));
        usocket_lwip_turn();
        mss = 0;
        acknowledge(wire);
        return std::move(must(listener.accept()).socket);
    }
    // All that it has been sent.
    void acknowledge(Wire& wire) const {
        std::uint32_t next = 0;
        {
            const sys::Guard guard;
            for (const tcp_pcb* pcb = tcp_active_pcbs; pcb != nullptr; pcb = pcb->next) {
                if (pcb->remote_port == port) next = pcb->snd_nxt;
            }
        }
        wire.inject(segment(ack, first + 1, next));
        usocket_lwip_turn();
    }

private:
    static std::uint16_t sum_of(std::string_view bytes) {
        std::uint32_t sum = 0;
        for (std::size_t i = 0; i < bytes.size(); ++i)
            sum += static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (i % 2 == 0 ? 8 : 0);
        while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
        return static_cast<std::uint16_t>(~sum);
    }
    static void put_16(std::string& bytes, std::size_t at, std::uint32_t value) {
        bytes[at] = static_cast<char>(value >> 8);
        bytes[at + 1] = static_cast<char>(value);
    }
};

// A listener that they reach.
inline Socket listener_at(const char* ip, std::uint16_t& port) {
    Socket server = must(socket());
    must(server.bind(must(Address::inet(AF_INET, ip, 0))));
    must(server.listen(16));
    must(server.settimeout(std::chrono::seconds(20)));
    port = must(server.getsockname()).port();
    return server;
}

}  // namespace usocket::tests
