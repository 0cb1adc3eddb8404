"""Primitives of the user's own: checked against finite differences and against themselves before they enter the table.

A rule may name its own primitive, or one that is defined after it. It is checked as far as it can be evaluated, and again when
more is defined. A rule that gives plain numbers on Values too is known to first order only: derivatives that are to be
differentiated again are nodes of a private primitive then, of which the number is the rule's, and which has no derivative.
"""

from __future__ import annotations

import keyword
import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any

from autograd_lite import modes, primitives
from autograd_lite.engine import Value, gradient, install_method
from autograd_lite.primitive import NUMBER_FUNCTIONS, REAL, argument_names, on_replacement, real_number, register
from autograd_lite.primitives import TABLE, Interval, Primitive, Rule
from autograd_lite.sweep import FirstOrderError, topological_order
from autograd_lite.testing.differences import Estimate, slope

_POINTS = 60
_PACKAGE = __name__.partition(".")[0]
_lock = RLock()  # held while primitives are entered and checked


class WrongRuleError(ValueError):
    """A primitive's rule disagrees with its function (the message holds a counter-example), or gives no number.

    >>> import autograd_lite as ag
    >>> try:
    ...     ag.define_primitive("cubed", lambda x: x**3, [lambda r, x: 2.0 * x * x])
    ... except ag.WrongRuleError as error:
    ...     print(str(error).rpartition("(")[2])
    at 60 of 60 points the rule is wrong)
    """


def define_primitive(
    name: str,
    fn: Callable[..., float],
    partials: Sequence[Rule | None] | Rule,
    *,
    domain: Interval | tuple[float, float] | Sequence[Interval | tuple[float, float]] = REAL,
    doc: str = "",
    kink: Callable[..., bool] | None = None,
    selects: bool = False,
    variadic: bool = False,
    first_order_only: bool = False,
    replace: bool = False,
) -> Primitive:
    """Add an operation to the table: afterwards it is ``autograd_lite.<name>``, a method of `Value`, and has every order.

    fn: floats to float, returning inf or nan rather than raising.
    partials: for each argument a callable of (result, *arguments), written in autograd_lite's functions and operators so
        that it works on floats and on Values; None for an argument that carries no derivative. With `variadic`, one
        callable that returns the sequence of all partials.
    domain: the open interval in which the operation is smooth, or one for each argument.
    kink: whether arguments lie on a kink or a jump inside the domain.
    selects: the partials are shares of 0 to 1 of what was selected; what was not contributes nothing.
    first_order_only: the rules take and give floats; differentiating a derivative again raises FirstOrderError. The same is
        found of a rule that gives numbers without a graph on Values too, but for constants; `first_order_only` of the result
        and its text tell.
    replace: define a name anew that was defined before, as a notebook's cell does that runs twice. Graphs recorded before
        keep the old operation, and are not written to pickles or JSON any more; compiled functions record themselves anew.

    The rule is checked at random points of the domain: the partials against finite differences of fn, their own derivatives
    against finite differences of the partials, and their values on Values against those on floats. A rule may name the
    primitive itself, as ``autograd_lite.<name>``, or one that is not defined yet: then the check is completed when that is
    defined, and derivatives that need it raise WrongRuleError before (the text of the result tells what it waits for).

    Raises WrongRuleError with a counter-example, ValueError for an unusable name, TypeError for arguments of the wrong kind;
    the table is unchanged then. A rule that gives no real number raises WrongRuleError, at a later point too.

    >>> import autograd_lite as ag
    >>> triple = ag.define_primitive("triple", lambda x: 3.0 * x, [lambda r, x: 3.0], doc="3 * x")
    >>> ag.triple(2.0), ag.grad(lambda x: x.triple() ** 2)(2.0)
    (6.0, 36.0)
    """
    _check_name(name, replace)
    if not callable(fn):
        raise TypeError(f"define_primitive({name!r}): fn is a function of floats, not {fn!r:.60}")
    rules = (partials,) if callable(partials) else tuple(partials)
    if not all(rule is None or callable(rule) for rule in rules) or not rules or (variadic and len(rules) != 1):
        raise TypeError(
            f"define_primitive({name!r}): partials are callables or None, one an argument (one in all with variadic),"
            f" not {rules!r:.60}"
        )
    definition = _Definition(name, variadic, range(len(rules)) if first_order_only else ())
    primitive = Primitive(
        name, fn, tuple([None if rule is None else _Rule(definition, i, rule) for i, rule in enumerate(rules)]),
        _intervals(domain, len(rules)), doc or name, kink=kink, selects=(selects,) * len(rules), variadic=variadic,
        names=() if variadic else argument_names(fn, rules, len(rules)),
    )  # fmt: skip
    definition.primitive = primitive
    with _lock, _entered(primitive) as before:
        others = [x for x in _waiting() if x is not definition and (x.missing == name or x.missing not in TABLE)]
        _settle([definition, *others])
    if before is not None:
        for other in {rule.definition for p in (*TABLE.values(), before) for rule in p.partials if isinstance(rule, _Rule)}:
            if other is not definition and not other.missing:  # checked anew when next used: it may name what was replaced
                other.missing, other.is_usable = name, False
        for forget in on_replacement:
            forget()
    return primitive


