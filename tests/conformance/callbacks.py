# rules: SOCK-3 SOCK-11
# on CPython: python -m usocket
# Callbacks of sockets: setsockopt(SOL_SOCKET, 20, f) has f(sock) called when something is there to read or to accept,
# whatever the program does just then.

import gc

import uselect
import usocket
from support import LIMIT_MS, listener, outcome, readable, show, tcp_pair

try:
    import time
except ImportError:
    import utime as time

SO_CALLBACK = 20


def set_callback(sock, f):
    sock.setsockopt(usocket.SOL_SOCKET, SO_CALLBACK, f)


def happens(condition):
    """Whether it does, in time, while the program does nothing but look."""
    left = LIMIT_MS
    while not condition() and left:
        time.sleep(0.001)
        left -= 1
    return condition()


class Game:
    """Each callback reads a byte and sends the next one: one follows another as long as the program runs callbacks."""

    def __init__(self, rounds, at_end=None):
        self.near, self.far = usocket.socketpair()
        self.rounds = rounds
        self.left = rounds
        self.at_end = at_end
        set_callback(self.near, self.go_on)
        self.far.send(b".")

    def go_on(self, sock):
        sock.recv(1)
        self.left -= 1
        if self.left > 0:
            self.far.send(b".")
        elif self.at_end is not None:
            self.at_end()

    def is_over(self):
        return self.left == 0

    def close(self):
        self.near.close()
        self.far.close()


# --- Whatever the program does


def wait_for_all(game, wait):
    """What a wait of a second comes to in which a game is played. Once more, if the machine was too busy for it: where
    callbacks run only in between, that is far too few for ten rounds."""
    for _ in range(3):
        result = wait()
        if game.is_over():
            break
    return result


game = Game(10)
wait_for_all(game, lambda: time.sleep(1))
show("SOCK-11", "in a sleep", game.is_over())
game.close()

game = Game(10)
while not game.is_over():
    pass
show("SOCK-11", "in a loop that calls nothing", game.is_over())
game.close()

game = Game(10)
poller = uselect.poll()
quiet, other = usocket.socketpair()
poller.register(quiet, uselect.POLLIN)
show("SOCK-11", "in a poll, which goes on", wait_for_all(game, lambda: poller.poll(1000)), game.is_over())
game.close()

game = Game(10, lambda: other.send(b"the end"))
poller.poll(LIMIT_MS)
show("SOCK-11", "what a callback sends ends the poll", game.is_over(), quiet.recv(20))
game.close()

for name, read in (("recv", lambda: quiet.recv(20)), ("read", lambda: quiet.read(7))):
    game = Game(10, lambda: other.send(b"the end"))
    show("SOCK-11", "in " + name + " without a timeout", read(), game.is_over())
    game.close()

quiet.settimeout(1)
game = Game(10)
ended = wait_for_all(game, lambda: outcome(quiet.recv, 20))
show("SOCK-11", "in recv with a timeout, which holds", ended, game.is_over())
game.close()
quiet.settimeout(None)

client, conn = tcp_pair()
game = Game(10, client.close)
show("SOCK-11", "in readline, to the end of the stream", conn.readline(), game.is_over())
game.close()
conn.close()

# --- What there is to read or to accept

server = listener()
accepted = []


def accept(sock):
    accepted.append(sock.accept()[0])


set_callback(server, accept)
clients = []
for _ in range(3):
    clients.append(usocket.socket())
    clients[-1].connect(server.getsockname())
show("SOCK-11", "accepts", happens(lambda: len(accepted) == 3))

seen = []
set_callback(accepted[0], lambda sock: seen.append(sock.read(5)))
clients[0].write(b"hello")
show("SOCK-11", "reads", happens(lambda: len(seen) == 1), seen)
clients[0].close()
show("SOCK-11", "the end is something to read", happens(lambda: len(seen) > 1), seen[1])

calls = []
set_callback(accepted[1], calls.append)
clients[1].write(b"abc")
show("SOCK-11", "what is left unread comes again", happens(lambda: len(calls) > 2))
show("SOCK-11", "and the end does not", len(seen))
accepted[0].close()
show("SOCK-11", "with the socket", all(call is accepted[1] for call in calls))
set_callback(accepted[1], None)
accepted[1].read(3)

