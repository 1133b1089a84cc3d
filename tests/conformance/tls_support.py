# What the scripts about TLS share: contexts, connected sockets with TLS on them, the words of an error. Their argument
# is the folder of tests/support/certificates.py. Both ends of a connection are in one thread: neither blocks during
# the handshake.

import sys

import usocket
from support import LIMIT_MS, error_name, tcp_pair, uerrno, uselect

try:
    import ussl
except ImportError:
    ussl = None
# One that is not ours makes a stream of its own out of a socket.
if ussl is None or not hasattr(usocket.socket, "do_handshake"):
    print("SKIP")
    raise SystemExit

FOLDER = sys.argv[1]


def path(name):
    return FOLDER + "/" + name


def content(name):
    with open(path(name), "rb") as file:
        return file.read()


def server_context(name="right"):
    context = ussl.SSLContext(ussl.PROTOCOL_TLS_SERVER)
    context.set_cert_key(content(name + ".pem"), content(name + ".key"))
    return context


def client_context(trusted="trusted"):
    context = ussl.SSLContext(ussl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=content(trusted + ".pem"))
    return context


def words(error):
    """What an error says: its kind, and its text where that is ours and not the system's."""
    name = error_name(error)
    return name + ": " + str(error.args[-1]) if name.split()[-1] in ("EACCES", "EPROTO", "EINVAL") else name


def said(function, *args):
    """The words that a call ends with; "ok" if it ends without."""
    try:
        function(*args)
    except Exception as error:
        return words(error)
    return "ok"


def shake(client, server):
    """Handshakes of both ends, which do not block afterwards: what each came to."""
    ends = [client, server]
    results = [None, None]
    poller = uselect.poll()
    for end in ends:
        end.setblocking(False)
        poller.register(end, uselect.POLLIN)
    while None in results:
        for i in range(2):
            if results[i] is None:
                result = said(ends[i].do_handshake)
                results[i] = None if result == "OSError EAGAIN" else result
                if results[i] not in (None, "ok"):
                    ends[i].close()
        if None in results and not poller.poll(LIMIT_MS):
            return ["it hangs"] * 2
    return results


def wrap_pair(client, server, name="localhost", **options):
    """A connection with TLS of these contexts, and what the handshakes came to."""
    left, right = tcp_pair()
    client.wrap_socket(left, server_hostname=name, do_handshake=False, **options)
    server.wrap_socket(right, server_side=True, do_handshake=False)
    return left, right, shake(left, right)


def secure_pair():
    """Both ends of a connection with TLS, as tcp_pair() makes them without: they block."""
    left, right, results = wrap_pair(client_context(), server_context())
    assert results == ["ok", "ok"], results
    left.setblocking(True)
    right.setblocking(True)
    return left, right


def later(function, *args):
    """What a call that does not block comes to, once it does not say EAGAIN any more."""
    while True:
        try:
            result = function(*args)
        except OSError as error:
            if error.args[0] != uerrno.EAGAIN:
                return words(error)
            result = None
        if result is not None:
            return result
