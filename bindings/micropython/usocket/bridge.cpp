// The core for the C files of this module: each function passes what it is given to the core, and nothing else.
#include "bridge.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <new>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "sys/sys.hpp"
#include "usocket/arguments.hpp"
#include "usocket/connect.hpp"
#include "usocket/poll.hpp"
#include "usocket/resolver.hpp"
#include "usocket/socket.hpp"
#include "wait/held.hpp"

#if USOCKET_TLS
#include "tls/engine.hpp"
#include "usocket/tls.hpp"
#endif

namespace {

using namespace usocket;

// --- The opaque structures

template <class Opaque, class Cxx> Cxx& opened(Opaque* opaque) noexcept {
    static_assert(sizeof(Cxx) <= sizeof(Opaque) && alignof(Cxx) <= alignof(Opaque));
    return *reinterpret_cast<Cxx*>(opaque);
}
template <class Opaque, class Cxx> const Cxx& opened(const Opaque* opaque) noexcept {
    return opened<Opaque, Cxx>(const_cast<Opaque*>(opaque));
}

Socket& cxx(usocket_socket_t* socket) noexcept { return opened<usocket_socket_t, Socket>(socket); }
const Socket& cxx(const usocket_socket_t* socket) noexcept { return opened<usocket_socket_t, Socket>(socket); }
const Address& cxx(const usocket_address_t* address) noexcept { return opened<usocket_address_t, Address>(address); }
Sink& cxx(usocket_sink_t* sink) noexcept { return opened<usocket_sink_t, Sink>(sink); }
const Sink& cxx(const usocket_sink_t* sink) noexcept { return opened<usocket_sink_t, Sink>(sink); }
Call&& cxx(usocket_call_t* call) noexcept { return std::move(opened<usocket_call_t, Call>(call)); }

// What lives in a frame that a longjmp skips has nothing to destroy (invariant 5).
static_assert(std::is_trivially_destructible_v<Address> && std::is_trivially_destructible_v<Sink> &&
              std::is_trivially_destructible_v<Call>);
static_assert(sizeof(Socket) == sizeof(usocket_socket_t));  // no more of the heap than it needs
static_assert(IPPROTO_SEC == USOCKET_IPPROTO_SEC);

void put(usocket_address_t* into, const Address& address) noexcept { new (into) Address(address); }

usocket_error_t c(Error error) noexcept { return std::bit_cast<usocket_error_t>(error); }
Error cxx(usocket_error_t error) noexcept { return std::bit_cast<Error>(error); }
template <class T> usocket_error_t c(const Result<T>& result) noexcept { return c(result.error()); }

usocket_bytes_t c(ConstBuffer bytes) noexcept { return {bytes.data(), bytes.size()}; }
ConstBuffer cxx(usocket_bytes_t bytes) noexcept { return {bytes.data, bytes.size}; }
std::string_view text(usocket_bytes_t bytes) noexcept { return {static_cast<const char*>(bytes.data), bytes.size}; }

// Puts what a result holds where C wants it.
template <class T, class To> usocket_error_t give(const Result<T>& result, To* to) noexcept {
    if (result) *to = static_cast<To>(*result);
    return c(result);
}
usocket_error_t give(const Result<Address>& result, usocket_address_t* to) noexcept {
    put(to, *result);
    return c(result);
}
usocket_error_t give(Result<Socket> result, usocket_socket_t* to) noexcept {
    if (result) cxx(to) = std::move(*result);
    return c(result);
}

static_assert(sizeof(Host) == sizeof(usocket_host_t) && offsetof(Host, enter) == offsetof(usocket_host_t, enter) &&
              offsetof(Host, interrupted) == offsetof(usocket_host_t, interrupted) &&
              offsetof(Host, unwinds) == offsetof(usocket_host_t, unwinds) &&
              offsetof(Host, looks_for_signals) == offsetof(usocket_host_t, looks_for_signals));

const Host& cxx(const usocket_host_t& host) noexcept { return reinterpret_cast<const Host&>(host); }

// --- Memory of the collector's

bool grow(Sink& sink, std::size_t capacity) noexcept {
    void* memory = capacity == SIZE_MAX ? nullptr : sys::resize(sink.data(), capacity + 1);  // and a NUL
    if (memory == nullptr) return false;
    sink.set_memory(static_cast<std::uint8_t*>(memory), capacity);
    return true;
}

// The collector knows memory by its start only: that is what the socket keeps.
Block surrender(Sink& sink) noexcept {
    const Block block{sink.data(), sink.size(), sink.data(), [](void* owner) noexcept { (void)sys::resize(owner, 0); }};
    sink = Sink(grow, surrender);
    return block;
}

}  // namespace

