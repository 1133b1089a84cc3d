# The stub of the extension. Constants are those of the systems that usocket is tried on; each has its own (NAME-3).
import builtins
import weakref
from collections.abc import Callable, Iterable, Iterator
from types import GenericAlias, TracebackType
from typing import Any, ClassVar, Generic, NoReturn, Protocol, SupportsIndex, TypeAlias, final, overload

from _typeshed import FileDescriptorLike, ReadableBuffer, WriteableBuffer
from typing_extensions import Self, TypeVar, disjoint_base

__version__: str

_Address: TypeAlias = (
    ReadableBuffer
    | str
    | tuple[str | bytes, int]
    | tuple[str | bytes, int, int]
    | tuple[str | bytes, int, int, int]
    | tuple[int, bytes]
    | tuple[int, bytes, int]
    | tuple[int, bytes, int, int, int]
)
_Sendable: TypeAlias = ReadableBuffer | str  # a str goes out as UTF-8
_Socket = TypeVar("_Socket", bound=socket)
_Made = TypeVar("_Made")

class _HasFileno(Protocol):
    def fileno(self) -> int: ...

@final
class Address(bytes):
    """A native address: immutable bytes whose str() is "127.0.0.1:80", "[::1]:80"
    or "unix:/run/server", and which is made of the same text.
    """

    def __new__(cls, address: str | ReadableBuffer, /) -> Self: ...
    def __reduce__(self) -> tuple[type[Address], tuple[bytes]]:
        """Pickled as its bytes."""
    def __str__(self) -> str: ...

