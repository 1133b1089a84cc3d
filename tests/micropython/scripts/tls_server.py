# STRM-7: a TLS server by the names of MicroPython's ssl, which prints its port, and sends back what two clients send.
# Arguments: its certificate and key.
import socket
import ssl
import sys

certificate, key = sys.argv[1:]
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen()
print(server.getsockname()[1])


def by_function(plain):
    with open(certificate, "rb") as cert_file, open(key, "rb") as key_file:
        return ssl.wrap_socket(plain, server_side=True, cert=cert_file.read(), key=key_file.read())


def by_context(plain):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context.wrap_socket(plain, server_side=True)


for wrap in (by_function, by_context):
    plain, _ = server.accept()
    plain.settimeout(30)
    secure = wrap(plain)
    total = 0
    while line := secure.readline():
        total += len(line)
        secure.write(line)
    secure.close()
    print(total, plain.fileno())
