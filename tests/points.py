"""Points at which the table is tested: the whole range of doubles, crowded where something happens."""

import math
import random
import struct
from collections.abc import Callable, Iterator

from autograd_lite.primitive import Interval, Primitive

LARGEST = 1.7976931348623157e308
SMALLEST = 5e-324
NORMAL = 2.2250738585072014e-308

# Where functions overflow, underflow, saturate or have a zero, a kink or a bound.
LANDMARKS = (
    0.0, SMALLEST, NORMAL, 5.562684646268003e-309, 1.5e-154, 2.0**-53, 0.5, 1.0, 1.5, 2.0, 3.0, math.pi / 2, math.pi, 5.92,
    9.01, 18.7, 19.06, 22.0, 26.54, 27.23, 36.74, 37.0, 38.5, 40.0, 88.0, 354.0, 372.5, 708.3964, 709.782712893384,
    710.4758600739439, 744.4400719213812, 745.1332191019412, 1021.0, 1022.0, 1024.0, 1074.0, 2.0**52, 2.0**53, 1e22,
    1.34e154, 1e200, 1e300, LARGEST / 2, LARGEST, 0.7517915246935645, 1.2784645427610738, 2.399357280520547,
)  # fmt: skip


def beside(x: float, steps: int) -> float:
    """The double so many steps above x (below, where negative)."""
    for _ in range(abs(steps)):
        x = math.nextafter(x, math.copysign(math.inf, steps))
    return x


def any_double(draw: random.Random) -> float:
    """Every finite double is equally probable: the logarithm is uniform, subnormals are among them."""
    x = math.nan
    while not math.isfinite(x):
        (x,) = struct.unpack("<d", draw.randbytes(8))
    return x


def number(interval: Interval, draw: random.Random) -> float:
    """A finite number in an open interval."""
    if interval.integers:
        return max(float(draw.choice((0, 1, 1, 2, 2, 3, 4))), math.floor(interval.low) + 1.0)
    for _ in range(200):
        kind = draw.randrange(6)
        sign = draw.choice((-1.0, 1.0))
        if kind == 0:
            x = any_double(draw)
        elif kind == 1:
            x = sign * 2.0 ** draw.uniform(-20.0, 11.0)
        elif kind == 2:
            x = draw.uniform(-5.0, 5.0)
        elif kind == 3:
            x = draw.uniform(-760.0, 760.0)
        elif kind == 4:
            x = sign * beside(draw.choice(LANDMARKS), draw.randint(-3, 3))
        else:
            bound = draw.choice([b for b in (interval.low, interval.high) if math.isfinite(b)] or [0.0])
            x = bound + sign * 2.0 ** -draw.uniform(0.0, 60.0)
        if x in interval and math.isfinite(x):
            return x
    raise AssertionError(f"no number drawn in {interval}")


def related(x: float, draw: random.Random) -> float:
    """A number that stands in some relation to x."""
    kind = draw.randrange(9)
    if kind == 0:
        return x
    if kind == 8:
        return SMALLEST * draw.randint(-(2**20), 2**20)
    if kind == 1:
        return beside(x, draw.randint(-3, 3))
    if kind == 2:
        return -x
    if kind == 3:
        return x * 2.0 ** draw.randint(-60, 60)
    if kind == 4:
        return x + draw.uniform(-800.0, 800.0)
    if kind == 5:
        return x * (1.0 + 2.0 ** -draw.uniform(1.0, 52.0))
    if kind == 6:
        return x * draw.choice((-1.0, 1.0)) * draw.uniform(0.1, 10.0)
    return 1.0 / x if abs(x) > 1e-300 else 1.0


def _power(draw: random.Random) -> tuple[float, float]:
    """Base and exponent whose power, mostly, neither overflows nor underflows by far."""
    kind = draw.randrange(6)
    if kind == 0:  # a whole exponent
        y = float(draw.randint(-6, 6))
        x = abs(any_double(draw)) ** (1.0 / max(1.0, abs(y))) * draw.choice((-1.0, 1.0))
        return x or 1.0, y
    if kind == 1:  # a base next to 1 and a large exponent, or -1 and one beyond 2^53
        x, y = beside(1.0, draw.randint(-1000, 1000)), 2.0 ** draw.uniform(40.0, 62.0) * draw.choice((-1.0, 1.0))
        return (x, y) if x != 1.0 and draw.randrange(4) else (-1.0, math.floor(y) * 1.0)
    if kind == 2:
        return number(Interval(0.0), draw), number(Interval(), draw)
    x = abs(any_double(draw)) or 1.0
    if kind == 3:
        x = 2.0 ** draw.uniform(-30.0, 30.0)
    logarithm = math.log2(x)
    return x, draw.uniform(-1100.0, 1100.0) / logarithm if abs(logarithm) > 1e-3 else number(Interval(), draw)


def _power_derivative(draw: random.Random) -> tuple[float, ...]:
    x, y = _power(draw)
    return x, y, float(draw.randint(0, 3)), 0.0 if x < 0.0 else float(draw.randint(0, 2))


def _power_quotient(draw: random.Random) -> tuple[float, ...]:
    n = float(draw.randint(1, 4))
    y = any_double(draw)
    y = math.copysign(abs(y) ** (1.0 / n), y) if draw.randrange(3) else number(Interval(), draw)
    x = any_double(draw) if draw.randrange(2) else number(Interval(), draw)
    return x, y, n


def _where(draw: random.Random) -> tuple[float, ...]:
    return draw.choice((0.0, -0.0, number(Interval(), draw))), number(Interval(), draw), number(Interval(), draw)


LIMIT = {"dot": 1e153}
SPECIAL: dict[str, Callable[[random.Random], tuple[float, ...]]] = {
    "power": _power,
    "power_derivative": _power_derivative,
    "power_quotient": _power_quotient,
    "where": _where,
}


def _point(primitive: Primitive, draw: random.Random) -> tuple[float, ...]:
    if primitive.name in SPECIAL:
        return SPECIAL[primitive.name](draw)
    domain = primitive.domain
    if primitive.variadic:
        domain *= 2 * draw.randint(1, 3) if primitive.name == "dot" else draw.randint(1, 6)
    args: list[float] = []
    for interval in domain:
        x = number(interval, draw)
        if args and not interval.integers and draw.randrange(2):
            x = related(draw.choice(args), draw)
        args.append(x if x in interval else number(interval, draw))
    if len(set(domain)) == 1 and draw.randrange(2):
        args.reverse()
    if primitive.variadic and math.fsum([abs(x) / 2.0**30 for x in args]) > LIMIT.get(primitive.name, LARGEST) / 2.0**30:
        return _point(primitive, draw)  # a partial sum would overflow, or a product
    return tuple(args)


def points(primitive: Primitive, count: int, seed: object = 0) -> Iterator[tuple[float, ...]]:
    """So many points of the primitive's domain, off its kinks; the same ones for the same seed."""
    draw = random.Random(f"{primitive.name} {seed}")
    found = 0
    while found < count:
        args = _point(primitive, draw)
        if all(math.isfinite(x) for x in args) and not (primitive.kink and primitive.kink(*args)):
            found += 1
            yield args
