"""The points of a batch, and the arrays that results at them go into; in both, points are along the first axis."""

from __future__ import annotations

import itertools
import math
import warnings
from array import array
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite import structures
from autograd_lite.compiler.memory import empty
from autograd_lite.compiler.record import record


class Points:
    """The points of a batch: the numbers they share, and contiguous arrays with the others.

    `batched` says of each input how many columns its array has: 0 if it is shared, 1 for an array of one axis, and of an array
    with several columns the same for all of them, which follow one another.
    """

    def __init__(self, shared: array[float], columns: list[Any], batched: tuple[int, ...]) -> None:
        self.shared, self.columns, self.batched = shared, columns, batched
        self.count = len(columns[0]) if columns else 0

    def at(self, index: int) -> list[float]:
        """The numbers of one point."""
        shared = iter(self.shared)
        own = itertools.chain.from_iterable([column[index : index + 1].reshape(-1).tolist() for column in self.columns])
        return [next(own) if count else next(shared) for count in self.batched]

    def only(self, indices: Any) -> Points:
        """Some of the points."""
        return Points(self.shared, [column[indices] for column in self.columns], self.batched)

    def filled(self, width: int) -> list[Any]:
        """The arrays, filled up with the last point to so many."""
        return [np.concatenate([x, np.repeat(x[-1:], width - self.count, axis=0)]) for x in self.columns]


def placed(structure: structures.Structure) -> tuple[int, ...]:
    """Of each number of a result how many columns the array has that it goes into: its own, or that of its array's numbers."""
    match structure:
        case structures.Sequence(parts=parts) | structures.Mapping(parts=parts):
            return tuple(itertools.chain.from_iterable([placed(part) for part in parts]))
        case structures.Array(shape=shape):
            return (math.prod(shape),) * math.prod(shape)
        case _:
            return (1,)


class Results:
    """Room for results at so many points: contiguous arrays, of one axis or with columns; `placed` is as above."""

    def __init__(self, placed: Sequence[int], count: int, arrays: list[Any] | None = None) -> None:
        self.placed = placed
        if arrays is None:
            arrays, start = [], 0
            while start < len(placed):
                arrays.append(empty((count,) if placed[start] == 1 else (count, placed[start])))
                start += placed[start]
        self.arrays = arrays

    @property
    def numbers(self) -> list[Any]:
        """An array for each number of the result, which shares memory with these."""
        return [x if x.ndim == 1 else x[:, i] for x in self.arrays for i in range(1 if x.ndim == 1 else x.shape[1])]

    def put(self, chosen: Any, found: Results, some: Any = slice(None)) -> None:
        """Have what was found, or some of it, at the chosen points."""
        for target, source in zip(self.arrays, found.arrays, strict=True):
            target[chosen] = source[some]

    def put_point(self, index: int, numbers: Sequence[float]) -> None:
        """Have these numbers at one point."""
        for target, number in zip(self.numbers, numbers, strict=True):
            target[index] = number


def result_at_some_point(
    f: Callable[..., Any], numbers: Sequence[float | None], arguments: structures.Structure
) -> structures.Structure:
    """The structure of f's result, where no point is given: that at the first of a few made-up ones where f raises nothing.

    None stands for a number of the point. Results of a compiled function have one structure at all points. Raises what f raises
    at the last one.
    """
    *others, last = 1.0, 0.5, 0.0, -1.0, math.nan
    for number in others:
        try:
            return record(f, [number if x is None else x for x in numbers], arguments).result
        except (ArithmeticError, ValueError):  # the point is outside of f's domain
            continue
    return record(f, [last if x is None else x for x in numbers], arguments).result


def result_without_points(structure: structures.Structure, shape: tuple[int, ...], reduce: str | None, name: str) -> Any:
    """Empty arrays of this shape, 0.0 for sums, or nan for means, with the warning that NumPy gives for these."""
    if reduce is None:
        return structure.of_arrays(itertools.repeat(np.empty(0)), shape)
    if reduce == "mean":
        warnings.warn(f"{name}: the mean of no points is nan", RuntimeWarning, stacklevel=5)
    return structures.of_numbers(structure, array("d", [0.0 if reduce == "sum" else math.nan] * len(placed(structure))))
