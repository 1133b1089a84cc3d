# rules: SOCK-3 POLL-1 POLL-3 TIME-2 TIME-4 TLS-2 TLS-3 TLS-4 TLS-5 TLS-7
# A socket with TLS on it that listens: the connections that it accepts have TLS.

import usocket
from support import listener, outcome, readable, show, uselect
from tls_support import client_context, content, path, said, server_context, shake, ussl

AF_INET, SOCK_STREAM, IPPROTO_SEC = usocket.AF_INET, usocket.SOCK_STREAM, usocket.IPPROTO_SEC
WHENS = ("before bind", "before listen", "listening")


def listening(when, proto=0, do_handshake=True, context=None):
    """A listener that was wrapped at that time."""
    context = context or server_context()
    sock = usocket.socket(AF_INET, SOCK_STREAM, proto)
    for step in WHENS:
        if when == step:
            assert context.wrap_socket(sock, server_side=True, do_handshake=do_handshake) is sock
        if step == "before bind":
            sock.bind(("127.0.0.1", 0))
        elif step == "before listen":
            sock.listen(3)
    return sock


def knock(server):
    """Both ends of a connection; on that of the client there is no TLS yet."""
    client = usocket.socket()
    client.connect(server.getsockname())
    readable(server)
    conn, peer = server.accept()
    assert peer == client.getsockname() and conn.gettimeout() is None
    return client, conn


def talk(client, conn):
    """What the handshakes come to, and what is said then."""
    client_context().wrap_socket(client, server_hostname="localhost", do_handshake=False)
    results = shake(client, conn)
    if results == ["ok", "ok"]:
        for sock in (client, conn):
            sock.setblocking(True)
        results = client.write(b"question\n"), conn.readline(), conn.write(b"answer\n"), client.readline()
    client.close()
    conn.close()
    return results


for when in WHENS:
    for proto in (0, IPPROTO_SEC):
        server = listening(when, proto)
        show("TLS-2", "wrapped " + when, *[talk(*knock(server)) for _ in range(2)])
        server.close()
server = listening("before bind", do_handshake=False)
show("TLS-2", "the handshake put off", talk(*knock(server)))
server.close()

# --- The older way, as the WiPy has it

server = usocket.socket(AF_INET, SOCK_STREAM, IPPROTO_SEC)
server = ussl.wrap_socket(server, server_side=True, keyfile=path("right.key"), certfile=path("right.pem"))
server.bind(("127.0.0.1", 0))
server.listen(1)
show("TLS-2", "without a context", talk(*knock(server)))

# --- Nobody is kept waiting by a client that is silent, or speaks no TLS

silent, held = knock(server)
held.settimeout(0.02)
show("TIME-2", "a silent client", outcome(held.read, 1), outcome(held.write, b"x"), outcome(held.do_handshake))
show("TLS-2", "another one", talk(*knock(server)))
show("TLS-2", "the silent one speaks", talk(silent, held))
plain, conn = knock(server)
plain.write(b"GET / HTTP/1.0\r\n\r\n")
show("TLS-4", "no TLS", said(conn.readline), said(conn.write, b"x"))
plain.close()
conn.close()
gone, conn = knock(server)
gone.close()
show("TLS-5", "without a word", said(conn.read))
conn.close()
show("TLS-2", "another one", talk(*knock(server)))

# --- Polls

poller = uselect.poll()
poller.register(server, uselect.POLLIN | uselect.POLLOUT)
show("POLL-1", "nobody knocks", len(poller.poll(0)))
client = usocket.socket()
client.connect(server.getsockname())
show("POLL-1", "somebody knocks", [event[1] for event in poller.poll(10000)] == [uselect.POLLIN])
conn = server.accept()[0]
show("POLL-1", "nobody any more", len(poller.poll(0)))
poller.register(conn, uselect.POLLOUT)
show("POLL-3", "a connection that has said nothing", len(poller.poll(0)))
client_context().wrap_socket(client, server_hostname="localhost", do_handshake=False)
client.setblocking(False)
outcome(client.do_handshake)
show("POLL-3", "that has", [event[0] is conn for event in poller.poll(10000)])
show("POLL-3", "and goes on", shake(client, conn))
poller.unregister(server)
poller.unregister(conn)
client.close()
conn.close()

# --- What it is not

show("TLS-3", "no stream", outcome(server.read, 1), outcome(server.write, b"x"), outcome(server.version))
show("TLS-3", "one holder", outcome(server.dup))
show("TLS-2", "once more", said(server_context().wrap_socket, server, True))
show("TLS-2", "another one", talk(*knock(server)))
server.setblocking(False)
show("TIME-4", "nobody knocks", outcome(server.accept))
server.close()
show("SOCK-3", "closed", outcome(server.accept))

# --- Connections outlive it; what its context had then counts

context = server_context()
context.set_alpn_protocols(["one"])
server = listening("listening", context=context)
context.set_alpn_protocols(["two"])
client, conn = knock(server)
server.close()
server = context = None
context = client_context()
context.set_alpn_protocols(["two", "one"])
context.wrap_socket(client, server_hostname="localhost", do_handshake=False)
show("TLS-7", "after its end", shake(client, conn), client.selected_alpn_protocol(), conn.selected_alpn_protocol())
show("TLS-7", "the certificate", client.getpeercert(True) == content("right.der"), conn.getpeercert(True))
client.close()
conn.close()

# --- A client's does not listen

server = listener()
show("TLS-2", "a client's that listens", said(client_context().wrap_socket, server, False, "localhost"))
server.close()
client = usocket.socket(AF_INET, SOCK_STREAM, IPPROTO_SEC)
client_context().wrap_socket(client, server_hostname="localhost")
client.bind(("127.0.0.1", 0))
show("TLS-2", "a client's, to listen", said(client.listen, 1), outcome(client.accept))
client.close()
server = listener()
show("TLS-2", "without a certificate", said(client_context().wrap_socket, server, True))
show("TLS-2", "and as it was", outcome(server.setblocking, False), outcome(server.accept))
server.close()
