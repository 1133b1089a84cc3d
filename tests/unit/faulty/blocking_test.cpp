// TIME-2..5 TIME-8..10: the one place that blocks, alone: the deadline, the host's leave and enter, signals, a close.
#include "wait/blocking.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "print.hpp"
#include "scripted_host.hpp"
#include "socket/aside.hpp"

namespace usocket::tests {
namespace {

constexpr std::int64_t ms = 1'000'000;

Timeout of_ms(std::int64_t span) { return Timeout::of_nanoseconds(span * ms); }

// One call on a connected socket.
class Blockings : public ::testing::Test {
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
        if (Aside* aside = gate_->take_aside()) {
            aside->bell.close();
            (void)sys::resize(aside, 0);
        }
        sys::close(fd_);
        peer_ = faulty::Peer();
        EXPECT_EQ(faulty::open_descriptors(), 0u);
    }

    Blocking blocking(Timeout timeout) { return {call_, timeout, &*gate_}; }
    Blocking hosted(Timeout timeout) {
        call_ = Call(host_.host());
        return blocking(timeout);
    }
    void feed_after(std::int64_t span) {
        faulty::at(start_ + span * ms, [this] { peer_.feed("x"); });
    }
    // What recv() is to perform().
    [[nodiscard]] auto receiving() {
        return [this]() noexcept {
            ++attempts_;
            std::uint8_t byte = 0;
            return sys::recv(fd_, {&byte, 1}, sys::msg_dontwait);
        };
    }
    [[nodiscard]] std::int64_t passed() const { return (faulty::now() - start_) / ms; }

