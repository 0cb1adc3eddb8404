"""Subclasses of Value: the class of results, copies and pickles with attributes, and cycles through attributes."""

import copy
import gc
import operator
import pickle
import weakref

import pytest

import autograd_lite as ag
from autograd_lite import engine
from autograd_lite.primitives import TABLE


class Plain(ag.Value):
    """Its results are plain Values."""


class Own(ag.Value, own_results=True):
    """Its results are of its own class."""


class Below(Own):
    """Its results are as those of the class above it."""


class Other(ag.Value, own_results=True):
    __slots__ = ("__weakref__",)


RESULTS = {
    "two nodes": lambda x, y: x * y,
    "reflected": lambda x, y: y * x,
    "a method": lambda x, y: x.hypot(y),
    "a function": lambda x, y: ag.arctan2(y, x),
    "three arguments": lambda x, y: ag.where(y, 1.0, x),
    "variadic": lambda x, y: ag.sum([y, 1, x]),
    "pairs": lambda x, y: ag.dot([y, 2.0], [1, x]),
    "with its number": lambda x, y: engine.make_node(3.0, TABLE["add"], (y, x)),
}
ALONE = {
    "a float": lambda x: 2.0 - x,
    "an int": lambda x: x**2,
    "a bool": lambda x: x + True,
    "a sign": operator.neg,
    "a method": lambda x: x.sin(),
    "a function": ag.relu,
    "rounded": lambda x: round(x, 1),
    "clipped": lambda x: x.clip(-1, 1.0),
}


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize(("kind", "result"), [(Plain, ag.Value), (Own, Own), (Below, Own), (Other, Other)])
def test_class_of_a_result_of_one_node(name, kind, result):
    assert type(ALONE[name](kind(0.7))) is result


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize(("kind", "result"), [(Plain, ag.Value), (Own, Own), (Below, Own), (Other, Other)])
def test_class_of_a_result_beside_a_plain_node(name, kind, result):
    for other in (ag.Value(0.4), Plain(0.4), kind(0.4)):
        x, y = kind(0.7), other
        z = RESULTS[name](x, y)
        assert type(z) is result
        plain = [ag.Value(0.7), ag.Value(0.4)]
        assert ag.gradient(z, [x, y]) == ag.gradient(RESULTS[name](*plain), plain)


def test_the_first_operand_that_asks_decides():
    x, y = Own(0.7), Other(0.4)
    assert [type(z) for z in (x + y, y + x, ag.hypot(x, y), ag.dot([1, 1], [y, x]))] == [Own, Other, Own, Other]


def test_modes_keep_the_class():
    with ag.no_grad():
        assert type(Own(1.0) + 1.0) is Own
    with ag.scope("inner"), ag.anomaly():
        z = Own(1.0) * 2.0
    assert (type(z), z.note.scope) == (Own, "inner")
    assert z.note.source is not None


def test_second_order_graphs_are_of_the_class():
    x = Own(0.7)
    (slope,) = ag.gradient(x**3, [x], create_graph=True)
    assert type(slope) is Own
    assert ag.gradient(slope, [x]) == [ag.grad(ag.grad(lambda x: x**3))(0.7)]


@pytest.mark.usefixtures("forget")
def test_a_primitive_defined_later():
    thrice = ag.define_primitive("thrice_for_subclasses", lambda x: 3.0 * x, [lambda r, x: 3.0])
    x = Own(2.0)
    assert [type(z) for z in (thrice(x), x.thrice_for_subclasses())] == [Own, Own]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda y: pickle.loads(pickle.dumps(y))])
def test_copies_of_graphs_keep_classes_and_attributes(duplicate):
    x, z = Plain(2.0), Own(3.0)
    x.tags = ["first"]
    y = x * z
    y.inputs = [x, z]
    y.far = Plain(7.0) * 2.0
    y.backward()
    twin = duplicate(y)
    assert (type(twin), twin.data, twin.grad) == (Own, 6.0, 1.0)
    assert [type(node) for node in twin.args] == [Plain, Own]
    assert twin.inputs == list(twin.args)
    assert twin.inputs[0].tags == ["first"]
    assert twin.inputs[0].tags is not x.tags
    assert twin.far.args[0] is not y.far.args[0]
    assert twin.far.data == 14.0


def test_a_copy_shares_operands_and_attributes():
    x = Own(2.0)
    y = x * x
    y.tags = []
    twin = copy.copy(y)
    assert (type(twin), twin.args, twin.tags is y.tags) == (Own, (x, x), True)


def test_a_long_graph_with_attributes_that_lead_to_other_graphs_is_pickled_without_recursion():
    y = Own(0.0)
    for i in range(20_000):
        y = y + 1.0
        if i % 100 == 0:
            y.aside = Own(float(i)) * 2.0
    twin = pickle.loads(pickle.dumps(y))
    asides = []
    while twin.op is not None:
        asides += [twin.aside.data] if hasattr(twin, "aside") else []
        twin = twin.args[0]
    assert asides == [2.0 * i for i in reversed(range(0, 20_000, 100))]


def test_cycles_through_nodes_above_are_collected():
    x = Own(2.0)
    y = (x * 3.0).sin() + ag.sum([x, 1.0, x])
    x.result = ag.clip(y, -1.0, 1.0)
    seen = Other(1.0)
    x.seen, found = seen, weakref.ref(seen)
    del x, y, seen
    gc.collect()
    assert found() is None


def test_nodes_of_subclasses_are_told_apart_by_identity():
    """A graph's nodes are the keys of dicts."""
    with pytest.raises(TypeError, match="Hashed has a __hash__ of its own"):

        class Hashed(ag.Value):
            def __hash__(self):
                return hash(self.data)

    class Compared(ag.Value, own_results=True):  # noqa: PLW1641 -- the point of it
        def __eq__(self, other):
            return self.data == getattr(other, "data", other)

    a, b = Compared(2.0), Compared(2.0)
    y = a * a * b * b
    y.backward()
    assert (a.grad, b.grad) == (16.0, 16.0)
    assert ag.gradient(y, [a, b]) == [16.0, 16.0]
    assert ag.grad(lambda x: x * Compared(2.0))(3.0) == 2.0


class Slotted(ag.Value, own_results=True):
    __slots__ = ("unit", "values")


def test_attributes_in_slots_are_copied():
    node = Slotted(2.0)
    node.unit, node.values = "m", [node * 3.0]
    for twin in (copy.copy(node), copy.deepcopy(node), pickle.loads(pickle.dumps(node))):
        assert (type(twin), twin.data, twin.unit, twin.values[0].data) == (Slotted, 2.0, "m", 6.0)
    assert copy.copy(node).values is node.values
    assert copy.deepcopy(node).values[0].args[0] is not node
    (node * 1.0).backward()
    assert not hasattr(copy.copy(node * 1.0), "unit")
