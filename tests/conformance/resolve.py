# rules: GAI-1 GAI-2 GAI-3
# getaddrinfo without a network: numeric hosts. Names are looked up end to end, against a name server.

import usocket
from support import outcome, show
from usocket import AF_INET, AF_INET6, SOCK_DGRAM, SOCK_STREAM, getaddrinfo

# --- GAI-1: six arguments, a list of five things

found = getaddrinfo("127.0.0.1", 80)
show("GAI-1", "all types", type(found), sorted([entry[1] for entry in found])[:2] == sorted([SOCK_STREAM, SOCK_DGRAM]))
show("GAI-1", "an entry", [type(entry) for entry in found][0], len(found[0]))
family, kind, proto, canonname, address = getaddrinfo("127.0.0.1", 80, AF_INET, SOCK_STREAM, 0, 0)[0]
show("GAI-1", "its five things", family == AF_INET, kind == SOCK_STREAM, proto == usocket.IPPROTO_TCP)
show("GAI-1", "and the others", repr(canonname), usocket.sockaddr(address)[1:])


def ports(*args):
    return [(entry[1] == SOCK_STREAM, usocket.sockaddr(entry[-1])[2]) for entry in getaddrinfo(*args)]


show("GAI-1", "type", ports("127.0.0.1", 80, 0, SOCK_STREAM), ports("127.0.0.1", 80, 0, SOCK_DGRAM))
show(
    "GAI-1",
    "proto",
    ports("127.0.0.1", 80, 0, 0, usocket.IPPROTO_TCP),
    ports("127.0.0.1", 80, 0, 0, usocket.IPPROTO_UDP),
)
show("GAI-1", "af", outcome(getaddrinfo, "127.0.0.1", 80, AF_INET6)[:9], outcome(getaddrinfo, "::1", 80, AF_INET)[:9])
show("GAI-1", "af and host agree", len(getaddrinfo("::1", 80, AF_INET6, SOCK_STREAM)))
named = getaddrinfo("127.0.0.1", 80, AF_INET, SOCK_STREAM, 0, usocket.AI_CANONNAME)
show("GAI-1", "flags: canonname", repr(named[0][3]))
show("GAI-1", "seven", outcome(getaddrinfo, "127.0.0.1", 80, 0, 0, 0, 0, 0))
show("GAI-1", "one", outcome(getaddrinfo, "127.0.0.1"))

# --- GAI-2: what host and port may be


def first(host, port, flags=0):
    return outcome(lambda: usocket.sockaddr(getaddrinfo(host, port, AF_INET, SOCK_STREAM, 0, flags)[0][-1])[1:])


show("GAI-2", "host: str, bytes", first("127.0.0.1", 80), first(b"127.0.0.1", 80))
show("GAI-2", "host: None", first(None, 80), first(None, 80, usocket.AI_PASSIVE))
show("GAI-2", "host: wrong types", first(5, 80), first(1.5, 80), first(("127.0.0.1",), 80))
show("GAI-2", "port: int, str, None", first("127.0.0.1", 0), first("127.0.0.1", "8080"), first("127.0.0.1", None))
show("GAI-2", "port: bounds", first("127.0.0.1", 65535), first("127.0.0.1", 65536), first("127.0.0.1", -1))
show("GAI-2", "port: wrong types", first("127.0.0.1", 80.0), first("127.0.0.1", ()))
show("GAI-2", "a NUL in a name", first("127.0.0.1\0", 80), first("127.0.0.1", "80\0"))
show("GAI-2", "much too long", first("x" * 5000, 80), first("127.0.0.1", "x" * 5000))
for position in range(2, 6):
    args = ["127.0.0.1", 80, 0, 0, 0, 0]
    args[position] = "x"
    show("GAI-2", "a wrong type elsewhere", outcome(getaddrinfo, *args))

# --- GAI-3: failures


def failure(*args):
    try:
        getaddrinfo(*args)
    except OSError as error:
        return error.args[0]


def text_of_failure(*args):
    try:
        getaddrinfo(*args)
    except OSError as error:
        return isinstance(error.args[1], str) and len(error.args[1]) > 0


unknown = ("not-numeric", 80, 0, 0, 0, usocket.AI_NUMERICHOST)
show("GAI-3", "negative", failure(*unknown) < 0, failure(*unknown) == usocket.EAI_NONAME)
show("GAI-3", "with a text", text_of_failure(*unknown))
show("GAI-3", "neither host nor port", failure(None, None) == usocket.EAI_NONAME)
show("GAI-3", "unknown family", failure("127.0.0.1", 80, 9999) == usocket.EAI_FAMILY)
show("GAI-3", "unknown type", failure("127.0.0.1", 80, 0, 9999) == usocket.EAI_SOCKTYPE)
show("GAI-3", "unknown service", failure("127.0.0.1", "no-such-service") == usocket.EAI_SERVICE)
show("GAI-3", "unknown flags", failure("127.0.0.1", 80, 0, 0, 0, 1 << 30) == usocket.EAI_BADFLAGS)
