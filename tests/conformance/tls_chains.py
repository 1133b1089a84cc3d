# rules: TLS-4
# Certificates that a server of ours would not show, and chains of several. The peer is a few bytes by hand: TLS 1.2
# shows certificates in the clear, so a client judges them before the peer has to prove that it has a key.

from support import readable, show, tcp_pair
from tls_support import client_context, content, said

ECDSA, RSA = b"\xc0\x2b", b"\xc0\x2f"  # TLS_ECDHE_..._WITH_AES_128_GCM_SHA256
HELLO, CERTIFICATE = 2, 11
NO_RENEGOTIATION = b"\xff\x01\x00\x01\x00"  # the extension without which a server is too old (RFC 5746)


def sized(size, body):
    return len(body).to_bytes(size, "big") + body


def record(kind, body):
    return b"\x16\x03\x03" + sized(2, bytes([kind]) + sized(3, body))


def judge(*names, suite=ECDSA, trusted="trusted"):
    """What a client says of a chain; "goes on" if it has nothing against it."""
    peer, sock = tcp_pair()
    client_context(trusted).wrap_socket(sock, server_hostname="localhost", do_handshake=False)
    sock.setblocking(False)
    said(sock.do_handshake)
    peer.write(record(HELLO, b"\x03\x03" + bytes(32) + b"\x00" + suite + b"\x00" + sized(2, NO_RENEGOTIATION)))
    peer.write(record(CERTIFICATE, sized(3, b"".join([sized(3, content(name + ".der")) for name in names]))))
    result = "OSError EAGAIN"
    while result == "OSError EAGAIN" and readable(sock, 200):  # it may come in pieces
        result = said(sock.do_handshake)
    peer.close()
    sock.close()
    return "goes on" if result == "OSError EAGAIN" else result


show("TLS-4", "right", judge("right"))
show("TLS-4", "right, an RSA key", judge("rsa", suite=RSA))
show("TLS-4", "an RSA key for encipherment alone", judge("rsa_enciphers", suite=RSA))
show("TLS-4", "a key that issues, and nothing else", judge("rsa_issues", suite=RSA))
show("TLS-4", "of old for servers, or clients", judge("of_old_for_servers"), judge("of_old_for_clients"))
show("TLS-4", "a weak key", judge("weak", suite=RSA))
show("TLS-4", "a weak signature", judge("sha1"))
show("TLS-4", "a name that is its subject's alone", judge("no_names"))
show("TLS-4", "one between", judge("by_one", "one"))
show("TLS-4", "one between, which is not shown", judge("by_one"))
show("TLS-4", "one between that is for nothing of the kind", judge("by_right", "right"))
show("TLS-4", "one between that has expired", judge("by_old", "old"))
show("TLS-4", "more between than one of them allows", judge("by_two", "two", "one"))
show("TLS-4", "names that one between may not certify", judge("by_narrow", "narrow"))
names = ["link" + str(i) for i in range(12)]
show("TLS-4", "8 between", judge("by_link7", *reversed(names[:8])))
show("TLS-4", "12 between", judge("by_link11", *reversed(names)))
show("TLS-4", "what belongs to nobody's chain besides", judge("right", "stranger"))
show("TLS-4", "trusted itself, its issuer is not", judge("stranger", "somebody", trusted="stranger"))
show("TLS-4", "a trusted issuer of the time before basic constraints", judge("by_plain", trusted="plain"))
show("TLS-4", "one that may not sign", judge("by_mute", trusted="mute"))
show("TLS-4", "no certificate", judge())
show("TLS-4", "nonsense", judge("broken"))
