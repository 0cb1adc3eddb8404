"""An edge is there or not: what a selection left out contributes nothing; all else is the plain product, 0 times inf nan.

The same by reverse and forward sweeps, on numbers and as graphs, in compiled functions of every mode, at orders 1 to 3.
"""

import itertools
import math

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import Value
from programs import programs
from test_hard_points import BEHIND, UNSELECTED
from values import bits

SMOOTH = {  # a smooth function whose rules meet 0 times inf at a point: (function, point, sympy's)
    "sqrt(x)**2": (lambda x: ag.sqrt(x) ** 2, 0.0, lambda x: x),
    "x**0.5 * x**0.5": (lambda x: x**0.5 * x**0.5, 0.0, lambda x: x),
    "cbrt(x)**3": (lambda x: ag.cbrt(x) ** 3, 0.0, lambda x: x),
    "exp(log(x))": (lambda x: ag.exp(ag.log(x)), 0.0, lambda x: x),
    "1/(1/x)": (lambda x: 1 / (1 / x), 0.0, lambda x: x),
    "parallel": (lambda x: 1 / (1 / x + 1 / 2.0), 0.0, lambda x: 2 * x / (x + 2)),
    "cos(sqrt(x))": (lambda x: ag.cos(ag.sqrt(x)), 0.0, lambda x: sympy.cos(sympy.sqrt(x))),
    "cosh(sqrt(x))": (lambda x: ag.cosh(ag.sqrt(x)), 0.0, lambda x: sympy.cosh(sympy.sqrt(x))),
    "arccos(x)**2": (lambda x: ag.arccos(x) ** 2, 1.0, lambda x: sympy.acos(x) ** 2),
    "cosh(arccosh(x))": (lambda x: ag.cosh(ag.arccosh(x)), 1.0, lambda x: x),
    "tanh(arctanh(x))": (lambda x: ag.tanh(ag.arctanh(x)), 1.0, lambda x: x),
    "arctan(1/x)": (lambda x: ag.arctan(1 / x), 0.0, lambda x: sympy.atan(1 / x)),
    "0 sqrt(x)": (lambda x: 0.0 * ag.sqrt(x), 0.0, lambda x: 0 * x),
    "square(sqrt(x))": (lambda x: ag.square(ag.sqrt(x)), 0.0, lambda x: x),
    "|sqrt(x)|**2": (lambda x: ag.absolute(ag.sqrt(x)) ** 2, 0.0, lambda x: x),
    "sqrt(x)**2 + relu(x - 1)": (lambda x: ag.sqrt(x) ** 2 + ag.relu(x - 1.0), 0.0, lambda x: x),
    "maximum(sqrt(x)**2, -1)": (lambda x: ag.maximum(ag.sqrt(x) ** 2, -1.0), 0.0, lambda x: x),
}
MODES = {"exact": {"exact": True}, "default": {}}


def forward(f):
    return lambda x: ag.jvp(f, x, 1.0)


def reverse(f):
    return lambda x: ag.vjp(f, x, 1.0)


WAYS = {"grad": ag.grad, "forward": forward, "reverse": reverse, "jacobian": ag.jacobian}


@pytest.mark.parametrize("name", SMOOTH)
def test_a_zero_that_meets_an_infinity_is_nan_or_right(name):
    """In every way of the first order, by every two of the second; compiled code says the same."""
    f, x, exact = SMOOTH[name]
    symbol = sympy.Symbol("x", positive=True)
    limit = float(sympy.limit(sympy.diff(exact(symbol), symbol), symbol, x, "-" if x else "+"))
    for way, derivative in WAYS.items():
        got = derivative(f)(x)
        assert math.isnan(got) or got == pytest.approx(limit, rel=1e-15), way
        for mode, options in MODES.items():
            assert bits(ag.compile(derivative(f), **options)(x)) == bits(got), (way, mode)
    second = float(sympy.limit(sympy.diff(exact(symbol), symbol, 2), symbol, x, "-" if x else "+"))
    for one, other in itertools.product(WAYS.values(), repeat=2):
        got = one(other(f))(x)
        assert not math.isfinite(got) or got == pytest.approx(second, rel=1e-15)


