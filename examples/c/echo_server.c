// Sends back each line that it gets: many connections in one thread, by a poll. Says at which port it listens, and ends
// on SIGINT or SIGTERM.
//
//     echo_server [PORT]
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <usocket/usocket.h>

enum { MOST_LINE = 4096 };

// One connection. What has not gone out yet waits in `line`.
typedef struct {
    usocket_socket_t socket;
    usocket_registration_t* registration;
    char line[MOST_LINE];
    size_t size, sent;
} client_t;

static usocket_poll_t poll_of_all;
static volatile sig_atomic_t has_to_end;

static void end(int number) {
    (void)number;
    has_to_end = 1;
    usocket_poll_wake(&poll_of_all);
}

static int failed(const char* what, usocket_error_t error) {
    fprintf(stderr, "%s: %s\n", what, usocket_message(error));
    return EXIT_FAILURE;
}

static void drop(client_t* client) {
    usocket_poll_unregister(&poll_of_all, client->registration);
    usocket_destroy(&client->socket);
    free(client);
}

static void greet(usocket_socket_t* listener) {
    client_t* client = malloc(sizeof *client);
    usocket_address_t from;
    if (client == NULL) return;
    client->size = client->sent = 0;
    usocket_init(&client->socket);
    usocket_error_t error = usocket_accept(listener, &client->socket, &from, NULL);
    if (error == 0) error = usocket_settimeout(&client->socket, usocket_at_once());
    if (error == 0) {
        error = usocket_poll_register(&poll_of_all, &client->socket, POLLIN, client, &client->registration);
    }
    if (error != 0) {
        usocket_destroy(&client->socket);
        free(client);
    }
}

// Reads a line and sends it back, as far as that can be done without waiting.
static usocket_error_t echo(client_t* client) {
    size_t count = 0;
    usocket_error_t error;
    if (client->sent == client->size) {
        error = usocket_readline_into(&client->socket, client->line, MOST_LINE, &client->size, NULL);
        client->sent = 0;
        if (error != 0) client->size = 0;
        if (error != 0) return error == EAGAIN ? 0 : error;
        if (client->size == 0) return EPIPE;  // the end
    }
    error = usocket_send(&client->socket, client->line + client->sent, client->size - client->sent, 0, &count, NULL);
    if (error != 0 && error != EAGAIN) return error;
    if (error == 0) client->sent += count;
    return usocket_poll_modify(&poll_of_all, client->registration, client->sent == client->size ? POLLIN : POLLOUT);
}

int main(int argc, char** argv) {
    usocket_socket_t listener;
    usocket_endpoint_t endpoint;
    usocket_failure_t failure;
    usocket_address_t address;
    usocket_decoded_t decoded;
    usocket_event_t events[64];
    size_t count;

    usocket_init(&listener);
    usocket_poll_init(&poll_of_all);
    memset(&endpoint, 0, sizeof endpoint);
    endpoint.host = usocket_text("127.0.0.1");
    endpoint.port = argc > 1 ? atoi(argv[1]) : 0;
    usocket_error_t error = usocket_create_server(&endpoint, &listener, &failure, NULL);
    if (error != 0) {
        fprintf(stderr, "%s\n", failure.message);
        return EXIT_FAILURE;
    }
    if ((error = usocket_settimeout(&listener, usocket_at_once())) != 0) return failed("settimeout", error);
    if ((error = usocket_getsockname(&listener, &address)) != 0) return failed("getsockname", error);
    if ((error = usocket_poll_register(&poll_of_all, &listener, POLLIN, NULL, NULL)) != 0) {
        return failed("register", error);
    }
    signal(SIGINT, end);
    signal(SIGTERM, end);
    usocket_address_decode(&address, &decoded);
    printf("%d\n", decoded.port);
    fflush(stdout);

    while (!has_to_end) {
        error = usocket_poll_wait(&poll_of_all, events, sizeof events / sizeof *events, usocket_no_timeout(), false,
                                  &count, NULL);
        if (error != 0) return failed("poll", error);
        for (size_t i = 0; i < count; ++i) {
            client_t* client = events[i].userdata;
            if (client == NULL) {
                greet(&listener);
            } else if (echo(client) != 0) {
                drop(client);
            }
        }
    }
    usocket_destroy(&listener);
    usocket_poll_destroy(&poll_of_all);
    return EXIT_SUCCESS;
}
