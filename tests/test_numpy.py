"""NumPy and Values: the package's functions on arrays, NumPy's ufuncs of a number and a Value, and the methods NumPy calls."""

import itertools
import math
import operator
import random
import warnings
from fractions import Fraction

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import Value, primitives
from autograd_lite.primitive import flatten
from autograd_lite.primitives import TABLE
from points import points
from values import bits

PUBLIC = [name for name, p in TABLE.items() if p.public and getattr(primitives, name, None) is p]
FIXED = [name for name in PUBLIC if not TABLE[name].variadic]
SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, math.inf, -math.inf, math.nan)


def outcome(work):
    """The bits of a number or Value, with the derivative by each leaf; or the type and message of what was raised."""
    try:
        return bits(number(work()))
    except Exception as error:
        return type(error).__name__, str(error)


def number(x):
    return x.data if isinstance(x, Value) else x


# --- functions on arrays


@pytest.mark.parametrize("name", FIXED)
def test_functions_give_arrays_the_bits_of_numbers(name):
    """Arrays of floats, of Values, and of both: each element is what the function is of the elements."""
    f = TABLE[name]
    rows = list(points(f, 8, "arrays"))
    columns = list(zip(*rows, strict=True))
    expected = [bits(f(*row)) for row in rows]
    floats = f(*[np.array(column) for column in columns])
    assert floats.dtype == float
    assert [bits(x) for x in floats.tolist()] == expected
    values = [[Value(x) for x in column] for column in columns]
    mixed = [[x if i % 2 else x.data for i, x in enumerate(column)] for column in values]
    for kind in (values, mixed):
        found = f(*[np.array(column, dtype=object).reshape(2, 4) for column in kind])
        assert (found.dtype, found.shape) == (object, (2, 4))
        assert [bits(number(x)) for x in found.flat] == expected
        assert [isinstance(x, Value) for x in found.flat] == [
            any(isinstance(x, Value) for x in row) for row in zip(*kind, strict=True)
        ]
    for x, row in zip(f(*[np.array(column, dtype=object) for column in values]), zip(*values, strict=True), strict=True):
        assert x.args == row


def test_functions_broadcast():
    column, row = np.array([[3.0], [6.0], [9.0]]), np.array([4.0, 8.0])
    np.testing.assert_array_equal(ag.hypot(column, row), np.hypot(column, row))
    v = Value(4.0)
    found = ag.hypot(column, v)
    assert found.shape == (3, 1)
    assert found.dtype == object
    assert ag.gradient(found.sum(), v) == ag.gradient(ag.hypot(3.0, v) + ag.hypot(6.0, v) + ag.hypot(9.0, v), v)
    assert v.hypot(row)[0].data == math.hypot(4.0, 4.0)
    assert ag.clip(np.array([-1.0, 0.5, 2.0]), low=0.0, high=1.0).tolist() == [0.0, 0.5, 1.0]
    with pytest.raises(ValueError, match="broadcast"):
        ag.hypot(np.ones(2), np.ones(3))


def test_arrays_of_no_dimensions_and_of_no_elements():
    v = Value(0.5)
    assert type(ag.exp(np.array(0.5))) is float
    assert ag.exp(np.array(v, dtype=object)).args == (v,)
    assert ag.maximum(np.array(0.5), 2.0) == 2.0
    assert ag.sum(np.array(0.5), v).data == 1.0
    empty = ag.exp(np.zeros((0, 3)))
    assert (empty.shape, empty.dtype) == ((0, 3), float)


@pytest.mark.parametrize(
    "array", [np.array([1, 2]), np.array([True, False]), np.float32([0.1, 2.0]), np.array([Fraction(1, 3), 2], dtype=object)]
)
def test_arrays_of_other_kinds_of_numbers(array):
    assert [bits(x) for x in ag.exp(array)] == [bits(math.exp(float(x))) for x in array]


def test_masked_arrays_keep_their_mask():
    masked = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    for found in (ag.exp(masked), ag.hypot(masked, Value(1.0)), np.hypot(masked, Value(1.0))):
        assert found.mask.tolist() == [False, True, False]


@pytest.mark.parametrize("bad", [np.array(["1"]), np.array([1j]), np.array([None]), [1.0], (1.0,), {}])
def test_what_holds_no_real_numbers_is_refused(bad):
    with pytest.raises(TypeError, match="exp takes a real number"):
        ag.exp(bad)
    with pytest.raises(TypeError, match="hypot takes a real number"):
        ag.hypot(np.ones(1), bad)


