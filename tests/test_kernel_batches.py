"""Compiled functions on batches: broadcast as NumPy does it, points along a leading axis, sums over points, given arrays.

AUTOGRAD_LITE_POINTS scales the number of random shapes.
"""

import itertools
import math
import os
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import structures

CASES = int(os.environ.get("AUTOGRAD_LITE_POINTS", "100"))
Pair = namedtuple("Pair", ["first", "second"])  # noqa: PYI024
rng = np.random.default_rng(7)


def polynomial(x, y, z):
    return x * y + z if x > z else x - 2.0 * y


def same(found, expected):
    """The same numbers in an array of the same shape."""
    found = np.asarray(found)
    assert found.dtype == np.float64
    assert found.shape == np.shape(expected)
    return np.array_equal(found, expected, equal_nan=True)


def is_sum(found, column, divisor=1.0):
    """A sum of so many numbers, in whatever order they are added: each addition is rounded."""
    size = math.fsum(np.abs(column))
    return abs(found - math.fsum(column) / divisor) <= len(column) * 2.0**-52 * size / divisor


# --- broadcasting

shape = st.lists(st.integers(1, 3), max_size=3)


@given(st.data())
@settings(max_examples=max(20, CASES // 2))
def test_arrays_are_broadcast_as_by_a_ufunc(data):
    """Any shapes and dtypes, numbers among them; parts of each shape are dropped or made 1 so that they fit."""
    whole = data.draw(shape)
    args = []
    for _ in range(3):
        start = data.draw(st.integers(0, len(whole)))
        kept = [data.draw(st.sampled_from((length, 1))) for length in whole[start:]]
        dtype = data.draw(st.sampled_from((np.float64, np.float32, np.int64, np.uint8, np.bool_, np.float16)))
        array = rng.integers(0, 5, kept).astype(dtype)
        args.append(data.draw(st.sampled_from((array.item(), array[()]))) if not kept else array)
    kernel = ag.compile(polynomial, exact=True)
    expected = np.vectorize(polynomial, otypes=[float])(*[np.asarray(x, dtype=float) for x in args])
    result = kernel(*args)
    assert type(result) is (float if expected.shape == () else np.ndarray)
    assert same(result, expected)
    assert same(kernel(*args), expected)


def test_arrays_of_any_order_in_memory():
    kernel = ag.compile(lambda x, y: x - 3.0 * y, exact=True)
    x, y = rng.normal(size=(4, 6)), rng.normal(size=(6, 4))
    big = np.zeros((8, 12))
    big[::2, ::2] = x
    frozen = x.copy()
    frozen.setflags(write=False)
    swapped = x.astype(">f8")
    for given_x in (x, np.asfortranarray(x), big[::2, ::2], x[::-1][::-1], frozen, swapped, np.broadcast_to(x, (1, 4, 6))[0]):
        assert same(kernel(given_x, y.T), x - 3.0 * y.T)
        assert same(kernel(given_x[:, ::-1], y.T[:1]), x[:, ::-1] - 3.0 * y.T[:1])
    unaligned = np.zeros(8 * 24 + 1, dtype=np.uint8)[1:].view(np.float64).reshape(4, 6)
    unaligned[:] = x
    assert same(kernel(unaligned, 0.0), x)


def test_arguments_are_not_changed_and_results_are_new():
    x = rng.normal(size=9)
    before = x.copy()
    kernel = ag.compile(lambda x: [x, x, 2.0 * x])
    first, second, _ = kernel(x)
    first[0] = 99.0
    assert np.array_equal(x, before)
    assert second[0] == x[0]
    assert kernel(x)[0][0] == x[0]


def test_arrays_in_structures_hold_a_number_a_point():
    kernel = ag.compile(lambda p, q: {"sum": p["a"][0] + p["b"] * q.first, "pair": Pair(q.second, 1.0)})
    a, b = rng.normal(size=(2, 3)), rng.normal(size=3)
    result = kernel({"a": [a], "b": 2.0}, Pair(b, 4))
    assert same(result["sum"], a + 2.0 * b)
    assert type(result["pair"]) is Pair
    assert same(result["pair"].first, np.full((2, 3), 4.0))
    assert same(result["pair"].second, np.ones((2, 3)))
    assert kernel({"a": (1.0,), "b": 2.0}, Pair(3.0, 4.0)) == {"sum": 7.0, "pair": (4.0, 1.0)}


# --- points along a leading axis


def loss(p, x, y):
    hidden = [ag.tanh(row["w"][0] * x[0] + row["w"][1] * x[1] + row["b"]) for row in p["rows"]]
    return (ag.sum(hidden) * p["scale"] - y) ** 2.0


PARAMETERS = {"rows": [{"w": [0.1, -0.4], "b": 0.3}, {"w": (1.5, 0.25), "b": -0.75}], "scale": 1.25}


def points_of(count):
    return rng.normal(size=(count, 2)), rng.normal(size=count)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("count", [1, 2, 9, 33])
def test_shared_arguments_and_points(count, exact):
    xs, ys = points_of(count)
    expected = [ag.value_and_grad(loss)(PARAMETERS, x, y) for x, y in zip(xs.tolist(), ys.tolist(), strict=True)]
    kernel = ag.compile(ag.value_and_grad(loss), batch=(None, 0, 0), exact=exact)
    value, gradient = kernel(PARAMETERS, xs, ys)
    tolerance = 0.0 if exact else 1e-13
    assert np.allclose(value, [v for v, _ in expected], rtol=tolerance, atol=0.0)
    leaves, structure = structures.flatten(gradient, arrays=False)
    assert structure == structures.flatten(PARAMETERS)[1]
    for i, leaf in enumerate(leaves):
        column = [structures.flatten(g)[0][i] for _, g in expected]
        assert leaf.shape == (count,)
        assert np.allclose(leaf, column, rtol=tolerance, atol=tolerance)
    for points in (xs.tolist(), tuple(map(tuple, xs.tolist())), [list(x) for x in xs]):
        assert np.array_equal(kernel(PARAMETERS, points, ys.tolist())[0], value)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_sums_and_means_over_points(reduce, exact):
    for count in (1, 5, 3000):
        xs, ys = points_of(count)
        kernel = ag.compile(ag.value_and_grad(loss), batch=(None, 0, 0), reduce=reduce, exact=exact)
        value, gradient = kernel(PARAMETERS, xs, ys)
        each_value, each = ag.compile(ag.value_and_grad(loss), batch=(None, 0, 0), exact=exact)(PARAMETERS, xs, ys)
        divisor = count if reduce == "mean" else 1
        assert type(value) is float
        assert is_sum(value, each_value, divisor)
        found, structure = structures.flatten(gradient)
        assert structure == structures.flatten(PARAMETERS)[1]
        assert all(type(x) is float for x in found)
        for x, column in zip(found, structures.flatten(each, arrays=False)[0], strict=True):
            assert is_sum(x, column, divisor)
        assert kernel(PARAMETERS, xs, ys) == (value, gradient)


def test_sums_split_by_path():
    xs = rng.normal(size=1000)
    kernel = ag.compile(lambda x: [x * x if x > 0.5 else ag.exp(x) if x > -0.5 else -x, 1.0], reduce="sum", exact=True)
    value, count = kernel(xs)
    each = np.array([x * x if x > 0.5 else math.exp(x) if x > -0.5 else -x for x in xs.tolist()])
    assert is_sum(value, each)
    assert (count, kernel.paths) == (1000.0, 3)


def test_sums_over_many_points():
    xs = rng.normal(size=200_001) * 10.0 ** rng.integers(-5, 5, 200_001)
    result = ag.compile(lambda x: [x, x * 2.0 if x > 0 else x, 1.0], reduce="sum")(xs)
    assert is_sum(result[0], xs)
    assert is_sum(result[1], np.where(xs > 0, 2.0 * xs, xs))
    assert result[2] == 200_001.0


def test_sums_of_what_is_no_number_are_as_in_ieee_754():
    kernel = ag.compile(lambda x: [x, -x, x * 0.0], reduce="sum")
    assert kernel(np.array([1e308, 1e308, 1.0])) == [math.inf, -math.inf, 0.0]
    assert [math.isnan(x) for x in kernel(np.array([math.inf, -math.inf]))] == [True] * 3
    assert [math.isnan(x) for x in kernel(np.array([math.nan, 1.0]))] == [True] * 3


def test_sums_of_broadcast_arrays_and_of_single_points():
    kernel = ag.compile(lambda x, y: x * y, reduce="sum")
    x, y = rng.integers(0, 9, (3, 1)).astype(float), rng.integers(0, 9, (1, 4)).astype(float)
    assert kernel(x, y) == (x * y).sum()
    assert kernel(2.0, 3.0) == 6.0
    assert ag.compile(lambda x: np.array([[x, 1.0]]), reduce="mean")(np.arange(3.0)).tolist() == [[1.0, 1.0]]


def test_arrays_of_the_function_itself():
    """What has more axes than the points is an array for the function; one a point comes back behind the axis of points."""
    kernel = ag.compile(lambda x: {"outer": np.outer(x, x), "norm": (x @ x) ** 0.5, "first": x[0]}, batch=0)
    xs = rng.normal(size=(6, 3))
    result = kernel(xs)
    assert np.allclose(result["outer"], np.einsum("ni,nj->nij", xs, xs), rtol=1e-14)
    assert np.allclose(result["norm"], np.linalg.norm(xs, axis=1), rtol=1e-14)
    assert same(result["first"], xs[:, 0])
    cube = rng.normal(size=(5, 2, 3))
    assert same(ag.compile(lambda a: a.T * 2.0, batch=0)(cube), 2.0 * cube.transpose(0, 2, 1))
    hessian = ag.compile(ag.hessian(lambda x: x[0] ** 2.0 * x[1] + ag.sin(x[2])), batch=0)(xs)
    assert hessian.shape == (6, 3, 3)
    for i, x in enumerate(xs.tolist()):
        assert np.allclose(hessian[i], ag.hessian(lambda x: x[0] ** 2.0 * x[1] + ag.sin(x[2]))(x), rtol=1e-13)
    shared = ag.compile(lambda a, x: a @ x, batch=(None, 0))
    matrix = rng.integers(0, 5, (2, 3)).astype(float)
    assert same(shared(matrix, np.round(xs)), np.round(xs) @ matrix.T)


def test_structures_of_arrays_with_a_leading_axis():
    kernel = ag.compile(lambda d, s: d["a"] * d["b"][0] - d["b"][1][1] * s, batch=(0, None))
    a, b, c = rng.normal(size=4), rng.normal(size=4), rng.normal(size=(4, 2))
    expected = a * b - c[:, 1] * 3.0
    assert same(kernel({"a": a, "b": [b, c]}, 3.0), expected)
    assert same(kernel({"b": [b, c], "a": a}, 3.0), expected)
    assert same(kernel(OrderedDict(b=[b, c], a=a), 3.0), expected)
    assert same(kernel({"a": a[:2], "b": [b[:2], c[:2]]}, np.float32(3.0)), expected[:2])


def test_points_of_one_number():
    kernel = ag.compile(lambda x, y: x * y, batch=0)
    assert kernel([1, 2, 3], np.array([2, 2, 2])).tolist() == [2.0, 4.0, 6.0]
    assert kernel(np.array([5.0]), [0.5]).tolist() == [2.5]


# --- results in given arrays


def test_results_in_given_arrays():
    kernel = ag.compile(ag.value_and_grad(polynomial, (0, 2)))
    xs = rng.normal(size=(2, 5))
    value, (by_x, by_z) = kernel(xs, 1.5, 0.1)
    out = (np.empty((2, 5)), (np.empty((2, 5)), np.empty((5, 2)).T))
    assert kernel(xs, 1.5, 0.1, out=out) is out
    assert np.array_equal(out[0], value)
    assert np.array_equal(out[1][0], by_x)
    assert np.array_equal(out[1][1], by_z)
    single = ag.compile(lambda x: 3.0 * x)
    target = xs.copy()
    assert single(target, out=target) is target  # its own argument
    assert np.array_equal(target, 3.0 * xs)
    whole = np.zeros((2, 10))
    single(xs, out=whole[:, ::2])
    assert np.array_equal(whole[:, ::2], 3.0 * xs)
    assert not whole[:, 1::2].any()


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (np.empty(4), r"out holds an array of float64 of shape \(4,\) where the result is an array of float64 of shape \(3,\)"),
        (np.empty((3, 1)), r"of shape \(3, 1\) where the result is"),
        (
            np.empty(3, dtype=np.float32),
            r"out holds an array of float32 of shape \(3,\) where the result is an array of float64",
        ),
        (np.empty(3, dtype=np.int64), "out holds an array of int64"),
        ([np.empty(3)], "out has another structure than the result"),
        (3.0, "out holds float 3.0 where the result is"),
        ([0.0, 0.0, 0.0], "out has another structure"),
    ],
)
def test_given_arrays_that_do_not_fit(out, message):
    kernel = ag.compile(lambda x: x * 2.0)
    with pytest.raises(ValueError, match=f"<lambda>: .*{message}"):
        kernel(np.ones(3), out=out)


