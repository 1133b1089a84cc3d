// Resolving, by getaddrinfo(3). It cannot be interrupted, so a name is looked up in a thread of its own, which rings a
// bell when it is done and frees what nobody waits for any more (GAI-4).
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <new>

#include "sys/posix/native.hpp"

namespace usocket::sys {

// Shared by the thread that looks up and the one that waits; freed by the last to let go.
struct Lookup {
    const char* host = nullptr;     // behind it in its memory
    const char* service = nullptr;  // likewise; nullptr: none
    addrinfo hints{};
    addrinfo* found = nullptr;
    int code = 0;
    int system_error = 0;
    Fd bell = no_fd;
    std::atomic<bool> is_done{false};
    std::atomic<int> holders{2};
};

namespace {

// 0 is none.
Error resolver_error(int code, int system_error) noexcept {
    return code == EAI_SYSTEM ? Error(system_error) : Error(resolver_code(code));
}

addrinfo hints_of(const Query& query) noexcept {
    addrinfo hints{};
    hints.ai_family = query.family;
    hints.ai_socktype = query.type;
    hints.ai_protocol = query.proto;
    hints.ai_flags = query.flags;
    return hints;
}

void let_go(Lookup* lookup) noexcept {
    if (lookup->holders.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if (lookup->found != nullptr) ::freeaddrinfo(lookup->found);
    if (lookup->bell != no_fd) ::close(lookup->bell);
    lookup->~Lookup();
    std::free(lookup);
}

void* look_up(void* argument) noexcept {
    auto* lookup = static_cast<Lookup*>(argument);
    lookup->code = ::getaddrinfo(lookup->host, lookup->service, &lookup->hints, &lookup->found);
    lookup->system_error = errno;
    lookup->is_done.store(true, std::memory_order_release);
    bell_ring(lookup->bell);
    let_go(lookup);
    return nullptr;
}

// The host's signals are for the host's threads.
Error start_thread(Lookup* lookup) noexcept {
    sigset_t all, before;
    sigfillset(&all);  // a macro here and there
    pthread_t thread;
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const int code = ::pthread_create(&thread, nullptr, look_up, lookup);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (code != 0) return Error(resolver_code(EAI_MEMORY));  // it says EAGAIN, which would mean another thing here
    ::pthread_detach(thread);
    return Error();
}

}  // namespace

Result<void*> resolve_numeric(const Query& query) noexcept {
    addrinfo hints = hints_of(query);
    if (query.host != nullptr) hints.ai_flags |= AI_NUMERICHOST;
    addrinfo* found = nullptr;
    const int code = ::getaddrinfo(query.host, query.service, &hints, &found);
    if (code != 0) return resolver_error(code, errno);
    return static_cast<void*>(found);
}

Result<Lookup*> lookup_start(const Query& query) noexcept {
    const std::size_t host_size = std::strlen(query.host) + 1;
    const std::size_t service_size = query.service != nullptr ? std::strlen(query.service) + 1 : 0;
    void* memory = std::malloc(sizeof(Lookup) + host_size + service_size);
    if (memory == nullptr) return Error(resolver_code(EAI_MEMORY));
    auto* lookup = new (memory) Lookup;
    auto* texts = reinterpret_cast<char*>(lookup + 1);
    lookup->hints = hints_of(query);
    lookup->host = texts;
    std::memcpy(texts, query.host, host_size);
    if (service_size != 0) {
        lookup->service = texts + host_size;
        std::memcpy(texts + host_size, query.service, service_size);
    }
    const auto bell = bell_open();
    lookup->bell = bell ? *bell : no_fd;
    const Error error = bell ? start_thread(lookup) : bell.error();
    if (error == Error()) return lookup;
    lookup->holders.store(1);
    let_go(lookup);
    return error;
}

Fd lookup_ready_fd(const Lookup* lookup) noexcept { return lookup->bell; }

Result<void*> lookup_finish(Lookup* lookup) noexcept {
    // It has rung, so this is true; what the thread has written is seen from here on.
    (void)lookup->is_done.load(std::memory_order_acquire);
    addrinfo* found = std::exchange(lookup->found, nullptr);
    const Error error = resolver_error(lookup->code, lookup->system_error);
    let_go(lookup);
    if (error != Error()) return error;
    return static_cast<void*>(found);
}

void lookup_cancel(Lookup* lookup) noexcept { let_go(lookup); }

void resolved_free(void* list) noexcept { ::freeaddrinfo(static_cast<addrinfo*>(list)); }

AddressInfo resolved_entry(const void* node, const void*& next) noexcept {
    const auto* native = static_cast<const addrinfo*>(node);
    next = native->ai_next;
    AddressInfo info;
    info.family = native->ai_family;
    info.type = native->ai_socktype;
    info.proto = native->ai_protocol;
    if (native->ai_canonname != nullptr) info.canonname = native->ai_canonname;
    const auto address = Address::from_native({native->ai_addr, native->ai_addrlen});
    if (address) info.sockaddr = *address;
    return info;
}

bool is_name_unknown(Error error) noexcept { return error == Error(resolver_code(EAI_NONAME)); }

}  // namespace usocket::sys
