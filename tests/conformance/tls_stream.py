# rules: TLS-3 TLS-5 POLL-5 TIME-3 TIME-4 TIME-6
# A wrapped socket is a socket and a stream: every method, timeouts, polls, the end.

import usocket
from support import outcome, readable, show, tcp_pair, uselect
from tls_support import client_context, later, said, secure_pair, server_context, shake

SHORT = 0.02

# --- TLS-3: what a socket has

left, right = secure_pair()
show("TLS-3", "getpeername", left.getpeername() == right.getsockname(), left.getsockname() == right.getpeername())
show("TLS-3", "family, type", left.family == usocket.AF_INET, left.type == usocket.SOCK_STREAM)
show("TLS-3", "fileno", left.fileno() >= 0)
left.setsockopt(usocket.IPPROTO_TCP, usocket.TCP_NODELAY, 1)
show("TLS-3", "options", left.getsockopt(usocket.IPPROTO_TCP, usocket.TCP_NODELAY) != 0)
show("TLS-3", "send, recv", left.send(b"abc"), right.recv(10))
show("TLS-3", "sendall, recv_into", left.sendall(b"abc"))
buffer = bytearray(5)
show("TLS-3", "recv_into", right.recv_into(buffer), bytes(buffer))
show("TLS-3", "recvfrom", left.write(b"xy"), right.recvfrom(10)[0])
show("TLS-3", "peek", left.write(b"peeked"), right.recv(4, usocket.MSG_PEEK), right.recv(10))
show("TLS-3", "out of band", said(left.send, b"x", usocket.MSG_OOB), said(right.recv, 1, usocket.MSG_OOB))
show("TLS-3", "both ways", right.write(b"back"), left.read(4))

# --- and a stream

show(
    "TLS-3", "write", left.write(b"0123456789"), left.write(b"abcdef", 3), left.write(b"abcdef", 2, 3), left.write(b"")
)
show("TLS-3", "read", right.read(4), right.read(0), right.read(6), right.read(6))
left.write(b"one\ntwo\nthree")
show("TLS-3", "readline", right.readline(), right.readline(2), right.readline(), right.readline(3))
show("TLS-3", "readinto", right.readinto(buffer, 2), bytes(buffer[:2]))
left.write(b"0123456789")
show("TLS-3", "readinto", right.readinto(buffer), bytes(buffer), right.readinto(memoryview(buffer)[1:4]), bytes(buffer))
show("TLS-3", "the rest", right.recv(100))
file = right.makefile("rwb")
show("TLS-3", "makefile", left.write(b"line\n"), file.readline(), file.write(b"answer"), left.read(6))
lines = b"".join([b"line " + str(i).encode() + b"\n" for i in range(1000)])
left.write(lines)
got = [right.readline() for _ in range(1000)]
show("TLS-3", "many lines", got[0], got[-1], b"".join(got) == lines)
show("TLS-3", "a descriptor is not shared", said(left.dup).split(":")[0])

# --- TIME-3 and TIME-6: a call that times out loses nothing, and the connection goes on

right.settimeout(SHORT)
for name, args in (
    ("recv", (10,)),
    ("recv_into", (buffer,)),
    ("read", ()),
    ("read", (10,)),
    ("readinto", (buffer,)),
    ("readline", ()),
):
    show("TIME-3", name, outcome(getattr(right, name), *args))
left.write(b"ab")
show("TIME-6", "a part of it", outcome(right.read, 4), outcome(right.readline), outcome(right.readinto, buffer))
show("TIME-6", "is readable", readable(right, 0))
left.write(b"cd\n")
show("TIME-6", "and comes with the rest", right.read(4), right.readline())
right.settimeout(None)

# --- TIME-4: without waiting

right.setblocking(False)
show("TIME-4", "nothing there", right.read(5), right.readline(), right.readinto(buffer), outcome(right.recv, 5))
left.write(b"abc")
show("TIME-4", "what there is", readable(right), right.read(5))
left.write(b"ab")
show("TIME-4", "no whole line", readable(right), right.readline(), right.readline())
right.setblocking(True)

