# rules: TLS-4 TLS-5
# Peers that do not keep to the protocol: what is not TLS, what is changed on its way, versions that are too old.

import usocket
from support import outcome, show, tcp_pair
from tls_support import client_context, later, said, server_context, shake


def answer(to_server, to_client):
    """What a handshake comes to for a server and for a client whose peer sends that."""
    results = []
    for sent, side in ((to_server, "server"), (to_client, "client")):
        peer, sock = tcp_pair()
        if side == "server":
            server_context().wrap_socket(sock, server_side=True, do_handshake=False)
        else:
            client_context().wrap_socket(sock, server_hostname="localhost", do_handshake=False)
        peer.write(sent)
        peer.shutdown(usocket.SHUT_WR)
        results.append(said(sock.do_handshake))
        if said(sock.read, 1) != results[-1] or said(sock.write, b"x") != results[-1]:
            results.append("not the same later")
        peer.close()
        sock.close()
    return results


def hello_of_client(version):
    """That of TLS 1.0 or 1.1: their suites, no extensions."""
    suites = b"\xc0\x13\xc0\x14\x00\x2f\x00\x35\x00\x0a"
    body = version + bytes(32) + b"\x00" + bytes([0, len(suites)]) + suites + b"\x01\x00"
    message = b"\x01" + bytes([0, 0, len(body)]) + body
    return b"\x16\x03\x01" + bytes([0, len(message)]) + message


def hello_of_server(version):
    body = version + bytes(32) + b"\x00" + b"\x00\x2f" + b"\x00"
    message = b"\x02" + bytes([0, 0, len(body)]) + body
    return b"\x16" + version + bytes([0, len(message)]) + message


for name, version in (("1.0", b"\x03\x01"), ("1.1", b"\x03\x02")):
    show("TLS-4", "TLS " + name, answer(hello_of_client(version), hello_of_server(version)))
show("TLS-4", "HTTP", answer(b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.0 400 Bad Request\r\n\r\n"))
show("TLS-4", "nonsense", answer(b"nonsense" * 10, b"nonsense" * 10))
alert = b"\x15\x03\x03\x00\x02\x02\x28"
show("TLS-4", "an alert", answer(alert, alert)[1])
show("TLS-5", "nothing, and the end", answer(b"", b""))
show("TLS-5", "a part of a record, and the end", answer(b"\x16\x03\x01\x02", b"\x16\x03\x03\x00\x40\x02\x00"))

# --- In the middle of a connection

for what, record in (
    ("a record that is not the peer's", b"\x17\x03\x03\x00\x28" + b"x" * 40),
    ("what is no record", b"GET / HTTP/1.0\r\n\r\n"),
    ("a record that is too long", b"\x17\x03\x03\xff\xff" + b"x" * 1000),
):
    left, right = tcp_pair()
    raw = left.dup()
    client_context().wrap_socket(left, server_hostname="localhost", do_handshake=False)
    server_context().wrap_socket(right, server_side=True, do_handshake=False)
    shake(left, right)
    left.write(b"before")
    raw.write(record)
    show("TLS-4", what, later(right.read, 6), later(right.read, 1))
    show("TLS-4", "and for good", outcome(right.read, 1), outcome(right.readline), outcome(right.write, b"x"))
    show("TLS-4", "the peer learns of it", later(left.read, 1).split(":")[0])
