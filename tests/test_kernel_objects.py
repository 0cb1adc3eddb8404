"""Compiled methods, and objects among the arguments: what changes between calls is noticed, or refused."""

import collections
import dataclasses
import functools
import gc
import math
import random
import weakref
from typing import NamedTuple

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.compiler.record import RecordingError

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


@pytest.mark.parametrize("kernel", KERNELS)
def test_numbers_of_attributes_make_no_paths(kernel):
    model = Model(1.0)
    call = KERNELS[kernel](model)
    paths = getattr(call, "func", call)
    before = paths.paths
    for i in range(100):
        model.slope = model.weights[1]["b"] = model.child.rate = 0.01 * i
        model.table[1, 0] = 0.5 * i
        assert math.isclose(call(1.5), model.value(Value(1.5)).data, rel_tol=1e-14)
    assert paths.paths <= before + 1


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


def test_objects_that_are_closed_have_no_twins():
    closed = []

    class File:
        def __init__(self):
            self.rate = 2.0

        def __del__(self):
            closed.append(self.rate)

    class Owner:
        def __init__(self):
            self.file, self.a = File(), 3.0

        @ag.compile
        def using(self, x):
            return self.file.rate * x

        @ag.compile
        def without(self, x):
            return self.a * x

    owner = Owner()
    assert owner.without(2.0) == 6.0
    with pytest.raises(RecordingError, match="argument 1.file, File .* could change without"):
        owner.using(2.0)
    with pytest.raises(TypeError, match="argument 1 takes a real number, not File"):
        ag.compile(lambda file: file.rate)(owner.file)
    assert not closed


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


def test_what_is_needed_as_a_number_is_taken_by_its_contents():
    """Defaults, what partial gives, and attributes: numbers of inputs have no place in NumPy's arrays of floats."""
    matrix, picked = np.array([[2.0, 0.0], [1.0, 4.0]]), np.array([1, 0])

    def solved(matrix, x, picked=picked, scale=[1.0]):
        inverse = np.linalg.inv(matrix)
        return sum(np.array(x)[picked] @ inverse) * math.sqrt(scale[0])

    class Solver:
        def __init__(self):
            self.matrix = matrix

        def __call__(self, x):
            return solved(self.matrix, x)

    given, model = ag.compile(functools.partial(solved, matrix)), ag.compile(Solver())
    for entry in (2.0, 5.0, 2.0):
        matrix[0, 0] = entry
        assert math.isclose(given([3.0, 1.0]), solved(matrix, [3.0, 1.0]), rel_tol=1e-14)
        assert math.isclose(model([3.0, 1.0]), solved(matrix, [3.0, 1.0]), rel_tol=1e-14)
    picked[:] = picked[::-1].copy()
    solved.__defaults__[1][0] = 4.0
    assert math.isclose(given([3.0, 1.0]), solved(matrix, [3.0, 1.0]), rel_tol=1e-14)
    assert given([np.array([3.0, 1.0]), 1.0]).shape == (2,)
    assert given.paths == 3


def test_what_fails_by_its_contents_too_is_the_first_error():
    class Model:
        def __init__(self):
            self.a = 2.0

        @ag.compile(exact=True)
        def product(self, x, sine=None):
            return self.a * x if sine is None else math.sin(self.a) * sine(x)

    model = Model()
    for _ in range(2):
        with pytest.raises(RecordingError, match=r"float\(x\)"):
            model.product(1.0, math.sin)
    for i in range(70):
        model.a = float(i)
        assert model.product(2.0) == 2.0 * i
    assert Model.product.paths == 1
    assert model.product(2.0, ag.sin) == math.sin(69.0) * math.sin(2.0)
