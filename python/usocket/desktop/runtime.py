"""What code in the devices' dialect calls: operations that take a str where CPython wants bytes, and the like.

They raise nothing themselves: where CPython's own operation would fail, it does, with its own message.
"""

from __future__ import annotations

import errno
import os
import types
from collections.abc import Callable
from typing import Any, TypeVar

_Error = TypeVar("_Error", bound=Exception)

# pytest shows a program's own lines.
__tracebackhide__ = True


def const(value: Any) -> Any:
    return value


def buffer(what: Any) -> Any:
    """A str is as good as its UTF-8."""
    return what.encode() if isinstance(what, str) else what


def argument(function: Any, what: Any) -> Any:
    """What to call memoryview or bytearray with, unless the program has one of its own."""
    return buffer(what) if function in (memoryview, bytearray) else what


def argument_with_encoding(function: Any, what: Any, encoding: Any) -> tuple[Any, ...]:
    """The same for bytearray, where an encoding is given: what is bytes already has no use for it."""
    return (what, encoding) if function is not bytearray or isinstance(what, str) else (what,)


_BYTES: tuple[type[Any], ...] = (bytes, bytearray)  # a class derived from them has methods of its own


def addend(left: Any, right: Any) -> Any:
    """What to add to `left` for `left + right`."""
    return right.encode() if type(right) is str and type(left) in _BYTES else right


def add(left: Any, right: Any) -> Any:
    return left + addend(left, right)


def contains(container: Any, item: Any) -> bool:
    return addend(container, item) in container


def modulo(left: Any, right: Any) -> Any:
    """bytes % anything: a str goes in as its UTF-8, whatever else as its str()."""
    return _formatted(left, right) if type(left) in _BYTES else left % right


def modulo_in_place(left: Any, right: Any) -> Any:
    if type(left) in _BYTES:
        return _formatted(left, right)
    left %= right
    return left


def _formatted(template: Any, values: Any) -> Any:
    result = template.decode("latin-1") % _texts(values)
    return type(template)(result.encode("latin-1"))


def _texts(values: Any) -> Any:
    if isinstance(values, tuple):
        return tuple(map(_text, values))
    if isinstance(values, dict):
        return {(k.decode() if isinstance(k, bytes) else k): _text(v) for k, v in values.items()}
    return _text(values)


class _Text(str):
    """Its bytes as characters, for a template that is bytes; %r shows what it was."""

    shown: str

    def __repr__(self) -> str:
        return self.shown


