// The seam's processes: a fork is what the test says it is.
#include "network.hpp"

namespace usocket {

namespace {
void (*before_fork)() = nullptr;
void (*after_fork)() = nullptr;
char is_single_threaded = 0;
}  // namespace

namespace sys {

const char* const single_threaded = &is_single_threaded;

std::uint32_t forks() noexcept { return faulty::network().forks; }
std::uint32_t process_generation() noexcept { return faulty::network().generation; }

void on_fork(void (*before)(), void (*after)()) noexcept {
    before_fork = before;
    after_fork = after;
}

}  // namespace sys

namespace faulty {

void set_single_threaded(bool is_so) { is_single_threaded = is_so ? 1 : 0; }

namespace {

void fork_as(bool is_child) {
    before_fork();
    network().forks = std::min<std::uint32_t>(network().forks + 1, 255);
    if (is_child) ++network().generation;
    after_fork();
}

}  // namespace

void fork_as_parent() { fork_as(false); }
void fork_as_child() { fork_as(true); }

}  // namespace faulty
}  // namespace usocket
