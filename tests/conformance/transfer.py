# rules: SOCK-6 ADDR-8
# The socket methods that move bytes.

import usocket
from support import STREAMS, arrived, fill, has, outcome, readable, show
from usocket import AF_INET, SOCK_DGRAM

buffer = bytearray(8)
for kind, pair in STREAMS:
    left, right = pair()
    show("SOCK-6", kind + " send", left.send(b"hello"), left.send(bytearray(b" wor")), left.send(memoryview(b"ld")))
    arrived(right, 11)
    show("SOCK-6", kind + " recv takes what there is", right.recv(5), right.recv(100))
    show("SOCK-6", kind + " sendall", left.sendall(b"0123456789"), left.sendall(b""))
    arrived(right, 10)
    show("SOCK-6", kind + " recv", right.recv(0), right.recv(4), right.recv(4, usocket.MSG_PEEK), right.recv(4))
    show("SOCK-6", kind + " recv_into", right.recv_into(buffer), buffer[:2])
    left.send(b"abcdefgh")
    show("SOCK-6", kind + " recv_into n", right.recv_into(buffer, 3), buffer[:3])
    show("SOCK-6", kind + " recv_into flags", right.recv_into(buffer, 2, usocket.MSG_PEEK), buffer[:2])
    show("SOCK-6", kind + " recv_into a slice", right.recv_into(memoryview(buffer)[4:]), buffer[4:])
    show("SOCK-6", kind + " send flags", left.send(b"xyz", 0), left.sendall(b"!", 0), right.read(5))
    left.send(b"xyz")
    arrived(right, 3)
    data, sender = right.recvfrom(2)
    show("SOCK-6", kind + " recvfrom", data, right.recvfrom_into(buffer)[0])
    peers = [right.getpeername()] if kind == "tcp" else [right.getpeername(), b""]  # AF_UNIX ends have no name
    show("ADDR-8", kind + " recvfrom names the peer", sender in peers)
    for method in (right.recv, right.recvfrom):
        show("SOCK-6", kind + " sizes", outcome(method, -1), outcome(method, 1 << 31), outcome(method, 1 << 40))
        show("SOCK-6", kind + " wrong types", outcome(method, "x"), outcome(method, 1.5), outcome(method, None))
        show("SOCK-6", kind + " flags of a wrong type", outcome(method, 1, "x"))
    for method in (right.recv_into, right.recvfrom_into):
        show("SOCK-6", kind + " sizes", outcome(method, buffer, -1), outcome(method, buffer, 1 << 40))
        show("SOCK-6", kind + " read-only", outcome(method, b"abc"), outcome(method, 5), outcome(method, None))
    for method in (left.send, left.sendall):
        show("SOCK-6", kind + " wrong types", outcome(method, 5), outcome(method, None), outcome(method, b"", "x"))
    some = fill(left)
    show("SOCK-6", kind + " short writes", some > 0, outcome(left.send, b"x"))
    right.close()
    left.close()
    left, right = pair()
    left.close()
    readable(right)
    show("SOCK-6", kind + " at the end", right.recv(10), right.recv_into(buffer), right.recvfrom(10)[0])
    right.close()

one = usocket.socket(AF_INET, SOCK_DGRAM)
two = usocket.socket(AF_INET, SOCK_DGRAM)
for sock in (one, two):
    sock.settimeout(10)
    sock.bind(("127.0.0.1", 0))
show("SOCK-6", "sendto", one.sendto(b"first", two.getsockname()), one.sendto(b"second", 0, two.getsockname()))
data, sender = two.recvfrom(100)
show("SOCK-6", "recvfrom", data, sender == one.getsockname())
count, sender = two.recvfrom_into(buffer)
show("SOCK-6", "recvfrom_into", buffer[:count], sender == one.getsockname())
one.sendto(b"longer than wanted", two.getsockname())
one.sendto(b"", two.getsockname())
show("SOCK-6", "the rest of a datagram is lost", two.recvfrom(6)[0], two.recvfrom(6)[0])
if has("options"):
    one.sendto(b"not wanted", two.getsockname())
    show("SOCK-6", "nothing of a datagram, with MSG_TRUNC", two.recv(0, usocket.MSG_TRUNC))
show("SOCK-6", "sendto, too few", outcome(one.sendto, b"x"), outcome(one.sendto, b"x", 0, two.getsockname(), 0))
show("SOCK-6", "sendto, flags of a wrong type", outcome(one.sendto, b"x", "x", two.getsockname()))
show("SOCK-6", "send without an address", outcome(one.send, b"x"))
one.connect(two.getsockname())
show("SOCK-6", "send with one", one.send(b"direct"), two.recv(100))
one.close()
two.close()