def _check_name(name: str, replace: bool) -> None:
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise ValueError(f"a primitive's name is a Python identifier without a leading underscore, not {name!r}")
    if name in TABLE and getattr(primitives, name, None) is not TABLE[name]:
        if not replace:
            raise ValueError(f"a primitive {name!r} has been defined already; give replace=True to define it anew")
    elif name in TABLE or hasattr(Value, name) or hasattr(sys.modules[_PACKAGE], name):
        raise ValueError(f"the name {name!r} is taken in autograd_lite; choose another")


@contextmanager
def _entered(primitive: Primitive) -> Iterator[Primitive | None]:
    """Have a primitive in the table, in the place of the one given; what raises an exception inside takes it out again."""
    name, package = primitive.name, sys.modules[_PACKAGE]
    before = TABLE.get(name)
    _enter(primitive)
    setattr(package, name, primitive)
    try:
        yield before
    except BaseException:
        if before is not None:
            _enter(before)
            setattr(package, name, before)
        else:
            del TABLE[name], NUMBER_FUNCTIONS[name]
            delattr(Value, name)
            delattr(package, name)
        raise


def _enter(primitive: Primitive) -> None:
    if primitive.name in TABLE:
        delattr(Value, primitive.name)
    register(primitive, replace=True)
    install_method(primitive)


# --- rules


class _Definition:
    """What is known of the rules of a user's primitive, besides the rules."""

    def __init__(self, name: str, variadic: bool, first_order: Sequence[int]) -> None:
        self.name, self.variadic = name, variadic
        self.first_order = frozenset(first_order)  # of which arguments the partials are known as numbers only
        self.missing = name  # what has to be defined before the rules can be checked; "" when they are
        self.is_usable = False  # whether the partials, if not their derivatives, have been checked
        self.is_checked_now = False
        self.partial = Primitive(
            f"_{name}_partial", self.number, (self.refuse,), (REAL,), f"the partial of {name} by an argument, from 0 on",
            selects=(False,), variadic=True, public=False,
        )  # fmt: skip
        self.primitive: Primitive

    def number(self, slot: float, r: float, *args: float) -> float:
        """A partial of numbers."""
        rule = self.primitive.partials[0 if self.variadic else int(slot)]
        partials: Any = rule(r, *args) if rule else 0.0
        return float(partials[int(slot)] if self.variadic else partials)

    def refuse(self, r: Any, *args: Any) -> Any:  # noqa: ARG002 -- as rules are called
        """What stands for the partials' own partials."""
        raise FirstOrderError(
            f"{self.name} is known to first order only: its rule gives numbers without a graph, and a derivative of its"
            " derivative was asked for; write the rule in autograd_lite's functions, or stop_gradient the derivative"
        )


