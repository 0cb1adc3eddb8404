"""Programs in the style of those written for micrograd and microgpt, on any class of Values; a plain class to compare with."""

import math
import random
from itertools import pairwise

from hypothesis import strategies as st

from autograd_lite.interop.micrograd import MLP, Value


class LocalGradients:
    """The plainest class for comparison: operands and derivatives by them are kept, a sweep multiplies and adds."""

    def __init__(self, data, _children=(), local_grads=()):
        self.data, self.grad, self._children, self._local_grads = data, 0.0, _children, local_grads

    def __add__(self, other):
        other = other if isinstance(other, LocalGradients) else LocalGradients(other)
        return LocalGradients(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, LocalGradients) else LocalGradients(other)
        return LocalGradients(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, k):
        return LocalGradients(self.data**k, (self,), (k * self.data ** (k - 1),))

    def relu(self):
        return LocalGradients(max(self.data, 0.0), (self,), (float(self.data > 0.0),))

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return self**-1 * other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        sweep_by_hand(self)


def ordered(root, operands):
    """Operands before what is made of them, as a notebook writes it."""
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for operand in operands(node):
                visit(operand)
            order.append(node)

    visit(root)
    return order


def sweep_by_hand(root):
    """As in microgpt."""
    root.grad = 1.0
    for node in reversed(ordered(root, lambda node: node._children)):
        for operand, derivative in zip(node._children, node._local_grads, strict=True):
            operand.grad += derivative * node.grad


def call_by_hand(root):
    """As in the first notebooks on micrograd."""
    root.grad = 1.0
    for node in reversed(ordered(root, lambda node: node._prev)):
        node._backward()


def make_sine(x):
    """A node with a hand-written `_backward`."""
    out = Value(math.sin(x.data), (x,), "sin")

    def backward():
        x.grad += math.cos(x.data) * out.grad

    out._backward = backward
    return out


# --- whole programs


def tour(value):
    """Every operator of micrograd, with numbers on either side and values used again and again."""
    p, q = value(1.5), value(-0.75)
    r = p * q + q**3 - 2.0
    s = (3.0 - r).relu() + 2 * p + (q / 4.0 + 1.0).relu() * 0.5
    s += s * 0.25 + (-q)
    t = (s - r) ** 2 / (1.0 + p * p) + 6.0 / s
    r += 1.0 + t * q + (p - q).relu()
    return (t + r * 0.125) ** -1 * 10.0 + s, [p, q]


def run(value, steps, numbers):
    """A random program: each step applies an operation to values made before. Any class rounds its numbers alike."""
    values = [value(x) for x in numbers]
    for kind, i, j in steps:
        x, y = values[i % len(values)], values[j % len(values)]
        values.append([lambda: x + y, lambda: x * y, lambda: x - y, lambda: (x + y).relu(), lambda: 0.5 - x,
                       lambda: x * 0.25, lambda: 1 + x, lambda: -x, lambda: x / 4, lambda: x**2][kind]())  # fmt: skip
        if abs(values[-1].data) > 1e3:
            values[-1] = values[-1] * 1e-3
    return values


eighths = st.integers(-32, 32).map(lambda n: n / 8)
step = st.tuples(st.integers(0, 9), st.integers(0, 30), st.integers(0, 30))
programs = st.tuples(st.lists(step, min_size=1, max_size=25), st.lists(eighths, min_size=1, max_size=4))


def train(value, network, steps=20):
    """A classifier trained on a few points with the max-margin loss, as in the demo: losses and gradients of every step."""
    history = []
    points = [(math.cos(k) + (k % 2), math.sin(k) * (1 - k % 2 * 0.5)) for k in range(12)]
    for k in range(steps):
        scores = [network([value(x) for x in point]) for point in points]
        losses = [(1 + (1 if i % 2 else -1) * -score).relu() for i, score in enumerate(scores)]
        loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in network.parameters())
        network.zero_grad()
        loss.backward()
        history.append([loss.data, *[p.grad for p in network.parameters()]])
        for p in network.parameters():
            p.data -= (0.5 - 0.4 * k / steps) * p.grad
    return history


