#include "loopback.h"

#include <string.h>
#include <sys/socket.h>

void make_listener(usocket_socket_t* listener, usocket_address_t* address) {
    usocket_init(listener);
    MUST(usocket_open(listener, AF_INET, SOCK_STREAM, 0));
    MUST(usocket_address_parse(address, usocket_text("127.0.0.1:0")));
    MUST(usocket_bind(listener, address));
    MUST(usocket_listen(listener, USOCKET_DEFAULT_BACKLOG));
    MUST(usocket_getsockname(listener, address));
}

void make_tcp_pair(pair_t* pair) {
    usocket_socket_t listener;
    usocket_address_t address;
    make_listener(&listener, &address);
    usocket_init(&pair->here);
    usocket_init(&pair->there);
    MUST(usocket_open(&pair->here, AF_INET, SOCK_STREAM, 0));
    MUST(usocket_connect(&pair->here, &address, NULL));
    MUST(usocket_accept(&listener, &pair->there, &address, NULL));
    usocket_destroy(&listener);
}

void make_pair(pair_t* pair, int type) {
    usocket_init(&pair->here);
    usocket_init(&pair->there);
    MUST(usocket_pair(&pair->here, &pair->there, AF_UNIX, type, 0));
}

void end_pair(pair_t* pair) {
    usocket_destroy(&pair->here);
    usocket_destroy(&pair->there);
}

void say(usocket_socket_t* socket, const char* text) {
    size_t count;
    MUST(usocket_write(socket, text, strlen(text), &count, NULL));
    CHECK_EQ(count, strlen(text));
}

void expect(usocket_socket_t* socket, const char* text) {
    char room[64];
    size_t count;
    CHECK(strlen(text) <= sizeof room);
    MUST(usocket_readinto(socket, room, strlen(text), &count, NULL));
    CHECK_EQ(count, strlen(text));
    CHECK(memcmp(room, text, count) == 0);
}
