import copy
import json
import random
from fractions import Fraction
from pathlib import Path

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.nn import MLP, Neuron
from networks import backward, bits, bounds, data, forward, layers_of, made, total
from values import same

DATA = json.loads((Path(__file__).parent / "data" / "micrograd_networks.json").read_text())
shapes = st.tuples(st.integers(1, 4), st.lists(st.integers(1, 4), min_size=1, max_size=3))
seeds = st.integers(0, 2**32)
# --- micrograd's networks


@given(seeds, shapes)
def test_weights_are_drawn_in_order_one_draw_each(seed, shape):
    inputs, outputs = shape
    random.seed(seed)
    model = MLP(inputs, outputs)
    after = random.random()
    random.seed(seed)
    expected = []
    for before, count in zip([inputs, *outputs], outputs, strict=False):
        for _ in range(count):
            expected += [random.uniform(-1, 1) for _ in range(before)] + [0.0]
    assert data(model.parameters()) == expected
    assert random.random() == after
    assert data(MLP(inputs, outputs, rng=random.Random(seed)).parameters()) == expected
    assert (
        random.getstate() == (random.seed(seed), [random.random() for _ in range(model_draws(shape) + 1)], random.getstate())[2]
    )


def model_draws(shape):
    return sum(before * count for before, count in zip([shape[0], *shape[1]], shape[1], strict=False))


@given(seeds, shapes)
def test_outputs_and_gradients_have_the_bits_of_a_network_written_out(seed, shape):
    model, x = made(seed, shape)
    outputs = model(x)
    total(outputs).backward()
    rows, masks = forward(layers_of(model), x)
    assert bits(data(outputs)) == bits(rows[-1])
    # Adding 0.0 makes zeros of one sign: a derivative that is 0 because a neuron is off has the sign of nothing in particular.
    assert bits(p.grad + 0.0 for p in model.parameters()) == bits(g + 0.0 for g in backward(layers_of(model), rows, masks))


@given(seeds, shapes)
def test_gradients_lie_within_the_rounding_of_exact_differences(seed, shape):
    model, x = made(seed, shape)
    total(model(x)).backward()
    exact, errors = bounds(model, x)
    assert all(abs(Fraction(p.grad) - g) <= e for p, g, e in zip(model.parameters(), exact, errors, strict=True))
    # With every relu held on or off the output is affine in any one parameter: its difference is its derivative.
    _, masks = forward(layers_of(model), x)
    fractions = [Fraction(v) for v in x]
    start = sum(forward(layers_of(model, Fraction), fractions, masks)[0][-1])
    for i, p in enumerate(model.parameters()):
        twin = copy.deepcopy(model)
        moved = twin.parameters()[i]
        moved.data = p.data + 2.0**-10
        step = Fraction(moved.data) - Fraction(p.data)
        assert sum(forward(layers_of(twin, Fraction), fractions, masks)[0][-1]) - start == step * exact[i]


@pytest.mark.parametrize("row", DATA["networks"], ids=lambda row: f"{row['inputs']}-{row['outputs']}")
def test_results_of_micrograd_itself(row):
    random.seed(row["seed"])
    model = MLP(row["inputs"], row["outputs"])
    x = [random.uniform(-2, 2) for _ in range(row["inputs"])]
    assert x == row["x"]
    for bias, neuron in zip(row["biases"], [n for layer in model.layers for n in layer.neurons], strict=True):
        neuron.b.data = bias
    outputs = model(x)
    total(outputs).backward()
    assert bits(data(outputs)) == bits(row["results"])
    gradient = [p.grad for p in model.parameters()]
    exact, errors = bounds(model, x)
    for ours, theirs, g, e in zip(gradient, row["gradient"], exact, errors, strict=True):
        assert abs(Fraction(ours) - g) <= e
        assert abs(Fraction(theirs) - g) <= e
    if sum(count > 1 for count in row["outputs"]) <= 1:  # then no adjoint is a sum, in whichever order
        assert bits(g + 0.0 for g in gradient) == bits(g + 0.0 for g in row["gradient"])


def test_a_neuron_is_one_dot_in_micrograds_order():
    neuron = Neuron(3, rng=random.Random(0))
    x = ag.Value(2.0)
    out = neuron([1.0, x, 3])
    assert out.op.name == "relu"
    (weighted,) = out.args
    assert weighted.op.name == "dot"
    assert same(weighted.args, (1.0, *neuron.w, neuron.b, 1.0, x, 3.0))
    assert neuron.parameters() == [*neuron.w, neuron.b]


