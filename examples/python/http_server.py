"""Serves the files of one folder over HTTP: http_server.py FOLDER [PORT]

GET fetches a file, PUT stores one; connections are kept alive, any number of them is served by this one thread. Each
connection is a generator that runs until it would have to wait, and then yields what it waits for: POLLIN or POLLOUT.
uselect.poll says whose turn it is. Listens on 127.0.0.1, on a free port unless told which, and prints the port.
"""

import sys

import uselect
import usocket

try:
    from collections.abc import Generator  # for type checkers; a device has no use for it
except ImportError:
    pass

BLOCK = 64 * 1024  # how much of a file is in memory at a time
LONGEST_LINE = 4096  # of a request's header


class BadRequest(ValueError):
    """What the client sent is not understood here; the status says why."""


# --- The stream methods of a socket that must not wait: None from it means "not now".


def read_line(sock: usocket.socket) -> "Generator[int, None, bytes]":
    """A line without its end; b"" where the client has closed."""
    line = b""
    while not line.endswith(b"\n"):
        piece = sock.readline(LONGEST_LINE)
        if piece is None:
            yield uselect.POLLIN
        elif not piece:
            return b""
        else:
            line += piece
            if len(line) >= LONGEST_LINE:
                raise BadRequest(b"431 Request Header Fields Too Large")
    return line.rstrip()


def read_block(sock: usocket.socket, buffer: bytearray, size: int) -> "Generator[int, None, int]":
    """Up to `size` bytes into the buffer: how many."""
    while True:
        count = sock.readinto(buffer, min(size, len(buffer)))
        if count is None:
            yield uselect.POLLIN
        elif not count:
            raise BadRequest(b"400 Bad Request")  # the body is shorter than it said
        else:
            return count


def write_all(sock: usocket.socket, data: "bytes | memoryview") -> "Generator[int, None, None]":
    view = memoryview(data)
    while len(view):
        count = sock.write(view)
        if count is None:
            yield uselect.POLLOUT
        else:
            view = view[count:]


# --- One connection


def serve(sock: usocket.socket, folder: str) -> "Generator[int, None, None]":
    """Requests and responses until the client closes or says that it will."""
    keep = True
    while keep:
        request = yield from read_line(sock)
        if not request:
            return
        try:
            fields = yield from read_fields(sock)
            keep = request.endswith(b"/1.1") and fields.get(b"connection", b"").lower() != b"close"
            yield from respond(sock, folder, request, fields)
        except ValueError as error:
            # What is left of the request is unknown, so nothing can follow it.
            keep = False
            status = error.args[0] if isinstance(error, BadRequest) else b"400 Bad Request"
            yield from write_all(sock, b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 6\r\n\r\nsorry\n" % status)
            yield from drain(sock)


def drain(sock: usocket.socket) -> "Generator[int, None, None]":
    """Waits for the client to close: with bytes of it unread, our close() would take the answer from it as well."""
    sock.shutdown(usocket.SHUT_WR)
    buffer = bytearray(BLOCK)
    while True:
        count = sock.readinto(buffer)
        if count is None:
            yield uselect.POLLIN
        elif not count:
            return


def read_fields(sock: usocket.socket) -> "Generator[int, None, dict[bytes, bytes]]":
    """The header fields, their names in lower case."""
    fields: dict[bytes, bytes] = {}
    while True:
        line = yield from read_line(sock)
        if not line:
            return fields
        name, _, value = line.partition(b":")
        fields[name.lower()] = value.strip()


def respond(
    sock: usocket.socket, folder: str, request: bytes, fields: "dict[bytes, bytes]"
) -> "Generator[int, None, None]":
    words = request.split()
    if len(words) != 3:
        raise BadRequest(b"400 Bad Request")
    method, path = words[0], words[1]
    if method == b"GET" and path == b"/":
        yield from answer(sock, b"200 OK", b"Hello from " + sys.implementation.name.encode() + b"\n")
    elif method == b"GET":
        yield from send_file(sock, file_path(folder, path))
    elif method == b"PUT":
        yield from store_file(sock, file_path(folder, path), fields)
    else:
        raise BadRequest(b"405 Method Not Allowed")


def file_path(folder: str, path: bytes) -> str:
    """Only plain names: nothing that could lead out of the folder."""
    name = path[1:].decode()
    if not name or name.startswith(".") or "/" in name:
        raise BadRequest(b"403 Forbidden")
    return folder + "/" + name


def answer(sock: usocket.socket, status: bytes, text: bytes) -> "Generator[int, None, None]":
    yield from write_all(sock, header(status, len(text)) + text)


def header(status: bytes, length: int) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status, length)