    ScriptedHost host_;
    Call call_;
    faulty::Peer peer_;
    std::optional<Gate> gate_;
    int fd_ = -1;
    std::int64_t start_ = 0;
    unsigned attempts_ = 0;
};

TEST_F(Blockings, TIME_4_nonblocking_waits_for_nothing) {
    Blocking waiting = blocking(Timeout::zero());
    EXPECT_TRUE(waiting.is_nonblocking());
    EXPECT_EQ(waiting.perform(fd_, sys::poll_in, receiving()).error(), Error(EAGAIN));
    EXPECT_EQ(waiting.wait(fd_, sys::poll_in).error(), Error(EAGAIN));
    EXPECT_EQ(waiting.check_deadline(), Error());
    EXPECT_EQ(passed(), 0);
}

TEST_F(Blockings, TIME_1_an_op_is_done_again_once_there_is_something) {
    feed_after(5);
    EXPECT_EQ(blocking(Timeout::none()).perform(fd_, sys::poll_in, receiving()).value(), 1u);
    EXPECT_EQ(attempts_, 2u);
    EXPECT_EQ(passed(), 5);
}

TEST_F(Blockings, TIME_2_one_deadline_for_all_that_a_call_does) {
    Blocking waiting = blocking(of_ms(10));
    EXPECT_EQ(waiting.remaining(), of_ms(10)) << "it counts from here";
    feed_after(6);
    EXPECT_EQ(waiting.perform(fd_, sys::poll_in, receiving()).value(), 1u);
    EXPECT_EQ(waiting.remaining(), of_ms(4));
    EXPECT_EQ(waiting.check_deadline(), Error());
    EXPECT_EQ(waiting.perform(fd_, sys::poll_in, receiving()).error(), Error(ETIMEDOUT));
    EXPECT_EQ(passed(), 10);
    EXPECT_EQ(waiting.check_deadline(), Error(ETIMEDOUT));
    EXPECT_EQ(waiting.wait(fd_, sys::poll_in).error(), Error(ETIMEDOUT));
    EXPECT_EQ(waiting.pause(fd_, sys::poll_in, of_ms(1)).error(), Error(ETIMEDOUT));
    EXPECT_EQ(passed(), 10);
}

TEST_F(Blockings, TIME_10_a_calls_own_deadline_goes_before_the_timeout) {
    using std::chrono::nanoseconds;
    call_ = Call(Deadline(std::chrono::steady_clock::time_point(nanoseconds(start_ + 3 * ms))));
    for (const Timeout timeout : {Timeout::none(), Timeout::zero(), of_ms(1000)}) {
        Blocking waiting = blocking(timeout);
        EXPECT_FALSE(waiting.is_nonblocking() || waiting.is_endless());
        EXPECT_EQ(waiting.wait(fd_, sys::poll_in).error(), Error(ETIMEDOUT));
        EXPECT_EQ(passed(), 3);
    }
}

TEST_F(Blockings, TIME_2_a_pause_is_over_after_its_span_or_when_it_is_ready) {
    Blocking waiting = blocking(of_ms(100));
    EXPECT_FALSE(waiting.pause(fd_, sys::poll_in, of_ms(4)).value());
    EXPECT_EQ(passed(), 4);
    feed_after(6);
    EXPECT_TRUE(waiting.pause(fd_, sys::poll_in, of_ms(50)).value());
    EXPECT_EQ(passed(), 6);
}

TEST_F(Blockings, GAI_4_the_host_is_left_while_it_waits_and_while_it_works) {
    Blocking waiting = hosted(Timeout::none());
    feed_after(5);
    bool was_inside = true;
    const auto op = [&]() noexcept {
        was_inside = host_.is_inside();
        return sys::recv(fd_, {}, sys::msg_dontwait);
    };
    EXPECT_TRUE(waiting.perform(fd_, sys::poll_in, op));
    EXPECT_FALSE(was_inside);
    EXPECT_TRUE(host_.is_inside());
    was_inside = true;
    (void)waiting.once(op);
    EXPECT_FALSE(was_inside);
    EXPECT_TRUE(host_.is_inside());
    unsigned left = 0;
    host_.while_left = [&left] { ++left; };
    EXPECT_TRUE(waiting.wait(fd_, sys::poll_out));
    EXPECT_TRUE(waiting.pause(fd_, sys::poll_out, of_ms(1)));
    EXPECT_EQ(left, 2u);
    EXPECT_TRUE(host_.is_inside());
}

TEST_F(Blockings, TIME_5_a_signal_does_not_end_a_call) {
    Blocking waiting = hosted(of_ms(10));
    faulty::fail(faulty::Sys::wait, EINTR);
    faulty::fail(faulty::Sys::recv, EINTR);
    host_.on_signal = [] {
        faulty::advance(4 * ms);  // what a handler takes counts
        return false;
    };
    EXPECT_EQ(waiting.perform(fd_, sys::poll_in, receiving()).error(), Error(ETIMEDOUT));
    EXPECT_EQ(host_.signals(), 2u);
    EXPECT_EQ(passed(), 10);
    EXPECT_TRUE(host_.is_inside());
}

TEST_F(Blockings, TIME_5_a_handler_that_raises_ends_it) {
    Blocking waiting = hosted(Timeout::none());
    host_.on_signal = [] { return true; };
    EXPECT_EQ(waiting.check_signals(), Error(EINTR));
    faulty::fail(faulty::Sys::wait, EINTR);
    EXPECT_EQ(waiting.wait(fd_, sys::poll_in).error(), Error(EINTR));
    faulty::fail(faulty::Sys::recv, EINTR);
    EXPECT_EQ(waiting.perform(fd_, sys::poll_in, receiving()).error(), Error(EINTR));
    EXPECT_TRUE(host_.is_inside());
    EXPECT_EQ(host_.given_up(), 3u);
}

TEST_F(Blockings, TIME_5_a_host_that_notes_signals_is_asked_now_and_then) {
    host_.notes_signals();
    Blocking waiting = hosted(Timeout::none());
    EXPECT_TRUE(waiting.looks_for_signals());
    host_.on_signal = [this] { return passed() >= 200; };
    EXPECT_EQ(waiting.wait(fd_, sys::poll_in).error(), Error(EINTR));
    EXPECT_LE(passed(), 250);
    EXPECT_LE(host_.signals(), 8u);
}

TEST_F(Blockings, TIME_5_a_handler_that_raises_for_a_signal_just_before_the_sleep_ends_it) {
    host_.notes_signals(Looks::seldom);
    Blocking waiting = hosted(Timeout::none());
    bool is_noted = false;
    host_.while_left = [&] { is_noted = true; };
    host_.on_signal = [&] { return is_noted; };
    EXPECT_EQ(waiting.perform(fd_, sys::poll_in, receiving()).error(), Error(EINTR));
    EXPECT_LE(passed(), 5);
}

TEST_F(Blockings, TIME_5_so_does_one_before_a_later_sleep_and_looking_costs_little) {
    host_.notes_signals(Looks::seldom);
    std::int64_t noted_after = 0;
    host_.on_signal = [&] { return passed() >= noted_after; };
    for (const std::int64_t span : {100, 1000, 60'000}) {
        noted_after = passed() + span;
        const unsigned looks = host_.signals();
        EXPECT_EQ(hosted(Timeout::none()).wait(fd_, sys::poll_in).error(), Error(EINTR));
        EXPECT_LE(passed(), noted_after + std::min<std::int64_t>(span + 5, 1000));
        EXPECT_LE(host_.signals() - looks, 9 + span / 1000);
    }
}

TEST_F(Blockings, SOCK_4_a_handler_that_closes_the_socket_ends_it) {
    Blocking waiting = hosted(Timeout::none());
    host_.on_signal = [this] {
        (void)gate_->shut();
        return false;
    };
    EXPECT_EQ(waiting.check_signals(), Error(EBADF));
}

TEST_F(Blockings, SOCK_4_a_close_ends_a_wait) {
    gate_->expose();  // so that only the bell does
    Blocking waiting = blocking(Timeout::none());
    faulty::at(start_ + 5 * ms, [this] {
        (void)gate_->shut();
        sys::bell_ring(gate_->aside()->bell.fd());
    });
    EXPECT_EQ(waiting.wait(fd_, sys::poll_in).error(), Error(EBADF));
    EXPECT_EQ(passed(), 5);
}

TEST_F(Blockings, SOCK_4_without_a_bell_it_looks_whether_it_is_closed) {
    gate_->expose();
    faulty::refuse_memory(0);
    Blocking waiting = blocking(Timeout::none());
    faulty::at(start_ + 5 * ms, [this] { (void)gate_->shut(); });
    EXPECT_EQ(waiting.wait(fd_, sys::poll_in).error(), Error(EBADF));
    EXPECT_LE(passed(), 20);
}

TEST_F(Blockings, TIME_9_only_an_endless_call_that_a_close_can_end_sleeps_in_the_system) {
    EXPECT_EQ(blocking(Timeout::none()).sleep_flags(), 0);
    EXPECT_EQ(blocking(of_ms(1)).sleep_flags(), sys::msg_dontwait);
    EXPECT_EQ(blocking(Timeout::zero()).sleep_flags(), sys::msg_dontwait);
    EXPECT_EQ(hosted(Timeout::none()).sleep_flags(), 0);
    host_.notes_signals();
    EXPECT_EQ(hosted(Timeout::none()).sleep_flags(), sys::msg_dontwait);
    call_ = Call();
    gate_->expose();
    EXPECT_EQ(blocking(Timeout::none()).sleep_flags(), sys::msg_dontwait);
}

TEST_F(Blockings, TIME_9_a_poll_that_others_may_have_made_deaf_is_not_believed) {
    gate_->expose();
    Blocking waiting = blocking(of_ms(2500));
    const auto op = [this]() noexcept {
        ++attempts_;
        return Result<std::size_t>(Error(EAGAIN));
    };
    EXPECT_EQ(waiting.perform(fd_, sys::poll_in, op).error(), Error(ETIMEDOUT));
    EXPECT_EQ(attempts_, 4u) << "at first, each second, and once more at the end";
    EXPECT_EQ(passed(), 2500);
}

TEST_F(Blockings, TIME_5_what_is_ready_all_the_time_and_does_not_go_is_tried_ever_less) {
    Blocking waiting = blocking(of_ms(1000));
    const auto op = [this]() noexcept {
        ++attempts_;
        return Result<std::size_t>(Error(EAGAIN));
    };
    EXPECT_EQ(waiting.perform(fd_, sys::poll_out, op).error(), Error(ETIMEDOUT));
    EXPECT_GT(attempts_, 1000 / 16u);
    EXPECT_LT(attempts_, 1000 / 16u + 10);
}

TEST_F(Blockings, STRM_5_a_wait_for_another_reader_ends_with_it_or_by_the_deadline) {
    std::atomic<std::uint32_t> word{1};
    Blocking waiting = blocking(of_ms(10));
    EXPECT_TRUE(waiting.wait_for_word(word, 2)) << "it is another already";
    faulty::at(start_ + 4 * ms, [&word] { word = 2; });
    EXPECT_TRUE(waiting.wait_for_word(word, 1));
    EXPECT_EQ(passed(), 4);
    (void)waiting.wait_for_word(word, 2);
    EXPECT_EQ(waiting.wait_for_word(word, 2).error(), Error(ETIMEDOUT));
    EXPECT_EQ(passed(), 10);
    EXPECT_EQ(blocking(Timeout::zero()).check_deadline(), Error());
    call_ = Call();
    EXPECT_EQ(blocking(Timeout::zero()).wait_for_word(word, 2).error(), Error(EAGAIN));
    (void)gate_->shut();
    EXPECT_EQ(blocking(Timeout::none()).wait_for_word(word, 1).error(), Error(EBADF));
}

TEST_F(Blockings, TIME_4_who_met_eagain_himself_waits_as_perform_does) {
    feed_after(5);
    EXPECT_TRUE(blocking(Timeout::none()).await_retry(fd_, sys::poll_in, false));
    EXPECT_EQ(passed(), 5);
    call_ = Call();
    EXPECT_EQ(blocking(Timeout::zero()).await_retry(fd_, sys::poll_in, false).error(), Error(EAGAIN));
}

TEST_F(Blockings, TIME_5_alone_means_without_a_host_and_in_one_thread) {
    EXPECT_FALSE(blocking(Timeout::none()).is_alone());
    faulty::set_single_threaded(true);
    EXPECT_TRUE(blocking(Timeout::none()).is_alone());
    EXPECT_FALSE(hosted(Timeout::none()).is_alone());
    faulty::set_single_threaded(false);
}

}  // namespace
}  // namespace usocket::tests
