"""Derivatives of orders 1 to 6, pure and mixed, against SymPy evaluated with 150 digits.

Each expression is written once and run twice: on autograd_lite's functions, and on symbols that SymPy differentiates.

The bound is the a-priori one of `rounding`, which the graph of the derivative itself gives.
"""

import mpmath
import pytest
import sympy

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.primitives import TABLE
from rounding import a_priori_bound

ORDERS = range(1, 7)
DIGITS = 150  # the distribution function is 1e-89 at -20, and SymPy subtracts it from 1


class Symbols:
    """autograd_lite's functions on SymPy's expressions, for real arguments inside the domains."""

    exp, log, sin, cos, tan, sinh, cosh, tanh = map(
        staticmethod, (sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tan, sympy.sinh, sympy.cosh, sympy.tanh)
    )
    arcsin, arccos, arctan, arctan2 = map(staticmethod, (sympy.asin, sympy.acos, sympy.atan, sympy.atan2))
    arcsinh, arccosh, arctanh, erf, erfc, sqrt = map(
        staticmethod, (sympy.asinh, sympy.acosh, sympy.atanh, sympy.erf, sympy.erfc, sympy.sqrt)
    )
    exp2 = staticmethod(lambda x: sympy.Integer(2) ** x)
    expm1 = staticmethod(lambda x: sympy.exp(x) - 1)
    log2 = staticmethod(lambda x: sympy.log(x) / sympy.log(2))
    log10 = staticmethod(lambda x: sympy.log(x) / sympy.log(10))
    log1p = staticmethod(lambda x: sympy.log(1 + x))
    cbrt = staticmethod(lambda x: x * (x * x) ** sympy.Rational(-1, 3))
    square = staticmethod(lambda x: x * x)
    reciprocal = staticmethod(lambda x: 1 / x)
    hypot = staticmethod(lambda x, y: sympy.sqrt(x * x + y * y))
    xlogy = staticmethod(lambda x, y: x * sympy.log(y))
    sigmoid = staticmethod(lambda x: 1 / (1 + sympy.exp(-x)))
    log_sigmoid = staticmethod(lambda x: -sympy.log(1 + sympy.exp(-x)))
    softplus = staticmethod(lambda x: sympy.log(1 + sympy.exp(x)))
    silu = staticmethod(lambda x: x / (1 + sympy.exp(-x)))
    normal_cdf = staticmethod(lambda x: sympy.erfc(-x / sympy.sqrt(2)) / 2)
    normal_pdf = staticmethod(lambda x: sympy.exp(-x * x / 2) / sympy.sqrt(2 * sympy.pi))
    gelu = staticmethod(lambda x: x * sympy.erfc(-x / sympy.sqrt(2)) / 2)
    logaddexp = staticmethod(lambda x, y: sympy.log(sympy.exp(x) + sympy.exp(y)))
    logsumexp = staticmethod(lambda *xs: sympy.log(sympy.Add(*map(sympy.exp, xs))))
    sum = staticmethod(lambda *xs: sympy.Add(*xs))
    dot = staticmethod(lambda xs, ys: sympy.Add(*[x * y for x, y in zip(xs, ys, strict=True)]))


