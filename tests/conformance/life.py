# rules: SOCK-1 SOCK-2 SOCK-3 SOCK-5 SOCK-8
# From the constructor to close(), and what a socket says about itself.

import gc

import usocket
from support import has, listener, outcome, port_of, readable, ready, show, stream_pair, tcp_pair
from usocket import AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM, SOCK_STREAM

# --- SOCK-1: the constructor


def kind_of(*args):
    sock = usocket.socket(*args)
    kind = (sock.family, sock.type, sock.proto)
    sock.close()
    return kind


show("SOCK-1", "defaults", kind_of() == (AF_INET, SOCK_STREAM, usocket.IPPROTO_TCP))
show("SOCK-1", "type selects the protocol", kind_of(AF_INET, SOCK_DGRAM) == (AF_INET, SOCK_DGRAM, usocket.IPPROTO_UDP))
show("SOCK-1", "so does proto 0", kind_of(AF_INET6, SOCK_STREAM, 0) == (AF_INET6, SOCK_STREAM, usocket.IPPROTO_TCP))
if has("unix"):
    show("SOCK-1", "AF_UNIX", kind_of(AF_UNIX)[:2] == (AF_UNIX, SOCK_STREAM))
show("SOCK-1", "IPPROTO_SEC is remembered", kind_of(AF_INET, SOCK_STREAM, usocket.IPPROTO_SEC)[2])
show("SOCK-1", "impossible", outcome(usocket.socket, AF_INET, SOCK_STREAM, usocket.IPPROTO_UDP))
if has("unix"):
    show("SOCK-1", "impossible", outcome(usocket.socket, AF_UNIX, SOCK_STREAM, usocket.IPPROTO_TCP))
show("SOCK-1", "unknown family", outcome(usocket.socket, 9999))
show("SOCK-1", "unknown type", outcome(usocket.socket, AF_INET, 9))
for value in ("x", None, 1.5, b"", (), usocket):
    show("SOCK-1", "wrong types", *[outcome(usocket.socket, *(0,) * before + (value,)) for before in range(3)])
show("SOCK-1", "four", outcome(usocket.socket, AF_INET, SOCK_STREAM, 0, 0))

# --- SOCK-2: broken connections

for pair in (tcp_pair, stream_pair):
    client, conn = pair()
    conn.close()
    readable(client)
    # The first write may still go out, into a connection that the peer then breaks.
    for _ in range(3):
        outcome(client.write, b"x")
        ready(client, 0, 100)  # an answer takes its time
    client.settimeout(10)
    show("SOCK-2", "write", [outcome(method, b"x") for method in (client.write, client.send, client.sendall)])
    client.close()

# --- SOCK-3: close

client, conn = tcp_pair()
show("SOCK-3", "close", client.close(), client.close())
show("SOCK-3", "the peer sees EOF", conn.read(), conn.recv(10), conn.readline())
address = conn.getsockname()
conn.close()
buffer = bytearray(10)
for name, args in (
    ("accept", ()),
    ("bind", (address,)),
    ("connect", (address,)),
    ("dup", ()),
    ("getpeername", ()),
    ("getsockname", ()),
    ("getsockopt", (usocket.SOL_SOCKET, usocket.SO_TYPE)),
    ("listen", ()),
    ("read", ()),
    ("readinto", (buffer,)),
    ("readline", ()),
    ("recv", (10,)),
    ("recv_into", (buffer,)),
    ("recvfrom", (10,)),
    ("recvfrom_into", (buffer,)),
    ("send", (b"x",)),
    ("sendall", (b"x",)),
    ("sendto", (b"x", address)),
    ("setblocking", (False,)),
    ("setsockopt", (usocket.SOL_SOCKET, usocket.SO_REUSEADDR, 1)),
    ("settimeout", (1,)),
    ("shutdown", (usocket.SHUT_WR,)),
    ("write", (b"x",)),
):
    if name != "dup" or has("sharing"):
        show("SOCK-3", "afterwards " + name, outcome(getattr(conn, name), *args))
show("SOCK-3", "afterwards fileno", conn.fileno())


def drop(count):
    """Connections of which one end is forgotten unclosed; the other ends."""
    return [tcp_pair()[1] for _ in range(count)]


ends = drop(20)
gc.collect()
# A collector that searches the stack may still find one or the other.
show("SOCK-3", "collected unclosed, it is closed", len([True for end in ends if readable(end, 100)]) >= 15)
for end in ends:
    end.close()


def lowest_free_descriptor():
    sock = usocket.socket()
    number = sock.fileno()
    sock.close()
    return number


