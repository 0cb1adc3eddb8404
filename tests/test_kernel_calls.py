"""Calls of compiled functions: keywords, flags, counts, methods and the objects they belong to."""

import collections
import copy
import dataclasses
import enum
import functools
import gc
import inspect
import itertools
import math
import pickle
import random
import warnings
import weakref
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import Value
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


# --- methods, and objects among the arguments


class Model:
    """Everything that attributes hold."""

    power = 2.0
    offsets = [1.0, 2.0]  # noqa: RUF012

    def __init__(self, slope):
        self.slope, self.weights, self.steps, self.mode = slope, [1.0, {"b": 2.0}], 2, "up"
        self.bias, self.table = Value(0.5), np.array([[1.0, 2.0], [3.0, 4.0]])
        self.queue = collections.deque([1.0])
        self.child = Child(self)

    def value(self, x):
        for _ in range(self.steps):
            x = self.slope * x + self.weights[1]["b"] if self.mode == "up" else -x
        return x**self.power + self.offsets[0] * self.table[1, 0] + self.child.share(x) + self.bias

    compiled = ag.compile(value)
    exactly = ag.compile(exact=True, threads=2)(value)

    @ag.compile
    def counting(self, x):
        self.calls = x
        return x

    @ag.compile
    def appending(self, x):
        self.weights.append(x)
        return x

    @ag.compile
    def taking(self, x):
        return self.queue[0] * x


class Child:
    """A part that knows what it belongs to."""

    __slots__ = ("parent", "rate", "unset")

    def __init__(self, parent):
        self.parent, self.rate = parent, 0.25

    def share(self, x):
        return self.rate * self.parent.slope * x


def set_power(model):
    Model.power = 3.0


def set_offset(model):
    Model.offsets[0] = 10.0


