// Errors and addresses in std::format (CPP-4, ADDR-9), where the standard library has it; what stands in the braces is
// as for a string: std::format("{:>30}", address). Without <format> this header is there and empty.
#pragma once

#include <version>

#include "usocket/address.hpp"
#include "usocket/connect.hpp"
#include "usocket/result.hpp"

#if defined(__cpp_lib_format)
#include <format>
#include <string_view>

// Its message().
template <> struct std::formatter<usocket::Error> : std::formatter<std::string_view> {
    auto format(const usocket::Error& error, auto& context) const {
        return std::formatter<std::string_view>::format(error.message(), context);
    }
};
template <> struct std::formatter<usocket::EndpointError> : std::formatter<std::string_view> {
    auto format(const usocket::EndpointError& error, auto& context) const {
        return std::formatter<std::string_view>::format(error.message(), context);
    }
};
// Its text().
template <> struct std::formatter<usocket::Address> : std::formatter<std::string_view> {
    auto format(const usocket::Address& address, auto& context) const {
        return std::formatter<std::string_view>::format(address.text().view(), context);
    }
};
#endif
