// Hooks: a host language that has no threads, whose signal handlers do what the trial says. A timer sends the signals.
#pragma once

#include <signal.h>
#include <sys/time.h>

#include <chrono>
#include <functional>

#include "usocket/host.hpp"

namespace usocket::tests {

// One at a time.
class Hooks {
public:
    Hooks() {
        current() = this;
        host_.interrupted = interrupted;
    }
    ~Hooks() { current() = nullptr; }
    Hooks(const Hooks&) = delete;
    Hooks& operator=(const Hooks&) = delete;

    [[nodiscard]] const Host& host() const { return host_; }
    // Whether the host has given up a call since this was asked last.
    [[nodiscard]] bool has_given_up() { return std::exchange(has_given_up_, false); }

    std::function<bool()> on_signal;  // true: give the call up

private:
    static Hooks*& current() {
        static Hooks* the_current = nullptr;
        return the_current;
    }
    static bool interrupted() noexcept {
        Hooks* self = current();
        const bool gives_up = self->on_signal && self->on_signal();
        self->has_given_up_ = self->has_given_up_ || gives_up;
        return gives_up;
    }

    Host host_;
    bool has_given_up_ = false;
};

// While it lives, SIGALRM comes again and again; its handler does nothing, and system calls are not restarted.
class Alarms {
public:
    explicit Alarms(std::chrono::microseconds pace) {
        struct sigaction action{};
        action.sa_handler = [](int) {};
        (void)::sigaction(SIGALRM, &action, nullptr);
        set(pace);
    }
    ~Alarms() { set(std::chrono::microseconds(0)); }
    Alarms(const Alarms&) = delete;
    Alarms& operator=(const Alarms&) = delete;

private:
    static void set(std::chrono::microseconds pace) {
        const timeval span{0, static_cast<suseconds_t>(pace.count())};
        const itimerval timer{span, span};
        (void)::setitimer(ITIMER_REAL, &timer, nullptr);
    }
};

}  // namespace usocket::tests