// The core's own memory is the collector's, which finds it from the socket that it belongs to.
void* usocket::sys::resize(void* memory, std::size_t size) noexcept { return usocket_host_resize(memory, size); }

void usocket::sys::hold_signals() noexcept { usocket_host_hold_signals(); }
void usocket::sys::release_signals() noexcept { usocket_host_release_signals(); }

bool usocket_core_is_fault(usocket_error_t error) { return cxx(error).fault() != Fault::none; }
int usocket_core_code(usocket_error_t error) { return cxx(error).code(); }
const char* usocket_core_message(usocket_error_t error) { return cxx(error).message(); }

// --- Calls that may wait

void usocket_core_begin(usocket_request_t* request) { new (&request->call) Call(cxx(usocket_host)); }

void usocket_core_unwound(usocket_request_t* request) {
    Call&& call = cxx(&request->call);
    if (request->socket == nullptr) {
        unwound(call);
    } else {
        cxx(request->socket).unwound(call);
    }
}

namespace {

ConstBuffer data_of(const usocket_request_t* request) noexcept { return {request->data, request->size}; }
MutableBuffer room_of(const usocket_request_t* request) noexcept { return {request->data, request->size}; }

Result<std::size_t> limit_of(const usocket_request_t* request) noexcept {
    return arguments::limit(request->has_limit ? std::optional(request->limit) : std::nullopt);
}

}  // namespace

usocket_error_t usocket_core_accept(usocket_request_t* request) {
    return give(cxx(request->socket).accept_into(cxx(request->conn), cxx(&request->call)), &request->address);
}

usocket_error_t usocket_core_connect(usocket_request_t* request) {
    return c(cxx(request->socket).connect(cxx(&request->address), cxx(&request->call)));
}

usocket_error_t usocket_core_send(usocket_request_t* request) {
    return give(cxx(request->socket).send(data_of(request), request->flags, cxx(&request->call)), &request->count);
}

usocket_error_t usocket_core_sendall(usocket_request_t* request) {
    return c(cxx(request->socket).sendall(data_of(request), request->flags, cxx(&request->call)));
}

usocket_error_t usocket_core_sendto(usocket_request_t* request) {
    Socket& socket = cxx(request->socket);
    return give(socket.sendto(data_of(request), cxx(&request->address), request->flags, cxx(&request->call)),
                &request->count);
}

usocket_error_t usocket_core_recv(usocket_request_t* request) {
    return give(cxx(request->socket).recv_into(room_of(request), request->flags, cxx(&request->call)), &request->count);
}

usocket_error_t usocket_core_recvfrom(usocket_request_t* request) {
    auto* from = new (&request->address) Address;
    Socket& socket = cxx(request->socket);
    return give(socket.recvfrom_into(room_of(request), *from, request->flags, cxx(&request->call)), &request->count);
}

usocket_error_t usocket_core_read(usocket_request_t* request) {
    const auto limit = limit_of(request);
    if (!limit) return c(limit);
    return c(cxx(request->socket).read_to(cxx(&request->sink), *limit, cxx(&request->call)));
}

