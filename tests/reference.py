"""What each primitive of the table is in real numbers, and its partial derivatives, computed with mpmath.

Nothing here uses the table's rules: partials are textbook formulas or SymPy's, and `differentiate` needs only the values.
The working precision is raised until two evaluations agree: cancellation and subnormal arguments cost time, not digits.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import sympy
from mpmath import mp, mpc, mpf

from reference_families import (
    bell,
    difference_error,
    erf_derivative,
    erf_derivative_terms,
    erfc,
    inverse_mills,
    log_normal_cdf,
    log_normal_cdf_derivative,
    log_normal_cdf_derivative_terms,
    normal_cdf,
    normal_pdf,
    normal_pdf_terms,
    phi,
    sigmoid,
    sinc_derivative,
    sinc_envelope,
)

LARGEST = mpf(2) ** 1024  # what rounds to infinity is counted as this
AGREEMENT = mpf(2) ** -75
UNDERFLOW = mpf(2) ** -1200


class UndecidedError(ArithmeticError):
    """No precision tried gave the same number twice."""


def evaluate(function: Callable[..., Any], *args: float) -> mpf | None:
    """The function at exact arguments, right to 75 bits or better; None where it says that there is no such number."""
    previous = None
    for precision in (120, 180, 360, 720, 1440, 2880, 5760):
        with mp.workprec(precision):
            result = function(*[mpf(x) for x in args])
            if result is None:
                return None
            result = mpf(result)
            if previous is not None and abs(result - previous) <= AGREEMENT * abs(result) and (result or precision > 1000):
                return result
        previous = result
    raise UndecidedError(f"{args}: {previous}")


def differentiate(function: Callable[..., Any], args: Sequence[float], slots: Sequence[int]) -> mpf:
    """The derivative by the arguments in the slots (one or two, perhaps the same twice), by central differences.

    Steps shrink with the precision: of p bits, h is 2^(-p/4) of the scale of its argument, so truncation and rounding both
    leave half of the bits. What underflows by far, or stays below the rounding at the highest precision, is 0.
    """
    previous = None
    for precision in (600, 1200, 2400, 4800, 9600, 19200):
        with mp.workprec(precision):
            exact = [mpf(x) for x in args]
            steps = [mp.ldexp(min(mpf(1), abs(x)) if x else mpf(1), -precision // 4) for x in exact]
            if any(mp.mag(x) - mp.mag(step) > precision - 200 for x, step in zip(exact, steps, strict=True) if x):
                continue
            total, largest, divisor = mpf(0), mpf(0), mpf(1)
            for weight, moves in _stencil(slots):
                value = function(*[x + move * step for x, move, step in zip(exact, moves(len(args)), steps, strict=True)])
                total += weight * value
                largest = max(largest, abs(value))
            for slot in slots:
                divisor *= (2 if len(set(slots)) == len(slots) else 1) * steps[slot]
            result = total / divisor
            noise = largest * mp.ldexp(1, 64 - precision) / abs(divisor)
            if abs(result) + noise < UNDERFLOW:
                return mpf(0)
            if previous is not None and abs(result) > noise and abs(result - previous) <= AGREEMENT * abs(result):
                return result
        previous = result
    if abs(result) <= noise:
        return mpf(0)
    raise UndecidedError(f"{args} by {slots}: {previous}")


def _stencil(slots: Sequence[int]) -> list[tuple[int, Callable[[int], list[int]]]]:
    def moved(**moves: int) -> Callable[[int], list[int]]:
        return lambda n: [moves.get(f"x{i}", 0) for i in range(n)]

    i, j = slots[0], slots[-1]
    if len(slots) == 1:
        return [(1, moved(**{f"x{i}": 1})), (-1, moved(**{f"x{i}": -1}))]
    if i == j:
        return [(1, moved(**{f"x{i}": 1})), (-2, moved()), (1, moved(**{f"x{i}": -1}))]
    return [(a * b, moved(**{f"x{i}": a, f"x{j}": b})) for a in (1, -1) for b in (1, -1)]


def ulps(result: float, exact: mpf, larger: mpf | None = None) -> float:
    """How far a float is off, in units in the last place of the exact number (of a larger term, where one is given)."""
    if result != result:
        return math.inf
    size = min(abs(exact), LARGEST / 2)
    size = max(size, abs(larger)) if larger is not None else size
    exponent = max(mp.frexp(size)[1] - 53, -1074) if size else -1074
    with mp.workprec(2200):
        return float(abs(_clamped(result) - _clamped(exact)) / mpf(2) ** exponent)


def _clamped(x: Any) -> mpf:
    return max(-LARGEST, min(LARGEST, mpf(x)))


class Reference(NamedTuple):
    """A primitive in real numbers.

    partials: one function an argument (None where the table has none); of a variadic primitive, one function of (slot, *args).
    larger: the size of the largest term, where value or partial is a sum whose terms cancel: (of the value, *of the partials).
    """

    value: Callable[..., Any]
    partials: tuple[Callable[..., Any] | None, ...]
    larger: tuple[Callable[..., Any] | None, ...] = ()


REFERENCES: dict[str, Reference] = {}


def _define(
    name: str, value: Callable[..., Any], *partials: Callable[..., Any] | None, larger: Sequence[Callable[..., Any] | None] = ()
) -> None:
    REFERENCES[name] = Reference(value, partials, tuple(larger))


def _zero(*_: Any) -> int:
    return 0


def _one(*_: Any) -> int:
    return 1


def _exactly(function: Callable[..., Any]) -> Callable[..., mpf]:
    """A function of fractions as one of mpmath's numbers, without rounding before the end."""

    def rounded(*args: mpf) -> mpf:
        result = Fraction(function(*[Fraction(*mp_fraction(x)) for x in args]))
        return mpf(result.numerator) / result.denominator

    return rounded