def test_given_arrays_for_single_numbers():
    with pytest.raises(ValueError, match="out takes arrays, and the result is of single numbers"):
        ag.compile(lambda x: x)(1.0, out=np.empty(()))
    out = np.empty(2)
    assert ag.compile(lambda x: np.array([x, 1.0]))(3.0, out=out) is out
    assert out.tolist() == [3.0, 1.0]


def test_given_arrays_stay_as_they_are_where_an_error_is_raised():
    out = [np.zeros(3), np.zeros(4)]
    with pytest.raises(ValueError, match="out holds an array of float64"):
        ag.compile(lambda x: [x, x])(np.ones(3), out=out)
    assert not out[0].any()
    read_only = np.zeros(3)
    read_only.setflags(write=False)
    with pytest.raises(ValueError, match="read-only"):
        ag.compile(lambda x: x)(np.ones(3), out=read_only)


# --- wrong arguments


def linear(p, x):
    return p["w"] * x[0] + x[1]


XS = np.arange(10.0).reshape(5, 2)


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        (
            ({"w": 1.0}, XS[:, :1]),
            ValueError,
            r"argument 2 has another structure than when the function was recorded: an array of",
        ),
        (({"w": 1.0}, (XS[:, 0], XS[:, 1])), ValueError, "argument 2 has another structure"),
        (({"w": 1.0}, XS.reshape(5, 1, 2)), ValueError, "argument 2 has another structure"),
        (({"w": 1.0}, []), ValueError, r"argument 2 has another structure .* an array of float64 of shape \(0,\)|list \[\]"),
        (({"w": 1.0}, 1.0), ValueError, "argument 2 has a leading axis of points .* and holds float 1.0"),
        (({"w": 1.0}, None), ValueError, "argument 2 has a leading axis of points .* and holds NoneType None"),
        (
            ({"w": 1.0}, [[1.0, 2.0], [3.0]]),
            ValueError,
            "argument 2 has a leading axis .* or lists of equal lengths, are needed",
        ),
        (({"w": 1.0}, [["a", "b"]]), ValueError, "argument 2 has a leading axis"),
        (({"w": 1.0}, XS.astype(complex)), TypeError, "argument 2 is an array of complex128, not of real numbers"),
        (({"w": 1.0}, XS.astype(object)), TypeError, "argument 2 is an array of object, not of real numbers"),
        (({"w": 1.0}, XS.astype(str)), TypeError, "argument 2 is an array of <U"),
        (({"v": 1.0}, XS), ValueError, r"argument 1 is a dict with keys \['v'\]; a dict with keys \['w'\] is needed"),
        (({"w": "a"}, XS), TypeError, "argument 1 takes a real number, not str 'a'"),
        (({"w": None}, XS), TypeError, "argument 1 takes a real number, not NoneType None"),
        (({"w": 10**400}, XS), ValueError, "argument 1: the number of 1329 bits lies beyond the largest float"),
        (({"w": [1.0]}, XS), ValueError, r"argument 1\['w'\] is a list of length 1; a number is needed"),
        (([1.0], XS), ValueError, "argument 1 is a list of length 1; a dict"),
        (({"w": np.ones(2)}, XS), ValueError, r"argument 1 has the shape \(2,\), argument 2 has the shape \(5,\)"),
        (({"w": 1.0},), TypeError, "2 arguments, and 1 were given"),
        (({"w": 1.0}, XS, XS), TypeError, "2 arguments, and 3 were given"),
    ],
    ids=lambda x: f"{x!r:.30}" if isinstance(x, tuple) else "",
)
def test_wrong_arguments_are_named(args, error, message):
    kernel = ag.compile(linear, batch=(None, 0))
    expected = XS[:, 0] + XS[:, 1]
    assert same(kernel({"w": 1.0}, XS), expected)
    with pytest.raises(error, match=f"linear.* {message}"):
        kernel(*args)
    assert same(kernel({"w": 1.0}, XS), expected)


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        ((np.ones(3), np.ones(4), 1.0), ValueError, r"argument 1 has the shape \(3,\), argument 2 has the shape \(4,\)"),
        ((1.0, np.ones((2, 3)), np.ones(2)), ValueError, r"argument 2 has the shape \(2, 3\), argument 3 has the shape \(2,\)"),
        ((1.0, np.array(["a"]), 1.0), TypeError, "argument 2 is an array of <U1, not of real numbers"),
        ((1.0, 2.0, np.array([1j])), TypeError, "argument 3 is an array of complex128"),
        ((1.0, 2.0, np.array(["2020-01-01"], dtype="M8[D]")), TypeError, r"argument 3 is an array of datetime64\[D\]"),
        ((np.ones(2), 2.0, None), TypeError, "argument 3 takes a real number, not NoneType None"),
        ((np.ones(2), "b", 1.0), TypeError, "argument 2 takes a real number, not str 'b'"),
        ((np.ones(2), 1j, 1.0), TypeError, "argument 2 takes a real number, not complex 1j"),
        ((1.0, [2.0], 1.0), ValueError, "argument 2 is a list of length 1; a number is needed"),
        ((1.0, 2.0, 10**400), ValueError, "argument 3: the number of 1329 bits lies beyond the largest float"),
        ((1.0, 2.0), TypeError, "missing 1 required positional argument: 'z'"),
    ],
    ids=lambda x: f"{x!r:.30}" if isinstance(x, tuple) else "",
)
def test_wrong_arguments_of_broadcasting_are_named(args, error, message):
    kernel = ag.compile(polynomial)
    kernel(1.0, 2.0, 3.0)
    with pytest.raises(error, match=f"polynomial.*{message}"):
        kernel(*args)
    if len(args) == 3 and not isinstance(args[1], list):  # which may be right as the first call
        with pytest.raises(error, match=f"polynomial.*{message}"):
            ag.compile(polynomial)(*args)


