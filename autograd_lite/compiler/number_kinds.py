"""Numbers of other kinds that programs run on: fractions, exactly, and mpmath's floating-point numbers.

The table's functions on floats, as far as they only calculate and choose, are run on such numbers themselves. For the others
there are Python's roundings and mpmath's functions, formulas, and what a private primitive `means`.
"""

from __future__ import annotations

import inspect
import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from autograd_lite import normal, primitives, special
from autograd_lite.compiler import formulas
from autograd_lite.primitive import Primitive, real_number
from autograd_lite.primitives import TABLE


class NumberError(ValueError):
    """A primitive has no exact value of a fraction, or is not known to mpmath."""


class _OnlyFloatError(Exception):
    """A float function asks for a float, or gets a number that only floats have."""


def kind_of(numbers: Sequence[Any]) -> Kind | None:
    """How these numbers are calculated with; None for floats and Values."""
    if not any([hasattr(type(x), "__record__") for x in numbers]):
        for x in numbers:
            if hasattr(x, "_mpf_"):
                return Multiprecision(x.context)
        if any([isinstance(x, Fraction) for x in numbers]):
            return Fractions()
    return None


class Kind(ABC):
    """A kind of numbers."""

    context: Any = None  # mpmath's
    formulas: dict[str, Callable[..., Any]]  # by the names of primitives

    @abstractmethod
    def number(self, x: Any) -> Any:
        """A real number as one of this kind."""

    @abstractmethod
    def module_function(self, function: Callable[..., Any]) -> Callable[..., Any] | None:
        """A function of `math` on numbers of this kind."""

    @abstractmethod
    def refused(self, primitive: Primitive, numbers: Sequence[Any]) -> NumberError:
        """The error where a primitive has no value."""

    @abstractmethod
    def calculated(self, operation: Callable[..., Any], *numbers: Any) -> Any:
        """The result of one of Python's operators on numbers of this kind."""

    def wrapped(self, x: Any) -> Number:
        """A number with the operators of this kind."""
        return x if isinstance(x, Number) else Number(self, self.number(x))

    def unwrapped(self, x: Any) -> Any:
        """The number without them."""
        return x.value if isinstance(x, Number) else self.number(x)

    def apply(self, primitive: Primitive, args: Sequence[Any]) -> Number:
        """The value of a primitive. Raises NumberError where there is none."""
        numbers = [self.wrapped(x) for x in args]
        for way in (self.by_formula, self.by_library, self.by_floats, self.by_meaning):
            try:
                result = way(primitive, numbers)
            except (_OnlyFloatError, NumberError, ZeroDivisionError):
                continue
            if result is not None:
                return self.wrapped(result)
        raise self.refused(primitive, [x.value for x in numbers])

    def by_formula(self, primitive: Primitive, numbers: list[Number]) -> Any:
        """The value by a formula for this kind of numbers; None where there is none."""
        formula = self.formulas.get(primitive.name)
        return formula(self.context, *[x.value for x in numbers]) if formula else None

    def by_library(self, primitive: Primitive, numbers: list[Number]) -> Any:
        """The value by a function that Python or mpmath has."""
        own = inspect.unwrap(primitive.fn)
        is_pythons = own in (round, getattr(math, own.__name__, None))
        function = self.module_function(own) if is_pythons else None
        return function(*[x.value for x in numbers]) if function else None

    def by_floats(self, primitive: Primitive, numbers: list[Number]) -> Any:
        """The value by the float function, if it calculates and chooses only: not one that is fitted to floats."""
        is_ours = getattr(primitives, primitive.name, None) is primitive
        is_fitted = primitive.fn.__module__ in (special.__name__, normal.__name__)
        return primitive.fn(*numbers) if is_ours and not is_fitted else None

    def by_meaning(self, primitive: Primitive, numbers: list[Number]) -> Any:
        """The value by public primitives."""
        return primitive.means(*numbers) if primitive.means else None


