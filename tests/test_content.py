"""What a drawing shows of a graph: closed scopes, equal siblings, what lies between, summaries of what is large."""

import math
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.show.content import content_of
from autograd_lite.show.figure import figure_of
from autograd_lite.show.scopes import title_of
from drawings import Picture, chain, fixture, network, tangle
from programs import EVERYTHING, programs
from values import same

DEPTHS = st.none() | st.integers(0, 4) | st.just(math.inf)


@st.composite
def scoped_graphs(draw):
    """Programs whose values lie in scopes as they come: nested, left and entered again."""
    program = draw(programs(EVERYTHING, max_lines=25))
    names = st.lists(st.sampled_from(["a0", "a1", "b", "c.d", "e2", ""]), max_size=2).map(
        lambda parts: ".".join(filter(None, parts))
    )
    scopes = draw(st.lists(names, min_size=len(program.lines), max_size=len(program.lines)))
    remaining = iter(scopes)

    def apply(primitive, *operands):
        with ag.scope(next(remaining)):
            return primitive(*operands)

    return program.run([ag.Value(x) for x in program.inputs], apply)[-1]


@given(scoped_graphs(), DEPTHS)
@settings(max_examples=200)
def test_every_value_lies_in_one_box_and_hidden_counts_add_up(value, depth):
    content = content_of(value, depth=depth)
    order = ag.topological_order(value)
    assert same(content.order, order)
    assert sorted(i for box in content.boxes for i in box.values) == list(range(len(order)))
    assert sum(box.operations for box in content.boxes) == sum(node.op is not None for node in order)
    assert len({box.id for box in content.boxes}) == len(content.boxes)
    owner = {i: position for position, box in enumerate(content.boxes) for i in box.values}
    index = {node: i for i, node in enumerate(order)}
    slots = Counter(
        (owner[index[x]], owner[i])
        for i, node in enumerate(order)
        for x in node.args
        if isinstance(x, ag.Value) and owner[index[x]] != owner[i]
    )
    shown = Counter()
    for edge in content.edges:
        if edge.tail is not None:
            assert edge.tail < edge.head  # so there is no cycle
            shown[edge.tail, edge.head] += edge.slots
    assert shown == slots


@given(scoped_graphs(), DEPTHS)
def test_boxes_lie_in_the_scopes_that_are_open(value, depth):
    content = content_of(value, depth=depth)
    for box in content.boxes:
        path = [content.groups[group].name for group in box.groups]
        assert [content.groups[group].outer for group in box.groups] == [None, *box.groups][: len(box.groups)]
        for i in box.values:
            scope = content.order[i].note.scope
            if content.order[i].op is None:
                continue
            if box.kind in ("operation", "output"):
                assert scope.split(".") == path[-1].split(".") if path else scope == "" or depth is not None
            elif box.kind == "group":
                assert scope.startswith(".".join(path[-1:]))
    figure_of(content)


def test_depth_opens_so_many_scopes():
    value, _ = network((2, 3, 1))
    kinds = [Counter(box.kind for box in content_of(value, depth=depth).boxes) for depth in (0, 1, 2)]
    assert [count["group"] for count in kinds] == [2, 2, 0]
    assert [len(content_of(value, depth=depth).groups) for depth in (0, 1, 2)] == [0, 2, 6]
    neurons = [box for box in content_of(value, depth=1).boxes if box.kind == "group"]
    assert [(box.label, box.copies, box.operations, len(box.values)) for box in neurons] == [
        ("Neuron", 3, 15, 24),
        ("Neuron 0", 1, 6, 10),
    ]
    assert value.graph(depth=1).to_svg().count("5 operations each") == 1
    with pytest.raises(ValueError, match="from 0, not -1"):
        value.graph(depth=-1).to_svg()


def test_a_network_of_1012_values_draws_in_few_boxes():
    draw = random.Random(1)
    value, _ = network((2, 16, 16, 1))
    order = ag.topological_order(value)
    rest = 1012 - len(order)
    for _ in range(rest):
        value = value * draw.uniform(0.9, 1.1)
    assert len(ag.topological_order(value)) == 1012
    content = content_of(value)
    assert len(content.boxes) <= 40
    assert sum(len(box.values) for box in content.boxes) == 1012
    labels = [(box.label, box.copies) for box in content.boxes if box.kind == "group"]
    assert labels == [("Neuron", 16), ("Neuron", 16), ("Neuron 0", 1)]


