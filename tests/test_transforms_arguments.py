"""Arguments and results of transforms: every structure, argnums and keywords, names, and clear errors."""

import functools
import inspect
import math
from collections import defaultdict
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value

D = ag.grad


class Pair(NamedTuple):
    left: Any
    right: Any


def is_float(x, number):
    """A float with exactly this number; a Value is none."""
    return type(x) is float and x == number


def constant(x):
    return 3


# --- arguments and structures


@pytest.mark.parametrize(
    "three", [3, 3.0, True + 2, np.float64(3.0), np.float32(3.0), np.int64(3), Fraction(3), np.array(3), np.array(3.0)]
)
def test_any_real_number_is_an_argument(three):
    assert is_float(D(lambda x: x * x)(three), 6.0)
    assert ag.value_and_grad(lambda v: v[0] * v[1])([three, 2]) == (6.0, [2.0, 3.0])
    assert is_float(ag.jvp(lambda x: x * x, three, three), 18.0)


def test_gradients_have_the_structure_of_the_argument():
    point = {"b": [1.0, (2.0, Pair(3.0, [])), ()], "a": {}}

    def f(d):
        assert isinstance(d["b"][1][1], Pair)
        return d["b"][0] * d["b"][1][0] * d["b"][1][1].left

    derivative = D(f)(point)
    assert derivative == {"b": [6.0, (3.0, Pair(2.0, [])), ()], "a": {}}
    assert list(derivative) == ["b", "a"]
    assert isinstance(derivative["b"][1][1], Pair)
    assert ag.hvp(f, point, {"a": {}, "b": [1.0, (0.0, Pair(0.0, [])), ()]})["b"] == [0.0, (3.0, Pair(2.0, [])), ()]


def test_a_subclass_of_dict_reaches_the_function_as_it_is():
    assert D(lambda d: d["a"] * d["missing"])(defaultdict(lambda: 5.0, a=2.0)) == {"a": 5.0}


@pytest.mark.parametrize("shape", [(4,), (2, 2), (1, 4, 1), (0,), (2, 0)])
@pytest.mark.parametrize("dtype", [float, np.float32, int, bool, object])
def test_arrays_of_any_shape_and_type(shape, dtype):
    array = np.ones(shape).astype(dtype)
    derivative = D(lambda a: (a * a * a).sum())(array)
    assert derivative.shape == shape
    assert derivative.dtype == float
    assert (derivative == 3.0).all()
    hessian = ag.hessian(lambda a: (a * a * a).sum() + 0.0)(array)
    if array.size:
        assert (hessian.reshape(array.size, array.size) == 6.0 * np.eye(array.size)).all()
        assert hessian.shape == shape + shape


def test_arrays_that_hold_values():
    x = Value(3.0)
    derivative = D(lambda a: a[0] * a[0] * a[1])(np.array([x, 2.0], dtype=object))
    assert derivative.dtype == object
    assert ag.gradient(derivative[0], x) == 4.0
    assert is_float(D(lambda x: D(lambda a: a[0] * a[0] * a[1])(np.array([x, 2.0], dtype=object))[0])(3.0), 4.0)


def test_numpys_functions_differentiate_in_the_function():
    point = np.array([0.5, 1.5])
    assert D(lambda a: np.exp(np.sin(a)).sum())(point).tolist() == D(lambda v: ag.exp(ag.sin(v[0])) + ag.exp(ag.sin(v[1])))(
        point.tolist()
    )
    matrix = np.array([[1.0, 2.0], [3.0, 5.0], [7.0, 11.0]])
    assert (ag.jacobian(lambda a: matrix @ a)(point) == matrix).all()
    assert (ag.jacobian(lambda a: matrix.T @ a)(np.zeros(3)) == matrix.T).all()


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda x: x * x, 3.0, 6.0),
        (lambda x: [x, x * x, 5], 3.0, [1.0, 6.0, 0.0]),
        (lambda v: v[0] * v[1], [2.0, 3.0], [3.0, 2.0]),
        (lambda v: {"p": v[0] * v[1], "q": (v[0],)}, (2.0, 3.0), {"p": (3.0, 2.0), "q": ((1.0, 0.0),)}),
        (lambda d: [d["a"] * d["b"], d["b"]], {"a": 2.0, "b": 3.0}, [{"a": 3.0, "b": 2.0}, {"a": 0.0, "b": 1.0}]),
        (lambda v: v, [1.0, 2.0], [[1.0, 0.0], [0.0, 1.0]]),
        (lambda x: [x, x, x], 1.0, [1.0, 1.0, 1.0]),
        (lambda v: [v[0]] * 3, [1.0, 2.0], [[1.0, 0.0]] * 3),
        (lambda v: [1.0, 2.0], [], [[], []]),
        (lambda v: [], [1.0], []),
        (lambda v: 7, [1.0, 2.0], [0.0, 0.0]),
        (lambda v: [7, True, np.float64(1.0), Fraction(1, 3)], [1.0, 2.0], [[0.0, 0.0]] * 4),
    ],
)
def test_jacobians_have_both_structures(f, x, expected):
    assert ag.jacobian(f)(x) == expected