def test_extremes_are_taken_element_by_element_beside_arrays():
    """As NumPy's functions of the name, with shared ties; of one array, as of one list, all its elements."""
    x, y = np.array([1.0, 5.0, math.nan]), np.array([3.0, 2.0, 1.0])
    np.testing.assert_array_equal(ag.maximum(x, y), np.maximum(x, y))
    np.testing.assert_array_equal(ag.minimum(x, 2.0, y), np.minimum(np.minimum(x, 2.0), y))
    assert ag.maximum(y) == ag.maximum([3.0, 2.0], [1.0]) == 3.0
    v = Value(3.0)
    assert ag.gradient(ag.maximum(y, v).sum(), v) == 0.5 + 1.0 + 1.0
    with pytest.raises(TypeError, match=r"maximum takes a real number, not list"):
        ag.maximum(x, [1.0, 2.0, 3.0])


@pytest.mark.parametrize("name", [name for name in PUBLIC if TABLE[name].gather is flatten and TABLE[name].variadic])
def test_no_variadic_function_adds_up_the_elements_of_arrays_side_by_side(name):
    f, array = TABLE[name], np.array([1.0, 2.0])
    with pytest.raises(TypeError, match=f"{name} takes a real number"):
        f(np.ones((2, 2)))
    if not f.elementwise:
        for args in ((array, 1.0), (0.0, array), (array, array), (array.astype(object), Value(1.0))):
            with pytest.raises(TypeError, match=f"{name} takes one array"):
                f(*args)
        with pytest.raises(TypeError, match=f"{name}.. got an unexpected keyword argument 'axis'"):
            f(array, axis=0)


# --- keyword arguments


@pytest.mark.parametrize("name", FIXED)
def test_arguments_may_be_named(name):
    f = TABLE[name]
    (args,) = points(f, 1, "keywords")
    expected, values = f(*args), [Value(x) for x in args]
    for first in range(len(args) + 1):
        named = dict(zip(f.arguments[first:], args[first:], strict=True))
        assert bits(f(*args[:first], **named)) == bits(expected)
        if first:
            node = getattr(values[0], name)(*values[1:first], **dict(zip(f.arguments[first:], values[first:], strict=True)))
            assert (bits(node.data), node.args) == (bits(expected), tuple(values))


def test_defaults_stay_where_other_arguments_are_named():
    assert ag.leaky_relu(slope=0.5, x=-2.0) == -1.0
    assert ag.leaky_relu(x=-2.0) == -0.02
    assert Value(-2.0).leaky_relu(slope=0.5).data == -1.0
    assert ag.around(2.345, decimals=2) == round(2.345, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: ag.clip(x, 0.0, 1.0, lower=2.0), r"clip\(\) got an unexpected keyword argument 'lower'"),
        (lambda x: ag.clip(x, 0.0, high=1.0, low=2.0), r"clip\(\) got multiple values for argument 'low'"),
        (lambda x: ag.clip(x, high=1.0), r"clip\(\) missing 1 required positional argument: 'low'"),
        (lambda x: ag.clip(low=x), r"clip\(\) missing 2 required positional arguments: 'x' and 'high'"),
        (lambda x: ag.sum(x, y=1.0), r"sum\(\) got an unexpected keyword argument 'y'"),
        (lambda x: Value(1.0).clip(x, 1.0, lower=2.0), r"clip\(\) got an unexpected keyword argument 'lower'"),
        (lambda x: Value(1.0).clip(x, low=1.0), r"clip\(\) got multiple values for argument 'low'"),
        (lambda x: Value(1.0).clip(low=x), r"clip\(\) missing 1 required positional argument: 'high'"),
        (lambda x: Value(1.0).exp(x=x), r"exp\(\) got multiple values for argument 'x'"),
        (lambda x: Value(1.0).exp(y=x), r"exp\(\) got an unexpected keyword argument 'y'"),
        (lambda x: Value(1.0).exp(x), r"exp\(x\) takes 1 argument, got 2"),
        (lambda x: Value(1.0).maximum(x, y=x), r"maximum\(\) got an unexpected keyword argument 'y'"),
    ],
)
def test_names_that_do_not_fit_are_refused_in_pythons_words(call, message):
    for x in (0.5, Value(0.5)):
        with pytest.raises(TypeError, match=message):
            call(x)


# --- ufuncs of a number and a Value

ALIASES = {"remainder": "mod", "fabs": "absolute", "float_power": "power", "degrees": "rad2deg", "radians": "deg2rad"}
PREDICATES = ("isfinite", "isinf", "isnan", "signbit")
COMPARISONS = ("less", "less_equal", "greater", "greater_equal")
UFUNCS = sorted({f.__name__: f for f in vars(np).values() if isinstance(f, np.ufunc)}.values(), key=lambda f: f.__name__)


