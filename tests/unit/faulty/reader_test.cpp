// TIME-4 TIME-6 TIME-8 STRM-1 STRM-3 STRM-5: the reader alone: one call that receives, and what it gives back.
#include "stream/reader.hpp"

#include <array>
#include <functional>
#include <optional>
#include <string>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "print.hpp"
#include "scripted_host.hpp"
#include "stream/resized.hpp"

namespace usocket::tests {
namespace {

constexpr std::int64_t ms = 1'000'000;

class Readers : public ::testing::Test {
protected:
    void SetUp() override {
        faulty::reset(1);
        auto connection = faulty::connect_pair(AF_INET, SOCK_STREAM);
        peer_ = std::move(connection.peer);
        fd_ = connection.socket.detach().value();
        gate_.emplace(fd_);
        EXPECT_EQ(gate_->enter(), Error());
        start_ = faulty::now();
    }
    void TearDown() override {
        inbox_.forget(*gate_);
        if (Aside* aside = gate_->take_aside()) {
            aside->bell.close();
            (void)sys::resize(aside, 0);
        }
        sys::close(fd_);
        peer_ = faulty::Peer();
        EXPECT_EQ(faulty::open_descriptors(), 0u);
        EXPECT_EQ(faulty::live_blocks(), 0u);
    }

    // For one call.
    Reader reader(Timeout timeout = Timeout::none()) {
        call_ = host_ ? Call(host_->host()) : Call();
        return {call_, timeout, Source{&*gate_, &inbox_, true, true}};
    }
    // What a read into memory of its own comes to: the bytes, or the error.
    using Method = Result<void> (Reader::*)(Sink&, std::size_t) noexcept;
    std::string got_by(Method method, std::size_t limit, Timeout timeout) {
        Sink sink = Bytes::sink();
        const auto read = (reader(timeout).*method)(sink, limit);
        EXPECT_TRUE(read || sink.size() == 0) << "a call that fails leaves nothing in the sink";
        const Bytes bytes = Bytes::take(sink);
        return read ? std::string(bytes.view()) : read.error().message();
    }
    std::string read(std::size_t limit, Timeout timeout = Timeout::none()) {
        return got_by(&Reader::read, limit, timeout);
    }
    std::string readline(std::size_t limit = SIZE_MAX, Timeout timeout = Timeout::none()) {
        return got_by(&Reader::readline, limit, timeout);
    }
    std::string recv(std::size_t size, int flags = 0, Timeout timeout = Timeout::none()) {
        std::string memory(size, '?');
        const auto received = reader(timeout).recv(memory, flags, nullptr);
        return received ? memory.substr(0, *received) : received.error().message();
    }
    void feed_after(std::int64_t span, std::string bytes) {
        faulty::at(start_ + span * ms, [this, bytes] { peer_.feed(bytes); });
    }
    static std::string said(int code) { return Error(code).message(); }
    [[nodiscard]] std::int64_t passed() const { return (faulty::now() - start_) / ms; }

