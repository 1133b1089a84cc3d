// What a Server has of the seam; the rest of it is a template.
#include "usocket/detail/runner.hpp"

#include "sys/sys.hpp"

namespace usocket {

// Also where there is one thread: what it calls may start another.
CallsBack::CallsBack() noexcept : before_(sys::hold_cancellation()) {}
CallsBack::~CallsBack() { sys::release_cancellation(before_); }

std::uint32_t Runner::this_process() noexcept { return sys::process_generation(); }

}  // namespace usocket
