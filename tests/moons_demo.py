"""micrograd's demonstration, run here: a perceptron learns to tell two half moons apart, and every loss is compared.

    python tests/moons_demo.py

The data, the first parameters and the loss of each of the 100 steps are those of micrograd's notebook demo.ipynb
(tests/data/micrograd_moons.json): hinge loss on 100 points plus a squared penalty on the 337 parameters, plain gradient
descent with the rate 1 - 0.9 k / 100.
"""

import json
import random
from pathlib import Path
from typing import NamedTuple

import autograd_lite as ag

DEMO = json.loads((Path(__file__).parent / "data" / "micrograd_moons.json").read_text())


class Step(NamedTuple):
    loss: float
    accuracy: float  # share of points on the right side
    deviation: float  # of the loss from the published one, relative


def model():
    """The perceptron with the notebook's seed."""
    state = random.getstate()
    try:
        random.seed(1337)
        return ag.nn.MLP(2, [16, 16, 1])
    finally:
        random.setstate(state)


def loss(model, points, classes):
    """Mean hinge loss plus penalty, and the share of points on the right side, in the notebook's order of operations."""
    scores = [model(point) for point in points]
    losses = [(1 + -y * score).relu() for y, score in zip(classes, scores, strict=True)]
    data_loss = sum(losses) * (1.0 / len(losses))
    penalty = DEMO["alpha"] * sum([p * p for p in model.parameters()])
    right = [(y > 0) == (score > 0) for y, score in zip(classes, scores, strict=True)]
    return data_loss + penalty, sum(right) / len(right)


def train(model, steps=100):
    """Gradient descent; gives each step's figures as it goes."""
    for k, published in zip(range(steps), DEMO["published_loss_per_step"], strict=False):
        total, accuracy = loss(model, DEMO["X"], DEMO["y"])
        model.zero_grad()
        total.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * p.grad
        yield Step(total.data, accuracy, abs(total.data / published - 1.0))


def main():
    steps = []
    for k, step in enumerate(train(model())):
        print(f"step {k:2}  loss {step.loss:.17f}  accuracy {step.accuracy:4.0%}  deviation {step.deviation:.1e}")
        steps.append(step)
    print(f"largest relative deviation from the published loss: {max(step.deviation for step in steps):.1e}")
    return steps


if __name__ == "__main__":
    main()