    std::optional<ScriptedHost> host_;
    Call call_;
    faulty::Peer peer_;
    std::optional<Gate> gate_;
    Inbox inbox_;
    int fd_ = -1;
    std::int64_t start_ = 0;
};

TEST_F(Readers, STRM_1_exactly_so_many_bytes_however_they_come) {
    peer_.feed("ab");
    feed_after(2, "cd");
    feed_after(4, "efgh");
    EXPECT_EQ(read(5), "abcde");
    EXPECT_EQ(passed(), 4);
    EXPECT_EQ(peer_.holder_of_socket().queue(), "fgh") << "and no more than these";
}

TEST_F(Readers, STRM_1_fewer_at_the_end_alone) {
    peer_.feed("abc");
    peer_.shut_down();
    EXPECT_EQ(read(5), "abc");
    EXPECT_EQ(read(5), "");
    EXPECT_EQ(read(SIZE_MAX), "");
}

TEST_F(Readers, STRM_3_through_a_newline_or_so_many_bytes_or_to_the_end) {
    peer_.feed("one\ntwo\nthree");
    EXPECT_EQ(readline(), "one\n");
    EXPECT_EQ(readline(2), "tw");
    EXPECT_EQ(readline(2), "o\n");
    peer_.shut_down();
    EXPECT_EQ(readline(), "three");
    EXPECT_EQ(readline(), "");
}

TEST_F(Readers, TIME_4_nonblocking_what_there_is) {
    EXPECT_EQ(read(5, Timeout::zero()), said(EAGAIN));
    EXPECT_EQ(readline(5, Timeout::zero()), said(EAGAIN));
    peer_.feed("abc");
    EXPECT_EQ(read(5, Timeout::zero()), "abc");
    peer_.feed("def");
    EXPECT_EQ(readline(5, Timeout::zero()), "def");
    EXPECT_EQ(passed(), 0);
}

TEST_F(Readers, TIME_6_what_a_late_call_had_got_is_first_in_line) {
    peer_.feed("abc");
    EXPECT_EQ(read(5, Timeout::of_nanoseconds(3 * ms)), said(ETIMEDOUT));
    EXPECT_EQ(passed(), 3);
    EXPECT_TRUE(Inbox::has_pending(*gate_));
    EXPECT_EQ(readline(SIZE_MAX, Timeout::of_nanoseconds(3 * ms)), said(ETIMEDOUT));
    peer_.feed("d\nef");
    EXPECT_EQ(recv(2), "ab");
    EXPECT_EQ(readline(), "cd\n");
    EXPECT_FALSE(Inbox::has_pending(*gate_));
    EXPECT_EQ(recv(9), "ef");
}

TEST_F(Readers, TIME_6_what_was_returned_does_not_come_back) {
    peer_.feed("abc");
    EXPECT_EQ(read(5, Timeout::passed()), said(ETIMEDOUT));
    EXPECT_EQ(read(3), "abc");
    peer_.feed("d");
    EXPECT_EQ(read(5, Timeout::passed()), said(ETIMEDOUT));
    EXPECT_EQ(recv(9), "d");
}

TEST_F(Readers, TIME_6_what_a_broken_connection_had_brought_too) {
    peer_.feed("abc");
    faulty::at(start_ + 2 * ms, [this] { peer_.reset(); });
    EXPECT_EQ(read(5), said(ECONNRESET));
    EXPECT_EQ(recv(9), "abc");
}

// What it has got would have no place if it failed: it goes on all the same, and is short only if it ends before.
TEST_F(Readers, STRM_2_without_memory_to_keep_what_it_has_got_it_is_not_short) {
    const auto readinto = [this](std::string& memory) {
        memory = "?????";
        Sink sink{MutableBuffer(memory)};
        faulty::limit_memory(0);
        EXPECT_TRUE(reader(Timeout::of_nanoseconds(3 * ms)).read(sink, 5));
        faulty::limit_memory(SIZE_MAX);
        return sink.size();
    };
    host_.emplace();
    std::string memory;
    peer_.feed("abc");
    feed_after(2, "de");
    EXPECT_EQ(readinto(memory), 5u);
    EXPECT_EQ(memory, "abcde");
    peer_.feed("fgh");
    EXPECT_EQ(readinto(memory), 3u) << "a timeout";
    EXPECT_EQ(memory, "fgh??");
    peer_.feed("ijk");
    faulty::fail(faulty::Sys::wait, EINTR);
    EXPECT_EQ(readinto(memory), 3u) << "a signal";
    EXPECT_EQ(memory, "ijk??");
    EXPECT_EQ(host_->signals(), 0u) << "its handlers run after the call";
    host_->notes_signals();
    start_ = faulty::now();
    peer_.feed("lmn");
    faulty::at(faulty::now() + 200 * ms, [this] { peer_.feed("op"); });
    memory = "?????";
    Sink sink{MutableBuffer(memory)};
    faulty::limit_memory(0);
    EXPECT_TRUE(reader().read(sink, 5)) << "looks for signals end nothing";
    EXPECT_EQ(memory, "lmnop");
}

TEST_F(Readers, TIME_6_with_memory_for_a_part_of_what_is_wanted_nothing_is_lost) {
    ASSERT_NE(gate_->make_aside(), nullptr);
    for (const std::size_t most : {5000, 700, 100, 20}) {
        peer_.feed("abc");
        std::string memory(5000, '?');
        Sink sink{MutableBuffer(memory)};
        faulty::limit_memory(most);
        EXPECT_EQ(reader(Timeout::of_nanoseconds(3 * ms)).read(sink, 5000).error(), Error(ETIMEDOUT)) << most;
        EXPECT_EQ(recv(9), "abc");
    }
}

TEST_F(Readers, STRM_1_memory_grows_by_less_where_there_is_not_so_much) {
    const std::string much(45'000, 'x');
    faulty::limit_memory(50'000);
    peer_.feed(much);
    peer_.shut_down();
    Sink sink = Resized::sink();
    EXPECT_TRUE(reader().read(sink, SIZE_MAX));
    EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(sink.data()), sink.size()), much);
    Resized::release(sink);
}

TEST_F(Readers, TIME_6_a_handler_finds_the_socket_as_if_the_call_had_not_begun) {
    host_.emplace();
    peer_.feed("abc");
    std::string seen;
    host_->on_signal = [&] {
        Call inner;
        std::string memory(2, '?');
        const auto received =
            Reader(inner, Timeout::none(), Source{&*gate_, &inbox_, true, true}).recv(memory, 0, nullptr);
        seen = memory.substr(0, received.value_or(0u));
        peer_.feed("defg");
        return false;
    };
    faulty::fail(faulty::Sys::wait, EINTR);
    EXPECT_EQ(read(5, Timeout::of_nanoseconds(50 * ms)), "cdefg");
    EXPECT_EQ(seen, "ab");
    EXPECT_EQ(host_->signals(), 1u);
}

TEST_F(Readers, TIME_5_a_handler_that_raises_ends_it_and_loses_nothing) {
    host_.emplace();
    peer_.feed("abc");
    host_->on_signal = [] { return true; };
    faulty::fail(faulty::Sys::wait, EINTR);
    EXPECT_EQ(read(5, Timeout::of_nanoseconds(50 * ms)), said(EINTR));
    host_.reset();
    EXPECT_EQ(recv(9), "abc");
}

TEST_F(Readers, TIME_6_a_peek_shows_what_is_pending_and_what_is_behind_it) {
    peer_.feed("abc");
    EXPECT_EQ(read(5, Timeout::passed()), said(ETIMEDOUT));
    EXPECT_EQ(recv(9, MSG_PEEK), "abc") << "and waits for nothing more";
    peer_.feed("defg");
    EXPECT_EQ(recv(2, MSG_PEEK), "ab");
    EXPECT_EQ(recv(9, MSG_PEEK), "abcdefg");
    EXPECT_EQ(recv(5, MSG_WAITALL), "abcde");
    EXPECT_EQ(recv(9), "fg");
}

TEST_F(Readers, TIME_8_what_is_for_one_time_waits_for_no_other_reader) {
    EXPECT_TRUE(inbox_.try_lock(12345)) << "another one";
    EXPECT_EQ(recv(1, MSG_DONTWAIT), said(EAGAIN));
    EXPECT_EQ(read(1, Timeout::zero()), said(EAGAIN));
    EXPECT_EQ(recv(1, 0, Timeout::of_nanoseconds(2 * ms)), said(ETIMEDOUT));
    EXPECT_EQ(passed(), 2);
    inbox_.unlock(*gate_, 12345);
}

TEST_F(Readers, TIME_8_whoever_takes_in_what_is_there_may_want_the_host_back) {
    host_.emplace();
    peer_.feed("ab");
    EXPECT_TRUE(inbox_.try_lock(12345)) << "another one";
    host_->while_left = [this] {
        inbox_.unlock(*gate_, 12345);
        host_->while_left = nullptr;
    };
    EXPECT_EQ(recv(2, MSG_DONTWAIT), "ab");
}

TEST_F(Readers, SOCK_6_an_empty_buffer_waits_for_nothing) {
    EXPECT_EQ(recv(0), "");
    EXPECT_EQ(read(0), "");
    EXPECT_EQ(passed(), 0);
}

TEST_F(Readers, STRM_5_many_lines_cost_few_system_calls_and_others_see_the_rest) {
    std::string lines;
    for (int i = 0; i < 100; ++i) lines += "line\n";
    peer_.feed(lines);
    for (int i = 0; i < 40; ++i) EXPECT_EQ(readline(), "line\n");
    const auto calls = faulty::calls(faulty::Sys::recv) + faulty::calls(faulty::Sys::discard);
    EXPECT_LT(calls, 6u);
    EXPECT_EQ(recv(9999), lines.substr(40 * 5));
}

TEST_F(Readers, STRM_5_where_others_look_nothing_is_taken_that_completes_no_read) {
    gate_->expose();
    peer_.feed("abc");
    EXPECT_EQ(read(5, Timeout::of_nanoseconds(3 * ms)), said(ETIMEDOUT));
    EXPECT_EQ(peer_.holder_of_socket().queue(), "abc");
    EXPECT_EQ(readline(9, Timeout::of_nanoseconds(3 * ms)), said(ETIMEDOUT));
    EXPECT_EQ(peer_.holder_of_socket().queue(), "abc");
    peer_.feed("d\ne");
    EXPECT_EQ(readline(), "abcd\n");
    EXPECT_EQ(peer_.holder_of_socket().queue(), "e");
}

// An urgent mark ends peeks and what the system counts, not the read.
TEST_F(Readers, STRM_1_STRM_3_what_lies_behind_a_mark_is_there) {
    for (const bool exposed : {false, true}) {
        if (exposed) gate_->expose();
        for (const bool is_line : {false, true}) {
            peer_.feed("ab");
            peer_.mark();
            peer_.feed("cd\nef");
            EXPECT_EQ(is_line ? readline() : read(5), "abcd\n") << exposed;
            EXPECT_EQ(recv(9), "ef");
        }
    }
    EXPECT_EQ(passed(), 0);
}

// At the mark the system counts nothing, and shows what is there.
TEST_F(Readers, STRM_5_TIME_3_at_a_mark_an_unfinished_read_waits_and_takes_nothing) {
    gate_->expose();
    peer_.mark();
    peer_.feed("abc");
    EXPECT_EQ(read(5, Timeout::of_nanoseconds(3 * ms)), said(ETIMEDOUT));
    EXPECT_EQ(readline(5, Timeout::of_nanoseconds(3 * ms)), said(ETIMEDOUT));
    EXPECT_EQ(passed(), 6);
    EXPECT_EQ(peer_.holder_of_socket().queue(), "abc");
    EXPECT_EQ(read(3), "abc");
}

// It comes while the call waits.
TEST_F(Readers, STRM_3_a_mark_may_come_late) {
    gate_->expose();
    peer_.feed("ab");
    faulty::at(start_ + 2 * ms, [this] {
        peer_.mark();
        peer_.feed("c\n");
    });
    EXPECT_EQ(readline(SIZE_MAX, Timeout::of_nanoseconds(10 * ms)), "abc\n");
    EXPECT_EQ(passed(), 2);
    peer_.feed("de");
    faulty::at(start_ + 4 * ms, [this] {
        peer_.mark();
        peer_.feed("f");
    });
    EXPECT_EQ(read(3, Timeout::of_nanoseconds(10 * ms)), "def");
    EXPECT_EQ(passed(), 4);
}

// It was in front of what a window showed.
TEST(ReadersUnix, STRM_5_TIME_6_an_urgent_byte_that_becomes_one_of_the_others_moves_none) {
    for (const bool is_line : {false, true}) {
        faulty::reset(1);
        faulty::Connection pair = faulty::connect_pair(AF_UNIX, SOCK_STREAM);
        pair.peer.feed("ab\ncd\n");
        pair.peer.urge('!');
        pair.peer.feed("ef\ngh\nij\nkl\nmn\nop\n");
        std::string got;
        for (int i = 0; i < 4; ++i) got += (is_line ? pair.socket.readline() : pair.socket.read(3))->view();
        EXPECT_EQ(got, "ab\ncd\nef\ngh\n");
        pair.peer.urge('?');
        pair.peer.feed("end");
        EXPECT_EQ(pair.socket.recv(100)->view(), "ij\nkl\nmn\nop\n") << is_line;
        EXPECT_EQ(pair.socket.recv(100)->view(), "end");
    }
}

// A peer that sends faster than the call takes does not keep it (TIME-4), nor beyond its deadline (TIME-2).
TEST_F(Readers, TIME_4_TIME_2_a_flood_does_not_hold_a_call) {
    constexpr std::size_t block = 4096, most = 8 << 20;
    faulty::Faults delays;
    delays[faulty::Kind::delay] = 1000;
    delays.longest_delay = ms;
    faulty::set_faults(delays);
    std::size_t sent = 0;
    std::function<void()> flood = [&] {
        sent += peer_.feed(std::string(block, 'x'));
        if (sent < most) faulty::at(faulty::now() + ms / 10, flood);
    };
    flood();
    for (const bool exposed : {false, true}) {
        if (exposed) gate_->expose();
        for (const auto method : {&Reader::read, &Reader::readline}) {
            while (peer_.holder_of_socket().queue().size() < 100'000)
                (void)sys::wait(-1, 0, Timeout::of_nanoseconds(ms));
            const std::size_t there = peer_.holder_of_socket().queue().size();
            const std::string got = got_by(method, SIZE_MAX, Timeout::zero());
            EXPECT_GE(got.size(), there);
            EXPECT_LT(got.size(), there + 1'000'000) << exposed;
        }
    }
    const std::int64_t before = faulty::now();
    EXPECT_EQ(readline(SIZE_MAX, Timeout::of_nanoseconds(50 * ms)), said(ETIMEDOUT));
    EXPECT_LT(faulty::now() - before, 60 * ms);
    EXPECT_LT(sent, most) << "it ended because the flood did";
    sent = most;
    faulty::set_faults({});
}

TEST_F(Readers, SOCK_10_several_pieces_are_filled_in_their_order) {
    peer_.feed("abcd");
    EXPECT_EQ(read(9, Timeout::passed()), said(ETIMEDOUT));
    std::string first(3, '?'), second(9, '?');
    const std::array<MutableBuffer, 2> pieces{MutableBuffer(first), MutableBuffer(second)};
    const auto received = reader().recvmsg(pieces, {}, 0);
    ASSERT_TRUE(received);
    EXPECT_EQ(received->size, 4u);
    EXPECT_EQ(first + second.substr(0, 1), "abcd");
}

TEST_F(Readers, SOCK_4_the_end_of_a_closed_socket_is_no_end_of_the_stream) {
    peer_.feed("abc");
    peer_.shut_down();
    (void)gate_->shut();
    EXPECT_EQ(read(5), said(EBADF));
}

TEST_F(Readers, TIME_6_a_dissolved_connection_leaves_nothing_behind) {
    peer_.feed("abc");
    EXPECT_EQ(read(5, Timeout::passed()), said(ETIMEDOUT));
    const auto refuses = [](sys::Fd, const Address&) noexcept -> Result<void> { return Error(EACCES); };
    EXPECT_EQ(reader().forget_after(refuses, Address()).error(), Error(EACCES));
    EXPECT_TRUE(Inbox::has_pending(*gate_)) << "it was not dissolved";
    const auto dissolves = [](sys::Fd, const Address&) noexcept -> Result<void> { return {}; };
    EXPECT_TRUE(reader().forget_after(dissolves, Address()));
    EXPECT_FALSE(Inbox::has_pending(*gate_));
}

// A longjmp leaves the call in the middle: what its last system call had brought is known from its note.
TEST_F(Readers, TIME_6_after_a_longjmp_nothing_is_lost) {
    for (const bool after : {false, true}) {
        host_.emplace(true);
        peer_.feed("abc");
        std::string memory(5, '?');
        Sink sink{MutableBuffer(memory)};
        std::jmp_buf target;
        Reader reading = reader(Timeout::of_nanoseconds(50 * ms));
        if (setjmp(target) == 0) {
            faulty::arm_jump(target, 0, after);
            (void)reading.read(sink, 5);
            ADD_FAILURE() << "it was to jump";
        }
        faulty::disarm_jump();
        reading.unwound();
        EXPECT_TRUE(inbox_.try_lock(12345)) << "nobody reads any more";
        inbox_.unlock(*gate_, 12345);
        host_.reset();
        EXPECT_EQ(recv(9), "abc");
    }
}

}  // namespace
}  // namespace usocket::tests
