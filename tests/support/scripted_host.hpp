// ScriptedHost: a host language whose other threads and signal handlers do what the test says.
#pragma once

#include <functional>
#include <utility>

#include "gtest/gtest.h"
#include "left.hpp"
#include "usocket/host.hpp"
#include "usocket/socket.hpp"

namespace usocket::tests {

// What a host's hooks do and what a longjmp does exclude each other; none: a C++ program.
enum class HostKind { none, hooks, unwinds };

// One at a time, on one thread.
class ScriptedHost {
public:
    explicit ScriptedHost(bool unwinds = false) {
        current() = this;
        if (unwinds) {
            host_.unwinds = true;
            return;
        }
        host_.leave = leave;
        host_.enter = enter;
        host_.interrupted = interrupted;
    }
    ~ScriptedHost() {
        current() = nullptr;
        host_is_left = false;
    }
    ScriptedHost(const ScriptedHost&) = delete;
    ScriptedHost& operator=(const ScriptedHost&) = delete;

    [[nodiscard]] const Host& host() const { return host_; }
    // From now on calls look for signals by themselves.
    void notes_signals(Looks looks = Looks::often) { host_.looks_for_signals = looks; }
    // Whether the calling thread has the host.
    [[nodiscard]] bool is_inside() const { return is_inside_; }
    [[nodiscard]] unsigned signals() const { return signals_; }
    [[nodiscard]] unsigned given_up() const { return given_up_; }

    std::function<void()> while_left;  // what other threads do
    std::function<bool()> on_signal;   // what handlers do; true: give the call up

private:
    static ScriptedHost*& current() {
        static ScriptedHost* the_current = nullptr;
        return the_current;
    }
    static void* leave() noexcept {
        ScriptedHost* self = current();
        EXPECT_TRUE(self->is_inside_) << "leave() without enter()";
        self->is_inside_ = false;
        if (self->while_left) self->while_left();
        host_is_left = true;
        return self;
    }
    static void enter(void* token) noexcept {
        EXPECT_EQ(token, current()) << "enter() gets what leave() returned";
        EXPECT_FALSE(current()->is_inside_) << "enter() without leave()";
        current()->is_inside_ = true;
        host_is_left = false;
    }
    static bool interrupted() noexcept {
        ScriptedHost* self = current();
        EXPECT_TRUE(self->is_inside_) << "handlers run inside the host";
        ++self->signals_;
        const bool gives_up = self->on_signal && self->on_signal();
        self->given_up_ += gives_up ? 1 : 0;
        return gives_up;
    }

    Host host_;
    bool is_inside_ = true;
    unsigned signals_ = 0;
    unsigned given_up_ = 0;
};

// recvfrom_into(), of which only the size matters: as a C++ program calls it, and as a host does.
inline Result<std::size_t> recvfrom_size(Socket& socket, MutableBuffer buffer) {
    const auto from = socket.recvfrom_into(buffer);
    return from ? Result<std::size_t>(from->size) : from.error();
}
inline Result<std::size_t> recvfrom_size(Socket& socket, MutableBuffer buffer, Call&& call) {
    Address from;
    return socket.recvfrom_into(buffer, from, 0, std::move(call));
}

}  // namespace usocket::tests
