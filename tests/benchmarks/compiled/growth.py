"""Row B9, the compiled part: what a node costs to record, compile and run as functions grow, with value and gradient.

The functions are the random graphs of the eager part, but no expression comes twice: equal ones would be computed once.
*record* is everything before machine code is made: the function is recorded twice, and the programs compared. *compile*
makes the code that the first call runs, *first gradient* is the whole first call. Programs of some length are compiled again,
well optimised, beside the program's work; here that is kept back, and timed as *optimise* and *run, optimised*.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter
from typing import Any
from unittest import mock

import numpy as np

import autograd_lite as ag
from benchmarks.compiled.workloads import CASADI, COMPILER, JAX, Side, jax_on_one_core, present
from benchmarks.growth import STEPS, RandomGraphs, random_expression
from benchmarks.measure import OURS, Goal, Phases, Result, Settings, in_turn, require_agreement

SIZES = (100, 200, 1_000, 3_000, 10_000, 100_000, 1_000_000)
LARGEST_OF_JAX = 3_000  # its time to the first gradient grows faster than the graph
ENOUGH = 30_000  # nodes in all repetitions of a size together: larger graphs are compiled once
LARGEST_DIFFERENCE = 1e-9


class DistinctGraphs(RandomGraphs):
    """A random graph in which no expression comes twice."""

    def __init__(self, nodes: int, seed: int = 1) -> None:
        generator = random.Random(seed)
        super().__init__(seed)
        self.expressions = [random_expression(generator, self.numbers) for _ in range(max(1, nodes // (STEPS + 1)))]


class Delayed:
    """In the place of a thread: its work is done when it is asked for."""

    waiting: list[Callable[[], Any]]

    def __init__(self, target: Callable[..., Any], args: tuple[Any, ...], daemon: bool) -> None:
        self.work = partial(target, *args)

    def start(self) -> None:
        """Keep the work back."""
        Delayed.waiting.append(self.work)


def ours(graphs: RandomGraphs, size: int, facts: dict[str, float]) -> tuple[Phases, list[float]]:
    """Seconds by phase, and value and gradient; `facts` gets the length of the program."""
    from autograd_lite.compiler import paths

    def function(leaves: list[Any]) -> Any:
        return graphs.record(leaves, size)

    Delayed.waiting = []
    with mock.patch.object(paths, "Thread", Delayed):
        start = perf_counter()
        kernel = ag.compile(ag.value_and_grad(function))
        value, gradient = kernel(graphs.numbers)
        first = perf_counter() - start
        compiled = kernel.compile_seconds
        phases = {"compile": compiled, "run": _seconds(kernel, graphs)}
        phases["record"] = first - compiled - phases["run"]
        phases["first gradient"] = first
        if Delayed.waiting:
            Delayed.waiting.pop()()
            phases["optimise"] = kernel.compile_seconds - compiled
            phases["run, optimised"] = _seconds(kernel, graphs)
    facts["instructions"] = len(kernel.program.instructions)
    order = ("record", "compile", "first gradient", "run", "optimise", "run, optimised")
    return {name: phases[name] for name in order if name in phases}, [value, *gradient]


def jax_side(graphs: RandomGraphs, size: int) -> tuple[Phases, list[float]]:
    """jit(value_and_grad(...)), compiled anew."""
    jax = jax_on_one_core()
    jax.clear_caches()
    start = perf_counter()
    compiled = jax.jit(jax.value_and_grad(lambda leaves: graphs.record(leaves, size)))
    value, gradient = jax.block_until_ready(compiled(graphs.numbers))
    first = perf_counter() - start
    run = _seconds(lambda numbers: jax.block_until_ready(compiled(numbers)), graphs)
    return {"first gradient": first, "run": run}, [float(value), *map(float, gradient)]


def casadi_side(graphs: RandomGraphs, size: int) -> tuple[Phases, list[float]]:
    """Its virtual machine."""
    import casadi as ca

    start = perf_counter()
    symbols = ca.SX.sym("x", len(graphs.numbers))
    value = graphs.record([symbols[i] for i in range(len(graphs.numbers))], size)
    function = ca.Function("function", [symbols], [value, ca.gradient(value, symbols)])
    result = function(graphs.numbers)
    first = perf_counter() - start
    run = _seconds(function, graphs)
    return {"first gradient": first, "run": run}, np.vstack([np.asarray(x) for x in result]).reshape(-1).tolist()


def _seconds(call: Callable[[Any], Any], graphs: RandomGraphs) -> float:
    """The shortest of a few calls: the first one finds cold caches."""
    seconds = []
    for _ in range(5):
        start = perf_counter()
        call(graphs.numbers)
        seconds.append(perf_counter() - start)
    return min(seconds)


def run_compiled_growth(settings: Settings) -> Iterator[Result]:
    """Row B9-compiled."""
    costs: dict[str, list[float]] = {"record": [], "compile": [], "run": []}
    for size in [size for size in SIZES if size <= settings.largest]:
        result = run_size(size, settings)
        for phase, known in costs.items():
            if size >= 1000 and OURS in result.times:
                known.append(result.times[OURS][phase]["median"])
        yield result
    if costs["compile"]:
        growth = Result("B9", "growth of compiled functions from 10^3 nodes on")
        for phase, known in costs.items():
            goal = Goal(f"largest cost of a node to {phase} over the smallest", 2.0, max(known) / min(known), at_least=False)
            growth.goals.append(goal)
        yield growth


def run_size(size: int, settings: Settings) -> Result:
    """A graph of so many nodes, after all sides have been found to agree with the eager engine."""
    nodes = max(1, size // (STEPS + 1)) * (STEPS + 1)
    repetitions = max(1, min(settings.repetitions, ENOUGH // size))
    result = Result("B9", f"compiled growth: random graph of {nodes:,} nodes", "ns/node", repetitions)
    graphs = DistinctGraphs(size)
    runs = {OURS: partial(ours, graphs, size, result.figures)}
    if size <= min(LARGEST_OF_JAX, settings.largest_of_peer):
        runs[JAX] = partial(jax_side, graphs, size)
    if size <= settings.largest_of_peer:
        runs[CASADI] = partial(casadi_side, graphs, size)
    needs = {OURS: COMPILER, JAX: ("jax",), CASADI: ("casadi",)}
    found = present({name: Side(run, needs[name]) for name, run in runs.items()}, result.notes)
    leaves = [ag.Value(number) for number in graphs.numbers]
    value = graphs.record(leaves, size)
    value.backward()
    expected = [value.data, *[leaf.grad for leaf in leaves]]
    del value
    differences: list[float] = []

    def timed(name: str) -> Phases:
        gc.collect()
        phases, numbers = runs[name]()
        what = f"compiled random graph of {nodes} nodes: {name}"
        differences.append(require_agreement(what, expected, numbers, LARGEST_DIFFERENCE))
        return phases

    if OURS not in found:
        return result
    calls = {name: partial(timed, name) for name in found}
    slow = {JAX: calls.pop(JAX)} if JAX in calls else {}
    result.times = in_turn(calls, repetitions, scale=1e9 / nodes, warm_up=repetitions > 1)
    if slow:
        result.times |= in_turn(slow, 1, scale=1e9 / nodes, warm_up=False)
        result.notes.append("JAX compiled once: that takes seconds")
    result.figures["largest_difference"] = max(differences)
    cost = result.times[OURS]["compile"]["median"]
    if size == 200:
        result.goals.append(Goal("milliseconds to compile", 50.0, cost * nodes / 1e6, at_least=False))
    if size >= 1000:
        an_instruction = cost * nodes / result.figures["instructions"]
        result.goals.append(Goal("ns to compile, an instruction", 20_000.0, an_instruction, at_least=False))
    if size == LARGEST_OF_JAX:
        result.aim(JAX, 100.0, phase="first gradient")
    return result
