"""Programs written for micrograd and microgpt, run with the class of Values they were written for and with ours."""

import copy
import gc
import importlib.util
import math
import os
import pickle
import random
import subprocess
import sys
import weakref
from pathlib import Path

import pytest
from hypothesis import given

import autograd_lite as ag
from autograd_lite.interop import micrograd
from autograd_lite.interop.micrograd import MLP, Layer, Module, Neuron, Value
from micrograd_programs import (
    HandMade,
    LocalGradients,
    PlainNetwork,
    attend,
    call_by_hand,
    fingerprint,
    make_sine,
    programs,
    run,
    sweep_by_hand,
    tour,
    train,
)  # fmt: skip

PEERS = [LocalGradients]
if importlib.util.find_spec("micrograd") is not None:
    PEERS.append(importlib.import_module("micrograd.engine").Value)
each_peer = pytest.mark.parametrize("peer", PEERS, ids=lambda peer: f"{peer.__module__}.{peer.__name__}")


def close(xs, ys):
    return xs == pytest.approx(ys, rel=1e-12, abs=1e-12)


# --- whole programs


@each_peer
def test_a_tour_of_the_operators(peer):
    ours, inputs = tour(Value)
    theirs, their_inputs = tour(peer)
    ours.backward()
    theirs.backward()
    assert close([ours.data, *[x.grad for x in inputs]], [theirs.data, *[x.grad for x in their_inputs]])
    assert ours.grad == 1.0


@each_peer
@given(program=programs)
def test_random_programs_have_the_same_numbers(peer, program):
    ours, theirs = run(Value, *program), run(peer, *program)
    ours[-1].backward()
    theirs[-1].backward()
    assert [x.data for x in ours] == [x.data for x in theirs]
    scale = max([1.0, *[abs(x.grad) for x in theirs]])
    assert [x.grad / scale for x in ours] == pytest.approx([x.grad / scale for x in theirs], rel=1e-11, abs=1e-12)


@given(program=programs)
def test_all_ways_through_a_graph_agree(program):
    """The engine's sweep, a loop over `_backward`, one over `_local_grads`, and the sweep beside hand-written functions."""
    plain = run(ag.Value, *program)
    plain[-1].backward()
    ways = []
    for walk in (Value.backward, call_by_hand, sweep_by_hand):
        values = run(Value, *program)
        walk(values[-1])
        ways.append([x.grad for x in values])
    values = run(Value, *program)
    unused = make_sine(values[0])
    (values[-1] + unused * 0.0).backward()
    assert ways[0] == [x.grad for x in plain]
    assert [x.grad for x in values] == ways[0]
    scale = max([1.0, *[abs(x) for x in ways[0]]])
    for way in ways[1:]:
        assert [x / scale for x in way] == pytest.approx([x / scale for x in ways[0]], rel=1e-11, abs=1e-12)


