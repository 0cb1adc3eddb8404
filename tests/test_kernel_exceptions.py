"""Compiled functions that catch what an operation raises: powers that are complex, and the user's primitives."""

import itertools
import math
import operator
import pickle
import threading

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.compiler.program import PathError, Program
from values import bits

NUMBERS = (4.0, -4.0, 9.0, -0.25, 0.0, -0.0, 1e300, -1e300, math.inf, -math.inf, math.nan)


def caught(x):
    try:
        return x**0.5
    except ValueError:
        return -x


def thrown_away(x):
    """The power is there for its error alone."""
    try:
        ag.power(x, 0.5)
    except ValueError:
        return -x
    return 3.0 * x


def caught_late(x):
    """Which of several raises decides."""
    y = 2.0
    for exponent in (2.0, 0.5, -1.5):
        try:
            y = y + (x + y) ** exponent
        except ValueError:
            y = y - exponent
    return y


def of_base(x):
    try:
        return (-2.0) ** x
    except ValueError:
        return x


def through_a_sweep(x):
    """The error comes out of a derivative inside."""
    try:
        return ag.grad(lambda z: z**1.5 * z)(x)
    except ValueError:
        return x * x


def in_numpys(x):
    try:
        return np.power(np.array([x, 1.0], dtype=object), 0.5)[0]
    except ValueError:
        return x - 1.0


CATCHING = (caught, thrown_away, caught_late, of_base, through_a_sweep, in_numpys)


def both_modes():
    return pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])


def check(function, xs, exact):
    """Scalars in any order, and a batch of them, have what the function gives; derivatives too."""
    for transform in (ag.value_and_grad, lambda f: ag.grad(ag.grad(f))):
        expected = [np.ravel(transform(function)(x)).tolist() for x in xs]
        for first in xs:
            kernel = ag.compile(transform(function), exact=exact)
            kernel(first)
            for x, values in zip(xs, expected, strict=True):
                agree(np.ravel(kernel(x)).tolist(), values, exact, x)
        kernel = ag.compile(transform(function), exact=exact)
        columns = np.ravel(kernel(np.array(xs * 3))).reshape(len(expected[0]), -1)
        for i, values in enumerate(expected * 3):
            agree(columns[:, i].tolist(), values, exact, xs[i % len(xs)])


def agree(found, expected, exact, x):
    for y, value in zip(found, expected, strict=True):
        close = bits(y) == bits(value) or (not exact and (y == value or abs(y - value) <= 8.0 * math.ulp(value)))
        assert close, (x, found, expected)


@both_modes()
@pytest.mark.parametrize("function", CATCHING, ids=operator.attrgetter("__name__"))
def test_each_point_goes_its_own_way(function, exact):
    check(function, NUMBERS, exact)


@both_modes()
@pytest.mark.parametrize("threads", [1, 3])
def test_a_batch_of_both_ways_in_threads(exact, threads):
    xs = np.linspace(-50.0, 50.0, 20_001)
    kernel = ag.compile(caught, exact=exact, threads=threads)
    found = kernel(xs)
    assert kernel.paths == 2
    assert np.array_equal(found[xs < 0.0], -xs[xs < 0.0])
    assert np.allclose(found[xs >= 0.0], np.sqrt(xs[xs >= 0.0]), rtol=1e-15, atol=0.0)
    total = ag.compile(caught, exact=exact, threads=threads, reduce="sum")(xs)
    assert total == pytest.approx(found.sum(), rel=1e-12)


@both_modes()
def test_what_is_not_caught_is_nan_at_its_point_of_a_batch_and_an_error_alone(exact):
    def function(x, y):
        return [x**y + 1.0, 2.0 * x]

    message = r"power\(-8.0, 0.5\) is complex: a negative number has no real power"
    for first in ((-8.0, 2.0, -8.0), (2.0, -8.0)):
        kernel = ag.compile(function, exact=exact)
        xs = np.array(first)
        values, doubles = kernel(xs, 0.5)
        assert np.array_equal(np.isnan(values), xs < 0.0)
        assert values[xs == 2.0][0] == pytest.approx(math.sqrt(2.0) + 1.0, rel=1e-15)
        assert np.array_equal(doubles, 2.0 * xs)
        for _ in range(3):
            with pytest.raises(ValueError, match=message):
                kernel(-8.0, 0.5)
            assert kernel(4.0, 0.5) == [3.0, 8.0]
        assert kernel(-8.0, 2.0) == [65.0, -16.0]
    derivative = ag.compile(ag.value_and_grad(lambda x, y: x**y, (0, 1)), exact=exact)
    value, gradient = derivative(np.array([-8.0, 4.0]), np.array([0.5, 0.5]))
    assert [bits(x) for x in (value[0], gradient[0][0], gradient[1][0])] == ["nan"] * 3
    assert (value[1], gradient[0][1]) == (2.0, 0.25)
    sums = ag.compile(function, exact=exact, reduce="sum")(np.array([1.0, -8.0, 2.0]), 0.5)
    assert math.isnan(sums[0])
    assert sums[1] == -10.0


