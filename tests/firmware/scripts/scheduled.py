# A callback that is scheduled during a wait runs in the wait, and the wait goes on (STACK-3).
import micropython
import uselect
import usocket


def pair():
    server = usocket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    left = usocket.socket()
    left.connect(server.getsockname())
    return left, server.accept()[0]


left, right = pair()
right.settimeout(10)
poller = uselect.poll()
poller.register(right, uselect.POLLIN)
bell, hears = pair()


def during(call):
    """What the call returns, and the callback does meanwhile: nothing else sends what the call waits for."""
    done = []

    def scheduled(_):
        done.append("scheduled")
        left.write(b"x\n")

    def on_bell(sock):
        sock.recv(1)
        micropython.schedule(scheduled, None)

    hears.setsockopt(usocket.SOL_SOCKET, 20, on_bell)
    bell.send(b"!")
    print(call(), done)


during(lambda: right.recv(2))
during(lambda: right.read(2))
during(right.readline)
during(lambda: len(poller.poll(10000)))
