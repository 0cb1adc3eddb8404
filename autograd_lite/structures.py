"""Nested lists, tuples, named tuples, dicts and NumPy arrays, taken apart into their leaves and put together again.

NumPy is recognised where the caller has imported it; it is never imported here. A NumPy scalar, or an array of no dimensions,
is a leaf like any other number.
"""

from __future__ import annotations

import copy
import math
import sys
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias


def is_array(x: Any) -> bool:
    """Whether x is a NumPy array of one dimension or more."""
    return is_any_array(x) and x.ndim > 0


def is_any_array(x: Any) -> bool:
    """Whether x is a NumPy array, perhaps of no dimensions."""
    return isinstance(x, getattr(sys.modules.get("numpy"), "ndarray", ()))


def flatten(structure: Any, arrays: bool = True) -> tuple[list[Any], Structure]:
    """The leaves from left to right, and what makes the same structure of as many other leaves.

    Containers are made anew, so whoever changes one in place changes nobody else's. An array is rebuilt as an array: of float64
    where all its new leaves are floats, of both shapes where they are arrays of one shape, else of objects. A dict keeps its
    class, order and keys; a subclass of list or tuple that is not a named tuple becomes a plain one. Without `arrays` an array
    is a leaf.
    """
    leaves: list[Any] = []
    return leaves, _take_apart(structure, leaves, arrays)


def of_numbers(structure: Structure, numbers: array[float]) -> Any:
    """The structure with these numbers as its leaves; arrays share their memory."""
    return structure.at(numbers, 0)[0]


@dataclass(frozen=True)
class Leaf:
    """A single number, or whatever stands in its place. There is one, `LEAF`."""

    def __reduce__(self) -> str:
        return "LEAF"

    def __str__(self) -> str:
        return "a number"

    def at(self, numbers: array[float], start: int) -> tuple[Any, int]:
        """The structure of numbers from an index on, and the index behind the last of them."""
        return numbers[start], start + 1

    def __call__(self, given: Iterator[Any]) -> Any:
        """The structure with the next of the given leaves."""
        return next(given)

    def of_arrays(self, arrays: Iterator[Any], shape: tuple[int, ...]) -> Any:
        """The structure at points of this shape, of one array for each leaf or array; their own axes are the last."""
        return next(arrays).reshape(shape)

    def read(self, structure: Any, place: str, leaves: list[Any]) -> None:
        """Append the leaves of such a structure. Raises ValueError, beginning with `place`, if it is another one."""
        if isinstance(structure, (list, tuple, dict)):
            raise ValueError(f"{place} is {_described(structure)}; a number is needed")  # noqa: TRY004 -- as other structures
        leaves.append(structure.item() if is_any_array(structure) and structure.ndim == 0 else structure)