class _Rule:
    """A user's rule, which gives real numbers, or nodes, or raises WrongRuleError."""

    def __init__(self, definition: _Definition, slot: int, rule: Rule) -> None:
        self.definition, self.slot, self.__wrapped__ = definition, slot, rule

    @property
    def first_order_only(self) -> bool:
        """Whether the partials are numbers also where nodes are asked for."""
        return self.slot in self.definition.first_order

    @property
    def note(self) -> str:
        """What the primitive's text says of the rule."""
        missing = self.definition.missing
        return "first order only" if self.first_order_only else missing and f"waits for {missing}"

    def __call__(self, r: Any, *args: Any) -> Any:
        definition = self.definition
        if definition.missing and not definition.is_checked_now:
            with _lock:
                _settle([definition])
            if not definition.is_usable:
                raise self._undefined(definition.missing)
        is_on_nodes = any([hasattr(type(x), "__record__") for x in (r, *args)])
        if is_on_nodes and self.first_order_only:
            if definition.variadic:
                return [definition.partial(float(i), r, *args) for i in range(len(args))]
            return definition.partial(float(self.slot), r, *args)
        try:
            result = self.__wrapped__(r, *args)
        except (AttributeError, NameError) as error:
            missing = _missing_name(error)
            if not missing:
                raise
            raise self._undefined(missing) from error
        if not definition.variadic:
            return self._partial(result, self.slot, args, is_on_nodes)
        if not isinstance(result, (list, tuple)) or len(result) != len(args):
            raise WrongRuleError(
                f"{definition.name}{_shown(args)}: the rule gives {result!r:.60}, not a list of {len(args)} partials for"
                f" {len(args)} arguments"
            )
        return [self._partial(x, i, args, is_on_nodes) for i, x in enumerate(result)]

    def _undefined(self, missing: str) -> _UndefinedError:
        return _UndefinedError(
            f"{self.definition.name}: the partial by argument {self.slot + 1} needs {missing}, which is not defined: define it"
            " before differentiating",
            missing,
        )

    def _partial(self, partial: Any, i: int, args: tuple[Any, ...], is_on_nodes: bool) -> Any:
        if type(partial) is float or (is_on_nodes and hasattr(type(partial), "__record__")):
            return partial
        try:
            return real_number(partial, self.definition.name)
        except TypeError:
            place = f"{self.definition.name}{_shown(args)}: the rule for the partial by argument {i + 1}"
            kind = "a Value on floats" if isinstance(partial, Value) else f"{type(partial).__name__} {partial!r:.60}"
            raise WrongRuleError(f"{place} gives {kind}, not a real number") from None


