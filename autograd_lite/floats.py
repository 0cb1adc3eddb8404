"""Real functions on floats, total in the sense of IEEE 754.

Python's ``math`` raises where IEEE 754 returns inf or nan; every function here returns. They are what the table in
`primitives` calls, together with those of `special`; nothing here knows of derivatives.
"""

import math
from collections.abc import Callable, Mapping
from functools import wraps

inf = math.inf
nan = math.nan
RADIANS = 0.017453292519943295  # of a degree
DEGREES = 57.29577951308232  # of a radian


def total(
    function: Callable[[float], float],
    overflow: Callable[[float], float] = lambda x: inf,
    poles: Mapping[float, float] | None = None,
) -> Callable[[float], float]:
    """`function` with IEEE 754 results where Python's ``math`` raises: `overflow`, a limit from `poles`, or nan."""
    limits = dict(poles or {})

    @wraps(function)
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
    try:
        return 1.0 / x
    except ZeroDivisionError:
        return math.copysign(inf, x)


def ldexp(x: float, exponent: int) -> float:
    """x * 2**exponent."""
    try:
        return math.ldexp(x, exponent)
    except OverflowError:
        return signed_infinity(x)


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


def fmod(x: float, y: float) -> float:
    """The remainder with the sign of the dividend, exactly; x where y is infinite."""
    try:
        return math.fmod(x, y)
    except ValueError:
        return nan


def is_odd(x: float) -> bool:
    """Whether x is an odd integer."""
    return math.isfinite(x) and x % 2.0 == 1.0


def is_order(x: float) -> bool:
    """Whether x is a whole number that can be the order of a derivative: 0 to 1000."""
    return 0.0 <= x <= 1000.0 and x == int(x)


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
    """What the difference x - y rounds away, exactly (Knuth's two-sum); 0 where it overflows."""
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


def relu(x: float) -> float:
    """x where positive, else 0."""
    return x if x > 0.0 or x != x else 0.0


def leaky_relu(x: float, slope: float) -> float:
    """x where positive, else slope * x."""
    return x if x > 0.0 else slope * x


def maximum(*xs: float) -> float:
    """The largest argument, the first of several equal ones; nan if one is nan. Raises ValueError if there is none."""
    if not xs:
        raise ValueError("maximum of nothing is not defined; give it at least one argument")
    best = xs[0]
    for x in xs:
        if x > best or x != x:
            best = x
        if best != best:
            return best
    return best


def minimum(*xs: float) -> float:
    """The smallest argument, the first of several equal ones; nan if one is nan. Raises ValueError if there is none."""
    if not xs:
        raise ValueError("minimum of nothing is not defined; give it at least one argument")
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


def copysign(x: float, y: float) -> float:
    """|x| with the sign of y, and with none where y is nan: the sign of a nan differs between processors and compilers."""
    return math.copysign(x, y) if y == y else abs(x)


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


def heaviside(x: float, h0: float) -> float:
    """0 where x is negative, h0 where it is 0, 1 where it is positive."""
    return h0 if x == 0.0 else 1.0 if x > 0.0 else flat(x)


def isfinite(x: float) -> float:
    """1 where x is a number that is not infinite, else 0."""
    return 1.0 if math.isfinite(x) else 0.0


def isinf(x: float) -> float:
    """1 where x is an infinity, else 0."""
    return 1.0 if math.isinf(x) else 0.0


def isnan(x: float) -> float:
    """1 where x is not a number, else 0."""
    return 1.0 if x != x else 0.0


def deg2rad(x: float) -> float:
    """x degrees in radians."""
    return x * RADIANS


def rad2deg(x: float) -> float:
    """x radians in degrees."""
    return x * DEGREES


def greater(x: float, y: float) -> float:
    """1 where x > y, else 0; nan if one is nan."""
    return 1.0 if x > y else 0.0 if x <= y else nan


def equal(x: float, y: float) -> float:
    """1 where x == y, else 0; nan if one is nan."""
    return 1.0 if x == y else 0.0 if x == x and y == y else nan


def _integral(function: Callable[[float], int]) -> Callable[[float], float]:
    """A rounding of `math` as IEEE 754 has it: infinities and nan stay, and 0 keeps the sign of x."""

    @wraps(function)
    def rounded(x: float) -> float:
        return math.copysign(float(function(x)), x) if math.isfinite(x) else x

    return rounded


floor = _integral(math.floor)
ceil = _integral(math.ceil)
trunc = _integral(math.trunc)
rint = _integral(round)


def around(x: float, decimals: float) -> float:
    """x rounded to a number of decimals, half to even, as Python's ``round`` does it; nan unless that is a whole number."""
    if decimals % 1.0 != 0.0:
        return nan
    if not math.isfinite(x):
        return x
    try:
        return round(x, int(decimals))
    except OverflowError:
        return signed_infinity(x)


def is_halfway(x: float, decimals: float) -> bool:
    """Whether x lies exactly in the middle of two numbers with so many decimals."""
    if not math.isfinite(x) or abs(decimals) > 400.0:
        return False
    numerator, denominator = x.as_integer_ratio()
    halves, rest = divmod(2 * numerator * 10 ** max(0, int(decimals)), denominator * 10 ** max(0, -int(decimals)))
    return not rest and bool(halves % 2)


def add_all(*xs: float) -> float:
    """The sum, added from left to right; of nothing, 0."""
    if not xs:
        return 0.0
    result = xs[0]
    for x in xs[1:]:
        result += x
    return result


def dot(*xs: float) -> float:
    """x1*y1 + x2*y2 + ..., added from left to right, of the arguments x1, x2, ..., y1, y2, ...; of nothing, 0.

    Raises ValueError if the number of arguments is odd.
    """
    if len(xs) % 2:
        raise ValueError(f"dot takes its arguments in pairs, got {len(xs)}")
    if not xs:
        return 0.0
    n = len(xs) // 2
    result = xs[0] * xs[n]
    for i in range(1, n):
        result += xs[i] * xs[n + i]
    return result
