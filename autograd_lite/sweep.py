"""The order of a graph, and the sweeps that carry derivatives through it in either direction.

A node, here, is anything with `op`, `args` and a number; a constant is a float. `topological_order` lists what a result depends
on, operands first; `sweep` goes through that list backwards and gives each edge its contribution: the node's adjoint times the
partial, which the table states. Contributions to a node are added in the order in which the sweep meets its edges: consumers
from last to first, the operands of one from left to right. The order depends on the program alone, so the same program gives
the same bits everywhere. Nothing recurses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from autograd_lite.modes import active_modes, current_modes

Node = Any  # an engine's Value; its class is not known in this room
Visitor = Callable[["Edge"], object]


class StaleGraphError(RuntimeError):
    """`.data` was changed after the expression was recorded, so the graph no longer says how its values came about."""


class Edge(NamedTuple):
    """One step of a sweep: `contribution` = `adjoint` of the node times its `partial` by the operand in that slot."""

    node: Node
    slot: int
    operand: Node
    adjoint: Any
    partial: Any
    contribution: Any


def topological_order(*roots: Node, above: Iterable[Node] = ()) -> list[Node]:
    """Every node the roots depend on, each once, operands before their consumers: depth first, operands left to right.

    The nodes in `above`, and what only they depend on, are left out.
    """
    order: list[Node] = []
    seen: set[Node] = set(above)
    stack: list[Node] = list(reversed(roots))
    pop, push, see, place = stack.pop, stack.append, seen.add, order.append
    while stack:
        node = pop()
        if node is None:
            place(pop())
            continue
        if node in seen:
            continue
        see(node)
        first = node._first
        if first is None:
            place(node)
            continue
        push(node)
        push(None)  # when it comes up again, the operands have been placed
        if first.__class__ is tuple:
            stack.extend([x for x in reversed(first) if x.__class__ is not float])
            continue
        second = node._second
        if second is not None and second.__class__ is not float and second not in seen:
            push(second)
        if first.__class__ is not float and first not in seen:
            push(first)
    return order


def numbers_of(node: Node) -> list[float]:
    """The numbers of a node's arguments. Raises StaleGraphError if they no longer give the node's own number."""
    numbers = [x if x.__class__ is float else x._data for x in node.args]
    if node._data.__class__ is float and all([number.__class__ is float for number in numbers]):
        return numbers
    fresh, data = node.op.fn(*numbers), float(node._data)
    if fresh != data and (fresh == fresh or data == data):
        listed = ", ".join([f"{float(number)!r}" for number in numbers[:4]]) + (", ..." if len(numbers) > 4 else "")
        raise StaleGraphError(
            f"{node.op.name}({listed}) was recorded with the value {data!r} and would be {fresh!r} now: .data was changed"
            " after recording; compute the expression again, then differentiate it"
        )
    return numbers


def sweep(
    order: list[Node],
    adjoints: dict[Node, Any],
    *,
    create_graph: bool = False,
    wanted: set[Node] | None = None,
    visit: Visitor | None = None,
) -> None:
    """Complete `adjoints`, which holds those of the roots, for every node of `order`, or those in `wanted`.

    With `create_graph` the adjoints are nodes (or floats where they are constant), built of the same operations in the same
    order as the numbers would be, hence with the same bits. `visit` is called with each edge as it is passed.
    """
    if active_modes:
        visit = _all_of([mode.swept for mode in current_modes()] + ([visit] if visit else []))
    if not create_graph and wanted is None and visit is None:
        _sweep_numbers(order, adjoints)
        return
    for node in reversed(order):
        adjoint = adjoints.get(node)
        if adjoint is None or node.op is None:
            continue
        args = node.args
        needed = [x.__class__ is not float and (wanted is None or x in wanted) for x in args]
        for slot, partial in enumerate(partials_of(node, needed, create_graph)):
            if partial is None:
                continue
            operand = args[slot]
            contribution = _contribution(node.op, slot, adjoint, partial)
            if visit is not None:
                visit(Edge(node, slot, operand, adjoint, partial, contribution))
            old = adjoints.get(operand)
            adjoints[operand] = contribution if old is None else old + contribution


def _contribution(op: Any, slot: int, adjoint: Any, partial: Any) -> Any:
    """The product of adjoint and partial; a constant factor of 1 or 0 needs no node, for the result has the same bits."""
    if (partial.__class__ is float and partial == 1.0) or (adjoint.__class__ is float and adjoint == 0.0):
        return adjoint
    product = op.product(slot)
    if adjoint.__class__ is float and adjoint == 1.0 and not any(product.selects[:1]):
        return partial
    return product(adjoint, partial)


def partials_of(node: Node, needed: list[bool], create_graph: bool) -> Iterable[Any]:
    """The partial by each needed argument, None for the others: numbers, or with `create_graph` nodes."""
    op, numbers = node.op, numbers_of(node)
    rules, r, args = (op.partials, node, node.args) if create_graph else (op.number_partials, node.data, numbers)
    if op.variadic:
        return [partial if need else None for partial, need in zip(rules[0](r, *args), needed, strict=True)]
    return [rule(r, *args) if need and rule is not None else None for rule, need in zip(rules, needed, strict=True)]


def _all_of(visitors: list[Visitor]) -> Visitor:
    def visit(edge: Edge) -> None:
        for visitor in visitors:
            visitor(edge)

    return visit


def _sweep_numbers(order: list[Node], adjoints: dict[Node, float]) -> None:
    """`sweep` of numbers that nobody watches, the loop over one or two operands written out: same bits, a fraction of the time.

    A sum starts at -0.0, to which adding x gives x, whatever x is (0.0 would lose the sign of -0.0).
    """
    get = adjoints.get
    for node in reversed(order):
        op = node.op
        if op is None:
            continue
        adjoint = get(node)
        if adjoint is None:
            continue
        first, second, r, rules, selects = node._first, node._second, node._data, op.number_partials, op.selects
        if second is None:
            if first.__class__ is tuple:
                needed = [x.__class__ is not float and (op.variadic or rules[i] is not None) for i, x in enumerate(first)]
                # An adjoint of 0 asks no rule: the contribution is 0, whatever the partial.
                partials = partials_of(node, needed, create_graph=False) if adjoint != 0.0 else numbers_of(node)
                for slot, (need, partial) in enumerate(zip(needed, partials, strict=True)):
                    if need:
                        adjoints[first[slot]] = get(first[slot], -0.0) + op.product(slot).fn(adjoint, partial)
                continue
            if first.__class__ is float:  # a constant with a node of its own
                continue
            x = first._data
            if (x.__class__ is not float or r.__class__ is not float) and op.fn(x) != r:
                numbers_of(node)
            rule = rules[0]
            if rule is not None:
                if adjoint != 0.0:
                    adjoint = op.product(0).fn(adjoint, rule(r, x)) if selects[0] else adjoint * rule(r, x)
                adjoints[first] = get(first, -0.0) + adjoint
            continue
        x = first if first.__class__ is float else first._data
        y = second if second.__class__ is float else second._data
        if (x.__class__ is not float or y.__class__ is not float or r.__class__ is not float) and op.fn(x, y) != r:
            numbers_of(node)
        rule = rules[0]
        if rule is not None and first.__class__ is not float:
            contribution = adjoint
            if adjoint != 0.0:
                contribution = op.product(0).fn(adjoint, rule(r, x, y)) if selects[0] else adjoint * rule(r, x, y)
            adjoints[first] = get(first, -0.0) + contribution
        rule = rules[1]
        if rule is not None and second.__class__ is not float:
            if adjoint != 0.0:
                adjoint = op.product(1).fn(adjoint, rule(r, x, y)) if selects[1] else adjoint * rule(r, x, y)
            adjoints[second] = get(second, -0.0) + adjoint


def pull_back(
    roots: dict[Node, Any],
    leaves: list[Node],
    *,
    create_graph: bool = False,
    visit: Visitor | None = None,
    prune: bool = False,
) -> list[Any]:
    """The adjoints of the leaves, given those of the roots: a vector-Jacobian product. What is not reached has 0.0.

    With `create_graph` or `visit` only edges on routes from the leaves are passed. With `prune`, nothing below a leaf is
    looked at: right where no leaf lies below another.
    """
    if not (create_graph or visit or active_modes):
        return pull_numbers(roots, leaves, prune)
    order = topological_order(*roots, above=leaves if prune else ())
    adjoints = dict(roots)
    wanted = dependents(order, leaves) if create_graph or visit else None
    sweep(order, adjoints, create_graph=create_graph, wanted=wanted, visit=visit)
    return [adjoints.get(leaf, 0.0) for leaf in leaves]


def pull_numbers(roots: dict[Node, Any], leaves: list[Node], prune: bool) -> list[Any]:
    """`pull_back` of numbers that nobody watches."""
    adjoints = dict(roots)
    _sweep_numbers(topological_order(*roots, above=leaves if prune else ()), adjoints)
    return [adjoints.get(leaf, 0.0) for leaf in leaves]


def push_forward(order: list[Node], tangents: dict[Node, Any], create_graph: bool = False) -> None:
    """Complete `tangents`, which holds those of the leaves, for every node of `order` that depends on one: forward mode."""
    for node in order:
        if node.op is None or node in tangents:
            continue
        args = node.args
        needed = [x.__class__ is not float and x in tangents for x in args]
        if not any(needed):
            continue
        tangent = None
        for slot, partial in enumerate(partials_of(node, needed, create_graph)):
            if partial is not None:
                term = _contribution(node.op, slot, tangents[args[slot]], partial)
                tangent = term if tangent is None else tangent + term
        if tangent is not None:
            tangents[node] = tangent


def dependents(order: list[Node], leaves: Iterable[Node]) -> set[Node]:
    """The leaves, and the nodes of `order` that depend on one of them."""
    found = set(leaves)
    for node in order:
        if any([x.__class__ is not float and x in found for x in node.args]):
            found.add(node)
    return found


def has_leaf(order: list[Node], others: set[Node]) -> bool:
    """Whether there is a leaf in an order, or one of the other nodes."""
    return any([node.op is None or node in others for node in order])


def routes(y: Node) -> dict[Node, int]:
    """For each node below y, the exact number of routes (chains of edges) that lead from it to y."""
    order = topological_order(y)
    counts = dict.fromkeys(order, 0)
    counts[y] = 1
    for node in reversed(order):
        for operand in node.args:
            if operand.__class__ is not float:
                counts[operand] += counts[node]
    return counts
