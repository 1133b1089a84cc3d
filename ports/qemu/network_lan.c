/* network.LAN: the interface up and down, its addresses by hand or by DHCP. Whatever touches lwIP does so with PendSV
 * locked out. */
#include "network_lan.h"

#include <string.h>

#include "board.h"
#include "board_hooks.h"
#include "disk.h"
#include "lan9118.h"
#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/init.h"
#include "lwip/ip4_frag.h"
#include "lwip/ip6_frag.h"
#include "lwip/netif.h"
#include "lwip/prot/dhcp.h"
#include "lwip/sys.h"
#include "netif/ethernet.h"
#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "sys/lwip/port.h"

enum { DHCP_WAIT_MS = 15000 };

static struct netif nic;
static bool is_there;
static bool loops_on_wire; /* what the board sends to its own address goes out, too */

void lan_receive(void) {
    if (is_there) {
        lan9118_receive(&nic);
    }
}

/* --- What is sent to ourselves. The linker puts this in the place of lwIP's (-Wl,--wrap). */

err_t __real_netif_loop_output(struct netif* netif, struct pbuf* packet);
err_t __wrap_netif_loop_output(struct netif* netif, struct pbuf* packet);
err_t __wrap_netif_loop_output(struct netif* netif, struct pbuf* packet) {
    if (netif != &nic || !loops_on_wire) {
        return __real_netif_loop_output(netif, packet);
    }
    const uint8_t* header = packet->payload;
#if LWIP_IPV6
    if (header[0] >> 4 == 6) {
        ip6_addr_t to = {0};
        memcpy(to.addr, header + 24, sizeof to.addr);
        return packet->tot_len > nic.mtu ? ip6_frag(packet, &nic, &to) : nic.output_ip6(&nic, packet, &to);
    }
#endif
    ip4_addr_t to;
    memcpy(&to.addr, header + 16, sizeof to.addr);
    return packet->tot_len > nic.mtu ? ip4_frag(packet, &nic, &to) : nic.output(&nic, packet, &to);
}

/* --- Up and down */

static err_t nic_init(struct netif* netif) {
    static const uint8_t mac[] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    memcpy(netif->hwaddr, mac, sizeof mac);
    netif->hwaddr_len = sizeof mac;
    return lan9118_init(netif);
}

void board_init_network(void) {
    lwip_init();
    is_there = netif_add(&nic, NULL, NULL, NULL, NULL, nic_init, ethernet_input) != NULL;
    netif_set_default(&nic);
    board_enable_irq(IRQ_ETHERNET);
}

/* With those of servers. */
static void forget_addresses(void) {
    netif_set_addr(&nic, NULL, NULL, NULL);
#if LWIP_IPV6
    for (s8_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; ++i) {
        netif_ip6_addr_set_state(&nic, i, IP6_ADDR_INVALID);
    }
#endif
    for (u8_t i = 0; i < DNS_MAX_SERVERS; ++i) {
        dns_setserver(i, NULL);
    }
}

static void set_up(bool up) {
    usocket_port_lock();
    if (up && !netif_is_up(&nic)) {
        netif_set_up(&nic);
#if LWIP_IPV6
        netif_create_ip6_linklocal_address(&nic, 1);
#endif
    } else if (!up) {
        dhcp_release_and_stop(&nic);
        netif_set_down(&nic);
        forget_addresses();
    }
    usocket_port_unlock();
}

void board_reset_network(void) {
    usocket_lwip_reset();
    set_up(false);
    loops_on_wire = false;
}

/* --- Values */

static mp_obj_t new_text(const ip_addr_t* address) {
    char text[IPADDR_STRLEN_MAX];
    usocket_port_lock();
    ipaddr_ntoa_r(address, text, sizeof text);
    usocket_port_unlock();
    return mp_obj_new_str_from_cstr(text);
}

static ip_addr_t get_address(mp_obj_t from) {
    ip_addr_t address;
    if (!ipaddr_aton(mp_obj_str_get_str(from), &address)) {
        mp_raise_ValueError(MP_ERROR_TEXT("not an address"));
    }
    return address;
}

static ip4_addr_t get_ip4(mp_obj_t from) {
    const ip_addr_t address = get_address(from);
    if (!IP_IS_V4_VAL(address)) {
        mp_raise_ValueError(MP_ERROR_TEXT("not an IPv4 address"));
    }
    return *ip_2_ip4(&address);
}

static void set_ip4(const ip4_addr_t* address, const ip4_addr_t* mask, const ip4_addr_t* gateway) {
    usocket_port_lock();
    dhcp_release_and_stop(&nic);
    netif_set_addr(&nic, address, mask, gateway);
    usocket_port_unlock();
}

static void set_dns(const ip_addr_t* address) {
    usocket_port_lock();
    dns_setserver(0, address);
    usocket_port_unlock();
}

/* --- DHCP */

static bool asks_dhcp(void) {
    const struct dhcp* dhcp = netif_dhcp_data(&nic);
    return dhcp != NULL && dhcp->state != DHCP_STATE_OFF;
}