@disjoint_base
class socket:
    """A socket that is a stream. A new one, or with fileno the owner of a descriptor
    that somebody else has opened.
    """

    _takes_str: ClassVar[bool]  # whether what is sent may be a str: a subclass may say no
    _skips_empty: ClassVar[bool]  # whether recv(0) leaves the system alone: a subclass may say yes
    # what shows an address of a rarer family as the subclass has it, which has all others as CPython shows them
    _shows: ClassVar[Callable[..., Any] | None]
    def __init__(self, af: int = ..., type: int = ..., proto: int = 0, /, *, fileno: int | None = None) -> None: ...
    def bind(self, address: _Address, /) -> None:
        """Binds the socket to its own address:
        a native address, (host, port), (host, port, flowinfo, scopeid) or a path of AF_UNIX.
        """
    def connect(self, address: _Address, /) -> None:
        """Connects to a remote socket:
        a native address, (host, port), (host, port, flowinfo, scopeid) or a path of AF_UNIX.
        Non-blocking: OSError(EINPROGRESS); poll for POLLOUT, then ask for SO_ERROR.
        """
    def listen(self, backlog: int | None = None, /) -> None:
        """Lets the system accept up to backlog connections ahead of accept(); a negative number counts as 0."""
    def accept(self) -> tuple[socket, Address]:
        """Waits for a connection: (conn, address), where conn is a new, blocking socket."""
    def _accept_as(self, cls: builtins.type[_Socket], /) -> tuple[_Socket, Address]:
        """accept() that makes conn of a subclass."""
    def _accept(self) -> tuple[int, Any]:
        """accept() with a descriptor, which is the caller's to close, in the place of conn."""
    def _hand_over(self, make: Callable[[int], _Made], /) -> _Made:
        """detach(), and make(descriptor), which is returned. The descriptor is closed if that fails."""
    def shutdown(self, how: int, /) -> None:
        """Ends one direction or both: SHUT_RD, SHUT_WR or SHUT_RDWR."""
    def close(self) -> None:
        """Frees all resources; the peer sees EOF, and calls that other threads are in end with
        OSError(EBADF).
        """
    def send(self, bytes: _Sendable, flags: int = 0, /) -> int:
        """Sends what the system takes; returns how many bytes that was. A str goes out as UTF-8."""
    def sendall(self, bytes: _Sendable, flags: int = 0, /) -> None:
        """Sends all of the bytes. A str goes out as UTF-8."""
    @overload
    def sendto(self, bytes: _Sendable, address: _Address, /) -> int:
        """sendto(bytes, address) and sendto(bytes, flags, address) send to an address; returns how many bytes.
        A str goes out as UTF-8.
        """
    @overload
    def sendto(self, bytes: _Sendable, flags: int, address: _Address, /) -> int: ...
    def sendmsg(
        self,
        buffers: Iterable[_Sendable],
        ancdata: Iterable[tuple[int, int, ReadableBuffer]] = (),
        flags: int = 0,
        address: _Address | None = None,
        /,
    ) -> int:
        """Sends the buffers as one, without joining them, with ancillary data beside them:
        (level, type, data) each. Returns how many bytes of the buffers went out.
        """
    def recvmsg(
        self, bufsize: int, ancbufsize: int = 0, flags: int = 0, /
    ) -> tuple[bytes, list[tuple[int, int, bytes]], int, Address]:
        """recv() with what came beside the data: (bytes, [(level, type, data), ...], flags, address).
        Descriptors in it are close-on-exec, and the caller's to close.
        """
    def recvmsg_into(
        self, buffers: Iterable[WriteableBuffer], ancbufsize: int = 0, flags: int = 0, /
    ) -> tuple[int, list[tuple[int, int, bytes]], int, Address]:
        """recvmsg() into the buffers, filled one after the other: (count, ancdata, flags, address)."""
    def sendfile(self, file: FileDescriptorLike, offset: int = 0, count: int | None = None, /) -> int:
        """Sends count bytes of a regular file from offset on, or all to its end; returns how many.
        The file's own position stays as it is.
        """
    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Receives at most bufsize bytes; none means that the peer has shut down."""
    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, Address]:
        """recv() that also returns the address of the sender: (bytes, address)."""
    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        """recv() into a buffer, at most nbytes or, with 0, all of it; returns how many bytes arrived."""
    def recvfrom_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> tuple[int, Address]:
        """recv_into() that also returns the address of the sender: (count, address)."""

    # Streams: None where nothing moved on a non-blocking socket.
    def read(self, n: int | None = None, /) -> bytes | None:
        """Reads n bytes, fewer only at EOF, or all until EOF. Non-blocking: what there is, None if that is
        nothing.
        """
    def readinto(self, buf: WriteableBuffer, nbytes: int | None = None, /) -> int | None:
        """read() into a buffer; returns how many bytes."""
    def readline(self, n: int | None = None, /) -> bytes | None:
        """Reads through the next newline, or n bytes, or to EOF, whichever comes first."""
    @overload
    def write(self, buf: _Sendable, n: int | None = None, /) -> int | None:
        """write(buf), write(buf, n) and write(buf, off, n): all of buf, or its first n bytes, or n bytes from off on;
        returns how many. Non-blocking: what the system takes, None if that is nothing. A str goes out as UTF-8.
        """
    @overload
    def write(self, buf: _Sendable, off: int, n: int | None, /) -> int | None: ...
    def makefile(self, mode: str = "rb", buffering: int | None = 0, /) -> Self:
        """The socket itself, which is a stream; mode is 'rb', 'wb' or 'rwb', buffering is ignored."""
    def read1(self, n: int | None = None, /) -> bytes | None:
        """Reads what arrives first, at most n bytes."""
    def readable(self) -> bool:
        """True: a socket can be read from."""
    def writable(self) -> bool:
        """True: a socket can be written to."""
    def seekable(self) -> bool:
        """False: a socket has no position."""
    def flush(self) -> None:
        """Does nothing: a socket holds back nothing that was written."""
    @property
    def _is_wrapped(self) -> bool:
        """Whether ussl has put TLS on it."""
    @property
    def closed(self) -> bool:
        """Whether close() or detach() was called."""
    def __iter__(self) -> Self: ...
    def __next__(self) -> bytes: ...
    def settimeout(self, value: float | None, /) -> None:
        """How long a call may take, in seconds; then it is OSError(ETIMEDOUT). None: for ever. 0:
        non-blocking.
        """
    def gettimeout(self) -> float | None:
        """The timeout in seconds or None."""
    def setblocking(self, flag: object, /) -> None:
        """True is settimeout(None), False is settimeout(0)."""
    def getblocking(self) -> bool:
        """False if non-blocking."""
    @overload
    def setsockopt(self, level: int, optname: int, value: int, /) -> None:
        """Sets an option of the system's to an int or to bytes."""
    @overload
    def setsockopt(self, level: int, optname: int, value: ReadableBuffer, /) -> None: ...
    def _setsockopt_null(self, level: int, optname: int, optlen: int, /) -> None:
        """Sets it to a null pointer of a length."""
    @overload
    def getsockopt(self, level: int, optname: int, /) -> int:
        """An option of the system's: an int or, with a length, at most so many bytes."""
    @overload
    def getsockopt(self, level: int, optname: int, length: int, /) -> bytes: ...
    def getsockname(self) -> Address:
        """The socket's own address."""
    def getpeername(self) -> Address:
        """The address of the other end."""
    def fileno(self) -> int:
        """The descriptor; -1 if closed."""
    def detach(self) -> int:
        """Closes the socket, but not the descriptor, which it returns."""
    def dup(self) -> socket:
        """A second socket on the same connection."""
    def _dup_as(self, cls: builtins.type[_Socket], /) -> _Socket:
        """dup() to a subclass."""

    # Of a socket that ussl has wrapped.
    def do_handshake(self) -> None:
        """Agrees with the peer, if no call has done so yet. Non-blocking: OSError(EAGAIN)."""
    def version(self) -> str:
        """'TLSv1.2' or 'TLSv1.3'."""
    def cipher(self) -> tuple[str, str]:
        """(the cipher suite's name, the version)."""
    def selected_alpn_protocol(self) -> str | None:
        """The protocol that ALPN has chosen, or None."""
    def getpeercert(self, binary_form: bool = False, /) -> bytes | None:
        """With True the peer's certificate in DER, or None if it has shown none."""
    def tls_session(self) -> bytes:
        """What wrap_socket(session=...) of a later connection to the same peer takes. Keep it
        secret. Empty: there is none; with TLS 1.3 it comes with the first bytes that are read.
        """
    def session_reused(self) -> bool:
        """Whether this connection has taken one up."""
    @property
    def family(self) -> int:
        """The address family, AF_*."""
    @property
    def type(self) -> int:
        """The type, SOCK_*."""
    @property
    def proto(self) -> int:
        """The protocol, IPPROTO_*."""
    def __enter__(self) -> Self:
        """The socket itself."""
    def __exit__(
        self, kind: builtins.type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        """Closes the socket."""
    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn:
        """TypeError: a socket is not pickled."""

@final
class _TlsContext:
    """What a program brings to TLS; ussl.SSLContext is for programs."""

    def set_cert_key(self, cert: ReadableBuffer, key: ReadableBuffer, /) -> None:
        """Our own certificate and its key: PEM or DER."""
    def load_verify_locations(self, certificates: ReadableBuffer, /) -> None:
        """Trusts these issuers: PEM or DER."""
    def set_cert_reqs(self, reqs: int, /) -> None:
        """0: none, 1: optional, 2: required."""
    def set_alpn_protocols(self, protocols: str | ReadableBuffer | None, /) -> None:
        """The best first, separated by commas."""
    def wrap(
        self,
        sock: socket,
        server_side: object,
        server_hostname: str | ReadableBuffer | None,
        do_handshake: object,
        session: ReadableBuffer | None,
        /,
    ) -> None:
        """Puts TLS on a socket."""

_Obj = TypeVar("_Obj", bound=int | _HasFileno, default=Any)
_Data = TypeVar("_Data", default=None)

# What is registered, and its userdata: None if there is none. A poll() without them says nothing about either.
@disjoint_base
class poll(Generic[_Obj, _Data]):
    """Waits for many sockets and descriptors at once."""

    def __new__(cls) -> _Poll[Any, Any]: ...
    def __class_getitem__(cls, kinds: object, /) -> GenericAlias:
        """poll[Obj] or poll[Obj, Data]: the kinds of what is registered, and of its userdata."""
    @overload
    def register(self: _Poll[_Obj, None], obj: _Obj, eventmask: int = ..., /) -> None:
        """Watches a descriptor or an object with fileno(), which is returned with its userdata if there is any. What
        is registered already gets the new mask and, if given, the new userdata. The mask is POLLIN | POLLOUT unless
        one is given.
        """
    @overload
    def register(self, obj: _Obj, eventmask: int, userdata: _Data, /) -> None: ...
    def _register_weakly(self, sock: _Socket, eventmask: int, /) -> weakref.ref[_Socket]:
        """register() of a socket that is not kept alive: returns the weak reference that stands for it."""
    def unregister(self, obj: object, throw: object = True) -> None:
        """Watches obj no more. KeyError if it is not registered, unless throw is False."""
    def modify(self, obj: _Obj, eventmask: int, /) -> None:
        """Watches obj for other events. OSError(ENOENT) if it is not registered."""
    @overload
    def poll(self: _Poll[_Obj, None], timeout_ms: float | None = -1, /) -> list[tuple[_Obj, int]]:
        """Waits until something is ready, for ever if the timeout is negative: a list of (obj, event), or
        (obj, event, userdata) where register() was given some.
        """
    @overload
    def poll(self, timeout_ms: float | None = -1, /) -> list[tuple[_Obj, int, _Data]]: ...
    @overload
    def ipoll(self: _Poll[_Obj, None], timeout_ms: float | None = -1, flags: int = 0, /) -> Iterator[tuple[_Obj, int]]:
        """poll() as an iterator. flags=1: what is returned is not watched any more until modify() says for
        what.
        """
    @overload
    def ipoll(self, timeout_ms: float | None = -1, flags: int = 0, /) -> Iterator[tuple[_Obj, int, _Data]]: ...

_Poll = poll  # inside the class, poll is the method

_Read = TypeVar("_Read", bound=int | _HasFileno, default=Any)
_Write = TypeVar("_Write", bound=int | _HasFileno, default=Any)
_Except = TypeVar("_Except", bound=int | _HasFileno, default=Any)

def select(
    rlist: Iterable[_Read], wlist: Iterable[_Write], xlist: Iterable[_Except], timeout_s: float | None = None, /
) -> tuple[list[_Read], list[_Write], list[_Except]]:
    """Waits until something is ready, for ever without a timeout: those of rlist that can be read, those
    of wlist that can be written, and those of xlist that have urgent data or an error.
    """

def getaddrinfo(
    host: str | bytes | None,
    port: int | str | None,
    af: int = 0,
    type: int = 0,
    proto: int = 0,
    flags: int = 0,
    /,
) -> list[tuple[int, int, int, str, Address]]:
    """What a host and port resolve to, in the system's order: (family, type, proto, canonname,
    sockaddr). A failure is OSError with a negative code, the resolver's own.
    """

def inet_ntop(af: int, bin_addr: ReadableBuffer, /) -> str:
    """The textual form of a packed IP address: 4 bytes for AF_INET, 16 for AF_INET6."""

def inet_pton(af: int, txt_addr: str, /) -> bytes:
    """The packed form of a textual IP address; OSError(EINVAL) if it is malformed."""

def sockaddr(addr: ReadableBuffer, /) -> tuple[Any, ...]:
    """Decodes a native address: (AF_INET, ip, port), (AF_INET6, ip, port, flowinfo, scopeid),
    (AF_UNIX, path) or (family, data), with ip, path and data as bytes. That is an address again.
    """

def socketpair(af: int = ..., type: int = ..., proto: int = 0, /) -> tuple[socket, socket]:
    """Two sockets that are connected to each other."""

def recv_fds(sock: Any, bufsize: int, maxfds: int, flags: int = 0) -> tuple[bytes, list[int], int, Any]:
    """Receives up to bufsize bytes and maxfds descriptors: (data, descriptors, flags, address)."""

def _socketpair_as(cls: type[_Socket], af: int, type: int, proto: int, /) -> tuple[_Socket, _Socket]:
    """socketpair() of a subclass."""

AF_ALG: int
AF_APPLETALK: int
AF_ASH: int
AF_ATMPVC: int
AF_ATMSVC: int
AF_AX25: int
AF_BLUETOOTH: int
AF_BRIDGE: int
AF_CAIF: int
AF_CAN: int
AF_DECnet: int
AF_ECONET: int
AF_FILE: int
AF_IB: int
AF_IEEE802154: int
AF_INET: int
AF_INET6: int
AF_IPX: int
AF_IRDA: int
AF_ISDN: int
AF_IUCV: int
AF_KCM: int
AF_KEY: int
AF_LLC: int
AF_LOCAL: int
AF_MAX: int
AF_MCTP: int
AF_MPLS: int
AF_NETBEUI: int
AF_NETLINK: int
AF_NETROM: int
AF_NFC: int
AF_PACKET: int
AF_PHONET: int
AF_PPPOX: int
AF_QIPCRTR: int
AF_RDS: int
AF_ROSE: int
AF_ROUTE: int
AF_RXRPC: int
AF_SECURITY: int
AF_SMC: int
AF_SNA: int
AF_TIPC: int
AF_UNIX: int
AF_UNSPEC: int
AF_VSOCK: int
AF_WANPIPE: int
AF_X25: int
AF_XDP: int
AI_ADDRCONFIG: int
AI_ALL: int
AI_CANONIDN: int
AI_CANONNAME: int
AI_IDN: int
AI_IDN_ALLOW_UNASSIGNED: int
AI_IDN_USE_STD3_ASCII_RULES: int
AI_NUMERICHOST: int
AI_NUMERICSERV: int
AI_PASSIVE: int
AI_V4MAPPED: int
EAI_ADDRFAMILY: int
EAI_AGAIN: int
EAI_ALLDONE: int
EAI_BADFLAGS: int
EAI_CANCELED: int
EAI_FAIL: int
EAI_FAMILY: int
EAI_IDN_ENCODE: int
EAI_INPROGRESS: int
EAI_INTR: int
EAI_MEMORY: int
EAI_NODATA: int
EAI_NONAME: int
EAI_NOTCANCELED: int
EAI_OVERFLOW: int
EAI_SERVICE: int
EAI_SOCKTYPE: int
EAI_SYSTEM: int
IPPROTO_AH: int
IPPROTO_BEETPH: int
IPPROTO_COMP: int
IPPROTO_DCCP: int
IPPROTO_DSTOPTS: int
IPPROTO_EGP: int
IPPROTO_ENCAP: int
IPPROTO_ESP: int
IPPROTO_ETHERNET: int
IPPROTO_FRAGMENT: int
IPPROTO_GRE: int
IPPROTO_HOPOPTS: int
IPPROTO_ICMP: int
IPPROTO_ICMPV6: int
IPPROTO_IDP: int
IPPROTO_IGMP: int
IPPROTO_IP: int
IPPROTO_IPIP: int
IPPROTO_IPV6: int
IPPROTO_MAX: int
IPPROTO_MH: int
IPPROTO_MPLS: int
IPPROTO_MPTCP: int
IPPROTO_MTP: int
IPPROTO_NONE: int
IPPROTO_PIM: int
IPPROTO_PUP: int
IPPROTO_RAW: int
IPPROTO_ROUTING: int
IPPROTO_RSVP: int
IPPROTO_SCTP: int
IPPROTO_SEC: int
IPPROTO_TCP: int
IPPROTO_TP: int
IPPROTO_UDP: int
IPPROTO_UDPLITE: int
IPV6_2292DSTOPTS: int
IPV6_2292HOPLIMIT: int
IPV6_2292HOPOPTS: int
IPV6_2292PKTINFO: int
IPV6_2292PKTOPTIONS: int
IPV6_2292RTHDR: int
IPV6_ADDRFORM: int
IPV6_ADDR_PREFERENCES: int
IPV6_ADD_MEMBERSHIP: int
IPV6_AUTHHDR: int
IPV6_AUTOFLOWLABEL: int
IPV6_CHECKSUM: int
IPV6_DONTFRAG: int
IPV6_DROP_MEMBERSHIP: int
IPV6_DSTOPTS: int
IPV6_FREEBIND: int
IPV6_HDRINCL: int
IPV6_HOPLIMIT: int
IPV6_HOPOPTS: int
IPV6_IPSEC_POLICY: int
IPV6_JOIN_ANYCAST: int
IPV6_JOIN_GROUP: int
IPV6_LEAVE_ANYCAST: int
IPV6_LEAVE_GROUP: int
IPV6_MINHOPCOUNT: int
IPV6_MTU: int
IPV6_MTU_DISCOVER: int
IPV6_MULTICAST_ALL: int
IPV6_MULTICAST_HOPS: int
IPV6_MULTICAST_IF: int
IPV6_MULTICAST_LOOP: int
IPV6_NEXTHOP: int
IPV6_ORIGDSTADDR: int
IPV6_PATHMTU: int
IPV6_PKTINFO: int
IPV6_PMTUDISC_DO: int
IPV6_PMTUDISC_DONT: int
IPV6_PMTUDISC_INTERFACE: int
IPV6_PMTUDISC_OMIT: int
IPV6_PMTUDISC_PROBE: int
IPV6_PMTUDISC_WANT: int
IPV6_RECVDSTOPTS: int
IPV6_RECVERR: int
IPV6_RECVERR_RFC4884: int
IPV6_RECVFRAGSIZE: int
IPV6_RECVHOPLIMIT: int
IPV6_RECVHOPOPTS: int
IPV6_RECVORIGDSTADDR: int
IPV6_RECVPATHMTU: int
IPV6_RECVPKTINFO: int
IPV6_RECVRTHDR: int
IPV6_RECVTCLASS: int
IPV6_ROUTER_ALERT: int
IPV6_ROUTER_ALERT_ISOLATE: int
IPV6_RTHDR: int
IPV6_RTHDRDSTOPTS: int
IPV6_RTHDR_LOOSE: int
IPV6_RTHDR_STRICT: int
IPV6_RTHDR_TYPE_0: int
IPV6_RXDSTOPTS: int
IPV6_RXHOPOPTS: int
IPV6_TCLASS: int
IPV6_TRANSPARENT: int
IPV6_UNICAST_HOPS: int
IPV6_UNICAST_IF: int
IPV6_V6ONLY: int
IPV6_XFRM_POLICY: int
IP_ADD_MEMBERSHIP: int
IP_ADD_SOURCE_MEMBERSHIP: int
IP_BIND_ADDRESS_NO_PORT: int
IP_BLOCK_SOURCE: int
IP_CHECKSUM: int
IP_DEFAULT_MULTICAST_LOOP: int
IP_DEFAULT_MULTICAST_TTL: int
IP_DROP_MEMBERSHIP: int
IP_DROP_SOURCE_MEMBERSHIP: int
IP_FREEBIND: int
IP_HDRINCL: int
IP_IPSEC_POLICY: int
IP_LOCAL_PORT_RANGE: int
IP_MAX_MEMBERSHIPS: int
IP_MINTTL: int
IP_MSFILTER: int
IP_MTU: int
IP_MTU_DISCOVER: int
IP_MULTICAST_ALL: int
IP_MULTICAST_IF: int
IP_MULTICAST_LOOP: int
IP_MULTICAST_TTL: int
IP_NODEFRAG: int
IP_OPTIONS: int
IP_ORIGDSTADDR: int
IP_PASSSEC: int
IP_PKTINFO: int
IP_PKTOPTIONS: int
IP_PMTUDISC: int
IP_PMTUDISC_DO: int
IP_PMTUDISC_DONT: int
IP_PMTUDISC_INTERFACE: int
IP_PMTUDISC_OMIT: int
IP_PMTUDISC_PROBE: int
IP_PMTUDISC_WANT: int
IP_PROTOCOL: int
IP_RECVERR: int
IP_RECVERR_RFC4884: int
IP_RECVFRAGSIZE: int
IP_RECVOPTS: int
IP_RECVORIGDSTADDR: int
IP_RECVRETOPTS: int
IP_RECVTOS: int
IP_RECVTTL: int
IP_RETOPTS: int
IP_ROUTER_ALERT: int
IP_TOS: int
IP_TRANSPARENT: int
IP_TTL: int
IP_UNBLOCK_SOURCE: int
IP_UNICAST_IF: int
IP_XFRM_POLICY: int
MSG_BATCH: int
MSG_CMSG_CLOEXEC: int
MSG_CONFIRM: int
MSG_CTRUNC: int
MSG_DONTROUTE: int
MSG_DONTWAIT: int
MSG_EOR: int
MSG_ERRQUEUE: int
MSG_FASTOPEN: int
MSG_FIN: int
MSG_MORE: int
MSG_NOSIGNAL: int
MSG_OOB: int
MSG_PEEK: int
MSG_PROXY: int
MSG_RST: int
MSG_SOCK_DEVMEM: int
MSG_SYN: int
MSG_TRUNC: int
MSG_TRYHARD: int
MSG_WAITALL: int
MSG_WAITFORONE: int
MSG_ZEROCOPY: int
NI_DGRAM: int
NI_IDN: int
NI_IDN_ALLOW_UNASSIGNED: int
NI_IDN_USE_STD3_ASCII_RULES: int
NI_MAXHOST: int
NI_MAXSERV: int
NI_NAMEREQD: int
NI_NOFQDN: int
NI_NUMERICHOST: int
NI_NUMERICSERV: int
SCM_CAN_RAW_ERRQUEUE: int
SCM_CREDENTIALS: int
SCM_J1939_DEST_ADDR: int
SCM_J1939_DEST_NAME: int
SCM_J1939_ERRQUEUE: int
SCM_J1939_PRIO: int
SCM_RIGHTS: int
SCM_TIMESTAMP: int
SCM_TIMESTAMPING: int
SCM_TIMESTAMPING_OPT_STATS: int
SCM_TIMESTAMPING_PKTINFO: int
SCM_TIMESTAMPNS: int
SCM_TXTIME: int
SCM_WIFI_STATUS: int
SHUT_RD: int
SHUT_RDWR: int
SHUT_WR: int
SOCK_BUF_LOCK_MASK: int
SOCK_CLOEXEC: int
SOCK_DCCP: int
SOCK_DGRAM: int
SOCK_NONBLOCK: int
SOCK_PACKET: int
SOCK_RAW: int
SOCK_RCVBUF_LOCK: int
SOCK_RDM: int
SOCK_SEQPACKET: int
SOCK_SNDBUF_LOCK: int
SOCK_STREAM: int
SOCK_TXREHASH_DEFAULT: int
SOCK_TXREHASH_DISABLED: int
SOCK_TXREHASH_ENABLED: int
SOL_AAL: int
SOL_ALG: int
SOL_ATM: int
SOL_BLUETOOTH: int
SOL_CAIF: int
SOL_CAN_BASE: int
SOL_CAN_J1939: int
SOL_CAN_RAW: int
SOL_DCCP: int
SOL_DECNET: int
SOL_ICMPV6: int
SOL_IP: int
SOL_IPV6: int
SOL_IRDA: int
SOL_IUCV: int
SOL_KCM: int
SOL_LLC: int
SOL_MCTP: int
SOL_MPTCP: int
SOL_NETBEUI: int
SOL_NETLINK: int
SOL_NFC: int
SOL_PACKET: int
SOL_PNPIPE: int
SOL_PPPOL2TP: int
SOL_RAW: int
SOL_RDS: int
SOL_RXRPC: int
SOL_SMC: int
SOL_SOCKET: int
SOL_TCP: int
SOL_TIPC: int
SOL_TLS: int
SOL_UDP: int
SOL_VSOCK: int
SOL_X25: int
SOL_XDP: int
SOMAXCONN: int
SO_ACCEPTCONN: int
SO_ATTACH_BPF: int
SO_ATTACH_FILTER: int
SO_ATTACH_REUSEPORT_CBPF: int
SO_ATTACH_REUSEPORT_EBPF: int
SO_BINDTODEVICE: int
SO_BINDTOIFINDEX: int
SO_BPF_EXTENSIONS: int
SO_BROADCAST: int
SO_BSDCOMPAT: int
SO_BUF_LOCK: int
SO_BUSY_POLL: int
SO_BUSY_POLL_BUDGET: int
SO_CNX_ADVICE: int
SO_COOKIE: int
SO_DEBUG: int
SO_DETACH_BPF: int
SO_DETACH_FILTER: int
SO_DETACH_REUSEPORT_BPF: int
SO_DEVMEM_DMABUF: int
SO_DEVMEM_DONTNEED: int
SO_DEVMEM_LINEAR: int
SO_DOMAIN: int
SO_DONTROUTE: int
SO_ERROR: int
SO_GET_FILTER: int
SO_INCOMING_CPU: int
SO_INCOMING_NAPI_ID: int
SO_J1939_ERRQUEUE: int
SO_J1939_FILTER: int
SO_J1939_PROMISC: int
SO_J1939_SEND_PRIO: int
SO_KEEPALIVE: int
SO_LINGER: int
SO_LOCK_FILTER: int
SO_MARK: int
SO_MAX_PACING_RATE: int
SO_MEMINFO: int
SO_NETNS_COOKIE: int
SO_NOFCS: int
SO_NO_CHECK: int
SO_OOBINLINE: int
SO_PASSCRED: int
SO_PASSPIDFD: int
SO_PASSRIGHTS: int
SO_PASSSEC: int
SO_PEEK_OFF: int
SO_PEERCRED: int
SO_PEERGROUPS: int
SO_PEERNAME: int
SO_PEERPIDFD: int
SO_PEERSEC: int
SO_PREFER_BUSY_POLL: int
SO_PRIORITY: int
SO_PROTOCOL: int
SO_RCVBUF: int
SO_RCVBUFFORCE: int
SO_RCVLOWAT: int
SO_RCVMARK: int
SO_RCVPRIORITY: int
SO_RCVTIMEO: int
SO_RCVTIMEO_NEW: int
SO_RCVTIMEO_OLD: int
SO_RESERVE_MEM: int
SO_REUSEADDR: int
SO_REUSEPORT: int
SO_RXQ_OVFL: int
SO_SECURITY_AUTHENTICATION: int
SO_SECURITY_ENCRYPTION_NETWORK: int
SO_SECURITY_ENCRYPTION_TRANSPORT: int
SO_SELECT_ERR_QUEUE: int
SO_SNDBUF: int
SO_SNDBUFFORCE: int
SO_SNDLOWAT: int
SO_SNDTIMEO: int
SO_SNDTIMEO_NEW: int
SO_SNDTIMEO_OLD: int
SO_TIMESTAMP: int
SO_TIMESTAMPING: int
SO_TIMESTAMPING_NEW: int
SO_TIMESTAMPING_OLD: int
SO_TIMESTAMPNS: int
SO_TIMESTAMPNS_NEW: int
SO_TIMESTAMPNS_OLD: int
SO_TIMESTAMP_NEW: int
SO_TIMESTAMP_OLD: int
SO_TXREHASH: int
SO_TXTIME: int
SO_TYPE: int
SO_VM_SOCKETS_BUFFER_MAX_SIZE: int
SO_VM_SOCKETS_BUFFER_MIN_SIZE: int
SO_VM_SOCKETS_BUFFER_SIZE: int
SO_VM_SOCKETS_CONNECT_TIMEOUT: int
SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW: int
SO_VM_SOCKETS_CONNECT_TIMEOUT_OLD: int
SO_VM_SOCKETS_NONBLOCK_TXRX: int
SO_VM_SOCKETS_PEER_HOST_VM_ID: int
SO_VM_SOCKETS_TRUSTED: int
SO_WIFI_STATUS: int
SO_ZEROCOPY: int
TCP_AO_ADD_KEY: int
TCP_AO_DEL_KEY: int
TCP_AO_GET_KEYS: int
TCP_AO_INFO: int
TCP_AO_REPAIR: int
TCP_CA_CWR: int
TCP_CC_INFO: int
TCP_CLOSE: int
TCP_CLOSE_WAIT: int
TCP_CLOSING: int
TCP_CM_INQ: int
TCP_CONGESTION: int
TCP_COOKIE_IN_ALWAYS: int
TCP_COOKIE_MAX: int
TCP_COOKIE_MIN: int
TCP_COOKIE_OUT_NEVER: int
TCP_COOKIE_PAIR_SIZE: int
TCP_COOKIE_TRANSACTIONS: int
TCP_CORK: int
TCP_DEFER_ACCEPT: int
TCP_ESTABLISHED: int
TCP_FASTOPEN: int
TCP_FASTOPEN_CONNECT: int
TCP_FASTOPEN_KEY: int
TCP_FASTOPEN_NO_COOKIE: int
TCP_FIN_WAIT1: int
TCP_FIN_WAIT2: int
TCP_INFO: int
TCP_INQ: int
TCP_IS_MPTCP: int
TCP_KEEPCNT: int
TCP_KEEPIDLE: int
TCP_KEEPINTVL: int
TCP_LAST_ACK: int
TCP_LINGER2: int
TCP_LISTEN: int
TCP_MAXSEG: int
TCP_MAXWIN: int
TCP_MAX_WINSHIFT: int
TCP_MD5SIG: int
TCP_MD5SIG_EXT: int
TCP_MD5SIG_FLAG_PREFIX: int
TCP_MD5SIG_MAXKEYLEN: int
TCP_MSS: int
TCP_MSS_DEFAULT: int
TCP_MSS_DESIRED: int
TCP_NODELAY: int
TCP_NOTSENT_LOWAT: int
TCP_NO_QUEUE: int
TCP_QUEUES_NR: int
TCP_QUEUE_SEQ: int
TCP_QUICKACK: int
TCP_RECV_QUEUE: int
TCP_REPAIR: int
TCP_REPAIR_OFF: int
TCP_REPAIR_OFF_NO_WP: int
TCP_REPAIR_ON: int
TCP_REPAIR_OPTIONS: int
TCP_REPAIR_QUEUE: int
TCP_REPAIR_WINDOW: int
TCP_RTO_MAX_MS: int
TCP_SAVED_SYN: int
TCP_SAVE_SYN: int
TCP_SEND_QUEUE: int
TCP_SYNCNT: int
TCP_SYN_RECV: int
TCP_SYN_SENT: int
TCP_S_DATA_IN: int
TCP_S_DATA_OUT: int
TCP_THIN_DUPACK: int
TCP_THIN_LINEAR_TIMEOUTS: int
TCP_TIMESTAMP: int
TCP_TIME_WAIT: int
TCP_TX_DELAY: int
TCP_ULP: int
TCP_USER_TIMEOUT: int
TCP_WINDOW_CLAMP: int
TCP_ZEROCOPY_RECEIVE: int
UDP_CORK: int
UDP_ENCAP: int
UDP_ENCAP_ESPINUDP: int
UDP_ENCAP_ESPINUDP_NON_IKE: int
UDP_ENCAP_GTP0: int
UDP_ENCAP_GTP1U: int
UDP_ENCAP_L2TPINUDP: int
UDP_GRO: int
UDP_NO_CHECK6_RX: int
UDP_NO_CHECK6_TX: int
UDP_SEGMENT: int

__all__ = [
    "getaddrinfo",
    "inet_ntop",
    "inet_pton",
    "sockaddr",
    "socket",
    "socketpair",
    "AF_ALG",
    "AF_APPLETALK",
    "AF_ASH",
    "AF_ATMPVC",
    "AF_ATMSVC",
    "AF_AX25",
    "AF_BLUETOOTH",
    "AF_BRIDGE",
    "AF_CAIF",
    "AF_CAN",
    "AF_DECnet",
    "AF_ECONET",
    "AF_FILE",
    "AF_IB",
    "AF_IEEE802154",
    "AF_INET",
    "AF_INET6",
    "AF_IPX",
    "AF_IRDA",
    "AF_ISDN",
    "AF_IUCV",
    "AF_KCM",
    "AF_KEY",
    "AF_LLC",
    "AF_LOCAL",
    "AF_MAX",
    "AF_MCTP",
    "AF_MPLS",
    "AF_NETBEUI",
    "AF_NETLINK",
    "AF_NETROM",
    "AF_NFC",
    "AF_PACKET",
    "AF_PHONET",
    "AF_PPPOX",
    "AF_QIPCRTR",
    "AF_RDS",
    "AF_ROSE",
    "AF_ROUTE",
    "AF_RXRPC",
    "AF_SECURITY",
    "AF_SMC",
    "AF_SNA",
    "AF_TIPC",
    "AF_UNIX",
    "AF_UNSPEC",
    "AF_VSOCK",
    "AF_WANPIPE",
    "AF_X25",
    "AF_XDP",
    "AI_ADDRCONFIG",
    "AI_ALL",
    "AI_CANONIDN",
    "AI_CANONNAME",
    "AI_IDN",
    "AI_IDN_ALLOW_UNASSIGNED",
    "AI_IDN_USE_STD3_ASCII_RULES",
    "AI_NUMERICHOST",
    "AI_NUMERICSERV",
    "AI_PASSIVE",
    "AI_V4MAPPED",
    "EAI_ADDRFAMILY",
    "EAI_AGAIN",
    "EAI_ALLDONE",
    "EAI_BADFLAGS",
    "EAI_CANCELED",
    "EAI_FAIL",
    "EAI_FAMILY",
    "EAI_IDN_ENCODE",
    "EAI_INPROGRESS",
    "EAI_INTR",
    "EAI_MEMORY",
    "EAI_NODATA",
    "EAI_NONAME",
    "EAI_NOTCANCELED",
    "EAI_OVERFLOW",
    "EAI_SERVICE",
    "EAI_SOCKTYPE",
    "EAI_SYSTEM",
    "IPPROTO_AH",
    "IPPROTO_BEETPH",
    "IPPROTO_COMP",
    "IPPROTO_DCCP",
    "IPPROTO_DSTOPTS",
    "IPPROTO_EGP",
    "IPPROTO_ENCAP",
    "IPPROTO_ESP",
    "IPPROTO_ETHERNET",
    "IPPROTO_FRAGMENT",
    "IPPROTO_GRE",
    "IPPROTO_HOPOPTS",
    "IPPROTO_ICMP",
    "IPPROTO_ICMPV6",
    "IPPROTO_IDP",
    "IPPROTO_IGMP",
    "IPPROTO_IP",
    "IPPROTO_IPIP",
    "IPPROTO_IPV6",
    "IPPROTO_MAX",
    "IPPROTO_MH",
    "IPPROTO_MPLS",
    "IPPROTO_MPTCP",
    "IPPROTO_MTP",
    "IPPROTO_NONE",
    "IPPROTO_PIM",
    "IPPROTO_PUP",
    "IPPROTO_RAW",
    "IPPROTO_ROUTING",
    "IPPROTO_RSVP",
    "IPPROTO_SCTP",
    "IPPROTO_SEC",
    "IPPROTO_TCP",
    "IPPROTO_TP",
    "IPPROTO_UDP",
    "IPPROTO_UDPLITE",
    "IPV6_2292DSTOPTS",
    "IPV6_2292HOPLIMIT",
    "IPV6_2292HOPOPTS",
    "IPV6_2292PKTINFO",
    "IPV6_2292PKTOPTIONS",
    "IPV6_2292RTHDR",
    "IPV6_ADDRFORM",
    "IPV6_ADDR_PREFERENCES",
    "IPV6_ADD_MEMBERSHIP",
    "IPV6_AUTHHDR",
    "IPV6_AUTOFLOWLABEL",
    "IPV6_CHECKSUM",
    "IPV6_DONTFRAG",
    "IPV6_DROP_MEMBERSHIP",
    "IPV6_DSTOPTS",
    "IPV6_FREEBIND",
    "IPV6_HDRINCL",
    "IPV6_HOPLIMIT",
    "IPV6_HOPOPTS",
    "IPV6_IPSEC_POLICY",
    "IPV6_JOIN_ANYCAST",
    "IPV6_JOIN_GROUP",
    "IPV6_LEAVE_ANYCAST",
    "IPV6_LEAVE_GROUP",
    "IPV6_MINHOPCOUNT",
    "IPV6_MTU",
    "IPV6_MTU_DISCOVER",
    "IPV6_MULTICAST_ALL",
    "IPV6_MULTICAST_HOPS",
    "IPV6_MULTICAST_IF",
    "IPV6_MULTICAST_LOOP",
    "IPV6_NEXTHOP",
    "IPV6_ORIGDSTADDR",
    "IPV6_PATHMTU",
    "IPV6_PKTINFO",
    "IPV6_PMTUDISC_DO",
    "IPV6_PMTUDISC_DONT",
    "IPV6_PMTUDISC_INTERFACE",
    "IPV6_PMTUDISC_OMIT",
    "IPV6_PMTUDISC_PROBE",
    "IPV6_PMTUDISC_WANT",
    "IPV6_RECVDSTOPTS",
    "IPV6_RECVERR",
    "IPV6_RECVERR_RFC4884",
    "IPV6_RECVFRAGSIZE",
    "IPV6_RECVHOPLIMIT",
    "IPV6_RECVHOPOPTS",
    "IPV6_RECVORIGDSTADDR",
    "IPV6_RECVPATHMTU",
    "IPV6_RECVPKTINFO",
    "IPV6_RECVRTHDR",
    "IPV6_RECVTCLASS",
    "IPV6_ROUTER_ALERT",
    "IPV6_ROUTER_ALERT_ISOLATE",
    "IPV6_RTHDR",
    "IPV6_RTHDRDSTOPTS",
    "IPV6_RTHDR_LOOSE",
    "IPV6_RTHDR_STRICT",
    "IPV6_RTHDR_TYPE_0",
    "IPV6_RXDSTOPTS",
    "IPV6_RXHOPOPTS",
    "IPV6_TCLASS",
    "IPV6_TRANSPARENT",
    "IPV6_UNICAST_HOPS",
    "IPV6_UNICAST_IF",
    "IPV6_V6ONLY",
    "IPV6_XFRM_POLICY",
    "IP_ADD_MEMBERSHIP",
    "IP_ADD_SOURCE_MEMBERSHIP",
    "IP_BIND_ADDRESS_NO_PORT",
    "IP_BLOCK_SOURCE",
    "IP_CHECKSUM",
    "IP_DEFAULT_MULTICAST_LOOP",
    "IP_DEFAULT_MULTICAST_TTL",
    "IP_DROP_MEMBERSHIP",
    "IP_DROP_SOURCE_MEMBERSHIP",
    "IP_FREEBIND",
    "IP_HDRINCL",
    "IP_IPSEC_POLICY",
    "IP_MAX_MEMBERSHIPS",
    "IP_MINTTL",
    "IP_MSFILTER",
    "IP_MTU",
    "IP_MTU_DISCOVER",
    "IP_MULTICAST_ALL",
    "IP_MULTICAST_IF",
    "IP_MULTICAST_LOOP",
    "IP_MULTICAST_TTL",
    "IP_NODEFRAG",
    "IP_OPTIONS",
    "IP_ORIGDSTADDR",
    "IP_PASSSEC",
    "IP_PKTINFO",
    "IP_PKTOPTIONS",
    "IP_PMTUDISC",
    "IP_PMTUDISC_DO",
    "IP_PMTUDISC_DONT",
    "IP_PMTUDISC_INTERFACE",
    "IP_PMTUDISC_OMIT",
    "IP_PMTUDISC_PROBE",
    "IP_PMTUDISC_WANT",
    "IP_RECVERR",
    "IP_RECVERR_RFC4884",
    "IP_RECVFRAGSIZE",
    "IP_RECVOPTS",
    "IP_RECVORIGDSTADDR",
    "IP_RECVRETOPTS",
    "IP_RECVTOS",
    "IP_RECVTTL",
    "IP_RETOPTS",
    "IP_ROUTER_ALERT",
    "IP_TOS",
    "IP_TRANSPARENT",
    "IP_TTL",
    "IP_UNBLOCK_SOURCE",
    "IP_UNICAST_IF",
    "IP_XFRM_POLICY",
    "MSG_BATCH",
    "MSG_CMSG_CLOEXEC",
    "MSG_CONFIRM",
    "MSG_CTRUNC",
    "MSG_DONTROUTE",
    "MSG_DONTWAIT",
    "MSG_EOR",
    "MSG_ERRQUEUE",
    "MSG_FASTOPEN",
    "MSG_FIN",
    "MSG_MORE",
    "MSG_NOSIGNAL",
    "MSG_OOB",
    "MSG_PEEK",
    "MSG_PROXY",
    "MSG_RST",
    "MSG_SYN",
    "MSG_TRUNC",
    "MSG_TRYHARD",
    "MSG_WAITALL",
    "MSG_WAITFORONE",
    "MSG_ZEROCOPY",
    "NI_DGRAM",
    "NI_IDN",
    "NI_IDN_ALLOW_UNASSIGNED",
    "NI_IDN_USE_STD3_ASCII_RULES",
    "NI_MAXHOST",
    "NI_MAXSERV",
    "NI_NAMEREQD",
    "NI_NOFQDN",
    "NI_NUMERICHOST",
    "NI_NUMERICSERV",
    "SCM_CAN_RAW_ERRQUEUE",
    "SCM_CREDENTIALS",
    "SCM_J1939_DEST_ADDR",
    "SCM_J1939_DEST_NAME",
    "SCM_J1939_ERRQUEUE",
    "SCM_J1939_PRIO",
    "SCM_RIGHTS",
    "SCM_TIMESTAMP",
    "SCM_TIMESTAMPING",
    "SCM_TIMESTAMPING_OPT_STATS",
    "SCM_TIMESTAMPING_PKTINFO",
    "SCM_TIMESTAMPNS",
    "SCM_TXTIME",
    "SCM_WIFI_STATUS",
    "SHUT_RD",
    "SHUT_RDWR",
    "SHUT_WR",
    "SOCK_BUF_LOCK_MASK",
    "SOCK_CLOEXEC",
    "SOCK_DCCP",
    "SOCK_DGRAM",
    "SOCK_NONBLOCK",
    "SOCK_PACKET",
    "SOCK_RAW",
    "SOCK_RCVBUF_LOCK",
    "SOCK_RDM",
    "SOCK_SEQPACKET",
    "SOCK_SNDBUF_LOCK",
    "SOCK_STREAM",
    "SOCK_TXREHASH_DEFAULT",
    "SOCK_TXREHASH_DISABLED",
    "SOCK_TXREHASH_ENABLED",
    "SOL_AAL",
    "SOL_ALG",
    "SOL_ATM",
    "SOL_BLUETOOTH",
    "SOL_CAIF",
    "SOL_CAN_BASE",
    "SOL_CAN_J1939",
    "SOL_CAN_RAW",
    "SOL_DCCP",
    "SOL_DECNET",
    "SOL_ICMPV6",
    "SOL_IP",
    "SOL_IPV6",
    "SOL_IRDA",
    "SOL_IUCV",
    "SOL_KCM",
    "SOL_LLC",
    "SOL_MCTP",
    "SOL_MPTCP",
    "SOL_NETBEUI",
    "SOL_NETLINK",
    "SOL_NFC",
    "SOL_PACKET",
    "SOL_PNPIPE",
    "SOL_PPPOL2TP",
    "SOL_RAW",
    "SOL_RDS",
    "SOL_RXRPC",
    "SOL_SMC",
    "SOL_SOCKET",
    "SOL_TCP",
    "SOL_TIPC",
    "SOL_TLS",
    "SOL_UDP",
    "SOL_VSOCK",
    "SOL_X25",
    "SOL_XDP",
    "SOMAXCONN",
    "SO_ACCEPTCONN",
    "SO_ATTACH_BPF",
    "SO_ATTACH_FILTER",
    "SO_ATTACH_REUSEPORT_CBPF",
    "SO_ATTACH_REUSEPORT_EBPF",
    "SO_BINDTODEVICE",
    "SO_BINDTOIFINDEX",
    "SO_BPF_EXTENSIONS",
    "SO_BROADCAST",
    "SO_BSDCOMPAT",
    "SO_BUF_LOCK",
    "SO_BUSY_POLL",
    "SO_BUSY_POLL_BUDGET",
    "SO_CNX_ADVICE",
    "SO_COOKIE",
    "SO_DEBUG",
    "SO_DETACH_BPF",
    "SO_DETACH_FILTER",
    "SO_DETACH_REUSEPORT_BPF",
    "SO_DOMAIN",
    "SO_DONTROUTE",
    "SO_ERROR",
    "SO_GET_FILTER",
    "SO_INCOMING_CPU",
    "SO_INCOMING_NAPI_ID",
    "SO_J1939_ERRQUEUE",
    "SO_J1939_FILTER",
    "SO_J1939_PROMISC",
    "SO_J1939_SEND_PRIO",
    "SO_KEEPALIVE",
    "SO_LINGER",
    "SO_LOCK_FILTER",
    "SO_MARK",
    "SO_MAX_PACING_RATE",
    "SO_MEMINFO",
    "SO_NETNS_COOKIE",
    "SO_NOFCS",
    "SO_NO_CHECK",
    "SO_OOBINLINE",
    "SO_PASSCRED",
    "SO_PASSSEC",
    "SO_PEEK_OFF",
    "SO_PEERCRED",
    "SO_PEERGROUPS",
    "SO_PEERNAME",
    "SO_PEERSEC",
    "SO_PREFER_BUSY_POLL",
    "SO_PRIORITY",
    "SO_PROTOCOL",
    "SO_RCVBUF",
    "SO_RCVBUFFORCE",
    "SO_RCVLOWAT",
    "SO_RCVMARK",
    "SO_RCVTIMEO",
    "SO_RCVTIMEO_NEW",
    "SO_RCVTIMEO_OLD",
    "SO_RESERVE_MEM",
    "SO_REUSEADDR",
    "SO_REUSEPORT",
    "SO_RXQ_OVFL",
    "SO_SECURITY_AUTHENTICATION",
    "SO_SECURITY_ENCRYPTION_NETWORK",
    "SO_SECURITY_ENCRYPTION_TRANSPORT",
    "SO_SELECT_ERR_QUEUE",
    "SO_SNDBUF",
    "SO_SNDBUFFORCE",
    "SO_SNDLOWAT",
    "SO_SNDTIMEO",
    "SO_SNDTIMEO_NEW",
    "SO_SNDTIMEO_OLD",
    "SO_TIMESTAMP",
    "SO_TIMESTAMPING",
    "SO_TIMESTAMPING_NEW",
    "SO_TIMESTAMPING_OLD",
    "SO_TIMESTAMPNS",
    "SO_TIMESTAMPNS_NEW",
    "SO_TIMESTAMPNS_OLD",
    "SO_TIMESTAMP_NEW",
    "SO_TIMESTAMP_OLD",
    "SO_TXREHASH",
    "SO_TXTIME",
    "SO_TYPE",
    "SO_VM_SOCKETS_BUFFER_MAX_SIZE",
    "SO_VM_SOCKETS_BUFFER_MIN_SIZE",
    "SO_VM_SOCKETS_BUFFER_SIZE",
    "SO_VM_SOCKETS_CONNECT_TIMEOUT",
    "SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW",
    "SO_VM_SOCKETS_CONNECT_TIMEOUT_OLD",
    "SO_VM_SOCKETS_NONBLOCK_TXRX",
    "SO_VM_SOCKETS_PEER_HOST_VM_ID",
    "SO_VM_SOCKETS_TRUSTED",
    "SO_WIFI_STATUS",
    "SO_ZEROCOPY",
    "TCP_CA_CWR",
    "TCP_CC_INFO",
    "TCP_CLOSE",
    "TCP_CLOSE_WAIT",
    "TCP_CLOSING",
    "TCP_CM_INQ",
    "TCP_CONGESTION",
    "TCP_COOKIE_IN_ALWAYS",
    "TCP_COOKIE_MAX",
    "TCP_COOKIE_MIN",
    "TCP_COOKIE_OUT_NEVER",
    "TCP_COOKIE_PAIR_SIZE",
    "TCP_COOKIE_TRANSACTIONS",
    "TCP_CORK",
    "TCP_DEFER_ACCEPT",
    "TCP_ESTABLISHED",
    "TCP_FASTOPEN",
    "TCP_FASTOPEN_CONNECT",
    "TCP_FASTOPEN_KEY",
    "TCP_FASTOPEN_NO_COOKIE",
    "TCP_FIN_WAIT1",
    "TCP_FIN_WAIT2",
    "TCP_INFO",
    "TCP_INQ",
    "TCP_KEEPCNT",
    "TCP_KEEPIDLE",
    "TCP_KEEPINTVL",
    "TCP_LAST_ACK",
    "TCP_LINGER2",
    "TCP_LISTEN",
    "TCP_MAXSEG",
    "TCP_MAXWIN",
    "TCP_MAX_WINSHIFT",
    "TCP_MD5SIG",
    "TCP_MD5SIG_EXT",
    "TCP_MD5SIG_FLAG_PREFIX",
    "TCP_MD5SIG_MAXKEYLEN",
    "TCP_MSS",
    "TCP_MSS_DEFAULT",
    "TCP_MSS_DESIRED",
    "TCP_NODELAY",
    "TCP_NOTSENT_LOWAT",
    "TCP_NO_QUEUE",
    "TCP_QUEUES_NR",
    "TCP_QUEUE_SEQ",
    "TCP_QUICKACK",
    "TCP_RECV_QUEUE",
    "TCP_REPAIR",
    "TCP_REPAIR_OFF",
    "TCP_REPAIR_OFF_NO_WP",
    "TCP_REPAIR_ON",
    "TCP_REPAIR_OPTIONS",
    "TCP_REPAIR_QUEUE",
    "TCP_REPAIR_WINDOW",
    "TCP_SAVED_SYN",
    "TCP_SAVE_SYN",
    "TCP_SEND_QUEUE",
    "TCP_SYNCNT",
    "TCP_SYN_RECV",
    "TCP_SYN_SENT",
    "TCP_S_DATA_IN",
    "TCP_S_DATA_OUT",
    "TCP_THIN_DUPACK",
    "TCP_THIN_LINEAR_TIMEOUTS",
    "TCP_TIMESTAMP",
    "TCP_TIME_WAIT",
    "TCP_TX_DELAY",
    "TCP_ULP",
    "TCP_USER_TIMEOUT",
    "TCP_WINDOW_CLAMP",
    "TCP_ZEROCOPY_RECEIVE",
    "UDP_CORK",
    "UDP_ENCAP",
    "UDP_ENCAP_ESPINUDP",
    "UDP_ENCAP_ESPINUDP_NON_IKE",
    "UDP_ENCAP_GTP0",
    "UDP_ENCAP_GTP1U",
    "UDP_ENCAP_L2TPINUDP",
    "UDP_GRO",
    "UDP_NO_CHECK6_RX",
    "UDP_NO_CHECK6_TX",
    "UDP_SEGMENT",
]
