// usocket.h: polling, messages, files, memory.
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loopback.h"

TEST(POLL_1_what_is_ready_and_whose_it_is) {
    pair_t pair;
    make_tcp_pair(&pair);
    usocket_poll_t poll;
    usocket_poll_init(&poll);
    usocket_registration_t* registration = NULL;
    int mine = 0;
    MUST(usocket_poll_register(&poll, &pair.here, POLLIN, &mine, &registration));
    CHECK(registration != NULL);
    CHECK_EQ(usocket_poll_size(&poll), 1);
    usocket_event_t events[4];
    size_t count;
    MUST(usocket_poll_wait(&poll, events, 4, usocket_ms(1), false, &count, NULL));
    CHECK_EQ(count, 0);
    say(&pair.there, "x");
    MUST(usocket_poll_wait(&poll, events, 4, usocket_no_timeout(), false, &count, NULL));
    CHECK_EQ(count, 1);
    CHECK(events[0].userdata == &mine && events[0].registration == registration);
    CHECK_EQ(events[0].fd, usocket_fileno(&pair.here));
    CHECK_EQ(events[0].events, POLLIN);
    MUST(usocket_poll_modify(&poll, registration, POLLOUT));
    MUST(usocket_poll_wait(&poll, events, 4, usocket_no_timeout(), true, &count, NULL));
    CHECK_EQ(events[0].events, POLLOUT);
    MUST(usocket_poll_wait(&poll, events, 4, usocket_at_once(), false, &count, NULL));
    CHECK_EQ(count, 0);  // it was asked for one time
    CHECK_EQ(usocket_code(usocket_poll_wait(&poll, events, 0, usocket_ms(1), false, &count, NULL)), EINVAL);
    usocket_poll_unregister(&poll, registration);
    CHECK_EQ(usocket_poll_size(&poll), 0);
    usocket_poll_destroy(&poll);
    end_pair(&pair);
}

TEST(POLL_2_any_descriptor) {
    int ends[2];
    MUST(pipe(ends));
    usocket_poll_t poll;
    usocket_poll_init(&poll);
    MUST(usocket_poll_register_fd(&poll, ends[0], POLLIN, NULL, NULL));
    CHECK_EQ(write(ends[1], "x", 1), 1);
    usocket_event_t event;
    size_t count;
    MUST(usocket_poll_wait(&poll, &event, 1, usocket_no_timeout(), false, &count, NULL));
    CHECK_EQ(count, 1);
    CHECK_EQ(event.fd, ends[0]);
    CHECK_EQ(usocket_poll_register_fd(&poll, -1, POLLIN, NULL, NULL), EBADF);
    usocket_poll_destroy(&poll);
    close(ends[0]);
    close(ends[1]);
}

TEST(POLL_3_a_closed_socket_says_so) {
    pair_t pair;
    make_tcp_pair(&pair);
    usocket_poll_t poll;
    usocket_poll_init(&poll);
    MUST(usocket_poll_register(&poll, &pair.here, POLLIN, NULL, NULL));
    usocket_destroy(&pair.here);
    usocket_event_t event;
    size_t count;
    MUST(usocket_poll_wait(&poll, &event, 1, usocket_no_timeout(), false, &count, NULL));
    CHECK_EQ(count, 1);
    CHECK_EQ(event.fd, -1);
    CHECK((event.events & POLLNVAL) != 0);
    usocket_poll_destroy(&poll);
    end_pair(&pair);
}

static void* wake(void* poll) {
    usocket_poll_wake(poll);
    return NULL;
}

TEST(POLL_6_another_thread_ends_the_wait) {
    usocket_poll_t poll;
    usocket_poll_init(&poll);
    pthread_t waker;
    MUST(pthread_create(&waker, NULL, wake, &poll));
    usocket_event_t event;
    size_t count = 1;
    MUST(usocket_poll_wait(&poll, &event, 1, usocket_no_timeout(), false, &count, NULL));
    CHECK_EQ(count, 0);
    MUST(pthread_join(waker, NULL));
    usocket_poll_destroy(&poll);
}

static void* pass_the_word(void* word) {
    __atomic_store_n((uint32_t*)word, 1, __ATOMIC_SEQ_CST);
    usocket_wake_word(word);
    return NULL;
}

