# rules: TIME-4
# Sockets that never wait: the socket methods say EAGAIN, the stream methods None or what there was.

import usocket
from support import STREAMS, fill, has, listener, outcome, readable, ready, show, uselect

server = listener()
server.setblocking(False)
show("TIME-4", "accept", outcome(server.accept))
client = usocket.socket()
client.setblocking(False)
show("TIME-4", "connect", outcome(client.connect, server.getsockname()))
show("TIME-4", "its end is POLLOUT", ready(client, uselect.POLLOUT))
show("TIME-4", "and SO_ERROR", client.getsockopt(usocket.SOL_SOCKET, usocket.SO_ERROR))
show("TIME-4", "accept, now", readable(server), len(server.accept()))
client.close()
deaf = usocket.socket()
deaf.bind(("127.0.0.1", 0))
client = usocket.socket()
client.settimeout(0)
show("TIME-4", "refused", outcome(client.connect, deaf.getsockname()), ready(client, uselect.POLLOUT))
show("TIME-4", "says SO_ERROR", client.getsockopt(usocket.SOL_SOCKET, usocket.SO_ERROR) != 0)
client.close()
deaf.close()
server.close()

buffer = bytearray(8)
for kind, pair in STREAMS:
    left, right = pair()
    right.setblocking(False)
    for name, args in (
        ("recv", (8,)),
        ("recvfrom", (8,)),
        ("recv_into", (buffer,)),
        ("recvfrom_into", (buffer,)),
        ("read", ()),
        ("read", (8,)),
        ("readinto", (buffer,)),
        ("readline", ()),
        ("readline", (8,)),
    ):
        show("TIME-4", kind + " nothing for " + name, outcome(getattr(right, name), *args))

    left.write(b"abc")
    show("TIME-4", kind + " some for read(n)", readable(right), right.read(8), right.read(8))
    left.write(b"abc")
    show("TIME-4", kind + " some for read()", readable(right), right.read(), right.read())
    left.write(b"abc")
    show(
        "TIME-4",
        kind + " some for readinto",
        readable(right),
        right.readinto(buffer),
        buffer[:3],
        right.readinto(buffer),
    )
    left.write(b"abc")
    show("TIME-4", kind + " part of a line", readable(right), right.readline(), right.readline())
    left.write(b"d\nef\ng")
    show("TIME-4", kind + " lines", readable(right), [right.readline() for _ in range(4)])
    left.write(b"abc")
    show("TIME-4", kind + " some for recv", readable(right), right.recv(8), outcome(right.recv, 8))

    total = fill(left)
    show("TIME-4", kind + " no room for send", outcome(left.send, b"x"), outcome(left.sendall, b"x"))
    show("TIME-4", kind + " no room for write", left.write(b"x" * 100000))
    right.setblocking(True)
    while total:
        total -= len(right.read(min(total, 65536)))
    if has("options"):
        left.setsockopt(usocket.SOL_SOCKET, usocket.SO_SNDBUF, 65536)
    try:
        much = bytes(16 << 20)
    except MemoryError:
        much = bytes(1 << 20)  # a board, whose queues are small too
    show("TIME-4", kind + " some room", ready(left, uselect.POLLOUT), 0 < left.write(much) < len(much))
    del much
    left.close()
    rest = right.read()
    right.setblocking(False)
    show("TIME-4", kind + " the end is not None", right.read(8), right.read(), right.readline(), right.readinto(buffer))
    right.close()
