"""uctypes: structures over memory by address, with scalars, arrays, bit fields and structures inside.

addressof() of bytes and bytearrays, bytes_at(), bytearray_at(), sizeof(). As on a device nothing is checked: what is
written to an address is written. PTR and floats in NATIVE layout follow the desktop's sizes.
"""

from __future__ import annotations

import ctypes as _ctypes
import functools as _functools
import struct as _struct
import sys as _sys
from typing import Any

LITTLE_ENDIAN, BIG_ENDIAN, NATIVE = 0, 1, 2
_TYPES = "UINT8 INT8 UINT16 INT16 UINT32 INT32 UINT64 INT64 BFUINT8 BFINT8 BFUINT16 BFINT16 BFUINT32 BFINT32".split()
_CODES = "BbHhIiQqBbHhIi"
_TYPE_SHIFT, _OFFSET_MASK = 27, (1 << 17) - 1
_BIT_SHIFT, _LENGTH_SHIFT = 17, 22

for _index, _name in enumerate(_TYPES):
    globals()[_name] = _index << _TYPE_SHIFT
_UINT8 = 0
FLOAT32, FLOAT64 = 14 << _TYPE_SHIFT, 15 << _TYPE_SHIFT
VOID = 0
ARRAY, PTR = 1 << 31, 1 << 32
BF_POS, BF_LEN = _BIT_SHIFT, _LENGTH_SHIFT


class _Buffer(_ctypes.Structure):
    """CPython's Py_buffer."""

    _fields_ = [
        ("buf", _ctypes.c_void_p),
        ("obj", _ctypes.py_object),
        *((name, _ctypes.c_ssize_t) for name in ("len", "itemsize")),
        *((name, _ctypes.c_int) for name in ("readonly", "ndim")),
        *((name, _ctypes.c_void_p) for name in ("format", "shape", "strides", "suboffsets", "internal")),
    ]


def addressof(what: Any) -> int:
    """The address of the bytes, whether or not they may be written to."""
    if isinstance(what, struct):
        return what._address
    buffer = _Buffer()
    _ctypes.pythonapi.PyObject_GetBuffer(_ctypes.py_object(what), _ctypes.byref(buffer), 0)
    address = buffer.buf
    _ctypes.pythonapi.PyBuffer_Release(_ctypes.byref(buffer))
    return address or 0


def bytes_at(address: int, size: int) -> bytes:
    return _ctypes.string_at(address, size)


def bytearray_at(address: int, size: int) -> Any:
    return memoryview((_ctypes.c_ubyte * size).from_address(address)).cast("B")


class struct:
    """The structure that the descriptor describes, at that address: its fields, and as a buffer all of its bytes."""

    _address: int
    _descriptor: Any
    _layout: int

    def __new__(cls, *args: Any, **named: Any) -> struct:
        if cls.__init__ is not struct.__init__:
            return super().__new__(cls)  # whose arguments are its own: what it describes is not known yet
        return cls._lend(*args, **named)

    @classmethod
    def _lend(cls, address: int, descriptor: Any, layout: int = NATIVE) -> struct:
        kind: Any = cls
        made: struct = _memory(kind, _size(descriptor)).from_address(address)
        return made

    def __init__(self, address: int, descriptor: Any, layout: int = NATIVE) -> None:
        self.__dict__.update(_address=address, _descriptor=descriptor, _layout=layout)

    def __getattr__(self, name: str) -> Any:
        if name not in self._descriptor:
            raise AttributeError(name)
        return _read(self._address, self._descriptor[name], self._layout)

    def __setattr__(self, name: str, value: Any) -> None:
        kind = self._descriptor[name]
        if isinstance(kind, tuple):
            raise TypeError(f"uctypes: {name} is not a scalar: set its parts")
        _write(self._address, kind, self._layout, value)