usocket_error_t usocket_core_readline(usocket_request_t* request) {
    const auto limit = limit_of(request);
    if (!limit) return c(limit);
    return c(cxx(request->socket).readline_to(cxx(&request->sink), *limit, cxx(&request->call)));
}

usocket_error_t usocket_core_readinto(usocket_request_t* request) {
    return give(cxx(request->socket).readinto(room_of(request), cxx(&request->call)), &request->count);
}

usocket_error_t usocket_core_write(usocket_request_t* request) {
    return give(cxx(request->socket).write(data_of(request), cxx(&request->call)), &request->count);
}

void usocket_core_sink(usocket_sink_t* sink) { new (sink) Sink(grow, surrender); }
bool usocket_core_sink_reserve(usocket_sink_t* sink, size_t size) { return cxx(sink).reserve(size); }
uint8_t* usocket_core_sink_data(const usocket_sink_t* sink) { return cxx(sink).data(); }
size_t usocket_core_sink_size(const usocket_sink_t* sink) { return cxx(sink).size(); }
size_t usocket_core_sink_capacity(const usocket_sink_t* sink) { return cxx(sink).capacity(); }

// --- A socket, without waiting

void usocket_core_make(usocket_socket_t* socket) { new (socket) Socket; }

// A finaliser may be called by hand: what is left is a closed socket.
void usocket_core_destroy(usocket_socket_t* socket) {
    const Held held;
    cxx(socket) = Socket();
}

usocket_error_t usocket_core_open(usocket_socket_t* socket, int af, int type, int proto) {
    const Held held;
    return give(Socket::open(af, type, proto), socket);
}

usocket_error_t usocket_core_pair(usocket_socket_t* first, usocket_socket_t* second, int af, int type, int proto) {
    const Held held;
    auto pair = Socket::pair(af, type, proto);
    if (pair) {
        cxx(first) = std::move(pair->first);
        cxx(second) = std::move(pair->second);
    }
    return c(pair);
}

usocket_error_t usocket_core_adopt(usocket_socket_t* socket, int fd) { return give(Socket::adopt(fd), socket); }

void usocket_core_close(usocket_socket_t* socket) { cxx(socket).close(); }

usocket_error_t usocket_core_dup(usocket_socket_t* socket, usocket_socket_t* copy) {
    const Held held;
    return give(cxx(socket).dup(), copy);
}

usocket_error_t usocket_core_detach(usocket_socket_t* socket, int* fd) { return give(cxx(socket).detach(), fd); }

usocket_error_t usocket_core_bind(usocket_socket_t* socket, const usocket_address_t* address) {
    return c(cxx(socket).bind(cxx(address)));
}

usocket_error_t usocket_core_listen(usocket_socket_t* socket, bool has_backlog, int64_t backlog) {
    if (!has_backlog) return c(cxx(socket).listen());
    const auto number = arguments::backlog(backlog);
    return number ? c(cxx(socket).listen(*number)) : c(number);
}

usocket_error_t usocket_core_shutdown(usocket_request_t* request) {
    return c(cxx(request->socket).shutdown(request->flags, cxx(&request->call)));
}

usocket_error_t usocket_core_getsockname(usocket_socket_t* socket, usocket_address_t* address) {
    return give(cxx(socket).getsockname(), address);
}

usocket_error_t usocket_core_getpeername(usocket_socket_t* socket, usocket_address_t* address) {
    return give(cxx(socket).getpeername(), address);
}

usocket_error_t usocket_core_settimeout(usocket_socket_t* socket, bool has_seconds, double seconds) {
    const Held held;
    if (!has_seconds) return c(cxx(socket).settimeout(Timeout::none()));
    const auto timeout = Timeout::from_seconds(seconds);
    return timeout ? c(cxx(socket).settimeout(*timeout)) : c(timeout);
}

usocket_error_t usocket_core_check_timeout(double seconds) { return c(Timeout::from_seconds(seconds)); }

