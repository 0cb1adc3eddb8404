"""A content in the DOT language of Graphviz, from left to right, and as a `graphviz.Digraph`.

A box holds label, operation, data and gradient; leaves are rounded, the output has a double border, constants are small and
dashed, open scopes are clusters. Numbers have six digits; tooltips have all of them, and the formula of each partial.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from typing import Any

from autograd_lite.engine import Value
from autograd_lite.on_demand import how_to_install
from autograd_lite.show.content import Box, Content, Edge, content_of
from autograd_lite.show.figure import face_of
from autograd_lite.show.text import printable, short, shortened

_HEADER = (
    "rankdir=LR bgcolor=white",
    'node [shape=box style=filled fillcolor=white color="#444444" fontname=Helvetica fontsize=11]',
    'edge [color="#666666" fontcolor="#222222" fontname=Helvetica fontsize=10]',
)
# Kinds differ by shape or border as well as by colour; `class` names them for a machine, in SVG too.
_STYLES = {
    "operation": "",
    "leaf": ' style="filled,rounded" fillcolor="#dcebf7"',
    "parameter": ' shape=octagon fillcolor="#e0f3e6"',
    "output": ' peripheries=2 fillcolor="#fdf1d0"',
    "output leaf": ' peripheries=2 style="filled,rounded" fillcolor="#fdf1d0"',
    "constant": ' style="filled,dashed" fillcolor="#f2f2f2" width=0 height=0 margin="0.08,0.04" fontsize=10',
    "group": ' shape=box3d fillcolor="#ece7f7"',
    "rest": ' style="filled,dashed" fillcolor="#eceef0"',
}


def to_dot(value: Value) -> str:
    """The graph below a value in the DOT language: a box a value, an edge an operand slot, operands left of their consumers.

    >>> import autograd_lite as ag
    >>> a = ag.Value(3.0, label="a")

    >>> ag.show.to_dot(a * a).splitlines()[0]
    'digraph {'
    """
    return dot_of(content_of(value, depth=math.inf, limit=None))


def to_graphviz(value: Value) -> Any:
    """The graph below a value as a `graphviz.Digraph`, whose source is `to_dot(value)`.

    Raises ImportError if the package graphviz is not installed.

    >>> import autograd_lite as ag
    >>> a = ag.Value(3.0, label="a")

    >>> picture = ag.show.to_graphviz(a * a)
    >>> picture.source == ag.show.to_dot(a * a)
    True
    """
    return digraph_of(content_of(value, depth=math.inf, limit=None))


def dot_of(content: Content) -> str:
    """The content as a digraph."""
    return "digraph {\n" + "".join(_lines(content)) + "}\n"


def digraph_of(content: Content) -> Any:
    """The content as a `graphviz.Digraph` with the source of `dot_of`. Raises ImportError if graphviz is not installed."""
    try:
        graphviz = importlib.import_module("graphviz")  # an extra, imported where it is used
    except ImportError as error:
        raise ImportError(
            f"to_graphviz needs the package graphviz: {how_to_install('graphviz', 'graphviz')}; to_dot() needs nothing"
        ) from error
    return graphviz.Digraph(body=list(_lines(content)))


def quotable(text: str) -> str:
    """Text as it stands in a quoted string of DOT, which reads backslashes and entities such as ``&amp;`` as escapes."""
    return printable(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")


def _lines(content: Content) -> Iterator[str]:
    for line in _HEADER:
        yield f"\t{line}\n"
    entering = iter(content.edges)
    edge = next(entering, None)
    for i, box in enumerate(content.boxes):
        yield _in_clusters(_node(content, box), content, box)
        while edge is not None and edge.head == i:
            yield from _edge(content, edge)
            edge = next(entering, None)


def _in_clusters(line: str, content: Content, box: Box) -> str:
    """A node's line inside the clusters of its scopes. DOT takes a cluster that is written in several parts for one."""
    for group in reversed(box.groups):
        line = f'\tsubgraph cluster_{group} {{ label="{quotable(content.groups[group].title)}" color="#8a939d"\n{line}\t}}\n'
    return line


def _node(content: Content, box: Box) -> str:
    if box.kind in ("group", "rest"):
        face = face_of(box)
        kind, tooltip = box.kind, f"{len(box.values)} values"
        lines = [face.title, *[text for _, text in face.rows]]
    else:
        node = content.order[box.values[0]]
        kind = "output leaf" if box.kind == "output" and node.op is None else box.kind
        tooltip = repr(node)
        lines = [f"data {short(box.data)}", f"grad {short(box.grad)}"]
        if node.op is not None:
            lines.insert(0, node.op.symbol if node.op.symbol and len(node.args) == 2 else node.op.name)
        label = shortened(node.label) if node.label else box.label
        if label:
            lines.insert(0, label)
    style = _STYLES[kind] + (' color="#bbbbbb" fontcolor="#888888"' if box.aside else "")
    label = "\\n".join([quotable(line) for line in lines])
    return f'\t{box.id} [label="{label}" tooltip="{quotable(tooltip)}" class="{kind}"{style}]\n'


def _edge(content: Content, edge: Edge) -> Iterator[str]:
    head = content.boxes[edge.head].id
    tail = f"{head}_{edge.slot}" if edge.tail is None else content.boxes[edge.tail].id
    if edge.constant is not None:
        number = edge.constant
        yield f'\t{tail} [label="{short(number)}" tooltip="{number!r}" class="constant"{_STYLES["constant"]}]\n'
    grey = ' color="#bbbbbb" fontcolor="#888888"' if edge.aside else ""
    if edge.constant is not None or not edge.text:
        yield f"\t{tail} -> {head} [style=dashed{grey}]\n"
        return
    text = edge.text if edge.partial is None else short(edge.partial)
    origin = edge.formula if edge.partial is None else f"{edge.formula or 'partial'} = {edge.partial!r}"
    yield f'\t{tail} -> {head} [label="{quotable(text)}" tooltip="{quotable(origin)}"{grey}]\n'
