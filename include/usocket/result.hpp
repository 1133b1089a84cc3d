// Result<T>: a value or an Error (CPP-2, CPP-5). The member names are std::expected's.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>  // std::hash
#include <type_traits>
#include <utility>

#if defined(__cpp_exceptions)
#include <exception>
#endif

#include "usocket/export.hpp"

// 1: reading the value of a Result that holds an error ends the program with the error's text, as an assertion does
// (CPP-5). By default in debug builds, which leave NDEBUG undefined; elsewhere nothing is checked and nothing is paid.
#if !defined(USOCKET_CHECKED)
#if defined(NDEBUG) || defined(USOCKET_SMALL)
#define USOCKET_CHECKED 0
#else
#define USOCKET_CHECKED 1
#endif
#endif

// The value of `expression`, a Result; if that holds an error, the calling function returns it, as a Result of whatever
// type. For a Result<void> a statement.
//
//     usocket::Result<std::string> banner(usocket::Socket& socket) {
//         const auto line = USOCKET_TRY(socket.readline());
//         USOCKET_TRY(socket.write("QUIT\r\n"));
//         return std::string(line.view());
//     }
//
// Take what owns something in a statement of its own, as `line` is, and put an object together afterwards. With an
// error in the second, `Client{USOCKET_TRY(one()), USOCKET_TRY(other())}` leaves the first open with g++ 12, clang 14
// and 16, whose fault it is: they destroy nothing of an aggregate, an array, a lambda's captures or what `new` makes
// that is half made when its initialiser returns from the function. A macro cannot see that it stands in one. Arguments
// of functions and of constructors are safe.
#if defined(__clang__)  // the newest call __COUNTER__ an extension; one inside another is no mistake
#define USOCKET_TRY(...) \
    USOCKET_TRY_WITH_(usocket_tried_, \
                      _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wshadow\""), \
                      _Pragma("clang diagnostic pop"), __VA_ARGS__)
#else
#define USOCKET_TRY(...) USOCKET_TRY_WITH_(USOCKET_JOIN_(usocket_tried_, __COUNTER__), , , __VA_ARGS__)
#endif
#define USOCKET_TRY_WITH_(tried, before, after, ...) \
    __extension__({ \
        before auto&& tried = (__VA_ARGS__); \
        after if (!tried) return tried.error(); \
        *std::move(tried); \
    })
#define USOCKET_JOIN_(one, other) USOCKET_JOIN_NOW_(one, other)
#define USOCKET_JOIN_NOW_(one, other) one##other

