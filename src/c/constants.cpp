// usocket.h: the system's constants by name (NAME-3). A small device has a table of its own.
#include "usocket/constants.hpp"

#include <algorithm>
#include <string_view>

#include "c/convert.hpp"

using namespace usocket;

static_assert(sizeof(Constant) == sizeof(usocket_constant_t));

bool usocket_constant(const char* name, size_t size, int64_t* value) {
    const std::string_view wanted(name, size);
    const ConstantList all = constants();
    const auto* found =
        std::ranges::lower_bound(all, wanted, {}, [](const Constant& one) { return std::string_view(one.name); });
    if (found == all.end() || found->name != wanted) return false;
    *value = found->value;
    return true;
}

const usocket_constant_t* usocket_constants(size_t* count) {
    const ConstantList all = constants();
    *count = all.count;
    return reinterpret_cast<const usocket_constant_t*>(all.first);
}
