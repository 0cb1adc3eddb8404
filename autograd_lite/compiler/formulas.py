"""What primitives are in real numbers, as formulas for fractions and for mpmath's numbers.

A formula takes mpmath's context (None for fractions) and numbers of the kind, which are no Values; it gives a number, or None
where there is no such value. Derivatives of whole orders follow the recurrences that `special` gives beside its own.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

from autograd_lite.floats import is_order

_LONGEST = 10_000_000  # bits of a fraction's power; decimals that a number is rounded to


# --- both kinds


def _none(context: Any) -> Any:
    """No number: nan in mpmath."""
    return None if context is None else context.nan


def _copysign(_: Any, x: Any, y: Any) -> Any:
    return -abs(x) if y < 0 else abs(x)


def quotient(context: Any, x: Any, y: Any) -> Any:
    """x / y; infinite in mpmath where y is 0, which has no sign there."""
    if y != 0:
        return x / y
    if context is None or x == 0 or x != x:
        return _none(context)
    return context.inf if x > 0 else -context.inf


def _power_quotient(context: Any, x: Any, y: Any, n: Any) -> Any:
    if x == 0:
        return x if y == y else y
    return quotient(context, x, y ** int(n)) if is_order(n) else _none(context)


def _power_derivative(context: Any, x: Any, y: Any, order_x: Any, order_y: Any) -> Any:
    """x^(y-k) P(log x), where P starts as the power `order_y`, and each derivative by x makes (y - j) P + P' of it."""
    if not is_order(order_x) or not is_order(order_y) or (order_y and context is None):
        return _none(context)
    logs = int(order_y)
    polynomial = [0 * y] * logs + [0 * y + 1]
    for j in range(int(order_x)):
        derivative = [*[i * c for i, c in enumerate(polynomial)][1:], 0]
        polynomial = [(y - j) * c + d for c, d in zip(polynomial, derivative, strict=True)]
    exponent = y - int(order_x)
    if logs == 0 and polynomial[0] == 0:
        return polynomial[0]
    if x < 0 and (logs or not (context.isint(y) if context else y.denominator == 1)):
        return _none(context)
    if logs and x == 0 and (exponent > 0 or exponent == y == 0):
        return x
    value = _power(context, x, exponent) if context else _power_of_fraction(context, x, exponent)
    factor = polynomial[-1]
    for c in polynomial[-2::-1]:
        factor = factor * context.log(x) + c
    return None if value is None else 0 * x if factor == 0 else factor * value


def _inverse_power(context: Any, x: Any, y: Any, n: Any) -> tuple[Any, Any]:
    """(x - iy)^n / (x*x + y*y)^n, real and imaginary part."""
    if not is_order(n) or x == y == 0 or x != x or y != y:
        return _none(context), _none(context)
    if context and (context.isinf(x) or context.isinf(y)):
        return context.mpf(n == 0), context.zero
    real, imaginary = 1 + 0 * x, 0 * x
    for _ in range(int(n)):
        real, imaginary = real * x + imaginary * y, imaginary * x - real * y
    size = (x * x + y * y) ** int(n)
    return real / size, imaginary / size


def _fmod(context: Any, x: Any, y: Any) -> Any:
    """The remainder with the sign of x; nan in mpmath for an infinite x and for a y of 0."""
    if context is not None and (context.isinf(x) or x != x or y != y):
        return context.nan
    if y == 0:
        return _none(context)
    if context is not None and context.isinf(y):
        return x
    rest = abs(x) % abs(y)
    return -rest if x < 0 else rest


_OF_BOTH: dict[str, Callable[..., Any]] = {
    "copysign": _copysign,
    "fmod": _fmod,
    "isfinite": lambda context, x: 0 * x + 1 if context is None else context.mpf(context.isfinite(x)),
    "isinf": lambda context, x: 0 * x if context is None else context.mpf(context.isinf(x)),
    "power_quotient": _power_quotient,
    "power_derivative": _power_derivative,
    "inverse_power_real": lambda context, x, y, n: _inverse_power(context, x, y, n)[0],
    "inverse_power_imaginary": lambda context, x, y, n: _inverse_power(context, x, y, n)[1],
}