@dataclass(frozen=True)
class Sequence:
    """A list, a tuple or a named tuple: `make` puts its parts together."""

    make: Callable[[list[Any]], Any]
    parts: tuple[Structure, ...]
    is_flat: bool

    @property
    def named_class(self) -> type | None:
        """The class of a named tuple."""
        return getattr(self.make, "__self__", None)

    def __str__(self) -> str:
        items = list(dict.fromkeys([str(part) for part in self.parts]))
        kind = "a list" if self.make is list else "a tuple"
        return f"{kind} of {len(self.parts)}" + (f" ({'; '.join(items)})"[:100] if items and items != ["a number"] else "")

    def at(self, numbers: array[float], start: int) -> tuple[Any, int]:
        """The structure of numbers from an index on, and the index behind the last of them."""
        if self.is_flat:
            stop = start + len(self.parts)
            return self.make(numbers[start:stop].tolist()), stop
        items = []
        for part in self.parts:
            item, start = part.at(numbers, start)
            items.append(item)
        return self.make(items), start

    def __call__(self, given: Iterator[Any]) -> Any:
        """The structure with the next of the given leaves."""
        if self.is_flat:
            return self.make(list(islice(given, len(self.parts))))
        return self.make([part(given) for part in self.parts])

    def of_arrays(self, arrays: Iterator[Any], shape: tuple[int, ...]) -> Any:
        """The structure at points of this shape, of one array for each leaf or array; their own axes are the last."""
        return self.make([part.of_arrays(arrays, shape) for part in self.parts])

    def read(self, structure: Any, place: str, leaves: list[Any]) -> None:
        """Append the leaves of such a structure. Raises ValueError, beginning with `place`, if it is another one."""
        if not _is_sequence(structure) or len(structure) != len(self.parts):
            raise ValueError(f"{place} is {_described(structure)}; a sequence of length {len(self.parts)} is needed")
        if hasattr(structure, "_make") and type(structure) is not self.named_class:
            wanted = self.named_class.__name__ if self.named_class else "plain sequence"
            raise ValueError(f"{place} is a {type(structure).__name__}, whose fields are its own; a {wanted} is needed")
        if self.is_flat and not is_array(structure):
            leaves.extend(structure)
            return
        for i, (part, item) in enumerate(zip(self.parts, structure, strict=True)):
            part.read(item, f"{place}[{i}]", leaves)


@dataclass(frozen=True)
class Mapping:
    """A dict with these keys; `like` is an empty one of the same class."""

    like: dict[Any, Any]
    keys: tuple[Any, ...]
    parts: tuple[Structure, ...]

    def __eq__(self, other: object) -> bool:
        """Whether keys and parts are equal, in order; sets tell keys apart as dicts do, also two nodes of equal data."""
        if not isinstance(other, Mapping):
            return NotImplemented
        keys, others = [[{key} for key in mapping.keys] for mapping in (self, other)]
        return self.like == other.like and keys == others and self.parts == other.parts

    __hash__ = None  # type: ignore[assignment]  # a dict has none

    def __str__(self) -> str:
        return f"a dict with keys {list(self.keys)!r:.60}"

    def at(self, numbers: array[float], start: int) -> tuple[Any, int]:
        """The structure of numbers from an index on, and the index behind the last of them."""
        items = []
        for part in self.parts:
            item, start = part.at(numbers, start)
            items.append(item)
        return self._filled(items), start

    def __call__(self, given: Iterator[Any]) -> Any:
        """The structure with the next of the given leaves."""
        return self._filled([part(given) for part in self.parts])

    def _filled(self, items: list[Any]) -> dict[Any, Any]:
        # A copy keeps what a subclass knows, such as the default of a defaultdict.
        twin = {} if type(self.like) is dict else copy.copy(self.like)
        for key, item in zip(self.keys, items, strict=True):
            twin[key] = item
        return twin

    def of_arrays(self, arrays: Iterator[Any], shape: tuple[int, ...]) -> Any:
        """The structure at points of this shape, of one array for each leaf or array; their own axes are the last."""
        return self._filled([part.of_arrays(arrays, shape) for part in self.parts])

    def read(self, structure: Any, place: str, leaves: list[Any]) -> None:
        """Append the leaves of such a structure. Raises ValueError, beginning with `place`, if it is another one."""
        if not isinstance(structure, dict) or structure.keys() != set(self.keys):
            raise ValueError(f"{place} is {_described(structure)}; a dict with keys {list(self.keys)!r:.60} is needed")
        for key, part in zip(self.keys, self.parts, strict=True):
            part.read(structure[key], f"{place}[{key!r}]", leaves)


