"""Row B2: training steps of the small GPT of tests/microgpt.py, plain scalar code of which only the class of Values changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import autograd_lite as ag
from benchmarks.measure import LOCAL_GRADIENTS, OURS, PURE, Phases, Result, Settings, in_turn, require_agreement, training_step
from benchmarks.peers import Engine, engines
from microgpt import SmallGPT

GOLD = json.loads((Path(__file__).resolve().parent.parent / "data" / "microgpt_gold.json").read_text())


class Training:
    """The GPT on one engine; `step` does one step and keeps its loss. The gradient of the first step is checked at once."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine, self.model = engine, SmallGPT(engine.Value)
        self.losses: list[float] = []
        loss = self.model.loss()
        loss.backward()
        square = sum([p.grad**2 for p in self.model.parameters])
        require_agreement(f"the first gradient's square of {name} and the recorded one", [square], [GOLD["grad_step0_norm2"]])
        for p in self.model.parameters:
            p.grad = 0.0
        self.nodes = sum([node.op is not None for node in ag.topological_order(loss)]) if name == OURS else None

    def step(self) -> Phases:
        """One step of training, in seconds by phase."""
        phases, loss = training_step(self.model.loss, lambda loss: loss.backward(), self.model.update, self.engine.cyclic)
        self.losses.append(loss)
        return phases


def run_small_gpt(settings: Settings) -> Iterator[Result]:
    """Row B2: as many steps as have recorded losses; every side trains on the same names, so they are as long."""
    found, notes = engines(LOCAL_GRADIENTS, PURE)
    trainings = {name: Training(engine, name) for name, engine in found.items()}
    steps = min(settings.steps, len(GOLD["loss"]))
    times = in_turn({name: training.step for name, training in trainings.items()}, steps, scale=1e3, warm_up=False)
    result = Result("B2", f"small GPT, eager: {steps} steps of one name", "ms/step", steps, times, notes=notes)
    result.figures["nodes_of_the_first_step"] = trainings[OURS].nodes
    for name, training in trainings.items():
        pairs = enumerate(zip(training.losses, GOLD["loss"], strict=False))
        differences = [require_agreement(f"step {k}: the loss of {name} and the recorded one", [a], [b]) for k, (a, b) in pairs]
        result.figures[f"largest_loss_difference_of_{name}"] = max(differences)
        result.figures[f"steps_a_second_of_{name}"] = 1e3 / times[name]["total"]["median"]
    result.aim(LOCAL_GRADIENTS, 15.0)
    yield result
