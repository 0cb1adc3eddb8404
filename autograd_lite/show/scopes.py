"""Which values a drawing shows as boxes of their own, and which it draws together: closed scopes, equal siblings, what is far
off.

The boxes of a plan depend on one another without a cycle, whatever the scopes are: a scope that was left and entered again is
drawn as several boxes where one would make a cycle.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Collection, Container
from typing import NamedTuple

from autograd_lite.engine import Value

OPEN_LIMIT = 150  # values up to which all scopes are open unless a depth is asked for
CLOSED_LIMIT = 40  # boxes that closing scopes should leave
DRAWN_LIMIT = 300  # boxes above which a drawing is a summary unless a depth is asked for
FULL_LIMIT = 20_000  # boxes above which it is a summary all the same
SUMMARY = 60  # boxes of a summary besides the one for the rest

Path = tuple[str, ...]  # the names of the scopes around a value, the outermost first


class Plan(NamedTuple):
    """The boxes in an order in which operands come first: the positions of their values, and what kind of box they are.

    `kinds` are "open" (one value), "group" and "rest"; `titles` name the closed ones, `copies` counts the equal siblings in
    them. `owner` is the box of each value, `operands` the positions of its operands. `groups` are the open scopes, (name, the
    position of the one around it), and `paths` the positions of those around each box.
    """

    members: list[list[int]]
    kinds: list[str]
    titles: list[str]
    copies: list[int]
    owner: list[int]
    operands: list[list[int]]
    groups: list[tuple[str, int | None]]
    paths: list[tuple[int, ...]]


class _Boxes(NamedTuple):
    """The box of each value, and the closed boxes: the scope of each, and how many equal siblings lie in it."""

    owner: list[int]
    closed: dict[int, tuple[Path, int]]
    number: int


def plan_of(
    order: list[Value], depth: float | None, unnamed: Container[Value], kept: Collection[Value], limit: int | None
) -> Plan:
    """The plan for a topological order.

    A leaf that only one closed box uses lies in it, if it has no label or is in `unnamed`, and is not in `kept`.
    """
    index = {node: i for i, node in enumerate(order)}
    operands = [[index[x] for x in node.args if x.__class__ is not float] if node.op else [] for node in order]  # type: ignore[index]
    paths = _paths(order)
    deepest = max([len(path) for path in set(paths)], default=0)
    if not deepest:
        return _limited(operands, paths, 0, _Boxes(list(range(len(order))), {}, len(order)), depth, limit)
    absorbed = [node.op is None and (not node.label or node in unnamed) and node not in kept for node in order]
    inner = _inherited(paths, operands, absorbed)
    if depth is None and len(order) > OPEN_LIMIT:
        for level in range(deepest - 1, -1, -1):
            boxes = _closed(order, operands, paths, level, absorbed)
            if boxes.number <= CLOSED_LIMIT:
                break
    else:
        level = deepest if depth is None else int(min(depth, deepest))
        boxes = _closed(order, operands, paths, level, absorbed)
    return _limited(operands, inner, level, boxes, depth, limit)


def _paths(order: list[Value]) -> list[Path]:
    """The scopes of each value."""
    split: dict[str, Path] = {"": ()}
    paths = []
    for node in order:
        note = getattr(node, "_note", None)
        scope = note.scope if note else ""
        path = split.get(scope)
        if path is None:
            path = split[scope] = tuple([part for part in scope.split(".") if part])
        paths.append(path)
    return paths


def _inherited(paths: list[Path], operands: list[list[int]], absorbed: list[bool]) -> list[Path]:
    """Leaves lie in the scopes that all of their consumers share."""
    paths = list(paths)
    shared: dict[int, Path] = {}
    for i, used in enumerate(operands):
        for x in used:
            if absorbed[x]:
                shared[x] = paths[i] if x not in shared else _common(shared[x], paths[i])
    for x, path in shared.items():
        paths[x] = path
    return paths


def _common(a: Path, b: Path) -> Path:
    count = 0
    while count < min(len(a), len(b)) and a[count] == b[count]:
        count += 1
    return a[:count]


def _closed(order: list[Value], operands: list[list[int]], paths: list[Path], level: int, absorbed: list[bool]) -> _Boxes:
    """The boxes where scopes deeper than a level are closed, none of them on a cycle, and equal siblings folded."""
    key: list[Path | None] = [path[: level + 1] if len(path) > level else None for path in paths]
    users: dict[int, set[Path | None]] = {}
    for i, used in enumerate(operands):
        for x in used:
            if absorbed[x]:
                users.setdefault(x, set()).add(key[i])
    for x, found in users.items():
        if len(found) == 1:
            (key[x],) = found
    owner: list[int] = []
    closed: dict[int, tuple[Path, int]] = {}
    box_of: dict[Path, int] = {}
    count = 0
    for path in key:
        if path is None or path not in box_of:
            if path is not None:
                box_of[path] = count
                closed[count] = path, 1
            owner.append(count)
            count += 1
        else:
            owner.append(box_of[path])
    boxes = _split(operands, _Boxes(owner, closed, count))
    return _folded(order, operands, boxes) if closed else boxes


def _split(operands: list[list[int]], boxes: _Boxes) -> _Boxes:
    """Closed boxes on cycles in parts, by how often the ways to a value go from box to box; that grows along every edge."""
    stuck = _on_cycles(operands, boxes) if boxes.closed else set()
    if not stuck:
        return boxes
    height = [0] * len(operands)
    for i, used in enumerate(operands):
        height[i] = max([height[x] + (boxes.owner[x] != boxes.owner[i]) for x in used], default=0)
    owner, closed, count = list(boxes.owner), dict(boxes.closed), boxes.number - len(stuck)
    parts: dict[tuple[int, int], int] = {}
    for i, box in enumerate(boxes.owner):
        if box in stuck:
            part = box, height[i]
            if part not in parts:
                parts[part] = boxes.number + len(parts)
                closed[parts[part]] = boxes.closed[box]
                closed.pop(box, None)
            owner[i] = parts[part]
    return _Boxes(owner, closed, count + len(parts))


def _folded(order: list[Value], operands: list[list[int]], boxes: _Boxes) -> _Boxes:
    """Closed boxes that are alike drawn as one: the same operations, names that differ by a number, none used by another."""
    work: dict[int, list[str]] = {box: [] for box in boxes.closed}
    for i, box in enumerate(boxes.owner):
        if box in work:
            op = order[i].op
            work[box].append(op.name if op else "")
    alike: dict[tuple[Path, str, tuple[str, ...]], list[int]] = {}
    for box, (path, _) in boxes.closed.items():
        alike.setdefault((path[:-1], title_of(path[-1])[0], tuple(work[box])), []).append(box)
    first = {box: siblings[0] for siblings in alike.values() for box in siblings}
    related = {
        first[boxes.owner[i]]
        for i, used in enumerate(operands)
        for x in used
        if boxes.owner[i] != boxes.owner[x] and first.get(boxes.owner[i], -1) == first.get(boxes.owner[x], -2)
    }
    while True:
        fold = {box: one for box, one in first.items() if one not in related}
        owner = [fold.get(box, box) for box in boxes.owner]
        closed = {box: (path, 1) for box, (path, _) in boxes.closed.items() if fold.get(box, box) == box}
        for box, one in fold.items():
            if box != one:
                closed[one] = closed[one][0], closed[one][1] + 1
        folded = _Boxes(owner, closed, boxes.number - len(boxes.closed) + len(closed))
        stuck = {box for box in _on_cycles(operands, folded) if closed[box][1] > 1}
        if not stuck:
            return folded
        related |= stuck


def _on_cycles(operands: list[list[int]], boxes: _Boxes) -> set[int]:
    """The closed boxes that lie on a cycle or between two of them: what is left when sources and sinks are taken away."""
    before: dict[int, set[int]] = {box: set() for box in boxes.owner}
    after: dict[int, set[int]] = {box: set() for box in boxes.owner}
    for i, used in enumerate(operands):
        b = boxes.owner[i]
        for x in used:
            a = boxes.owner[x]
            if a != b:
                after[a].add(b)
                before[b].add(a)
    for _ in range(2):  # sources first, then sinks
        ready = [box for box, others in before.items() if not others]
        for box in ready:
            for other in after[box]:
                before[other].discard(box)
                if not before[other]:
                    ready.append(other)
        left = {box for box, others in before.items() if others}
        before, after = ({box: after[box] & left for box in left}, {box: before[box] & left for box in left})
    return {box for box in left if box in boxes.closed}


def title_of(name: str) -> tuple[str, str]:
    """The last name of a scope as a title, and the number at its end: "Neuron" and "2" for "neuron2"."""
    found = re.fullmatch(r"(.*?)[\W_]*(\d*)\W*", name, re.DOTALL)
    base, number = found.groups() if found else (name, "")
    return (base[:1].upper() + base[1:], number) if base else (name, "")


def _nearest(operands: list[list[int]], boxes: _Boxes, room: int) -> set[int]:
    """So many boxes that nothing outside them depends on, the nearest to the output."""
    uses = [0] * (max(boxes.owner) + 1)
    inside: dict[int, list[int]] = {}
    for i, used in enumerate(operands):
        if boxes.owner[i] in boxes.closed:
            inside.setdefault(boxes.owner[i], []).append(i)
        for x in used:
            if boxes.owner[x] != boxes.owner[i]:
                uses[boxes.owner[x]] += 1
    value_of = {box: i for i, box in enumerate(boxes.owner)}
    shown: list[int] = [boxes.owner[-1]]
    for box in shown:
        if len(shown) >= room:
            break
        for i in inside.get(box, [value_of[box]]):
            for x in operands[i]:
                other = boxes.owner[x]
                if other != box:
                    uses[other] -= 1
                    if uses[other] == 0:
                        shown.append(other)
    return set(shown[:room])


def _limited(
    operands: list[list[int]], paths: list[Path], level: int, boxes: _Boxes, depth: float | None, limit: int | None
) -> Plan:
    """The plan: a summary where there are more boxes than the limit, or (-1) than one can draw."""
    if limit == -1:
        limit = DRAWN_LIMIT if depth is None else FULL_LIMIT
    return _planned(operands, paths, level, boxes, SUMMARY if limit is not None and boxes.number > limit else None)


def _planned(operands: list[list[int]], paths: list[Path], level: int, boxes: _Boxes, room: int | None) -> Plan:
    """The plan, with at most so many boxes besides the rest."""
    shown = None if room is None else _nearest(operands, boxes, room)
    owner = boxes.owner if shown is None else [box if box in shown else -1 for box in boxes.owner]
    found: dict[int, list[int]] = {}
    for i, box in enumerate(owner):
        found.setdefault(box, []).append(i)
    position = {box: i for i, box in enumerate(_sorted(operands, owner, found))}
    members = [found[box] for box in position]
    groups: dict[Path, int] = {}
    around: list[tuple[int, ...]] = []
    for box, own in zip(position, members, strict=True):
        path = () if box == -1 else paths[own[-1]][:level]
        if box in boxes.closed:
            path = boxes.closed[box][0][:-1]
        around.append(tuple([groups.setdefault(path[: i + 1], len(groups)) for i in range(len(path))]))
    kinds = ["rest" if box == -1 else "group" if box in boxes.closed else "open" for box in position]
    titles, copies = [], []
    for box in position:
        path, number = boxes.closed.get(box, ((), 1)) if box != -1 else ((), 1)
        copies.append(number)
        titles.append("" if not path else title_of(path[-1])[0] if number > 1 else " ".join(title_of(path[-1])).strip())
    return Plan(
        members, kinds, titles, copies, [position[box] for box in owner], operands,
        [(".".join(path), groups.get(path[:-1])) for path in groups], around,
    )  # fmt: skip


def _sorted(operands: list[list[int]], owner: list[int], found: dict[int, list[int]]) -> list[int]:
    """The boxes, operands first, and otherwise by their first values."""
    if len(found) == len(owner):
        return list(found)
    before: dict[int, set[int]] = {box: set() for box in found}
    after: dict[int, set[int]] = {box: set() for box in found}
    for i, used in enumerate(operands):
        for x in used:
            if owner[x] != owner[i]:
                before[owner[i]].add(owner[x])
                after[owner[x]].add(owner[i])
    waiting = {box: len(others) for box, others in before.items()}
    ready = [(found[box][0], box) for box, number in waiting.items() if number == 0]
    heapq.heapify(ready)
    result = []
    while ready:
        _, box = heapq.heappop(ready)
        result.append(box)
        for other in sorted(after[box]):
            waiting[other] -= 1
            if waiting[other] == 0:
                heapq.heappush(ready, (found[other][0], other))
    return result
