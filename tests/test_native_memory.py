"""Depth, freeing, references and resident memory: the same demands on either engine.

AUTOGRAD_LITE_DEPTH sets the depth of the chains: 10000000 is the full run.
"""

import copy
import gc
import os
import pickle
import sys
import weakref
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import pytest

import autograd_lite as ag
from autograd_lite import engine, sweep
from autograd_lite.primitives import TABLE
from values import in_small_thread

DEPTH = int(os.environ.get("AUTOGRAD_LITE_DEPTH", "1000000"))
IS_NATIVE = ag.engine_name == "native"
BYTES_A_NODE = 96  # resident, of a chain on one leaf with one constant; the engine in Python may take twice that


def resident():
    """Bytes of memory the process holds."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 50 * sys.getallocatedblocks()  # elsewhere: what Python's allocator knows of


@contextmanager
def collector_off():
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def chain(depth, x, constant=1.0000001):
    y = x
    for _ in range(depth):
        y = y * constant
    return y


# --- depth


def test_a_deep_chain_is_recorded_swept_and_freed():
    def work():
        with collector_off():
            before = resident()
            x = ag.Value(1.0)
            y = chain(DEPTH, x)
            taken = (resident() - before) / DEPTH
            assert taken <= BYTES_A_NODE * (1 if IS_NATIVE else 2)
            y.backward()
            assert x.grad == y.data * (x.grad / y.data)
            assert abs(x.grad / y.data - 1.0) < 1e-9
            assert ag.gradient(y, x) == x.grad
            del y
            assert sys.getrefcount(x) == 2

    in_small_thread(work)


def test_a_deep_chain_is_copied_and_pickled():
    def work():
        y = chain(DEPTH // 10, ag.Value(1.0))
        for twin in (copy.deepcopy(y), pickle.loads(pickle.dumps(y, 5))):
            leaf = sweep.topological_order(twin)[0]
            assert leaf.op is None
            assert twin.data == y.data
            assert abs(ag.gradient(twin, leaf) / y.data - 1.0) < 1e-9
            del leaf

    in_small_thread(work)


@pytest.mark.parametrize("width", [3, 40])
def test_a_deep_chain_of_operations_on_many_arguments(width):
    """Each node holds a tuple: alone, with constants, and twice with the same node."""

    def work():
        x = y = ag.Value(1.0)
        side = ag.Value(2.0)
        for _ in range(DEPTH // 20):
            y = ag.sum((y, *[side] * (width - 2), -1.5 * (width - 2)))
        y.backward()
        assert x.grad == 1.0
        assert side.grad == float((width - 2) * (DEPTH // 20))
        twin = copy.deepcopy(y)
        assert twin.data == y.data
        del y, twin
        assert sys.getrefcount(x) == sys.getrefcount(side) == 2

    in_small_thread(work)


def test_a_wide_node_on_deep_chains():
    def work():
        leaves = [ag.Value(float(i)) for i in range(1000)]
        y = ag.sum([chain(100, x, 1.0) for x in leaves])
        y.backward()
        assert [x.grad for x in leaves] == [1.0] * 1000
        del y
        assert all(sys.getrefcount(x) == 3 for x in leaves)

    in_small_thread(work)


class Tagged(ag.Value):
    """A subclass with a __dict__."""


class Slotted(ag.Value):
    """A subclass with nothing of its own but a place for weak references."""

    __slots__ = ("__weakref__",)


def test_a_deep_chain_through_attributes_of_a_subclass_is_freed():
    """Node, subclass, its dictionary, node, and so on: freed with a bounded depth of calls."""

    def work():
        bottom = Slotted(1.0)
        seen = weakref.ref(bottom)
        x = Tagged(1.0)
        x.before = bottom * 2.0
        del bottom
        for _ in range(DEPTH // 20):
            y = x * 1.0
            x = Tagged(y.data)
            x.before = y
            del y
        del x
        assert seen() is None

    in_small_thread(work)


def test_a_cycle_of_a_subclass_alone_is_collected():
    x = Tagged(1.0)
    x.me = x
    x.list = [x, Tagged(2.0)]
    x.list[1].back = x
    seen = Slotted(1.0)
    x.seen = seen
    found = weakref.ref(seen)
    del x, seen
    gc.collect()
    assert found() is None


# --- nothing is left


def blocks(work, times):
    """By how many blocks Python's allocator has grown after some calls, the first few aside."""
    for _ in range(20):
        work()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(times):
        work()
    gc.collect()
    return sys.getallocatedblocks() - before


def model():
    x, y = ag.Value(0.5), ag.Value(-2.0)
    z = ag.sum([ag.tanh(x * i + y) for i in range(50)]) + ag.where(x, y, 1.0) + ag.hypot(x, y)
    z.backward()
    ag.gradient(z, [x, y])
    ag.gradient(ag.gradient(z, x, create_graph=True), [x, y])
    pickle.loads(pickle.dumps(copy.deepcopy(z)))


