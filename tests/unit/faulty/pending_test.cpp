// TIME-6: the pending bytes alone: what calls consume, commit and give back, and whose memory they are in.
#include "stream/pending.hpp"

#include <string>
#include <string_view>

#include "faulty.hpp"
#include "gtest/gtest.h"

namespace usocket::tests {
namespace {

class Pendings : public ::testing::Test {
protected:
    void SetUp() override { faulty::reset(1); }
    void TearDown() override {
        pending_.clear();
        EXPECT_EQ(faulty::live_blocks(), 0u);
    }

    // A failed call that had got these bytes, the consumed ones included, in memory that is its own to give...
    bool give_back(std::string_view bytes) {
        Sink sink = Bytes::sink();
        EXPECT_TRUE(sink.reserve(bytes.size()));
        sink.append(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
        const bool is_given = pending_.give_back(sink);
        (void)Bytes::take(sink);
        return is_given;
    }
    // ...or its caller's.
    bool give_back_borrowed(std::string_view bytes) {
        std::string memory(bytes);
        Sink sink{MutableBuffer(memory)};
        sink.set_size(bytes.size());
        const bool is_given = pending_.give_back(sink);
        EXPECT_EQ(sink.size(), is_given ? 0 : bytes.size());
        return is_given;
    }
    [[nodiscard]] std::string front() const {
        const ConstBuffer bytes = pending_.front();
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }

    Pending pending_;
};

TEST_F(Pendings, TIME_6_at_first_there_is_nothing) {
    EXPECT_TRUE(pending_.empty());
    EXPECT_TRUE(pending_.is_unused());
    EXPECT_EQ(front(), "");
    pending_.commit();
    EXPECT_TRUE(pending_.empty());
}

TEST_F(Pendings, TIME_6_what_was_given_back_is_consumed_from_its_front) {
    EXPECT_TRUE(give_back("abcdef"));
    EXPECT_FALSE(pending_.empty());
    EXPECT_FALSE(pending_.is_unused());
    pending_.consume(2);
    EXPECT_EQ(front(), "cdef");
    pending_.consume(4);
    EXPECT_TRUE(pending_.empty());
    EXPECT_FALSE(pending_.is_unused()) << "until it is committed it may come back";
}

TEST_F(Pendings, TIME_6_a_commit_makes_it_final) {
    EXPECT_TRUE(give_back("abcdef"));
    pending_.consume(2);
    pending_.commit();
    EXPECT_TRUE(give_back(""));
    EXPECT_EQ(front(), "cdef");
    pending_.consume(4);
    pending_.commit();
    EXPECT_TRUE(pending_.is_unused());
}

TEST_F(Pendings, TIME_6_giving_back_undoes_what_was_consumed) {
    EXPECT_TRUE(give_back("abcdef"));
    pending_.consume(4);
    EXPECT_TRUE(give_back("abcd"));
    EXPECT_EQ(front(), "abcdef");
}

TEST_F(Pendings, TIME_6_unread_undoes_the_last_call_after_its_commit) {
    EXPECT_TRUE(give_back("abcdef"));
    pending_.consume(4);
    pending_.commit();
    Sink last{MutableBuffer()};
    last.set_size(4);
    EXPECT_TRUE(pending_.unread(last));
    EXPECT_EQ(last.size(), 0u);
    EXPECT_EQ(front(), "abcdef");
    pending_.consume(1);
    EXPECT_TRUE(give_back("a")) << "the call that failed had consumed no more";
    EXPECT_EQ(front(), "abcdef");
    pending_.consume(6);
    pending_.commit();
    std::string memory = "abcdef, and more";
    Sink all{MutableBuffer(memory)};
    all.set_size(memory.size());
    EXPECT_TRUE(pending_.unread(all));
    EXPECT_EQ(front(), "abcdef, and more");
}

TEST_F(Pendings, TIME_6_what_came_behind_is_added) {
    EXPECT_TRUE(give_back("abc"));
    pending_.consume(3);
    EXPECT_TRUE(give_back("abcdef"));
    EXPECT_EQ(front(), "abcdef");
    pending_.consume(6);
    EXPECT_TRUE(give_back_borrowed("abcdefghi"));
    EXPECT_EQ(front(), "abcdefghi");
}

TEST_F(Pendings, TIME_6_memory_that_is_the_sinks_is_taken_over) {
    Sink sink = Bytes::sink();
    ASSERT_TRUE(sink.reserve(3));
    sink.set_size(3);
    const std::uint8_t* memory = sink.data();
    faulty::refuse_memory(0);
    EXPECT_TRUE(pending_.give_back(sink));
    EXPECT_EQ(pending_.front().data(), memory);
    EXPECT_EQ(sink.data(), nullptr);
}

TEST_F(Pendings, TIME_6_without_memory_nothing_changes) {
    EXPECT_TRUE(give_back("abc"));
    pending_.consume(3);
    faulty::refuse_memory(0);
    EXPECT_FALSE(give_back_borrowed("abcdef"));
    EXPECT_TRUE(pending_.empty());
    EXPECT_TRUE(give_back_borrowed("abc")) << "what was consumed is here still";
    EXPECT_EQ(front(), "abc");
}

TEST_F(Pendings, TIME_6_what_was_reserved_suffices_and_goes_with_the_call) {
    std::string memory(100, 'x');
    Sink sink{MutableBuffer(memory)};
    EXPECT_EQ(pending_.reserve(sink), 100u);
    EXPECT_FALSE(pending_.is_unused());
    EXPECT_EQ(pending_.reserve(sink), 100u);
    EXPECT_EQ(faulty::live_blocks(), 1u) << "once is enough";
    faulty::refuse_memory(0);
    sink.set_size(100);
    EXPECT_TRUE(pending_.give_back(sink));
    EXPECT_EQ(front(), memory);
    pending_.consume(100);
    pending_.commit();
    EXPECT_EQ(faulty::live_blocks(), 0u);
}

TEST_F(Pendings, TIME_6_a_reserve_that_was_not_needed_is_given_back) {
    std::string memory(100, 'x');
    Sink sink{MutableBuffer(memory)};
    EXPECT_EQ(pending_.reserve(sink), 100u);
    pending_.commit();
    EXPECT_EQ(faulty::live_blocks(), 0u);
    EXPECT_EQ(pending_.reserve(sink), 100u);
    EXPECT_TRUE(pending_.give_back(sink));
    EXPECT_EQ(faulty::live_blocks(), 0u);
    EXPECT_TRUE(pending_.is_unused());
}

TEST_F(Pendings, TIME_6_a_sink_that_can_give_needs_no_reserve) {
    Sink sink = Bytes::sink();
    ASSERT_TRUE(sink.reserve(100));
    faulty::limit_memory(0);
    EXPECT_EQ(pending_.reserve(sink), SIZE_MAX);
    (void)Bytes::take(sink);
    std::string memory(100, 'x');
    EXPECT_EQ(pending_.reserve(Sink{MutableBuffer(memory)}), 0u);
}

TEST_F(Pendings, TIME_6_a_reserve_is_for_as_much_as_there_is_memory_for) {
    std::string memory(1000, 'x');
    Sink sink{MutableBuffer(memory)};
    faulty::limit_memory(200);
    const std::size_t more = pending_.reserve(sink);
    EXPECT_GT(more, 10u);
    EXPECT_LE(more, 200u);
    sink.set_size(more);
    EXPECT_GT(pending_.reserve(sink), 0u) << "it grows with what the sink holds";
    sink.set_size(200);
    EXPECT_EQ(pending_.reserve(sink), 0u);
    EXPECT_FALSE(pending_.give_back(sink));
    EXPECT_EQ(sink.size(), 200u);
    sink.set_size(more);
    EXPECT_TRUE(pending_.give_back(sink));
    EXPECT_EQ(front(), memory.substr(0, more));
}

TEST_F(Pendings, TIME_6_a_child_finds_it_empty_and_may_have_its_own) {
    EXPECT_TRUE(give_back("parent's"));
    pending_.consume(2);
    faulty::fork_as_child();
    EXPECT_TRUE(pending_.empty());
    EXPECT_EQ(front(), "");
    EXPECT_TRUE(give_back(""));
    EXPECT_TRUE(pending_.empty());
    EXPECT_TRUE(give_back("own"));
    EXPECT_EQ(front(), "own");
}

TEST_F(Pendings, TIME_6_the_parent_keeps_it) {
    EXPECT_TRUE(give_back("parent's"));
    faulty::fork_as_parent();
    EXPECT_EQ(front(), "parent's");
}

TEST_F(Pendings, TIME_6_cleared_it_is_unused) {
    EXPECT_TRUE(give_back("abc"));
    pending_.consume(1);
    std::string memory(100, 'x');
    EXPECT_EQ(pending_.reserve(Sink{MutableBuffer(memory)}), 100u);
    pending_.clear();
    EXPECT_TRUE(pending_.empty());
    EXPECT_TRUE(pending_.is_unused());
    EXPECT_TRUE(give_back(""));
    EXPECT_TRUE(pending_.empty());
}

}  // namespace
}  // namespace usocket::tests
