"""Special functions and families of derivatives: identities, symmetries and limits (their values are in test_primitives)."""

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

import autograd_lite as ag
from autograd_lite import Value, floats, gradient, normal, special
from autograd_lite.primitives import fmod
from reference import REFERENCES, evaluate, ulps

numbers = st.floats(-1e6, 1e6)
parts = st.floats(1e-30, 1e30) | st.floats(-1e30, -1e-30)
orders = st.integers(0, 4).map(float)


@given(st.floats(-700.0, 700.0))
def test_the_logistic_family_is_symmetric(x):
    assert special.logistic_pdf(-x) == special.logistic_pdf(x)
    assert special.log_sigmoid(x) == -special.softplus(-x)
    assert abs(special.sigmoid(x) + special.sigmoid(-x) - 1.0) <= 2.0**-52
    assert special.silu(x) == x * special.sigmoid(x)


@given(st.lists(st.floats(), max_size=6))
def test_logsumexp_is_no_smaller_than_its_largest_term(xs):
    result = special.logsumexp(*xs)
    if any(map(math.isnan, xs)):
        assert math.isnan(result)
    else:
        assert max(xs, default=-math.inf) <= result <= max(xs, default=-math.inf) + 2.0
        assert repr(special.logsumexp(*xs, -math.inf)) == repr(result)


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_logaddexp_is_logsumexp_of_two(x, y):
    both = special.logaddexp(x, y), special.logaddexp(y, x)
    assert both[0] == both[1]
    assert both[0] == special.logsumexp(x, y) or abs(both[0] - special.logsumexp(x, y)) <= 2.0 * math.ulp(
        max(abs(x), abs(y), 1.0)
    )


TERMS = {
    "equal": lambda i: 0.1,
    "close": lambda i: 0.3 * math.sin(i),
    "far apart": lambda i: 30.0 * math.sin(i * i),
    "large": lambda i: 700.0 + math.cos(i),
    "one above all": lambda i: 9.0 if i == 5 else -i / 1000.0,
}


def logsumexp_ulps(xs, value, partials):
    """The largest errors, in units in the last place: of the value (of the largest term, which it may cancel), of a partial."""
    with mp.workprec(160):
        top = max(xs)
        weights = [mp.exp(mpf(x) - top) for x in xs]
        total = mp.fsum(weights)
        error = abs(mpf(value) - top - mp.log(total)) / math.ulp(max(abs(value), abs(top)))
        return error, max([ulps(p, weight / total) for p, weight in zip(partials, weights, strict=True)])


@pytest.mark.parametrize("kind", TERMS)
@pytest.mark.parametrize("count", [9, 16, 17, 100, 1000, 10_000])
def test_logsumexp_of_many_terms(count, kind):
    """An error that grew with their number would pass 4 units at a few hundred terms."""
    xs = [TERMS[kind](i) for i in range(count)]
    nodes = [ag.Value(x) for x in xs]
    y = ag.logsumexp(nodes)
    errors = logsumexp_ulps(xs, y.data, ag.gradient(y, nodes))
    assert max(errors) <= 4.0


@pytest.mark.parametrize("exact", [False, True])
def test_compiled_logsumexp_of_many_terms(exact):
    for count, kind in ((17, "far apart"), (300, "equal"), (300, "close")):
        xs = [TERMS[kind](i) for i in range(count)]
        value, partials = ag.compile(ag.value_and_grad(ag.logsumexp), exact=exact)(xs)
        assert max(logsumexp_ulps(xs, value, partials)) <= 4.0
        if exact:
            nodes = [ag.Value(x) for x in xs]
            y = ag.logsumexp(nodes)
            assert [value, *partials] == [y.data, *ag.gradient(y, nodes)]


def test_second_derivatives_of_logsumexp_of_many_terms():
    """Along one direction: p_i (v_i - p.v), the rows of diag(p) - p p^T times v."""
    xs = [TERMS["far apart"](i) for i in range(60)]
    direction = [float(i % 3 == 1) for i in range(60)]
    with mp.workprec(160):
        weights = [mp.exp(x) for x in xs]
        shares = [weight / mp.fsum(weights) for weight in weights]
        mean = mp.fdot(shares, direction)
        expected = [share * (v - mean) for share, v in zip(shares, direction, strict=True)]
    for x, e, share in zip(ag.hvp(ag.logsumexp, xs, direction), expected, shares, strict=True):
        assert abs(x - e) <= 16.0 * math.ulp(float(share))


