"""The table: what each operation is, and what its partial derivatives are.

Everything else follows from it: the methods of `Value`, the public functions, both modes of differentiation, every order,
the drawings' labels, the documentation and the property tests. Adding an operation is adding one entry.

The partials are written in the table's own functions, so that the same line gives a number on floats and a graph on nodes.
Their first argument is the result `r`, so that exp, sqrt and division reuse it. A rule never branches on a value; piecewise
rules are made of `step`, `sign`, `where`, `equal` and `greater`, which are entries themselves.

Conventions at the hard points (each row is tested, see tests/data/hard_points.json): where the derivative exists it is right to
4 ulp; at a kink it is the subgradient of least norm; at the edge of a domain the one-sided limit; outside nan; and what was not
selected contributes nothing. ``r + flat(r)`` in a rule makes nan of it outside the domain, where r is nan.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

from autograd_lite import floats, normal, special
from autograd_lite.primitive import NUMBER_FUNCTIONS, ORDER, POSITIVE, POSITIVE_ORDER, REAL, UNIT, on_numbers, paired, register
from autograd_lite.primitive import TABLE as TABLE
from autograd_lite.primitive import Interval as Interval
from autograd_lite.primitive import Primitive as Primitive
from autograd_lite.primitive import Rule as Rule

TWO_OVER_SQRT_PI = 1.1283791670955126
FEW = 16  # terms whose sum is right to 4 ulp without compensation
LN2 = 0.6931471805599453
LOG2_E = 1.4426950408889634
LOG10_E = 0.4342944819032518
PI, RADIANS, DEGREES = special.PI, floats.RADIANS, floats.DEGREES


def _entry(
    name: str,
    fn: Callable[..., float],
    *partials: Rule | None,
    on: Interval | tuple[Interval, ...] = REAL,
    selects: bool | tuple[bool, ...] = False,
    doc: str,
    **more: Any,
) -> Primitive:
    domain = on if isinstance(on, tuple) else (on,) * len(partials)
    selects = selects if isinstance(selects, tuple) else (selects,) * len(partials)
    return register(Primitive(name, fn, partials, domain, doc, selects=selects, **more))


# --- arithmetic
add: Primitive = _entry(
    "add", operator.add, lambda r, x, y: 1.0, lambda r, x, y: 1.0, code="{0} + {1}", symbol="+", doc="x + y"
)
subtract: Primitive = _entry(
    "subtract", operator.sub, lambda r, x, y: 1.0, lambda r, x, y: -1.0, code="{0} - {1}", symbol="-", doc="x - y"
)
multiply: Primitive = _entry(
    "multiply", operator.mul, lambda r, x, y: y, lambda r, x, y: x, code="{0} * {1}", symbol="*", doc="x * y"
)
divide: Primitive = _entry(
    "divide", floats.divide, lambda r, x, y: reciprocal(y + flat(r)), lambda r, x, y: -power_quotient(x, y + flat(r), 2.0),
    kink=lambda x, y: y == 0.0, code="{0} / {1}", symbol="/", doc="x / y",
)  # fmt: skip
power: Primitive = _entry(
    "power", floats.power,
    lambda r, x, y: power_derivative(x, y, 1.0, 0.0), lambda r, x, y: power_derivative(x, y, 0.0, 1.0),
    on=(POSITIVE, REAL), symbol="**", doc="x ** y",
)  # fmt: skip
negative: Primitive = _entry("negative", operator.neg, lambda r, x: -1.0, code="-{0}", symbol="-", doc="-x")
positive: Primitive = _entry("positive", operator.pos, lambda r, x: 1.0, code="{0}", symbol="+", doc="x")
absolute: Primitive = _entry("absolute", abs, lambda r, x: sign(x), kink=lambda x: x == 0.0, code="fabs({0})", doc="|x|")
reciprocal: Primitive = _entry(
    "reciprocal", floats.reciprocal, lambda r, x: -power_quotient(1.0, x, 2.0), kink=lambda x: x == 0.0, code="1.0 / {0}",
    doc="1 / x",
)  # fmt: skip
square: Primitive = _entry("square", lambda x: x * x, lambda r, x: 2.0 * x, code="{0} * {0}", doc="x * x")
sqrt: Primitive = _entry("sqrt", floats.sqrt, lambda r, x: 0.5 * reciprocal(r + 0.0), on=POSITIVE, doc="square root")
cbrt: Primitive = _entry(
    "cbrt", floats.cbrt, lambda r, x: reciprocal(3.0 * square(r)), kink=lambda x: x == 0.0, doc="real cube root"
)
mod: Primitive = _entry(
    "mod", floats.mod, lambda r, x, y: 1.0 + flat(r), lambda r, x, y: -floor_divide(x, y + flat(r)),
    kink=lambda x, y: y == 0.0 or floats.mod(x, y) == 0.0, symbol="%", doc="remainder with the sign of the divisor y",
)  # fmt: skip
fmod: Primitive = _entry(
    "fmod", floats.fmod,
    lambda r, x, y: 1.0 + flat(r),
    lambda r, x, y: -sign(x) * sign(y) * floor_divide(absolute(x), absolute(y) + flat(r)),
    kink=lambda x, y: y == 0.0 or floats.fmod(x, y) == 0.0 != x, doc="remainder with the sign of the dividend x",
)  # fmt: skip

# --- exponentials and logarithms
exp: Primitive = _entry("exp", floats.exp, lambda r, x: r, doc="e to the power x")
exp2: Primitive = _entry("exp2", floats.exp2, lambda r, x: LN2 * exp2(0.5 * x) * exp2(0.5 * x), doc="2 to the power x")
expm1: Primitive = _entry("expm1", floats.expm1, lambda r, x: exp(x), doc="exp(x) - 1")
log: Primitive = _entry("log", floats.log, lambda r, x: reciprocal(x + flat(r)), on=POSITIVE, doc="natural logarithm")
log2: Primitive = _entry(
    "log2", floats.log2, lambda r, x: power_quotient(LOG2_E, x + flat(r), 1.0), on=POSITIVE, doc="logarithm to base 2"
)
log10: Primitive = _entry(
    "log10", floats.log10, lambda r, x: power_quotient(LOG10_E, x + flat(r), 1.0), on=POSITIVE, doc="logarithm to base 10"
)
log1p: Primitive = _entry(
    "log1p", floats.log1p, lambda r, x: reciprocal(1.0 + x + flat(r)), on=Interval(low=-1.0), doc="log(1 + x)"
)
xlogy: Primitive = _entry(
    "xlogy", special.xlogy, lambda r, x, y: log(y), lambda r, x, y: power_quotient(x, y + flat(r), 1.0),
    on=(REAL, POSITIVE), doc="x * log(y), 0 where x is 0",
)  # fmt: skip
logaddexp: Primitive = _entry(
    "logaddexp", special.logaddexp,
    lambda r, x, y: _share_of(difference(x, y), difference_error(x, y)),
    lambda r, x, y: _share_of(difference(y, x), difference_error(y, x)),
    doc="log(exp(x) + exp(y))",
)  # fmt: skip
logsumexp: Primitive = _entry(
    "logsumexp", special.logsumexp, lambda r, *xs: _shares(stop_gradient(r), xs), variadic=True, doc="log of the sum of exp(x)"
)

# --- trigonometric and hyperbolic
sin: Primitive = _entry("sin", floats.sin, lambda r, x: cos(x), doc="sine, x in radians")
cos: Primitive = _entry("cos", floats.cos, lambda r, x: -sin(x), doc="cosine, x in radians")
tan: Primitive = _entry("tan", floats.tan, lambda r, x: 1.0 + square(r), doc="tangent, x in radians")
sinc: Primitive = _entry(
    "sinc", special.sinc, lambda r, x: sinc_derivative(x, 1.0), doc="sin(pi * x) / (pi * x), 1 where x is 0"
)
deg2rad: Primitive = _entry("deg2rad", floats.deg2rad, lambda r, x: RADIANS, doc="degrees to radians")
rad2deg: Primitive = _entry("rad2deg", floats.rad2deg, lambda r, x: DEGREES, doc="radians to degrees")
arcsin: Primitive = _entry(
    "arcsin", floats.arcsin, lambda r, x: reciprocal(sqrt(one_minus_square(x))), on=UNIT, code="asin({0})", doc="inverse sine"
)
arccos: Primitive = _entry(
    "arccos", floats.arccos, lambda r, x: -reciprocal(sqrt(one_minus_square(x))), on=UNIT, code="acos({0})",
    doc="inverse cosine",
)  # fmt: skip
arctan: Primitive = _entry(
    "arctan", math.atan, lambda r, x: inverse_power_real(1.0, x, 1.0), code="atan({0})", doc="inverse tangent"
)
arctan2: Primitive = _entry(
    "arctan2", math.atan2,
    lambda r, x, y: inverse_power_real(y, x, 1.0), lambda r, x, y: inverse_power_imaginary(y, x, 1.0),
    kink=lambda x, y: x == 0.0 and y <= 0.0, code="atan2({0}, {1})", doc="angle of the point (y, x), ordinate first",
)  # fmt: skip
sinh: Primitive = _entry("sinh", floats.sinh, lambda r, x: cosh(x), doc="hyperbolic sine")
cosh: Primitive = _entry("cosh", floats.cosh, lambda r, x: sinh(x), doc="hyperbolic cosine")
tanh: Primitive = _entry("tanh", math.tanh, lambda r, x: 4.0 * logistic_pdf(2.0 * x), doc="hyperbolic tangent")
arcsinh: Primitive = _entry(
    "arcsinh", math.asinh, lambda r, x: hypot_derivative(1.0, x, 1.0, 0.0), code="asinh({0})", doc="inverse hyperbolic sine"
)
arccosh: Primitive = _entry(
    "arccosh", floats.arccosh, lambda r, x: reciprocal(sqrt(x - 1.0) * sqrt(x + 1.0)), on=Interval(low=1.0),
    code="acosh({0})", doc="inverse hyperbolic cosine",
)  # fmt: skip
arctanh: Primitive = _entry(
    "arctanh", floats.arctanh, lambda r, x: reciprocal(one_minus_square(x) + flat(r)), on=UNIT, code="atanh({0})",
    doc="inverse hyperbolic tangent",
)  # fmt: skip
hypot: Primitive = _entry(
    "hypot", math.hypot,
    lambda r, x, y: hypot_derivative(x, y, 1.0, 0.0), lambda r, x, y: hypot_derivative(x, y, 0.0, 1.0),
    kink=lambda x, y: x == y == 0.0, doc="sqrt(x*x + y*y)",
)  # fmt: skip

# --- error function, activations
erf: Primitive = _entry("erf", math.erf, lambda r, x: erf_derivative(x, 1.0), doc="error function")
erfc: Primitive = _entry("erfc", math.erfc, lambda r, x: -erf_derivative(x, 1.0), doc="1 - erf(x)")
normal_cdf: Primitive = _entry(
    "normal_cdf", special.normal_cdf, lambda r, x: normal_pdf(x, 0.0), doc="standard normal distribution function"
)
log_normal_cdf: Primitive = _entry(
    "log_normal_cdf", normal.log_normal_cdf, lambda r, x: log_normal_cdf_derivative(x, 1.0), doc="log(normal_cdf(x))"
)
normal_pdf: Primitive = _entry(
    "normal_pdf", special.normal_pdf, lambda r, x, order: normal_pdf(x, order + 1.0), None, on=(REAL, ORDER),
    defaults=(0.0,), doc="standard normal density, or its derivative of an order",
)  # fmt: skip
sigmoid: Primitive = _entry("sigmoid", special.sigmoid, lambda r, x: logistic_pdf(x), doc="1 / (1 + exp(-x))")
log_sigmoid: Primitive = _entry("log_sigmoid", special.log_sigmoid, lambda r, x: sigmoid(-x), doc="log(sigmoid(x))")
softplus: Primitive = _entry("softplus", special.softplus, lambda r, x: sigmoid(x), doc="log(1 + exp(x))")
relu: Primitive = _entry("relu", floats.relu, lambda r, x: step(x), kink=lambda x: x == 0.0, selects=True, doc="maximum(x, 0)")
leaky_relu: Primitive = _entry(
    "leaky_relu", floats.leaky_relu,
    lambda r, x, slope: where(step(x), 1.0, where(step(-x), slope, clip(slope, 0.0, 1.0))) + flat(r),
    lambda r, x, slope: -relu(-x),
    kink=lambda x, slope: x == 0.0 and slope != 1.0, selects=(False, True), defaults=(0.01,),
    doc="x where positive, else slope * x",
)  # fmt: skip
silu: Primitive = _entry("silu", special.silu, lambda r, x: silu_derivative(x, 1.0), doc="x * sigmoid(x)")
gelu: Primitive = _entry("gelu", special.gelu, lambda r, x: normal_cdf(x) - normal_pdf(x, 1.0), doc="x * normal_cdf(x)")

# --- selections
maximum: Primitive = _entry(
    "maximum", floats.maximum, lambda r, *xs: _equal_shares(r, xs), variadic=True, elementwise=True, selects=True,
    kink=lambda *xs: xs.count(max(xs)) > 1, doc="the largest argument",
)  # fmt: skip
minimum: Primitive = _entry(
    "minimum", floats.minimum, lambda r, *xs: _equal_shares(r, xs), variadic=True, elementwise=True, selects=True,
    kink=lambda *xs: xs.count(min(xs)) > 1, doc="the smallest argument",
)  # fmt: skip
clip: Primitive = _entry(
    "clip", floats.clip,
    lambda r, x, low, high: equal(x, r) * greater(1.0, greater(low, high)),
    lambda r, x, low, high: greater(low, x) * 0.5 * (1.0 + greater(high, low) - greater(low, high)),
    lambda r, x, low, high: (
        1.0 - equal(x, r) * greater(1.0, greater(low, high))
        - greater(low, x) * 0.5 * (1.0 + greater(high, low) - greater(low, high))
    ),
    kink=lambda x, low, high: x == low <= high or max(x, low) == high, selects=True,
    doc="minimum(maximum(x, low), high)",
)  # fmt: skip
where: Primitive = _entry(
    "where", floats.where, None, lambda r, condition, x, y: where(condition, 1.0, 0.0),
    lambda r, condition, x, y: where(condition, 0.0, 1.0),
    selects=True, code="{0} != 0.0 ? {1} : {2}", doc="x where the condition is not 0, else y",
)  # fmt: skip
stop_gradient: Primitive = _entry("stop_gradient", lambda x: x, None, means=lambda x: x, code="{0}", doc="x, as a constant")

# --- piecewise constant
sign: Primitive = _entry("sign", floats.sign, lambda r, x: flat(x), kink=lambda x: x == 0.0, selects=True, doc="-1, 0 or 1")
step: Primitive = _entry(
    "step", floats.step, lambda r, x: flat(x), kink=lambda x: x == 0.0, selects=True, doc="1 where x > 0, else 0"
)
heaviside: Primitive = _entry(
    "heaviside", floats.heaviside, lambda r, x, h0: flat(r), lambda r, x, h0: equal(x, 0.0) + flat(r),
    kink=lambda x, h0: x == 0.0, selects=True, doc="0 where x < 0, h0 where x = 0, 1 where x > 0",
)  # fmt: skip
isfinite: Primitive = _entry("isfinite", floats.isfinite, None, doc="1 where x is no infinity and not nan, else 0")
isinf: Primitive = _entry("isinf", floats.isinf, None, doc="1 where x is an infinity, else 0")
isnan: Primitive = _entry("isnan", floats.isnan, None, doc="1 where x is nan, else 0")
copysign: Primitive = _entry(
    "copysign", floats.copysign, lambda r, x, y: sign(x) * copysign(1.0, y), None,
    kink=lambda x, y: x == 0.0 or y == 0.0, doc="|x| with the sign of y",
)  # fmt: skip
floor: Primitive = _entry(
    "floor", floats.floor, lambda r, x: flat(x), kink=lambda x: x == floats.floor(x), selects=True, doc="round down"
)
ceil: Primitive = _entry(
    "ceil", floats.ceil, lambda r, x: flat(x), kink=lambda x: x == floats.floor(x), selects=True, doc="round up"
)
trunc: Primitive = _entry(
    "trunc", floats.trunc, lambda r, x: flat(x), kink=lambda x: x == floats.floor(x) != 0.0, selects=True,
    doc="round towards 0",
)  # fmt: skip
rint: Primitive = _entry(
    "rint", floats.rint, lambda r, x: flat(x), kink=lambda x: floats.is_halfway(x, 0.0), selects=True,
    doc="round to the nearest integer, half to even",
)  # fmt: skip
around: Primitive = _entry(
    "around", floats.around, lambda r, x, decimals: flat(r), None, on=(REAL, ORDER), defaults=(0.0,), selects=True,
    kink=floats.is_halfway, doc="round to a number of decimals",
)  # fmt: skip
floor_divide: Primitive = _entry(
    "floor_divide", floats.floor_divide, lambda r, x, y: flat(r), lambda r, x, y: flat(r), selects=True,
    kink=lambda x, y: y == 0.0 or floats.mod(x, y) == 0.0, symbol="//", doc="floor of x / y",
)  # fmt: skip

# --- sums
sum: Primitive = _entry(
    "sum", floats.add_all, lambda r, *xs: [1.0] * len(xs), variadic=True, doc="x1 + x2 + ..., from left to right"
)
dot: Primitive = _entry(
    "dot", floats.dot, lambda r, *xs: xs[len(xs) // 2 :] + xs[: len(xs) // 2], variadic=True, gather=paired,
    doc="x1*y1 + x2*y2 + ..., from left to right",
)  # fmt: skip

# --- what the rules above are made of: the table is closed under differentiation
flat: Primitive = _entry("flat", floats.flat, None, public=False, means=lambda x: 0.0, doc="0, nan where x is nan")
greater: Primitive = _entry(
    "greater", floats.greater, None, None, kink=lambda x, y: x == y, public=False, doc="1 where x > y, else 0"
)
equal: Primitive = _entry(
    "equal", floats.equal, None, None, kink=lambda x, y: x == y, public=False, doc="1 where x == y, else 0"
)
difference: Primitive = _entry(
    "difference", floats.difference, lambda r, x, y: 1.0, lambda r, x, y: -1.0, public=False,
    means=lambda x, y: x - y,
    doc="x - y, 0 for equal infinities",
)  # fmt: skip
difference_error: Primitive = _entry(
    "difference_error", floats.difference_error, None, None, public=False,
    means=lambda x, y: 0.0,
    doc="what x - y rounds away, 0 in real numbers",
)  # fmt: skip
one_minus_square: Primitive = _entry(
    "one_minus_square", special.one_minus_square, lambda r, x: -2.0 * x, code="(1.0 - {0}) * (1.0 + {0})", public=False,
    means=lambda x: 1.0 - x * x,
    doc="1 - x*x",
)  # fmt: skip
power_quotient: Primitive = _entry(
    "power_quotient", special.power_quotient,
    lambda r, x, y, n: power_quotient(1.0, y, n), lambda r, x, y, n: -n * power_quotient(x, y, n + 1.0),
    None, on=(REAL, REAL, POSITIVE_ORDER), kink=lambda x, y, n: y == 0.0, public=False,
    means=lambda x, y, n: x / y**n,
    doc="x / y**n, 0 where x is 0",
)  # fmt: skip
share: Primitive = _entry(
    "share", special.share,
    lambda r, x, y: power_quotient(y, x + y, 2.0), lambda r, x, y: -power_quotient(x, x + y, 2.0),
    on=Interval(0.0, 1e300), public=False,
    means=lambda x, y: x / (x + y),
    doc="x / (x + y), for weights x and y",
)  # fmt: skip


def _power_means(x: Any, y: Any, m: float, n: float) -> Any:
    return y * x ** (y - 1.0) if (m, n) == (1.0, 0.0) else x**y * log(x) if (m, n) == (0.0, 1.0) else None


power_derivative: Primitive = _entry(
    "power_derivative", special.power_derivative,
    lambda r, x, y, m, n: power_derivative(x, y, m + 1.0, n), lambda r, x, y, m, n: power_derivative(x, y, m, n + 1.0),
    None, None, on=(POSITIVE, REAL, ORDER, ORDER), public=False,
    means=_power_means,
    doc="derivative of x ** y, m times by x and n times by y",
)  # fmt: skip
hypot_derivative: Primitive = _entry(
    "hypot_derivative", special.hypot_derivative,
    lambda r, x, y, m, n: hypot_derivative(x, y, m + 1.0, n), lambda r, x, y, m, n: hypot_derivative(x, y, m, n + 1.0),
    None, None, on=(REAL, REAL, ORDER, ORDER), kink=lambda x, y, m, n: x == y == 0.0, public=False,
    means=lambda x, y, m, n: (x if m else y) / hypot(x, y) if m + n == 1.0 else None,
    doc="derivative of hypot(x, y), m times by x and n times by y",
)  # fmt: skip
inverse_power_real: Primitive = _entry(
    "inverse_power_real", special.inverse_power_real,
    lambda r, x, y, n: -n * inverse_power_real(x, y, n + 1.0), lambda r, x, y, n: n * inverse_power_imaginary(x, y, n + 1.0),
    None, on=(REAL, REAL, POSITIVE_ORDER), kink=lambda x, y, n: x == y == 0.0, public=False,
    means=lambda x, y, n: x / (x * x + y * y) if n == 1.0 else None,
    doc="real part of (x + iy)**-n",
)  # fmt: skip
inverse_power_imaginary: Primitive = _entry(
    "inverse_power_imaginary", special.inverse_power_imaginary,
    lambda r, x, y, n: -n * inverse_power_imaginary(x, y, n + 1.0), lambda r, x, y, n: -n * inverse_power_real(x, y, n + 1.0),
    None, on=(REAL, REAL, POSITIVE_ORDER), kink=lambda x, y, n: x == y == 0.0, public=False,
    means=lambda x, y, n: -y / (x * x + y * y) if n == 1.0 else None,
    doc="imaginary part of that",
)  # fmt: skip
erf_derivative: Primitive = _entry(
    "erf_derivative", special.erf_derivative, lambda r, x, n: erf_derivative(x, n + 1.0), None, on=(REAL, ORDER),
    public=False,
    means=lambda x, n: TWO_OVER_SQRT_PI * exp(-(x * x)) if n == 1.0 else None,
    doc="derivative of erf, n times",
)  # fmt: skip
log_normal_cdf_derivative: Primitive = _entry(
    "log_normal_cdf_derivative", normal.log_normal_cdf_derivative,
    lambda r, x, n: log_normal_cdf_derivative(x, n + 1.0), None, on=(REAL, ORDER), public=False,
    means=lambda x, n: normal_pdf(x, 0.0) / normal_cdf(x) if n == 1.0 else None,
    doc="derivative of log_normal_cdf, n times",
)  # fmt: skip
sinc_derivative: Primitive = _entry(
    "sinc_derivative", special.sinc_derivative, lambda r, x, n: sinc_derivative(x, n + 1.0), None, on=(REAL, ORDER),
    public=False,
    means=lambda x, n: (cos(PI * x) - sinc(x)) / x if n == 1.0 else None,
    doc="derivative of sinc, n times",
)  # fmt: skip
logistic_pdf: Primitive = _entry(
    "logistic_pdf", special.logistic_pdf, lambda r, x: -r * tanh(0.5 * x), public=False,
    means=lambda x: sigmoid(x) * sigmoid(-x),
    doc="density of the logistic distribution, the derivative of sigmoid",
)  # fmt: skip
silu_derivative: Primitive = _entry(
    "silu_derivative", special.silu_derivative, lambda r, x, n: silu_derivative(x, n + 1.0), None, on=(REAL, ORDER),
    public=False,
    means=lambda x, n: sigmoid(x) * (1.0 + x * sigmoid(-x)) if n == 1.0 else None,
    doc="derivative of silu, n times",
)  # fmt: skip
if_reached: Primitive = _entry(
    "if_reached", floats.where, None, lambda r, mask, x, otherwise: where(mask, 1.0, 0.0),
    lambda r, mask, x, otherwise: where(mask, 0.0, 1.0),
    selects=True, public=False, code="{0} != 0.0 ? {1} : {2}", means=lambda mask, x, otherwise: x,
    doc="x where the mask of an edge is not 0, else the zero given",
)  # fmt: skip


def _share_of(d: Any, error: Any) -> Any:
    """sigmoid(d + error) to first order in the error: the weight of x in logaddexp(x, y), where d + error = x - y."""
    return sigmoid(d) + sigmoid(d) * (error * sigmoid(-d))


def _shares(shift: Any, xs: tuple[Any, ...]) -> list[Any]:
    """exp(x) / sum(exp(x)), shifted by any number near the largest x; the shift's rounding is made good.

    Each weight is compared with the sum of the others, so that no derivative is a difference of shares next to 1. What the
    additions round away is made good where there are enough of them to matter.
    """
    rounded = [exp(difference(x, shift)) for x in xs]
    weights = [weight + weight * difference_error(x, shift) for weight, x in zip(rounded, xs, strict=True)]
    if len(xs) <= FEW:
        before = accumulate(weights[:-1], initial=0.0)
        after = list(accumulate(reversed(weights[1:]), initial=0.0))
        return [share(weight, b + a) for weight, b, a in zip(weights, before, reversed(after), strict=True)]
    sums = zip(weights, _running_sums(weights), reversed(list(_running_sums(weights[::-1]))), strict=True)
    return [share(weight, (b + a) + (lost_b + lost_a)) for weight, (b, lost_b), (a, lost_a) in sums]


def _running_sums(xs: list[Any]) -> Iterator[tuple[Any, Any]]:
    """The sums of the first 0, 1, 2, ... numbers, all but the last; with each what its additions have rounded away."""
    total, lost = 0.0, 0.0
    for x in xs:
        yield total, lost
        lost, total = lost + difference_error(total, -x), total + x


def _equal_shares(r: Any, xs: tuple[Any, ...]) -> list[Any]:
    """1/k for each of the k arguments that equal the result, 0 for the others."""
    chosen = [equal(x, r) for x in xs]
    if len(xs) == 2:  # the same numbers without a division
        return [chosen[0] * (1.0 - 0.5 * chosen[1]), chosen[1] * (1.0 - 0.5 * chosen[0])]
    count = sum(*chosen)
    return [divide(c, count) for c in chosen]


NUMBER_FUNCTIONS.update({f.__name__: on_numbers(f) for f in (_share_of, _shares, _running_sums, _equal_shares)})
NUMBER_FUNCTIONS.update(
    accumulate=accumulate, FEW=FEW, LN2=LN2, LOG2_E=LOG2_E, LOG10_E=LOG10_E, RADIANS=RADIANS, DEGREES=DEGREES
)
