// usocket.h: sockets and their streams, as a stranger's program in C would use them.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loopback.h"

// Sends each line back, to the end.
static void* serve_echo(void* argument) {
    usocket_socket_t* listener = argument;
    usocket_socket_t conn;
    usocket_address_t from;
    usocket_sink_t line;
    usocket_init(&conn);
    usocket_sink_init(&line);
    MUST(usocket_accept(listener, &conn, &from, NULL));
    for (;;) {
        usocket_sink_clear(&line);
        MUST(usocket_readline(&conn, USOCKET_NO_LIMIT, &line, NULL));
        if (usocket_sink_size(&line) == 0) break;
        MUST(usocket_sendall(&conn, usocket_sink_data(&line), usocket_sink_size(&line), 0, NULL));
    }
    usocket_sink_destroy(&line);
    usocket_destroy(&conn);
    return NULL;
}

TEST(SOCK_5_STRM_3_an_echo_server_and_its_client) {
    usocket_socket_t listener, client;
    usocket_address_t address;
    make_listener(&listener, &address);
    pthread_t server;
    MUST(pthread_create(&server, NULL, serve_echo, &listener));
    usocket_init(&client);
    MUST(usocket_open(&client, AF_INET, SOCK_STREAM, 0));
    MUST(usocket_connect(&client, &address, NULL));
    say(&client, "one\ntwo\n");
    expect(&client, "one\ntwo\n");
    MUST(usocket_shutdown(&client, SHUT_WR, NULL));
    char more;
    size_t count;
    MUST(usocket_recv(&client, &more, 1, 0, &count, NULL));
    CHECK_EQ(count, 0);
    MUST(pthread_join(server, NULL));
    usocket_destroy(&client);
    usocket_destroy(&listener);
}