def test_siblings_are_folded_only_if_they_are_equal_and_none_uses_another():
    def neuron(name, x, extra=False):
        with ag.scope(name):
            y = (x * 2.0).tanh()
            return y.exp() if extra else y

    x = ag.Value(0.1, "x")
    parallel = ag.sum([neuron(f"cell{i}", x) for i in range(4)])
    row = neuron("cell1", neuron("cell0", x))
    through = neuron("cell1", neuron("cell0", x).sin())
    unequal = neuron("cell0", x) + neuron("cell1", x, extra=True)
    other = neuron("cell", x) + neuron("part", x)
    told = [
        [(box.label, box.copies) for box in content_of(y, depth=0).boxes if box.kind == "group"]
        for y in (parallel, row, through, unequal, other)
    ]
    assert told == [
        [("Cell", 4)], [("Cell 0", 1), ("Cell 1", 1)], [("Cell 0", 1), ("Cell 1", 1)], [("Cell 0", 1), ("Cell 1", 1)],
        [("Cell", 1), ("Part", 1)],
    ]  # fmt: skip


def test_a_scope_that_is_entered_again_is_split_where_it_would_be_a_cycle():
    x = ag.Value(0.5, "x")
    with ag.scope("s"):
        y = x.sin()
    y = y.cos()
    with ag.scope("s"):
        z = y.exp()
    assert [(box.kind, box.label) for box in content_of(z, depth=0).boxes] == [
        ("leaf", "x"), ("group", "S"), ("operation", ""), ("group", "S")
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "title"), [
    ("neuron2", ("Neuron", "2")), ("layers[0]", ("Layers", "0")), ("head", ("Head", "")), ("7", ("7", "")),
    ("a_b_3", ("A_b", "3")), ("", ("", "")), ("é1\n", ("É", "1")),
])  # fmt: skip
def test_titles(name, title):
    assert title_of(name) == title


@given(st.integers(10, 80), st.integers(0, 500), st.data())
@settings(max_examples=60)
def test_wrt_keeps_what_lies_between(count, seed, data):
    value = tangle(count, seed)
    order = ag.topological_order(value)
    targets = data.draw(st.lists(st.sampled_from(order), min_size=1, max_size=3))
    consumers = {node: [] for node in order}
    for node in order:
        for x in node.args:
            if isinstance(x, ag.Value):
                consumers[x].append(node)
    reached, waiting = set(), list(targets)
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            waiting.extend(consumers[node])
    content = content_of(value, wrt=targets, depth=math.inf)
    assert [not box.aside for box in content.boxes] == [node in reached for node in order]
    for edge in content.edges:
        between = edge.tail is not None and order[edge.tail] in reached and order[edge.head] in reached
        assert edge.aside == (not between if edge.tail is not None else order[edge.head] not in reached)
    picture = Picture(value.graph(wrt=targets, depth=math.inf).to_svg())
    assert ["data-aside" not in box.attrib for box in picture.boxes] == [node in reached for node in order]


def test_wrt_and_parameters_are_values():
    e = fixture()
    with pytest.raises(TypeError, match="wrt is a Value or several, not int 3"):
        e.graph(wrt=[3]).to_svg()
    with pytest.raises(TypeError, match="parameters are Values"):
        e.graph(parameters=["a"]).to_svg()


def test_parameters_are_named_by_their_module():
    model = ag.nn.MLP(2, [2, 1])
    y = model([ag.Value(1.0, "x"), 2.0])
    boxes = content_of(y, parameters=model).boxes
    named = {box.label: box.kind for box in boxes if box.operation == ""}
    assert named["x"] == "leaf"
    assert (named["w[1]"], named["b"]) == ("parameter", "parameter")
    assert Counter(box.kind for box in boxes)["parameter"] == len(model.parameters())
    assert Counter(box.kind for box in content_of(y, parameters=model.parameters()).boxes)["parameter"] == len(
        model.parameters()
    )


@given(st.integers(301, 500), st.integers(0, 100))
@settings(max_examples=10)
def test_what_is_too_large_is_a_summary_of_what_is_nearest(count, seed):
    value = tangle(count, seed)
    content = content_of(value)
    (rest,) = [box for box in content.boxes if box.kind == "rest"]
    assert len(content.boxes) <= 61
    assert sum(len(box.values) for box in content.boxes) == len(content.order)
    assert f"{len(rest.values):,} values more" in value.graph().to_svg()


def test_a_million_values_are_drawn_at_once():
    svg = chain(1_000_000).graph().to_svg()
    assert len(svg) < 60_000
    assert "999,941 values more" in svg


def test_a_closed_box_with_the_result_shows_its_numbers():
    value = ag.nn.MLP(2, [2, 1], rng=random.Random(1))([ag.Value(1.0, "x"), 2.0])
    value.backward()
    picture = Picture(value.graph(depth=1).to_svg())
    assert picture.texts(picture.boxes[-1]) == ["Neuron 0", "1 operation", "3 leaves", f"{value.data:.4g}", "1"]
