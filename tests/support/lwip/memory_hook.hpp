// The core's memory, and who is told when it asks for some: as a host's collector may then run.
#pragma once

#include <functional>

namespace usocket::tests {

extern std::function<void()> on_resize;

}  // namespace usocket::tests
