"""The conventions at the hard points, C1 to C5: every row of data/hard_points.json; the absorbing product to order 3."""

import json
import math
from pathlib import Path

import pytest
from mpmath import mpf

import autograd_lite as ag
from autograd_lite import Value, gradient
from autograd_lite.expression import parse
from autograd_lite.primitives import TABLE
from reference import ulps

ROWS = json.loads((Path(__file__).parent / "data" / "hard_points.json").read_text())["rows"]


def name_of(row):
    return f"{row['expression']} at {row['at']}"


def agrees(got, expected):
    """Exactly for 0, inf and nan, to a relative 1e-12 or 4 ulp otherwise."""
    if got == expected or (got != got and expected != expected):
        return True
    return (
        expected != 0.0
        and math.isfinite(expected)
        and (abs(got - expected) <= 1e-12 * abs(expected) or ulps(got, mpf(expected)) <= 4)
    )


def evaluated(row):
    """The row's expression on Values, and those; None where it says that its value is complex."""
    at = {name: Value(float(x)) for name, x in row["at"].items()}
    try:
        return parse(row["expression"]).evaluate(at), list(at.values())
    except ValueError as error:
        assert "complex" in str(error)
        return None, []


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_row(row):
    y, xs = evaluated(row)
    if y is None:
        assert row["partials"] == ["nan"]
        return
    numbers = gradient(y, xs)
    for got, expected in zip(numbers, row["partials"], strict=True):
        assert agrees(got, float(expected)), (numbers, row["partials"])
    if "value" in row:
        assert agrees(y.data, float(row["value"]))
    y.backward()
    assert [repr(x.grad) for x in xs] == [repr(0.0 + number) for number in numbers]
    nodes = gradient(y, xs, create_graph=True)
    assert [repr(node.data) for node in nodes] == [repr(number) for number in numbers]
    if "second" in row:
        seconds = [gradient(node, xs) for node in nodes]
        for line, expected_line in zip(seconds, row["second"], strict=True):
            assert all(agrees(got, float(expected)) for got, expected in zip(line, expected_line, strict=True)), seconds


def test_the_rows_name_every_public_primitive_and_rule():
    operators = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power", "%": "mod", "//": "floor_divide"}
    met = set()
    for row in ROWS:
        y, _ = evaluated(row)
        if y is None:
            continue
        met |= {node.op.name for node in ag.topological_order(y) if node.op is not None}
    assert {name for name, primitive in TABLE.items() if primitive.public} <= met
    assert set(operators.values()) <= met
    assert {row["rule"] for row in ROWS if "rule" in row} == {"C1", "C2", "C3", "C4", "C5"}
    assert len(ROWS) > 400


def derivatives(f, *xs, order):
    """The nested gradients of f by all its arguments: numbers at order 1, a matrix at order 2, ..."""
    leaves = [Value(x) for x in xs]

    def descend(y, remaining):
        if remaining == 0:
            return y.data
        return [descend(node, remaining - 1) for node in gradient(y, leaves, create_graph=True)]

    return descend(f(*leaves), order)


def zeros(n, order):
    return [zeros(n, order - 1) for _ in range(n)] if order else 0.0


