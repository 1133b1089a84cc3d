# STRM-7: a TLS client by the names of MicroPython's ssl. Arguments: a certificate to trust, the port of a server that
# sends back what it gets, until it gets an empty line.
import select
import socket
import ssl
import sys

with open(sys.argv[1], "rb") as file:
    trusted = file.read()
address = ("127.0.0.1", int(sys.argv[2]))


def connect(wrap):
    plain = socket.socket()
    plain.settimeout(30)
    plain.connect(address)
    return plain, wrap(plain)


def by_function(plain):
    return ssl.wrap_socket(plain, cert_reqs=ssl.CERT_REQUIRED, cadata=trusted, server_hostname="localhost")


def by_context(plain):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=trusted)
    return context.wrap_socket(plain, server_hostname="localhost")


for name, wrap in (("wrap_socket", by_function), ("SSLContext", by_context)):
    plain, secure = connect(wrap)
    secure.write(b"hello\n")
    print("STRM-7", name, "a line:", secure.readline())
    data = bytes(range(256)) * 400 + b"\n"
    secure.write(data)
    print("STRM-7", name, "much:", secure.read(len(data)) == data)

    # The records of both lines arrive together: the second is no longer in the socket.
    poller = select.poll()
    poller.register(secure, select.POLLIN)
    print("STRM-7", name, "nothing to read:", poller.poll(0))
    secure.write(b"one\ntwo\n")
    print("STRM-7", name, "polled:", [event for _, event in poller.poll(30000)], secure.readline())
    print("STRM-7", name, "the rest:", [event for _, event in poller.poll(30000)], secure.readline())
    secure.setblocking(False)
    print("STRM-7", name, "without waiting:", secure.read(1))
    secure.setblocking(True)
    secure.write(b"\n")
    print("STRM-7", name, "the end:", secure.read())
    secure.close()
    print("STRM-7", name, "closed:", plain.fileno())

# Nobody else is trusted.
try:
    connect(lambda plain: ssl.wrap_socket(plain, cert_reqs=ssl.CERT_REQUIRED, server_hostname="localhost"))
except OSError as error:
    print("STRM-7 not trusted:", type(error).__name__)