@given(parts, parts, st.integers(-200, 200), orders, orders)
def test_derivatives_of_hypot_are_homogeneous(x, y, k, m, n):
    """h(cx, cy) = c h(x, y), so a derivative of order d scales with c^(1-d): exactly, for a power of two."""
    value = special.hypot_derivative(x, y, m, n)
    scaled = special.hypot_derivative(math.ldexp(x, k), math.ldexp(y, k), m, n)
    if max(abs(value), abs(scaled)) < 1e300 and min(abs(value), abs(scaled)) > 1e-280:
        assert scaled == math.ldexp(value, k * int(1.0 - m - n))


@given(parts, parts, orders, orders)
def test_derivatives_of_hypot_are_symmetric(x, y, m, n):
    value = special.hypot_derivative(x, y, m, n)
    size = floats.power(math.hypot(x, y), 1.0 - m - n) * math.factorial(int(m + n)) * 4.0
    assert special.hypot_derivative(y, x, n, m) == value or abs(special.hypot_derivative(y, x, n, m) - value) <= size * 2.0**-48
    assert special.hypot_derivative(-x, y, m, n) == (-1.0) ** m * value
    assert special.hypot_derivative(x, -y, m, n) == (-1.0) ** n * value


@given(parts, parts, orders.filter(bool))
def test_inverse_powers_are_conjugate(x, y, n):
    assert special.inverse_power_real(x, -y, n) == special.inverse_power_real(x, y, n)
    assert special.inverse_power_imaginary(x, -y, n) == -special.inverse_power_imaginary(x, y, n)


@given(st.floats(-1e8, 1e8), st.floats(-1e8, 1e8).filter(lambda y: abs(y) > 1e-8))
def test_quotients_by_powers(x, y):
    assert special.power_quotient(x, y, 0.0) == x
    assert special.power_quotient(x, y, 1.0) == x / y
    assert repr(special.power_quotient(0.0, y, 3.0)) == "0.0"
    assert ulps(special.power_quotient(x, y, 3.0), evaluate(lambda x, y: x / y**3, x, y)) <= 4.0


def test_quotients_by_powers_at_the_hard_points():
    inf, nan = math.inf, math.nan
    assert special.power_quotient(0.0, 0.0, 2.0) == 0.0
    assert special.power_quotient(1.0, 0.0, 2.0) == special.power_quotient(1.0, -0.0, 2.0) == inf
    assert special.power_quotient(-1.0, -0.0, 3.0) == inf
    assert special.power_quotient(5.0, inf, 2.0) == special.power_quotient(0.0, inf, 2.0) == 0.0
    assert special.power_quotient(1e300, 1e-10, 2.0) == inf
    assert special.power_quotient(-1e300, 1e-10, 5.0) == -inf
    for args in ((0.0, nan, 2.0), (nan, 1.0, 2.0), (nan, 0.0, 2.0), (1.0, nan, 2.0), (inf, inf, 2.0)):
        assert math.isnan(special.power_quotient(*args))


def test_powers_have_their_derivatives_at_the_hard_points():
    inf, nan = math.inf, math.nan
    derivative = special.power_derivative
    assert derivative(0.0, 2.0, 0.0, 0.0) == 0.0
    assert derivative(-3.0, 4.0, 0.0, 0.0) == 81.0
    assert derivative(0.0, 3.0, 3.0, 0.0) == derivative(-0.0, 3.0, 3.0, 0.0) == 6.0
    assert derivative(nan, 2.0, 3.0, 0.0) == 0.0
    assert derivative(0.0, 2.0, 1.0, 1.0) == 0.0
    assert derivative(0.0, 1.0, 1.0, 1.0) == -inf
    assert derivative(inf, -1.0, 0.0, 1.0) == 0.0
    assert derivative(inf, 2.0, 0.0, 1.0) == inf
    assert derivative(0.5, inf, 1.0, 0.0) == derivative(0.5, inf, 0.0, 1.0) == derivative(2.0, -inf, 1.0, 0.0) == 0.0
    assert derivative(2.0, inf, 1.0, 0.0) == inf
    assert derivative(-2.0, 3.0, 2.0, 0.0) == -12.0
    assert derivative(-1.0, 2.0**53 + 2.0, 1.0, 0.0) == -(2.0**53) - 2.0
    for args in (
        (-2.0, 3.0, 0.0, 1.0),
        (-2.0, 0.5, 1.0, 0.0),
        (nan, 2.0, 1.0, 0.0),
        (2.0, nan, 1.0, 0.0),
        (nan, 0.0, 0.0, 1.0),
    ):
        assert math.isnan(derivative(*args))


