"""Functions on floats: total as IEEE 754 is, with libm's values where libm has the function."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_lite import floats
from autograd_lite.primitives import TABLE
from points import points

SPECIAL = (
    0.0,
    -0.0,
    5e-324,
    -5e-324,
    0.5,
    -0.5,
    1.0,
    -1.0,
    2.0,
    -3.0,
    1e200,
    -1e200,
    1.7976931348623157e308,
    math.inf,
    -math.inf,
    math.nan,
)
LIBM = {
    "absolute": math.fabs, "arccos": math.acos, "arccosh": math.acosh, "arcsin": math.asin, "arcsinh": math.asinh,
    "arctan": math.atan, "arctan2": math.atan2, "arctanh": math.atanh, "copysign": math.copysign, "cos": math.cos,
    "cosh": math.cosh, "erf": math.erf, "erfc": math.erfc, "exp": math.exp, "exp2": math.exp2, "expm1": math.expm1,
    "hypot": math.hypot, "log": math.log, "log10": math.log10, "log1p": math.log1p, "log2": math.log2, "power": math.pow,
    "sin": math.sin, "sinh": math.sinh, "sqrt": math.sqrt, "tan": math.tan, "tanh": math.tanh,
}  # fmt: skip
UFUNCS = (
    "absolute", "add", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "cbrt", "ceil",
    "copysign", "cos", "cosh", "divide", "exp", "exp2", "expm1", "floor", "floor_divide", "hypot", "log", "log10",
    "log1p", "log2", "logaddexp", "maximum", "minimum", "multiply", "negative", "positive", "reciprocal", "rint", "sign",
    "sin", "sinh", "sqrt", "square", "subtract", "tan", "tanh", "trunc",
)  # fmt: skip
finite = st.floats(allow_nan=False, allow_infinity=False)
moderate = st.floats(1e-140, 1e140) | st.floats(-1e140, -1e-140)


def grid(name):
    return itertools.product(SPECIAL, repeat=2 if TABLE[name].variadic else len(TABLE[name].domain))


def number(name, args):
    """The table's value; nan where it says that the result would be complex."""
    try:
        return TABLE[name].fn(*args)
    except ValueError as error:
        assert name == "power"
        assert "is complex" in str(error)
        return math.nan


@pytest.mark.parametrize("name", LIBM)
def test_values_are_those_of_libm_to_the_bit(name):
    for args in [*points(TABLE[name], 300), *grid(name)]:
        try:
            expected = LIBM[name](*args)
        except (ValueError, OverflowError):
            continue
        assert repr(TABLE[name].fn(*args)) == repr(expected), args


@pytest.mark.parametrize("name", UFUNCS)
def test_special_cases_are_those_of_ieee_754(name):
    """NumPy's ufunc of the same name is the judge where the result is 0, infinite or nan; elsewhere it agrees."""
    for args in grid(name):
        with np.errstate(all="ignore"):
            expected = float(getattr(np, name)(*args))
        result = number(name, args)
        if math.isfinite(expected) and expected != 0.0:
            assert math.isclose(result, expected, rel_tol=1e-14), args
        elif name in ("maximum", "minimum"):  # of zeros NumPy takes the other
            assert result == expected or (result != result and expected != expected), args
        else:
            assert repr(result) == repr(expected), args


@pytest.mark.parametrize("name", sorted(set(TABLE) - {"power"}))
def test_only_powers_raise(name):
    primitive = TABLE[name]
    counts = [1, 2, 3] if primitive.variadic and name != "dot" else [2] if name == "dot" else [len(primitive.domain)]
    for count in counts:
        domain = primitive.domain * (count if primitive.variadic else 1)
        grids = [(0.0, 1.0, 2.0, 3.0) if interval.integers else SPECIAL for interval in domain]
        for args in itertools.product(*grids):
            assert type(primitive.fn(*args)) is float, args


def test_powers_where_pythons_raise():
    assert (floats.power(0.0, -1.0), floats.power(-0.0, -1.0), floats.power(-0.0, -2.0)) == (math.inf, -math.inf, math.inf)
    assert (floats.power(0.0, -0.5), floats.power(-0.0, -math.inf)) == (math.inf, math.inf)
    assert (floats.power(2.0, 1024.0), floats.power(-2.0, 1025.0), floats.power(-2.0, 1026.0)) == (
        math.inf,
        -math.inf,
        math.inf,
    )
    assert floats.power(-math.inf, 0.5) == math.inf


def test_a_complex_power_names_its_operands():
    with pytest.raises(ValueError, match=r"power\(-8\.0, 0\.3333\) is complex: .* absolute\(x\)"):
        floats.power(-8.0, 0.3333)


def rounded(x):
    """A fraction as a float, infinite where it overflows."""
    try:
        return float(x)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


@given(finite, finite)
def test_division_by_any_number(x, y):
    if y:
        assert floats.divide(x, y) == rounded(Fraction(x) / Fraction(y))
    elif x:
        assert floats.divide(x, y) == math.copysign(math.inf, x) * math.copysign(1.0, y)
    else:
        assert math.isnan(floats.divide(x, y))


