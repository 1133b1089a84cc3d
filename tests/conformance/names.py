# rules: NAME-1 NAME-3 NAME-4
# What the modules hold, and what they don't.

import usocket
from support import error_name, show, stream_pair, uerrno, uselect

for name in ("socket", "getaddrinfo", "inet_ntop", "inet_pton", "sockaddr"):
    show("NAME-1", name, hasattr(usocket, name))
for name in ("error", "timeout", "gaierror", "herror"):
    show("NAME-1", name, hasattr(usocket, name))

CONSTANTS = """
    AF_INET AF_INET6 AF_UNIX SOCK_STREAM SOCK_DGRAM SOCK_RAW IPPROTO_IP IPPROTO_TCP IPPROTO_UDP IPPROTO_IPV6 IPPROTO_SEC
    SOL_SOCKET SO_REUSEADDR SO_KEEPALIVE SO_BROADCAST SO_LINGER SO_ERROR SO_SNDBUF SO_RCVBUF SO_TYPE TCP_NODELAY
    TCP_MAXSEG IP_TTL IP_TOS IPV6_V6ONLY IPV6_UNICAST_HOPS MSG_PEEK MSG_OOB MSG_DONTROUTE MSG_WAITALL
    AI_PASSIVE AI_CANONNAME AI_NUMERICHOST EAI_NONAME EAI_FAMILY EAI_AGAIN SHUT_RD SHUT_WR SHUT_RDWR SOMAXCONN
"""
for name in CONSTANTS.split():
    show("NAME-3", name, isinstance(getattr(usocket, name, None), int))
show("NAME-3", "IPPROTO_SEC is the WiPy's", usocket.IPPROTO_SEC)
show("NAME-3", "SHUT_*", usocket.SHUT_RD, usocket.SHUT_WR, usocket.SHUT_RDWR)
show("NAME-3", "families differ", len({usocket.AF_INET, usocket.AF_INET6, usocket.AF_UNIX}))
# A table of numbers would fit one system; these come from this one.
try:
    usocket.getaddrinfo("localhost", 80, 0, 0, 0, usocket.AI_NUMERICHOST)
except OSError as error:
    show("NAME-3", "EAI_NONAME is what the resolver says", error.args[0] == usocket.EAI_NONAME)
sock = usocket.socket()
sock.setsockopt(usocket.SOL_SOCKET, usocket.SO_KEEPALIVE, 1)
show("NAME-3", "SO_KEEPALIVE is what the system knows", sock.getsockopt(usocket.SOL_SOCKET, usocket.SO_KEEPALIVE))
sock.close()

for name in ("poll", "select", "POLLIN", "POLLOUT", "POLLERR", "POLLHUP"):
    show("NAME-4", "uselect." + name, hasattr(uselect, name))
for name in ("EAGAIN", "EBADF", "ECONNREFUSED", "EINPROGRESS", "EINVAL", "ENOENT", "ETIMEDOUT", "errorcode"):
    show("NAME-4", "uerrno." + name, hasattr(uerrno, name))
show("NAME-4", "uerrno.errorcode", uerrno.errorcode[uerrno.ETIMEDOUT])
try:
    usocket.socket(usocket.AF_INET).accept()
except OSError as error:
    show("NAME-4", "uerrno has the numbers of our errors", error.args[0] == uerrno.EINVAL, error_name(error))
left, right = stream_pair()
poller = uselect.poll()
poller.register(right, uselect.POLLIN)
show("NAME-4", "uselect.poll: our sockets", len(poller.poll(0)), left.write(b"x"), poller.poll(1000)[0][0] is right)
left.close()
right.close()
