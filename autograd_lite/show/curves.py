"""Curves of what was noted at every epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from autograd_lite.show.axis import Axis

COLUMNS = 300  # of a curve: of more epochs, those with the smallest and the largest number of each column are drawn


class Curve(NamedTuple):
    """A figure of every epoch as the data of a path, its axis, and where along the picture it was no finite number."""

    path: str
    axis: Axis
    missing: list[float]


def curve_of(numbers: Sequence[float | None], axis: Axis, plot: tuple[float, float, float, float]) -> Curve:
    """A figure of every epoch as a curve in a plot; of many epochs the smallest and the largest of each column are kept."""
    columns = max(1, math.ceil(len(numbers) / COLUMNS))
    pieces: list[str] = []
    missing = []
    is_drawn = False
    for i in _extremes(numbers, columns):
        x, y = curve_point(i, numbers[i], len(numbers), axis, plot)
        if y is not None:
            pieces.append(f"L{x:g} {y:g}" if is_drawn else f"M{x:g} {y:g}h0")  # what stands alone is a dot
        elif numbers[i] is not None:
            missing.append(x)
        is_drawn = y is not None
    return Curve("".join(pieces), axis, missing)


def curve_point(
    i: int, number: float | None, count: int, axis: Axis, plot: tuple[float, float, float, float]
) -> tuple[float, float | None]:
    """Where epoch i of so many lies on a curve, to a tenth of a pixel; no height where there is no finite number."""
    left, top, right, bottom = plot
    x = round(left + (right - left) * i / max(1, count - 1), 1)
    return x, None if number is None or not math.isfinite(number) else round(bottom - (bottom - top) * axis.share(number), 1)


def _extremes(numbers: Sequence[float | None], columns: int) -> list[int]:
    """Of each so many epochs the ones with the smallest and the largest number, and with none, in order."""
    if columns < 3:
        return list(range(len(numbers)))
    kept: set[int] = {len(numbers) - 1}
    for start in range(0, len(numbers), columns):
        block = [(x, i) for i, x in enumerate(numbers[start : start + columns], start) if x is not None and math.isfinite(x)]
        kept |= {min(block)[1], max(block)[1]} if block else {start}
        kept |= set([i for i, x in enumerate(numbers[start : start + columns], start) if x is None or not math.isfinite(x)][:1])
    return sorted(kept)