# --- POLL-5: what a record brought, and a call has left

poller = uselect.poll()
poller.register(right, uselect.POLLIN)
show("POLL-5", "nothing", len(poller.poll(0)))
left.write(b"abcdef")
show("POLL-5", "some", len(poller.poll(10000)), right.read(2))
show("POLL-5", "the rest of a record", len(poller.poll(10000)), right.read(3))
show("POLL-5", "the last byte", len(poller.poll(10000)), right.read(1), len(poller.poll(0)))
left.write(b"one\ntwo\n")
show(
    "POLL-5",
    "lines",
    len(poller.poll(10000)),
    right.readline(),
    len(poller.poll(0)),
    right.readline(),
    len(poller.poll(0)),
)
plain, other = tcp_pair()
poller.register(plain, uselect.POLLIN)
left.write(b"xy")
right.read(1)
other.write(b"z")
readable(plain)
show("POLL-5", "beside a plain socket", sorted([one[0] is right for one in poller.poll(10000)]))
show("POLL-5", "writable", len([one for one in [right, plain] if uselect.select([], [one], [], 10)[1]]))
plain.close()
other.close()
right.read(1)

# --- TLS-5: the end

left.write(b"last")
left.close()
show("TLS-5", "close_notify", right.read(), right.read(), right.recv(5), right.readline())
show("TLS-5", "closed", outcome(left.read), outcome(left.write, b"x"), left.fileno())
right.close()

left, right = secure_pair()
left.write(b"question")
left.shutdown(usocket.SHUT_WR)
show("TLS-5", "one direction", right.read(), right.write(b"answer"), outcome(left.write, b"x"))
right.close()
show("TLS-5", "and the other", left.read(), left.read(1))
left.close()


def raw_pair():
    """secure_pair(), and the socket below the first of them."""
    left, right = tcp_pair()
    raw = left.dup()
    client_context().wrap_socket(left, server_hostname="localhost", do_handshake=False)
    server_context().wrap_socket(right, server_side=True, do_handshake=False)
    shake(left, right)
    right.setblocking(True)
    return left, right, raw


for name, args in (("read", ()), ("read", (100,)), ("readline", ()), ("recv", (1,))):
    left, right, raw = raw_pair()
    left.write(b"whole")
    raw.shutdown(usocket.SHUT_WR)
    show("TLS-5", "cut off, " + name, right.read(5), said(getattr(right, name), *args), said(right.recv, 1))
left, right, raw = raw_pair()
left.write(b"whole")
raw.shutdown(usocket.SHUT_WR)
show("TLS-5", "what came whole is not lost", said(right.read), right.read(5), said(right.read))
left, right, raw = raw_pair()
raw.write(b"\x17\x03\x03\x00\x20half of a record")
raw.shutdown(usocket.SHUT_WR)
show("TLS-5", "cut off in a record", said(right.read))

# --- much, both ways at once, in one thread

left, right = secure_pair()
left.setblocking(False)
right.setblocking(False)
much = bytes(range(256)) * 2000
sent = [0, 0]
got = [[], []]
ends = [left, right]
poller = uselect.poll()
while sum([len(part) for parts in got for part in parts]) < 2 * len(much):
    for i in range(2):
        poller.register(ends[i], uselect.POLLIN | (uselect.POLLOUT if sent[i] < len(much) else 0))
    poller.poll(10000)
    for i in range(2):
        if sent[i] < len(much):
            sent[i] += ends[i].write(memoryview(much)[sent[i] :]) or 0
        part = ends[i].read(65536)
        if part:
            got[i].append(part)
show("TLS-3", "much, both ways", sent[0] == sent[1] == len(much), b"".join(got[0]) == much, b"".join(got[1]) == much)
show("TLS-3", "nothing behind it", later(lambda: left.read(1) is None))
