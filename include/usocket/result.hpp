// Result<T>: a value or an Error. The member names are std::expected's.
#pragma once

#include <cstdint>
#include <utility>

#if defined(__cpp_exceptions)
#include <exception>
#endif

namespace usocket {

// What is wrong with an argument. `none` for errors that the system or the resolver reported.
// X(name, text): the text completes "invalid argument: ..." and says what would be right.
#define USOCKET_FAULTS(X) \
    X(none, "") \
    X(address_not_numeric, "the host is not a numeric address (resolve names with getaddrinfo())") \
    X(address_other_family, "the host is an address of the other family (AF_INET or AF_INET6)") \
    X(address_too_short, \
      "a native address holds at least its family and, for AF_INET and AF_INET6, all of " \
      "its fields (use what getaddrinfo() returns, or a tuple)") \
    X(address_too_long, "a native address is at most 128 bytes long") \
    X(address_family, "tuples are for AF_INET and AF_INET6, a str path is for AF_UNIX") \
    X(address_arity, \
      "an AF_INET address is (host, port), an AF_INET6 address (host, port[, flowinfo[, " \
      "scopeid]])") \
    X(port_range, "port must be in 0..65535") \
    X(flowinfo_not_zero, "flowinfo must be 0") \
    X(scopeid_range, "scopeid must be an interface index in 0..4294967295") \
    X(path_too_long, "the path is longer than the system allows for AF_UNIX") \
    X(bad_path, "an AF_UNIX path has no NUL in it, except in front of an abstract name") \
    X(bad_name, "a host or service name has at most 1024 bytes and no NUL among them") \
    X(packed_length, "a packed address is 4 bytes long for AF_INET, 16 for AF_INET6") \
    X(bufsize_range, "a size must be in 0..2147483647") \
    X(timeout_range, "a timeout is None or a number of seconds in 0..9223372036") \
    X(makefile_mode, "mode must be 'rb', 'wb' or 'rwb'") \
    X(slice_range, "offset and length must lie within the buffer") \
    X(option_length, "an option's length must be in 0..1024") \
    X(event_mask, "an event mask is a sum of POLLIN, POLLOUT, POLLERR and POLLHUP, in 0..65535") \
    X(int_range, "the number does not fit the system's int")

enum class Fault : std::uint8_t {
#define USOCKET_FAULT_NAME(name, text) name,
    USOCKET_FAULTS(USOCKET_FAULT_NAME)
#undef USOCKET_FAULT_NAME
};

// Why a call failed. code() is the reference's number: a positive errno, or a negative resolver code
// (EAI_*). EINTR means that the host gave the call up from a signal handler and has an exception to raise.
class [[nodiscard]] Error {
public:
    constexpr Error() noexcept = default;
    constexpr explicit Error(int code) noexcept : number_(code) {}
    // An argument that no system would accept; code() is EINVAL.
    constexpr explicit Error(Fault fault) noexcept
        : number_(fault == Fault::none ? 0 : first_fault + static_cast<std::int32_t>(fault)) {}

    [[nodiscard]] constexpr int code() const noexcept { return number_ < first_fault ? number_ : fault_code(); }
    [[nodiscard]] constexpr Fault fault() const noexcept {
        return number_ < first_fault ? Fault::none : static_cast<Fault>(number_ - first_fault);
    }
    // The fault's text, the resolver's or the system's message; lives as long as the program (for an errno
    // unknown to the system: until this thread's next call).
    [[nodiscard]] const char* message() const noexcept;

    friend constexpr bool operator==(const Error&, const Error&) noexcept = default;

private:
    static int fault_code() noexcept;

    // One number for both, so that errors are cheap to pass on and to compare; no errno is as high as this.
    static constexpr std::int32_t first_fault = 1 << 24;
    std::int32_t number_ = 0;
};

#if defined(__cpp_exceptions)
// What value() throws where there is no value.
class BadResultAccess : public std::exception {
public:
    explicit BadResultAccess(Error error) noexcept : error_(error) {}
    [[nodiscard]] Error error() const noexcept { return error_; }
    [[nodiscard]] const char* what() const noexcept override { return error_.message(); }

private:
    Error error_;
};
#endif

// T is default-constructible; a Result that holds an error holds T{} beside it.
template <class T> class [[nodiscard]] Result {
public:
    using value_type = T;
    using error_type = Error;

    constexpr Result(T value) noexcept : value_(std::move(value)) {}
    constexpr Result(Error error) noexcept : error_(error) {}

    [[nodiscard]] constexpr bool has_value() const noexcept { return error_ == Error(); }
    constexpr explicit operator bool() const noexcept { return has_value(); }
    [[nodiscard]] constexpr Error error() const noexcept { return error_; }

    // Only with has_value().
    constexpr T& operator*() & noexcept { return value_; }
    constexpr const T& operator*() const& noexcept { return value_; }
    // By value: what is left of a temporary Result ends with the expression, as in `for (auto x : *f())`.
    constexpr T operator*() && noexcept { return std::move(value_); }
    constexpr T* operator->() noexcept { return &value_; }
    constexpr const T* operator->() const noexcept { return &value_; }

    template <class U> [[nodiscard]] constexpr T value_or(U&& other) && {
        return has_value() ? std::move(value_) : static_cast<T>(std::forward<U>(other));
    }
    template <class U> [[nodiscard]] constexpr T value_or(U&& other) const& {
        return has_value() ? value_ : static_cast<T>(std::forward<U>(other));
    }

#if defined(__cpp_exceptions)
    constexpr T& value() & {
        if (!has_value()) throw BadResultAccess(error_);
        return value_;
    }
    constexpr const T& value() const& {
        if (!has_value()) throw BadResultAccess(error_);
        return value_;
    }
    constexpr T value() && {
        if (!has_value()) throw BadResultAccess(error_);
        return std::move(value_);
    }
#endif

private:
    Error error_{};
    T value_{};
};

template <> class [[nodiscard]] Result<void> {
public:
    using value_type = void;
    using error_type = Error;

    constexpr Result() noexcept = default;
    constexpr Result(Error error) noexcept : error_(error) {}

    [[nodiscard]] constexpr bool has_value() const noexcept { return error_ == Error(); }
    constexpr explicit operator bool() const noexcept { return has_value(); }
    [[nodiscard]] constexpr Error error() const noexcept { return error_; }

#if defined(__cpp_exceptions)
    constexpr void value() const {
        if (!has_value()) throw BadResultAccess(error_);
    }
#endif

private:
    Error error_{};
};

}  // namespace usocket
