"""A chat: every line that one client sends, all others get: chat_server.py [PORT [IDLE_S]]

Try it with chat_client.py, or with nc. The first line that a client sends is its name. One thread serves them all: a
line at a time from each, and who does not read what the others say, or says nothing for IDLE_S seconds (3600), has to
go. Listens on 127.0.0.1, on a free port unless told which, and prints the port; SIGINT and SIGTERM end it.
"""

import sys

import uselect
import usocket
from serving import TICK_S, Listener, now, stop_on_signals

# What one client may take up.
LONGEST_LINE = 1000
LARGEST_BACKLOG = 100 * 1000  # bytes that wait for it


class Client:
    """A connection, with the part of a line that has come, and what waits to be sent."""

    def __init__(self, sock: usocket.socket) -> None:
        self.sock = sock
        self.last_line = now()
        self.name = b""
        self.line = b""
        self.unsent = b""
        self.is_gone = False

    def read_line(self) -> "bytes | None":
        """The next line; None if it is not all there yet, b"" after the last one."""
        try:
            piece = self.sock.readline(LONGEST_LINE - len(self.line))
        except OSError:
            return b""
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
        if not self.unsent:
            return
        try:
            self.unsent = self.unsent[self.sock.write(self.unsent) or 0 :]
        except OSError:
            self.is_gone = True


class Chat:
    def __init__(self, port: int, idle_limit: float) -> None:
        self.idle_limit = idle_limit
        self.clients: dict[usocket.socket, Client] = {}
        self.poller = uselect.poll()
        self.listener = Listener(port, self.poller)
        self.next_look = now()

    def run(self) -> None:
        """Until KeyboardInterrupt."""
        try:
            while True:
                for event in self.poller.poll(TICK_S * 1000):
                    if event[0] is self.listener.sock:
                        self.accept()
                    else:
                        self.attend(self.clients[event[0]])
                if now() >= self.next_look:
                    self.look_around()
                self.remove_gone()
        finally:
            for client in self.clients.values():
                client.sock.close()
            self.listener.sock.close()

    def accept(self) -> None:
        sock = self.listener.accept()
        if sock is not None:
            self.clients[sock] = Client(sock)
            self.poller.register(sock, uselect.POLLIN)

    def attend(self, client: Client) -> None:
        """Sends a client what waits, and takes one line of its own; if there are more, the poller will say so again."""
        client.flush()
        self.watch(client)
        line = client.read_line()
        if line:
            client.last_line = now()
            self.hear(client, line.strip())
        elif line is not None:
            client.is_gone = True

    def hear(self, client: Client, line: bytes) -> None:
        if client.name:
            self.tell_all(client.name + b": " + line)
        else:
            client.name = line or b"nobody"
            self.tell_all(b"* " + client.name + b" is here")

    def tell_all(self, line: bytes) -> None:
        for client in self.clients.values():
            if not client.name or client.is_gone:
                continue
            client.unsent += line + b"\n"
            client.flush()
            if len(client.unsent) > LARGEST_BACKLOG:
                client.is_gone = True
            self.watch(client)

    def watch(self, client: Client) -> None:
        """Waits for room only while there is something to send."""
        self.poller.modify(client.sock, uselect.POLLIN | (uselect.POLLOUT if client.unsent else 0))

    def look_around(self) -> None:
        """What no event tells."""
        self.next_look = now() + TICK_S
        self.listener.resume_if_due()
        for client in self.clients.values():
            if now() >= client.last_line + self.idle_limit:
                client.is_gone = True

    def remove_gone(self) -> None:
        """Not sooner, because an event may still name it, or somebody be telling all of them something."""
        gone = [client for client in self.clients.values() if client.is_gone]
        for client in gone:
            del self.clients[client.sock]
            self.poller.unregister(client.sock)
            client.sock.close()
            self.listener.resume()
        for client in gone:
            if client.name:
                self.tell_all(b"* " + client.name + b" has left")


def main() -> None:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    idle_limit = float(sys.argv[2]) if len(sys.argv) > 2 else 3600
    stop_on_signals()
    try:
        Chat(port, idle_limit).run()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
