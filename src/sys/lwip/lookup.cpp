// Resolving: numbers at once, names by lwIP's DNS, which finds one address of each family.
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <string_view>

#include "decimal.hpp"
#include "lwip/dns.h"
#include "sys/lwip/endpoint.hpp"

// How many names are looked up at once, with those that nobody waits for any more and lwIP still does: as many as lwIP
// has places for.
#if !defined(USOCKET_LWIP_LOOKUPS)
#define USOCKET_LWIP_LOOKUPS (DNS_TABLE_SIZE / (1 + LWIP_IPV6))
#endif

namespace usocket::sys {

static_assert(USOCKET_LWIP_LOOKUPS > 0 && USOCKET_LWIP_LOOKUPS * (1 + LWIP_IPV6) <= DNS_TABLE_SIZE,
              "each lookup asks for an address of each family: in lwipopts.h, with IPv6, DNS_TABLE_SIZE has to be "
              "twice USOCKET_LWIP_LOOKUPS at least");
#if defined(DNS_MAX_REQUESTS)
static_assert(DNS_MAX_REQUESTS >= DNS_TABLE_SIZE, "in lwipopts.h, DNS_MAX_REQUESTS has to be as DNS_TABLE_SIZE");
#endif

// What lwIP is asked of a name: its address of one family. It holds this until it has answered, whoever waits.
struct Question {
    Lookup* lookup = nullptr;
    bool is_wanted = false, is_pending = false, is_found = false;
    bool is_given_up = false;
    ip_addr_t ip{};
};

struct Lookup {
    bool is_waited_for = false;
    bool is_done = false;
    Fd fd = 0;              // by whoever waits
    bool may_come = false;  // no server was asked, or none has answered: another time it may be found
    std::int64_t end = 0;   // when it is done with what it has by then; 0: it is not, without an answer to both
    Question ipv4, ipv6;
    int type = 0, proto = 0, flags = 0;
    std::uint16_t port = 0;
    char name[DNS_MAX_NAME_LENGTH]{};
};

namespace {

Lookup lookups[USOCKET_LWIP_LOOKUPS];

struct Node {
    Node* next;
    int type, proto;
    Address address;
    char name[1];  // as long as it is
};

// How long the IPv6 address is waited for once the IPv4 one is there: RFC 8305's resolution delay.
constexpr std::int64_t resolution_delay = 50'000'000;

constexpr int known_flags = AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_NUMERICSERV;

// What the arguments are apart from the host; negative: the error.
int check(const Query& query) noexcept {
    if ((query.flags & ~known_flags) != 0) return EAI_BADFLAGS;
    if (query.host == nullptr && query.service == nullptr) return EAI_NONAME;
    if (query.host == nullptr && (query.flags & AI_CANONNAME) != 0) return EAI_BADFLAGS;
    const bool has_family =
        query.family == AF_UNSPEC || query.family == AF_INET || (LWIP_IPV6 && query.family == AF_INET6);
    if (!has_family) return EAI_FAMILY;
    if (query.type != 0 && query.type != SOCK_STREAM && query.type != SOCK_DGRAM) return EAI_SOCKTYPE;
    return 0;
}

// Decimal; lwIP knows no services by name.
Result<std::uint16_t> port_of(const char* service) noexcept {
    if (service == nullptr) return std::uint16_t{0};
    const auto number = parse_decimal(service);
    if (number && *number <= 0xffff) return static_cast<std::uint16_t>(*number);
    return Error(EAI_SERVICE);
}

// --- The list that is found

class List {
public:
    List(int type, int proto, const char* name) noexcept : type_(type), proto_(proto), name_(name) {}

