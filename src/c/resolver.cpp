// usocket.h: getaddrinfo; connecting to a host, listening on one.
#include "usocket/resolver.hpp"

#include <algorithm>

#include "c/convert.hpp"
#include "sys/sys.hpp"
#include "usocket/connect.hpp"
#include "wait/held.hpp"

using namespace usocket;
using namespace usocket::c_face;

usocket_error_t usocket_getaddrinfo(const usocket_query_t* query, usocket_addrinfo_list_t* list, usocket_call_t* call) {
    const auto host_name = query->host.data != nullptr ? std::optional(text(query->host)) : std::nullopt;
    const Service service =
        query->service.data != nullptr || query->has_port ? service_of(query->service, query->port) : Service();
    auto* into = new (&opened<AddressInfoList>(list)) AddressInfoList;
    return c(usocket::getaddrinfo_into(*into, host_name, service, query->family, query->type, query->proto,
                                       query->flags, Given(call)));
}

bool usocket_addrinfo_next(usocket_addrinfo_t* entry) {
    if (entry->next == nullptr) return false;
    const AddressInfo info = sys::resolved_entry(entry->next, entry->next);
    entry->family = info.family;
    entry->type = info.type;
    entry->proto = info.proto;
    entry->canonname = c(ConstBuffer(info.canonname));
    new (&opened<Address>(&entry->address)) Address(info.sockaddr);
    return true;
}

void usocket_addrinfo_free(usocket_addrinfo_list_t* list) {
    const Held held;
    cxx(list).~AddressInfoList();
    list->first = nullptr;
}

// --- Connecting and listening

namespace {

Connecting& cxx(usocket_connecting_t* connecting) noexcept { return opened<Connecting>(connecting); }

template <class T> usocket_error_t tell(const Result<T, EndpointError>& made, usocket_failure_t* failure) noexcept {
    if (!made && failure != nullptr) {
        const EndpointError error = made.error();
        const std::string_view message = error.message();
        *std::copy_n(message.begin(), std::min(message.size(), sizeof failure->message - 1), failure->message) = 0;
    }
    return c(made);
}

}  // namespace

void usocket_connecting_init(usocket_connecting_t* connecting) { new (&cxx(connecting)) Connecting; }

usocket_error_t usocket_connecting_run(usocket_connecting_t* connecting, const usocket_endpoint_t* to,
                                       usocket_socket_t* conn, usocket_failure_t* failure, usocket_call_t* call) {
    ConnectOptions options;
    options.family = to->family;
    if (to->source != nullptr) options.source = c_face::cxx(to->source);
    const std::string_view host = to->host.data != nullptr ? text(to->host) : std::string_view("localhost");
    const auto made =
        cxx(connecting).connect_into(c_face::cxx(conn), host, service_of(to->service, to->port), options, Given(call));
    return tell(made, failure);
}

void usocket_connecting_unwound(usocket_connecting_t* connecting, usocket_call_t* call) {
    Call&& was = c_face::cxx(call);
    cxx(connecting).unwound(was);
}

usocket_error_t usocket_create_connection(const usocket_endpoint_t* to, usocket_socket_t* conn,
                                          usocket_failure_t* failure, usocket_call_t* call) {
    usocket_connecting_t connecting;
    usocket_connecting_init(&connecting);
    return usocket_connecting_run(&connecting, to, conn, failure, call);
}

usocket_error_t usocket_create_server(const usocket_endpoint_t* on, usocket_socket_t* listener,
                                      usocket_failure_t* failure, usocket_call_t* call) {
    ListenOptions options;
    if (on->backlog != 0 && on->backlog != USOCKET_DEFAULT_BACKLOG) options.backlog = std::max(on->backlog, 0);
    options.reuse_port = on->reuse_port;
    auto made = on->host.data != nullptr || on->service.data != nullptr
                    ? usocket::listen_on_host(text(on->host), service_of(on->service, on->port), Given(call), options)
                    : usocket::listen_on_port(on->port, options);
    const Held held;
    if (made) c_face::cxx(listener) = std::move(*made);
    return tell(made, failure);
}
