"""Nested lists, tuples, named tuples, dicts and NumPy arrays, taken apart into their leaves and put together again.

NumPy is recognised where the caller has imported it; it is never imported here. A NumPy scalar, or an array of no dimensions,
is a leaf like any other number.
"""

import copy
import sys
from collections.abc import Callable, Iterator
from typing import Any

Rebuild = Callable[[Iterator[Any]], Any]


def is_array(x: Any) -> bool:
    """Whether x is a NumPy array of one dimension or more."""
    return _is_any_array(x) and x.ndim > 0


def _is_any_array(x: Any) -> bool:
    return isinstance(x, getattr(sys.modules.get("numpy"), "ndarray", ()))


def flatten(structure: Any) -> tuple[list[Any], Rebuild]:
    """The leaves from left to right, and the function that makes the same structure of as many other leaves.

    Containers are made anew, so whoever changes one in place changes nobody else's. An array is rebuilt as an array: of float64
    where all its new leaves are floats, of both shapes where they are arrays of one shape, else of objects. A dict keeps its
    class, order and keys; a subclass of list or tuple that is not a named tuple becomes a plain one.
    """
    leaves: list[Any] = []
    rebuild = _take_apart(structure, leaves)
    return leaves, rebuild


def _take_apart(structure: Any, leaves: list[Any]) -> Rebuild:
    if isinstance(structure, dict):
        keys = list(structure)
        parts = [_take_apart(structure[key], leaves) for key in keys]
        return lambda given: _dict(structure, keys, [part(given) for part in parts])
    if isinstance(structure, (list, tuple)):
        parts = [_take_apart(item, leaves) for item in structure]
        make = getattr(type(structure), "_make", tuple if isinstance(structure, tuple) else list)
        return lambda given: make([part(given) for part in parts])
    if is_array(structure):
        shape, items = structure.shape, structure.ravel().tolist()
        leaves.extend(items)
        return lambda given: _array([next(given) for _ in items], shape)
    leaves.append(structure.item() if _is_any_array(structure) else structure)
    return next


def _dict(like: dict[Any, Any], keys: list[Any], items: list[Any]) -> dict[Any, Any]:
    # A copy keeps what a subclass knows, such as the default of a defaultdict.
    twin = {} if type(like) is dict else copy.copy(like)
    for key, item in zip(keys, items, strict=True):
        twin[key] = item
    return twin


def _array(items: list[Any], shape: tuple[int, ...]) -> Any:
    numpy = sys.modules["numpy"]
    if items and all([is_array(item) and item.shape == items[0].shape for item in items]):
        return numpy.stack(items).reshape(shape + items[0].shape)
    if all([type(item) is float for item in items]):
        return numpy.array(items, dtype=float).reshape(shape)
    array = numpy.empty(len(items), dtype=object)
    array[:] = items
    return array.reshape(shape)


def leaves_like(vector: Any, structure: Any, role: str) -> list[Any]:
    """The leaves of a vector in the order of the structure's own, matched by position and by key.

    Lists, tuples and arrays (by their first axis) stand for one another. Raises ValueError, beginning with `role`, where
    lengths or keys differ, or a container stands in the place of a leaf or the other way round.
    """
    leaves: list[Any] = []
    _match(vector, structure, role, leaves)
    return leaves


def _match(vector: Any, structure: Any, place: str, leaves: list[Any]) -> None:
    if isinstance(structure, dict):
        if not isinstance(vector, dict) or vector.keys() != structure.keys():
            raise ValueError(f"{place} is {_described(vector)}; a dict with keys {list(structure)!r:.60} is needed")
        for key, item in structure.items():
            _match(vector[key], item, f"{place}[{key!r}]", leaves)
    elif _is_sequence(structure):
        if not _is_sequence(vector) or len(vector) != len(structure):
            raise ValueError(f"{place} is {_described(vector)}; a sequence of length {len(structure)} is needed")
        for i, (part, item) in enumerate(zip(vector, structure, strict=True)):
            _match(part, item, f"{place}[{i}]", leaves)
    elif isinstance(vector, dict) or _is_sequence(vector):
        raise ValueError(f"{place} is {_described(vector)}; a number is needed")
    else:
        leaves.append(vector.item() if _is_any_array(vector) else vector)


def _is_sequence(x: Any) -> bool:
    return isinstance(x, (list, tuple)) or is_array(x)


def _described(x: Any) -> str:
    if isinstance(x, dict):
        return f"a dict with keys {list(x)!r:.60}"
    if is_array(x):
        return f"an array of shape {x.shape}"
    return f"a {type(x).__name__} of length {len(x)}" if _is_sequence(x) else f"{type(x).__name__} {x!r:.60}"
