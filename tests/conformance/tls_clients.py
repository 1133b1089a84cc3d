# rules: TLS-4 TLS-7
# Certificates of clients: what a server asks for, and what it says of what it gets. Whether the client learns of it
# during its handshake or with what it reads first depends on the version of TLS.

from support import show
from tls_support import client_context, content, later, server_context, ussl, wrap_pair


def connect(mode, name):
    server = server_context()
    server.load_verify_locations(cadata=content("trusted.pem"))
    server.verify_mode = mode
    client = client_context()
    if name is not None:
        client.set_cert_key(content(name + ".pem"), content(name + ".key"))
    left, right, results = wrap_pair(client, server)
    shown = right.getpeercert(True) if results[1] == "ok" else None
    if results[1] == "ok":
        right.write(b"x")
        results[0] = later(left.read, 1)
    elif results[0] == "ok":
        results[0] = later(left.read, 1)
    left.close()
    right.close()
    return results[0], results[1], shown == (content(name + ".der") if name and shown else None)


for rule, what, mode in (
    ("TLS-7", "none", ussl.CERT_NONE),
    ("TLS-7", "optional", ussl.CERT_OPTIONAL),
    ("TLS-7", "required", ussl.CERT_REQUIRED),
):
    show(rule, what + ", right", connect(mode, "for_clients"))
    show(rule, what + ", none shown", connect(mode, None)[1:])
for what, mode in (("optional", ussl.CERT_OPTIONAL), ("required", ussl.CERT_REQUIRED)):
    show("TLS-4", what + ", unknown issuer", connect(mode, "stranger"))
    show("TLS-4", what + ", expired", connect(mode, "expired"))
    show("TLS-4", what + ", self-signed", connect(mode, "self_signed"))
    show("TLS-4", what + ", made for servers", connect(mode, "for_servers"))
    show("TLS-4", what + ", made for servers, as of old", connect(mode, "of_old_for_servers"))
show("TLS-4", "none is asked for, an expired one", connect(ussl.CERT_NONE, "expired"))