def counterpart(ufunc):
    """The package's function of what a ufunc is, by names alone."""
    name = ALIASES.get(ufunc.__name__, ufunc.__name__)
    return TABLE[name] if name in PUBLIC and name not in PREDICATES else None


WITH_COUNTERPART = [ufunc for ufunc in UFUNCS if counterpart(ufunc) is not None]


def test_most_ufuncs_have_a_counterpart():
    assert len(WITH_COUNTERPART) > 45
    assert {
        "arctan2",
        "hypot",
        "logaddexp",
        "copysign",
        "fabs",
        "deg2rad",
        "float_power",
        "heaviside",
        "fmod",
        "add",
        "maximum",
    } <= {ufunc.__name__ for ufunc in WITH_COUNTERPART}


@pytest.mark.parametrize("ufunc", WITH_COUNTERPART, ids=lambda ufunc: ufunc.__name__)
def test_ufuncs_of_numbers_and_values_are_the_packages_functions(ufunc):
    f = counterpart(ufunc)
    for args in [*itertools.product(SPECIAL, repeat=ufunc.nin), *[xs for xs in points(f, 30, "ufunc") if len(xs) == ufunc.nin]]:
        for mask in range(1, 2**ufunc.nin):
            leaves = [Value(x) if mask >> i & 1 else x for i, x in enumerate(args)]
            nodes = [x for x in leaves if isinstance(x, Value)]
            given = [np.float64(x) if isinstance(x, float) else x for x in leaves]
            expected = outcome(lambda: f(*leaves))
            assert outcome(lambda: ufunc(*leaves)) == outcome(lambda: ufunc(*given)) == expected, leaves
            if not isinstance(expected[0], str) or expected[0] == "nan":
                derivatives = [
                    [bits(x) for x in ag.gradient(g(*xs), nodes)] for g, xs in ((f, leaves), (ufunc, leaves), (ufunc, given))
                ]
                assert derivatives[0] == derivatives[1] == derivatives[2], leaves


@pytest.mark.parametrize("name", COMPARISONS)
def test_comparisons_are_truths(name):
    """Of NumPy's kind, so that ~ and | and & work on them, whichever side the Value stands on."""
    ufunc, symbol = (
        getattr(np, name),
        getattr(operator, {"less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge"}[name]),
    )
    for x, y in itertools.product(SPECIAL, repeat=2):
        expected = ufunc(x, y)
        for a, b in ((Value(x), y), (x, Value(y)), (Value(x), Value(y)), (np.float64(x), Value(y)), (Value(x), np.float64(y))):
            assert ufunc(a, b) == symbol(a, b) == expected
            assert type(ufunc(a, b)) is np.bool_
        arrays = symbol(np.array([x, x]), Value(y)), symbol(Value(x), np.array([y, y]))
        assert [array.tolist() for array in arrays] == [[expected] * 2] * 2
    assert not ~np.less(Value(1.0), 2)


@pytest.mark.parametrize("name", PREDICATES)
def test_predicates_are_truths(name):
    for x in (*SPECIAL, 5e-324, 1.7e308):
        expected = getattr(np, name)(x)
        assert getattr(np, name)(Value(x)) == expected
        assert type(getattr(np, name)(Value(x))) is np.bool_
        if name != "signbit":
            assert (getattr(ag, name)(x), getattr(ag, name)(Value(x)).data) == (float(expected),) * 2
    assert bool(ag.isfinite(np.array([Value(1.0), 2.0])).all())
    assert not ag.isfinite(np.array([Value(1.0), math.inf])).all()


def test_the_larger_and_the_smaller_but_for_nan():
    for x, y in itertools.product(SPECIAL, repeat=2):
        for ufunc in (np.fmax, np.fmin):
            a, b = Value(x), Value(y)
            assert outcome(lambda ufunc=ufunc: ufunc(x, b))[0] == outcome(lambda ufunc=ufunc: float(ufunc(x, y)))[0]
            derivatives = ag.gradient(ufunc(a, b), [a, b])
            if math.isnan(x) != math.isnan(y):
                assert derivatives == [float(math.isnan(y)), float(math.isnan(x))]
            elif x == y:
                assert derivatives == [0.5, 0.5]


ARITHMETIC = ("add", "subtract", "multiply", "divide", "floor_divide", "remainder", "hypot", "arctan2", "maximum", "logaddexp")


