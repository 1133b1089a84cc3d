// Trial: one seed's run over the fault-injecting stack; says where it went wrong, and how to see that again.
#pragma once

#include <cstdint>
#include <string>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "random.hpp"
#include "seeds.hpp"

namespace usocket::tests {

class Trial {
protected:
    explicit Trial(std::uint64_t seed) : seed_(seed), random_(seed) {
        faulty::reset(seed);
        faulty::explain_hangs([this] { return where() + "; once more: " + rerun_command(seed_); });
    }

    // Only the first thing that is wrong is told: what follows from it would hide it.
    void require(bool is_right, const std::string& what) {
        if (is_right || failed_) return;
        failed_ = true;
        ADD_FAILURE() << what << ", " << where();
    }
    // At the end, when every socket of the trial is gone.
    void require_nothing_left() {
        require(faulty::open_descriptors() == 0, "a descriptor leaks (SOCK-3)");
        require(faulty::live_blocks() == 0, "memory leaks");
    }
    [[nodiscard]] std::string where() const {
        return "seed " + std::to_string(seed_) + ", step " + std::to_string(step_) + ": " + last_;
    }

    std::uint64_t seed_;
    Random random_;
    std::uint64_t step_ = 0;
    std::string last_ = "start";  // what was done last
    bool failed_ = false;
};

}  // namespace usocket::tests
