"""Compiled functions that branch: every point goes its own way, as the engine does, and the ways are counted.

AUTOGRAD_LITE_POINTS scales the number of random programs; from 1000 on there are fewer, at many more points each: 20000 is
125,000 points of 200 programs.
"""

import itertools
import math
import operator
import os
import random
import struct
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import Value
from values import bits

SCALE = int(os.environ.get("AUTOGRAD_LITE_POINTS", "100"))
PROGRAMS, POINTS = (max(5, SCALE // 5), 20) if SCALE < 1000 else (SCALE // 100, 500)
COMPARISONS = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
ODD = (0.0, -0.0, 1.0, -1.0, 2.0, 0.5, -3.0, 1e-320, 1e300, -1e300, math.inf, -math.inf, math.nan)


# --- random programs: nested lists of statements on a list of numbers, which only grows


def operations(depth):
    index = st.integers(0, 30)
    constant = st.sampled_from((0.0, 1.0, -1.5, 2.0, 0.25))
    assignment = st.tuples(st.just("assign"), st.sampled_from(sorted(OPERATIONS)), index, index)
    comparison = st.tuples(
        st.sampled_from(sorted(COMPARISONS)), index, st.one_of(index, constant, st.integers(-2, 2).map(float))
    )
    if not depth:
        return st.lists(assignment, min_size=1, max_size=3)
    block = operations(depth - 1)
    branch = st.tuples(st.just("if"), comparison, block, block)
    loop = st.tuples(st.just("while"), comparison, block, st.integers(1, 4))
    truth = st.tuples(st.just("truth"), index, block)
    builtin = st.tuples(st.just("builtin"), st.sampled_from(sorted(BUILTINS)), index, index, index)
    return st.lists(st.one_of(assignment, assignment, branch, loop, truth, builtin), min_size=1, max_size=4)


OPERATIONS = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "half": lambda x, y: 0.5 * x + 0.125,
    "tanh": lambda x, y: ag.tanh(x),
    "square": lambda x, y: x * x,
    "log": lambda x, y: ag.log(x),
    "exp": lambda x, y: ag.exp(-x),
    "hypot": ag.hypot,
    "maximum": ag.maximum,
    "modulo": operator.mod,
    "stop": lambda x, y: ag.stop_gradient(x) * y,
    "where": lambda x, y: ag.where(ag.step(x), x, y),
}
BUILTINS = {
    "max": lambda *xs: max(xs),
    "min": lambda *xs: min(xs),
    "median": lambda *xs: sorted(xs)[1],
    "abs": lambda x, y, z: abs(x),
    "chain": lambda x, y, z: 1.0 + x if x < y <= z else y,
    "any": lambda *xs: 2.0 * xs[0] if any(x > 1.0 for x in xs) else xs[1],
    "or": lambda x, y, z: x or y or z,
    "and": lambda x, y, z: x and y,
    "not": lambda x, y, z: 1.5 if not x else z,
    "sum": lambda *xs: sum([x for x in xs if x > 0], xs[0]),
    "index": lambda *xs: float(max(range(3), key=lambda i: xs[i])) + xs[0],
}

programs = operations(2)


def execute(statements, numbers):
    """Run a program; whatever happens in a block stays in the list of numbers."""

    def at(i):
        return numbers[-1 - i % len(numbers)]

    for statement in statements:
        match statement:
            case ("assign", name, i, j):
                numbers.append(OPERATIONS[name](at(i), at(j)))
            case ("if", comparison, then, otherwise):
                execute(then if holds(comparison, at) else otherwise, numbers)
            case ("while", comparison, body, most):
                count = 0
                while count < most and holds(comparison, at):
                    execute(body, numbers)
                    count += 1
                numbers.append(numbers[-1] + float(count))
            case ("truth", i, then):
                if at(i):
                    execute(then, numbers)
            case ("builtin", name, i, j, k):
                numbers.append(BUILTINS[name](at(i), at(j), at(k)))


def holds(comparison, at):
    name, i, other = comparison
    return COMPARISONS[name](at(i), other if isinstance(other, float) else at(other))


def function_of(program):
    def function(x, y, z):
        numbers = [x, y, z]
        execute(program, numbers)
        return numbers[-1] + 0.0 * x

    return function


class Noting(Value, own_results=True):
    """A Value that writes down how its comparisons come out."""

    outcomes: list[bool]

    def noted(self, outcome):
        Noting.outcomes.append(outcome)
        return outcome

    def __bool__(self):
        return self.noted(super().__bool__())

    __hash__ = Value.__hash__

    def __eq__(self, other):
        return self.noted(super().__eq__(other))

    def __ne__(self, other):
        return self.noted(super().__ne__(other))

    def __lt__(self, other):
        return self.noted(super().__lt__(other))

    def __le__(self, other):
        return self.noted(super().__le__(other))

    def __gt__(self, other):
        return self.noted(super().__gt__(other))

    def __ge__(self, other):
        return self.noted(super().__ge__(other))


def way_of(function, args):
    """How the comparisons came out which the function made at a point."""
    Noting.outcomes = []
    function(*[Noting(x) for x in args])
    return tuple(Noting.outcomes)


def flat(result):
    return [x for item in result for x in flat(item)] if isinstance(result, (list, tuple)) else [result]


def outcome(function, args):
    """The bits of a function's results on Values, or on floats where it makes the Values itself."""
    return [bits(x.data if isinstance(x, Value) else x) for x in flat(function(*args))]


def on_values(function):
    return lambda *args: function(*[Value(x) for x in args])


def any_points(draw, count):
    def number():
        kind = draw.randrange(4)
        if kind == 0:
            return draw.choice(ODD)
        if kind == 1:
            return float(draw.randint(-3, 3))
        return draw.uniform(-3.0, 3.0) if kind == 2 else struct.unpack("<d", draw.randbytes(8))[0]

    rows = [(number(), number(), number()) for _ in range(count)]
    return rows + [(x, x, z) for x, _, z in rows[: count // 4]]  # equal ones


def check(function, rows, expected):
    """Alone and in a batch, in another order, a kernel gives what the function gives, on as many paths as were gone."""
    kernel = ag.compile(function, exact=True, max_paths=10_000)
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    found = [[bits(x) for x in row] for row in zip(*[np.asarray(x).tolist() for x in flat(kernel(*columns))], strict=True)]
    assert found == expected
    paths = kernel.paths
    for row, numbers in zip(rows, expected, strict=True):
        assert outcome(kernel, row) == numbers
    assert kernel.paths == paths
    one_by_one = ag.compile(function, exact=True, max_paths=10_000)
    for row, numbers in zip(rows[::-1], expected[::-1], strict=True):
        assert outcome(one_by_one, row) == numbers
    assert one_by_one.paths == paths
    return paths


@given(programs, st.integers(0, 2**32))
@settings(max_examples=PROGRAMS)
def test_random_programs_have_the_bits_of_the_engine_on_every_path(program, seed):
    function, rows = function_of(program), any_points(random.Random(seed), POINTS)
    paths = check(function, rows, [outcome(on_values(function), row) for row in rows])
    assert paths == len({way_of(function, row) for row in rows})


@given(programs, st.integers(0, 2**32))
@settings(max_examples=max(5, PROGRAMS // 2))
def test_derivatives_of_random_programs_have_the_bits_of_the_engine(program, seed):
    function, rows = ag.value_and_grad(function_of(program), (0, 1, 2)), any_points(random.Random(seed), POINTS // 2)
    check(function, rows, [outcome(function, row) for row in rows])


@given(programs, st.integers(0, 2**32))
@settings(max_examples=max(5, PROGRAMS // 2))
def test_default_mode_takes_the_paths_of_its_own_numbers(program, seed):
    """Near to the engine where both are on one path; a batch and its points one by one have the same bits."""
    function, rows = function_of(program), any_points(random.Random(seed), POINTS)
    kernel = ag.compile(function, max_paths=10_000)
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    found = [bits(x) for x in kernel(*columns).tolist()]
    assert [bits(kernel(*row)) for row in rows] == found
    assert [bits(x) for x in ag.compile(function, max_paths=10_000)(*[column[::-1] for column in columns]).tolist()] == found[
        ::-1
    ]


# --- paths


def steps(x):
    """So many paths as there are integers below x, or 100."""
    for i in range(100):
        if x < i:
            return x * i
    return x


def test_paths_are_counted_and_kept():
    kernel = ag.compile(steps)
    assert (kernel.paths, repr(kernel)) == (0, "<compiled steps: 0 paths>")
    with pytest.raises(RuntimeError, match="has not been recorded yet"):
        _ = kernel.program
    assert [kernel(x) for x in (0.5, 1.5, 0.25, 2.5, 1.75)] == [0.5, 3.0, 0.25, 7.5, 3.5]
    assert (kernel.paths, repr(kernel), len(kernel.programs)) == (3, "<compiled steps: 3 paths>", 3)
    seconds = kernel.compile_seconds
    assert seconds > 0.0
    assert kernel(1.25) == 2.5
    assert (kernel.paths, kernel.compile_seconds) == (3, seconds)
    assert kernel.program is kernel.programs[-1]


@pytest.mark.parametrize("reduce", [None, "sum", "mean"])
def test_points_on_more_paths_than_are_kept_are_computed_with_one_warning(reduce):
    xs = np.linspace(0.0, 99.0, 67)
    expected = np.array([steps(x) for x in xs.tolist()])
    kernel = ag.compile(steps, max_paths=4, reduce=reduce)
    with pytest.warns(
        ag.PathWarning, match=r"steps has taken 4 paths \(max_paths\), and further ones are not compiled"
    ) as caught:
        result = kernel(xs)
    assert [warning.filename for warning in caught] == [__file__]
    assert result == {None: result, "sum": expected.sum(), "mean": expected.sum() / 67}[reduce] if reduce else True
    assert reduce or result.tolist() == expected.tolist()
    assert kernel.paths == 4
    assert [kernel(x) for x in (98.5, 0.5, 60.25)] == [steps(x) for x in (98.5, 0.5, 60.25)]
    assert kernel.paths == 4


def test_the_warning_names_the_line_of_the_call():
    kernel = ag.compile(steps, max_paths=1)
    kernel(0.5)
    with pytest.warns(ag.PathWarning) as caught:
        kernel(50.0)
    line = caught[0].lineno
    assert Path(__file__).read_text(encoding="utf-8").splitlines()[line - 1].strip() == "kernel(50.0)"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert kernel(70.5) == steps(70.5)


def test_computed_points_have_the_derivatives_of_the_function():
    function = ag.value_and_grad(lambda x, p: [steps(x) * p["a"], p["b"]][0], (0, 1))
    kernel = ag.compile(function, max_paths=2, exact=True)
    xs = [0.5, 1.5, 30.5, 40.5, 0.75]
    with pytest.warns(ag.PathWarning):
        value, (by_x, by_p) = kernel(np.array(xs), {"a": 2.0, "b": 3.0})
    for i, x in enumerate(xs):
        assert function(x, {"a": 2.0, "b": 3.0}) == (value[i], (by_x[i], {"a": by_p["a"][i], "b": by_p["b"][i]}))


def test_loops_that_depend_on_numbers():
    def root(a):
        x, rounds = a, 0
        while abs(x * x - a) > 1e-12 * a:
            x, rounds = 0.5 * (x + a / x), rounds + 1
        return [x, rounds]

    kernel = ag.compile(root, exact=True)
    xs = np.geomspace(0.01, 1e6, 50)
    found, rounds = kernel(xs)
    for i, a in enumerate(xs.tolist()):
        assert [bits(found[i]), rounds[i]] == [bits(root(a)[0]), root(a)[1]]
    assert kernel.paths == len(set(rounds.tolist()))
    assert np.allclose(ag.compile(ag.grad(lambda a: root(a)[0]))(xs), 0.5 / np.sqrt(xs), rtol=1e-9)


def test_results_of_one_structure_on_every_path():
    kernel = ag.compile(lambda x: [x, 1.0] if x > 0 else [x])
    assert kernel(1.0) == [1.0, 1.0]
    with pytest.raises(ValueError, match="returns .* here, and .* at other points: results of a compiled function have one"):
        kernel(-1.0)
    assert (kernel(2.0), kernel.paths) == ([2.0, 1.0], 1)
    assert ag.compile(lambda x: 1 if x > 0 else x)(np.array([1.0, -2.0])).tolist() == [1.0, -2.0]


def test_a_path_without_code_costs_no_nan():
    """Points off a path may give anything on it, which never comes out."""
    kernel = ag.compile(lambda x: ag.log(x) if x > 0 else -ag.sqrt(-x), exact=True)
    xs = np.array([-4.0, 1.0, -0.0, math.e, math.nan, -math.inf])
    assert [bits(x) for x in kernel(xs).tolist()] == [bits(x) for x in (-2.0, 0.0, -0.0, 1.0, math.nan, -math.inf)]
    assert kernel.paths == 2


# --- what is compared


NUMBERS = (
    *(0, 3, -1, 2**53, 2**53 + 1, -(2**53) - 1, 2**60 + 1, 10**400, -(10**400), True, False),
    *(Fraction(1, 3), Fraction(-1, 10), Fraction(10**400, 3), 0.1, -0.0, math.inf, -math.inf, math.nan),
    *(np.float64(0.3), np.int64(2**62 + 1), np.bool_(True), 5e-324),
)


def neighbours(number):
    try:
        x = float(number)
    except OverflowError:
        x = math.inf if number > 0 else -math.inf
    return {x, math.nextafter(x, math.inf), math.nextafter(x, -math.inf), -x, 0.0, math.inf, -math.inf, 1.7976931348623157e308}


@pytest.mark.parametrize("number", NUMBERS, ids=lambda x: f"{type(x).__name__} {x!r:.10}")
def test_comparisons_with_numbers_of_any_kind_are_exact(number):
    points = [*neighbours(number), math.nan]
    for compare in COMPARISONS.values():
        for function in (lambda x, compare=compare: 2.0 * x if compare(x, number) else 3.0 + x,
                         lambda x, compare=compare: 2.0 * x if compare(number, x) else 3.0 + x):  # fmt: skip
            expected = [bits(function(Value(x)).data) for x in points]
            kernel = ag.compile(function, exact=True)
            assert [bits(x) for x in kernel(np.array(points)).tolist()] == expected, number
            assert [bits(kernel(x)) for x in points] == expected, number


@pytest.mark.parametrize("number", [np.float32(0.1), np.float16(1.5)], ids=repr)
def test_narrow_numbers_are_compared_as_what_they_are(number):
    """Where NumPy compares them with a float, that is rounded first."""
    exact = float(number)
    points = np.array([exact, math.nextafter(exact, 9.0), math.nextafter(exact, 0.0)])
    for compare in COMPARISONS.values():
        kernel = ag.compile(lambda x, compare=compare: 2.0 * x if compare(x, number) else x)
        assert kernel(points).tolist() == [2.0 * x if compare(x, exact) else x for x in points.tolist()]


@pytest.mark.parametrize("other", ["1.0", None, 1j, [1.0]], ids=repr)
def test_comparisons_with_what_is_no_number(other):
    with pytest.raises(TypeError, match="not supported between instances of 'Recorded' and"):
        ag.compile(lambda x: x if x < other else 2.0)(1.0)


def test_comparisons_of_constants_make_no_paths():
    def function(x):
        a = ag.stop_gradient(x) * 0.0 + 1.0
        b = Value(2.0) * 3.0
        return x + 1.0 if b > 5.0 and a > 0.0 else x

    kernel = ag.compile(function)
    assert kernel(np.array([1.0, 2.0, 3.0])).tolist() == [2.0, 3.0, 4.0]
    assert kernel.paths == 1
    assert all(guard.left >= 0 or guard.right >= 0 for guard in kernel.program.guards)


def test_sorting_and_choosing():
    def function(x, y, z):
        low, middle, high = sorted([x, y, z])
        return [
            low,
            middle,
            high,
            max(x, y, z),
            min(x, y, z),
            max([x, y], key=abs),
            high - low if low < 0.0 <= high else middle,
        ]

    kernel = ag.compile(function)
    rows = list(itertools.product((-2.0, -0.0, 0.0, 1.0, 3.5), repeat=3))
    result = kernel(*[np.array(column) for column in zip(*rows, strict=True)])
    for i, row in enumerate(rows):
        assert [bits(x[i]) for x in result] == [bits(x) for x in function(*row)]


# --- errors on some paths


def raising(x):
    if x > 10.0:
        raise KeyError("too large")
    return ag.sqrt(x) if x > 1.0 else x


@pytest.mark.parametrize("exact", [False, True])
def test_what_a_function_raises_on_one_branch(exact):
    kernel = ag.compile(raising, exact=exact)
    with pytest.raises(KeyError, match="too large"):
        kernel(11.0)
    assert kernel.paths == 0
    assert kernel(np.array([4.0, 0.5])).tolist() == [2.0, 0.5]
    for x in (11.0, np.array([4.0, 0.5, 12.0])):
        with pytest.raises(KeyError, match="too large"):
            kernel(x)
    assert (kernel.paths, kernel(9.0)) == (2, 3.0)


def test_complex_powers_raise_as_in_the_engine():
    for exact in (False, True):
        kernel = ag.compile(lambda x, y: x**y + 1.0, exact=exact)
        assert kernel(4.0, 0.5) == 3.0
        message = r"power\(-8.0, 0.5\) is complex: a negative number has no real power"
        for _ in range(2):
            with pytest.raises(ValueError, match=message):
                kernel(-8.0, 0.5)
            assert [bits(x) for x in kernel(np.array([4.0, -8.0, 9.0]), 0.5).tolist()] == [
                bits(x) for x in (3.0, math.nan, 4.0)
            ]
            assert [bits(x) for x in kernel(-8.0, np.array([2.0, 0.5])).tolist()] == [bits(x) for x in (65.0, math.nan)]
        assert kernel(np.array([-8.0, math.nan, -math.inf, -1.0]), np.array([2.0, 0.5, 0.5, math.inf])).tolist()[:1] == [65.0]
        assert kernel(-2.0, 3.0) == -7.0
        with pytest.raises(ValueError, match="is complex"):
            ag.compile(lambda x: (-8.0) ** x, exact=exact)(0.5)


# --- functions that are not the same twice


def test_what_is_drawn_or_counted_is_refused():
    generator, calls = random.Random(1), itertools.count(1)
    told = r"<lambda> made another program when it was called once more at the same point: it must not draw random numbers"
    for function in (
        lambda x: x * generator.random(),
        lambda x: x + next(calls),
        lambda x: x * 2.0 if next(calls) % 2 else x + 2.0,
        lambda x: x if x > next(calls) else 2.0 * x,
    ):
        for x in (1.0, np.array([1.0, 2.0])):
            with pytest.raises(ag.RecordingError, match=told):
                ag.compile(function)(x)


def test_what_is_the_same_is_not_refused():
    """A nan that is computed anew is the same nan."""
    kernel = ag.compile(lambda x: ag.where(x, x, ag.log(Value(-1.0))) + [float("nan"), 0.0][1] + ag.where(x, 0.0, float("nan")))
    assert (kernel(2.0), bits(kernel(0.0))) == (2.0, "nan")
    assert kernel.paths == 1


# --- kernels in functions


def test_kernels_in_kernels():
    inner = ag.compile(lambda x, y: x * y if x > y else ag.sin(x) * y, exact=True)

    def outer(x, y):
        return inner(x, y) ** 2.0 + inner(y, x) if x > 0 else inner(x + 1.0, y)

    def plain(x, y):
        f = inner.function
        return f(x, y) ** 2.0 + f(y, x) if x > 0 else f(x + 1.0, y)

    rows = list(itertools.product((-2.0, -0.5, 0.0, 1.0, 3.0), repeat=2))
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    for transform in (lambda f: f, ag.grad, lambda f: ag.grad(ag.grad(f))):
        kernel = ag.compile(transform(outer), exact=True)
        expected = [transform(plain)(*row) for row in rows]
        assert [bits(x) for x in kernel(*columns).tolist()] == [bits(x) for x in expected]
        assert [bits(transform(outer)(*row)) for row in rows] == [bits(x) for x in expected]
    nested = ag.compile(ag.grad(ag.compile(ag.grad(ag.compile(plain)))), exact=True)
    assert [bits(x) for x in nested(*columns).tolist()] == [bits(x) for x in expected]
