// STRM-5 POLL-4: how many system calls the stream methods and polls cost, counted by ptrace(2).
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "loopback.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;

using Calls = std::map<long, int>;  // how often each

constexpr long mark = SYS_getppid;  // which nothing else in these tests calls
constexpr int untraced = 77;

// What belongs to memory, not to sockets.
bool is_memory(long number) {
#if defined(SYS_mmap2)
    if (number == SYS_mmap2) return true;  // what 32 bits call it
#endif
    return number == SYS_mmap || number == SYS_munmap || number == SYS_mremap || number == SYS_brk ||
           number == SYS_madvise || number == SYS_mprotect;
}

// The call's own number; 32 bits of x86 may make those of sockets by socketcall(2).
long number_of(const __ptrace_syscall_info& info) {
#if defined(SYS_socketcall)
    constexpr std::uint64_t send = 9, recv = 10, sendto = 11, recvfrom = 12;  // linux/net.h
    if (static_cast<long>(info.entry.nr) == SYS_socketcall) {
        const std::uint64_t call = info.entry.args[0];
        if (call == send || call == sendto) return SYS_sendto;
        if (call == recv || call == recvfrom) return SYS_recvfrom;
    }
#endif
    return static_cast<long>(info.entry.nr);
}

// Counts the system calls of `body` from one begin_or_end() to the next, in a child. False: it may not be traced.
void begin_or_end() { ::syscall(mark); }
template <class Body> bool count(Calls& calls, Body body) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(30);
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(untraced);
        ::raise(SIGSTOP);
        body();
        ::_exit(::testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    if (::waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) return false;
    ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    bool counts = false;
    bool enters = false;
    int signal = 0;
    for (;;) {
        ::ptrace(PTRACE_SYSCALL, child, nullptr, signal);
        if (::waitpid(child, &status, 0) != child) return false;
        if (!WIFSTOPPED(status)) break;
        signal = WSTOPSIG(status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(status);
        if (signal != 0) continue;
        enters = !enters;
        if (!enters) continue;
        __ptrace_syscall_info info{};
        if (::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) <= 0) return false;
        const long number = number_of(info);
        if (number == mark) {
            counts = !counts;
        } else if (counts && !is_memory(number)) {
            ++calls[number];
        }
    }
    EXPECT_EQ(status, 0) << "how the child ended";
    return true;
}

int total(const Calls& calls) {
    int sum = 0;
    for (const auto& [number, times] : calls) sum += times;
    return sum;
}

std::string list(const Calls& calls) {
    std::string text;
    for (const auto& [number, times] : calls) {
        text.append(" ").append(std::to_string(number)).append(" x").append(std::to_string(times));
    }
    return text;
}

class SystemCalls : public ::testing::TestWithParam<const char*> {
protected:
    static Pair pair() { return std::string(GetParam()) == "tcp" ? tcp_pair() : unix_pair(); }
    static void await(Socket& socket, std::size_t size) {
        std::string room(size, '\0');
        must(socket.recv_into(room, MSG_PEEK | MSG_WAITALL));
    }
    // What `body` does with a pair that has `sent` waiting in its queue.
    template <class Body> void run(Timeout timeout, const std::string& sent, Body body) {
        if (!count(calls_, [&] {
                Pair both = pair();
                if (!sent.empty()) {
                    must(both.there.sendall(sent));
                    await(both.here, sent.size());
                }
                must(both.here.settimeout(timeout));
                begin_or_end();
                body(both.here);
                begin_or_end();
            })) {
            GTEST_SKIP() << "the system does not let a process trace its child";
        }
    }

    Calls calls_;
};
INSTANTIATE_TEST_SUITE_P(Families, SystemCalls, ::testing::Values("tcp", "unix"),
                         [](const auto& one) { return std::string(one.param); });

