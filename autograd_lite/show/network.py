"""A network as pictures of a training have it: columns of neurons, and the weights between them, as whole numbers.

What has layers of neurons with weights `w` and a bias `b` is a network, whatever its class. Of large ones a part is drawn: the
first and the last neurons of a column, the first and the last columns.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from autograd_lite.engine import Value

ROWS = 18  # neurons of a column that are drawn
COLUMNS = 8
EDGES = 1_500  # that are drawn: above it, columns are made shorter
LEVELS = 42  # of a weight, on either side of 0
_PLAIN = [chr(c) for c in range(33, 127) if chr(c) not in "\"&'<>\\`"]  # what JSON and HTML leave as they are
CODES = "".join(_PLAIN[: 2 * LEVELS + 2])
NOTHING = CODES[-1]  # a weight that is no number


class Column(NamedTuple):
    """Neurons side by side: how many there are, and which of them are drawn."""

    size: int
    drawn: list[int]


class Link(NamedTuple):
    """An edge between two columns that are neighbours in the drawing: column, from, to, and the weight."""

    column: int
    tail: int
    head: int
    weight: Value


class Network(NamedTuple):
    """Columns, the inputs first; the places of the columns that are drawn; edges, and biases as (column, neuron, bias)."""

    columns: list[Column]
    places: list[int]
    links: list[Link]
    biases: list[tuple[int, int, Value]]

    def notes(self) -> list[str]:
        """What is not drawn."""
        left_out = [column.size - len(column.drawn) for column in self.columns]
        found = []
        if any(left_out):
            found.append(f"{sum(left_out):,} of {sum([column.size for column in self.columns]):,} neurons are not drawn")
        if len(self.places) < len(self.columns):
            found.append(f"{len(self.columns) - len(self.places):,} of {len(self.columns) - 1:,} layers are not drawn")
        return found


def network_of(model: Any) -> Network | None:
    """The network of a model; None if it is none."""
    layers = _layers(model)
    if layers is None:
        return None
    sizes = [len(layers[0][0][0]), *[len(layer) for layer in layers]]
    places = _some(len(sizes), COLUMNS)
    rows = ROWS
    while rows > 4 and sum([min(rows, sizes[i]) * min(rows, sizes[k]) for i, k in pairwise(places)]) > EDGES:
        rows -= 1
    columns = [Column(size, _some(size, rows)) for size in sizes]
    links = [
        Link(k, i, j, layers[k - 1][j][0][i])
        for before, k in pairwise(places)
        if before == k - 1
        for j in columns[k].drawn
        for i in columns[before].drawn
    ]
    biases = [(k, j, layers[k - 1][j][1]) for k in places if k for j in columns[k].drawn]
    return Network(columns, places, links, [(k, j, bias) for k, j, bias in biases if bias is not None])


def _some(size: int, limit: int) -> list[int]:
    """All of so many, or the first and the last of them."""
    if size <= limit:
        return list(range(size))
    return [*range(limit - limit // 2), *range(size - limit // 2, size)]


def _layers(model: Any) -> list[list[tuple[list[Value], Value | None]]] | None:
    """Weights and bias of each neuron of each layer."""
    groups = getattr(model, "layers", None)
    if groups is None:
        groups = [model] if hasattr(model, "neurons") else [[model]] if hasattr(model, "w") else None
    if not isinstance(groups, (list, tuple)) or not groups:
        return None
    layers: list[list[tuple[list[Value], Value | None]]] = []
    for group in groups:
        neurons = getattr(group, "neurons", group)
        if not isinstance(neurons, (list, tuple)) or not neurons:
            return None
        layer = []
        for neuron in neurons:
            weights, bias = getattr(neuron, "w", None), getattr(neuron, "b", None)
            if not isinstance(weights, (list, tuple)) or not weights or not all([isinstance(w, Value) for w in weights]):
                return None
            if not (bias is None or isinstance(bias, Value)):
                return None
            layer.append((list(weights), bias))
        layers.append(layer)
    sizes = [len(layers[0][0][0]), *[len(layer) for layer in layers]]
    fits = all([len(weights) == size for layer, size in zip(layers, sizes, strict=False) for weights, _ in layer])
    return layers if fits else None


# --- weights as characters


def largest_of(numbers: Iterable[float]) -> float:
    """The largest size of a number that is finite; 0 if there is none."""
    return max([abs(x) for x in numbers if math.isfinite(x)], default=0.0)


def levels_of(numbers: Sequence[float], largest: float) -> list[int | None]:
    """Each number, beside the largest, as a whole one from -LEVELS to LEVELS, 0 for 0 alone; None for nan."""
    return [_level(x, largest) for x in numbers]


def codes_of(levels: Sequence[int | None]) -> str:
    """Levels in one character each."""
    return "".join([NOTHING if level is None else CODES[level + LEVELS] for level in levels])


def _level(x: float, largest: float) -> int | None:
    if x != x:
        return None
    size = 1.0 if math.isinf(x) else abs(x) / largest if x else 0.0
    level = max(1, math.ceil(min(1.0, size) * LEVELS)) if x else 0
    return level if x > 0.0 else -level
