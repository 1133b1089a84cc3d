// usocket.h: addresses, resolving, constants, arguments.
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "loopback.h"

static usocket_inet_t inet(const char* host, int64_t port) {
    usocket_inet_t from = {usocket_text(host), port, 0, 0};
    return from;
}

TEST(ADDR_2_numbers_and_nothing_else) {
    usocket_address_t address;
    usocket_inet_t from = inet("127.0.0.1", 80);
    MUST(usocket_address_inet(&address, AF_INET, &from));
    usocket_decoded_t decoded;
    usocket_address_decode(&address, &decoded);
    CHECK_EQ(decoded.kind, USOCKET_INET);
    CHECK_EQ(decoded.family, AF_INET);
    CHECK_EQ(decoded.port, 80);
    CHECK(strcmp(decoded.host, "127.0.0.1") == 0);
    CHECK_EQ(decoded.host_size, 9);
    CHECK_EQ(usocket_address_payload(&address).size, 4);

    from = inet("localhost", 80);
    usocket_error_t error = usocket_address_inet(&address, AF_INET, &from);
    CHECK(usocket_is_fault(error) && usocket_is_name(error));
    CHECK_EQ(usocket_code(error), EINVAL);
    CHECK(strstr(usocket_message(error), "getaddrinfo") != NULL);
    CHECK_EQ(usocket_tuple_element(error), 0);
    from = inet("127.0.0.1", 65536);
    error = usocket_address_inet(&address, AF_INET, &from);  // ADDR-3
    CHECK(usocket_is_port(error));
    CHECK_EQ(usocket_tuple_element(error), 1);
}

TEST(ADDR_9_text_and_back) {
    static const char* const texts[] = {"127.0.0.1:80", "[::1]:443", "unix:/run/server"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
        usocket_address_t address;
        char text[USOCKET_ADDRESS_TEXT];
        MUST(usocket_address_parse(&address, usocket_text(texts[i])));
        CHECK_EQ(usocket_address_text(&address, text), strlen(texts[i]));
        CHECK(strcmp(text, texts[i]) == 0);
    }
    usocket_address_t address;
    CHECK(usocket_is_fault(usocket_address_parse(&address, usocket_text("nothing"))));
}

TEST(ADDR_6_native_addresses_are_checked) {
    struct sockaddr_in native;
    memset(&native, 0, sizeof native);
    native.sin_family = AF_INET;
    native.sin_port = htons(7);
    native.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    usocket_address_t address, other;
    usocket_bytes_t bytes = {&native, sizeof native};
    MUST(usocket_address_native(&address, bytes));
    usocket_inet_t from = inet("127.0.0.1", 7);
    MUST(usocket_address_inet(&other, AF_INET, &from));
    CHECK(usocket_address_equal(&address, &other));
    CHECK_EQ(usocket_address_bytes(&address).size, sizeof native);
    CHECK(memcmp(usocket_address_bytes(&address).data, &native, sizeof native) == 0);
    bytes.size = 3;
    CHECK(usocket_is_fault(usocket_address_native(&address, bytes)));
}

TEST(ADDR_8_parts_make_the_address_again) {
    usocket_address_t address, other;
    usocket_inet_t from = inet("127.0.0.1", 7);
    MUST(usocket_address_inet(&address, AF_INET, &from));
    from.host = usocket_address_payload(&address);
    MUST(usocket_address_from_parts(&other, AF_INET, &from));
    CHECK(usocket_address_equal(&address, &other));
    from.port = 65536;
    CHECK_EQ(usocket_tuple_element(usocket_address_from_parts(&other, AF_INET, &from)), 1);
    CHECK(usocket_is_fault(usocket_address_from_parts(&other, AF_INET6, &from)));
    MUST(usocket_parts_size(AF_INET, 3));
    CHECK(usocket_is_fault(usocket_parts_size(AF_INET, 2)));
}

TEST(ADDR_4_paths) {
    usocket_address_t address;
    usocket_decoded_t decoded;
    CHECK(usocket_takes_paths(AF_UNIX) && !usocket_takes_paths(AF_INET));
    MUST(usocket_address_path(&address, AF_UNIX, usocket_text("/run/x")));
    usocket_address_decode(&address, &decoded);
    CHECK_EQ(decoded.kind, USOCKET_UNIX);
    CHECK_EQ(usocket_address_payload(&address).size, 6);
    CHECK(usocket_is_fault(usocket_address_path(&address, AF_INET, usocket_text("/run/x"))));
}

