"""Sends back what it gets, over TLS: tls_echo_server.py CERT-FILE KEY-FILE

One thread a connection. A handshake that is not through in ten seconds is given up, so that silent clients cost no more
than that. Listens on 127.0.0.1, on a free port, which it prints.
"""

import _thread
import sys

import usocket
import ussl


def echo(conn: usocket.socket, context: ussl.SSLContext) -> None:
    try:
        conn.settimeout(10)
        context.wrap_socket(conn, server_side=True)
        conn.settimeout(None)
        while True:
            data = conn.recv(65536)
            if not data:
                break
            conn.write(data)
    except OSError as error:
        print("a client:", error)
    finally:
        conn.close()


def main() -> None:
    if len(sys.argv) != 3:
        print("usage: tls_echo_server.py CERT-FILE KEY-FILE")
        sys.exit(2)
    context = ussl.SSLContext(ussl.PROTOCOL_TLS_SERVER)
    context.set_cert_key(sys.argv[1], sys.argv[2])
    listener = usocket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    print("listening on 127.0.0.1 port", usocket.sockaddr(listener.getsockname())[2])
    sys.stdout.flush()
    while True:
        conn, _ = listener.accept()
        _thread.start_new_thread(echo, (conn, context))


if __name__ == "__main__":
    main()
