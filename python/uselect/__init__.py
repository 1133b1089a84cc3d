"""uselect: waiting for many streams at once, as MicroPython and Pycopy have it."""

from select import POLLERR, POLLHUP, POLLIN, POLLOUT

from usocket._usocket import poll, select

__all__ = ["POLLERR", "POLLHUP", "POLLIN", "POLLOUT", "poll", "select"]