TEST(ADDR_7_inet_pton_and_ntop) {
    uint8_t packed[16];
    char text[USOCKET_HOST_TEXT];
    size_t size;
    MUST(usocket_inet_pton(AF_INET, usocket_text("1.2.3.4"), packed, &size));
    CHECK_EQ(size, 4);
    CHECK_EQ(packed[3], 4);
    usocket_bytes_t bytes = {packed, 4};
    MUST(usocket_inet_ntop(AF_INET, bytes, text, &size));
    CHECK(strcmp(text, "1.2.3.4") == 0 && size == 7);
    CHECK_EQ(usocket_inet_pton(AF_INET, usocket_text("1.2.3"), packed, &size), EINVAL);
    CHECK(usocket_is_fault(usocket_inet_ntop(AF_INET6, bytes, text, &size)));
    CHECK_EQ(usocket_inet_pton(9999, usocket_text("1.2.3.4"), packed, &size), EAFNOSUPPORT);
}

TEST(GAI_1_entries_in_a_row) {
    usocket_query_t query;
    memset(&query, 0, sizeof query);
    query.host = usocket_text("127.0.0.1");
    query.has_port = true;
    query.port = 8080;
    usocket_addrinfo_list_t list;
    MUST(usocket_getaddrinfo(&query, &list, NULL));
    usocket_addrinfo_t entry;
    entry.next = list.first;
    size_t count = 0;
    while (usocket_addrinfo_next(&entry)) {
        char text[USOCKET_ADDRESS_TEXT];
        usocket_address_text(&entry.address, text);
        CHECK(strcmp(text, "127.0.0.1:8080") == 0);
        CHECK_EQ(entry.family, AF_INET);
        CHECK_EQ(entry.canonname.size, 0);
        ++count;
    }
    CHECK(count >= 2);  // of each type one
    usocket_addrinfo_free(&list);
    CHECK(list.first == NULL);
}

TEST(GAI_3_a_failure_is_the_resolvers_number) {
    usocket_query_t query;
    memset(&query, 0, sizeof query);
    query.host = usocket_text("no.such.host.invalid");
    query.flags = AI_NUMERICHOST;
    usocket_addrinfo_list_t list;
    const usocket_error_t error = usocket_getaddrinfo(&query, &list, NULL);
    CHECK_EQ(error, EAI_NONAME);
    CHECK(error < 0);
    CHECK_EQ(usocket_code(error), EAI_NONAME);
    CHECK(strcmp(usocket_message(error), gai_strerror(EAI_NONAME)) == 0);
    CHECK(list.first == NULL);
    usocket_addrinfo_free(&list);
    query.host = usocket_text("127.0.0.1");
    query.has_port = true;
    query.port = -1;
    CHECK(usocket_is_port(usocket_getaddrinfo(&query, &list, NULL)));
}

TEST(GAI_5_a_server_and_a_connection_by_name_and_port) {
    usocket_socket_t listener, client, conn;
    usocket_init(&listener);
    usocket_init(&client);
    usocket_init(&conn);
    usocket_endpoint_t endpoint;
    memset(&endpoint, 0, sizeof endpoint);
    endpoint.host = usocket_text("127.0.0.1");
    MUST(usocket_create_server(&endpoint, &listener, NULL, NULL));
    usocket_address_t address;
    usocket_decoded_t decoded;
    MUST(usocket_getsockname(&listener, &address));
    usocket_address_decode(&address, &decoded);
    endpoint.port = decoded.port;
    const usocket_deadline_t deadline = usocket_deadline_after(usocket_ms(10000));
    MUST(usocket_create_connection(&endpoint, &client, NULL, USOCKET_BY(deadline)));
    MUST(usocket_accept(&listener, &conn, &address, NULL));
    say(&client, "hello");
    expect(&conn, "hello");
    CHECK(usocket_gettimeout(&client).nanoseconds < 0);
    usocket_destroy(&client);
    usocket_destroy(&conn);
    usocket_close(&listener);

    usocket_failure_t failure;
    CHECK_EQ(usocket_create_connection(&endpoint, &client, &failure, NULL), ECONNREFUSED);
    CHECK(strncmp(failure.message, "127.0.0.1:", 10) == 0 && strstr(failure.message, "refused") != NULL);
    CHECK(usocket_is_closed(&client));
}

