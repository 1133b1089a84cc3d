// The bell of a poller where there is no eventfd: a pipe. Its numbers stay as long as it lives, so whoever waits or
// rings needs no lock to read them. A poll that never sleeps has none.
#pragma once

#include <unistd.h>

#include <atomic>

#include "sys/posix/native.hpp"

namespace usocket::sys {

class PipeBell {
public:
    // Again in a child of fork: its own takes the places of its parent's.
    Error open() noexcept {
        int ends[2] = {-1, -1};
        if (calls::pipe(ends) < 0) return last_error();
        const Error read_error = put(ends[0], read_);
        const Error write_error = put(ends[1], write_);
        return read_error != Error() ? read_error : write_error;
    }
    void close() noexcept {
        if (read_ >= 0) (void)::close(read_);
        if (write_ >= 0) (void)::close(write_);
    }

    [[nodiscard]] bool is_open() const noexcept { return write_.load(std::memory_order_seq_cst) >= 0; }
    [[nodiscard]] Fd read_end() const noexcept { return read_.load(std::memory_order_relaxed); }
    // One that was closed, and whose number the bell has got itself.
    [[nodiscard]] bool has(Fd fd) const noexcept { return fd == read_ || fd == write_; }

    // From any thread or signal handler; leaves errno alone.
    void ring() noexcept {
        const int bell = write_.load(std::memory_order_seq_cst);
        if (bell < 0) return;
        const int before = errno;
        const char unused = 0;
        (void)!::write(bell, &unused, 1);
        errno = before;
    }
    void hush() noexcept {
        char unused[64];
        while (::read(read_, unused, sizeof unused) > 0) {
        }
    }

private:
    // Puts one descriptor in the place of another, or of none.
    static Error put(int fd, std::atomic<int>& place) noexcept {
        const int old = place.load(std::memory_order_relaxed);
        if (old < 0) {
            place.store(fd, std::memory_order_seq_cst);
            return Error();
        }
        const Error error = check(calls::dup2(fd, old)).error();
        (void)::close(fd);
        return error;
    }

    std::atomic<int> read_{-1};
    std::atomic<int> write_{-1};
};

}  // namespace usocket::sys
