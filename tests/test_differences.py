"""Finite differences of black-box functions, and the errors they admit."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.testing.differences import finite_difference, slope


@given(st.lists(st.integers(-8, 8), min_size=2, max_size=6), st.integers(-16, 16))
def test_polynomials(coefficients, eighths):
    """The true derivative, known exactly, lies within ten times the stated error."""
    x = Fraction(eighths, 8)
    exact = sum(Fraction(k * c) * x ** (k - 1) for k, c in enumerate(coefficients) if k)

    def polynomial(t):
        result = 0.0
        for c in reversed(coefficients):
            result = result * t + c
        return result

    estimate = slope(polynomial, float(x))
    assert abs(Fraction(estimate.derivative) - exact) <= 10 * Fraction(estimate.error) + Fraction(1, 10**12)
    assert estimate.error < 1e-8 * (1 + abs(exact))


def test_a_structure_of_numbers():
    def f(point):
        return point["a"] * math.sin(point["b"][0]) + point["b"][1] ** 2

    result = finite_difference(f, {"a": 2, "b": (0.5, 3.0)})
    assert result["a"].derivative == pytest.approx(math.sin(0.5), abs=1e-10)
    assert [e.derivative for e in result["b"]] == pytest.approx([2 * math.cos(0.5), 6.0], abs=1e-9)


def test_steps_avoid_what_is_not_finite():
    estimate = slope(lambda x: math.sqrt(x) if x >= 0 else math.nan, 1e-3, 1.0)
    assert estimate.derivative == pytest.approx(0.5 / math.sqrt(1e-3), rel=1e-6)
    assert slope(lambda x: math.nan, 1.0) == (pytest.approx(math.nan, nan_ok=True), math.inf)


def test_a_kink_farther_off_than_the_last_step_does_not_fool_it():
    estimate = slope(abs, 0.01, 1.0)
    assert abs(estimate.derivative - 1.0) <= 10 * estimate.error
    assert estimate.error < 1e-5


def test_a_step_over_many_periods_is_not_believed():
    """The first steps, of 100, see nothing of a wave of length 6."""
    estimate = slope(math.sin, 1000.0, 100.0)
    assert abs(estimate.derivative - math.cos(1000.0)) <= 10 * estimate.error
    assert slope(math.sin, 1000.0).derivative == pytest.approx(math.cos(1000.0), abs=1e-8)


def test_functions_of_values_and_bad_arguments():
    assert finite_difference(lambda x: ag.Value(3.0) * x, 2.0).derivative == pytest.approx(3.0)
    with pytest.raises(TypeError, match="finite_difference takes a real number, not str"):
        finite_difference(lambda x: x, "2")
    with pytest.raises(TypeError, match="the function's result takes a real number, not NoneType"):
        finite_difference(lambda x: None, 2.0)