bool usocket_core_gettimeout(const usocket_socket_t* socket, double* seconds) {
    const Timeout timeout = cxx(socket).gettimeout();
    *seconds = timeout.seconds();
    return !timeout.is_none();
}

usocket_error_t usocket_core_setblocking(usocket_socket_t* socket, bool blocking) {
    const Held held;
    return c(cxx(socket).setblocking(blocking));
}

bool usocket_core_getblocking(const usocket_socket_t* socket) { return cxx(socket).getblocking(); }

usocket_error_t usocket_core_setsockopt(usocket_socket_t* socket, int level, int name, int value) {
    return c(cxx(socket).setsockopt(level, name, value));
}

usocket_error_t usocket_core_setsockopt_bytes(usocket_socket_t* socket, int level, int name, usocket_bytes_t value) {
    return c(cxx(socket).setsockopt(level, name, cxx(value)));
}

usocket_error_t usocket_core_getsockopt(usocket_socket_t* socket, int level, int name, int* value) {
    return give(cxx(socket).getsockopt(level, name), value);
}

usocket_error_t usocket_core_getsockopt_bytes(usocket_socket_t* socket, int level, int name, void* value,
                                              size_t* size) {
    return give(cxx(socket).getsockopt(level, name, MutableBuffer(value, *size)), size);
}

int usocket_core_fileno(usocket_socket_t* socket) { return cxx(socket).fileno(); }
unsigned usocket_core_poll_now(usocket_socket_t* socket, unsigned events) { return cxx(socket).poll_now(events); }
int usocket_core_family(const usocket_socket_t* socket) { return cxx(socket).family(); }
int usocket_core_type(const usocket_socket_t* socket) { return cxx(socket).type(); }
int usocket_core_proto(const usocket_socket_t* socket) { return cxx(socket).proto(); }
size_t usocket_core_describe(usocket_socket_t* socket, char* text, size_t size) {
    return cxx(socket).describe(MutableBuffer(text, size));
}

// --- Addresses

usocket_error_t usocket_core_tuple_size(int family, size_t count) { return c(arguments::tuple_size(family, count)); }

usocket_error_t usocket_core_address_inet(usocket_address_t* address, int family, const usocket_inet_t* from) {
    return give(Address::inet(family, text(from->host), from->port, from->flowinfo, from->scopeid), address);
}

int usocket_core_tuple_element(usocket_error_t error) {
    switch (cxx(error).fault()) {
        case Fault::address_not_numeric: return 0;
        case Fault::port_range: return 1;
        case Fault::flowinfo_not_zero: return 2;
        case Fault::scopeid_range: return 3;
        default: return -1;
    }
}

bool usocket_core_is_name(usocket_error_t error) { return cxx(error).fault() == Fault::address_not_numeric; }

bool usocket_core_takes_paths(int family) { return family == sys::af_unix; }

usocket_error_t usocket_core_address_path(usocket_address_t* address, int family, usocket_bytes_t path) {
    if (family != sys::af_unix) return c(Error(Fault::address_family));
    return give(Address::unix_path(text(path)), address);
}

usocket_error_t usocket_core_address_native(usocket_address_t* address, usocket_bytes_t native) {
    return give(Address::from_native(cxx(native)), address);
}

usocket_bytes_t usocket_core_address_bytes(const usocket_address_t* address) {
    return c(ConstBuffer(cxx(address).data(), cxx(address).size()));
}

usocket_bytes_t usocket_core_address_payload(const usocket_address_t* address) { return c(cxx(address).payload()); }

void usocket_core_address_decode(const usocket_address_t* from, usocket_decoded_t* decoded) {
    const Address& address = cxx(from);
    const int family = address.family();
    decoded->kind = family == sys::af_inet    ? USOCKET_INET
                    : family == sys::af_inet6 ? USOCKET_INET6
                    : family == sys::af_unix  ? USOCKET_UNIX
                                              : USOCKET_OTHER;
    decoded->family = family;
    decoded->port = address.port();
    decoded->flowinfo = address.flowinfo();
    decoded->scopeid = address.scopeid();
    const Address::Text host = address.host();
    decoded->host_size = host.size;
    std::copy(host.chars.begin(), host.chars.end(), decoded->host);
}

