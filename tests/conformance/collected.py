# rules: SOCK-3 POLL-1
# Sockets and polls that nobody needs any more are closed by the collector, while others are being registered.

import gc

import usocket
from support import has, show, start, uselect

ROUNDS = 30 if has("threads") else 4  # a board has few sockets
SOCKETS = 40


def datagram_sockets():
    return [usocket.socket(usocket.AF_INET, usocket.SOCK_DGRAM) for _ in range(SOCKETS)]


def watch():
    """Leaves a poll, its sockets and their registrations behind."""
    poller = uselect.poll()
    sockets = datagram_sockets()
    for sock in sockets:
        poller.register(sock, uselect.POLLIN)
    sockets[0].bind(("127.0.0.1", 0))
    sockets[1].sendto(b"x", sockets[0].getsockname())
    return len(poller.poll(10000))


def watch_on(poller):
    """Leaves sockets behind that a poll which lives on has registered."""
    for sock in datagram_sockets():
        poller.register(sock, uselect.POLLOUT)


def watch_often():
    return sum(watch() for _ in range(ROUNDS))


if hasattr(gc, "threshold"):
    gc.threshold(2000)  # bytes: a device's collector runs in most of our allocations then

show("POLL-1", "polls left behind", watch_often() == ROUNDS)

poller = uselect.poll()
for _ in range(ROUNDS):
    watch_on(poller)
show("POLL-1", "sockets left behind", len(poller.poll(0)) <= ROUNDS * SOCKETS)

if has("threads"):
    show("SOCK-3", "with other threads", [join() for join in [start(watch_often) for _ in range(3)]] == [ROUNDS] * 3)
