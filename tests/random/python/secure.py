# TLS-3, TLS-5, TIME-3, TIME-4, TIME-6, POLL-5: over TLS, whatever is written by whatever mix of calls comes once and in
# order, whatever timeouts end the calls that read it; a poll knows what is unread; the end is the end that was made.

import sys
import tempfile
from pathlib import Path

import usocket
import ussl
from support import EAGAIN, ETIMEDOUT, LACKS, Trial, connected, pattern, uselect

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
from certificates import Certificate, make_certificates

LONG_S = 30  # for what must happen
RECORD = 16384  # what a call has begun and not counted is on its way all the same
READS = ("read", "readinto", "readline", "readline_limit", "recv", "recv_into", "peek", "read1")
WRITES = ("write", "write_part", "send", "sendmsg")

with tempfile.TemporaryDirectory() as folder:
    make_certificates(Path(folder), [Certificate("right")], ["trusted"])
    SERVER = ussl.SSLContext(ussl.PROTOCOL_TLS_SERVER)
    SERVER.set_cert_key(f"{folder}/right.pem", f"{folder}/right.key")
    CLIENT = ussl.SSLContext(ussl.PROTOCOL_TLS_CLIENT)
    CLIENT.load_verify_locations(f"{folder}/trusted.pem")


class Flow:
    """One direction: what was written to it, and what of that was returned."""

    def __init__(self, seed, line):
        self.text = pattern(seed, 0, 9973, line)  # again and again: a prime, so that no size of anything fits
        self.sent = 0
        self.returned = 0

    def bytes(self, begin, size):
        at = begin % len(self.text)
        return (self.text * (size // len(self.text) + 2))[at : at + size]

    def unread(self):
        """How much of it there surely is."""
        return max(self.sent - self.returned, 0)


class Secure(Trial):
    def __init__(self, seed):
        super().__init__(seed)
        random = self.random
        line = random.choose((0, 3, 20, 200))
        self.most = random.choose((20, 500, 20000, 60000))
        self.flows = [Flow(seed + i, line) for i in range(2)]  # of what ends[i] writes
        kind = random.choose(("tcp", "unix"))
        self.ends = list(connected(kind))
        if kind == "unix" and random.chance(50) and "options" not in LACKS:  # TCP's window takes its time to open again
            for end in self.ends:
                for option in (usocket.SO_SNDBUF, usocket.SO_RCVBUF):
                    end.setsockopt(usocket.SOL_SOCKET, option, random.choose((1, 5000, 30000)))
        self.below = self.ends[0].dup()
        self.trace(kind, "line", line, "most", self.most)

    def run(self):
        CLIENT.wrap_socket(self.ends[0], server_hostname="localhost", do_handshake=False)
        SERVER.wrap_socket(self.ends[1], server_side=True, do_handshake=False)
        self.shake()
        for self.step in range(1, 150):
            i = self.random.below(2)
            if self.random.chance(40):
                self.write(i)
            elif self.random.chance(80):
                self.read(i)
            else:
                self.poll(i)
        self.end()
        for sock in (*self.ends, self.below):
            sock.close()

    def shake(self):
        left = list(self.ends)
        poll = uselect.poll()
        for end in left:
            end.setblocking(False)
            poll.register(end, uselect.POLLIN)
        while left:
            for end in list(left):
                try:
                    end.do_handshake()
                    left.remove(end)
                except BlockingIOError:
                    pass
            self.require(not left or poll.poll(LONG_S * 1000), "the handshake hangs (TLS-3)")

    # --- Writing, without waiting: a call that ends in the middle says how far it has come

    def write(self, i):
        flow, sock = self.flows[i], self.ends[i]
        how = self.random.choose(WRITES)
        size = self.random.between(1, self.random.between(1, self.most))
        data = flow.bytes(flow.sent, size)
        sock.setblocking(False)
        try:
            if how == "write":
                count = sock.write(data)
            elif how == "write_part":
                count = sock.write(b"xyz" + data + b"xyz", 3, size)
            elif how == "send":
                count = sock.send(data)
            else:
                half = size // 2
                count = sock.sendmsg([data[:half], data[half:]])
        except BlockingIOError:
            count = None
        self.trace(i, how, size, "->", count)
        self.require(count is None or 0 <= count <= size, "more than there was (STRM-4)")
        flow.sent += count or 0

    # --- Reading

    def read(self, i):
        flow, sock, how = self.flows[1 - i], self.ends[i], self.random.choose(READS)
        size = self.random.between(1, self.random.between(1, self.most))
        timeout = self.random.choose((None, 0, 0.001, LONG_S))
        wanted = self.enough(flow, how, size)
        if timeout in (None, LONG_S) and not wanted:
            timeout = 0.001
        sock.settimeout(timeout)
        unread = flow.unread()
        try:
            data = self.call(sock, how, size)
            error = None
        except OSError as failure:
            data, error = None, failure.args[0]
        self.trace(i, how, size, "timeout", timeout, "unread", unread, "->", error or (data and len(data)))
        if data is None:
            self.require(error in (None, EAGAIN if timeout == 0 else ETIMEDOUT), "error", error, "(TIME-3, TIME-4)")
            self.require(timeout in (0, 0.001), "nothing came, though it was there and there was time (TIME-6)")
            return
        right = flow.bytes(flow.returned, len(data))
        self.require(data == right, "other bytes (TIME-6):", data[:40], "instead of", right[:40])
        self.require(flow.returned + len(data) <= flow.sent + RECORD, "more than was written")
        self.require(data or not wanted, "an end that is none (TLS-5)")
        if timeout != 0:
            self.require(how not in ("read", "readinto") or len(data) == size, "too few (STRM-1)")
        if how != "peek":
            flow.returned += len(data)

    def enough(self, flow, how, size):
        """Whether what is unread ends such a call; a record that is on its way in part is nothing yet."""
        unread = flow.unread()
        if how in ("read", "readinto"):
            return unread >= size
        if how.startswith("readline"):
            begun = flow.bytes(flow.returned, min(unread, size if how == "readline_limit" else unread))
            return b"\n" in begun or how == "readline_limit" and unread >= size
        return unread > 0

    def call(self, sock, how, size):
        room = bytearray(size)
        if how == "readinto":
            count = sock.readinto(room)
            return None if count is None else bytes(room[:count])
        if how == "recv_into":
            return bytes(room[: sock.recv_into(room)])
        if how == "readline":
            return sock.readline()
        if how == "readline_limit":
            return sock.readline(size)
        if how == "peek":
            return sock.recv(size, usocket.MSG_PEEK)
        return getattr(sock, how)(size)

    def poll(self, i):
        poll = uselect.poll()
        poll.register(self.ends[i], uselect.POLLIN)
        unread = self.flows[1 - i].unread()
        events = poll.poll(LONG_S * 1000 if unread else 0)
        self.trace(i, "poll, unread", unread, "->", len(events))
        self.require(events or not unread, "a poll does not know what is unread (POLL-5)")

    # --- The end

    def end(self):
        """The first end ends its direction, in one way or another; the second reads what is left of it."""
        flow, near, far = self.flows[0], *self.ends
        near.setblocking(False)
        far.setblocking(False)
        while not near.write(flow.bytes(flow.sent, 1)):  # once it is through, nothing is that was begun before
            self.take(flow, far.read(1000) or b"")
        flow.sent += 1
        far.settimeout(LONG_S)
        near.settimeout(LONG_S)
        how = self.random.choose(("close", "shutdown", "cut"))
        self.trace("the end:", how)
        while how != "cut" and flow.unread():  # there has to be room for what says so
            self.take(flow, far.recv(1000))
        if how == "cut":
            self.below.shutdown(usocket.SHUT_WR)
        elif how == "shutdown":
            near.shutdown(usocket.SHUT_WR)
        else:
            near.close()
        error = None
        try:
            while block := far.recv(1000):
                self.take(flow, block)
        except OSError as failure:
            error = failure.args[0]
        self.require((error is None) == (how != "cut"), "a cut and an end look the same (TLS-5)", error)
        self.require(
            flow.sent <= flow.returned <= flow.sent + RECORD,
            flow.returned,
            "of",
            flow.sent,
            "bytes that had come whole (TLS-5)",
        )

    def take(self, flow, block):
        self.require(block == flow.bytes(flow.returned, len(block)), "other bytes at the end (TIME-6)")
        flow.returned += len(block)
