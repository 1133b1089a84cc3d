// The constants of NAME-3: list_constants.sh finds the names in the system's headers as the project is built.
#include "usocket/constants.hpp"

#include "usocket/socket.hpp"

#if defined(AF_CAN) && __has_include(<linux/can/j1939.h>)
#include <linux/can.h>
#include <linux/can/j1939.h>
#include <linux/can/raw.h>
#endif
#if defined(AF_VSOCK) && __has_include(<linux/vm_sockets.h>)
#include <linux/vm_sockets.h>
#endif

namespace usocket {
namespace {

constexpr Constant table[] = {
#include "constants.inc"
};

}  // namespace

ConstantList constants() noexcept { return {table, sizeof table / sizeof *table}; }

}  // namespace usocket
