// getaddrinfo: names and services to addresses (GAI-1..4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "usocket/address.hpp"
#include "usocket/host.hpp"
#include "usocket/result.hpp"

namespace usocket {

struct AddressInfo {
    int family = 0;
    int type = 0;
    int proto = 0;
    std::string_view canonname;  // "" if there is none; lives as long as the list
    Address sockaddr;
};

// What getaddrinfo found, in the system's order; a range of AddressInfo. Move-only.
class USOCKET_API AddressInfoList {
public:
    AddressInfoList() noexcept = default;
    AddressInfoList(AddressInfoList&& other) noexcept : first_(std::exchange(other.first_, nullptr)) {}
    AddressInfoList& operator=(AddressInfoList&& other) noexcept {
        std::swap(first_, other.first_);
        return *this;
    }
    ~AddressInfoList();

    // Of the range, forward. Each step makes an AddressInfo.
    class USOCKET_API Iterator {
    public:
        using value_type = AddressInfo;
        using difference_type = std::ptrdiff_t;
        Iterator() noexcept = default;
        AddressInfo operator*() const noexcept;
        Iterator& operator++() noexcept;
        Iterator operator++(int) noexcept {
            const Iterator before = *this;
            ++*this;
            return before;
        }
        friend bool operator==(const Iterator&, const Iterator&) noexcept = default;

    private:
        friend class AddressInfoList;
        explicit Iterator(const void* node) noexcept : node_(node) {}
        const void* node_ = nullptr;
    };

    // front() only if it is not empty().
    [[nodiscard]] Iterator begin() const noexcept { return Iterator(first_); }
    [[nodiscard]] Iterator end() const noexcept { return {}; }
    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    [[nodiscard]] AddressInfo front() const noexcept { return *begin(); }

private:
    friend class Resolution;  // resolver.cpp
    void* first_ = nullptr;   // the stack's own list
};

// The service: nothing, a decimal number or a name ("http").
class Service {
public:
    constexpr Service() noexcept = default;
    constexpr Service(std::nullopt_t) noexcept {}
    constexpr Service(std::nullptr_t) noexcept {}
    template <class Text>
        requires(std::is_convertible_v<const Text&, std::string_view> && !std::is_same_v<Text, std::nullptr_t>)
    constexpr Service(const Text& name) noexcept : name_(name) {}
    // Not in 0..65535: Fault::port_range from getaddrinfo().
    template <class Integer>
        requires std::is_integral_v<Integer>
    constexpr Service(Integer port) noexcept : port_(static_cast<std::int64_t>(port)), is_port_(true) {}

    [[nodiscard]] constexpr std::optional<std::string_view> name() const noexcept { return name_; }
    [[nodiscard]] constexpr std::optional<std::int64_t> port() const noexcept {
        return is_port_ ? std::optional(port_) : std::nullopt;
    }

private:
    std::optional<std::string_view> name_;
    std::int64_t port_ = 0;
    bool is_port_ = false;
};

// host: a name or numeric text; nothing is the loopback, or with AI_PASSIVE the wildcard. af, type, proto: 0 is any.
// Errors: a negative EAI_* code; the positive errno where that says EAI_SYSTEM; a Fault. A name is looked up in a
// thread of its own, so that a signal or a deadline ends the wait (GAI-4):
//
//     usocket::getaddrinfo("example.org", 80, usocket::Deadline::after(2s))
[[nodiscard]] USOCKET_API Result<AddressInfoList> getaddrinfo(std::optional<std::string_view> host, Service service,
                                                              int af = 0, int type = 0, int proto = 0, int flags = 0,
                                                              Call&& call = Call()) noexcept;
[[nodiscard]] inline Result<AddressInfoList> getaddrinfo(std::nullptr_t, Service service, int af = 0, int type = 0,
                                                         int proto = 0, int flags = 0) noexcept {
    return getaddrinfo(std::nullopt, service, af, type, proto, flags);
}
// The same into an empty list that is there: who made it knows of what was found, whatever a host's handlers jump out
// of.
USOCKET_API Result<void> getaddrinfo_into(AddressInfoList& found, std::optional<std::string_view> host, Service service,
                                          int af, int type, int proto, int flags, Call&& call) noexcept;
// The same, but no longer than to the deadline: ETIMEDOUT.
[[nodiscard]] inline Result<AddressInfoList> getaddrinfo(std::optional<std::string_view> host, Service service,
                                                         Deadline deadline, int type = 0, int flags = 0) noexcept {
    return getaddrinfo(host, service, 0, type, 0, flags, deadline);
}

// For a host that unwinds: after a longjmp out of getaddrinfo() that was given `call`.
USOCKET_API void unwound(Call& call) noexcept;

}  // namespace usocket