clients[1].write(b"par")
accepted[1].settimeout(0.01)
show("SOCK-11", "a read that times out keeps", outcome(accepted[1].read, 6))
seen = []
set_callback(accepted[1], lambda sock: seen.append(sock.recv(10)))
show("SOCK-11", "what a read has kept is there to read", happens(lambda: len(seen) == 1), seen)

# --- Other callbacks, and none

near, far = usocket.socketpair()
seen = []


def first(sock):
    seen.append("first")
    set_callback(sock, second)


def second(sock):
    seen.append("second")
    set_callback(sock, None)


set_callback(near, first)
far.write(b"x")
happens(lambda: len(seen) == 2)
time.sleep(0.05)
show("SOCK-11", "a callback sets another one, and none", seen)

far.write(b"x")
seen = []
set_callback(near, lambda sock: (sock.close(), seen.append("closed")))
time.sleep(0.1)
show("SOCK-11", "a callback closes its socket", happens(lambda: seen), seen, outcome(near.recv, 1))
far.close()

near, far = usocket.socketpair()
seen = []
set_callback(near, seen.append)
near.close()
far.close()
time.sleep(0.05)
show("SOCK-11", "a socket that is closed has none", seen)

near, far = usocket.socketpair()
other_near, other_far = usocket.socketpair()


def remove_both(sock):
    seen.append("one of two")
    set_callback(near, None)
    set_callback(other_near, None)


set_callback(near, remove_both)
set_callback(other_near, remove_both)
other_far.write(b"x")
far.write(b"x")
happens(lambda: len(seen) == 1)
time.sleep(0.05)
show("SOCK-11", "a callback removes another's", seen)


# --- Who keeps whom alive


class Forgotten:
    """Refers to its socket, and is called with it."""

    def __init__(self):
        self.near, self.far = usocket.socketpair()
        set_callback(self.near, self.on_data)

    def on_data(self, sock):
        seen.append(sock.recv(1))


def forget(count):
    return [Forgotten().far for _ in range(count)]


ends = forget(10)
kept = [usocket.socketpair() for _ in range(4)]
for near, _ in kept:
    set_callback(near, lambda sock: seen.append(sock.recv(1)))
for _ in range(3):
    gc.collect()
    junk = [bytearray(50) for _ in range(100)]
# A collector that searches the stack may still find one or the other.
closed = [end for end in ends if readable(end, 100)]
show("SOCK-3", "what nobody else refers to is collected", len(closed) >= 7, [end.recv(1) for end in closed[:2]])
for end in ends:
    end.close()
seen = []
for _, far in kept:
    far.write(b"x")
show("SOCK-11", "what somebody does is called, and what it calls is there", happens(lambda: len(seen) == 4))
for near, _ in kept:
    near.close()


# --- Errors

failing, failing_far = usocket.socketpair()
failures = []


def fail(sock):
    failures.append(sock.recv(1))
    raise ValueError("an error of a callback: is printed, and the program goes on")


set_callback(failing, fail)
failing_far.write(b"12")
show("SOCK-11", "one that raises is called again", happens(lambda: len(failures) == 2), failures)
set_callback(failing, None)


def end(sock):
    sock.recv(1)
    raise SystemExit(7)


def how_it_ends(function, *args):
    set_callback(failing, end)
    try:
        failing_far.write(b"3")
        function(*args)
    except SystemExit as error:
        return "SystemExit " + str(error.args[0])


show("SOCK-11", "what ends the program goes through, out of a sleep", how_it_ends(time.sleep, 10))
show("SOCK-11", "out of recv", how_it_ends(quiet.recv, 1))
show("SOCK-11", "out of a poll", how_it_ends(poller.poll, 10000))
show("SOCK-11", "what is no callback", outcome(near.setsockopt, usocket.SOL_SOCKET, SO_CALLBACK, 1.5))
near.close()
show("SOCK-11", "of a closed socket", outcome(set_callback, near, fail))
fresh = usocket.socket()
seen = []
set_callback(fresh, seen.append)
time.sleep(0.1)
show("SOCK-11", "of a socket that is not connected", len(seen))
fresh.connect(server.getsockname())
happens(lambda: len(accepted) == 4)
accepted[3].write(b"!")
show("SOCK-11", "once it is", happens(lambda: len(seen) > 0))
fresh.close()
