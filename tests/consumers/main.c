/* What a user's first program in C does: one line over a TCP connection to itself, and an error looked at. */
#include <usocket/usocket.h>

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

/* Says where it went wrong; the exit status of main. */
static int failed(const char* what, usocket_error_t error) {
    printf("%s: %d %s\n", what, usocket_code(error), usocket_message(error));
    return 1;
}

int main(void) {
    usocket_endpoint_t endpoint = {{NULL, 0}, {NULL, 0}, 0, 0, NULL, 0, false};
    usocket_socket_t listener, client, conn;
    usocket_address_t address;
    usocket_decoded_t decoded;
    usocket_failure_t failure;
    usocket_error_t error;
    char line[16];
    uint8_t packed[16];
    size_t size;

    usocket_init(&listener);
    usocket_init(&client);
    usocket_init(&conn);
    endpoint.host = usocket_text("127.0.0.1");
    if ((error = usocket_create_server(&endpoint, &listener, NULL, NULL)) != 0) return failed("listen", error);
    if ((error = usocket_getsockname(&listener, &address)) != 0) return failed("getsockname", error);
    usocket_address_decode(&address, &decoded);
    endpoint.port = decoded.port;
    if ((error = usocket_create_connection(&endpoint, &client, &failure, NULL)) != 0) return failed("connect", error);
    if ((error = usocket_accept(&listener, &conn, &address, NULL)) != 0) return failed("accept", error);
    if ((error = usocket_write(&client, "hello\nworld", 11, &size, NULL)) != 0) return failed("write", error);
    if ((error = usocket_readline_into(&conn, line, sizeof line, &size, NULL)) != 0) return failed("readline", error);
    printf("%.*s", (int)size, line);
    if (usocket_inet_pton(AF_INET, usocket_text("1.2.3.4.5"), packed, &size) != EINVAL) return 1;
    printf("in C\n");
    usocket_destroy(&conn);
    usocket_destroy(&client);
    usocket_destroy(&listener);
    return 0;
}
