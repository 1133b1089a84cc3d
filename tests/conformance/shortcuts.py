# rules: NAME-2
# What desktop programs and pycopy-lib's modules find in `socket` besides: on CPython in usocket.compat.

import sys

import usocket

if sys.implementation.name == "cpython":
    import usocket.compat as socket
else:
    import socket

from support import has, outcome, show

if not has("layout"):  # on CPython this face shares the numbers of its own socket module
    print("SKIP")
    raise SystemExit

show("NAME-2", "inet_aton", socket.inet_aton("127.0.0.1"))
show("NAME-2", "inet_ntoa", socket.inet_ntoa(b"\x7f\0\0\1"))
for name in ("SOCK_SEQPACKET", "IPPROTO_IP", "IP_ADD_MEMBERSHIP", "IP_DROP_MEMBERSHIP", "INADDR_ANY"):
    show("NAME-2", name, isinstance(getattr(socket, name), int))

# --- create_server, create_connection, connect_ex

server = socket.create_server(("localhost", 0))
host, port = server.getsockname()
show("NAME-2", "create_server", host, server.family == socket.AF_INET, server.type == socket.SOCK_STREAM)
show("NAME-2", "SO_REUSEADDR", server.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR))
client = socket.create_connection(("localhost", port))
conn, peer = server.accept()
show("NAME-2", "create_connection", peer == client.getsockname(), client.gettimeout())
client.close()
conn.close()
sources = ("127.0.0.2", "127.0.0.3") if has("loopback") else ("127.0.0.1", "127.0.0.1")
client = socket.create_connection((host, port), 5, (sources[0], 0))
show("NAME-2", "timeout, source_address", client.gettimeout(), client.getsockname()[0])
client.close()
client = socket.create_connection((host, port), timeout=None, source_address=(sources[1], 0))
show("NAME-2", "as keywords", client.gettimeout(), client.getsockname()[0])
show("NAME-2", "connect_ex, connected", client.connect_ex((host, port)) != 0)
client.close()
client = socket.socket()
show("NAME-2", "connect_ex", client.connect_ex((host, port)))
client.close()
server.close()
client = socket.socket()
show("NAME-2", "connect_ex, refused", client.connect_ex((host, port)) != 0)
client.close()
show("NAME-2", "refused", outcome(socket.create_connection, (host, port)))
show("NAME-2", "refused", outcome(socket.create_connection, (host, port), -1))
show("NAME-2", "wrong types", outcome(socket.create_connection, 5), outcome(socket.create_server, 5))
show("NAME-2", "in use", outcome(socket.create_server, ("127.0.0.1", "x")))

server = socket.create_server(("::1", 0), family=socket.AF_INET6, backlog=3, reuse_port=has("options"))
show("NAME-2", "AF_INET6", server.getsockname()[0], server.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
if has("options"):
    show("NAME-2", "SO_REUSEPORT", server.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) != 0)
server.close()
server = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
client = socket.create_connection(("127.0.0.1", server.getsockname()[1]), 5)
show("NAME-2", "both", server.accept()[1][0])
client.close()

# --- The timeout of new sockets

show("NAME-2", "default timeout", socket.getdefaulttimeout())
show("NAME-2", "refused", outcome(socket.setdefaulttimeout, -1), outcome(socket.setdefaulttimeout, "x"))
socket.setdefaulttimeout(0.5)
sock = socket.socket()
show("NAME-2", "set", socket.getdefaulttimeout(), sock.gettimeout(), usocket.socket().gettimeout())
sock.close()
client = socket.create_connection(("::1", server.getsockname()[1]))
conn = server.accept()[0]
show("NAME-2", "for connections, too", client.gettimeout(), conn.gettimeout())
left, right = socket.socketpair()
show("NAME-2", "and pairs", left.gettimeout(), right.gettimeout())
for one in (client, conn, left, right):
    one.close()
socket.setdefaulttimeout(None)
sock = socket.socket()
show("NAME-2", "and none again", socket.getdefaulttimeout(), sock.gettimeout())
sock.close()
server.close()