def test_a_call_that_failed_says_nothing_of_the_next():
    kernel = ag.compile(lambda x: x[0] * 2.0)
    for wrong in (1.0, ["a"], {"b": 1.0}, [None, 2.0]):
        with pytest.raises((TypeError, KeyError, IndexError)):
            kernel(wrong)
    assert kernel([2.0, 1.0]) == 4.0
    with pytest.raises(ValueError, match="argument 1 is a list of length 1; a sequence of length 2 is needed"):
        kernel([2.0])


def test_batch_tells_of_every_argument():
    for batch, count in (((0,), 2), ((None, 0, 0), 2), ((), 1)):
        with pytest.raises(TypeError, match=f"batch tells of {len(batch)} arguments, and {count} were given"):
            ag.compile(lambda *xs: xs[0], batch=batch)(*[np.ones(2)] * count)


def test_one_kernel_for_batches_of_any_kind():
    kernel = ag.compile(polynomial, exact=True)
    numbers = (0.5, 1.5, -2.0)
    for chosen in itertools.product((False, True), repeat=3):
        args = [np.full(11, x) if is_array else x for x, is_array in zip(numbers, chosen, strict=True)]
        assert np.array_equal(kernel(*args), np.full(11, polynomial(*numbers)) if any(chosen) else polynomial(*numbers))
    assert kernel.paths == 1
