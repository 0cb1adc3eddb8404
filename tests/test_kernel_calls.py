"""Calls of compiled functions: keywords, flags, counts, methods and the objects they belong to."""

import collections
import copy
import enum
import functools
import inspect
import itertools
import math
import pickle
import threading
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.compiler.record import RecordingError

# --- by position and by keyword


def weighted(x, /, y=2.0, *rest, scale=3.0, **more):
    return [x, 10.0 * y, sum(rest, 0.0), scale * x, *[z * x for z in more.values()], float(len(rest))]


@given(st.data())
def test_arguments_go_where_the_function_has_them(data):
    """Any call that Python takes gives what the function gives."""
    kernel = ag.compile(weighted, exact=True)
    number = st.integers(-8, 8).map(float)
    for _ in range(3):
        args = data.draw(st.lists(number, min_size=1, max_size=4))
        keywords = data.draw(st.dictionaries(st.sampled_from(["scale", "a", "b", *["y"] * (len(args) == 1)]), number))
        for _ in range(3):
            assert kernel(*args, **keywords) == weighted(*args, **keywords)
        batch = [np.array([x, x + 1.0]) for x in args], {name: x + np.zeros(2) for name, x in keywords.items()}
        points = [weighted(*[x + i for x in args], **keywords) for i in range(2)]
        assert [x.tolist() for x in kernel(*batch[0], **batch[1])] == [list(pair) for pair in zip(*points, strict=True)]


@pytest.mark.parametrize(
    ("args", "keywords"),
    [
        ((), {}),
        ((1.0,), {"x": 1.0}),
        ((1.0, 2.0), {"y": 1.0}),
        ((1.0,), {"z": 1.0, "x": 2.0}),
        ((1.0, 2.0, 3.0), {}),
        ((1.0,), {"w": 2.0}),
    ],
)
def test_wrong_calls_are_pythons_own_errors(args, keywords):
    def function(x, y=1.0, *, z):
        return x * y * z

    with pytest.raises(TypeError) as own:
        function(*args, **keywords)
    kernel = ag.compile(function)
    for _ in range(2):
        with pytest.raises(TypeError) as found:
            kernel(*args, **keywords)
        assert str(found.value) == str(own.value)
        assert kernel(2.0, z=3.0) == 6.0


def test_a_keyword_for_a_positional_argument_makes_no_other_path():
    kernel = ag.compile(lambda x, y: x - y)
    assert [kernel(3.0, 1.0), kernel(3.0, y=1.0), kernel(y=1.0, x=3.0)] == [2.0] * 3
    assert kernel.paths == 1
    assert inspect.signature(kernel) == inspect.signature(kernel.function)


