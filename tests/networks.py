"""What the tests of nn share: a network written out without the library, and modules of a user's own."""

import math
import random
import struct
from fractions import Fraction

import numpy as np

import autograd_lite as ag
from autograd_lite.nn import MLP, Layer, Module, Neuron

UNIT = Fraction(1, 2**53)


def bits(numbers):
    """Bit patterns; every nan is the nan."""
    return [struct.pack("<d", math.nan if x != x else x) for x in numbers]


def data(values):
    return [v.data for v in (values if isinstance(values, list) else [values])]


def total(values):
    return sum(values[1:], values[0]) if isinstance(values, list) else values


# --- a network without the library: layers of (weights, bias), relu where the mask says so, in any kind of number


def forward(layers, x, masks=None):
    """Outputs and inputs of every layer, and which neurons are on; with `masks` those decide, not the sums."""
    rows, found = [list(x)], []
    for depth, layer in enumerate(layers):
        sums = []
        for w, b in layer:
            for weight, value in zip(w, rows[-1], strict=True):
                b = b + weight * value
            sums.append(b)
        last = depth == len(layers) - 1
        found.append([last or s > 0 for s in sums] if masks is None else masks[depth])
        rows.append([s if on else s * 0 for s, on in zip(sums, found[-1], strict=True)])
    return rows, found


def backward(layers, rows, masks):
    """The gradient of the sum of outputs in parameter order, each sum taken from the last neuron to the first."""
    deltas, gradient = [x * 0 + 1 for x in rows[-1]], []
    for layer, inputs, mask in reversed(list(zip(layers, rows, masks, strict=False))):
        deltas = [delta if on else delta * 0 for delta, on in zip(deltas, mask, strict=True)]
        gradient = [g for delta in deltas for g in ([delta * x for x in inputs] + [delta])] + gradient
        below = []
        for j in range(len(inputs)):
            products = [delta * w[j] for (w, _), delta in zip(layer, deltas, strict=True)]
            below.append(sum(products[-2::-1], products[-1]))
        deltas = below
    return gradient


def layers_of(model, number=float):
    return [[([number(v.data) for v in n.w], number(n.b.data)) for n in layer.neurons] for layer in model.layers]


def roundings(model):
    """How many roundings lie on any way from a parameter to a derivative: forward and backward, a product and a sum a term."""
    return 2 * sum(len(layer.neurons) + len(layer.neurons[0].w) + 2 for layer in model.layers)


def bounds(model, x):
    """For each derivative the exact one and a proved bound of the rounding: gamma_n times the sum of absolute products."""
    _, masks = forward(layers_of(model), x)
    layers, exact = layers_of(model, Fraction), [Fraction(v) for v in x]
    rows, _ = forward(layers, exact, masks)
    absolute = [[([abs(v) for v in w], abs(b)) for w, b in layer] for layer in layers]
    sizes, _ = forward(absolute, [abs(v) for v in exact], masks)
    gamma = roundings(model) * UNIT / (1 - roundings(model) * UNIT)
    return backward(layers, rows, masks), [gamma * size for size in backward(absolute, sizes, masks)]


def made(seed, shape):
    """A perceptron with biases other than 0, and a point."""
    rng = random.Random(seed)
    model = MLP(*shape, rng=rng)
    for layer in model.layers:
        for neuron in layer.neurons:
            neuron.b.data = rng.uniform(-1, 1)
    return model, [rng.uniform(-2, 2) for _ in range(shape[0])]


# --- modules of a user's own


class Net(Module):
    """A module of one's own, with parameters in every kind of container."""

    def __init__(self, seed=0):
        rng = random.Random(seed)
        self.body = [Neuron(2, rng=rng), (Neuron(1, rng=rng),)]
        self.scale = ag.Value(2.0)
        self.table = {"a": ag.Value(1.0), 3: {"b.c": ag.Value(4.0)}}
        self.array = np.array([[ag.Value(5.0)], [ag.Value(6.0)]])
        self.name, self.points, self.nothing = "net", [[1.0, 2.0], np.ones(3)], None


class Scaled(Module):
    """A class that tells its arguments."""

    def __init__(self, width, names=()):
        self.layer, self.names = Layer(width, width), list(names)

    def architecture(self):
        return {"width": len(self.layer.neurons), "names": self.names}
