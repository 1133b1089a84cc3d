"""Takes part in a chat: chat_client.py HOST PORT NAME

Sends what is typed, prints what the others say. Two threads share the socket, one for each direction; after the end
of the input (Ctrl-D) it says so to the server with shutdown() and leaves when the server has closed.
"""

import _thread
import sys

import usocket


def send_input(sock: usocket.socket, name: str) -> None:
    line = name + "\n"
    try:
        while line:
            sock.write(line.encode())
            line = sys.stdin.readline()
        sock.shutdown(usocket.SHUT_WR)
    except OSError:
        pass  # the server has gone; the other thread sees that too


def main() -> None:
    if len(sys.argv) != 4:
        print("usage: chat_client.py HOST PORT NAME")
        sys.exit(2)
    sock = usocket.socket()
    sock.connect(usocket.getaddrinfo(sys.argv[1], int(sys.argv[2]), usocket.AF_INET, usocket.SOCK_STREAM)[0][-1])
    _thread.start_new_thread(send_input, (sock, sys.argv[3]))
    for line in sock:
        print(line.decode().strip())
        sys.stdout.flush()
    sock.close()


if __name__ == "__main__":
    main()
