/* Frames go through two FIFOs, word by word, without DMA. In front of each frame is what it is: one word with its
 * status when it has come, two with its length when it is sent.
 *
 * The chip has room for seven frames that have come, and lwIP may be busy for longer, as while it sends a datagram in
 * many fragments. So the interrupt takes them off the chip at once, into a ring, and lwIP has them from there: the same
 * as the ring of buffers that a chip with DMA is given. */
#include "lan9118.h"

#include <stdatomic.h>
#include <string.h>

#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/pbuf.h"
#include "netif/ethernet.h"

enum { BASE = 0x40200000 };

/* Registers, by their offsets. */
enum {
    RX_DATA = 0x00,
    TX_DATA = 0x20,
    RX_STATUS = 0x40,
    TX_STATUS = 0x48,
    IRQ_CFG = 0x54,
    INT_STS = 0x58,
    INT_EN = 0x5c,
    BYTE_TEST = 0x64,
    FIFO_INT = 0x68,
    RX_CFG = 0x6c,
    TX_CFG = 0x70,
    HW_CFG = 0x74,
    RX_FIFO_INF = 0x7c,
    TX_FIFO_INF = 0x80,
    FREE_RUN = 0x9c,
    MAC_CSR_CMD = 0xa4,
    MAC_CSR_DATA = 0xa8,
};

enum { BYTE_TEST_VALUE = 0x87654321, MAC_CSR_BUSY = 1u << 31 };
enum { HW_CFG_RESET = 1, HW_CFG_MUST_BE_ONE = 1 << 20, HW_CFG_TX_FIFO_5_KB = 5 << 16 };
enum { IRQ_CFG_ENABLE = 1 << 8, IRQ_CFG_ACTIVE_HIGH = 1 << 4, IRQ_CFG_PUSH_PULL = 1 };
enum { RX_STATUS_LEVEL = 1 << 3 }; /* of INT_STS and INT_EN */
enum { TX_CFG_ON = 2, RX_STATUS_ERROR = 1 << 15, TX_FIRST_AND_LAST = 3 << 12 };

/* Registers of its MAC, behind MAC_CSR_CMD. */
enum { MAC_CR = 1, ADDRH = 2, ADDRL = 3 };
enum { MAC_CR_RX_ON = 1 << 2, MAC_CR_TX_ON = 1 << 3, MAC_CR_ALL_MULTICAST = 1 << 19 };

enum { CRC_SIZE = 4, MOST_WORDS = (1514 + CRC_SIZE + 3) / 4 };

static volatile uint32_t* reg(uint32_t offset) { return (volatile uint32_t*)(BASE + offset); }

static void mac_write(uint32_t number, uint32_t value) {
    *reg(MAC_CSR_DATA) = value;
    *reg(MAC_CSR_CMD) = MAC_CSR_BUSY | number;
    while ((*reg(MAC_CSR_CMD) & MAC_CSR_BUSY) != 0) {
    }
}

uint32_t lan9118_counter(void) { return *reg(FREE_RUN); }

/* --- Sending */

/* Waits until the FIFO has room: the wire takes 120 us for the longest frame. */
static err_t send(struct netif* nic, struct pbuf* frame) {
    (void)nic;
    static uint32_t words[MOST_WORDS];
    const uint32_t size = pbuf_copy_partial(frame, words, sizeof words, 0);
    if (size != frame->tot_len) {
        return ERR_BUF;
    }
    while ((*reg(TX_FIFO_INF) & 0xffff) < size + 16) {
    }
    *reg(TX_DATA) = TX_FIRST_AND_LAST | size;
    *reg(TX_DATA) = size;
    for (uint32_t i = 0; i < (size + 3) / 4; ++i) {
        *reg(TX_DATA) = words[i];
    }
    while ((*reg(TX_FIFO_INF) >> 16 & 0xff) != 0) {
        (void)*reg(TX_STATUS);
    }
    return ERR_OK;
}

/* --- Receiving */

/* As many as the fragments of a datagram of 64 KiB, and some more. A power of two, for the counts to wrap around. */
enum { RING_SIZE = 64 };

