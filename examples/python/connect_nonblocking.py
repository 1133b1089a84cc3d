"""Connects without waiting: connect_nonblocking.py HOST PORT [TIMEOUT_MS]

A non-blocking connect() only starts the attempt and raises EINPROGRESS. The socket is ready for POLLOUT when the
attempt is over, and the option SO_ERROR says how it ended. Meanwhile the program has its hands free.
"""

import sys

import uerrno
import uselect
import usocket


def start(address: bytes) -> usocket.socket:
    sock = usocket.socket(usocket.sockaddr(address)[0], usocket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        sock.connect(address)
    except OSError as error:
        if error.args[0] != uerrno.EINPROGRESS:
            raise
    return sock


def main() -> None:
    if len(sys.argv) not in (3, 4):
        print("usage: connect_nonblocking.py HOST PORT [TIMEOUT_MS]")
        sys.exit(2)
    patience_ms = int(sys.argv[3]) if len(sys.argv) == 4 else 5000
    address = usocket.getaddrinfo(sys.argv[1], int(sys.argv[2]), 0, usocket.SOCK_STREAM)[0][-1]

    sock = start(address)
    poller = uselect.poll()
    poller.register(sock, uselect.POLLOUT)
    turns = 0
    while not poller.poll(10):
        turns += 1  # here a device would blink, measure, or serve somebody else
        if turns * 10 >= patience_ms:
            print("no answer")
            sys.exit(1)

    error = sock.getsockopt(usocket.SOL_SOCKET, usocket.SO_ERROR)
    if error:
        print("failed:", uerrno.errorcode.get(error, error))
        sys.exit(1)
    print("connected")
    sock.close()


if __name__ == "__main__":
    main()
