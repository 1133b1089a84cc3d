# SOCK-4 TIME-6 POLL-6 GAI-4: several threads read one stream, wait in one poll, are inside while another closes the
# socket; or each is inside calls on sockets of its own. Beside them others fill the heap and collect, where they may.

import gc

import usocket
from support import (
    EBADF,
    ENOBUFS,
    ENOMEM,
    ETIMEDOUT,
    LACKS,
    MAY_COLLECT,
    Random,
    Trial,
    _thread,
    code_of,
    connected,
    now_ms,
    pattern,
    since_ms,
    sleep_ms,
    uselect,
)

try:
    import struct
except ImportError:
    import ustruct as struct  # Pycopy's

SHORTEST_RUN = 16  # one that is shorter could be from anywhere
LIMIT_MS = 4000  # until when what must happen has happened


class Threads(Trial):
    """Threads that are counted, and whose exceptions are the trial's."""

    def __init__(self, seed):
        super().__init__(seed)
        self.seed = seed
        self.lock = _thread.allocate_lock()
        self.running = 0
        self.collecting = 0  # of those that are running
        self.error = None

    def other(self, random):
        """For another thread."""
        return Random(random.below(1 << 30))

    def start(self, function, *args):
        with self.lock:
            self.running += 1
        _thread.start_new_thread(self.run_one, (function, args))

    def run_one(self, function, args):
        try:
            function(*args)
        except BaseException as error:
            self.error = error
        with self.lock:
            self.running -= 1

    def collect_meanwhile(self):
        """Beside those that have been started, until they have ended."""
        if not MAY_COLLECT or self.random.chance(30):
            return
        for _ in range(self.random.between(1, 2)):
            with self.lock:
                self.collecting += 1
            self.start(self.collect, Random(self.random.below(1 << 30)))

    def collect(self, random):
        """Objects come, stay for a while and go; what they hold is theirs."""
        kept = {}
        while self.running > self.collecting and not self.error:
            for _ in range(random.between(1, 60)):
                number = random.below(100)
                kept[number] = bytes([number]) * random.between(1, random.choose((20, 200, 2000)))
            for number, block in kept.items():
                self.require(block == bytes([number]) * len(block), "somebody writes to memory that is not his")
            if random.chance(50):
                gc.collect()
            sleep_ms(random.choose((0, 0, 0.05)))  # others want the interpreter as well

    def join(self, what, limit_ms=LIMIT_MS):
        start = now_ms()
        while self.running and not self.error:
            self.require(since_ms(start) < limit_ms, what)
            sleep_ms(1)
        if self.error:
            raise self.error


class Readers(Threads):
    def run(self):
        random = self.random
        near, far = connected(random.choose(("tcp", "unix")))
        text = pattern(self.seed, 0, random.between(1000, 60000), 0)
        # Lines that are long enough to be found again.
        text = b"".join(text[i : i + 31] + b"\n" for i in range(0, len(text) - 31, 31))
        if random.chance(50):
            near.settimeout(random.choose((0.001, 0.02)))
        self.runs = []
        readers = random.between(2, 4)
        self.trace(readers, "readers of", len(text), "bytes, timeout", near.gettimeout())
        for _ in range(readers):
            self.start(self.read, near, [random.below(1000) for _ in range(64)])
        self.start(self.feed, far, text, random.between(100, 9000))
        self.collect_meanwhile()
        self.join("readers hang")
        self.check(text)
        near.close()
        far.close()

    def feed(self, far, text, piece):
        for i in range(0, len(text), piece):
            far.write(text[i : i + piece])
        far.shutdown(usocket.SHUT_WR)

    def read(self, near, numbers):
        while True:
            for number in numbers:
                size = SHORTEST_RUN + number
                try:
                    kind = number % 3
                    data = near.recv(size) if kind == 0 else near.read(size) if kind == 1 else near.readline()
                except (OSError, MemoryError) as error:
                    if isinstance(error, MemoryError) or code_of(error) == ENOMEM:
                        gc.collect()  # a small heap; what was to be read is still there
                        continue
                    if not near.gettimeout():
                        raise
                    self.require(code_of(error) == ETIMEDOUT, "unexpected", repr(error))
                    continue
                if not data:
                    return
                with self.lock:
                    self.runs.append(data)

    def check(self, text):
        placed = []
        short = []
        for run in self.runs:
            if len(run) < SHORTEST_RUN:
                short.append(run)
                continue
            place = text.find(run)
            self.require(place >= 0, "what is no run of the stream was returned (TIME-6)")
            placed.append((place, len(run)))
        placed.append((len(text), 0))
        end = 0
        for begin, size in sorted(placed):
            self.require(begin >= end, "bytes twice, at", begin, "(TIME-6)")
            while begin > end:
                fitting = [run for run in short if len(run) <= begin - end and text[end : end + len(run)] == run]
                self.require(fitting, "bytes are lost, at", end, "(TIME-6)")
                short.remove(fitting[0])
                end += len(fitting[0])
            end = begin + size