struct frame {
    uint32_t size; /* 0: it came damaged */
    uint32_t words[MOST_WORDS];
};
static struct frame ring[RING_SIZE];
static atomic_uint taken;   /* off the chip */
static atomic_uint handed;  /* to lwIP */
static atomic_bool is_full; /* then the interrupt is off, and what comes stays in the chip */

static void take_frame(uint32_t status, struct frame* frame) {
    const uint32_t size = status >> 16 & 0x3fff;
    const uint32_t count = (size + 3) / 4;
    for (uint32_t i = 0; i < count; ++i) {
        const uint32_t word = *reg(RX_DATA);
        if (i < MOST_WORDS) {
            frame->words[i] = word;
        }
    }
    const bool is_whole = (status & RX_STATUS_ERROR) == 0 && size > CRC_SIZE && count <= MOST_WORDS;
    frame->size = is_whole ? size - CRC_SIZE : 0;
}

void lan9118_take(void) {
    *reg(INT_STS) = RX_STATUS_LEVEL; /* whatever comes from here on sets it again */
    while ((*reg(RX_FIFO_INF) >> 16 & 0xff) != 0 && taken - handed < RING_SIZE) {
        take_frame(*reg(RX_STATUS), &ring[taken % RING_SIZE]);
        ++taken;
    }
    is_full = taken - handed == RING_SIZE;
    *reg(INT_EN) = is_full ? 0 : RX_STATUS_LEVEL;
}

/* If there is no memory for it, it is lost, as on the wire. */
static void hand(struct netif* nic, const struct frame* frame) {
    if (frame->size == 0 || !netif_is_up(nic)) {
        return;
    }
    struct pbuf* copy = pbuf_alloc(PBUF_RAW, (u16_t)frame->size, PBUF_POOL);
    if (copy == NULL) {
        return;
    }
    pbuf_take(copy, frame->words, (u16_t)frame->size);
    if (nic->input(copy, nic) != ERR_OK) {
        pbuf_free(copy);
    }
}

void lan9118_receive(struct netif* nic) {
    do {
        for (; handed != taken; ++handed) {
            hand(nic, &ring[handed % RING_SIZE]);
        }
        if (is_full) {
            lan9118_take();
        }
    } while (handed != taken);
}

/* --- The beginning */

bool lan9118_reset(void) {
    if (*reg(BYTE_TEST) != BYTE_TEST_VALUE) {
        return false;
    }
    *reg(HW_CFG) = HW_CFG_RESET;
    while ((*reg(HW_CFG) & HW_CFG_RESET) != 0) {
    }
    *reg(HW_CFG) = HW_CFG_TX_FIFO_5_KB | HW_CFG_MUST_BE_ONE;
    return true;
}

err_t lan9118_init(struct netif* nic) {
    const uint8_t* mac = nic->hwaddr;
    mac_write(ADDRL, mac[0] | mac[1] << 8 | mac[2] << 16 | (uint32_t)mac[3] << 24);
    mac_write(ADDRH, mac[4] | mac[5] << 8);
    *reg(TX_CFG) = TX_CFG_ON;
    *reg(RX_CFG) = 0;
    *reg(FIFO_INT) = 0; /* of received frames: one is enough */
    *reg(IRQ_CFG) = IRQ_CFG_ENABLE | IRQ_CFG_ACTIVE_HIGH | IRQ_CFG_PUSH_PULL;
    mac_write(MAC_CR, MAC_CR_TX_ON | MAC_CR_RX_ON | MAC_CR_ALL_MULTICAST);

    nic->name[0] = 'e';
    nic->name[1] = 'n';
    nic->mtu = 1500;
    nic->linkoutput = send;
    nic->output = etharp_output;
#if LWIP_IPV6
    nic->output_ip6 = ethip6_output;
#endif
    nic->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP | NETIF_FLAG_MLD6 |
                 NETIF_FLAG_LINK_UP;
    *reg(INT_EN) = RX_STATUS_LEVEL;
    return ERR_OK;
}