    // Of each kind that is wanted. False: no memory; what there is, is freed.
    bool add(const Address& address) noexcept {
        static constexpr int kinds[][2] = {{SOCK_STREAM, IPPROTO_TCP}, {SOCK_DGRAM, IPPROTO_UDP}};
        for (const auto& [type, proto] : kinds) {
            const bool is_wanted = (type_ == 0 || type_ == type) && (proto_ == 0 || proto_ == proto);
            if (is_wanted && !add(type, proto, address)) return false;
        }
        return true;
    }
    [[nodiscard]] void* first() const noexcept { return first_; }

private:
    bool add(int type, int proto, const Address& address) noexcept {
        const bool has_name = first_ == nullptr && name_ != nullptr;
        const std::size_t size = has_name ? std::strlen(name_) : 0;
        void* memory = resize(nullptr, sizeof(Node) + size);
        if (memory == nullptr) {
            resolved_free(first_);
            return false;
        }
        *end_ = new (memory) Node{nullptr, type, proto, address, {'\0'}};
        if (has_name) std::memcpy((*end_)->name, name_, size + 1);
        end_ = &(*end_)->next;
        return true;
    }

    int type_, proto_;
    const char* name_;  // of the first one; nullptr: none
    Node* first_ = nullptr;
    Node** end_ = &first_;
};

Result<void*> result_of(const List& list, bool has_memory) noexcept {
    if (!has_memory) return Error(EAI_MEMORY);
    return list.first() != nullptr ? Result<void*>(list.first()) : Error(EAI_SOCKTYPE);
}

// A number, without the zone behind it.
std::string_view without_zone(std::string_view host) noexcept {
    const std::size_t sign = host.find('%');
    if (sign != std::string_view::npos) host.remove_suffix(host.size() - sign);
    return host;
}

// What it is where there is no host: the wildcard, or the loopback.
Address own_address(int family, bool is_passive, std::uint16_t port) noexcept {
    PackedAddress ip;  // all zero
    if (!is_passive) {
        if (family == AF_INET) ip.bytes[0] = 127;
        ip.bytes[family == AF_INET ? 3 : 15] = 1;
    }
    return make_inet(family, ip, port, 0, 0);
}

// --- A name

// The name without the root's dot at its end; empty: it is none. lwIP looks at nothing but the length of all of it.
std::string_view name_of(const char* host) noexcept {
    constexpr std::size_t longest_label = 63;  // RFC 1035
    std::string_view name(host);
    if (name.ends_with('.')) name.remove_suffix(1);
    if (name.size() >= DNS_MAX_NAME_LENGTH || name.size() > 253) return {};
    for (std::string_view rest = name;;) {
        const std::size_t size = std::min(rest.find('.'), rest.size());
        if (size == 0 || size > longest_label) return {};
        if (size == rest.size()) return name;
        rest.remove_prefix(size + 1);
    }
}

void end(Lookup& lookup) noexcept {
    lookup.is_done = true;
    Sock* sock = find(lookup.fd);
    if (sock != nullptr) changed(*sock);
}

// Programs of devices take the first address for a socket of IPv4: an IPv4 one that comes late is waited for.
void look_at(Lookup& lookup) noexcept {
    const auto lacks = [](const Question& one) { return one.is_wanted && one.is_pending; };
    if (!lacks(lookup.ipv4) && !lacks(lookup.ipv6)) return end(lookup);
    if (lookup.ipv4.is_found && lookup.end == 0) lookup.end = now() + resolution_delay;
}

void answer(Question& question, const ip_addr_t& ip) noexcept {
    question.ip = ip;
    question.is_found = true;
}

bool gives_up = false;

// Called while a packet is taken in, the answer; or else by a timer, for there is none.
void on_found(const char*, const ip_addr_t* ip, void* arg) noexcept {
    auto& question = *static_cast<Question*>(arg);
    Lookup& lookup = *question.lookup;
    question.is_pending = false;
    question.is_given_up = gives_up;
    if (gives_up || !lookup.is_waited_for || lookup.is_done || !question.is_wanted) return;
    if (ip_current_input_netif() == nullptr) lookup.may_come = true;
    if (ip != nullptr) answer(question, *ip);
    look_at(lookup);
}

// What is still asked from the last time is not asked again: lwIP has few places for that.
void ask(Lookup& lookup, Question& question) noexcept {
    question.lookup = &lookup;
    question.is_wanted = true;
    if (question.is_pending) return;
    const bool is_ipv4 = &question == &lookup.ipv4;
    ip_addr_t ip{};
    switch (dns_gethostbyname_addrtype(lookup.name, &ip, on_found, &question,
                                       is_ipv4 ? LWIP_DNS_ADDRTYPE_IPV4 : LWIP_DNS_ADDRTYPE_IPV6)) {
        case ERR_OK: answer(question, ip); break;
        case ERR_INPROGRESS: question.is_pending = true; break;
        default: lookup.may_come = true; break;  // no server, no memory
    }
}

bool is_pending(const Lookup& lookup) noexcept { return lookup.ipv4.is_pending || lookup.ipv6.is_pending; }

// Nobody waits for it: one that still asks for this name, or one that asks for none.
Lookup* free_lookup(std::string_view name) noexcept {
    Lookup* found = nullptr;
    for (Lookup& one : lookups) {
        if (one.is_waited_for) continue;
        if (is_pending(one) && name == one.name) return &one;
        if (!is_pending(one)) found = &one;
    }
    return found;
}

// lwIP asks for seconds, whether anybody waits or not. Where it has no server, each question ends when it would be
// asked again; those that somebody waits for are then asked anew.
void give_up_questions() noexcept {
    ip_addr_t servers[DNS_MAX_SERVERS];
    for (std::uint8_t i = 0; i < DNS_MAX_SERVERS; ++i) {
        servers[i] = *dns_getserver(i);
        dns_setserver(i, nullptr);
    }
    gives_up = true;
    for (int i = 0; i < DNS_MAX_RETRIES; ++i) dns_tmr();
    gives_up = false;
    for (std::uint8_t i = 0; i < DNS_MAX_SERVERS; ++i) dns_setserver(i, &servers[i]);
    for (Lookup& one : lookups) {
        if (!one.is_waited_for || one.is_done) continue;
        for (Question* question : {&one.ipv4, &one.ipv6}) {
            if (std::exchange(question->is_given_up, false) && question->is_wanted) ask(one, *question);
        }
        look_at(one);
    }
}

Lookup* new_lookup(std::string_view name) noexcept {
    if (Lookup* one = free_lookup(name)) return one;
    const bool all_wait =
        std::all_of(std::begin(lookups), std::end(lookups), [](const Lookup& one) { return one.is_waited_for; });
    if (all_wait) return nullptr;
    give_up_questions();
    return free_lookup(name);
}

// Anew, but for what lwIP holds.
void renew(Lookup& lookup) noexcept {
    const bool is_pending[] = {lookup.ipv4.is_pending, lookup.ipv6.is_pending};
    lookup = Lookup();
    lookup.ipv4.lookup = lookup.ipv6.lookup = &lookup;
    lookup.ipv4.is_pending = is_pending[0];
    lookup.ipv6.is_pending = is_pending[1];
}

}  // namespace

bool is_lookup_done(const Sock& sock) noexcept {
    for (const Lookup& one : lookups) {
        if (one.is_waited_for && find(one.fd) == &sock) return one.is_done;
    }
    return true;
}

Result<void*> resolve_numeric(const Query& query) noexcept {
    if (const int code = check(query); code != 0) return Error(code);
    const auto port = port_of(query.service);
    if (!port) return port.error();
    const bool has_name = (query.flags & AI_CANONNAME) != 0;
    List list(query.type, query.proto, has_name ? query.host : nullptr);
    if (query.host != nullptr) {
        const std::string_view host(query.host), bare = without_zone(host);
        const bool has_zone = bare.size() != host.size();
        for (const int family : {AF_INET, AF_INET6}) {
            const auto ip = parse_ip(family, bare);
            if (!ip) continue;
            if (query.family != AF_UNSPEC && query.family != family) return Error(EAI_NONAME);
            if (family == AF_INET6 && !LWIP_IPV6) return Error(EAI_FAMILY);
            const std::uint32_t zone = has_zone ? zone_index(host.data() + bare.size() + 1) : 0;
            if (has_zone && (family != AF_INET6 || zone == 0 || zone > 0xff)) return Error(EAI_NONAME);
            return result_of(list, list.add(make_inet(family, *ip, *port, 0, zone)));
        }
        return Error(EAI_NONAME);
    }
    const bool is_passive = (query.flags & AI_PASSIVE) != 0;
    bool has_memory = true;
    // The wildcard of both families last, the loopback of IPv6 first, as desktops have it.
    for (const int family : {is_passive ? AF_INET : AF_INET6, is_passive ? AF_INET6 : AF_INET}) {
        if (family == AF_INET6 && !LWIP_IPV6) continue;
        const bool is_wanted = query.family == AF_UNSPEC || query.family == family;
        if (is_wanted && has_memory) has_memory = list.add(own_address(family, is_passive, *port));
    }
    return result_of(list, has_memory);
}

Result<Lookup*> lookup_start(const Query& query) noexcept {
    const std::string_view name = name_of(query.host);
    // A number that is not of the family is no name either, nor is one whose zone there is not.
    const std::string_view bare = without_zone(name);
    const bool is_number = parse_ip(AF_INET, bare) || parse_ip(AF_INET6, bare);
    if ((query.flags & AI_NUMERICHOST) != 0 || name.empty() || is_number) return Error(EAI_NONAME);
    const auto port = port_of(query.service);
    if (!port) return port.error();
    const Guard guard;
    Lookup* lookup = new_lookup(name);
    if (lookup == nullptr) return Error(EAI_AGAIN);
    Sock* sock = new_sock(Sock::Kind::lookup);
    if (sock == nullptr) return Error(ENFILE);
    renew(*lookup);
    lookup->fd = new_fd(*sock);
    if (lookup->fd == no_fd) {
        free_sock(*sock);
        return Error(EMFILE);
    }
    lookup->is_waited_for = true;
    lookup->type = query.type;
    lookup->proto = query.proto;
    lookup->flags = query.flags;
    lookup->port = *port;
    std::memcpy(lookup->name, name.data(), name.size());  // the rest is NUL
    if (query.family != AF_INET6) ask(*lookup, lookup->ipv4);
    if (LWIP_IPV6 && query.family != AF_INET) ask(*lookup, lookup->ipv6);
    look_at(*lookup);
    turn();
    return lookup;
}

std::int64_t next_lookup_end() noexcept {
    std::int64_t next = INT64_MAX;
    for (const Lookup& one : lookups) {
        if (one.is_waited_for && !one.is_done && one.end != 0) next = std::min(next, one.end);
    }
    return next;
}

void end_lookups() noexcept {
    if (next_lookup_end() == INT64_MAX) return;
    const std::int64_t time = now();
    for (Lookup& one : lookups) {
        if (one.is_waited_for && !one.is_done && one.end != 0 && one.end <= time) end(one);
    }
}

Fd lookup_ready_fd(const Lookup* lookup) noexcept { return lookup->fd; }

void leave_lookups() noexcept {
    for (Lookup& one : lookups) one.is_waited_for = false;
}

void lookup_cancel(Lookup* lookup) noexcept {
    Fd fd = no_fd;
    {
        const Guard guard;
        lookup->is_waited_for = false;
        fd = lookup->fd;
    }
    close(fd);
}

Result<void*> lookup_finish(Lookup* lookup) noexcept {
    const bool has_name = (lookup->flags & AI_CANONNAME) != 0;
    List list(lookup->type, lookup->proto, has_name ? lookup->name : nullptr);
    bool is_empty = true, has_memory = true;
    for (const int family : {AF_INET, AF_INET6}) {
        const Question& question = family == AF_INET ? lookup->ipv4 : lookup->ipv6;
        if (!question.is_found) continue;
        is_empty = false;
        has_memory = has_memory && list.add(to_address({question.ip, lookup->port}, family));
    }
    const Error why(lookup->may_come ? EAI_AGAIN : EAI_NONAME);
    lookup_cancel(lookup);
    return is_empty ? Result<void*>(why) : result_of(list, has_memory);
}

void resolved_free(void* list) noexcept {
    for (auto* node = static_cast<Node*>(list); node != nullptr;) {
        Node* next = node->next;
        (void)resize(node, 0);
        node = next;
    }
}

AddressInfo resolved_entry(const void* from, const void*& next) noexcept {
    const auto& node = *static_cast<const Node*>(from);
    next = node.next;
    AddressInfo info;
    info.family = node.address.family();
    info.type = node.type;
    info.proto = node.proto;
    info.canonname = node.name;
    info.sockaddr = node.address;
    return info;
}

bool is_name_unknown(Error error) noexcept { return error == Error(EAI_NONAME); }

}  // namespace usocket::sys
