// The seam's resolver: numeric addresses, and the names that the test has added.
#include <netdb.h>

#include <cstdlib>

#include "network.hpp"

namespace usocket::sys {

using namespace usocket::faulty;

namespace {

struct Node {
    AddressInfo info;
    Node* next = nullptr;
};

Node* make_list(const std::vector<Address>& addresses, const Query& query) {
    Node* first = nullptr;
    Node** link = &first;
    for (const Address& address : addresses) {
        if (query.family != 0 && query.family != address.family()) continue;
        auto* node = new Node;
        node->info = {address.family(), query.type != 0 ? query.type : SOCK_STREAM, query.proto, {}, address};
        *link = node;
        link = &node->next;
    }
    return first;
}

}  // namespace

Result<void*> resolve_numeric(const Query& query) noexcept {
    const char* service = query.service == nullptr ? "0" : query.service;
    const auto port = static_cast<std::uint16_t>(std::strtoul(service, nullptr, 10));
    std::vector<Address> addresses;
    for (const int family : {AF_INET, AF_INET6}) {
        const char* wildcard = family == AF_INET ? "127.0.0.1" : "::1";
        const auto ip = parse_ip(family, query.host == nullptr ? wildcard : query.host);
        if (ip) addresses.push_back(make_inet(family, *ip, port, 0, 0));
    }
    Node* list = make_list(addresses, query);
    if (list == nullptr) return Error(EAI_NONAME);
    return static_cast<void*>(list);
}

struct Lookup {
    Fd fd = no_fd;
    std::string name;
    Query query;
};

Result<Lookup*> lookup_start(const Query& query) noexcept {
    auto file = make_file(AF_UNSPEC, 0, 0);
    file->state = File::State::lookup;
    auto* lookup = new Lookup{install(file), query.host, query};
    const auto found = network().names.find(lookup->name);
    const std::int64_t takes = found == network().names.end() ? 0 : found->second.takes;
    at(now() + takes, [weak = std::weak_ptr(file)] {
        if (const auto ready = weak.lock()) ready->ended = true;
    });
    return lookup;
}

Fd lookup_ready_fd(const Lookup* lookup) noexcept { return lookup->fd; }

Result<void*> lookup_finish(Lookup* lookup) noexcept {
    const auto found = network().names.find(lookup->name);
    Result<void*> result = Error(EAI_NONAME);
    if (found != network().names.end()) {
        const auto& name = found->second;
        result = name.error != 0 ? Result<void*>(Error(name.error)) : make_list(name.addresses, lookup->query);
    }
    lookup_cancel(lookup);
    return result;
}

void lookup_cancel(Lookup* lookup) noexcept {
    close(lookup->fd);
    delete lookup;
}

void resolved_free(void* list) noexcept {
    for (auto* node = static_cast<Node*>(list); node != nullptr;) {
        Node* next = node->next;
        delete node;
        node = next;
    }
}

AddressInfo resolved_entry(const void* node, const void*& next) noexcept {
    next = static_cast<const Node*>(node)->next;
    return static_cast<const Node*>(node)->info;
}

bool is_name_unknown(Error error) noexcept { return error == Error(EAI_NONAME); }

}  // namespace usocket::sys
