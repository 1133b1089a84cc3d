# rules: STRM-3 STRM-5 STRM-7
# Lines; and that nothing is read ahead that anybody else could miss: other methods, polls, other holders.

import usocket

try:
    import select  # the host's own
except ImportError:
    import uselect as select

from support import STREAMS, has, outcome, readable, show, stream_pair


def host_says_readable(sock):
    if not has("files"):
        return readable(sock, 0)
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    return len(poller.poll(0)) == 1


for kind, pair in STREAMS:
    # --- STRM-3: lines
    left, right = pair()
    left.write(b"first\nsecond\r\n\nno end")
    show("STRM-3", kind + " lines", right.readline(), right.readline(), right.readline())
    left.write(b" yet\n" + b"x" * 10000 + b"\n")
    line = right.readline(), right.readline()
    show("STRM-3", kind + " in pieces, long", line[0], len(line[1]), line[1][-2:])
    left.write(b"limited\nab\nabc")
    show(
        "STRM-3",
        kind + " limits",
        right.readline(3),
        right.readline(0),
        right.readline(100),
        right.readline(3),
        right.readline(1),
    )
    left.write(b"\nlast")
    left.close()
    show("STRM-3", kind + " to the end", right.readline(), right.readline(), right.readline(), right.readline(5))
    show("STRM-3", kind + " wrong types", outcome(right.readline, "x"), outcome(right.readline, 1.5))
    right.close()

    # --- STRM-5: what is seen from outside
    left, right = pair()
    left.write(b"a1\na2\na3\n\0\1\2rest\nlast\n")
    show("STRM-5", kind + " a line", right.readline())
    show("STRM-5", kind + " a look", right.recv(5, usocket.MSG_PEEK), right.recv(100, usocket.MSG_PEEK)[-5:])
    show("STRM-5", kind + " lines and others", right.readline(), right.recv(3), right.read(2), right.readline())
    show("STRM-5", kind + " both polls see the last", readable(right, 0), host_says_readable(right))
    show("STRM-5", kind + " take it", right.readline())
    show("STRM-5", kind + " and see nothing", readable(right, 0), host_says_readable(right))

    left.write(b"mine\nthine\nmine again\n")
    show("STRM-5", kind + " a line", right.readline())
    if has("sharing"):
        twin = right.dup()
        show("STRM-5", kind + " another holder", twin.readline(), right.readline(), readable(twin, 0))
        left.write(b"mine\nthine\nmine again\n")
        show("STRM-5", kind + " and again", right.readline(), twin.recv(6), right.readline(), readable(twin, 0))
        twin.close()
    left.close()
    right.close()

    # Any mix gives the bytes in order, each once; whether others look at the descriptor meanwhile or not.
    for watched in ("", " watched"):
        left, right = pair()
        right.settimeout(10)
        sent = b""
        got = b""
        seed = 1
        while len(got) < 20000:
            seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
            size = seed >> 8 & 0x3F
            if len(sent) < 20000:
                piece = bytes([97 + size % 26]) * size + (b"\n" if seed >> 16 & 1 else b"")
                left.write(piece)
                sent += piece
            waiting = len(sent) - len(got)
            if waiting == 0:
                continue
            choice = seed >> 20 & 7
            if choice < 3:
                # A line must be there whole, or the call would wait.
                line = sent[len(got) :].find(b"\n")
                got += right.readline() if line >= 0 else right.readline(waiting)
            elif choice == 3:
                got += right.read(min(size, waiting))
            elif choice == 4:
                got += right.recv(size + 1)
            elif choice == 5:
                buffer = bytearray(min(size, waiting))
                got += buffer[: right.readinto(buffer)]
            elif choice == 6 and right.recv(1, usocket.MSG_PEEK) != sent[len(got) : len(got) + 1]:
                break
            elif choice == 7 and watched and not (readable(right) and host_says_readable(right)):
                break
        show("STRM-5", kind + watched + " any mix", len(got) >= 20000, got == sent[: len(got)])
        left.close()
        right.close()

# --- STRM-7: the host's own poll, beside what it said above
left, right = stream_pair()
show("STRM-7", "the host's poll: nothing", host_says_readable(right))
left.write(b"x")
show("STRM-7", "the host's poll: something", host_says_readable(right))
right.read(1)
left.close()
show("STRM-7", "the host's poll: the end", host_says_readable(right))
right.close()
