"""Serves the files of one folder over HTTP: http_server.py FOLDER [PORT [IDLE_S [CERT KEY]]]

GET fetches a file, PUT stores one; connections are kept alive, any number of them is served by this one thread.
uselect.poll says whose turn it is. A turn is short, one request or one block of a file, so that nobody can keep the
thread for himself: each connection is a generator that yields at the end of its turn what it waits for, POLLIN or
POLLOUT. Who gets nothing done for IDLE_S seconds (60) has to go. With the files of a certificate and its key it serves
HTTPS. Listens on 127.0.0.1, on a free port unless told which, and prints the port; SIGINT and SIGTERM end it.
"""

import sys

import uerrno
import uselect
import usocket
from serving import TICK_S, Listener, now, stop_on_signals

try:
    import ussl
except ImportError:
    pass  # then it is HTTP only
try:
    from collections.abc import Generator  # for type checkers; a device has no use for it
except ImportError:
    pass

# What one client may take up.
BLOCK = 16 * 1024  # of memory, of a file at a time
LARGEST_HEADER = 8 * 1024
LARGEST_FILE = 1024 * 1024 * 1024


class BadRequest(ValueError):
    """What the client sent is not done here; the status says why."""


class Connection:
    """A client's connection. Its socket does not wait: None from a stream method means "not now"."""

    def __init__(self, sock: usocket.socket, folder: str, idle_limit: float) -> None:
        self.sock = sock
        self.folder = folder
        self.idle_limit = idle_limit
        self.put_deadline_off()
        self.turns = self.serve()

    def put_deadline_off(self) -> None:
        """Something got done: a request has come, or bytes have moved. Part of a header does not count, or who sends it
        byte by byte would stay for ever."""
        self.deadline = now() + self.idle_limit

    def serve(self) -> "Generator[int, None, None]":
        """Requests and responses until the client closes or says that it will."""
        keep = True
        while keep:
            yield uselect.POLLIN
            try:
                lines = yield from self.read_header()
                if not lines:
                    return
                self.put_deadline_off()
                fields = fields_of(lines[1:])
                keep = lines[0].endswith(b"/1.1") and fields.get(b"connection", b"").lower() != b"close"
                yield from self.respond(lines[0], fields)
            except ValueError as error:
                # What is left of the request is unknown, so nothing can follow it.
                keep = False
                status = error.args[0] if isinstance(error, BadRequest) else b"400 Bad Request"
                yield from self.answer(status + b"\r\nConnection: close", b"sorry\n")
        yield from self.drain()

    def read_header(self) -> "Generator[int, None, list[bytes]]":
        """The lines of a request's header; none where the client has closed."""
        lines: list[bytes] = []
        line = b""
        left = LARGEST_HEADER
        while left:
            piece = self.sock.readline(left)
            if piece is None:
                yield uselect.POLLIN
                continue
            if not piece:
                return []
            left -= len(piece)
            line += piece
            if line.endswith(b"\n"):
                line = line.strip()
                if line:
                    lines.append(line)
                elif lines:
                    return lines
                line = b""
        raise BadRequest(b"431 Request Header Fields Too Large")

    def read_block(self, buffer: bytearray, size: int) -> "Generator[int, None, int]":
        """Up to `size` bytes into the buffer: how many."""
        while True:
            yield uselect.POLLIN
            count = self.sock.readinto(buffer, min(size, len(buffer)))
            if count:
                self.put_deadline_off()
                return count
            if count is not None:
                raise BadRequest(b"400 Bad Request")  # the body is shorter than it said

    def write_block(self, data: bytes) -> "Generator[int, None, None]":
        view = memoryview(data)
        while True:
            count = self.sock.write(view)
            if count:
                self.put_deadline_off()
                view = view[count:]
            if not len(view):
                return
            yield uselect.POLLOUT

    def drain(self) -> "Generator[int, None, None]":
        """Waits for the client to close: with bytes of it unread, our close() would take the answer from it as well."""
        self.sock.shutdown(usocket.SHUT_WR)
        buffer = bytearray(BLOCK)
        while self.sock.readinto(buffer) != 0:
            yield uselect.POLLIN

    def respond(self, request: bytes, fields: "dict[bytes, bytes]") -> "Generator[int, None, None]":
        words = request.split()
        if len(words) != 3:
            raise BadRequest(b"400 Bad Request")
        method, path = words[0], words[1]
        if method == b"GET" and path == b"/":
            yield from self.answer(b"200 OK", b"Hello from " + sys.implementation.name.encode() + b"\n")
        elif method == b"GET":
            yield from self.send_file(self.file_path(path))
        elif method == b"PUT":
            yield from self.store_file(self.file_path(path), fields)
        else:
            raise BadRequest(b"405 Method Not Allowed")

    def file_path(self, path: bytes) -> str:
        """Only plain names: nothing that could lead out of the folder."""
        name = path[1:].decode()
        if not name or name.startswith(".") or "/" in name:
            raise BadRequest(b"403 Forbidden")
        return self.folder + "/" + name

    def answer(self, status: bytes, text: bytes) -> "Generator[int, None, None]":
        yield from self.write_block(header(status, len(text)) + text)

    def send_file(self, path: str) -> "Generator[int, None, None]":
        try:
            file = open(path, "rb")
        except OSError as error:
            yield from self.answer(open_error(error, b"404 Not Found"), b"no such file\n")
            return
        with file:
            left = file.seek(0, 2)
            file.seek(0)
            head = header(b"200 OK", left)
            while True:
                block = file.read(min(left, BLOCK))
                if left and not block:
                    raise OSError(uerrno.EIO)  # it has shrunk
                left -= len(block)
                yield from self.write_block(head + block)
                if not left:
                    return
                yield uselect.POLLOUT
                head = b""

    def store_file(self, path: str, fields: "dict[bytes, bytes]") -> "Generator[int, None, None]":
        if not fields.get(b"content-length", b"").isdigit():
            raise BadRequest(b"411 Length Required")
        length = left = int(fields[b"content-length"])
        if length > LARGEST_FILE:
            raise BadRequest(b"413 Content Too Large")
        try:
            file = open(path, "wb")
        except OSError as error:
            raise BadRequest(open_error(error, b"403 Forbidden")) from None
        with file:
            if fields.get(b"expect", b"").lower() == b"100-continue":
                yield from self.write_block(b"HTTP/1.1 100 Continue\r\n\r\n")
            buffer = bytearray(min(length, BLOCK))
            while left:
                count = yield from self.read_block(buffer, left)
                file.write(memoryview(buffer)[:count])
                left -= count
        yield from self.answer(b"201 Created", b"stored %d bytes\n" % length)


