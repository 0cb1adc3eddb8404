import copy
import gc
import importlib
import math
import pickle
import random
from fractions import Fraction

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.nn import MLP, Layer, Module, Neuron
from engines import installed, load_engine
from networks import Net, data


def test_representations():
    assert repr(Neuron(3)) == "ReLUNeuron(3)"
    assert repr(Neuron(3, nonlin=False)) == repr(Neuron(3, activation=None)) == "LinearNeuron(3)"
    assert repr(Neuron(1, activation="leaky_relu")) == "LeakyReluNeuron(1)"
    assert repr(Neuron(1, activation=math.tanh)) == "TanhNeuron(1)"
    assert repr(Layer(2, 2)) == "Layer of [ReLUNeuron(2), ReLUNeuron(2)]"
    assert repr(MLP(2, [2, 1])) == "MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(2)]]"
    assert repr(Layer(1, 16)) == "Layer of [ReLUNeuron(1), ReLUNeuron(1), ReLUNeuron(1), ... 16 in all]"
    assert repr(Net()) == "Net of 10 parameters"
    long = Neuron(1, activation=type("A" * 10_000, (), {"__call__": lambda self, x: x})())
    wide = MLP(1, [1])
    wide.layers = [Layer(1, 1) for _ in range(1000)]
    for layer in wide.layers:
        layer.neurons = [long] * 1000
    assert len(repr(wide)) < 2000
    assert len(repr(long)) < 60
    wide.layers = [type("Mine", (Module,), {"__repr__": lambda self: "M" * 10_000})()]
    assert len(repr(wide)) < 500


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus", "gelu", "leaky_relu", "sin"])
def test_an_activation_of_the_table_is_that_function(name):
    neuron = Neuron(2, activation=name, rng=random.Random(3))
    z = neuron.b + neuron.w[0] * 0.5 + neuron.w[1] * -0.25
    assert neuron([0.5, -0.25]).data == ag.primitives.TABLE[name](z).data
    assert Neuron(2, activation=ag.primitives.TABLE[name]).activation is neuron.activation


def test_an_activation_of_ones_own():
    neuron = Neuron(1, activation=lambda z: z * z)
    neuron.w[0].data, neuron.b.data = 3.0, 1.0
    y = neuron(2.0)
    assert (y.data, ag.gradient(y, neuron.parameters())) == (49.0, [28.0, 14.0])


# --- inputs


@pytest.mark.parametrize(
    "x",
    [
        [0.5, -1.0],
        (0.5, -1.0),
        np.array([0.5, -1.0]),
        np.array([0.5, -1.0], dtype=np.float32),
        [np.float64(0.5), np.array(-1.0)],
        [Fraction(1, 2), -1],
        [ag.Value(0.5), -1.0],
        np.array([ag.Value(0.5), ag.Value(-1.0)]),
        iter([0.5, -1.0]),
    ],
    ids=lambda x: type(x).__name__,
)
def test_inputs_of_any_kind(x):
    model = MLP(2, [3, 1], rng=random.Random(5))
    assert model(x).data == model([0.5, -1.0]).data


def test_a_single_input_needs_no_list_and_a_single_output_gets_none():
    model = MLP(1, [1, 1, 2], rng=random.Random(1))
    assert data(model(0.5)) == data(model([0.5])) == data(model(np.array(0.5)))
    assert isinstance(Layer(2, 1)([1, 2]), ag.Value)
    assert isinstance(Layer(2, 2)([1, 2]), list)


def test_derivatives_by_inputs_and_orders_above_one():
    model = MLP(2, [3, 1], activation="tanh", rng=random.Random(2))
    x = [ag.Value(0.3), ag.Value(-0.4)]
    # The parameters are Values from outside, so the results of grad and hessian are Values.
    assert data(ag.grad(model)([0.3, -0.4])) == ag.gradient(model(x), x)
    hessian = ag.hessian(model)([0.3, -0.4])
    neurons, outer = model.layers[0].neurons, model.layers[1].neurons[0]
    for i in range(2):
        for k in range(2):
            terms = []
            for neuron, weight in zip(neurons, outer.w, strict=True):
                y = math.tanh(neuron.b.data + neuron.w[0].data * 0.3 + neuron.w[1].data * -0.4)
                terms.append(weight.data * neuron.w[i].data * neuron.w[k].data * -2 * y * (1 - y * y))
            assert hessian[i][k].data == pytest.approx(math.fsum(terms), rel=0.0, abs=1e-15 * math.fsum(map(abs, terms)) * 8)