# --- fractions


def _power_of_fraction(_: Any, x: Any, y: Any) -> Any:
    if y.denominator != 1:
        return None if x >= 0 else _raise_complex(x, y)
    size = abs(y) * max(x.numerator.bit_length(), x.denominator.bit_length())
    return None if (x == 0 and y < 0) or (size > _LONGEST and abs(x) != 1) else x**y.numerator


def _raise_complex(x: Any, y: Any) -> Any:
    raise ValueError(f"power({x!s:.40}, {y!s:.40}) is complex: a negative number has no real power with a fractional exponent")


def _around_fraction(_: Any, x: Any, decimals: Any) -> Any:
    return round(x, int(decimals)) if decimals.denominator == 1 and abs(decimals) < _LONGEST else None


OF_FRACTIONS = {**_OF_BOTH, "power": _power_of_fraction, "around": _around_fraction}


# --- mpmath


def _power(context: Any, x: Any, y: Any) -> Any:
    """As IEEE 754 has it at infinities."""
    if x == 1 or y == 0:
        return context.one
    if x != x or y != y:
        return context.nan
    if context.isinf(y):
        return context.one if x == -1 else context.inf if (abs(x) > 1) == (y > 0) else context.zero
    if x < 0 and not context.isint(y) and not context.isinf(x):
        _raise_complex(x, y)
    result = abs(x) ** y if x != 0 else context.zero if y > 0 else context.inf
    return -result if x < 0 and context.isint(y) and y % 2 == 1 else result


def _mod(context: Any, x: Any, y: Any) -> Any:
    if context.isinf(y) and context.isfinite(x):
        return x if x == 0 or (x > 0) == (y > 0) else y
    return x % y if y != 0 else context.nan


def _floor_divide(context: Any, x: Any, y: Any) -> Any:
    if y == 0:
        return quotient(context, x, y)
    if context.isinf(y) and context.isfinite(x):
        return context.mpf(-1 if x != 0 and (x > 0) != (y > 0) else 0)
    return context.nint((x - _mod(context, x, y)) / y)


def _around(context: Any, x: Any, decimals: Any) -> Any:
    if not context.isint(decimals):
        return context.nan
    if not context.isfinite(x):
        return x
    size = abs(decimals) + abs(context.mag(x)) if x else 0
    if size > _LONGEST:
        return None
    sign, mantissa, exponent, _ = x._mpf_
    exact = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
    rounded = round(-exact if sign else exact, int(decimals))
    return context.mpf(rounded.numerator) / rounded.denominator


def _xlogy(context: Any, x: Any, y: Any) -> Any:
    return x if x == 0 and y == y else x * context.log(y)


def _logsumexp(context: Any, *xs: Any) -> Any:
    if any(x != x for x in xs) or not xs:
        return context.nan if xs else -context.inf
    at = max(range(len(xs)), key=xs.__getitem__)
    if context.isinf(xs[at]):
        return xs[at]
    return xs[at] + context.log1p(context.fsum([context.exp(x - xs[at]) for i, x in enumerate(xs) if i != at]))


def _erfc(context: Any, x: Any) -> Any:
    try:
        return context.erfc(x)
    except OverflowError:  # far below what any exponent holds
        return context.zero


def _normal_cdf(context: Any, x: Any) -> Any:
    return _erfc(context, -x / context.sqrt(2)) / 2


def _sigmoid(context: Any, x: Any) -> Any:
    return 1 / (1 + context.exp(-x))


def _softplus(context: Any, x: Any) -> Any:
    return context.log1p(context.exp(x))


def _weighted(weight: Any, x: Any) -> Any:
    """x * weight, 0 where the weight is."""
    return x * weight if weight else weight


def _gaussian(context: Any, x: Any, order: int, curvature: int, peak: Any) -> Any:
    """The derivative of that order of peak * exp(-curvature * x*x / 2)."""
    exponential = context.exp(-curvature * x * x / 2)
    before, polynomial = context.zero, context.one
    for k in range(order):
        before, polynomial = polynomial, -curvature * (x * polynomial + k * before)
    return _weighted(peak * exponential, polynomial)


