"""Compiled functions of objects, functions and copies that read what changes: where two ways of noticing meet."""

import copy
import functools
import pickle
import sys
import types
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

import autograd_lite as ag

SCALE = 1.0


def scaled(x):
    return SCALE * x


class Point:
    def __init__(self, x):
        self.x = x

    @ag.compile
    def distance(self, other):
        return self.x - other.x

    def by_scale(self, x):
        return self.x * x * SCALE

    half = functools.partialmethod(by_scale, 0.5)


@dataclass
class Pair:
    first: float
    second: float


class Shifted(Point):
    def by_scale(self, x):
        return super().by_scale(x) + 1.0


def of_three(o, p, q=None):
    return o.x + 10 * p.x + (0.0 if q is None else 100 * q.x)


def test_later_objects_of_earlier_calls_are_not_kept():
    a, b = Point(1.0), Point(5.0)
    assert [a.distance(b) for _ in range(4)] == [-4.0] * 4
    assert [a.distance(Point(float(i))) for i in range(5)] == [1.0 - i for i in range(5)]
    kernel, (o, p, q) = ag.compile(of_three), map(Point, (1.0, 2.0, 3.0))
    assert [kernel(o, q), kernel(o, q), kernel(o, p, q)] == [31.0, 31.0, 321.0]


def test_what_given_functions_and_objects_read_is_noticed(monkeypatch):
    point = Point(2.0)
    kernels = {
        "function": (ag.compile(lambda x, f: f(x)), (3.0, scaled), lambda g: 3.0 * g),
        "in a dict": (ag.compile(lambda x, d: d["f"](x)), (3.0, {"f": scaled}), lambda g: 3.0 * g),
        "method": (ag.compile(lambda x, p: p.by_scale(x)), (3.0, point), lambda g: 6.0 * g),
        "bound": (ag.compile(point.by_scale), (3.0,), lambda g: 6.0 * g),
        "super": (ag.compile(Shifted(2.0).by_scale), (3.0,), lambda g: 6.0 * g + 1.0),
        "partial": (ag.compile(lambda p: p.half()), (point,), lambda g: g),
    }
    for value in (1.0, 4.0, 7.0):
        monkeypatch.setattr(sys.modules[__name__], "SCALE", value)
        for name, (kernel, args, expected) in kernels.items():
            assert kernel(*args) == expected(value), (name, value)
    monkeypatch.setattr(Point, "by_scale", lambda self, x: self.x + x)
    assert kernels["method"][0](3.0, point) == 5.0


def test_a_compiled_method_in_a_compiled_function_is_looked_into():
    class Model:
        def __init__(self):
            self.weight, self.bias = ag.Value(2.0), 1.0

        @ag.compile
        def output(self, x):
            return self.weight * x * self.bias

    model = Model()
    kernel = ag.compile(lambda x: model.output(x))
    assert kernel(3.0) == 6.0
    model.bias = 2.0
    assert kernel(3.0) == 12.0
    model.weight = ag.Value(1.0)
    assert kernel(3.0) == 6.0


def test_copies_made_after_a_change_are_not_stale(monkeypatch):
    kernel = ag.compile(ag.grad(scaled))
    kernel(3.0)
    monkeypatch.setattr(sys.modules[__name__], "SCALE", 11.0)
    for twin in (copy.copy(kernel), copy.deepcopy(kernel), pickle.loads(pickle.dumps(kernel))):
        assert twin(3.0) == 11.0


def test_the_shape_and_the_kind_of_an_array_are_noticed():
    array = np.arange(4.0)
    kernel = ag.compile(lambda x: (array.shape[0] + 10 * (array.dtype.kind == "f")) * x)
    assert kernel(2.0) == 28.0
    array.shape = (2, 2)
    assert kernel(2.0) == 24.0
    array.dtype = np.int64
    assert kernel(2.0) == 4.0


def test_defaults_that_are_assigned_are_noticed():
    def f(x, scales=[1.0], *, shifts=[0.5]):
        return x * scales[0] + shifts[0]

    kernels = ag.compile(f), ag.compile(lambda x: ag.value_and_grad(f)(x)[0])
    assert [kernel(2.0) for kernel in kernels] == [2.5, 2.5]
    f.__defaults__ = ([9.0],)
    assert [kernel(2.0) for kernel in kernels] == [18.5, 18.5]
    f.__kwdefaults__ = {"shifts": [1.0]}
    assert [kernel(2.0) for kernel in kernels] == [19.0, 19.0]


def test_attributes_in_patterns_are_noticed():
    point = Pair(1.0, 2.0)

    def f(x):
        match point:
            case Pair(first, second=other):
                return x * first + other

    kernel = ag.compile(f)
    assert kernel(3.0) == 5.0
    point.first = 5.0
    assert kernel(3.0) == 17.0
    point.second = 7.0
    assert kernel(3.0) == 22.0


def test_named_tuples_of_another_class_are_not_taken_for_one_another():
    one, other = namedtuple("One", "a b"), namedtuple("Other", "b a")  # noqa: PYI024
    kernel = ag.compile(lambda v: v.a - 10 * v.b)
    assert kernel(one(1.0, 2.0)) == -19.0
    with pytest.raises(ValueError, match="is a Other, whose fields are its own; a One is needed"):
        kernel(other(1.0, 2.0))


def test_a_global_that_appears_later_is_noticed():
    module = types.ModuleType("appearing")
    exec("def f(x):\n    try:\n        return NEW * x\n    except NameError:\n        return abs(x)\n", vars(module))  # noqa: S102
    kernel = ag.compile(module.f)
    assert kernel(-3.0) == 3.0
    module.abs = lambda x: 10.0 * x
    assert kernel(-3.0) == -30.0
    module.NEW = 2.0
    assert kernel(-3.0) == -6.0
