"""What compiled functions read from outside: Values are read at every call, and all else is noticed when it changes."""

import copy
import functools
import gc
import math
import pickle
import random
import sys
import threading
import warnings
import weakref
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.compiler import environment
from autograd_lite.compiler.environment import Environment
from autograd_lite.compiler.memory import extension
from test_kernel_branches import PROGRAMS, any_points, function_of, outcome, programs
from values import bits

# --- Values


@given(programs, st.integers(0, 2**32))
@settings(max_examples=PROGRAMS)
def test_random_programs_branch_on_values_from_outside_as_on_arguments(program, seed):
    function, rows = function_of(program), any_points(random.Random(seed), 12)
    a, b = Value(0.0), Value(0.0)
    kernel = ag.compile(lambda x: function(x, a, b), exact=True, max_paths=10_000)
    turned = ag.compile(lambda x: function(a, x, b), exact=True, max_paths=10_000)
    for x, y, z in rows:
        a.data, b.data = y, z
        assert outcome(kernel, (x,)) == outcome(function, (Value(x), a, b))
        assert [bits(value) for value in turned(np.array([x, y])).tolist()] == [
            *outcome(function, (a, Value(x), b)),
            *outcome(function, (a, Value(y), b)),
        ]


@given(programs, st.integers(0, 2**32))
@settings(max_examples=max(5, PROGRAMS // 2))
def test_derivatives_of_random_programs_by_values_from_outside(program, seed):
    function, rows = function_of(program), any_points(random.Random(seed), 6)
    a, b = Value(0.0), Value(0.0)

    def derivatives(x):
        y = function(x, a, b)
        return [y, *ag.gradient(y, [x, a, b], create_graph=True)]

    kernel = ag.compile(derivatives, exact=True, max_paths=10_000)
    for x, y, z in rows:
        a.data, b.data = y, z
        assert outcome(kernel, (x,)) == outcome(derivatives, (Value(x),))


OUTSIDE = Value(2.0, label="w")
COMPARED = {
    "truth": lambda x: x if OUTSIDE else -x,
    "not": lambda x: x if not OUTSIDE * 0.5 else -x,
    "number": lambda x: x if OUTSIDE > 1.0 else -x,
    "reflected": lambda x: x if OUTSIDE <= 1 else -x,
    "Value": lambda x: x if OUTSIDE >= OUTSIDE * OUTSIDE else -x,
    "made inside": lambda x: x if Value(1.5) < OUTSIDE else -x,
    "and": lambda x: OUTSIDE and x,
    "max": lambda x: x * max(OUTSIDE, 1.0),
    "sorted": lambda x: sorted([OUTSIDE, Value(1.0), OUTSIDE * 2.0])[1] * x,
    "NumPy": lambda x: x * float((np.array([OUTSIDE], dtype=object) > 1.5)[0]),
    "argument": lambda x: x if x < OUTSIDE else -x,
}  # fmt: skip


@pytest.mark.parametrize("kind", COMPARED)
@pytest.mark.parametrize("exact", [True, False])
@np.errstate(all="ignore")
def test_comparisons_of_values_from_outside_are_guards(kind, exact):
    function, kernel = COMPARED[kind], ag.compile(COMPARED[kind], exact=exact)
    try:
        for number in (2.0, -1.0, 0.0, -0.0, 1.0, 1.25, 0.5, math.nan, math.inf, 2.0):
            OUTSIDE.data = number
            for x in (1.0, -3.0):
                assert outcome(kernel, (x,)) == outcome(function, (Value(x),)), number
            results = [outcome(function, (Value(x),))[0] for x in (1.0, 3.0, 2.0)]
            assert [bits(y) for y in kernel(np.array([1.0, 3.0, 2.0])).tolist()] == results
    finally:
        OUTSIDE.data = 2.0


def test_values_of_other_classes_are_compared_too():
    """Python asks the left operand first, where neither class is a subclass of the other."""

    class Own(Value, own_results=True):
        pass

    w = Own(2.0)
    kernel = ag.compile(lambda x: x if w > x else -x)
    assert [kernel(1.0), kernel(3.0)] == [1.0, -3.0]
    w.data = 5.0
    assert kernel(3.0) == 3.0


def no_grad(work):
    with ag.no_grad():
        return work()


ASKING = {
    "data": lambda x: x * OUTSIDE.data,
    "data of a result": lambda x: x * (OUTSIDE * 2.0).data,
    "getattr": lambda x: x * getattr(OUTSIDE, "data", 1.0),
    "grad": lambda x: x * OUTSIDE.grad,
    "assigned": lambda x: setattr(OUTSIDE, "data", 3.0) or x,
    "text": lambda x: {f"{OUTSIDE:.1f}": x}["2.0"],
    "copy": lambda x: x * copy.copy(OUTSIDE),
    "deepcopy": lambda x: x * copy.deepcopy(OUTSIDE * OUTSIDE),
    "pickle": lambda x: x * pickle.loads(pickle.dumps(OUTSIDE)),
    "JSON": lambda x: x * len(ag.graph_to_json(OUTSIDE)),
    "no_grad": lambda x: x * no_grad(lambda: OUTSIDE * OUTSIDE),
    "derivative": lambda x: x * ag.gradient(OUTSIDE * OUTSIDE, OUTSIDE),
    "derivative of a graph from outside": lambda x: x * ag.gradient(GRAPH, OUTSIDE),
    "backward": lambda x: (OUTSIDE * OUTSIDE).backward() or x,
    "backward of a graph from outside": lambda x: GRAPH.backward() or x,
}  # fmt: skip
GRAPH = OUTSIDE * OUTSIDE


@pytest.mark.parametrize("kind", ASKING)
def test_the_numbers_of_values_from_outside_are_not_given_away(kind):
    with pytest.raises(ag.RecordingError, match=r", File .*, line \d+, in .*: .{18}"):
        ag.compile(ASKING[kind])(1.0)
    assert OUTSIDE.data == 2.0
    assert OUTSIDE.grad == 0.0


def test_values_made_inside_are_constants():
    def function(x):
        total = Value(1.0)
        for i in range(3):
            total = total * 2.0 + Value(float(i))
        slope = ag.grad(lambda y: y * y * total.data)(3.0)
        return x * total if total > 3.0 else x * slope, slope

    kernel = ag.compile(function, exact=True)
    assert kernel(2.0) == (2.0 * 12.0, 72.0)
    assert (kernel.program.inputs, kernel.program.guards) == (1, ())
    assert kernel.paths == 1


def test_numbers_drawn_for_values_are_noticed():
    with pytest.raises(ag.RecordingError, match="must not draw random numbers"):
        ag.compile(lambda x: x * Value(random.random()))(1.0)


def test_what_is_made_at_the_first_call_and_kept_is_from_outside():
    kept = {}
    kernel = ag.compile(lambda x: x * (kept.get("w") or kept.setdefault("w", Value(2.0))))
    assert kernel(3.0) == 6.0
    kept["w"].data = 5.0
    assert kernel(3.0) == 15.0


def test_derivatives_by_values_whose_number_was_assigned():
    w = Value(3.0)
    w.data = 5.0
    assert ag.compile(lambda x: ag.gradient(w * w * x, [w, x], create_graph=True))(2.0) == [20.0, 25.0]


def test_other_threads_read_values_meanwhile():
    seen = []

    def elsewhere():
        with_data = OUTSIDE.data if OUTSIDE > 0 else 0.0
        seen.append((with_data, (OUTSIDE * 2.0).data, Value(1.0).grad))

    def function(x):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        return x

    assert ag.compile(function)(1.0) == 1.0
    assert set(seen) == {(2.0, 4.0, 0.0)}


# --- everything else


class Model:
    """An object with numbers in all places."""

    shared = 2.0
    __slots__ = ("__dict__", "slot")

    def __init__(self):
        self.own, self.slot, self.deep, self.items = 1.5, 2.5, SimpleNamespace(number=3.5), [1.0, [2.0]]

    def scaled(self, x):
        return x * self.own + self.slot * self.deep.number - self.items[1][0]

    @property
    def hidden(self):
        return PLACES["hidden"] * 0.5

    def __call__(self, x):
        return self.scaled(x) * self.shared + self.hidden


NUMBER, WORD, PLACES = 2.0, "plus", {"hidden": 3.0, "a": {"b": 4.0}}
LIST, ARRAY, PAIR = [1.0, 2.0], np.array([[1.0, 2.0], [3.0, 4.0]]), (5.0, [6.0])
COLUMN, MODEL, WEIGHTS = ARRAY[:, 1], Model(), [Value(1.0), Value(2.0)]
OBJECTS = np.array([Value(1.0), 3.0], dtype=object)
module = ModuleType("a_module_of_numbers")
module.rate, module.other = 7.0, 0.0
sys.modules[module.__name__] = module


def make(inner):
    def helper(x, default=1.0, *, named=2.0):
        return x * inner + NUMBER * default - named

    def change(number):
        nonlocal inner
        inner = number

    return helper, change


def make_other(inner):
    def helper(x, default=1.0, *, named=2.0):
        return x * inner - NUMBER * default + named

    return (helper,)


helper, change_inner = make(0.5)


@functools.cache
def cached(x):
    return helper(x) * PAIR[0] + PAIR[1][0]


def everything(x):
    from a_module_of_numbers import other

    y = helper(x) + MODEL(x) * module.rate + other + getattr(MODEL, "extra", 0.0)
    y = y + x if WORD == "plus" else y - x
    y = y + LIST[-1] * ARRAY[1, 0] + COLUMN[0] + PLACES["a"]["b"] + cached(x) * WEIGHTS[1] + OBJECTS[0]
    return ag.grad(lambda z: z * y * helper(z))(x) + y


def bind(name, make_value):
    def change(number):
        globals()[name] = make_value(number)

    return change


def defaults(number):
    helper.__defaults__ = (number,)


def scaled_otherwise(number):
    Model.scaled = lambda self, x: x * self.own + self.slot * self.deep.number - self.items[1][0] - number


CHANGES = {
    "global": bind("NUMBER", float),
    "text": bind("WORD", lambda number: ["plus", "minus"][number > 0]),
    "tuple": bind("PAIR", lambda number: (number, [number])),
    "list in a tuple": lambda number: PAIR[1].__setitem__(0, number),
    "dict": lambda number: PLACES.update(hidden=number),
    "dict in a dict": lambda number: PLACES["a"].update(b=number),
    "dict anew": lambda number: PLACES.update(a={"b": number}),
    "list": lambda number: LIST.append(number),
    "item": lambda number: LIST.__setitem__(-1, number),
    "array": lambda number: ARRAY.__setitem__((1, 0), number),
    "array behind a view": lambda number: ARRAY.__setitem__((0, 1), number),
    "array anew": bind("COLUMN", lambda number: np.array([number])),
    "array of objects": lambda number: OBJECTS.__setitem__(0, number),
    "attribute": lambda number: setattr(MODEL, "own", number),
    "attribute that was not there": lambda number: setattr(MODEL, "extra", number),
    "attribute over that of the class": lambda number: setattr(MODEL, "shared", number),
    "attribute of the class": lambda number: (vars(MODEL).pop("shared", None), setattr(Model, "shared", number)),
    "slot": lambda number: setattr(MODEL, "slot", number),
    "attribute of an attribute": lambda number: setattr(MODEL.deep, "number", number),
    "item of an attribute": lambda number: MODEL.items[1].__setitem__(0, number),
    "object": lambda number: (bind("MODEL", lambda number: Model())(number), setattr(MODEL, "own", number)),
    "method": scaled_otherwise,
    "attribute of a module": lambda number: setattr(module, "rate", number),
    "name that is imported": lambda number: setattr(module, "other", number),
    "closure": change_inner,
    "default": defaults,
    "named default": lambda number: helper.__kwdefaults__.update(named=number),
    "code": lambda number: setattr(helper, "__code__", (make if number < 0 else make_other)(0.0)[0].__code__),
    "Value": lambda number: setattr(WEIGHTS[1], "data", number),
    "another Value": lambda number: WEIGHTS.__setitem__(1, Value(number)),
}  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(sorted(CHANGES)), st.floats(-4.0, 4.0)), min_size=1, max_size=12))
@settings(max_examples=max(20, PROGRAMS))
def test_what_changes_outside_is_noticed(changes):
    kernel = ag.compile(everything, exact=True)
    expected = outcome(everything, (Value(1.5),))
    assert outcome(kernel, (1.5,)) == expected
    for kind, number in changes:
        CHANGES[kind](number)
        expected = outcome(everything, (Value(1.5),))
        for _ in range(3):  # the later ones by the direct way, where there is one
            assert outcome(kernel, (1.5,)) == expected, kind
        assert [bits(x) for x in kernel(np.array([1.5, 1.5])).tolist()] == expected * 2


