"""Axes of plots: where a number lies between the ends, and round numbers to write beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from autograd_lite.show.text import shorter

FACTOR = 20.0  # of the largest by the smallest number, from which an axis of positive ones is logarithmic


class Axis(NamedTuple):
    """From low to high, linear or logarithmic."""

    low: float
    high: float
    is_log: bool = False

    def share(self, x: float) -> float:
        """How far x lies between the ends, 0 to 1."""
        if self.is_log:
            return (math.log(x) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return (x / 2 - self.low / 2) / (self.high / 2 - self.low / 2)  # halves: the difference may be more than a double holds

    def ticks(self, most: int, whole: bool = False) -> list[tuple[float, str]]:
        """Round numbers on the axis, so many at most, as (share, text); with `whole` only whole ones."""
        if self.is_log and self.high / self.low > 10.0 ** (most / 2):
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            powers = range(first, last + 1, max(1, math.ceil((last - first + 1) / most)))
            marks = [x for x in [float(f"1e{power}") for power in powers] if self.low <= x <= self.high]
        else:
            marks = _decades(self.low, self.high) if self.is_log else _steps(self.low, self.high, most)
        marks = [x for x in marks if not whole or x == round(x)]
        shown = marks[:: max(1, math.ceil(len(marks) / most))]
        return [(self.share(x), shorter(x).replace("-", "−")) for x in shown]


def axis_of(numbers: Iterable[float], margin: float = 0.0, logarithmic: bool = False) -> Axis:
    """An axis on which the numbers that are finite lie, with room beside them; logarithmic, if asked for, where they vary."""
    found = [x for x in numbers if math.isfinite(x)]
    low, high = min(found, default=0.0), max(found, default=1.0)
    if logarithmic and low > 1e-300 and high / FACTOR > low:
        room = (high / low) ** margin if math.isfinite(high / low) else 1.0
        return Axis(low / room, min(high * room, 1e308), is_log=True)
    if high / 2 - low / 2 <= 1e-12 * max(abs(low), abs(high)) or high - low < 1e-290:
        room = max(abs(low), abs(high)) / 2 or 0.5
        room = max(room, 1e-280)
    else:
        room = (high / 2 - low / 2) * 2 * margin if margin else 0.0
    return Axis(max(low - room, -1.7e308), min(high + room, 1.7e308))


def _steps(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten."""
    rough = (high / 2 - low / 2) / most * 2
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10, 20) if power * factor >= rough)
    first = math.ceil(low / step - 1e-9)
    marks = [float(f"{k * step:.12g}") for k in range(first, first + most + 2)]
    return [x for x in marks if low <= x <= high]


def _decades(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [x for k in exponents for x in (float(f"{m}e{k}") for m in (1, 2, 5)) if low <= x <= high]