EXPRESSIONS = {
    "exp sin tanh": lambda m, x: m.exp(m.sin(x)) * m.tanh(x),
    "log, quotient": lambda m, x: m.log(1 + x * x) / (2 + m.cos(x)),
    "sigmoid softplus": lambda m, x: m.sigmoid(x * x - x) - m.softplus(2 * x),
    "fractional powers": lambda m, x: (1 + x * x) ** 1.75 - m.sqrt(3 + m.sin(x)) ** -0.5,
    "powers of two sides": lambda m, x: (2 + m.sin(x)) ** (x - 0.25) + 1.5**x,
    "arctan erf": lambda m, x: m.arctan(x) * m.erf(x) + m.erfc(0.5 * x),
    "gelu silu": lambda m, x: m.gelu(x) + m.silu(x) * m.cos(x),
    "hypot": lambda m, x: m.hypot(x, m.exp(0.5 * x)),
    "arctan2": lambda m, x: m.arctan2(x + 0.5, 1 + x * x),
    "logaddexp": lambda m, x: m.logaddexp(x * x, m.sin(x)),
    "logsumexp": lambda m, x: m.logsumexp(x, 0.5 * x * x, 1.0),
    "expm1 log1p": lambda m, x: m.expm1(0.5 * x) * m.log1p(x * x),
    "arcsinh cosh": lambda m, x: m.arcsinh(x) / m.cosh(x) + m.sinh(x) * m.square(x),
    "tan": lambda m, x: m.tan(0.5 * m.sin(x)),
    "inverse sines": lambda m, x: m.arcsin(0.5 * m.tanh(x)) - m.arccos(0.25 * m.sin(x)),
    "inverse hyperbolic": lambda m, x: m.arctanh(0.75 * m.sin(x)) + m.arccosh(2 + x * x),
    "bases": lambda m, x: m.exp2(x) * m.log2(4 + x) - m.log10(5 + x * x),
    "xlogy": lambda m, x: m.xlogy(1 + x * x, 4 + x),
    "roots": lambda m, x: m.cbrt(4 + x) * m.reciprocal(1 + x * x),
    "normal": lambda m, x: m.normal_cdf(x) * x - m.normal_pdf(2 * x) + m.log_sigmoid(-x),
    "sums": lambda m, x: m.sum(m.exp(x), -x, m.dot([x, x * x], [m.cos(x), m.sin(x)])),
}
POINTS = (0.0, 0.7, -1.3, 2.5)


PAIRS = {
    "arctan2": (lambda m, x, y: m.arctan2(x, y), (0.5, -1.5)),
    "hypot": (lambda m, x, y: m.hypot(x, y), (-0.75, 2.0)),
    "logaddexp": (lambda m, x, y: m.logaddexp(x, y), (0.3, 1.1)),
    "logsumexp": (lambda m, x, y: m.logsumexp(x, x * y, y), (0.5, -0.4)),
    "power": (lambda m, x, y: x**y, (1.7, 2.5)),
    "quotient": (lambda m, x, y: (x * x - y) / (x + y * y), (1.2, -0.7)),
    "xlogy": (lambda m, x, y: m.xlogy(m.sin(x), y), (0.6, 1.9)),
    "sigmoid": (lambda m, x, y: m.sigmoid(x * y) * m.erf(x - y), (0.8, 0.3)),
    "exp sin": (lambda m, x, y: m.exp(x * m.sin(y)) * m.tanh(y), (0.9, -1.1)),
    "gelu sqrt": (lambda m, x, y: m.gelu(x * m.sqrt(y)) / m.softplus(y), (-0.4, 1.6)),
}
SPECIAL_POINTS = (0.0, 1e-5, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0, 20.0, -20.0)
UNARY = sorted(
    name for name in vars(Symbols) if not name.startswith("_") and len(TABLE[name].domain) == 1 and not TABLE[name].variadic
)
SPECIAL = [
    (name, x)
    for name in [*UNARY, "normal_pdf"]
    for x in SPECIAL_POINTS
    if x in TABLE[name].domain[0] and not (TABLE[name].kink and TABLE[name].kink(x))
]


SPECIAL += [(name, 1.0 - 2.0**-30) for name in ("arcsin", "arccos", "arctanh")] + [("arccosh", 1.0 + 2.0**-30)]
SPECIAL += [(name, 2.0**-30) for name in ("log", "log2", "log10", "sqrt", "cbrt", "reciprocal")] + [("log1p", 2.0**-30 - 1.0)]


def references(expression, variables, orders, points):
    """The derivatives of a symbolic expression at points, in many digits: each order says how often by each variable."""
    derivatives = {(0,) * len(variables): expression}
    for order in orders:
        i = next(i for i, count in enumerate(order) if count)
        lower = (*order[:i], order[i] - 1, *order[i + 1 :])
        derivatives[order] = derivatives[lower].diff(variables[i])
    function = sympy.lambdify(variables, [derivatives[order] for order in orders], "mpmath", cse=True)
    with mpmath.workdps(DIGITS):
        return [function(*map(mpmath.mpf, point)) for point in points]


def check(derivative, point, exact):
    """Compare a derivative, as a float and as a recorded result, with its exact value."""
    number, recorded = derivative(*point), derivative(*map(Value, point))
    assert type(number) is float
    assert number == getattr(recorded, "data", recorded)
    bound = a_priori_bound(recorded)
    with mpmath.workdps(DIGITS):
        assert abs(number - exact) <= bound
        assert bound <= 1e-9 * abs(exact) or exact == 0, "the bound says nothing about this derivative"


