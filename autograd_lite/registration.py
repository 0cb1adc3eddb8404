"""Primitives of the user's own: checked against finite differences and against themselves before they enter the table."""

from __future__ import annotations

import keyword
import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autograd_lite.engine import Value, gradient, install_method
from autograd_lite.primitive import REAL, Interval, Primitive, Rule, register
from autograd_lite.primitives import TABLE
from autograd_lite.testing.differences import Estimate, slope

_POINTS = 60
_PACKAGE = __name__.partition(".")[0]


class WrongRuleError(ValueError):
    """A primitive's rule disagrees with its function; the message holds a counter-example.

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
) -> Primitive:
    """Add an operation to the table: afterwards it is ``autograd_lite.<name>``, a method of `Value`, and has every order.

    fn: floats to float, returning inf or nan rather than raising.
    partials: for each argument a callable of (result, *arguments), written in autograd_lite's functions and operators so
        that it works on floats and on Values; None for an argument that carries no derivative. With `variadic`, one
        callable that returns the sequence of all partials.
    domain: the open interval in which the operation is smooth, or one for each argument.
    kink: whether arguments lie on a kink or a jump inside the domain.
    selects: the partials are shares of 0 to 1 of what was selected; what was not contributes nothing.

    The rule is checked at random points of the domain: the partials against finite differences of fn, their own derivatives
    against finite differences of the partials, and their values on Values against those on floats. Raises WrongRuleError
    with a counter-example, ValueError for an unusable name, TypeError for arguments of the wrong kind; the table is
    unchanged then.

    >>> import autograd_lite as ag
    >>> triple = ag.define_primitive("triple", lambda x: 3.0 * x, [lambda r, x: 3.0], doc="3 * x")
    >>> ag.triple(2.0), ag.grad(lambda x: x.triple() ** 2)(2.0)
    (6.0, 36.0)
    """
    _check_name(name)
    if not callable(fn):
        raise TypeError(f"define_primitive({name!r}): fn is a function of floats, not {fn!r:.60}")
    rules = (partials,) if callable(partials) else tuple(partials)
    if not all(rule is None or callable(rule) for rule in rules) or not rules or (variadic and len(rules) != 1):
        raise TypeError(
            f"define_primitive({name!r}): partials are callables or None, one an argument (one in all with variadic),"
            f" not {rules!r:.60}"
        )
    primitive = Primitive(
        name, fn, rules, _intervals(domain, len(rules)), doc or name,
        kink=kink, selects=(selects,) * len(rules), variadic=variadic,
    )  # fmt: skip
    _check(primitive)
    register(primitive)
    install_method(primitive)
    setattr(sys.modules[_PACKAGE], name, primitive)
    return primitive


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise ValueError(f"a primitive's name is a Python identifier without a leading underscore, not {name!r}")
    if name in TABLE or hasattr(Value, name) or hasattr(sys.modules[_PACKAGE], name):
        raise ValueError(f"the name {name!r} is taken in autograd_lite; choose another")


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
    counterexamples: list[tuple[float, str]] = []
    tried = 0
    for args in _points(primitive):
        tried += 1
        found = _counterexample(primitive, args)
        if found:
            counterexamples.append(found)
    if not tried:
        raise WrongRuleError(f"{primitive.name}: no point of its domain gave a finite value; is the domain right?")
    if len(counterexamples) > 1:
        raise WrongRuleError(f"{max(counterexamples)[1]} (at {len(counterexamples)} of {tried} points the rule is wrong)")


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
    return float(round(x)) if interval.integers else x


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
    except Exception as error:
        kind = "Values" if isinstance(r, Value) else "floats"
        raise WrongRuleError(
            f"{primitive.name}: a partial raised {type(error).__name__} on {kind} {args}: {error};"
            " write rules in autograd_lite's functions (ag.divide for a quotient whose divisor may be 0)"
        ) from error
    if len(partials) != len(args):
        raise WrongRuleError(f"{primitive.name}: {len(partials)} partials for {len(args)} arguments")
    return partials


def _counterexample(primitive: Primitive, args: tuple[float, ...]) -> tuple[float, str] | None:
    """How bad, and what: where the rule and the function disagree at one point; None where they agree."""
    partials = _rules(primitive, _value(primitive, args), args)
    leaves = tuple([Value(x) for x in args])
    recorded = _rules(primitive, primitive(*leaves), leaves)
    for i, (partial, node) in enumerate(zip(partials, recorded, strict=True)):
        place = f"{primitive.name}({', '.join(map(repr, args))}): the partial by argument {i + 1}"
        on_values = node.data if isinstance(node, Value) else node
        if on_values != partial and on_values == on_values:
            return math.inf, f"{place} is {partial!r} on floats, {on_values!r} on Values"
        if primitive.partials[0 if primitive.variadic else i] is None:
            continue
        found = _disagreement(primitive, args, i, partial, lambda *xs: _value(primitive, xs))
        if found:
            return found[0], f"{place} is {partial!r}, a finite difference gives {found[1]}"
        seconds = gradient(node, list(leaves)) if isinstance(node, Value) else [0.0] * len(args)
        for j, second in enumerate(seconds):
            found = _disagreement(
                primitive, args, j, second, lambda *xs, i=i: float(_rules(primitive, _value(primitive, xs), xs)[i])
            )
            if found:
                return found[0], (
                    f"{place}, differentiated once more by argument {j + 1}, is {second!r}, a finite difference of the partial"
                    f" gives {found[1]}: does the rule leave the graph, or branch on a value?"
                )
    return None


def _disagreement(
    primitive: Primitive, args: tuple[float, ...], i: int, claimed: float, f: Callable[..., float]
) -> tuple[float, str] | None:
    """How many times its error a finite difference of f by argument i is off the claim, and the difference; None if it is not.

    Smaller steps are tried before that is said, for a large one may have gone across a kink.
    """
    interval = primitive.domain[0 if primitive.variadic else i]
    x = args[i]
    step = min(0.1 * (abs(x) or 1.0), 0.5 * (x - interval.low), 0.5 * (interval.high - x))
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