class Closing(Threads):
    def run(self):
        random = self.random
        near, far = connected(random.choose(("tcp", "unix")))
        if random.chance(30):
            near.settimeout(60)
        calls = ("recv", "read", "readinto", "readline", "recvfrom")
        names = [random.choose(calls) for _ in range(random.between(1, 3))]
        self.trace(names, "and close()")
        for name in names:
            self.start(self.be_inside, near, name)
        self.collect_meanwhile()
        sleep_ms(random.below(5))
        near.close()
        self.join("close() does not end a call (SOCK-4)")
        far.close()

    def be_inside(self, near, name):
        try:
            if name == "readline":
                near.readline()
            else:
                getattr(near, name)(bytearray(10) if name == "readinto" else 10)
        except OSError as error:
            self.require(code_of(error) == EBADF, name, "ends with", repr(error), "(SOCK-4)")
        else:
            self.require(False, name, "returned though close() ended it (SOCK-4)")


class Pollers(Threads):
    def run(self):
        random = self.random
        near, far = connected(random.choose(("tcp", "unix")))
        poller = uselect.poll()
        poller.register(near, uselect.POLLIN)
        what = random.choose(("close", "kept", "bytes"))
        self.trace("threads in one poll, and", what)
        for _ in range(random.between(2, 4)):
            self.start(self.wait, poller)
        for _ in range(random.choose((0, 1, 3))):
            self.start(self.change, self.other(random), poller)
        self.collect_meanwhile()
        sleep_ms(random.below(5))
        if what == "close":
            near.close()
        else:
            far.write(b"x")
        if what == "kept":
            near.settimeout(0.005)
            try:
                near.read(100)
            except OSError:
                pass
        self.join("a thread in poll() does not learn of it (POLL-6): " + what)
        near.close()
        far.close()

    def wait(self, poller):
        self.require(poller.poll(20000), "poll() came back with nothing")

    def change(self, random, poller):
        """What is registered meanwhile, of which nothing is to be reported."""
        try:
            for _ in range(random.between(1, 5)):
                socks = [usocket.socket(usocket.AF_INET, usocket.SOCK_DGRAM) for _ in range(random.between(1, 20))]
                for _ in range(random.between(1, 10)):
                    for sock in socks:
                        poller.register(sock, uselect.POLLIN)
                    for sock in socks:
                        poller.modify(sock, random.choose((0, uselect.POLLIN)))
                    for sock in socks:
                        poller.unregister(sock)
                for sock in socks:
                    sock.close()
        except (OSError, MemoryError) as error:
            if isinstance(error, OSError) and code_of(error) not in (ENOMEM, ENOBUFS):
                raise
            gc.collect()  # a small heap, or a small stack


