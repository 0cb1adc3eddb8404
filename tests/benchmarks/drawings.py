"""Row of drawings: the milliseconds from a graph to its SVG, all values drawn, and how large that is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter
from typing import Any

import autograd_lite as ag
from benchmarks.measure import OURS, Goal, Phases, Result, Settings, in_turn
from drawings import chain, network, tangle

LIMITS = {50: 5.0, 300: 30.0, 1_000: 300.0, 5_000: 1_500.0}  # milliseconds
LAYERS = {50: (2, 4, 1), 300: (3, 11, 5, 1), 1_000: (2, 16, 16, 1), 5_000: (5, 40, 40, 1)}
BYTES = 350  # a value, of a network above 300 of them


def run_drawings(settings: Settings) -> Iterator[Result]:
    """Row 'S6': networks in single operations, and random graphs, of the same sizes; a network in its scopes; a long chain."""
    for size, limit in LIMITS.items():
        values = {"network": network(LAYERS[size], scopes=False)[0], "random graph": tangle(size, 1)}
        sides: dict[str, Callable[[], Phases]] = {name: partial(_drawn, value, math.inf) for name, value in values.items()}
        times = in_turn(sides, max(3, settings.repetitions // 3), scale=1e3)
        result = Result(
            "S6", f"drawing {size:,} values in full", "ms", max(3, settings.repetitions // 3), {OURS: _by_side(times)}
        )
        for name, value in values.items():
            count = len(ag.topological_order(value))
            result.figures[f"values of the {name}"] = count
            result.figures[f"bytes a value of the {name}"] = len(value.graph(depth=math.inf).to_svg().encode()) / count
            result.goals.append(Goal(f"milliseconds of the {name}", limit, times[name]["total"]["median"], at_least=False))
        if size >= 300:
            goal = Goal("bytes a value of the network", BYTES, result.figures["bytes a value of the network"], at_least=False)
            result.goals.append(goal)
        yield result
    values = {"network in boxes": network((2, 16, 16, 1))[0], "chain": chain(settings.largest)}
    times = in_turn({name: partial(_drawn, value, None) for name, value in values.items()}, 3, scale=1e3)
    result = Result("S6", f"closed scopes, and {settings.largest:,} values in a summary", "ms", 3, {OURS: _by_side(times)})
    result.goals.append(
        Goal("milliseconds of the network in boxes", 300.0, times["network in boxes"]["total"]["median"], at_least=False)
    )
    yield result


def _drawn(value: Any, depth: float | None) -> Phases:
    start = perf_counter()
    value.graph(depth=depth).to_svg()
    return {"total": perf_counter() - start}


def _by_side(times: dict[str, dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """What was drawn, where other rows have phases."""
    return {name: phases["total"] for name, phases in times.items()}
