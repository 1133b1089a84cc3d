"""machine: pins that remember, timers that tick, a clock, a watchdog that watches nothing.

Pin and Signal keep the value that they are given; a pin that the program itself sets calls its irq(). Timer calls its
callback on the main thread. ADC reads 0, PWM remembers. RTC tells the desktop's time and keeps what it is told beside
it. idle() and lightsleep() sleep a little; reset(), soft_reset(), deepsleep() and bootloader() end the program, with a
line on stderr. UART, I2C and SPI have nothing at their other end: making one is an error that says so.
"""

from __future__ import annotations

import datetime
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, NoReturn

from usocket.desktop import restart
from usocket.desktop import schedule as schedule_
from usocket.desktop.runtime import buffer as _as_bytes

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET, BROWN_OUT_RESET = 1, 2, 3, 4, 5, 6
IDLE, SLEEP, DEEPSLEEP = 1, 2, 4
WLAN_WAKE, PIN_WAKE, RTC_WAKE = 1, 2, 4
EXT0_WAKE, EXT1_WAKE, TIMER_WAKE, TOUCHPAD_WAKE, ULP_WAKE = 2, 3, 4, 5, 6


class _Named:
    """Pin.board and Pin.cpu: pins as attributes, of any name."""

    def __getattr__(self, name: str) -> Pin:
        if name.startswith("__"):
            raise AttributeError(name)
        return Pin(name)


class Pin:
    """A pin by number or name; the same pin, the same value."""

    board = cpu = _Named()

    IN, OUT, OPEN_DRAIN, ALT, ANALOG = 0, 1, 2, 3, 4
    PULL_UP, PULL_DOWN, PULL_HOLD = 1, 2, 4
    IRQ_RISING, IRQ_FALLING, IRQ_LOW_LEVEL, IRQ_HIGH_LEVEL = 1, 2, 4, 8
    DRIVE_0, DRIVE_1, DRIVE_2, DRIVE_3 = 0, 1, 2, 3

    _values: dict[Any, int] = {}
    _handlers: dict[Any, tuple[Callable[[Any], object], int]] = {}

    def __init__(self, id: Any, mode: int = -1, pull: int = -1, *, value: Any = None, **options: Any) -> None:
        self._id: Any = id._id if isinstance(id, Pin) else id
        if mode != -1 or value is not None:
            self.init(mode, pull, value=value)

    def init(self, mode: int = -1, pull: int = -1, *, value: Any = None, **options: Any) -> None:
        if value is not None:
            self.value(value)
        elif pull == Pin.PULL_UP:
            Pin._values.setdefault(self._id, 1)

    def value(self, value: Any = None) -> int | None:
        before = Pin._values.get(self._id, 0)
        if value is None:
            return before
        after = Pin._values[self._id] = int(bool(value))
        handler, trigger = Pin._handlers.get(self._id, (None, 0))
        if handler is not None and before != after and trigger & (Pin.IRQ_RISING if after else Pin.IRQ_FALLING):
            schedule_.schedule(handler, self)
        return None

    __call__ = value

    def on(self) -> None:
        self.value(1)

    def off(self) -> None:
        self.value(0)

    high, low = on, off

    def toggle(self) -> None:
        self.value(not self.value())

    def mode(self, mode: int | None = None) -> int | None:
        return Pin.OUT if mode is None else None

    def pull(self, pull: int | None = None) -> int | None:
        return None

    def irq(self, handler: Callable[[Any], object] | None = None, trigger: int = 3, **options: Any) -> Pin:
        if handler is None:
            Pin._handlers.pop(self._id, None)
        else:
            Pin._handlers[self._id] = handler, trigger
        return self

    def __repr__(self) -> str:
        return f"Pin({self._id})"


class Signal:
    """A pin, or its inverse."""

    def __init__(self, pin: Any, *arguments: Any, invert: bool = False, **options: Any) -> None:
        self._pin = pin if isinstance(pin, Pin) else Pin(pin, *arguments, **options)
        self._invert = invert

    def value(self, value: Any = None) -> int | None:
        if value is None:
            return int(bool(self._pin.value()) != self._invert)
        return self._pin.value(bool(value) != self._invert)

    __call__ = value

    def on(self) -> None:
        self.value(1)

    def off(self) -> None:
        self.value(0)


class Timer:
    """Calls its callback with itself, once or again and again, on the main thread."""

    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, id: int = -1, *arguments: Any, **options: Any) -> None:
        self._stop: threading.Event | None = None
        self._begun = time.monotonic()
        if options:
            self.init(*arguments, **options)

    def init(
        self,
        *,
        mode: int = PERIODIC,
        period: float = -1,
        freq: float = -1,
        callback: Callable[[Any], object] | None = None,
        **options: Any,
    ) -> None:
        self.deinit()
        self._begun = time.monotonic()
        if callback is None:
            return
        seconds = 1 / freq if freq > 0 else period / 1000
        stop = self._stop = threading.Event()
        threading.Thread(
            target=self._tick, args=(stop, seconds, mode == Timer.PERIODIC, callback), name="timer", daemon=True
        ).start()

    def _tick(
        self, stop: threading.Event, seconds: float, is_periodic: bool, callback: Callable[[Any], object]
    ) -> None:
        due = time.monotonic() + seconds
        while not stop.wait(max(due - time.monotonic(), 0)):
            schedule_.schedule(lambda timer: stop.is_set() or callback(timer), self)
            if not is_periodic:
                return
            due = max(due + seconds, time.monotonic())

    def value(self) -> int:
        """The milliseconds since init()."""
        return int((time.monotonic() - self._begun) * 1000)

    def deinit(self) -> None:
        if self._stop is not None:
            self._stop.set()
            self._stop = None