@both_modes()
def test_a_batch_where_one_error_is_caught_and_another_is_not(exact):
    def function(x):
        try:
            y = x**0.5
        except ValueError:
            y = x * 2.0
        return y + (x + 10.0) ** 0.5

    kernel = ag.compile(function, exact=exact)
    found = kernel(np.array([-20.0, -1.0, 6.0])).tolist()
    assert math.isnan(found[0])
    assert found[1:] == pytest.approx([1.0, math.sqrt(6.0) + 4.0], rel=1e-15)
    with pytest.raises(ValueError, match=r"power\(-10.0, 0.5\) is complex"):
        kernel(-20.0)


def test_a_pickled_kernel_knows_where_it_raises():
    kernel = ag.compile(pow)
    kernel(np.array([-8.0, 2.0]), 0.5)
    again = pickle.loads(pickle.dumps(kernel))
    assert math.isnan(again(np.array([-8.0]), 0.5)[0])
    with pytest.raises(ValueError, match="is complex"):
        again(-8.0, 0.5)


# --- the user's primitives


class OwnError(Exception):
    """Of the user's own."""


def only_positive(x):
    if x < 0.0:
        raise ValueError("negative")
    return x * 2.0


def only_small(x):
    if not x < 100.0:
        raise OwnError(x)
    return x + 1.0


def inverse(x):
    return 1.0 / x  # ZeroDivisionError


def overflowing(x):
    return math.exp(x)  # OverflowError


PICKY = (  # the function, its partial, its domain, what it raises
    (only_positive, lambda r, x: 2.0 + 0.0 * x, (0.0, math.inf), ValueError),
    (only_small, lambda r, x: 1.0, (0.0, 99.0), OwnError),
    (inverse, lambda r, x: -ag.reciprocal(x * x), (0.1, 9.0), ZeroDivisionError),
    (overflowing, lambda r, x: ag.exp(x), (0.0, 9.0), OverflowError),
    (math.sqrt, lambda r, x: 0.5 * ag.reciprocal(r), (0.1, 9.0), ValueError),  # C's gives nan
)


def picky():
    return pytest.mark.parametrize("case", PICKY, ids=lambda case: case[0].__name__)


@both_modes()
@picky()
def test_errors_of_a_users_primitive_make_paths(case, exact, forget):
    function, partial, domain, error = case
    primitive = ag.define_primitive("picky", function, partial, domain=domain)

    def catching(x):
        try:
            return primitive(x) * 3.0
        except error:
            return x * 0.5

    def throwing_away(x):
        try:
            x.picky() if isinstance(x, ag.Value) else primitive(x)
        except error:
            return x * 0.5
        return x + 1.0

    xs = (3.0, -3.0, 0.0, 200.0, 1e4)
    check(catching, xs, exact)
    check(throwing_away, xs, exact)
    kernel = ag.compile(lambda x: primitive(x) + 1.0, exact=exact)
    kernel(3.0)
    bad = next(x for x in xs if raised_by(function, x) is error)
    for x in (bad, np.array([3.0, bad, 4.0]), np.full(9, bad)):
        with pytest.raises(error):
            kernel(x)
    assert kernel(3.0) == function(3.0) + 1.0
    assert kernel(np.array([3.0, 4.0])).tolist() == [function(3.0) + 1.0, function(4.0) + 1.0]


def raised_by(function, x):
    try:
        function(x)
    except Exception as error:
        return type(error)
    return None


@both_modes()
def test_errors_of_a_users_primitive_of_several_arguments(exact, forget):
    def ratio(x, y):
        if y == 0.0:
            raise OwnError
        return x / y

    quotient = ag.define_primitive(
        "ratio", ratio, (lambda r, x, y: ag.reciprocal(y), lambda r, x, y: -x * ag.reciprocal(y * y)), domain=(0.5, 9.0)
    )
    largest = ag.define_primitive("summed", lambda *xs: math.fsum(xs), lambda r, *xs: [1.0] * len(xs), variadic=True)

    def function(x, y):
        try:
            return quotient(quotient(x, y), 2.0) + largest([x, y, 1.0])
        except OwnError:
            return x - y
        except (ValueError, OverflowError):  # fsum of infinities
            return y

    rows = list(itertools.product((1.0, -2.0, 0.0, math.inf, -math.inf, math.nan), repeat=2))
    kernel = ag.compile(ag.value_and_grad(function, (0, 1)), exact=exact)
    value, gradient = kernel(*[np.array(column) for column in zip(*rows, strict=True)])
    for i, row in enumerate(rows):
        expected, slopes = ag.value_and_grad(function, (0, 1))(*row)
        for found, wanted in zip((value[i], gradient[0][i], gradient[1][i]), (expected, *slopes), strict=True):
            assert bits(found) == bits(wanted) or (not exact and found == pytest.approx(wanted, rel=1e-15)), row
        assert [bits(x) for x in np.ravel(kernel(*row)[0])] == [bits(value[i])]


