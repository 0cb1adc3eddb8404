"""Graphs as JSON: exact round trips (with test_engine's), and clean errors for any other text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.engine import Value

E = ag.graph_to_json((Value(2.0, "a") + Value(1.0)) * 3.0)


def test_the_format():
    assert json.loads(E) == {
        "format": "autograd_lite graph 1",
        "nodes": [
            [None, [], 2.0, 0.0, "a", ""],
            [None, [], 1.0, 0.0, None, ""],
            ["add", [0, 1], 3.0, 0.0, None, ""],
            ["multiply", [2, 3.0], 9.0, 0.0, None, ""],
        ],
    }


def test_labels_scopes_and_special_numbers():
    with ag.scope("s"):
        y = Value(float("-inf"), "x") + float("nan")
    y.label = "y\u2028"
    y.grad = -0.0
    twin = ag.graph_from_json(ag.graph_to_json(y))
    assert (twin.label, twin.note.scope, repr(twin.grad), repr(twin.args)) == ("y\u2028", "s", "-0.0", repr(y.args))


def test_a_stale_graph_is_not_written():
    x = Value(2.0)
    y = x * x
    x.data = 3.0
    with pytest.raises(ag.StaleGraphError):
        ag.graph_to_json(y)


@given(st.text())
def test_text_that_is_no_json(text):
    with pytest.raises(ag.GraphFormatError):
        ag.graph_from_json(text)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 5)
    | st.floats(allow_nan=False)
    | st.sampled_from(["add", "sum", "clip", "nan", "x"]),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.sampled_from(["format", "nodes"]), inner, max_size=2),
)


@given(st.lists(VALUES, max_size=4))
def test_json_that_is_no_graph(nodes):
    """Arbitrary rows raise GraphFormatError or make nodes that can be swept."""
    try:
        y = ag.graph_from_json(json.dumps({"format": "autograd_lite graph 1", "nodes": nodes}))
    except ag.GraphFormatError:
        return
    y.backward()


@given(st.data())
def test_damaged_graphs(data):
    document = json.loads(E)
    row = data.draw(st.integers(0, 3))
    column = data.draw(st.integers(0, 5))
    document["nodes"][row][column] = data.draw(VALUES)
    try:
        ag.graph_from_json(json.dumps(document))
    except ag.GraphFormatError as error:
        assert f"node {row}" in str(error) or "node" in str(error)


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "{}", "[]", "null", '{"format": "autograd_lite graph 1", "nodes": []}', E[:-3], E.replace("add", "import")],
)
def test_some_bad_texts(text):
    with pytest.raises(ag.GraphFormatError):
        ag.graph_from_json(text)
