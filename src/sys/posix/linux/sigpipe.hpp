// Without SIGPIPE, for system calls that send and have no flag for it (SOCK-2).
#pragma once

#include <signal.h>
#include <time.h>

namespace usocket::sys {

// The signal waits for this thread, and is taken off again.
class WithoutSigpipe {
public:
    WithoutSigpipe() noexcept {
        sigset_t pending;
        (void)::sigemptyset(&pipe_);
        (void)::sigaddset(&pipe_, SIGPIPE);
        (void)::sigpending(&pending);
        was_pending_ = ::sigismember(&pending, SIGPIPE) != 0;
        (void)::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    WithoutSigpipe(const WithoutSigpipe&) = delete;
    WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;
    ~WithoutSigpipe() { (void)::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    // The call has failed, or was cut short.
    void drop() noexcept {
        const timespec at_once{};
        if (!was_pending_) (void)::sigtimedwait(&pipe_, nullptr, &at_once);
    }

private:
    sigset_t pipe_{}, before_{};
    bool was_pending_ = false;
};

}  // namespace usocket::sys
