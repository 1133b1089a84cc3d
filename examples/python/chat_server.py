"""A chat: every line that one client sends, all others get: chat_server.py [PORT]

Try it with chat_client.py, or with nc. The first line that a client sends is its name. Listens on 127.0.0.1, on a free
port unless told which, and prints the port.
"""

import sys

import uselect
import usocket

LONGEST_LINE = 1000
LARGEST_BACKLOG = 100 * 1000  # bytes waiting for one client; who is that far behind has to go


class Client:
    """A connection, with the part of a line that has come, and what waits to be sent."""

    def __init__(self, sock: usocket.socket) -> None:
        self.sock = sock
        self.name = b""
        self.line = b""
        self.unsent = b""

    def read_line(self) -> "bytes | None":
        """The next line; None if it is not all there yet, b"" after the last one."""
        piece = self.sock.readline(LONGEST_LINE)
        if piece is None:
            return None
        self.line += piece
        if piece and not piece.endswith(b"\n") and len(self.line) < LONGEST_LINE:
            return None
        line = self.line
        self.line = b""
        return line

    def flush(self) -> None:
        """Sends what can be sent without waiting."""
        if self.unsent:
            self.unsent = self.unsent[self.sock.write(self.unsent) or 0 :]


class Chat:
    def __init__(self, listener: usocket.socket) -> None:
        self.listener = listener
        self.clients: dict[usocket.socket, Client] = {}
        self.poller = uselect.poll()
        self.poller.register(listener, uselect.POLLIN)

    def run(self) -> None:
        while True:
            for event in self.poller.poll():
                if event[0] is self.listener:
                    self.accept()
                elif event[0] in self.clients:  # it may have left since, because of another's line
                    self.attend(self.clients[event[0]])

    def accept(self) -> None:
        try:
            sock, _ = self.listener.accept()
        except OSError:
            return  # the client has gone again
        sock.setblocking(False)
        self.clients[sock] = Client(sock)
        self.poller.register(sock, uselect.POLLIN)

    def attend(self, client: Client) -> None:
        """Sends a client what waits, and takes a line of its own; if there are more, the poller will say so again."""
        try:
            client.flush()
            line = client.read_line()
        except OSError:
            line = b""
        if line is None:
            self.watch(client)
        elif line:
            self.watch(client)
            self.hear(client, line.strip())
        else:
            self.leave(client)

    def hear(self, client: Client, line: bytes) -> None:
        if client.name:
            self.tell_all(client.name + b": " + line)
        else:
            client.name = line or b"nobody"
            self.tell_all(b"* " + client.name + b" is here")

    def tell_all(self, line: bytes) -> None:
        for client in list(self.clients.values()):
            if not client.name:
                continue
            client.unsent += line + b"\n"
            try:
                client.flush()
            except OSError:
                client.unsent = b""  # the poller will report it
            if len(client.unsent) > LARGEST_BACKLOG:
                self.leave(client)
            else:
                self.watch(client)

    def watch(self, client: Client) -> None:
        """Waits for room only while there is something to send."""
        if client.sock in self.clients:
            self.poller.modify(client.sock, uselect.POLLIN | (uselect.POLLOUT if client.unsent else 0))

    def leave(self, client: Client) -> None:
        if self.clients.pop(client.sock, None) is None:
            return
        self.poller.unregister(client.sock)
        client.sock.close()
        if client.name:
            self.tell_all(b"* " + client.name + b" has left")


def main() -> None:
    listener = usocket.socket()
    listener.setsockopt(usocket.SOL_SOCKET, usocket.SO_REUSEADDR, 1)
    port = int(sys.argv[1]) if len(sys.argv) == 2 else 0
    listener.bind(usocket.getaddrinfo("127.0.0.1", port, 0, usocket.SOCK_STREAM)[0][-1])
    listener.listen()
    listener.setblocking(False)
    print("listening on 127.0.0.1 port", usocket.sockaddr(listener.getsockname())[2])
    sys.stdout.flush()
    Chat(listener).run()


if __name__ == "__main__":
    main()