namespace usocket {

// Texts of faults that a device's build, or one without polls, cannot meet take no room there.
#if defined(USOCKET_SMALL)
#define USOCKET_TEXT_OF_CXX(text) ""
#else
#define USOCKET_TEXT_OF_CXX(text) text
#endif
#if defined(USOCKET_WITHOUT_poll)
#define USOCKET_TEXT_OF_POLLS(text) ""
#else
#define USOCKET_TEXT_OF_POLLS(text) text
#endif

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
    X(flowinfo_range, "flowinfo must be in 0..4294967295") \
    X(address_parts, \
      "what sockaddr() returns is (AF_INET, ip, port), (AF_INET6, ip, port, flowinfo, scopeid) or " \
      "(family, data)") \
    X(family_range, "the system has no family of this number") \
    X(path_too_long, "the path is longer than the system allows for AF_UNIX") \
    X(bad_path, "an AF_UNIX path has no NUL in it, except in front of an abstract name") \
    X(bad_name, "a host or service name has at most 1024 bytes and no NUL among them") \
    X(packed_length, "a packed address is 4 bytes long for AF_INET, 16 for AF_INET6") \
    X(bufsize_range, "a size must be in 0..2147483647") \
    X(timeout_range, "a timeout is None or a number of seconds in 0..9223372036") \
    X(makefile_mode, "mode must be 'rb', 'wb' or 'rwb'") \
    X(slice_range, "offset and length must lie within the buffer") \
    X(option_length, "an option's length must be in 0..1024") \
    X(event_mask, \
      USOCKET_TEXT_OF_POLLS("an event mask is a sum of POLLIN, POLLOUT, POLLERR and POLLHUP, in 0..65535")) \
    X(int_range, "the number does not fit the system's int") \
    X(address_text, USOCKET_TEXT_OF_CXX("an address is HOST:PORT, [HOST]:PORT or unix:PATH")) \
    X(address_zone, "what follows % is neither a number nor an interface of this machine") \
    X(no_room, USOCKET_TEXT_OF_CXX("a poll wants room for at least one event")) \
    X(poll_timeout_range, \
      USOCKET_TEXT_OF_POLLS( \
          "a poll's timeout is None or a number of milliseconds up to 9223372036000, select()'s one of seconds"))

enum class Fault : std::uint8_t {
#define USOCKET_FAULT_NAME(name, text) name,
    USOCKET_FAULTS(USOCKET_FAULT_NAME)
#undef USOCKET_FAULT_NAME
};

// What ends a call on a wrapped socket besides errors of the system (TLS-4). X(name, errno, text).
#define USOCKET_TLS_FAILURES(X) \
    X(none, 0, "") \
    X(certificate_name, EACCES, "certificate refused: it is not for the name that was asked for (server_hostname)") \
    X(certificate_issuer, EACCES, "certificate refused: its issuer is not among the trusted ones") \
    X(certificate_self_signed, EACCES, "certificate refused: it is self-signed, and not among the trusted ones") \
    X(certificate_expired, EACCES, "certificate refused: it has expired, or the clock is wrong") \
    X(certificate_not_yet_valid, EACCES, "certificate refused: it is not valid yet, or the clock is wrong") \
    X(certificate_weak, EACCES, "certificate refused: a key or signature of its chain is too weak") \
    X(certificate_purpose, EACCES, "certificate refused: it is not made for this purpose (server or client)") \
    X(certificate_bad, EACCES, \
      "certificate refused: it is malformed, of an unknown kind, or a signature in its chain does not hold") \
    X(certificate_missing, EACCES, "the peer shows no certificate, and one is required") \
    X(refused_by_peer, EACCES, "the peer refuses our certificate") \
    X(wanted_by_peer, EACCES, "the peer requires a certificate of us (set_cert_key)") \
    X(version, EPROTO, "the peer speaks no version of TLS that this side does: 1.2, and 1.3 if its library has it") \
    X(nothing_in_common, EPROTO, "no cipher suite, group or signature algorithm in common with the peer") \
    X(protocols, EPROTO, "no application protocol (ALPN) in common with the peer") \
    X(not_tls, EPROTO, "what came is not TLS") \
    X(bad_record, EPROTO, \
      "a record is not right: it was changed on its way, or the peer does not keep to the protocol") \
    X(alert, EPROTO, "the peer has ended TLS with an alert") \
    X(failed, EPROTO, "TLS failed: the peer does not keep to the protocol") \
    X(library, ENOMEM, "TLS failed on this side: memory has run out, or the library cannot use a key") \
    X(other_process, EPERM, "a wrapped socket stays with the process that wrapped it: wrap after fork()") \
    X(not_shared, EOPNOTSUPP, "a wrapped socket gives its descriptor away neither by dup() nor by detach()") \
    X(listener, EINVAL, "a socket that listens is wrapped with server_side") \
    X(wrapped_before, EINVAL, "the socket is wrapped already") \
    X(unread, EBUSY, "bytes that came before TLS, and are not protected by it, are unread: read them first") \
    X(in_use, EBUSY, "another thread is reading or writing on the socket: let its call end first") \
    X(not_a_stream, EINVAL, "TLS goes on a stream socket") \
    X(no_hostname, EINVAL, "a server's certificate is checked against server_hostname, which is missing") \
    X(bad_hostname, EINVAL, "server_hostname is a host name in ASCII or a numeric address, at most 255 bytes long") \
    X(no_certificate, EINVAL, "a server needs a certificate and its key (set_cert_key)") \
    X(bad_certificate, EINVAL, "no usable certificate in PEM or DER in there") \
    X(bad_key, EINVAL, "no private key in PEM or DER without a password in there") \
    X(key_mismatch, EINVAL, "the private key is not the certificate's") \
    X(unknown_kind, EINVAL, "this TLS library does not know a certificate's kind of key: RSA and ECDSA would do") \
    X(long_chain, EINVAL, "the certificate and those behind it are longer than a message of this kind of TLS can be") \
    X(bad_protocols, EINVAL, "an application protocol's name has 1 to 255 bytes, all of them together at most 511") \
    X(bad_session, EINVAL, "no session of this kind of TLS in there")

enum class TlsFailure : std::uint8_t {
#define USOCKET_TLS_FAILURE_NAME(name, code, text) name,
    USOCKET_TLS_FAILURES(USOCKET_TLS_FAILURE_NAME)
#undef USOCKET_TLS_FAILURE_NAME
};

// Why a call failed. code() is the reference's number: a positive errno, or a negative resolver code
// (EAI_*). EINTR means that the host gave the call up from a signal handler and has an exception to raise.
class [[nodiscard]] USOCKET_API Error {
public:
    constexpr Error() noexcept = default;
    constexpr explicit Error(int code) noexcept : number_(code) {}
    // An argument that no system would accept; code() is EINVAL.
    constexpr explicit Error(Fault fault) noexcept
        : number_(fault == Fault::none ? 0 : first_fault + static_cast<std::int32_t>(fault)) {}