@pytest.mark.parametrize("kind", CHANGES)
def test_each_change_alone_is_noticed(kind):
    kernel = ag.compile(everything, exact=True)
    kernel(1.5)
    for number in (-2.75, 3.125):
        CHANGES[kind](number)
        assert outcome(kernel, (1.5,)) == outcome(everything, (Value(1.5),))


def test_the_direct_way_notices_too():
    rate, calls = 2.0, []
    kernel = ag.compile(lambda x: calls.append(0) or x * rate)
    assert [kernel(1.0) for _ in range(4)] == [2.0] * 4
    assert bool(kernel._entries) == (extension() is not None)
    rate = 3.0
    assert [kernel(1.0) for _ in range(4)] == [3.0] * 4
    count = len(calls)
    for _ in range(5):  # new objects, equal numbers
        rate = float(str(rate))
        assert kernel(1.0) == 3.0
    assert len(calls) == count
    rate = -0.0
    assert bits(kernel(1.0)) == bits(-0.0)
    assert kernel.paths == 1


def test_both_ways_of_comparing_agree(monkeypatch):
    found = Environment(everything)
    assert len(found.watched) > 30
    assert {watch.kind for watch in found.watched} == set(range(7))
    for kind, change in CHANGES.items():
        change(-1.5)
        found = Environment(everything)
        for expected in (True, kind == "Value"):
            assert found.is_current() == expected, kind
            with monkeypatch.context() as patch:
                patch.setattr(environment, "extension", lambda: None)
                assert found.is_current() == expected, kind
            assert bool(found.changes()) != expected, kind
            change(1.5)


