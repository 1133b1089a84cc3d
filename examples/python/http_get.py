"""Fetches a page: http_get.py URL [--sha256]

Prints the body, or with --sha256 the hash of it. There is no HTTP library here: a socket is a stream, so a request is
written with write(), lines are read with readline(), and a body of known length with read().
"""

import sys

import usocket

try:
    import binascii
    import hashlib
except ImportError:
    import ubinascii as binascii  # type: ignore
    import uhashlib as hashlib  # type: ignore

try:
    from collections.abc import Iterator  # for type checkers; a device has no use for it
except ImportError:
    pass

BLOCK = 64 * 1024  # how much of a body is in memory at a time
TIMEOUT_S = 30  # for each call, not for the whole page


def split_url(url: str) -> "tuple[str, int, str]":
    """http://host:port/path to host, port and path."""
    scheme, _, rest = url.partition("://")
    if scheme != "http":
        raise ValueError("only http:// is spoken here, not " + url)
    authority, _, path = rest.partition("/")
    host, _, port = authority.partition(":")
    return host, int(port or 80), "/" + path


def connect(host: str, port: int) -> usocket.socket:
    """To the first of the host's addresses that answers."""
    failure = None
    for family, kind, proto, _, address in usocket.getaddrinfo(host, port, 0, usocket.SOCK_STREAM):
        sock = usocket.socket(family, kind, proto)
        sock.settimeout(TIMEOUT_S)
        try:
            sock.connect(address)
            return sock
        except OSError as error:
            failure = error
            sock.close()
    raise failure or OSError("no address of " + host)


def read_line(sock: usocket.socket) -> bytes:
    """A line without its end. (Only a non-blocking readline() returns None, only the end of the stream b"".)"""
    line = sock.readline()
    if not line:
        raise ValueError("the connection ended too early")
    return line.strip()


def read_header(sock: usocket.socket) -> "tuple[int, dict[bytes, bytes]]":
    """The status and the header fields, their names in lower case."""
    status_line = read_line(sock)
    if not status_line.startswith(b"HTTP/1."):
        raise ValueError("not HTTP: " + repr(status_line))
    fields: dict[bytes, bytes] = {}
    while True:
        line = read_line(sock)
        if not line:
            return int(status_line.split()[1]), fields
        name, separator, value = line.partition(b":")
        if not separator:
            raise ValueError("not a header field: " + repr(line))
        fields[name.lower()] = value.strip()


def read_exactly(sock: usocket.socket, size: int) -> "Iterator[bytes]":
    """`size` bytes in blocks. A blocking read() returns less than was asked for only when the other end has closed."""
    while size:
        block = sock.read(min(size, BLOCK))
        if not block:
            raise ValueError("the connection ended with bytes still to come: " + str(size))
        size -= len(block)
        yield block


def read_chunks(sock: usocket.socket) -> "Iterator[bytes]":
    """The body of a server that did not know its length: chunks, each after a line with its size in hexadecimal."""
    while True:
        size = int(read_line(sock).split(b";")[0], 16)
        if size == 0:
            break
        yield from read_exactly(sock, size)
        read_line(sock)  # the chunk's own line end
    while read_line(sock):
        pass  # trailing fields


def read_to_end(sock: usocket.socket) -> "Iterator[bytes]":
    """The body of a server that says by closing that it is complete."""
    while True:
        block = sock.read(BLOCK)
        if not block:
            return
        yield block


def get(url: str) -> "Iterator[bytes]":
    """The body in blocks."""
    host, port, path = split_url(url)
    sock = connect(host, port)
    try:
        sock.write(b"GET " + path.encode() + b" HTTP/1.1\r\nHost: " + host.encode() + b"\r\nConnection: close\r\n\r\n")
        status, fields = read_header(sock)
        if status != 200:
            raise ValueError("the server answered with status " + str(status))
        if fields.get(b"transfer-encoding") == b"chunked":
            yield from read_chunks(sock)
        elif b"content-length" in fields:
            yield from read_exactly(sock, int(fields[b"content-length"]))
        else:
            yield from read_to_end(sock)
    finally:
        sock.close()


def main() -> None:
    urls = [arg for arg in sys.argv[1:] if not arg.startswith("--")]
    if len(urls) != 1:
        print("usage: http_get.py URL [--sha256]")
        sys.exit(2)
    if "--sha256" in sys.argv:
        sha256 = hashlib.sha256()
        for block in get(urls[0]):
            sha256.update(block)
        print(binascii.hexlify(sha256.digest()).decode())
    else:
        out = sys.stdout.buffer if hasattr(sys.stdout, "buffer") else open(1, "wb")
        for block in get(urls[0]):
            out.write(block)


if __name__ == "__main__":
    main()