@given(st.sampled_from(ARITHMETIC), st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=5), st.floats(-1e3, 1e3), st.booleans())
def test_ufuncs_of_an_array_and_a_value(name, xs, y, value_first):
    ufunc, v = getattr(np, name), Value(y)
    scalar = TABLE[ALIASES.get(name, name)]
    for kind in (float, object):
        array = np.array(xs, dtype=kind)
        found = ufunc(v, array) if value_first else ufunc(array, v)
        assert (type(found), found.dtype, found.shape) == (np.ndarray, object, array.shape)
        expected = [scalar(v, x) if value_first else scalar(x, v) for x in xs]
        assert [bits(x.data) for x in found] == [bits(x.data) for x in expected]
        assert [bits(ag.gradient(x, v)) for x in found] == [bits(ag.gradient(x, v)) for x in expected]


def test_ufunc_methods():
    v, array = Value(2.0), np.array([1.0, 2.0, 3.0])
    assert [x.data for x in np.multiply.outer(array, v)] == [2.0, 4.0, 6.0]
    assert [[x.data for x in row] for row in np.hypot.outer(v, np.array([[1.5], [0.0]]))] == [[2.5], [2.0]]
    assert np.maximum.outer(array, v).shape == (3,)
    assert ag.gradient(np.maximum.outer(array, v).sum(), v) == 1.0 + 0.5
    assert np.maximum.outer(v, array.reshape(1, 3)).shape == (1, 3)
    for function in (np.sum, np.prod, np.max, np.min, np.mean, np.median, np.add.reduce, np.maximum.reduce):
        assert ag.gradient(function(v), v) == 1.0
    assert np.ptp(v).data == 0.0
    assert [x.data for x in np.cumsum(v)] == [2.0]
    cells = np.array([v, v])
    np.add.at(cells, [0], v)
    assert [x.data for x in cells] == [4.0, 2.0]
    with pytest.raises(TypeError, match=r"np\.maximum\.at is not known for a Value"):
        np.maximum.at(cells, [0], v)


@pytest.mark.parametrize("name", ["nextafter", "spacing", "frexp", "modf", "ldexp", "logaddexp2"])
def test_ufuncs_without_a_counterpart_are_named(name):
    ufunc = getattr(np, name)
    with pytest.raises(TypeError, match=rf"np\.{name} is not known for a Value: write it with"):
        ufunc(*[Value(1.5), 2][: ufunc.nin])


def test_ufuncs_that_call_python_functions_do_so_with_values():
    v = Value(3.0)
    assert ag.gradient(np.frompyfunc(lambda x: x * x, 1, 1)(v), v) == 6.0
    assert np.vectorize(lambda x: x * x)(v).item().data == 9.0


def test_a_ufunc_of_another_library_is_not_taken_for_numpys():
    """By its name alone it might be: a ufunc called `square` may be any function."""
    step = np.frompyfunc(lambda x: x - 1.0, 1, 1)
    assert step.__name__ != "square"

    class Named:
        nin, nout, types, __name__ = 1, 1, ["d->d"], "square"

    with pytest.raises(TypeError, match="square is not known for a Value"):
        Value(1.0).__array_ufunc__(Named(), "__call__", Value(1.0))


def test_scipys_ufuncs_of_primitives():
    for name, own in (("erf", ag.erf), ("expit", ag.sigmoid), ("ndtr", ag.normal_cdf), ("log_ndtr", ag.log_normal_cdf)):
        v = Value(-0.75)
        assert getattr(scipy.special, name)(v).data == own(-0.75)
    assert scipy.special.xlogy(2.0, Value(3.0)).data == ag.xlogy(2.0, 3.0)
    with pytest.raises(TypeError, match="gamma is not known for a Value"):
        scipy.special.gamma(Value(1.0))


def test_classes_with_ufuncs_of_their_own_are_asked():
    class Quantity:
        def __array_ufunc__(self, ufunc, method, *inputs, **options):
            return "quantity", ufunc.__name__

    assert np.multiply(Value(1.0), Quantity()) == ("quantity", "multiply")
    assert np.hypot(Quantity(), Value(1.0)) == ("quantity", "hypot")


def test_results_go_where_there_is_room_for_values():
    v, array = Value(2.0), np.array([1.0, 2.0])
    cells = np.empty(2, dtype=object)
    for ufunc in (np.hypot, np.multiply):
        assert ufunc(array, v, out=cells) is cells
        assert all(isinstance(x, Value) for x in cells)
        with pytest.raises(TypeError, match="dtype|has no place for Values"):
            ufunc(array, v, out=np.empty(2))
    cells *= v
    assert ag.gradient(cells.sum(), v) == 2 * (1.0 + 2.0) * 2.0
    with pytest.raises(TypeError, match="Cannot cast"):
        array += v
    for ufunc in (np.exp, np.hypot):
        with pytest.raises(TypeError, match=r"dtype=.* is refused for a Value"):
            ufunc(*[v] * ufunc.nin, dtype=float)


