# rules: ADDR-1 ADDR-2 ADDR-3 ADDR-4 ADDR-5 ADDR-6 ADDR-7 ADDR-8
# Addresses: opaque bytes, tuples, paths, malformed ones; inet_pton and inet_ntop.

import usocket
from support import abstract_name, has, listener, message, outcome, port_of, readable, show, stream_pair, tcp_pair
from usocket import AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM, SOCK_STREAM


def address_of(host, port, family=AF_INET):
    return usocket.getaddrinfo(host, port, family, SOCK_STREAM)[0][-1]


def is_bytes(address):
    return isinstance(address, bytes)


# --- ADDR-1: opaque

client, conn = tcp_pair()
udp = usocket.socket(AF_INET, SOCK_DGRAM)
udp.bind(address_of("127.0.0.1", 0))
udp.sendto(b"to itself", udp.getsockname())
sender = udp.recvfrom(100)[1]
native = address_of("127.0.0.1", 80)
show("ADDR-1", "getaddrinfo", is_bytes(native))
show(
    "ADDR-1",
    "getsockname, getpeername, recvfrom",
    is_bytes(client.getsockname()),
    is_bytes(client.getpeername()),
    is_bytes(sender),
)
show(
    "ADDR-1", "both ends agree", client.getsockname() == conn.getpeername(), conn.getsockname() == client.getpeername()
)
show("ADDR-1", "a sender is known by its address", sender == udp.getsockname())
show(
    "ADDR-1",
    "equal for the same endpoint",
    native == address_of("127.0.0.1", 80),
    native == address_of("127.0.0.1", 81),
)
show("ADDR-1", "a key", {native: "found"}.get(address_of("127.0.0.1", 80)))
server = listener()
second = usocket.socket()
second.connect(server.getsockname())
peer = server.accept()[1]
show("ADDR-1", "accept", is_bytes(peer), peer == second.getsockname())
for sock in (client, conn, second, server):
    sock.close()

# --- ADDR-2: tuples

sock = usocket.socket()
show("ADDR-2", "a tuple to bind", outcome(sock.bind, ("127.0.0.1", 0)))
show("ADDR-2", "and what it is natively", usocket.sockaddr(sock.getsockname())[1])
sock.listen(1)
client = usocket.socket()
show("ADDR-2", "a tuple to connect", outcome(client.connect, ("127.0.0.1", port_of(sock))))
client.close()
sock.close()
show("ADDR-2", "a tuple to sendto", outcome(udp.sendto, b"abc", ("127.0.0.1", port_of(udp))))
sock = usocket.socket()
sock.bind(("", 0))
show("ADDR-2", "the wildcard", usocket.sockaddr(sock.getsockname())[1])
sock.close()
sock = usocket.socket()
for host in ("localhost", "no-such-host.invalid", "127.0.0.1.", "127.1", "::1", " 127.0.0.1"):
    show("ADDR-2", "not numeric", outcome(sock.connect, (host, 80)), host)
text = message(sock.connect, ("some-name", 80))
show("ADDR-2", "the error names it and the way out", "some-name" in text, "getaddrinfo" in text)
show("ADDR-2", "too few, too many", outcome(sock.bind, ("127.0.0.1",)), outcome(sock.bind, ("127.0.0.1", 0, 0)))
show("ADDR-2", "empty", outcome(sock.bind, ()))

# --- ADDR-3: ranges and types

for port in (-1, 65536, 1 << 40, -(1 << 40)):
    show("ADDR-3", "port", outcome(sock.bind, ("127.0.0.1", port)), "port" in message(sock.bind, ("127.0.0.1", port)))
for port in (80.0, "80", None, b"80", ()):
    show("ADDR-3", "port of a wrong type", outcome(sock.bind, ("127.0.0.1", port)))
for host in (1, None, 1.5, ("127.0.0.1",)):
    show("ADDR-3", "host of a wrong type", outcome(sock.bind, (host, 80)))
for address in (None, 5, 1.5, {}, []):
    show("ADDR-3", "address of a wrong type", outcome(sock.bind, address), outcome(sock.connect, address))
show("ADDR-3", "sendto, too", outcome(udp.sendto, b"", 5), outcome(udp.sendto, b"", ("127.0.0.1", 65536)))
sock.close()
sock6 = usocket.socket(AF_INET6)
for rest in ((80, 1, 0), (80, -1, 0)):
    address = ("::1",) + rest
    show("ADDR-3", "flowinfo", outcome(sock6.bind, address), "flowinfo" in message(sock6.bind, address))
