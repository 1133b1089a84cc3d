/* Where a connection's sequence numbers begin (RFC 6528): at a clock that goes on, plus what nobody else can know of
 * its addresses and ports. lwIP's own begin at 6510, and whoever sees none of a connection's packets guesses them all.
 */
#include <string.h>

#include "board_hooks.h"
#include "sys/lwip/port.h"

static inline uint64_t rotated(uint64_t word, unsigned by) { return word << by | word >> (64 - by); }

static void mix(uint64_t v[4], unsigned rounds) {
    while (rounds-- != 0) {
        v[0] += v[1], v[2] += v[3];
        v[1] = rotated(v[1], 13) ^ v[0], v[3] = rotated(v[3], 16) ^ v[2];
        v[0] = rotated(v[0], 32);
        v[2] += v[1], v[0] += v[3];
        v[1] = rotated(v[1], 17) ^ v[2], v[3] = rotated(v[3], 21) ^ v[0];
        v[2] = rotated(v[2], 32);
    }
}

/* SipHash-2-4. */
static uint64_t hash(const uint64_t key[2], const uint64_t* words, unsigned count) {
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
                     key[1] ^ 0x7465646279746573};
    for (; count != 0; --count, ++words) {
        v[3] ^= *words;
        mix(v, 2);
        v[0] ^= *words;
    }
    v[2] ^= 0xff;
    mix(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void put_ip(uint64_t into[2], const ip_addr_t* ip) {
#if LWIP_IPV6
    if (IP_IS_V6(ip)) {
        memcpy(into, ip_2_ip6(ip)->addr, 16);
        return;
    }
#endif
    into[1] = ip_2_ip4(ip)->addr;
}

u32_t board_tcp_isn(const ip_addr_t* local, u16_t local_port, const ip_addr_t* remote, u16_t remote_port) {
    static uint64_t key[2]; /* as long as the board runs */
    if (key[0] == 0) {
        for (unsigned i = 0; i < 2; ++i) {
            key[i] = (uint64_t)board_random() << 32 | board_random();
        }
    }
    uint64_t words[5] = {0};
    put_ip(words, local);
    put_ip(words + 2, remote);
    words[4] = (uint64_t)36 << 56 | (uint32_t)local_port << 16 | remote_port; /* how many bytes, as SipHash has it */
    return (u32_t)(hash(key, words, 5) + usocket_port_now() / 4000);
}
