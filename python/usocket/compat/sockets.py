"""The class socket as CPython's users know it, over usocket's, whose streams come on top."""

from __future__ import annotations

import errno
import functools
import io
import operator
import os
import socket as _standard
import stat
import struct
import sys
from collections.abc import Callable, Iterable
from socket import SocketIO
from types import FrameType
from typing import TYPE_CHECKING, Any, Literal, overload

from usocket import _usocket
from usocket import compat as _face  # late: a program may put names of its own into it
from usocket._buffer import Buffer
from usocket._usocket import SOCK_STREAM
from usocket.compat.addresses import Address, AddressLike, to_native, to_tuple
from usocket.compat.enumerations import AddressFamily, SocketKind
from usocket.compat.files import Binary, Default, ReadAndWrite, Text, open_file, send_by_reading, send_by_system

AF_VSOCK: int | None = getattr(_standard, "AF_VSOCK", None)

_NOT_GIVEN: Any = ...
_default_timeout: float | None = None


def getdefaulttimeout() -> float | None:
    """The timeout of new sockets, in seconds; None if they block."""
    return _default_timeout


def setdefaulttimeout(timeout: float | None, /) -> None:
    """Sets the timeout of new sockets, in seconds."""
    global _default_timeout
    _default_timeout = checked_timeout(timeout)


def checked_timeout(timeout: float | None) -> float | None:
    """The timeout as gettimeout() tells it, or the exception of settimeout()."""
    if timeout is not None and not hasattr(timeout, "__float__") and not hasattr(timeout, "__index__"):
        raise TypeError(f"a timeout is a number of seconds or None, not {type(timeout).__name__} {timeout!r}")
    with _usocket.socket() as probe:
        probe.settimeout(timeout)
        return probe.gettimeout()


class _OfTls:
    """A method that a socket has once TLS has been put on it. Libraries ask for it to tell one from the other."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, one: socket | None, owner: type | None = None) -> Any:
        method = getattr(_usocket.socket, self._name)
        if one is None:
            return method
        if not one._is_wrapped:
            raise AttributeError(f"{self._name}() is of sockets that have TLS, and this one has none", name=self._name)
        return method.__get__(one)


if TYPE_CHECKING:

    class _Base(_usocket.socket, _standard.socket):  # type: ignore[misc]
        """To a checker also CPython's: so it lets asyncio and others have ours, who take it as they run (COMPAT-2)."""

else:
    _Base = _usocket.socket