class Fractions(Kind):
    """Fractions. Infinities and nan among constants can be compared and chosen, but not calculated with."""

    formulas = formulas.OF_FRACTIONS

    def number(self, x: Any) -> Any:
        """A real number exactly; infinities and nan stay floats."""
        if isinstance(x, (int, Fraction)):
            return Fraction(x)
        x = real_number(x, "a program of fractions")
        return Fraction(x) if math.isfinite(x) else x

    def calculated(self, operation: Callable[..., Any], *numbers: Any) -> Any:
        """The exact result. Raises ZeroDivisionError."""
        if any([isinstance(x, float) for x in numbers]):
            raise _OnlyFloatError
        return operation(*numbers)

    def by_formula(self, primitive: Primitive, numbers: list[Number]) -> Any:
        """The value by a formula for fractions."""
        return None if _are_floats(numbers) else super().by_formula(primitive, numbers)

    def module_function(self, function: Callable[..., Any]) -> Callable[..., Any] | None:
        """Python's roundings, which take fractions."""
        return _exact_rounding(function) if function in (math.floor, math.ceil, math.trunc, round) else None

    def by_floats(self, primitive: Primitive, numbers: list[Number]) -> Any:
        """The value by the float function; infinities and nan only where they were given."""
        result = super().by_floats(primitive, numbers)
        is_new = isinstance(result, float) and not math.isfinite(result) and not _are_floats(numbers)
        return None if is_new else result

    def refused(self, primitive: Primitive, numbers: Sequence[Any]) -> NumberError:
        """The error where a primitive has no exact value."""
        return NumberError(
            f"{primitive.name}({_listed(numbers)}) has no exact value, or too long a one, as a fraction: take floats, or"
            " mpmath's numbers"
        )


def _are_floats(numbers: Sequence[Number]) -> bool:
    """Whether one is an infinity or nan, which no fraction is."""
    return any([isinstance(x.value, float) for x in numbers])


def _exact_rounding(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: x if isinstance(x, float) else function(x)


class Multiprecision(Kind):
    """The floating-point numbers of one of mpmath's contexts, in its precision. Its 0 has no sign and counts as positive."""

    formulas = formulas.OF_MPMATH

    def __init__(self, context: Any) -> None:
        self.context = context

    def number(self, x: Any) -> Any:
        """A real number, rounded to the precision of the context; nan for a complex one."""
        if hasattr(x, "_mpf_"):
            return x
        if hasattr(x, "_mpc_"):
            return self.context.nan
        if isinstance(x, Fraction):
            return self.context.mpf(x.numerator) / x.denominator
        return self.context.mpf(x if isinstance(x, int) else real_number(x, "a program of mpmath's numbers"))

    def calculated(self, operation: Callable[..., Any], *numbers: Any) -> Any:
        """The result, rounded."""
        return formulas.quotient(self.context, *numbers) if operation is operator.truediv else operation(*numbers)

    def module_function(self, function: Callable[..., Any]) -> Callable[..., Any] | None:
        """mpmath's function of that name."""
        found: Callable[..., Any] | None = getattr(self.context, function.__name__, None)
        return found

    def refused(self, primitive: Primitive, numbers: Sequence[Any]) -> NumberError:
        """The error where there is no formula."""
        return NumberError(
            f"{primitive.name}({_listed(numbers)}) is not known in mpmath's numbers, but only on floats and Values"
        )


def _listed(numbers: Sequence[Any]) -> str:
    return f"{', '.join([f'{x!s:.40}' for x in numbers]):.120}"


class Number:
    """A number of some kind, with Python's operators; the table's functions take it as they take Values."""

    __slots__ = ("kind", "value")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, kind: Kind, value: Any) -> None:
        self.kind, self.value = kind, value

    @staticmethod
    def __record__(primitive: Primitive, args: tuple[Any, ...]) -> Number:
        """The result of a primitive; `Primitive.__call__` comes here."""
        return next(x.kind for x in args if isinstance(x, Number)).apply(primitive, args)

    def __repr__(self) -> str:
        return str(self.value)

    def __float__(self) -> float:
        raise _OnlyFloatError

    def __bool__(self) -> bool:
        return bool(self.value != 0)

    def __pow__(self, other: Any) -> Number:
        return self.kind.apply(TABLE["power"], (self, other))


def _calculation(operation: Callable[..., Any], *, reflected: bool = False) -> Callable[..., Any]:
    def method(self: Number, *others: Any) -> Number:
        numbers = [self.value, *[self.kind.wrapped(x).value for x in others]]
        return self.kind.wrapped(self.kind.calculated(operation, *(numbers[::-1] if reflected else numbers)))

    return method


def _comparison(operation: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, other: bool(operation(self.value, self.kind.wrapped(other).value))


for _name in ("add", "sub", "mul", "truediv", "mod", "floordiv"):
    setattr(Number, f"__{_name}__", _calculation(getattr(operator, _name)))
    setattr(Number, f"__r{_name}__", _calculation(getattr(operator, _name), reflected=True))
for _name in ("neg", "pos", "abs"):
    setattr(Number, f"__{_name}__", _calculation(getattr(operator, _name)))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Number, f"__{_name}__", _comparison(getattr(operator, _name)))
