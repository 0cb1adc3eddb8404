"""Float functions as trees with types: what `translate` reads from Python, and what a back end prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["float", "int", "bool", "list", "none"]


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float
    kind: Kind


@dataclass(frozen=True, slots=True)
class Name:
    """A parameter or a variable."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator of Python on operands of one kind; conversions are operations too, named float and int.

    Beside the operators: negative, abs, max, min, if (test, then, else), item (list, index), len, list (its elements).
    """

    operator: str
    operands: tuple[Expression, ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Call:
    """A function of `math`, or one that can be translated itself."""

    function: Callable[..., Any]
    operands: tuple[Expression, ...]
    kind: Kind


Expression: TypeAlias = Number | Name | Operation | Call


@dataclass(frozen=True, slots=True)
class Assign:
    """name = value."""

    name: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Store:
    """name[index] = value."""

    name: str
    index: Expression
    value: Expression


@dataclass(frozen=True, slots=True)
class NewList:
    """name = [fill] * length."""

    name: str
    fill: Expression
    length: Expression


@dataclass(frozen=True, slots=True)
class ConstantList:
    """name = values, which never change."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """mantissa, exponent = math.frexp(value); a mantissa without a name is not wanted."""

    mantissa: str | None
    exponent: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Loop:
    """for name in range(start, stop, step): body."""

    name: str
    start: Expression
    stop: Expression
    step: int
    body: Block


@dataclass(frozen=True, slots=True)
class If:
    """if test: then; else: otherwise."""

    test: Expression
    then: Block
    otherwise: Block


@dataclass(frozen=True, slots=True)
class Return:
    """return value."""

    value: Expression


@dataclass(frozen=True, slots=True)
class Procedure:
    """A call for its effect on the lists passed in."""

    call: Call


@dataclass(frozen=True, slots=True)
class Fail:
    """The result is an error of Python's, which only Python can raise."""


Statement: TypeAlias = Assign | Store | NewList | ConstantList | Split | Loop | If | Return | Procedure | Fail
Block: TypeAlias = tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A function: its parameters and their kinds, the kind of its result, its statements, and the functions it calls."""

    name: str
    doc: str
    parameters: dict[str, Kind]
    result: Kind
    body: Block
    variables: dict[str, Kind]
    calls: tuple[Callable[..., Any], ...]


def walk(node: Any) -> Iterator[Any]:
    """A statement or an expression, and every part of it."""
    if isinstance(node, tuple):
        for part in node:
            yield from walk(part)
    elif is_dataclass(node):
        yield node
        for field in fields(node):
            yield from walk(getattr(node, field.name))
