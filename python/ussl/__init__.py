"""ussl: TLS on usocket's sockets, as MicroPython and Pycopy have it (TLS-1..7).

    context = ussl.SSLContext(ussl.PROTOCOL_TLS_CLIENT)
    sock = usocket.socket(usocket.AF_INET, usocket.SOCK_STREAM, usocket.IPPROTO_SEC)
    context.wrap_socket(sock, server_hostname="example.org")
    sock.connect(usocket.getaddrinfo("example.org", 443)[0][-1])

A wrapped socket is the same object, with all its methods. A client checks the server's certificate and its name, unless
verify_mode is CERT_NONE. Errors are OSErrors that say what was wrong.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable
from typing import TypeAlias, TypeVar

from usocket import _usocket
from usocket._buffer import Buffer

try:
    from usocket import _tls  # what _TlsContext asks for
except ImportError as error:
    raise ImportError(f"ussl needs OpenSSL 3, as usocket was built and now: {error}") from None

# The name of a file, the text of a PEM file, or the bytes of PEM or DER.
_Source: TypeAlias = str | os.PathLike[str] | Buffer
_Socket = TypeVar("_Socket", bound=_usocket.socket)

PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER = 0, 1
CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED = 0, 1, 2


class SSLContext:
    """What a program brings to TLS: certificates, whom it trusts, how strict it is. For any number of connections, of
    either side; `protocol` says which side's verify_mode it shows at first."""

    def __init__(self, protocol: int = PROTOCOL_TLS_CLIENT, /) -> None:
        if protocol not in (PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER):
            raise ValueError(f"protocol is PROTOCOL_TLS_CLIENT or PROTOCOL_TLS_SERVER, not {protocol!r}")
        self._context = _usocket._TlsContext()
        self._verify_mode = self._default_of(protocol == PROTOCOL_TLS_SERVER)
        self._is_told = False
        self.check_hostname = True

    @property
    def verify_mode(self) -> int:
        """CERT_REQUIRED: the peer has to show a certificate that holds, and a server's has to be for server_hostname.
        CERT_OPTIONAL: one that a client shows has to. CERT_NONE: none is asked for, and anybody may be the peer. Unless
        it is set, clients require one and servers ask for none, and it shows what the last that was wrapped does."""
        return self._verify_mode

    @verify_mode.setter
    def verify_mode(self, mode: int) -> None:
        if mode not in (CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED):
            raise ValueError(f"verify_mode is CERT_NONE, CERT_OPTIONAL or CERT_REQUIRED, not {mode!r}")
        self._context.set_cert_reqs(int(mode))
        self._verify_mode = int(mode)
        self._is_told = True

    @staticmethod
    def _default_of(server_side: bool) -> int:
        return CERT_NONE if server_side else CERT_REQUIRED

    def set_cert_key(self, cert: _Source, key: _Source) -> None:
        """Our own certificate, followed by those between it and a trusted one, and its key."""
        self._context.set_cert_key(_content_of(cert), _content_of(key))

    def load_cert_chain(self, certfile: _Source, keyfile: _Source | None = None) -> None:
        """The same; without a keyfile the key is in the certfile too."""
        self.set_cert_key(certfile, certfile if keyfile is None else keyfile)

    def load_verify_locations(
        self, cafile: _Source | None = None, capath: str | None = None, cadata: _Source | None = None
    ) -> None:
        """Trusts these issuers, instead of those that the system trusts: a file's, those of a folder's files, or the
        data's."""
        if cafile is None and capath is None and cadata is None:
            raise TypeError("load_verify_locations() needs cafile, capath or cadata")
        for source in (cafile, cadata):
            if source is not None:
                self._context.load_verify_locations(_content_of(source))
        if capath is not None:
            self._load_folder(capath)

    def _load_folder(self, path: str) -> None:
        """What else lies in it, as a text that says whose they are, does not matter."""
        holds_some = False
        for entry in os.scandir(path):
            if not entry.is_file():
                continue
            try:
                self._context.load_verify_locations(_content_of(entry))
                holds_some = True
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
        if not holds_some:
            raise OSError(errno.EINVAL, "no certificate in PEM or DER in this folder's files", path)

    def load_default_certs(self, purpose: object = None) -> None:
        """Does nothing: the issuers that the system trusts count unless others are loaded."""

    def set_alpn_protocols(self, protocols: Iterable[str | bytes]) -> None:
        """Application protocols (ALPN), the best first."""
        names = [_bytes_of(name) for name in protocols]
        if any(b"," in name for name in names):
            raise ValueError(f"an application protocol's name has no comma in it: {names}")
        self._context.set_alpn_protocols(b"," if names == [b""] else b",".join(names))

    def wrap_socket(
        self,
        sock: _Socket,
        server_side: bool = False,
        server_hostname: str | None = None,
        do_handshake: bool = True,
        *,
        do_handshake_on_connect: bool = True,
        session: Buffer = b"",
    ) -> _Socket:
        """Puts TLS on a stream socket, and returns it. It has to be connected, unless it is one of IPPROTO_SEC, whose
        connect() then does the handshake too, or one that listens, or will, with server_side: what it accepts has TLS.
        Without do_handshake, and on what was accepted so, the first call that needs it does it, or
        sock.do_handshake(). session: what sock.tls_session() of an earlier connection to the same peer gave."""
        if not self._is_told:
            self._verify_mode = self._default_of(server_side)
        if not (self.check_hostname or server_side or self._verify_mode == CERT_NONE):
            raise ValueError("where certificates are checked, names are: check_hostname=False goes with CERT_NONE")
        if isinstance(server_hostname, str) and not server_hostname.isascii():
            with contextlib.suppress(UnicodeError):  # what has no such form is no name
                server_hostname = server_hostname.encode("idna").decode()
        handshake = do_handshake and do_handshake_on_connect
        self._context.wrap(sock, server_side, server_hostname, handshake, session)
        return sock


