# rules: TLS-2 TIME-2 TIME-4
# A socket of IPPROTO_SEC is wrapped before it connects: connect() does TCP and the handshake.

import usocket
from support import listener, outcome, show, tcp_pair, uerrno, uselect
from tls_support import client_context, content, said, server_context, shake, words

AF_INET, SOCK_STREAM, IPPROTO_SEC = usocket.AF_INET, usocket.SOCK_STREAM, usocket.IPPROTO_SEC


def secure_socket(name="localhost"):
    sock = usocket.socket(AF_INET, SOCK_STREAM, IPPROTO_SEC)
    client_context().wrap_socket(sock, server_hostname=name)
    return sock


def connect(sock, server, context):
    """Until both are through: what connect() comes to at last, and what it says before; the server's socket."""
    said_before = set()
    conn = None
    sock.setblocking(False)
    server.setblocking(False)
    while True:
        try:
            sock.connect(server.getsockname())
            while said(conn.do_handshake) == "OSError EAGAIN":
                uselect.select([conn], [], [], 1)
            return "ok", said_before, conn
        except OSError as error:
            if error.args[0] not in (uerrno.EINPROGRESS, uerrno.EAGAIN):
                return words(error), said_before, conn
            said_before.add(error.args[0])
        if conn is None:
            try:
                conn = server.accept()[0]
            except OSError:
                uselect.select([server], [], [], 1)
                continue
            context.wrap_socket(conn, server_side=True, do_handshake=False)
            conn.setblocking(False)
        outcome(conn.do_handshake)
        uselect.select([sock, conn], [], [], 0.01)


server = listener()
sock = usocket.socket(AF_INET, SOCK_STREAM, IPPROTO_SEC)
show("TLS-2", "IPPROTO_SEC", IPPROTO_SEC, sock.proto, said(sock.do_handshake))
show("TLS-2", "wrapped, not connected", client_context().wrap_socket(sock, server_hostname="localhost") is sock)
show("TLS-2", "not connected", outcome(sock.write, b"x"), outcome(sock.version), outcome(sock.getpeername))
result, before, conn = connect(sock, server, server_context())
show("TLS-2", "connect", result, sock.version() == conn.version(), sock.getpeercert(True) == content("right.der"))
show("TIME-4", "until then", before == {uerrno.EINPROGRESS})
show("TLS-2", "once more", outcome(sock.connect, server.getsockname()))
sock.setblocking(True)
conn.setblocking(True)
show("TLS-2", "and goes on", sock.write(b"question"), conn.read(8), conn.write(b"answer"), sock.read(6))
sock.close()
conn.close()
show("TLS-2", "refused", connect(secure_socket("elsewhere.example"), server, server_context())[0])
show("TLS-2", "refused", connect(secure_socket(), server, server_context("expired"))[0])
address = server.getsockname()
server.close()
show("TLS-2", "nobody listens", outcome(secure_socket().connect, address))

# --- Of IPPROTO_SEC and not wrapped: a plain socket

server = listener()
sock = usocket.socket(AF_INET, SOCK_STREAM, IPPROTO_SEC)
sock.connect(server.getsockname())
conn = server.accept()[0]
show("TLS-2", "not wrapped", sock.write(b"plain"), conn.read(5))
conn.close()
sock.close()

# --- TIME-2: one deadline for TCP and the handshake; nobody answers

sock = secure_socket()
sock.settimeout(0.05)
show("TIME-2", "connect", outcome(sock.connect, server.getsockname()))
sock.close()
left, right = tcp_pair()
left.settimeout(0.05)
show("TIME-2", "wrap_socket", outcome(lambda: client_context().wrap_socket(left, server_hostname="localhost")))
show("TIME-2", "do_handshake", outcome(left.do_handshake))
show("TIME-2", "read, write", outcome(left.read, 1), outcome(left.readline), outcome(left.write, b"x"))
server_context().wrap_socket(right, server_side=True, do_handshake=False)
show("TIME-2", "and goes on", shake(left, right))
left.setblocking(True)
right.setblocking(True)
show("TIME-2", "and goes on", left.write(b"hello"), right.read(5))