def test_at_the_origin_and_at_infinity():
    inf, nan = math.inf, math.nan
    for m, n in itertools.product((0.0, 1.0, 2.0), repeat=2):
        assert repr(special.hypot_derivative(0.0, -0.0, m, n)) == repr(0.0 if m + n < 2.0 else nan)
        if m + n > 0.0:
            assert math.isnan(special.hypot_derivative(inf, -inf, m, n))
            assert math.isnan(special.hypot_derivative(nan, 1.0, m, n))
        if m + n > 1.0:
            assert special.hypot_derivative(inf, 1.0, m, n) == special.hypot_derivative(1.0, -inf, m, n) == 0.0
    for part in (special.inverse_power_real, special.inverse_power_imaginary):
        for n in (1.0, 2.0):
            assert math.isnan(part(0.0, -0.0, n))
            assert math.isnan(part(nan, 1.0, n))
            assert part(inf, 1.0, n) == part(1.0, -inf, n) == part(inf, inf, n) == 0.0


@pytest.mark.parametrize("function", [special.normal_pdf, special.erf_derivative, special.silu_derivative])
def test_densities_vanish_at_infinity_in_every_order(function):
    for n, x in itertools.product((2.0, 3.0, 5.0, 20.0), (math.inf, -math.inf, 1e300, -1e5)):
        assert function(x, n) == 0.0
    assert math.isnan(function(math.nan, 2.0))


@pytest.mark.parametrize("order", [-1.0, 0.5, 1001.0, math.inf, math.nan])
def test_an_impossible_order_of_the_normal_density_is_outside_its_domain(order):
    assert math.isnan(special.normal_pdf(1.0, order))


@pytest.mark.parametrize("order", [10, 40, 100])
def test_high_orders_of_the_normal_density(order):
    reference = REFERENCES["normal_pdf"]
    for x in (-3.0, -0.1, 0.0, 0.7, 10.0, 20.0):
        exact, size = (evaluate(f, x, float(order)) for f in (reference.value, reference.larger[0]))
        assert abs(special.normal_pdf(x, float(order)) - exact) <= order * mpf(2) ** -52 * size


@given(numbers)
def test_the_normal_family(x):
    assert special.normal_pdf(-x, 0.0) == special.normal_pdf(x, 0.0)
    assert special.normal_pdf(-x, 1.0) == -special.normal_pdf(x, 1.0)
    assert 0.0 <= special.normal_cdf(x) <= 1.0
    assert abs(special.normal_cdf(x) + special.normal_cdf(-x) - 1.0) <= 2.0**-51


def test_gelu_has_no_step_where_its_series_begins():
    below, above = math.nextafter(-37.0, -math.inf), -37.0
    for x in (below, above):
        assert ulps(special.gelu(x), evaluate(REFERENCES["gelu"].value, x)) <= 4.0
    assert special.gelu(-math.inf) == 0.0


def test_the_highest_order_of_an_inverse_power():
    """(x + iy)^-1000 where |x + iy|^2 of the scaled numbers has no power that is a float."""
    for function in (special.inverse_power_real, special.inverse_power_imaginary):
        assert isinstance(function(0.5, 0.0, 1000.0), float)
        assert isinstance(function(3.0, -0.5, 1000.0), float)