def wrap_socket(
    sock: _Socket,
    keyfile: _Source | None = None,
    certfile: _Source | None = None,
    server_side: bool = False,
    cert_reqs: int = CERT_NONE,
    ca_certs: _Source | None = None,
    server_hostname: str | None = None,
    do_handshake: bool = True,
    *,
    key: _Source | None = None,
    cert: _Source | None = None,
    cadata: _Source | None = None,
) -> _Socket:
    """The older way, without a context. By default it checks nothing: anybody may be at the other end."""
    context = SSLContext(PROTOCOL_TLS_SERVER if server_side else PROTOCOL_TLS_CLIENT)
    context.verify_mode = cert_reqs
    certificate = certfile if cert is None else cert
    if certificate is not None:
        context.load_cert_chain(certificate, keyfile if key is None else key)
    if ca_certs is not None or cadata is not None:
        context.load_verify_locations(ca_certs, None, cadata)
    return context.wrap_socket(sock, server_side, server_hostname, do_handshake)


def _bytes_of(name: str | bytes) -> bytes:
    if not isinstance(name, str | bytes):
        raise TypeError(f"an application protocol's name is a str or bytes, not {type(name).__name__}")
    return name.encode() if isinstance(name, str) else name


def _content_of(source: _Source | os.DirEntry[str]) -> Buffer:
    if isinstance(source, str) and "-----BEGIN" in source:
        return source.encode()
    if isinstance(source, str | os.PathLike):
        with open(source, "rb") as file:
            return file.read()
    return source


def _find_issuers() -> None:
    """The OpenSSL that a wheel carries looks for the system's issuers where the system that built it has them. The
    interpreter knows where this one does."""
    if not any(os.path.exists(path) for path in _tls.default_verify_paths()):
        import ssl

        paths = ssl.get_default_verify_paths()
        _tls.set_verify_paths(paths.cafile, paths.capath)


_find_issuers()

__all__ = [
    "CERT_NONE",
    "CERT_OPTIONAL",
    "CERT_REQUIRED",
    "PROTOCOL_TLS_CLIENT",
    "PROTOCOL_TLS_SERVER",
    "SSLContext",
    "wrap_socket",
]