def test_first_derivatives_that_no_rule_can_find_are_nan():
    """The one-sided derivatives are 1, 1, 1, -1/2 and -2."""
    for name in ("sqrt(x)**2", "exp(log(x))", "1/(1/x)", "cos(sqrt(x))", "arccos(x)**2"):
        f, x, _ = SMOOTH[name]
        y = f(leaf := Value(x))
        y.backward()
        assert math.isnan(leaf.grad), name
        assert math.isnan(ag.grad(f)(x)), name
        assert math.isnan(ag.jvp(f, x, 1.0)), name


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("hidden", ["square root", "logarithm", "negative power", "overflow"])
@pytest.mark.parametrize("selection", UNSELECTED)
def test_compiled_code_and_forward_sweeps_leave_out_what_was_not_selected(selection, hidden, order):
    """At 0 the hidden branch has infinite derivatives; beside it the compiled function, recorded at 0, takes the branch."""

    def f(x):
        return UNSELECTED[selection](x, BEHIND[hidden](x))

    expected = [0.0, 0.0, 6.0][order - 1]
    for derivative in (ag.grad, forward):
        nested = f
        for _ in range(order):
            nested = derivative(nested)
        assert nested(0.0) == expected
        for options in MODES.values():
            kernel = ag.compile(nested, **options)
            assert kernel(0.0) == expected
            points = np.array([0.0, 0.25, 0.0, 1.5])
            batch = kernel(points)
            assert batch[0] == batch[2] == expected
            for i in (1, 3):
                assert batch[i] == pytest.approx(float(nested(float(points[i]))), rel=1e-12, abs=1e-12), (derivative, options)


def test_a_selection_behind_another():
    """The mask of an edge is made of the shares on the way to it: where one is 0 it is not there, where all hold it is."""

    def f(p, q, x):
        inner = ag.where(p, ag.sqrt(x), x)
        outer = ag.where(q, inner * 3.0, 2.0 * x)
        return outer + ag.relu(ag.where(q, -1.0 - inner, 0.0)) + x

    both = ag.grad(f, (0, 1, 2))
    for options in MODES.values():
        kernel = ag.compile(both, **options)
        for p, q in itertools.product((0.0, 1.0), repeat=2):
            expected = (math.inf if p else 4.0) if q else 3.0
            assert both(p, q, 0.0) == (0.0, 0.0, expected)
            assert kernel(p, q, 0.0) == (0.0, 0.0, expected), (p, q)
            assert ag.compile(ag.grad(lambda x, p=p, q=q: ag.jvp(lambda y: f(p, q, y), x, 1.0)), **options)(4.0) == (
                ag.grad(ag.grad(lambda x, p=p, q=q: f(p, q, x)))(4.0)
            )


SELECTING = (
    "relu",
    "maximum",
    "minimum",
    "clip",
    "where",
    "sqrt",
    "log",
    "reciprocal",
    "multiply",
    "add",
    "square",
    "negative",
    "step",
)


@given(programs(SELECTING, st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0, math.inf]), max_lines=9, valid=False))
def test_compiled_gradients_of_selections_have_the_bits_of_the_engine(program):
    """Edges that are there at one point and not at another, all met by one straight-line program."""

    def f(*xs):
        return program(xs) + 0.0 * xs[0]

    count = len(program.inputs)
    derivative = ag.grad(f, tuple(range(count)))
    exact = ag.compile(derivative, exact=True)
    default = ag.compile(derivative)
    points = [program.inputs, *[tuple(reversed(program.inputs)), (0.0,) * count, (1.0,) * count, (-1.0,) * count]]
    for point in points:
        expected = derivative(*point)
        assert [bits(x) for x in exact(*point)] == [bits(x) for x in expected], point
        assert list(default(*point)) == pytest.approx(list(expected), rel=1e-14, nan_ok=True), point
        leaves = [Value(x) for x in point]
        graph = ag.gradient(f(*leaves), leaves, create_graph=True)
        assert [bits(x.data) for x in graph] == [bits(x) for x in expected], point