usocket_error_t usocket_core_inet_ntop(int family, usocket_bytes_t packed, char text[48], size_t* size) {
    const auto found = inet_ntop(family, cxx(packed));
    *size = found->size;
    std::copy(found->chars.begin(), found->chars.end(), text);
    return c(found);
}

usocket_error_t usocket_core_inet_pton(int family, usocket_bytes_t from, uint8_t packed[16], size_t* size) {
    const auto found = inet_pton(family, text(from));
    *size = found->size;
    std::copy(found->bytes.begin(), found->bytes.end(), packed);
    return c(found);
}

// --- Resolving

namespace {

// The list is in a C frame's hands, as a pointer.
static_assert(sizeof(AddressInfoList) == sizeof(void*));

AddressInfoList& list_in(void** found) noexcept { return *reinterpret_cast<AddressInfoList*>(found); }

}  // namespace

usocket_error_t usocket_core_getaddrinfo(usocket_request_t* request) {
    auto* query = reinterpret_cast<usocket_query_t*>(request);
    const auto host_name = query->host.data != nullptr ? std::optional(text(query->host)) : std::nullopt;
    const Service service = query->has_port                  ? Service(query->port)
                            : query->service.data != nullptr ? Service(text(query->service))
                                                             : Service();
    auto found =
        getaddrinfo(host_name, service, query->family, query->type, query->proto, query->flags, cxx(&request->call));
    new (&query->found) AddressInfoList(std::move(*found));
    return c(found);
}

bool usocket_core_found_next(usocket_found_t* entry) {
    if (entry->next == nullptr) return false;
    const AddressInfo info = sys::resolved_entry(entry->next, entry->next);
    entry->family = info.family;
    entry->type = info.type;
    entry->proto = info.proto;
    entry->canonname = c(ConstBuffer(info.canonname));
    put(&entry->address, info.sockaddr);
    return true;
}

bool usocket_core_is_port(usocket_error_t error) { return cxx(error).fault() == Fault::port_range; }

void usocket_core_found_free(void** found) {
    const Held held;
    list_in(found).~AddressInfoList();
    *found = nullptr;
}

// --- Connecting to a host and a port

namespace {

usocket_connecting_t* connecting_of(usocket_request_t* request) noexcept {
    return reinterpret_cast<usocket_connecting_t*>(request);
}

Connecting& core_of(usocket_connecting_t* connecting) noexcept {
    static_assert(sizeof(Connecting) <= sizeof connecting->space && alignof(Connecting) <= 8);
    return *reinterpret_cast<Connecting*>(connecting->space);
}

// Deadline::after(), which is libstdc++'s clock's.
Deadline deadline_after(Timeout timeout) noexcept {
    const std::int64_t now = sys::now(), span = std::min(timeout.nanoseconds(), INT64_MAX - now);
    return Deadline(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(now + span)));
}

// Its timeout is the one that it was made in.
usocket_error_t give_connection(Result<Socket, EndpointError>& made, usocket_connecting_t* connecting,
                                Timeout timeout) noexcept {
    const Held held;
    if (!made) {
        const EndpointError failure = made.error();
        const std::string_view message = failure.message();
        *std::copy_n(message.data(), std::min(message.size(), sizeof connecting->message - 1), connecting->message) = 0;
        return c(static_cast<Error>(failure));
    }
    const auto set = made->settimeout(timeout);
    if (set) cxx(connecting->request.conn) = std::move(*made);
    return c(set);
}

}  // namespace

void usocket_core_connecting_begin(usocket_request_t* request) {
    usocket_core_begin(request);
    new (connecting_of(request)->space) Connecting;
}

void usocket_core_connecting_unwound(usocket_request_t* request) {
    Call&& call = cxx(&request->call);
    core_of(connecting_of(request)).unwound(call);
}

