# rules: NAME-2 ADDR-8
# The CPython-compatible face: `socket`, which on CPython goes by another name so as not to hide the library's own.

import sys

import usocket

if sys.implementation.name == "cpython":
    import usocket.compat as socket
else:
    import socket

from support import abstract_name, has, outcome, show

ours = [name for name in dir(usocket) if name[0] != "_" and name != "compat"]
show("NAME-2", "all that usocket has", [name for name in ours if not hasattr(socket, name)])
for name in ("error", "timeout", "gaierror"):
    show("NAME-2", name, issubclass(getattr(socket, name), OSError))


def caught(kind, function, *args):
    try:
        function(*args)
    except kind:
        return True


sock = socket.socket(family=socket.AF_INET, type=socket.SOCK_STREAM, proto=0)
show("NAME-2", "keywords", sock.type == socket.SOCK_STREAM)
sock.bind(("127.0.0.1", 0))
sock.listen(5)
host, port = sock.getsockname()
show("NAME-2", "getsockname", host, port > 0)
client = socket.socket()
show("NAME-2", "a name to connect", client.connect(("localhost", port)))
conn, peer = sock.accept()
show("NAME-2", "accept", peer == client.getsockname(), type(peer), peer[0])
show("NAME-2", "getpeername", client.getpeername() == (host, port), conn.getpeername() == peer)
client.settimeout(0.02)
show("NAME-2", "timeout", caught(socket.timeout, client.recv, 10), caught(socket.error, client.recv, 10))
conn.write(b"a line\nand more")
show("NAME-2", "a stream", client.readline(), client.read(8))
for one in (client, conn, sock):
    one.close()

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("localhost", 0))
show("NAME-2", "a name to bind and sendto", sock.sendto(b"abc", ("localhost", sock.getsockname()[1])))
apart = usocket.sockaddr(usocket.getaddrinfo("127.0.0.1", sock.getsockname()[1])[0][-1])
show("ADDR-8", "what sockaddr() returns", outcome(sock.sendto, b"abc", apart))
show("ADDR-8", "and of another family", outcome(sock.sendto, b"abc", usocket.sockaddr(b"\xfe\xfe" + bytes(20))))
data, sender = sock.recvfrom(10)
show("NAME-2", "recvfrom", data, sender == sock.getsockname(), sender[0])
sock.close()

found = socket.getaddrinfo("127.0.0.1", 80, socket.AF_INET, socket.SOCK_STREAM)
show("NAME-2", "getaddrinfo", len(found), found[0][-1])
found = socket.getaddrinfo("127.0.0.1", 80, family=socket.AF_INET, type=socket.SOCK_DGRAM, proto=0, flags=0)
show("NAME-2", "with keywords", len(found), found[0][-1])
show("NAME-2", "IPv6", socket.getaddrinfo("::1", 80, socket.AF_INET6, socket.SOCK_STREAM)[0][-1])
failing = ("not-numeric", 80, 0, 0, 0, socket.AI_NUMERICHOST)
show("NAME-2", "gaierror", caught(socket.gaierror, socket.getaddrinfo, *failing))

if has("unix"):
    free = usocket.socket()
    free.bind(("127.0.0.1", 0))
    name = abstract_name(free)
    free.close()
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(name)
    sock.listen(1)
    client = socket.socket(socket.AF_UNIX)
    show("NAME-2", "AF_UNIX: str and bytes", client.connect(name.encode()))
    client.close()
    client = socket.socket(socket.AF_UNIX)
    show("NAME-2", "AF_UNIX: str and bytes", client.connect(name), type(client.getpeername()) in (str, bytes))
    client.close()
    sock.close()
show("NAME-2", "wrong types", outcome(socket.socket().connect, 5), outcome(socket.socket().connect, ("127.0.0.1", "x")))
