"""The instructions and guards of programs: immutable sequences of tuples, kept as arrays of whole numbers.

So an instruction with two operands takes 16 bytes; its tuple is made where it is asked for.
"""

from __future__ import annotations

import operator
from abc import abstractmethod
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar, overload

from autograd_lite.primitive import Primitive

T = TypeVar("T")


class Instruction(NamedTuple):
    """A primitive applied to the numbers at these places."""

    primitive: Primitive
    operands: tuple[int, ...]


class Guard(NamedTuple):
    """A comparison that a function made while it was recorded, of the numbers at two places, and how it came out.

    `comparison` is <, <=, >, >=, == or !=; or "is real": whether left ** right is no complex number; or "is defined": whether
    the user's primitive whose result is at the place `left` raises nothing (`right` is the same place).
    """

    comparison: str
    left: int
    right: int
    outcome: bool


COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
IS_REAL, IS_DEFINED = "is real", "is defined"
_KINDS = ("<", "<=", ">", ">=", "!=", IS_REAL, "==", IS_DEFINED)  # in the order that pickles of guards rely on


class _Rows(Sequence[T]):
    """What is stored as arrays; equal to any sequence of equal rows."""

    __slots__: tuple[str, ...] = ()

    @abstractmethod
    def row(self, i: int) -> T:
        """The row at an index from 0 on."""

    @property
    def _stored(self) -> tuple[Any, ...]:
        return tuple([getattr(self, name) for name in self.__slots__])

    @overload
    def __getitem__(self, i: int) -> T: ...
    @overload
    def __getitem__(self, i: slice) -> tuple[T, ...]: ...
    def __getitem__(self, i: int | slice) -> T | tuple[T, ...]:
        if isinstance(i, slice):
            return tuple([self.row(at) for at in range(*i.indices(len(self)))])
        if not 0 <= i < len(self):
            i = range(len(self))[i]
        return self.row(i)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, type(self)):
            return self._stored == other._stored
        if isinstance(other, Sequence):
            return len(self) == len(other) and all(map(operator.eq, self, other))
        return NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<{len(self)} {type(self).__name__.lower()}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self._stored)


class Instructions(_Rows[Instruction]):
    """Instructions in the order of their execution."""

    __slots__ = ("_codes", "_operands", "_starts", "primitives")

    def __init__(self, instructions: Iterable[Instruction]) -> None:
        codes: dict[Primitive, int] = {}
        self._codes, self._starts, self._operands = array("i"), array("i", [0]), array("i")
        for primitive, operands in instructions:
            self._codes.append(codes.setdefault(primitive, len(codes)))
            self._operands.extend(operands)
            self._starts.append(len(self._operands))
        self.primitives = tuple(codes)

    def __len__(self) -> int:
        return len(self._codes)

    def row(self, i: int) -> Instruction:
        """The instruction at an index from 0 on."""
        starts = self._starts
        return Instruction(self.primitives[self._codes[i]], tuple(self._operands[starts[i] : starts[i + 1]]))

    def __iter__(self) -> Iterator[Instruction]:
        operands = tuple(self._operands)
        slices = [operands[start:stop] for start, stop in pairwise(self._starts)]
        return map(Instruction, map(self.primitives.__getitem__, self._codes), slices)

    def content(self) -> bytes:
        """Bytes that are equal where instructions are, of primitives with equal names: the same in every process."""
        names = repr([len(self), *[primitive.name for primitive in self.primitives]])
        return names.encode() + b"".join([x.tobytes() for x in (self._codes, self._starts, self._operands)])


class Guards(_Rows[Guard]):
    """Guards in the order of the comparisons."""

    __slots__ = ("_kinds", "_places")

    def __init__(self, guards: Iterable[Guard]) -> None:
        self._kinds, self._places = array("b"), array("i")
        for comparison, left, right, outcome in guards:
            self._kinds.append(2 * _KINDS.index(comparison) + outcome)
            self._places.extend((left, right))

    def __len__(self) -> int:
        return len(self._kinds)

    def row(self, i: int) -> Guard:
        """The guard at an index from 0 on."""
        kind, outcome = divmod(self._kinds[i], 2)
        return Guard(_KINDS[kind], self._places[2 * i], self._places[2 * i + 1], bool(outcome))

    def content(self) -> bytes:
        """Bytes that are equal where guards are."""
        return self._kinds.tobytes() + self._places.tobytes()


def _restored(kind: type[_Rows[Any]], stored: tuple[Any, ...]) -> _Rows[Any]:
    rows: _Rows[Any] = object.__new__(kind)
    for name, part in zip(kind.__slots__, stored, strict=True):
        setattr(rows, name, part)
    return rows