def _text(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        text = _Text(bytes(value), "latin-1")
    elif isinstance(value, str):
        text = _Text(value.encode(), "latin-1")
    else:
        return value
    text.shown = ascii(value)
    return text


def format_of(owner: Any) -> Any:
    """owner.format, which bytes have on a device."""
    if type(owner) not in _BYTES:
        return owner.format

    def format(*values: Any, **names: Any) -> bytes:
        template = owner.decode("latin-1")
        result: str = template.format(*map(_text, values), **{name: _text(value) for name, value in names.items()})
        return result.encode("latin-1")

    return format


def extend_of(owner: Any) -> Any:
    """owner.extend, which takes a str on a device."""
    if type(owner) is bytearray:
        return lambda what: owner.extend(buffer(what))
    return owner.extend


def from_bytes_of(owner: Any) -> Any:
    """int.from_bytes, which takes a str on a device."""
    if owner is int:
        return lambda what, *order, **named: int.from_bytes(buffer(what), *order, **named)
    return owner.from_bytes


def startswith_of(owner: Any) -> Any:
    """owner.startswith, which takes text and bytes for one another on a device."""
    return _of_either(owner, owner.startswith)


def endswith_of(owner: Any) -> Any:
    return _of_either(owner, owner.endswith)


def _of_either(owner: Any, method: Any) -> Any:
    if type(owner) is str:
        return lambda affix, *limits: method(_every(affix, _decoded), *limits)
    if type(owner) in _BYTES:
        return lambda affix, *limits: method(_every(affix, buffer), *limits)
    return method


def _every(affix: Any, change: Callable[[Any], Any]) -> Any:
    return tuple(map(change, affix)) if isinstance(affix, tuple) else change(affix)


def _decoded(what: Any) -> Any:
    return what.decode() if type(what) in _BYTES else what


def value_of(error: Any) -> Any:
    """error.value: any exception's first argument, on a device."""
    if isinstance(error, BaseException) and not hasattr(error, "value"):
        return error.args[0] if error.args else None
    return error.value


def caught(error: Any) -> Any:
    """An error as the program has it, which has caught or made it: an OSError says its number's name, and has neither a
    text of the system's nor a file. What says more than the system does goes on saying it. Its errno is the first
    argument, whatever that is.
    """
    if not isinstance(error, OSError) or not 1 <= len(error.args) <= 2:
        return error
    number, *text = error.args
    if error.errno is None:
        error.errno = number
    name = errno.errorcode.get(number) if isinstance(number, int) else None
    if name is not None:
        if text == [os.strerror(number)]:
            error.args = (number,)
            text = []
        error.errno, error.strerror = number, ": ".join([name, *map(str, text)])
        del error.filename, error.filename2  # the text ends with them
    return error


def shown_as_its_base(error: type[_Error]) -> type[_Error]:
    """Decorates an error of ours that is a device's and CPython's at once: it is shown as the device's, its first
    base.
    """
    error.__module__ = "builtins"
    error.__name__ = error.__qualname__ = error.__bases__[0].__name__
    return error


_CHANGEABLE: tuple[type[Any], ...] = (dict, type({}.keys()), type({}.values()), type({}.items()), set)


def steps_of(what: Any) -> Any:
    """What a for loop goes through: of a dictionary or a set, what was in it as the loop began."""
    return list(what) if type(what) in _CHANGEABLE else what


_WITHOUT_SPECIAL_NAMES = (str, bytes, bytearray, memoryview, list, tuple, dict, set, frozenset, int, float)


def hasattr_(what: Any, name: str) -> bool:
    """A device's own types do not show their special methods: hasattr("", "__len__") is False there. Its errors have
    a value.
    """
    if type(what) in _WITHOUT_SPECIAL_NAMES and name[:2] == "__" and name != "__class__":
        return False
    if name == "value" and isinstance(what, BaseException):
        return True
    return hasattr(what, name)


# --- Types of @micropython.viper


class _Pointer:
    """Memory as unsigned numbers of so many bits, little-endian; what is stored is cut to that."""

    bits: int

    def __init__(self, what: Any) -> None:
        if isinstance(what, int):
            raise NotImplementedError(
                f"micropython.viper: ptr{self.bits} of an address: a desktop has no registers; see docs/desktop.md"
            )
        self._memory: memoryview = what._memory if isinstance(what, _Pointer) else memoryview(buffer(what)).cast("B")

    def _bytes(self, index: int) -> slice:
        size = self.bits // 8
        if not 0 <= index < len(self._memory) // size:
            raise IndexError(f"ptr{self.bits}: {index} is outside of the buffer")
        return slice(index * size, (index + 1) * size)

    def __getitem__(self, index: int) -> int:
        return int.from_bytes(self._memory[self._bytes(index)], "little")

    def __setitem__(self, index: int, value: int) -> None:
        place = self._bytes(index)
        self._memory[place] = (value % (1 << self.bits)).to_bytes(self.bits // 8, "little")


class ptr8(_Pointer):
    bits = 8


class ptr16(_Pointer):
    bits = 16


class ptr32(_Pointer):
    bits = 32


def uint(value: Any) -> int:
    return int(value) % (1 << 32)


# --- Coroutines: what the loop has for those who compile programs for it.


def awaitable(what: Any) -> Any:
    from usocket.desktop.asyncio.coroutine import awaitable

    return awaitable(what)


def suspend(value: Any) -> Any:
    from usocket.desktop.asyncio.coroutine import suspend

    return suspend(value)


def generators_are_coroutines(code: types.CodeType) -> types.CodeType:
    from usocket.desktop.asyncio.coroutine import generators_are_coroutines

    return generators_are_coroutines(code)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        *(argument, argument_with_encoding, addend, add, contains, modulo, modulo_in_place, steps_of),
        *(format_of, extend_of, from_bytes_of, startswith_of, endswith_of, value_of, caught),
        *(awaitable, suspend, ptr8, ptr16, ptr32, uint),
    )
}
