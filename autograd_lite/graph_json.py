"""Graphs as JSON text: a row a node, operands first, so that neither writing nor reading recurses."""

from __future__ import annotations

import json
import math
from typing import Any

from autograd_lite import strict_json
from autograd_lite.copies import restored
from autograd_lite.engine import Value
from autograd_lite.primitive import Primitive, lookup, paired, written_name
from autograd_lite.primitives import TABLE
from autograd_lite.sweep import StaleGraphError, numbers_of, refuse_under_way, topological_order

_FORMAT = "autograd_lite graph 1"


class GraphFormatError(ValueError):
    """The text is not JSON of a graph.

    >>> import autograd_lite as ag
    >>> try:
    ...     ag.graph_from_json("[]")
    ... except ag.GraphFormatError:
    ...     print("no graph")
    no graph
    """


def graph_to_json(y: Value) -> str:
    """The graph below y. `graph_from_json` gives the same numbers, bit for bit; source lines are left out.

    Raises StaleGraphError if `.data` was changed after recording; TypeError for an operation that the table does not have, and
    inside a function that is being differentiated, if y depends on its argument.

    >>> import autograd_lite as ag
    >>> text = ag.graph_to_json(ag.Value(2.0, label="x") * 3.0)
    >>> ag.graph_from_json(text)
    Value(6.0, grad=0.0, op=multiply)
    """
    order = topological_order(y)
    refuse_under_way(order, "graph_to_json")
    position = {node: i for i, node in enumerate(order)}
    rows = []
    for node in order:
        if node.op is not None:
            _check_writable(node.op, numbers_of(node), node.data)
        operands = [written_number(x) if x.__class__ is float else position[x] for x in node.args]
        name = None if node.op is None else node.op.name
        rows.append([name, operands, written_number(node.data), written_number(node.grad), node.label, node.note.scope])
    return json.dumps({"format": _FORMAT, "nodes": rows}, allow_nan=False, separators=(",", ":"))


def _check_writable(op: Primitive, numbers: list[float], data: float) -> None:
    """Raise where the row of a node could not be read back."""
    if op.name not in TABLE:
        raise TypeError(f"{op.name} is no operation of the table, by whose name JSON could tell it; pickle the graph")
    written_name(op)
    fresh = op.fn(*numbers)
    if not _is_same(fresh, data):  # a zero of the other sign
        raise StaleGraphError(
            f"{_call(op, numbers)} is {data!r} in the graph and would be {fresh!r} now: .data was changed after recording;"
            " compute the expression again"
        )


def graph_from_json(text: str) -> Value:
    """The node whose graph the text describes.

    Each operation is computed again, and must give the number that the text says, bit for bit. So a graph written where the
    mathematical library rounds otherwise is refused: record it anew. Raises GraphFormatError, naming the row, if the text is no
    such graph.

    >>> import autograd_lite as ag
    >>> y = ag.graph_from_json(ag.graph_to_json(ag.Value(2.0, label="x") * 3.0))
    >>> y.args
    (Value(2.0, grad=0.0, label='x'), 3.0)
    """
    try:
        document = strict_json.read(text)
    except ValueError as error:
        raise GraphFormatError(f"not a graph: {error}") from None
    if not isinstance(document, dict) or document.get("format") != _FORMAT or not isinstance(document.get("nodes"), list):
        raise GraphFormatError(f'not a graph: "format" should be {_FORMAT!r} and "nodes" a list')
    if set(document) != {"format", "nodes"}:
        raise GraphFormatError(f"a graph has the keys format and nodes, and this one {', '.join(document):.120}")
    nodes: list[Value] = []
    for i, row in enumerate(document["nodes"]):
        try:
            nodes.append(_node(row, nodes))
        except (TypeError, ValueError, KeyError) as error:
            raise GraphFormatError(f"node {i}: {error.args[0] if error.args else error}; the row is {row!r:.120}") from None
    if not nodes:
        raise GraphFormatError("a graph has at least one node")
    return nodes[-1]


def _node(row: Any, nodes: list[Value]) -> Value:
    if not isinstance(row, list) or len(row) != 6:
        raise TypeError("a row is a list of operation, operands, number, gradient, label and scope")
    name, operands, data, grad, label, scope = row
    if not (label is None or isinstance(label, str)) or not isinstance(scope, str):
        raise TypeError("label and scope are strings")
    if not (name is None or isinstance(name, str)) or not isinstance(operands, list):
        raise TypeError("an operation is a name, or null for a leaf, and its operands are a list")
    number, note = read_number(data), (label, scope, None)
    if name is None:
        if operands:
            raise ValueError("a leaf has no operands")
        return restored(Value, None, (), number, read_number(grad), note, assigned=False)
    primitive = lookup(name)
    check_count(primitive, len(operands))
    args = tuple([nodes[_index(x, nodes)] if type(x) is int else read_number(x) for x in operands])
    if not any(isinstance(x, Value) for x in args):
        raise ValueError(f"{primitive.name} of constants alone is no node")
    numbers = [x.data if isinstance(x, Value) else x for x in args]
    try:
        fresh = primitive.fn(*numbers)
    except Exception as error:  # a user's primitive may raise anything
        raise ValueError(f"{_call(primitive, numbers)} has no value: {error}") from error
    if not _is_same(fresh, number):
        raise ValueError(
            f"{_call(primitive, numbers)} is {fresh!r} here, and the text says {number!r}: it was changed, or written where the"
            " mathematical library rounds otherwise; record the expression anew"
        )
    return restored(Value, primitive, args, number, read_number(grad), note, assigned=False)


def _index(x: int, nodes: list[Value]) -> int:
    if not 0 <= x < len(nodes):
        raise ValueError(f"operand {x!r:.40} is no earlier node")
    return x


def _is_same(x: float, y: float) -> bool:
    """Whether two numbers are the same bit for bit; nan is nan."""
    return x == y != 0.0 or repr(x) == repr(y)


def _call(primitive: Primitive, numbers: list[float]) -> str:
    shown = ", ".join([repr(float(x)) for x in numbers[:4]]) + (", ..." if len(numbers) > 4 else "")
    return f"{primitive.name}({shown})"


# --- what programs as JSON share with graphs


def check_count(primitive: Primitive, count: int) -> None:
    """Raise ValueError if a primitive does not take this number of operands."""
    fits = count % 2 == 0 or primitive.gather is not paired if primitive.variadic else count == len(primitive.domain)
    if not fits or not count:
        raise ValueError(f"{primitive.name} does not take {count} operands")


def written_number(x: float) -> float | str:
    """A float as JSON has it; nan and infinities, which it has not, as strings."""
    return x if math.isfinite(x) else repr(x)


def read_number(x: Any) -> float:
    """The float that JSON has so. Raises TypeError for anything else."""
    if isinstance(x, float) or x in ("nan", "inf", "-inf"):
        return float(x)
    raise TypeError(f"{x!r:.40} is not a float")