    // code() is EACCES for a certificate that was refused, EPROTO for what the peer sends, ...
    constexpr explicit Error(TlsFailure failure) noexcept
        : number_(failure == TlsFailure::none ? 0 : first_tls_failure + static_cast<std::int32_t>(failure)) {}

    [[nodiscard]] constexpr int code() const noexcept { return number_ < first_fault ? number_ : own_code(); }
    [[nodiscard]] constexpr Fault fault() const noexcept {
        const bool is_fault = number_ >= first_fault && number_ < first_tls_failure;
        return is_fault ? static_cast<Fault>(number_ - first_fault) : Fault::none;
    }
    [[nodiscard]] constexpr TlsFailure tls_failure() const noexcept {
        return number_ < first_tls_failure ? TlsFailure::none : static_cast<TlsFailure>(number_ - first_tls_failure);
    }
    // The fault's or failure's text, the resolver's or the system's message; lives as long as the program (for an errno
    // unknown to the system: until this thread's next call).
    [[nodiscard]] const char* message() const noexcept;

    friend constexpr bool operator==(const Error&, const Error&) noexcept = default;

private:
    friend struct std::hash<Error>;
    [[nodiscard]] int own_code() const noexcept;

    // One number for all, so that errors are cheap to pass on and to compare; no errno is as high as this.
    static constexpr std::int32_t first_fault = 1 << 24;
    static constexpr std::int32_t first_tls_failure = first_fault + 256;
    std::int32_t number_ = 0;
};

#if defined(__cpp_exceptions)
// What value() throws where there is no value.
class USOCKET_PUBLIC BadResultAccess : public std::exception {
public:
    explicit BadResultAccess(Error error) noexcept : error_(error) {}
    [[nodiscard]] Error error() const noexcept { return error_; }
    [[nodiscard]] const char* what() const noexcept override { return error_.message(); }

private:
    Error error_;
};

// The same for an error that says more.
template <class E> class USOCKET_PUBLIC BadResultAccessOf final : public BadResultAccess {
public:
    explicit BadResultAccessOf(const E& error) noexcept : BadResultAccess(error), whole_(error) {}
    // The error with all that it says.
    [[nodiscard]] const E& whole_error() const noexcept { return whole_; }
    [[nodiscard]] const char* what() const noexcept override { return whole_.message(); }

private:
    E whole_;
};
#endif

template <class T, class E = Error> class Result;

namespace detail {

// Says on standard error that a value was read which is not there, and why it is not, and ends the program.
[[noreturn]] USOCKET_API void no_value(const char* message, int code) noexcept;

template <class T> inline constexpr bool is_result = false;
template <class T, class E> inline constexpr bool is_result<Result<T, E>> = true;

// What is shared by all Results: the error, or none. E is Error or derived from it.
template <class E> class Outcome {
public:
    using error_type = E;

    constexpr Outcome() noexcept = default;
    constexpr explicit Outcome(const E& error) noexcept : error_(error) {}

    [[nodiscard]] constexpr bool has_value() const noexcept { return static_cast<const Error&>(error_) == Error(); }
    constexpr explicit operator bool() const noexcept { return has_value(); }
    // Error() if there is a value.
    [[nodiscard]] constexpr E error() const noexcept { return error_; }
    template <class U> [[nodiscard]] constexpr E error_or(U&& other) const {
        return has_value() ? static_cast<E>(std::forward<U>(other)) : error_;
    }

protected:
    // Inlined whatever the build, so that parts of a program that are checked and parts that are not go together.
    USOCKET_INLINED constexpr void check() const noexcept {
#if USOCKET_CHECKED
        if (!has_value()) no_value(error_.message(), error_.code());
#endif
    }
    constexpr void check_or_throw() const {
#if defined(__cpp_exceptions)
        if (has_value()) return;
        if constexpr (std::is_same_v<E, Error>) {
            throw BadResultAccess(error_);
        } else {
            throw BadResultAccessOf<E>(error_);
        }
#endif
    }

private:
    E error_{};
};

}  // namespace detail

// T is default-constructible; a Result that holds an error holds T{} beside it. E: Error, or a type derived from it
// that says more, and then such a Result converts to one that says less.
template <class T, class E> class [[nodiscard]] Result : public detail::Outcome<E> {
    using Outcome = detail::Outcome<E>;

public:
    using value_type = T;

    constexpr Result(T&& value) noexcept : value_(std::move(value)) {}
    constexpr Result(const T& value) noexcept
        requires(std::is_copy_constructible_v<T>)
        : value_(value) {}
    // Of the error's own type, or of one that says less or more.
    template <class F>
        requires(std::is_base_of_v<Error, F> && std::is_convertible_v<const F&, E>)
    constexpr Result(const F& error) noexcept : Outcome(error) {}
    // The value of the other converted, or its error.
    template <class U, class F>
        requires(!std::is_void_v<U> && std::is_convertible_v<U, T> && std::is_convertible_v<F, E> &&
                 !std::is_same_v<Result<U, F>, Result>)
    constexpr Result(Result<U, F> other) noexcept
        : Outcome(other.error()), value_(other.has_value() ? T(*std::move(other)) : T()) {}

    // Only with has_value(); see USOCKET_CHECKED.
    USOCKET_INLINED constexpr T& operator*() & noexcept USOCKET_BORROWS {
        this->check();
        return value_;
    }
    USOCKET_INLINED constexpr const T& operator*() const& noexcept USOCKET_BORROWS {
        this->check();
        return value_;
    }
    // By value: what is left of a temporary Result ends with the expression, as in `for (auto x : *f())`.
    USOCKET_INLINED constexpr T operator*() && noexcept {
        this->check();
        return std::move(value_);
    }
    USOCKET_INLINED constexpr T* operator->() noexcept USOCKET_BORROWS {
        this->check();
        return &value_;
    }
    USOCKET_INLINED constexpr const T* operator->() const noexcept USOCKET_BORROWS {
        this->check();
        return &value_;
    }

    template <class U> [[nodiscard]] constexpr T value_or(U&& other) && {
        return this->has_value() ? std::move(value_) : static_cast<T>(std::forward<U>(other));
    }
    template <class U> [[nodiscard]] constexpr T value_or(U&& other) const& {
        return this->has_value() ? value_ : static_cast<T>(std::forward<U>(other));
    }

#if defined(__cpp_exceptions)
    constexpr T& value() & USOCKET_BORROWS {
        this->check_or_throw();
        return value_;
    }
    constexpr const T& value() const& USOCKET_BORROWS {
        this->check_or_throw();
        return value_;
    }
    constexpr T value() && {
        this->check_or_throw();
        return std::move(value_);
    }
#endif

    // What `next(value)`, a Result, comes to; or the error.
    template <class F> constexpr auto and_then(F&& next) & { return then(*this, std::forward<F>(next)); }
    template <class F> constexpr auto and_then(F&& next) const& { return then(*this, std::forward<F>(next)); }
    template <class F> constexpr auto and_then(F&& next) && { return then(std::move(*this), std::forward<F>(next)); }
    // `change(value)` in a Result; or the error.
    template <class F> constexpr auto transform(F&& change) & { return changed(*this, std::forward<F>(change)); }
    template <class F> constexpr auto transform(F&& change) const& { return changed(*this, std::forward<F>(change)); }
    template <class F> constexpr auto transform(F&& change) && {
        return changed(std::move(*this), std::forward<F>(change));
    }
    // The value; or what `other(error)`, a Result of the same value, comes to.
    template <class F> constexpr auto or_else(F&& other) const& { return otherwise(*this, std::forward<F>(other)); }
    template <class F> constexpr auto or_else(F&& other) && {
        return otherwise(std::move(*this), std::forward<F>(other));
    }

private:
    template <class Self, class F> static constexpr auto then(Self&& self, F&& next) {
        using Next = std::remove_cvref_t<decltype(std::forward<F>(next)(std::forward<Self>(self).value_))>;
        static_assert(detail::is_result<Next>, "and_then() takes a function that returns a Result; else transform()");
        return self.has_value() ? std::forward<F>(next)(std::forward<Self>(self).value_) : Next(self.error());
    }
    template <class Self, class F> static constexpr auto changed(Self&& self, F&& change) {
        using Changed = std::remove_cvref_t<decltype(std::forward<F>(change)(std::forward<Self>(self).value_))>;
        if constexpr (std::is_void_v<Changed>) {
            if (self.has_value()) std::forward<F>(change)(std::forward<Self>(self).value_);
            return Result<void, E>(self.error());
        } else {
            if (!self.has_value()) return Result<Changed, E>(self.error());
            return Result<Changed, E>(std::forward<F>(change)(std::forward<Self>(self).value_));
        }
    }
    template <class Self, class F> static constexpr auto otherwise(Self&& self, F&& other) {
        using Other = std::remove_cvref_t<decltype(std::forward<F>(other)(self.error()))>;
        static_assert(detail::is_result<Other>, "or_else() takes a function that returns a Result");
        return self.has_value() ? Other(std::forward<Self>(self).value_) : std::forward<F>(other)(self.error());
    }

    T value_{};
};

template <class E> class [[nodiscard]] Result<void, E> : public detail::Outcome<E> {
    using Outcome = detail::Outcome<E>;

public:
    using value_type = void;

    constexpr Result() noexcept = default;
    template <class F>
        requires(std::is_base_of_v<Error, F> && std::is_convertible_v<const F&, E>)
    constexpr Result(const F& error) noexcept : Outcome(error) {}
    // Whether the other went well; its value is dropped.
    template <class U, class F>
        requires(std::is_convertible_v<F, E> && !std::is_same_v<Result<U, F>, Result>)
    constexpr Result(const Result<U, F>& other) noexcept : Outcome(other.error()) {}

    USOCKET_INLINED constexpr void operator*() const noexcept { this->check(); }

#if defined(__cpp_exceptions)
    constexpr void value() const { this->check_or_throw(); }
#endif

    template <class F> constexpr auto and_then(F&& next) const {
        using Next = std::remove_cvref_t<decltype(std::forward<F>(next)())>;
        static_assert(detail::is_result<Next>, "and_then() takes a function that returns a Result; else transform()");
        return this->has_value() ? std::forward<F>(next)() : Next(this->error());
    }
    template <class F> constexpr auto transform(F&& make) const {
        using Made = std::remove_cvref_t<decltype(std::forward<F>(make)())>;
        if constexpr (std::is_void_v<Made>) {
            if (this->has_value()) std::forward<F>(make)();
            return *this;
        } else {
            return this->has_value() ? Result<Made, E>(std::forward<F>(make)()) : Result<Made, E>(this->error());
        }
    }
    template <class F> constexpr auto or_else(F&& other) const {
        using Other = std::remove_cvref_t<decltype(std::forward<F>(other)(this->error()))>;
        static_assert(detail::is_result<Other>, "or_else() takes a function that returns a Result");
        return this->has_value() ? Other() : std::forward<F>(other)(this->error());
    }
};

}  // namespace usocket

template <> struct std::hash<usocket::Error> {
    [[nodiscard]] std::size_t operator()(const usocket::Error& error) const noexcept {
        return std::hash<std::int32_t>()(error.number_);
    }
};
