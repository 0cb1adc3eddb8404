"""The order of boxes and bends within the columns of a layered layout: few crossings, groups together.

It starts in the order of the boxes, which for a tree has no crossing at all, goes through the columns back and forth and sorts
each by the medians of its items' neighbours, and exchanges items that are next to each other where it helps. The order with the
fewest crossings is kept. All is bounded, and depends on the input alone.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from typing import NamedTuple

from autograd_lite.show.layout_ranks import Layers

SWEEPS = 16  # of a small drawing, at most
PATIENCE = 3  # sweeps without an improvement after which none is tried
PORTS = 1 << 24  # more than a box has: places and ports in one number
PORT = 0.3  # of the distance of two items, between the ports of a box
WORK = 9_000  # items and segments that all sweeps together may look at, with three sweeps at least
EXCHANGES = 6_000  # pairs of segments that are looked at when neighbours are exchanged


class _Neighbours(NamedTuple):
    """The segments of each item to the left, and to the right: the other item and the port."""

    left: list[list[tuple[int, int]]]
    right: list[list[tuple[int, int]]]


def ordered(layers: Layers, heights: Sequence[int], groups: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """The items of each column, from above. `heights` and `groups` are those of all items, bends among them."""
    count = len(layers.rank)
    neighbours = _Neighbours([[] for _ in range(count)], [[] for _ in range(count)])
    for start, end, port in layers.segments:
        neighbours.left[end].append((start, port))
        neighbours.right[start].append((end, port))
    grouped = any(groups)
    columns = _together(_first(layers), heights, groups) if grouped else _first(layers)
    best, fewest = columns, crossings(columns, neighbours.right)
    work = count + len(layers.segments)
    exchanges = EXCHANGES
    sweeps = max(3, min(SWEEPS, WORK // (work + 1)))
    idle = 0
    for i in range(sweeps):
        if fewest == 0 or idle == PATIENCE:
            break
        columns = _swept([list(column) for column in columns], neighbours, rightwards=i % 2 == 0)
        if grouped:
            columns = _together(columns, heights, groups)
        exchanges = _exchange(columns, neighbours, groups, exchanges)
        found = crossings(columns, neighbours.right)
        idle += 1
        if found < fewest:
            best, fewest, idle = columns, found, 0
    return best


def _first(layers: Layers) -> list[list[int]]:
    """Boxes in their own order, each bend where the box is from which its wire comes."""
    boxes = len(layers.rank) - len(layers.tails)
    keys = [*range(boxes), *layers.tails]
    return [sorted(column, key=keys.__getitem__) for column in layers.columns]


def crossings(columns: Sequence[Sequence[int]], right: Sequence[Sequence[tuple[int, int]]]) -> int:
    """How many pairs of segments cross: W. Barth, M. Juenger, P. Mutzel, Bilayer cross counting, 2004, on a sorted list."""
    total = 0
    place = [0] * len(right)
    for column in columns:
        for i, item in enumerate(column):
            place[item] = i
    for column in columns:
        ends: list[int] = []
        for item in column:
            own = [place[end] * PORTS + port for end, port in right[item]]
            for end in own:
                total += len(ends) - bisect_right(ends, end)
            for end in own:
                insort(ends, end)
    return total


def _stacked(column: Sequence[int], heights: Sequence[int], y: list[float]) -> None:
    """Give the items of a column heights around 0."""
    at = -0.5 * sum([heights[item] for item in column])
    for item in column:
        y[item] = at + 0.5 * heights[item]
        at += heights[item]


def _swept(columns: list[list[int]], neighbours: _Neighbours, rightwards: bool) -> list[list[int]]:
    """Each column sorted by the medians of its items' neighbours in the column sorted before; an item without any stays."""
    place = [0.0] * len(neighbours.left)
    sides = neighbours.left if rightwards else neighbours.right
    for column in columns:
        for i, item in enumerate(column):
            place[item] = float(i)
    for column in columns if rightwards else reversed(columns):
        medians = {}
        for item in column:
            side = sides[item]
            if len(side) == 1:
                medians[item] = place[side[0][0]] if rightwards else place[side[0][0]] + PORT * side[0][1]
            elif side:  # the port tells one slot of a box from another
                medians[item] = _median(sorted([place[x] + (0.0 if rightwards else PORT * port) for x, port in side]))
        moved = iter(sorted([item for item in column if item in medians], key=medians.__getitem__))
        column[:] = [next(moved) if item in medians else item for item in column]
        for i, item in enumerate(column):
            place[item] = float(i)
    return columns


def _median(values: list[float]) -> float:
    """Of an even number of values, what lies between the middle two, nearer to that on whose side they are denser."""
    middle = len(values) // 2
    if len(values) % 2:
        return values[middle]
    lower, upper = values[middle - 1] - values[0], values[-1] - values[middle]
    share = lower / (lower + upper) if lower + upper else 0.5
    return values[middle - 1] + (values[middle] - values[middle - 1]) * share


def _exchange(columns: list[list[int]], neighbours: _Neighbours, groups: Sequence[tuple[int, ...]], work: int) -> int:
    """Exchange items next to each other while that leaves fewer crossings; those of different groups stay.

    At most so many pairs of segments are looked at; what is left of that number is given back.
    """
    if work <= 0:
        return work
    place = [0] * len(groups)
    for column in columns:
        for i, item in enumerate(column):
            place[item] = i
    changed = list(range(len(columns)))
    while changed and work > 0:
        improved: set[int] = set()
        for at in changed:
            column = columns[at]
            left = {item: [place[x] for x, _ in neighbours.left[item]] for item in column}
            right = {item: [place[x] * PORTS + port for x, port in neighbours.right[item]] for item in column}
            for i in range(len(column) - 1):
                upper, lower = column[i], column[i + 1]
                if groups[upper] != groups[lower]:
                    continue
                gain = _gain(left[upper], left[lower]) + _gain(right[upper], right[lower])
                work -= 1 + len(left[upper]) * len(left[lower]) + len(right[upper]) * len(right[lower])
                if gain > 0:
                    column[i], column[i + 1] = lower, upper
                    place[upper], place[lower] = i + 1, i
                    improved.update((at - 1, at, at + 1))
            if work <= 0:
                break
        changed = sorted(improved & set(range(len(columns))))
    return work


def _gain(upper: list[int], lower: list[int]) -> int:
    """How many crossings fewer there are on one side when two items change places."""
    if len(upper) == len(lower) == 1:
        return (upper[0] > lower[0]) - (upper[0] < lower[0])
    total = 0
    for a in upper:
        for b in lower:
            if a > b:
                total += 1
            elif a < b:
                total -= 1
    return total


def _together(columns: list[list[int]], heights: Sequence[int], groups: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """Columns in which groups are together, in the same order everywhere: that of the mean height of what lies in them."""
    y = [0.0] * len(heights)
    for column in columns:
        _stacked(column, heights, y)
    members: dict[int, list[float]] = {}
    for item, path in enumerate(groups):
        for group in path:
            members.setdefault(group, []).append(y[item])
    mean = {group: sum(found) / len(found) for group, found in members.items()}
    # On each level a group has a key that is the same in every column, and an item outside has its own.
    keys = {item: (*[(mean[group], group) for group in groups[item]], (y[item], -1)) for column in columns for item in column}
    return [sorted(column, key=keys.__getitem__) for column in columns]
