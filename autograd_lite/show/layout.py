"""Where the boxes and edges of a drawing lie: a layered layout from left to right, for any renderer.

The input is integers alone. `Box` is the size of a box and the group it lies in, `Link` an edge into an operand slot of a box,
operands before their consumers; `arrange` gives an `Arrangement`: rectangles of boxes and groups, routes of edges, and where
the label of each edge is centred. Nothing overlaps, by construction. Boxes lie in columns. Each edge ends at a port of its own
on the left side of its box, ports are as far apart as labels are high, and in front of every column there is a lane for the
labels, in which edges are level. Between a column and the next lane is a channel in which edges change their height, and
nothing else is.

A route is a list of knots (x, y), from left to right: between two of the same height it is a line, between others a curve that
is level at both ends (`layout.curve_of` gives its two control points). A label's place is None where the link has no label.

    >>> plan = arrange([Box(40, 30), Box(40, 30), Box(60, 40)], [Link(0, 2, 20), Link(1, 2, 20)])
    >>> [(place.x, place.y) for place in plan.boxes]
    [(0, 0), (0, 44), (104, 17)]
    >>> plan.routes[0], plan.labels[0]
    ([(40, 15), (68, 28), (104, 28)], (82, 28))

The order of everything depends on the input alone. The method is Sugiyama's, in the form of Gansner, Koutsofios, North, Vo, A
technique for drawing directed graphs, IEEE Trans. Software Eng. 19 (1993): ranks (`layout_ranks`), order within ranks
(`layout_order`), heights (`layout_heights`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from autograd_lite.show.layout_heights import Groups, Room, heights_of
from autograd_lite.show.layout_order import ordered
from autograd_lite.show.layout_ranks import Layers, layers_of, ranks_of

PORT = 18  # between the ports of a box, and so between labels
GAP = 14  # between boxes one above the other
WIRE = 10  # between an edge that passes a column and what lies above and below it
CHANNEL = 26  # the least width between a column and the labels of the next
STUB = 12  # between a label and its box: the arrowhead
SLACK = 12  # before the end of a column, from where an edge may begin to climb
PADDING = 10  # of a group, around what lies in it
TITLE = 16  # the height of a group's title


class Box(NamedTuple):
    """What a box needs: its size, and the groups it lies in, the outermost first, each an index."""

    width: int
    height: int
    groups: tuple[int, ...] = ()


class Link(NamedTuple):
    """An edge into the next operand slot of the box `head`, and the width of its label (0: none).

    The tail is None where what comes in is drawn as the label itself, at the end of a stub: a constant.
    """

    tail: int | None
    head: int
    label: int = 0


class Place(NamedTuple):
    """A rectangle by its upper left corner."""

    x: int
    y: int
    width: int
    height: int


class Arrangement(NamedTuple):
    """The size of the drawing, the places of boxes and groups, and for each link its route and its label's centre.

    `cut` are the links that are not drawn across: their tails lie too far away, and their routes are stubs like a constant's.
    """

    width: int
    height: int
    boxes: list[Place]
    groups: dict[int, Place]
    routes: list[list[tuple[int, int]]]
    labels: list[tuple[int, int] | None]
    cut: set[int]


def curve_of(start: tuple[int, int], end: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """The control points of the cubic curve between two knots."""
    middle = (start[0] + end[0]) // 2
    return (middle, start[1]), (middle, end[1])


def arrange(boxes: list[Box], links: list[Link], end_labels: Callable[[int], int] | None = None) -> Arrangement:
    """Where everything lies. The operand slots of a box are its links in their order; tails come before their heads.

    `end_labels` gives the width of the label of a link that is cut, where it is another than that of the link.
    """
    ends, groups = [(link.tail, link.head) for link in links], [box.groups for box in boxes]
    rank, cut = ranks_of(ends, groups)
    if end_labels is not None:
        links = [link._replace(label=end_labels(i)) if i in cut else link for i, link in enumerate(links)]
    layers = layers_of(ends, groups, rank, cut)
    _reserve(layers)
    paths = layers.around
    ports = [0] * len(boxes)
    for link in links:
        ports[link.head] += 1
    heights = [max(box.height, PORT * count) for box, count in zip(boxes, ports, strict=True)]
    rooms = [
        Room(0.5 * (height + GAP), tuple([(i - 0.5 * (count - 1)) * PORT for i in range(count)]))
        for height, count in zip(heights, ports, strict=True)
    ] + [Room(0.5 * WIRE)] * len(layers.tails)
    columns = ordered(layers, [round(2 * room.half) for room in rooms], paths)
    grouping = Groups(paths, PADDING + TITLE, PADDING, 4)
    centres, sides = heights_of(layers, columns, rooms, grouping)
    upper = [centre - height // 2 for centre, height in zip(centres, heights, strict=False)]
    top = min(
        upper + [centre - WIRE // 2 for centre in centres[len(boxes) :]] + [side[0] for side in sides.values()], default=0
    )
    centres = [centre - top for centre in centres]
    across = _across(boxes, links, layers, centres, rooms, paths)
    places = [
        Place(across.left[layers.rank[i]], centres[i] - height // 2, box.width, height)
        for i, (box, height) in enumerate(zip(boxes, heights, strict=True))
    ]
    enclosing = _group_places(paths, layers, across, {group: (a - top, b - top) for group, (a, b) in sides.items()})
    routes, labels = _routes(links, layers, across, places, centres)
    everything = [*places, *enclosing.values()]
    lowest = max([place.y + place.height for place in everything] + [y + WIRE for y in centres[len(boxes) :]], default=0)
    right = max([place.x + place.width for place in everything], default=0)
    return Arrangement(right, lowest, places, enclosing, routes, labels, layers.cut)


def _reserve(layers: Layers) -> None:
    """Give groups a place in every column they span, by a bend without a wire where nothing of theirs is."""
    spans: dict[tuple[int, ...], tuple[int, set[int]]] = {}
    boxes = len(layers.rank) - len(layers.tails)
    for item, path in enumerate(layers.around):
        for depth in range(1, len(path) + 1):
            spans.setdefault(path[:depth], (item, set()))[1].add(layers.rank[item])
    for path, (item, ranks) in spans.items():
        for column in range(min(ranks), max(ranks)):
            if column not in ranks:
                layers.columns[column].append(len(layers.rank))
                layers.rank.append(column)
                layers.tails.append(item if item < boxes else layers.tails[item - boxes])
                layers.around.append(path)


class _Across(NamedTuple):
    """Of each column: where its lane of labels begins, where its boxes begin, and where they end at the latest."""

    lane: list[int]
    left: list[int]
    right: list[int]
    depth: int


def _across(
    boxes: list[Box],
    links: list[Link],
    layers: Layers,
    centres: list[int],
    rooms: list[Room],
    paths: list[tuple[int, ...]],
) -> _Across:
    """Where the columns lie. A channel is wider where edges climb further in it, and where groups have a side in it."""
    count = len(layers.columns)
    widths, lanes, climbs = [0] * count, [0] * count, [0] * count
    for i, box in enumerate(boxes):
        widths[layers.rank[i]] = max(widths[layers.rank[i]], box.width)
    for link in links:
        lanes[layers.rank[link.head]] = max(lanes[layers.rank[link.head]], link.label + STUB + 4 if link.label else STUB)
    for start, end, port in layers.segments:
        climb = abs(centres[start] - centres[end] - round(rooms[end].ports[port]))
        climbs[layers.rank[end]] = max(climbs[layers.rank[end]], climb)
    depth = max([len(path) for path in paths], default=0)
    across = _Across([], [], [], depth)
    at = depth * PADDING
    for column in range(count):
        if column:
            at += CHANNEL + min(100, climbs[column] // 5) + 2 * depth * PADDING
        across.lane.append(at)
        at += lanes[column]
        across.left.append(at)
        at += widths[column]
        across.right.append(at)
    return across


def _group_places(
    paths: list[tuple[int, ...]], layers: Layers, across: _Across, sides: dict[int, tuple[int, int]]
) -> dict[int, Place]:
    spans: dict[int, tuple[int, int, int]] = {}  # of each group: its first and last column, its depth
    for item, path in enumerate(paths):
        for depth, group in enumerate(path):
            first, last, _ = spans.get(group, (layers.rank[item], layers.rank[item], depth))
            spans[group] = min(first, layers.rank[item]), max(last, layers.rank[item]), depth
    places = {}
    for group in sorted(spans, key=lambda group: spans[group][2]):  # the outer ones first, to be drawn first
        first, last, depth = spans[group]
        margin = (across.depth - depth) * PADDING
        top, bottom = sides[group]
        x = across.lane[first] - margin
        places[group] = Place(x, top, across.right[last] + margin - x, bottom - top)
    return places


def _routes(
    links: list[Link], layers: Layers, across: _Across, places: list[Place], centres: list[int]
) -> tuple[list[list[tuple[int, int]]], list[tuple[int, int] | None]]:
    routes: list[list[tuple[int, int]]] = []
    labels: list[tuple[int, int] | None] = []
    used = [0] * len(places)
    slots = [0] * len(places)
    for link in links:
        slots[link.head] += 1
    for i, link in enumerate(links):
        head = places[link.head]
        y = head.y + (head.height - (slots[link.head] - 1) * PORT) // 2 + used[link.head] * PORT
        used[link.head] += 1
        labels.append((head.x - STUB - (link.label + 1) // 2, y) if link.label else None)
        if link.tail is None or i in layers.cut:
            routes.append([(head.x - STUB, y), (head.x, y)])
            continue
        tail = places[link.tail]
        knots = [(tail.x + tail.width, tail.y + tail.height // 2)]
        column = layers.rank[link.tail]
        for bend in layers.paths[i]:
            _climb(knots, across, column, centres[bend])
            column += 1
        _climb(knots, across, column, y)
        knots.append((head.x, y))
        routes.append(knots)
    return routes, labels


def _climb(knots: list[tuple[int, int]], across: _Across, column: int, y: int) -> None:
    """Go on through the channel right of a column to another height."""
    x, old = knots[-1]
    if old == y:
        return
    if across.right[column] - x > SLACK:
        knots.append((across.right[column], old))
    knots.append((across.lane[column + 1], y))
