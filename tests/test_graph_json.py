"""Graphs as JSON: exact round trips (with test_engine's), and clean errors for any other text."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.engine import Value
from autograd_lite.interop import micrograd

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


def loaded(document):
    """The graph of a document, checked: every number is what its operation gives, it sweeps, and it is written as it was read.

    None where there is no such graph.
    """
    text = json.dumps(document)
    try:
        y = ag.graph_from_json(text)
    except ag.GraphFormatError as error:
        assert str(error)
        return None
    order = ag.topological_order(y)
    for node in order:
        if node.op is not None:
            numbers = [x if isinstance(x, float) else x.data for x in node.args]
            assert repr(node.op.fn(*numbers)) == repr(node.data)
    y.backward()
    assert json.loads(ag.graph_to_json(ag.graph_from_json(text)))["format"] == "autograd_lite graph 1"
    return y


@given(st.lists(VALUES, max_size=4))
def test_json_that_is_no_graph(nodes):
    """Arbitrary rows raise GraphFormatError or make a graph that is right."""
    loaded({"format": "autograd_lite graph 1", "nodes": nodes})


@given(st.data())
def test_damaged_graphs(data):
    document = json.loads(E)
    row = data.draw(st.integers(0, 3))
    column = data.draw(st.integers(0, 5))
    document["nodes"][row][column] = data.draw(VALUES)
    loaded(document)


@given(st.data())
def test_a_number_that_its_operation_does_not_give_is_refused(data):
    x, y = Value(data.draw(st.floats())), Value(data.draw(st.floats()))
    z = data.draw(st.sampled_from([ag.multiply, ag.hypot, ag.logaddexp, ag.arctan2, ag.sum, ag.dot]))(x, y)
    document = json.loads(ag.graph_to_json(z))
    assert loaded(document) is not None
    other = data.draw(st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(["nan", "inf", -0.0, 0.0]))
    assume(repr(float(other)) != repr(z.data))
    document["nodes"][-1][2] = other
    with pytest.raises(ag.GraphFormatError, match=f"node 2: {z.op.name}.*the text says"):
        ag.graph_from_json(json.dumps(document))


LEAF = [None, [], 2.0, 0.0, "a", ""]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (["multiply", [0, 0], 999.0, 0.0, None, ""], r"multiply\(2.0, 2.0\) is 4.0 here, and the text says 999.0"),
        (["subtract", [0, 0], -0.0, 0.0, None, ""], r"is 0.0 here, and the text says -0.0"),
        (["dot", [0, 0, 0], 2.0, 0.0, None, ""], "dot does not take 3 operands"),
        (["dot", [0, 0, 0, 0, 0], 2.0, 0.0, None, ""], "dot does not take 5 operands"),
        (["where", [0, 0], 2.0, 0.0, None, ""], "where does not take 2 operands"),
        (["sum", [], 0.0, 0.0, None, ""], "sum does not take 0 operands"),
        (["add", [1.0, 1.0], 2.0, 0.0, None, ""], "constants alone"),
        (["add", [0, 1], 4.0, 0.0, None, ""], "operand 1 is no earlier node"),
        (["add", [0, -1], 4.0, 0.0, None, ""], "operand -1 is no earlier node"),
        (["add", [0, True], 3.0, 0.0, None, ""], "True is not a float"),
        (["add", [0, None], 3.0, 0.0, None, ""], "None is not a float"),
        (["add", [0, "1"], 3.0, 0.0, None, ""], "'1' is not a float"),
        (["add", {"0": 0}, 4.0, 0.0, None, ""], "operands are a list"),
        (["absent", [0], 4.0, 0.0, None, ""], "no primitive is called 'absent'; define it first"),
        (["power", [-2.0, 0], 4.0, 0.0, None, 5], "label and scope are strings"),
        (["power", [0, "nan", 0], 4.0, 0.0, None, ""], "power does not take 3 operands"),
        ([["add"], [0, 0], 4.0, 0.0, None, ""], "an operation is a name"),
        (["add", [0, 0], 4, 0.0, None, ""], "4 is not a float"),
        (["add", [0, 0], 4.0, None, None, ""], "None is not a float"),
        (["add", [0, 0], 4.0, 0.0, None], "a row is a list of"),
        ("addadd", "a row is a list of"),
        ({"add": 1}, "a row is a list of"),
    ],
)
def test_the_row_that_is_wrong_is_named(row, message):
    with pytest.raises(ag.GraphFormatError, match=f"node 1: .*{message}"):
        ag.graph_from_json(json.dumps({"format": "autograd_lite graph 1", "nodes": [LEAF, row]}))


def test_a_complex_power_is_no_node():
    rows = [[None, [], -2.0, 0.0, None, ""], ["power", [0, 0.5], "nan", 0.0, None, ""]]
    with pytest.raises(ag.GraphFormatError, match=r"node 1: power\(-2.0, 0.5\) has no value: .* is complex"):
        ag.graph_from_json(json.dumps({"format": "autograd_lite graph 1", "nodes": rows}))


@pytest.mark.usefixtures("forget")
def test_primitives_of_the_user():
    """They are looked up by name, computed again, and named where they raise."""
    thrice = ag.define_primitive("thrice_in_json", lambda x: 3.0 * x + 0.0 / (x - 777.0), [lambda r, x: 3.0])
    text = ag.graph_to_json(thrice(Value(2.0)))
    assert ag.graph_from_json(text).op is thrice
    with pytest.raises(ag.GraphFormatError, match=r"node 1: thrice_in_json\(777.0\) has no value"):
        ag.graph_from_json(text.replace("2.0", "777.0"))


@pytest.mark.parametrize(
    "text",
    [
        *("[" * 100_000, "{}", "[]", "null", E[:-3], E.replace("add", "import")),
        '{"format": "autograd_lite graph 1", "nodes": []}',
        *(E.replace("2.0", x) for x in ("NaN", "Infinity", "1e999", "9" * 5000, "true")),
        *('{"nodes": [], ' + E[1:], E[:-1] + ', "more": 1}', E.replace('"a"', "[" * 40 + "]" * 40)),
    ],
)
def test_some_bad_texts(text):
    with pytest.raises(ag.GraphFormatError):
        ag.graph_from_json(text)


def test_modes_leave_a_graph_that_is_read_alone():
    text = ag.graph_to_json(Value(0.0).log() * 2.0)
    with ag.scope("s"), ag.no_grad(), ag.anomaly():
        y = ag.graph_from_json(text)
    assert (y.op.name, y.note.scope, y.data) == ("multiply", "", -float("inf"))


def test_what_could_not_be_read_back_is_not_written():
    x = Value(0.0)
    y = x * 2.0
    x.data = -0.0
    with pytest.raises(ag.StaleGraphError, match=r"multiply\(-0.0, 2.0\) is 0.0 in the graph and would be -0.0 now"):
        ag.graph_to_json(y)
    x.data = 0.0
    assert ag.graph_from_json(ag.graph_to_json(y)).data == 0.0
    with pytest.raises(TypeError, match="local_gradients is no operation of the table"):
        ag.graph_to_json(micrograd.Value(1.0, (micrograd.Value(2.0),), (0.5,)))
