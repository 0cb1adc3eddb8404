"""Rows of one straight-line script: arithmetic, and functions mixed with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks.measure import (
    MICROGRAD,
    OURS,
    PURE,
    XAD,
    Phases,
    Result,
    Settings,
    in_turn,
    record_sweep_free,
    require_agreement,
)
from benchmarks.operations import operations_alone
from benchmarks.peers import FUNCTIONS, Engine, by_engine, engines

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


def relu_and_powers(engine: Engine, leaves: list[Any], operations: int) -> Any:
    """Rounds of eight operations that micrograd has: two relu, two powers with constant exponents, and + *."""
    relu = engine.functions["relu"]
    a, b, x, y = leaves
    total = a
    for _ in range(operations // 8):
        x = x * a
        x = x + y**2
        y = relu(x + b)
        x = relu(x)
        y = y**-0.5
        total = total + x
    return total


def transcendental(engine: Engine, leaves: list[Any], operations: int) -> Any:
    """Rounds of eight operations: exp, tanh, log, relu, a power, and + *."""
    a, b, x, y = leaves
    exp, log, tanh, relu = [engine.functions[name] for name in FUNCTIONS]
    total = a
    for _ in range(operations // 8):
        x = exp(y * a)
        y = tanh(x)
        x = relu(log(x + b))
        total = total + x**1.5
    return total


def run_script(settings: Settings) -> Iterator[Result]:
    """Row 'script'."""
    for title, script in (("+ - * / mix", arithmetic), ("+ - * / chain", chain)):
        result = compare("script", title, script, settings)
        result.aim(MICROGRAD, by_engine(native=100.0, python=5.0))
        result.aim(PURE, 8.0)
        result.aim(XAD, by_engine(native=10.0, python=1.0), phase="record")
        yield result


def run_functions(settings: Settings) -> Iterator[Result]:
    """Row 'functions'."""
    yield compare("functions", "relu, ** and + * mix", relu_and_powers, settings)
    result = compare("functions", "exp, tanh, log, relu, ** and + * mix", transcendental, settings)
    result.notes.append("micrograd 0.1.0 has no exp, log and tanh: the benchmark adds them in micrograd's own style")
    yield result
    yield operations_alone(settings)


def compare(row: str, title: str, script: Script, settings: Settings) -> Result:
    """Record, sweep and free the script on every engine, after the value and the gradient have been found to agree."""
    found, notes = engines(MICROGRAD, XAD, PURE)
    operations = max(8, settings.operations - settings.operations % 8)
    numbers = {name: _value_and_gradient(engine, script, operations) for name, engine in found.items()}
    figures: dict[str, float] = {"operations": operations}
    if len(found) > 1:
        figures["largest_difference"] = max(
            [require_agreement(f"{title}: {name}", numbers[OURS], numbers[name]) for name in found if name != OURS]
        )
    sides = {name: partial(_run, engine, script, operations) for name, engine in found.items()}
    times = in_turn(sides, settings.repetitions, scale=1e9 / operations)
    title = f"{title}, {operations:,} operations"
    return Result(row, title, "ns/operation", settings.repetitions, times, figures, notes=notes)


def _run(engine: Engine, script: Script, operations: int) -> Phases:
    return record_sweep_free(engine, LEAVES, lambda leaves: script(engine, leaves, operations))


def _value_and_gradient(engine: Engine, script: Script, operations: int) -> list[float]:
    leaves = engine.leaves(LEAVES)
    result = script(engine, leaves, operations)
    engine.sweep(result)
    return engine.numbers(result, leaves)
