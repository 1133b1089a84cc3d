// How full a receive queue is: the system does not tell.
#include "sys/posix/native.hpp"

namespace usocket::sys {

Fullness queue_fullness(Fd /*fd*/) noexcept { return Fullness::unknown; }

}  // namespace usocket::sys