CHANGES = {
    "a number": lambda model: setattr(model, "slope", 7.0),
    "an integer": lambda model: setattr(model, "steps", 3),
    "in a list": lambda model: model.weights.__setitem__(0, 5.0),
    "in a dict in a list": lambda model: model.weights[1].__setitem__("b", 5.0),
    "in an array": lambda model: model.table.__setitem__((1, 0), 5.0),
    "a flag": lambda model: setattr(model, "mode", "down"),
    "of an object in it": lambda model: setattr(model.child, "rate", 5.0),
    "another object": lambda model: setattr(model, "child", Child(Model(4.0))),
    "data of a Value": lambda model: setattr(model.bias, "data", 5.0),
    "another Value": lambda model: setattr(model, "bias", Value(7.0)),
    "a number for a Value": lambda model: setattr(model, "bias", 7.0),
    "its own in the place of the class's": lambda model: setattr(model, "power", 1.0),
    "of the class": set_power,
    "in a list of the class": set_offset,
    "a number more": lambda model: setattr(model, "other", 1.0),
    "one less": lambda model: delattr(model, "queue"),
}
KERNELS = {
    "method": lambda model: model.compiled,
    "method with options": lambda model: model.exactly,
    "bound method": lambda model: ag.compile(model.value),
    "partial": lambda model: ag.compile(functools.partial(Model.value, model)),
    "argument": lambda model: functools.partial(ag.compile(lambda x, model: model.value(x)), model=model),
    "in a list": lambda model: functools.partial(ag.compile(lambda models, x: models[0].value(x)), [model, 1.0]),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kernel", KERNELS)
def test_attributes_are_read_at_every_call(kernel, change):
    model, other = Model(3.0), Model(-2.0)
    call, as_ever = KERNELS[kernel](model), KERNELS[kernel](other)
    points = np.array([0.5, 1.5, -2.0])

    def check():
        for _ in range(2):
            for found, owner in ((call, model), (as_ever, other)):
                expected = [owner.value(Value(x)).data for x in points.tolist()]
                assert np.allclose([found(x) for x in points.tolist()], expected, rtol=1e-14)
                assert np.allclose(found(points), expected, rtol=1e-14)

    try:
        check()
        CHANGES[change](model)
        check()
    finally:
        Model.power, Model.offsets[0] = 2.0, 1.0
    check()


def test_numbers_of_attributes_make_no_paths():
    model = Model(1.0)
    kernel = ag.compile(model.value)
    for i in range(100):
        model.slope = model.weights[1]["b"] = model.child.rate = 0.01 * i
        assert math.isclose(kernel(1.5), model.value(Value(1.5)).data, rel_tol=1e-14)
    assert kernel.paths == 1


def test_methods_have_no_side_effects():
    model = Model(1.0)
    for method in (model.counting, model.appending):
        for _ in range(2):
            with pytest.raises(RecordingError, match="changes an attribute of a Model: .* assign it outside"):
                method(1.0)
    assert not hasattr(model, "calls")
    assert len(model.weights) == 2


def test_attributes_that_could_change_unnoticed_are_refused_where_they_are_used():
    with pytest.raises(RecordingError, match=r"argument 1.queue, deque .* could change without .* noticing"):
        Model(1.0).taking(2.0)
    generator = random.Random(1)
    with pytest.raises(RecordingError, match="could change without"):
        ag.compile(functools.partial(lambda rng, x: rng.random() * x, generator))(1.0)


def test_objects_are_not_kept_alive():
    model = Model(1.0)
    model.compiled(2.0)
    watched = weakref.ref(model)
    del model
    gc.collect()
    assert watched() is None


def test_methods_of_every_kind():
    @dataclasses.dataclass(frozen=True, slots=True)
    class Line:
        slope: float

        @ag.compile
        def at(self, x):
            return self.slope * x

        @ag.compile
        def __call__(self, x):
            return -self.slope * x

        @staticmethod
        @ag.compile
        def square(x):
            return x * x

        @classmethod
        @ag.compile
        def scaled(cls, x):
            return cls.FACTOR * x

        @property
        def twice(self):
            return 2.0 * self.slope

        @ag.compile
        def doubled(self, x):
            return self.twice * x

    Line.FACTOR = 3.0
    line = Line(2.0)
    assert [line.at(5.0), line(5.0), line.square(5.0), Line.scaled(5.0), line.doubled(5.0)] == [10.0, -10.0, 25.0, 15.0, 20.0]
    assert [Line(3.0).at(5.0), Line.at(line, 5.0), Line(-1.0).at(x=5.0)] == [15.0, 10.0, -5.0]
    assert Line.at.paths == 1
    Line.FACTOR = 4.0
    assert Line.scaled(5.0) == 20.0
    assert line.at(np.arange(3.0)).tolist() == [0.0, 2.0, 4.0]
    assert ag.grad(line.at)(5.0) == 2.0
    assert ag.compile(line)(5.0) == -10.0

    class Batched:
        def __init__(self):
            self.p = [2.0, 1.0]

        @ag.compile(batch=(None, 0))
        def residual(self, q, x):
            return self.p[0] * x + q[1]

    assert Batched().residual(np.array([1.0, 2.0]), np.arange(2.0)).tolist() == [2.0, 4.0]
    bound = ag.compile(lambda self, q, x: self.p[0] * x + q[1], batch=(None, None, 0))
    assert bound(Batched(), np.array([1.0, 2.0]), np.arange(2.0)).tolist() == [2.0, 4.0]


def test_objects_with_something_beside_attributes():
    class Numbers(list):
        @ag.compile
        def first(self, x):
            return self[0] * x

    class Pair(NamedTuple):
        first: float
        second: float

        @ag.compile
        def at(self, x):
            return self.first * x + self.second

    with pytest.raises(TypeError, match="first: methods of a Numbers, a list, dict or array, are not compiled"):
        Numbers([1.0]).first(2.0)
    assert Pair(2.0, 1.0).at(3.0) == 7.0


def test_what_a_cached_property_keeps_is_not_kept():
    class Once:
        def __init__(self):
            self.a = 2.0

        @functools.cached_property
        def square(self):
            return self.a * self.a

        @ag.compile
        def at(self, x):
            return self.square * x

    once = Once()
    assert once.at(3.0) == 12.0
    once.a = 3.0
    assert once.at(3.0) == 27.0
    assert vars(once) == {"a": 3.0}


def test_what_partial_gives_is_read_at_every_call():
    weights, count = [1.0, 2.0], 3
    kernel = ag.compile(functools.partial(lambda n, x, w, s=1.0: sum([x * w[0]] * n) * s, count, w=weights))
    assert [kernel(2.0), kernel(2.0, s=2.0)] == [6.0, 12.0]
    weights[0] = 5.0
    assert [kernel(2.0), kernel(2.0, s=2.0), kernel(2.0, w=[1.0, 2.0])] == [30.0, 60.0, 6.0]


def test_a_model_of_the_library():
    model = ag.nn.MLP(2, [3, 1], rng=random.Random(1))
    kernel = ag.compile(model)
    xs = [0.5, -0.25]
    for _ in range(3):
        assert math.isclose(kernel(xs), model(xs).data, rel_tol=1e-14)
        for parameter in model.parameters():
            parameter.data += 0.125
    model.layers[1].neurons[0].w[0] = Value(3.0)
    assert math.isclose(kernel(xs), model(xs).data, rel_tol=1e-14)


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
