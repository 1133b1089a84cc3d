"""ssl (tls, ussl): TLS over any stream socket of ours, with the interpreter's own TLS library.

SSLContext and wrap_socket() as devices have them (TLS-1): certificates and keys are files or the bytes of PEM or DER;
what goes wrong is an OSError. A wrapped socket is a stream (read, readinto, readline, write, write(buf, n)) and has
send, recv, settimeout, setblocking and the rest of the socket's. Any poll sees it rightly: a record's last byte stays
in the system's queue until all of its plaintext was read (POLL-5).

It does not wrap a socket before it connects (TLS-2), and a timeout holds for each wait, not for the whole call.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import os
import ssl as _ssl
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import uselect

import usocket

EXTENDS = "ssl"

PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER = 0, 1
PROTOCOL_TLS = PROTOCOL_SSLv23 = PROTOCOL_TLS_CLIENT
CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED = 0, 1, 2
SSLError = OSError

_HEADER_SIZE = 5  # of a record: its kind, the version, and two bytes of length


class SSLContext:
    def __init__(self, protocol: Any = PROTOCOL_TLS_CLIENT) -> None:
        self._is_server = int(protocol) in (PROTOCOL_TLS_SERVER, _ssl.PROTOCOL_TLS_SERVER)
        self._context = _ssl.SSLContext(_ssl.PROTOCOL_TLS_SERVER if self._is_server else _ssl.PROTOCOL_TLS_CLIENT)
        self._other: _ssl.SSLContext | None = None
        self._steps: list[Callable[[_ssl.SSLContext], object]] = []
        self.verify_mode = CERT_NONE if self._is_server or int(protocol) != PROTOCOL_TLS_CLIENT else CERT_REQUIRED
        self.check_hostname = True
        self.options = 0

    def _apply(self, step: Callable[[_ssl.SSLContext], object]) -> None:
        step(self._context)
        self._steps.append(step)

    def load_cert_chain(self, certfile: Any, keyfile: Any = None) -> None:
        with _errors():
            self._apply(lambda context: _load_cert_chain(context, certfile, keyfile))

    set_cert_key = load_cert_chain

    def load_verify_locations(self, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
        if isinstance(cadata, bytes | bytearray) and b"-----BEGIN" in cadata:
            cadata = bytes(cadata).decode()
        with _errors():
            self._apply(lambda context: context.load_verify_locations(cafile, capath, cadata))

    def load_default_certs(self, *purpose: Any) -> None:
        self._apply(lambda context: context.load_default_certs())

    def set_ciphers(self, ciphers: Any) -> None:
        with _errors():
            self._apply(lambda context: context.set_ciphers(ciphers if isinstance(ciphers, str) else ":".join(ciphers)))

    def get_ciphers(self) -> list[str]:
        return [str(cipher["name"]) for cipher in self._context.get_ciphers()]

    def set_alpn_protocols(self, protocols: list[str]) -> None:
        self._apply(lambda context: context.set_alpn_protocols(protocols))

    def wrap_socket(
        self,
        sock: Any,
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        server_hostname: str | None = None,
        do_handshake: bool | None = None,
        **options: Any,
    ) -> SSLSocket:
        context = self._context_for(server_side)
        context.check_hostname = False
        context.verify_mode = _ssl.VerifyMode(int(self.verify_mode))
        if not server_side and self.verify_mode == CERT_REQUIRED and self.check_hostname:
            if not server_hostname:
                raise ValueError("CERT_REQUIRED needs server_hostname, the name that the certificate must have")
            context.check_hostname = True
        wrapped = SSLSocket(sock, context, server_side, server_hostname)
        if do_handshake_on_connect if do_handshake is None else do_handshake:
            wrapped.do_handshake()
        return wrapped

    def _context_for(self, server_side: bool) -> _ssl.SSLContext:
        """CPython wants a context for each side, devices make one for both."""
        if server_side == self._is_server:
            return self._context
        self._other = _ssl.SSLContext(_ssl.PROTOCOL_TLS_SERVER if server_side else _ssl.PROTOCOL_TLS_CLIENT)
        for step in self._steps:
            step(self._other)
        return self._other


def wrap_socket(
    sock: Any,
    server_side: bool = False,
    keyfile: Any = None,
    certfile: Any = None,
    key: Any = None,
    cert: Any = None,
    cert_reqs: int = CERT_NONE,
    ca_certs: Any = None,
    cadata: Any = None,
    server_hostname: str | None = None,
    do_handshake: bool = True,
    do_handshake_on_connect: bool = True,
    **options: Any,
) -> SSLSocket:
    """The older way, without a context."""
    context = SSLContext(PROTOCOL_TLS_SERVER if server_side else PROTOCOL_TLS_CLIENT)
    context.verify_mode = cert_reqs
    if certfile or cert:
        context.load_cert_chain(certfile or cert, keyfile or key)
    if ca_certs or cadata:
        is_file = isinstance(ca_certs, str) and "-----BEGIN" not in ca_certs
        context.load_verify_locations(ca_certs if is_file else None, None, cadata if is_file else cadata or ca_certs)
    return context.wrap_socket(
        sock, server_side, server_hostname=server_hostname, do_handshake=do_handshake and do_handshake_on_connect
    )


def create_default_context(purpose: Any = None, *, cafile: Any = None, cadata: Any = None, **more: Any) -> SSLContext:
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    if cafile or cadata:
        context.load_verify_locations(cafile, None, cadata)
    else:
        context.load_default_certs()
    return context


class SSLSocket:
    """A stream over TLS."""

    def __init__(self, sock: Any, context: _ssl.SSLContext, server_side: bool, server_hostname: str | None) -> None:
        self._sock = sock
        self._incoming, self._outgoing = _ssl.MemoryBIO(), _ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side, server_hostname or None)
        self._record_left = 0  # how much of the record that has begun is to be read
        self._is_last_left = False  # the last byte of the record that was fed is still in the queue
        self._unsent = b""
        self._plain = b""  # of a readline or a read that was cut off

    def do_handshake(self) -> None:
        if self._run(self._tls.do_handshake) is None and not self._tls.version():
            return  # non-blocking: the first read or write goes on

    # --- Records

    def _run(self, operation: Callable[..., Any], *arguments: Any) -> Any:
        """The result of an operation of the session; None where it would have to wait and may not."""
        while True:
            try:
                result = operation(*arguments)
            except _ssl.SSLWantReadError:
                if not self._flush(False) or not self._feed():
                    return None
                continue
            except _ssl.SSLZeroReturnError:
                return b""
            except _ssl.SSLEOFError:
                raise OSError(errno.ECONNRESET, "the connection was cut off without close_notify") from None
            except _ssl.SSLError as error:
                with contextlib.suppress(OSError):
                    self._flush(True)  # the alert
                raise _os_error(error) from None
            self._flush(True)
            return result

    def _feed(self) -> bool:
        """Gives the session more of the record that is on its way. False: nothing has come."""
        self._let_go()
        if not self._record_left:
            header = self._sock.read(_HEADER_SIZE)
            if not header:
                return self._end(header)
            while len(header) < _HEADER_SIZE:  # non-blocking, and it came in pieces
                more = self._sock.read(_HEADER_SIZE - len(header))
                if more == b"":
                    return self._end(b"")
                if more is None:
                    self._wait(uselect.POLLIN)
                    continue
                header += more
            self._incoming.write(header)
            self._record_left = int.from_bytes(header[3:5], "big")
        if self._record_left > 1:
            body = self._sock.read(self._record_left - 1)
            if not body:
                return self._end(body)
            self._incoming.write(body)
            self._record_left -= len(body)
        if self._record_left == 1:
            try:
                last = self._sock.recv(1, usocket.MSG_PEEK)
            except OSError as error:
                if error.args[0] != errno.EAGAIN:
                    raise
                return False
            if not last:
                return self._end(last)
            self._incoming.write(last)
            self._record_left = 0
            self._is_last_left = True
        return True

    def _end(self, what: bytes | None) -> bool:
        if what is None:
            return False
        self._incoming.write_eof()
        return True

    def _let_go(self) -> None:
        if self._is_last_left and not self._tls.pending() and not self._plain:
            self._is_last_left = False
            self._sock.recv(1)

    def _flush(self, must: bool) -> bool:
        """Sends what the session has to send. False: not all, and the socket does not wait."""
        self._unsent += self._outgoing.read()
        while self._unsent:
            sent = self._sock.write(self._unsent)
            if sent is None:
                if not must:
                    return False
                self._wait(uselect.POLLOUT)
            else:
                self._unsent = self._unsent[sent:]
        return True

    def _wait(self, event: int) -> None:
        poll = uselect.poll()
        poll.register(self._sock, event)
        poll.poll()

    # --- The stream

    def _some(self, n: int) -> bytes | None:
        """Up to n bytes, at least one but at the end."""
        if self._plain:
            data, self._plain = self._plain[:n], self._plain[n:]
        else:
            try:
                data = self._run(self._tls.read, n)
            except OSError as error:
                if error.args[0] == errno.EAGAIN:
                    return None
                raise
        self._let_go()
        return data

    def _collect(self, is_enough: Callable[[bytearray], int]) -> bytes | None:
        """Reads until is_enough(data) says how many more bytes it wants at most: none."""
        data = bytearray()
        try:
            while wanted := is_enough(data):
                part = self._some(wanted)
                if part is None:
                    return bytes(data) or None
                if not part:
                    break
                data += part
        except BaseException:
            self._plain = bytes(data) + self._plain  # TIME-6
            raise
        return bytes(data)

    def read(self, n: int | None = None) -> bytes | None:
        if n is None or n < 0:
            return self._collect(lambda data: 65536)
        return self._collect(lambda data: n - len(data))

    def readinto(self, buf: Any, nbytes: int | None = None) -> int | None:
        view = memoryview(buf).cast("B")
        data = self.read(len(view) if nbytes is None else min(nbytes, len(view)))
        if data is None:
            return None
        view[: len(data)] = data
        return len(data)

    def readline(self, n: int | None = None) -> bytes | None:
        limit = -1 if n is None else n
        return self._collect(lambda data: 0 if data[-1:] == b"\n" or len(data) == limit else 1)

    def write(self, buf: Any, *part: int) -> int | None:
        data = memoryview(buf.encode() if isinstance(buf, str) else buf).cast("B")
        if len(part) == 1:
            data = data[: part[0]]
        elif part:
            data = data[part[0] : part[0] + part[1]]
        if not len(data):
            return 0
        sent = 0
        while sent < len(data):
            count = self._run(self._tls.write, data[sent : sent + 16384])
            if count is None:
                return sent or None
            sent += count
        return sent

    def recv(self, n: int, flags: int = 0) -> bytes:
        data = self._some(n) if n else b""
        if data is None:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return data

    def recv_into(self, buf: Any, nbytes: int = 0) -> int:
        view = memoryview(buf).cast("B")
        data = self.recv(nbytes or len(view))
        view[: len(data)] = data
        return len(data)

    def send(self, data: Any, flags: int = 0) -> int:
        count = self.write(data)
        if count is None:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return count

    def sendall(self, data: Any, flags: int = 0) -> None:
        self.write(data)

    def makefile(self, mode: str = "rb", buffering: int = 0) -> SSLSocket:
        return self

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line

    def close(self) -> None:
        if not self._sock.closed and self._tls.version():
            with contextlib.suppress(OSError, _ssl.SSLError):
                with contextlib.suppress(_ssl.SSLWantReadError):
                    self._tls.unwrap()
                self._flush(False)
        self._sock.close()

    def getpeercert(self, binary_form: bool = True) -> Any:
        return self._tls.getpeercert(binary_form)

    def cipher(self) -> Any:
        return self._tls.cipher()

    def version(self) -> str | None:
        return self._tls.version()

    def __enter__(self) -> SSLSocket:
        return self

    def __exit__(self, *what: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


# --- Errors and certificates


def _os_error(error: _ssl.SSLError) -> OSError:
    if isinstance(error, _ssl.SSLCertVerificationError):
        return OSError(errno.EACCES, f"certificate: {error.verify_message}")
    return OSError(errno.EPROTO, f"TLS: {error.reason or error}")


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except _ssl.SSLError as error:
        raise ValueError(f"invalid certificate or key: {error.reason or error}") from None


def _load_cert_chain(context: _ssl.SSLContext, certificate: Any, key: Any) -> None:
    certificate = _bytes(certificate)
    key = None if key is None else _bytes(key)
    if b"-----BEGIN" not in certificate:
        certificate = _ssl.DER_cert_to_PEM_cert(certificate).encode()
    kinds = [""] if key is None or b"-----BEGIN" in key else ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"]
    for kind in kinds:
        with tempfile.NamedTemporaryFile() as file:
            file.write(certificate + b"\n" + (_pem(key, kind) if kind else key or b""))
            file.flush()
            try:
                context.load_cert_chain(file.name)
                return
            except _ssl.SSLError:
                if kind == kinds[-1]:
                    raise


def _bytes(what: Any) -> bytes:
    """Of a certificate or a key that is the name of a file, its text, or its bytes."""
    if isinstance(what, str):
        if "-----BEGIN" in what:
            return what.encode()
        with open(what, "rb") as file:
            return file.read()
    return bytes(what)


def _pem(der: bytes, kind: str) -> bytes:
    return f"-----BEGIN {kind}-----\n{base64.encodebytes(der).decode()}-----END {kind}-----\n".encode()


__all__ = [
    "CERT_NONE",
    "CERT_OPTIONAL",
    "CERT_REQUIRED",
    "PROTOCOL_SSLv23",
    "PROTOCOL_TLS",
    "PROTOCOL_TLS_CLIENT",
    "PROTOCOL_TLS_SERVER",
    "SSLContext",
    "SSLError",
    "SSLSocket",
    "create_default_context",
    "wrap_socket",
]
