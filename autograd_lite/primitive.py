"""What an entry of the table is: the class `Primitive`, the intervals of its domain, and the register of all entries.

The entries themselves are in `primitives`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from inspect import signature
from numbers import Real
from types import FunctionType
from typing import Any

from autograd_lite.floats import inf
from autograd_lite.structures import is_any_array

_TABLE_MODULE = f"{__package__}.primitives"
Rule = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Interval:
    """The open interval in which an argument is differentiated, or the integers in it."""

    low: float = -inf
    high: float = inf
    integers: bool = False

    def __contains__(self, x: float) -> bool:
        return self.low < x < self.high and (not self.integers or x == int(x))


REAL = Interval()
POSITIVE = Interval(low=0.0)
UNIT = Interval(-1.0, 1.0)
ORDER = Interval(-1.0, 8.0, integers=True)
POSITIVE_ORDER = Interval(0.0, 8.0, integers=True)


class _ArrayBesideOthers(Exception):  # noqa: N818 -- caught where it is raised
    """A NumPy array is among several arguments of a variadic operation."""


def flatten(args: Sequence[Any]) -> Iterator[Any]:
    """Numbers and nodes, taken out of iterables one level deep; an array must be the only one."""
    for arg in args:
        if not hasattr(arg, "__iter__"):
            yield arg
        elif not is_any_array(arg):
            yield from arg
        elif arg.ndim and len(args) > 1:
            raise _ArrayBesideOthers
        else:
            yield from arg if arg.ndim else (arg.item(),)


def paired(args: tuple[Any, ...]) -> Iterator[Any]:
    """Numbers and nodes in pairs: of two iterables of one length, or given singly. Raises ValueError if one has no partner."""
    lists = [tuple(arg) if hasattr(arg, "__iter__") else (arg,) for arg in args]
    lengths = [len(x) for x in lists]
    if len(lists) % 2 or (lengths != [1] * len(lists) and lengths != lengths[:1] * 2):
        raise ValueError(f"dot takes two iterables of one length, or pairs of numbers; got {len(lists)} of lengths {lengths}")
    return flatten(lists)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Primitive:
    """An operation on real numbers; called with floats it gives a float, with nodes a node.

    name: the public function, the method of `Value` and the label in a drawing, spelled as NumPy spells its ufunc.
    fn: floats to float, total as IEEE 754 is (`power` alone raises ValueError, where its result would be complex).
    partials: for each argument a callable of (r, *arguments); None where an argument carries no derivative. A variadic
        operation has one callable, which gives the sequence of all its partials.
    domain: for each argument the interval in which the operation is smooth; a variadic operation has one for all.
    kink: whether arguments in the domain lie on a kink or a jump.
    selects: for each argument whether its partial says which share of it was selected: where 0, it contributes nothing,
        however large the adjoint is.
    code: how a back end spells the value, arguments as {0}, {1}; by default a call of a function of this name.
    means: what a private operation is in real numbers, said with public ones, for formulas to show in its place; None for
        arguments with which no public rule uses it.
    gather: how a variadic operation takes numbers and nodes out of its arguments.
    elementwise: whether a variadic operation is applied to the elements of an array and of what stands beside it, as NumPy's
        function of the name is; the others refuse an array beside other arguments.
    """

    name: str
    fn: Callable[..., float]
    partials: tuple[Rule | None, ...]
    domain: tuple[Interval, ...]
    doc: str
    code: str = ""
    symbol: str = ""
    defaults: tuple[float, ...] = ()
    kink: Callable[..., bool] | None = None
    selects: tuple[bool, ...] = ()
    variadic: bool = False
    public: bool = True
    means: Rule | None = None
    gather: Callable[[tuple[Any, ...]], Iterable[Any]] = flatten
    elementwise: bool = False
    arguments: tuple[str, ...] = field(init=False)
    number_partials: tuple[Rule | None, ...] = field(init=False)

    def __post_init__(self) -> None:
        rules = [rule for rule in self.partials if rule is not None]
        names = list(signature(rules[0] if rules else self.fn).parameters)
        own = object.__setattr__
        own(self, "arguments", tuple(names[1:] if rules else names))
        own(self, "number_partials", tuple(rule and on_numbers(rule) for rule in self.partials))
        if not self.code:
            own(self, "code", f"{self.name}({', '.join(f'{{{i}}}' for i in range(len(self.arguments)))})")

    def product(self, slot: int) -> Primitive:
        """The product of an adjoint and the partial by the argument in that slot."""
        return TABLE["selecting_multiply" if self.selects[0 if self.variadic else slot] else "absorbing_multiply"]

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """The operation on real numbers or nodes; a variadic one takes its arguments in iterables too.

        Of NumPy arrays, broadcast, an array of the operation's results: of objects where an array is of objects or a node is
        among the arguments, else of floats. A variadic operation takes one array as any iterable.
        """
        if self.variadic:
            if keywords:
                raise TypeError(f"{self.name}() got an unexpected keyword argument {next(iter(keywords))!r}")
            try:
                args = tuple(self.gather(args))
            except _ArrayBesideOthers:
                return self._beside_arrays(args)
        else:
            args = self.complete(self._placed(args, keywords) if keywords else args)
        record = None
        for arg in args:
            kind = type(arg)
            if kind is not float:
                if hasattr(kind, "__record__"):
                    record = record or kind.__record__
                    if self.variadic:
                        break
                elif kind is not int and not self.variadic and is_any_array(arg):
                    return mapped(self, self.name, args)
        if record is not None:
            return record(self, args)
        return self.fn(*[arg if type(arg) is float else real_number(arg, self.name) for arg in args])

    def _beside_arrays(self, args: tuple[Any, ...]) -> Any:
        if self.elementwise:
            return mapped(self, self.name, args)
        raise TypeError(
            f"{self.name} takes one array, whose elements it is of, or numbers: with an array beside other arguments it is not"
            f" clear what is meant; take {self.name}([*array, x]), or NumPy's operators for each element"
        )

    def _placed(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
        """All arguments in their places. Raises TypeError, in Python's words, where keywords do not fit."""
        names = self.arguments
        for name in keywords:
            if name not in names:
                raise TypeError(f"{self.name}() got an unexpected keyword argument {name!r}")
            if name in names[: len(args)]:
                raise TypeError(f"{self.name}() got multiple values for argument {name!r}")
        given = dict(zip(names[len(names) - len(self.defaults) :], self.defaults, strict=True)) | keywords
        missing = [name for name in names[len(args) :] if name not in given]
        if missing:
            raise TypeError(
                f"{self.name}() missing {len(missing)} required positional argument{'s' * (len(missing) > 1)}:"
                f" {' and '.join(map(repr, missing))}"
            )
        return args + tuple([given[name] for name in names[len(args) :]])

    def complete(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments with the defaults of those left out. Raises TypeError when there are too few or too many."""
        missing = len(self.domain) - len(args)
        if missing and not 0 < missing <= len(self.defaults):
            count = f"{len(self.arguments)} argument{'s' * (len(self.arguments) > 1)}"
            raise TypeError(f"{self.name}({', '.join(self.arguments)}) takes {count}, got {len(args)}")
        return args + self.defaults[len(self.defaults) - missing :] if missing else args

    def __repr__(self) -> str:
        return f"<primitive {self.name}({', '.join(self.arguments)}): {self.doc}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return lookup, (self.name,)


def mapped(function: Callable[..., Any], name: str, args: Sequence[Any]) -> Any:
    """A function of numbers and nodes applied to the elements of NumPy arrays and to numbers, broadcast.

    The result is an array as `Primitive.__call__` has it, or what the function gives where no array has a dimension. Raises
    TypeError, naming the function, for other iterables.
    """
    arrays, has_objects = [], False
    for arg in args:
        is_node = hasattr(type(arg), "__record__")
        is_number = not is_node and not is_any_array(arg)
        arrays.append(array_of_one(real_number(arg, name) if is_number else arg) if is_number or is_node else arg)
        has_objects = has_objects or (not is_number and arrays[-1].dtype == object)
    numpy = sys.modules["numpy"]
    with numpy.errstate(all="ignore"):  # results are IEEE 754's, without a warning, as they are of numbers
        result = numpy.frompyfunc(function, len(args), 1)(*arrays)
    return result if has_objects or not is_any_array(result) else result.astype(float)


def array_of_one(x: Any) -> Any:
    """A NumPy array of objects, of no dimensions, that holds x."""
    array = sys.modules["numpy"].empty((), dtype=object)
    array[()] = x
    return array


TABLE: dict[str, Primitive] = {}
NUMBER_FUNCTIONS: dict[str, Any] = {}


def lookup(name: str) -> Primitive:
    """The primitive of that name. Raises KeyError naming it if the table has none."""
    try:
        return TABLE[name]
    except KeyError:
        raise KeyError(f"no primitive is called {name!r}; define it first, with autograd_lite.define_primitive") from None


def real_number(x: Any, role: str) -> float:
    """x as a float; `role` says in an error what it was for.

    Raises TypeError for what is no real number (and for a node), ValueError beyond the largest float.
    """
    if not isinstance(x, (float, int)):  # these need none of the questions below, which take ten times as long
        if hasattr(x, "dtype") and getattr(x, "shape", None) == ():
            x = x.item()  # a NumPy scalar, or an array of no dimension
        if hasattr(type(x), "__record__"):
            raise TypeError(f"{role} takes a number, not {x!r}: use v.data for its number alone, +v for a node on top of it")
        if not isinstance(x, Real):
            hint = "; take the numbers of an array one by one, or all of them by array.ravel()" if hasattr(x, "dtype") else ""
            raise TypeError(f"{role} takes a real number, not {type(x).__name__} {x!r:.60}{hint}")
    try:
        number = float(x)
    except OverflowError:
        number = inf
    if number in (inf, -inf) and x != number:
        written = f"of {x.bit_length()} bits" if isinstance(x, int) else f"{x!r:.60}"
        raise ValueError(f"{role}: the number {written} lies beyond the largest float, 1.8e308")
    return number


def on_numbers(rule: Rule) -> Rule:
    """The same rule with the table's functions replaced by their float functions, which saves the dispatch on type."""
    if not isinstance(rule, FunctionType) or rule.__module__ != _TABLE_MODULE:
        return rule
    return FunctionType(rule.__code__, NUMBER_FUNCTIONS, rule.__name__, rule.__defaults__, rule.__closure__)


def register(primitive: Primitive) -> Primitive:
    """Enter a primitive in the table. Raises ValueError if the name is taken."""
    if primitive.name in TABLE:
        raise ValueError(f"the table has a primitive {primitive.name!r} already; choose another name")
    TABLE[primitive.name] = primitive
    NUMBER_FUNCTIONS[primitive.name] = primitive.fn
    return primitive
