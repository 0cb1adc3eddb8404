"""Row B1: micrograd's demo, a 2-16-16-1 network on 100 points of two moons, hinge loss with L2, whole training steps.

Every side runs this program, micrograd's own but for the names, on its class of nodes and from the same first parameters.
Once more the network is `autograd_lite.nn.MLP`, for those sides that have it. All take turns in one run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.measure import MICROGRAD, PURE, Phases, Result, Settings, in_turn, require_agreement, training_step
from benchmarks.peers import Engine, by_engine, engines

DATA = Path(__file__).resolve().parent.parent / "data" / "micrograd_moons.json"
SIZES = (2, 16, 16, 1)
THROUGH_MLP = " nn.MLP"


class Training:
    """The demo on one engine; `step` does one step of gradient descent and keeps its loss."""

    def __init__(self, engine: Engine, moons: dict[str, Any]) -> None:
        self.engine = engine
        self.points, self.labels, self.alpha = moons["X"], moons["y"], moons["alpha"]
        self.parameters = [engine.Value(x) for x in moons["params0"]]
        self.losses: list[float] = []
        self.accuracy = 0.0
        unused = iter(self.parameters)
        self.layers = [
            [([next(unused) for _ in range(inputs)], next(unused)) for _ in range(outputs)]
            for inputs, outputs in pairwise(SIZES)
        ]

    def score(self, xs: list[Any]) -> Any:
        """The network's output: relu after every layer but the last."""
        for layer in self.layers:
            xs = [sum([w * x for w, x in zip(weights, xs, strict=True)], bias) for weights, bias in layer]
            if layer is not self.layers[-1]:
                xs = [x.relu() for x in xs]
        return xs[0]

    def loss(self) -> Any:
        """Mean hinge loss plus alpha times the sum of the squared parameters; on the way, the share of points scored right."""
        scores = [self.score([self.engine.Value(x) for x in point]) for point in self.points]
        losses = [(1 + -label * score).relu() for label, score in zip(self.labels, scores, strict=True)]
        right = [(label > 0) == (score.data > 0) for label, score in zip(self.labels, scores, strict=True)]
        self.accuracy = sum(right) / len(right)
        return sum(losses) * (1.0 / len(losses)) + self.alpha * sum([p * p for p in self.parameters])

    def sweep(self, loss: Any) -> None:
        """The gradient of the loss, and of nothing before it."""
        for p in self.parameters:
            p.grad = 0
        loss.backward()

    def update(self) -> None:
        """A step against the gradient."""
        rate = 1.0 - 0.9 * len(self.losses) / 100
        for p in self.parameters:
            p.data -= rate * p.grad

    def step(self) -> Phases:
        """One step of gradient descent, in seconds by phase."""
        phases, loss = training_step(self.loss, self.sweep, self.update, self.engine.cyclic)
        self.losses.append(loss)
        return phases


class TrainingThroughMLP(Training):
    """The same with the package's own network."""

    def __init__(self, engine: Engine, moons: dict[str, Any]) -> None:
        super().__init__(engine, moons)
        self.score = engine.package.nn.MLP(SIZES[0], SIZES[1:])
        self.parameters = self.score.parameters()
        for parameter, number in zip(self.parameters, moons["params0"], strict=True):
            parameter.data = number


def run_moons(settings: Settings) -> Iterator[Result]:
    """Row B1."""
    moons = json.loads(DATA.read_text())
    published = moons["published_loss_per_step"]
    found, notes = engines(MICROGRAD, PURE)
    trainings = {name: Training(engine, moons) for name, engine in found.items()}
    through_mlp = {name + THROUGH_MLP: TrainingThroughMLP(engine, moons) for name, engine in found.items() if engine.package}
    trainings |= through_mlp
    for name, training in trainings.items():
        require_agreement(f"the first loss of {name}", [training.loss().data], published[:1])
    sides: dict[str, Callable[[], Phases]] = {name: training.step for name, training in trainings.items()}
    steps = min(settings.steps, len(published))
    times = in_turn(sides, steps, scale=1e3, warm_up=False)
    differences = {name: _largest_difference(name, training, published) for name, training in trainings.items()}
    row = partial(Result, "B1", unit="ms/step", repetitions=steps)
    operators = row(title=f"moons, eager: {steps} steps of the demo, in operators", notes=list(notes))
    network = row(title=f"moons, eager: {steps} steps of the demo, through nn.MLP", notes=list(notes))
    for name in found:
        # micrograd's own MLP does the operations that the program does: its side is timed once.
        for result, side in ((operators, name), (network, name + THROUGH_MLP if found[name].package else name)):
            result.times[name] = times[side]
            result.figures[f"largest_loss_difference_of_{name}"] = differences[side]
    for result in (operators, network):
        result.aim(MICROGRAD, by_engine(native=60.0, python=5.0))
        yield result


def _largest_difference(name: str, training: Training, published: list[float]) -> float:
    pairs = enumerate(zip(training.losses, published, strict=False))
    return max([require_agreement(f"step {k}: the loss of {name} and the published one", [a], [b]) for k, (a, b) in pairs])