TEST(SOCK_1_what_a_socket_is) {
    usocket_socket_t socket;
    usocket_init(&socket);
    CHECK(usocket_is_closed(&socket));
    CHECK_EQ(usocket_fileno(&socket), -1);
    MUST(usocket_open(&socket, AF_INET, SOCK_DGRAM, 0));
    CHECK(!usocket_is_closed(&socket));
    CHECK_EQ(usocket_family(&socket), AF_INET);
    CHECK_EQ(usocket_type(&socket), SOCK_DGRAM);
    CHECK_EQ(usocket_proto(&socket), IPPROTO_UDP);
    CHECK((fcntl(usocket_fileno(&socket), F_GETFD) & FD_CLOEXEC) != 0);
    char text[256];
    const size_t size = usocket_describe(&socket, text, sizeof text);
    CHECK(size > 3 && size < sizeof text && memcmp(text, "fd=", 3) == 0);
    usocket_destroy(&socket);
    CHECK_EQ(usocket_open(&socket, AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    CHECK(usocket_is_closed(&socket));
}

TEST(SOCK_3_close_as_often_as_one_likes) {
    pair_t pair;
    make_pair(&pair, SOCK_STREAM);
    usocket_close(&pair.here);
    usocket_close(&pair.here);
    size_t count;
    char room[4];
    CHECK_EQ(usocket_send(&pair.here, "x", 1, 0, &count, NULL), EBADF);
    MUST(usocket_recv(&pair.there, room, sizeof room, 0, &count, NULL));
    CHECK_EQ(count, 0);
    CHECK_EQ(usocket_send(&pair.there, "x", 1, 0, &count, NULL), EPIPE);  // and no SIGPIPE (SOCK-2)
    end_pair(&pair);
    usocket_destroy(&pair.here);
}

static void* read_until_closed(void* argument) {
    char room[4];
    size_t count;
    CHECK_EQ(usocket_readinto(argument, room, sizeof room, &count, NULL), EBADF);
    return NULL;
}

TEST(SOCK_4_close_from_another_thread_ends_what_waits) {
    pair_t pair;
    make_tcp_pair(&pair);
    pthread_t reader;
    MUST(pthread_create(&reader, NULL, read_until_closed, &pair.here));
    usocket_close(&pair.here);
    MUST(pthread_join(reader, NULL));
    end_pair(&pair);
}

TEST(SOCK_6_datagrams_and_their_senders) {
    usocket_socket_t here, there;
    usocket_address_t address, from;
    usocket_init(&here);
    usocket_init(&there);
    MUST(usocket_open(&here, AF_INET, SOCK_DGRAM, 0));
    MUST(usocket_open(&there, AF_INET, SOCK_DGRAM, 0));
    MUST(usocket_address_parse(&address, usocket_text("127.0.0.1:0")));
    MUST(usocket_bind(&here, &address));
    MUST(usocket_bind(&there, &address));
    MUST(usocket_getsockname(&there, &address));
    size_t count;
    MUST(usocket_sendto(&here, "hello", 5, 0, &address, &count, NULL));
    CHECK_EQ(count, 5);
    char room[16];
    MUST(usocket_recvfrom(&there, room, sizeof room, 0, &from, &count, NULL));
    CHECK_EQ(count, 5);
    CHECK(memcmp(room, "hello", 5) == 0);
    MUST(usocket_getsockname(&here, &address));
    CHECK(usocket_address_equal(&address, &from));
    usocket_destroy(&here);
    usocket_destroy(&there);
}

TEST(SOCK_7_options_as_a_number_and_as_bytes) {
    pair_t pair;
    make_tcp_pair(&pair);
    int value = 0;
    MUST(usocket_setsockopt(&pair.here, IPPROTO_TCP, TCP_NODELAY, 1));
    MUST(usocket_getsockopt(&pair.here, IPPROTO_TCP, TCP_NODELAY, &value));
    CHECK(value != 0);
    struct linger linger = {1, 7}, got;
    usocket_bytes_t bytes = {&linger, sizeof linger};
    MUST(usocket_setsockopt_bytes(&pair.here, SOL_SOCKET, SO_LINGER, bytes));
    size_t size = sizeof got;
    MUST(usocket_getsockopt_bytes(&pair.here, SOL_SOCKET, SO_LINGER, &got, &size));
    CHECK_EQ(size, sizeof got);
    CHECK_EQ(got.l_linger, 7);
    CHECK_EQ(usocket_setsockopt(&pair.here, SOL_SOCKET, SO_LINGER, 0), EINVAL);
    end_pair(&pair);
}

TEST(SOCK_8_a_descriptor_changes_hands) {
    pair_t pair;
    make_pair(&pair, SOCK_STREAM);
    usocket_socket_t second;
    usocket_init(&second);
    MUST(usocket_dup(&pair.here, &second));
    say(&second, "from the copy");
    expect(&pair.there, "from the copy");
    int fd = -1;
    MUST(usocket_detach(&second, &fd));
    CHECK(usocket_is_closed(&second));
    CHECK_EQ(write(fd, "raw", 3), 3);
    expect(&pair.there, "raw");
    MUST(usocket_adopt(&second, fd));
    CHECK_EQ(usocket_fileno(&second), fd);
    CHECK_EQ(usocket_family(&second), AF_UNIX);
    usocket_destroy(&second);
    usocket_address_t address;
    MUST(usocket_getpeername(&pair.there, &address));
    end_pair(&pair);
}

TEST(STRM_1_read_to_the_end) {
    pair_t pair;
    make_tcp_pair(&pair);
    say(&pair.here, "all of it");
    usocket_close(&pair.here);
    usocket_sink_t sink;
    usocket_sink_init(&sink);
    MUST(usocket_read(&pair.there, 4, &sink, NULL));
    CHECK_EQ(usocket_sink_size(&sink), 4);
    CHECK(memcmp(usocket_sink_data(&sink), "all ", 4) == 0);
    usocket_sink_clear(&sink);
    MUST(usocket_read(&pair.there, USOCKET_NO_LIMIT, &sink, NULL));
    CHECK_EQ(usocket_sink_size(&sink), 5);
    CHECK(memcmp(usocket_sink_data(&sink), "of it", 5) == 0);
    CHECK(usocket_sink_capacity(&sink) >= 5);
    usocket_sink_data(&sink)[5] = '\0';  // there is room for it
    usocket_sink_destroy(&sink);
    CHECK(usocket_sink_data(&sink) == NULL);
    end_pair(&pair);
}

TEST(STRM_3_lines_with_and_without_a_limit) {
    pair_t pair;
    make_tcp_pair(&pair);
    say(&pair.here, "first\nsecond\nthe rest");
    usocket_close(&pair.here);
    usocket_sink_t line;
    usocket_sink_init(&line);
    MUST(usocket_readline(&pair.there, 3, &line, NULL));
    CHECK_EQ(usocket_sink_size(&line), 3);
    usocket_sink_clear(&line);
    MUST(usocket_readline(&pair.there, USOCKET_NO_LIMIT, &line, NULL));
    CHECK_EQ(usocket_sink_size(&line), 3);  // "st\n"
    usocket_sink_destroy(&line);
    char room[16];
    size_t count;
    MUST(usocket_readline_into(&pair.there, room, sizeof room, &count, NULL));
    CHECK_EQ(count, 7);
    CHECK(memcmp(room, "second\n", 7) == 0);
    MUST(usocket_readline_into(&pair.there, room, sizeof room, &count, NULL));
    CHECK_EQ(count, 8);
    MUST(usocket_readline_into(&pair.there, room, sizeof room, &count, NULL));
    CHECK_EQ(count, 0);
    end_pair(&pair);
}

// What a binding keeps with the socket, once that is registered.
TEST(SOCK_11_a_word_of_the_hosts) {
    pair_t pair;
    make_pair(&pair, SOCK_STREAM);
    CHECK(usocket_host_word(&pair.here) == NULL);
    usocket_poll_t poll;
    usocket_poll_init(&poll);
    usocket_registration_t* registration;
    MUST(usocket_poll_register(&poll, &pair.here, POLLIN, NULL, &registration));
    void** const word = usocket_host_word(&pair.here);
    CHECK(word != NULL && *word == NULL);
    *word = &pair;
    usocket_poll_unregister(&poll, registration);
    usocket_close(&pair.here);
    CHECK(usocket_host_word(&pair.here) == word && *word == &pair);
    usocket_poll_destroy(&poll);
    end_pair(&pair);
}

TEST(POLL_5_what_is_there_now) {
    pair_t pair;
    make_pair(&pair, SOCK_STREAM);
    CHECK_EQ(usocket_poll_now(&pair.here, POLLIN | POLLOUT), POLLOUT);
    say(&pair.there, "x");
    CHECK_EQ(usocket_poll_now(&pair.here, POLLIN | POLLOUT), POLLIN | POLLOUT);
    usocket_close(&pair.here);
    CHECK_EQ(usocket_poll_now(&pair.here, POLLIN), POLLNVAL);
    end_pair(&pair);
}