class PlainNetwork:
    """Two layers in plain code, drawn in micrograd's order: for each neuron its weights, then a bias of 0."""

    def __init__(self, value, sizes):
        self.layers = [
            [([value(random.uniform(-1, 1)) for _ in range(before)], value(0.0)) for _ in range(after)]
            for before, after in pairwise(sizes)
        ]

    def parameters(self):
        return [p for layer in self.layers for weights, bias in layer for p in [*weights, bias]]

    def zero_grad(self):
        for p in self.parameters():
            p.grad = 0.0

    def __call__(self, x):
        for k, layer in enumerate(self.layers):
            x = [sum((w * v for w, v in zip(weights, x, strict=True)), bias) for weights, bias in layer]
            x = [y.relu() for y in x] if k < len(self.layers) - 1 else x
        return x[0]


def attend(value, seed=3, steps=4):
    """One attention head that learns to repeat a token: softmax, root mean square, cross entropy, Adam. The losses."""
    generator = random.Random(seed)
    width, tokens = 4, [0, 2, 1, 2, 0]
    matrices = {name: [[value(generator.gauss(0, 0.3)) for _ in range(width)] for _ in range(width)] for name in "tqkvo"}
    parameters = [p for matrix in matrices.values() for row in matrix for p in row]
    first, second, losses = [0.0] * len(parameters), [0.0] * len(parameters), []

    def times(matrix, x):
        return [sum(w * v for w, v in zip(row, x, strict=True)) for row in matrix]

    def softmax(xs):
        top = max(x.data for x in xs)
        powers = [(x - top).exp() for x in xs]
        return [p / sum(powers) for p in powers]

    for k in range(1, steps + 1):
        keys, values, terms = [], [], []
        for token, target in pairwise(tokens):
            x = matrices["t"][token]
            size = (sum(v * v for v in x) / width + 1e-5) ** -0.5
            x = [v * size for v in x]
            query = times(matrices["q"], x)
            keys.append(times(matrices["k"], x))
            values.append(times(matrices["v"], x))
            weights = softmax([sum(a * b for a, b in zip(query, key, strict=True)) / width**0.5 for key in keys])
            mixed = [sum(w * v[j] for w, v in zip(weights, values, strict=True)) for j in range(width)]
            terms.append(-softmax(times(matrices["o"], [m.relu() + v for m, v in zip(mixed, x, strict=True)]))[target].log())
        loss = (1 / len(terms)) * sum(terms)
        loss.backward()
        losses.append([loss.data, *[p.grad for p in parameters]])
        for i, p in enumerate(parameters):
            first[i] = 0.9 * first[i] + 0.1 * p.grad
            second[i] = 0.99 * second[i] + 0.01 * p.grad**2
            p.data -= 0.05 * first[i] / (1 - 0.9**k) / ((second[i] / (1 - 0.99**k)) ** 0.5 + 1e-8)
            p.grad = 0
    return losses


class HandMade(Value):
    """A subclass whose operations make nodes with local gradients where the program says so."""


def exponential(self):
    result = math.exp(self.data)
    return type_of(self)(result, (self,), (result,))


def logarithm(self):
    return type_of(self)(math.log(self.data), (self,), (1.0 / self.data,))


def type_of(node):
    return Value if isinstance(node, Value) else LocalGradients


LocalGradients.exp, LocalGradients.log = exponential, logarithm
HandMade.exp, HandMade.log = exponential, logarithm


def fingerprint():
    root, inputs = tour(Value)
    extra = make_sine(root) * 2 + Value(2.0, (root, inputs[0]), (0.1, 0.7))
    extra.backward()
    random.seed(5)
    rows = [*train(Value, MLP(2, [3, 1]), steps=3), *attend(Value, steps=2), [x.grad for x in inputs]]
    return " ".join(x.hex() for row in rows for x in row)
