"""Cycles of attributes and graphs: the same ones are freed on either engine, and nothing that is alive."""

import copy
import functools
import gc
import os
import pickle
import subprocess
import sys
import weakref
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import engine
from autograd_lite.interop import micrograd
from autograd_lite.primitives import TABLE

DEPTH = int(os.environ.get("AUTOGRAD_LITE_DEPTH", "1000000"))
IS_NATIVE = ag.engine_name == "native"


class Parameter(ag.Value):
    """Its results are plain Values."""


class Own(ag.Value, own_results=True):
    """Its results are of its own class."""


class Bare(ag.Value, own_results=True):
    """It has no attributes; its results may be above something that has."""

    __slots__ = ()


class Slotted(ag.Value):
    __slots__ = ("__weakref__", "loss")


class Box:
    """Any object that holds something."""

    def __init__(self, content=None):
        self.content = content


def chain(x, depth):
    y = x
    for _ in range(depth):
        y = y * 1.0000001
    return y


def through_a_container_filled_later(a):
    a.history = []
    a.history.append(a * 2.0)


def through_a_container_that_was_there_before(a):
    history = [a * 2.0]
    a.history = history


def through_two(a):
    b = Parameter(3.0)
    a.loss = b.loss = a * b + b


def through_each_other(a):
    b = Parameter(3.0)
    a.other, b.other = b * 2.0, a * 2.0


def through_own_results(a):
    y = Own(1.0) * a
    y.inputs = {"a": a}
    a.consumers = [y * 2.0]


def through_a_subclass_without_attributes(a):
    a.loss = Bare(2.0) * a


def through_modes(a):
    with ag.scope("s"), ag.anomaly():
        a.loss = (a * 2.0).exp()


def through_a_second_derivative(a):
    (a.slope,) = ag.gradient(a**3, [a], create_graph=True)


def through_a_function_of_its_own(a):
    node = micrograd.Value(1.0, (a,), "mine")
    node._backward = lambda: node.grad + a.grad
    a.node = node


def through_a_generator(a):
    def generate():
        y = a * 2.0
        yield y
        yield y

    a.generator = generate()
    next(a.generator)


def through_a_copied_graph(a):
    y = copy.deepcopy((a * 2.0).exp())
    leaf = ag.topological_order(y)[0]
    leaf.loss = y
    a.leaf, leaf.a = leaf, a


def through_a_pickled_graph(a):
    y = pickle.loads(pickle.dumps((a * 2.0).exp()))
    leaf = ag.topological_order(y)[0]
    leaf.loss, leaf.a, a.leaf = y, a, leaf


def setter(wrap):
    """A cycle of a and what `wrap` makes of a node above it."""

    def link(a):
        a.kept = wrap(a)

    return link


