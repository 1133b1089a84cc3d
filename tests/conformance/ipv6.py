# rules: ADDR-1 ADDR-2 ADDR-5
# The same over IPv6, where the machine has it.

import usocket
from support import outcome, port_of, show
from usocket import AF_INET6, SOCK_STREAM

server = usocket.socket(AF_INET6)
try:
    server.bind(("::1", 0))
except OSError:
    print("SKIP")
    raise SystemExit from None
server.listen(5)

for address in (
    ("::1", port_of(server)),
    ("::1", port_of(server), 0, 0),
    ("0:0:0:0:0:0:0:1", port_of(server)),
    server.getsockname(),
    usocket.getaddrinfo("::1", port_of(server), AF_INET6, SOCK_STREAM)[0][-1],
):
    client = usocket.socket(AF_INET6)
    show(
        "ADDR-2",
        "connects with a " + ("tuple" if isinstance(address, tuple) else "bytes"),
        outcome(client.connect, address),
    )
    conn, peer = server.accept()
    show(
        "ADDR-1",
        "both ends agree",
        isinstance(peer, bytes),
        peer == client.getsockname(),
        conn.getsockname() == client.getpeername(),
    )
    client.close()
    conn.close()
    decoded = usocket.sockaddr(peer)
    show("ADDR-5", "decoded", decoded[0] == AF_INET6, decoded[1], decoded[2] > 0, decoded[3:])
wildcard = usocket.socket(AF_INET6)
wildcard.bind(("", 0))
show("ADDR-2", "the wildcard", usocket.sockaddr(wildcard.getsockname())[1])
wildcard.close()
server.close()
client = usocket.socket(AF_INET6)
show("ADDR-2", "an IPv4 address", outcome(client.connect, ("127.0.0.1", 80)))
client.close()
