"""The heights of boxes and bends in a layered layout whose order is known: straight wires, boxes level with their neighbours.

Column after column, back and forth, each item asks for the mean of the heights of its neighbours, and the column gets the
heights nearest to that in the sense of least squares in which no two items overlap: an isotonic regression, solved exactly by
pooling adjacent violators (M. Ayer et al., Ann. Math. Statist. 26, 1955). Then wires are made straight where there is room,
and groups are pushed apart from what is not in them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from autograd_lite.show.layout_ranks import Layers, shared_groups

SWEEPS = 8  # of a small drawing
WORK = 18_000  # items and segments that all sweeps together may look at, with three sweeps at least
NO_GROUPS: tuple[int, ...] = ()
LOWEST = -(10**9)  # of a side of a group above which nothing lies
GROUP_MOVES = 4  # relaxations, the last of which moves whole groups first
LOOSE = 0.05  # the weight of a segment into another group, for one inside
RELAXATIONS = 24  # of a small drawing with groups
WEIGHTS = (1.0, 2.0, 8.0)  # of a segment by the number of bends at its ends: long wires bend least


_Sides = list[list[tuple[int, float, float]]]  # of each item: another one, how far from level it should be, the weight of that


class Room(NamedTuple):
    """What an item needs above and below its centre; of a box, where its ports are from the centre."""

    half: float
    ports: tuple[float, ...] = (0.0,)


class Groups(NamedTuple):
    """The groups of each item, the outermost first, and the room that a group needs above and below what lies in it."""

    paths: Sequence[tuple[int, ...]]
    above: int
    below: int
    gap: int


def heights_of(
    layers: Layers, columns: Sequence[Sequence[int]], rooms: Sequence[Room], groups: Groups
) -> tuple[list[int], dict[int, tuple[int, int]]]:
    """The height of each item's centre, and of the upper and lower side of each group."""
    count = len(rooms)
    boxes = count - len(layers.tails)
    left: list[list[tuple[int, float, float]]] = [[] for _ in range(count)]
    right: list[list[tuple[int, float, float]]] = [[] for _ in range(count)]
    for start, end, port in layers.segments:
        weight = WEIGHTS[(start >= boxes) + (end >= boxes)]
        offset = rooms[end].ports[port]
        left[end].append((start, -offset, weight))
        right[start].append((end, offset, weight))
    steps = [_steps(column, rooms, groups) for column in columns]
    y = [0.0] * count
    for column, step in zip(columns, steps, strict=True):
        at = -0.5 * sum(step)
        for item, distance in zip(column, [0.0, *step], strict=False):
            at += distance
            y[item] = at
    sweeps = max(3, min(SWEEPS, WORK // (count + len(layers.segments) + 1)))
    both = [a + b for a, b in zip(left, right, strict=True)]
    wires = _wires(layers, boxes)
    for i in range(sweeps):
        rightwards = i % 2 == 0
        sides = both if i >= sweeps - 2 else left if rightwards else right
        if 2 * i >= sweeps:
            sides = _stiff(wires, sides, y)
        for at in range(len(columns)) if rightwards else range(len(columns) - 1, -1, -1):
            _level(columns[at], steps[at], sides, y)
    _straighten(wires, boxes, columns, steps, y)
    return _settled(columns, rooms, groups, y, both)


def _steps(column: Sequence[int], rooms: Sequence[Room], groups: Groups) -> list[float]:
    """The least distances between the centres of neighbours in a column."""
    steps = []
    for upper, lower in pairwise(column):
        step = rooms[upper].half + rooms[lower].half
        a, b = groups.paths[upper], groups.paths[lower]
        if a != b:
            shared = shared_groups(a, b)
            step += (len(a) - shared) * groups.below + (len(b) - shared) * groups.above + groups.gap
        steps.append(step)
    return steps


def _level(column: Sequence[int], steps: Sequence[float], sides: _Sides, y: list[float]) -> None:
    """Move the items of a column to the means of their neighbours, as near as they may."""
    values: list[float] = []  # of the pools: mean, weight, number of items
    weights: list[float] = []
    sizes: list[int] = []
    shift = 0.0
    shifts = []
    for i, item in enumerate(column):
        if i:
            shift += steps[i - 1]
        shifts.append(shift)
        side = sides[item]
        if side:
            weight = total = 0.0
            for other, offset, w in side:
                weight += w
                total += w * (y[other] + offset)
            value = total / weight - shift
        else:
            weight, value = 0.01, y[item] - shift
        size = 1
        while values and values[-1] > value:
            other_weight = weights.pop()
            value = (values.pop() * other_weight + value * weight) / (other_weight + weight)
            weight += other_weight
            size += sizes.pop()
        values.append(value)
        weights.append(weight)
        sizes.append(size)
    i = 0
    for value, size in zip(values, sizes, strict=True):
        for _ in range(size):
            y[column[i]] = value + shifts[i]
            i += 1


def _wires(layers: Layers, boxes: int) -> list[tuple[int, list[int]]]:
    """The wires: the box from which each comes, and its bends from left to right."""
    wires: list[tuple[int, list[int]]] = []
    of_bend: dict[int, list[int]] = {}
    for start, end, _ in layers.segments:
        if end >= boxes:
            if start < boxes:
                wires.append((start, []))
                of_bend[end] = wires[-1][1]
            else:
                of_bend[end] = of_bend[start]
            of_bend[end].append(end)
    return wires


def _stiff(wires: list[tuple[int, list[int]]], sides: _Sides, y: list[float]) -> _Sides:
    """The same neighbours, but for bends, which are drawn to the mean height of their wire."""
    sides = list(sides)
    for tail, wire in wires:
        mean = (sum([y[bend] for bend in wire]) + 0.5 * y[tail]) / (len(wire) + 0.5)
        for bend in wire:
            sides[bend] = [(bend, mean - y[bend], 8.0)]
    return sides


def _straighten(
    wires: list[tuple[int, list[int]]],
    boxes: int,
    columns: Sequence[Sequence[int]],
    steps: list[list[float]],
    y: list[float],
) -> None:
    """Put all bends of a wire on one height where their columns leave room for it, else stretches of them."""
    place: dict[int, tuple[int, int]] = {}
    for at, column in enumerate(columns):
        for i, item in enumerate(column):
            if item >= boxes:
                place[item] = at, i
    for tail, wire in wires:
        stretch: list[int] = []
        low, high = y[tail], y[tail]  # begin level with the box where that is possible
        for bend in [*wire, -1]:
            if bend >= 0:
                at, i = place[bend]
                column, step = columns[at], steps[at]
                least = y[column[i - 1]] + step[i - 1] if i else -1e9
                most = y[column[i + 1]] - step[i] if i + 1 < len(column) else 1e9
                if max(low, least) <= min(high, most):
                    low, high = max(low, least), min(high, most)
                    stretch.append(bend)
                    continue
            if stretch:
                target = min(max(sum([y[x] for x in stretch]) / len(stretch), low), high)
                for x in stretch:
                    y[x] = target
            if bend >= 0:
                stretch, low, high = [bend], least, most


def _settled(
    columns: Sequence[Sequence[int]],
    rooms: Sequence[Room],
    groups: Groups,
    y: list[float],
    sides: _Sides,
) -> tuple[list[int], dict[int, tuple[int, int]]]:
    """Whole numbers for the heights: each as wished, or further down where what lies above it demands that.

    The sides of a group are unknowns too, the same in all columns; what lies above what is a graph without cycles.
    """
    if not any(groups.paths):
        return _pushed(columns, rooms, y), {}
    count = len(rooms)
    after: dict[int, list[tuple[int, float]]] = {}  # of items, and of the sides of groups: what comes below, and how far
    waiting: dict[int, int] = {}
    for column in columns:
        above, path = -1, NO_GROUPS
        for item in [*column, -1]:
            below = groups.paths[item] if item >= 0 else NO_GROUPS
            shared = shared_groups(path, below)
            chain = [(_bottom(count, group), float(groups.below)) for group in reversed(path[shared:])]
            chain += [
                (_top(count, group), float(groups.gap if i == 0 else groups.above)) for i, group in enumerate(below[shared:])
            ]
            if item >= 0:
                chain.append((item, float(groups.above if below[shared:] else groups.gap if path[shared:] else 0)))
            half = rooms[above].half if above >= 0 else 0.0
            for token, distance in chain:
                waiting.setdefault(token, 0)
                if above != -1:
                    own = rooms[token].half if token < count else 0.0
                    after.setdefault(above, []).append((token, distance + half + own))
                    waiting[token] += 1
                above, half = token, rooms[token].half if token < count else 0.0
            path = below
    least = {token: _nearest(y[token]) if token < count else LOWEST for token in waiting}
    ready = [token for token, number in waiting.items() if number == 0]
    for token in ready:
        for other, distance in after.get(token, ()):
            least[other] = max(least[other], least[token] + math.ceil(distance))
            waiting[other] -= 1
            if waiting[other] == 0:
                ready.append(other)
    _relax(ready, after, least, sides, groups.paths)
    return [least[item] for item in range(count)], _sides(count, rooms, groups, least)


def _pushed(columns: Sequence[Sequence[int]], rooms: Sequence[Room], y: list[float]) -> list[int]:
    """The heights in whole numbers where there are no groups: rounding must not bring two items too near to each other."""
    centres = [_nearest(height) for height in y]
    for column in columns:
        for upper, lower in pairwise(column):
            centres[lower] = max(centres[lower], centres[upper] + math.ceil(rooms[upper].half + rooms[lower].half))
    return centres


def _loose(sides: _Sides, paths: Sequence[tuple[int, ...]]) -> _Sides:
    """The same neighbours, those in other groups of little weight: a group should not be as tall as its surroundings."""
    return [
        [(other, offset, w if paths[other] == paths[item] else LOOSE * w) for other, offset, w in side]
        for item, side in enumerate(sides)
    ]


def _relax(
    order: list[int],
    after: dict[int, list[tuple[int, float]]],
    y: dict[int, int],
    sides: _Sides,
    paths: Sequence[tuple[int, ...]],
) -> None:
    """Move what has room towards its neighbours: whole groups, items, and the sides of groups towards what lies in them."""
    below = {token: [(other, math.ceil(distance)) for other, distance in others] for token, others in after.items()}
    above: dict[int, list[tuple[int, int]]] = {}
    for token, others in below.items():
        for other, distance in others:
            above.setdefault(other, []).append((token, distance))
    contents = _contents(len(sides), paths)
    inner = _loose(sides, paths)
    for sweep in range(max(2, min(RELAXATIONS, WORK // len(order)))):
        if sweep % GROUP_MOVES == GROUP_MOVES - 1:
            for inside in contents if sweep // GROUP_MOVES % 2 else reversed(contents):
                _move(inside, above, below, y, sides)
        for token in order if sweep % 2 else reversed(order):
            low = max([y[other] + distance for other, distance in above.get(token, ())], default=LOWEST)
            high = min([y[other] - distance for other, distance in below.get(token, ())], default=-LOWEST)
            if token >= len(sides):  # the upper side of a group goes down, the lower side up
                wish = high if (token - len(sides)) % 2 == 0 else low
            elif inner[token]:
                weight = sum([w for _, _, w in inner[token]])
                wish = _nearest(sum([w * (y[other] + offset) for other, offset, w in inner[token]]) / weight)
            else:
                continue
            y[token] = max(low, min(high, wish))


def _contents(count: int, paths: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """What moves with each group, the outer ones first: its items, its sides and those of the groups in it."""
    contents: dict[tuple[int, ...], dict[int, None]] = {}
    for item, path in enumerate(paths):
        for depth in range(1, len(path) + 1):
            inside = contents.setdefault(path[:depth], {})
            inside[item] = None
            for group in path[depth - 1 :]:
                inside[_top(count, group)] = inside[_bottom(count, group)] = None
    return [list(contents[path]) for path in sorted(contents, key=len)]


def _move(
    inside: list[int],
    above: dict[int, list[tuple[int, int]]],
    below: dict[int, list[tuple[int, int]]],
    y: dict[int, int],
    sides: _Sides,
) -> None:
    """Move a group as a whole to where its neighbours are, as far as there is room."""
    members = set(inside)
    low = max([y[x] + d - y[token] for token in inside for x, d in above.get(token, ()) if x not in members], default=LOWEST)
    high = min([y[x] - d - y[token] for token in inside for x, d in below.get(token, ()) if x not in members], default=-LOWEST)
    ways = [
        y[other] + offset - y[token]
        for token in inside
        if token < len(sides)
        for other, offset, _ in sides[token]
        if other not in members
    ]
    if ways and low <= high:
        step = max(low, min(high, _nearest(sum(ways) / len(ways))))
        for token in inside:
            y[token] += step


def _top(count: int, group: int) -> int:
    return count + 2 * group


def _bottom(count: int, group: int) -> int:
    return count + 2 * group + 1


def _sides(count: int, rooms: Sequence[Room], groups: Groups, least: dict[int, int]) -> dict[int, tuple[int, int]]:
    """The upper and lower side of each group, close to what lies in it."""
    top: dict[int, int] = {}
    for item, path in enumerate(groups.paths):
        side = math.floor(least[item] - rooms[item].half)
        for group in reversed(path):
            side -= groups.above
            top[group] = side = min(side, top.get(group, side))
    return {group: (side, least[_bottom(count, group)]) for group, side in top.items()}


def _nearest(x: float) -> int:
    return math.floor(x + 0.5)