CYCLES = {
    "result": setter(lambda a: a * 2.0),
    "reflected": setter(lambda a: 2.0 - a),
    "whole number": setter(lambda a: a**2),
    "unary": setter(lambda a: -a),
    "method": setter(lambda a: a.sin()),
    "function": setter(lambda a: ag.hypot(1.0, a)),
    "three arguments": setter(lambda a: ag.where(1.0, a, 2.0)),
    "many arguments": setter(lambda a: ag.sum([a, 1.0, a])),
    "pairs": setter(lambda a: ag.dot([1.0, 2.0], [3, a])),
    "beside plain nodes": setter(lambda a: ag.Value(1.0) + a * ag.Value(3.0)),
    "number known": setter(lambda a: engine.make_node(3.0, TABLE["add"], (1.0, a))),
    "recorded": setter(lambda a: ag.Value.__record__(TABLE["add"], (1.0, a))),
    "list": setter(lambda a: [a * 2.0]),
    "tuple": setter(lambda a: (1, (a * 2.0,))),
    "dict": setter(lambda a: {"loss": a * 2.0}),
    "key": setter(lambda a: {a * 2.0: "loss"}),
    "set": setter(lambda a: {a * 2.0}),
    "object": setter(lambda a: Box(Box(a * 2.0))),
    "closure": setter(lambda a: lambda y=a * 2.0: y),
    "partial": setter(lambda a: functools.partial(max, a * 2.0)),
    "bound method": setter(lambda a: (a * 2.0).exp),
    "arguments": setter(lambda a: ag.sum([a, 2.0]).args),
    "shared": setter(lambda a: functools.reduce(lambda y, _: y * y + y, range(3), a * 2.0)),
    "copy": setter(lambda a: copy.copy(a * 2.0)),
    "copy of many": setter(lambda a: copy.copy(ag.sum([a, 1.0]))),
    "itself": setter(lambda a: a),
    "long chain": setter(lambda a: chain(a, DEPTH // 10)),
    "long chain of own results": setter(lambda a: chain(Own(1.0) + a, DEPTH // 100)),
    **{name: function for name, function in list(globals().items()) if name.startswith("through_")},
}


@contextmanager
def collector_off():
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize("kind", [Parameter, Own, micrograd.Value])
@pytest.mark.parametrize("name", CYCLES)
def test_cycles_are_freed(name, kind):
    with collector_off():
        a = kind(1.5)
        CYCLES[name](a)
        found = weakref.ref(a)
        del a
        assert found() is not None
        gc.collect()
        assert found() is None


def test_a_cycle_through_a_slot():
    a = Slotted(1.0)
    a.loss = ag.exp(a * 2.0)
    found = weakref.ref(a)
    del a
    gc.collect()
    assert found() is None


def test_a_cycle_over_a_deep_graph():
    a = Parameter(1.0)
    a.loss = chain(a, DEPTH)
    found = weakref.ref(a)
    del a
    gc.collect()
    assert found() is None


def holders():
    """What keeps a cycle alive: (what is held, how to get at the parameter)."""
    a = Parameter(1.5)
    a.mark, a.loss = ["mark"], (a * 2.0).exp()
    return a


@pytest.mark.parametrize(
    ("hold", "parameter"),
    [
        (lambda a: a.loss, lambda y: y.args[0].args[0]),
        (lambda a: [a.loss * 3.0], lambda ys: ys[0].args[0].args[0].args[0]),
        (lambda a: ag.sum([a, 1.0]), lambda y: y.args[0]),
        (lambda a: ag.sum([a, 1.0]).args, lambda args: args[0]),
        (lambda a: vars(a), lambda attributes: attributes["loss"].args[0].args[0]),
        (lambda a: ag.Value(2.0) * a.loss, lambda y: y.args[1].args[0].args[0]),
        (lambda a: Bare(2.0) * a.loss, lambda y: y.args[1].args[0].args[0]),
    ],
    ids=range(7),
)
def test_what_is_held_stays(hold, parameter):
    held = hold(holders())
    for generation in (0, 1, 2, 2):
        gc.collect(generation)
    a = parameter(held)
    assert (a.mark, a.data, a.loss.args[0].args[0] is a) == (["mark"], 1.5, True)
    assert ag.gradient(a.loss, a) == 2.0 * a.loss.data
    found = weakref.ref(a)
    del a, held
    gc.collect()
    assert found() is None


def reachable(held):
    """The numbers of the parameters that can be reached from here."""
    found, waiting = {}, list(held)
    while waiting:
        x = waiting.pop()
        if id(x) not in found:
            found[id(x)] = x
            waiting += (
                x if isinstance(x, list) else [*x.args, *getattr(x, "__dict__", {}).values()] if isinstance(x, ag.Value) else []
            )
    return sorted([x.data for x in found.values() if isinstance(x, Parameter)])


INDEX = st.integers(0, 30)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["parameter", "own", "bare", "node", "sum", "attach", "list"]), INDEX, INDEX), max_size=30
    ),
    st.lists(INDEX, max_size=2),
)
def test_exactly_what_cannot_be_reached_is_freed(steps, kept):
    """Graphs, attributes and lists at random."""
    things = [Parameter(0.0)]
    for number, (step, i, j) in enumerate(steps, 1):
        x, y = things[i % len(things)], things[j % len(things)]
        values = [z for z in (x, y) if isinstance(z, ag.Value)]
        if step == "parameter" or not values:
            things.append(Parameter(float(number)))
        elif step in ("own", "bare"):
            things.append((Own if step == "own" else Bare)(0.5) * values[0])
        elif step == "node":
            things.append(values[0] * values[-1])
        elif step == "sum":
            things.append(ag.sum([*values, 1.0]))
        elif step == "list":
            things.append([y])
        elif hasattr(x, "__dict__"):
            setattr(x, f"attribute{number}", y)
        elif isinstance(x, list):
            x.append(y)
    held = [things[i % len(things)] for i in kept]
    expected = reachable(held)
    parameters = [weakref.ref(x) for x in things if isinstance(x, Parameter)]
    del things[:]
    x = y = values = None
    gc.collect()
    assert sorted([found().data for found in parameters if found() is not None]) == expected == reachable(held)


class Finalized(ag.Value):
    """It notes what it still has when it is finalized, and lives on if it is told to."""

    seen: list = []  # noqa: RUF012
    saved: list = []  # noqa: RUF012
    lives_on = False

    def __del__(self):
        self.seen.append((self.data, self.loss.data, self.loss.args[0] is self))
        if self.lives_on:
            self.saved.append(self)


