// TIME-6 STRM-5: the inbox alone: pending bytes, the window and their order; one reader at a time.
#include "usocket/detail/inbox.hpp"

#include <string>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "print.hpp"
#include "socket/aside.hpp"
#include "stream/window.hpp"
#include "usocket/detail/gate.hpp"

namespace usocket::tests {
namespace {

class Inboxes : public ::testing::Test {
protected:
    void SetUp() override {
        faulty::reset(1);
        auto connection = faulty::connect_pair(AF_INET, SOCK_STREAM);
        peer_ = std::move(connection.peer);
        fd_ = connection.socket.detach().value();
        gate_.emplace(fd_);
    }
    void TearDown() override {
        inbox_.forget(*gate_);
        if (Aside* aside = gate_->take_aside()) (void)sys::resize(aside, 0);
        sys::close(fd_);
        peer_ = faulty::Peer();
        EXPECT_EQ(faulty::open_descriptors(), 0u);
        EXPECT_EQ(faulty::live_blocks(), 0u);
    }

    static Sink with(std::string_view bytes) {
        Sink sink = Bytes::sink();
        EXPECT_TRUE(sink.reserve(bytes.size()));
        sink.append(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
        return sink;
    }
    [[nodiscard]] std::string front() const {
        const ConstBuffer bytes = inbox_.front(*gate_);
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    bool open_window(std::size_t most = SIZE_MAX) { return *Windows::open(inbox_, Queue{&*gate_, true}, most) != 0; }

    faulty::Peer peer_;
    std::optional<Gate> gate_;
    Inbox inbox_;
    int fd_ = -1;
};

TEST_F(Inboxes, TIME_6_what_is_given_back_comes_first) {
    peer_.feed("queued");
    Sink sink = with("given back, ");
    EXPECT_TRUE(inbox_.give_back(*gate_, sink));
    EXPECT_EQ(sink.size(), 0u);
    EXPECT_TRUE(open_window());
    EXPECT_TRUE(Inbox::has_pending(*gate_));
    EXPECT_EQ(front(), "given back, ");
    inbox_.consume(*gate_, 12);
    EXPECT_FALSE(Inbox::has_pending(*gate_));
    EXPECT_EQ(front(), "queued");
    inbox_.commit(*gate_);
    EXPECT_EQ(front(), "queued");
}

// A call that fails has taken nothing, however much of it had been pending.
TEST_F(Inboxes, TIME_6_a_call_that_fails_undoes_what_it_took) {
    Sink first = with("abcdef");
    EXPECT_TRUE(inbox_.give_back(*gate_, first));
    for (const std::string_view got : {"", "ab", "abcdef", "abcdefgh"}) {
        inbox_.consume(*gate_, std::min(got.size(), front().size()));
        Sink sink = with(got);
        EXPECT_TRUE(inbox_.give_back(*gate_, sink));
        (void)Bytes::take(sink);
        EXPECT_EQ(front(), got.size() > 6 ? "abcdefgh" : "abcdef");
    }
    inbox_.consume(*gate_, 3);
    inbox_.commit(*gate_);
    EXPECT_EQ(front(), "defgh");
}

// Memory that is not the sink's to give is copied, into what was reserved, which is given back otherwise.
TEST_F(Inboxes, TIME_6_bytes_in_the_callers_memory_find_a_place) {
    char memory[100] = "abc";
    Sink sink{MutableBuffer(memory)};
    EXPECT_EQ(inbox_.keepable(*gate_, sink), 100u);
    faulty::refuse_memory(0);
    sink.set_size(3);
    EXPECT_TRUE(inbox_.give_back(*gate_, sink));
    EXPECT_EQ(front(), "abc");
    inbox_.consume(*gate_, 3);
    inbox_.commit(*gate_);
    const std::size_t blocks = faulty::live_blocks();
    EXPECT_EQ(blocks, 1u) << "the aside alone";
}

TEST_F(Inboxes, TIME_6_without_memory_nothing_changes) {
    char memory[100] = "abc";
    Sink sink{MutableBuffer(memory)};
    EXPECT_NE(gate_->make_aside(), nullptr);
    sink.set_size(3);
    faulty::limit_memory(0);
    EXPECT_FALSE(inbox_.give_back(*gate_, sink));
    EXPECT_EQ(sink.size(), 3u);
    EXPECT_FALSE(Inbox::has_pending(*gate_));
}

TEST_F(Inboxes, TIME_6_after_a_fork_they_are_the_parents) {
    Sink sink = with("abc");
    EXPECT_TRUE(inbox_.give_back(*gate_, sink));
    faulty::fork_as_child();
    EXPECT_FALSE(Inbox::has_pending(*gate_));
    EXPECT_EQ(front(), "");
}

TEST_F(Inboxes, STRM_5_half_of_a_window_is_trimmed_then_the_rest) {
    peer_.feed("12345678");
    EXPECT_TRUE(open_window());
    const faulty::Holder holder = peer_.holder_of_socket();
    inbox_.consume(*gate_, 3);
    EXPECT_EQ(holder.queue(), "12345678");
    inbox_.consume(*gate_, 1);
    EXPECT_EQ(holder.queue(), "5678");
    EXPECT_EQ(front(), "5678");
    inbox_.consume(*gate_, 3);
    EXPECT_EQ(holder.queue(), "5678");
    inbox_.consume(*gate_, 1);
    EXPECT_EQ(holder.queue(), "");
    EXPECT_FALSE(inbox_.has_window());
}

TEST_F(Inboxes, STRM_5_whoever_may_look_finds_what_was_not_handed_out) {
    peer_.feed("12345678");
    EXPECT_TRUE(open_window());
    inbox_.consume(*gate_, 2);
    gate_->expose();
    inbox_.close_window();
    EXPECT_EQ(peer_.holder_of_socket().queue(), "345678");
    EXPECT_FALSE(open_window());
}

TEST_F(Inboxes, STRM_5_the_lock_has_one_holder_and_a_child_finds_it_free) {
    EXPECT_TRUE(inbox_.try_lock(5));
    EXPECT_TRUE(inbox_.is_locked_by(5));
    EXPECT_FALSE(inbox_.try_lock(7));
    EXPECT_NE(inbox_.announce_wait(), 0u);
    EXPECT_TRUE(inbox_.is_locked_by(5));
    faulty::fork_as_child();
    EXPECT_TRUE(inbox_.try_lock(7));
    inbox_.unlock(*gate_, 7);
    EXPECT_EQ(inbox_.announce_wait(), 0u);
}

TEST_F(Inboxes, TIME_6_who_had_the_lock_last_learns_whether_somebody_has_read_since) {
    EXPECT_FALSE(inbox_.try_lock_again(5));
    EXPECT_TRUE(inbox_.try_lock(5));
    EXPECT_FALSE(inbox_.try_lock_again(5)) << "it is held";
    inbox_.unlock(*gate_, 5);
    peer_.feed("queued");
    EXPECT_TRUE(open_window());
    inbox_.close_window();
    EXPECT_TRUE(inbox_.try_lock_again(5)) << "to close a window is not to read";
    EXPECT_TRUE(inbox_.is_locked_by(5));
    inbox_.unlock(*gate_, 5);
    EXPECT_TRUE(inbox_.try_lock(7));
    EXPECT_FALSE(inbox_.try_lock_again(5));
    inbox_.unlock(*gate_, 7);
    EXPECT_FALSE(inbox_.try_lock_again(5));
    EXPECT_TRUE(inbox_.try_lock_again(7));
    inbox_.unlock(*gate_, 7);
    inbox_.forget_reader();
    EXPECT_FALSE(inbox_.try_lock_again(7));
}

TEST_F(Inboxes, TIME_6_another_connection_has_no_bytes_of_the_old_one) {
    peer_.feed("window");
    EXPECT_TRUE(open_window());
    inbox_.consume(*gate_, 2);
    inbox_.forget(*gate_);
    EXPECT_EQ(front(), "");
    EXPECT_EQ(peer_.holder_of_socket().queue(), "window") << "the queue is the new connection's";
}

}  // namespace
}  // namespace usocket::tests
