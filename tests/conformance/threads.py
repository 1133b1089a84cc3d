# rules: SOCK-4 TIME-2 STRM-1 STRM-3 STRM-4
# Two threads: data that comes in pieces, one deadline for all of them, close() from another thread.


import usocket
from support import STREAMS, fill, listener, outcome, show, start, tcp_pair

try:
    import utime as time
except ImportError:
    import time

STEP_S = 0.01


def drip(sock, data, hurry):
    """Sends a byte at a time, and the rest at once as soon as `hurry` has something in it."""
    done = 0
    while done < len(data) and not hurry:
        sock.write(data[done : done + 1])
        done += 1
        time.sleep(STEP_S)
    sock.write(data[done:])
    sock.shutdown(usocket.SHUT_WR)


for kind, pair in STREAMS:
    for watched in ("", " watched"):
        # --- STRM-1, STRM-3: no short reads, however small the pieces; others may look at the descriptor meanwhile
        left, right = pair()
        if watched:
            right.fileno()
        join = start(drip, left, b"abcdefline\nlimit, rest", [])
        show("STRM-1", kind + watched + " from pieces", right.read(6))
        show("STRM-3", kind + watched + " from pieces", right.readline(), right.readline(5))
        show("STRM-1", kind + watched + " the rest", right.read())
        join()
        left.close()
        right.close()

        # --- TIME-2: bytes come in time to restart a deadline, and in the end all that was asked for, but too late
        for call in (("read", 300), ("read",), ("readline",), ("readinto", bytearray(300))):
            left, right = pair()
            if watched:
                right.fileno()
            hurry = []
            right.settimeout(10 * STEP_S)
            join = start(drip, left, bytes(299) + b"\n", hurry)
            result = outcome(getattr(right, call[0]), *call[1:])
            hurry.append(True)
            join()
            right.settimeout(10)
            what = kind + watched + " " + call[0] + str(len(call) - 1)
            show("TIME-2", what, result, "and nothing is lost", len(right.read(300)))
            right.close()
            left.close()

    # --- STRM-4: no short writes, however much it is
    left, right = pair()
    join = start(left.write, b"0123456789" * 100000)
    total = 0
    while total < 1000000:
        block = right.read(min(65530, 1000000 - total))
        if block[:10] != b"0123456789":
            break
        total += len(block)
    show("STRM-4", kind + " a long one", join(), total)
    join = start(left.sendall, b"0123456789" * 100000)
    show("STRM-4", kind + " sendall", len(right.read(1000000)), join())
    left.close()
    right.close()


def sip(sock, hurry):
    """Takes a little from time to time, in time to restart a deadline, and all the rest in the end."""
    for _ in range(300):
        if hurry:
            break
        sock.read(20000)
        time.sleep(STEP_S)
    sock.read()


for kind, pair in STREAMS:
    for name in ("write", "sendall"):
        left, right = pair()
        fill(left)
        left.settimeout(20 * STEP_S)
        hurry = []
        join = start(sip, right, hurry)
        show("TIME-2", kind + " " + name, outcome(getattr(left, name), bytes(16000000)))
        hurry.append(True)
        left.close()
        join()
        right.close()

# --- SOCK-4: close() ends what other threads are in


def call_and_close(sock, name, *args):
    """A call in a thread of its own, and close(), which comes before it or while it waits: the same to see."""
    join = start(getattr(sock, name), *args)
    time.sleep(STEP_S)
    sock.close()
    return join()


for kind, pair in STREAMS:
    for call in (("recv", 10), ("read", 10), ("read",), ("readline",), ("readinto", bytearray(10)), ("recvfrom", 10)):
        for timeout in (None, 30):
            left, right = pair()
            right.settimeout(timeout)
            show("SOCK-4", kind + " " + call[0] + str(len(call) - 1), call_and_close(right, *call), left.read())
            left.close()
    for name in ("write", "sendall", "send"):
        for timeout in (None, 30):
            left, right = pair()
            fill(left)
            left.settimeout(timeout)
            show("SOCK-4", kind + " " + name, call_and_close(left, name, bytes(100000)))
            right.close()
for timeout in (None, 30):
    server = listener()
    server.settimeout(timeout)
    show("SOCK-4", "accept", call_and_close(server, "accept"))

# Several of them at once, in both directions.
left, right = tcp_pair()
fill(left)
left.settimeout(None)
joins = [start(left.write, bytes(100000)), start(left.read, 10), start(left.readline), start(left.recv, 10)]
time.sleep(STEP_S)
left.close()
show("SOCK-4", "all at once", [join() for join in joins])
right.close()

# A reader and a writer of one socket don't disturb each other.
left, right = tcp_pair()
writer = start(right.write, b"to the left\n" * 20000)
echo = start(left.write, b"to the right\n" * 20000)
reader = start(right.read, 13 * 20000)
lines = [left.readline() for _ in range(20000)]
show(
    "STRM-4",
    "both directions",
    lines == [b"to the left\n"] * 20000,
    writer(),
    echo(),
    reader() == b"to the right\n" * 20000,
)
left.close()
right.close()