@pytest.mark.parametrize(("inputs", "outputs"), [((3,), (2,)), ((2,), (3,)), ((2, 2), (3, 1)), ((1,), (2, 3)), ((2, 3), (1,))])
def test_jacobians_of_arrays_have_both_shapes(inputs, outputs):
    n, m = math.prod(inputs), math.prod(outputs)
    matrix = np.arange(1.0, m * n + 1.0).reshape(m, n)
    jacobian = ag.jacobian(lambda a: (matrix @ a.ravel()).reshape(outputs))(np.ones(inputs))
    assert jacobian.shape == outputs + inputs
    assert jacobian.dtype == float
    assert (jacobian.reshape(m, n) == matrix).all()


def test_jacobians_from_a_list_to_an_array():
    rows = ag.jacobian(lambda v: np.array([v[0] * v[1], v[0], v[1]]))([2.0, 3.0])
    assert rows.shape == (3,)
    assert rows.tolist() == [[3.0, 2.0], [1.0, 0.0], [0.0, 1.0]]


def test_hessian_of_a_nested_dict():
    point = {"w": [2.0, 3.0], "b": {"c": 5.0}}
    hessian = ag.hessian(lambda d: d["w"][0] * d["w"][0] * d["w"][1] * d["b"]["c"])(point)
    assert hessian["w"][0] == {"w": [30.0, 20.0], "b": {"c": 12.0}}
    assert hessian["w"][1] == {"w": [20.0, 0.0], "b": {"c": 4.0}}
    assert hessian["b"]["c"] == {"w": [12.0, 4.0], "b": {"c": 0.0}}
    assert is_float(ag.hessian(lambda x: x * x * x)(2.0), 12.0)
    assert ag.hessian(lambda v: 1.0)([1.0, 2.0]) == [[0.0, 0.0], [0.0, 0.0]]


def test_products_have_the_structure_of_the_result_or_of_the_argument():
    f = lambda d: (d["a"] * d["b"], [d["a"], 1.0])
    point = {"a": 2.0, "b": 3.0}
    assert ag.jvp(f, point, {"b": 10.0, "a": 1.0}) == (23.0, [1.0, 0.0])
    assert ag.vjp(f, point, (10.0, [1.0, 7.0])) == {"a": 31.0, "b": 20.0}
    assert ag.vjp(lambda x: [x, x, x * x], 3.0, [1.0, 10.0, 100.0]) == 611.0
    assert ag.jvp(lambda v: v, [1.0, 2.0], np.array([3, 4])) == [3.0, 4.0]


def test_the_function_may_change_its_argument_and_the_caller_does_not_notice():
    def f(xs):
        xs[0] = xs[0] * xs[1]
        xs.append(xs[0] * xs[0])
        return xs[2]

    point = [2.0, 3.0]
    assert ag.value_and_grad(f)(point) == (36.0, [36.0, 24.0])
    assert ag.jvp(f, point, [1.0, 0.0]) == 36.0
    assert ag.hessian(f)(point)[0][0] == 18.0
    assert point == [2.0, 3.0]


# --- argnums, keywords, names


def test_argnums_choose_arguments_and_the_others_are_passed_as_they_are():
    seen = []

    def f(x, options, y, *, scale):
        seen.append((options, scale))
        return x * x * y * scale

    options = [object()]
    assert D(f)(2.0, options, 3.0, scale=10.0) == 120.0
    assert D(f, 2)(2.0, options, 3.0, scale=10.0) == 40.0
    assert D(f, -1)(2.0, options, 3.0, scale=10.0) == 40.0
    assert D(f, (2, 0))(2.0, options, 3.0, scale=10.0) == (40.0, 120.0)
    assert D(f, (0,))(2.0, options, 3.0, scale=10.0) == (120.0,)
    assert ag.value_and_grad(f, (0, 2))(2.0, options, 3.0, scale=10) == (120.0, (120.0, 40.0))
    assert all(o is options and s in (10, 10.0) for o, s in seen)
    assert ag.jacobian(f)(2.0, options, 3.0, scale=10.0) == 120.0
    assert ag.hessian(f)(2.0, options, 3.0, scale=10.0) == 60.0


class Callable:
    def __call__(self, x, factor=1.0):
        return x * x * factor

    def method(self, x):
        return x * x


