"""What an entry of the table is: the class `Primitive`, the intervals of its domain, and the register of all entries.

The entries themselves are in `primitives`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from inspect import Parameter, Signature, signature
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

    def some(self, i: int) -> float:
        """A short number of the interval for examples, another one for another i where there are several."""
        numbers = [x for x in (0.5, 2.0, 3.0, 0.25) if x in self]
        if numbers:
            return numbers[i % len(numbers)]
        if self.low == -inf or self.high == inf:
            return self.low + 1.0 if self.low > -inf else self.high - 1.0
        middle = 0.5 * (self.low + self.high)
        return float(round(middle)) if self.integers else middle


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


@dataclass(frozen=True, eq=False, repr=False)  # no slots: `help` asks an instance for its own __name__, __module__, __doc__
class Primitive:
    """An operation on real numbers; called with floats it gives a float, with nodes a node.

    name: the public function, the method of `Value` and the label in a drawing, spelled as NumPy spells its ufunc.
    fn: floats to float, total as IEEE 754 is (`power` alone raises ValueError, where its result would be complex).
    partials: for each argument a callable of (r, *arguments); None where an argument carries no derivative. A variadic
        operation has one callable, which gives the sequence of all its partials.
    domain: for each argument the interval in which the operation is smooth; a variadic operation has one for all.
    kink: whether arguments in the domain lie on a kink or a jump.
    selects: for each argument whether its partial is the share of it that was selected, piecewise constant: where that is 0,
        there is no edge, whatever the adjoint and the partials below are.
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
    names: tuple[str, ...] = ()  # of the arguments; by default those of the first rule
    arguments: tuple[str, ...] = field(init=False)
    number_partials: tuple[Rule | None, ...] = field(init=False)

    def __post_init__(self) -> None:
        rules = [rule for rule in self.partials if rule is not None]
        names = ["r", *self.names] if rules and self.names else list(signature(rules[0] if rules else self.fn).parameters)
        own = object.__setattr__
        own(self, "arguments", tuple(names[1:] if rules else names)[: len(self.domain)])  # a rule may have defaults of its own
        own(self, "number_partials", tuple(rule and on_numbers(rule) for rule in self.partials))
        own(self, "__name__", self.name)
        own(self, "__qualname__", self.name)
        if self.public:
            own(self, "__module__", __package__)
        if not self.code:
            own(self, "code", f"{self.name}({', '.join(f'{{{i}}}' for i in range(len(self.arguments)))})")

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

    def sample(self, shift: int = 0) -> tuple[float, ...]:
        """A point of the domain for examples: without arguments that have a default, and with two (pairs) if variadic."""
        if self.variadic:
            intervals = self.domain * (4 if self.gather is paired else 2)
        else:
            intervals = self.domain[: len(self.domain) - len(self.defaults)]
        return tuple([interval.some(shift + i) for i, interval in enumerate(intervals)])

    def call_signature(self, method: bool = False) -> Signature:
        """The parameters of the function, or of the method of `Value`."""
        if self.variadic:
            parameters = [Parameter("others" if method else self.arguments[0], Parameter.VAR_POSITIONAL)]
        else:
            defaults = (Parameter.empty,) * (len(self.arguments) - len(self.defaults)) + self.defaults
            parameters = [
                Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=default)
                for name, default in zip(self.arguments, defaults, strict=True)
            ][method:]
        return Signature([Parameter("self", Parameter.POSITIONAL_ONLY), *parameters] if method else parameters)

    def method_doc(self) -> str:
        """The docstring of the method of `Value`; without an example where a user's function has no value at `sample()`."""
        function = f"autograd_lite.{self.name}"
        text = f"{self.doc}\n\nThe function `{function}` as a method; `help({function})` shows its partial derivatives."
        x, *others = self.sample()
        try:
            result = self.fn(x, *others, *self.defaults)
        except Exception:  # noqa: BLE001 -- whatever a user's function raises
            return text
        call = f"ag.Value({x!r}).{self.name}({', '.join(map(repr, others))})"
        return f"{text}\n\n>>> import autograd_lite as ag\n>>> {call}\nValue({result!r}, grad=0.0, op={self.name})"

    @property
    def first_order_only(self) -> bool:
        """Whether a partial is a number that cannot be differentiated: only rules of users' own primitives may give such."""
        return any([getattr(rule, "first_order_only", False) for rule in self.partials])

    def __repr__(self) -> str:
        notes = dict.fromkeys([f"; {note}" for rule in self.partials if (note := getattr(rule, "note", ""))])
        return f"<primitive {self.name}({', '.join(self.arguments)}): {self.doc}{''.join(notes)}>"

    def __copy__(self) -> Primitive:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Primitive:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return lookup, (written_name(self),)


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


def argument_names(fn: Callable[..., Any], rules: Iterable[Rule | None], count: int) -> tuple[str, ...]:
    """What the arguments of a user's function are called: by fn, by a rule, if either has this count of them; or x1, x2, ..."""
    for function, skipped in ((fn, 0), *[(rule, 1) for rule in rules if rule is not None]):
        try:
            parameters = list(signature(function).parameters.values())[skipped:]
        except (TypeError, ValueError):  # some functions written in C do not say
            continue
        if [x.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD) for x in parameters] == [True] * count:
            return tuple([x.name for x in parameters])
    return tuple([f"x{i + 1}" for i in range(count)])


TABLE: dict[str, Primitive] = {}
NUMBER_FUNCTIONS: dict[str, Any] = {}
on_replacement: list[Callable[[], object]] = []
"""Called when a user has defined a primitive anew: by then nothing may go on with numbers of the old one in silence."""


def written_name(primitive: Primitive) -> str:
    """The name of a primitive, for `lookup`. Raises ValueError if the table has another of that name by now."""
    if TABLE.get(primitive.name) is not primitive:
        raise ValueError(
            f"the primitive {primitive.name!r} was defined anew, or taken away, after this had been recorded: its name means"
            " another one now; record again"
        )
    return primitive.name


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


def register(primitive: Primitive, replace: bool = False) -> Primitive:
    """Enter a primitive in the table. Raises ValueError if the name is taken, unless the one that has it is to be replaced."""
    if primitive.name in TABLE and not replace:
        raise ValueError(f"the table has a primitive {primitive.name!r} already; choose another name")
    TABLE[primitive.name] = primitive
    NUMBER_FUNCTIONS[primitive.name] = primitive.fn
    return primitive
