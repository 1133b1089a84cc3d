"""neopixel: LEDs that remember their colours, as a pin remembers its value; write() shows them to nobody."""

from __future__ import annotations

from typing import Any


class NeoPixel:
    ORDER = (1, 0, 2, 3)

    def __init__(self, pin: Any, n: int, bpp: int = 3, timing: Any = 1) -> None:
        self.pin, self.n, self.bpp = pin, n, bpp
        self.buf = bytearray(n * bpp)  # as it goes out: green comes first

    def __len__(self) -> int:
        return self.n

    def __setitem__(self, i: int, colour: Any) -> None:
        for part in range(self.bpp):
            self.buf[i * self.bpp + self.ORDER[part]] = colour[part]

    def __getitem__(self, i: int) -> tuple[int, ...]:
        return tuple(self.buf[i * self.bpp + self.ORDER[part]] for part in range(self.bpp))

    def fill(self, colour: Any) -> None:
        for i in range(self.n):
            self[i] = colour

    def write(self) -> None:
        pass


__all__ = ["NeoPixel"]