@both_modes()
def test_a_partial_that_raises(exact, forget):
    """Its rule calls another primitive of the user's, which raises where the first does not."""
    inner = ag.define_primitive("slope_of", only_positive, lambda r, x: 2.0 + 0.0 * x, domain=(0.0, 9.0))
    outer = ag.define_primitive("square_of", lambda x: x * x, lambda r, x: inner(x), domain=(0.5, 9.0))

    def function(x):
        try:
            return ag.grad(outer)(x)
        except ValueError:
            return x * 0.0 - 1.0

    kernel = ag.compile(function, exact=exact)
    assert (kernel(-3.0), kernel(3.0), kernel(np.array([2.0, -2.0])).tolist()) == (-1.0, 6.0, [4.0, -1.0])
    derivative = ag.compile(ag.grad(outer), exact=exact)
    assert derivative(3.0) == 6.0
    for x in (-3.0, np.array([3.0, -3.0])):
        with pytest.raises(ValueError, match="negative"):
            derivative(x)


def test_an_interruption_inside_of_a_primitive_goes_on(forget):
    """Whatever is no Exception is not the function's to catch."""
    ringing = threading.Event()

    def interrupted(x):
        if ringing.is_set():
            raise KeyboardInterrupt
        return x + 1.0

    primitive = ag.define_primitive("interrupted", interrupted, lambda r, x: 1.0, domain=(0.0, 9.0))
    kernel = ag.compile(lambda x: primitive(x) * 2.0)
    assert kernel(1.0) == 4.0
    ringing.set()
    for x in (1.0, np.ones(9)):
        with pytest.raises(KeyboardInterrupt):
            kernel(x)
    ringing.clear()
    assert kernel(np.ones(2)).tolist() == [4.0, 4.0]


def test_a_nan_is_no_error(forget):
    """Of any bits, also those by which machine code is told of an error."""
    from autograd_lite.compiler.llvm import _RAISED

    for i, nan in enumerate((math.nan, -math.nan, _RAISED)):
        primitive = ag.define_primitive(f"not_a_number{i}", lambda x, nan=nan: nan if x > 10.0 else x, lambda r, x: 1.0)
        for exact in (False, True):
            kernel = ag.compile(lambda x, primitive=primitive: primitive(x) + 1.0, exact=exact)
            assert math.isnan(kernel(11.0))
            assert kernel(np.array([1.0, 12.0])).tolist()[0] == 2.0
            assert kernel.paths == 1


def test_a_function_with_defaults(forget):
    """The machine calls it with the primitive's arguments alone."""
    primitive = ag.define_primitive("shifted", lambda x, by=0.5: x + by, lambda r, x: 1.0)
    for exact in (False, True):
        kernel = ag.compile(lambda x: primitive(x) * 2.0, exact=exact)
        assert (kernel(1.0), kernel(np.array([1.0, 2.0])).tolist()) == (3.0, [3.0, 5.0])


# --- programs


def program_of(function, *args):
    kernel = ag.compile(function, exact=True)
    kernel(*args)
    return kernel.program


def test_programs_with_such_guards(forget):
    primitive = ag.define_primitive("picky", only_positive, lambda r, x: 2.0 + 0.0 * x, domain=(0.0, 9.0))

    def function(x):
        try:
            return primitive(x) + 1.0
        except ValueError:
            return -x

    for x, other, text in ((-3.0, 3.0, "assume not v2 is defined"), (3.0, -3.0, "assume v1 is defined")):
        program = program_of(function, x)
        assert text in str(program)
        assert program(x) == [function(x)]
        with pytest.raises(PathError, match="is defined is"):
            program(other)
        assert Program.from_json(program.to_json()) == program
        assert pickle.loads(pickle.dumps(program)) == program
    for x, other, text in ((-4.0, 4.0, r"assume not x0 \*\* 0.5 is real"), (4.0, -4.0, r"assume x0 \*\* 0.5 is real")):
        program = program_of(caught, x)
        assert text.replace("\\", "") in str(program)
        assert program(x) == [caught(ag.Value(x)).data]
        with pytest.raises(PathError, match="is real is"):
            program(other)
