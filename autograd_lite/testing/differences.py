"""Derivatives of black-box functions by finite differences, each with an estimate of its own error."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from autograd_lite import structures
from autograd_lite.engine import Value
from autograd_lite.primitive import real_number

_LEVELS = 12
_HALVINGS = 60
_EPSILON = 2.0**-52


class Estimate(NamedTuple):
    """A derivative and how far off it may be; the error is inf where no step gave finite values.

    >>> import autograd_lite as ag
    >>> estimate = ag.testing.finite_difference(lambda x: x * x, 3.0)
    >>> abs(estimate.derivative - 6.0) <= estimate.error < 1e-9
    True
    """

    derivative: float
    error: float


def slope(f: Callable[[float], float], x: float, step: float | None = None) -> Estimate:
    """f'(x) for a function of one float: Ridders' extrapolation of central differences.

    The first step is `step`, by default a tenth of |x| or of 1, whichever is smaller; it is halved until f is finite at
    x +- step, and then again for each level of the extrapolation. The error is the disagreement with the estimates before
    or the rounding of f's values over the step, whichever is larger: two steps that agree prove nothing by themselves. A
    kink nearer than the smallest step (1/4000 of the first) is not seen.
    C. Ridders, Advances in Engineering Software 4 (1982) 75.
    """
    step = step or 0.1 * min(abs(x) or 1.0, 1.0)
    for _ in range(_HALVINGS):
        if math.isfinite(f(x + step)) and math.isfinite(f(x - step)):
            break
        step /= 2.0
    candidates: list[Estimate] = []
    column: list[float] = []
    coarse = Estimate(math.nan, math.inf)
    for _ in range(_LEVELS):
        up, down = f(x + step), f(x - step)
        width = (x + step) - (x - step)
        step /= 2.0
        if not (math.isfinite(up) and math.isfinite(down) and width > 0.0):
            break
        rounding = 4.0 * _EPSILON * (abs(up) + abs(down)) / width
        row = [(up - down) / width]
        if column:
            coarse = Estimate(row[0], 3.0 * abs(row[0] - column[0]) + rounding)
        factor = 4.0
        for previous in column:
            row.append((row[-1] * factor - previous) / (factor - 1.0))
            factor *= 4.0
            if len(row) > 2:
                error = max(abs(row[-1] - row[-2]), abs(row[-1] - previous), abs(row[-1] - column[-1]), 2.0 * rounding)
                candidates.append(Estimate(row[-1], error))
        column = row
    # Large steps may agree by chance (across several periods, say): the plain difference of the smallest step has a vote.
    likely = [e for e in candidates if abs(e.derivative - coarse.derivative) <= coarse.error]
    return min(likely, key=lambda e: e.error, default=coarse)


def finite_difference(f: Callable[[Any], Any], xs: Any) -> Any:
    """The derivatives of f, a function of one argument with one real result, in the structure of xs: an `Estimate` a number.

    f is called with plain floats. Raises TypeError if xs holds something else than numbers, or f's result is no number.

    >>> import autograd_lite as ag
    >>> ag.testing.finite_difference(lambda p: p[0] * p[1], [2.0, 3.0])[1].derivative
    2.0
    """
    leaves, rebuild = structures.flatten(xs)
    point = [real_number(x, "finite_difference") for x in leaves]

    def along(i: int) -> Callable[[float], float]:
        def moved(x: float) -> float:
            result = f(rebuild(iter([*point[:i], x, *point[i + 1 :]])))
            return result.data if isinstance(result, Value) else real_number(result, "finite_difference: the function's result")

        return moved

    return rebuild(iter([slope(along(i), x) for i, x in enumerate(point)]))
