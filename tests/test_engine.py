"""Values: what they are, what they refuse, and how they live with Python's and NumPy's protocols."""

import math
import operator
import statistics
from decimal import Decimal
from fractions import Fraction
from numbers import Real

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.engine import Value
from autograd_lite.primitives import TABLE
from values import SPECIAL, bits, classic

# --- what a Value is


def test_public_attributes():
    a, _b, c, _d, e = classic()
    assert e.op is TABLE["multiply"]
    assert e.args[0] is c
    assert a.op is None
    assert a.args == ()
    assert (Value(1.0) + 1).args[1] == 1.0
    assert Value(2.0).sin().args[0].data == 2.0
    assert [a.label, c.label] == ["a", None]
    c.label = "c"
    assert c.label == "c"
    c.label = None
    assert c.label is None
    with pytest.raises(TypeError, match="a label is a string, not int 3"):
        c.label = 3


@pytest.mark.parametrize("number", [1, True, 1.0, Fraction(1), np.float64(1), np.float32(1), np.int64(1), np.array(1.0)])
def test_numbers_that_make_a_value(number):
    v = Value(number)
    v.data = number
    v.grad = number
    assert (v.data, v.grad) == (1.0, 1.0)
    assert type(v.data) is type(v.grad) is float


@pytest.mark.parametrize("wrong", ["1", b"1", None, 1j, [1.0], Decimal(1), np.array([1.0]), object()])
def test_what_makes_no_value(wrong):
    v = Value(1.0)
    with pytest.raises(TypeError, match=r"takes a real number, not \w+"):
        Value(wrong)
    with pytest.raises(TypeError):
        v.data = wrong
    with pytest.raises(TypeError):
        v.grad = wrong
    assert (v.data, v.grad) == (1.0, 0.0)


def test_a_value_of_a_value_and_a_huge_integer_are_refused():
    with pytest.raises(TypeError, match=r"use v\.data"):
        Value(Value(1.0))
    with pytest.raises(ValueError, match="beyond the largest float"):
        Value(10**400)
    with pytest.raises(ValueError, match=r"Value: the number of 16610 bits lies beyond the largest float"):
        Value(10**5000)
    with pytest.raises(ValueError, match="add: the number .* lies beyond the largest float"):
        Value(1.0) + 10**400


def test_equality_order_and_truth_go_by_data_and_the_hash_by_identity():
    x, y = Value(1.0), Value(1.0)
    assert (x == y) is (x == 1) is (1.0 == x) is True  # noqa: SIM300
    assert (x != y) is (x != 1) is (1.0 != x) is False  # noqa: SIM300
    assert x in (0.0, 1.0)
    assert len({x, y, x}) == len({x: 0, y: 1}) == 2
    assert hash(x) != hash(y)
    nan = Value(math.nan)
    assert (nan == nan) is (nan == Value(math.nan)) is False
    assert (nan != nan) is True
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        for other in (y, 1.0, 2, Fraction(1, 3), np.float64(0.5)):
            number = other.data if isinstance(other, Value) else other
            assert compare(x, other) is compare(1.0, float(number))
            assert bool(compare(other, x)) is compare(float(number), 1.0)
    assert bool(Value(0.0)) is bool(Value(-0.0)) is False
    assert bool(Value(math.nan)) is True
    with pytest.raises(TypeError):
        x < "1"
    with pytest.raises(TypeError):
        x < 1j


NUMBERS = st.one_of(
    SPECIAL, st.integers(-3, 3), st.integers(), st.fractions(), st.decimals(allow_nan=False), st.complex_numbers(),
    st.booleans(), st.sampled_from([2**53 + 1, 10**400, np.float64(0.5), np.int64(2**62 + 1), np.complex128(2.0)]),
)  # fmt: skip


@given(SPECIAL, NUMBERS)
def test_a_value_equals_what_its_number_equals(x, other):
    v = Value(x)
    for number in (other, x, -x, int(x) if math.isfinite(x) else x, Decimal(x), complex(x, 0.0), complex(x, 1.0)):
        for equal, expected in ((v == number, x == number), (number == v, x == number), (v == Value(x), x == x)):
            assert bool(equal) is bool(expected)
        for unequal, expected in ((v != number, x != number), (number != v, x != number)):
            assert bool(unequal) is bool(expected)
    assert type(v == other) is type(v != other) is bool


