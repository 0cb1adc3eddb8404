"""Drawings: counts and numbers against the graph itself, read back by a parser of DOT that shares nothing with the writer."""

import html
import math
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import graphviz
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.on_demand import how_to_install
from autograd_lite.primitive import Interval, Primitive
from autograd_lite.show.graph import Graph, to_dot, to_graphviz, tree
from autograd_lite.show.tree import DEPTH as TREE_DEPTH
from programs import EVERYTHING, programs

ROOT = Path(ag.__file__).resolve().parents[1]
TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|(->|[{}\[\]=])|([A-Za-z_\d.#]+))', re.DOTALL)


def parse_dot(source):
    """(nodes, edges): id -> attributes, and (tail, head, attributes) in order. Any text outside the grammar is an error."""
    tokens, at = [], 0
    while at < len(source.rstrip()):
        match = TOKEN.match(source, at)
        assert match, source[at : at + 80]
        quoted, mark, name = match.groups()
        tokens.append(("mark", mark) if mark else ("text", name if name is not None else quoted.replace('\\"', '"')))
        at = match.end()
    assert tokens[:2] == [("text", "digraph"), ("mark", "{")]
    assert tokens[-1] == ("mark", "}")
    nodes, edges, rest = {}, [], tokens[2:-1][::-1]
    while rest:
        kind, first = rest.pop()
        assert kind == "text"
        second = None
        if rest and rest[-1] == ("mark", "="):  # an attribute of the graph
            rest.pop()
            assert rest.pop()[0] == "text"
            continue
        if rest[-1] == ("mark", "->"):
            rest.pop()
            second = rest.pop()[1]
        assert rest.pop() == ("mark", "[")
        attributes = {}
        while (token := rest.pop()) != ("mark", "]"):
            assert token[0] == "text"
            assert rest.pop() == ("mark", "=")
            assert token[1] not in attributes
            attributes[token[1]] = rest.pop()[1]
        if second is not None:
            assert first in nodes
            edges.append((first, second, attributes))
        elif first not in ("node", "edge"):
            assert first not in nodes
            nodes[first] = attributes
    assert all(head in nodes for _, head, _ in edges)
    return nodes, edges


def shown_lines(attribute):
    """The lines that Graphviz draws for a label: ``\\n`` breaks it, other escapes and entities stand for a character."""
    lines = re.sub(r"\\(.)", lambda match: "\0" if match[1] == "n" else match[1], attribute, flags=re.DOTALL)
    return [html.unescape(line) for line in lines.split("\0")]


def classic():
    a, b = ag.Value(2.0, "a"), ag.Value(1.0, "b")
    c = a + b
    d = b + 1
    e = c * d
    c.label, d.label, e.label = "c", "d", "e"
    e.backward()
    return e


def chain(length):
    x = y = ag.Value(0.5)
    for _ in range(length):
        y = y.sin()
    return x, y


def expected_partials(node):
    numbers = [x.data if isinstance(x, ag.Value) else x for x in node.args]
    if node.op.variadic:
        return list(node.op.number_partials[0](node.data, *numbers))
    return [rule and rule(node.data, *numbers) for rule in node.op.number_partials]


# --- DOT


def test_the_classic_expression_in_dot():
    nodes, edges = parse_dot(to_dot(classic()))
    assert [shown_lines(node["label"]) for node in nodes.values()] == [
        ["a", "data 2", "grad 2"],
        ["b", "data 1", "grad 5"],
        ["c", "+", "data 3", "grad 2"],
        ["d", "+", "data 2", "grad 3"],
        ["1"],
        ["e", "*", "data 6", "grad 1"],
    ]
    assert [node["class"] for node in nodes.values()] == ["leaf", "leaf", "operation", "operation", "constant", "output"]
    assert [(tail, head, edge.get("label")) for tail, head, edge in edges] == [
        ("n0", "n2", "1"), ("n1", "n2", "1"), ("n1", "n3", "1"), ("n3_1", "n3", None), ("n2", "n4", "2"), ("n3", "n4", "3"),
    ]  # fmt: skip
    assert edges[-1][2]["tooltip"] == "∂/∂y = x = 3.0"
    assert edges[3][2] == {"style": "dashed"}
    assert "rankdir=LR" in to_dot(classic())


def test_a_square_has_two_edges():
    x = ag.Value(3.0)
    assert [(tail, head, edge["label"]) for tail, head, edge in parse_dot(to_dot(x * x))[1]] == [("n0", "n1", "3")] * 2
    assert [tail for tail, _, _ in parse_dot(to_dot(ag.sum(x, 1, x, 1)))[1]] == ["n0", "n1_1", "n0", "n1_3"]


@given(programs(EVERYTHING, numbers=st.floats(), valid=False))
def test_every_value_is_a_box_and_every_operand_slot_an_edge_with_its_partial(program):
    y = program([ag.Value(x) for x in program.inputs])
    order = ag.topological_order(y)
    nodes, edges = parse_dot(to_dot(y))
    slots = [(node, slot) for node in order if node.op for slot in range(len(node.args))]
    constants = [1 for node, slot in slots if not isinstance(node.args[slot], ag.Value)]
    assert len(nodes) == len(order) + len(constants)
    assert len(edges) == len(slots)
    ids = {node: f"n{i}" for i, node in enumerate(order)}
    assert [name for name in nodes if "_" not in name] == list(ids.values())
    for (node, slot), (tail, head, edge) in zip(slots, edges, strict=True):
        operand, partial = node.args[slot], expected_partials(node)[slot]
        assert head == ids[node]
        if isinstance(operand, ag.Value) and partial is not None:
            assert edge["label"] == f"{partial:.6g}"
            assert float(edge["tooltip"].rsplit(" ", 1)[1]).hex() == float(partial).hex() or partial != partial
        else:
            assert "label" not in edge
        if isinstance(operand, ag.Value):
            assert tail == ids[operand]
        else:
            assert nodes[tail]["class"] == "constant"
            assert shown_lines(nodes[tail]["label"]) == [f"{operand:.6g}"]


@given(programs(EVERYTHING))
def test_the_edges_with_a_partial_are_those_a_sweep_passes(program):
    y = program([ag.Value(x) for x in program.inputs])
    passed = []
    y.backward(visit=passed.append)
    ids = {node: f"n{i}" for i, node in enumerate(ag.topological_order(y))}
    reached = {y} | {edge.operand for edge in passed}
    swept = Counter((ids[edge.operand], ids[edge.node], f"{edge.partial:.6g}") for edge in passed)
    live = {ids[node] for node in reached}
    drawn = Counter((t, h, edge["label"]) for t, h, edge in parse_dot(to_dot(y))[1] if "label" in edge and h in live)
    assert drawn == swept


@given(programs(EVERYTHING))
def test_data_and_gradient_of_each_value_are_shown(program):
    y = program([ag.Value(x) for x in program.inputs])
    y.backward()
    nodes, _ = parse_dot(to_dot(y))
    for i, node in enumerate(ag.topological_order(y)):
        name = [] if node.op is None else [node.op.symbol if node.op.symbol and len(node.args) == 2 else node.op.name]
        assert shown_lines(nodes[f"n{i}"]["label"]) == [*name, f"data {node.data:.6g}", f"grad {node.grad:.6g}"]
        assert nodes[f"n{i}"]["class"].split()[0] == ("output" if node is y else "leaf" if node.op is None else "operation")


def test_kinds_differ_by_more_than_their_colour():
    nodes, _ = parse_dot(to_dot(classic()))
    looks = {node["class"]: {k: node.get(k) for k in ("shape", "style", "peripheries")} for node in nodes.values()}
    leaf, _ = parse_dot(to_dot(ag.Value(1.0)))
    looks["output leaf"] = {k: leaf["n0"].get(k) for k in ("shape", "style", "peripheries")}
    assert leaf["n0"]["class"] == "output leaf"
    assert len({tuple(look.values()) for look in looks.values()}) == len(looks) == 5


PROGRAM = """
import sys
import autograd_lite as ag
assert "graphviz" not in sys.modules
from autograd_lite.show import to_dot, tree
values = [ag.Value(0.1 * i, label=f"x{i}") for i in range(1, 9)]
y = ag.logsumexp(values)
for i in range(20):
    y = ag.hypot(y * values[i % 8], ag.maximum(values)) - values[(3 * i) % 8]
y.backward()
sys.stdout.buffer.write((to_dot(y) + tree(y, limit=None)).encode())
"""


def test_the_same_program_gives_the_same_bytes_whatever_the_hash_seed():
    outputs = set()
    for seed in ("0", "1", "4294967295"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        outputs.add(subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, check=True).stdout)
    assert len(outputs) == 1
    assert len(outputs.pop()) > 5_000


@given(st.text() | st.text(alphabet='\\"&;<>|{}[]nNGlr\n\r\t\0\x1b…\ud800'))
def test_any_label_is_drawn_as_it_is(label):
    x = ag.Value(1.0, label)
    y = x + 1
    y.label = label
    source = to_dot(y)
    source.encode()
    nodes, edges = parse_dot(source)
    assert len(nodes) == 3
    assert len(edges) == 2
    cut = label if len(label) <= 40 else label[:39] + "…"
    visible = "".join(c if c.isprintable() else repr(c)[1:-1] for c in cut)
    assert shown_lines(nodes["n0"]["label"]) == ([visible] if label else []) + ["data 1", "grad 0"]
    assert shown_lines(nodes["n0"]["tooltip"]) == [repr(x)]
    lines = tree(y).split("\n")
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)
    assert "\n" not in repr(y.graph())


def test_long_labels_and_markup():
    x = ag.Value(1.0, "x" * 10_000)
    assert len(to_dot(x)) < 1_000
    assert len(tree(x)) < 100
    for label, visible in [("x" * 40, "x" * 40), ("x" * 41, "x" * 39 + "…"), ("&lt;&amp;", "&lt;&amp;"), ("\\N\\l", "\\N\\l")]:
        assert shown_lines(parse_dot(to_dot(ag.Value(1.0, label)))[0]["n0"]["label"])[0] == visible
    nodes, _ = parse_dot(to_dot(ag.Value(math.nan, "</svg><script>alert(1)</script>")))
    assert shown_lines(nodes["n0"]["label"])[:2] == ["</svg><script>alert(1)</script>", "data nan"]


def test_a_deep_chain_is_drawn_without_recursion():
    x, y = chain(100_000)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        source, text, whole, short = to_dot(y), tree(y), tree(y, limit=None), repr(y.graph())
        bundle, _ = y.graph()._repr_mimebundle_(exclude={"image/png"})
    finally:
        sys.setrecursionlimit(limit)
    assert source.count(" -> ") == 100_000
    assert text.endswith("(99,940 of 100,001 values are not shown; tree(limit=None) shows all)")
    assert whole.count("(continued below)") == 100_000 // TREE_DEPTH - 1
    assert whole.count(" = sin(") == 100_000
    assert len(whole) < 12_000_000
    assert "edges: 100000" in short
    assert bundle["image/svg+xml"].count("<g data-id=") == 61
    assert "99,941 values more" in bundle["image/svg+xml"]
    assert x.data == 0.5


def test_a_stale_graph_is_drawn_and_marked():
    x = ag.Value(2.0)
    y = x.square() + 1.0
    x.data = 3.0
    edges = parse_dot(to_dot(y))[1]
    assert [edge.get("label") for _, _, edge in edges] == ["StaleGraphError", "1", None]
    assert "square(2.0)" not in edges[0][2]["tooltip"]
    assert ".data was changed" in edges[0][2]["tooltip"]
    assert "└─ StaleGraphError ─ n0" in tree(y)


def test_a_rule_that_raises_is_drawn_and_named():
    inverse = Primitive("inverse", lambda x: x, (lambda r, x: 1.0 / x,), (Interval(),), "a rule that is not total")
    assert parse_dot(to_dot(inverse(ag.Value(0.0))))[1][0][2]["label"] == "ZeroDivisionError"
    assert parse_dot(to_dot(inverse(ag.Value(4.0))))[1][0][2]["label"] == "0.25"


def test_a_rule_that_is_no_formula_keeps_its_number():
    opaque = Primitive("opaque", math.sin, (lambda r, x: math.cos(x),), (Interval(),), "a rule outside the table")
    edge = parse_dot(to_dot(opaque(ag.Value(0.0))))[1][0][2]
    assert edge == {"label": "1", "tooltip": "partial = 1.0"}


# --- graphviz and notebooks


@given(programs(EVERYTHING))
@settings(max_examples=20)
def test_to_graphviz_is_a_digraph_of_the_same_source(program):
    y = program([ag.Value(x) for x in program.inputs])
    digraph = to_graphviz(y)
    assert isinstance(digraph, graphviz.Digraph)
    assert digraph.source == to_dot(y) == y.graph().to_dot() == y.graph().to_graphviz().source


def test_a_digraph_can_be_added_to():
    digraph = classic().graph().to_graphviz()
    digraph.node("note", "seen")
    nodes, edges = parse_dot(digraph.source.replace("note [label=seen]", 'note [label="seen"]'))
    assert len(nodes) == 7
    assert len(edges) == 6


def test_without_the_package_graphviz_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(ImportError, match=re.escape(how_to_install("graphviz", "graphviz"))):
        to_graphviz(classic())
    assert "image/svg+xml" in classic().graph()._repr_mimebundle_()[0]


def test_a_value_itself_has_no_picture():
    assert not [name for name in dir(ag.Value) if name.startswith("_repr_") or name == "_ipython_display_"]


def test_graph_is_made_of_values_only():
    e = classic()
    graph = e.graph()
    assert isinstance(graph, Graph)
    assert repr(graph) == f"<Graph of {e!r}; values: 5, edges: 5, constants: 1>"
    assert str(graph) == graph.tree() == tree(e)
    with pytest.raises(TypeError, match=r"not float 6\.0"):
        ag.show.graph.graph(6.0)


# --- the tree


def test_the_classic_expression_as_a_tree():
    assert tree(classic()) == (
        "e = c * d = 6 (grad 1)\n"
        "├─ 2 ─ c = a + b = 3 (grad 2)\n"
        "│  ├─ 1 ─ a = 2 (grad 2)\n"
        "│  └─ 1 ─ b = 1 (grad 5)\n"
        "└─ 3 ─ d = b + 1 = 2 (grad 3)\n"
        "   └─ 1 ─ b (shown above)"
    )


def test_operations_read_as_they_are_written():
    x = ag.Value(4.0, "x")
    assert tree(-x).startswith("n1 = -x = -4")
    assert tree(x.sqrt()).startswith("n1 = sqrt(x) = 2")
    assert tree(2 / x).startswith("n1 = 2 / x = 0.5")
    assert tree(ag.sum(x, 1, x, 2, x)).startswith("n1 = sum(x, 1, x, 2, …) = 15")
    assert tree(ag.where(x, x, 0)).split("\n")[1:] == ["├─╌╌╌ x = 4 (grad 0)", "└─ 1 ─ x (shown above)"]


def test_equal_labels_are_told_apart():
    a, b, c = ag.Value(1.0, "x"), ag.Value(2.0, "x"), ag.Value(3.0, "n0")
    assert tree(ag.sum(a, b, c)).split("\n") == [
        "n3 = sum(x (n0), x (n1), n0 (n2)) = 6 (grad 0)",
        "├─ 1 ─ x (n0) = 1 (grad 0)",
        "├─ 1 ─ x (n1) = 2 (grad 0)",
        "└─ 1 ─ n0 (n2) = 3 (grad 0)",
    ]


def ids_in(line):
    return re.findall(r"\bn\d+\b", line)[:1]


@given(programs(EVERYTHING, max_lines=40), st.none() | st.integers(0, 30))
def test_a_tree_shows_each_value_once_and_says_what_it_hides(program, limit):
    y = program([ag.Value(x) for x in program.inputs])
    order = ag.topological_order(y)
    edges = [x for node in order for x in node.args if isinstance(x, ag.Value)]
    lines = tree(y, limit).split("\n")
    note = re.fullmatch(r"\(([\d,]+) of ([\d,]+) values are not shown; tree\(limit=None\) shows all\)", lines[-1])
    described = [ids_in(line)[0] for line in lines if "(grad " in line]
    assert len(set(described)) == len(described)
    assert described[0] == f"n{len(order) - 1}"
    assert (int(note[1]) if note else 0) == len(order) - len(described)
    branches = [line for line in lines if re.match(r"[│ ]*[├└]─ *[^ …]", line) and "─ …" not in line]
    assert len(branches) == (len(edges) if limit is None else min(limit, len(edges)))
    more = sum(int(line.rsplit("… ", 1)[1].split()[0]) for line in lines if line.endswith(" more"))
    assert len(branches) + more <= len(edges)
    for i, line in enumerate(lines):
        if line.endswith("(shown above)"):
            assert any(ids_in(other) == ids_in(line) for other in lines[:i] if "(grad " in other)


def test_a_tree_is_bounded_unless_it_is_asked_for_all():
    x = ag.Value(1.0)
    y = ag.sum([x + i for i in range(1000)])
    lines = tree(y).split("\n")
    assert len(lines) == 60 + 3 + 60  # the root, the branches with what each of them hides, two notes
    assert lines[-2] == "└─ … 940 more"
    assert lines[-1] == "(941 of 1,002 values are not shown; tree(limit=None) shows all)"
    assert len(tree(y, None).split("\n")) == 2001
    with pytest.raises(ValueError, match="not -1"):
        tree(y, -1)


def test_what_a_tree_leaves_out_hangs_on_the_last_branch():
    x, y, z = ag.Value(1.0, "x"), ag.Value(2.0, "y"), ag.Value(3.0, "z")
    assert tree(ag.sum(x + y, z, 1, x), 2).split("\n") == [
        "n4 = sum(n2, z, 1, x) = 8 (grad 0)",
        "├─ 1 ─ n2 = x + y = 3 (grad 0)",
        "│  └─ … 2 more",
        "├─ 1 ─ z = 3 (grad 0)",
        "└─ … 1 more",
        "(2 of 5 values are not shown; tree(limit=None) shows all)",
    ]


def test_a_deep_tree_goes_on_at_the_margin_once():
    """The value at which the first part ends is used a second time, near the root."""
    order = ag.topological_order(chain(TREE_DEPTH + 5)[1])
    end = order[6]
    lines = tree(ag.sum(order[-1], end)).split("\n")
    assert lines[TREE_DEPTH].endswith("─ n6 (continued below)")
    assert lines[TREE_DEPTH + 1] == "└─ 1 ─ n6 (continued below)"
    assert lines[TREE_DEPTH + 2] == ""
    assert lines[TREE_DEPTH + 3].startswith("n6 = sin(n5) = ")
    assert len(lines) == TREE_DEPTH + 3 + 7


def test_a_single_value_is_a_tree():
    assert tree(ag.Value(math.inf)) == "n0 = inf (grad 0)"
    assert tree(ag.Value(-0.0, "zero").sin(), 0) == (
        "n1 = sin(zero) = -0 (grad 0)\n└─ … 1 more\n(1 of 2 values are not shown; tree(limit=None) shows all)"
    )
