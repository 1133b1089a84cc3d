/* Frames go through two FIFOs, word by word, without DMA. In front of each frame is what it is: one word with its
 * status when it has come, two with its length when it is sent. */
#include "lan9118.h"

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
    RX_DP_CTRL = 0x78,
    RX_FIFO_INF = 0x7c,
    TX_FIFO_INF = 0x80,
    FREE_RUN = 0x9c,
    MAC_CSR_CMD = 0xa4,
    MAC_CSR_DATA = 0xa8,
};

enum { BYTE_TEST_VALUE = 0x87654321, MAC_CSR_BUSY = 1u << 31, RX_DP_FAST_FORWARD = 1u << 31 };
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

void lan9118_hush(void) { *reg(INT_EN) = 0; }

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

/* Takes the frame at the front of the FIFO off it. NULL: it was wrong, or there is no memory for it. */
static struct pbuf* take_frame(uint32_t status) {
    static uint32_t words[MOST_WORDS];
    const uint32_t size = status >> 16 & 0x3fff;
    const uint32_t count = (size + 3) / 4;
    for (uint32_t i = 0; i < count; ++i) {
        const uint32_t word = *reg(RX_DATA);
        if (i < MOST_WORDS) {
            words[i] = word;
        }
    }
    if ((status & RX_STATUS_ERROR) != 0 || size <= CRC_SIZE || count > MOST_WORDS) {
        return NULL;
    }
    struct pbuf* frame = pbuf_alloc(PBUF_RAW, (u16_t)(size - CRC_SIZE), PBUF_POOL);
    if (frame != NULL) {
        pbuf_take(frame, words, (u16_t)(size - CRC_SIZE));
    }
    return frame;
}

void lan9118_receive(struct netif* nic) {
    *reg(INT_STS) = RX_STATUS_LEVEL; /* whatever comes from here on sets it again */
    while ((*reg(RX_FIFO_INF) >> 16 & 0xff) != 0) {
        struct pbuf* frame = take_frame(*reg(RX_STATUS));
        if (frame != NULL && (!netif_is_up(nic) || nic->input(frame, nic) != ERR_OK)) {
            pbuf_free(frame);
        }
    }
    *reg(INT_EN) = RX_STATUS_LEVEL;
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