def _normal_pdf(context: Any, x: Any, order: Any) -> Any:
    return _gaussian(context, x, int(order), 1, 1 / context.sqrt(2 * context.pi)) if is_order(order) else context.nan


def _erf_derivative(context: Any, x: Any, order: Any) -> Any:
    if not is_order(order):
        return context.nan
    return _gaussian(context, x, int(order) - 1, 2, 2 / context.sqrt(context.pi)) if order else context.erf(x)


def _silu_derivative(context: Any, x: Any, order: Any) -> Any:
    """x s(n) + n s(n-1), where s(n) is the n-th derivative of sigmoid."""
    if not is_order(order):
        return context.nan
    n = int(order)
    first = _weighted(_sigmoid_derivative(context, x, n), x)
    return first + n * _sigmoid_derivative(context, x, n - 1) if n else first


def _sigmoid_derivative(context: Any, x: Any, n: int) -> Any:
    """The density f = s(1) times a polynomial Q in t = tanh(x/2); the next derivative is f (Q' (1 - t*t) / 2 - t Q)."""
    if n == 0:
        return _sigmoid(context, x)
    polynomial = [context.one]
    for _ in range(n - 1):
        slope = [i * c / 2 for i, c in enumerate(polynomial)][1:]
        sums = [context.zero] * (len(polynomial) + 1)
        for i, c in enumerate(slope):
            sums[i] += c
            sums[i + 2] -= c
        polynomial = [a - b for a, b in zip(sums, [context.zero, *polynomial], strict=True)]
    density = _sigmoid(context, x) * _sigmoid(context, -x)
    return _weighted(density, context.polyval(polynomial[::-1], context.tanh(x / 2)))


@cache
def _hypot_numerator(order_x: int, order_y: int) -> tuple[tuple[int, int, int], ...]:
    """Terms (i, j, c) of the numerator over hypot^(2n-1), by (x*x + y*y) dP/dx - (2k - 1) x P of the k-th numerator P."""
    terms = {(1, 0): 1} if order_x else {(0, 1): 1}
    for k, by_x in enumerate([True] * (order_x - 1) + [False] * (order_y - (not order_x)), 1):
        following: dict[tuple[int, int], int] = {}
        for (i, j), c in terms.items():
            power = i if by_x else j
            lowered, raised = ((i - 1, j), (i + 1, j)) if by_x else ((i, j - 1), (i, j + 1))
            for place, coefficient in (
                ((lowered[0] + 2, lowered[1]), power * c),
                ((lowered[0], lowered[1] + 2), power * c),
                (raised, -(2 * k - 1) * c),
            ):
                following[place] = following.get(place, 0) + coefficient
        terms = {place: c for place, c in following.items() if c}
    return tuple([(i, j, c) for (i, j), c in terms.items()])


def _hypot_derivative(context: Any, x: Any, y: Any, order_x: Any, order_y: Any) -> Any:
    order = order_x + order_y
    if not is_order(order_x) or not is_order(order_y) or x != x or y != y or (context.isinf(x) and context.isinf(y)):
        return context.nan
    size = context.hypot(x, y)
    if order == 0 or size == 0:
        return size
    if context.isinf(size):
        along = x if order_x else y
        return context.sign(along) if order == 1 and context.isinf(along) else context.zero
    terms = [c * x**i * y**j for i, j, c in _hypot_numerator(int(order_x), int(order_y))]
    return context.fsum(terms) / size ** int(2 * order - 1)


def _log_normal_cdf(context: Any, x: Any) -> Any:
    """Below -1e4 by the continued fraction of the inverse Mills ratio, as the distribution function leaves every exponent."""
    if context.isinf(x):
        return -context.inf if x < 0 else context.zero
    if not x < -10000:
        return context.log1p(-_normal_cdf(context, -x)) if x > 0 else context.log(_normal_cdf(context, x))
    return -x * x / 2 - context.log(_mills(context, -x) * context.sqrt(2 * context.pi))


