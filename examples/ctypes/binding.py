"""usocket bound to a language by nothing but usocket.h: Python's ctypes, without a compiler.

The host hooks are functions of Python's own: leave() lets go the GIL, enter() takes it back, interrupted() runs the
handlers of signals. So other threads run while a call waits, and Ctrl-C ends it at once.

    from binding import Socket
    sock = Socket.connect("127.0.0.1", 7, timeout=5)
    sock.write(b"hello\\n")
    print(sock.readline())
"""

from __future__ import annotations

import ctypes
import os
from ctypes import POINTER, byref, c_bool, c_char, c_char_p, c_int, c_int32, c_int64, c_size_t, c_void_p
from types import TracebackType

# PyDLL: calls are made with the GIL held, and an exception that is pending afterwards is raised.
lib = ctypes.PyDLL(os.environ.get("LIBUSOCKET", "libusocket.so"))

# --- What usocket.h declares, as far as this needs it. What is opaque is memory.

SIZE_OF_SOCKET, SIZE_OF_ADDRESS, SIZE_OF_CALL, SIZE_OF_SINK = range(4)
NO_LIMIT = c_size_t(-1).value


class Text(ctypes.Structure):
    _fields_ = [("data", c_char_p), ("size", c_size_t)]


class Nanoseconds(ctypes.Structure):  # a timeout, or a deadline
    _fields_ = [("nanoseconds", c_int64)]


class Host(ctypes.Structure):
    _fields_ = [("leave", c_void_p), ("enter", c_void_p), ("interrupted", c_void_p)]
    _fields_ += [("unwinds", c_bool), ("looks_for_signals", c_bool)]


class Endpoint(ctypes.Structure):
    _fields_ = [("host", Text), ("service", Text), ("port", c_int64), ("family", c_int), ("source", c_void_p)]
    _fields_ += [("backlog", c_int), ("reuse_port", c_bool)]


Failure = c_char * 512

for name, restype, argtypes in [
    ("usocket_size_of", c_size_t, [c_int]),
    ("usocket_code", c_int, [c_int32]),
    ("usocket_message", c_char_p, [c_int32]),
    ("usocket_is_fault", c_bool, [c_int32]),
    ("usocket_seconds", c_int32, [ctypes.c_double, POINTER(Nanoseconds)]),
    ("usocket_deadline_after", Nanoseconds, [Nanoseconds]),
    ("usocket_call_init", c_void_p, [c_void_p, POINTER(Host), Nanoseconds]),
    ("usocket_sink_init", None, [c_void_p]),
    ("usocket_sink_data", c_void_p, [c_void_p]),
    ("usocket_sink_size", c_size_t, [c_void_p]),
    ("usocket_sink_destroy", None, [c_void_p]),
    ("usocket_init", None, [c_void_p]),
    ("usocket_destroy", None, [c_void_p]),
    ("usocket_accept", c_int32, [c_void_p, c_void_p, c_void_p, c_void_p]),
    ("usocket_create_connection", c_int32, [POINTER(Endpoint), c_void_p, POINTER(Failure), c_void_p]),
    ("usocket_create_server", c_int32, [POINTER(Endpoint), c_void_p, POINTER(Failure), c_void_p]),
    ("usocket_getsockname", c_int32, [c_void_p, c_void_p]),
    ("usocket_address_text", c_size_t, [c_void_p, c_char * 448]),
    ("usocket_settimeout", c_int32, [c_void_p, Nanoseconds]),
    ("usocket_readline", c_int32, [c_void_p, c_size_t, c_void_p, c_void_p]),
    ("usocket_read", c_int32, [c_void_p, c_size_t, c_void_p, c_void_p]),
    ("usocket_write", c_int32, [c_void_p, c_char_p, c_size_t, POINTER(c_size_t), c_void_p]),
]:
    getattr(lib, name).restype = restype
    getattr(lib, name).argtypes = argtypes


def address_of(name: str) -> int | None:
    return ctypes.cast(getattr(ctypes.pythonapi, name), c_void_p).value


# PyErr_CheckSignals() returns -1 where there is something to raise: true.
host = Host(address_of("PyEval_SaveThread"), address_of("PyEval_RestoreThread"), address_of("PyErr_CheckSignals"))


