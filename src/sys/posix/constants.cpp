// The constants of NAME-3: list_constants.sh finds the names in the system's headers as the project is built.
#include "usocket/constants.hpp"

#include "usocket/socket.hpp"

namespace usocket {
namespace {

constexpr Constant table[] = {
#include "constants.inc"
};

}  // namespace

ConstantList constants() noexcept { return {table, sizeof table / sizeof *table}; }

}  // namespace usocket