def send_file(sock: usocket.socket, path: str) -> "Generator[int, None, None]":
    try:
        file = open(path, "rb")
    except OSError:
        yield from answer(sock, b"404 Not Found", b"no such file\n")
        return
    with file:
        length = file.seek(0, 2)
        file.seek(0)
        yield from write_all(sock, header(b"200 OK", length))
        while length:
            block = file.read(min(length, BLOCK))
            yield from write_all(sock, block)
            length -= len(block)


def store_file(sock: usocket.socket, path: str, fields: "dict[bytes, bytes]") -> "Generator[int, None, None]":
    if not fields.get(b"content-length", b"").isdigit():
        raise BadRequest(b"411 Length Required")
    length = int(fields[b"content-length"])
    try:
        file = open(path, "wb")
    except OSError:
        raise BadRequest(b"403 Forbidden") from None
    if fields.get(b"expect", b"").lower() == b"100-continue":
        yield from write_all(sock, b"HTTP/1.1 100 Continue\r\n\r\n")
    buffer = bytearray(BLOCK)
    left = length
    with file:
        while left:
            count = yield from read_block(sock, buffer, left)
            file.write(memoryview(buffer)[:count])
            left -= count
    yield from answer(sock, b"201 Created", b"stored %d bytes\n" % length)


# --- All of them


class Server:
    def __init__(self, listener: usocket.socket, folder: str) -> None:
        self.listener = listener
        self.folder = folder
        self.connections: dict[usocket.socket, Generator[int, None, None]] = {}
        self.poller = uselect.poll()
        self.poller.register(listener, uselect.POLLIN)

    def run(self) -> None:
        while True:
            for event in self.poller.poll():
                if event[0] is self.listener:
                    self.accept()
                else:
                    self.resume(event[0])

    def accept(self) -> None:
        try:
            sock, _ = self.listener.accept()
        except OSError:
            return  # the client has gone again
        sock.setblocking(False)
        self.connections[sock] = serve(sock, self.folder)
        self.poller.register(sock, uselect.POLLIN)

    def resume(self, sock: usocket.socket) -> None:
        """Lets a connection run on, until it waits again or is over."""
        try:
            self.poller.modify(sock, next(self.connections[sock]))
        except (StopIteration, OSError):
            del self.connections[sock]
            self.poller.unregister(sock)
            sock.close()


def main() -> None:
    if len(sys.argv) not in (2, 3):
        print("usage: http_server.py FOLDER [PORT]")
        sys.exit(2)
    listener = usocket.socket()
    listener.setsockopt(usocket.SOL_SOCKET, usocket.SO_REUSEADDR, 1)
    port = int(sys.argv[2]) if len(sys.argv) == 3 else 0
    listener.bind(usocket.getaddrinfo("127.0.0.1", port, 0, usocket.SOCK_STREAM)[0][-1])
    listener.listen()
    listener.setblocking(False)
    print("listening on 127.0.0.1 port", usocket.sockaddr(listener.getsockname())[2])
    sys.stdout.flush()
    Server(listener, sys.argv[1]).run()


if __name__ == "__main__":
    main()