def test_what_a_function_counts_itself_does_not_record_it_anew():
    count = 0

    def function(x):
        nonlocal count
        count += 1
        return x if x > 0 else -x

    kernel = ag.compile(function)
    assert [kernel(x) for x in (1.0, -1.0, 2.0, -2.0, 3.0)] == [1.0, 1.0, 2.0, 2.0, 3.0]
    assert (kernel.paths, count) == (2, 4)


def test_functions_of_packages_are_not_looked_through():
    watched = Environment(ag.value_and_grad(lambda x: ag.sin(x) * np.linalg.norm([x]) + math.pi)).watched
    assert [watch.name for watch in watched] == ["", "ag", "np", "math"]


def test_what_changes_at_every_call_is_told_once():
    rate = 0.0
    kernel = ag.compile(lambda x: x * rate)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for i in range(70):
            rate = float(i)
            assert kernel(2.0) == 2.0 * i
    (warning,) = caught
    assert (warning.category, warning.filename) == (ag.PathWarning, __file__)
    assert str(warning.message).endswith(
        "recorded anew 64 times, the last time because of rate, which it reads from outside: give as an argument what changes"
        " from call to call"
    )


def test_what_is_watched_is_let_go_of():
    class Owner:
        def __init__(self):
            self.rate = 2.0
            self.kernel = ag.compile(self.scaled)

        def scaled(self, x):
            return x * self.rate

    owner = Owner()
    assert [owner.kernel(1.0) for _ in range(4)] == [2.0] * 4
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None


