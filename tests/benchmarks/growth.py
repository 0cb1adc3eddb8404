"""Row B9, the eager part: what a node costs to record, sweep, free and keep, as the graph grows.

The graphs are sums of random expressions over 100 leaves: 31 operations each, the first operand the node before, the second
a leaf or an earlier node of the expression, the operator drawn so that no number leaves [1/4, 4] in size. There are 100
different expressions, repeated in turn. Every node is below the sum, and the depth grows with the size. The peers stop at
smaller graphs.

Our side is timed once more with the cyclic collector off: what is left of the growth then is the memory's, the rest the
collector's, which walks through every live node several times while a large graph is recorded.
"""

from __future__ import annotations

import gc
import operator
import random
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks.measure import (
    MICROGRAD,
    OURS,
    PURE,
    XAD,
    Goal,
    Phases,
    Result,
    Settings,
    in_turn,
    output_of,
    record_sweep_free,
    require_agreement,
    resident_bytes,
    traced_bytes,
)
from benchmarks.peers import Engine, by_engine, engines

OPERATORS = (operator.add, operator.sub, operator.mul, operator.truediv)
LEAVES = 100
INPUTS = 4
STEPS = 31  # the sum adds one more operation

Expression = tuple[list[int], list[tuple[Callable[[Any, Any], Any], int, int]]]


def random_expression(generator: random.Random, leaves: list[float]) -> Expression:
    """The leaves it reads, and its steps: an operator and the positions of its operands among leaves and results so far."""
    inputs = generator.sample(range(len(leaves)), INPUTS)
    numbers, steps = [leaves[i] for i in inputs], []
    for _ in range(STEPS):
        i, j = len(numbers) - 1, generator.randrange(len(numbers))
        results = [(operate, operate(numbers[i], numbers[j])) for operate in OPERATORS]
        # Of a product and a quotient of numbers in the range, one lies in it: there is always a choice.
        operate, number = generator.choice([pair for pair in results if 0.25 <= abs(pair[1]) <= 4.0])
        numbers.append(number)
        steps.append((operate, i, j))
    return inputs, steps


class RandomGraphs:
    """The same random graphs on any engine."""

    def __init__(self, seed: int = 1) -> None:
        generator = random.Random(seed)
        self.numbers = [generator.uniform(0.5, 2.0) for _ in range(LEAVES)]
        self.expressions = [random_expression(generator, self.numbers) for _ in range(100)]

    def record(self, leaves: list[Any], nodes: int) -> Any:
        """The sum of as many expressions as make up the number of nodes."""
        total = leaves[0]
        for inputs, steps in islice(cycle(self.expressions), max(1, nodes // (STEPS + 1))):
            operands = [leaves[i] for i in inputs]
            for operate, i, j in steps:
                operands.append(operate(operands[i], operands[j]))
            total = total + operands[-1]
        return total


def run_growth(settings: Settings) -> Iterator[Result]:
    """Row B9."""
    graphs = RandomGraphs()
    found, notes = engines(MICROGRAD, XAD, PURE)
    costs: dict[str, list[float]] = {"": [], " with the collector off": []}
    for size in [10**k for k in range(2, 7) if 10**k <= settings.largest]:
        sides = {name: engine for name, engine in found.items() if name == OURS or size <= settings.largest_of_peer}
        result = _run_size(graphs, size, sides, settings.repetitions)
        result.notes += notes
        if size >= 1000:
            costs[""].append(result.times[OURS]["total"]["median"])
            costs[" with the collector off"].append(result.figures["total_with_the_collector_off"])
        yield result
    if costs[""]:
        growth = Result("B9", "growth from 10^3 nodes on")
        for state, totals in costs.items():
            what = f"largest cost of a node over the smallest{state}"
            growth.goals.append(Goal(what, 2.0, max(totals) / min(totals), at_least=False))
        yield growth


def _run_size(graphs: RandomGraphs, size: int, sides: dict[str, Engine], repetitions: int) -> Result:
    nodes = max(1, size // (STEPS + 1)) * (STEPS + 1)
    numbers = {name: _value_and_gradient(graphs, engine, size) for name, engine in sides.items()}
    figures: dict[str, float] = {"nodes": nodes}
    if len(sides) > 1:
        figures["largest_difference"] = max(
            [
                require_agreement(f"random graph of {nodes} nodes: {name}", numbers[OURS], numbers[name])
                for name in sides
                if name != OURS
            ]
        )
    repetitions = max(repetitions, 20_000 // size)  # the small ones are noisy
    times = in_turn({name: _side(graphs, engine, size) for name, engine in sides.items()}, repetitions, scale=1e9 / nodes)
    row = Result("B9", f"growth: random graph of {nodes:,} nodes", "ns/node", repetitions, times, figures)
    figures["total_with_the_collector_off"] = _total_without_collector(_side(graphs, sides[OURS], size), repetitions) / nodes
    for name, engine in sides.items():
        leaves = engine.leaves(graphs.numbers)
        if engine.traced:
            figures[f"traced_bytes_a_node_of_{name}"] = traced_bytes(lambda: graphs.record(leaves, size)) / nodes
        resident = output_of(Path(__file__).with_name("resident.py"), name, str(size)).strip() if size >= 10_000 else ""
        if resident:
            figures[f"resident_bytes_a_node_of_{name}"] = int(resident) / nodes
    if size >= 10_000:  # below, the arena that the allocator takes at once is most of it
        for figure, value in list(figures.items()):
            if figure.endswith(f"_bytes_a_node_of_{OURS}"):
                limit = by_engine(native=96.0, python=112.0)
                row.goals.append(Goal(figure.replace("_", " "), limit, value, at_least=False))
    return row


def _side(graphs: RandomGraphs, engine: Engine, size: int) -> Callable[[], Phases]:
    return lambda: record_sweep_free(engine, graphs.numbers, lambda leaves: graphs.record(leaves, size))


def _value_and_gradient(graphs: RandomGraphs, engine: Engine, size: int) -> list[float]:
    leaves = engine.leaves(graphs.numbers)
    result = graphs.record(leaves, size)
    engine.sweep(result)
    return engine.numbers(result, leaves)


def _total_without_collector(side: Callable[[], Phases], repetitions: int) -> float:
    """Nanoseconds to record, sweep and free, the median."""
    gc.disable()
    try:
        return in_turn({OURS: side}, repetitions, scale=1e9)[OURS]["total"]["median"]
    finally:
        gc.enable()


def resident_growth(name: str, size: int) -> int | None:
    """How many bytes the resident set of this process grows by as one graph is recorded; None where it is not known."""
    engine, graphs = engines(*[name] if name != OURS else [])[0][name], RandomGraphs()
    leaves = engine.leaves(graphs.numbers)
    before = resident_bytes()
    result = graphs.record(leaves, size)
    after = resident_bytes()
    del result
    return None if before is None or after is None else after - before
