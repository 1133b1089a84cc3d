// The seam's processes: a fork is what the test says it is.
#include "network.hpp"

namespace usocket {

namespace {
struct ForkHooks {
    void (*before)() = nullptr;
    void (*after)() = nullptr;
};
ForkHooks hooks[sys::fork_steps];
char is_single_threaded = 0;
}  // namespace

namespace sys {

const char* const single_threaded = &is_single_threaded;

std::uint32_t forks() noexcept { return faulty::network().forks; }
std::uint32_t process_generation() noexcept { return faulty::network().generation; }

void on_fork(std::size_t step, void (*before)(), void (*after)()) noexcept { hooks[step] = {before, after}; }

int hold_cancellation() noexcept { return 0; }
void release_cancellation(int) noexcept {}

}  // namespace sys

namespace faulty {

void set_single_threaded(bool is_so) { is_single_threaded = is_so ? 1 : 0; }

namespace {

void fork_as(bool is_child) {
    for (const ForkHooks& step : hooks) {
        if (step.before != nullptr) step.before();
    }
    network().forks = std::min<std::uint32_t>(network().forks + 1, 255);
    if (is_child) ++network().generation;
    for (std::size_t step = sys::fork_steps; step-- != 0;) {
        if (hooks[step].after != nullptr) hooks[step].after();
    }
}

}  // namespace

void fork_as_parent() { fork_as(false); }
void fork_as_child() { fork_as(true); }

}  // namespace faulty
}  // namespace usocket
