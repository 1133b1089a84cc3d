// Seeds: one test, many runs, each of which follows from its seed.
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "gtest/gtest.h"

namespace usocket::tests {

// How to see just that run again.
inline std::string rerun_command(std::uint64_t seed) {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    return "USOCKET_SEED=" + std::to_string(seed) + " " + program_invocation_name +
           " --gtest_filter=" + test->test_suite_name() + "." + test->name();
}

// Calls run(seed) for $USOCKET_SEEDS seeds, 10,000 unless set, or for $USOCKET_SEED alone; stops at the first failure
// and says which it was.
template <class Run> void for_each_seed(Run run) {
    const char* only = std::getenv("USOCKET_SEED");
    const char* count = std::getenv("USOCKET_SEEDS");
    const std::uint64_t first = only != nullptr ? std::strtoull(only, nullptr, 10) : 0;
    const std::uint64_t last = only != nullptr    ? first + 1
                               : count != nullptr ? std::strtoull(count, nullptr, 10)
                                                  : 10'000;
    ASSERT_LT(first, last) << "USOCKET_SEEDS is a number above 0";
    for (std::uint64_t seed = first; seed < last; ++seed) {
        run(seed);
        if (::testing::Test::HasFailure()) {
            ADD_FAILURE() << "seed " << seed << "; once more: " << rerun_command(seed);
            return;
        }
    }
}

}  // namespace usocket::tests
