"""The docstrings of primitives, made from the table: meaning, partial derivatives, domain, and examples with their results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import product

from autograd_lite.primitive import Primitive, paired
from autograd_lite.show.formula import argument_names, domain_of, partial_formulas


def docstring(primitive: Primitive) -> str:
    """What `help` shows of a primitive. The results of the examples are computed on floats now; a private one has none."""
    lines = [f"{primitive.doc}.", "", "Numbers give a float; where an argument is a Value, the result is a Value."]
    lines += ["", "Partial derivatives (r: the result):", *[f"    {line}" for line in _partials(primitive)]]
    lines += ["", f"Domain: {domain_of(primitive)}"]
    if primitive.public:
        with suppress(Exception):  # a user's function may have no value at these points
            lines += ["", ">>> import autograd_lite as ag", *_example(primitive, _point(primitive, at_kink=False))]
            point = _point(primitive, at_kink=True)
            lines += ["", "Where there is no derivative, by convention:", "", *_example(primitive, point)[2:]] if point else []
    return "\n".join(lines)


def _partials(primitive: Primitive) -> list[str]:
    try:
        formulas = zip(argument_names(primitive), partial_formulas(primitive), strict=True)
        written = [f"∂{name}: {formula}" for name, formula in formulas if formula]
    except Exception:  # noqa: BLE001 -- a user's rule that symbols cannot go through, or that waits for another primitive
        return ["computed by a rule that is no formula"]
    return written[:1] if primitive.variadic else written or ["none"]


def _point(primitive: Primitive, at_kink: bool) -> tuple[float, ...]:
    """Arguments off all kinks and jumps, or on one; none if there are none among short numbers."""
    kink, count = primitive.kink, len(primitive.sample())
    candidates: Iterator[tuple[float, ...]] = (
        product((2.0, 0.0, 0.5), repeat=count) if at_kink else map(primitive.sample, range(4))
    )
    return next((args for args in candidates if bool(kink and kink(*args, *primitive.defaults)) == at_kink), ())


def _example(primitive: Primitive, args: tuple[float, ...]) -> list[str]:
    """A call and its result, a gradient by all arguments and its result, as lines of a doctest."""
    complete = (*args, *primitive.defaults)
    y = primitive.fn(*complete)
    rules = primitive.number_partials
    if primitive.variadic:
        slopes = list(rules[0](y, *args)) if rules[0] else [0.0] * len(args)
    else:
        slopes = [rule(y, *complete) if rule else 0.0 for rule in rules[: len(args)]]
    half = len(args) // 2
    if primitive.gather is paired:
        written, which, result = f"{[*args[:half]]}, {[*args[half:]]}", "", repr(slopes[:half])
    else:
        written = ", ".join(map(repr, args))
        which = "" if len(args) == 1 else f", {tuple(range(len(args)))}"
        result = repr(slopes[0] if len(args) == 1 else tuple(slopes))
    name = f"ag.{primitive.name}"
    return [f">>> {name}({written})", repr(y), f">>> ag.grad({name}{which})({written})", result]