def test_sinc_is_numpys_with_its_argument_reduced_exactly():
    """Exactly 0 at whole numbers of any size, 1 at 0; np.sinc multiplies by pi first, and loses those of large ones."""
    assert special.sinc(0.0) == special.sinc(-0.0) == special.sinc(5e-324) == 1.0
    for x in (1.0, -2.0, 1e6, 2.0**53 + 2.0, -1e300, math.inf, -math.inf):
        assert special.sinc(x) == 0.0
    for k in range(1, 40):
        x = 2.0**k + 0.5
        assert ulps(special.sinc(x), 1 / (mpf(math.pi) * mpf(x))) <= 4.0
    assert math.isnan(special.sinc(math.nan))


@given(st.floats(-1e6, 1e6), st.integers(0, 8).map(float))
def test_derivatives_of_sinc_are_even_or_odd(x, n):
    value = special.sinc_derivative(x, n)
    assert special.sinc_derivative(-x, n) == (-value if n % 2.0 else value)


def test_sinc_has_its_derivatives_at_the_hard_points():
    for n in range(9):
        at_0 = 0.0 if n % 2 else (-1) ** (n // 2) * math.pi**n / (n + 1)
        assert math.isclose(special.sinc_derivative(0.0, float(n)), at_0, rel_tol=4e-15)
        assert special.sinc_derivative(math.inf, float(n)) == special.sinc_derivative(-math.inf, float(n)) == 0.0
        assert math.isnan(special.sinc_derivative(math.nan, float(n)))
    for n in (-1.0, 0.5, 1001.0, math.nan):
        assert math.isnan(special.sinc_derivative(1.0, n))
        assert math.isnan(normal.log_normal_cdf_derivative(1.0, n))


def test_the_logarithm_of_the_normal_distribution_function_in_its_tails():
    inf, derivative = math.inf, normal.log_normal_cdf_derivative
    assert [derivative(-inf, n) for n in (0.0, 1.0, 2.0, 3.0)] == [-inf, inf, -1.0, 0.0]
    assert [derivative(inf, n) for n in (0.0, 1.0, 2.0, 3.0)] == [0.0, 0.0, 0.0, 0.0]
    assert derivative(-1e154, 0.0) == -5e307
    assert derivative(-1e200, 1.0) == 1e200
    assert derivative(-1e200, 2.0) == -1.0
    assert derivative(-1e80, 3.0) == 2e-240
    assert derivative(38.0, 0.0) == -special.normal_cdf(-38.0) < 0.0
    assert all(math.isnan(derivative(math.nan, n)) for n in (0.0, 1.0, 2.0, 3.0, 5.0))


@pytest.mark.parametrize(("order", "bound"), [(0.0, 4.0), (1.0, 4.0), (2.0, 4.0), (3.0, 32.0), (4.0, 8.0), (5.0, 9.0)])
def test_the_digits_of_the_logarithm_of_the_normal_distribution_function(order, bound):
    """To the second derivative 4 ulp of the number itself, everywhere; from the fourth on, which has zeros, of its terms."""
    reference = REFERENCES["log_normal_cdf_derivative"]
    for i in range(-60, 41):
        for x in (i / 4.0 + 0.01, i * 0.7 - 0.003, -(1.3 ** (i + 60))):
            exact = evaluate(reference.value, x, order)
            larger = evaluate(reference.larger[0], x, order) if order > 3.0 else None
            assert ulps(normal.log_normal_cdf_derivative(x, order), exact, larger) <= bound, x


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False).filter(bool))
def test_a_remainder_has_the_sign_of_the_dividend_and_the_derivative_of_the_quotient(x, y):
    assert floats.fmod(x, y) == math.fmod(x, y)
    if abs(x) < 1e15 * abs(y):
        v = Value(y)
        quotient = math.trunc(Fraction(x) / Fraction(y))
        assert gradient(fmod(x, v), v) == -float(quotient)


def test_remainders_at_the_hard_points():
    for x, y in ((math.inf, 1.0), (1.0, 0.0), (0.0, -0.0), (math.nan, 1.0), (1.0, math.nan)):
        assert math.isnan(floats.fmod(x, y))
    assert floats.fmod(-3.0, math.inf) == -3.0
    assert repr(floats.fmod(-4.0, 2.0)) == "-0.0"
