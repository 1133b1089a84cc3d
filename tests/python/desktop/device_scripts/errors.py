# What an OSError says and holds: its number, and the number's name. Programs look for the name in the text.
import errno
import socket


def show(f, *args):
    try:
        f(*args)
    except Exception as e:
        print(e, e.args, e.errno, f"{e}" == str(e))


def fail(*args):
    raise OSError(*args)


near, far = socket.socketpair()
near.settimeout(0.01)
show(near.recv, 1)
near.setblocking(False)
show(near.recv, 1)
far.close()
near.close()
show(near.recv, 1)

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
nowhere = listener.getsockname()
listener.close()
client = socket.socket()
show(client.connect, nowhere)
client.close()

show(fail, errno.ETIMEDOUT)
show(fail, 104, "more")
show(fail, "text")
show(fail, -2)
show(fail, 9999)


class Broken(OSError):
    pass


try:
    raise Broken(errno.ECONNRESET)
except OSError as e:
    print(e, e.args[0] == 104, e.value)
print(OSError(errno.ECONNRESET))
show(open, "nothing/at/all")
