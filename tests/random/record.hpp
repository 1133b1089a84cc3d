// Record: what a trial has done and what it found wrong, in memory that outlives the trial's process and that the
// processes of the trial share.
#pragma once

#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <string_view>

namespace usocket::tests {

class Record {
public:
    [[nodiscard]] static Record& make() {
        void* memory = ::mmap(nullptr, sizeof(Record), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) std::abort();
        return *new (memory) Record;
    }
    void clear() {
        used_ = 0;
        found_ = 0;
    }
    // What is too much is left out.
    void trace(std::string_view line) {
        const std::uint32_t at = used_.fetch_add(static_cast<std::uint32_t>(line.size()) + 1);
        if (at + line.size() >= sizeof trace_) return;
        std::memcpy(trace_ + at, line.data(), line.size());
        trace_[at + line.size()] = '\n';
    }
    // Only the first thing that is wrong is told: what follows from it would hide it.
    void found(std::string_view what) {
        if (found_.exchange(1) != 0) return;
        finding_[what.copy(finding_, sizeof finding_ - 1)] = '\0';
        trace("!!! " + std::string(what));
    }
    [[nodiscard]] bool has_finding() const { return found_ != 0; }
    [[nodiscard]] std::string finding() const { return has_finding() ? finding_ : ""; }
    void print_trace() const { (void)std::fwrite(trace_, 1, std::min<std::size_t>(used_, sizeof trace_), stdout); }

private:
    std::atomic<std::uint32_t> used_{0};
    std::atomic<std::uint32_t> found_{0};
    char finding_[512] = {};
    char trace_[1 << 18] = {};
};

}  // namespace usocket::tests