def test_nodes_of_equal_data_are_told_apart_wherever_nodes_are_looked_up():
    """A set asks for equality where two hashes are equal: those of two nodes alive at once never are."""
    nodes = [Value(1.0) for _ in range(20_000)] + [Value(1.0) + 0.0 for _ in range(20_000)]
    assert len({hash(v) for v in nodes}) == len(set(nodes)) == len(dict.fromkeys(nodes)) == len(nodes)
    x, twin = Value(2.0), Value(2.0)
    y = x * twin + x
    assert ag.gradient(y, [x, twin]) == [3.0, 2.0]
    assert ag.gradient(y, {"x": x, "twin": twin}) == {"x": 3.0, "twin": 2.0}
    assert ag.routes(y)[x] == 2
    assert len(ag.topological_order(y)) == 4
    assert ag.compile(lambda a, b: ag.gradient(a * b + a, [a, b], create_graph=True))(2.0, 2.0) == [3.0, 2.0]


@pytest.mark.parametrize(
    "foreign", ["a", "1.0", None, [1.0], (1.0,), object(), sympy.Symbol("s")], ids=lambda x: type(x).__name__
)
def test_a_value_equals_nothing_foreign(foreign):
    v = Value(1.0)
    assert v.__eq__(foreign) is v.__ne__(foreign) is NotImplemented
    assert (v == foreign) is (foreign == v) is False
    assert (v != foreign) is (foreign != v) is True


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (lambda x: 2.0 * x if x == 3.0 else x, 3.0),
        (lambda x: 2.0 * x if x in (3.0, 4) else x, 3.0),
        (lambda x: ag.sin(x) / x if x != 0 else 1.0 + 0.0 * x, 0.0),
        (lambda x: 0.0 if x != x else x, math.nan),
        (lambda x: np.where(np.array([x]) == 3.0, 10.0 * x, x)[0], 3.0),
        (lambda x: [1.0, 3.0].count(x) * x, 3.0),
        (lambda x: [1.0, 3.0].index(x) * x, 3.0),
    ],
)
def test_functions_that_test_for_equality_take_the_branch_of_floats(function, x):
    assert ag.value_and_grad(function)(x)[0] == function(x)
    assert ag.compile(function)(x) == function(x)


def test_a_value_is_a_real_number_as_the_numbers_of_python_are():
    v = Value(3.0)
    assert isinstance(v, Real)
    assert (v.real, v.conjugate(), v.item()) == (v, v, v)
    assert v.real is v.conjugate() is v.item() is v  # the derivative goes through
    assert (v.imag, type(v.imag)) == (0.0, float)
    assert v == pytest.approx(3.0 + 1e-9)
    assert pytest.approx(3.0 + 1e-9) == v
    assert pytest.approx(v) == 3.0
    with pytest.raises(TypeError, match=r"v\.data for the number 3\.0 alone"):  # it asks math.isnan, hence for a float
        assert pytest.approx(v) == 3.1
    assert v != pytest.approx(3.1)
    assert [v, {"w": v}["w"]] == pytest.approx([3.0, 3.0])


DETACHING = [
    float, int, complex, math.sin, math.sqrt, math.exp, math.isnan, Fraction, range,
    lambda v: math.hypot(v, 1.0),
    lambda v: math.pow(v, 2),
    lambda v: math.fsum([v]),
    lambda v: np.array([v], dtype=float),
    lambda v: np.float64(v),
    lambda v: np.zeros(1).__setitem__(0, v),
    lambda v: statistics.mean([v]),
    lambda v: "abc"[v],
    lambda v: round(1.234, v),
]  # fmt: skip


@pytest.mark.parametrize("detach", DETACHING)
def test_no_derivative_is_dropped_in_silence(detach):
    with pytest.raises(TypeError):
        detach(Value(1.5))


def test_the_error_of_float_names_data_and_the_function_to_use():
    with pytest.raises(TypeError, match=r"ag\.sin\(v\), not math\.sin\(v\).*v\.data for the number 1\.5"):
        math.sin(Value(1.5))