@_functools.cache
def _memory(kind: Any, size: int) -> Any:
    """An array of ctypes has its bytes to lend; a class of Python's own has none before CPython 3.12."""
    return type(kind.__name__, (kind, _ctypes.c_ubyte * size), {})


class _Array:
    def __init__(self, address: int, item: Any, count: int, layout: int) -> None:
        self._address, self._item, self._count, self._layout = address, item, count, layout

    def __len__(self) -> int:
        return self._count

    def _at(self, index: int) -> int:
        if not 0 <= index < self._count:
            raise IndexError("struct: index out of range")
        return self._address + index * _size(self._item)

    def __getitem__(self, index: int) -> Any:
        if isinstance(self._item, dict):
            return struct(self._at(index), self._item, self._layout)
        return _read(self._at(index), self._item, self._layout)

    def __setitem__(self, index: int, value: Any) -> None:
        _write(self._at(index), self._item, self._layout, value)


def _code(kind: int, layout: int) -> str:
    index = kind >> _TYPE_SHIFT & 15
    order = {LITTLE_ENDIAN: "<", BIG_ENDIAN: ">"}.get(layout, "<" if _sys.byteorder == "little" else ">")
    return order + (_CODES + "fd")[index]


def _is_bits(kind: int) -> bool:
    return 8 <= (kind >> _TYPE_SHIFT & 15) <= 13


def _read(address: int, kind: Any, layout: int) -> Any:
    if isinstance(kind, tuple):
        address += kind[0] & _OFFSET_MASK
        if isinstance(kind[1], dict):
            return struct(address, kind[1], layout)
        item = kind[2] if len(kind) > 2 else kind[1] & ~_OFFSET_MASK
        if item == _UINT8:
            return bytearray_at(address, kind[1] & _OFFSET_MASK)
        return _Array(address, item, kind[1] & _OFFSET_MASK, layout)
    code = _code(kind, layout)
    value = _struct.unpack(code, bytes_at(address + (kind & _OFFSET_MASK), _struct.calcsize(code)))[0]
    if _is_bits(kind):
        value = value >> (kind >> _BIT_SHIFT & 31) & ((1 << (kind >> _LENGTH_SHIFT & 31)) - 1)
    return value


def _write(address: int, kind: int, layout: int, value: Any) -> None:
    code = _code(kind, layout)
    at = address + (kind & _OFFSET_MASK)
    if _is_bits(kind):
        before = _struct.unpack(code, bytes_at(at, _struct.calcsize(code)))[0]
        mask = ((1 << (kind >> _LENGTH_SHIFT & 31)) - 1) << (kind >> _BIT_SHIFT & 31)
        value = before & ~mask | value << (kind >> _BIT_SHIFT & 31) & mask
    size = _struct.calcsize(code)
    if code[1] not in "fd":
        value = (value & ((1 << 8 * size) - 1)).to_bytes(size, "big" if code[0] == ">" else "little")
    else:
        value = _struct.pack(code, value)
    _ctypes.memmove(at, value, size)


def _size(kind: Any) -> int:
    if isinstance(kind, dict):
        return max((_end(part) for part in kind.values()), default=0)
    if isinstance(kind, tuple):
        return int(_end(kind) - (kind[0] & _OFFSET_MASK))
    return _struct.calcsize(_code(kind, LITTLE_ENDIAN))


def _end(kind: Any) -> int:
    if not isinstance(kind, tuple):
        return int((kind & _OFFSET_MASK) + _size(kind))
    offset = kind[0] & _OFFSET_MASK
    if isinstance(kind[1], dict):
        return int(offset + _size(kind[1]))
    item = kind[2] if len(kind) > 2 else kind[1] & ~_OFFSET_MASK
    return int(offset + (kind[1] & _OFFSET_MASK) * _size(item))


def sizeof(what: Any, layout: int = NATIVE) -> int:
    return _size(what._descriptor if isinstance(what, struct) else what)


__all__ = [name for name in dir() if name[0] != "_" and name not in ("Any", "annotations")]
