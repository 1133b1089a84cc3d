# TIME-1 to TIME-9, STRM-1 to STRM-3, STRM-5, POLL-5, SOCK-10, SOCK-11: whatever is received, by whatever mix of calls
# and holders of the descriptor, comes once and in order; nobody who looks sees anything but what was not returned;
# deadlines hold. Callbacks come when there is something, also in the middle of a call.

import gc

import usocket
from support import (
    EAGAIN,
    EINVAL,
    ENOMEM,
    EOPNOTSUPP,
    ETIMEDOUT,
    LACKS,
    SLACK_MS,
    Trial,
    _thread,
    code_of,
    connected,
    has_ipv6,
    now_ms,
    pattern,
    since_ms,
    sleep_ms,
    uselect,
)

try:
    import desktop
except ImportError:
    desktop = None

MOST_IN_FLIGHT = 40000  # fits every queue


def flag(name):
    return getattr(usocket, "MSG_" + name, 0)


FLAGS = [flag(name) for name in ("PEEK", "DONTWAIT", "WAITALL", "NOSIGNAL", "TRUNC", "OOB", "ERRQUEUE")]
PEEK, DONTWAIT, WAITALL, _, TRUNC, OOB, ERRQUEUE = FLAGS
STREAM_METHODS = ("read", "read_all", "readinto", "readline", "readline_limit")
SOCKET_METHODS = ("recv", "recv_into", "recvfrom", "recvfrom_into")
if hasattr(usocket.socket, "recvmsg"):
    SOCKET_METHODS += ("recvmsg", "recvmsg_into")
SO_CALLBACK = 20  # as the ports over lwIP have it


def has_callbacks():
    sock = usocket.socket()
    try:
        sock.setsockopt(usocket.SOL_SOCKET, SO_CALLBACK, None)
    except (OSError, TypeError):
        return False
    finally:
        sock.close()
    return True


HAS_CALLBACKS = has_callbacks()


class Callback:
    """While it is entered, `function` is called with the socket when there is something to read."""

    def __init__(self, sock, function):
        self.sock = sock
        self.function = function

    def __enter__(self):
        self.sock.setsockopt(usocket.SOL_SOCKET, SO_CALLBACK, self.function)

    def __exit__(self, *ignored):
        self.sock.setsockopt(usocket.SOL_SOCKET, SO_CALLBACK, None)


