# rules: TIME-6 POLL-5
# What a call had taken in before it failed comes first in the next one, whichever that is.

import usocket
from support import STREAMS, outcome, readable, show, tcp_pair, uselect

SHORT = 0.02
LONG = 10


def fails_with(pair, data, name, *args):
    """A connection on which the call has just failed after it had taken in the data: both ends, and how it failed."""
    left, right = pair()
    left.write(data)
    readable(right)
    right.settimeout(SHORT)
    error = outcome(getattr(right, name), *args)
    right.settimeout(LONG)
    return left, right, error


NAMES = (("read", 10), ("read",), ("readline",), ("readline", 10), ("readinto", bytearray(10)))
for kind, pair in STREAMS:
    for call in NAMES:
        what = kind + " " + call[0] + str(len(call) - 1) + ", then "

        left, right, error = fails_with(pair, b"abc", *call)
        show("TIME-6", what + "read", error, right.read(2), right.read(1))
        left.close()
        show("TIME-6", what + "the end", right.read())
        right.close()

        left, right, error = fails_with(pair, b"abc", *call)
        left.write(b"def\nghi")
        show("TIME-6", what + "readline", error, right.readline(), right.recv(10))
        left.close()
        right.close()

        left, right, error = fails_with(pair, b"abc", *call)
        buffer = bytearray(5)
        left.write(b"def")
        show("TIME-6", what + "readinto", error, right.readinto(buffer), buffer, right.read(1))
        left.close()
        right.close()

        left, right, error = fails_with(pair, b"abc", *call)
        # recv may return less than there is, so byte by byte.
        show("TIME-6", what + "recv", error, right.recv(1, usocket.MSG_PEEK), [right.recv(1) for _ in range(3)])
        right.settimeout(SHORT)
        show("TIME-6", what + "nothing more", outcome(right.recv, 1))
        left.close()
        right.close()

        left, right, error = fails_with(pair, b"abc", *call)
        right.setblocking(False)
        show("TIME-6", what + "without waiting", error, right.read(10), right.read(10))
        left.close()
        right.close()

        left, right, error = fails_with(pair, b"abc", *call)
        right.settimeout(SHORT)
        show("TIME-6", what + "again", error, outcome(right.read, 10), outcome(right.read, 4), right.read(3))
        left.close()
        right.close()

        left, right, error = fails_with(pair, b"abc", *call)
        left.write(b"d")
        left.close()
        show("TIME-6", what + "all", error, right.read())
        right.close()

        # --- POLL-5: and poll says so, whether it was told of the socket before or after
        left, right = pair()
        poller = uselect.poll()
        poller.register(right, uselect.POLLIN)
        left.write(b"abc")
        readable(right)
        right.settimeout(SHORT)
        error = outcome(getattr(right, call[0]), *call[1:])
        show("POLL-5", what + "a poll that knew it", error, len(poller.poll(1000)))
        show("POLL-5", what + "a new poll", readable(right, 1000))
        right.read(2)
        show("POLL-5", what + "as long as there is some", len(poller.poll(1000)), readable(right, 1000))
        right.read(1)
        show("POLL-5", what + "no longer", len(poller.poll(0)), readable(right, 0))
        poller.unregister(right)
        left.close()
        right.close()

# After an error that is no timeout: the peer resets the connection.
try:
    import ustruct as struct
except ImportError:
    import struct
for call in NAMES:
    left, right = tcp_pair()
    left.write(b"abc")
    left.setsockopt(usocket.SOL_SOCKET, usocket.SO_LINGER, struct.pack("ii", 1, 0))
    left.close()
    right.settimeout(10)
    show("TIME-6", "reset " + call[0] + str(len(call) - 1), outcome(getattr(right, call[0]), *call[1:]), right.read(3))
    right.close()
