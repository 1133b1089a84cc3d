// What errors say.
#include <cerrno>

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

Error::Error(Fault fault) noexcept : code_(EINVAL), fault_(fault) {}

const char* Error::message() const noexcept {
    if (fault_ != Fault::none) return fault_text(fault_);
    return code_ < 0 ? sys::resolver_message(code_) : sys::error_message(code_);
}

}  // namespace usocket