class Crowd(Threads):
    """Each in calls on sockets of its own, which wait for what another thread does a little later."""

    def run(self):
        count = self.random.between(2, 4)
        self.trace(count, "threads, each with sockets of its own")
        for _ in range(count):
            self.start(self.work, self.other(self.random))
        self.collect_meanwhile()
        self.join("a crowd hangs", 3 * LIMIT_MS)

    def work(self, random):
        for _ in range(random.between(3, 12)):
            random.choose(
                (
                    self.read,
                    self.read,
                    self.wait_in_vain,
                    self.write,
                    self.poll,
                    self.accept,
                    self.receive,
                    self.resolve,
                )
            )(random)

    def pair(self, random):
        near, far = connected(random.choose(("tcp", "unix")))
        if random.chance(30):
            self.share(random, near)
        near.settimeout(random.choose((None, LIMIT_MS / 1000)))
        return near, far

    def share(self, random, sock):
        """Others hold its descriptor from now on, or a timeout of that ends its calls: who waits there heeds it."""
        how = random.below(4)
        if how == 0:
            sock.fileno()
        copy = sock.dup() if how >= 2 else sock
        if how != 2 and "options" not in LACKS:
            copy.setsockopt(usocket.SOL_SOCKET, usocket.SO_RCVTIMEO, struct.pack("ll", LIMIT_MS // 1000, 0))
        if copy is not sock and random.chance(50):
            copy.close()

    def part(self, random, *socks):
        """Closed, or left to the collector, in whichever thread it runs next."""
        if random.chance(70):
            for sock in socks:
                sock.close()

    def later(self, random, function, *args):
        self.start(self.do_later, random.choose((0, 0.2, 1, 3)), function, args)

    def do_later(self, delay_ms, function, args):
        sleep_ms(delay_ms)
        function(*args)

    def text(self, random):
        return pattern(self.seed, random.below(1000), random.between(1, random.choose((20, 500, 3000))), 0)

    def read(self, random):
        near, far = self.pair(random)
        text = self.text(random)
        third = len(text) // 3
        parts = text[:third], text[third : 2 * third], text[2 * third :]
        self.later(random, self.write_parts, self.other(random), near, far, *parts)
        how = random.below(4)
        if how == 0:
            got = near.read(len(text))
        elif how == 1:
            got = near.readline(len(text))
        elif how == 2:
            got = bytearray(len(text))
            near.readinto(got)
        else:
            got = b""
            while len(got) < len(text):
                got += near.recv(len(text) - len(got))
        self.require(got == text, "other bytes than were sent (TIME-6)")
        self.part(random, near, far)

    def write_parts(self, random, near, far, *parts):
        for part in parts:
            far.write(part)
            sleep_ms(0.2)
            if part is not parts[-1] and random.chance(70):
                self.share(random, near)

    def wait_in_vain(self, random):
        """What has come by the end of its time is there afterwards."""
        near, far = self.pair(random)
        text = self.text(random)
        near.settimeout(random.choose((0.0005, 0.002, 0.005)))
        self.later(random, far.write, text)
        try:
            data = near.read(len(text) + 1)
            self.require(False, "a read returns", len(data), "bytes, which are too few (STRM-1)")
        except OSError as error:
            self.require(code_of(error) == ETIMEDOUT, "unexpected", repr(error))
        near.settimeout(None)
        self.require(near.read(len(text)) == text, "a read that timed out has lost bytes (TIME-6)")
        self.part(random, near, far)

    def write(self, random):
        """More than there is room for."""
        near, far = self.pair(random)
        size = random.choose((1000, 300000))
        self.later(random, self.drain, far, size)
        count = near.write(bytes(size))
        self.require(count == size, "a write of", size, "returns", count, "(STRM-4)")
        self.part(random, near)

    def drain(self, sock, size):
        room = bytearray(10000)
        while size:
            size -= sock.recv_into(room)

    def poll(self, random):
        near, far = self.pair(random)
        poller = uselect.poll()
        poller.register(near, uselect.POLLIN)
        self.later(random, far.write, b"x")
        self.require(poller.poll(LIMIT_MS), "poll() came back with nothing")
        self.require(near.recv(9) == b"x", "other bytes than were sent")
        self.part(random, near, far)

    def accept(self, random):
        server = usocket.socket()
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        if random.chance(50):
            server.fileno()
        self.later(random, self.call, server.getsockname())
        conn = server.accept()[0]
        self.require(conn.read() == b"call", "other bytes than were sent")
        self.part(random, server, conn)

    def call(self, address):
        sock = usocket.socket()
        sock.connect(address)
        sock.write(b"call")
        sock.close()

    def receive(self, random):
        near, far = (usocket.socket(usocket.AF_INET, usocket.SOCK_DGRAM) for _ in range(2))
        near.bind(("127.0.0.1", 0))
        if random.chance(50):
            near.fileno()
        self.later(random, far.sendto, b"datagram", near.getsockname())
        data, address = near.recvfrom(100)
        self.require(data == b"datagram", "other bytes than were sent")
        self.require(usocket.sockaddr(address)[2] == usocket.sockaddr(far.getsockname())[2], "from somebody else")
        self.part(random, near, far)

    def resolve(self, random):
        if "services" in LACKS:
            return
        found = usocket.getaddrinfo("localhost", random.between(1, 60000), usocket.AF_INET, usocket.SOCK_STREAM)
        self.require(usocket.sockaddr(found[0][4])[0] == usocket.AF_INET, "localhost is", found)
