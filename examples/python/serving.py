"""What the servers among the examples have in common: a listener in a poller, and the end on a signal."""

import sys
import time

import uerrno
import uselect
import usocket

try:
    import ussl
except ImportError:
    pass  # then nothing but TLS is missing

TICK_S = 1  # how often a server looks after what no event tells: idle clients, a pause that is over


def now() -> float:
    """Seconds, of a clock that nobody sets if the host has one."""
    return time.monotonic() if hasattr(time, "monotonic") else time.time()


def stop_on_signals() -> None:
    """SIGTERM, too, raises KeyboardInterrupt, which ends every wait. MicroPython knows no signal but that of Ctrl-C."""
    try:
        import signal
    except ImportError:
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


class Listener:
    """A socket that listens on the loopback interface, and the poller that watches it.

    It pauses when the system has no room for another connection (EMFILE, ENFILE, ENOBUFS, ENOMEM). A client that is not
    taken in keeps the listener readable: every wait would end at once, and the server would spin.
    """

    def __init__(self, port: int, poller: uselect.poll, context: "ussl.SSLContext | None" = None) -> None:
        """Port 0 is any free one. It is printed, for people and for scripts. With a context TLS is spoken."""
        self.context = context
        self.sock = usocket.socket()
        self.sock.setsockopt(usocket.SOL_SOCKET, usocket.SO_REUSEADDR, 1)
        self.sock.bind(usocket.getaddrinfo("127.0.0.1", port, 0, usocket.SOCK_STREAM)[0][-1])
        self.sock.listen()
        self.sock.setblocking(False)
        self.poller = poller
        self.poller.register(self.sock, uselect.POLLIN)
        self.resume_at = 0.0  # not paused
        print("listening on 127.0.0.1 port", usocket.sockaddr(self.sock.getsockname())[2])
        sys.stdout.flush()

    def accept(self) -> "usocket.socket | None":
        """A client's connection, non-blocking; None if it has gone again, or if there is no room for it."""
        try:
            conn, _ = self.sock.accept()
            conn.setblocking(False)
            if self.context is not None:
                # The handshake goes on with the first reads: they do not wait either.
                self.context.wrap_socket(conn, server_side=True, do_handshake=False)
            return conn
        except OSError as error:
            if error.args[0] not in (uerrno.EAGAIN, uerrno.ECONNABORTED):
                self.resume_at = now() + TICK_S  # whatever it is: not again at once
                self.poller.modify(self.sock, 0)
            return None

    def resume(self) -> None:
        """A connection has closed, so there may be room."""
        if self.resume_at:
            self.resume_at = 0.0
            self.poller.modify(self.sock, uselect.POLLIN)

    def resume_if_due(self) -> None:
        if now() >= self.resume_at:
            self.resume()
