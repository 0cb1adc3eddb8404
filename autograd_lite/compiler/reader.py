"""What a compiled function makes of its arguments: points, where they are as expected, or their leaves and numbers."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite import structures
from autograd_lite.compiler.arguments import columns_of, described, leaf_count, plain_points, take_plain
from autograd_lite.compiler.batches import Points
from autograd_lite.compiler.entry import Front
from autograd_lite.compiler.paths import Path
from autograd_lite.primitive import real_number

_NUMBERS = {float, int}


class StructureError(ValueError):
    """Arguments have another structure than those recorded, or arrays have no common shape."""


class Reader(Front):
    """The part of a kernel that reads arguments.

    `batch` is None, 0, or says of each argument 0 (its arrays have a leading axis of points), None (it is shared by all points)
    or "broadcast"; `_places` are what arguments are called in errors, else by their positions.
    """

    function: Callable[..., Any]
    batch: Any
    _paths: list[Path]
    _arguments: tuple[structures.Structure, ...] | None  # as recorded
    _places: tuple[str, ...]

    def _plain(self, args: tuple[Any, ...]) -> Points | None:
        """The points of arguments that are floats and arrays of float64, as recorded; None: they need a closer look."""
        known = self._arguments or ()
        if len(args) != len(known):
            return None
        numbers = array("d")
        columns: list[Any] = []
        batched: list[int] = []
        for i, (x, part) in enumerate(zip(args, known, strict=True)):
            if self._has_points(i, x, len(args)):
                found = plain_points(part, x)
                is_broadcast = self._axis(i, len(args)) == "broadcast"
                if found is None or (columns and len(found) != len(columns[0])) or (is_broadcast and x.ndim != 1):
                    return None
                columns.append(found)
                count = 1 if found.ndim == 1 else found.shape[1]
                batched += [count] * count
            else:
                before = len(numbers)
                if not take_plain(part, x, numbers):
                    return None
                batched += [0] * (len(numbers) - before)
        return Points(numbers, columns, tuple(batched))

    def _has_points(self, i: int, x: Any, count: int) -> bool:
        """Whether an argument is one number a point, or more."""
        axis = self._axis(i, count)
        return axis == "points" or (axis == "broadcast" and type(x) is np.ndarray)

    def _axis(self, i: int, count: int) -> str:
        if not isinstance(self.batch, tuple):
            return "broadcast" if self.batch is None else "points"
        if len(self.batch) != count:
            raise TypeError(f"{self._name}: batch tells of {len(self.batch)} arguments, and {count} were given")
        axis = self.batch[i]
        return "shared" if axis is None else "broadcast" if axis == "broadcast" else "points"

    @property
    def _name(self) -> str:
        return getattr(self.function, "__name__", "the compiled function")

    def _leaves(self, args: tuple[Any, ...]) -> list[Any]:
        """The numbers of the arguments, and arrays with one for each point."""
        known = self._arguments if self._paths else None
        leaves: list[Any] = []
        parts: list[structures.Structure] = []
        for i, x in enumerate(args):
            axis, place = self._axis(i, len(args)), f"{self._name}: {self._argument(i)}"
            if axis == "points":
                columns, part = columns_of(x, place, None if known is None else known[i])
                if known is not None and part != known[i]:
                    raise ValueError(f"{place} has another structure than when the function was recorded: {described(x)}")
                leaves += columns
            elif known is None:
                found, part = structures.flatten(x, arrays=axis == "shared")
                leaves += found
            else:
                part, count = known[i], len(leaves)
                part.read(x, place, leaves)
                if part is not structures.LEAF and isinstance(x, np.ndarray) and np.ndim(leaves[count:][:1]) > 1:
                    raise ValueError(f"{place} is {described(x)}, and was recorded as {part}")
            parts.append(part)
        if known is None:
            self._arguments = tuple(parts)
        return leaves

    def _numbers(self, leaves: list[Any], args: tuple[Any, ...]) -> array[float]:
        """The leaves that are no arrays."""
        single = [x for x in leaves if not isinstance(x, np.ndarray)]
        if set(map(type, single)) <= _NUMBERS:
            try:
                return array("d", single)
            except OverflowError:
                pass  # what follows says where the number is
        numbers = array("d")
        for i, x in enumerate(leaves):
            if isinstance(x, np.ndarray):
                continue
            try:
                numbers.append(real_number(x, "an argument"))
            except (TypeError, ValueError):
                real_number(x, f"{self._name}: {self._place(i, args)}")
                raise
        return numbers

    def _argument(self, i: int) -> str:
        return self._places[i] if self._places else f"argument {i + 1}"

    def _place(self, index: int, args: tuple[Any, ...]) -> str:
        """Which argument the leaf of that index is in."""
        at = 0
        for i, part in enumerate(self._arguments or ()):
            at += leaf_count(part)
            if index < at:
                return self._argument(i) if part is structures.LEAF else f"a number in {self._argument(i)}"
        return f"one of {len(args)} arguments"

    def _common_shape(self, leaves: list[Any], args: tuple[Any, ...]) -> tuple[int, ...]:
        shapes = {i: x.shape for i, x in enumerate(leaves) if isinstance(x, np.ndarray)}
        try:
            return np.broadcast_shapes(*shapes.values())
        except ValueError:
            places = [(self._place(i, args).removeprefix("a number in "), shape) for i, shape in shapes.items()]
            listed = dict.fromkeys([f"{place} has the shape {shape}" for place, shape in places])
            raise StructureError(f"{self._name}: arrays of no common shape: {', '.join(listed)}") from None