def test_clear_is_for_what_is_not_noticed():
    numbers = {2.0}
    kernel = ag.compile(lambda x: x * sum(numbers))
    assert kernel(1.0) == 2.0
    numbers.add(3.0)
    assert kernel(1.0) == 2.0
    kernel.clear()
    assert (kernel.paths, pickle.loads(pickle.dumps(ag.compile(cleared))).paths) == (0, 0)
    assert kernel(np.array([1.0, 2.0])).tolist() == [5.0, 10.0]
    twin = ag.compile(cleared)
    twin([1.0, 2.0])
    assert pickle.loads(pickle.dumps(twin)).paths == 1
    twin.clear()
    assert pickle.loads(pickle.dumps(twin)).paths == 0
    assert twin([1.0, 2.0, 3.0]) == 6.0  # of another structure


def cleared(xs):
    return ag.sum(xs)


# --- kernels in kernels


def test_kernels_read_values_from_outside_when_they_are_recorded():
    inner = ag.compile(lambda a: a * OUTSIDE if OUTSIDE > 0.0 else -a)
    plain = ag.compile(lambda a: a * 2.0)
    kernel = ag.compile(lambda x: x * inner(3.0) + math.sqrt(plain(2.0)))
    try:
        for number in (2.0, 5.0, -1.0):
            OUTSIDE.data = number
            assert kernel(2.0) == 2.0 * inner(3.0) + 2.0
    finally:
        OUTSIDE.data = 2.0
    assert ag.compile(lambda x: x * float(plain(np.array([1.0, 2.0]))[1]))(2.0) == 8.0
    inner(np.array([1.0, 2.0]))
    with pytest.raises(ag.RecordingError, match="is called on a batch, and uses Values from outside"):
        ag.compile(lambda x: x * inner(np.array([1.0, 2.0]))[0])(1.0)


def test_what_an_inner_kernel_reads_is_noticed_by_the_outer_one():
    rate = 2.0
    inner = ag.compile(lambda a: a * rate)
    kernel = ag.compile(lambda x: x + inner(3.0))
    assert kernel(1.0) == 7.0
    rate = 5.0
    assert kernel(1.0) == 16.0
