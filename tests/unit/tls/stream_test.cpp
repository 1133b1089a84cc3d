// TLS-3 TLS-5 TIME-1..6 STRM-1..4 POLL-5: a wrapped socket is a socket: what it moves, how it ends, what it waits for.
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <string>

#include "secure.hpp"
#include "tls_engine.hpp"

namespace usocket::tests {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

TEST(TlsStream, ReadAndWrite) {
    Pair pair = secure_pair();
    EXPECT_EQ(must(pair.here.write("over\nand out")), 12u);
    EXPECT_EQ(text(pair.there.readline()), "over\n");
    EXPECT_EQ(text(pair.there.read(7)), "and out");
    EXPECT_EQ(must(pair.there.send("reply")), 5u);
    EXPECT_EQ(text(pair.here.recv(100)), "reply");
}

TEST(TlsStream, MuchBothWays) {
    Pair pair = secure_pair();
    std::string much(3'000'000, 'm');
    for (std::size_t i = 0; i < much.size(); i += 7) much[i] = static_cast<char>(i);
    Background echo([&] {
        const Bytes all = must(pair.there.read(much.size()));
        must(pair.there.write(all.view()));
    });
    EXPECT_EQ(must(pair.here.write(std::string_view(much))), much.size());
    EXPECT_TRUE(text(pair.here.read(much.size())) == much);
}

// STRM-1: memory doubles, so it grows only a few times.
TEST(TlsStream, STRM_1_read_to_the_end_is_linear) {
    static int times;
    static std::string memory;
    times = 0;
    Sink sink(
        [](Sink& into, std::size_t capacity) noexcept {
            ++times;
            memory.resize(capacity);
            into.set_memory(reinterpret_cast<std::uint8_t*>(memory.data()), capacity);
            return true;
        },
        nullptr);
    Pair pair = secure_pair();
    const std::string much(4'000'000, 'm');
    Background writer([&] {
        must(pair.here.write(std::string_view(much)));
        pair.here.close();
    });
    must(pair.there.read_to(sink, Socket::no_limit));
    EXPECT_EQ(sink.size(), much.size());
    EXPECT_LT(times, 30);
}

TEST(TlsStream, CloseNotifyIsTheEnd) {
    Pair pair = secure_pair();
    must(pair.here.write("last"));
    pair.here.close();
    EXPECT_EQ(text(pair.there.read()), "last");
    EXPECT_EQ(text(pair.there.read()), "");
    EXPECT_EQ(text(pair.there.recv(5)), "");
}

// TLS-5: whoever can cut the connection could else make a whole message of a part.
TEST(TlsStream, CutOffIsAnErrorAfterWhatCameWhole) {
    Pair pair = secure_pair();
    must(pair.here.write("whole"));
    ASSERT_EQ(::shutdown(pair.here.fileno(), SHUT_WR), 0);
    EXPECT_EQ(text(pair.there.read(5)), "whole");
    EXPECT_EQ(pair.there.read(1).error(), Error(ECONNRESET));
    EXPECT_EQ(pair.there.recv(1).error(), Error(ECONNRESET));
}

// TIME-6: a read to the end that is cut off gives what it had got to the next one.
TEST(TlsStream, WhatCameBeforeTheCutIsNotLost) {
    Pair pair = secure_pair();
    must(pair.here.write("whole"));
    ASSERT_EQ(::shutdown(pair.here.fileno(), SHUT_WR), 0);
    EXPECT_EQ(pair.there.read().error(), Error(ECONNRESET));
    EXPECT_EQ(text(pair.there.read(5)), "whole");
}

TEST(TlsStream, TLS_5_what_is_left_after_a_cut_is_read_as_before_an_end) {
    for (const auto read : {+[](Socket& conn) { return conn.read(); }, +[](Socket& conn) { return conn.read(100); },
                            +[](Socket& conn) { return conn.readline(); }}) {
        Pair pair = secure_pair();
        must(pair.here.write("whole"));
        ASSERT_EQ(::shutdown(pair.here.fileno(), SHUT_WR), 0);
        EXPECT_EQ(read(pair.there).error(), Error(ECONNRESET));
        EXPECT_EQ(text(read(pair.there)), "whole");
        EXPECT_EQ(read(pair.there).error(), Error(ECONNRESET));
    }
}

TEST(TlsStream, HalfClosed) {
    Pair pair = secure_pair();
    must(pair.here.write("question"));
    must(pair.here.shutdown(SHUT_WR));
    EXPECT_EQ(text(pair.there.read()), "question");
    must(pair.there.write("answer"));
    pair.there.close();
    EXPECT_EQ(text(pair.here.read()), "answer");
}

// TIME-6, and what the timeouts of others' TLS do: the object is dead, its bytes are gone.
TEST(TlsStream, AReadThatTimedOutGoesOn) {
    Pair pair = secure_pair();
    must(pair.there.settimeout(Timeout(30ms)));
    must(pair.here.write("ab"));
    EXPECT_EQ(pair.there.read(4).error(), Error(ETIMEDOUT));
    EXPECT_EQ(pair.there.readline().error(), Error(ETIMEDOUT));
    must(pair.here.write("cd"));
    EXPECT_EQ(text(pair.there.read(4)), "abcd");
}

TEST(TlsStream, NonBlocking) {
    Pair pair = secure_pair();
    must(pair.there.setblocking(false));
    EXPECT_EQ(pair.there.recv(5).error(), Error(EAGAIN));
    EXPECT_EQ(pair.there.read(5).error(), Error(EAGAIN));
    must(pair.here.write("abc"));
    pollfd ready{pair.there.fileno(), POLLIN, 0};
    ASSERT_EQ(::poll(&ready, 1, 10'000), 1);
    EXPECT_EQ(text(pair.there.read(5)), "abc");
}

// TIME-10: what a write that timed out had begun goes out once, whoever goes on with it.
TEST(TlsStream, AWriteThatTimedOutGoesOn) {
    Pair pair = secure_pair();
    must(pair.here.settimeout(Timeout(20ms)));
    std::string much(8'000'000, 0);
    for (std::size_t i = 0; i < much.size(); ++i) much[i] = static_cast<char>(i * 2654435761u >> 13);
    std::string got;
    std::size_t done = 0;
    while (done < much.size()) {
        std::size_t sent = 0;
        const auto written = pair.here.write(ConstBuffer(much.data() + done, much.size() - done), sent);
        done += sent;
        if (written) break;
        ASSERT_EQ(written.error(), Error(ETIMEDOUT));
        must(pair.there.settimeout(Timeout(1ms)));
        for (int i = 0; i < 10; ++i) {
            if (const auto more = pair.there.recv(1 << 20)) got += more->view();
        }
    }
    pair.here.close();
    must(pair.there.settimeout(Timeout::none()));
    got += text(pair.there.read());
    EXPECT_EQ(got.size(), much.size());
    EXPECT_TRUE(got == much);
}

// The same with a socket that does not block, whose program waits for room and tries again.
TEST(TlsStream, ANonBlockingWriterLosesNothing) {
    Pair pair = secure_pair();
    must(pair.here.setblocking(false));
    must(pair.there.setblocking(false));
    std::string much(4'000'000, 0);
    for (std::size_t i = 0; i < much.size(); ++i) much[i] = static_cast<char>(i * 2654435761u >> 11);
    std::string got;
    std::size_t done = 0;
    while (got.size() < much.size()) {
        if (done < much.size()) {
            const auto sent = pair.here.send(ConstBuffer(much.data() + done, much.size() - done));
            ASSERT_TRUE(sent || sent.error() == Error(EAGAIN)) << sent.error().message();
            done += sent.value_or(0u);
        }
        const auto more = pair.there.recv(1 << 16);
        if (more) got += more->view();
    }
    EXPECT_TRUE(got == much);
}

// Tickets that nobody has read would make a reset of the end, and the peer would lose what is on its way to it.
TEST(TlsStream, TIME_4_what_was_counted_as_sent_arrives_after_a_close) {
    Pair pair = secure_pair();
    must(pair.here.setblocking(false));
    const std::string much(20'000'000, 'm');
    const std::size_t sent = must(pair.here.write(much));
    ASSERT_LT(sent, much.size());
    pair.here.close();
    std::size_t got = 0;
    for (;;) {
        const auto more = pair.there.recv(1 << 20);
        if (!more || more->empty()) break;
        got += more->size();
    }
    EXPECT_EQ(got, sent);
}

TEST(TlsStream, Peek) {
    Pair pair = secure_pair();
    must(pair.here.write("peeked"));
    EXPECT_EQ(text(pair.there.recv(4, MSG_PEEK)), "peek");
    EXPECT_EQ(text(pair.there.recv(100)), "peeked");
}

TEST(TlsStream, WhatHasNoMeaning) {
    Pair pair = secure_pair();
    std::array<char, 4> room{};
    EXPECT_EQ(pair.there.recv_into(room, MSG_OOB).error(), Error(EOPNOTSUPP));
    EXPECT_EQ(pair.there.send("x", MSG_OOB).error(), Error(EOPNOTSUPP));
    EXPECT_EQ(pair.there.dup().error(), Error(TlsFailure::not_shared));
    EXPECT_EQ(pair.there.detach().error(), Error(TlsFailure::not_shared));
    EXPECT_FALSE(pair.there.closed());
    TlsContext context = client_context();
    EXPECT_EQ(pair.here.wrap(context, {.server_hostname = "localhost"}).error(), Error(TlsFailure::wrapped_before));
}

// POLL-5: what a record brought and a call has left.
TEST(TlsStream, PollKnowsOfPlaintext) {
    Pair pair = secure_pair();
    Poll poll;
    must(poll.register_(pair.there, POLLIN, nullptr));
    Poll::Event events[1];
    EXPECT_EQ(must(poll.poll(events, Timeout(0ms))), 0u);
    must(pair.here.write("abcdef"));
    EXPECT_EQ(text(pair.there.read(2)), "ab");
    EXPECT_EQ(must(poll.poll(events, Timeout(10s))), 1u);
    EXPECT_EQ(pair.there.poll_now(POLLIN), static_cast<unsigned>(POLLIN));
    EXPECT_TRUE(pair.there.has_kept());
    EXPECT_EQ(text(pair.there.read(4)), "cdef");
    EXPECT_EQ(must(poll.poll(events, Timeout(0ms))), 0u);
    EXPECT_FALSE(pair.there.has_kept());
}

// POLL-3: the peer's close_notify alone, without the end of the connection, is the end.
TEST(TlsStream, PollKnowsOfTheEnd) {
    Pair pair = secure_pair();
    must(pair.here.write("x"));
    pair.here.close();
    Poll poll;
    must(poll.register_(pair.there, POLLIN, nullptr));
    Poll::Event events[1];
    EXPECT_EQ(text(pair.there.read(1)), "x");
    EXPECT_EQ(must(poll.poll(events, Timeout(10s))), 1u);
}

// After the handshake, with what else came in its last packets, nothing is readable that is not.
TEST(TlsStream, NothingIsReadableThatIsNot) {
    Pair pair = secure_pair();
    EXPECT_EQ(pair.there.poll_now(POLLIN), 0u);
    EXPECT_FALSE(pair.there.has_kept());
}

TEST(TlsStream, CloseEndsAReadOfAnotherThread) {
    Pair pair = secure_pair();
    Error error;
    Background reader([&] { error = pair.there.read(1).error(); });
    reader.await_asleep();
    pair.there.close();
    reader.join();
    EXPECT_EQ(error, Error(EBADF));
    EXPECT_EQ(pair.there.read(1).error(), Error(EBADF));
}

TEST(TlsStream, ReaderAndWriterAtOnce) {
    Pair pair = secure_pair();
    const std::string much(4'000'000, 'x');
    Background here_reads([&] { EXPECT_TRUE(text(pair.here.read(much.size())) == much); });
    Background there_reads([&] { EXPECT_TRUE(text(pair.there.read(much.size())) == much); });
    Background there_writes([&] { EXPECT_EQ(must(pair.there.write(std::string_view(much))), much.size()); });
    EXPECT_EQ(must(pair.here.write(std::string_view(much))), much.size());
}

// SOCK-10: nothing goes around TLS.
TEST(TlsStream, MessagesGoThroughItToo) {
    Pair pair = secure_pair();
    const std::array<ConstBuffer, 2> pieces{ConstBuffer("hello "), ConstBuffer("world")};
    EXPECT_EQ(must(pair.here.sendmsg(pieces)), 6u);
    std::array<char, 4> first{};
    std::array<char, 4> second{};
    const std::array<MutableBuffer, 2> rooms{MutableBuffer(first), MutableBuffer(second)};
    EXPECT_EQ(must(pair.there.recvmsg_into(rooms)).size, 6u);
    EXPECT_EQ(std::string(first.data(), 4) + std::string(second.data(), 2), "hello ");
    EXPECT_EQ(pair.here.sendmsg(pieces, "control").error(), Error(EOPNOTSUPP));
}

// SOCK-10: a file too, by a copy.
TEST(TlsStream, AFileGoesThroughIt) {
    std::string content(100'000, '\0');
    for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>('a' + i * 7 % 26);
    std::FILE* file = std::tmpfile();
    ASSERT_NE(file, nullptr);
    ASSERT_EQ(std::fwrite(content.data(), 1, content.size(), file), content.size());
    ASSERT_EQ(std::fflush(file), 0);
    for (const auto& [offset, count] : {std::pair<std::size_t, std::size_t>{0, Socket::whole_file}, {10, 50'000}}) {
        Pair pair = secure_pair();
        const std::string part = content.substr(offset, count);
        Background reader([&] { EXPECT_EQ(must(pair.there.read(part.size())).view(), part); });
        EXPECT_EQ(must(pair.here.sendfile(::fileno(file), offset, count)), part.size());
    }
    Pair pair = secure_pair();
    EXPECT_EQ(pair.here.sendfile(-1, 0, 1).error(), Error(EBADF));
    // One that does not block goes on where it stood.
    must(pair.here.setblocking(false));
    std::size_t sent = must(pair.here.sendfile(::fileno(file)));
    std::string got;
    while (got.size() != content.size()) {
        if (sent != content.size()) sent += pair.here.sendfile(::fileno(file), sent).value_or(0u);
        got += must(pair.there.recv(10'000)).view();
    }
    EXPECT_EQ(got, content);
    std::fclose(file);
}

// CPP-4, TIME-6: a stream is moved through TLS, on either side; what found no room is next in line.
TEST(TlsStream, SplicesFromAndIntoIt) {
    const std::string much(1'000'000, 's');
    for (const bool is_source_wrapped : {true, false}) {
        Pair from = is_source_wrapped ? secure_pair() : tcp_pair();
        Pair to = is_source_wrapped ? tcp_pair() : secure_pair();
        Background writer([&] {
            EXPECT_EQ(must(from.there.write(std::string_view(much))), much.size());
            must(from.there.shutdown(SHUT_WR));
        });
        must(from.here.settimeout(std::chrono::milliseconds(50)));
        std::size_t moved = 0;
        std::size_t total = 0;
        Background splicer([&] {
            for (bool has_ended = false; !has_ended; total += moved) {
                const auto done = from.here.splice(to.here, Socket::no_limit, moved);
                has_ended = done.has_value();
                EXPECT_TRUE(has_ended || done.error() == Error(ETIMEDOUT)) << done.error().message();
            }
            must(to.here.shutdown(SHUT_WR));
        });
        EXPECT_TRUE(text(to.there.read()) == much);
        splicer.join();
        EXPECT_EQ(total, much.size());
    }
}

TEST(TlsStream, LinesOutOfRecords) {
    Pair pair = secure_pair();
    std::string lines;
    for (int i = 0; i < 5000; ++i) lines += "line " + std::to_string(i) + "\n";
    Background writer([&] {
        must(pair.here.write(std::string_view(lines)));
        pair.here.close();
    });
    for (int i = 0; i < 5000; ++i) ASSERT_EQ(text(pair.there.readline()), "line " + std::to_string(i) + "\n");
    EXPECT_EQ(text(pair.there.readline()), "");
}

TEST(TlsStream, AGarbageRecord) {
    Pair pair = secure_pair();
    ASSERT_EQ(::send(pair.here.fileno(),
                     "\x17\x03\x03\x00\x20"
                     "not what the keys say, 32 bytes!",
                     37, 0),
              37);
    EXPECT_EQ(pair.there.read(1).error(), Error(TlsFailure::bad_record));
    EXPECT_EQ(pair.there.write("x").error(), Error(TlsFailure::bad_record));
}

// TLS-4: neither end waits for the other.
TEST(TlsStream, ThePeerLearnsOfWhatIsNoRecord) {
    for (const std::string_view record :
         {std::string_view("GET / HTTP/1.0\r\n\r\n"), "\x17\x03\x03\xff\xff too long"sv}) {
        Pair pair = secure_pair();
        must(pair.here.settimeout(10s));
        must(pair.there.settimeout(10s));
        ASSERT_EQ(::send(pair.here.fileno(), record.data(), record.size(), 0), static_cast<ssize_t>(record.size()));
        EXPECT_EQ(pair.there.read(1).error().code(), EPROTO);
        EXPECT_EQ(pair.here.read(1).error().code(), EPROTO);
    }
}

TEST(TlsStream, NotTlsAtAll) {
    Pair pair = tcp_pair();
    TlsContext server = server_context();
    must(pair.here.write("GET / HTTP/1.0\r\n\r\n"));
    EXPECT_EQ(pair.there.wrap(server, {.server_side = true}).error(), Error(TlsFailure::not_tls));
}

TEST(TlsStream, MovesAndStays) {
    Pair pair = secure_pair();
    Socket moved = std::move(pair.there);
    must(pair.here.write("abc"));
    EXPECT_EQ(text(moved.read(1)), "a");
    Socket again = std::move(moved);
    EXPECT_EQ(text(again.read(2)), "bc");
}

// SOCK-2 TIME-6: a write behind our own end is what it is on a plain socket, and reading goes on.
TEST(TlsStream, SOCK_2_a_write_after_shutdown_is_EPIPE_and_harms_nothing) {
    Pair pair = secure_pair();
    must(pair.here.shutdown(SHUT_WR));
    EXPECT_EQ(pair.here.write("x").error(), Error(EPIPE));
    must(pair.there.write("still\n"));
    EXPECT_EQ(text(pair.here.readline()), "still\n");
}

// TLS-5: what has come is read, and so is the end, though nothing can be sent any more. The peer stays: a close() with
// bytes unread would be a reset, which takes what is still on its way along (RFC 2525, section 2.17).
TEST(TlsStream, TLS_5_what_came_is_read_though_ciphertext_cannot_go_out) {
    Pair pair = secure_pair();
    must(pair.here.setsockopt(SOL_SOCKET, SO_SNDBUF, 65536));  // else it grows with what comes
    must(pair.here.settimeout(50ms));
    EXPECT_EQ(pair.here.write(std::string(8'000'000, 'x')).error(), Error(ETIMEDOUT));
    must(pair.there.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1));
    must(pair.there.write("hello\n"));
    must(pair.there.write("world\n"));
    must(pair.there.shutdown(SHUT_WR));
    must(pair.here.settimeout(10s));
    EXPECT_EQ(text(pair.here.readline()), "hello\n");
    EXPECT_EQ(text(pair.here.readline()), "world\n");
    EXPECT_EQ(text(pair.here.readline()), "");
}

// POLL-5: a write that goes through the handshake first takes nothing that is behind it.
TEST(TlsStream, POLL_5_a_write_that_shakes_hands_leaves_the_request_to_be_polled) {
    if (!client_ends_the_handshake) GTEST_SKIP() << "the server is the last to speak: no request comes before";
    TlsContext client = client_context();
    TlsContext server = server_context();
    Pair pair = tcp_pair();
    must(pair.here.wrap(server, {.server_side = true, .do_handshake = false}));
    Poll poll;
    must(poll.register_(pair.here, POLLIN));
    std::atomic<bool> has_asked{false};
    Background other([&] {
        must(pair.there.wrap(client, {.server_hostname = "localhost"}));
        must(pair.there.write("request\n"));
        has_asked = true;
        EXPECT_EQ(text(pair.there.readline()), "hello\n");
    });
    must(pair.here.setblocking(false));
    while ((pair.here.poll_now(POLLIN) & POLLIN) == 0) std::this_thread::yield();
    // Our part of it goes out; the peer may be as quick as to be through with it.
    const Error shaken = pair.here.do_handshake().error();
    EXPECT_TRUE(shaken == Error(EAGAIN) || shaken == Error()) << shaken.message();
    while (!has_asked) std::this_thread::yield();
    must(pair.here.setblocking(true));
    must(pair.here.write("hello\n"));
    Poll::Event event[1];
    EXPECT_EQ(must(poll.poll(event, 1, Timeout::of_nanoseconds(10'000'000'000))), 1u);
    EXPECT_EQ(text(pair.here.readline()), "request\n");
}

// As on a plain socket: who has shut reading is told that there is nothing more.
TEST(TlsStream, TLS_5_reading_that_this_side_has_shut_is_at_its_end) {
    Pair pair = secure_pair();
    must(pair.here.shutdown(SHUT_RDWR));
    EXPECT_EQ(text(pair.here.read(1)), "");
    EXPECT_EQ(text(pair.here.readline()), "");
}

// TIME-6: what came before TLS would pass for what it protects.
TEST(TlsStream, TIME_6_what_was_received_before_it_has_to_be_read_first) {
    TlsContext client = client_context();
    TlsContext server = server_context();
    Pair pair = tcp_pair();
    must(pair.there.write("STARTTLS\nquit\n"));
    must(pair.here.settimeout(20ms));
    EXPECT_EQ(pair.here.read(100).error(), Error(ETIMEDOUT));
    EXPECT_EQ(text(pair.here.readline()), "STARTTLS\n");
    must(pair.here.settimeout(10s));
    EXPECT_EQ(pair.here.wrap(server, {.server_side = true}).error(), Error(TlsFailure::unread));
    EXPECT_EQ(text(pair.here.readline()), "quit\n");
    std::swap(pair.here, pair.there);
    EXPECT_EQ(handshake(pair, client, server).server, Error());
}

// TLS-3: a peer that has room for small records gets small ones (RFC 6066, section 4): more of them than fit one piece
// of ciphertext.
TEST(TlsStream, TLS_3_small_records_for_a_peer_that_asks_for_them) {
    Pair pair = tcp_pair();
    TlsContext server = server_context();
    std::string much(200'000, 's');
    for (std::size_t i = 0; i < much.size(); i += 3) much[i] = static_cast<char>(i);
    std::string got;
    const int fd = pair.there.fileno();
    Background client([&] {
        SSL_CTX* ctx = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
        SSL_CTX_set_tlsext_max_fragment_length(ctx, TLSEXT_max_fragment_length_512);
        SSL* ssl = SSL_new(ctx);
        SSL_set_fd(ssl, fd);
        EXPECT_EQ(SSL_connect(ssl), 1);
        char room[4096];
        for (int count = 1; count > 0;) {
            count = SSL_read(ssl, room, sizeof room);
            if (count > 0) got.append(room, static_cast<std::size_t>(count));
        }
        SSL_free(ssl);
        SSL_CTX_free(ctx);
    });
    must(pair.here.wrap(server, {.server_side = true}));
    EXPECT_EQ(must(pair.here.write(std::string_view(much))), much.size());
    pair.here.close();
    client.join();
    EXPECT_TRUE(got == much);
}

// TIME-6: what a record brought is the parent's alone.
TEST(TlsStream, TIME_6_a_child_of_fork_has_none_of_what_is_kept) {
    Pair pair = secure_pair();
    must(pair.there.write("first\nsecond\n"));
    EXPECT_EQ(text(pair.here.readline()), "first\n");
    ASSERT_TRUE(pair.here.has_kept());
    const pid_t child = ::fork();
    if (child == 0) {
        const auto refused = Error(TlsFailure::other_process);
        const bool is_refused = pair.here.recv(3, MSG_PEEK).error() == refused &&
                                pair.here.readline().error() == refused && pair.here.recv(3).error() == refused;
        ::_exit(is_refused ? 0 : 1);
    }
    int status = 1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(text(pair.here.readline()), "second\n");
}

// TLS-3: a child of fork can do nothing to a connection that is the parent's.
TEST(TlsStream, TLS_3_a_child_of_fork_does_not_end_it) {
    TlsContext client = client_context();
    TlsContext server = server_context();
    Pair pair = tcp_pair();
    must(pair.here.wrap(client, {.server_hostname = "localhost", .do_handshake = false}));
    const pid_t child = ::fork();
    if (child == 0) {
        const bool is_refused = pair.here.shutdown(SHUT_WR).error() == Error(TlsFailure::other_process) &&
                                pair.here.version().error() == Error(TlsFailure::other_process);
        ::_exit(is_refused ? 0 : 1);
    }
    int status = 1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    Background other([&] { must(pair.there.wrap(server, {.server_side = true})); });
    must(pair.here.do_handshake());
    other.join();
}

}  // namespace
}  // namespace usocket::tests