@each_peer
def test_training_a_network_gives_the_same_losses_and_gradients(peer):
    random.seed(5)
    ours = train(Value, MLP(2, [5, 4, 1]))
    random.seed(5)
    theirs = train(peer, PlainNetwork(peer, [2, 5, 4, 1]))
    assert len(ours) == 20
    assert ours[-1][0] < ours[0][0]
    for row, their_row in zip(ours, theirs, strict=True):
        assert row == pytest.approx(their_row, rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("value", [Value, HandMade])
def test_a_head_of_attention_learns_alike(value):
    for row, their_row in zip(attend(value), attend(LocalGradients), strict=True):
        assert row == pytest.approx(their_row, rel=1e-8, abs=1e-10)
    assert attend(value) == attend(value)


@pytest.mark.parametrize("pure", ["0", "1"])
def test_the_gradients_are_the_same_on_either_engine(pure):
    """Bit for bit, in a process of its own."""
    program = "import sys; sys.path[:0] = sys.argv[1:]; import micrograd_programs; print(micrograd_programs.fingerprint())"
    command = [sys.executable, "-c", program, str(Path(__file__).parent), *[path for path in sys.path if path]]
    environment = {**os.environ, "AUTOGRAD_LITE_PURE": pure}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == fingerprint()


# --- nodes made by hand


def test_a_hand_written_function_takes_part_in_backward():
    x = Value(0.7)
    s = make_sine(x)
    y = s * s + x * s
    y.backward()
    expected = 2 * math.sin(0.7) * math.cos(0.7) + math.sin(0.7) + 0.7 * math.cos(0.7)
    assert x.grad == pytest.approx(expected, rel=1e-15)
    assert s.grad == pytest.approx(2 * math.sin(0.7) + 0.7, rel=1e-15)
    assert y.grad == 1.0
    assert s._prev == {x}
    assert s._op == "sin"


def test_hand_written_functions_are_called_once_each_last_to_first_with_gradients_complete():
    x, calls = Value(2.0), []

    def double(operand, name):
        out = Value(2 * operand.data, (operand,), name)

        def backward():
            calls.append((name, out.grad))
            operand.grad += 2 * out.grad

        out._backward = backward
        return out

    a = double(x, "a")
    b = double(a, "b")
    c = double(a, "c")
    (b + c * b + a).backward()
    assert sorted(name for name, _ in calls[:2]) == ["b", "c"]
    assert dict(calls) == {"b": 9.0, "c": 8.0, "a": 35.0}
    assert len(calls) == 3
    assert x.grad == 70.0


def test_a_function_may_be_assigned_to_a_node_of_an_operator():
    x = Value(3.0)
    y = x * x
    gradients = []
    y._backward = lambda: gradients.append(y.grad)
    assert y._op == "*"
    (y * 5.0).backward()
    assert (gradients, x.grad, y._prev) == ([5.0], 0.0, {x})


def test_a_node_with_operands_and_nothing_else_passes_nothing_on():
    x = Value(3.0)
    (Value(9.0, (x, x), "*") * 2.0).backward()
    assert x.grad == 0.0


def test_local_gradients_are_what_backward_multiplies_with():
    x, y = Value(3.0), Value(4.0)
    z = Value(7.0, [x, y, x], [2.0, -5.0, 0.5])
    (z * z).backward()
    assert (x.grad, y.grad, z.grad) == (35.0, -70.0, 14.0)
    assert z._children == (x, y, x)
    assert z._local_grads == (2.0, -5.0, 0.5)
    assert (x * y)._local_grads == (4.0, 3.0)
    assert (x**2)._local_grads == (6.0,)
    assert (x._children, x._local_grads, x._prev, x._op) == ((), (), frozenset(), "")


def test_gradients_add_up_over_calls_and_root_gradients_are_set():
    for make in (lambda x: x.tanh(), make_sine):
        x = Value(0.5)
        y = make(x) * 3.0
        y.backward()
        once = x.grad
        y.backward()
        assert (x.grad, y.grad) == (2 * once, 1.0)
        x.grad = 0
        y.backward(2.0)
        assert (x.grad, y.grad) == (2 * once, 2.0)


def test_an_exception_in_a_function_leaves_all_gradients():
    x = Value(1.0)
    x.grad = 0.25
    out = make_sine(x)
    out._backward = lambda: 1 / 0
    y = (out * 2) + x
    with pytest.raises(ZeroDivisionError):
        y.backward()
    assert [node.grad for node in (x, out, y)] == [0.25, 0.0, 0.0]


def test_assigned_operands():
    x, y = Value(2.0), Value(5.0)
    out = Value(4.0)
    out._prev = {x}
    out._local_grads = (4.0,)
    (out * y).backward()
    assert x.grad == 20.0
    out._backward = lambda: None
    out._prev = (x, y)
    assert (out._prev, out._children) == ({x, y}, (x, y))
    x.grad = 0.0
    (out * y).backward()
    assert x.grad == 0.0


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda x: Value(1.0, (x, 2.0)), TypeError),
        (lambda x: Value(1.0, (x,), (1.0, 2.0)), ValueError),
        (lambda x: Value(1.0, (), (1.0,)), ValueError),
        (lambda x: setattr(x, "_backward", 3), TypeError),
        (lambda x: Value(x), TypeError),
        (lambda x: Value(1.0, (x,), "f", 3), TypeError),
    ],
)
def test_wrong_arguments(make, error):
    with pytest.raises(error):
        make(Value(1.0))


# --- attributes, text, drawings


