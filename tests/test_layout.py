"""The layout alone, on random graphs of integers: nothing overlaps, routes end where they should, few edges cross."""

import itertools
import json
import random
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.show.content import content_of
from autograd_lite.show.figure import figure_of
from autograd_lite.show.layout import PORT, STUB, Box, Link, arrange, curve_of
from drawings import fixture, network, tangle

RECORDED = json.loads((Path(__file__).parent / "data" / "dot_crossings.json").read_text())


@st.composite
def graphs(draw, groups=True, largest=25):
    """Boxes, links whose tails come before their heads, and nested groups."""
    count = draw(st.integers(1, largest))
    paths = [(), (0,), (0, 1), (2,), (2, 3), (4,)] if groups else [()]
    boxes = [Box(draw(st.integers(10, 120)), 2 * draw(st.integers(5, 30)), draw(st.sampled_from(paths))) for _ in range(count)]
    links = []
    for head in range(count):
        for _ in range(draw(st.integers(0, 4))):
            tail = draw(st.none() | st.integers(0, head - 1)) if head else None
            links.append(Link(tail, head, draw(st.sampled_from([0, 17, 60]))))
    return boxes, links


def apart(a, b):
    """Whether two rectangles (x, y, width, height) have no point in common."""
    return a[0] + a[2] <= b[0] or b[0] + b[2] <= a[0] or a[1] + a[3] <= b[1] or b[1] + b[3] <= a[1]


def within(a, b):
    return b[0] <= a[0] and b[1] <= a[1] and a[0] + a[2] <= b[0] + b[2] and a[1] + a[3] <= b[1] + b[3]


def along(knots, steps=12):
    """Points of a route, close to one another."""
    points = [knots[0]]
    for start, end in itertools.pairwise(knots):
        (ax, ay), (bx, by) = (start, end) if start[1] == end[1] else curve_of(start, end)
        for i in range(1, steps + 1):
            t = i / steps
            weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t * t, t**3)
            xs, ys = (start[0], ax, bx, end[0]), (start[1], ay, by, end[1])
            points.append((sum(w * x for w, x in zip(weights, xs)), sum(w * y for w, y in zip(weights, ys))))
    return points


@given(graphs())
@settings(max_examples=150)
def test_nothing_overlaps(graph):
    boxes, links = graph
    plan = arrange(boxes, links)
    labels = [
        (centre[0] - link.label / 2, centre[1] - 7.5, link.label, 15)
        for link, centre in zip(links, plan.labels, strict=True)
        if centre
    ]
    assert [centre is not None for centre in plan.labels] == [link.label > 0 for link in links]
    solid = [*plan.boxes, *labels]
    assert all(apart(a, b) for i, a in enumerate(solid) for b in solid[:i])
    assert all(within(place, (0, 0, plan.width, plan.height)) for place in [*plan.boxes, *plan.groups.values()])
    for box, place in zip(boxes, plan.boxes, strict=True):
        assert (place.width, place.height >= box.height) == (box.width, True)


@given(graphs())
@settings(max_examples=150)
def test_groups_hold_what_lies_in_them_and_nothing_else(graph):
    boxes, links = graph
    plan = arrange(boxes, links)
    assert set(plan.groups) == {group for box in boxes for group in box.groups}
    for group, around in plan.groups.items():
        for box, place in zip(boxes, plan.boxes, strict=True):
            assert within(place, around) if group in box.groups else apart(place, around)
    for a, b in [(0, 2), (0, 4), (2, 4), (1, 3)]:
        assert not {a, b} <= set(plan.groups) or apart(plan.groups[a], plan.groups[b])
    for inner, outer in [(1, 0), (3, 2)]:
        assert inner not in plan.groups or within(plan.groups[inner], plan.groups[outer])


