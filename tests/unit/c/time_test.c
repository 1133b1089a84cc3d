// usocket.h: timeouts, deadlines, signals, hosts.
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "loopback.h"

TEST(TIME_1_a_timeout_is_what_was_set) {
    usocket_socket_t socket;
    usocket_timeout_t timeout = usocket_no_timeout();
    usocket_init(&socket);
    MUST(usocket_open(&socket, AF_INET, SOCK_STREAM, 0));
    CHECK(usocket_gettimeout(&socket).nanoseconds < 0);
    CHECK(usocket_getblocking(&socket));
    MUST(usocket_seconds(1.5, &timeout));
    CHECK_EQ(timeout.nanoseconds, 1500000000);
    MUST(usocket_settimeout(&socket, timeout));
    CHECK_EQ(usocket_gettimeout(&socket).nanoseconds, 1500000000);
    MUST(usocket_setblocking(&socket, false));
    CHECK(!usocket_getblocking(&socket));
    CHECK_EQ(usocket_gettimeout(&socket).nanoseconds, 0);
    CHECK(usocket_is_fault(usocket_seconds(-1, &timeout)));
    CHECK_EQ(usocket_code(usocket_seconds(-1, &timeout)), EINVAL);
    usocket_destroy(&socket);
}

TEST(TIME_3_expired_is_ETIMEDOUT) {
    pair_t pair;
    make_tcp_pair(&pair);
    MUST(usocket_settimeout(&pair.here, usocket_ms(20)));
    char room[8];
    size_t count;
    CHECK_EQ(usocket_recv(&pair.here, room, sizeof room, 0, &count, NULL), ETIMEDOUT);
    CHECK_EQ(usocket_readinto(&pair.here, room, sizeof room, &count, NULL), ETIMEDOUT);
    end_pair(&pair);
}

TEST(TIME_10_one_deadline_for_several_calls) {
    pair_t pair;
    make_tcp_pair(&pair);
    say(&pair.there, "one\n");
    const usocket_deadline_t deadline = usocket_deadline_after(usocket_ms(50));
    CHECK(usocket_deadline_left(deadline).nanoseconds <= 50000000);
    char room[8];
    size_t count;
    MUST(usocket_readline_into(&pair.here, room, sizeof room, &count, USOCKET_BY(deadline)));
    CHECK_EQ(usocket_readline_into(&pair.here, room, sizeof room, &count, USOCKET_BY(deadline)), ETIMEDOUT);
    CHECK_EQ(usocket_deadline_left(deadline).nanoseconds, 1);
    CHECK_EQ(usocket_readline_into(&pair.here, room, sizeof room, &count, USOCKET_BY(deadline)), ETIMEDOUT);
    CHECK(usocket_deadline_after(usocket_no_timeout()).nanoseconds == 0);
    CHECK(usocket_deadline_left(usocket_deadline_after(usocket_no_timeout())).nanoseconds < 0);
    end_pair(&pair);
}

TEST(TIME_10_a_span_that_is_used_up_has_passed) {
    pair_t pair;
    make_tcp_pair(&pair);
    MUST(usocket_settimeout(&pair.here, usocket_ms(-5)));
    char room[8];
    size_t count;
    CHECK_EQ(usocket_recv(&pair.here, room, sizeof room, 0, &count, NULL), ETIMEDOUT);
    CHECK_EQ(usocket_ms(INT64_MAX).nanoseconds, INT64_MAX);
    end_pair(&pair);
}

TEST(TIME_10_a_write_says_how_much_went_out) {
    pair_t pair;
    make_tcp_pair(&pair);
    static char block[8 << 20];
    size_t count = 0;
    const usocket_deadline_t deadline = usocket_deadline_after(usocket_ms(50));
    CHECK_EQ(usocket_write(&pair.here, block, sizeof block, &count, USOCKET_BY(deadline)), ETIMEDOUT);
    CHECK(count > 0 && count < sizeof block);
    end_pair(&pair);
}

TEST(TIME_4_non_blocking_is_EAGAIN) {
    pair_t pair;
    make_tcp_pair(&pair);
    MUST(usocket_settimeout(&pair.here, usocket_at_once()));
    char room[8];
    size_t count;
    CHECK_EQ(usocket_recv(&pair.here, room, sizeof room, 0, &count, NULL), EAGAIN);
    usocket_sink_t sink;
    usocket_sink_init(&sink);
    CHECK_EQ(usocket_readline(&pair.here, USOCKET_NO_LIMIT, &sink, NULL), EAGAIN);
    usocket_sink_destroy(&sink);
    end_pair(&pair);
}

TEST(TIME_6_what_had_come_before_a_timeout_is_read_next) {
    pair_t pair;
    make_tcp_pair(&pair);
    MUST(usocket_settimeout(&pair.here, usocket_ms(20)));
    say(&pair.there, "par");
    usocket_sink_t sink;
    usocket_sink_init(&sink);
    CHECK_EQ(usocket_read(&pair.here, 7, &sink, NULL), ETIMEDOUT);
    CHECK_EQ(usocket_sink_size(&sink), 0);
    say(&pair.there, "tial");
    MUST(usocket_read(&pair.here, 7, &sink, NULL));
    CHECK(memcmp(usocket_sink_data(&sink), "partial", 7) == 0);
    usocket_sink_destroy(&sink);
    end_pair(&pair);
}

// --- A host

static int left, entered, asked;
static bool is_inside = true;

