"""Compiled functions that test for equality take the way that the engine and floats take, at every point."""

import itertools
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import autograd_lite as ag
from values import bits


def where_equal(x, y):
    """Every form in which equality decides, of Values and numbers alike."""
    if x == 3.0:
        return 2.0 * x
    if x in (0.0, 1.0):
        return x * x + 10.0
    if x != x:
        return 0.25 + 0.0 * y
    if y == x:
        return x * y - 1.0
    if Fraction(1, 3) == x or x == 10**400 or x == 3 + 1j or x == "3.0" or x is None:  # equal to no float
        return -1.0
    if x == Decimal("0.5") or x == 4 + 0j:
        return 5.0 * x * y
    return np.where(np.array([x, y]) == 2.0, 10.0 * x, y).sum()


XS, YS = [3.0, 0.0, -0.0, 1.0, math.nan, 1 / 3, 0.5, 4.0, 2.0, -7.5, math.inf], [2.0, -7.5, math.nan]
POINTS_OF_EQUALITY = [*itertools.product(XS, YS)]


@pytest.mark.parametrize("exact", [True, False])
def test_equality_is_a_guard_like_the_other_comparisons(exact):
    """At every point the function goes the way that floats and the engine go, whichever point it was recorded at first."""
    both = ag.value_and_grad(lambda x, y: where_equal(x, y), argnums=(0, 1))
    plain, slopes = ag.compile(where_equal, exact=exact), ag.compile(both, exact=exact)
    expected = [where_equal(x, y) for x, y in POINTS_OF_EQUALITY]
    engine = [both(x, y) for x, y in POINTS_OF_EQUALITY]
    assert [bits(value) for value, _ in engine] == [bits(value) for value in expected]
    xs, ys = np.array(POINTS_OF_EQUALITY).T
    values, gradients = slopes(xs, ys)
    found = zip(values.tolist(), zip(*[x.tolist() for x in gradients], strict=True), strict=True)
    for i, (value, gradient) in enumerate(found):
        assert bits(value) == bits(plain(*POINTS_OF_EQUALITY[i])) == bits(expected[i]), POINTS_OF_EQUALITY[i]
        assert [bits(x) for x in gradient] == [bits(x) for x in engine[i][1]], POINTS_OF_EQUALITY[i]
    assert plain.paths == 10
    assert [bits(x) for x in plain(xs, ys).tolist()] == [bits(x) for x in expected]


def test_equality_of_what_is_computed_and_of_nodes_in_sets():
    kernel = ag.compile(lambda x, y: [x == x, x == y, x != x, [y, x].index(x), len({x, y, x})])
    assert kernel(1.0, 1.0) == [1.0, 1.0, 0.0, 0.0, 2.0]
    assert kernel(1.0, 2.0) == [1.0, 0.0, 0.0, 1.0, 2.0]
    assert kernel(math.nan, 2.0) == [0.0, 0.0, 1.0, 1.0, 2.0]
    assert kernel.paths == 3
