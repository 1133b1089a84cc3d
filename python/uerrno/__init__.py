"""uerrno: the numbers of the system's errors, as MicroPython and Pycopy have them."""

from errno import *  # noqa: F403