def test_python_protocols_that_keep_the_derivative():
    x, y = Value(3.0), Value(-2.0)
    assert f"{x:.3f}" == "3.000"
    assert abs(y).data == 2.0
    assert ag.gradient(abs(y), y) == -1.0
    assert sum([x, y]).data == 1.0
    assert math.prod([x, y]).data == -6.0
    assert ag.gradient(math.prod([x, y]), [x, y]) == [-2.0, 3.0]
    assert max(x, y) is x
    assert sorted([x, y]) == [y, x]
    assert [round(Value(2.5)).data, round(Value(2.345), 2).data, math.floor(Value(2.5)).data] == [2.0, round(2.345, 2), 2.0]
    assert [math.ceil(Value(2.5)).data, math.trunc(Value(-2.5)).data] == [3.0, -2.0]
    assert ag.gradient(math.floor(x) * x, x) == 3.0
    quotient, rest = divmod(Value(7.5), 2)
    assert (quotient.data, rest.data) == divmod(7.5, 2)
    quotient, rest = divmod(7.5, Value(2.0))
    assert (quotient.data, rest.data) == divmod(7.5, 2)
    assert pow(x, 2).data == 9.0
    assert (+x).args == (x,)
    z = x
    z += 1
    z *= 2
    assert (z.data, x.data) == (8.0, 3.0)


OTHER_NUMBERS = st.sampled_from([0.5, 2, Fraction(3, 4), np.float64(1.5), np.float32(2.5), np.int32(3), True])


@given(st.sampled_from([operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod]),
       st.floats(-1e6, 1e6), OTHER_NUMBERS)  # fmt: skip
def test_operators_with_other_kinds_of_numbers_on_either_side(op, x, other):
    v = Value(x)
    right, left = op(v, other), op(other, v)
    assert isinstance(right, Value)
    assert isinstance(left, Value)
    assert right.data == op(x, float(other))
    assert bits(left.data) == bits(op(Value(float(other)), v).data)


EXACT = [*map(sympy.S, (2, 1.5, 7)), sympy.Rational(1, 2), mpmath.mpf(2.5), Fraction(7, 2), np.float32(0.5)]
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow, divmod]


@pytest.mark.parametrize("number", EXACT, ids=lambda x: f"{type(x).__module__} {x}")
def test_numbers_of_other_libraries_do_the_same_on_either_side(number):
    for op in OPERATORS:
        v = Value(1.75)
        for result, expected in ((op(v, number), op(v, float(number))), (op(number, v), op(float(number), v))):
            pairs = zip(*[x if isinstance(x, tuple) else (x,) for x in (result, expected)], strict=True)
            for got, want in pairs:
                assert isinstance(got, Value)
                assert bits(got.data) == bits(want.data)
                assert bits(ag.gradient(got, v)) == bits(ag.gradient(want, v))
    for compare in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne):
        for x in (1.75, float(number)):
            assert bool(compare(Value(x), number)) is bool(compare(x, number))
            assert bool(compare(number, Value(x))) is bool(compare(number, x))


@pytest.mark.parametrize("formula", [sympy.Symbol("s"), sympy.Symbol("s") + 1, sympy.I, sympy.true], ids=str)
@pytest.mark.parametrize("op", OPERATORS[:4])
def test_formulas_of_sympy_are_refused_on_either_side(op, formula):
    with pytest.raises(TypeError, match="unsupported operand|BooleanAtom not allowed"):
        op(Value(1.0), formula)
    with pytest.raises(TypeError, match="unsupported operand|BooleanAtom not allowed"):
        op(formula, Value(1.0))


@pytest.mark.parametrize("foreign", ["a", None, [1.0], 1j, object(), Decimal(1)])
@pytest.mark.parametrize("op", [operator.add, operator.mul, operator.truediv, operator.pow])
def test_foreign_types_get_not_implemented(op, foreign):
    with pytest.raises(TypeError):
        op(Value(1.0), foreign)
    with pytest.raises(TypeError):
        op(foreign, Value(1.0))
    assert Value(1.0).__add__(foreign) is NotImplemented


def test_a_foreign_type_may_answer_itself():
    class Foreign:
        def __radd__(self, other):
            return "answered"

    assert Value(1.0) + Foreign() == "answered"


def test_complex_results_name_operation_and_operands():
    with pytest.raises(ValueError, match=r"power\(-8\.0, 0\.333.*complex"):
        Value(-8.0) ** (1 / 3)
    with pytest.raises(ValueError, match=r"power\(-8\.0, 0\.5\) is complex"):
        (-8) ** Value(0.5)