def test_calls_with_more_arguments_in_threads():
    for _ in range(20):
        kernel, failed = ag.compile(lambda *xs: sum(xs, 0.0)), []

        def work(count, kernel=kernel, failed=failed):
            failed += [count for _ in range(3) if kernel(*[1.0] * count) != count]

        threads = [threading.Thread(target=work, args=(count,)) for count in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (failed, kernel.paths) == ([], 4)


def test_functions_that_say_what_others_take():
    """A wrapper's signature is its own, whatever it wraps."""

    def twice(f):
        @functools.wraps(f)
        def wrapper(*args, times=2.0):
            return times * f(*args)

        return wrapper

    kernel = ag.compile(twice(lambda x, y: x - y))
    assert [kernel(3.0, 1.0), kernel(3.0, 1.0, times=5.0)] == [4.0, 10.0]
    slope = ag.compile(ag.grad(lambda x, *, k: x**2.0 * k), exact=True)
    assert [slope(3.0, k=1.0), slope(3.0, k=2.0)] == [6.0, 12.0]


def test_defaults_that_can_change_are_read_at_every_call():
    def function(x, w=[1.0, 2.0], a=np.array([3.0, 4.0])):
        return x * w[0] + a[1]

    kernel = ag.compile(function)
    assert kernel(2.0) == 6.0
    function.__defaults__[0][0] = 5.0
    function.__defaults__[1][1] = 0.5
    assert kernel(2.0) == 10.5
    assert kernel(np.array([1.0, 2.0, 3.0])).tolist() == [5.5, 10.5, 15.5]
    assert kernel(2.0, [1.0, 1.0]) == 2.5


@pytest.mark.parametrize("call", [lambda k, p, x: k(p, x), lambda k, p, x: k(p, x=x), lambda k, p, x: k(x=x, p=p)])
def test_batch_tells_of_arguments_in_the_order_of_the_functions(call):
    kernel = ag.compile(lambda p, x: p[0] * x + p[1], batch=(None, 0))
    assert call(kernel, np.array([2.0, 1.0]), np.arange(3.0)).tolist() == [1.0, 3.0, 5.0]
    with pytest.raises(TypeError, match="batch tells of 2 arguments, and 1 were given"):
        kernel(1.0)
    optional = ag.compile(lambda p, x, mode="up": p * x if mode == "up" else -x, batch=(None, 0))
    assert optional(2.0, np.arange(3.0)).tolist() == [0.0, 2.0, 4.0]


def test_values_by_keyword_are_differentiated():
    kernel = ag.compile(lambda x, *, p: x**2.0 * p)
    kernel(2.0, p=3.0)
    assert ag.grad(lambda x: kernel(x, p=3.0))(2.0) == 12.0
    assert ag.grad(lambda p: kernel(2.0, p=p))(3.0) == 4.0


def test_results_in_given_arrays_by_keyword():
    out = np.empty(3)
    assert ag.compile(lambda x, *, p: x * p)(np.arange(3.0), p=2.0, out=out) is out
    assert out.tolist() == [0.0, 2.0, 4.0]


# --- what is no number


class Mode(enum.Enum):
    """A flag."""

    UP = 1
    DOWN = 2


FLAGS = ["up", "", None, True, False, Mode.UP, Mode.DOWN, b"up", math.sin, ag.sin, int, ..., "down"]


def flagged(x, flag):
    if flag in (True, Mode.UP, "up") and not isinstance(flag, float):
        return x * x
    return -x if flag is None else ag.sin(x) if flag is ag.sin else x + float(FLAGS.index(flag))


def test_flags_are_given_to_the_function_as_they_are():
    kernel = ag.compile(flagged, exact=True)
    for _ in range(2):
        for flag in FLAGS:
            assert kernel(3.0, flag) == flagged(3.0, flag)
            assert kernel(np.array([3.0, 1.0]), flag=flag).tolist() == [flagged(3.0, flag), flagged(1.0, flag)]
    assert kernel.paths == len(FLAGS)


def test_flags_among_numbers():
    def function(config, x):
        layers = config["layers"]
        return sum([w * x for w, kind in layers if kind == "on"], 0.0) * config["scale"]

    kernel = ag.compile(function)
    for first, second, scale in itertools.product(["on", "off"], ["on", None], [1.0, 2.0, 3]):
        config = {"layers": [(2.0, first), (5.0, second)], "scale": scale}
        assert kernel(config, 3.0) == function(config, 3.0)
        assert kernel(config, np.array([3.0, 1.0])).tolist() == [function(config, 3.0), function(config, 1.0)]
    assert kernel.paths == 4


def test_a_flag_that_is_none_of_the_functions_is_named():
    kernel = ag.compile(lambda x, y: x * y)
    for wrong in ("a", None):
        with pytest.raises(TypeError, match=f"<lambda>: argument 2 takes a real number, not {type(wrong).__name__}"):
            kernel(1.0, wrong)
    with pytest.raises(ValueError, match="^unknown mode 'a'$"):
        ag.compile(raising)(1.0, "a")
    for i in range(100):  # nothing is kept of these
        with pytest.raises(TypeError, match="argument 2"):
            kernel(1.0, f"no {i}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ag.compile(flagged)(2.0, "up") == 4.0


def raising(x, mode):
    raise ValueError(f"unknown mode {mode!r}")


def test_static_arguments_keep_machine_code_for_each_value():
    kernel = ag.compile(lambda x, n, z: x**n + math.copysign(1.0, z), static=("n", 2), exact=True)
    for n, z in itertools.product([1, 2, 3, True, 2.0, np.int64(2), (3,)], [0.0, -0.0]):
        if n != (3,):
            assert kernel(1.5, n, z) == 1.5**n + math.copysign(1.0, z)
            assert kernel(1.5, z=z, n=n) == kernel(1.5, n, z)
    assert kernel.paths == 12
    with pytest.raises(TypeError, match=r"argument 2 is static and has no hash: list \[1\]; give a tuple"):
        kernel(1.0, [1], 0.0)
    tuples = ag.compile(lambda x, shape: x * float(shape[0] / 2) if isinstance(shape[0], int) else x, static="shape")
    assert [tuples(3.0, (1, 2.0)), tuples(3.0, (1.0, 2)), tuples(3.0, (4, 2))] == [1.5, 3.0, 6.0]


@pytest.mark.parametrize(
    ("static", "message"),
    [
        ("q", "static says 'q', and area has no argument of that name"),
        (2, "static says argument 2, and area takes 2 by position"),
        (-1, "static is a name, a position, or a tuple of these, not -1"),
        (True, "static is a name"),
        (["x"], "static is a name"),
        (1.0, "static is a name"),
    ],
)
def test_static_arguments_that_there_are_not(static, message):
    def area(x, y):
        return x * y

    with pytest.raises(ValueError, match=f"compile: {message}"):
        ag.compile(area, static=static)


def test_a_static_value_does_not_lose_its_derivative():
    kernel = ag.compile(lambda x, y: x * y, static="y")
    assert kernel(3.0, 2.0) == 6.0
    assert ag.grad(lambda y: kernel(3.0, y))(2.0) == 3.0


def test_what_is_neither_number_nor_flag_is_refused():
    with pytest.raises(TypeError, match=r"argument 2 takes a real number, not deque deque\(\[\]\); compile\(..., static"):
        ag.compile(lambda x, y: x)(1.0, collections.deque())
    kernel = ag.compile(lambda x, y: x * len(y), static="y")
    assert kernel(2.0, frozenset({1.0, 2.0})) == 4.0


def test_more_combinations_than_are_kept_are_computed_with_one_warning():
    kernel = ag.compile(lambda x, n: x * len(range(n)), max_paths=3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for n in range(20):
            assert kernel(2.0, n) == 2.0 * n
            assert kernel(np.array([2.0, 3.0]), n).tolist() == [2.0 * n, 3.0 * n]
    assert [warning.category for warning in caught] == [ag.PathWarning]
    assert "<lambda> has been called with 3 combinations (max_paths) of arguments that are no numbers" in str(caught[0].message)
    assert caught[0].filename == __file__
    assert kernel.paths == 3


# --- counts


COUNTING = {
    "range": lambda x, n: sum([x for _ in range(n)], 0.0),
    "range of more": lambda x, n: sum([x * i for i in range(n, 2 * n + 1)], 0.0),
    "index": lambda x, n: [x, 2.0 * x, 3.0 * x, 4.0 * x][n - 1],
    "repeated": lambda x, n: sum([x] * n, 0.0) / n,
    "int": lambda x, n: x ** len(range(int(n))),
    "factorial": lambda x, n: x * math.factorial(n),
    "NumPy": lambda x, n: x * np.zeros(n).size,
    "in a try": lambda x, n: x * tried(n),
    "behind a branch": lambda x, n: x * n if n < 2 else x * len(range(n)),
}


def tried(n):
    try:
        return len(range(n))
    except TypeError:
        return 0


@pytest.mark.parametrize("name", COUNTING)
def test_integers_that_are_counted_with(name):
    function = COUNTING[name]
    for given_function in (function, ag.value_and_grad(function)):
        kernel = ag.compile(given_function, exact=True)
        for n in (1, 2, 3, np.int64(2), 1, 4):
            assert kernel(3.0, n) == given_function(3.0, n)
            batch = kernel(np.array([3.0, 2.0]), n)
            found = [x.tolist() for x in batch] if isinstance(batch, tuple) else batch.tolist()
            expected = [given_function(x, n) for x in (3.0, 2.0)]
            assert found == ([list(pair) for pair in zip(*expected, strict=True)] if isinstance(batch, tuple) else expected)
        assert kernel.paths <= 6


def test_counts_in_structures():
    kernel = ag.compile(lambda x, c: sum([x * c["w"][0]] * c["sizes"][1], 0.0))
    for n, w in ((2, 1.0), (3, 1.0), (3, 2.0)):
        assert kernel(2.0, {"w": [w], "sizes": [7, n]}) == 2.0 * n * w
    assert kernel.paths == 2
    assert kernel(2.0, {"w": [1.0], "sizes": [8.5, 2]}) == 4.0


@pytest.mark.parametrize("wrong", [2.0, np.array([1, 2]), np.float64(2.0)])
def test_floats_and_arrays_are_no_counts(wrong):
    kernel = ag.compile(lambda x, n: x * len(range(n)))
    for _ in range(2):
        with pytest.raises(RecordingError, match="something is counted with .* give an int"):
            kernel(2.0, wrong)
        assert kernel(2.0, 3) == 6.0


@pytest.mark.parametrize("argnums", [1, (0, 1)])
def test_a_derivative_by_a_count_is_an_error_as_without_compile(argnums):
    def function(x, n):
        return x * n * len(range(n))

    with pytest.raises(TypeError):
        ag.grad(function, argnums)(2.0, 3)
    kernel = ag.compile(ag.grad(function, argnums))
    for _ in range(2):
        with pytest.raises(TypeError):
            kernel(2.0, 3)


# --- options without a function; pickles


def test_options_alone_make_a_decorator():
    @ag.compile(exact=True, max_paths=5)
    def square(x):
        """Its square."""
        return x * x

    assert (square(3.0), square.exact, square.max_paths, square.__doc__) == (9.0, True, 5, "Its square.")
    assert ag.compile()(abs)(-2.0) == 2.0
    with pytest.raises(ValueError, match="threads is a whole number"):
        ag.compile(threads=0)
    with pytest.raises(TypeError, match="compile takes a function, not NoneType None"):
        ag.compile(None)
    with pytest.raises(TypeError, match="compile takes a function, not int 3"):
        ag.compile(exact=True)(3)


def powers(x, n, mode="up"):
    return x**n if mode == "up" else -x


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda kernel: pickle.loads(pickle.dumps(kernel))])
def test_copies_keep_what_is_static(copied):
    kernel = ag.compile(powers, static="n")
    assert [kernel(2.0, 3), kernel(2.0, 3, mode="down"), kernel(n=2, x=2.0)] == [8.0, -2.0, 4.0]
    twin = copied(kernel)
    assert twin.static == ("n",)
    assert [twin(2.0, 3), twin(2.0, 3, mode="down"), twin(n=2, x=2.0)] == [8.0, -2.0, 4.0]


def test_programs_of_all_kinds_of_calls_are_there():
    kernel = ag.compile(powers)
    assert kernel(2.0, 3.0) == 8.0
    assert kernel(2.0, 3.0, "down") == -2.0
    assert (kernel.paths, len(kernel.programs), repr(kernel)) == (2, 2, "<compiled powers: 2 paths>")
    assert kernel.program is kernel.programs[-1]
    assert kernel.programs[1](2.0, 3.0) == [-2.0]
    assert kernel.compile_seconds > 0.0
    assert kernel(-2.0, 3.0) == -8.0
