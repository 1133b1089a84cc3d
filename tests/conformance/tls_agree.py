# rules: TLS-7
# What is agreed on: versions, ciphers, protocols, sessions.

from support import outcome, show, tcp_pair
from tls_support import client_context, content, later, said, server_context, shake, ussl, wrap_pair

left, right = tcp_pair()
show(
    "TLS-7", "not wrapped", said(left.version), said(left.cipher), said(left.getpeercert, True), said(left.do_handshake)
)
client_context().wrap_socket(left, server_hostname="localhost", do_handshake=False)
show("TLS-7", "not yet", said(left.version), said(left.selected_alpn_protocol))
server_context().wrap_socket(right, server_side=True, do_handshake=False)
show("TLS-7", "handshake", shake(left, right))
show("TLS-7", "version", left.version() == right.version(), left.version() in ("TLSv1.2", "TLSv1.3"))
show("TLS-7", "cipher", left.cipher() == right.cipher(), left.cipher()[1] == left.version(), len(left.cipher()[0]) > 10)
show("TLS-7", "getpeercert", left.getpeercert(True) == content("right.der"), right.getpeercert(True))
show("TLS-7", "getpeercert of another form", said(left.getpeercert, False))
show("TLS-7", "no protocol", left.selected_alpn_protocol(), right.selected_alpn_protocol())
show("TLS-7", "do_handshake once more", said(left.do_handshake), said(right.do_handshake))
left.close()
show("TLS-7", "closed", said(left.version))

# --- ALPN


def agree(clients, servers):
    client, server = client_context(), server_context()
    if clients:
        client.set_alpn_protocols(clients)
    if servers:
        server.set_alpn_protocols(servers)
    left, right, results = wrap_pair(client, server)
    return results, [end.selected_alpn_protocol() for end in (left, right) if results[0] == "ok"]


show("TLS-7", "the server's best", agree(["h2", "http/1.1"], ["http/1.1", "h2"]))
show("TLS-7", "the only one", agree(["h2", "http/1.1"], ["http/1.1"]))
show("TLS-7", "the client alone", agree(["h2"], []))
show("TLS-7", "the server alone", agree([], ["h2"]))
show("TLS-7", "none in common", agree(["h2"], ["http/1.1"]))
for names in ([""], ["x" * 256], ["x" * 255] * 3):
    show("TLS-7", "no names", said(client_context().set_alpn_protocols, names))
show("TLS-7", "bytes and text", agree([b"h2", "http/1.1"], [b"http/1.1"]))
for names in ([5], [None], [b"a,b"]):
    show("TLS-7", "what are none", outcome(client_context().set_alpn_protocols, names))
show("TLS-7", "the longest", agree(["x" * 255], ["x" * 255])[0])

# --- Sessions


def session_of(client, server, name="localhost"):
    left, right, results = wrap_pair(client, server, name)
    right.write(b"x")
    later(left.read, 1)
    session = left.tls_session()
    show("TLS-7", "a new one", results, left.session_reused(), len(session) > 10)
    return session


def resume(client, server, session, name="localhost"):
    left, right, results = wrap_pair(client, server, name, session=session)
    if results != ["ok", "ok"]:
        return results
    right.write(b"hello")
    return left.session_reused(), right.session_reused(), later(left.read, 5)


client, server = client_context(), server_context()
session = session_of(client, server)
show("TLS-7", "taken up", resume(client, server, session))
show("TLS-7", "of another context that checks the same", resume(client_context(), server, session)[2])
show("TLS-7", "the server has forgotten it", resume(client, server_context(), session))
show("TLS-7", "nonsense", said(resume, client, server, b"nonsense"))
middle = len(session) // 2
for what, bad in (
    ("cut in front", session[1:]),
    ("cut in the middle", session[:middle] + session[middle + 1 :]),
    ("cut at the end", session[:-1]),
    ("changed", session[:middle] + bytes([session[middle] ^ 1]) + session[middle + 1 :]),
    ("with more behind it", session + b"x"),
):
    show("TLS-7", what, said(resume, client, server, bad))
# A certificate is not looked at again: so only where the same was checked.
careless = ussl.SSLContext(ussl.PROTOCOL_TLS_CLIENT)
careless.verify_mode = ussl.CERT_NONE
unchecked = session_of(careless, server)
show("TLS-7", "not where less was checked", resume(client, server, unchecked))
show("TLS-7", "not for another name", resume(client, server, session, "elsewhere.example")[0])
show("TLS-7", "not with other issuers", resume(client_context("somebody"), server, session)[0])
