# SOCK-4 TIME-6 POLL-6: several threads read one stream, wait in one poll, are inside while another closes the socket.

import gc

import usocket
from support import (
    EBADF,
    ENOMEM,
    ETIMEDOUT,
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

SHORTEST_RUN = 16  # one that is shorter could be from anywhere
LIMIT_MS = 4000  # until when what must happen has happened


class Threads(Trial):
    """Threads that are counted, and whose exceptions are the trial's."""

    def __init__(self, seed):
        super().__init__(seed)
        self.seed = seed
        self.lock = _thread.allocate_lock()
        self.running = 0
        self.error = None

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

    def join(self, what):
        start = now_ms()
        while self.running and not self.error:
            self.require(since_ms(start) < LIMIT_MS, what)
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
