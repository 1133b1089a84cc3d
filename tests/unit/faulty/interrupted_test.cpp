// TIME-5 TIME-6 GAI-4: signal handlers, other threads and longjmps in the middle of a call, step by step.
#include <array>
#include <csetjmp>
#include <string>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "print.hpp"
#include "scripted_host.hpp"

namespace usocket::tests {
namespace {

using faulty::Sys;

class Interrupted : public ::testing::Test {
protected:
    void SetUp() override {
        connection_ = {};
        faulty::reset(1);
        connection_ = faulty::connect_pair(AF_INET, SOCK_STREAM);
    }
    // In a millisecond the peer sends this and a signal comes.
    void send_with_signal(std::string bytes) {
        faulty::at(faulty::now() + 1'000'000, [this, bytes] {
            connection_.peer.feed(bytes);
            faulty::Faults faults;
            faults[faulty::Kind::interrupt] = 1000;
            faulty::set_faults(faults);
        });
    }
    // What the handler does, once.
    template <class Handler> void on_signal(Handler handler) {
        host_.on_signal = [handler] {
            faulty::set_faults(faulty::Faults());
            return handler();
        };
    }
    void send_later(std::string bytes) {
        faulty::at(faulty::now() + 5'000'000, [this, bytes] { connection_.peer.feed(bytes); });
    }
    Result<std::string> read(std::size_t size) {
        Sink sink = Bytes::sink();
        const auto done = connection_.socket.read_to(sink, size, Call(host_.host()));
        const Bytes bytes = Bytes::take(sink);
        if (!done) return done.error();
        return std::string(bytes.view());
    }
    std::string recv(std::size_t size) { return std::string(connection_.socket.recv(size).value().view()); }