class _UndefinedError(WrongRuleError):
    """A rule names a primitive that is not defined yet."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


def _missing_name(error: AttributeError | NameError) -> str:
    """The name in the package, or the variable, that a rule did not find; an empty one if that was not it."""
    if isinstance(error, AttributeError):
        return f"autograd_lite.{error.name}" if error.obj is sys.modules[_PACKAGE] else ""
    return "" if isinstance(error, UnboundLocalError) else error.name or ""


def _shown(args: Sequence[Any]) -> str:
    return f"({', '.join([repr(float(x._number) if isinstance(x, Value) else x) for x in args]):.120})"


def _waiting() -> list[_Definition]:
    """The definitions of primitives whose rules could not be checked yet."""
    rules = [rule for primitive in TABLE.values() for rule in primitive.partials if isinstance(rule, _Rule)]
    return list(dict.fromkeys([rule.definition for rule in rules if rule.definition.missing]))


def _settle(definitions: list[_Definition]) -> None:
    """Check rules as far as they can be evaluated. Raises WrongRuleError if one is wrong."""
    for definition in definitions:
        definition.is_checked_now = True
    try:
        with modes.suspended():
            found = [_examined(definition, definitions[0]) for definition in definitions]
    finally:
        for definition in definitions:
            definition.is_checked_now = False
    for definition, (missing, is_usable, first_order) in zip(definitions, found, strict=True):
        definition.missing, definition.is_usable, definition.first_order = missing, is_usable, first_order
        TABLE.pop(definition.partial.name, None)
        if first_order:
            register(definition.partial)


def _examined(definition: _Definition, new: _Definition) -> tuple[str, bool, frozenset[int]]:
    """What is missing, whether the partials are right, and which are known to first order only."""
    is_usable = definition.is_usable
    try:
        if not is_usable:
            _check_partials(definition.primitive)
            is_usable = True
        return "", True, _check_graphs(definition.primitive)
    except _UndefinedError as error:
        return error.name, is_usable, definition.first_order
    except WrongRuleError as error:
        if definition is new:
            raise
        raise WrongRuleError(f"{error}; this rule has waited for {new.name}, which is not defined now") from None


def _intervals(domain: Any, count: int) -> tuple[Interval, ...]:
    """`domain` as one interval an argument. Raises ValueError if it is none."""
    several = isinstance(domain, (list, tuple)) and not all(isinstance(bound, (int, float)) for bound in domain)
    given = tuple(domain) if several else (domain,) * count
    intervals = tuple([x if isinstance(x, Interval) else Interval(float(x[0]), float(x[1])) for x in given])
    if len(intervals) != count or any(not x.low < x.high for x in intervals):
        raise ValueError(
            f"a domain is one interval (low, high) with low < high, or {count}, one an argument; got {domain!r:.80}"
        )
    return intervals


def _check(primitive: Primitive) -> None:
    """Raise WrongRuleError with the worst counter-example, if two points or more speak against the rule."""
    _check_partials(primitive)
    _check_graphs(primitive)


def _judge(primitive: Primitive, tried: int, counterexamples: list[tuple[float, str]]) -> None:
    if not tried:
        raise WrongRuleError(f"{primitive.name}: no point of its domain gave a finite value; is the domain right?")
    if len(counterexamples) > 1:
        raise WrongRuleError(f"{max(counterexamples)[1]} (at {len(counterexamples)} of {tried} points the rule is wrong)")


def _check_partials(primitive: Primitive) -> None:
    """Compare the partials with finite differences of the function."""
    points = list(_points(primitive))
    found = []
    for args in points:
        for i, partial in enumerate(_rules(primitive, _value(primitive, args), args)):
            if primitive.partials[_slot(primitive, i)] is None:
                continue
            off = _disagreement(primitive, args, i, partial, lambda *xs: _value(primitive, xs))
            if off:
                found.append((off[0], f"{_place(primitive, args, i)} is {partial!r}, a finite difference gives {off[1]}"))
                break
    _judge(primitive, len(points), found)


def _check_graphs(primitive: Primitive) -> frozenset[int]:
    """Compare the rules on Values with those on floats, and the partials' derivatives with finite differences of the partials.

    Gives the slots of rules that nowhere make a graph of the arguments, though their numbers vary with these.
    """
    points = list(_points(primitive))
    found: list[tuple[int, float, str]] = []
    makes_graph, varies = set(), set()
    for args in points:
        leaves = [Value(x) for x in args]
        partials = _rules(primitive, _value(primitive, args), args)
        for i, (partial, node) in enumerate(zip(partials, _rules(primitive, primitive(*leaves), tuple(leaves)), strict=True)):
            slot, place = _slot(primitive, i), _place(primitive, args, i)
            if getattr(primitive.partials[slot], "first_order_only", False):
                varies.add(slot)
                continue
            on_values = node._number if isinstance(node, Value) else node
            if on_values != partial and on_values == on_values:
                found.append((-1, math.inf, f"{place} is {partial!r} on floats, {on_values!r} on Values"))
                break
            if primitive.partials[slot] is None:
                continue

            def moved(*xs: float, i: int = i) -> float:
                return float(_rules(primitive, _value(primitive, xs), xs)[i])

            seconds = [0.0] * len(args)
            if isinstance(node, Value) and not set(leaves).isdisjoint(topological_order(node)):
                makes_graph.add(slot)
                try:
                    seconds = gradient(node, leaves)
                except FirstOrderError:  # of a primitive in the rule, which says so where it is asked
                    continue
            elif any([not _is_constant(primitive, args, j, partial, moved) for j in range(len(args))]):
                varies.add(slot)
            off, j = max([(_disagreement(primitive, args, j, x, moved) or (0.0, ""), j) for j, x in enumerate(seconds)])
            if off[0]:
                found.append((slot, off[0], (
                    f"{place}, differentiated once more by argument {j + 1}, is {seconds[j]!r}, a finite difference of the"
                    f" partial gives {off[1]}: does the rule leave the graph, or branch on a value?"
                )))  # fmt: skip
                break
    first_order = frozenset(varies - makes_graph)
    _judge(primitive, len(points), [(off, text) for slot, off, text in found if slot not in first_order])
    return first_order


def _slot(primitive: Primitive, i: int) -> int:
    return 0 if primitive.variadic else i


def _place(primitive: Primitive, args: tuple[float, ...], i: int) -> str:
    return f"{primitive.name}({', '.join(map(repr, args))}): the partial by argument {i + 1}"


def _points(primitive: Primitive) -> Iterator[tuple[float, ...]]:
    """Points of the domain off its kinks where the value is finite; the same ones every time."""
    draw = random.Random(primitive.name)  # noqa: S311 - the same points every time
    for k in range(_POINTS):
        intervals = primitive.domain * (1 + k % 4) if primitive.variadic else primitive.domain
        args = tuple([_inside(interval, draw) for interval in intervals])
        if primitive.kink is not None and primitive.kink(*args):
            continue
        if math.isfinite(_value(primitive, args)):
            yield args


def _inside(interval: Interval, draw: random.Random) -> float:
    """A number in the interval, near its finite bounds as often as far from them."""
    low, high = interval.low, interval.high
    distance = 10.0 ** draw.uniform(-2.0, 1.0)
    if math.isfinite(low) and math.isfinite(high):
        x = low + (high - low) * draw.uniform(0.01, 0.99)
    elif math.isfinite(low):
        x = low + distance
    else:
        x = high - distance if math.isfinite(high) else draw.choice((-1.0, 1.0)) * distance
    if not interval.integers:
        return x
    whole = round(x)
    return float(whole + (whole <= low) - (whole >= high))  # the bounds are outside


def _value(primitive: Primitive, args: tuple[float, ...]) -> float:
    try:
        result = primitive.fn(*args)
    except Exception as error:
        raise WrongRuleError(
            f"{primitive.name}{args} raised {type(error).__name__}: {error}; with {len(args)} partial(s) fn takes {len(args)}"
            " float(s); it returns inf or nan rather than raising"
        ) from error
    if not isinstance(result, float):
        raise WrongRuleError(f"{primitive.name}{args} is {result!r:.60}, not a float")
    return result


def _rules(primitive: Primitive, r: Any, args: tuple[Any, ...]) -> list[Any]:
    """All partials, numbers or nodes; 0.0 for an argument without one."""
    try:
        if primitive.variadic:
            (rule,) = primitive.partials
            partials = list(rule(r, *args)) if rule else [0.0] * len(args)
        else:
            partials = [rule(r, *args) if rule else 0.0 for rule in primitive.partials]
    except (WrongRuleError, FirstOrderError):
        raise
    except Exception as error:
        kind, hint = "floats", ""
        if isinstance(r, Value):
            kind, hint = "Values", ", or give first_order_only=True if they are for floats alone"
        raise WrongRuleError(
            f"{primitive.name}: a partial raised {type(error).__name__} on {kind} {args}: {error};"
            f" write rules in autograd_lite's functions (ag.divide for a quotient whose divisor may be 0){hint}"
        ) from error
    if len(partials) != len(args):
        raise WrongRuleError(f"{primitive.name}: {len(partials)} partials for {len(args)} arguments")
    return partials


def _step(primitive: Primitive, args: tuple[float, ...], i: int) -> float:
    """How far argument i may be moved inside its interval; 0 for a whole number, which tells functions apart."""
    interval, x = primitive.domain[_slot(primitive, i)], args[i]
    return 0.0 if interval.integers else min(0.1 * (abs(x) or 1.0), 0.5 * (x - interval.low), 0.5 * (interval.high - x))


def _is_constant(primitive: Primitive, args: tuple[float, ...], i: int, number: float, f: Callable[..., float]) -> bool:
    """Whether f keeps its number when argument i is moved a little."""
    step = 1e-4 * _step(primitive, args, i)
    return all([f(*args[:i], args[i] + by, *args[i + 1 :]) == number for by in (step, -step)])


def _disagreement(
    primitive: Primitive, args: tuple[float, ...], i: int, claimed: float, f: Callable[..., float]
) -> tuple[float, str] | None:
    """How many times its error a finite difference of f by argument i is off the claim, and the difference; None if it is not.

    Smaller steps are tried before that is said, for a large one may have gone across a kink.
    """
    x, step = args[i], _step(primitive, args, i)
    if not step:
        return None
    estimates = []
    for shrink in (1.0, 1e-2, 1e-4):
        estimates.append(slope(lambda moved: f(*args[:i], moved, *args[i + 1 :]), x, shrink * step))
        if not _contradicts(claimed, estimates[-1]):
            return None
    estimate = min(estimates, key=lambda estimate: estimate.error)
    allowed = 10.0 * estimate.error + 1e-12 * (1.0 + abs(estimate.derivative))
    return abs(claimed - estimate.derivative) / allowed, f"{estimate.derivative!r} +- {estimate.error:.1g}"


def _contradicts(claimed: float, estimate: Estimate) -> bool:
    """Whether the estimate is sharp enough to tell, and tells another number."""
    if not math.isfinite(estimate.error) or estimate.error > 0.01 * (abs(estimate.derivative) + 1.0):
        return False
    return not abs(claimed - estimate.derivative) <= 10.0 * estimate.error + 1e-12 * (1.0 + abs(estimate.derivative))
