// SOCK-4 STRM-5: the gate alone: who is inside, who frees the descriptor, who else may hold it.
#include "usocket/detail/gate.hpp"

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "print.hpp"
#include "socket/aside.hpp"
#include "sys/sys.hpp"

namespace usocket::tests {
namespace {

class Gates : public ::testing::Test {
protected:
    void SetUp() override { faulty::reset(1); }
};

TEST_F(Gates, SOCK_4_whoever_leaves_last_frees) {
    Gate gate(3);
    EXPECT_EQ(gate.enter(), Error());
    EXPECT_EQ(gate.enter(), Error());
    EXPECT_EQ(gate.leave(), Gate::Left::open);
    EXPECT_EQ(gate.enter(), Error());
    const Gate::Shut shut = gate.shut();
    EXPECT_TRUE(shut.is_first && shut.has_others);
    EXPECT_FALSE(gate.shut().is_first);
    EXPECT_EQ(gate.enter(), Error(EBADF));
    EXPECT_EQ(gate.leave(), Gate::Left::closed);
    EXPECT_EQ(gate.leave(), Gate::Left::last);
    EXPECT_EQ(gate.take_fd(), 3);
    EXPECT_EQ(gate.fd(), Gate::no_fd);
}

// Whoever would sleep after the close is told so, however often it asks.
TEST_F(Gates, SOCK_4_nobody_falls_asleep_behind_a_close) {
    Gate gate(3);
    EXPECT_EQ(gate.enter(), Error());
    EXPECT_EQ(gate.enter(), Error());
    EXPECT_FALSE(gate.shut().has_sleepers);
    EXPECT_FALSE(gate.let_sleep());
    EXPECT_FALSE(gate.let_sleep());
}

TEST_F(Gates, SOCK_4_a_close_is_told_of_sleepers) {
    Gate gate(3);
    EXPECT_EQ(gate.enter(), Error());
    EXPECT_TRUE(gate.let_sleep());
    EXPECT_EQ(gate.enter(), Error());
    EXPECT_TRUE(gate.shut().has_sleepers);
}

TEST_F(Gates, SOCK_4_what_no_shutdown_ends_is_not_slept_on) {
    Gate exposed(3);
    exposed.expose();
    EXPECT_TRUE(exposed.exposed());
    EXPECT_FALSE(exposed.let_sleep());
    Gate other(4);
    other.learn(Gate::needs_bell);
    EXPECT_FALSE(other.exposed());
    EXPECT_FALSE(other.let_sleep());
}

TEST_F(Gates, STRM_5_a_fork_exposes_and_leaves_the_calls_of_the_parent_behind) {
    Gate gate(3);
    EXPECT_EQ(gate.enter(), Error());
    EXPECT_TRUE(gate.let_sleep());
    EXPECT_FALSE(gate.exposed());
    faulty::fork_as_child();
    EXPECT_TRUE(gate.exposed());
    EXPECT_EQ(gate.enter(), Error());
    const Gate::Shut shut = gate.shut();
    EXPECT_FALSE(shut.has_others || shut.has_sleepers);
    EXPECT_EQ(gate.leave(), Gate::Left::last);
    EXPECT_FALSE(Gate(3).exposed());
}

TEST_F(Gates, SOCK_8_a_descriptor_is_given_away_only_by_who_is_alone) {
    Gate gate(3);
    EXPECT_EQ(gate.enter(), Error());
    EXPECT_EQ(gate.enter(), Error());
    EXPECT_FALSE(gate.shut_alone());
    EXPECT_EQ(gate.leave(), Gate::Left::open);
    EXPECT_TRUE(gate.shut_alone());
    EXPECT_TRUE(gate.closed());
    EXPECT_EQ(gate.take_fd(), 3);
}

TEST_F(Gates, SOCK_4_no_more_calls_than_can_be_counted) {
    Gate gate(3);
    unsigned calls = 0;
    while (gate.enter() == Error()) ++calls;
    EXPECT_EQ(calls, 4094u);
    EXPECT_EQ(gate.enter(), Error(EBUSY));
    // close() is one more.
    EXPECT_EQ(gate.enter_to_close(), Error());
    EXPECT_EQ(gate.enter_to_close(), Error(EAGAIN));
    EXPECT_EQ(gate.leave(), Gate::Left::open);
    EXPECT_EQ(gate.enter(), Error(EBUSY));
    EXPECT_EQ(gate.leave(), Gate::Left::open);
    EXPECT_EQ(gate.enter(), Error());
}

TEST_F(Gates, TIME_6_whoever_is_alone_stays_so) {
    Gate gate(3);
    EXPECT_EQ(gate.enter(), Error());
    EXPECT_EQ(gate.enter_alone(), Error(EBUSY));
    EXPECT_EQ(gate.leave(), Gate::Left::open);
    EXPECT_EQ(gate.enter_alone(), Error());
    EXPECT_EQ(gate.enter(), Error(EAGAIN));
    EXPECT_EQ(gate.enter_alone(), Error(EAGAIN));
    EXPECT_EQ(gate.enter_to_close(), Error(EAGAIN));
    EXPECT_EQ(gate.leave_alone(), Gate::Left::open);
    EXPECT_EQ(gate.enter_to_close(), Error());
    EXPECT_TRUE(gate.shut().is_first);
    EXPECT_EQ(gate.enter_alone(), Error(EBADF));
    EXPECT_EQ(gate.leave(), Gate::Left::last);
}

}  // namespace
}  // namespace usocket::tests
