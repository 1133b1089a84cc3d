// getaddrinfo: checks and copies its arguments, asks for numeric hosts at once and waits for names as for a socket.
#include "usocket/resolver.hpp"

#include <algorithm>
#include <utility>

#include "c_string.hpp"
#include "decimal.hpp"
#include "sys/sys.hpp"
#include "wait/blocking.hpp"
#include "wait/held.hpp"
#include "wait/uncancelled.hpp"

namespace usocket {
namespace {

// The longest name that DNS allows is 253 characters (RFC 1035); NI_MAXHOST is 1025.
constexpr std::size_t max_name = 1024;

// A NUL-terminated copy, which C functions want.
class CName {
public:
    [[nodiscard]] bool set(std::string_view name) noexcept { return copy_c_string(name, chars_, sizeof chars_); }
    [[nodiscard]] const char* get() const noexcept { return chars_; }

private:
    char chars_[max_name + 1];
};

// A number that is no port's: the system's resolver would take the lower 16 bits of it, and a sign or blanks before it.
bool is_no_port(std::string_view text) noexcept {
    if (text.empty()) return false;
    const char first = text.front();
    const bool is_blank = first == ' ' || (first >= '\t' && first <= '\r');
    const bool is_number = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    if (is_number) return parse_decimal(text).value_or(UINT64_MAX) > 0xffff;
    return is_blank || first == '+' || first == '-';
}

}  // namespace

class Resolution {
public:
    static Error give(const Result<void*>& found, AddressInfoList& into) noexcept {
        if (found) into.first_ = *found;
        return found.error();
    }
    static Error numeric(const sys::Query& query, AddressInfoList& into) noexcept {
        const Held held;
        return give(sys::resolve_numeric(query), into);
    }
    static Error look_up(const sys::Query& query, Call& call, AddressInfoList& into) noexcept {
        if (const Error error = start(query, call); error != Error()) return error;
        const auto ready =
            Blocking(call, Timeout::none(), nullptr).wait(sys::lookup_ready_fd(call.lookup_), sys::poll_in);
        const Held held;
        if (!ready) {
            cancel(call);
            return ready.error();
        }
        return give(sys::lookup_finish(std::exchange(call.lookup_, nullptr)), into);
    }
    static Error start(const sys::Query& query, Call& call) noexcept {
        const Held held;
        const auto lookup = sys::lookup_start(query);
        if (lookup) call.lookup_ = *lookup;
        return lookup.error();
    }
    static void cancel(Call& call) noexcept {
        if (call.lookup_ != nullptr) sys::lookup_cancel(call.lookup_);
        call.lookup_ = nullptr;
    }
};

AddressInfoList::~AddressInfoList() {
    if (first_ != nullptr) sys::resolved_free(first_);
}

AddressInfo AddressInfoList::Iterator::operator*() const noexcept {
    const void* next = nullptr;
    return sys::resolved_entry(node_, next);
}

AddressInfoList::Iterator& AddressInfoList::Iterator::operator++() noexcept {
    const void* next = nullptr;
    (void)sys::resolved_entry(node_, next);
    node_ = next;
    return *this;
}

Result<AddressInfoList> getaddrinfo(std::optional<std::string_view> host, Service service, int af, int type, int proto,
                                    int flags, Call&& call) noexcept {
    Result<AddressInfoList> found{Error()};
    const auto got = getaddrinfo_into(*found, host, service, af, type, proto, flags, static_cast<Call&&>(call));
    if (!got) found = got.error();
    return found;
}

Result<void> getaddrinfo_into(AddressInfoList& found, std::optional<std::string_view> host, Service service, int af,
                              int type, int proto, int flags, Call&& call) noexcept {
    CName host_name, service_name;
    sys::Query query{nullptr, nullptr, af, type, proto, flags};
    if (host) {
        if (!host_name.set(*host)) return Error(Fault::bad_name);
        query.host = host_name.get();
    }
    if (const auto port = service.port()) {
        if (*port < 0 || *port > 0xffff) return Error(Fault::port_range);
        (void)service_name.set(Decimal(static_cast<std::uint64_t>(*port)).view());
        query.service = service_name.get();
    } else if (const auto name = service.name()) {
        if (!service_name.set(*name)) return Error(Fault::bad_name);
        if (is_no_port(*name)) return Error(Fault::port_range);
        query.service = service_name.get();
    }

    const Uncancelled uncancelled(Blocking(call, Timeout::none(), nullptr).has_host());
    const Error numeric = Resolution::numeric(query, found);
    if (numeric == Error() || !host || !sys::is_name_unknown(numeric)) return numeric;
    return Resolution::look_up(query, call, found);
}

void unwound(Call& call) noexcept {
    const Held held;
    Resolution::cancel(call);
}

}  // namespace usocket
