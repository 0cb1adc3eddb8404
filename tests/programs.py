"""Random programs for Hypothesis: straight lines of operations on earlier results, each valid where it is run.

A program, not a nested expression, is drawn: sharing, aliasing and dead nodes come by themselves, and it shrinks well.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from autograd_lite.primitive import Interval, Primitive
from autograd_lite.primitives import TABLE

ARITHMETIC = ("add", "subtract", "multiply", "negative", "square", "positive")
SMOOTH = tuple(
    name
    for name, primitive in TABLE.items()
    if primitive.public
    and name not in ("around", "stop_gradient", "normal_pdf", "where", "copysign", "sign", "step", "dot")
    and not name.startswith(("floor", "ceil", "trunc", "rint"))
)
EVERYTHING = tuple(name for name, primitive in TABLE.items() if primitive.public)


@dataclass(frozen=True)
class Line:
    """One operation; an operand is the index of an earlier result, or a float for a constant."""

    name: str
    operands: tuple[int | float, ...]


@dataclass(frozen=True)
class Program:
    """`inputs` are the numbers at which the program was drawn; leaves come first among its results."""

    inputs: tuple[float, ...]
    lines: tuple[Line, ...]

    def run(self, inputs: Sequence[Any], apply: Callable[..., Any] | None = None) -> list[Any]:
        """All results on other inputs: numbers, Values, or whatever `apply(primitive, *operands)` understands."""
        results = list(inputs)
        for line in self.lines:
            operands = [results[x] if isinstance(x, int) else x for x in line.operands]
            primitive = TABLE[line.name]
            results.append(apply(primitive, *operands) if apply else primitive(*operands))
        return results

    def __call__(self, inputs: Sequence[Any]) -> Any:
        """The last result."""
        return self.run(inputs)[-1]


def _is_valid(primitive: Primitive, args: list[float], largest: float) -> bool:
    """Whether the arguments lie well inside the domain, off the kinks, and give a result of a moderate size."""
    intervals: Sequence[Interval] = primitive.domain * len(args) if primitive.variadic else primitive.domain
    for x, interval in zip(args, intervals, strict=True):
        if x not in interval or min(x - interval.low, interval.high - x) < 1e-3:
            return False
    if primitive.kink is not None and any(
        primitive.kink(*[x * (1.0 + delta) + delta for x in args[:1]], *args[1:]) for delta in (0.0, 1e-3, -1e-3)
    ):
        return False
    try:
        result = primitive.fn(*args)
    except ValueError:
        return False
    return math.isfinite(result) and abs(result) <= largest


@st.composite
def programs(
    draw: st.DrawFn,
    names: Sequence[str] = SMOOTH,
    numbers: st.SearchStrategy[float] | None = None,
    max_inputs: int = 4,
    max_lines: int = 12,
    largest: float = 1e3,
    valid: bool = True,
) -> Program:
    """A program of the named primitives on up to `max_inputs` numbers; with `valid=False` operands are taken as they come."""
    numbers = st.floats(-3.0, 3.0).map(lambda x: round(x, 3)) if numbers is None else numbers
    inputs = draw(st.lists(numbers, min_size=1, max_size=max_inputs))
    values = list(inputs)
    lines: list[Line] = []
    for _ in range(draw(st.integers(1, max_lines))):
        recent = st.integers(max(0, len(values) - 3), len(values) - 1)
        index = st.one_of(recent, st.integers(0, len(values) - 1))
        first = draw(index)
        other = draw(st.one_of(st.just(first), index, numbers))  # the same operand twice, another one, or a constant
        third = draw(st.one_of(index, numbers))
        candidates: list[Line] = []
        for name in names:
            primitive = TABLE[name]
            count = 3 if primitive.variadic and name != "dot" else 2 if name == "dot" else len(primitive.domain)
            line = Line(name, (first, other, third)[:count])
            args = [values[x] if isinstance(x, int) else x for x in line.operands]
            if not valid or _is_valid(primitive, args, largest):
                candidates.append(line)
        if not candidates:
            continue
        line = draw(st.sampled_from(candidates))
        args = [values[x] if isinstance(x, int) else x for x in line.operands]
        try:
            values.append(TABLE[line.name].fn(*args))
        except ValueError:  # a power that would be complex
            continue
        lines.append(line)
    return Program(tuple(inputs), tuple(lines))