def test_nothing_is_left_of_graphs():
    with collector_off():
        blocks(model, 100)  # free lists and caches fill
        assert blocks(model, 300) < 250


def raising(*args):
    raise ZeroDivisionError("a rule that raises")


def mode_that_raises():
    with ag.anomaly():
        ag.log(ag.Value(-1.0))


VALUE, OTHER, STRING = ag.Value(0.75), ag.Value(2.0), "no number"
NODE = VALUE * OTHER
LONG = [VALUE, 1.0, OTHER] * 20
BIG = 10**400
HALF = Fraction(1, 2)
NUMBER = 1234.5
TAGGED = Tagged(1.5)


def assign(node, name, x):
    setattr(node, name, x)


def delete(node, name):
    delattr(node, name)


CALLS = {
    "Value": (lambda: ag.Value(NUMBER), lambda: ag.Value(NUMBER, STRING), lambda: ag.Value(HALF, label=STRING)),
    "Value, bad": (lambda: ag.Value(), lambda: ag.Value(STRING), lambda: ag.Value(BIG), lambda: ag.Value(NUMBER, NUMBER)),
    "Value, bad keywords": (lambda: ag.Value(NUMBER, text=STRING), lambda: ag.Value(NUMBER, STRING, STRING)),
    "init": (lambda: (NUMBER * OTHER).__init__(NUMBER), lambda: (NUMBER * OTHER).__init__(STRING)),
    "subclass": (lambda: Tagged(NUMBER), lambda: Tagged(STRING), lambda: TAGGED * VALUE, lambda: Slotted(1.0) + TAGGED),
    "operators": (lambda: VALUE + OTHER, lambda: VALUE - NUMBER, lambda: NUMBER / VALUE, lambda: VALUE**3, lambda: 3**VALUE),
    "operators, slowly": (lambda: VALUE * HALF, lambda: HALF // VALUE, lambda: VALUE % True),
    "operators, bad": (lambda: VALUE + STRING, lambda: STRING - VALUE, lambda: VALUE * BIG, lambda: None / VALUE),
    "powers": (
        lambda: pow(VALUE, OTHER, NUMBER),
        lambda: (-VALUE) ** 0.5,
        lambda: -(NUMBER**VALUE),
        lambda: (-NUMBER) ** VALUE,
    ),
    "one operand": (lambda: -VALUE, lambda: +VALUE, lambda: abs(VALUE), lambda: bool(VALUE), lambda: VALUE.__floor__()),
    "comparisons": (lambda: VALUE < OTHER, lambda: VALUE >= NUMBER, lambda: VALUE > BIG, lambda: VALUE <= HALF),
    "comparisons, bad": (lambda: VALUE < STRING, lambda: VALUE == STRING, lambda: VALUE > None),
    "functions": (lambda: ag.sin(VALUE), lambda: ag.sin(NUMBER), lambda: ag.sin(2), lambda: ag.where(VALUE, OTHER, 1)),
    "functions, slowly": (lambda: ag.sin(HALF), lambda: ag.sin(TAGGED), lambda: ag.hypot(HALF, VALUE)),
    "functions, bad": (lambda: ag.sin(), lambda: ag.sin(VALUE, OTHER), lambda: ag.sin(STRING), lambda: ag.hypot(BIG, VALUE)),
    "keywords": (lambda: ag.sin(x=VALUE), lambda: VALUE.sin(x=STRING), lambda: ag.hypot(VALUE, y=OTHER)),
    "methods": (lambda: VALUE.sin(), lambda: VALUE.hypot(OTHER), lambda: VALUE.where(OTHER, 2), lambda: ag.Value.sin(VALUE)),
    "methods, bad": (
        lambda: VALUE.sin(OTHER),
        lambda: VALUE.hypot(STRING),
        lambda: ag.Value.sin(STRING),
        lambda: ag.Value.sin(),
    ),
    "variadic": (lambda: ag.sum(LONG), lambda: ag.sum(VALUE, 1, NUMBER), lambda: ag.prod((VALUE, OTHER)), lambda: ag.sum([])),
    "variadic, slowly": (lambda: ag.sum([VALUE, HALF]), lambda: ag.sum(x for x in LONG), lambda: ag.sum([1.0, 2.0])),
    "variadic, bad": (lambda: ag.sum([VALUE, STRING]), lambda: ag.sum([VALUE, BIG]), lambda: ag.sum([VALUE, [OTHER]])),
    "dot": (lambda: ag.dot(LONG, LONG), lambda: ag.dot(VALUE, OTHER), lambda: ag.dot((VALUE,), [OTHER])),
    "dot, bad": (lambda: ag.dot(LONG, [VALUE]), lambda: ag.dot(VALUE), lambda: ag.dot([VALUE], [STRING])),
    "record": (lambda: ag.Value.__record__(TABLE["hypot"], (VALUE, HALF)), lambda: ag.Value.__record__(TABLE["sum"], (VALUE,))),
    "record, bad": (
        lambda: ag.Value.__record__(TABLE["hypot"], (VALUE, STRING)),
        lambda: ag.Value.__record__(STRING, (VALUE,)),
        lambda: ag.Value.__record__(TABLE["hypot"]),
    ),
    "make_node": (lambda: engine.make_node(NUMBER, TABLE["hypot"], (VALUE, NUMBER)),),
    "make_node, bad": (lambda: engine.make_node(STRING, TABLE["sin"], STRING), lambda: engine.make_node(NUMBER, STRING, ())),
    "backward": (lambda: NODE.backward(), lambda: NODE.backward(NUMBER), lambda: NODE.backward(seed=2, visit=id)),
    "backward, bad": (lambda: NODE.backward(STRING), lambda: NODE.backward(NUMBER, raising), lambda: NODE.backward(text=1)),
    "gradient": (
        lambda: ag.gradient(NODE, LONG[::2][:1]),
        lambda: ag.gradient(NODE, {"a": VALUE}),
        lambda: ag.gradient(NODE, []),
    ),
    "gradient, bad": (lambda: ag.gradient(NODE, STRING), lambda: ag.gradient(NODE, [VALUE, NUMBER])),
    "order": (lambda: ag.topological_order(NODE), lambda: ag.topological_order(NODE, VALUE, above=[OTHER])),
    "order, bad": (lambda: ag.topological_order(STRING), lambda: ag.topological_order(NODE, below=1)),
    "attributes": (
        lambda: (NODE.data, NODE.grad, NODE.op, NODE.args, NODE.label, NODE.note),
        lambda: assign(OTHER, "grad", NUMBER),
        lambda: assign(OTHER * 1.0, "label", STRING),
        lambda: assign(OTHER * 1.0, "data", HALF),
    ),
    "attributes, bad": (
        lambda: assign(NODE, "data", STRING),
        lambda: assign(NODE, "grad", BIG),
        lambda: assign(NODE, "label", NUMBER),
        lambda: assign(NODE, "args", ()),
        lambda: assign(NODE, "anything", VALUE),
        lambda: delete(NODE, "data"),
    ),
    "text": (lambda: repr(NODE), lambda: f"{NODE:.3f}", lambda: hash(NODE), lambda: round(VALUE, 1), lambda: divmod(VALUE, 2)),
    "modes": (mode_that_raises,),
}
WATCHED = (VALUE, OTHER, NODE, STRING, BIG, HALF, NUMBER, LONG, TAGGED, ag.Value, Tagged, Slotted, None, *TABLE.values())


def tried(call):
    try:
        call()
    except (TypeError, ValueError, AttributeError, ArithmeticError):
        return


@pytest.mark.parametrize(
    "call", [pytest.param(call, id=f"{name} {i}") for name, calls in CALLS.items() for i, call in enumerate(calls)]
)
def test_no_call_keeps_a_reference_or_a_block(call):
    times = 1000
    for _ in range(20):
        tried(call)
    gc.collect()
    counts, before = [sys.getrefcount(x) for x in WATCHED], sys.getallocatedblocks()
    for _ in range(times):
        tried(call)
    gc.collect()
    after, grown = [sys.getrefcount(x) for x in WATCHED], sys.getallocatedblocks() - before
    assert [abs(y - x) for x, y in zip(counts, after, strict=True) if abs(y - x) > 20] == []
    assert grown < times // 4


def test_a_training_loop_keeps_its_memory():
    """A small network trained with the cyclic collector off: as large after 200 steps as after 20."""
    weights = [ag.Value(0.1 * (i % 7) - 0.3) for i in range(40)]

    def step():
        loss = 0.0
        for x in (-1.0, -0.25, 0.5, 1.0):
            hidden = [ag.tanh(weights[i] * x + weights[10 + i]) for i in range(9)]
            loss = loss + (ag.dot(hidden, weights[20:29]) + weights[30] - x * x) ** 2
        loss.backward()
        for w in weights:
            w.data = w.data - 0.05 * w.grad
            w.grad = 0.0
        return loss.data

    with collector_off():
        first = step()
        for _ in range(20):
            step()
        gc.collect()
        before, held = resident(), sys.getallocatedblocks()
        for _ in range(200):
            last = step()
        assert last < 0.5 * first
        assert gc.collect() == 0  # no garbage for the collector; CPython's own free lists of tuples are emptied on the way
        assert sys.getallocatedblocks() - held < 150
        assert resident() - before < 2**19