def new(size_of: int) -> ctypes.Array[ctypes.c_uint64]:
    """Memory for one of the library's objects."""
    words: int = lib.usocket_size_of(size_of) // 8 + 1
    return (ctypes.c_uint64 * words)()


# --- Values


def check(error: int, failure: bytes = b"") -> None:
    if error == 0:
        return
    message = (failure or lib.usocket_message(error)).decode()
    if lib.usocket_is_fault(error):
        raise ValueError(message)
    raise OSError(lib.usocket_code(error), message)  # a TimeoutError for ETIMEDOUT, and so on


def timeout_of(seconds: float | None) -> Nanoseconds:
    timeout = Nanoseconds(-1)
    if seconds is not None:
        check(lib.usocket_seconds(seconds, byref(timeout)))
    return timeout


def call(seconds: float | None = None) -> ctypes.Array[ctypes.c_uint64]:
    """The last argument of what may wait: our host, and a deadline if there is one."""
    made = new(SIZE_OF_CALL)
    lib.usocket_call_init(made, byref(host), lib.usocket_deadline_after(timeout_of(seconds)))
    return made


# --- The class


class Socket:
    def __init__(self) -> None:
        self.memory = new(SIZE_OF_SOCKET)
        lib.usocket_init(self.memory)

    def __del__(self) -> None:
        lib.usocket_destroy(self.memory)

    close = __del__  # what is left is a closed socket

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @classmethod
    def connect(cls, host_name: str, port: int, timeout: float | None = None) -> Socket:
        """Within so many seconds for all of it."""
        conn, failure = cls(), Failure()
        name = host_name.encode()
        endpoint = Endpoint(host=Text(name, len(name)), port=port)
        check(lib.usocket_create_connection(byref(endpoint), conn.memory, failure, call(timeout)), failure.value)
        conn.settimeout(timeout)
        return conn

    @classmethod
    def listen(cls, host_name: str, port: int = 0) -> Socket:
        listener, failure = cls(), Failure()
        name = host_name.encode()
        endpoint = Endpoint(host=Text(name, len(name)), port=port)
        check(lib.usocket_create_server(byref(endpoint), listener.memory, failure, call()), failure.value)
        return listener

    def accept(self) -> Socket:
        conn = Socket()
        check(lib.usocket_accept(self.memory, conn.memory, new(SIZE_OF_ADDRESS), call()))
        return conn

    def getsockname(self) -> str:
        """As text: "127.0.0.1:80"."""
        address, text = new(SIZE_OF_ADDRESS), (c_char * 448)()
        check(lib.usocket_getsockname(self.memory, address))
        lib.usocket_address_text(address, text)
        return text.value.decode()

    def settimeout(self, seconds: float | None) -> None:
        check(lib.usocket_settimeout(self.memory, timeout_of(seconds)))

    def readline(self) -> bytes:
        return self._fill(lib.usocket_readline, NO_LIMIT)

    def read(self, size: int = NO_LIMIT) -> bytes:
        return self._fill(lib.usocket_read, size)

    def write(self, data: bytes) -> int:
        count = c_size_t()
        check(lib.usocket_write(self.memory, data, len(data), byref(count), call()))
        return count.value

    def _fill(self, function: ctypes._NamedFuncPointer, limit: int) -> bytes:
        sink = new(SIZE_OF_SINK)
        lib.usocket_sink_init(sink)
        try:
            check(function(self.memory, limit, sink, call()))
            return ctypes.string_at(lib.usocket_sink_data(sink) or 0, lib.usocket_sink_size(sink))
        finally:
            lib.usocket_sink_destroy(sink)


if __name__ == "__main__":
    with Socket.listen("127.0.0.1") as listener:
        where, port = listener.getsockname().rsplit(":", 1)
        with Socket.connect(where, int(port), timeout=5) as client, listener.accept() as conn:
            client.write(b"over\nand out")
            print(conn.readline().decode(), end="")
            try:
                conn.settimeout(0.1)
                conn.read(10)
            except TimeoutError as error:
                print(type(error).__name__)
            client.write(b"!!!")
            print(conn.read(10).decode())  # what had come before the timeout is not lost
