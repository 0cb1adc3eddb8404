"""What to do where an array of numbers for points is taken for a vector: remedies that have been tried."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_lite import structures
from autograd_lite.compiler.arguments import columns_of
from autograd_lite.compiler.record import record
from autograd_lite.primitive import real_number

if TYPE_CHECKING:
    from autograd_lite.compiler.calls import Slot
    from autograd_lite.compiler.kernel import Kernel

_MOST = 4  # arrays for which what they hold is found out by trying


def advice(target: Kernel, args: tuple[Any, ...], taken: Sequence[Slot], every: Sequence[Slot]) -> str:
    """A remedy where arrays among the arguments hold no number for each point, after a semicolon; "" where none works.

    `taken` are the arguments that the kernel takes, `every` all that were given: batch= tells of these.
    """
    axes = [target._axis(i, len(args)) for i in range(len(args))]
    arrays = [i for i, x in enumerate(args) if axes[i] == "broadcast" and isinstance(x, np.ndarray) and x.ndim]
    kept = [0 if axis == "points" else None for axis in axes]
    for choice in sorted(itertools.product((0, None), repeat=len(arrays[:_MOST])), key=lambda choice: choice.count(None)):
        rows = [dict(zip(arrays, choice, strict=False)).get(i, axis) for i, axis in enumerate(kept)]
        if 0 in choice and _works(target.function, args, rows):
            return f"; for a point in each row: compile(..., batch={_told(rows, taken, every)})"
    if not arrays or not _works(target.function, args, kept):
        return ""
    what = "one vector" if all([args[i].ndim == 1 for i in arrays]) else "one array"
    remedy = f"; for {what} as it is: compile(..., batch={_told(kept, taken, every)})"
    if _works(target.function, [x.tolist() if i in arrays else x for i, x in enumerate(args)], kept):
        remedy += f", or {_call(target, arrays, taken, every)}"
    return remedy


def _told(axes: list[int | None], taken: Sequence[Slot], every: Sequence[Slot]) -> tuple[int | None, ...]:
    """batch= of all arguments."""
    known = dict(zip(taken, axes, strict=True))
    return tuple([known.get(slot) for slot in every if slot.is_own])


def _call(target: Kernel, arrays: list[int], taken: Sequence[Slot], every: Sequence[Slot]) -> str:
    """A call with lists in the place of arrays."""
    vectors = {taken[i] for i in arrays}
    texts = []
    for slot in every:
        if slot.is_own:
            name = slot.label if isinstance(slot.label, str) else f"x{slot.label + 1}"
            by_name = f"{name}=" if slot.place.endswith("'") else ""
            texts.append(f"{by_name}{name}{'.tolist()' * (slot in vectors)}")
    name = target._name
    return f"{name if name.isidentifier() else 'k'}({', '.join(texts)})"


def _works(function: Callable[..., Any], args: Sequence[Any], axes: list[int | None]) -> bool:
    """Whether the function can be recorded with these arguments, which have a leading axis of points or not."""
    numbers: list[float] = []
    parts: list[structures.Structure] = []
    lengths: set[int] = set()
    try:
        for x, axis in zip(args, axes, strict=True):
            if axis == 0:
                columns, part = columns_of(x, "an argument")
                found = [column[0] for column in columns]
                lengths.update(map(len, columns))
            else:
                found, part = structures.flatten(x)
            numbers += [real_number(y, "an argument") for y in found]
            parts.append(part)
        record(function, numbers, structures.Sequence(tuple, tuple(parts), is_flat=False))
    except Exception:  # noqa: BLE001 -- whatever it is, this is no remedy
        return False
    return len(lengths) <= 1
