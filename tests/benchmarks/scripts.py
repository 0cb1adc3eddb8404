"""Rows of one straight-line script: arithmetic, and functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.measure import OURS, PEER, Goal, Result, Settings, in_turn, record_sweep_free, require_agreement
from benchmarks.peers import Engine, engines

Script = Callable[[Engine, list[Any], int], Any]
LEAVES = [0.5, 2.0, 1.0, -1.0]


def arithmetic(_engine: Engine, leaves: list[Any], operations: int) -> Any:
    """Rounds of eight operations, two each of + - * /, five of them on two nodes and three on a node and a constant."""
    a, b, x, y = leaves
    total = a
    for _ in range(operations // 8):
        x = x * a
        x = x + y
        y = y / b
        y = y - x
        x = x / 4.0
        y = y * 0.5
        y = 1.25 - y
        total = total + x
    return total


def chain(_engine: Engine, leaves: list[Any], operations: int) -> Any:
    """Rounds of four operations, one each of + - * /, each on the result of the one before: kindest to a cyclic collector."""
    a, b, x, _ = leaves
    a, b = a + 1.125, b - 0.5  # 1.625 and 1.5: the adjoint of x neither grows nor dies out along the chain
    for _ in range(operations // 4):
        x = x * b + a
        x = x - b
        x = x / 1.5
    return x


def relu_and_powers(_engine: Engine, leaves: list[Any], operations: int) -> Any:
    """Rounds of eight operations that micrograd has: two relu, two powers with constant exponents, and + *."""
    a, b, x, y = leaves
    total = a
    for _ in range(operations // 8):
        x = x * a
        x = x + y**2
        y = (x + b).relu()
        x = x.relu()
        y = y**-0.5
        total = total + x
    return total


def transcendental(engine: Engine, leaves: list[Any], operations: int) -> Any:
    """Rounds of eight operations: exp, tanh, log, relu, a power, and + *."""
    a, b, x, y = leaves
    exp, log, tanh = engine.exp, engine.log, engine.tanh
    total = a
    for _ in range(operations // 8):
        x = exp(y * a)
        y = tanh(x)
        x = log(x + b).relu()
        total = total + x**1.5
    return total


def run_script(settings: Settings) -> Iterator[Result]:
    """Row 'script'."""
    for title, script in (("+ - * / mix", arithmetic), ("+ - * / chain", chain)):
        result = compare("script", title, script, settings)
        if PEER in result.times:
            result.goals.append(Goal("ratio of the totals", 5.0, result.ratios["total"]))
        yield result


def run_functions(settings: Settings) -> Iterator[Result]:
    """Row 'functions'."""
    yield compare("functions", "relu, ** and + * mix", relu_and_powers, settings)
    result = compare("functions", "exp, tanh, log, relu, ** and + * mix", transcendental, settings)
    result.notes.append("micrograd 0.1.0 has no exp, log and tanh: the benchmark adds them in micrograd's own style")
    yield result


def compare(row: str, title: str, script: Script, settings: Settings) -> Result:
    """Record, sweep and free the script on every engine, after the value and the gradient have been found to agree."""
    found, notes = engines()
    operations = max(8, settings.operations - settings.operations % 8)
    numbers = {name: _value_and_gradient(engine, script, operations) for name, engine in found.items()}
    figures: dict[str, float] = {"operations": operations}
    if PEER in found:
        figures["largest_difference"] = require_agreement(title, numbers[OURS], numbers[PEER])
    sides = {name: _side(engine, script, operations) for name, engine in found.items()}
    times = in_turn(sides, settings.repetitions, scale=1e9 / operations)
    title = f"{title}, {operations:,} operations"
    return Result(row, title, "ns/operation", settings.repetitions, times, figures, notes=notes)


def _side(engine: Engine, script: Script, operations: int) -> Callable[[], dict[str, float]]:
    leaves = [engine.Value(x) for x in LEAVES]
    return lambda: record_sweep_free(lambda: script(engine, leaves, operations), engine.cyclic)


def _value_and_gradient(engine: Engine, script: Script, operations: int) -> list[float]:
    leaves = [engine.Value(x) for x in LEAVES]
    result = script(engine, leaves, operations)
    result.backward()
    return [result.data, *[leaf.grad for leaf in leaves]]
