"""What one operation alone costs to record and sweep, as a multiple of an addition.

The measure is a long straight script of additions, ``total = total + x``, a statement a leaf, written out for 64 leaves x and
repeated. An operation is what it adds to that script as ``total = total + exp(x)``: so no result and no gradient grows or dies
out, however long the script. All leaves lie between 1/2 and 2; exponents are constants, or leaves y. An addition inside,
``total = total + (x + y)``, adds less than an addition costs alone, for the processor does it while it waits for the total.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

import autograd_lite as ag
from benchmarks.measure import OURS, Goal, Phases, Result, Settings, in_turn
from benchmarks.peers import by_engine

LEAVES = 64
ADDITION = "x"  # total + x
TIMED = ["x + y", "x - y", "x * y", "x / y"]
FUNCTIONS_ALONE = ["exp(x)", "tanh(x)", "relu(x)", "log(x)", "x.exp()", "x.tanh()", "x.relu()", "x.log()"]
LIMITED = [*FUNCTIONS_ALONE, "x**3", "x**2.5", "x**-0.5", "x**y"]
HEAD = """
def script(xs, ys, rounds, exp, tanh, relu, log):
    {} = xs
    {} = ys
    total = x0
    for _ in range(rounds):
"""
STATEMENT = "        total = total + ({})\n"
Script = Callable[..., Any]


def script_of(expression: str) -> Script:
    """The function that adds up the expression of each pair of leaves in turn."""
    names = [", ".join([f"{name}{i}" for i in range(LEAVES)]) for name in "xy"]
    lines = [STATEMENT.format(re.sub(r"\b([xy])\b", rf"\g<1>{i}", expression)) for i in range(LEAVES)]
    module: dict[str, Script] = {}
    text = "".join([HEAD.format(*names), *lines, "    return total\n"])
    exec(text, module)  # noqa: S102 - the text stands above; a call of a function would cost as much as what is timed
    return module["script"]


def new_leaves() -> tuple[list[ag.Value], list[ag.Value]]:
    """The leaves x and y."""
    generator = random.Random(1)
    xs, ys = [[ag.Value(generator.uniform(0.5, 2.0)) for _ in range(LEAVES)] for _ in "xy"]
    return xs, ys


def operations_alone(settings: Settings) -> Result:
    """The last part of row 'functions'."""
    rounds = max(1, settings.operations // 4 // LEAVES)
    repetitions = settings.repetitions * int(by_engine(native=5, python=1))  # shorter runs are noisier
    sides = {expression: partial(_run, script_of(expression), rounds) for expression in (ADDITION, *TIMED, *LIMITED)}
    times = in_turn(sides, repetitions, scale=1e9 / (rounds * LEAVES))
    addition = times.pop(ADDITION)["record and sweep"]
    alone = {name: {k: run["record and sweep"][k] - addition[k] for k in addition} for name, run in times.items()}
    title = f"one operation alone, record and sweep, of {rounds * LEAVES:,}"
    result = Result("functions", title, "ns/operation", repetitions, {OURS: {"addition": addition, **alone}})
    for name in LIMITED:
        ratio = alone[name]["median"] / addition["median"]
        result.goals.append(Goal(f"{name} over an addition", 2.5, ratio, at_least=False))
    return result


def _run(script: Script, rounds: int) -> Phases:
    for _ in range(2):  # the first time for the caches
        xs, ys = new_leaves()
        start = perf_counter()
        total = script(xs, ys, rounds, ag.exp, ag.tanh, ag.relu, ag.log)
        total.backward()
        seconds = perf_counter() - start
    return {"record and sweep": seconds}
