// SOCK-6 TIME-2..4 TIME-8 STRM-5: the outbox alone: one call that sends.
#include "stream/outbox.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "print.hpp"
#include "scripted_host.hpp"
#include "socket/aside.hpp"
#include "stream/window.hpp"

namespace usocket::tests {
namespace {

constexpr std::int64_t ms = 1'000'000;

class Outboxes : public ::testing::Test {
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
        if (Aside* aside = gate_->take_aside()) (void)sys::resize(aside, 0);
        sys::close(fd_);
        peer_ = faulty::Peer();
        EXPECT_EQ(faulty::open_descriptors(), 0u);
    }

    // For one call.
    Outbox outbox(Timeout timeout, bool waits_for_receiver = false) {
        call_ = Call();
        return {call_, timeout, *gate_, waits_for_receiver};
    }
    // The peer has room for so many bytes, and takes all that came after this time.
    void set_room(std::size_t room, std::optional<std::int64_t> taken_after = std::nullopt) {
        peer_.set_room(room);
        if (taken_after) faulty::at(start_ + *taken_after * ms, [this] { taken_ += peer_.take(); });
    }
    [[nodiscard]] std::int64_t passed() const { return (faulty::now() - start_) / ms; }

    Call call_;
    faulty::Peer peer_;
    std::optional<Gate> gate_;
    Inbox inbox_;
    std::string taken_;
    int fd_ = -1;
    std::int64_t start_ = 0;
};

TEST_F(Outboxes, SOCK_6_send_is_what_the_system_takes_at_once) {
    set_room(4);
    EXPECT_EQ(outbox(Timeout::none()).send("abcdef", 0, nullptr).value(), 4u);
    EXPECT_EQ(peer_.take(), "abcd");
    EXPECT_EQ(faulty::calls(faulty::Sys::send), 1u);
}

TEST_F(Outboxes, TIME_4_nonblocking_it_does_not_wait_for_room) {
    set_room(0);
    EXPECT_EQ(outbox(Timeout::zero()).send("abc", 0, nullptr).error(), Error(EAGAIN));
    EXPECT_EQ(passed(), 0);
}

// Else the caller would send it once more.
TEST_F(Outboxes, TIME_4_nonblocking_what_has_gone_out_counts_though_there_is_no_memory_for_the_rest) {
    for (const int code : {ENOBUFS, ENOMEM}) {
        set_room(4);
        faulty::fail(faulty::Sys::send, code, 1);
        std::size_t sent = 0;
        Outbox sending = outbox(Timeout::zero());
        const Error error = sending.send_all("abcdef", 0, sent);
        EXPECT_EQ(error, Error(code));
        EXPECT_EQ(sent, 4u);
        EXPECT_TRUE(sending.is_short(error, sent));
        EXPECT_FALSE(sending.is_short(error, 0) || sending.is_short(Error(EPIPE), sent));
        EXPECT_FALSE(outbox(Timeout::none()).is_short(error, sent));
        EXPECT_EQ(peer_.take(), "abcd");
    }
}

TEST_F(Outboxes, TIME_8_nor_with_msg_dontwait_whatever_the_timeout_or_the_deadline) {
    set_room(0);
    EXPECT_EQ(outbox(Timeout::none()).send("abc", MSG_DONTWAIT, nullptr).error(), Error(EAGAIN));
    Outbox sending = outbox(Timeout::none());
    call_ = Call(Deadline::after(std::chrono::hours(1)));
    EXPECT_EQ(sending.send("abc", MSG_DONTWAIT, nullptr).error(), Error(EAGAIN));
    EXPECT_EQ(passed(), 0);
}

TEST_F(Outboxes, TIME_3_it_waits_for_room_until_the_deadline) {
    set_room(3, 5);
    EXPECT_EQ(outbox(Timeout::none()).send("abc", 0, nullptr).value(), 3u);
    EXPECT_EQ(outbox(Timeout::of_nanoseconds(20 * ms)).send("def", 0, nullptr).value(), 3u);
    EXPECT_EQ(passed(), 5);
    EXPECT_EQ(outbox(Timeout::of_nanoseconds(20 * ms)).send("ghi", 0, nullptr).error(), Error(ETIMEDOUT));
    EXPECT_EQ(passed(), 25);
}

TEST_F(Outboxes, SOCK_6_all_of_it_in_as_many_pieces_as_it_takes) {
    set_room(3, 5);
    faulty::at(start_ + 8 * ms, [this] { taken_ += peer_.take(); });
    std::size_t done = 0;
    EXPECT_EQ(outbox(Timeout::none()).send_all("abcdefgh", 0, done), Error());
    EXPECT_EQ(done, 8u);
    EXPECT_EQ(taken_ + peer_.take(), "abcdefgh");
    EXPECT_EQ(passed(), 8);
}

TEST_F(Outboxes, TIME_10_whatever_ends_it_says_how_much_went_out) {
    set_room(3, 5);
    std::size_t done = 0;
    EXPECT_EQ(outbox(Timeout::of_nanoseconds(20 * ms)).send_all("abcdefgh", 0, done), Error(ETIMEDOUT));
    EXPECT_EQ(done, 6u);
    EXPECT_EQ(passed(), 20) << "one deadline for all of them";
    taken_ += peer_.take();
    done = 0;
    EXPECT_EQ(outbox(Timeout::zero()).send_all("ijklm", 0, done), Error(EAGAIN));
    EXPECT_EQ(done, 3u);
    peer_.reset();
    done = 0;
    EXPECT_NE(outbox(Timeout::none()).send_all("n", 0, done), Error());
    EXPECT_EQ(done, 0u);
}

TEST_F(Outboxes, TIME_5_between_two_pieces_a_handler_may_give_it_up) {
    set_room(3);
    ScriptedHost host;
    host.on_signal = [] { return true; };
    Outbox sending = outbox(Timeout::none());
    call_ = Call(host.host());
    std::size_t done = 0;
    EXPECT_EQ(sending.send_all("abcdefgh", 0, done), Error(EINTR));
    EXPECT_EQ(done, 3u);
}

TEST_F(Outboxes, TIME_2_between_two_pieces_the_deadline_counts) {
    faulty::Faults faults;
    faults[faulty::Kind::cut] = 1000;
    faults[faulty::Kind::delay] = 1000;
    faulty::set_faults(faults);
    std::size_t done = 0;
    const std::string much(10'000, 'x');
    EXPECT_EQ(outbox(Timeout::of_nanoseconds(2 * ms)).send_all(much, 0, done), Error(ETIMEDOUT));
    EXPECT_LT(done, much.size());
    faulty::set_faults({});
    EXPECT_EQ(peer_.take().size(), done);
}

TEST_F(Outboxes, SOCK_10_pieces_go_out_gathered_in_one_system_call) {
    const std::array<ConstBuffer, 3> pieces{"ab", "", "cd"};
    EXPECT_EQ(outbox(Timeout::none()).send_message(pieces, {}, 0, nullptr).value(), 4u);
    EXPECT_EQ(peer_.take(), "abcd");
    EXPECT_EQ(faulty::calls(faulty::Sys::sendmsg), 1u);
}

// This system takes three at a time.
TEST_F(Outboxes, SOCK_10_a_stream_has_no_limit_of_pieces) {
    ASSERT_EQ(sys::most_pieces, 3u);
    const std::vector<ConstBuffer> pieces(10, "ab");
    EXPECT_EQ(outbox(Timeout::none()).send_pieces(pieces, {}, 0, nullptr).value(), 20u);
    EXPECT_EQ(faulty::calls(faulty::Sys::sendmsg), 4u);
    EXPECT_EQ(peer_.take().size(), 20u);
}

// What has gone out is the front of it, whatever the system takes of each part.
TEST_F(Outboxes, SOCK_10_pieces_that_the_system_does_not_take_are_left) {
    const std::string all = "abcdefghijklmnopqrst";
    std::vector<ConstBuffer> pieces;
    for (std::size_t i = 0; i < all.size(); i += 2) pieces.emplace_back(&all[i], 2);
    for (const std::size_t room : {1u, 6u, 8u}) {
        set_room(room);
        EXPECT_EQ(outbox(Timeout::none()).send_pieces(pieces, {}, 0, nullptr).value(), room);
        EXPECT_EQ(peer_.take(), all.substr(0, room));
    }
    peer_.set_room(100);
    faulty::Faults faults;
    faults[faulty::Kind::cut] = 500;
    faulty::set_faults(faults);
    for (int i = 0; i < 100; ++i) {
        const std::size_t sent = outbox(Timeout::none()).send_pieces(pieces, {}, 0, nullptr).value();
        EXPECT_EQ(peer_.take(), all.substr(0, sent));
    }
    faulty::set_faults({});
    EXPECT_EQ(passed(), 0);
}

TEST_F(Outboxes, TIME_3_pieces_wait_for_room_though_the_first_of_them_are_empty) {
    faulty::fail(faulty::Sys::sendmsg, EAGAIN, 1);
    const std::vector<ConstBuffer> pieces{"", "", "", "a"};
    EXPECT_EQ(outbox(Timeout::none()).send_pieces(pieces, {}, 0, nullptr).value(), 1u);
}

TEST_F(Outboxes, TIME_5_a_handler_may_give_up_what_is_left_of_the_pieces) {
    ScriptedHost host;
    host.on_signal = [] { return true; };
    Outbox sending = outbox(Timeout::none());
    call_ = Call(host.host());
    faulty::fail(faulty::Sys::sendmsg, EINTR, 1);
    const std::vector<ConstBuffer> pieces(10, "ab");
    EXPECT_EQ(sending.send_pieces(pieces, {}, 0, nullptr).error(), Error(EINTR));
}

TEST_F(Outboxes, SOCK_10_a_part_of_a_file_to_its_end) {
    const int file = faulty::add_file("0123456789");
    std::size_t done = 99;
    EXPECT_EQ(outbox(Timeout::none()).send_file(file, 2, 5, done), Error());
    EXPECT_EQ(done, 5u);
    EXPECT_EQ(outbox(Timeout::none()).send_file(file, 8, 100, done), Error());
    EXPECT_EQ(done, 2u);
    EXPECT_EQ(peer_.take(), "2345689");
}

TEST_F(Outboxes, TIME_10_a_file_says_how_much_went_out_too) {
    set_room(3, 5);
    const int file = faulty::add_file("0123456789");
    std::size_t done = 99;
    EXPECT_EQ(outbox(Timeout::of_nanoseconds(20 * ms)).send_file(file, 0, 10, done), Error(ETIMEDOUT));
    EXPECT_EQ(done, 6u);
    EXPECT_EQ(passed(), 20);
}

// The peer waits for us to take what we have handed out, and we for the peer.
TEST_F(Outboxes, STRM_5_no_window_stays_open_while_it_waits) {
    peer_.feed("12345678");
    EXPECT_NE(*Windows::open(inbox_, Queue{&*gate_, true}), 0u);
    inbox_.consume(*gate_, 2);
    set_room(3);
    EXPECT_EQ(outbox(Timeout::none()).send("abc", 0, nullptr).value(), 3u);
    EXPECT_TRUE(inbox_.has_window()) << "there was room";
    std::string queue;
    faulty::at(start_ + 5 * ms, [&] {
        queue = peer_.holder_of_socket().queue();
        taken_ += peer_.take();
    });
    EXPECT_EQ(outbox(Timeout::none()).send("def", 0, nullptr).value(), 3u);
    EXPECT_EQ(queue, "345678");
    EXPECT_FALSE(inbox_.has_window());
}

TEST_F(Outboxes, SOCK_4_what_waits_for_its_receiver_in_the_system_does_not_sleep_there) {
    set_room(3);
    EXPECT_EQ(outbox(Timeout::none(), true).send("abc", 0, nullptr).value(), 3u);
    faulty::at(start_ + 5 * ms, [this] { (void)gate_->shut(); });
    faulty::at(start_ + 6 * ms, [this] { taken_ += peer_.take(); });
    EXPECT_EQ(outbox(Timeout::none(), true).send("def", 0, nullptr).error(), Error(EBADF));
}

}  // namespace
}  // namespace usocket::tests