deaf = usocket.socket()
deaf.bind(("127.0.0.1", 0))
before = lowest_free_descriptor()
for _ in range(20):
    outcome(usocket.socket, 9999)
    if has("sharing"):
        outcome(usocket.socketpair, 9999)
    sock = usocket.socket()
    failed = outcome(sock.connect, deaf.getsockname())
    sock.close()
show("SOCK-3", "failures leak nothing", lowest_free_descriptor() == before)

# --- SOCK-5: connections

show("SOCK-5", "refused", failed)
sock = usocket.socket()
show("SOCK-5", "refused again", [outcome(sock.connect, deaf.getsockname()) for _ in range(3)])
sock.settimeout(10)
show("SOCK-5", "and with a timeout", [outcome(sock.connect, deaf.getsockname()) for _ in range(3)])
deaf.listen()
show("SOCK-5", "not any more", sock.connect(deaf.getsockname()))
sock.close()
deaf.close()
server = usocket.socket()
show("SOCK-5", "bind", server.bind(("127.0.0.1", 0)))
show("SOCK-5", "bind again", outcome(server.bind, ("127.0.0.1", 0)))
second = usocket.socket()
show("SOCK-5", "a port that is taken", outcome(second.bind, server.getsockname()))
second.close()
show("SOCK-5", "listen", server.listen(), server.listen(0), server.listen(-5), server.listen(3))
show("SOCK-5", "listen, wrong types", outcome(server.listen, "x"), outcome(server.listen, 1.5))
client = usocket.socket()
show("SOCK-5", "connect", client.connect(server.getsockname()))
show("SOCK-5", "connect again", outcome(client.connect, server.getsockname()))
server.settimeout(10)
pair = server.accept()
show("SOCK-5", "accept", type(pair), len(pair), pair[1] == client.getsockname())
show("SOCK-5", "what it accepts blocks", pair[0].gettimeout(), pair[0].getblocking())
show("SOCK-5", "accept without listen", outcome(pair[0].accept))
pair[0].close()
client.close()
server.close()

# --- SOCK-8: beside the reference

client, conn = tcp_pair()
show("SOCK-8", "shutdown", client.shutdown(usocket.SHUT_WR), conn.read(), conn.write(b"still"), client.read(5))
show("SOCK-8", "shutdown, wrong", outcome(client.shutdown, 99), outcome(client.shutdown, "x"))
show("SOCK-8", "getpeername, not connected", outcome(usocket.socket().getpeername))
show("SOCK-8", "fileno", client.fileno() >= 0, client.fileno() == client.fileno(), client.fileno() != conn.fileno())
client.close()
conn.close()

if has("sharing"):
    client, conn = tcp_pair()
    client.settimeout(7)
    twin = client.dup()
    show(
        "SOCK-8",
        "dup",
        twin.fileno() != client.fileno(),
        twin.gettimeout() == 7,
        twin.getsockname() == client.getsockname(),
    )
    client.close()
    show("SOCK-8", "it is on its own", twin.write(b"by the twin"), conn.read(11))
    number = twin.fileno()
    show("SOCK-8", "detach", twin.detach() == number, twin.fileno(), outcome(twin.write, b"x"), outcome(twin.detach))
    show("SOCK-8", "the descriptor lives on", not readable(conn, 0))
    conn.close()

    left, right = usocket.socketpair()
    show(
        "SOCK-8",
        "socketpair",
        left.family == AF_UNIX or not has("unix"),
        left.type == SOCK_STREAM,
        left.write(b"abc"),
        right.read(3),
    )
    left.close()
    right.close()
    if has("unix"):
        left, right = usocket.socketpair(AF_UNIX, SOCK_DGRAM)
        show("SOCK-8", "of datagrams", left.send(b"one"), left.send(b"two"), right.recv(10), right.recv(10))
        left.close()
        right.close()
    show("SOCK-8", "impossible", outcome(usocket.socketpair, AF_INET, SOCK_STREAM))

with usocket.socket() as sock:
    show("SOCK-8", "with", sock.fileno() >= 0)
show("SOCK-8", "closes", sock.fileno())
left, right = stream_pair()
left.write(b"one\ntwo\nand a half")
left.close()
show("SOCK-8", "iteration", [line for line in right])
right.close()

server = listener()
client = usocket.socket()
client.connect(server.getsockname())
text = repr(client)
show("SOCK-8", "repr: descriptor", "fd=" + str(client.fileno()) in text)
show("SOCK-8", "repr: both ends", str(port_of(client)) in text, str(port_of(server)) in text)
client.close()
show("SOCK-8", "repr: closed", "closed" in repr(client))
server.close()