class Reading:
    """A call that receives."""

    def __init__(self, random, most):
        self.how = random.choose(STREAM_METHODS + SOCKET_METHODS)
        self.size = random.between(1, 1 + random.below(most if random.chance(20) else 300))
        self.flags = 0
        if self.how in SOCKET_METHODS and random.chance(60):
            self.flags = random.choose(FLAGS)
            if random.chance(30) and not self.is_elsewhere():
                self.flags |= random.choose(FLAGS[:4])
        self.room = random.choose((0, 64)) if self.is_message() else 0  # for what comes beside the data
        self.limit = None if self.how in ("read_all", "readline") else self.size

    def is_message(self):
        """What is kept comes first and alone, and MSG_WAITALL is the system's business (SOCK-10)."""
        return self.how.startswith("recvmsg")

    def is_elsewhere(self):
        """Of another queue than the stream's."""
        return bool(self.flags & (OOB | ERRQUEUE))

    def is_at_once(self):
        """Waits for nothing, whatever the timeout (TIME-8)."""
        return bool(self.flags & (DONTWAIT | OOB | ERRQUEUE))

    def is_whole(self):
        """Wants all that it asks for."""
        return self.how in STREAM_METHODS or bool(self.flags & WAITALL)

    def perform(self, sock):
        """The bytes, or how many they were where MSG_TRUNC drops them; None: nothing, without waiting."""
        how, size, flags = self.how, self.size, self.flags
        if how == "read":
            return sock.read(size)
        if how == "read_all":
            return sock.read()
        if how == "readline":
            return sock.readline()
        if how == "readline_limit":
            return sock.readline(size)
        if how == "recv":
            return sock.recv(size, flags)
        if how == "recvfrom":
            return sock.recvfrom(size, flags)[0]
        if how == "recvmsg":
            return sock.recvmsg(size, self.room, flags)[0]
        room = bytearray(size)
        if how == "recvmsg_into":
            parts = memoryview(room)
            count = sock.recvmsg_into([parts[: size // 3], parts[size // 3 :]], self.room, flags)[0]
        elif how == "readinto":
            count = sock.readinto(room)
        elif how == "recv_into":
            count = sock.recv_into(room, size, flags)
        else:
            count = sock.recvfrom_into(room, size, flags)[0]
        return None if count is None else bytes(room[:count])

    def may_return(self, data, is_at_end, at_once):
        """Whether these bytes may be what it returns."""
        if self.flags & PEEK:
            return False
        if self.how.startswith("readline"):
            return data.endswith(b"\n") and b"\n" not in data[:-1] or len(data) == self.limit or is_at_end or at_once
        return not self.is_whole() or self.is_message() or len(data) == self.limit or is_at_end or at_once

    def __str__(self):
        return "{}({}, flags {})".format(self.how, self.size, self.flags)  # noqa: UP032 (Pycopy has no f-strings)


class Outcome:
    """How a call has ended."""

    def __init__(self, data, error, took_ms):
        self.data = data
        self.error = error  # an exception, or None
        self.took_ms = took_ms


class Streams(Trial):
    def __init__(self, seed):
        super().__init__(seed)
        random = self.random
        self.seed = seed
        self.line = random.choose((0, 2, 4, 20, 100, 1000))
        self.most = random.choose((20, 300, 3000, 20000))
        self.kind = random.choose(("tcp", "unix", "tcp6") if has_ipv6() else ("tcp", "unix"))
        self.unreturned = b""
        self.sent = 0
        self.is_ended = False
        self.is_exposed = False
        self.had_kept = False
        self.keeper = None  # whose calls have failed: what it keeps, only it returns
        self.to_send = []  # (bytes, after how many ms), in order
        self.lock = _thread.allocate_lock() if _thread else None
        self.thread = _thread.get_ident() if _thread else None
        self.last_at_once = False
        self.may_raise = False  # a handler, and only once
        self.is_handling = False
        self.handled = []  # what handlers have read in the middle of this call, or just behind it
        self.outside = None
        make = usocket.socket
        if desktop:
            if random.chance(30):
                make = desktop.Subclass
        if desktop and "files" not in LACKS:
            # The listener of connected() has the first number, and is closed.
            first = desktop.next_descriptor()
            self.outside = desktop.Desktop(first if self.kind == "unix" else first + 1, self.kind == "unix")
        self.near, self.far = connected(self.kind, make)
        self.copy = None
        self.timeout = None
        self.poller = uselect.poll()
        if random.chance(50):
            self.poller.register(self.near, uselect.POLLIN)
            self.is_polled = True
        else:
            self.is_polled = False
        self.trace(self.kind, "lines of", self.line)

    def run(self):
        for step in range(self.random.between(5, 50)):
            self.step = step
            self.do_step()
            self.settle()
            self.look_around()
            if self.is_ended and not self.unreturned:
                break
        self.finish()

    # --- What can happen

    def do_step(self):
        kind = self.random.below(16)
        if kind < 2:
            self.send(self.random.between(1, self.most))
        elif kind == 2:
            self.set_timeout()
        elif kind == 3:
            self.let_others_look()
        elif kind == 4:
            self.take_from_elsewhere()
        elif kind == 5:
            self.let_child_read()
        elif kind == 6 and self.random.chance(15):
            self.end()
        elif kind == 7 and hasattr(gc, "threshold"):
            self.leave_behind()
        elif kind == 7:
            gc.collect()
        elif kind == 8 and HAS_CALLBACKS:
            self.await_callback()
        else:
            self.read()

    def leave_behind(self):
        """What nobody needs any more is for a device's collector, in whatever call it runs next."""
        often = self.random.choose((-1, 300, 3000))
        gc.threshold(often)  # in bytes; -1: when the heap is full
        count = self.random.between(1, 12)
        self.trace("leaves", count, "polls behind; collects every", often, "bytes")
        for _ in range(count):
            poller = uselect.poll()
            for sock in usocket.socketpair():
                poller.register(sock, uselect.POLLIN)
        if self.random.chance(30):
            gc.collect()

    def await_callback(self):
        """It comes when something is there, and not before."""
        if self.keeper and self.keeper is not self.near:
            return
        self.settle()
        self.trace("a callback,", len(self.unreturned), "bytes are there")
        calls = []
        with Callback(self.near, calls.append):
            if not self.unreturned and not self.is_ended:
                sleep_ms(self.random.below(4))
                self.require(not calls, "a callback though nothing is there (SOCK-11)")
                self.send(self.random.between(1, 100), self.random.below(3))
            start = now_ms()
            while not calls:
                self.require(since_ms(start) < SLACK_MS, "no callback though something is there (SOCK-11)")
                sleep_ms(1)

    def next_bytes(self, size):
        size = max(0, min(size, MOST_IN_FLIGHT - len(self.unreturned)))
        data = pattern(self.seed, self.sent, size, self.line)
        self.sent += size
        self.unreturned += data
        return data

    def send(self, size, delay_ms=0):
        if self.is_ended:
            return
        data = self.next_bytes(size)
        self.trace("the peer sends", len(data), "in", delay_ms, "ms")
        if not _thread:
            self.far.write(data)
            return
        with self.lock:
            self.to_send.append((data, delay_ms))
            is_first = len(self.to_send) == 1
        if is_first and not delay_ms:
            self.send_one()
        elif is_first:
            _thread.start_new_thread(self.send_all, ())

    def send_one(self):
        """The first in line; False: there is no other."""
        data, delay_ms = self.to_send[0]
        if delay_ms:
            sleep_ms(delay_ms)
        self.far.write(data)
        with self.lock:
            self.to_send.pop(0)
            return bool(self.to_send)

    def send_all(self):
        while self.send_one():
            pass

    def end(self):
        self.settle()
        if not self.is_ended:
            self.trace("the peer ends the stream")
            self.far.shutdown(usocket.SHUT_WR)
            self.is_ended = True

    def settle(self):
        """Until what was to be sent has been."""
        start = now_ms()
        while self.to_send:
            self.require(since_ms(start) < 8000, "a thread that sends hangs")
            sleep_ms(1)
        while not self.has_arrived():
            self.require(since_ms(start) < 8000, "what was sent does not arrive")
            sleep_ms(1)

    def has_arrived(self):
        """Whether all that the peer has sent is in the queue, or was taken from there; on a busy machine TCP takes a
        moment."""
        if self.outside:
            return self.outside.has_arrived(self.far.fileno())
        if self.kind == "unix" or not hasattr(usocket, "TCP_INFO"):
            return True
        # tcpi_unacked of Linux's struct tcp_info
        return not any(self.far.getsockopt(usocket.IPPROTO_TCP, usocket.TCP_INFO, 28)[24:28])

    def set_timeout(self):
        self.timeout = self.random.choose((None, None, 0, 0.001, 0.005, 0.02))
        self.trace("settimeout", self.timeout)
        for sock in (self.near, self.copy):
            if sock:
                sock.settimeout(self.timeout)

    def let_others_look(self):
        if self.random.chance(50):
            self.trace("fileno()")
            number = self.near.fileno()
            self.require(not self.outside or number == self.outside.descriptor, "fileno() is another")
            self.is_exposed = True
        elif not self.copy and not self.keeper:
            self.trace("dup()")
            self.copy = self.near.dup()
            self.copy.settimeout(self.timeout)
            self.is_exposed = True

    def kept(self):
        """How many bytes are with the sockets, not in the queue."""
        return len(self.unreturned) - min(len(self.unreturned), self.outside.queued())

    def remove(self, data, offset, whose):
        """Bytes that were got from behind the first `offset` ones."""
        expected = self.unreturned[offset : offset + len(data)]
        if data != expected:
            place = self.unreturned.find(data)
            kind = "bytes twice, or that nobody sent"
            if place >= 0:
                kind = "bytes that are not its turn, by " + str(place - offset)
            self.require(False, whose, "gets", kind, "(TIME-6)")
        self.unreturned = self.unreturned[:offset] + self.unreturned[offset + len(data) :]

    def take_from_elsewhere(self):
        if not self.outside or not self.is_exposed:
            return
        self.settle()
        kept = self.kept()
        data = self.outside.take(self.random.between(1, self.most))
        self.trace("another holder takes", len(data), "behind", kept)
        self.remove(data, kept, "another holder")

    def let_child_read(self):
        if not self.outside:
            return
        size = self.random.between(1, 2000)
        self.is_exposed = True

        def read():
            try:
                return self.near.recv(size, DONTWAIT)
            except OSError:
                return b""

        self.settle()
        kept = self.kept()
        data = self.outside.in_child(read)
        self.trace("a child takes", len(data), "of", size, "behind", kept)
        self.remove(data, kept, "a child")

    # --- A read, and what it must be like

    def read(self):
        reading = Reading(self.random, self.most)
        if self.kind == "unix":
            reading.flags &= ~ERRQUEUE  # it has no error queue, and reads on
        sock = self.near
        if self.keeper or (self.copy and self.random.chance(30)):
            sock = self.keeper or self.copy
        before = len(self.unreturned) if not self.to_send else 0
        if self.random.chance(30):
            self.send(self.random.between(1, reading.size), self.random.between(1, 3))
        self.ensure_an_end(reading)
        self.trace("copy" if sock is self.copy else "near", reading, "timeout", self.timeout)
        if desktop and self.random.chance(30):
            with desktop.Alarms(self.random.between(1, 4), lambda: self.handle_signal(sock)):
                outcome = self.receive(reading, sock)
        elif HAS_CALLBACKS and self.random.chance(30):
            with Callback(sock, self.call_back):
                outcome = self.receive(reading, sock)
        else:
            outcome = self.receive(reading, sock)
        self.check(reading, sock, outcome, before)

    def ensure_an_end(self, reading):
        """A call without a deadline gets what it waits for."""
        if (self.timeout is not None or reading.is_at_once()) and not self.random.chance(30):
            return
        if reading.how == "read_all":
            return self.end()
        if reading.how == "readline":
            if b"\n" not in self.unreturned:
                self.send(200, self.random.below(3))
            if b"\n" not in self.unreturned:
                self.end()
            return None
        wanted = reading.size if reading.is_whole() else 1
        if wanted > len(self.unreturned):
            self.send(wanted - len(self.unreturned), self.random.below(3))
        return None

    def receive(self, reading, sock):
        data = error = None
        start = now_ms()
        self.may_raise = True
        try:
            data = reading.perform(sock)
            self.may_raise = False
        except (OSError, MemoryError, KeyboardInterrupt) as raised:
            self.may_raise = False
            error = raised
        except Exception as raised:
            self.may_raise = False
            if not desktop or not isinstance(raised, desktop.Stop):
                raise
            error = raised
        return Outcome(data, error, since_ms(start))

    def handle_signal(self, sock):
        """In the middle of a call on the socket, or just outside; not in the middle of another handler."""
        if self.is_handling:
            return
        self.is_handling = True
        try:
            self.do_in_handler(sock)
        finally:
            self.is_handling = False

    def call_back(self, sock):
        """In the middle of a call on the socket, or just outside; what another thread reads has no place in that."""
        if self.is_handling or _thread.get_ident() != self.thread:
            return
        self.is_handling = True
        try:
            kind = self.random.below(4)
            if kind == 0:
                gc.collect()
            if kind == 1 and not self.keeper:
                self.read_in_handler(sock)
        finally:
            self.is_handling = False

    def do_in_handler(self, sock):
        kind = self.random.below(10)
        if kind < 2 and self.may_raise:
            self.may_raise = False
            raise desktop.Stop if kind else KeyboardInterrupt
        if kind == 2:
            gc.collect()
        if kind == 3:
            self.near.fileno()
            self.is_exposed = True
            self.had_kept = True  # what the call had got before
        if kind == 4 and not self.keeper:
            self.read_in_handler(sock)

    def read_in_handler(self, sock):
        """What it gets the call in the middle of which it runs does not."""
        try:
            data = sock.recv(self.random.between(1, 20), DONTWAIT)
        except OSError:
            return
        self.trace("    a handler reads", len(data))
        self.handled.append(data)
        if self.timeout is None and not self.is_ended:
            self.make_up_for(data)

    def make_up_for(self, data):
        """A call without a deadline gets what it waits for, though a handler has read some of that."""
        before = len(self.unreturned)
        self.send(len(data) + 1)
        if b"\n" in data and b"\n" not in self.unreturned[before:]:
            self.send(200)
            if b"\n" not in self.unreturned[before:]:
                self.end()

    def check(self, reading, sock, outcome, before):
        error = outcome.error
        data = outcome.data
        self.trace("    ->", repr(error) if error else "None" if data is None else len(data))
        if self.timeout is not None:
            self.require(outcome.took_ms < self.timeout * 1000 + SLACK_MS, "longer than its timeout (TIME-2)")
        had_handled = bool(self.handled)
        is_dropped = reading.flags & TRUNC and self.kind != "unix"  # not shown: tcp(7)
        size = 0 if error else len(data or b"")
        before = max(0, before - self.remove_handled(reading, size, None if is_dropped else data))
        if error or data is None:
            self.keeper = sock
            if error and not isinstance(error, (OSError, MemoryError)):
                self.had_kept = True  # the call may have had all it wanted, which nobody else sees then
                self.find_out_what_was_done(reading, sock)
            self.last_at_once = self.timeout == 0 or reading.is_at_once()
            return self.check_error(reading, error, before)
        if reading.is_elsewhere():
            return None
        self.last_at_once = self.timeout == 0 or reading.is_at_once()
        if is_dropped:
            data = self.unreturned[:size]
        self.check_size(reading, data, before)
        offset = 0
        if reading.flags & PEEK:
            is_right = self.unreturned.startswith(data) or had_handled
            self.require(is_right, "a peek shows other bytes (TIME-6)")
        else:
            self.remove(data, offset, str(reading))
        if self.outside and not self.kept():
            self.keeper = None
        if not self.unreturned:
            self.keeper = None
        return None

    def remove_handled(self, reading, size, data):
        """Returns how many bytes of those that were there before. The call's own `size` ones, `data` if it has shown
        them, are behind what handlers have read in the middle of it, and in front of what they have read just behind
        it."""
        handled, self.handled = self.handled, []
        if reading.flags & PEEK:
            size = 0

        def is_right(count):
            first, behind = b"".join(handled[:count]), b"".join(handled[count:])
            left = self.unreturned[len(first) :]
            is_its_own = not size or data is None or left.startswith(data)
            return self.unreturned.startswith(first) and is_its_own and left[size:].startswith(behind)

        count = len(handled)
        while count and not is_right(count):
            count -= 1
        if not is_right(count):
            count = len(handled)
        first = b"".join(handled[:count])
        self.remove(first, 0, "a handler")
        self.remove(b"".join(handled[count:]), size, "a handler behind the call")
        return len(first)

    def find_out_what_was_done(self, reading, sock):
        """A handler raises in the middle of a call, which then loses nothing, or just behind it, where Python forgets
        what it has returned."""
        self.settle()
        try:
            rest = sock.recv(1000, PEEK | DONTWAIT)
        except OSError:
            rest = b""
        # A peek may show a part of what is left; where the text repeats itself, all of it tells more.
        for is_right in (lambda left: left[:1000] == rest, lambda left: rest and left.startswith(rest)):
            for done in range(min(len(self.unreturned), reading.limit or len(self.unreturned)) + 1):
                left = self.unreturned[done:]
                taken = self.unreturned[:done]
                may_be = not done or reading.may_return(taken, not left and self.is_ended, self.timeout == 0)
                if may_be and is_right(left):
                    self.unreturned = left
                    return
        self.require(False, "a handler that raised has lost bytes, or changed their order (TIME-6)")

    def check_error(self, reading, error, before):
        if error is None or (isinstance(error, OSError) and code_of(error) == EAGAIN):
            self.require(self.timeout == 0 or reading.is_at_once(), "EAGAIN from a call that waits (TIME-3)")
            self.require(reading.is_elsewhere() or not before, "EAGAIN though bytes are there (TIME-4)")
        elif isinstance(error, OSError):
            code = code_of(error)
            if code == ETIMEDOUT:
                self.require(not reading.is_at_once(), "a call for one time waits (TIME-8)")
                self.require(self.timeout, "ETIMEDOUT without a timeout")
                self.require(reading.is_whole() or not before, "ETIMEDOUT though bytes are there")
            else:
                is_known = code == ENOMEM or (reading.is_elsewhere() and code in (EINVAL, EOPNOTSUPP))
                self.require(is_known, "unexpected", repr(error))

    def check_size(self, reading, data, before):
        size = len(data)
        limit = reading.limit
        is_at_end = self.is_ended and size == len(self.unreturned)
        self.require(limit is None or size <= limit, "more than was asked for")
        if not data:
            self.require(self.is_ended and not self.unreturned, "nothing, but something is to come")
        is_line = reading.how.startswith("readline")
        if is_line:
            self.require(b"\n" not in data[:-1], "more than a line")
        is_whole = reading.is_whole() and not reading.is_message()
        if not is_whole or size == limit or is_at_end or (is_line and data.endswith(b"\n")):
            return
        if reading.how in STREAM_METHODS:
            self.require(self.timeout == 0, "a short read (STRM-1)")
        self.require(size >= before or is_line, "less than was there (TIME-4, MSG_WAITALL)")

    # --- What anybody may see between two calls

    def look_around(self):
        is_in = bool(self.unreturned) or self.is_ended
        if self.is_polled and (not self.keeper or self.keeper is self.near):
            found = self.poller.poll(0)
            readable = bool(found) and bool(found[0][1] & uselect.POLLIN)
            self.require(readable == is_in, "uselect.poll is wrong (POLL-5)")
        if not self.outside:
            return
        kept = self.kept()
        if self.is_exposed and not kept:
            self.require(self.outside.queued() == len(self.unreturned), "the queue is not what is unreturned (STRM-5)")
        if not self.unreturned:
            self.require(not self.outside.queued(), "returned bytes are left in the queue")
        if self.is_exposed and not (kept and (self.last_at_once or self.had_kept)):
            self.require(self.outside.is_readable() == is_in, "a poll of the descriptor is wrong (STRM-5, TIME-6)")
        self.had_kept = bool(kept)
        lowat, nonblocking = self.outside.shared_options()
        self.require(lowat == 1, "SO_RCVLOWAT is not as it was (TIME-9)")

    def read_the_rest(self):
        """A small heap may be in too many pieces for all of it at once; what was not read is still there."""
        try:
            return self.near.read()
        except MemoryError:
            pass
        except OSError as error:
            if error.args[0] != ENOMEM:
                raise
        gc.collect()
        rest = b""
        while True:
            piece = self.near.recv(256)
            if not piece:
                return rest
            rest += piece

    def finish(self):
        if hasattr(gc, "threshold"):
            gc.threshold(-1)
        self.step += 1
        self.end()
        self.timeout = None
        for sock in (self.near, self.copy):
            if sock:
                sock.settimeout(None)
        # A copy that kept something has it first.
        if self.keeper and self.keeper is self.copy and self.unreturned:
            self.remove(self.copy.recv(len(self.unreturned)), 0, "the copy's last recv")
        rest = self.read_the_rest()
        self.remove(rest, 0, "the last read")
        self.require(not self.unreturned, "bytes are lost:", len(self.unreturned), "(TIME-6)")
        for sock in (self.near, self.far, self.copy):
            if sock:
                sock.close()