@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        ([1.0], ValueError, "takes 2 inputs, not 1"),
        ([1.0, 2.0, 3.0], ValueError, "takes 2 inputs, not 3"),
        (1.0, ValueError, "takes 2 inputs, not 1"),
        ("ab", TypeError, "not str 'ab'"),
        ({1: 2, 3: 4}, TypeError, "not dict"),
        ({1.0, 2.0}, TypeError, "not set"),
        (None, TypeError, "not NoneType"),
        (np.ones((5, 2)), ValueError, r"array of shape \(5, 2\): call it once a row"),
        ([1.0, "b"], TypeError, "input 1 of .* not str 'b'"),
        ([None, 1.0], TypeError, "input 0 of .* not NoneType"),
        ([1j, 1.0], TypeError, "input 0 of .* not complex"),
        ([1.0, [2.0]], TypeError, "input 1 of .* not list"),
        ([1.0, np.ones(3)], TypeError, "input 1 of .* not ndarray"),
        ([1.0, 10**400], ValueError, "largest float"),
    ],
)
@pytest.mark.parametrize("make", [lambda: Neuron(2), lambda: Neuron(2, False), lambda: Layer(2, 3), lambda: MLP(2, [3, 1])])
def test_wrong_inputs_get_a_clear_error(make, x, error, words):
    with pytest.raises(error, match=words):
        make()(x)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Neuron(0), ValueError, "inputs .* at least 1; not 0"),
        (lambda: Neuron(2.0), TypeError, "inputs .* integer; not float"),
        (lambda: Neuron(True), TypeError, "integer; not bool"),
        (lambda: Layer(2, -1), ValueError, "outputs .* at least 1; not -1"),
        (lambda: MLP(2, 3), TypeError, r"\[4, 4, 1\]; not 3"),
        (lambda: MLP(2, []), ValueError, "one at least"),
        (lambda: MLP(2, [2, "1"]), TypeError, "integer; not str"),
        (lambda: Neuron(2, activation="where"), ValueError, "no activation 'where'"),
        (lambda: Neuron(2, activation="__class__"), ValueError, "no activation"),
        (lambda: Neuron(2, activation=ag.add), ValueError, "no activation"),
        (lambda: Neuron(2, activation=ag.maximum), ValueError, "no activation"),
        (lambda: Neuron(2, activation=7), ValueError, "no activation 7"),
        (lambda: Neuron(2, rng=7), TypeError, r"random.Random\(seed\).* not int"),
    ],
)
def test_wrong_arguments_get_a_clear_error(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_sizes_may_be_numpy_integers():
    assert repr(MLP(np.int64(2), np.array([3, 1]))) == repr(MLP(2, [3, 1]))


# --- modules


NAMES = [
    "body[0].w[0]",
    "body[0].w[1]",
    "body[0].b",
    "body[1][0].w[0]",
    "body[1][0].b",
    "scale",
    "table['a']",
    "table[3]['b.c']",
    "array[0][0]",
    "array[1][0]",
]


def test_parameters_come_in_order_with_their_paths():
    net = Net()
    assert list(net.named_parameters()) == NAMES
    assert list(net.named_parameters().values()) == net.parameters()
    assert all(eval(f"net.{name}", {"net": net}) is value for name, value in net.named_parameters().items())  # noqa: S307
    assert net.state() == {name: value.data for name, value in net.named_parameters().items()}


def test_shared_and_computed_values():
    net = Module()
    net.a = ag.Value(1.0)
    net.again, net.output = [net.a, {"x": net.a}], net.a * 2.0
    net.late = Neuron(1)
    net.late.w[0] = net.a
    net.a = net.a  # the first assignment decides on the order
    assert net.parameters() == [net.a, net.late.b]
    assert list(net.named_parameters()) == ["a", "late.b"]


def test_zero_grad():
    model = MLP(2, [2, 1])
    for p in model.parameters():
        p.grad = 3.0
    model.zero_grad()
    assert [p.grad for p in model.parameters()] == [0.0] * 9


def test_a_module_may_give_its_own_parameters():
    class Frozen(Neuron):
        def parameters(self):
            return super().parameters()[:1]

    class Hidden(Module):
        def __init__(self):
            value = ag.Value(7.0)
            self.get = lambda: [value]

        def parameters(self):
            return (value for value in self.get())

    net = Module()
    net.parts = [Frozen(2), Hidden()]
    assert net.parameters() == [net.parts[0].w[0], *net.parts[1].get()]
    assert list(net.named_parameters()) == ["parts[0].w[0]", "parts[0].w[1]", "parts[0].b", "parts[1].parameters()[0]"]
    assert list(net.parts[0].named_parameters()) == ["w[0]", "w[1]", "b"]
    assert list(net.parts[1].named_parameters()) == ["parameters()[0]"]


def test_slots_hold_parameters_too():
    class Base(Module):
        __slots__ = ("__private", "unset")

        def __init__(self):
            self.__private = ag.Value(1.0)

    class Derived(Base):
        __slots__ = ("own",)

    net = Derived()
    net.own = ag.Value(2.0)
    assert data(net.parameters()) == [1.0, 2.0]
    assert data(copy.deepcopy(net).parameters()) == [1.0, 2.0]


def test_cycles_and_depth_do_no_harm():
    net = Module()
    net.self, net.child = net, Module()
    net.child.parent, net.child.w = net, ag.Value(1.0)
    net.loop = []
    net.loop.append(net.loop)
    assert list(net.named_parameters()) == ["child.w"]
    deep = node = Module()
    nested = [ag.Value(0.0)]
    for i in range(100_000):
        node.value, node.next = ag.Value(float(i)), Module()
        node, nested = node.next, [nested]
    deep.nested = nested
    assert data(deep.parameters()) == [*map(float, range(100_000)), 0.0]


def test_parameters_without_an_order_are_refused():
    net = Module()
    net.fine, net.bad = {1.0, 2.0}, [{ag.Value(1.0)}]
    with pytest.raises(TypeError, match=r"bad\[0\] is a set"):
        net.parameters()


def test_two_parameters_of_one_path_are_refused():
    net = Module()
    net.x = [ag.Value(1.0)]
    setattr(net, "x[0]", ag.Value(2.0))
    assert len(net.parameters()) == 2
    with pytest.raises(ValueError, match="two parameters have the path"):
        net.state()


def pickled(model):
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("twin_of", [copy.deepcopy, pickled])
def test_copies_are_independent_and_keep_sharing(twin_of):
    net = Net()
    net.tied = [net.scale, Neuron(1, activation="tanh")]
    net.tied[1].w[0] = net.scale
    net.output = net.tied[1](net.body[0]([1.0, 2.0]))
    net.scale.grad = 7.0
    twin = twin_of(net)
    assert twin.state() == net.state()
    assert list(twin.named_parameters()) == list(net.named_parameters())
    assert twin.tied[0] is twin.scale is twin.tied[1].w[0]
    assert twin.tied[1].activation is net.tied[1].activation
    assert not set(twin.parameters()) & set(net.parameters())
    assert twin.scale.grad == 7.0
    for model in (net, twin):
        model.zero_grad()
    twin.output.backward()
    assert twin.scale.grad != 0.0 == net.scale.grad
    net.output.backward()
    assert [p.grad for p in twin.parameters()] == [p.grad for p in net.parameters()]
    shallow = copy.copy(net)
    assert shallow.parameters() == net.parameters()


def test_training_leaves_no_garbage():
    model = MLP(2, [4, 1])
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            loss = model([1.0, 2.0])
            loss.backward()
            for p in model.parameters():
                p.data -= 0.1 * p.grad
            model.zero_grad()
        model.parameters(), model.state(), repr(model), Module.from_json(model.to_json())
        del loss, p, _
        del model
        assert gc.collect() == 0
    finally:
        gc.enable()


# --- scopes


def scopes_of(y, package=ag):
    return [(node.op.name, node.note.scope) for node in package.topological_order(y) if node.op]


@pytest.mark.parametrize("pure", [False, True])
def test_what_a_network_computes_lies_in_the_scopes_of_its_layers_and_neurons(pure):
    try:
        package = load_engine(pure)
    except ImportError:
        pytest.skip("the compiled engine was not built")
    with installed(package):
        model = package.nn.MLP(2, [2, 1], rng=random.Random(1))
        with package.scope("other"):
            x = package.Value(0.5).exp()
        assert scopes_of(model([x, 1.0]), package) == [
            ("exp", "other"),
            ("dot", "layer0.neuron0"), ("relu", "layer0.neuron0"), ("dot", "layer0.neuron1"), ("relu", "layer0.neuron1"),
            ("dot", "layer1.neuron0"),
        ]  # fmt: skip
        with package.scope("net"):
            assert {scope for _, scope in scopes_of(model([0.5, 1.0]), package)} == {
                "net.layer0.neuron0", "net.layer0.neuron1", "net.layer1.neuron0"
            }  # fmt: skip
        layer = package.nn.Layer(2, 2, activation=lambda v: v.tanh() * 2.0)
        assert [scopes_of(y, package) for y in layer([0.5, 1.0])] == [
            [("dot", f"neuron{i}"), ("tanh", f"neuron{i}"), ("multiply", f"neuron{i}")] for i in range(2)
        ]
        assert scopes_of(package.nn.Neuron(2)([0.5, 1.0]), package) == [("dot", ""), ("relu", "")]
        with package.no_grad():
            assert model([0.5, 1.0]).note.scope == ""


@pytest.mark.parametrize("pure", [False, True])
def test_shared_notes_leave_leaves_and_what_is_noted_alone(pure):
    try:
        package = load_engine(pure)
    except ImportError:
        pytest.skip("the compiled engine was not built")
    with installed(package):
        engine = importlib.import_module("autograd_lite.engine")
        note = engine.Note(scope="s")
        x = package.Value(2.0)
        named = x.exp()
        named.label = "named"
        pair = x.sin().cos()
        engine.share_notes([named, pair, x, x.sum(1.0), 3.0], [note] * 4)
        assert (named.note.scope, pair.note, pair.args[0].note, x.note) == ("", note, note, engine.Note())
        assert pair.note is pair.args[0].note
