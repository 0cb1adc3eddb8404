"""The graph below a value, as DOT text, as a `graphviz.Digraph` and as a tree of text for the terminal.

Each value is drawn once. Each operand slot is an edge of its own, so ``x * x`` has two, and carries the number of its local
partial: what the reverse sweep multiplies the adjoint by. An edge that the sweep does not pass (from a constant, or into a slot
without a derivative) is dashed and carries none. The order of everything is that of `topological_order`, and so depends on
the program alone: the same program gives the same bytes. Nothing recurses, and nothing that a graph holds makes a drawing fail.
"""

from __future__ import annotations

import functools
import importlib
import subprocess
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from autograd_lite.engine import Value
from autograd_lite.primitive import Primitive
from autograd_lite.show.formula import partial_formulas
from autograd_lite.sweep import StaleGraphError, partials_of, topological_order

LABEL_WIDTH = 40  # characters of a label that are drawn
TREE_LIMIT = 60  # operands that a tree shows unless it is asked for more
TREE_DEPTH = 20  # levels of indentation after which a tree goes on at the margin
PICTURE_LIMIT = 300  # values up to which a notebook draws a graph by itself

_HEADER = (
    "rankdir=LR bgcolor=white",
    'node [shape=box style=filled fillcolor=white color="#444444" fontname=Helvetica fontsize=11]',
    'edge [color="#666666" fontcolor="#222222" fontname=Helvetica fontsize=10]',
)
# Kinds differ by shape or border as well as by colour; `class` names them for a machine, in SVG too.
_STYLES = {
    "operation": "",
    "leaf": ' style="filled,rounded" fillcolor="#dcebf7"',
    "output": ' peripheries=2 fillcolor="#fdf1d0"',
    "output leaf": ' peripheries=2 style="filled,rounded" fillcolor="#fdf1d0"',
    "constant": ' style="filled,dashed" fillcolor="#f2f2f2" width=0 height=0 margin="0.08,0.04" fontsize=10',
}


class Graph:
    """What can be drawn of the graph below a value; made by `value.graph()`.

    Every method reads the numbers and gradients as they are when it is called.
    """

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        if not isinstance(value, Value):
            raise TypeError(f"graph draws what a Value was computed from, not {type(value).__name__} {value!r:.60}")
        self.value = value

    def to_dot(self) -> str:
        """The graph in the DOT language, left to right; see `to_dot`."""
        return to_dot(self.value)

    def to_graphviz(self) -> Any:
        """The graph as a `graphviz.Digraph`. Raises ImportError if the package graphviz is missing."""
        return to_graphviz(self.value)

    def tree(self, limit: int | None = TREE_LIMIT) -> str:
        """The graph as a tree of text; see `tree`."""
        return tree(self.value, limit)

    def __str__(self) -> str:
        return self.tree()

    def __repr__(self) -> str:
        order = topological_order(self.value)
        operands = [x for node in order for x in node.args]
        edges = sum([isinstance(x, Value) for x in operands])
        return f"<Graph of {self.value!r}; values: {len(order)}, edges: {edges}, constants: {len(operands) - edges}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """The tree, and where the program `dot` is installed and the graph is not too large for it, the picture."""
        bundle = {"text/plain": self.tree()}
        picture = _picture(self.value)
        if picture is not None:
            bundle["image/svg+xml"] = picture
        return {kind: text for kind, text in bundle.items() if (not include or kind in include) and kind not in (exclude or ())}


def graph(value: Value) -> Graph:
    """The graph of everything this value was computed from, to be drawn.

    Raises TypeError if it is no Value.
    """
    return Graph(value)


# --- what an edge carries


class Slot(NamedTuple):
    """An operand slot of a node: the operand, the text of the local partial (None where there is no derivative), its origin."""

    operand: Value | float
    partial: str | None
    origin: str | None


def slots_of(node: Value) -> list[Slot]:
    """The operand slots of a node, in order."""
    args, op = node.args, node.op
    if op is None:
        return []
    needed = [x.__class__ is not float for x in args]
    try:
        partials = list(partials_of(node, needed, create_graph=False))
    except (StaleGraphError, ArithmeticError, ValueError) as error:
        # A sweep of this graph raises it; a drawing shows where.
        return [Slot(x, type(error).__name__ if need else None, str(error)) for x, need in zip(args, needed, strict=True)]
    return [
        Slot(x, None if partial is None else short(partial), _origin(op, slot, partial))
        for slot, (x, partial) in enumerate(zip(args, partials, strict=True))
    ]


def short(number: float) -> str:
    """A number in at most six significant digits."""
    return f"{float(number):.6g}"


def _origin(op: Primitive, slot: int, partial: float | None) -> str | None:
    """How the partial comes about: the rule as a formula, and the number in full."""
    if partial is None:
        return None
    formulas = _formulas(op)
    if formulas is None:
        return f"partial of {op.name} by operand {slot + 1}: {float(partial)!r}"
    return f"partial of {op.name}({', '.join(op.arguments)}) by {op.arguments[slot]}: {formulas[slot]} = {float(partial)!r}"


@functools.cache
def _formulas(op: Primitive) -> tuple[str | None, ...] | None:
    """The formulas of the partials; None where there are too many, or where a user's rule cannot be written as one."""
    if op.variadic:
        return None
    try:
        return partial_formulas(op)
    except Exception:  # noqa: BLE001 - a user's rule may raise anything, and the number alone will do
        return None


