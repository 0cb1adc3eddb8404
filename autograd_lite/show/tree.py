"""The graph below a value as a tree of text for the terminal, the value at its root."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from typing import NamedTuple

from autograd_lite.engine import Value
from autograd_lite.primitive import Primitive
from autograd_lite.show.text import short, shortened, slots_of
from autograd_lite.sweep import topological_order

LIMIT = 60  # operands that a tree shows unless it is asked for more
DEPTH = 20  # levels of indentation after which a tree goes on at the margin
_ID = re.compile(r"n[0-9]+")


def tree(value: Value, limit: int | None = LIMIT) -> str:
    """The graph below a value as a tree of text, the value at its root, the local partial on each branch.

    A value that is used several times is shown with its operands once, and by its name after that; a value without a label is
    called by its id in `to_dot`; constants stand in the expressions. At most `limit` branches are shown (None: all), the
    nearest to the root; a last line says how many values are hidden. Raises ValueError if the limit is negative.

    >>> import autograd_lite as ag
    >>> a = ag.Value(3.0, label="a")

    >>> print(ag.show.tree(a * a))
    n1 = a * a = 9 (grad 0)
    ├─ 3 ─ a = 3 (grad 0)
    └─ 3 ─ a (shown above)
    """
    if limit is not None and limit < 0:
        raise ValueError(f"tree shows up to `limit` branches: a number from 0, or None for all, not {limit!r}")
    order = topological_order(value)
    shown = _nearest(value, limit)
    lines = list(_tree_lines(value, shown, _names(order, shown)))
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


def _names(order: list[Value], shown: dict[Value, int]) -> dict[Value, str]:
    """What a tree calls the values it names: a label, or the id in `to_dot`, or both where the label alone does not tell."""
    uses = Counter([shortened(node.label) for node in order if node.label])
    named = set(shown).union(*[node.args for node in shown])
    names = {}
    for i, node in enumerate(order):
        if node in named:
            label = shortened(node.label) if node.label else f"n{i}"
            alone = not node.label or (uses[label] == 1 and not (_ID.fullmatch(label) and int(label[1:]) < len(order)))
            names[node] = label if alone else f"{label} (n{i})"
    return names


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
            elif x in continued or (depth == DEPTH and x.op is not None):
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
