// What errors say.
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "sys/sys.hpp"
#include "usocket/result.hpp"

namespace usocket {
namespace {

const char* fault_text(Fault fault) noexcept {
    switch (fault) {
#define USOCKET_FAULT_TEXT(name, text) \
    case Fault::name: return text;
        USOCKET_FAULTS(USOCKET_FAULT_TEXT)
#undef USOCKET_FAULT_TEXT
    }
    return "";
}

}  // namespace

int Error::fault_code() noexcept { return EINVAL; }

const char* Error::message() const noexcept {
    if (fault() != Fault::none) return fault_text(fault());
    return number_ < 0 ? sys::resolver_message(number_) : sys::error_message(number_);
}

#if !defined(USOCKET_SMALL)
void detail::no_value(const char* message, int code) noexcept {
    (void)std::fprintf(stderr, "usocket: the value of a Result that holds an error: %s (%d)\n", message, code);
    std::abort();
}
#endif

}  // namespace usocket
