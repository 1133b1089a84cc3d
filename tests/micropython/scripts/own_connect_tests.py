# The tests of MicroPython that connect, with a loopback address. Arguments: their folder, the port of a server.
import errno
import socket
import sys

sys.path.append(sys.argv[1])
import connect_nonblock
import connect_poll
import connect_timeout

address = socket.getaddrinfo("127.0.0.1", int(sys.argv[2]))[0][-1]
connect_nonblock.test(address)
connect_poll.test(address)
connect_timeout.test(address, 0, (errno.EINPROGRESS,))
connect_timeout.test(address, 1, (errno.ETIMEDOUT,))
print("done")