class ADC:
    """Reads 0."""

    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3
    WIDTH_9BIT, WIDTH_10BIT, WIDTH_11BIT, WIDTH_12BIT = 0, 1, 2, 3
    CORE_TEMP, CORE_VREF, CORE_VBAT = 16, 17, 18

    def __init__(self, id: Any, **options: Any) -> None:
        self._id = id

    def read(self) -> int:
        return 0

    def read_u16(self) -> int:
        return 0

    def read_uv(self) -> int:
        return 0

    def atten(self, attenuation: int) -> None:
        pass

    def width(self, width: int) -> None:
        pass


class PWM:
    """Remembers its frequency and its duty."""

    def __init__(self, pin: Any, freq: int = 1000, duty: int = 0, **options: Any) -> None:
        self._freq = freq
        self._duty: int = options.get("duty_u16", duty)

    def freq(self, value: int | None = None) -> int | None:
        if value is None:
            return self._freq
        self._freq = value
        return None

    def duty(self, value: int | None = None) -> int | None:
        if value is None:
            return self._duty
        self._duty = value
        return None

    duty_u16 = duty_ns = duty

    def init(self, **options: Any) -> None:
        self._freq = options.get("freq", self._freq)

    def deinit(self) -> None:
        pass


class RTC:
    """The desktop's time, moved by as much as the program sets it; the desktop's own is left alone."""

    ALARM0 = 0
    _offset = datetime.timedelta()
    _memory = b""

    def __init__(self, id: int = 0, *arguments: Any, **options: Any) -> None:
        pass

    def datetime(self, date: Any = None) -> tuple[int, ...] | None:
        """(year, month, day, weekday, hours, minutes, seconds, subseconds)."""
        if date is not None:
            year, month, day, _, hours, minutes, seconds = map(int, date[:7])
            set_ = datetime.datetime(year, month, day, hours, minutes, seconds)
            RTC._offset = set_ - datetime.datetime.now()
            return None
        now = datetime.datetime.now() + RTC._offset
        return now.year, now.month, now.day, now.weekday(), now.hour, now.minute, now.second, now.microsecond

    def init(self, date: Any = None) -> None:
        if date is not None:
            year, month, day, *rest = date
            self.datetime((year, month, day, 0, *([*rest, 0, 0, 0][:3])))

    def now(self) -> tuple[int, ...]:
        now = datetime.datetime.now() + RTC._offset
        return now.year, now.month, now.day, now.hour, now.minute, now.second, now.microsecond, 0

    def memory(self, data: Any = None) -> bytes | None:
        if data is None:
            return RTC._memory
        RTC._memory = bytes(_as_bytes(data))
        return None

    def irq(self, **options: Any) -> None:
        pass

    def alarm(self, *arguments: Any, **options: Any) -> None:
        pass


class WDT:
    """Watches nothing: a desktop's program may stop in a debugger."""

    def __init__(self, id: int = 0, timeout: int = 5000) -> None:
        pass

    def feed(self) -> None:
        pass


def _nothing_there(name: str) -> type:
    def __init__(self: Any, *arguments: Any, **options: Any) -> None:
        raise OSError(19, f"machine.{name}: nothing is connected to a desktop's; replace the driver for the test")

    return type(name, (), {"__init__": __init__, "__doc__": "Has nothing at its other end: cannot be made."})


UART, I2C, SoftI2C, SPI, SoftSPI, I2S, CAN, SDCard, DAC, TouchPad = map(
    _nothing_there, ["UART", "I2C", "SoftI2C", "SPI", "SoftSPI", "I2S", "CAN", "SDCard", "DAC", "TouchPad"]
)


def unique_id() -> bytes:
    """Of the desktop, the same each time."""
    return uuid.getnode().to_bytes(6, "big")


def freq(hertz: int | None = None, *rest: int) -> int | None:
    return 240_000_000 if hertz is None else None


def reset() -> NoReturn:
    """Ends the program, from another thread too."""
    restart.end("machine.reset")


def soft_reset() -> NoReturn:
    restart.end("machine.soft_reset")


def bootloader(*arguments: Any) -> NoReturn:
    restart.end("machine.bootloader")


def deepsleep(time_ms: int | None = None) -> NoReturn:
    """A board begins anew afterwards."""
    restart.end("machine.deepsleep")


def lightsleep(time_ms: int | None = None) -> None:
    time.sleep(0.001 if time_ms is None else time_ms / 1000)


sleep = lightsleep


def idle() -> None:
    time.sleep(0.001)


def reset_cause() -> int:
    return PWRON_RESET


def wake_reason() -> int:
    return 0


def disable_irq() -> int:
    """Callbacks wait until enable_irq()."""
    return schedule_.hold()


def enable_irq(state: int = 0) -> None:
    schedule_.release(int(state))


def time_pulse_us(pin: Any, level: int, timeout_us: int = 1_000_000) -> int:
    return -2  # no pulse began


def rng() -> int:
    import random

    return random.getrandbits(24)


__all__ = [
    name
    for name in dir()
    if name[0] != "_"
    and name not in "Any Callable NoReturn annotations datetime restart schedule_ threading time uuid".split()
]
