// usocket.h: TLS. The other end is a thread with the same library.
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "identity.h"
#include "loopback.h"

static void make_server_context(usocket_context_t* context) {
    MUST(usocket_context_init(context));
    MUST(usocket_context_set_cert_key(context, usocket_text(server_certificate()), usocket_text(server_key())));
    MUST(usocket_context_set_cert_reqs(context, USOCKET_CERT_NONE));
    MUST(usocket_context_set_alpn_protocols(context, usocket_text("line/1")));
}

static void make_client_context(usocket_context_t* context) {
    MUST(usocket_context_init(context));
    MUST(usocket_context_load_verify_locations(context, usocket_text(issuer_certificate())));
    MUST(usocket_context_set_alpn_protocols(context, usocket_text("line/2,line/1")));
}

// Sends one line back.
static void* answer_line(void* argument) {
    usocket_socket_t* socket = argument;
    usocket_sink_t line;
    usocket_sink_init(&line);
    // The handshake is done by what needs it; the client may not like the certificate.
    if (usocket_readline(socket, USOCKET_NO_LIMIT, &line, NULL) == 0) {
        MUST(usocket_sendall(socket, usocket_sink_data(&line), usocket_sink_size(&line), 0, NULL));
        (void)usocket_shutdown(socket, SHUT_WR, NULL);
    }
    usocket_sink_destroy(&line);
    usocket_close(socket);
    return NULL;
}

static void* serve(void* argument) {
    usocket_context_t context;
    usocket_tls_options_t options;
    memset(&options, 0, sizeof options);
    options.server_side = true;
    make_server_context(&context);
    MUST(usocket_wrap(argument, &context, &options, NULL));
    usocket_context_destroy(&context);
    return answer_line(argument);
}

// What the client is told, as text.
static void tell(usocket_socket_t* socket, int fact, char text[64]) {
    usocket_sink_t sink;
    usocket_sink_init(&sink);
    MUST(usocket_tell(socket, fact, &sink));
    const size_t size = usocket_sink_size(&sink) < 63 ? usocket_sink_size(&sink) : 63;
    if (size != 0) memcpy(text, usocket_sink_data(&sink), size);
    text[size] = '\0';
    usocket_sink_destroy(&sink);
}

static usocket_error_t wrap_client(usocket_socket_t* socket, const char* hostname) {
    usocket_context_t context;
    usocket_tls_options_t options;
    memset(&options, 0, sizeof options);
    options.server_hostname = usocket_text(hostname);
    make_client_context(&context);
    usocket_error_t error = usocket_wrap(socket, &context, &options, NULL);
    if (error == 0) error = usocket_do_handshake(socket, NULL);
    usocket_context_destroy(&context);
    usocket_context_destroy(&context);  // once more does nothing
    return error;
}

// 256 as a byte is USOCKET_CERT_NONE.
TEST(TLS_1_a_demand_that_is_none_is_EINVAL) {
    const int wrong[] = {-1, 3, 99, 255, 256};
    usocket_context_t context;
    MUST(usocket_context_init(&context));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
        CHECK_EQ(usocket_context_set_cert_reqs(&context, wrong[i]), EINVAL);
    }
    MUST(usocket_context_set_cert_reqs(&context, USOCKET_CERT_OPTIONAL));
    usocket_context_destroy(&context);
}

TEST(TLS_3_a_wrapped_socket_has_all_functions) {
    pair_t pair;
    char text[64];
    make_tcp_pair(&pair);
    CHECK_EQ(usocket_do_handshake(&pair.here, NULL), ENOTCONN);
    pthread_t server;
    MUST(pthread_create(&server, NULL, serve, &pair.there));
    MUST(wrap_client(&pair.here, "localhost"));
    tell(&pair.here, USOCKET_TLS_VERSION, text);
    CHECK(strcmp(text, "TLSv1.3") == 0);
    tell(&pair.here, USOCKET_TLS_PROTOCOL, text);  // TLS-7
    CHECK(strcmp(text, "line/1") == 0);
    tell(&pair.here, USOCKET_TLS_CIPHER, text);
    CHECK(strncmp(text, "TLS_", 4) == 0);
    tell(&pair.here, USOCKET_TLS_IS_RESUMED, text);
    CHECK(text[0] == '\0');
    say(&pair.here, "hello\n");
    expect(&pair.here, "hello\n");
    char more;
    size_t count;
    MUST(usocket_recv(&pair.here, &more, 1, 0, &count, NULL));
    CHECK_EQ(count, 0);
    MUST(pthread_join(server, NULL));
    end_pair(&pair);
}

// What it accepts is a server's, with TLS.
TEST(TLS_2_a_listener_is_wrapped) {
    usocket_socket_t listener, client, conn;
    usocket_address_t address, from;
    usocket_context_t context;
    usocket_tls_options_t options;
    pthread_t server;
    memset(&options, 0, sizeof options);
    make_listener(&listener, &address);
    make_server_context(&context);
    CHECK_EQ(usocket_code(usocket_wrap(&listener, &context, &options, NULL)), EINVAL);
    options.server_side = true;
    MUST(usocket_wrap(&listener, &context, &options, NULL));
    usocket_context_destroy(&context);
    usocket_init(&client);
    usocket_init(&conn);
    MUST(usocket_open(&client, AF_INET, SOCK_STREAM, 0));
    MUST(usocket_connect(&client, &address, NULL));
    MUST(usocket_accept(&listener, &conn, &from, NULL));
    usocket_destroy(&listener);
    MUST(pthread_create(&server, NULL, answer_line, &conn));
    MUST(wrap_client(&client, "localhost"));
    say(&client, "hello\n");
    expect(&client, "hello\n");
    MUST(pthread_join(server, NULL));
    usocket_destroy(&client);
    usocket_destroy(&conn);
}

TEST(TLS_4_a_wrong_name_says_so) {
    pair_t pair;
    make_tcp_pair(&pair);
    pthread_t server;
    MUST(pthread_create(&server, NULL, serve, &pair.there));
    const usocket_error_t error = wrap_client(&pair.here, "example.org");
    CHECK_EQ(usocket_code(error), EACCES);
    CHECK(error > USOCKET_FIRST_FAULT && !usocket_is_fault(error));
    CHECK(strstr(usocket_message(error), "not for the name") != NULL);
    usocket_close(&pair.here);
    MUST(pthread_join(server, NULL));
    end_pair(&pair);
}
