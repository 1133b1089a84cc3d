"""Counts the lines that a server sends: count_lines.py HOST PORT [SECONDS]

What a device does that follows a log or a stream of sensor data. Prints how many lines came in how many milliseconds,
after SECONDS (1 if not told) or when the server closes.
"""

import sys

import usocket

try:
    import utime as time  # type: ignore
except ImportError:
    import time

PIECE = 100  # lines between two looks at the clock


def count_lines(sock: usocket.socket, seconds: float) -> "tuple[int, int]":
    """How many lines came, in how many milliseconds."""
    start = time.time()
    count = 0
    while time.time() - start < seconds:
        for _ in range(PIECE):
            if not sock.readline():
                return count, int((time.time() - start) * 1000)
            count += 1
    return count, int((time.time() - start) * 1000)


def main() -> None:
    if len(sys.argv) not in (3, 4):
        print("usage: count_lines.py HOST PORT [SECONDS]")
        sys.exit(2)
    sock = usocket.socket()
    sock.connect(usocket.getaddrinfo(sys.argv[1], int(sys.argv[2]))[0][-1])
    count, milliseconds = count_lines(sock, float(sys.argv[3]) if len(sys.argv) == 4 else 1.0)
    print(count, "lines in", milliseconds, "ms")
    sock.close()


if __name__ == "__main__":
    main()
