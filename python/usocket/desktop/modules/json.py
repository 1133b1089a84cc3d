"""json, which writes bytes as text, and reads from and writes to any stream, a socket too."""

from __future__ import annotations

import json as _json
from typing import Any

EXTENDS = "json"


def _text(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode()
    return str(value)


def dumps(value: Any, separators: Any = None, **options: Any) -> str:
    options.setdefault("default", _text)
    return _json.dumps(value, separators=separators, **options)


def dump(value: Any, stream: Any, separators: Any = None, **options: Any) -> None:
    stream.write(dumps(value, separators, **options))


def load(stream: Any) -> Any:
    return _json.loads(stream.read())


__all__ = ["dump", "dumps", "load"]