def mp_fraction(x: mpf) -> tuple[int, int]:
    """Numerator and denominator of one of mpmath's numbers, exactly."""
    sign, mantissa, exponent, _ = x._mpf_
    mantissa = -int(mantissa) if sign else int(mantissa)
    return (mantissa << exponent, 1) if exponent >= 0 else (mantissa, 1 << -exponent)


# --- arithmetic
_define("add", lambda x, y: x + y, _one, _one, larger=[lambda x, y: max(abs(x), abs(y))])
_define("subtract", lambda x, y: x - y, _one, lambda x, y: -1)
_define("multiply", lambda x, y: x * y, lambda x, y: y, lambda x, y: x)
_define("divide", lambda x, y: x / y, lambda x, y: 1 / y, lambda x, y: -x / y**2)
_define("negative", lambda x: -x, lambda x: -1)
_define("positive", lambda x: x, _one)
_define("absolute", abs, lambda x: mp.sign(x))
_define("reciprocal", lambda x: 1 / x, lambda x: -1 / x**2)
_define("square", lambda x: x * x, lambda x: 2 * x)
_define("sqrt", mp.sqrt, lambda x: 1 / (2 * mp.sqrt(x)))
_define("cbrt", lambda x: mp.sign(x) * mp.cbrt(abs(x)), lambda x: 1 / (3 * mp.cbrt(abs(x)) ** 2))
_define("mod", _exactly(lambda x, y: x - y * (x // y)), _one, _exactly(lambda x, y: -(x // y)))
_define(
    "fmod",
    _exactly(lambda x, y: x - y * math.trunc(x / y)),
    _one,
    _exactly(lambda x, y: -math.trunc(x / y)),
)

# --- exponentials and logarithms
_define("exp", mp.exp, mp.exp)
_define("exp2", lambda x: mp.power(2, x), lambda x: mp.power(2, x) * mp.ln2)
_define("expm1", mp.expm1, mp.exp)
_define("log", mp.log, lambda x: 1 / x)
_define("log2", lambda x: mp.log(x) / mp.ln2, lambda x: 1 / (x * mp.ln2))
_define("log10", mp.log10, lambda x: 1 / (x * mp.ln10))
_define("log1p", mp.log1p, lambda x: 1 / (1 + x))
_define("xlogy", lambda x, y: x * mp.log(y), lambda x, y: mp.log(y), lambda x, y: x / y)


def _share(i: int, *xs: Any) -> Any:
    return 1 / mp.fsum([mp.exp(mp.fsub(x, xs[i], exact=True)) for x in xs])


def _logsumexp(*xs: Any) -> Any:
    top = max(xs)
    rest = list(xs)
    rest.remove(top)
    return top + mp.log1p(mp.fsum([mp.exp(mp.fsub(x, top, exact=True)) for x in rest]))


_define(
    "logaddexp",
    _logsumexp,
    lambda x, y: _share(0, x, y),
    lambda x, y: _share(1, x, y),
    larger=[lambda x, y: max(x, y)],  # the logarithm is at most log 2 and cancels where the result is near 0
)
_define("logsumexp", _logsumexp, _share, larger=[lambda *xs: max(xs)])

# --- trigonometric and hyperbolic
_define("sin", mp.sin, mp.cos)
_define("cos", mp.cos, lambda x: -mp.sin(x))
_define("tan", mp.tan, lambda x: 1 / mp.cos(x) ** 2)
_define("deg2rad", lambda x: x * mp.pi / 180, lambda x: mp.pi / 180)
_define("rad2deg", lambda x: x * 180 / mp.pi, lambda x: 180 / mp.pi)


_define(
    "sinc",
    lambda x: sinc_derivative(x, 0),
    lambda x: sinc_derivative(x, 1),
    larger=[None, lambda x: sinc_envelope(x, 1)],
)
_define(
    "sinc_derivative",
    sinc_derivative,
    lambda x, n: sinc_derivative(x, n + 1),
    None,
    larger=[sinc_envelope, lambda x, n: sinc_envelope(x, n + 1)],
)
_define("arcsin", mp.asin, lambda x: 1 / mp.sqrt(1 - x**2))
_define("arccos", mp.acos, lambda x: -1 / mp.sqrt(1 - x**2))
_define("arctan", mp.atan, lambda x: 1 / (1 + x**2))
_define("arctan2", mp.atan2, lambda x, y: y / (x**2 + y**2), lambda x, y: -x / (x**2 + y**2))
_define("sinh", mp.sinh, mp.cosh)
_define("cosh", mp.cosh, mp.sinh)
_define("tanh", lambda x: mp.sinh(x) / mp.cosh(x), lambda x: 1 / mp.cosh(x) ** 2)
_define("arcsinh", lambda x: mp.sign(x) * mp.asinh(abs(x)), lambda x: 1 / mp.sqrt(1 + x**2))
_define("arccosh", mp.acosh, lambda x: 1 / (mp.sqrt(x - 1) * mp.sqrt(x + 1)))
_define("arctanh", lambda x: (mp.log1p(x) - mp.log1p(-x)) / 2, lambda x: 1 / (1 - x**2))


def _hypot(x: Any, y: Any) -> Any:
    return mp.sqrt(x**2 + y**2)


_define("hypot", _hypot, lambda x, y: x / _hypot(x, y), lambda x, y: y / _hypot(x, y))


# --- error function, activations
_define("erf", mp.erf, bell)
_define("erfc", erfc, lambda x: -bell(x))
_define("normal_cdf", normal_cdf, phi)
_define(
    "normal_pdf",
    normal_pdf,
    lambda x, n: normal_pdf(x, n + 1),
    None,
    larger=[normal_pdf_terms, lambda x, n: normal_pdf_terms(x, n + 1)],  # zeros of Hermite polynomials
)


_define("log_normal_cdf", log_normal_cdf, inverse_mills)
_define(
    "log_normal_cdf_derivative",
    log_normal_cdf_derivative,
    lambda x, n: log_normal_cdf_derivative(x, n + 1),
    None,
    larger=[log_normal_cdf_derivative_terms, lambda x, n: log_normal_cdf_derivative_terms(x, n + 1)],
)
_define("sigmoid", sigmoid, lambda x: 1 / (2 * mp.cosh(x / 2)) ** 2)
_define("log_sigmoid", lambda x: -mp.log1p(mp.exp(-x)), lambda x: sigmoid(-x))
_define("softplus", lambda x: mp.log1p(mp.exp(x)), sigmoid)
_define("relu", lambda x: max(x, 0), lambda x: x > 0)
_define(
    "leaky_relu",
    lambda x, slope: x if x > 0 else slope * x,
    lambda x, slope: 1 if x > 0 else slope,
    lambda x, slope: min(x, 0),
)
_define(
    "silu",
    lambda x: x * sigmoid(x),
    lambda x: sigmoid(x) * (1 + x * sigmoid(-x)),
    larger=[None, lambda x: sigmoid(x) * max(1, abs(x) * sigmoid(-x))],  # a zero at -1.278
)
_define(
    "gelu",
    lambda x: x * normal_cdf(x),
    lambda x: normal_cdf(x) + x * phi(x),
    larger=[None, lambda x: max(normal_cdf(x), abs(x) * phi(x))],  # a zero at -0.752
)

# --- selections
_define("maximum", lambda *xs: max(xs), lambda i, *xs: xs[i] == max(xs))
_define("minimum", lambda *xs: min(xs), lambda i, *xs: xs[i] == min(xs))
_define(
    "clip",
    lambda x, low, high: min(max(x, low), high),
    lambda x, low, high: low < x < high,
    lambda x, low, high: x < low < high,
    lambda x, low, high: high < max(x, low),
)
_PARTS = (None, lambda condition, x, y: condition != 0, lambda condition, x, y: condition == 0)
_define("where", lambda condition, x, y: x if condition else y, *_PARTS)
_define("if_reached", lambda condition, x, y: x if condition else y, *_PARTS)
_define("stop_gradient", lambda x: x, None)

# --- piecewise constant
_define("sign", mp.sign, _zero)
_define("step", lambda x: x > 0, _zero)
_define("heaviside", lambda x, h0: h0 if x == 0 else x > 0, _zero, lambda x, h0: x == 0)
_define("isfinite", _one, None)
_define("isinf", _zero, None)
_define("isnan", _zero, None)
_define("copysign", lambda x, y: abs(x) if y >= 0 else -abs(x), lambda x, y: mp.sign(x) * mp.sign(y), None)
_define("floor", _exactly(math.floor), _zero)
_define("ceil", _exactly(math.ceil), _zero)
_define("trunc", _exactly(math.trunc), _zero)
_define("rint", _exactly(round), _zero)
_define("around", _exactly(lambda x, decimals: round(x, int(decimals))), _zero, None)
_define("floor_divide", _exactly(lambda x, y: x // y), _zero, _zero)


# --- sums
def _dot(*xs: Any) -> Any:
    return mp.fdot(xs[: len(xs) // 2], xs[len(xs) // 2 :])


_define("sum", lambda *xs: mp.fsum(xs), lambda i, *xs: 1, larger=[lambda *xs: mp.fsum(xs, absolute=True)])
_define(
    "dot",
    _dot,
    lambda i, *xs: xs[(i + len(xs) // 2) % len(xs)],
    larger=[lambda *xs: mp.fsum([abs(x * y) for x, y in zip(xs[: len(xs) // 2], xs[len(xs) // 2 :], strict=True)])],
)


# --- helpers of the rules
def _silu_derivative(x: Any, n: Any) -> Any:
    return _symbolic("x / (1 + exp(-x))", int(n), 0)(x, 0)


def _silu_derivative_terms(x: Any, n: Any) -> Any:
    """The sizes of x s(n) and n s(n-1), where s(n), the derivatives of sigmoid, have sums of powers of tanh(x/2) as factors."""
    if n < 2:
        return sigmoid(x) * max(1, abs(x) * sigmoid(-x)) if n else 0
    t, polynomials = abs(mp.tanh(x / 2)), [{0: mpf(1)}]
    for _ in range(int(n) - 1):
        following: dict[int, Any] = {}
        for i, c in polynomials[-1].items():
            following[i + 1] = following.get(i + 1, 0) + c * (1 + mpf(i) / 2)
            following[i - 1] = following.get(i - 1, 0) + c * mpf(i) / 2
        polynomials.append(following)
    last, previous = [sum([c * t**i for i, c in p.items() if c]) for p in (polynomials[-1], polynomials[-2])]
    return (abs(x) * last + n * previous) / (2 * mp.cosh(x / 2)) ** 2


@cache
def _symbolic(function: str, m: int, n: int) -> Callable[..., Any]:
    """SymPy's derivative of a function of x and y, m times by x and n times by y, as a function of mpmath's numbers."""
    x, y = sympy.symbols("x y", positive=True)
    derivative = sympy.sympify(function, locals={"x": x, "y": y})
    for symbol, count in ((x, m), (y, n)):
        derivative = sympy.diff(derivative, symbol, count) if count else derivative
    return sympy.lambdify((x, y), derivative, "mpmath")


def _hypot_derivative(x: Any, y: Any, m: Any, n: Any) -> Any:
    return _symbolic("sqrt(x**2 + y**2)", int(m), int(n))(x, y)


@cache
def _numerator(m: int, n: int) -> list[tuple[tuple[int, int], int]]:
    x, y = sympy.symbols("x y", positive=True)
    derivative = sympy.diff(sympy.sqrt(x**2 + y**2), *[x] * m, *[y] * n) if m + n else x**2 + y**2
    numerator = sympy.expand(sympy.simplify(derivative * sympy.sqrt(x**2 + y**2) ** (2 * (m + n) - 1))) if m + n else derivative
    return [(powers, int(c)) for powers, c in sympy.Poly(numerator, x, y).terms()]


def _hypot_derivative_terms(x: Any, y: Any, m: Any, n: Any) -> Any:
    """The sum of the sizes of the terms of the numerator, over hypot^(2 (m + n) - 1)."""
    return sum([abs(c) * abs(x) ** i * abs(y) ** j for (i, j), c in _numerator(int(m), int(n))]) / _hypot(x, y) ** (
        2 * (m + n) - 1
    )


def _power_derivative(x: Any, y: Any, m: Any, n: Any) -> Any:
    if x > 0:
        return _symbolic("x**y", int(m), int(n))(x, y)
    if n:
        return None
    factor = mp.fprod([y - j for j in range(int(m))])  # whole y, n = 0
    return factor * x ** int(y - m) if factor else 0


def _power_derivative_terms(x: Any, y: Any, m: Any, n: Any) -> Any:
    """The sum of the sizes of the terms of P(log x) x^(y-m), where each derivative by x makes (y - j) P + P' of P."""
    sizes = [mpf(0)] * int(n) + [mpf(1)]
    for j in range(int(m)):
        derivative = [*[i * size for i, size in enumerate(sizes)][1:], mpf(0)]
        sizes = [abs(y - j) * size + d for size, d in zip(sizes, derivative, strict=True)]
    log = abs(mp.log(abs(x)))
    return mp.fsum([size * log**i for i, size in enumerate(sizes)]) * abs(x) ** (y - m)


def _inverse_power(x: Any, y: Any, n: Any) -> Any:
    return 1 / mpc(x, y) ** int(n)


def _inverse_power_terms(x: Any, y: Any, n: Any) -> Any:
    """The size of the largest term of the numerator (x - iy)^n, over hypot^2n, where there is more than one."""
    terms = [math.comb(int(n), k) * abs(x) ** (n - k) * abs(y) ** k for k in range(int(n) + 1)]
    return max(terms) / _hypot(x, y) ** (2 * n) if n > 1 else 0


_define(
    "power",
    lambda x, y: _power_derivative(x, y, 0, 0),
    lambda x, y: _power_derivative(x, y, 1, 0),
    lambda x, y: _power_derivative(x, y, 0, 1),
)
_define(
    "power_derivative",
    _power_derivative,
    lambda x, y, m, n: _power_derivative(x, y, m + 1, n),
    lambda x, y, m, n: _power_derivative(x, y, m, n + 1),
    None,
    None,
    larger=[
        _power_derivative_terms,
        lambda x, y, m, n: _power_derivative_terms(x, y, m + 1, n),
        lambda x, y, m, n: _power_derivative_terms(x, y, m, n + 1),
    ],
)
_define(
    "hypot_derivative",
    _hypot_derivative,
    lambda x, y, m, n: _hypot_derivative(x, y, m + 1, n),
    lambda x, y, m, n: _hypot_derivative(x, y, m, n + 1),
    None,
    None,
    larger=[
        _hypot_derivative_terms,
        lambda x, y, m, n: _hypot_derivative_terms(x, y, m + 1, n),
        lambda x, y, m, n: _hypot_derivative_terms(x, y, m, n + 1),
    ],
)
_define(
    "inverse_power_real",
    lambda x, y, n: _inverse_power(x, y, n).real,
    lambda x, y, n: -n * _inverse_power(x, y, n + 1).real,
    lambda x, y, n: n * _inverse_power(x, y, n + 1).imag,
    None,
    larger=[_inverse_power_terms] + [lambda x, y, n: n * _inverse_power_terms(x, y, n + 1)] * 2,
)
_define(
    "inverse_power_imaginary",
    lambda x, y, n: _inverse_power(x, y, n).imag,
    lambda x, y, n: -n * _inverse_power(x, y, n + 1).imag,
    lambda x, y, n: -n * _inverse_power(x, y, n + 1).real,
    None,
    larger=[_inverse_power_terms] + [lambda x, y, n: n * _inverse_power_terms(x, y, n + 1)] * 2,
)
_define(
    "erf_derivative",
    erf_derivative,
    lambda x, n: erf_derivative(x, n + 1),
    None,
    larger=[erf_derivative_terms, lambda x, n: erf_derivative_terms(x, n + 1)],  # zeros of Hermite polynomials
)
_define(
    "silu_derivative",
    lambda x, n: _silu_derivative(x, n),
    lambda x, n: _silu_derivative(x, n + 1),
    None,
    larger=[lambda x, n: _silu_derivative_terms(x, n), lambda x, n: _silu_derivative_terms(x, n + 1)],
)
_define("logistic_pdf", lambda x: 1 / (2 * mp.cosh(x / 2)) ** 2, lambda x: -mp.tanh(x / 2) / (2 * mp.cosh(x / 2)) ** 2)
_define("one_minus_square", lambda x: 1 - x**2, lambda x: -2 * x)
_define("power_quotient", lambda x, y, n: x / y**n, lambda x, y, n: 1 / y**n, lambda x, y, n: -n * x / y ** (n + 1), None)
_define("share", lambda x, y: x / (x + y), lambda x, y: y / (x + y) ** 2, lambda x, y: -x / (x + y) ** 2)
_define("flat", _zero, None)
_define("greater", lambda x, y: x > y, None, None)
_define("equal", lambda x, y: x == y, None, None)
_define("difference", lambda x, y: x - y, _one, lambda x, y: -1)


_define("difference_error", difference_error, None, None)
