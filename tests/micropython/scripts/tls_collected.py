# SOCK-3 TLS-3: what the collector takes, TLS frees; what is in use it leaves alone. Argument: a folder of certificates.
import errno
import gc
import sys

import usocket
import ussl

folder = sys.argv[1]


def memory():
    gc.collect()
    with open("/proc/self/status") as file:
        return [int(line.split()[1]) for line in file if line.startswith("VmRSS")][0]


def new_pair():
    """Wrapped, with contexts that are nobody's any more."""
    server = ussl.SSLContext(ussl.PROTOCOL_TLS_SERVER)
    server.set_cert_key(folder + "/right.pem", folder + "/right.key")
    client = ussl.SSLContext(ussl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(folder + "/trusted.pem")
    ends = usocket.socketpair()
    for end in ends:
        end.setblocking(False)
    client.wrap_socket(ends[0], server_hostname="localhost", do_handshake=False)
    server.wrap_socket(ends[1], server_side=True, do_handshake=False)
    return ends


def shake(ends):
    open_ends = list(ends)
    while open_ends:
        for end in list(open_ends):
            gc.collect()
            try:
                end.do_handshake()
                open_ends.remove(end)
            except OSError as error:
                if error.errno != errno.EAGAIN:
                    raise


left, right = new_pair()
shake((left, right))
for _ in range(50):
    new_pair()
before = memory()
for i in range(300):
    ends = new_pair()
    if i % 10 == 0:
        shake(ends)
del ends
print("SOCK-3 freed:", memory() - before < 3000)  # kB, of 22000
left.write(b"still there")
print("TLS-3", right.recv(20), right.version() == left.version())
