"""What `from usocket.compat import *` brings, to a checker too (COMPAT-1). As user.py, it is not run."""

from typing import Any

from usocket.compat import *  # noqa: F403  # pyright: ignore[reportWildcardImportFromLibrary]


def names() -> list[Any]:
    found = [AF_INET, SOL_SOCKET, SO_REUSEADDR, SHUT_WR, gaierror, timeout, inet_aton, has_ipv6]  # noqa: F405
    with socket(AF_INET, SOCK_STREAM) as sock, create_connection(("localhost", 80)) as other:  # noqa: F405
        return [*found, SocketType, sock.family, other.type, getfqdn, create_server]  # noqa: F405
