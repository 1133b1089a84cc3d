// What the tests of Poll share.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <vector>

#include "loopback.hpp"

namespace usocket::tests {

using Event = Poll::Event;

// What is ready now, at most 64.
inline std::vector<Event> ready_now(Poll& poll) {
    Event events[64];
    const std::size_t count = must(poll.poll(events, Timeout::zero()));
    return {events, events + count};
}

// The events of the only one that is registered.
inline unsigned events_now(Poll& poll) {
    const auto events = ready_now(poll);
    EXPECT_LE(events.size(), 1u);
    return events.empty() ? 0 : events[0].events;
}

// For a literal 0, which would be a null pointer too.
inline int number(int value) { return value; }
inline void* tag(std::uintptr_t value) { return reinterpret_cast<void*>(value); }

// A pipe, closed at the end.
struct Pipe {
    Pipe() { EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0); }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    ~Pipe() {
        close_read();
        close_write();
    }
    void close_read() { close_end(0); }
    void close_write() { close_end(1); }
    void close_end(int end) {
        if (ends[end] >= 0) ::close(ends[end]);
        ends[end] = -1;
    }
    [[nodiscard]] int read_end() const { return ends[0]; }
    [[nodiscard]] int write_end() const { return ends[1]; }
    int ends[2];
};

}  // namespace usocket::tests