for rest in ((80, 0, -1), (80, 0, 1 << 32)):
    address = ("::1",) + rest
    show("ADDR-3", "scopeid", outcome(sock6.bind, address), "scopeid" in message(sock6.bind, address))
show("ADDR-3", "of wrong types", outcome(sock6.bind, ("::1", 80, None, 0)), outcome(sock6.bind, ("::1", 80, 0, "lo")))
sock6.close()

# --- ADDR-4: paths. Abstract names (Linux) leave no files behind.

if has("unix"):
    name = abstract_name(udp)
    sock = usocket.socket(AF_UNIX)
    show("ADDR-4", "an abstract name", outcome(sock.bind, name))
    show("ADDR-4", "is what it was", usocket.sockaddr(sock.getsockname()) == (AF_UNIX, name.encode()))
    sock.listen(1)
    client = usocket.socket(AF_UNIX)
    show("ADDR-4", "connects", outcome(client.connect, name))
    client.close()
    client = usocket.socket(AF_UNIX)
    show("ADDR-4", "by its native address", outcome(client.connect, sock.getsockname()))
    client.close()
    sock.close()
    sock = usocket.socket(AF_UNIX)
    show("ADDR-4", "too long", outcome(sock.bind, "x" * 200), outcome(sock.connect, "\0" + "x" * 200))
    longest = "/no-such-folder/" + "x" * 92  # 108 bytes: all that sun_path holds, to which Linux adds a NUL
    show("ADDR-4", "the longest", outcome(sock.connect, longest), outcome(sock.connect, longest + "x"))
    show("ADDR-4", "a NUL inside", outcome(sock.connect, "a\0b"))
    show("ADDR-4", "bytes are no path", outcome(sock.connect, b"/no-such-folder/x"))
    sock.close()
show("ADDR-4", "a path for AF_INET", outcome(usocket.socket().bind, "/tmp/x"))

# --- ADDR-5: decoded

show("ADDR-5", "AF_INET", usocket.sockaddr(address_of("127.0.0.1", 80)) == (AF_INET, b"\x7f\0\0\x01", 80))
ipv6 = usocket.sockaddr(address_of("::1", 8080, AF_INET6))
show("ADDR-5", "AF_INET6", len(ipv6), ipv6[0] == AF_INET6, ipv6[1], ipv6[2:])
left, right = stream_pair()
unnamed = left.getsockname()
if has("unix"):
    show("ADDR-5", "AF_UNIX, unnamed", usocket.sockaddr(unnamed) == (AF_UNIX, b""))
show("ADDR-5", "any other", usocket.sockaddr(b"\xfe\xfewhatever" + bytes(20))[1])
show("ADDR-5", "wrong types", outcome(usocket.sockaddr, None), outcome(usocket.sockaddr, 5))
left.close()
right.close()

# --- ADDR-8: what sockaddr() returns is an address again

receiver = usocket.socket(AF_INET, SOCK_DGRAM)
receiver.bind(("127.0.0.1", 0))
show("ADDR-8", "sendto", outcome(udp.sendto, b"there", usocket.sockaddr(receiver.getsockname())))
show("ADDR-8", "to that", readable(receiver) and receiver.recvfrom(10) == (b"there", udp.getsockname()))
receiver.close()
sock = usocket.socket()
show("ADDR-8", "bind", outcome(sock.bind, (AF_INET, b"\x7f\0\0\1", 0)), usocket.sockaddr(sock.getsockname())[1])
sock.listen(1)
client = usocket.socket()
show("ADDR-8", "connect", outcome(client.connect, usocket.sockaddr(sock.getsockname())))
show("ADDR-8", "to the same", client.getpeername() == sock.getsockname())
client.close()
sock.close()
sock6 = usocket.socket(AF_INET6)
show("ADDR-8", "AF_INET6", outcome(sock6.bind, (AF_INET6, bytes(15) + b"\1", 0, 0, 0)))
show("ADDR-8", "is what it was", usocket.sockaddr(sock6.getsockname())[1] == bytes(15) + b"\1")
sock6.close()
if has("unix"):
    sock = usocket.socket(AF_UNIX)
    show("ADDR-8", "AF_UNIX", outcome(sock.bind, (AF_UNIX, name.encode())))
    sock.listen(1)
    client = usocket.socket(AF_UNIX)
    show("ADDR-8", "AF_UNIX to connect", outcome(client.connect, usocket.sockaddr(sock.getsockname())))
    client.close()
    sock.close()