def forward(f):
    return lambda x: ag.jvp(f, x, 1.0)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_orders_one_to_six(name):
    f, x = EXPRESSIONS[name], sympy.Symbol("x")
    exact = references(f(Symbols, x), [x], [(k,) for k in ORDERS], [(point,) for point in POINTS])
    for point, derivatives in zip(POINTS, exact, strict=True):
        backward = onward = lambda v: f(ag, v)
        for derivative in derivatives:
            backward, onward = ag.grad(backward), forward(onward)
            check(backward, [point], derivative)
            check(onward, [point], derivative)


@pytest.mark.parametrize("name", PAIRS)
def test_mixed_partial_derivatives_to_order_five(name):
    f, point = PAIRS[name]
    x, y = sympy.symbols("x y")
    orders = sorted([(i, j) for i in range(6) for j in range(6 - i) if i + j], key=sum)
    (exact,) = references(f(Symbols, x, y), [x, y], orders, [point])
    for (i, j), derivative in zip(orders, exact, strict=True):
        for sequence in {(0,) * i + (1,) * j, (1,) * j + (0,) * i, ((0, 1) * min(i, j)) + (0,) * (i - j) + (1,) * (j - i)}:
            differentiated = lambda u, v: f(ag, u, v)
            for argument in sequence:
                differentiated = ag.grad(differentiated, argument)
            check(differentiated, point, derivative)


@pytest.mark.parametrize(("name", "point"), SPECIAL)
def test_functions_of_one_argument_at_special_points(name, point):
    x = sympy.Symbol("x")
    (exact,) = references(getattr(Symbols, name)(x), [x], [(k,) for k in ORDERS], [(point,)])
    f = getattr(ag, name)
    for derivative in exact:
        f = ag.grad(f)
        check(f, [point], derivative)


@pytest.mark.parametrize(
    ("name", "derivatives"),
    [
        ("tanh", [1.0, 0.0, -2.0, 0.0, 16.0, 0.0]),
        ("sigmoid", [0.25, 0.0, -0.125, 0.0, 0.25, 0.0]),
        ("softplus", [0.5, 0.25, 0.0, -0.125, 0.0, 0.25]),
        ("sin", [1.0, 0.0, -1.0, 0.0, 1.0, 0.0]),
        ("cos", [0.0, -1.0, 0.0, 1.0, 0.0, -1.0]),
        ("exp", [1.0] * 6),
        ("log1p", [1.0, -1.0, 2.0, -6.0, 24.0, -120.0]),
        ("arctan", [1.0, 0.0, -2.0, 0.0, 24.0, 0.0]),
        ("arctanh", [1.0, 0.0, 2.0, 0.0, 24.0, 0.0]),
        ("arcsinh", [1.0, 0.0, -1.0, 0.0, 9.0, 0.0]),
        ("arcsin", [1.0, 0.0, 1.0, 0.0, 9.0, 0.0]),
        ("tan", [1.0, 0.0, 2.0, 0.0, 16.0, 0.0]),
        ("silu", [0.5, 0.5, 0.0, -0.5, 0.0, 1.5]),
    ],
)
def test_derivatives_at_zero_are_exact_where_they_are_dyadic(name, derivatives):
    f = getattr(ag, name)
    for derivative in derivatives:
        f = ag.grad(f)
        assert f(0.0) == derivative


def test_the_expressions_cover_the_smooth_functions_of_the_table():
    used = {node.op.name for f in EXPRESSIONS.values() for node in ag.topological_order(f(ag, Value(0.7))) if node.op}
    piecewise = {
        "absolute",
        "relu",
        "leaky_relu",
        "maximum",
        "minimum",
        "clip",
        "where",
        "stop_gradient",
        "sign",
        "step",
        "mod",
    }
    piecewise |= {
        "fmod",
        "heaviside",
        "isfinite",
        "isinf",
        "isnan",
        "copysign",
        "floor",
        "ceil",
        "trunc",
        "rint",
        "around",
        "floor_divide",
    }
    # The constants of the conversions are rounded themselves, and the families of the last two promise ulps of a larger term:
    # their orders are in test_special and test_primitives.
    elsewhere = {"positive", "subtract", "deg2rad", "rad2deg", "sinc", "log_normal_cdf"}
    assert {name for name, primitive in TABLE.items() if primitive.public} - used - piecewise <= elsewhere
