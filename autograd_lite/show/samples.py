"""The points that a classifier is trained on, as pictures have them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any, NamedTuple

from autograd_lite.engine import Value
from autograd_lite.primitive import real_number
from autograd_lite.show.text import shortened, shorter
from autograd_lite.structures import is_array

DRAWN = 1_000  # points of a picture


class Samples(NamedTuple):
    """Rows of inputs, the class of each (0 where there are no labels), and the classes' names, in their order."""

    rows: list[list[float]]
    classes: list[int]
    names: list[str]

    @property
    def drawn(self) -> range:
        """Which of the rows are drawn."""
        return range(0, len(self.rows), max(1, math.ceil(len(self.rows) / DRAWN)))


def samples_of(points: Any, labels: Any) -> Samples | None:
    """Points and labels as they are given; None if there are none.

    Raises TypeError where they are no numbers or no sequences, ValueError where they are not as many as one another.
    """
    if points is None:
        if labels is not None:
            raise ValueError("TrainingView has labels, but no points: TrainingView(model, points, labels)")
        return None
    rows = [_row(row, i) for i, row in enumerate(_listed(points, "points"))]
    if len({len(row) for row in rows}) > 1:
        raise ValueError("TrainingView: the points have different numbers of coordinates")
    if labels is None:
        return Samples(rows, [0] * len(rows), []) if rows else None
    given = [_label(label) for label in _listed(labels, "labels")]
    if len(given) != len(rows):
        raise ValueError(f"TrainingView has {len(rows):,} points and {len(given):,} labels: there is one label for each point")
    kinds = sorted(set(given), key=lambda x: (isinstance(x, str), x))
    position = {kind: i for i, kind in enumerate(kinds)}
    return Samples(rows, [position[x] for x in given], [_name(kind) for kind in kinds]) if rows else None


def _listed(x: Any, what: str) -> list[Any]:
    if is_array(x):
        x = x.tolist()
    if isinstance(x, (str, bytes)) or not isinstance(x, Iterable):
        raise TypeError(f"TrainingView: {what} are a sequence, one item for each point; not {type(x).__name__} {x!r:.60}")
    return list(x)


def _row(row: Any, i: int) -> list[float]:
    items = row if isinstance(row, Sequence) else row.tolist() if is_array(row) else None
    if items is None or isinstance(items, (str, bytes)):
        raise TypeError(f"TrainingView: point {i} is a sequence of numbers, such as (0.5, -1.0); not {row!r:.60}")
    return [_coordinate(x, i) for x in items]


def _coordinate(x: Any, i: int) -> float:
    return x.data if isinstance(x, Value) else real_number(x, f"a coordinate of point {i}")


def _label(label: Any) -> float | str:
    if isinstance(label, Value):
        label = label.data
    if isinstance(label, (str, bytes)):
        return label if isinstance(label, str) else repr(label)
    if isinstance(label, Real) or hasattr(label, "__float__"):
        number = float(label)
        if number == number:
            return number
    raise TypeError(f"TrainingView: a label is a number or a string, not {type(label).__name__} {label!r:.60}")


def _name(kind: float | str) -> str:
    return shortened(kind) if isinstance(kind, str) else shorter(kind).replace("-", "−")
