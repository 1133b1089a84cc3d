"""The frames that a program sees as it walks up its stack: its own and the libraries', none of ours (DEV-5)."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

from usocket.desktop.tracebacks import is_ours


class Frame:
    """A frame of the interpreter's that leads past ours: f_back is the one that has called it as the program sees it.

    Whoever asks for its type, as inspect does, takes it for a frame.
    """

    __slots__ = ("_frame",)

    def __init__(self, frame: Any) -> None:
        object.__setattr__(self, "_frame", frame)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return types.FrameType

    @property
    def f_back(self) -> Any:
        return seen(self._frame.f_back)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._frame, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._frame, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._frame, name)

    def __eq__(self, other: object) -> bool:
        return self._frame is (other._frame if type(other) is Frame else other)

    def __hash__(self) -> int:
        return hash(self._frame)

    def __repr__(self) -> str:
        return repr(self._frame)


def seen(frame: Any) -> Any:
    """The frame itself, or the next up the stack that is none of ours; None: there is none."""
    while frame is not None and is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    return frame if frame is None or type(frame) is Frame else Frame(frame)


def up_from(frame: Any) -> Iterator[Any]:
    frame = seen(frame)
    while frame is not None:
        yield frame
        frame = frame.f_back
