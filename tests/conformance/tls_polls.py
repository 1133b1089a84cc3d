# rules: POLL-5
# A poll says that there is something to read when there is: not for tickets of a server, nor for a part of a record.

from support import readable, show, tcp_pair
from tls_support import client_context, said, secure_pair, server_context


def pass_on(source, target):
    """What there is, from one to the other."""
    data = source.read(65536)
    if data:
        target.write(data)


def relayed_pair():
    """Both ends of a connection with TLS, and the plain sockets between them, which relay nothing more."""
    left, near = tcp_pair()
    far, right = tcp_pair()
    client_context().wrap_socket(left, server_hostname="localhost", do_handshake=False)
    server_context().wrap_socket(right, server_side=True, do_handshake=False)
    for sock in (left, near, far, right):
        sock.setblocking(False)
    said_by_ends = []
    while said_by_ends != ["ok", "ok"]:
        said_by_ends = [said(left.do_handshake), said(right.do_handshake)]
        pass_on(near, far)
        pass_on(far, near)
    return left, near, far, right


left, right = secure_pair()
left.setblocking(False)
show("POLL-5", "behind a handshake", readable(left, 20), left.read(1))
right.write(b"hello")
show("POLL-5", "what the server says", readable(left), left.read(5), readable(left, 0))
left.close()
right.close()

left, near, far, right = relayed_pair()
left.write(b"one\ntwo\n")
readable(near)
record = near.read(65536)
early = []
for i in range(len(record) - 1):
    far.write(record[i : i + 1])
    early.append(readable(right, 1))
show("POLL-5", "a part of a record", True in early, right.read(1))
far.write(record[-1:])
show("POLL-5", "all of it", readable(right), right.readline(), readable(right, 0), right.readline(), readable(right, 0))
right.close()
data = None
while data != b"":
    readable(far)
    data = far.read(65536)
    if data:
        near.write(data)
show("POLL-5", "the end", readable(left), left.read(1), readable(left), left.read(1))