sock = usocket.socket()
other = b"\xfe\xfe" + bytes(20)
show("ADDR-8", "any other", outcome(sock.connect, usocket.sockaddr(other)) == outcome(sock.connect, other))
ip = b"\x7f\0\0\1"
for wrong in ((AF_INET, ip), (AF_INET, ip, 80, 0, 0), (AF_INET6, bytes(16), 80), (AF_UNIX, b"x", 80)):
    show("ADDR-8", "too few, too many", outcome(sock.connect, wrong))
for wrong in ((AF_INET, b"abc", 80), (AF_INET6, ip, 80, 0, 0), (-1, b"x"), (1 << 20, b"x"), (1 << 70, b"x")):
    show("ADDR-8", "no address", outcome(sock.connect, wrong))
show("ADDR-8", "too long", outcome(sock.connect, (0xFE, bytes(127))), outcome(sock.connect, (0xFE, bytes(100000))))
for port in (-1, 65536, "80", None):
    text = message(sock.connect, (AF_INET, ip, port))
    show("ADDR-8", "port", outcome(sock.connect, (AF_INET, ip, port)), isinstance(port, int) and "port" in text)
for rest in ((1 << 32, 0), (-1, 0), (0, 1 << 32), (0, None)):
    show("ADDR-8", "flowinfo, scopeid", outcome(sock.connect, (AF_INET6, bytes(16), 80) + rest))
sock.close()

# --- ADDR-6: malformed


def kinds(function, addresses):
    """What the addresses are answered with, each kind once."""
    found = []
    for address in addresses:
        result = outcome(function, address)
        kind = result.split()[0] if isinstance(result, str) else "accepted"
        if kind not in found:
            found.append(kind)
    return " ".join(sorted(found))


sock = usocket.socket()
for family, whole in (("AF_INET", native), ("AF_INET6", address_of("::1", 80, AF_INET6))):
    cut = [whole[:size] for size in range(len(whole))]
    show("ADDR-6", family + " cut short", kinds(usocket.sockaddr, cut), "|", kinds(sock.bind, cut))
show("ADDR-6", "empty", outcome(usocket.sockaddr, b""), outcome(sock.bind, b""), outcome(sock.connect, b""))
long = [native + bytes(size) for size in (113, 1000, 100000)]
show("ADDR-6", "too long", kinds(usocket.sockaddr, long), "|", kinds(sock.bind, long), "|", kinds(sock.connect, long))
unknown = [b"\xfe\xfe" + bytes(size) for size in range(127)]
show("ADDR-6", "unknown family", kinds(usocket.sockaddr, unknown), "|", kinds(sock.connect, unknown))
paths = [unnamed[:2] + b"/no-such-folder/"[:size] + b"x" * (size - 16) for size in range(127)]
show("ADDR-6", "paths", kinds(usocket.sockaddr, paths), "|", kinds(sock.connect, paths))
sock.close()
udp.close()

# --- ADDR-7: text

show("ADDR-7", "the reference's", usocket.inet_ntop(AF_INET, b"\x7f\0\0\1"), usocket.inet_pton(AF_INET, "1.2.3.4"))
show("ADDR-7", "IPv6", usocket.inet_ntop(AF_INET6, bytes(15) + b"\1"), usocket.inet_pton(AF_INET6, "2001:db8::1"))
for text in ("", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.4 ", "::1", "1.2.3.4\0", "name", "1" * 1000):
    show("ADDR-7", "malformed", outcome(usocket.inet_pton, AF_INET, text))
for text in ("", ":", "1.2.3.4", "::g", "1::2::3", "::1%1", "[::1]"):
    show("ADDR-7", "malformed IPv6", outcome(usocket.inet_pton, AF_INET6, text))
for packed in (b"", b"abc", b"abcde", bytes(16)):
    show("ADDR-7", "packed length", outcome(usocket.inet_ntop, AF_INET, packed))
for packed in (b"", bytes(4), bytes(15), bytes(17)):
    show("ADDR-7", "packed length IPv6", outcome(usocket.inet_ntop, AF_INET6, packed))
show("ADDR-7", "family", outcome(usocket.inet_pton, AF_UNIX, "1.2.3.4"), outcome(usocket.inet_ntop, 9999, bytes(4)))
show("ADDR-7", "wrong types", outcome(usocket.inet_pton, AF_INET, 5), outcome(usocket.inet_ntop, AF_INET, 5))
show(
    "ADDR-7",
    "family of a wrong type",
    outcome(usocket.inet_pton, "x", "1.2.3.4"),
    outcome(usocket.inet_ntop, None, b""),
)