@given(finite, finite.filter(bool))
def test_floors_of_quotients_and_remainders(x, y):
    """floor_divide is the exact floor, rounded twice at most; mod is the exact remainder, rounded once."""
    floor = Fraction(x) // Fraction(y)
    assert floats.mod(x, y) == rounded(Fraction(x) - floor * Fraction(y))
    result, expected = floats.floor_divide(x, y), rounded(floor)
    assert result == expected or abs(result - expected) <= 2.0 * math.ulp(expected)


@given(finite, finite)
def test_what_a_difference_rounds_away_is_exact(x, y):
    difference = x - y
    if math.isinf(difference):
        assert floats.difference_error(x, y) == 0.0
    else:
        assert Fraction(x) - Fraction(y) == Fraction(difference) + Fraction(floats.difference_error(x, y))


@given(moderate, moderate)
def test_what_a_product_rounds_away_is_exact(x, y):
    assert Fraction(x) * Fraction(y) == Fraction(x * y) + Fraction(floats.product_error(x, y))


def test_what_an_overflowing_product_rounds_away_is_nothing():
    for x, y in itertools.product((1e200, 1e308, math.inf, math.nan), repeat=2):
        assert floats.product_error(x, y) == 0.0


@given(st.integers(-200_000, 200_000), st.integers(-300, 300))
def test_cubes_have_exact_roots(n, k):
    assert repr(floats.cbrt(math.ldexp(float(n**3), 3 * k))) == repr(math.ldexp(float(n), k))


@given(finite, st.integers(-2200, 2200))
def test_scaling_by_powers_of_two(x, k):
    try:
        expected = math.ldexp(x, k)
    except OverflowError:
        expected = math.copysign(math.inf, x)
    assert repr(floats.ldexp(x, k)) == repr(expected)


@given(st.floats())
def test_odd_numbers_and_orders(x):
    whole = math.isfinite(x) and x == int(x)
    assert floats.is_odd(x) == (whole and int(x) % 2 == 1)
    assert floats.is_order(x) == (whole and 0 <= x <= 1000)


@given(finite, st.integers(-400, 400))
def test_rounding_to_decimals_is_pythons(x, decimals):
    try:
        expected = round(x, decimals)
    except OverflowError:
        expected = math.copysign(math.inf, x)
    assert floats.around(x, float(decimals)) == expected


@given(st.integers(-(10**6), 10**6), st.integers(-3, 3), st.sampled_from((-1, 0, 1)))
def test_halfway_points_between_decimals(n, decimals, steps):
    x = float(Fraction(2 * n + 1, 2) / Fraction(10) ** decimals)
    for _ in range(abs(steps)):
        x = math.nextafter(x, steps * math.inf)
    assert floats.is_halfway(x, float(decimals)) == (2 * Fraction(x) * Fraction(10) ** decimals % 2 == 1)


def test_rounding_at_the_extremes():
    assert floats.around(1.5, 1e9) == 1.5
    assert floats.around(1.5, -1e9) == 0.0
    assert floats.around(1.7976931348623157e308, -308.0) == math.inf
    assert math.isnan(floats.around(1.0, 0.5))
    assert math.isnan(floats.around(1.0, math.inf))
    assert math.isnan(floats.around(1.0, math.nan))
    assert not floats.is_halfway(0.5, 1e9)
    assert not floats.is_halfway(math.inf, 0.0)
    assert not floats.is_halfway(math.nan, 0.0)


@given(st.lists(st.floats(), min_size=1, max_size=6))
def test_extremes_are_the_first_of_several_equal_ones_or_nan(xs):
    for function, builtin in ((floats.maximum, max), (floats.minimum, min)):
        expected = math.nan if any(x != x for x in xs) else builtin(xs)
        assert repr(function(*xs)) == repr(expected)


def test_extremes_of_nothing_are_refused():
    with pytest.raises(ValueError, match="maximum of nothing is not defined; give it at least one argument"):
        floats.maximum()
    with pytest.raises(ValueError, match="minimum of nothing is not defined"):
        floats.minimum()


@given(st.floats(), st.floats(), st.floats())
def test_clipping(x, low, high):
    assert repr(floats.clip(x, low, high)) == repr(floats.minimum(floats.maximum(x, low), high))


@given(st.floats(), st.floats())
def test_selections(x, y):
    isnan = x != x or y != y
    assert floats.relu(x) == max(x, 0.0) or (math.isnan(x) and math.isnan(floats.relu(x)))
    assert repr(floats.where(x, 1.0, 2.0)) == repr(1.0 if x != 0.0 else 2.0)
    assert repr(floats.greater(x, y)) == repr(math.nan if isnan else float(x > y))
    assert repr(floats.equal(x, y)) == repr(math.nan if isnan else float(x == y))
    assert repr(floats.step(x)) == repr(math.nan if math.isnan(x) else float(x > 0.0))
    assert repr(floats.flat(x)) == repr(math.nan if math.isnan(x) else 0.0)
    assert floats.difference(x, y) == (0.0 if x == y else x - y) or isnan


def test_sums_are_added_from_left_to_right():
    assert floats.add_all(1e308, 1e308, -1e308) == math.inf
    assert floats.add_all(1e308, -1e308, 1e308) == 1e308
    assert floats.add_all(1.0, 1e16, -1e16) == 0.0
    assert repr(floats.add_all(-0.0)) == "-0.0"
    assert floats.dot(1.0, 1e8, 1.0, 1.0, 1e8, -1e16) == 0.0
    assert floats.dot() == floats.add_all() == 0.0