class socket(_Base):
    """usocket's socket, with addresses, enumerations, files and exceptions as in CPython."""

    __slots__ = ("_closed", "_io_refs", "_proto")
    _takes_str = False  # what is sent is bytes-like only
    _skips_empty = True  # recv(0) and recv_into() of an empty buffer do nothing
    _shows = staticmethod(to_tuple)  # addresses that are received, of the rarer families

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:
        self._begin(None if fileno is not None and proto == -1 else max(proto, 0))
        if fileno is not None:
            sys.audit("socket.__new__", self, as_int(family), as_int(type), as_int(proto))
            if isinstance(fileno, float):
                raise TypeError("integer argument expected, got float")
            if isinstance(fileno, int) and fileno < 0:
                raise ValueError("negative file descriptor")
            super().__init__(fileno=fileno)
        else:
            af = as_int(_face.AF_INET if family == -1 else family)
            kind = as_int(_face.SOCK_STREAM if type == -1 else type)
            number = 0 if proto == -1 else as_int(proto)
            sys.audit("socket.__new__", self, af, kind, number)
            super().__init__(af, kind, number)
        if fileno is None:
            self._set_default_timeout()
        elif _default_timeout is not None:
            self.settimeout(_default_timeout)

    def _begin(self, proto: int | None) -> None:
        self._io_refs = 0
        self._closed = False
        self._proto = proto  # as it was asked for; None: as the system says

    def _adopt(self, proto: int | None) -> None:
        """Of a socket that usocket has made, where CPython calls the constructor. An auditing hook may refuse it."""
        self._begin(proto)
        try:
            sys.audit("socket.__new__", self, super().family, super().type, self.proto)
        except BaseException:
            super().close()
            raise

    def _set_default_timeout(self) -> None:
        if _default_timeout is not None and self.gettimeout() is None:
            self.settimeout(_default_timeout)

    # --- What it is

    @property
    def family(self) -> AddressFamily:
        """The address family: an AddressFamily."""
        return _face._intenum_converter(super().family, _face.AddressFamily)

    @property
    def type(self) -> SocketKind:
        """The type: a SocketKind."""
        return _face._intenum_converter(super().type, _face.SocketKind)

    @property
    def proto(self) -> int:
        """The protocol as it was asked for, so 0 where the type selects it."""
        asked = getattr(self, "_proto", 0)  # 0: __init__() has not run
        return super().proto if asked is None else asked

    @property
    def timeout(self) -> float | None:
        """The timeout in seconds; None if the socket blocks."""
        return self.gettimeout()

    def __repr__(self) -> str:
        closed = getattr(self, "_closed", False)
        kind = self.__class__
        text = f"<{kind.__module__}.{kind.__qualname__}{' [closed]' if closed else ''} fd={self.fileno()}"
        text += f", family={self.family}, type={self.type}, proto={self.proto}"
        for name, ask in () if closed else (("laddr", self.getsockname), ("raddr", self.getpeername)):
            try:
                address = ask()
            except _face.error:
                continue
            if address:
                text += f", {name}={address}"
        return text + ">"

    def __getstate__(self) -> Any:
        kind = self.__class__.__name__
        raise TypeError(f"cannot pickle {kind!r} object, nor copy it; dup() makes another on the same connection")

    def get_inheritable(self) -> bool:
        """Whether child processes get the descriptor."""
        return os.get_inheritable(self.fileno())

    def set_inheritable(self, inheritable: bool) -> None:
        """Sets whether child processes get the descriptor."""
        os.set_inheritable(self.fileno(), inheritable)

    # --- Life

    def __exit__(self, *_: object) -> None:
        if not self._closed:
            self.close()

    def close(self) -> None:
        """Closes the socket, once no file of makefile() uses it any more."""
        self._closed = True
        if self._io_refs <= 0:
            self._real_close()

    def _real_close(self) -> None:
        super().close()

    def _decref_socketios(self) -> None:
        if self._io_refs > 0:
            self._io_refs -= 1
        if self._closed:
            self.close()

    def detach(self) -> int:
        """Gives the descriptor away, which it returns; -1 if it is closed already."""
        number = self.fileno()
        try:
            detached = super().detach() if number >= 0 else -1
        except OSError:
            _take_back(number, sys._getframe(1))
            raise
        self._closed = True
        return detached

    def dup(self) -> socket:
        kind = self.__class__
        if _face.dup is not _own_dup or kind is not socket:
            return self._dup_as_told()
        copy = self._dup_as(kind)
        copy._adopt(self._proto)
        return copy

    def _dup_as_told(self) -> socket:
        """By the constructor of a subclass, or with what a program has put into the place of dup(), as CPython does."""

        def make(fd: int) -> socket:
            return self.__class__(self.family, self.type, self.proto, fileno=fd)

        is_usual = _face.dup is _own_dup and type(self).fileno is _usocket.socket.fileno
        if is_usual or self._is_wrapped:  # which the core refuses
            copy = self._dup_as(_usocket.socket)._hand_over(make)
        else:
            copy = _given_to(make, _face.dup(self.fileno()))
        copy.settimeout(self.gettimeout())
        return copy

    # What io makes of a mode; `buffering` 0 is the file without a buffer.
    @overload  # type: ignore[override]
    def makefile(
        self,
        mode: Text = "r",
        buffering: int | None = None,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> io.TextIOWrapper: ...
    @overload
    def makefile(
        self,
        mode: Binary,
        buffering: Literal[0],
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> SocketIO: ...
    @overload
    def makefile(
        self,
        mode: Literal["rb", "br", "b"],
        buffering: Default = None,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> io.BufferedReader: ...
    @overload
    def makefile(
        self,
        mode: Literal["wb", "bw"],
        buffering: Default = None,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> io.BufferedWriter: ...
    @overload
    def makefile(
        self,
        mode: ReadAndWrite,
        buffering: Default = None,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> io.BufferedRWPair: ...
    @overload
    def makefile(
        self,
        mode: Binary,
        buffering: int,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> io.IOBase: ...
    @overload
    def makefile(
        self,
        mode: str,
        buffering: int | None = None,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> Any: ...
    def makefile(
        self,
        mode: str = "r",
        buffering: int | None = None,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> Any:
        """A file of CPython's io over the socket, which stays open until both are closed."""
        return open_file(self, mode, buffering, encoding, errors, newline)

    if not TYPE_CHECKING:
        do_handshake, version, cipher = map(_OfTls, ("do_handshake", "version", "cipher"))
        selected_alpn_protocol, getpeercert = map(_OfTls, ("selected_alpn_protocol", "getpeercert"))
        tls_session, session_reused = map(_OfTls, ("tls_session", "session_reused"))

    # --- Timeouts

    def settimeout(self, timeout: float | None, /) -> None:
        try:
            super().settimeout(timeout)
        except ValueError as failure:
            if isinstance(timeout, int | float) and timeout > 0:
                raise OverflowError(*failure.args) from None
            raise

    def setblocking(self, flag: Any, /) -> None:
        # 3.12 and newer look whether it is true, older ones want a number.
        super().setblocking(flag if sys.version_info >= (3, 12) else operator.index(flag))

    # --- Options: those of AF_VSOCK are numbers of 64 bits

    @overload
    def setsockopt(self, level: int, optname: int, value: int | Buffer, /) -> None: ...
    @overload
    def setsockopt(self, level: int, optname: int, value: None, optlen: int, /) -> None: ...
    def setsockopt(self, level: int, optname: int, value: Any, optlen: int = _NOT_GIVEN, /) -> None:
        """Sets an option to an int or bytes; None with a length is a null pointer."""
        if (value is None) != (optlen is not _NOT_GIVEN):
            raise TypeError("setsockopt(): the value None goes with a length, the 4th argument, and only that does")
        if optlen is not _NOT_GIVEN:
            if not hasattr(optlen, "__index__"):
                raise TypeError(f"setsockopt(): the 4th argument must be an int, not {optlen.__class__.__name__}")
            return super()._setsockopt_null(level, optname, optlen)
        if isinstance(value, int) and self._has_long_options(level):
            value = value.to_bytes(8, sys.byteorder)
        return super().setsockopt(level, optname, value)

    @overload
    def getsockopt(self, level: int, optname: int, /) -> int: ...
    @overload
    def getsockopt(self, level: int, optname: int, length: int, /) -> bytes: ...
    def getsockopt(self, level: int, optname: int, length: int = 0, /) -> int | bytes:
        if not hasattr(length, "__index__"):
            raise TypeError(f"getsockopt(): the 3rd argument must be an int, not {length.__class__.__name__}")
        if not 0 <= length.__index__() <= 1024:
            raise OSError(f"getsockopt buflen out of range 0-1024: {length}")
        if not length and self._has_long_options(level):
            return int.from_bytes(super().getsockopt(level, optname, 8), sys.byteorder)
        return super().getsockopt(level, optname, length)

    def _has_long_options(self, level: int) -> bool:
        return super().family == AF_VSOCK == level

    # --- Connections

    def bind(self, address: AddressLike, /) -> None:
        native = to_native("bind", super().family, address, self)
        sys.audit("socket.bind", self, address)
        super().bind(native)

    def connect(self, address: AddressLike, /) -> None:
        native = to_native("connect", super().family, address, self)
        sys.audit("socket.connect", self, address)
        super().connect(native)

    def connect_ex(self, address: AddressLike, /) -> int:
        """connect() that returns the number of the error, or 0."""
        native = to_native("connect_ex", super().family, address, self)
        sys.audit("socket.connect", self, address)
        try:
            super().connect(native)
        except OSError as failure:
            return failure.errno or 0
        return 0

    def listen(self, backlog: int | None = None, /) -> None:
        # Its servers read their connections when the bare descriptor says so, which knows nothing of what TLS holds.
        if self._is_wrapped and sys._getframe(1).f_globals.get("__name__") == "asyncio.base_events":
            raise TypeError("asyncio puts TLS on connections itself: give it a listener without, and ssl= of CPython's")
        super().listen(*() if backlog is None else (as_int(backlog),))

    def accept(self) -> tuple[socket, Address]:
        is_usual = _face.socket is socket and _face.getdefaulttimeout is getdefaulttimeout
        if not is_usual or type(self)._accept is not _own_accept:
            return self._accept_as_told()
        conn, address = self._accept_as(socket)
        conn._adopt(self._proto)
        conn._set_default_timeout()
        return conn, address

    def _accept_as_told(self) -> tuple[socket, Address]:
        """With what a program has put into the place of the class or of functions, as CPython does."""

        def make(fd: int) -> socket:
            return _face.socket(self.family, self.type, self.proto, fileno=fd)

        if type(self)._accept is _own_accept:
            accepted, address = self._accept_as(_usocket.socket)
            conn = accepted._hand_over(make)
        else:
            fd, address = self._accept()
            conn = _given_to(make, fd)
        if _face.getdefaulttimeout() is None and self.gettimeout():
            conn.setblocking(True)
        return conn, address

    def shutdown(self, how: int, /) -> None:
        super().shutdown(as_int(how))

    def getsockname(self) -> Address:
        return to_tuple(super().getsockname(), self)

    def getpeername(self) -> Address:
        return to_tuple(super().getpeername(), self)

    # --- What is sent. CPython's own refuse str: mypy sees that what they take is less than what usocket's do.

    if TYPE_CHECKING:

        def send(self, bytes: Buffer, flags: int = 0, /) -> int: ...  # type: ignore[override]

        def sendall(self, bytes: Buffer, flags: int = 0, /) -> None: ...  # type: ignore[override]

        def write(  # type: ignore[override]
            self, buf: Buffer, off_or_n: int | None = None, n: int | None = _NOT_GIVEN, /
        ) -> int | None: ...

    @overload  # type: ignore[override]
    def sendto(self, data: Buffer, address: AddressLike, /) -> int: ...
    @overload
    def sendto(self, data: Buffer, flags: int, address: AddressLike, /) -> int: ...
    def sendto(self, data: Buffer, flags_or_address: Any, address: AddressLike | None = None, /) -> int:
        flags, to = (0, flags_or_address) if address is None else (flags_or_address, address)
        native = to_native("sendto", super().family, to, self)
        sys.audit("socket.sendto", self, to)
        return super().sendto(data, flags, native)

    def sendmsg(  # type: ignore[override]
        self,
        buffers: Iterable[Buffer],
        ancdata: Iterable[tuple[int, int, Buffer]] = (),
        flags: int = 0,
        address: AddressLike | None = None,
        /,
    ) -> int:
        native = None if address is None else to_native("sendmsg", super().family, address, self)
        sys.audit("socket.sendmsg", self, address)
        return super().sendmsg(buffers, ancdata, flags, native)

    if hasattr(_standard, "ALG_SET_OP"):  # Linux, its interface to the kernel's cryptography

        def sendmsg_afalg(
            self,
            msg: Iterable[Buffer] = (),
            *,
            op: int = _NOT_GIVEN,
            iv: Buffer | None = None,
            assoclen: int | None = None,
            flags: int = 0,
        ) -> int:
            """sendmsg() of AF_ALG: what to do with the data (ALG_OP_ENCRYPT, ...), initialisation vector, and how many
            bytes of the data are associated."""
            if self.family != _standard.AF_ALG:
                raise OSError("sendmsg_afalg() is for sockets of AF_ALG")
            items = [(_standard.ALG_SET_OP, _not_negative("op", op))]
            if iv is not None:
                vector = memoryview(iv).tobytes()
                items.append((_standard.ALG_SET_IV, struct.pack("=I", len(vector)) + vector))
            if assoclen is not None:
                items.append((_standard.ALG_SET_AEAD_ASSOCLEN, _not_negative("assoclen", assoclen)))
            return self.sendmsg(msg, [(_standard.SOL_ALG, *item) for item in items], flags)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Sends a file, or count bytes of it from offset on, and moves its position behind what went out."""
        try:
            return self._sendfile_use_sendfile(file, offset, count)
        except _face._GiveupOnSendfile:
            return self._sendfile_use_send(file, offset, count)

    # CPython's names for the two ways, which some programs choose between.
    def _sendfile_use_sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        return send_by_system(self, file, offset, count, super().sendfile)

    def _sendfile_use_send(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        return send_by_reading(self, file, offset, count)

    # --- What is received

    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, Address]:
        data, address = super().recvfrom(bufsize, flags)
        return data, self._sender(address)

    def recvfrom_into(self, buffer: Buffer, nbytes: int = 0, flags: int = 0) -> tuple[int, Address]:
        count, address = super().recvfrom_into(buffer, nbytes, flags)
        return count, self._sender(address)

    def _sender(self, native: bytes) -> Address:
        """None of a connection, as CPython has it, where the system names nobody; ours then names the peer."""
        return None if super().proto == _usocket.IPPROTO_TCP else to_tuple(native, self)

    # These are usocket's: between lines of Python a handler may run, and if it raises, nobody has the descriptors.
    if TYPE_CHECKING:

        def recvmsg(
            self, bufsize: int, ancbufsize: int = 0, flags: int = 0, /
        ) -> tuple[bytes, list[tuple[int, int, bytes]], int, Address]: ...

        def recvmsg_into(
            self, buffers: Iterable[Buffer], ancbufsize: int = 0, flags: int = 0, /
        ) -> tuple[int, list[tuple[int, int, bytes]], int, Address]: ...

        def _accept(self) -> tuple[int, Address]: ...


socket.__module__ = "usocket.compat"
_own_accept = socket._accept


def _take_back(number: int, caller: FrameType | None) -> None:
    """After a detach() that has failed. CPython's ssl has made a socket of the number by then, its caller's `self`,
    which would close what is not its own."""
    while caller is not None:
        taker = caller.f_locals.get("self")
        if isinstance(taker, _standard.socket) and taker.fileno() == number:
            taker.detach()
        caller = caller.f_back


def _given_to(make: Callable[[int], socket], fd: int) -> socket:
    """make(fd). If that fails the descriptor is closed, by whoever has it then and by nobody else."""
    if not stat.S_ISSOCK(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.ENOTSOCK, os.strerror(errno.ENOTSOCK))
    made: socket = _usocket.socket(fileno=fd)._hand_over(make)
    return made


def as_int(number: Any) -> int:
    """A number that the system's int holds: OverflowError where CPython says so."""
    value: int = number.__index__() if hasattr(number, "__index__") else number
    if isinstance(value, int) and not -(2**31) <= value < 2**31:
        raise OverflowError(f"{value} does not fit the system's int")
    return value


def _not_negative(name: str, number: Any) -> bytes:
    """An option of AF_ALG, 32 bits."""
    if not isinstance(number, int) or number < 0:
        raise TypeError(f"sendmsg_afalg(): {name} is an int from 0 on, not {number!r}")
    if number > 0xFFFFFFFF:
        raise OverflowError(f"sendmsg_afalg(): {name} is at most 4294967295, not {number}")
    return struct.pack("=I", number)


def dup(fd: int, /) -> int:
    """A duplicate of a socket's descriptor, not inheritable."""
    return _standard.dup(fd)


_own_dup = dup


def socketpair(family: int | None = None, type: int = SOCK_STREAM, proto: int = 0) -> tuple[socket, socket]:
    """Two sockets that are connected to each other."""
    kind = _face.socket
    af = _face.AF_UNIX if family is None else family
    if kind is not socket:
        return _socketpair_of(kind, af, type, proto)
    pair = _usocket._socketpair_as(socket, af, type, proto)
    try:
        for one in pair:
            one._adopt(proto)
            one._set_default_timeout()
    except BaseException:
        for one in pair:
            _usocket.socket.close(one)
        raise
    return pair


def _socketpair_of(kind: type[socket], family: int, type: int, proto: int) -> tuple[socket, socket]:
    """Of what a program has put into the place of the class."""
    one, other = _usocket._socketpair_as(_usocket.socket, family, type, proto)
    make = functools.partial(kind, family, type, proto)
    with one, other:
        first = one._hand_over(make)
        try:
            return first, other._hand_over(make)
        except BaseException:
            first.close()
            raise


def fromfd(fd: int, family: int, type: int, proto: int = 0) -> socket:
    """A socket on a duplicate of the descriptor, which stays its owner's."""
    return _given_to(functools.partial(_face.socket, family, type, proto), _face.dup(fd))
