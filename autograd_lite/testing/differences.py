"""Derivatives of black-box functions by finite differences, each with an estimate of its own error."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from autograd_lite import structures
from autograd_lite.engine import Value
from autograd_lite.primitives import real_number

_RATIO = 2.0
_LEVELS = 12
_EPSILON = 2.0**-52


class Estimate(NamedTuple):
    """A derivative and how far off it may be; the error is inf where no step gave finite values."""

    derivative: float
    error: float


def slope(f: Callable[[float], float], x: float, step: float | None = None) -> Estimate:
    """f'(x) for a function of one float: Ridders' extrapolation of central differences.

    The first step is `step`, by default a tenth of |x| (of 1 at 0); it is halved while f is not finite at x +- step. The error is the
    extrapolation's disagreement with itself or the rounding of f's values over the step, whichever is larger: two steps that
    agree prove nothing by themselves. C. Ridders, Advances in Engineering Software 4 (1982) 75.
    """
    step = step or 0.1 * (abs(x) or 1.0)
    best = Estimate(math.nan, math.inf)
    column: list[float] = []
    for _ in range(_LEVELS):
        up, down = f(x + step), f(x - step)
        width = (x + step) - (x - step)
        step /= _RATIO
        if not (math.isfinite(up) and math.isfinite(down) and width > 0.0):
            column = []
            continue
        rounding = 4.0 * _EPSILON * (abs(up) + abs(down)) / width
        row = [(up - down) / width]
        factor = _RATIO * _RATIO
        for previous in column:
            row.append((row[-1] * factor - previous) / (factor - 1.0))
            factor *= _RATIO * _RATIO
            disagreement = max(abs(row[-1] - row[-2]), abs(row[-1] - previous))
            error = max(disagreement, 2.0 * rounding)
            if error < best.error:
                best = Estimate(row[-1], error)
        column = row
    return best


def finite_difference(f: Callable[[Any], Any], xs: Any) -> Any:
    """The derivatives of f, a function of one argument with one real result, in the structure of xs: an `Estimate` a number.

    f is called with plain floats. Raises TypeError if xs holds something else than numbers, or f's result is no number.
    """
    leaves, rebuild = structures.flatten(xs)
    point = [real_number(x, "finite_difference") for x in leaves]

    def along(i: int) -> Callable[[float], float]:
        def moved(x: float) -> float:
            result = f(rebuild(iter([*point[:i], x, *point[i + 1 :]])))
            return result.data if isinstance(result, Value) else real_number(result, "finite_difference: the function's result")

        return moved

    return rebuild(iter([slope(along(i), x) for i, x in enumerate(point)]))