BEHIND = {
    "square root": ag.sqrt,
    "logarithm": ag.log,
    "quotient": lambda x: 1.0 / x,
    "reciprocal": ag.reciprocal,
    "root of a power": lambda x: x**0.5,
    "negative power": lambda x: x**-1.5,
    "cube root": ag.cbrt,
    "overflow": lambda x: ag.exp(1000.0 + x),
    "chain": lambda x: ag.log(ag.sqrt(x) * x),
    "product": lambda x: ag.sqrt(x) * ag.cbrt(x),
    "inverse cosine": lambda x: ag.arccosh(1.0 + x),
}
UNSELECTED = {
    "where": lambda x, hidden: ag.where(x > 0.0, hidden, x * x * x),
    "where false": lambda x, hidden: ag.where(x <= 0.0, x * x * x, hidden),
    "maximum": lambda x, hidden: ag.maximum(x * x * x, -ag.absolute(hidden) - 1.0),
    "minimum": lambda x, hidden: ag.minimum(x * x * x, ag.absolute(hidden) + 1.0),
    "relu": lambda x, hidden: ag.relu(-ag.absolute(hidden) - 1.0) + x * x * x,
    "clip": lambda x, hidden: ag.clip(ag.absolute(hidden) + 2.0, -1.0, 1.0) + x * x * x,
}


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("hidden", BEHIND)
@pytest.mark.parametrize("selection", UNSELECTED)
def test_what_was_not_selected_contributes_nothing(selection, hidden, order):
    behind = BEHIND[hidden]
    expected = {1: [0.0], 2: [[0.0]], 3: [[[6.0]]]}[order]  # the derivatives of x^3 alone
    assert derivatives(lambda x: UNSELECTED[selection](x, behind(x)), 0.0, order=order) == expected


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("selection", UNSELECTED)
def test_what_was_not_selected_is_another_variables(selection, order):
    """The hidden branch has a variable of its own, whose derivatives, alone and mixed, are all 0."""
    result = derivatives(lambda x, z: UNSELECTED[selection](x, ag.log(ag.sqrt(z))), 0.0, 0.0, order=order)
    expected = zeros(2, order)
    if order == 3:
        expected[0][0][0] = 6.0
    assert result == expected


@pytest.mark.parametrize(
    "f",
    [
        lambda u: u * u / 2.0,
        lambda u: u**2 / 2.0,
        lambda u: ag.square(u) / 2.0,
        lambda u: 0.5 * u * u,
        lambda u: ag.sum(u * u, 0.0) / 2.0,
        lambda u: ag.dot(u, u) / 2.0,
        lambda u: ag.power(u, 2.0) * 0.5,
    ],
)
def test_what_only_happens_to_be_zero_keeps_its_second_derivatives(f):
    """f = u^2 / 2 with u = x y at x = 0: the adjoint of u is 0 there, f_xx = y^2, f_xxy = 2 y."""
    y = 3.0
    assert derivatives(lambda x, y: f(x * y), 0.0, y, order=1) == [0.0, 0.0]
    assert derivatives(lambda x, y: f(x * y), 0.0, y, order=2) == [[y * y, 0.0], [0.0, 0.0]]
    third = derivatives(lambda x, y: f(x * y), 0.0, y, order=3)
    assert third == [[[0.0, 2.0 * y], [2.0 * y, 0.0]], [[2.0 * y, 0.0], [0.0, 0.0]]]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_polynomial_at_zero_has_the_derivatives_of_a_polynomial(order):
    """x^3 y as products that all happen to be 0."""
    result = derivatives(lambda x, y: x * x * x * y, 0.0, 5.0, order=order)
    expected = zeros(2, order)
    if order == 3:
        expected[0][0][0] = 30.0
    assert result == expected


def test_the_selected_branch_has_its_derivatives_of_every_order():
    result = derivatives(lambda x: ag.where(x > 0.0, ag.sqrt(x), ag.log(x)), 4.0, order=3)
    assert result == [[[0.375 * 4.0**-2.5]]]
    assert derivatives(lambda x: ag.maximum(ag.sqrt(x), -1.0), 4.0, order=2) == [[-0.25 * 4.0**-1.5]]


def test_a_selected_branch_at_its_edge_has_the_limit():
    assert derivatives(lambda x: ag.where(x >= 0.0, ag.sqrt(x), 0.0), 0.0, order=1) == [math.inf]
    assert derivatives(lambda x: ag.relu(ag.sqrt(x) + 1.0), 0.0, order=1) == [math.inf]


def test_an_overflowing_adjoint_stays_on_its_branch():
    """An infinite adjoint meets a share of 0: nothing of it arrives."""
    result = derivatives(lambda x, z: 1e300 * (1e300 * ag.maximum(x, z)), 2.0, 1.0, order=1)
    assert result == [math.inf, 0.0]
    result = derivatives(lambda x, z: ag.log(ag.where(x > 1.0, x * 0.0, z)), 2.0, 1.0, order=1)
    assert result[1] == 0.0
