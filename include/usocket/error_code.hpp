// Errors for code that speaks std::error_code (CPP-4): an Error converts to one, and compares with std::errc. Optional:
// usocket.hpp leaves it out, because <system_error> alone costs a small static program more than all of usocket.
#pragma once

#include <string>
#include <system_error>

#include "usocket/result.hpp"

namespace usocket {

// Of negative codes, EAI_*.
class USOCKET_PUBLIC ResolverCategory final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "usocket.resolver"; }
    [[nodiscard]] std::string message(int code) const override { return Error(code).message(); }
};

// Of Fault: each is std::errc::invalid_argument.
class USOCKET_PUBLIC ArgumentCategory final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "usocket.argument"; }
    [[nodiscard]] std::string message(int fault) const override { return Error(static_cast<Fault>(fault)).message(); }
    // What makes it equal to std::errc::invalid_argument.
    [[nodiscard]] std::error_condition default_error_condition(int) const noexcept override {
        return std::errc::invalid_argument;
    }
};

[[nodiscard]] USOCKET_PUBLIC inline const std::error_category& resolver_category() noexcept {
    static const ResolverCategory category;
    return category;
}

[[nodiscard]] USOCKET_PUBLIC inline const std::error_category& argument_category() noexcept {
    static const ArgumentCategory category;
    return category;
}

// An errno is of std::system_category(), so it compares with std::errc.
[[nodiscard]] inline std::error_code make_error_code(Error error) noexcept {
    if (error.fault() != Fault::none) return {static_cast<int>(error.fault()), argument_category()};
    if (error.code() < 0) return {error.code(), resolver_category()};
    return {error.code(), std::system_category()};
}

// error == std::errc::connection_refused. Never of a resolver code.
[[nodiscard]] inline bool operator==(const Error& error, std::errc condition) noexcept {
    return make_error_code(error) == condition;
}

class EndpointError;

}  // namespace usocket

// std::error_code code = error;
template <> struct std::is_error_code_enum<usocket::Error> : std::true_type {};
// That of its last endpoint; which they are it does not say.
template <> struct std::is_error_code_enum<usocket::EndpointError> : std::true_type {};
