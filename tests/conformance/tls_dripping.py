# rules: TIME-2 TIME-3 TLS-2 TLS-3
# Peers that keep a call busy: it ends when its time is over, and not when theirs is. With threads.

import usocket
from support import listener, outcome, show, start, tcp_pair
from tls_support import client_context, said, secure_pair, server_context

IPPROTO_SEC = usocket.IPPROTO_SEC


def drip(sock, begin, stop):
    """Sends the beginning of a record, and then byte after byte."""
    sock.settimeout(0.005)
    outcome(sock.write, begin)
    for _ in range(2000):
        if stop or sock.write(b"x") is None:
            break
        outcome(sock.read, 10000)  # that is how long a byte takes
    sock.close()


def serve_dripping(server, stop):
    drip(server.accept()[0], b"\x16\x03\x03\x3f\xff", stop)


server = listener()
stop = []
join = start(serve_dripping, server, stop)
sock = usocket.socket(usocket.AF_INET, usocket.SOCK_STREAM, IPPROTO_SEC)
client_context().wrap_socket(sock, server_hostname="localhost")
sock.settimeout(0.1)
show("TLS-2", "connect to a peer that drips", outcome(sock.connect, server.getsockname()))
stop.append(True)
join()
sock.close()

stop = []
left, right = tcp_pair()
join = start(drip, left, b"\x16\x03\x01\x3f\xff", stop)
right.settimeout(0.1)
show("TIME-2", "a client that drips", outcome(lambda: server_context().wrap_socket(right, server_side=True)))
stop.append(True)
join()

# --- Both ends block

left, right = tcp_pair()
join = start(lambda: said(lambda: server_context().wrap_socket(right, server_side=True)))
client_context().wrap_socket(left, server_hostname="localhost")
show("TLS-3", "blocking handshakes", join(), left.version() == right.version())
much = bytes(range(256)) * 8000
join = start(lambda: right.write(right.read(len(much))))
show("TLS-3", "an echo", left.write(much), left.read(len(much)) == much, join())
join = start(lambda: outcome(right.read, 1))
left.settimeout(0.02)
show("TIME-3", "a reader of another thread", outcome(left.read, 1), left.write(b"x"), join())
join = start(lambda: outcome(right.read, 1))
left.close()
show("TLS-3", "the end wakes it", join())
left, right = secure_pair()
left.settimeout(0.05)
block = bytes(100000)
show("TIME-3", "no room", [outcome(left.write, block) for _ in range(100)][-1])
