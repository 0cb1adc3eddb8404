"""Graphs as JSON text: a row a node, operands first, so that neither writing nor reading recurses."""

from __future__ import annotations

import json
import math
from typing import Any

from autograd_lite.engine import Note, Value, make_node
from autograd_lite.primitive import Primitive, written_name
from autograd_lite.primitives import TABLE
from autograd_lite.sweep import numbers_of, topological_order

_FORMAT = "autograd_lite graph 1"


class GraphFormatError(ValueError):
    """The text is not JSON of a graph."""


def graph_to_json(y: Value) -> str:
    """The graph below y. `graph_from_json` gives the same numbers, bit for bit; source lines are left out.

    Raises StaleGraphError if `.data` was changed after recording, ValueError if a primitive in it was defined anew.
    """
    order = topological_order(y)
    position = {node: i for i, node in enumerate(order)}
    rows = []
    for node in order:
        if node.op is not None:
            numbers_of(node)
        operands = [written_number(x) if x.__class__ is float else position[x] for x in node.args]
        name = None if node.op is None else written_name(node.op)
        rows.append([name, operands, written_number(node.data), written_number(node.grad), node.label, node.note.scope])
    return json.dumps({"format": _FORMAT, "nodes": rows}, allow_nan=False, separators=(",", ":"))


def graph_from_json(text: str) -> Value:
    """The node whose graph the text describes; runs nothing.

    Raises GraphFormatError, naming the row, if the text is no such graph.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GraphFormatError(f"not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("format") != _FORMAT or not isinstance(document.get("nodes"), list):
        raise GraphFormatError(f'not a graph: "format" should be {_FORMAT!r} and "nodes" a list')
    nodes: list[Value] = []
    for i, row in enumerate(document["nodes"]):
        try:
            nodes.append(_node(row, nodes))
        except (TypeError, ValueError, KeyError) as error:
            raise GraphFormatError(f"node {i}: {error}; the row is {row!r:.120}") from None
    if not nodes:
        raise GraphFormatError("a graph has at least one node")
    return nodes[-1]


def _node(row: Any, nodes: list[Value]) -> Value:
    name, operands, data, grad, label, scope = row
    if not (label is None or isinstance(label, str)) or not isinstance(scope, str):
        raise TypeError("label and scope are strings")
    if name is None:
        if operands:
            raise ValueError("a leaf has no operands")
        node = Value(read_number(data))
    else:
        primitive = TABLE[name]
        args = tuple([nodes[_index(x, nodes)] if type(x) is int else read_number(x) for x in operands])
        _check_arity(primitive, args)
        node = make_node(read_number(data), primitive, args)
    node.grad = read_number(grad)
    if label is not None or scope:
        node._note = Note(label, scope)
    return node


def _index(x: int, nodes: list[Value]) -> int:
    if not 0 <= x < len(nodes):
        raise ValueError(f"operand {x} is no earlier node")
    return x


def _check_arity(primitive: Primitive, args: tuple[Value | float, ...]) -> None:
    if not args or not (primitive.variadic or len(args) == len(primitive.domain)):
        raise ValueError(f"{primitive.name} does not take {len(args)} operands")
    if not any(isinstance(x, Value) for x in args):
        raise ValueError(f"{primitive.name} of constants alone is no node")


def written_number(x: float) -> float | str:
    """A float as JSON has it; nan and infinities, which it has not, as strings."""
    return x if math.isfinite(x) else repr(x)


def read_number(x: Any) -> float:
    """The float that JSON has so. Raises TypeError for anything else."""
    if isinstance(x, float) or x in ("nan", "inf", "-inf"):
        return float(x)
    raise TypeError(f"{x!r:.40} is not a float")
