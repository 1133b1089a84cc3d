"""Fetches a page: http_get.py URL [--sha256] [--trust=FILE]

Prints the body, or with --sha256 the hash of it. The server of an https:// URL has to show a certificate of an issuer
that the system trusts, or one in FILE. There is no HTTP library here: a socket is a stream, so a request is
written with write(), lines are read with readline(), and a body of known length with read().
"""

import sys

import usocket

try:
    import ussl
except ImportError:
    pass  # then only http:// is spoken
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


def split_url(url: str) -> "tuple[bool, str, int, str]":
    """https://host:port/path to whether it is secure, host, port and path."""
    scheme, _, rest = url.partition("://")
    if scheme not in ("http", "https"):
        raise ValueError("only http:// and https:// are spoken here, not " + url)
    authority, _, path = rest.partition("/")
    host, _, port = authority.partition(":")
    return scheme == "https", host, int(port or (443 if scheme == "https" else 80)), "/" + path


def make_context(trusted: "str | None") -> "ussl.SSLContext":
    """For servers that one of the issuers in the file stands for; without one, those that the system trusts."""
    context = ussl.SSLContext(ussl.PROTOCOL_TLS_CLIENT)
    if trusted is not None:
        context.load_verify_locations(trusted)
    return context


def connect(host: str, port: int, context: "ussl.SSLContext | None") -> usocket.socket:
    """To the first of the host's addresses that answers; with a context by TLS."""
    failure = None
    for family, kind, proto, _, address in usocket.getaddrinfo(host, port, 0, usocket.SOCK_STREAM):
        sock = usocket.socket(family, kind, proto if context is None else usocket.IPPROTO_SEC)
        sock.settimeout(TIMEOUT_S)
        try:
            if context is not None:
                context.wrap_socket(sock, server_hostname=host)
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


def get(url: str, trusted: "str | None" = None) -> "Iterator[bytes]":
    """The body in blocks."""
    is_secure, host, port, path = split_url(url)
    sock = connect(host, port, make_context(trusted) if is_secure else None)
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
        print("usage: http_get.py URL [--sha256] [--trust=FILE]")
        sys.exit(2)
    files = [arg[len("--trust=") :] for arg in sys.argv[1:] if arg.startswith("--trust=")]
    blocks = get(urls[0], files[0] if files else None)
    if "--sha256" in sys.argv:
        sha256 = hashlib.sha256()
        for block in blocks:
            sha256.update(block)
        print(binascii.hexlify(sha256.digest()).decode())
    else:
        out = sys.stdout.buffer if hasattr(sys.stdout, "buffer") else open(1, "wb")
        for block in blocks:
            out.write(block)


if __name__ == "__main__":
    main()
