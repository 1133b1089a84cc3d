# rules: TLS-4
# Which certificates of a server end the handshake, and that the error says why.

from support import show
from tls_support import client_context, content, server_context, ussl, words, wrap_pair


def connect(name, hostname="localhost", trusted="trusted"):
    try:
        left, right, results = wrap_pair(client_context(trusted), server_context(name), hostname)
    except OSError as error:  # whoever would show it may be told at once
        return [words(error), "-"]
    left.close()
    right.close()
    return results


show("TLS-4", "right", connect("right"))
show("TLS-4", "right, an RSA key", connect("rsa"))
show("TLS-4", "right, made for servers", connect("for_servers"))
show("TLS-4", "wrong name", connect("right", "elsewhere.example"))
show("TLS-4", "no name in it", connect("no_names")[0])
show("TLS-4", "wildcard", connect("wildcard", "www.example.org"))
show("TLS-4", "wildcard, nothing before", connect("wildcard", "example.org")[0])
show("TLS-4", "wildcard, two names before", connect("wildcard", "a.b.example.org")[0])
show("TLS-4", "address", connect("address", "127.0.0.1"))
show("TLS-4", "another address", connect("address", "127.0.0.2")[0])
show("TLS-4", "a name where an address is meant", connect("address", "localhost")[0])
show("TLS-4", "expired", connect("expired"))
show("TLS-4", "not yet valid", connect("not_yet"))
show("TLS-4", "self-signed", connect("self_signed"))
show("TLS-4", "self-signed, and trusted", connect("self_signed", trusted="self_signed"))
show("TLS-4", "unknown issuer", connect("stranger"))
show("TLS-4", "its issuer alone is trusted", connect("right", trusted="somebody")[0])
show("TLS-4", "weak key", connect("weak")[0])
show("TLS-4", "made for clients", connect("for_clients")[0])

# --- What is checked is the program's to say

context = client_context()
left, right, results = wrap_pair(context, server_context())
show("TLS-4", "a client requires one by default", context.verify_mode == ussl.CERT_REQUIRED, results)
context = ussl.SSLContext(ussl.PROTOCOL_TLS_CLIENT)
context.verify_mode = ussl.CERT_NONE
for name in ("stranger", "expired", "self_signed"):
    left, right, results = wrap_pair(context, server_context(name), None)
    show("TLS-4", "CERT_NONE, " + name, results)
    show("TLS-4", "which is shown all the same", left.getpeercert(True) == content(name + ".der"))
    left.close()
    right.close()