# --- methods as NumPy's functions call them


def test_numpys_functions_of_one_value():
    v = Value(1.25)
    for made, value, derivative in (
        (np.sum(v), 1.25, 1.0),
        (np.sum(v, axis=0, keepdims=True), 1.25, 1.0),
        (np.clip(v, 0.0, 2.0), 1.25, 1.0),
        (np.clip(v, 1.5, None), 1.5, 0.0),
        (np.clip(v, None, 1.0), 1.0, 0.0),
        (np.clip(v, a_min=None, a_max=2.0), 1.25, 1.0),
        (np.round(v, 1), 1.2, 0.0),
        (np.around(v), 1.0, 0.0),
        (v.round(1), 1.2, 0.0),
        (np.abs(v), 1.25, 1.0),
        (np.mod(v, 0.5), 0.25, 1.0),
    ):
        assert isinstance(made, Value)
        assert (made.data, ag.gradient(made, v)) == (value, derivative)
    array = np.array([v, Value(3.0)])
    for x, y in zip(array.clip(0.0, 2.0), (1.25, 2.0), strict=True):
        assert number(x) == y


@pytest.mark.parametrize(
    "call",
    [
        lambda v: np.sum(v, dtype=float),
        lambda v: np.sum(v, out=np.empty(())),
        lambda v: np.sum(v, initial=1.0),
        lambda v: np.sum(v, where=False),
        lambda v: np.sum(v, axis=1),
        lambda v: v.clip(0.0, 1.0, out=np.empty(())),
        lambda v: v.clip(0.0, None),
        lambda v: v.round(1, out=np.empty(())),
        lambda v: v.maximum(1.0, out=np.empty(())),
    ],
)
def test_what_would_drop_the_derivative_is_refused(call):
    with pytest.raises(TypeError, match=r"refused for a Value|unexpected keyword argument|takes a real number"):
        call(Value(0.5))


# --- compiled functions


def test_numpys_ufuncs_are_recorded():
    def f(x, y):
        high = np.maximum(np.hypot(1.0, x), np.float64(2.0) * y)
        return (
            high + np.arctan2(y, 3.0) - np.exp(-np.fabs(x)) if np.less(x, y) else np.logaddexp(high, np.sinc(0.5)) + ag.sinc(x)
        )

    kernel = ag.compile(ag.value_and_grad(f, (0, 1)), exact=True)
    draw = random.Random(3)
    for _ in range(20):
        x, y = draw.uniform(-3.0, 3.0), draw.uniform(-3.0, 3.0)
        assert kernel(x, y) == ag.value_and_grad(f, (0, 1))(x, y)
    assert kernel.paths == 2


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("test", [ag.isnan, np.isnan, lambda x: not np.isfinite(x)])
def test_a_test_for_nan_is_a_guard(test, exact):
    f = ag.compile(lambda x: -1.0 if test(x) else 2.0 * x, exact=exact)
    assert [f(x) for x in (1.0, math.nan, 2.0)] == [2.0, -1.0, 4.0]
    xs = np.array([0.5, math.nan, 3.0] * 11)
    assert f(xs).tolist() == [1.0, -1.0, 6.0] * 11
    g = ag.compile(ag.grad(lambda x: ag.where(ag.isnan(x), 0.0, 3.0 * x)), exact=exact)
    assert g(xs).tolist() == [3.0, 0.0, 3.0] * 11
    assert g.paths == 1


def test_masked_arrays_keep_the_derivative():
    """NumPy's module reads the attribute _data of whatever it meets, and would find the number alone."""
    masked, x = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False]), 2.0
    for f, slope in {
        lambda v: (masked * v).sum(): 4.0,
        lambda v: (v * masked).sum(): 4.0,
        lambda v: (v + masked).sum(): 2.0,
        lambda v: np.ma.multiply(masked, v).sum(): 4.0,
        lambda v: np.ma.array([v, v * 2.0], mask=[False, True]).sum(): 1.0,
    }.items():
        assert ag.grad(f)(x) == slope
    assert not hasattr(Value(x), "_data")


def test_extended_precision_is_taken_on_either_side():
    x = Value(3.0)
    assert (np.longdouble(2) * x).data == (x * np.longdouble(2)).data == 6.0
    assert np.longdouble(2) < x


def test_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ag.log(np.array([0.0, -1.0]))[0] == -math.inf
        assert np.log(Value(0.0)).data == -math.inf
        assert (np.array([1.0, 0.0]) / Value(0.0))[0].data == math.inf
