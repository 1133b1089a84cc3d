# What only CPython's process can do to a socket from outside, and find out about it: other holders of the descriptor,
# its options, signals, children.

import fcntl
import os
import select
import signal
import socket
import struct
import termios

import usocket


class Stop(Exception):
    """What a handler raises."""


class Desktop:
    """For one socket under test, whose descriptor it knows without having asked the socket."""

    def __init__(self, descriptor, is_unix):
        self.descriptor = descriptor
        self.is_unix = is_unix

    def queued(self):
        return struct.unpack("i", fcntl.ioctl(self.descriptor, termios.FIONREAD, b"\0" * 4))[0]

    def has_arrived(self, sender):
        """Whether all that its peer has sent is in the queue, or was taken from there."""
        return self.is_unix or not struct.unpack("i", fcntl.ioctl(sender, termios.TIOCOUTQ, b"\0" * 4))[0]

    def is_readable(self):
        poller = select.poll()
        poller.register(self.descriptor, select.POLLIN)
        return any(events & select.POLLIN for _, events in poller.poll(0))

    def take(self, size):
        """What another holder of the descriptor gets."""
        other = socket.socket(fileno=os.dup(self.descriptor))
        try:
            return other.recv(size, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return b""
        finally:
            other.close()

    def shared_options(self):
        """What all holders of the descriptor share."""
        other = socket.socket(fileno=os.dup(self.descriptor))
        try:
            return (
                other.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT),
                fcntl.fcntl(self.descriptor, fcntl.F_GETFL) & os.O_NONBLOCK,
            )
        finally:
            other.close()

    @staticmethod
    def in_child(function):
        """What function() returns in a child, which then ends."""
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(write_end, function())
            finally:
                os._exit(0)
        os.close(write_end)
        told = b""
        while piece := os.read(read_end, 65536):
            told += piece
        os.close(read_end)
        os.waitpid(child, 0)
        return told


def next_descriptor():
    """The number that the next descriptor will have."""
    number = os.dup(0)
    os.close(number)
    return number


class Alarms:
    """While it is entered, SIGALRM comes again and again, and `handler` is called."""

    def __init__(self, pace_ms, handler):
        self.pace = pace_ms / 1000
        self.handler = handler

    def __enter__(self):
        signal.signal(signal.SIGALRM, lambda number, frame: self.handler())
        signal.setitimer(signal.ITIMER_REAL, self.pace, self.pace)

    def __exit__(self, *ignored):
        while True:
            # A last one may come in here.
            try:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, signal.SIG_IGN)
                return
            except (Stop, KeyboardInterrupt):
                pass


class Subclass(usocket.socket):
    """A program's own socket."""


def count_descriptors():
    return len(os.listdir("/dev/fd"))
