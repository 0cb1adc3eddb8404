"""Float functions with everything that is translated to C; each is compared with itself in Python."""

import math

from autograd_lite import floats

THREE = 3


def ones(xs: list[float], scale: float) -> None:
    """Fills a list; a comment must not end here: */"""
    for i in range(len(xs)):
        xs[i] = scale * (i + 1)


def evaluate(xs: list[float], x: float, negate: bool) -> float:
    result = 0.0
    for c in reversed(xs):
        result = result * x + c
    return -result if negate else result


def lists(x: float, y: float) -> float:
    n = int(abs(y)) % 5 if abs(y) < 1e15 else THREE
    coefficients = [0.5] * (n + 1)
    ones(coefficients, y)
    coefficients[n] += x
    total = 0.0
    for i, c in enumerate(coefficients):
        if i != 1:
            total -= c
    for c in coefficients[1:]:
        total *= c
    return total + evaluate(coefficients, x, x < y) + evaluate(coefficients, x, negate=math.isinf(y))


def whole_numbers(x: float, y: float) -> float:
    a = int(x) if abs(x) < 1e6 else 7
    b = int(y) if abs(y) < 1e6 and int(y) != 0 else -2
    quotient, rest = a // b, a % b
    total = 0
    for k in range(5, -3, -2):
        total += k * min(rest, k) - max(quotient, -k)
    return total + 0.25 * (quotient - b) - (a - (b - rest))


def mantissas(x: float, y: float) -> float:
    if not (math.isfinite(x) and math.isfinite(y)) or not x:
        return math.nan
    double, exponent = math.frexp(x)
    _, other = math.frexp(y)
    exponent -= other
    return math.ldexp(double, exponent % 30) if exponent > 0 else -(-double)


def exchange(x: float, y: float) -> float:
    x, y = y, x
    before, after = 1.0, x
    for k in range(4):
        before, after = after, 0.5 * after - k * before
        if after != after:
            low, high = 0.0, 1.0
        elif after > before:
            low, high = before, after
        else:
            low, high = after, before
        x = max(low, x) - min(high, 1)
    return x - (y - before) / (1.0 + y * y)


def truths(x: float, y: float) -> float:
    between = -1.0 < x <= y < 100 and not (x == 0.5 or y == 0.5)
    same = math.isinf(x) == math.isinf(y)
    if between or (same and x):
        if not same:
            return 1.0
    elif x < 0.0:
        return (x if between else 2) * 3.0
    return 4.0 if same != between else -0.0


def confined(x: float, y: float) -> float:
    """A variable in two loops, one that lives on, and one that is assigned in both branches."""
    total = 0.0
    for k in (1.5, -2.0, 0.1):
        part = k * x
        total += part
    for i in range(3):
        part = y - i
        last = part + 1.0 if part > 0.0 else -1.0
        total += last
    return total * last


def libraries(x: float, y: float) -> float:
    return floats.floor(x) + floats.power(abs(x), 2.0) % 3.0 + math.copysign(abs(y) ** 0.5, x) // 0.75 + floats.rint(y)


def tried(x: float, y: float) -> float:
    try:
        return floats.divide(x, y)
    except ZeroDivisionError:
        return math.nan


def raising(x: float, y: float) -> float:
    if x > y:
        raise ValueError(x)
    return y


FUNCTIONS = [lists, whole_numbers, mantissas, exchange, truths, confined, libraries, tried, raising]


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow on either side."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)