# --- DOT


def to_dot(value: Value) -> str:
    """The graph below a value in the DOT language: a box a value, an edge an operand slot, operands left of their consumers.

    A box holds label, operation, data and gradient; leaves are rounded, the output has a double border, constants are small and
    dashed. Numbers have six digits; tooltips have all of them, and the formula of each partial.
    """
    return "digraph {\n" + "".join(_dot_lines(value)) + "}\n"


def to_graphviz(value: Value) -> Any:
    """The graph below a value as a `graphviz.Digraph`, whose source is `to_dot(value)`.

    Raises ImportError if the package graphviz is not installed.
    """
    try:
        graphviz = importlib.import_module("graphviz")  # an extra, imported where it is used
    except ImportError as error:
        raise ImportError(
            "to_graphviz needs the package graphviz: pip install 'autograd_lite[graphviz]'; to_dot() and tree() need nothing"
        ) from error
    return graphviz.Digraph(body=list(_dot_lines(value)))


def _dot_lines(value: Value) -> Iterator[str]:
    for line in _HEADER:
        yield f"\t{line}\n"
    order = topological_order(value)
    ids = {node: f"n{i}" for i, node in enumerate(order)}
    for node in order:
        name = ids[node]
        kind = " ".join((["output"] if node is value else []) + (["leaf"] if node.op is None else [])) or "operation"
        lines = "\\n".join([quotable(line) for line in _box(node)])
        yield f'\t{name} [label="{lines}" tooltip="{quotable(repr(node))}" class="{kind}"{_STYLES[kind]}]\n'
        for slot, (operand, partial, origin) in enumerate(slots_of(node)):
            tail = ids[operand] if isinstance(operand, Value) else f"{name}_{slot}"
            if not isinstance(operand, Value):
                yield f'\t{tail} [label="{short(operand)}" tooltip="{operand!r}" class="constant"{_STYLES["constant"]}]\n'
            if partial is None:
                yield f"\t{tail} -> {name} [style=dashed]\n"
            else:
                yield f'\t{tail} -> {name} [label="{partial}" tooltip="{quotable(origin or "")}"]\n'


def _box(node: Value) -> list[str]:
    """The lines of a value's box."""
    lines = [f"data {short(node.data)}", f"grad {short(node.grad)}"]
    if node.op is not None:
        lines.insert(0, node.op.symbol if node.op.symbol and len(node.args) == 2 else node.op.name)
    if node.label:
        lines.insert(0, shortened(node.label))
    return lines