def fields_of(lines: "list[bytes]") -> "dict[bytes, bytes]":
    """The header fields, their names in lower case."""
    fields = {}
    for line in lines:
        name, _, value = line.partition(b":")
        fields[name.lower()] = value.strip()
    return fields


def header(status: bytes, length: int) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status, length)


def open_error(error: OSError, usually: bytes) -> bytes:
    """Why a file could not be opened: it is not there, or there are too many open."""
    return usually if error.args[0] in (uerrno.ENOENT, uerrno.EACCES, uerrno.EISDIR) else b"503 Service Unavailable"


class Server:
    def __init__(self, port: int, folder: str, idle_limit: float, context: "ussl.SSLContext | None" = None) -> None:
        self.folder = folder
        self.idle_limit = idle_limit
        self.connections: dict[usocket.socket, Connection] = {}
        self.poller = uselect.poll()
        self.listener = Listener(port, self.poller, context)
        self.next_look = now()

    def run(self) -> None:
        """Until KeyboardInterrupt."""
        try:
            while True:
                for event in self.poller.poll(TICK_S * 1000):
                    if event[0] is self.listener.sock:
                        self.accept()
                    else:
                        self.take_turn(self.connections[event[0]])
                if now() >= self.next_look:
                    self.look_around()
        finally:
            for connection in list(self.connections.values()):
                self.remove(connection)
            self.listener.sock.close()

    def accept(self) -> None:
        sock = self.listener.accept()
        if sock is not None:
            connection = Connection(sock, self.folder, self.idle_limit)
            self.connections[sock] = connection
            self.poller.register(sock, next(connection.turns))

    def take_turn(self, connection: Connection) -> None:
        """Lets a connection run on, until it waits again or is over."""
        try:
            self.poller.modify(connection.sock, next(connection.turns))
        except (StopIteration, OSError, MemoryError):
            self.remove(connection)

    def remove(self, connection: Connection) -> None:
        connection.turns.close()  # and with it the file that it may have open
        del self.connections[connection.sock]
        self.poller.unregister(connection.sock)
        connection.sock.close()
        self.listener.resume()

    def look_around(self) -> None:
        """What no event tells."""
        self.next_look = now() + TICK_S
        self.listener.resume_if_due()
        for connection in list(self.connections.values()):
            if now() >= connection.deadline:
                self.remove(connection)


def main() -> None:
    if len(sys.argv) not in (2, 3, 4, 6):
        print("usage: http_server.py FOLDER [PORT [IDLE_S [CERT KEY]]]")
        sys.exit(2)
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    idle_limit = float(sys.argv[3]) if len(sys.argv) > 3 else 60
    context = None
    if len(sys.argv) > 4:
        context = ussl.SSLContext(ussl.PROTOCOL_TLS_SERVER)
        context.set_cert_key(sys.argv[4], sys.argv[5])
    stop_on_signals()
    try:
        Server(port, sys.argv[1], idle_limit, context).run()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
