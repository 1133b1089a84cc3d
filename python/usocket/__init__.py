"""usocket: BSD sockets that are streams, as MicroPython and Pycopy have them.

Addresses are opaque bytes, as getaddrinfo() returns them; numeric tuples are taken as well. The face that CPython's
own socket module shows is usocket.compat.
"""

from usocket._usocket import *  # noqa: F403
from usocket._usocket import __all__ as __all__
from usocket._usocket import __version__ as __version__

TYPE_CHECKING = False  # of a checker's own accord it is true; typing would take longer to import than all of this
if not TYPE_CHECKING:  # it knows the names that there are
    from usocket._missing import explain as __getattr__  # noqa: F401

del TYPE_CHECKING