TEST_P(SystemCalls, Strm5AReadIsOneReceive) {
    run(Timeout::none(), std::string(4000, 'x'), [](Socket& here) { EXPECT_EQ(must(here.read(4000)).size(), 4000u); });
    EXPECT_EQ(calls_, (Calls{{SYS_recvfrom, 1}})) << list(calls_);
}

// What is there is not waited for.
TEST_P(SystemCalls, Time2AReadWithATimeoutIsOneReceive) {
    run(Timeout(10s), std::string(4000, 'x'), [](Socket& here) { EXPECT_EQ(must(here.read(4000)).size(), 4000u); });
    EXPECT_EQ(calls_, (Calls{{SYS_recvfrom, 1}})) << list(calls_);
}

TEST_P(SystemCalls, Sock6AReceiveIsOne) {
    run(Timeout(10s), "abc", [](Socket& here) { EXPECT_EQ(must(here.recv(10)).size(), 3u); });
    EXPECT_EQ(calls_, (Calls{{SYS_recvfrom, 1}})) << list(calls_);
}

TEST_P(SystemCalls, Strm4AWriteIsOneSend) {
    run(Timeout::none(), "", [](Socket& here) { EXPECT_EQ(must(here.write("abc")), 3u); });
    EXPECT_EQ(calls_, (Calls{{SYS_sendto, 1}})) << list(calls_);
}

TEST_P(SystemCalls, Strm4AWriteWithATimeoutIsOneSend) {
    run(Timeout(10s), "", [](Socket& here) { EXPECT_EQ(must(here.write("abc")), 3u); });
    EXPECT_EQ(calls_, (Calls{{SYS_sendto, 1}})) << list(calls_);
}

// At most one system call per hundred lines, as a buffered reader of 4 KiB would have of lines of 40 bytes.
constexpr int lines = 2000;

void read_lines(Socket& here) {
    for (int i = 0; i < lines; ++i) ASSERT_EQ(must(here.readline()).size(), 32u);
}

std::string all_lines() {
    std::string text;
    for (int i = 0; i < lines; ++i) text += std::string(31, 'l') + "\n";
    return text;
}

TEST_P(SystemCalls, Strm5LinesCostNextToNone) {
    run(Timeout::none(), all_lines(), read_lines);
    if (IsSkipped()) return;
    EXPECT_GT(total(calls_), 0);
    EXPECT_LE(total(calls_), lines / 100) << list(calls_);
}

TEST_P(SystemCalls, Strm5LinesWithATimeoutCostNextToNone) {
    run(Timeout(10s), all_lines(), read_lines);
    if (IsSkipped()) return;
    EXPECT_GT(total(calls_), 0);
    EXPECT_LE(total(calls_), lines / 100) << list(calls_);
}

// Whoever asks for the descriptor pays three a line: whether a peek is to be trusted, a peek, and the line (TIME-9).
TEST_P(SystemCalls, Strm5LinesOfAnExposedSocketCostThree) {
    run(Timeout::none(), all_lines(), [](Socket& here) {
        (void)here.fileno();
        read_lines(here);
    });
    if (IsSkipped()) return;
    EXPECT_EQ(total(calls_), 3 * lines) << list(calls_);
}

// However many there are by then, a poll tells the system of a socket once.
TEST(SystemCallsOfPolls, Poll4RegisteringIsOneCallForEachSocket) {
    constexpr std::size_t many = 100;
    Calls calls;
    const bool counted = count(calls, [] {
        std::vector<Socket> sockets;
        for (std::size_t i = 0; i < many; ++i) sockets.push_back(must(Socket::open(AF_INET, SOCK_DGRAM)));
        Poll poll;
        begin_or_end();
        for (Socket& one : sockets) must(poll.register_(one, POLLIN));
        begin_or_end();
    });
    if (!counted) GTEST_SKIP() << "the system does not let a process trace its child";
    // A few more are the poller's own, as it opens and grows.
    EXPECT_LE(total(calls), static_cast<int>(many + many / 20)) << list(calls);
}

}  // namespace
}  // namespace usocket::tests