TEST(POLL_6_a_word_to_sleep_on) {
    static uint32_t word;
    pthread_t other;
    MUST(pthread_create(&other, NULL, pass_the_word, &word));
    while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0) {
        usocket_sleep_on_word(&word, 0, -1);
    }
    MUST(pthread_join(other, NULL));
}

// --- Messages

TEST(SOCK_10_pieces_and_descriptors) {
    pair_t pair;
    make_pair(&pair, SOCK_STREAM);
    int ends[2];
    MUST(pipe(ends));
    union {
        struct cmsghdr aligned;
        char bytes[128];
    } memory;
    usocket_room_t room = {memory.bytes, sizeof memory.bytes};
    size_t used = 0, count;
    usocket_ancillary_t item = {SOL_SOCKET, SCM_RIGHTS, {&ends[1], sizeof ends[1]}};
    MUST(usocket_ancillary_add(room, &used, &item));
    CHECK_EQ(used, usocket_ancillary_space(sizeof ends[1]));
    usocket_room_t none = {memory.bytes, 3};
    size_t nothing = 0;
    CHECK_EQ(usocket_ancillary_add(none, &nothing, &item), ENOBUFS);

    const usocket_bytes_t pieces[] = {{"one ", 4}, {"message", 7}};
    usocket_bytes_t control = {memory.bytes, used};
    MUST(usocket_sendmsg(&pair.here, pieces, 2, control, 0, NULL, &count, NULL));
    CHECK_EQ(count, 11);

    char first[6], second[8];
    usocket_room_t rooms[] = {{first, sizeof first}, {second, sizeof second}};
    usocket_message_t message;
    memset(&message, 0, sizeof message);
    message.pieces = rooms;
    message.pieces_count = 2;
    message.control = room;
    MUST(usocket_recvmsg(&pair.there, &message, NULL));
    CHECK_EQ(message.size, 11);
    CHECK(memcmp(first, "one me", 6) == 0 && memcmp(second, "ssage", 5) == 0);
    control.size = message.control.size;
    size_t position = 0;
    CHECK(usocket_ancillary_next(control, &position, &item));
    CHECK_EQ(item.type, SCM_RIGHTS);
    int passed;
    CHECK_EQ(item.data.size, sizeof passed);
    memcpy(&passed, item.data.data, sizeof passed);
    CHECK(!usocket_ancillary_next(control, &position, &item));
    CHECK_EQ(write(passed, "x", 1), 1);
    char letter = 0;
    CHECK_EQ(read(ends[0], &letter, 1), 1);
    CHECK_EQ(letter, 'x');
    close(passed);
    close(ends[0]);
    close(ends[1]);
    end_pair(&pair);
}

TEST(SOCK_10_a_file) {
    pair_t pair;
    make_tcp_pair(&pair);
    FILE* file = tmpfile();
    CHECK(file != NULL);
    fputs("what is in the file", file);
    fflush(file);
    size_t sent = 0;
    MUST(usocket_sendfile(&pair.here, fileno(file), 5, 8, &sent, NULL));
    CHECK_EQ(sent, 8);
    expect(&pair.there, "is in th");
    fclose(file);
    end_pair(&pair);
}

// --- Memory

static size_t resized;
static bool refuses;

static void* resize(void* memory, size_t size) {
    ++resized;
    if (size == 0) {
        free(memory);
        return NULL;
    }
    return refuses ? NULL : realloc(memory, size);
}

TEST(CPP_2_memory_is_the_hosts) {
    usocket_set_resize(resize);
    pair_t pair;
    make_tcp_pair(&pair);
    usocket_sink_t sink;
    usocket_sink_init(&sink);
    refuses = true;
    CHECK(!usocket_sink_reserve(&sink, 100));
    say(&pair.there, "kept\n");
    CHECK_EQ(usocket_readline(&pair.here, USOCKET_NO_LIMIT, &sink, NULL), ENOMEM);
    refuses = false;
    MUST(usocket_readline(&pair.here, USOCKET_NO_LIMIT, &sink, NULL));
    CHECK(memcmp(usocket_sink_data(&sink), "kept\n", 5) == 0);
    usocket_sink_destroy(&sink);
    CHECK(resized > 2);
    end_pair(&pair);
}
