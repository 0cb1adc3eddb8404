"""What a drawing shows: boxes and edges, without geometry. `content_of(value)` gives a `Content`, which any renderer can draw.

Every value is one box, or lies inside one: of the values in a closed scope, or of those too far from the output. Boxes are in
topological order. Every operand slot of an open box is an edge of its own, so ``x * x`` has two, and carries the number of its
local partial. A constant is no box but the end of its edge (`tail` is None). What enters a closed box from another box is one
edge, however many slots it enters. Positions come from `layout.arrange(*boxes_and_links(content))` in the room next door: its
boxes, links and groups are numbered as those here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from autograd_lite.engine import Value
from autograd_lite.show.scopes import Plan, plan_of, title_of
from autograd_lite.show.text import partial_formula, shortened, shorter, slots_of, symbol_of
from autograd_lite.sweep import ABSENT, dependents, number_of, product, reached, topological_order

BOX_LABEL = 24  # characters of a label in a box
FLOWS = 5_000  # values of a closed box that something enters, up to which the flow into it is added up


class Box(NamedTuple):
    """A value, or (kind "group" and "rest") the values in a closed scope, or those that a summary leaves out.

    `kind` is "leaf", "parameter", "operation", "output", "group" or "rest"; the output may be a leaf too. `values` are
    positions in `Content.order`. `operation` is the primitive's name and `symbol` what is drawn of it. `groups` are the open
    scopes around the box, from the outside, as positions in `Content.groups`; `copies` the equal siblings that are drawn as
    one. `aside` says that it does not lie between `wrt` and the output.
    """

    id: str
    kind: str
    label: str
    operation: str
    symbol: str
    data: float
    grad: float
    values: tuple[int, ...]
    groups: tuple[int, ...] = ()
    copies: int = 1
    operations: int = 1
    aside: bool = False
    result: bool = False


class Edge(NamedTuple):
    """An operand slot of the box `head`; tail and head are positions in `Content.boxes`.

    `partial` is the local partial (None where there is no derivative, or where many slots are drawn as one) and `text` what is
    drawn of it, `formula` how it comes about. `flow` is what the sweep brought the operand along this edge: the gradient of
    the consumer times the partial, summed over the slots. `constant` is the number of an operand that is none of the Values.
    """

    tail: int | None
    head: int
    slot: int
    partial: float | None
    text: str
    formula: str
    flow: float | None
    constant: float | None = None
    slots: int = 1
    aside: bool = False


class Group(NamedTuple):
    """An open scope: its full name, the last part of it, and the position of the one around it (None: none)."""

    name: str
    title: str
    outer: int | None


class Content(NamedTuple):
    """Boxes, edges (those of a head together, in the order of its slots), open scopes, and the values in topological order.

    `swept` says whether there are gradients to show: any that is not 0.
    """

    boxes: list[Box]
    edges: list[Edge]
    groups: list[Group]
    order: list[Value]
    swept: bool


def content_of(
    value: Value,
    *,
    wrt: Value | Iterable[Value] | None = None,
    depth: float | None = None,
    parameters: Any = None,
    limit: int | None = -1,
) -> Content:
    """What is drawn of the graph below a value.

    `wrt` sets aside what does not lie between these Values and the output. `depth` is the number of scopes inside one another
    that are open (None: all, if the graph is small; math.inf: all). More boxes than `limit` (None: no limit; -1: what can be
    drawn) are a summary. `parameters` are leaves to be drawn as such: a module, a mapping of names to Values, or Values.
    Raises TypeError if one of them is something else, ValueError for a negative depth.
    """
    names, targets = _names_of(parameters), _targets(wrt)
    if depth is not None and not depth >= 0:
        raise ValueError(f"depth is a number of scopes inside one another, from 0, not {depth!r}")
    order = topological_order(value)
    plan = plan_of(order, depth, names, targets, limit)
    between = _between(order, targets) if targets else None
    boxes = [_box(order, position, plan, names, between) for position in range(len(plan.members))]
    swept = any([node.grad != 0.0 for node in order])
    flowing = _reached(order) if swept else set()
    edges = [edge for position in range(len(boxes)) for edge in _edges(order, position, plan, boxes, flowing)]
    groups = [
        Group(name, shortened(" ".join(title_of(name.rpartition(".")[2])).strip(), BOX_LABEL), outer)
        for name, outer in plan.groups
    ]
    return Content(boxes, edges, groups, order, swept)


def _reached(order: list[Value]) -> set[Value]:
    """The values that a sweep reaches; all, where a rule raises, which the edges of its value show."""
    try:
        return reached(order)
    except Exception:  # noqa: BLE001 - of a rule, or a stale graph
        return set(order)


def _names_of(parameters: Any) -> dict[Value, str]:
    """The parameters, each with its name, which is empty where they have none; of a module, the last part of the path to it."""
    if parameters is None:
        return {}
    named = getattr(parameters, "named_parameters", None)
    if named:
        return {x: name.rpartition(".")[2] for name, x in named().items()}
    pairs = [(x, name) for name, x in parameters.items()] if isinstance(parameters, Mapping) else [(x, "") for x in parameters]
    for x, _ in pairs:
        if not isinstance(x, Value):
            raise TypeError(
                f"parameters are Values, a mapping of names to Values, or a module; not {type(x).__name__} {x!r:.60}"
            )
    return dict(pairs)


def _targets(wrt: Value | Iterable[Value] | None) -> list[Value]:
    targets = [] if wrt is None else [wrt] if isinstance(wrt, Value) else list(wrt)
    for x in targets:
        if not isinstance(x, Value):
            raise TypeError(f"wrt is a Value or several, not {type(x).__name__} {x!r:.60}")
    return targets


def _between(order: list[Value], targets: list[Value]) -> set[int]:
    """The positions of the values that depend on one of the targets, they themselves among them."""
    found = dependents(order, targets)
    return {i for i, node in enumerate(order) if node in found}


def _box(order: list[Value], position: int, plan: Plan, names: dict[Value, str], between: set[int] | None) -> Box:
    members, groups, copies = plan.members[position], plan.paths[position], plan.copies[position]
    aside = between is not None and not any([i in between for i in members])
    node = order[members[-1]]
    if plan.kinds[position] != "open":
        kind, title = plan.kinds[position], shortened(plan.titles[position], BOX_LABEL)
        operations = sum([order[i].op is not None for i in members])
        return Box(
            f"{'s' if kind == 'group' else 'r'}{members[0]}", kind, title, "", "", node.data, node.grad, tuple(members), groups,
            copies, operations, aside, members[-1] == len(order) - 1,
        )  # fmt: skip
    label = shortened(node.label or names.get(node, ""), BOX_LABEL)
    kind = "output" if members[0] == len(order) - 1 else "operation" if node.op else "parameter" if node in names else "leaf"
    name, symbol = (node.op.name, symbol_of(node.op, len(node.args))) if node.op else ("", "")
    return Box(
        f"n{members[0]}", kind, label, name, symbol, node.data, node.grad, (members[0],), groups,
        1, int(node.op is not None), aside, members[0] == len(order) - 1,
    )  # fmt: skip


def _edges(order: list[Value], position: int, plan: Plan, boxes: list[Box], flowing: set[Value]) -> Iterator[Edge]:
    """The edges into a box: of an open one each operand slot, of a closed one a bundle from each other box.

    Something flows into the values of `flowing` alone.
    """
    if plan.kinds[position] == "open":
        i = plan.members[position][0]
        yield from _slots(order[i], [plan.owner[x] for x in plan.operands[i]], position, boxes, flowing)
        return
    crossing = {}  # the values that something outside enters, each with the boxes of its operands
    for i in plan.members[position]:
        tails = [plan.owner[x] for x in plan.operands[i]]
        if any([tail != position for tail in tails]):
            crossing[i] = tails
    bundles: dict[int, tuple[int, float | None, Edge | None]] = {}
    for i, tails in crossing.items():
        # Of a box that very much enters, the slots are counted, and what flows along them is not asked for.
        slots = (
            _slots(order[i], tails, position, boxes, flowing)
            if len(crossing) <= FLOWS
            else [Edge(x, position, 0, None, "", "", None) for x in tails]
        )
        for edge in slots:
            if edge.tail is not None and edge.tail != position:
                count, flow, _ = bundles.get(edge.tail, (0, 0.0, None))
                whole = None if flow is None or (edge.flow is None and len(crossing) > FLOWS) else flow + (edge.flow or 0.0)
                bundles[edge.tail] = count + 1, whole, edge
    for tail in sorted(bundles):
        count, flow, only = bundles[tail]
        if count == 1 and only is not None:
            yield only
        else:
            aside = boxes[tail].aside or boxes[position].aside
            yield Edge(tail, position, 0, None, f"×{count}", f"{count:,} operand slots", flow, None, count, aside)


def _slots(node: Value, tails: list[int], head: int, boxes: list[Box], flowing: set[Value]) -> Iterator[Edge]:
    """The operand slots of a value as edges into a box; `tails` are the boxes of its operands that are Values."""
    op = node.op
    if op is None:
        return
    remaining = iter(tails)
    slots = slots_of(node)
    for slot, (operand, number, text, error) in enumerate(slots):
        if operand.__class__ is float:
            yield Edge(None, head, slot, None, shorter(operand), "", None, operand, 1, boxes[head].aside)
            continue
        tail = next(remaining)
        aside = boxes[tail].aside or boxes[head].aside
        if number is None:
            yield Edge(tail, head, slot, None, text or "", error or "", None, None, 1, aside)
        else:
            formula = partial_formula(op, slot, len(slots)) or ""
            flow = number_of(product(op, slot, node.grad if node in flowing else ABSENT, number))
            yield Edge(tail, head, slot, number, shorter(number), formula, flow, None, 1, aside)
