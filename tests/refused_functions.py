"""Float functions with something that is not translated, which an error must name."""

import math
from collections.abc import Sequence

from autograd_lite import floats


def untyped(x):
    return x


def calling(x: float) -> float:
    return math.gamma(x)


def rounding(x: float) -> float:
    return math.floor(x)


def generating(x: float) -> float:
    return sum(x for _ in range(3))


def renaming(x: float) -> float:
    n = 1
    for _ in range(n):
        n = x
    return n


def allocating(x: float) -> float:
    for i in range(3):
        xs = [x] * i
    return xs[0]


def shortening(x: float) -> float:
    n = 3
    for i in range(n):
        n = i
    return x


def unknown(x: float) -> float:
    return x + missing  # noqa: F821


def chaining(x: float) -> float:
    return 1.0 if 0.0 < math.exp(x) < 1.0 else x


def looping(x: float) -> float:
    while x > 1.0:
        x = x / 2.0
    return x


def mixing(x: float) -> float:
    return x if x > 0.0 else [x]


def returning(x: float) -> list[float]:
    return [x]


def recursive(x: float) -> float:
    return recursive(x - 1.0) if x > 0.0 else x


def several(x: float) -> float:
    return floats.divide(x)


def slicing(xs: Sequence[float]) -> float:
    for x in xs[:2]:
        return x
    return 0.0