@pytest.mark.parametrize("lives_on", [False, True])
def test_finalizers_see_the_whole_graph_and_may_bring_it_back(lives_on):
    del Finalized.seen[:], Finalized.saved[:]
    a = Finalized(1.5)
    a.loss = a * 2.0
    a.lives_on = lives_on
    del a
    gc.collect()
    gc.collect()
    assert Finalized.seen == [(1.5, 3.0, True)]
    for a in Finalized.saved:
        assert ag.gradient(a.loss, a) == 2.0
        later = a.loss * a.loss
        assert ag.gradient(later, a) == 12.0
        del later
    a = None
    del Finalized.saved[:]
    gc.collect()
    assert len(Finalized.seen) == 1  # once in a life


def test_callbacks_of_weak_references_are_called():
    called = []
    a = Own(1.5)
    y = a * 2.0
    a.loss = y
    references = [weakref.ref(x, lambda _: called.append("dead")) for x in (a, y)]
    del a, y
    gc.collect()
    assert called == ["dead", "dead"]
    assert [reference() for reference in references] == [None, None]


def test_graphs_made_while_the_collector_runs():
    """A finalizer records, sweeps and drops graphs over instances with attributes."""

    class Busy(ag.Value):
        def __del__(self):
            b = Parameter(2.0)
            b.loss = chain(b, 1000)
            b.loss.backward()
            made.append((b.grad > 1.99, weakref.ref(b)))

    made = []
    for _ in range(3):
        a = Busy(1.0)
        a.loss = chain(a, 5000)
        del a
        gc.collect()
    gc.collect()
    assert [good for good, _ in made] == [False, False, False] or len(made) == 3
    assert [found() for _, found in made] == [None] * 3


def test_frozen_objects_and_thawed_ones():
    a = Parameter(1.5)
    a.loss = [a * 2.0]
    found = weakref.ref(a)
    gc.freeze()
    try:
        b = Parameter(1.5)
        b.loss = [b * 2.0, a.loss[0] * b]
        other = weakref.ref(b)
        del a, b
        gc.collect()
        assert other() is None or found() is not None
    finally:
        gc.unfreeze()
    gc.collect()
    assert (found(), other()) == (None, None)


def run(program):
    """What a program prints in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(ag.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert done.stderr == ""
    return done.stdout


DROPPED = """
import weakref
import autograd_lite as ag
class P(ag.Value): pass
alive, most = [], 0
for i in range(60):
    a = P(1.0)
    y = a
    for _ in range(20_000):
        y = y * 1.0000001
    a.loss = y
    del y
    alive = [found for found in alive if found() is not None] + [weakref.ref(a)]
    most = max(most, len(alive))
print(most)
"""


def test_cycles_dropped_in_a_loop_are_freed_without_asking():
    """Nobody calls gc.collect: of 60 dropped graphs a few are alive at any time."""
    assert int(run(DROPPED)) < 20


HOLES = """
import gc, weakref
import autograd_lite as ag
class P(ag.Value): pass
a = P(1.0)
kept, last = [], a
for i in range(300_000):
    last = a * float(i)  # the one before dies, and this one lies above its place
    if i % 1000 == 0:
        kept.append(last)
a.loss = [last, *kept]
found, numbers = weakref.ref(a), [y.data for y in kept]
del a, last
gc.collect()
print(numbers == [1000.0 * i for i in range(300)], found().loss[1:] == kept)
del kept
gc.collect()
print(found())
"""


def test_many_that_die_between_others_that_live():
    assert run(HOLES) == "True True\nNone\n"


@pytest.mark.skipif(not IS_NATIVE, reason="Python tracks every object of the other engine")
@pytest.mark.parametrize("kind", [Parameter, Own, micrograd.Value])
def test_graphs_are_no_business_of_young_collections(kind):
    a = kind(1.0)
    a.extra = [a * 2.0]
    before = len(gc.get_objects())
    nodes = [a * float(i) + ag.sum([a, 2.0]) for i in range(1000)]
    assert len(gc.get_objects()) - before < 100
    gc.collect()
    assert len(gc.get_objects()) - before < 100
    assert not any(map(gc.is_tracked, nodes))


def test_plain_graphs_stay_out_of_it():
    x = ag.Value(1.0)
    y = (x * 2.0 + x).exp()
    assert gc.is_tracked(y) is (not IS_NATIVE)
    assert gc.get_referents(y) == [] or not IS_NATIVE


def test_finalizers_run_when_the_process_ends():
    program = (
        "import autograd_lite as ag\n"
        "class P(ag.Value):\n"
        "    def __del__(self): print('finalized', self.loss.data, flush=True)\n"
        "a = P(1.0); a.loss = a * 2.0\n"
        "del a\n"
    )
    assert run(program) == "finalized 2.0\n"