@given(graphs())
@settings(max_examples=150)
def test_edges_end_at_ports_of_their_own_and_pass_no_box(graph):
    boxes, links = graph
    plan = arrange(boxes, links)
    ports = {}
    for i, (link, route) in enumerate(zip(links, plan.routes, strict=True)):
        head = plan.boxes[link.head]
        assert route[-1][0] == head.x
        assert head.y < route[-1][1] < head.y + head.height
        ports.setdefault(link.head, []).append(route[-1][1])
        if link.tail is None or i in plan.cut:
            assert route == [(head.x - STUB, route[-1][1]), route[-1]]
            continue
        tail = plan.boxes[link.tail]
        assert route[0] == (tail.x + tail.width, tail.y + tail.height // 2)
        assert all(a[0] <= b[0] for a, b in itertools.pairwise(route))
        for x, y in along(route):
            for place in plan.boxes:
                assert not (place.x + 1 < x < place.x + place.width - 1 and place.y < y < place.y + place.height)
    for heights in ports.values():
        assert [b - a for a, b in itertools.pairwise(heights)] == [PORT] * (len(heights) - 1)


@given(graphs(groups=False))
def test_there_are_no_more_columns_than_the_longest_path_has_boxes(graph):
    boxes, links = graph
    length = [1] * len(boxes)
    for link in sorted(links, key=lambda link: link.head):
        if link.tail is not None:
            length[link.head] = max(length[link.head], length[link.tail] + 1)
    assert len({place.x for place in arrange(boxes, links).boxes}) == max(length)


@given(graphs())
def test_the_same_graph_is_laid_out_in_the_same_way(graph):
    assert arrange(*graph) == arrange(*graph)


def crossings(edges):
    """How many pairs of edges cross that have neither their tail nor their head in common: (tail, head, points)."""

    def side(a, b, c):
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    parts = sorted(
        (min(a[0], b[0]), max(a[0], b[0]), i, a, b) for i, (*_, p) in enumerate(edges) for a, b in itertools.pairwise(p)
    )
    found, active = set(), []
    for start, end, i, a, b in parts:
        active = [part for part in active if part[1] >= start]
        for _, _, j, c, d in active:
            apart = edges[i][0] != edges[j][0] and edges[i][1] != edges[j][1]
            if apart and side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0:
                found.add((min(i, j), max(i, j)))
        active.append((start, end, i, a, b))
    return len(found)


def crossings_of(value, **options):
    figure = figure_of(content_of(value, **options))
    edges = zip(figure.content.edges, figure.plan.routes, strict=True)
    return crossings([(edge.tail, edge.head, along(route)) for edge, route in edges if edge.tail is not None])


def test_the_counter_of_crossings():
    cross = [(0, 1, [(0, 0), (4, 4)]), (2, 3, [(0, 4), (4, 0)]), (4, 5, [(0, 5), (4, 5)]), (0, 6, [(0, 1), (4, 3)])]
    assert crossings(cross) == 2


@given(
    st.recursive(
        st.floats(-2, 2).map(ag.Value), lambda trees: st.lists(trees, min_size=1, max_size=4).map(ag.sum), max_leaves=30
    )
)
@example(fixture())
def test_a_tree_has_no_crossing(value):
    assert crossings_of(value) == 0


def test_a_network_has_no_more_crossings_than_dot_draws():
    """3-4-4-1 as it is drawn, in groups. What `dot` 2.43 makes of the same clusters is recorded."""
    model = ag.nn.MLP(3, [4, 4, 1], rng=random.Random(7))
    drawn = {
        "nn.MLP": model([ag.Value(0.5, f"x{i}") for i in range(3)]),
        "in single operations": network((3, 4, 4, 1))[0],
    }
    for name, value in drawn.items():
        assert crossings_of(value) <= 1.25 * RECORDED[name]["with clusters"], name
    assert crossings_of(drawn["nn.MLP"]) <= 1.25 * RECORDED["nn.MLP"]["without"]


@pytest.mark.parametrize("count", [50, 400])
def test_wires_are_cut_where_there_are_too_many(count):
    """Every box uses the first one and the one before it; and then so many others that the bends would be the square of it."""
    boxes = [Box(40, 30)] * count
    links = [Link(tail, head, 20) for head in range(1, count) for tail in sorted({0, head // 2, head // 3, head - 1})]
    plan = arrange(boxes, links)
    assert (len(plan.cut) > 0) == (count == 400)
    assert sum(len(route) for route in plan.routes) < 40 * len(links)


def test_cut_links_end_in_the_name_of_what_they_come_from():
    x = ag.Value(0.5, "a rather long label")
    values = [x]
    for i in range(400):
        values.append(values[-1] * values[i // 2] + values[i // 3])
    figure = figure_of(content_of(values[-1], depth=1000))
    assert figure.plan.cut
    content = figure.content
    svg = values[-1].graph(depth=1000).to_svg()
    named = {content.boxes[content.edges[i].tail].label or content.boxes[content.edges[i].tail].id for i in figure.plan.cut}
    assert any(f">{name[:11]}" in svg for name in named)
    assert svg.count('data-kind="reference"') == len(figure.plan.cut)


def test_a_random_graph_is_laid_out_without_overlaps_of_boxes():
    places = figure_of(content_of(tangle(300, 5), depth=1000)).plan.boxes
    places = sorted(places)
    for i, a in enumerate(places):
        for b in places[i + 1 :]:
            if b.x >= a.x + a.width:
                break
            assert apart(a, b)