    ScriptedHost host_;
    faulty::Connection connection_;
};

// SOCK-4: also where nobody else could wake it.
TEST_F(Interrupted, AReadEndsWhenItsHandlerClosesTheSocket) {
    faulty::set_single_threaded(true);
    send_with_signal("abc");
    on_signal([this] {
        connection_.socket.close();
        return false;
    });
    EXPECT_EQ(read(10).error(), Error(EBADF));
}

TEST_F(Interrupted, AReadGoesOnAfterASignal) {
    send_with_signal("abc");
    on_signal([this] {
        send_later("def");
        return false;
    });
    EXPECT_EQ(*read(6), "abcdef");
    EXPECT_EQ(host_.signals(), 1u);
}

// CPython runs its handlers when a call returns, before the program has the result.
class InterruptedLast : public Interrupted {
protected:
    void SetUp() override {
        Interrupted::SetUp();
        host_.notes_signals(Looks::seldom);
    }
    Result<std::string> recv_in_host(std::size_t size, int flags = 0) {
        std::string buffer(size, '\0');
        const auto got = connection_.socket.recv_into(buffer, flags, Call(host_.host()));
        if (!got) return got.error();
        return buffer.substr(0, *got);
    }
    Result<std::string> readline() {
        Sink sink = Bytes::sink();
        const auto done = connection_.socket.readline_to(sink, SIZE_MAX, Call(host_.host()));
        const Bytes bytes = Bytes::take(sink);
        if (!done) return done.error();
        return std::string(bytes.view());
    }
};

TEST_F(InterruptedLast, TIME_6_a_handler_that_raises_before_the_call_returns_loses_nothing) {
    connection_.peer.feed("one\ntwo\nthree");
    const auto ends = [this](auto receive) {
        host_.on_signal = [] { return true; };
        EXPECT_EQ(receive().error(), Error(EINTR));
        EXPECT_TRUE(connection_.socket.has_kept());
        host_.on_signal = nullptr;
    };
    ends([this] { return recv_in_host(4); });
    EXPECT_EQ(*recv_in_host(2), "on") << "a part of what is kept";
    ends([this] { return read(1); });
    ends([this] { return readline(); });
    EXPECT_EQ(*readline(), "e\n");
    ends([this] { return readline(); });
    ends([this] { return read(6); });
    std::string first(3, '\0'), second(4, '\0');
    const std::array<MutableBuffer, 2> pieces{MutableBuffer(first), MutableBuffer(second)};
    ends([&] { return connection_.socket.recvmsg_into(pieces, {}, 0, Call(host_.host())); });
    EXPECT_EQ(*recv_in_host(9), "two\nth");
    EXPECT_EQ(*recv_in_host(9), "ree");
}

TEST_F(InterruptedLast, TIME_5_who_has_very_much_looks_still_more_seldom) {
    // For each look it is given back, and taken anew.
    constexpr std::size_t much = 96 << 20;
    constexpr unsigned seconds = 20;
    connection_.peer.feed(std::string(much, 'x'));
    EXPECT_TRUE(connection_.socket.settimeout(Timeout::of_nanoseconds(seconds * 1'000'000'000LL)));
    EXPECT_EQ(read(much + 1).error(), Error(ETIMEDOUT));
    EXPECT_GE(host_.signals(), 3u);
    EXPECT_LE(host_.signals(), seconds / 2);
    EXPECT_EQ(read(much)->size(), much);
}

TEST_F(InterruptedLast, TIME_6_a_peek_shows_an_unread_line_once) {
    connection_.peer.feed("one\ntwo\nthree");
    host_.on_signal = [] { return true; };
    EXPECT_EQ(readline().error(), Error(EINTR));
    host_.on_signal = nullptr;
    EXPECT_EQ(*recv_in_host(100, MSG_PEEK), "one\ntwo\nthree");
    EXPECT_EQ(*read(13), "one\ntwo\nthree");
}

TEST_F(InterruptedLast, TIME_6_what_was_only_looked_at_is_not_there_twice) {
    connection_.peer.feed("one");
    host_.on_signal = [] { return true; };
    EXPECT_EQ(*recv_in_host(4, MSG_PEEK), "one");
    host_.on_signal = nullptr;
    EXPECT_EQ(*recv_in_host(4), "one");
    EXPECT_FALSE(connection_.socket.has_kept());
}

// The order is kept: what the call had got cannot come behind that.
TEST_F(InterruptedLast, TIME_6_a_handler_that_reads_on_gets_what_is_behind) {
    connection_.peer.feed("one\ntwo\nthree\n");
    std::string seen;
    host_.on_signal = [&] {
        host_.on_signal = nullptr;
        seen = *readline();
        return false;
    };
    EXPECT_EQ(*readline(), "one\n");
    EXPECT_EQ(seen, "two\n");
    host_.on_signal = [&] {
        host_.on_signal = nullptr;
        seen = *recv_in_host(3);
        return true;
    };
    EXPECT_EQ(read(1).error(), Error(EINTR));
    EXPECT_EQ(seen, "hre");
    EXPECT_EQ(*recv_in_host(10), "e\n") << "and not what was in front";
}

TEST_F(InterruptedLast, SOCK_4_a_handler_may_close_the_socket_and_raise) {
    connection_.peer.feed("one");
    host_.on_signal = [this] {
        connection_.socket.close();
        return true;
    };
    EXPECT_EQ(recv_in_host(4).error(), Error(EINTR));
    EXPECT_EQ(recv_in_host(4).error(), Error(EBADF));
}

// What cannot be unread is taken once there is nothing to wait for, neither the system nor the host.
TEST_F(InterruptedLast, TIME_6_a_message_is_taken_inside_the_host_after_a_look) {
    auto datagrams = faulty::connect_pair(AF_INET, SOCK_DGRAM);
    faulty::at(faulty::now() + 1'000'000, [&] { datagrams.peer.feed("one"); });
    bool is_noted = false;
    host_.while_left = [&] { is_noted = true; };
    host_.on_signal = [&] { return is_noted && faulty::now() > 0; };
    std::string buffer(9, '\0');
    EXPECT_EQ(datagrams.socket.recv_into(buffer, 0, Call(host_.host())).error(), Error(EINTR));
    host_.while_left = [] { ADD_FAILURE() << "it left the host"; };
    EXPECT_EQ(*datagrams.socket.recv_into(buffer, 0, Call(host_.host())), 3u);
}

TEST_F(Interrupted, AHandlerThatRaisesEndsTheReadAndLosesNothing) {
    send_with_signal("abc");
    on_signal([] { return true; });
    EXPECT_EQ(read(6).error(), Error(EINTR));
    EXPECT_TRUE(connection_.socket.has_kept());
    EXPECT_EQ(recv(10), "abc");
}

// What the interrupted call had taken in is next in line for the handler too.
TEST_F(Interrupted, AHandlerMayReadTheSameSocket) {
    std::string seen;
    send_with_signal("abc");
    on_signal([&] {
        seen = recv(2);
        send_later("defgh");
        return false;
    });
    EXPECT_EQ(*read(4), "cdef");
    EXPECT_EQ(seen, "ab");
    EXPECT_EQ(recv(10), "gh");
}

TEST_F(Interrupted, AHandlerReadsAndRaises) {
    send_with_signal("abc");
    on_signal([&] {
        EXPECT_EQ(recv(2), "ab");
        return true;
    });
    EXPECT_EQ(read(4).error(), Error(EINTR));
    EXPECT_EQ(recv(10), "c");
}

// It reads more than the interrupted call had, fails, and leaves its own bytes for the others.
TEST_F(Interrupted, AHandlersReadMayFailToo) {
    send_with_signal("abc");
    on_signal([&] {
        connection_.peer.feed("de");
        connection_.socket.settimeout(std::chrono::milliseconds(1)).value();
        EXPECT_EQ(connection_.socket.read(6).error(), Error(ETIMEDOUT));
        connection_.socket.settimeout(Timeout::none()).value();
        send_later("fg");
        return false;
    });
    EXPECT_EQ(*read(6), "abcdef");
    EXPECT_EQ(recv(10), "g");
}

TEST_F(Interrupted, AHandlerThatReadsLinesLeavesNothingBehind) {
    send_with_signal("");
    on_signal([&] {
        connection_.peer.feed("ab\ncd\nef\n");
        EXPECT_EQ(connection_.socket.readline()->view(), "ab\n");
        return false;
    });
    EXPECT_EQ(*read(6), "cd\nef\n");
}

TEST_F(Interrupted, AHandlerThatClosesEndsTheRead) {
    send_with_signal("abc");
    on_signal([&] {
        connection_.socket.close();
        return false;
    });
    EXPECT_EQ(read(6).error(), Error(EBADF));
    EXPECT_EQ(faulty::open_descriptors(), 1u) << "the peer's";
}

// The time that handlers take counts (TIME-2).
TEST_F(Interrupted, ASlowHandlerDoesNotMoveTheDeadline) {
    connection_.socket.settimeout(std::chrono::milliseconds(10)).value();
    const std::int64_t start = faulty::now();
    faulty::Faults faults;
    faults[faulty::Kind::interrupt] = 1000;
    faulty::set_faults(faults);
    on_signal([] {
        faulty::advance(8'000'000);
        return false;
    });
    EXPECT_EQ(read(1).error(), Error(ETIMEDOUT));
    EXPECT_EQ(faulty::now(), start + 10'000'000);
}

// --- Memory

// Wherever memory runs out, what had been received comes out of the next reads.
TEST_F(Interrupted, WithoutMemoryNothingIsLost) {
    for (unsigned after = 0; after < 12; ++after) {
        for (const int method : {0, 1, 2}) {
            SetUp();
            Socket& socket = connection_.socket;
            socket.settimeout(std::chrono::milliseconds(20)).value();
            connection_.peer.feed("abc");
            faulty::at(faulty::now() + 1'000'000, [this] { connection_.peer.feed("def"); });
            faulty::refuse_memory(after);
            char memory[10];
            std::string got;
            if (method == 0) {
                const auto count = socket.readinto(memory);
                if (count) got.assign(memory, *count);
            } else {
                const auto bytes = method == 1 ? socket.read(10) : socket.readline();
                if (bytes) got = bytes->view();
            }
            faulty::advance(10'000'000);
            faulty::refuse_memory(1000);
            while (const auto more = socket.recv(10)) got += more->view();
            EXPECT_EQ(got, "abcdef") << "method " << method << ", without the allocation " << after;
        }
    }
}

// --- A handler that longjmps (MicroPython's)

class Jumped : public ::testing::Test {
protected:
    void SetUp() override {
        connection_ = {};
        faulty::reset(1);
        connection_ = faulty::connect_pair(AF_INET, SOCK_STREAM);
    }
    // False if the call came back by itself.
    template <class Body> bool jumps_out_of(unsigned calls, bool after, Body body) {
        Call call(host_.host());
        faulty::arm_jump(target_, calls, after);
        const bool jumped = run(call, body);
        faulty::disarm_jump();
        return jumped;
    }
    template <class Body> bool run(Call& call, Body& body) {
        if (setjmp(target_) == 0) {
            body(static_cast<Call&&>(call));
            return false;
        }
        connection_.socket.unwound(call);
        return true;
    }

    ScriptedHost host_{true};
    faulty::Connection connection_;
    std::jmp_buf target_{};
};

TEST_F(Jumped, TheBytesThatTheSystemHadGivenAreKept) {
    connection_.peer.feed("abc");
    connection_.socket.settimeout(std::chrono::seconds(1)).value();
    char memory[10];
    for (unsigned calls = 0;; ++calls) {
        ASSERT_LT(calls, 100u);
        if (!jumps_out_of(calls, true,
                          [&](Call&& call) { (void)connection_.socket.readinto(memory, std::move(call)); }))
            break;
        EXPECT_EQ(connection_.socket.recv(10, MSG_PEEK)->view(), "abc") << "jumped after " << calls << " calls";
    }
    EXPECT_EQ(connection_.socket.recv(10)->view(), "abc");
}

// Lines that a window has handed out do not come back, and those that it has not are not lost.
TEST_F(Jumped, AWindowIsPutRight) {
    for (const bool after : {false, true}) {
        for (unsigned calls = 0; calls < 8; ++calls) {
            SetUp();
            connection_.peer.feed("1\n2\n3\n4\n5\n");
            char memory[10];
            std::string got = std::string(connection_.socket.readline()->view());
            (void)jumps_out_of(calls, after, [&](Call&& call) {
                const auto size = connection_.socket.recv_into(MutableBuffer(memory, 2), 0, std::move(call));
                got.append(memory, size.value_or(0u));
            });
            connection_.peer.shut_down();
            got += connection_.socket.read()->view();
            EXPECT_EQ(got, "1\n2\n3\n4\n5\n") << (after ? "after " : "before ") << calls;
        }
    }
}

// SOCK-3: what is being closed is closed once it has begun.
TEST_F(Jumped, SOCK_3_OutOfCloseLosesNoDescriptor) {
    const std::size_t before = faulty::open_descriptors();
    EXPECT_TRUE(jumps_out_of(0, false, [&](Call&&) { connection_.socket.close(); }));
    EXPECT_EQ(faulty::open_descriptors(), before - 1) << "and not just once the socket is destroyed";
}

TEST_F(Jumped, TheSocketCanBeClosedAndForked) {
    connection_.peer.feed("1\n2\n3\n");
    char memory[10];
    EXPECT_TRUE(
        jumps_out_of(1, true, [&](Call&& call) { (void)connection_.socket.readline_into(memory, std::move(call)); }));
    faulty::fork_as_parent();
    EXPECT_EQ(connection_.socket.readline()->view(), "1\n");
    connection_.socket.close();
    EXPECT_EQ(faulty::open_descriptors(), 1u) << "the peer's";
}

// --- Names (GAI-1..4)

class Names : public ::testing::Test {
protected:
    void SetUp() override {
        faulty::reset(1);
        faulty::add_name("slow.test", {Address::inet(AF_INET, "127.0.0.5", 0).value()}, 1'000'000'000);
    }
    void expect_no_leak() { EXPECT_EQ(faulty::open_descriptors(), 0u); }
};

TEST_F(Names, ANameIsLookedUpWhileOtherThreadsRun) {
    ScriptedHost host;
    unsigned left = 0;
    host.while_left = [&] { ++left; };
    const auto found = getaddrinfo("slow.test", {}, 0, 0, 0, 0, Call(host.host()));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->front().sockaddr.host().view(), "127.0.0.5");
    EXPECT_EQ(left, 1u);
    EXPECT_TRUE(host.is_inside());
    expect_no_leak();
}

TEST_F(Names, AnUnknownNameIsTheResolversNegativeCode) {
    EXPECT_EQ(getaddrinfo("unknown.test", {}).error(), Error(EAI_NONAME)) << "GAI-3";
    expect_no_leak();
}

TEST_F(Names, ASignalWhoseHandlerRaisesEndsTheWait) {
    ScriptedHost host;
    host.on_signal = [] { return true; };
    faulty::Faults faults;
    faults[faulty::Kind::interrupt] = 1000;
    faulty::set_faults(faults);
    const std::int64_t start = faulty::now();
    EXPECT_EQ(getaddrinfo("slow.test", {}, 0, 0, 0, 0, Call(host.host())).error(), Error(EINTR));
    EXPECT_LT(faulty::now(), start + 1'000'000'000) << "at once";
    expect_no_leak();
}

TEST_F(Names, AHandlerThatJumpsLeaksNothing) {
    ScriptedHost host(true);
    Call call(host.host());
    std::jmp_buf target;
    faulty::arm_jump(target, 0, true);
    if (setjmp(target) == 0) {
        (void)getaddrinfo("slow.test", {}, 0, 0, 0, 0, std::move(call));
        FAIL() << "it does not return";
    }
    unwound(call);
    expect_no_leak();
}

}  // namespace
}  // namespace usocket::tests
