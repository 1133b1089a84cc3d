// Descriptors: how many this process has open.
#pragma once

#include <dirent.h>

#include <cstddef>
#include <cstdlib>

namespace usocket::tests {

// With the two entries of every folder and the one that reads it: for comparison with an earlier count. ctest gives
// each test a process of its own; in one with others, a lookup that an earlier one gave up on may end in between.
inline std::size_t open_descriptors() {
    DIR* directory = ::opendir("/dev/fd");
    if (directory == nullptr) std::abort();
    std::size_t count = 0;
    while (::readdir(directory) != nullptr) ++count;
    ::closedir(directory);
    return count;
}

}  // namespace usocket::tests
