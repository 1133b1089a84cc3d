"""Sends datagrams to an echo server and prints what comes back: udp_echo_client.py HOST PORT [TEXT...]

Datagrams get lost, so whoever sends one waits for the answer a while and then sends it again.
"""

import sys

import uselect
import usocket

TRIES = 5
WAIT_MS = 500


def ask(sock: usocket.socket, address: bytes, question: bytes) -> "bytes | None":
    """The answer, or None if none of the tries had one."""
    poller = uselect.poll()
    poller.register(sock, uselect.POLLIN)
    for _ in range(TRIES):
        sock.sendto(question, address)
        if poller.poll(WAIT_MS):
            data, sender = sock.recvfrom(65535)
            if sender == address:  # opaque addresses of the same endpoint are equal
                return data
    return None


def main() -> None:
    if len(sys.argv) < 3:
        print("usage: udp_echo_client.py HOST PORT [TEXT...]")
        sys.exit(2)
    info = usocket.getaddrinfo(sys.argv[1], int(sys.argv[2]), 0, usocket.SOCK_DGRAM)[0]
    sock = usocket.socket(info[0], info[1])
    for text in sys.argv[3:] or ["hello"]:
        answer = ask(sock, info[-1], text.encode())
        if answer is None:
            print("no answer to", text)
            sys.exit(1)
        print(answer.decode())
    sock.close()


if __name__ == "__main__":
    main()
