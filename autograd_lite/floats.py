"""Real functions on floats, total in the sense of IEEE 754.

Python's ``math`` raises where IEEE 754 returns inf or nan; every function here returns. The functions that no libm has
(direction cosine, derivative of a power, ...) are written so that they keep their digits over the whole range of doubles.
They are what the table in `primitives` calls; nothing here knows of derivatives.
"""

import math
from collections.abc import Callable, Mapping

inf = math.inf
nan = math.nan
LN2 = math.log(2.0)
SQRT_HALF = 0.7071067811865476
SQRT_HALF_LOW = -4.833646656726457e-17  # sqrt(1/2) - SQRT_HALF
INV_SQRT_2PI = 0.3989422804014327
TWO_OVER_SQRT_PI = 1.1283791670955126


def total(
    function: Callable[[float], float],
    overflow: Callable[[float], float] = lambda x: inf,
    poles: Mapping[float, float] | None = None,
) -> Callable[[float], float]:
    """`function` with IEEE 754 results where Python's ``math`` raises: `overflow`, a limit from `poles`, or nan."""
    limits = dict(poles or {})

    def extended(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return overflow(x)
        except ValueError:
            return limits.get(x, nan)

    return extended


def signed_infinity(x: float) -> float:
    """Infinity with the sign of x."""
    return math.copysign(inf, x)


exp = total(math.exp)
exp2 = total(math.exp2)
expm1 = total(math.expm1)
log = total(math.log, poles={0.0: -inf})
log2 = total(math.log2, poles={0.0: -inf})
log10 = total(math.log10, poles={0.0: -inf})
log1p = total(math.log1p, poles={-1.0: -inf})
sqrt = total(math.sqrt)
sin = total(math.sin)
cos = total(math.cos)
tan = total(math.tan)
arcsin = total(math.asin)
arccos = total(math.acos)
sinh = total(math.sinh, overflow=signed_infinity)
cosh = total(math.cosh)
arccosh = total(math.acosh)
arctanh = total(math.atanh, poles={1.0: inf, -1.0: -inf})


def divide(x: float, y: float) -> float:
    """x / y; x / 0 is an infinity, 0 / 0 is nan."""
    try:
        return x / y
    except ZeroDivisionError:
        return nan if x == 0.0 or x != x else math.copysign(inf, x) * math.copysign(1.0, y)


def reciprocal(x: float) -> float:
    """1 / x."""
    return divide(1.0, x)


def floor_divide(x: float, y: float) -> float:
    """The floor of the exact quotient (not of the rounded one)."""
    try:
        return x // y
    except ZeroDivisionError:
        return divide(x, y)


def mod(x: float, y: float) -> float:
    """x - y * floor(x / y): the remainder with the sign of the divisor."""
    try:
        return x % y
    except ZeroDivisionError:
        return nan


def is_odd(x: float) -> bool:
    """Whether x is an odd integer."""
    return math.isfinite(x) and x % 2.0 == 1.0


def power(x: float, y: float) -> float:
    """x ** y. Raises ValueError where the result would be complex."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -inf if x < 0.0 and is_odd(y) else inf
    except ValueError:
        if x == 0.0:
            return math.copysign(inf, x) if is_odd(y) else inf
        raise ValueError(
            f"power({x!r}, {y!r}) is complex: a negative number has no real power with a fractional exponent;"
            " take absolute(x) ** y, or keep x positive"
        ) from None


def power_derivative(x: float, y: float, order_x: float, order_y: float) -> float:
    """The mixed derivative of x ** y, `order_x` times by x and `order_y` times by y.

    It is x^(y-k) P(y, log x), where P starts as log(x)^m and each derivative by x makes (y - j) P + dP/dlog(x) of it.
    Where x^(y-k) is large or tiny its square root is multiplied on twice, so that no product loses digits on the way;
    the rounding error of y - k comes back as a first-order factor.
    """
    order, logs = int(order_x), int(order_y)
    coefficients = [0.0] * logs + [1.0]
    for j in range(order):
        shifted = [i * c for i, c in enumerate(coefficients)][1:] + [0.0]
        coefficients = [(y - j) * c + s for c, s in zip(coefficients, shifted, strict=True)]
    if logs and x < 0.0:
        return nan
    if not any(coefficients):
        return 0.0
    exponent = y - order
    magnitude = abs(x)
    if magnitude == 0.0 or not math.isfinite(magnitude) or not math.isfinite(y):
        return _power_derivative_at_edge(x, y, exponent, coefficients, logs)
    logarithm = math.log(magnitude)
    polynomial = 0.0
    for c in reversed(coefficients):
        polynomial = polynomial * logarithm + c
    value = power(x, exponent)
    if 1e-290 < abs(value) < 1e290:
        result = polynomial * value
    else:
        root = power(magnitude, 0.5 * exponent)
        result = polynomial * root * root
        if value < 0.0 or (x < 0.0 and is_odd(exponent)):
            result = -result
    lost = difference_error(y, float(order))
    return result * (1.0 + lost * logarithm) if lost and math.isfinite(result) else result


def _power_derivative_at_edge(x: float, y: float, exponent: float, coefficients: list[float], logs: int) -> float:
    """x is 0, infinite or nan, or y is not finite: the limit, with 0 for the logarithm's jump at 0 ** 0."""
    if logs and x == 0.0 and (exponent > 0.0 or exponent == y == 0.0):
        return 0.0
    if logs and x == inf and exponent < 0.0:
        return 0.0
    logarithm = log(x) if logs else 0.0
    polynomial = 0.0
    for c in reversed(coefficients):
        polynomial = polynomial * logarithm + c if polynomial else c
    return polynomial * power(x, exponent)


def cbrt(x: float) -> float:
    """The real cube root, libm's result improved by one Newton step (libm's own may be 4 ulp off)."""
    if x == 0.0 or not math.isfinite(x):
        return x
    mantissa, exponent = math.frexp(x)
    shift = exponent % 3
    scaled = math.ldexp(mantissa, shift)
    root = math.cbrt(scaled)
    square = root * root
    residual = (square * root - scaled) + (product_error(square, root) + product_error(root, root) * root)
    return math.ldexp(root - residual / (3.0 * square), (exponent - shift) // 3)


def difference(x: float, y: float) -> float:
    """x - y, where equal infinities differ by 0."""
    return 0.0 if x == y else x - y


def difference_error(x: float, y: float) -> float:
    """What x - y rounds away: (x - y) = fl(x - y) + difference_error(x, y), exactly (Knuth's two-sum)."""
    d = x - y
    t = d - x
    error = (x - (d - t)) - (y + t)
    return error if math.isfinite(error) else 0.0


def product_error(x: float, y: float) -> float:
    """What x * y rounds away (Dekker's product), barring underflow; 0 where the splitting would overflow."""
    p = x * y
    a, b = 134217729.0 * x, 134217729.0 * y
    high_x, high_y = a - (a - x), b - (b - y)
    low_x, low_y = x - high_x, y - high_y
    error = ((high_x * high_y - p) + high_x * low_y + low_x * high_y) + low_x * low_y
    return error if math.isfinite(error) else 0.0


def quotient(x: float, y: float) -> float:
    """x / y, where 0 divided by anything is 0."""
    return x if x == 0.0 else divide(x, y)


def _scale(x: float, y: float) -> tuple[float, float, int]:
    """x and y times a power of two that brings the larger into [1/2, 1), and its exponent."""
    exponent = math.frexp(max(abs(x), abs(y)))[1]
    return math.ldexp(x, -exponent), math.ldexp(y, -exponent), exponent


def cosine(x: float, y: float) -> float:
    """x / hypot(x, y), the direction cosine; 0 at the origin."""
    if x != x or y != y:
        return nan
    if math.isinf(x):
        return nan if math.isinf(y) else math.copysign(1.0, x)
    if math.isinf(y):
        return math.copysign(0.0, x)
    if x == 0.0:
        return x
    x, y, _ = _scale(x, y)
    return x / math.hypot(x, y)


def inversion(x: float, y: float) -> float:
    """x / (x*x + y*y), the inversion in the unit circle; nan at the origin."""
    if x != x or y != y or x == y == 0.0:
        return nan
    if math.isinf(x) or math.isinf(y):
        return math.copysign(0.0, x)
    x, y, exponent = _scale(x, y)
    try:
        return math.ldexp(x / (x * x + y * y), -exponent)
    except OverflowError:
        return signed_infinity(x)


def normal_cdf(x: float) -> float:
    """The standard normal distribution function, erfc(-x/sqrt(2))/2, with the rounding of x/sqrt(2) made good."""
    z = x * SQRT_HALF
    low = product_error(x, SQRT_HALF) + x * SQRT_HALF_LOW
    correction = TWO_OVER_SQRT_PI * math.exp(-z * z) * low if abs(z) < 40.0 else 0.0
    return 0.5 * (math.erfc(-z) + correction)


def normal_pdf(x: float, order: float) -> float:
    """The derivative of the given order of the standard normal density: (-1)^n He_n(x) exp(-x*x/2) / sqrt(2 pi)."""
    if abs(x) > 55.0 + 2.0 * order:
        return 0.0
    before, hermite = 0.0, 1.0
    for k in range(int(order)):
        before, hermite = hermite, -x * hermite - k * before
    square = x * x
    root = math.exp(-0.25 * square)
    return (hermite * INV_SQRT_2PI * (1.0 - 0.5 * product_error(x, x))) * root * root


def gelu(x: float) -> float:
    """x times the standard normal distribution function."""
    return -0.0 if x == -inf else x * normal_cdf(x)


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow on either side."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def silu(x: float) -> float:
    """x * sigmoid(x); exp(x) is multiplied on in two halves where it would be subnormal."""
    if x < -700.0:
        root = math.exp(0.5 * x)
        return x * root * root if root else -0.0
    return x * sigmoid(x)


def softplus(x: float) -> float:
    """log(1 + exp(x))."""
    return (x if x > 0.0 else 0.0) + math.log1p(math.exp(-abs(x)))


def log_sigmoid(x: float) -> float:
    """log(sigmoid(x))."""
    return -softplus(-x)


def logaddexp(x: float, y: float) -> float:
    """log(exp(x) + exp(y))."""
    if x == y:
        return x + LN2
    d = x - y
    return (x if d > 0.0 else y) + math.log1p(math.exp(-abs(d)))


def logsumexp(*xs: float) -> float:
    """log(sum(exp(x))); the terms are added in the order given, the (first) largest left out; of nothing, -inf."""
    if any(x != x for x in xs):
        return nan
    largest = max(xs, default=-inf)
    if math.isinf(largest):
        return largest
    at = xs.index(largest)
    rest = 0.0
    for i, x in enumerate(xs):
        if i != at:
            rest += math.exp(x - largest)
    return largest + math.log1p(rest)


def xlogy(x: float, y: float) -> float:
    """x * log(y), 0 where x is 0 and y is a number."""
    return 0.0 if x == 0.0 and y == y else x * log(y)


def relu(x: float) -> float:
    """x where positive, else 0."""
    return 0.0 if x <= 0.0 else x


def leaky_relu(x: float, slope: float) -> float:
    """x where positive, else slope * x."""
    return x if x > 0.0 else slope * x


def maximum(*xs: float) -> float:
    """The largest argument, the first of several equal ones; nan if one is nan."""
    best = xs[0]
    for x in xs:
        if x > best or x != x:
            best = x
        if best != best:
            return best
    return best


def minimum(*xs: float) -> float:
    """The smallest argument, the first of several equal ones; nan if one is nan."""
    best = xs[0]
    for x in xs:
        if x < best or x != x:
            best = x
        if best != best:
            return best
    return best


def clip(x: float, low: float, high: float) -> float:
    """minimum(maximum(x, low), high)."""
    return minimum(maximum(x, low), high)


def where(condition: float, x: float, y: float) -> float:
    """x where the condition is not 0, else y."""
    return x if condition else y


def flat(x: float) -> float:
    """0, and nan where x is nan: the derivative of a piecewise constant function, and the mark of a domain's outside."""
    return nan if x != x else 0.0


def sign(x: float) -> float:
    """-1, 0 or 1."""
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else flat(x)


def step(x: float) -> float:
    """1 where x is positive, else 0."""
    return 1.0 if x > 0.0 else flat(x)


def greater(x: float, y: float) -> float:
    """1 where x > y, else 0; nan if one is nan."""
    return 1.0 if x > y else 0.0 if x <= y else nan


def equal(x: float, y: float) -> float:
    """1 where x == y, else 0; nan if one is nan."""
    return 1.0 if x == y else 0.0 if x == x and y == y else nan


def _integral(function: Callable[[float], int]) -> Callable[[float], float]:
    """A rounding of `math` as IEEE 754 has it: infinities and nan stay, and 0 keeps the sign of x."""

    def rounded(x: float) -> float:
        return math.copysign(float(function(x)), x) if math.isfinite(x) else x

    return rounded


floor = _integral(math.floor)
ceil = _integral(math.ceil)
trunc = _integral(math.trunc)
rint = _integral(round)


def around(x: float, decimals: float) -> float:
    """x rounded to a number of decimals, half to even, as Python's ``round`` does it."""
    if not math.isfinite(x):
        return x
    try:
        return round(x, int(decimals))
    except OverflowError:
        return signed_infinity(x)


def add_all(*xs: float) -> float:
    """The sum, added from left to right; of nothing, 0."""
    if not xs:
        return 0.0
    result = xs[0]
    for x in xs[1:]:
        result += x
    return result


def dot(*xs: float) -> float:
    """x1*y1 + x2*y2 + ..., added from left to right, of the arguments x1, x2, ..., y1, y2, ...; of nothing, 0."""
    n = len(xs) // 2
    return add_all(*[x * y for x, y in zip(xs[:n], xs[n:], strict=True)])


def absorbing_multiply(x: float, y: float) -> float:
    """x * y, but x where x is 0, whatever y is: an adjoint of exactly 0 asks for nothing."""
    return x if x == 0.0 else x * y


def selecting_multiply(x: float, y: float) -> float:
    """x * y, but 0 where either is 0, whatever the other is: y says which share of x was selected."""
    return x if x == 0.0 else 0.0 if y == 0.0 else x * y
