"""Every constant, of CPython's module and of ours (NAME-3), whose names checkers have from the stub."""

import socket as _standard

from usocket import _usocket

_both = [(module, name) for module in (_usocket, _standard) for name in module.__all__]
_values = {name: getattr(module, name) for module, name in _both}  # CPython's members of enumerations take precedence
_constants = {
    name: value for name, value in _values.items() if isinstance(value, int | str) and not isinstance(value, bool)
}
globals().update(_constants)
_names = list(_constants)
