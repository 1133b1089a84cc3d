"""What those are told who look in `usocket` for a name of CPython's socket (NAME-1)."""

from __future__ import annotations

# Where a name has another form here; all others of CPython's are in usocket.compat.
INSTEAD = {
    "error": "errors are OSError",
    "timeout": "a timeout is OSError(ETIMEDOUT)",
    "gaierror": "a name that is not resolved is OSError with a negative errno",
    "herror": "errors are OSError",
    "create_connection": "resolve with getaddrinfo(), then socket() and connect()",
    "create_server": "socket(), bind() and listen()",
    "gethostbyname": "getaddrinfo() resolves names",
    "inet_aton": "inet_pton(AF_INET, text)",
    "inet_ntoa": "inet_ntop(AF_INET, packed)",
}


# What pytest asks a module for that it is given as a plugin: `pytest -p usocket` (DEV-5).
_PYTEST_PLUGINS = ("usocket.pytest_plugin",)


def explain(name: str) -> tuple[str, ...]:
    """The AttributeError of the module, with what would be right."""
    if name == "pytest_plugins":
        return _PYTEST_PLUGINS
    message = f"module 'usocket' has no attribute {name!r}"
    if name in INSTEAD:
        message += f": {INSTEAD[name]}; usocket.compat has CPython's own names"
    raise AttributeError(message, name=name)
