"""Arrays that are given for results: checked before any is written."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from autograd_lite import structures
from autograd_lite.compiler.arguments import check_array, described


def put(result: Any, out: Any, name: str) -> Any:
    """Write the result into the arrays of `out` and give that.

    Raises ValueError or TypeError, beginning with the function's name, and writes nothing, where an array is read-only, of
    another shape or dtype, or shares memory with another one or with itself.
    """
    targets, structure = structures.flatten(out, arrays=False)
    leaves, own = structures.flatten(result, arrays=False)
    if structure != own:
        raise ValueError(f"{name}: out has another structure than the result, which is {own}")
    if not all([isinstance(source, np.ndarray) for source in leaves]):
        raise ValueError(f"{name}: out takes arrays, and the result is of single numbers")
    for target, source in zip(targets, leaves, strict=True):
        if not isinstance(target, np.ndarray) or target.dtype != np.float64 or target.shape != np.shape(source):
            needed = f"an array of float64 of shape {np.shape(source)}"
            raise ValueError(f"{name}: out holds {described(target)} where the result is {needed}")
        check_array(target, f"{name}: out")
        if not target.flags.writeable:
            raise ValueError(f"{name}: out holds {described(target)} that is read-only")
        if _overlaps_itself(target):
            raise ValueError(f"{name}: out holds {described(target)} of which elements share memory")
    for one, other in itertools.combinations(targets, 2):
        if np.shares_memory(one, other):
            raise ValueError(f"{name}: two arrays of out, {described(one)} and {described(other)}, share memory")
    for target, source in zip(targets, leaves, strict=True):
        target[...] = source
    return out


def _overlaps_itself(x: Any) -> bool:
    """Whether elements may share memory: a step along an axis is not longer than all that lies within it."""
    reach = x.itemsize
    axes = [(abs(stride), length) for stride, length in zip(x.strides, x.shape, strict=True) if length > 1]
    for stride, length in sorted(axes):
        if stride < reach:
            return bool(x.size)
        reach += stride * (length - 1)
    return False
