"""Decision regions of a classifier of two inputs: the model run on a grid, and outlines of where each class wins.

Each point of the grid, row by row from the top, has the class that wins there and a level, a whole number that says by how
much. The outlines are those of marching squares on the levels (W. E. Lorensen and H. E. Cline, Marching Cubes, SIGGRAPH 1987,
in two dimensions), in whole numbers too.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd_lite.engine import Value
from autograd_lite.modes import no_grad

NODES = 41  # of a grid, on either side
LEVELS = 300_000  # of a class: a margin of 1 unit is 300 of them
CLASSES = 7  # that have colours of their own
BANDS = (0, 100, 300, 900)  # levels above which the colour of a class is stronger
UNIT = 40  # of an outline's coordinates, between two points of the grid
CALLS = 200  # points from which machine code is worth making
CHECKS = 4
Points = Sequence[Sequence[float]]
Scores = list[list[float]]


# --- scores


def is_compiled() -> bool:
    """Whether there is what makes machine code of a model."""
    return all([importlib.util.find_spec(name) is not None for name in ("llvmlite", "numpy")])


class Runner:
    """A model, run at many points: as machine code with the engine's bits where that can be made, else call by call.

    Machine code reads the parameters at every call, but not how they compare with one another: it is checked against the model
    at a few points, and let go of where it is not the same.
    """

    def __init__(self, model: Callable[[Any], Any]) -> None:
        self._model = model
        self._kernel: Callable[[Any, Any], Any] | None = None
        self._parameters: list[Any] | None = None

    def scores(self, points: Points, parameters: list[Any]) -> Scores:
        """The outputs at points of the plane. Raises what the model raises."""
        if len(points) < CALLS or not is_compiled():
            return self._called(points)
        if self._parameters is None or any([x is not y for x, y in zip(self._parameters, parameters, strict=True)]):
            self._kernel, self._parameters = _compiled(self._model), parameters
        if self._kernel is not None:
            some = range(0, len(points), max(1, len(points) // CHECKS))
            try:
                found = _by_kernel(self._kernel, points)
                if repr([found[i] for i in some]) == repr(self._called([points[i] for i in some])):
                    return found
            except Exception:  # noqa: BLE001 - what cannot be recorded is called as it is
                found = []
            self._kernel = None
        return self._called(points)

    def _called(self, points: Points) -> Scores:
        with no_grad():
            return [[_number(score) for score in _listed(self._model([float(x), float(y)]))] for x, y in points]


def _compiled(model: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    kernel = importlib.import_module("autograd_lite.compiler.kernel")
    result: Callable[[Any, Any], Any] = kernel.compile(lambda x, y: model([x, y]), exact=True)
    return result


def _by_kernel(kernel: Callable[[Any, Any], Any], points: Points) -> Scores:
    numpy = importlib.import_module("numpy")
    across, up = [numpy.array([point[i] for point in points], dtype=float) for i in (0, 1)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # more branches than are kept: slower, not wrong
        columns = _listed(kernel(across, up))
    rows = [numpy.broadcast_to(numpy.asarray(column, dtype=float), len(points)).tolist() for column in columns]
    return [list(row) for row in zip(*rows, strict=True)]


def _listed(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def _number(score: Any) -> float:
    return float(score.data if isinstance(score, Value) else score)


# --- classes and levels


class Scale(NamedTuple):
    """How scores tell classes: what a single one is compared with, and what counts as a large margin."""

    threshold: float = 0.0
    unit: float = 1.0


def winner(scores: Sequence[float], scale: Scale) -> tuple[int, float]:
    """The class that has the largest score (of a single score: 1 above the threshold), and its margin; -1 if one is nan."""
    if any([score != score for score in scores]):
        return -1, 0.0
    if len(scores) == 1:
        return int(scores[0] > scale.threshold), abs(scores[0] - scale.threshold)
    best = max(range(len(scores)), key=scores.__getitem__)
    second = max([score for i, score in enumerate(scores) if i != best])
    return best, 0.0 if scores[best] == second else scores[best] - second


def leveled(scores: Sequence[float], scale: Scale) -> tuple[int, int]:
    """The class and its level, 1 to LEVELS; (-1, 0) if there is none."""
    found, margin = winner(scores, scale)
    if found < 0:
        return -1, 0
    return found, max(1, math.ceil(min(float(LEVELS), margin * (300.0 / scale.unit))))


# --- outlines


def outlines(grid: Sequence[tuple[int, int]], nodes: int, classes: int) -> list[list[str]]:
    """For each class the outlines of where it wins, by margins more and more; see `outline`."""
    fields = [[level if winner == each else -max(1, level) for winner, level in grid] for each in range(classes)]
    return [[outline(field, nodes, above) for above in BANDS] for field in fields]


def outline(field: Sequence[int], nodes: int, above: int) -> str:
    """The data of a path around where a field is above a level, interpolated between the points; relative, in UNITs.

    What lies outside of the grid counts as below. Where two opposite corners of a square are above, they are joined if the
    four together are.
    """
    follows = _crossings(field, nodes, above)
    parts = []
    while follows:
        start = next(iter(follows))
        points = []
        edge = start
        while edge in follows:
            points.append(_crossing(field, nodes, above, edge))
            edge = follows.pop(edge)
        parts.append(_loop(points))
    return "".join(parts)


def _at(field: Sequence[int], nodes: int, above: int, i: int, j: int) -> int:
    """How far a point is above the level, or, at most 0, below it."""
    return field[j * nodes + i] - above if 0 <= i < nodes and 0 <= j < nodes else -1


def _crossings(field: Sequence[int], nodes: int, above: int) -> dict[int, int]:
    """The outline as steps from one edge of the grid to the next. An edge is 2 * point, plus 1 if it goes down from there."""
    follows: dict[int, int] = {}
    wide = nodes + 2
    for j in range(-1, nodes):
        for i in range(-1, nodes):
            a, b = _at(field, nodes, above, i, j), _at(field, nodes, above, i + 1, j)
            c, d = _at(field, nodes, above, i + 1, j + 1), _at(field, nodes, above, i, j + 1)
            inside = (a > 0, b > 0, c > 0, d > 0)
            if all(inside) or not any(inside):
                continue
            at = 2 * ((j + 1) * wide + i + 1)
            edges = (at, at + 3, at + 2 * wide, at + 1)  # above, right, below, left
            leaving = [k for k in range(4) if inside[k] and not inside[(k + 1) % 4]]
            entering = [k for k in range(4) if not inside[k] and inside[(k + 1) % 4]]
            joined = a + b + c + d > (-1 if inside[0] else 0)  # of two classes one is joined, where the four together are 0
            for k in leaving:
                step = 1 if joined else 3
                to = k
                while to not in entering:
                    to = (to + step) % 4
                follows[edges[k]] = edges[to]
    return follows


def _crossing(field: Sequence[int], nodes: int, above: int, edge: int) -> tuple[int, int]:
    """Where an outline crosses an edge of the grid."""
    place, down = divmod(edge, 2)
    j, i = divmod(place, nodes + 2)
    i, j = i - 1, j - 1
    k, m = (i, j + 1) if down else (i + 1, j)
    one, other = _at(field, nodes, above, i, j), _at(field, nodes, above, k, m)
    x, y, z, w = [min(nodes - 1, max(0, place)) for place in (i, j, k, m)]
    part = (2 * UNIT * one + one - other) // (2 * (one - other))
    return x * UNIT + (z - x) * part, y * UNIT + (w - y) * part


def _loop(points: list[tuple[int, int]]) -> str:
    """A closed path through points; those on a straight line are left out."""
    kept: list[tuple[int, int]] = []
    for point in points:
        if kept and point == kept[-1]:
            continue
        if len(kept) > 1 and _is_straight(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    while len(kept) > 2 and (kept[-1] == kept[0] or _is_straight(kept[-2], kept[-1], kept[0])):
        kept.pop()
    if len(kept) < 3:
        return ""
    if _is_straight(kept[-1], kept[0], kept[1]):
        del kept[0]
    x, y = kept[0]
    steps = []
    for z, w in kept[1:]:
        steps.append(f"{z - x} {w - y}")
        x, y = z, w
    return f"M{kept[0][0]} {kept[0][1]}l{' '.join(steps)}z".replace(" -", "-")


def _is_straight(before: tuple[int, int], point: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether a path goes on through a point as it came."""
    x, y, z, w = point[0] - before[0], point[1] - before[1], after[0] - point[0], after[1] - point[1]
    return x * w == y * z and x * z + y * w > 0