usocket_error_t usocket_core_connecting(usocket_request_t* request) {
    auto* wanted = connecting_of(request);
    const auto timeout = wanted->has_seconds ? Timeout::from_seconds(wanted->seconds) : Timeout::none();
    if (!timeout) return c(timeout);
    if (wanted->has_seconds) new (&request->call) Call(cxx(usocket_host), deadline_after(*timeout));
    ConnectOptions options;
    if (wanted->has_source) options.source = cxx(&wanted->source);
    const Service service = wanted->service.data != nullptr ? Service(text(wanted->service)) : Service(wanted->port);
    auto made = core_of(wanted).connect(text(wanted->host), service, options, cxx(&request->call));
    return give_connection(made, wanted, *timeout);
}

// --- Polling

namespace {

static_assert(sizeof(Poll::Event) == sizeof(usocket_event_t) &&
              offsetof(Poll::Event, events) == offsetof(usocket_event_t, events) &&
              offsetof(Poll::Event, userdata) == offsetof(usocket_event_t, userdata));

Poll& cxx(usocket_poll_t* poll) noexcept { return opened<usocket_poll_t, Poll>(poll); }

}  // namespace

void usocket_core_poll_make(usocket_poll_t* poll) { new (poll) Poll; }

void usocket_core_poll_destroy(usocket_poll_t* poll) {
    const Held held;
    cxx(poll) = Poll();
}

usocket_error_t usocket_core_poll_register(usocket_poll_t* poll, usocket_socket_t* socket, int fd, unsigned events,
                                           void* userdata, void** registration) {
    return give(socket != nullptr ? cxx(poll).register_(cxx(socket), events, userdata)
                                  : cxx(poll).register_another(fd, events, userdata),
                registration);
}

usocket_error_t usocket_core_poll_modify(usocket_poll_t* poll, void* registration, unsigned events) {
    return c(cxx(poll).modify(static_cast<Registration*>(registration), events));
}

void usocket_core_poll_unregister(usocket_poll_t* poll, void* registration) {
    cxx(poll).unregister(static_cast<Registration*>(registration));
}

usocket_error_t usocket_core_poll(usocket_request_t* request) {
    auto* waiting = reinterpret_cast<usocket_waiting_t*>(request);
    const auto timeout = arguments::poll_timeout(waiting->timeout_ms);
    if (!timeout) return c(timeout);
    new (&request->call) Call(cxx(usocket_host_of_poll));
    auto* events = reinterpret_cast<Poll::Event*>(waiting->events);
    return give(cxx(waiting->poll).poll(events, waiting->room, *timeout, waiting->one_shot, cxx(&request->call)),
                &request->count);
}

void usocket_core_watch(usocket_poll_t* poll) {
    Poll::Event event;
    (void)cxx(poll).poll(&event, 1);
}
void usocket_core_wake(usocket_poll_t* poll) { cxx(poll).wake(); }

namespace {

const std::atomic<std::uint32_t>& atomic(const uint32_t* word) noexcept {
    static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof *word);
    return *reinterpret_cast<const std::atomic<std::uint32_t>*>(word);
}

}  // namespace

void usocket_core_sleep_on_word(const uint32_t* word, uint32_t value, int ms) {
    const auto timeout = ms < 0 ? Timeout::none() : Timeout::of_nanoseconds(ms * std::int64_t{1'000'000});
    (void)sys::sleep_on_word(atomic(word), value, timeout);
}
void usocket_core_wake_word(const uint32_t* word) { sys::wake_word(atomic(word)); }

#if USOCKET_TLS
// --- TLS

namespace {

static_assert(static_cast<int>(tls::Fact::version) == USOCKET_VERSION &&
              static_cast<int>(tls::Fact::is_resumed) == USOCKET_IS_RESUMED);

TlsContext& cxx(usocket_context_t* context) noexcept { return opened<usocket_context_t, TlsContext>(context); }

}  // namespace