@dataclass(frozen=True)
class Array:
    """A NumPy array of this shape."""

    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"an array of shape {self.shape}"

    def at(self, numbers: array[float], start: int) -> tuple[Any, int]:
        """The structure of numbers from an index on, and the index behind the last of them."""
        count = math.prod(self.shape)
        flat = sys.modules["numpy"].frombuffer(numbers, dtype=float, count=count, offset=8 * start)
        return flat.reshape(self.shape), start + count

    def __call__(self, given: Iterator[Any]) -> Any:
        """The structure with the next of the given leaves."""
        numpy = sys.modules["numpy"]
        items = list(islice(given, math.prod(self.shape)))
        if items and all([is_array(item) and item.shape == items[0].shape for item in items]):
            return numpy.stack(items).reshape(self.shape + items[0].shape)
        if all([type(item) is float for item in items]):
            return numpy.array(items, dtype=float).reshape(self.shape)
        objects = numpy.empty(len(items), dtype=object)
        objects[:] = items
        return objects.reshape(self.shape)

    def of_arrays(self, arrays: Iterator[Any], shape: tuple[int, ...]) -> Any:
        """The structure at points of this shape, of one array for each leaf or array; their own axes are the last."""
        if not math.prod(self.shape):
            return sys.modules["numpy"].empty(shape + self.shape)
        return next(arrays).reshape(shape + self.shape)

    def read(self, structure: Any, place: str, leaves: list[Any]) -> None:
        """Append the leaves of such a structure. Raises ValueError, beginning with `place`, if it is another one."""
        if not is_array(structure) or structure.shape != self.shape:
            raise ValueError(f"{place} is {_described(structure)}; an array of shape {self.shape} is needed")
        leaves.extend(structure.ravel().tolist())


Structure: TypeAlias = Leaf | Sequence | Mapping | Array
LEAF = Leaf()


def _take_apart(structure: Any, leaves: list[Any], arrays: bool) -> Structure:
    if isinstance(structure, dict):
        parts = tuple([_take_apart(x, leaves, arrays) for x in structure.values()])
        return Mapping(_emptied(structure), tuple(structure), parts)
    if isinstance(structure, (list, tuple)):
        parts = tuple([_take_apart(item, leaves, arrays) for item in structure])
        return Sequence(_maker(structure), parts, all([part is LEAF for part in parts]))
    if arrays and is_array(structure):
        leaves.extend(structure.ravel().tolist())
        return Array(structure.shape)
    leaves.append(structure.item() if is_any_array(structure) and structure.ndim == 0 else structure)
    return LEAF


def _emptied(structure: dict[Any, Any]) -> dict[Any, Any]:
    like = {} if type(structure) is dict else copy.copy(structure)
    like.clear()
    return like


def _maker(structure: list[Any] | tuple[Any, ...]) -> Callable[[list[Any]], Any]:
    return getattr(type(structure), "_make", tuple if isinstance(structure, tuple) else list)


def replaced(structure: Any, kind: type, new: Callable[[Any], Any]) -> Any:
    """The structure with new(x) in the place of each x of a class; what holds none of these stays the same object."""
    if isinstance(structure, kind):
        return new(structure)
    rebuild: Structure
    if isinstance(structure, dict):
        parts, rebuild = tuple(structure.values()), Mapping(_emptied(structure), tuple(structure), (LEAF,) * len(structure))
    elif isinstance(structure, (list, tuple)):
        parts, rebuild = tuple(structure), Sequence(_maker(structure), (LEAF,) * len(structure), is_flat=True)
    elif is_array(structure) and structure.dtype.hasobject:
        parts, rebuild = tuple(structure.ravel().tolist()), Array(structure.shape)
    else:
        return structure
    changed = [replaced(x, kind, new) for x in parts]
    return rebuild(iter(changed)) if any([x is not y for x, y in zip(parts, changed, strict=True)]) else structure


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
        leaves.append(vector.item() if is_any_array(vector) else vector)


def _is_sequence(x: Any) -> bool:
    return isinstance(x, (list, tuple)) or is_array(x)


def _described(x: Any) -> str:
    if isinstance(x, dict):
        return f"a dict with keys {list(x)!r:.60}"
    if is_array(x):
        return f"an array of shape {x.shape}"
    return f"a {type(x).__name__} of length {len(x)}" if _is_sequence(x) else f"{type(x).__name__} {x!r:.60}"