def _mills(_: Any, t: Any) -> Any:
    """normal_pdf(t) / normal_cdf(-t) for a large t: t + 1 / (t + 2 / (t + 3 / ...))."""
    ratio = t
    for j in range(40, 0, -1):
        ratio = t + j / ratio
    return ratio


def _log_normal_cdf_derivative(context: Any, x: Any, order: Any) -> Any:
    """With h the first, h' = -h (x + h); of an infinite x the limits."""
    if not is_order(order) or x != x:
        return context.nan
    if order == 0:
        return _log_normal_cdf(context, x)
    if context.isinf(x):
        below = x < 0
        return context.inf if below and order == 1 else context.mpf(-1 if below and order == 2 else 0)
    with context.extraprec(200 + 4 * int(order) * max(1, int(abs(context.mag(x))))):
        density = context.exp(-x * x / 2) / context.sqrt(2 * context.pi)
        first = _mills(context, -x) if x < -10000 else density / _normal_cdf(context, x)
        derivatives = [first]
        for m in range(int(order) - 1):
            products = [context.binomial(m, k) * derivatives[k] * derivatives[m - k] for k in range(m + 1)]
            linear = x * derivatives[m] + (m * derivatives[m - 1] if m else 0)
            derivatives.append(-linear - context.fsum(products))
    return +derivatives[-1]


def _sinc(context: Any, x: Any) -> Any:
    if x == 0 or context.isinf(x):
        return context.mpf(x == 0)
    return context.sinpi(x) / (context.pi * x)


def _sinc_derivative(context: Any, x: Any, order: Any) -> Any:
    """Of f(y) = sin(y) / y by y f(n) = sin(y + n pi/2) - n f(n-1), with the digits that are lost next to 0."""
    if not is_order(order) or x != x:
        return context.nan
    n = int(order)
    if n == 0 or context.isinf(x):
        return _sinc(context, x) if n == 0 else context.zero
    if x == 0:
        return context.zero if n % 2 else (-1) ** (n // 2) * context.pi**n / (n + 1)
    with context.extraprec(50 + 2 * n * max(8, -context.mag(x))):
        y, sine, cosine = context.pi * x, context.sinpi(x), context.cospi(x)
        shifted = (sine, cosine, -sine, -cosine)
        f = sine / y
        for k in range(1, n + 1):
            f = (shifted[k % 4] - k * f) / y
        f = context.pi**n * f
    return +f


OF_MPMATH: dict[str, Callable[..., Any]] = {
    **_OF_BOTH,
    "power": _power,
    "cbrt": lambda context, x: context.sign(x) * context.cbrt(abs(x)),
    "mod": _mod,
    "floor_divide": _floor_divide,
    "around": _around,
    "trunc": lambda context, x: context.floor(x) if x > 0 else context.ceil(x),
    "rint": lambda context, x: context.nint(x),
    "exp2": lambda context, x: _power(context, context.mpf(2), x),
    "log2": lambda context, x: context.log(x) / context.ln2,
    "xlogy": _xlogy,
    "logaddexp": _logsumexp,
    "logsumexp": _logsumexp,
    "erfc": _erfc,
    "normal_cdf": _normal_cdf,
    "normal_pdf": _normal_pdf,
    "sigmoid": _sigmoid,
    "log_sigmoid": lambda context, x: -_softplus(context, -x),
    "softplus": _softplus,
    "silu": lambda context, x: _weighted(_sigmoid(context, x), x),
    "gelu": lambda context, x: _weighted(_normal_cdf(context, x), x),
    "log_normal_cdf": _log_normal_cdf,
    "log_normal_cdf_derivative": _log_normal_cdf_derivative,
    "sinc": _sinc,
    "sinc_derivative": _sinc_derivative,
    "deg2rad": lambda context, x: x * context.pi / 180,
    "rad2deg": lambda context, x: x * 180 / context.pi,
    "hypot_derivative": _hypot_derivative,
    "erf_derivative": _erf_derivative,
    "silu_derivative": _silu_derivative,
}
