"""Row B1: micrograd's demo, a 2-16-16-1 network on 100 points of two moons, hinge loss with L2, whole training steps.

Both sides run this same program on their own class of nodes, from the same first parameters.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.measure import OURS, PEER, Goal, Result, Settings, in_turn, require_agreement, seconds_to_free
from benchmarks.peers import Engine, engines

DATA = Path(__file__).resolve().parent.parent / "data" / "micrograd_moons.json"
SIZES = (2, 16, 16, 1)


class Training:
    """The demo on one engine; `step` does one step of gradient descent and keeps its loss."""

    def __init__(self, engine: Engine, moons: dict[str, Any]) -> None:
        self.engine = engine
        self.points, self.labels, self.alpha = moons["X"], moons["y"], moons["alpha"]
        self.parameters = [engine.Value(x) for x in moons["params0"]]
        self.losses: list[float] = []
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
        """Mean hinge loss plus alpha times the sum of the squared parameters."""
        scores = [self.score([self.engine.Value(x) for x in point]) for point in self.points]
        losses = [(1 + -label * score).relu() for label, score in zip(self.labels, scores, strict=True)]
        return sum(losses) * (1.0 / len(losses)) + self.alpha * sum([p * p for p in self.parameters])

    def step(self) -> dict[str, float]:
        """One step of gradient descent, in seconds by phase."""
        rate = 1.0 - 0.9 * len(self.losses) / 100
        start = perf_counter()
        loss = self.loss()
        recorded = perf_counter()
        for p in self.parameters:
            p.grad = 0
        loss.backward()
        swept = perf_counter()
        for p in self.parameters:
            p.data -= rate * p.grad
        updated = perf_counter()
        self.losses.append(loss.data)
        before = perf_counter()
        del loss
        free = seconds_to_free(before, self.engine.cyclic)
        return {"record": recorded - start, "sweep": swept - recorded, "update": updated - swept, "free": free}


def run_moons(settings: Settings) -> Iterator[Result]:
    """Row B1."""
    moons = json.loads(DATA.read_text())
    published = moons["published_loss_per_step"]
    found, notes = engines()
    first = [Training(engine, moons).loss().data for engine in found.values()]
    require_agreement("the first loss", first, [published[0]] * len(first))
    trainings = {name: Training(engine, moons) for name, engine in found.items()}
    sides: dict[str, Callable[[], dict[str, float]]] = {name: training.step for name, training in trainings.items()}
    steps = min(settings.steps, len(published))
    times = in_turn(sides, steps, scale=1e3, warm_up=False)
    figures: dict[str, float] = {}
    for name, training in trainings.items():
        figures[f"largest_loss_difference_of_{name}"] = max(
            [
                require_agreement(
                    f"step {k}: the loss of {name} and the published one", [a], [b], 1e-12 if name == OURS else 1e-9
                )
                for k, (a, b) in enumerate(zip(training.losses, published, strict=False))
            ]
        )
    result = Result("B1", f"moons, eager: {steps} steps of the demo", "ms/step", steps, times, figures, notes=notes)
    if PEER in found:
        result.goals.append(Goal("ratio of the totals", 5.0, result.ratios["total"]))
    yield result
