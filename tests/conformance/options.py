# rules: SOCK-7
# setsockopt and getsockopt: numbers and bytes.

try:
    import ustruct as struct
except ImportError:
    import struct

import usocket
from support import has, outcome, show
from usocket import SO_LINGER, SO_RCVBUF, SO_REUSEADDR, SO_TYPE, SOL_SOCKET

sock = usocket.socket()
show("SOCK-7", "off at first", sock.getsockopt(SOL_SOCKET, SO_REUSEADDR))
show("SOCK-7", "int", sock.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1), sock.getsockopt(SOL_SOCKET, SO_REUSEADDR))
sock.setsockopt(SOL_SOCKET, SO_REUSEADDR, bytes(4))
show("SOCK-7", "bytes", sock.getsockopt(SOL_SOCKET, SO_REUSEADDR))
sock.setsockopt(SOL_SOCKET, SO_REUSEADDR, bytearray(b"\1\1\1\1"))
show("SOCK-7", "bytearray", sock.getsockopt(SOL_SOCKET, SO_REUSEADDR))
sock.setsockopt(usocket.IPPROTO_TCP, usocket.TCP_NODELAY, 1)
show("SOCK-7", "another level", sock.getsockopt(usocket.IPPROTO_TCP, usocket.TCP_NODELAY))
show("SOCK-7", "type", sock.getsockopt(SOL_SOCKET, SO_TYPE) == usocket.SOCK_STREAM)
before = sock.getsockopt(SOL_SOCKET, SO_RCVBUF)
if has("options"):
    sock.setsockopt(SOL_SOCKET, SO_RCVBUF, before // 4)
    show("SOCK-7", "the receive buffer", sock.getsockopt(SOL_SOCKET, SO_RCVBUF) < before)

linger = struct.pack("ii", 1, 5)
show("SOCK-7", "a structure, off", sock.getsockopt(SOL_SOCKET, SO_LINGER, len(linger)) == struct.pack("ii", 0, 0))
sock.setsockopt(SOL_SOCKET, SO_LINGER, linger)
show("SOCK-7", "a structure, on", sock.getsockopt(SOL_SOCKET, SO_LINGER, len(linger)) == linger)
show("SOCK-7", "shorter than asked for", len(sock.getsockopt(SOL_SOCKET, SO_TYPE, 100)))
show("SOCK-7", "lengths", outcome(sock.getsockopt, SOL_SOCKET, SO_LINGER, -1))
show("SOCK-7", "lengths", outcome(sock.getsockopt, SOL_SOCKET, SO_LINGER, 1 << 40))

show("SOCK-7", "unknown", outcome(sock.setsockopt, SOL_SOCKET, 9999, 1), outcome(sock.getsockopt, SOL_SOCKET, 9999))
show("SOCK-7", "too short", outcome(sock.setsockopt, SOL_SOCKET, SO_REUSEADDR, b"\1"))
show("SOCK-7", "too large", outcome(sock.setsockopt, SOL_SOCKET, SO_REUSEADDR, 1 << 40))
for value in (None, 1.5, ()):
    show("SOCK-7", "wrong types", outcome(sock.setsockopt, SOL_SOCKET, SO_REUSEADDR, value))
show(
    "SOCK-7",
    "wrong types",
    outcome(sock.setsockopt, "x", SO_REUSEADDR, 1),
    outcome(sock.setsockopt, SOL_SOCKET, "x", 1),
)
show("SOCK-7", "wrong types", outcome(sock.getsockopt, "x", SO_TYPE), outcome(sock.getsockopt, SOL_SOCKET, None))
show("SOCK-7", "too few", outcome(sock.setsockopt, SOL_SOCKET, SO_REUSEADDR), outcome(sock.getsockopt, SOL_SOCKET))
sock.close()
