"""Which column each box of a layered layout lies in, and through which columns each edge passes.

An edge that passes columns has a stand-in in each, a *bend*; edges from one box into the same group share their bends, like a
wire with several ends, so that without groups there are never more of them than boxes times columns. Where there would be many
all the same, the longest stretches of wire are cut: their links end in a stub.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

BENDS = 3  # for each box and link, above which wires are cut
FREE_BENDS = 500  # that cut nothing, however few the boxes are
STRETCHES = (48, 24, 12, 6, 3, 1)  # the longest stretch without an end that is left, tried one after the other


class Layers(NamedTuple):
    """Boxes are the items 0, 1, ..., bends follow. Segments join items of neighbouring columns, to a port of the right one.

    `columns` lists the items of each, `rank` is the inverse; `paths` has the bends of each link; `tails` the box from which the
    wire of a bend comes, by bend; `around` the groups of each item; `cut` the links without a wire.
    """

    columns: list[list[int]]
    rank: list[int]
    segments: list[tuple[int, int, int]]
    paths: list[list[int]]
    tails: list[int]
    around: list[tuple[int, ...]]
    cut: set[int]


def ranks_of(links: Sequence[tuple[int | None, int]], groups: Sequence[tuple[int, ...]]) -> tuple[list[int], set[int]]:
    """The column of each box in its groups, joined by links (tail, head), each head after its tails; and the links to be
    cut.
    """
    rank = _ranks(links, groups)
    return rank, _cut(len(groups), rank, links)


def layers_of(
    links: Sequence[tuple[int | None, int]], groups: Sequence[tuple[int, ...]], rank: list[int], cut: set[int]
) -> Layers:
    """The layers of what `ranks_of` has ranked. Bends are numbered by their wires, and within one from left to right."""
    count, rank = len(groups), list(rank)
    wires: dict[tuple[int, tuple[int, ...]], int] = {}  # from a box to a group: the last column in which it ends
    for i, (tail, head) in enumerate(links):
        if tail is not None and i not in cut:
            wire = tail, groups[head]
            wires[wire] = max(wires.get(wire, 0), rank[head])
    spans = _spans(rank, groups)
    bends: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    tails: list[int] = []
    around = list(groups)
    segments: list[tuple[int, int, int]] = []
    for wire, end in wires.items():
        last, bends[wire] = wire[0], []
        for column in range(rank[wire[0]] + 1, end):
            bend = count + len(tails)
            segments.append((last, bend, 0))
            bends[wire].append(bend)
            tails.append(wire[0])
            rank.append(column)
            around.append(_around(groups[wire[0]], wire[1], column, spans))
            last = bend
    ports = [0] * count
    paths: list[list[int]] = []
    for i, (tail, head) in enumerate(links):
        path: list[int] = []
        if tail is not None and i not in cut:
            path = bends[tail, groups[head]][: rank[head] - rank[tail] - 1]
            segments.append((path[-1] if path else tail, head, ports[head]))
        paths.append(path)
        ports[head] += 1
    columns: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    for item, column in enumerate(rank):
        columns[column].append(item)
    return Layers(columns, rank, segments, paths, tails, around, cut)


def _spans(rank: Sequence[int], groups: Sequence[tuple[int, ...]]) -> dict[int, tuple[int, int]]:
    """The first and the last column of each group."""
    spans: dict[int, tuple[int, int]] = {}
    for box, path in enumerate(groups):
        for group in path:
            first, last = spans.get(group, (rank[box], rank[box]))
            spans[group] = min(first, rank[box]), max(last, rank[box])
    return spans


def _around(tail: tuple[int, ...], head: tuple[int, ...], column: int, spans: dict[int, tuple[int, int]]) -> tuple[int, ...]:
    """The groups in which a wire is in a column: those it comes from until they end, those it goes to where they have begun."""
    shared = shared_groups(tail, head)
    begun, going = shared, shared
    while begun < len(head) and spans[head[begun]][0] <= column:
        begun += 1
    while going < len(tail) and spans[tail[going]][1] >= column:
        going += 1
    return head[:begun] if begun > shared else tail[:going]


def shared_groups(a: Sequence[int], b: Sequence[int]) -> int:
    """The number of groups that both lie in."""
    count = 0
    while count < min(len(a), len(b)) and a[count] == b[count]:
        count += 1
    return count


def _ranks(links: Sequence[tuple[int | None, int]], groups: Sequence[tuple[int, ...]]) -> list[int]:
    """The longest path to each box; then those with more consumers than operands, leaves above all, come as near as they can.

    An operand that nothing else uses comes along, and does not count. A group comes after all that it depends on, where groups
    do not depend on one another in turn.
    """
    count = len(groups)
    operands: list[set[int]] = [set() for _ in range(count)]
    consumers: list[set[int]] = [set() for _ in range(count)]
    for tail, head in links:
        if tail is not None:
            operands[head].add(tail)
            consumers[tail].add(head)
    rank = _grouped_ranks(operands, groups) if any(groups) else None
    if rank is None:
        rank = [0] * count
        for box in range(count):
            if operands[box]:
                rank[box] = 1 + max([rank[x] for x in operands[box]])
    spans = _spans(rank, groups)
    for box in reversed(range(count)):
        if consumers[box]:
            held = sum([len(consumers[x]) > 1 or bool(operands[x]) for x in operands[box]])
            if held < len(consumers[box]):
                # Not into the columns of a group that it is not in, nor beyond the last one of its own.
                limits = [spans[group][0] - 1 for x in consumers[box] for group in groups[x] if group not in groups[box]]
                limits += [rank[x] - 1 for x in consumers[box]] + [spans[group][1] for group in groups[box]]
                rank[box] = max(rank[box], min(limits))
    least = min(rank, default=0)
    return [column - least for column in rank]


def _grouped_ranks(operands: Sequence[set[int]], groups: Sequence[tuple[int, ...]]) -> list[int] | None:
    """The longest path to each box where a group begins after everything it depends on has ended; None if that is a cycle."""
    count = len(groups)
    number = 1 + max([group for path in groups for group in path])
    first, last = count, count + number  # what stands for the beginning and the end of group 0
    after: list[dict[int, int]] = [{} for _ in range(count + 2 * number)]
    for box, path in enumerate(groups):
        outer = [*path, -1]
        for level, group in enumerate(path):
            inner = outer[level + 1]
            after[first + group][first + inner if inner >= 0 else box] = 0
            after[last + inner if inner >= 0 else box][last + group] = 0
        for tail in sorted(operands[box]):
            other = groups[tail]
            shared = shared_groups(path, other)
            start = last + other[shared] if shared < len(other) else tail
            after[start][first + path[shared] if shared < len(path) else box] = 1
    waiting = [0] * len(after)
    for steps in after:
        for end in steps:
            waiting[end] += 1
    rank = [0] * len(after)
    ready = [x for x, others in enumerate(waiting) if not others]
    for x in ready:
        for end, step in after[x].items():
            rank[end] = max(rank[end], rank[x] + step)
            waiting[end] -= 1
            if not waiting[end]:
                ready.append(end)
    return rank[:count] if len(ready) == len(after) else None


def _cut(count: int, rank: list[int], links: Sequence[tuple[int | None, int]]) -> set[int]:
    """The links to cut so that not too many bends are left."""
    ends: dict[int, list[tuple[int, int]]] = {}
    for i, (tail, head) in enumerate(links):
        if tail is not None:
            ends.setdefault(tail, []).append((rank[head], i))
    for wire in ends.values():
        wire.sort()
    allowed = FREE_BENDS + BENDS * (count + len(links))
    longest = sum([wire[-1][0] - rank[tail] - 1 for tail, wire in ends.items()])
    cut: set[int] = set()
    for stretch in STRETCHES if longest > allowed else ():
        cut, bends = set(), 0
        for tail, wire in ends.items():
            at = rank[tail]
            for column, link in wire:
                if column - at > stretch:
                    cut.add(link)
                else:
                    bends += max(0, column - at - 1)
                    at = column
        if bends <= allowed:
            break
    return cut