def quotable(text: str) -> str:
    """Text as it stands in a quoted string of DOT, which reads backslashes and entities such as ``&amp;`` as escapes."""
    return printable(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")


def printable(text: str) -> str:
    """Text on one line: line breaks and other characters that a terminal would obey are written as Python's escapes."""
    return text if text.isprintable() else "".join([c if c.isprintable() else repr(c)[1:-1] for c in text])


def shortened(label: str) -> str:
    """A label as it is drawn: on one line, and cut where it is long."""
    return printable(label if len(label) <= LABEL_WIDTH else label[: LABEL_WIDTH - 1] + "…")


def _picture(value: Value) -> str | None:
    """The graph drawn by the program `dot` as SVG; None where it is not installed or fails, or where it would take long."""
    if len(topological_order(value)) > PICTURE_LIMIT:
        return None
    try:
        return str(to_graphviz(value).pipe(format="svg", encoding="utf-8", quiet=True))
    except (ImportError, OSError, RuntimeError, subprocess.CalledProcessError):  # RuntimeError: graphviz found no `dot`
        return None


# --- the tree


def tree(value: Value, limit: int | None = TREE_LIMIT) -> str:
    """The graph below a value as a tree of text, the value at its root, the local partial on each branch.

    A value that is used several times is shown with its operands once, and by its name after that; a value without a label is
    called by its id in `to_dot`; constants stand in the expressions. At most `limit` branches are shown (None: all), the
    nearest to the root; a last line says how many values are hidden. Raises ValueError if the limit is negative.
    """
    if limit is not None and limit < 0:
        raise ValueError(f"tree shows up to `limit` branches: a number from 0, or None for all, not {limit!r}")
    order = topological_order(value)
    shown = _nearest(value, limit)
    lines = list(_tree_lines(value, shown, _names(order)))
    hidden = len(order) - len(shown)
    if hidden:
        lines.append(f"({hidden:,} of {len(order):,} values are not shown; tree(limit=None) shows all)")
    return "\n".join(lines)


def _nearest(value: Value, limit: int | None) -> dict[Value, int]:
    """The values to show, breadth first, each with the number of branches to show."""
    shown: dict[Value, int] = {value: 0}
    waiting = deque([value])
    while waiting:
        node = waiting.popleft()
        operands = [x for x in node.args if isinstance(x, Value)][:limit]
        if limit is not None:
            limit -= len(operands)
        shown[node] = len(operands)
        for x in operands:
            if x not in shown:
                shown[x] = 0
                waiting.append(x)
    return shown


def _names(order: list[Value]) -> dict[Value, str]:
    """What a tree calls each value: its label, or its id in `to_dot`, or both where the label alone does not tell."""
    labels = [shortened(node.label) if node.label else "" for node in order]
    ids = [f"n{i}" for i in range(len(order))]
    uses = Counter(labels)
    uses.update(ids)
    return {
        node: name if not label else label if uses[label] == 1 else f"{label} ({name})"
        for node, label, name in zip(order, labels, ids, strict=True)
    }


class _Branch(NamedTuple):
    """A line of the tree to be written: the text before it, that before the lines of its operands, and a value or a note."""

    lead: str
    indent: str
    depth: int
    shows: Value | str


def _tree_lines(value: Value, shown: dict[Value, int], names: dict[Value, str]) -> Iterator[str]:
    described: set[Value] = set()
    continued: dict[Value, None] = {value: None}  # the roots of the parts still to be written, in order
    while continued:
        root = next(iter(continued))
        del continued[root]
        if described:
            yield ""
        stack = [_Branch("", "", 0, root)]
        while stack:
            lead, indent, depth, x = stack.pop()
            if not isinstance(x, Value):
                yield lead + x
            elif x in described:
                yield f"{lead}{names[x]} (shown above)"
            elif x in continued or (depth == TREE_DEPTH and x.op is not None):
                continued[x] = None
                yield f"{lead}{names[x]} (continued below)"
            else:
                described.add(x)
                yield lead + _description(x, names)
                stack.extend(reversed(list(_branches(x, shown[x], indent, depth + 1))))


def _branches(node: Value, count: int, indent: str, depth: int) -> Iterator[_Branch]:
    """The branches to the first `count` values among a node's operands, and to a note where there are more."""
    operands = [(slot.operand, slot.partial) for slot in slots_of(node) if isinstance(slot.operand, Value)]
    for i, (operand, partial) in enumerate(operands[:count]):
        corner, below = ("└─", "   ") if i == len(operands) - 1 else ("├─", "│  ")
        edge = f"{corner}╌╌╌ " if partial is None else f"{corner} {partial} ─ "
        yield _Branch(indent + edge, indent + below, depth, operand)
    if count < len(operands):
        yield _Branch(indent + "└─ ", "", depth, f"… {len(operands) - count:,} more")


def _description(node: Value, names: dict[Value, str]) -> str:
    """A value's line: how it was computed, its number and its gradient."""
    expression = "" if node.op is None else f" = {_expression(node.op, node.args, names)}"
    return f"{names[node]}{expression} = {short(node.data)} (grad {short(node.grad)})"


def _expression(op: Primitive, args: tuple[Value | float, ...], names: dict[Value, str]) -> str:
    """The operation on the names of its operands, at most four of them."""
    shown = [names[x] if isinstance(x, Value) else short(x) for x in args[:4]] + ["…"] * (len(args) > 4)
    if op.symbol and len(args) == 2:
        return f"{shown[0]} {op.symbol} {shown[1]}"
    return op.symbol + shown[0] if op.symbol and len(args) == 1 else f"{op.name}({', '.join(shown)})"