TEST(GAI_5_a_server_on_every_address) {
    usocket_socket_t listener;
    usocket_init(&listener);
    usocket_endpoint_t endpoint;
    memset(&endpoint, 0, sizeof endpoint);
    MUST(usocket_create_server(&endpoint, &listener, NULL, NULL));
    int listens = 0;
    MUST(usocket_getsockopt(&listener, SOL_SOCKET, SO_ACCEPTCONN, &listens));
    CHECK(listens);
    usocket_destroy(&listener);
    endpoint.port = 70000;
    CHECK(usocket_is_port(usocket_create_server(&endpoint, &listener, NULL, NULL)));
}

TEST(NAME_3_constants_by_name) {
    int64_t value = 0;
    CHECK(usocket_constant("SOL_SOCKET", 10, &value));
    CHECK_EQ(value, SOL_SOCKET);
    CHECK(usocket_constant("IPPROTO_SEC", 11, &value));
    CHECK_EQ(value, USOCKET_IPPROTO_SEC);
    CHECK(!usocket_constant("SOL_SOCKE", 9, &value));
    CHECK(!usocket_constant("", 0, &value));
    size_t count = 0;
    const usocket_constant_t* all = usocket_constants(&count);
    CHECK(count > 100);
    for (size_t i = 0; i < count; ++i) {
        CHECK(i == 0 || strcmp(all[i - 1].name, all[i].name) < 0);
        CHECK(usocket_constant(all[i].name, strlen(all[i].name), &value));
        CHECK_EQ(value, all[i].value);
    }
}

TEST(NAME_5_one_version) { CHECK(strcmp(usocket_version(), USOCKET_VERSION_STRING) == 0); }

TEST(SOCK_6_what_arguments_mean) {
    int number;
    size_t size;
    unsigned events;
    usocket_timeout_t timeout;
    MUST(usocket_arg_int(-5, &number));
    CHECK_EQ(number, -5);
    CHECK(usocket_is_fault(usocket_arg_int(INT64_C(1) << 40, &number)));
    MUST(usocket_arg_backlog(INT64_MIN, &number));
    CHECK(number < 0 && number != USOCKET_DEFAULT_BACKLOG);
    CHECK(usocket_is_fault(usocket_arg_events(-1, &events)));
    CHECK(usocket_is_fault(usocket_arg_bufsize(-1, &size)));
    MUST(usocket_arg_limit(true, -1, &size));
    CHECK(size == USOCKET_NO_LIMIT);
    MUST(usocket_arg_limit(false, 0, &size));
    CHECK(size == USOCKET_NO_LIMIT);
    CHECK(usocket_is_fault(usocket_arg_option_length(1025, &size)));
    MUST(usocket_arg_poll_timeout(-1, &timeout));
    CHECK(timeout.nanoseconds < 0);
    MUST(usocket_arg_makefile_mode(usocket_text("rwb")));
    CHECK(usocket_is_fault(usocket_arg_makefile_mode(usocket_text("r"))));
    MUST(usocket_tuple_size(AF_INET6, 4));
    CHECK(usocket_is_fault(usocket_tuple_size(AF_INET, 3)));

    char memory[10];
    usocket_room_t room = {memory, sizeof memory};
    MUST(usocket_arg_recv_part(&room, 4));
    CHECK_EQ(room.size, 4);
    CHECK(usocket_is_fault(usocket_arg_recv_part(&room, 5)));
    MUST(usocket_arg_read_part(&room, true, 100));
    CHECK_EQ(room.size, 4);
    usocket_bytes_t bytes = {memory, sizeof memory};
    MUST(usocket_arg_write_part(&bytes, 3, true, 4));
    CHECK(bytes.data == memory + 3 && bytes.size == 4);
    CHECK(usocket_is_fault(usocket_arg_write_part(&bytes, -1, false, 0)));
}

TEST(CPP_3_the_sizes_of_objects) {
    CHECK_EQ(usocket_size_of(USOCKET_SIZE_SOCKET), sizeof(usocket_socket_t));
    CHECK_EQ(usocket_size_of(USOCKET_SIZE_ADDRESS), sizeof(usocket_address_t));
    CHECK_EQ(usocket_size_of(USOCKET_SIZE_CALL), sizeof(usocket_call_t));
    CHECK_EQ(usocket_size_of(USOCKET_SIZE_SINK), sizeof(usocket_sink_t));
    CHECK_EQ(usocket_size_of(USOCKET_SIZE_POLL), sizeof(usocket_poll_t));
    CHECK_EQ(usocket_size_of(USOCKET_SIZE_CONNECTING), sizeof(usocket_connecting_t));
    CHECK_EQ(usocket_size_of(-1), 0);
    CHECK(sizeof(void*) != 8 || sizeof(usocket_socket_t) <= 32);
}
