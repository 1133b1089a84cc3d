// Sends lines of text to an echo server and prints what comes back, all of it in so many seconds.
//
//     echo_client HOST PORT SECONDS TEXT...
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <usocket/usocket.h>

static int failed(const char* what, const char* why) {
    fprintf(stderr, "%s: %s\n", what, why);
    return EXIT_FAILURE;
}

int main(int argc, char** argv) {
    usocket_socket_t socket;
    usocket_endpoint_t endpoint;
    usocket_failure_t failure;
    usocket_timeout_t timeout;
    usocket_sink_t line;
    if (argc < 4) return failed("usage", "echo_client HOST PORT SECONDS TEXT...");

    usocket_error_t error = usocket_seconds(atof(argv[3]), &timeout);
    if (error != 0) return failed(argv[3], usocket_message(error));
    const usocket_deadline_t deadline = usocket_deadline_after(timeout);
    memset(&endpoint, 0, sizeof endpoint);
    endpoint.host = usocket_text(argv[1]);
    endpoint.service = usocket_text(argv[2]);
    usocket_init(&socket);
    error = usocket_create_connection(&endpoint, &socket, &failure, USOCKET_BY(deadline));
    if (error != 0) return failed("connect", failure.message);

    usocket_sink_init(&line);
    for (int i = 4; i < argc && error == 0; ++i) {
        usocket_sink_clear(&line);
        error = usocket_sendall(&socket, argv[i], strlen(argv[i]), 0, USOCKET_BY(deadline));
        if (error == 0) error = usocket_sendall(&socket, "\n", 1, 0, USOCKET_BY(deadline));
        if (error == 0) error = usocket_readline(&socket, USOCKET_NO_LIMIT, &line, USOCKET_BY(deadline));
        if (error == 0) printf("%.*s", (int)usocket_sink_size(&line), (const char*)usocket_sink_data(&line));
    }
    usocket_sink_destroy(&line);
    usocket_destroy(&socket);
    return error == 0 ? EXIT_SUCCESS : failed("echo", usocket_message(error));
}