static void* leave(void) {
    CHECK(is_inside);
    is_inside = false;
    ++left;
    return &left;
}
static void enter(void* token) {
    CHECK(token == &left);
    is_inside = true;
    ++entered;
}
static bool give_up_the_third_time(void) {
    CHECK(is_inside);
    return ++asked == 3;
}

static void on_alarm(int number) { (void)number; }

static void alarm_every_ms(int milliseconds) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_alarm;
    MUST(sigaction(SIGALRM, &action, NULL));
    struct itimerval timer;
    timer.it_value.tv_sec = timer.it_interval.tv_sec = 0;
    timer.it_value.tv_usec = timer.it_interval.tv_usec = milliseconds * 1000;
    MUST(setitimer(ITIMER_REAL, &timer, NULL));
}

TEST(TIME_5_signals_end_nothing_unless_the_host_says_so) {
    static const usocket_host_t host = {leave, enter, give_up_the_third_time, false, false};
    pair_t pair;
    make_tcp_pair(&pair);
    left = entered = asked = 0;
    char room[8];
    size_t count;
    usocket_call_t call;
    const usocket_deadline_t none = usocket_deadline_after(usocket_no_timeout());
    say(&pair.there, "par");
    alarm_every_ms(2);
    CHECK_EQ(usocket_readinto(&pair.here, room, 7, &count, usocket_call_init(&call, &host, none)), EINTR);
    CHECK_EQ(asked, 3);
    CHECK(left >= 3 && left == entered && is_inside);
    // Without a host the deadline ends it, whatever the signals do.
    const usocket_deadline_t deadline = usocket_deadline_after(usocket_ms(30));
    CHECK_EQ(usocket_readinto(&pair.here, room, 7, &count, USOCKET_BY(deadline)), ETIMEDOUT);
    alarm_every_ms(0);
    say(&pair.there, "tial");
    expect(&pair.here, "partial");
    end_pair(&pair);
}

// --- A host whose signal handler jumps

static sigjmp_buf before_call;
static volatile sig_atomic_t jumps;

static void jump(int number) {
    (void)number;
    if (jumps) {
        jumps = 0;
        siglongjmp(before_call, 1);
    }
}

static int holds;

static void change_mask(int how) {
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    MUST(pthread_sigmask(how, &alarm, NULL));
}
static void hold(void) {
    if (holds++ == 0) change_mask(SIG_BLOCK);
}
static void release(void) {
    if (--holds == 0) change_mask(SIG_UNBLOCK);
}

static volatile sig_atomic_t resizing;

static void* resize_with_a_signal(void* memory, size_t size) {
    void* resized;
    resizing = 1;
    raise(SIGALRM);
    resized = realloc(memory, size == 0 ? 1 : size);
    resizing = 0;
    return size == 0 ? (free(resized), NULL) : resized;
}

static void jump_if_it_may(int number) {
    CHECK(!resizing);
    jump(number);
}

// A signal that comes while the heap is at work has to wait.
TEST(TIME_6_no_longjmp_out_of_the_heap) {
    static const usocket_host_t host = {NULL, NULL, NULL, true, false};
    static pair_t pair;
    static usocket_call_t call;
    static usocket_sink_t sink;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = jump_if_it_may;
    MUST(sigaction(SIGALRM, &action, NULL));
    usocket_set_signals(hold, release);
    usocket_set_resize(resize_with_a_signal);
    make_tcp_pair(&pair);
    MUST(usocket_setblocking(&pair.here, true));
    usocket_sink_init(&sink);
    say(&pair.there, "whole");
    usocket_call_init(&call, &host, usocket_deadline_after(usocket_no_timeout()));
    if (sigsetjmp(before_call, 1) == 0) {
        jumps = 1;
        (void)usocket_read(&pair.here, 5, &sink, &call);
        CHECK(!"the call came back");
    }
    usocket_unwound(&pair.here, &call);
    MUST(usocket_read(&pair.here, 5, &sink, NULL));
    CHECK(memcmp(usocket_sink_data(&sink), "whole", 5) == 0);
    usocket_sink_destroy(&sink);
    CHECK_EQ(holds, 0);
    end_pair(&pair);
}

TEST(TIME_6_a_longjmp_out_of_a_call_loses_nothing) {
    static const usocket_host_t host = {NULL, NULL, NULL, true, false};
    usocket_set_signals(hold, release);
    static pair_t pair;
    make_tcp_pair(&pair);
    MUST(usocket_setblocking(&pair.here, true));
    for (volatile int round = 0; round < 20; ++round) {
        static usocket_call_t call;
        static usocket_sink_t sink;
        usocket_sink_init(&sink);
        say(&pair.there, "par");
        alarm_every_ms(2);
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_handler = jump;
        MUST(sigaction(SIGALRM, &action, NULL));
        usocket_call_init(&call, &host, usocket_deadline_after(usocket_no_timeout()));
        if (sigsetjmp(before_call, 1) == 0) {
            jumps = 1;
            (void)usocket_read(&pair.here, 7, &sink, &call);
            CHECK(!"the call came back");
        }
        usocket_unwound(&pair.here, &call);
        alarm_every_ms(0);
        say(&pair.there, "tial");
        usocket_sink_init(&sink);
        MUST(usocket_read(&pair.here, 7, &sink, NULL));
        CHECK(memcmp(usocket_sink_data(&sink), "partial", 7) == 0);
        usocket_sink_destroy(&sink);
    }
    CHECK_EQ(holds, 0);
    end_pair(&pair);
}
