# rules: TLS-1
# SSLContext and wrap_socket: what they take, what they say of what they do not.

import usocket
from support import error_name, outcome, show, tcp_pair
from tls_support import client_context, content, path, said, server_context, shake, ussl, wrap_pair

for name in ("SSLContext", "wrap_socket", "CERT_NONE", "CERT_OPTIONAL", "CERT_REQUIRED"):
    show("TLS-1", name, hasattr(ussl, name))
show("TLS-1", "CERT_*", ussl.CERT_NONE, ussl.CERT_OPTIONAL, ussl.CERT_REQUIRED)
show("TLS-1", "no SSLError", hasattr(ussl, "SSLError"))
show("TLS-1", "verify_mode", ussl.SSLContext().verify_mode, ussl.SSLContext(ussl.PROTOCOL_TLS_CLIENT).verify_mode)
show("TLS-1", "verify_mode of servers", ussl.SSLContext(ussl.PROTOCOL_TLS_SERVER).verify_mode)
context = ussl.SSLContext()
context.set_cert_key(content("right.pem"), content("right.key"))
show("TLS-1", "verify_mode of one that serves", wrap_pair(client_context(), context)[2], context.verify_mode)
context.load_verify_locations(cadata=content("trusted.pem"))
show("TLS-1", "and that is a client then", wrap_pair(context, server_context())[2], context.verify_mode)
for mode in (ussl.CERT_NONE, ussl.CERT_OPTIONAL, ussl.CERT_REQUIRED):
    context.verify_mode = mode
    show("TLS-1", "verify_mode", context.verify_mode)
for mode in (-1, 3):
    try:
        context.verify_mode = mode
    except ValueError as error:
        show("TLS-1", "verify_mode", error_name(error), context.verify_mode)

# --- Certificates and keys


def with_key(cert, key):
    server = ussl.SSLContext(ussl.PROTOCOL_TLS_SERVER)
    server.set_cert_key(cert, key)
    return wrap_pair(client_context(), server)[2]


show("TLS-1", "PEM", with_key(content("right.pem"), content("right.key")))
show("TLS-1", "DER", with_key(content("right.der"), content("right.key.der")))
show("TLS-1", "RSA, PEM", with_key(content("rsa.pem"), content("rsa.key")))
show("TLS-1", "RSA, DER", with_key(content("rsa.der"), content("rsa.key.der")))
show("TLS-1", "files of PEM", with_key(path("right.pem"), path("right.key")))
show("TLS-1", "files of DER", with_key(path("right.der"), path("right.key.der")))
show("TLS-1", "one of each", with_key(path("right.der"), content("right.key")))
show("TLS-1", "a bytearray", with_key(bytearray(content("right.der")), memoryview(content("right.key.der"))))
server = ussl.SSLContext(ussl.PROTOCOL_TLS_SERVER)
server.load_cert_chain(path("right.pem"), path("right.key"))
show("TLS-1", "load_cert_chain", wrap_pair(client_context(), server)[2])
for what, args in (
    ("no certificate", (b"nonsense", content("right.key"))),
    ("no key", (content("right.pem"), b"nonsense")),
    ("another's key", (content("right.pem"), content("stranger.key"))),
    ("a key for a certificate", (content("right.key"), content("right.key"))),
    ("nothing", (b"", b"")),
):
    show("TLS-1", what, said(server.set_cert_key, *args))
show("TLS-1", "no such file", outcome(server.set_cert_key, path("no such"), path("right.key")))
show("TLS-1", "a NUL in its name", outcome(server.set_cert_key, path("right.pem") + chr(0), path("right.key")))
show("TLS-1", "of a wrong type", outcome(server.set_cert_key, 5, 6), outcome(server.set_cert_key, None, None))
show("TLS-1", "what failed is not used", said(lambda: wrap_pair(client_context(), server)))

# --- Issuers

for what, arguments in (
    ("PEM", {"cadata": content("trusted.pem")}),
    ("DER", {"cadata": content("trusted.der")}),
    ("a file", {"cafile": path("trusted.pem")}),
    ("a file of DER", {"cafile": path("trusted.der")}),
    ("several", {"cadata": content("somebody.pem") + content("trusted.pem")}),
):
    client = ussl.SSLContext(ussl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(**arguments)
    show("TLS-1", "issuers: " + what, wrap_pair(client, server_context())[2])
client = client_context("somebody")
client.load_verify_locations(cadata=content("trusted.pem"))
show(
    "TLS-1",
    "issuers: more of them",
    wrap_pair(client, server_context())[2],
    wrap_pair(client, server_context("stranger"))[2],
)
show("TLS-1", "issuers: none in there", said(lambda: client.load_verify_locations(cadata=b"nonsense")))

# --- Wrapping

left, right = tcp_pair()
client = client_context()
show("TLS-1", "no name", said(client.wrap_socket, left))
show("TLS-1", "no certificate", said(lambda: ussl.SSLContext().wrap_socket(right, server_side=True)))
for name in (".example.org", " localhost", "local host", "localhost" + chr(127), " 127.0.0.1", "a" + chr(0) + "b"):
    show("TLS-1", "a wrong name", said(client.wrap_socket, left, False, name))
wrapped = client.wrap_socket(left, server_hostname="localhost", do_handshake=False)
show("TLS-1", "it is the same socket", wrapped is left, isinstance(wrapped, usocket.socket))
show("TLS-1", "wrapped already", said(lambda: client.wrap_socket(left, server_hostname="localhost")))
server_context().wrap_socket(right, True, None, False)
show("TLS-1", "positional", shake(left, right))
left.close()
right.close()
show("TLS-1", "closed", said(lambda: client.wrap_socket(left, server_hostname="localhost")))
show("TLS-1", "not connected", said(lambda: client.wrap_socket(usocket.socket(), server_hostname="localhost")))
datagrams = usocket.socket(usocket.AF_INET, usocket.SOCK_DGRAM)
show("TLS-1", "no stream", said(lambda: client.wrap_socket(datagrams, server_hostname="localhost")))
show("TLS-1", "no socket", outcome(lambda: client.wrap_socket(5, server_hostname="localhost")))
left, right = usocket.socketpair()
client.wrap_socket(left, server_hostname="localhost", do_handshake=False)
server_context().wrap_socket(right, server_side=True, do_handshake=False)
show("TLS-1", "of AF_UNIX", shake(left, right))

# --- The older way, which checks nothing unless it is told to


def older(server_arguments, client_arguments):
    left, right = tcp_pair()
    ussl.wrap_socket(left, do_handshake=False, **client_arguments)
    ussl.wrap_socket(right, server_side=True, do_handshake=False, **server_arguments)
    return shake(left, right)


mine = {"keyfile": path("stranger.key"), "certfile": path("stranger.pem")}
show("TLS-1", "older", older(mine, {}), older(mine, {"server_hostname": "localhost"}))
required = {"cert_reqs": ussl.CERT_REQUIRED, "ca_certs": path("trusted.pem"), "server_hostname": "localhost"}
show("TLS-1", "older, CERT_REQUIRED", older(mine, required))
mine = {"keyfile": path("right.key"), "certfile": path("right.pem")}
show("TLS-1", "older, CERT_REQUIRED", older(mine, required))
mine["cert_reqs"] = ussl.CERT_REQUIRED
mine["ca_certs"] = path("trusted.pem")
show("TLS-1", "older, of the client", older(mine, required)[1])
required["keyfile"] = path("for_clients.key")
required["certfile"] = path("for_clients.pem")
show("TLS-1", "older, of the client", older(mine, required))
