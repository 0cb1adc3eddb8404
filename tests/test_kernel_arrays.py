"""Arrays of compiled functions: without points, of other kinds, given for results, summed up, meant as vectors."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.compiler.record import RecordingError
from values import bits

# --- no points


def loss(p, x, y):
    return (p["w"] * x[0] + x[1] - y) ** 2.0


NONE = np.empty((0, 2)), np.empty(0)


@pytest.mark.parametrize("recorded", [False, True], ids=["at first", "later"])
def test_arrays_without_points_give_empty_arrays_of_the_results_structure(recorded):
    kernel = ag.compile(ag.value_and_grad(loss), batch=(None, 0, 0))
    if recorded:
        kernel({"w": 2.0}, np.ones((3, 2)), np.ones(3))
    value, gradient = kernel({"w": 2.0}, *NONE)
    assert (value.shape, value.dtype, list(gradient), gradient["w"].shape) == ((0,), np.float64, ["w"], (0,))
    assert kernel.paths == recorded
    assert kernel({"w": 2.0}, np.ones((1, 2)), np.zeros(1))[0].tolist() == [9.0]


def test_no_points_are_broadcast_as_numpy_does_it():
    kernel = ag.compile(lambda x, y: [x * y, np.array([x, y, 1.0]), {"c": 1.0}])
    first, second, third = kernel(np.empty((3, 0)), np.ones((1, 1)))
    assert (first.shape, second.shape, third["c"].shape) == ((3, 0), (3, 0, 3), (3, 0))
    out = [np.empty(0), np.empty((0, 3)), {"c": np.empty(0)}]
    assert kernel(np.empty(0), 2.0, out=out) is out
    assert ag.compile(lambda x: x)(np.empty((0, 4), dtype=np.int32)).shape == (0, 4)
    with pytest.raises(ValueError, match="no common shape"):
        kernel(np.empty(0), np.ones(3))


def test_sums_and_means_of_nothing_are_numpys():
    assert ag.compile(ag.value_and_grad(loss), batch=(None, 0, 0), reduce="sum")({"w": 2.0}, *NONE) == (0.0, {"w": 0.0})
    assert ag.compile(lambda x: [x, np.array([1.0, x])], reduce="sum")(np.empty(0))[1].tolist() == [0.0, 0.0]
    with pytest.warns(RuntimeWarning, match="<lambda>: the mean of no points is nan"):
        result = ag.compile(lambda x: (x, 1.0), reduce="mean")(np.empty(0))
    assert [math.isnan(x) for x in result] == [True, True]


def test_what_is_wrong_is_an_error_without_points_too():
    kernel = ag.compile(loss, batch=(None, 0, 0))
    with pytest.raises(TypeError, match="argument 1 takes a real number, not str 'a'"):
        kernel({"w": "a"}, *NONE)
    with pytest.raises(TypeError, match="argument 3 is an array of complex128"):
        kernel({"w": 1.0}, NONE[0], np.empty(0, dtype=complex))
    with pytest.raises(ZeroDivisionError, match="always"):
        ag.compile(always_wrong)(np.empty(0))


def always_wrong(x):
    raise ZeroDivisionError("always")


def test_the_structure_is_found_at_a_point_in_the_functions_domain():
    def guarded(x):
        if not x < 0.0:
            raise ValueError("outside")
        return {"root": ag.sqrt(-x)}

    assert ag.compile(guarded)(np.empty((2, 0)))["root"].shape == (2, 0)


# --- arrays of other kinds

POINTS = [1.0, -2.0, 3.0]
KINDS = {
    "int64": np.array(POINTS, dtype=np.int64),
    "int8": np.array(POINTS, dtype=np.int8),
    "float32": np.array(POINTS, dtype=np.float32),
    "float16": np.array(POINTS, dtype=np.float16),
    "longdouble": np.array(POINTS, dtype=np.longdouble),
    "byte-swapped": np.array(POINTS, dtype=">f8"),
    "every second": np.repeat(POINTS, 2)[::2],
    "reversed": np.array(POINTS[::-1])[::-1],
    "of a record": np.array([(1, x) for x in POINTS], dtype="i1,f8")["f1"],  # not aligned
    "subclass": np.array(POINTS).view(type("Own", (np.ndarray,), {})),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"batch": 0}, {"reduce": "sum"}, {"batch": (None,)}], ids=str)
def test_arrays_of_other_kinds_are_taken_for_their_numbers(kind, options):
    whole = options.get("batch") == (None,)
    kernel = ag.compile((lambda x: x * x) if not whole else lambda x: np.array([y * y for y in x]), **options)
    expected = 14.0 if "reduce" in options else [1.0, 4.0, 9.0]
    for _ in range(3):
        given_array = KINDS[kind].copy() if kind == "int64" else KINDS[kind]
        given_array.flags.writeable = kind != "int64"
        result = kernel(given_array)
        assert (result if "reduce" in options else result.tolist()) == expected


def test_truths_are_numbers():
    assert ag.compile(lambda x: 2.0 * x)(np.array([True, False])).tolist() == [2.0, 0.0]


@pytest.mark.parametrize("options", [{}, {"batch": 0}, {"batch": (None,)}, {"reduce": "mean"}], ids=str)
def test_masks_and_other_arithmetic_are_refused(options):
    kernel = ag.compile(lambda x: x, **options)
    masked = np.ma.masked_array(POINTS, mask=[True, False, False])
    for argument in (masked, [masked], np.array([POINTS]).view(np.matrix)):
        what = "matrix, which has arithmetic of its own" if isinstance(argument, np.matrix) else "masked array, .*compressed"
        for _ in range(2):
            with pytest.raises(TypeError, match=f"<lambda>: argument 1(\\[0\\])? is a {what}"):
                kernel(argument)
            if not isinstance(argument, list):
                kernel(np.array(POINTS))
    with pytest.raises(TypeError, match="out is a masked array"):
        ag.compile(lambda x: x)(np.array(POINTS), out=masked)


@pytest.mark.parametrize(
    "array",
    [np.array(POINTS, dtype=complex), np.array(POINTS, dtype=object), np.array(["a"]), np.array([0], dtype="m8[s]")],
    ids=lambda x: str(x.dtype),
)
def test_arrays_of_no_numbers_are_refused(array):
    with pytest.raises(TypeError, match=f"argument 1 is an array of {re.escape(str(array.dtype))}"):
        ag.compile(lambda x: x)(array)


# --- arrays that are given for results


def filled(*shapes):
    return [np.full(shape, 7.0) for shape in shapes]


def read_only(x):
    x.flags.writeable = False
    return x


SHARED = np.full(9, 7.0)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (read_only(np.full(5, 7.0)), "read-only"),
        (np.full(4, 7.0), r"array of float64 of shape \(4,\) where the result is an array of float64 of shape \(5,\)"),
        (np.full(5, 7.0, dtype=np.float32), "array of float32"),
        (np.full(5, 7.0, dtype=">f8"), "array of >f8"),
        (np.lib.stride_tricks.as_strided(np.full(1, 7.0), (5,), (0,)), "of which elements share memory"),
        (np.lib.stride_tricks.as_strided(np.full(6, 7.0), (5,), (4,)), "of which elements share memory"),
        ([7.0] * 5, "another structure"),
        (7.0, "holds float 7.0"),
    ],
)
def test_nothing_is_written_where_one_array_does_not_fit(second, message):
    kernel = ag.compile(lambda x: (x, x * 2.0))
    for _ in range(4):  # by Python, then by the direct way
        (first,) = filled(5)
        with pytest.raises(ValueError, match=f"<lambda>: out .*{message}"):
            kernel(np.arange(5.0), out=(first, second))
        assert (first == 7.0).all()
        kernel(np.arange(5.0))


def test_arrays_for_results_do_not_share_memory():
    kernel = ag.compile(lambda x: (x + 1.0, x * 2.0))
    for first, second in ((SHARED[:5], SHARED[4:]), (SHARED[:5], SHARED[:5]), (SHARED[::2], SHARED[:5][::-1])):
        with pytest.raises(ValueError, match="share memory"):
            kernel(np.arange(5.0), out=(first, second))
        assert (SHARED == 7.0).all()
    both = np.zeros(10)
    kernel(np.arange(5.0), out=(both[::2], both[1::2]))  # interleaved
    assert both.tolist() == [1.0, 0.0, 2.0, 2.0, 3.0, 4.0, 4.0, 6.0, 5.0, 8.0]


def test_arrays_for_results_may_be_those_of_arguments():
    x = np.arange(6.0)
    ag.compile(lambda x, y: (x + y, x - y))(x[:3], x[3:], out=(x[3:], x[:3]))
    assert x.tolist() == [-3.0, -3.0, -3.0, 3.0, 5.0, 7.0]
    y = np.arange(5.0)
    ag.compile(lambda x: 10.0 * x)(y[:4], out=y[1:])
    assert y.tolist() == [0.0, 0.0, 10.0, 20.0, 30.0]


def test_arrays_for_results_are_not_left_alone_where_values_are_arguments():
    with pytest.raises(TypeError, match="<lambda>: out takes numbers, and there are Values among the arguments"):
        ag.compile(lambda x: x)(ag.Value(1.0), out=np.empty(1))


# --- sums over points that are on several paths

NUMBERS = (1.5, -2.0, 0.25, math.inf, -math.inf, math.nan, 0.0, -0.0, 1e300, 5e-324)


def piecewise(pieces):
    """A function with a path for each piece, which are pairs: a constant, x itself, a shared number, or a product."""

    def function(shared, x):
        for i, piece in enumerate(pieces):
            if x < i or i == len(pieces) - 1:
                break
        return [{"x": x, "shared": shared, "product": x * shared}.get(part, part) for part in piece]

    return function


pieces = st.lists(
    st.tuples(*[st.one_of(st.sampled_from(NUMBERS), st.sampled_from(("x", "shared", "product")))] * 2), min_size=1, max_size=4
)


@pytest.mark.parametrize("reduce", ["sum", "mean"])
@given(
    pieces,
    st.sampled_from(NUMBERS),
    st.lists(st.one_of(st.floats(-2.0, 5.0), st.sampled_from(NUMBERS)), min_size=1, max_size=40),
    st.lists(st.floats(-2.0, 5.0), min_size=1, max_size=3),
    st.booleans(),
)
@example([(math.inf, "x"), (1.0, "x")], 1.0, [1.0, 2.0, 3.0], [-1.0], False)
@example([("x", math.nan), ("x", 1.0)], 1.0, [2.0] * 20, [-1.0], True)
def test_sums_are_those_of_the_results_at_points(reduce, pieces, shared, xs, before, exact):
    """Where all are finite, within the bound of any order of summation; elsewhere the infinity or nan that NumPy gives."""
    function, points = piecewise(pieces), np.array(xs)
    kernel = ag.compile(function, batch=(None, 0), reduce=reduce, exact=exact)
    kernel(shared, np.array(before))
    result = kernel(shared, points)
    each = ag.compile(function, batch=(None, 0), exact=exact)(shared, points)
    for found, column in zip(result, each, strict=True):
        with np.errstate(all="ignore"):
            expected = column.sum() if reduce == "sum" else column.mean()
        if not np.isfinite(column).all():
            assert bits(found) == bits(expected) or math.isnan(found) == math.isnan(expected) == True  # noqa: E712
        elif np.abs(column).max() * len(column) < 1e308:
            exactly = sum(map(Fraction, column.tolist())) / (len(column) if reduce == "mean" else 1)
            bound = len(column) * 2.0**-52 * np.abs(column).sum() + 5e-324
            assert abs(Fraction(found) - exactly) <= Fraction(bound)
    assert [bits(x) for x in kernel(shared, points)] == [bits(x) for x in result]


# --- arrays that are meant as vectors


def rosenbrock(p):
    return (1.0 - p[0]) ** 2.0 + 100.0 * (p[1] - p[0] ** 2.0) ** 2.0


def line(x, p, y, scale=1.0):
    return (p[0] * x[0] + p[1] * x[1] - y) * scale


def remedy(function, call, error=RecordingError):
    """The kernel that the error asks for, and the call that it shows."""
    with pytest.raises(error) as caught:
        call(ag.compile(function))
    text = str(caught.value)
    batch = re.search(r"compile\(\.\.\., batch=(\([^)]*\))\)", text)
    shown = re.search(r", or (\w+\(.*\))$", text)
    return ag.compile(function, batch=eval(batch[1])), shown and shown[1]  # noqa: S307 -- what a reader would paste


def test_one_vector_given_as_an_array():
    x = np.array([-1.0, 2.0])
    kernel, shown = remedy(ag.value_and_grad(rosenbrock), lambda k: k(x))
    value, gradient = kernel(x)
    assert (value, gradient.tolist()) == (104.0, [396.0, 200.0])
    assert shown == "rosenbrock(p.tolist())"
    assert eval(shown, {"rosenbrock": ag.compile(rosenbrock), "p": x}) == 104.0  # noqa: S307


def test_vectors_in_rows():
    xs = np.array([[-1.0, 2.0], [1.0, 1.0], [0.0, 0.0]])
    kernel, shown = remedy(rosenbrock, lambda k: k(xs))
    assert kernel(xs).tolist() == [104.0, 0.0, 1.0]
    assert shown is None
    square = xs[:2]
    assert remedy(rosenbrock, lambda k: k(square))[0](square).tolist() == [104.0, 0.0]


def test_an_optimizer_that_gives_vectors():
    optimize = pytest.importorskip("scipy.optimize")
    start = np.array([-1.0, 2.0])
    kernel, _ = remedy(ag.value_and_grad(rosenbrock), lambda k: optimize.minimize(k, start, jac=True))
    assert np.allclose(optimize.minimize(kernel, start, jac=True).x, [1.0, 1.0], atol=1e-4)


@pytest.mark.parametrize("p", [np.array([2.0, 3.0]), [2.0, 3.0]], ids=["array", "list"])
@pytest.mark.parametrize("count", [2, 7])
def test_rows_beside_a_vector_and_labels(p, count):
    xs, ys = np.arange(2.0 * count).reshape(count, 2), np.ones(count)
    error = RecordingError if count == 2 and isinstance(p, list) else (RecordingError, ValueError)
    kernel, _ = remedy(line, lambda k: k(xs, p, ys, scale=2.0), error)
    assert kernel.batch == (0, None, 0, None)
    assert kernel(xs, p, ys, scale=2.0).tolist() == ((xs @ [2.0, 3.0] - ys) * 2.0).tolist()


def test_points_beside_a_vector():
    xs = np.arange(5.0)
    kernel, _ = remedy(lambda x, p: x * p[0] + p[1], lambda k: k(xs, np.array([2.0, 3.0])), ValueError)
    assert kernel(xs, np.array([2.0, 3.0])).tolist() == (2.0 * xs + 3.0).tolist()


def test_a_matrix_as_it_is():
    matrix = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    kernel, shown = remedy(lambda a, x: a[0][1] * x + a[2][0], lambda k: k(matrix, 2.0))
    assert kernel(matrix, 2.0) == 9.0
    assert shown == "k(a.tolist(), x)"


def test_an_array_in_the_place_of_a_recorded_list():
    kernel = ag.compile(rosenbrock)
    assert kernel([-1.0, 2.0]) == kernel(np.array([-1.0, 2.0])) == 104.0
    for shape in ((2, 2), (2, 5), (5, 2)):  # not points in columns
        with pytest.raises(ValueError, match=r"argument 1 is an array .* batch=\(0,\)"):
            kernel(np.ones(shape))
    assert kernel([np.ones(3), np.ones(3)]).tolist() == [0.0] * 3


def test_what_no_remedy_helps_is_said_without_one():
    with pytest.raises(RecordingError, match=r"a number is taken for a sequence \([^)]*not subscriptable\)"):
        ag.compile(lambda x: x["a"])(np.ones(3))
