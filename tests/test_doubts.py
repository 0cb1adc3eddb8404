"""What fast machine code leaves out is not missed: at nan, infinities, zeros and ties it gives what the engine gives."""

import itertools
import math

import numpy as np
import pytest

import autograd_lite as ag

ODD = (0.0, -0.0, 1.0, -1.0, 2.0, -3.5, 1e-320, 1e300, -1e300, math.inf, -math.inf, math.nan)
FUNCTIONS = {
    "maximum": lambda x, y: ag.maximum(x, y) * 3.0,
    "maximum of a constant": lambda x, y: ag.maximum(x, 1.0) * y + ag.minimum(y, -1.0),
    "a constant first": lambda x, y: ag.maximum(1.0, x) * y,
    "a nan for a constant": lambda x, y: ag.where(ag.step(x), x, ag.maximum(y, math.nan)),
    "relu": lambda x, y: ag.relu(x) * y + ag.relu(-x),
    "relu, hidden": lambda x, y: ag.where(ag.step(y), ag.relu(x) * 2.0, y),
    "step": lambda x, y: ag.step(x) * y,
    "step alone": lambda x, y: ag.step(x) + 0.0 * ag.where(1.0, 1.0, y),
    "clip": lambda x, y: ag.clip(x, -1.0, 1.0) * y,
    "absolute": lambda x, y: abs(x) + abs(x * y),
    "three": lambda x, y: ag.maximum(x, y, x * y),
    "leaky": lambda x, y: ag.leaky_relu(x, 0.1) - ag.leaky_relu(y, 0.5),
    "root of what is positive": lambda x, y: ag.sqrt(ag.maximum(x, 1e-10)) * y,
    "twice": lambda x, y: ag.grad(lambda u: ag.maximum(u * u, y) * u)(x),
}


POINTS = list(itertools.product(ODD, ODD))


def check(function):
    """At the odd points a compiled function gives lists of numbers as the engine does."""
    found = ag.compile(function)(*(np.array(column) for column in zip(*POINTS, strict=True)))
    for point, *numbers in zip(POINTS, *found, strict=True):
        assert numbers == pytest.approx(function(*point), rel=1e-14, abs=0.0, nan_ok=True), point


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values(name):
    check(lambda x, y: [FUNCTIONS[name](x, y)])


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_gradients(name):
    def function(x, y):
        value, gradient = ag.value_and_grad(FUNCTIONS[name], (0, 1))(x, y)
        return [value, *gradient]

    check(function)
