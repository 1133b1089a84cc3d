"""usocket: BSD sockets that are streams, as MicroPython and Pycopy have them.

Addresses are opaque bytes, as getaddrinfo() returns them; numeric tuples are taken as well. The face that CPython's
own socket module shows is usocket.compat.
"""

from usocket import _missing
from usocket._usocket import *  # noqa: F403
from usocket._usocket import __all__ as __all__
from usocket._usocket import __version__ as __version__

globals()["__getattr__"] = _missing.explain  # this way a checker, which knows the names that there are, does not see it