static bool has_lease(void) { return dhcp_supplied_address(&nic) != 0; }

static void start_dhcp(void) {
    usocket_port_lock();
    const err_t error = has_lease() ? dhcp_renew(&nic) : dhcp_start(&nic);
    usocket_port_unlock();
    if (error != ERR_OK) {
        mp_raise_OSError(MP_ENOMEM);
    }
}

/* lwIP asks a server that refuses (NAK) again at once. From the second refusal on it does not hear what it is offered
 * then, until its timer has it ask once more: 2 s later, then 4, 8, 16, 32, 60. */
void lan_dhcp_sends(struct dhcp* dhcp, u8_t state, u8_t message) {
    enum { AT_ONCE_MS = 1000 };
    static u32_t requested; /* when */
    static u8_t refusals;
    if (message == DHCP_REQUEST) {
        requested = sys_now();
        if (state != DHCP_STATE_REQUESTING) {
            refusals = 0; /* it has had a lease */
        }
    } else if (message == DHCP_DISCOVER && dhcp->tries == 0) { /* not by the timer */
        const bool was_refused = sys_now() - requested < AT_ONCE_MS;
        refusals = was_refused ? (u8_t)LWIP_MIN(refusals + 1, 7) : 0;
        if (refusals >= 2) {
            dhcp->xid = ~dhcp->xid; /* no answer to this message has it */
            dhcp->tries = refusals - 2;
        }
    }
}

static void wait_for_lease(void) {
    const mp_uint_t start = mp_hal_ticks_ms();
    while (!has_lease()) {
        if (mp_hal_ticks_ms() - start > DHCP_WAIT_MS) {
            mp_raise_OSError(MP_ETIMEDOUT);
        }
        mp_hal_delay_ms(1);
    }
}

/* --- Methods */

static const mp_obj_base_t lan_object = {&network_lan_type};

static mp_obj_t lan_make_new(const mp_obj_type_t* type, size_t n_args, size_t n_kw, const mp_obj_t* args) {
    (void)type;
    (void)args;
    mp_arg_check_num(n_args, n_kw, 0, 1, false);
    return MP_OBJ_FROM_PTR(&lan_object);
}