def test_attributes_and_text():
    x = Value(2, label="x")
    x.momentum = 0.5
    y = Value(3.0, (), "")
    assert (repr(x), str(y), x.label, y.label, x.momentum) == (
        "Value(data=2.0, grad=0.0)", "Value(data=3.0, grad=0.0)", "x", "", 0.5
    )  # fmt: skip
    spelled = {"+": x + 1, "*": 2 * x, "**2": x**2, "**-1": x**-1, "**0.5": x**0.5, "**": x**y, "ReLU": x.relu(),
               "tanh": x.tanh(), "exp": x.exp(), "log": x.log(), "-": 1 - x, "/": x / y, "neg": -x}  # fmt: skip
    assert {name: node._op for name, node in spelled.items()} == {name: name for name in spelled}
    assert all(type(node) is Value for node in spelled.values())
    y.label = "b"
    assert (y.label, ag.Value(1.0).label) == ("b", None)


def test_a_graph_can_be_listed_for_a_drawing():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    e = (a * b + a).tanh()
    e.label = "e"
    nodes, edges = set(), set()
    waiting = [e]
    while waiting:
        node = waiting.pop()
        nodes.add(node)
        for child in node._prev:
            edges.add((child, node))
            waiting.append(child)
    assert len(nodes) == 5
    assert len(edges) == 5
    assert sorted("%s|%.1f|%.1f|%s" % (n.label, n.data, n.grad, n._op) for n in nodes) == sorted(  # noqa: UP031
        ["a|2.0|0.0|", "b|-3.0|0.0|", "|-6.0|0.0|*", "|-4.0|0.0|+", f"e|{math.tanh(-4):.1f}|0.0|tanh"]
    )
    assert "tanh" in ag.show.to_dot(e)


# --- modules


def test_modules_have_the_names_shapes_and_draws_of_micrograd():
    random.seed(11)
    network = MLP(3, [2, 1])
    assert repr(network) == "MLP of [Layer of [ReLUNeuron(3), ReLUNeuron(3)], Layer of [LinearNeuron(2)]]"
    random.seed(11)
    drawn = [random.uniform(-1, 1) for _ in range(8)]
    assert [p.data for p in network.parameters()] == [*drawn[:3], 0.0, *drawn[3:6], 0.0, *drawn[6:], 0.0]
    assert all(type(p) is Value for p in network.parameters())
    assert isinstance(network, Module)
    assert isinstance(network.layers[0], Layer)
    assert [type(p) for p in Layer(1, 2, nonlin=False)([1.0])] == [Value, Value]
    neuron = Neuron(2, nonlin=False)
    neuron([Value(1.0), 2]).backward()
    assert [p.grad for p in neuron.parameters()] == [1.0, 2.0, 1.0]
    neuron.zero_grad()
    assert [p.grad for p in neuron.parameters()] == [0.0, 0.0, 0.0]
    assert Module().parameters() == []


# --- beside the rest of the package


@each_peer
def test_equality_is_identity_as_programs_that_look_nodes_up_in_lists_expect(peer):
    for kind in (peer, Value):
        x, twin = kind(1.0), kind(1.0)
        assert [x == twin, x == x, x == 1.0, x != twin, x != x, x != 1.0] == [False, True, False, True, False, True]
        assert (x in [twin, twin], x in [twin, x], [twin, x].index(x), len({x, twin})) == (False, True, 1, 2)
        children = [twin, x]
        children.remove(x)
        assert children[0] is twin
    plain = ag.Value(1.0)
    assert [x == plain, plain == x, x in [plain, 1.0], plain in [x, x]] == [False] * 4
    assert [x != plain, plain != x] == [True] * 2


def test_mixing_with_values_of_the_package():
    x, y = Value(2.0), ag.Value(3.0)
    nodes = [x * y, y * x, y - x, ag.sin(x), ag.sum(x, y), 1.0 / x, x.sigmoid(), ag.dot([1.0, x], [y, y]), ag.sum(y, x)]
    for node in nodes:
        assert type(node) is Value
    (make_sine(x) * y + y / x).backward()
    assert x.grad == pytest.approx(3 * math.cos(2.0) - 0.75, rel=1e-15)
    assert y.grad == pytest.approx(math.sin(2.0) + 0.5, rel=1e-15)


