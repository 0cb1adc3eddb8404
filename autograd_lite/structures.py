"""Nested lists, tuples, named tuples, dicts and NumPy arrays, taken apart into their leaves and put together again.

NumPy is recognised where the caller has imported it; it is never imported here.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

Rebuild = Callable[[Iterator[Any]], Any]


def is_array(x: Any) -> bool:
    """Whether x is a NumPy array of one dimension or more."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(x, numpy.ndarray) and x.ndim > 0


def flatten(structure: Any) -> tuple[list[Any], Rebuild]:
    """The leaves from left to right, and the function that makes the same structure of as many other leaves.

    An array is rebuilt as an array: of float64 where all its leaves are floats, else of objects. Dicts keep their order.
    """
    leaves: list[Any] = []
    rebuild = _take_apart(structure, leaves)
    return leaves, rebuild


def _take_apart(structure: Any, leaves: list[Any]) -> Rebuild:
    if isinstance(structure, dict):
        keys = list(structure)
        parts = [_take_apart(structure[key], leaves) for key in keys]
        return lambda given: {key: part(given) for key, part in zip(keys, parts, strict=True)}
    if isinstance(structure, (list, tuple)):
        parts = [_take_apart(item, leaves) for item in structure]
        kind = type(structure)
        if hasattr(kind, "_make"):
            return lambda given: kind._make(part(given) for part in parts)
        container: type[Any] = tuple if isinstance(structure, tuple) else list
        return lambda given: container(part(given) for part in parts)
    if is_array(structure):
        items = structure.ravel().tolist()
        leaves.extend(items)
        shape = structure.shape
        return lambda given: _array([next(given) for _ in items], shape)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(structure, numpy.ndarray):
        structure = structure.item()
    leaves.append(structure)
    return next


def _array(items: list[Any], shape: tuple[int, ...]) -> Any:
    """An array of that shape; where the items are arrays of one shape themselves, an array of both shapes."""
    numpy = sys.modules["numpy"]
    if items and all(is_array(item) and item.shape == items[0].shape for item in items):
        return numpy.array(items).reshape(shape + items[0].shape)
    plain = all(type(item) is float for item in items)
    array = numpy.empty(len(items), dtype=float if plain else object)
    array[:] = items
    return array.reshape(shape)