# --- the network of the source texts: two sigmoid hidden units, one sigmoid output, cross-entropy with a penalty


def cost(theta1, theta2, samples, penalty, functions):
    """J by its formula, in the numbers of `functions` (an object with exp and log)."""
    value, m = 0, len(samples)
    for x, y in samples:
        h = network(theta1, theta2, x, functions)[1]
        value -= y * functions.log(h) + (1 - y) * functions.log(1 - h)
    squares = sum(theta * theta for row in [*theta1, theta2] for theta in row[1:])
    return value / m + penalty / (2 * m) * squares


def network(theta1, theta2, x, functions):
    def unit(theta, inputs):
        return 1 / (1 + functions.exp(-sum((t * a for t, a in zip(theta, inputs, strict=True)), start=0)))

    hidden = [1, *[unit(row, [1, *x]) for row in theta1]]
    return hidden, unit(theta2, hidden)


def formulas(theta1, theta2, samples, penalty, functions):
    """dJ/dtheta1 and dJ/dtheta2 as the texts derive them, and the sums of their absolute terms."""
    m = len(samples)
    gradient1, size1 = [[0] * 3 for _ in theta1], [[0] * 3 for _ in theta1]
    gradient2, size2 = [0] * 3, [0] * 3
    for x, y in samples:
        hidden, output = network(theta1, theta2, x, functions)
        delta3 = output - y
        for j in range(3):
            gradient2[j] += delta3 * hidden[j] / m
            size2[j] += abs(delta3 * hidden[j]) / m
        for i in range(2):
            delta2 = delta3 * theta2[i + 1] * hidden[i + 1] * (1 - hidden[i + 1])
            for j, value in enumerate([1, *x]):
                gradient1[i][j] += delta2 * value / m
                size1[i][j] += abs(delta2 * value) / m
    for thetas, gradients, sizes in [*zip(theta1, gradient1, size1, strict=True), (theta2, gradient2, size2)]:
        for j in (1, 2):
            gradients[j] += penalty / m * thetas[j]
            sizes[j] += abs(penalty / m * thetas[j])
    return [*gradient1, gradient2], [*size1, size2]


small = st.floats(-1.0, 1.0)


@given(
    st.lists(st.lists(small, min_size=3, max_size=3), min_size=3, max_size=3),
    st.lists(st.tuples(st.tuples(small, small), st.sampled_from([0, 1])), min_size=1, max_size=4),
    st.sampled_from([0.0, 0.25, 1.0]),
)
def test_gradient_of_the_three_layer_network_by_the_formulas(thetas, samples, penalty):
    model = MLP(2, [2, 1], activation="sigmoid", output_activation="sigmoid")
    neurons = [neuron for layer in model.layers for neuron in layer.neurons]
    for neuron, theta in zip(neurons, thetas, strict=True):
        for parameter, value in zip([neuron.b, *neuron.w], theta, strict=True):
            parameter.data = value
    m = len(samples)
    losses = [-(y * model(x).log() + (1 - y) * (1 - model(x)).log()) for x, y in samples]
    squares = ag.sum([w * w for neuron in neurons for w in neuron.w])
    j = ag.sum(losses) / m + penalty / (2 * m) * squares
    gradients = ag.gradient(j, [[neuron.b, *neuron.w] for neuron in neurons])
    with mpmath.workdps(80):
        exact = [[mpmath.mpf(v) for v in theta] for theta in thetas]
        points = [([mpmath.mpf(v) for v in x], y) for x, y in samples]
        expected, sizes = formulas(exact[:2], exact[2], points, mpmath.mpf(penalty), mpmath)
        h = mpmath.mpf(10) ** -25
        for row in range(3):
            for k in range(3):
                # Some 40 roundings lie on a way from a parameter to the cost and back, and 1 - h, h being at most
                # sigmoid(3), doubles few of them: 64 half-ulps of the terms that are added.
                assert abs(gradients[row][k] - expected[row][k]) <= 64 * mpmath.mpf(2) ** -53 * sizes[row][k] + 1e-300
                moved = [copy.deepcopy(exact), copy.deepcopy(exact)]
                moved[0][row][k] += h
                moved[1][row][k] -= h
                up, down = [cost(t[:2], t[2], points, mpmath.mpf(penalty), mpmath) for t in moved]
                assert abs((up - down) / (2 * h) - expected[row][k]) <= mpmath.mpf(10) ** -45
        assert abs(j.data - cost(exact[:2], exact[2], points, mpmath.mpf(penalty), mpmath)) <= 64 * 2.0**-53 * (1 + j.data)