def test_ieee_arithmetic_does_not_raise():
    zero, one = Value(0.0), Value(1.0)
    assert (one / zero).data == math.inf
    assert (one / Value(-0.0)).data == -math.inf
    assert math.isnan((zero / zero).data)
    assert zero.log().data == -math.inf
    assert math.isnan(Value(-1.0).log().data)
    assert Value(1000.0).exp().data == math.inf
    assert math.isnan((one % 0).data)
    assert (one // 0).data == math.inf
    assert (Value(10.0) ** 400).data == math.inf


def test_wrong_argument_counts_name_the_primitive():
    with pytest.raises(TypeError, match=r"clip\(x, low, high\) takes 3 arguments, got 2"):
        Value(1.0).clip(2.0)
    with pytest.raises(TypeError, match=r"exp takes a real number, not str 'x'"):
        ag.exp("x")


def test_repr_is_one_short_line():
    v = Value(2.0, label="x" * 1000)
    assert "\n" not in repr(v)
    assert len(repr(v)) < 100
    assert repr(Value(2.0, "a\nb") + 1) == "Value(3.0, grad=0.0, op=add)"
    assert "\n" not in repr(Value(2.0, "a\nb"))
    assert repr(v * v) == str(v * v) == "Value(4.0, grad=0.0, op=multiply)"


# --- NumPy


def test_numpy_functions_on_object_arrays_differentiate():
    for name in ("sin", "exp", "log", "sqrt", "tanh", "arctan", "log1p", "cbrt", "exp2", "square", "reciprocal", "absolute",
                 "negative", "floor", "ceil", "trunc", "rint", "sign", "positive", "arcsinh"):  # fmt: skip
        v = Value(0.625)
        (result,) = getattr(np, name)(np.array([v], dtype=object))
        expected = getattr(ag, name)(v)
        assert float(getattr(result, "data", result)) == expected.data
        if isinstance(result, Value):
            assert ag.gradient(result, v) == ag.gradient(expected, v)
    for name in ("hypot", "arctan2", "power", "add", "divide", "mod", "floor_divide"):
        v, w = Value(0.625), Value(2.5)
        (result,) = getattr(np, name)(np.array([v], dtype=object), np.array([w], dtype=object))
        assert ag.gradient(result, [v, w]) == ag.gradient(getattr(ag, name)(v, w), [v, w])


def test_numpy_arrays_and_scalars_on_either_side():
    v = Value(3.0)
    array = np.array([1.0, 2.0])
    for result in (v * array, array * v):
        assert [x.data for x in result] == [3.0, 6.0]
        assert ag.gradient(result.sum(), v) == 3.0
    assert isinstance(np.float64(2.0) * v, Value)
    assert isinstance(v * np.float64(2.0), Value)
    matrix = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
    product = matrix @ matrix
    assert [[x.data for x in row] for row in product] == [[7.0, 10.0], [15.0, 22.0]]
    assert ag.gradient(product.sum(), matrix).tolist() == numeric_product_gradient()


def test_moments_and_conjugates_of_numpy_differentiate():
    p = np.array([3.0, 1.0, 2.0])
    for function, expected in (
        (np.var, 2 * (p - 2) / 3),
        (lambda a: a.var(ddof=1), p - 2),
        (np.std, (p - 2) / 3 / p.std()),
        (lambda a: np.vdot(a, a), 2 * p),
        (lambda a: (a.conj() @ a).real, 2 * p),
        (lambda a: np.real(a).sum() + np.imag(a).sum(), np.ones(3)),
        (lambda a: np.array(a[0]).item() * a[1], np.array([1.0, 3.0, 0.0])),
    ):
        value, gradient = ag.value_and_grad(function)(p)
        assert value == pytest.approx(function(p), rel=1e-15)
        assert gradient == pytest.approx(expected, rel=1e-14, abs=1e-15)


def numeric_product_gradient():
    """d sum(M M) / dM = rows of column sums plus columns of row sums, for M = [[1, 2], [3, 4]]."""
    m = np.array([[1.0, 2.0], [3.0, 4.0]])
    ones = np.ones((2, 2))
    return (ones @ m.T + m.T @ ones).tolist()


@pytest.mark.parametrize("y", [[Value(1.0)], (Value(1.0),), {"y": Value(1.0)}, "y", None])
def test_gradient_is_of_a_value_or_a_number(y):
    """Of anything else it was 0.0 without a word."""
    with pytest.raises(TypeError, match="gradient: y takes a real number"):
        ag.gradient(y, Value(2.0))
    assert ag.gradient(3.0, Value(2.0)) == 0.0
