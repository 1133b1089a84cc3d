"""pyb: LEDs and pins that remember, a switch that nobody presses, delays, random numbers.

What is connected to a board (UART, I2C, SPI, the accelerometer) is machine's: making one is an error that says so.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, NoReturn

from usocket.desktop import restart
from usocket.desktop.modules import machine
from usocket.desktop.modules.machine import (
    ADC,
    I2C,
    RTC,
    SPI,
    UART,
    _nothing_there,
    disable_irq,
    enable_irq,
    freq,
    unique_id,
)


class Pin(machine.Pin):
    OUT_PP, OUT_OD, AF_PP, AF_OD, PULL_NONE = 1, 17, 2, 18, 0


class Timer(machine.Timer):
    """Gets its rate first, and then what to call."""

    _options: dict[str, Any] = {}

    def init(self, **options: Any) -> None:
        self._options = {**self._options, **options}
        super().init(**self._options)

    def callback(self, function: Callable[[Any], object] | None) -> None:
        self.init(callback=function)


class ExtInt:
    """Calls with the number of its line, when its pin changes."""

    IRQ_RISING, IRQ_FALLING, IRQ_RISING_FALLING = 1, 2, 3

    def __init__(self, pin: Any, mode: int, pull: int, callback: Callable[[int], object]) -> None:
        self._pin, self._mode, self._callback = Pin(pin), mode, callback
        self.enable()

    def line(self) -> int:
        return 0

    def swint(self) -> None:
        self._callback(self.line())

    def enable(self) -> None:
        self._pin.irq(lambda pin: self.swint(), self._mode)

    def disable(self) -> None:
        self._pin.irq(None)


class LED:
    _lit: dict[int, int] = {}

    def __init__(self, id: int) -> None:
        self._id = id

    def on(self) -> None:
        LED._lit[self._id] = 255

    def off(self) -> None:
        LED._lit[self._id] = 0

    def toggle(self) -> None:
        LED._lit[self._id] = 0 if LED._lit.get(self._id) else 255

    def intensity(self, value: int | None = None) -> int | None:
        if value is None:
            return LED._lit.get(self._id, 0)
        LED._lit[self._id] = value
        return None


class Switch:
    """Nobody presses it."""

    def __call__(self) -> bool:
        return False

    value = __call__

    def callback(self, function: Callable[[], object] | None) -> None:
        pass


Accel, DAC, Servo, USB_VCP = map(_nothing_there, ["Accel", "DAC", "Servo", "USB_VCP"])


def delay(ms: int) -> None:
    time.sleep(max(ms, 0) / 1000)


def udelay(us: int) -> None:
    time.sleep(max(us, 0) / 1_000_000)


def millis() -> int:
    return time.monotonic_ns() // 1_000_000 & 0x7FFFFFFF


def micros() -> int:
    return time.monotonic_ns() // 1_000 & 0x7FFFFFFF


def elapsed_millis(start: int) -> int:
    return (millis() - start) & 0x3FFFFFFF


def elapsed_micros(start: int) -> int:
    return (micros() - start) & 0x3FFFFFFF


def rng() -> int:
    return random.getrandbits(30)


def wfi() -> None:
    time.sleep(0.001)


def main(file: str) -> None:
    pass


def country(code: str) -> None:
    pass


def usb_mode(*arguments: Any, **options: Any) -> None:
    pass


def stop() -> None:
    """Sleeps a little, as nothing wakes it up."""
    time.sleep(0.001)


def hard_reset() -> NoReturn:
    restart.end("pyb.hard_reset")


def standby() -> NoReturn:
    """A board begins anew afterwards."""
    restart.end("pyb.standby")


def bootloader() -> NoReturn:
    restart.end("pyb.bootloader")


__all__ = [
    "ADC",
    "I2C",
    "LED",
    "RTC",
    "SPI",
    "UART",
    "Accel",
    "DAC",
    "ExtInt",
    "Pin",
    "Servo",
    "Switch",
    "Timer",
    "USB_VCP",
    "bootloader",
    "country",
    "delay",
    "disable_irq",
    "elapsed_micros",
    "elapsed_millis",
    "enable_irq",
    "freq",
    "hard_reset",
    "main",
    "micros",
    "millis",
    "rng",
    "standby",
    "stop",
    "udelay",
    "unique_id",
    "usb_mode",
    "wfi",
]