usocket_error_t usocket_core_context_make(usocket_context_t* context) {
    const Held held;
    auto made = TlsContext::make();
    new (context) TlsContext(std::move(*made));
    return c(made);
}

// What is left is one that a finaliser may be called for once more.
void usocket_core_context_destroy(usocket_context_t* context) {
    const Held held;
    cxx(context).~TlsContext();
    context->state = nullptr;
}

usocket_error_t usocket_core_context_cert_key(usocket_context_t* context, usocket_bytes_t cert, usocket_bytes_t key) {
    const Held held;
    return c(cxx(context).set_cert_key(cxx(cert), cxx(key)));
}

usocket_error_t usocket_core_context_issuers(usocket_context_t* context, usocket_bytes_t certificates) {
    const Held held;
    return c(cxx(context).load_verify_locations(cxx(certificates)));
}

usocket_error_t usocket_core_context_reqs(usocket_context_t* context, int reqs) {
    const Held held;
    return c(cxx(context).set_cert_reqs(static_cast<CertReqs>(reqs)));
}

usocket_error_t usocket_core_context_protocols(usocket_context_t* context, usocket_bytes_t names) {
    const Held held;
    return c(cxx(context).set_alpn_protocols(text(names)));
}

usocket_error_t usocket_core_wrap(usocket_request_t* request) {
    auto* wrapping = reinterpret_cast<usocket_wrapping_t*>(request);
    const TlsOptions options{.server_side = wrapping->server_side,
                             .server_hostname = text(wrapping->server_hostname),
                             .do_handshake = wrapping->do_handshake,
                             .session = cxx(wrapping->session)};
    return c(cxx(request->socket).wrap(cxx(wrapping->context), options, cxx(&request->call)));
}

usocket_error_t usocket_core_do_handshake(usocket_request_t* request) {
    return c(cxx(request->socket).do_handshake(cxx(&request->call)));
}

usocket_error_t usocket_core_tell(usocket_request_t* request, int fact) {
    const Held held;
    return c(cxx(request->socket).tell(static_cast<tls::Fact>(fact), cxx(&request->sink)));
}
#endif

// --- Arguments

usocket_error_t usocket_core_events(int64_t number, unsigned* events) {
    const unsigned mask = arguments::event_mask(number);
    *events = mask;
    return c(mask > 0xffff ? Error(Fault::event_mask) : Error());
}
usocket_error_t usocket_core_to_int(int64_t number, int* value) { return give(arguments::to_int(number), value); }
usocket_error_t usocket_core_bufsize(int64_t number, size_t* size) { return give(arguments::bufsize(number), size); }
usocket_error_t usocket_core_option_length(int64_t number, size_t* size) {
    return give(arguments::option_length(number), size);
}
usocket_error_t usocket_core_makefile_mode(usocket_bytes_t mode) { return c(arguments::makefile_mode(text(mode))); }

namespace {

template <class Buffer> usocket_error_t narrow(usocket_request_t* request, const Result<Buffer>& part) noexcept {
    request->data = const_cast<std::uint8_t*>(part->data());
    request->size = part->size();
    return c(part);
}

std::optional<std::int64_t> optional(bool has, std::int64_t number) noexcept {
    return has ? std::optional(number) : std::nullopt;
}

}  // namespace

usocket_error_t usocket_core_recv_part(usocket_request_t* request, int64_t nbytes) {
    return narrow(request, arguments::recv_part(room_of(request), nbytes));
}

usocket_error_t usocket_core_read_part(usocket_request_t* request, bool has_nbytes, int64_t nbytes) {
    return narrow(request, arguments::read_part(room_of(request), optional(has_nbytes, nbytes)));
}

usocket_error_t usocket_core_write_part(usocket_request_t* request, int64_t off, bool has_n, int64_t n) {
    return narrow(request, arguments::write_part(data_of(request), off, optional(has_n, n)));
}
