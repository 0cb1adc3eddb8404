"""The arguments of a compiled function: their structure, and their arrays as columns of numbers, one a point."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd_lite import structures


def leaf_count(part: structures.Structure) -> int:
    """How many leaves a structure has."""
    match part:
        case structures.Sequence(parts=parts) | structures.Mapping(parts=parts):
            return sum([leaf_count(item) for item in parts])
        case structures.Array(shape=shape):
            return math.prod(shape)
        case _:
            return 1


def place_in(parts: Sequence[structures.Structure], index: int) -> tuple[Any, ...] | None:
    """Where the leaf of that index is: its argument, and the indices and keys that lead to it; None: in an array or nowhere."""
    for i, part in enumerate(parts):
        count = leaf_count(part)
        if index < count:
            if isinstance(part, structures.Leaf):
                return (i,)
            if isinstance(part, structures.Array):
                return None
            inner = place_in(part.parts, index)
            keys = part.keys if isinstance(part, structures.Mapping) else range(len(part.parts))
            return None if inner is None else (i, keys[inner[0]], *inner[1:])
        index -= count
    return None


def columns_of(x: Any, place: str, known: structures.Structure | None = None) -> tuple[list[Any], structures.Structure]:
    """An argument whose arrays have a leading axis of points: its arrays with one number a point, and what it is at one.

    Dicts are taken in the order of keys of a `known` structure.
    """
    leaves, structure = structures.flatten(_ordered(x, known), arrays=False)
    if not any([structures.is_array(leaf) for leaf in leaves]) and structure is not structures.LEAF:
        try:  # points in a list
            leaves, structure = [np.array(x, dtype=np.float64)], structures.LEAF
        except (TypeError, ValueError):
            raise ValueError(
                f"{place} has a leading axis of points (batch): an array, or lists of equal lengths, are needed"
            ) from None
    columns: list[Any] = []
    parts: list[structures.Structure] = []
    for leaf in leaves:
        if not structures.is_array(leaf):
            raise ValueError(f"{place} has a leading axis of points (batch), and holds {described(leaf)}")
        check_array(leaf, place)
        if leaf.ndim == 1:
            columns.append(leaf)
            parts.append(structures.LEAF)
        else:
            columns += list(np.moveaxis(leaf, 0, -1).reshape(math.prod(leaf.shape[1:]), len(leaf)))
            parts.append(structures.Array(leaf.shape[1:]))
    return columns, _with_leaves(structure, iter(parts))


def take_plain(part: structures.Structure, x: Any, numbers: array[float]) -> bool:
    """Append the numbers of an argument of this structure if it holds just floats and arrays of float64; says whether so."""
    match part:
        case structures.Array(shape=shape):
            if type(x) is not np.ndarray or x.dtype != np.float64 or x.shape != shape:
                return False
            numbers.frombytes(x.tobytes())
            return True
        case structures.Mapping(keys=keys, parts=parts):
            return (
                isinstance(x, dict)
                and len(x) == len(keys)
                and all([key in x and take_plain(item, x[key], numbers) for key, item in zip(keys, parts, strict=True)])
            )
        case structures.Sequence(parts=parts, is_flat=is_flat):
            if type(x) not in (list, tuple, part.named_class) or len(x) != len(parts):
                return False
            if not is_flat:
                return all([take_plain(item, y, numbers) for item, y in zip(parts, x, strict=True)])
            if not set(map(type, x)) <= {float}:
                return False
            numbers.extend(x)
            return True
        case _:
            if type(x) is not float:
                return False
            numbers.append(x)
            return True


def plain_points(part: structures.Structure, x: Any) -> Any:
    """An array of float64 with a leading axis of points, and one behind it if there is more than a number a point.

    None if x is something else.
    """
    if type(x) is not np.ndarray or x.dtype != np.float64 or not x.ndim or not len(x):
        return None
    if part is structures.LEAF:
        return np.ascontiguousarray(x) if x.ndim == 1 else None
    if not isinstance(part, structures.Array) or x.shape[1:] != part.shape:
        return None
    return np.ascontiguousarray(x.reshape(len(x), -1))


def check_array(x: Any, place: str) -> None:
    """Raise TypeError for a masked array, a matrix, and others whose arithmetic is not that of arrays."""
    kind = type(x)
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(
            f"{place} is a masked array, and machine code computes at every point: give x.compressed() or x.filled(...)"
        )
    if kind.__mul__ is not np.ndarray.__mul__ or kind.__array_ufunc__ is not np.ndarray.__array_ufunc__:
        raise TypeError(f"{place} is a {kind.__name__}, which has arithmetic of its own: give np.asarray(x)")


def _ordered(x: Any, known: structures.Structure | None) -> Any:
    """The dicts in x with their keys in another order."""
    match known:
        case structures.Mapping(keys=keys, parts=parts) if isinstance(x, dict) and x.keys() == set(keys):
            return {key: _ordered(x[key], part) for key, part in zip(keys, parts, strict=True)}
        case structures.Sequence(parts=parts) if type(x) in (list, tuple) and len(x) == len(parts):
            return type(x)([_ordered(item, part) for item, part in zip(x, parts, strict=True)])
        case _:
            return x


def _with_leaves(structure: structures.Structure, parts: Iterator[structures.Structure]) -> structures.Structure:
    """A structure with others in the places of its leaves."""
    match structure:
        case structures.Sequence(make=make, parts=items):
            new = tuple([_with_leaves(item, parts) for item in items])
            return structures.Sequence(make, new, all([part is structures.LEAF for part in new]))
        case structures.Mapping(like=like, keys=keys, parts=items):
            return structures.Mapping(like, keys, tuple([_with_leaves(item, parts) for item in items]))
        case _:
            return next(parts)


def described(x: Any) -> str:
    """A value in an error."""
    return f"an array of {x.dtype} of shape {x.shape}" if structures.is_array(x) else f"{type(x).__name__} {x!r:.60}"