static mp_obj_t lan_active(size_t n_args, const mp_obj_t* args) {
    if (n_args == 1) {
        return mp_obj_new_bool(netif_is_up(&nic));
    }
    set_up(mp_obj_is_true(args[1]));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(lan_active_obj, 1, 2, lan_active);

static mp_obj_t lan_isconnected(mp_obj_t self) {
    (void)self;
    return mp_obj_new_bool(netif_is_up(&nic) && netif_is_link_up(&nic) && !ip4_addr_isany(netif_ip4_addr(&nic)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(lan_isconnected_obj, lan_isconnected);

/* ifconfig(): (address, mask, gateway, DNS server); ifconfig(those); ifconfig("dhcp") waits until there is a lease. */
static mp_obj_t lan_ifconfig(size_t n_args, const mp_obj_t* args) {
    if (n_args == 1) {
        const mp_obj_t four[] = {new_text(netif_ip_addr4(&nic)), new_text(netif_ip_netmask4(&nic)),
                                 new_text(netif_ip_gw4(&nic)), new_text(dns_getserver(0))};
        return mp_obj_new_tuple(4, four);
    }
    set_up(true);
    if (mp_obj_is_str(args[1])) {
        if (strcmp(mp_obj_str_get_str(args[1]), "dhcp") != 0) {
            mp_raise_ValueError(MP_ERROR_TEXT("four addresses or 'dhcp' are wanted"));
        }
        start_dhcp();
        wait_for_lease();
        return mp_const_none;
    }
    mp_obj_t* items;
    mp_obj_get_array_fixed_n(args[1], 4, &items);
    const ip4_addr_t address = get_ip4(items[0]), mask = get_ip4(items[1]), gateway = get_ip4(items[2]);
    const ip_addr_t dns = get_address(items[3]);
    set_ip4(&address, &mask, &gateway);
    set_dns(&dns);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(lan_ifconfig_obj, 1, 2, lan_ifconfig);

#if LWIP_IPV6
static mp_obj_t addresses_of_ip6(void) {
    const mp_obj_t list = mp_obj_new_list(0, NULL);
    for (s8_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; ++i) {
        if (ip6_addr_isvalid(netif_ip6_addr_state(&nic, i))) {
            mp_obj_list_append(list, new_text(netif_ip_addr6(&nic, i)));
        }
    }
    return list;
}

static void add_ip6(mp_obj_t from) {
    const ip_addr_t address = get_address(from);
    if (!IP_IS_V6_VAL(address)) {
        mp_raise_ValueError(MP_ERROR_TEXT("not an IPv6 address"));
    }
    s8_t index = -1;
    usocket_port_lock();
    const err_t error = netif_add_ip6_address(&nic, ip_2_ip6(&address), &index);
    if (error == ERR_OK) {
        netif_ip6_addr_set_state(&nic, index, IP6_ADDR_PREFERRED);
    }
    usocket_port_unlock();
    if (error != ERR_OK) {
        mp_raise_OSError(MP_ENOMEM);
    }
}
#endif

static mp_obj_t ask_ipconfig(qstr what) {
    const mp_obj_t pair[] = {new_text(netif_ip_addr4(&nic)), new_text(netif_ip_netmask4(&nic))};
    switch (what) {
        case MP_QSTR_addr4: return mp_obj_new_tuple(2, pair);
        case MP_QSTR_gw4: return new_text(netif_ip_gw4(&nic));
        case MP_QSTR_dhcp4: return mp_obj_new_bool(asks_dhcp());
        case MP_QSTR_has_dhcp4: return mp_obj_new_bool(has_lease());
#if LWIP_IPV6
        case MP_QSTR_addr6: return addresses_of_ip6();
#endif
        default: mp_raise_ValueError(MP_ERROR_TEXT("addr4, gw4, dhcp4, has_dhcp4 or addr6 is wanted"));
    }
}

static void set_ipconfig(qstr what, mp_obj_t value) {
    ip4_addr_t address = *netif_ip4_addr(&nic), mask = *netif_ip4_netmask(&nic), gateway = *netif_ip4_gw(&nic);
    mp_obj_t* items;
    switch (what) {
        case MP_QSTR_addr4:
            mp_obj_get_array_fixed_n(value, 2, &items);
            address = get_ip4(items[0]);
            mask = get_ip4(items[1]);
            set_ip4(&address, &mask, &gateway);
            break;
        case MP_QSTR_gw4:
            gateway = get_ip4(value);
            set_ip4(&address, &mask, &gateway);
            break;
        case MP_QSTR_dhcp4:
            if (mp_obj_is_true(value)) {
                start_dhcp();
            } else {
                set_ip4(NULL, NULL, NULL);
            }
            break;
#if LWIP_IPV6
        case MP_QSTR_addr6: add_ip6(value); break;
#endif
        default: mp_raise_ValueError(MP_ERROR_TEXT("addr4, gw4, dhcp4 or addr6 is wanted"));
    }
}

/* ipconfig("addr4"), ipconfig(addr4=("10.0.2.15", "255.255.255.0")); DHCP does its work in the background. */
static mp_obj_t lan_ipconfig(size_t n_args, const mp_obj_t* args, mp_map_t* kw_args) {
    if (kw_args->used == 0) {
        if (n_args != 2) {
            mp_raise_TypeError(MP_ERROR_TEXT("one name is wanted, or keywords"));
        }
        return ask_ipconfig(mp_obj_str_get_qstr(args[1]));
    }
    set_up(true);
    for (size_t i = 0; i < kw_args->alloc; ++i) {
        if (mp_map_slot_is_filled(kw_args, i)) {
            set_ipconfig(mp_obj_str_get_qstr(kw_args->table[i].key), kw_args->table[i].value);
        }
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(lan_ipconfig_obj, 1, lan_ipconfig);

/* config("mac"); config(loopback=False): what the board sends to its own address goes out on the wire, too, and comes
 * to it only if somebody sends it back. For tests. */
static mp_obj_t lan_config(size_t n_args, const mp_obj_t* args, mp_map_t* kw_args) {
    const mp_map_elem_t* loopback = mp_map_lookup(kw_args, MP_OBJ_NEW_QSTR(MP_QSTR_loopback), MP_MAP_LOOKUP);
    if (loopback != NULL && kw_args->used == 1) {
        loops_on_wire = !mp_obj_is_true(loopback->value);
        usocket_port_lock();
        struct netif* own = netif_find("lo0");
        if (own != NULL) {
            loops_on_wire ? netif_set_down(own) : netif_set_up(own);
        }
        usocket_port_unlock();
        return mp_const_none;
    }
    if (kw_args->used != 0 || n_args != 2 || mp_obj_str_get_qstr(args[1]) != MP_QSTR_mac) {
        mp_raise_ValueError(MP_ERROR_TEXT("'mac' or loopback= is wanted"));
    }
    return mp_obj_new_bytes(nic.hwaddr, nic.hwaddr_len);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(lan_config_obj, 1, lan_config);

static const mp_rom_map_elem_t lan_table[] = {
    {MP_ROM_QSTR(MP_QSTR_active), MP_ROM_PTR(&lan_active_obj)},
    {MP_ROM_QSTR(MP_QSTR_isconnected), MP_ROM_PTR(&lan_isconnected_obj)},
    {MP_ROM_QSTR(MP_QSTR_ifconfig), MP_ROM_PTR(&lan_ifconfig_obj)},
    {MP_ROM_QSTR(MP_QSTR_ipconfig), MP_ROM_PTR(&lan_ipconfig_obj)},
    {MP_ROM_QSTR(MP_QSTR_config), MP_ROM_PTR(&lan_config_obj)},
};
static MP_DEFINE_CONST_DICT(lan_locals, lan_table);

MP_DEFINE_CONST_OBJ_TYPE(network_lan_type, MP_QSTR_LAN, MP_TYPE_FLAG_NONE, make_new, lan_make_new, locals_dict,
                         &lan_locals);