def test_transforms_of_functions_with_such_values():
    w = Value(3.0)
    assert ag.grad(lambda x: (w.data * x * x).tanh())(0.5) == ag.grad(lambda x: (3.0 * x * x).tanh())(0.5)
    assert ag.gradient(w**3 * 2.0, [w]) == [54.0]
    (second,) = ag.gradient(ag.gradient(w**3, [w], create_graph=True)[0], [w])
    assert second == 18.0
    assert ag.gradient(Value(1.0, (w,), (7.0,)) * 2.0, [w]) == [14.0]
    with pytest.raises(TypeError, match="hand-written _backward"):
        ag.gradient(make_sine(w) * 2.0, [w])
    with ag.no_grad():
        assert (w * 2.0)._prev == set()
    with ag.scope("block"):
        assert (w * 2.0).note.scope == "block"


def test_stale_graphs_are_noticed():
    x = Value(2.0)
    y = x * x
    x.data = 3.0
    with pytest.raises(ag.StaleGraphError):
        y.backward()
    (x * x).backward()
    assert x.grad == 6.0


def test_copies_and_pickles_of_graphs():
    x = Value(2.0, label="x")
    x.note_of_mine = ["kept"]
    y = Value(5.0, (x, x), (2.0, 3.0)) * x
    y._op = "own"
    y.backward()
    for twin in (copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
        assert (type(twin), twin._op, twin.grad, twin.data) == (Value, "own", 1.0, 10.0)
        leaf = next(node for node in twin._prev if node.op is None)
        assert leaf is not x
        assert (leaf.label, leaf.note_of_mine, leaf.grad) == ("x", ["kept"], x.grad)
        assert leaf.note_of_mine is not x.note_of_mine
        twin.backward()
        assert leaf.grad == 2 * x.grad
    assert copy.copy(y)._prev == y._prev
    assert type(copy.deepcopy(HandMade(1.0))) is type(pickle.loads(pickle.dumps(HandMade(1.0)))) is HandMade
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="hand-written _backward"):
            duplicate(make_sine(x))


# --- memory


def test_cycles_through_hand_written_functions_are_collected():
    x = Value(1.0)
    y = x
    nodes = []
    for _ in range(20):
        y = make_sine(y * 1.5) + x
        nodes += [weakref.ref(y), *[weakref.ref(node) for node in y._prev if node is not x]]
    y.backward()
    assert x.grad != 0.0
    assert len(nodes) == 40
    del y
    gc.collect()
    assert [node() for node in nodes if node() is not None] == []
    assert len(micrograd._hand_written) == 0


def test_graphs_without_functions_are_freed_at_once():
    gc.disable()
    try:
        x = Value(1.0)
        y = x * 2.0
        watched = weakref.ref(y)
        z = Value(1.0, (y,), (1.0,)).tanh()
        z.backward()
        del y, z
        assert watched() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("make", [make_sine, lambda x: x * 1.0, lambda x: Value(x.data, (x,), (1.0,))])
def test_deep_chains_do_not_recurse(make):
    x = Value(0.0)
    y = x
    for _ in range(100_000):
        y = make(y)
    y.backward()
    assert x.grad == 1.0
    watched = weakref.ref(y)
    del y
    gc.collect()
    assert watched() is None


def test_layers_name_their_scopes_without_a_mode(monkeypatch):
    """Entering a scope for each neuron made a network's pass seven times as slow as that of nn.MLP."""
    monkeypatch.setattr("autograd_lite.nn.modules.scope", None)
    layer = micrograd.Layer(2, 3)
    outputs = layer([0.5, micrograd.Value(-1.0)])
    assert [y.note.scope for y in outputs] == [y.args[0].note.scope for y in outputs] == ["neuron0", "neuron1", "neuron2"]
    assert {type(y) for y in outputs} == {micrograd.Value}


def test_a_backward_that_calls_the_one_before_it():
    a, seen = Value(2.0), []
    b = a * a
    before = b._backward
    b._backward = lambda: (before(), seen.append(b.grad))
    (b * 3).backward()
    assert (a.grad, seen) == (12.0, [3.0])
