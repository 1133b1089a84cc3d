# rules: TIME-1 TIME-3
# settimeout and setblocking; every method ends in ETIMEDOUT, whatever it was waiting for.

import usocket
from support import STREAMS, abstract_name, fill, has, listener, outcome, show
from usocket import AF_UNIX, SOCK_DGRAM

# --- TIME-1: what is set is what is there

sock = usocket.socket()
show("TIME-1", "at first", sock.gettimeout(), sock.getblocking())
for value in (5, 0.25, None, 0, 1e6, 0.0):
    sock.settimeout(value)
    show("TIME-1", "settimeout " + str(value), sock.gettimeout() == value, sock.getblocking())
for steps in (
    (None, True),
    (5, False),
    (5, False, True),
    (5, True, False),
    (False, 5),
    (True, 5),
    (False, 5, True),
    (0, True),
    (None, False),
    (False, None),
):
    for step in steps:
        if step is True or step is False:
            sock.setblocking(step)
        else:
            sock.settimeout(step)
    show("TIME-1", " ".join([str(step) for step in steps]), sock.getblocking(), sock.gettimeout() in (None, 0, 5))
show("TIME-1", "setblocking takes any truth value", sock.setblocking(1), sock.getblocking())
for value in (-1, -0.001, float("nan"), -float("inf")):
    show("TIME-1", "out of range", outcome(sock.settimeout, value), sock.gettimeout())
for value in ("1", b"1", (), [1]):
    show("TIME-1", "wrong types", outcome(sock.settimeout, value))
sock.close()

# --- TIME-3: the data that doesn't come

SHORT = 0.02
buffer = bytearray(10)
for kind, pair in STREAMS:
    left, right = pair()
    left.settimeout(SHORT)
    for name, args in (
        ("recv", (10,)),
        ("recvfrom", (10,)),
        ("recv_into", (buffer,)),
        ("recvfrom_into", (buffer,)),
        ("read", ()),
        ("read", (10,)),
        ("readinto", (buffer,)),
        ("readline", ()),
    ):
        show("TIME-3", kind + " " + name, outcome(getattr(left, name), *args))
    # The connection is as good as before. (What a wire loses is sent again, later.)
    left.settimeout(20)
    left.write(b"ping")
    show("TIME-3", kind + " and goes on", right.read(4), right.write(b"pong"), left.read(4))
    fill(left)
    left.settimeout(SHORT)
    for name in ("send", "sendall", "write"):
        show("TIME-3", kind + " " + name, outcome(getattr(left, name), b"x" * 100000))
    left.close()
    right.close()

# --- the room that doesn't come, for messages

free = listener()
if has("unix"):
    receiver = usocket.socket(AF_UNIX, SOCK_DGRAM)
    receiver.bind(abstract_name(free))
    sender = usocket.socket(AF_UNIX, SOCK_DGRAM)
    sender.connect(receiver.getsockname())
    fill(sender)
    sender.settimeout(SHORT)
    show("TIME-3", "sendto", outcome(usocket.socket.sendto, sender, bytes(65536), receiver.getsockname()))
    receiver.close()
    sender.close()

# --- the connection that doesn't come

free.settimeout(SHORT)
show("TIME-3", "accept", outcome(free.accept))
free.close()


def connect_to_full(server):
    """Connects to a server that doesn't accept until its backlog is full: what the last one comes to."""
    clients = []
    result = None
    while result is None and len(clients) < 50:
        client = usocket.socket(server.family)
        client.settimeout(0.1)
        result = outcome(client.connect, server.getsockname())
        clients.append(client)
    for client in clients:
        client.close()
    return result


full = listener(usocket.AF_INET, 0)
show("TIME-3", "tcp connect", connect_to_full(full))
name = abstract_name(full)
full.close()
if has("unix"):
    full = usocket.socket(AF_UNIX)
    full.bind(name)
    full.listen(0)
    show("TIME-3", "unix connect", connect_to_full(full))
    full.close()
