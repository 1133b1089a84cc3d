# rules: STRM-1 STRM-3 STRM-5 TIME-3 TIME-6
# Urgent bytes in a stream (MSG_OOB): the system ends each receive there, the stream methods do not; and what becomes of
# such a byte moves no others.

import usocket
from support import outcome, readable, show, tcp_pair

OPS = (("read", 6), ("readinto", bytearray(6)), ("readline",), ("recv", 6, usocket.MSG_WAITALL))


def pair(how):
    left, right = tcp_pair()
    if how == "exposed":
        right.fileno()
    right.settimeout(10)
    return left, right


for how in ("own", "exposed"):
    for call in OPS:
        what = how + " " + call[0]

        left, right = pair(how)
        left.write(b"AB")
        left.send(b"!", usocket.MSG_OOB)
        left.write(b"OR\r\nrest")
        show("STRM-1" if call[0] != "readline" else "STRM-3", what, getattr(right, call[0])(*call[1:]), right.read(4))
        left.close()
        right.close()

        left, right = pair(how)
        left.send(b"!", usocket.MSG_OOB)
        left.write(b"ab")
        readable(right)
        right.settimeout(0.02)
        show("TIME-3", what + ", nothing but that before it", outcome(getattr(right, call[0]), *call[1:]))
        right.settimeout(10)
        left.write(b"cde\n")
        show("STRM-5", what + ", and then", right.read(6))
        left.close()
        right.close()

for inline in (0, 1):
    left, right = tcp_pair()
    right.setsockopt(usocket.SOL_SOCKET, usocket.SO_OOBINLINE, inline)
    left.send(b"!", usocket.MSG_OOB)
    left.write(b"one\ntwo\nthree\n")
    while len(right.recv(64, usocket.MSG_PEEK)) < 14:
        pass
    line = right.readline()
    right.setsockopt(usocket.SOL_SOCKET, usocket.SO_OOBINLINE, 1 - inline)
    show("TIME-6", "SO_OOBINLINE was", inline, line, right.recv(64))
    left.close()
    right.close()

left, right = usocket.socketpair()
left.write(b"one\n")
left.send(b"!", usocket.MSG_OOB)
left.write(b"two\nthree\nfour\nfive\n")
lines = [right.readline(), right.readline()]
left.send(b"?", usocket.MSG_OOB)
left.write(b"six\n")
show("TIME-6", "a second urgent byte", lines, right.recv(64), right.recv(64))
left.close()
right.close()