@pytest.mark.parametrize(
    "f", [functools.partial(lambda x, y: x * x * y, y=1.0), Callable(), Callable().method, ag.square, np.square, len]
)
def test_callables_without_a_name(f):
    for derivative in (D(f), ag.value_and_grad(f), ag.jacobian(f), ag.hessian(f)):
        assert isinstance(derivative.__name__, str)
    if f is not len:
        assert D(f)(3.0) == 6.0
        assert ag.hessian(f)(3.0) == 2.0


def test_derivatives_are_named_like_their_function():
    def area(r):
        """Of a circle."""

    for transform in (ag.grad, ag.value_and_grad, ag.jacobian, ag.hessian):
        derivative = transform(area)
        assert (derivative.__name__, derivative.__doc__) == ("area", "Of a circle.")
        assert list(inspect.signature(derivative).parameters) == ["r"]
    assert ag.grad(ag.arctan).__name__ == "arctan"
    assert ag.grad(functools.partial(functools.partial(area))).__name__ == "area"


# --- errors

BAD_RESULTS = [
    None,
    "text",
    1j,
    {1.0},
    object(),
    iter("ab"),
    range(3),
    [1.0, None],
    {"a": "b"},
    np.array(["a"]),
    np.array(1j),
]


@pytest.mark.parametrize("bad", BAD_RESULTS, ids=lambda bad: type(bad).__name__)
@pytest.mark.parametrize("transform", [ag.grad, ag.value_and_grad, ag.jacobian, ag.hessian])
def test_results_that_are_no_numbers_are_named(transform, bad):
    def bad_function(x):
        return bad

    with pytest.raises(TypeError, match=rf"{transform.__name__}: bad_function returned .*"):
        transform(bad_function)(1.0)


@pytest.mark.parametrize("bad", [None, "text", 1j, {1.0}, b"1"], ids=lambda bad: type(bad).__name__)
@pytest.mark.parametrize(
    "wrap", [lambda x: x, lambda x: [1.0, x], lambda x: {"a": (x,)}, lambda x: np.array([x], dtype=object)]
)
def test_arguments_that_are_no_numbers_are_named(wrap, bad):
    def f(x):
        return 1.0

    message = "the argument of f takes a real number, not " + type(bad).__name__
    for call in (D(f), ag.jacobian(f), ag.hessian(f), lambda x: ag.jvp(f, x, x), lambda x: ag.hvp(f, x, x)):
        with pytest.raises(TypeError, match=message):
            call(wrap(bad))


def test_vectors_that_do_not_fit_are_refused():
    f = lambda v: [v[0] * v[1], v[0]]
    for product in (ag.jvp, ag.hvp):
        with pytest.raises(ValueError, match=rf"{product.__name__}: the vector is a list of length 1; a sequence of length 2"):
            product(lambda v: v[0] * v[1], [1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match=r"vjp: the vector is float 1\.0; a sequence of length 2"):
        ag.vjp(f, [1.0, 2.0], 1.0)
    with pytest.raises(TypeError, match="vjp: the vector takes a real number, not str"):
        ag.vjp(f, [1.0, 2.0], [1.0, "w"])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: D(tuple)([1.0, 2.0]), TypeError, "grad: tuple returned 2 numbers.*use jacobian, or sum"),
        (lambda: ag.hessian(lambda v: v)([1.0, 2.0]), TypeError, "hessian: <lambda> returned 2 numbers"),
        (lambda: ag.hvp(lambda v: v, [1.0, 2.0], [1.0, 2.0]), TypeError, "hvp: <lambda> returned 2 numbers"),
        (lambda: D(lambda v: [])([1.0]), TypeError, "grad: <lambda> returned 0 numbers"),
        (lambda: D(3.0), TypeError, r"grad takes a function, not float 3\.0"),
        (lambda: ag.hessian(None), TypeError, "hessian takes a function, not NoneType"),
        (lambda: ag.jvp("f", 1.0, 1.0), TypeError, "jvp takes a function, not str 'f'"),
        (D(constant), IndexError, "argnums names argument 0, but 0 positional arguments"),
        (lambda: D(constant, 1)(1.0), IndexError, "argnums names argument 1, but 1 positional"),
        (lambda: D(constant, -2)(1.0), IndexError, "argnums names argument -2"),
        (lambda: D(constant, (0, -1))(1.0), ValueError, "names an argument twice"),
        (lambda: D(constant, ()), TypeError, r"argnums is the position of an argument .* not \(\)"),
        (lambda: D(constant, [0]), TypeError, "argnums is the position"),
        (lambda: D(constant, True), TypeError, "argnums is the position"),
        (lambda: D(constant, "x"), TypeError, "argnums is the position"),
        (lambda: D(constant)(10**400), ValueError, "beyond the largest float"),
    ],
)
def test_errors_name_the_transform_and_the_remedy(call, error, message):
    with pytest.raises(error, match=message):
        call()
