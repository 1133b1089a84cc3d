"""Sends every datagram back to where it came from: udp_echo_server.py [PORT]

Listens on 127.0.0.1, on a free port unless told which, and prints the port. uselect.poll waits, so that a device
could watch its other sockets and its buttons in the same loop.
"""

import sys

import uselect
import usocket


def main() -> None:
    port = int(sys.argv[1]) if len(sys.argv) == 2 else 0
    sock = usocket.socket(usocket.AF_INET, usocket.SOCK_DGRAM)
    sock.bind(usocket.getaddrinfo("127.0.0.1", port, 0, usocket.SOCK_DGRAM)[0][-1])
    print("listening on 127.0.0.1 port", usocket.sockaddr(sock.getsockname())[2])
    sys.stdout.flush()

    poller = uselect.poll()
    poller.register(sock, uselect.POLLIN)
    while True:
        for _ in poller.poll():
            data, address = sock.recvfrom(65535)
            sock.sendto(data, address)


if __name__ == "__main__":
    main()
