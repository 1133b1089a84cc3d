# POLL-6 TLS-2: a thread that registers sockets in a poll, and gives them callbacks, while another puts TLS on them.
import _thread
import ssl

import uselect
import usocket

ROUNDS = 2000
SO_CALLBACK = 20
EBUSY = 16

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
current = None
is_over = False


def wrap_all():
    global current, is_over
    for _ in range(ROUNDS):
        sock = usocket.socket()
        current = sock
        try:
            context.wrap_socket(sock, do_handshake_on_connect=False)
        except OSError as error:
            if error.args[0] != EBUSY:  # the other thread is inside
                print(error)
        sock.close()
    is_over = True


poller = uselect.poll()
_thread.start_new_thread(wrap_all, ())
while not is_over:
    sock = current
    if sock is None:
        continue
    try:
        poller.register(sock, uselect.POLLIN)
        poller.unregister(sock)
        sock.setsockopt(usocket.SOL_SOCKET, SO_CALLBACK, print)
        sock.setsockopt(usocket.SOL_SOCKET, SO_CALLBACK, None)
    except OSError:
        pass  # it is closed
print("done")
