# rules: STRM-1 STRM-2 STRM-3 STRM-4 STRM-6 TIME-6
# read, readinto, write and makefile of a blocking socket.

import usocket
from support import STREAMS, has, outcome, show
from usocket import AF_UNIX, SOCK_DGRAM

for kind, pair in STREAMS:
    # --- STRM-1: read
    left, right = pair()
    left.write(b"0123456789")
    show("STRM-1", kind + " n bytes", right.read(4), right.read(0), right.read(6))
    left.write(b"the rest")
    left.close()
    show("STRM-1", kind + " fewer at the end", right.read(100), right.read(100), right.read(0))
    right.close()
    for args in ((), (-1,), (None,)):
        left, right = pair()
        for i in range(10):
            left.write(bytes([48 + i]) * 10000)
        left.close()
        data = right.read(*args)
        show(
            "STRM-1",
            kind + " all" + repr(args),
            len(data),
            bytes([data[i] for i in range(0, len(data), 10000)]),
            right.read(*args),
        )
        right.close()
    left, right = pair()
    show("STRM-1", kind + " wrong types", outcome(right.read, "x"), outcome(right.read, 1.5))

    # --- STRM-2: readinto
    left.write(b"0123456789abcdef")
    buffer = bytearray(4)
    show("STRM-2", kind + " the buffer", right.readinto(buffer), buffer)
    show("STRM-2", kind + " nbytes", right.readinto(buffer, 2), buffer, right.readinto(buffer, 0))
    show("STRM-2", kind + " nbytes too large", right.readinto(buffer, 100), buffer)
    show("STRM-2", kind + " a slice", right.readinto(memoryview(buffer)[1:3]), buffer)
    show("STRM-2", kind + " no room", right.readinto(bytearray(0)))
    show(
        "STRM-2",
        kind + " read-only",
        outcome(right.readinto, b"abcd"),
        outcome(right.readinto, 5),
        outcome(right.readinto),
    )
    left.close()
    show("STRM-2", kind + " fewer at the end", right.readinto(bytearray(100)), right.readinto(buffer), buffer)
    right.close()

    # --- STRM-4: write
    left, right = pair()
    show("STRM-4", kind + " write", left.write(b"abcdef"), left.write(b""), right.read(6))
    show("STRM-4", kind + " n", left.write(b"abcdef", 3), left.write(b"abcdef", 0), right.read(3))
    show("STRM-4", kind + " offset, n", left.write(b"abcdef", 2, 3), right.read(3))
    show("STRM-4", kind + " -1", left.write(b"abcdef", -1), left.write(b"abcdef", 4, -1), right.read(8))
    show("STRM-4", kind + " negative", outcome(left.write, b"abcdef", -2), outcome(left.write, b"abcdef", -1, 2))
    show(
        "STRM-4",
        kind + " kinds of buffers",
        left.write(bytearray(b"12")),
        left.write(memoryview(b"1234")[2:]),
        right.read(4),
    )
    show("STRM-4", kind + " wrong types", outcome(left.write, 5), outcome(left.write, None), outcome(left.write))
    show("STRM-4", kind + " wrong types", outcome(left.write, b"ab", "x"), outcome(left.write, b"ab", 0, 1.5))

    # --- STRM-6: makefile
    left.write(b"line\nrest")
    file = right.makefile()
    show("STRM-6", kind + " reads", file.readline(), file.read(4))
    file = right.makefile("rwb", 5)
    show("STRM-6", kind + " writes", file.write(b"back"), left.read(4))
    for mode in ("rb", "wb", "rwb"):
        show("STRM-6", kind + " mode", mode, outcome(right.makefile, mode) is not None)
    for mode in ("r", "w", "rw", "rt", "", "xrb", "ab"):
        show("STRM-6", kind + " mode", mode, outcome(right.makefile, mode))
    show("STRM-6", kind + " mode of a wrong type", outcome(right.makefile, 5))
    show("STRM-6", kind + " is unbuffered", left.write(b"ab"), file.read(1), right.recv(10))
    file.close()
    show("STRM-6", kind + " closes the socket", right.fileno(), outcome(right.write, b"x"), left.read())
    left.close()

if has("unix"):
    left, right = usocket.socketpair(AF_UNIX, SOCK_DGRAM)
    left.write(b"one message")
    left.write(b"and another")
    show("STRM-1", "a read ends with the message", right.read(100), right.read(3))
    left.close()
    right.close()

    left, right = usocket.socketpair(AF_UNIX, getattr(usocket, "SOCK_SEQPACKET", 5))
    left.write(b"one\ntwo")
    for read in (lambda: right.read(3), lambda: right.readline(6), lambda: right.readinto(bytearray(6))):
        show("TIME-6", "a packet that is too long stays", outcome(read))
    show("TIME-6", "a packet stays whole", right.read(0), right.readline(7))
    left.close()
    show("STRM-3", "after packets the end", right.readline(7), right.read())
    right.close()
