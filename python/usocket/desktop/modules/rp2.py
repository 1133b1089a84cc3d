"""rp2: country() and bootsel_button(). The PIO's state machines and DMA are the chip's: using one is an error."""

from __future__ import annotations

from typing import Any

from usocket.desktop.modules.network import country


def bootsel_button() -> int:
    return 0


def _no_pio(*arguments: Any, **options: Any) -> Any:
    raise NotImplementedError("rp2: a desktop has no PIO and no DMA")


asm_pio = PIO = StateMachine = DMA = _no_pio

__all__ = ["DMA", "PIO", "StateMachine", "asm_pio", "bootsel_button", "country"]