def test_leaky_relu_at_a_slope_of_zero_has_its_mixed_derivative():
    """The slope is no share of a selection: it may be a variable, by which the derivative is 1."""
    f = ag.grad(lambda x, slope: ag.leaky_relu(x, slope))
    assert f(-2.0, 0.0) == 0.0
    assert ag.grad(f, 1)(-2.0, 0.0) == ag.grad(ag.grad(lambda x, s: ag.leaky_relu(x, s), 1))(-2.0, 0.0) == 1.0
    assert ag.grad(f, 1)(2.0, 0.0) == 0.0


@pytest.mark.parametrize("scale", [1e-150, 1e-160, 1e-300, 5e-324])
def test_second_derivatives_of_arctan2_beside_an_argument_of_zero(scale):
    """d2 arctan2(x, y) / dx dy = (x^2 - y^2) / (x^2 + y^2)^2: it overflows, and is no 0."""
    for x, y in ((scale, 0.0), (0.0, scale), (-scale, 0.0), (0.0, -scale), (scale, scale / 2.0)):
        (xx, xy), (yx, yy) = ag.hessian(lambda p: ag.arctan2(p[0], p[1]))([x, y])
        exact = sympy.Rational(x) ** 2 - sympy.Rational(y) ** 2, (sympy.Rational(x) ** 2 + sympy.Rational(y) ** 2) ** 2
        quotient = exact[0] / exact[1]
        expected = math.copysign(math.inf, quotient) if abs(quotient) > 2**1024 else pytest.approx(float(quotient), rel=1e-15)
        assert xy == expected
        assert yx == expected
        assert (xx == yy == 0.0) or 0.0 not in (x, y)


def test_the_curvature_of_a_norm_at_its_kink_is_not_0():
    """It is 1/r across a ray, which no number tells at the origin; functions of a norm that are smooth get nan, not 0."""
    for f in (
        lambda p: ag.hypot(p[0], p[1]),
        lambda p: ag.hypot(p[0], p[1]) ** 2,
        lambda p: ag.cos(ag.hypot(p[0], p[1])),
        lambda p: ag.sqrt(p[0] ** 2 + p[1] ** 2) ** 2,
    ):
        assert all(math.isnan(x) for row in ag.hessian(f)([0.0, 0.0]) for x in row)
        for options in MODES.values():
            assert all(math.isnan(x) for row in ag.compile(ag.hessian(f), **options)([0.0, 0.0]) for x in row)


STALE = {
    "where": lambda x, y: ag.where(1.0, x, y * 2.0),
    "condition": lambda x, y: ag.where(ag.step(y), x, x * 3.0),
    "maximum": lambda x, y: ag.maximum(x * 5.0, y * 2.0),
    "relu": lambda x, y: x + ag.relu(-(y * 2.0)),
    "stop_gradient": lambda x, y: x * ag.stop_gradient(y * 2.0),
}


@pytest.mark.parametrize("name", STALE)
@pytest.mark.parametrize("way", ["backward", "gradient", "graph", "watched"])
def test_what_no_edge_reaches_is_checked_all_the_same(name, way):
    """A number assigned there may change what is selected, so the graph is stale."""
    x, y = Value(3.0), Value(2.0)
    result = STALE[name](x, y)
    y.data = -50.0
    with pytest.raises(ag.sweep.StaleGraphError):
        if way == "backward":
            result.backward()
        elif way == "watched":
            ag.gradient(result, x, visit=lambda edge: None)
        else:
            ag.gradient(result, x, create_graph=way == "graph")
    assert x.grad == 0.0
