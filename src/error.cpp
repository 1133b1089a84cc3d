// What errors say.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "sys/sys.hpp"
#include "usocket/result.hpp"

namespace usocket {
namespace {

// The texts stand behind one another, each with a NUL at its end: a table of pointers to them would take more than some
// of them do, where a program may lie anywhere in memory. A number that has none: "".
[[maybe_unused]] const char* text_of(std::string_view texts, unsigned number) noexcept {
    const char* at = texts.data();
    for (; number != 0 && at != texts.end(); --number) at += std::strlen(at) + 1;
    return at;
}

#if defined(USOCKET_WITHOUT_texts)

const char* fault_text(Fault /*fault*/) noexcept { return ""; }

#else

const char* fault_text(Fault fault) noexcept {
#define USOCKET_FAULT_TEXT(name, text) text "\0"
    static constexpr char texts[] = USOCKET_FAULTS(USOCKET_FAULT_TEXT);
#undef USOCKET_FAULT_TEXT
    return text_of({texts, sizeof texts - 1}, static_cast<unsigned>(fault));
}

#endif

// A small device whose module has no TLS has no use for its words.
#if !defined(USOCKET_SMALL) || defined(USOCKET_TLS)

const char* tls_text(TlsFailure failure) noexcept {
#define USOCKET_TLS_TEXT(name, code, text) text "\0"
    static constexpr char texts[] = USOCKET_TLS_FAILURES(USOCKET_TLS_TEXT);
#undef USOCKET_TLS_TEXT
    return text_of({texts, sizeof texts - 1}, static_cast<unsigned>(failure));
}

int tls_code(TlsFailure failure) noexcept {
    static constexpr unsigned char codes[] = {
#define USOCKET_TLS_CODE(name, code, text) code,
        USOCKET_TLS_FAILURES(USOCKET_TLS_CODE)
#undef USOCKET_TLS_CODE
    };
    const auto index = static_cast<std::size_t>(failure);
    return failure == TlsFailure::none || index >= sizeof codes ? EINVAL : codes[index];
}

#else

const char* tls_text(TlsFailure /*failure*/) noexcept { return ""; }
int tls_code(TlsFailure /*failure*/) noexcept { return EINVAL; }

#endif

}  // namespace

// Of a fault or a failure of TLS.
int Error::own_code() const noexcept { return tls_code(tls_failure()); }

const char* Error::message() const noexcept {
    if (fault() != Fault::none) return fault_text(fault());
    if (tls_failure() != TlsFailure::none) return tls_text(tls_failure());
    return number_ < 0 ? sys::resolver_message(number_) : sys::error_message(number_);
}

#if !defined(USOCKET_SMALL)
void detail::no_value(const char* message, int code) noexcept {
    (void)std::fprintf(stderr, "usocket: the value of a Result that holds an error: %s (%d)\n", message, code);
    std::abort();
}
#endif

}  // namespace usocket
