"""The order of a graph, and the sweeps that carry derivatives through it in either direction.

A node, here, is anything with `op`, `args` and a number; a constant is a float. `topological_order` lists what a result depends
on, operands first; `sweep` goes through that list backwards and gives each edge its contribution: the node's adjoint times the
partial, which the table states. Contributions to a node are added in the order in which the sweep meets its edges: consumers
from last to first, the operands of one from left to right. The order depends on the program alone, so the same program gives
the same bits everywhere. Nothing recurses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from autograd_lite.modes import Mode, active_modes, current_modes

Node = Any  # an engine's Value; its class is not known in this room
Visitor = Callable[["Edge"], object]


class StaleGraphError(RuntimeError):
    """`.data` was changed after the expression was recorded, so the graph no longer says how its values came about.

    >>> import autograd_lite as ag
    >>> x = ag.Value(2.0)
    >>> y = x * x
    >>> x.data = 3.0
    >>> try:
    ...     y.backward()
    ... except ag.StaleGraphError as error:
    ...     print(str(error).partition(":")[0])
    multiply(3.0, 3.0) was recorded with the value 4.0 and would be 9.0 now
    """


class FirstOrderError(RuntimeError):
    """The derivative of a derivative was asked for that a user's rule gives as a number without a graph.

    >>> import autograd_lite as ag
    >>> thrice = ag.define_primitive("thrice", lambda x: x**3, [lambda r, x: 3.0 * float(x) ** 2], first_order_only=True)
    >>> ag.grad(thrice)(2.0)
    12.0
    >>> try:
    ...     ag.grad(ag.grad(thrice))(2.0)
    ... except ag.FirstOrderError:
    ...     print("its second derivative is not known")
    its second derivative is not known
    """


class Edge(NamedTuple):
    """One step of a sweep: `contribution` = `adjoint` of the node times its `partial` by the operand in that slot.

    >>> import autograd_lite as ag
    >>> x = ag.Value(3.0)
    >>> edges = []
    >>> (x * 2.0).backward(visit=edges.append)
    >>> [(edge.slot, edge.adjoint, edge.partial, edge.contribution) for edge in edges]
    [(0, 1.0, 2.0, 2.0)]
    """

    node: Node
    slot: int
    operand: Node
    adjoint: Any
    partial: Any
    contribution: Any


def topological_order(*roots: Node, above: Iterable[Node] = ()) -> list[Node]:
    """Every node the roots depend on, each once, operands before their consumers: depth first, operands left to right.

    The nodes in `above`, and what only they depend on, are left out.

    >>> import autograd_lite as ag
    >>> x = ag.Value(3.0)
    >>> [node.data for node in ag.topological_order(x * x + x)]
    [3.0, 9.0, 12.0]
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
    numbers = [x if x.__class__ is float else x._number for x in node.args]
    if node._number.__class__ is float and all([number.__class__ is float for number in numbers]):
        return numbers
    fresh, data = node.op.fn(*numbers), float(node._number)
    if fresh != data and (fresh == fresh or data == data):
        listed = ", ".join([f"{float(number)!r}" for number in numbers[:4]]) + (", ..." if len(numbers) > 4 else "")
        raise StaleGraphError(
            f"{node.op.name}({listed}) was recorded with the value {data!r} and would be {fresh!r} now: .data was changed"
            " after recording; compute the expression again, then differentiate it"
        )
    return numbers


class _Absent(float):
    __slots__ = ()


ABSENT = _Absent(-0.0)
"""The adjoint, or tangent, of a node that no edge reaches: its own edges bring nothing either, whatever their partials are.

As a number it is -0.0, to which adding x gives x bit for bit.
"""


def is_selecting(op: Any, slot: int) -> bool:
    """Whether the partial by the argument in that slot is its share in a selection."""
    return bool(op.selects[0 if op.variadic else slot])


def product(op: Any, slot: int, factor: Any, partial: Any) -> Any:
    """What an edge brings: an adjoint or a tangent times the partial, as IEEE 754 has it.

    ABSENT where the edge is not there: the factor is ABSENT, or the partial is a share in a selection, and 0. A constant factor
    of 1.0 needs no node, for the result has the same bits.
    """
    if factor is ABSENT or (is_selecting(op, slot) and getattr(partial, "_number", partial) == 0.0):
        return ABSENT
    return _times(factor, partial)


def _times(factor: Any, partial: Any) -> Any:
    if partial.__class__ is float and partial == 1.0:
        return factor
    if factor.__class__ is float and factor == 1.0:
        return partial
    return factor * partial


class _Sums:
    """The adjoints, or tangents, that a sweep adds up at nodes: one contribution an edge.

    While a function is recorded as a program, the share of a selection may be a variable: the program must be right where it is
    0 too. What lies behind such a share has a mask, a variable that is 0 where no edge reaches it; the share itself makes it,
    by `behind(mask)` and `masked(number, otherwise)`. Where several edges arrive, the masks are added.
    """

    def __init__(self, numbers: dict[Node, Any]) -> None:
        self.numbers = numbers
        self.masks: dict[Node, Any] = {}

    def carry(self, source: Node, target: Node, op: Any, slot: int, partial: Any) -> Any:
        """Add what the edge brings from one node to another; gives the contribution."""
        factor, mask = self.numbers[source], self.masks.get(source)
        if factor is not ABSENT and is_selecting(op, slot) and getattr(partial, "is_variable", False):
            brought = _times(factor, partial)
            mask = partial.behind(mask)
        else:
            brought = product(op, slot, factor, partial)
        old = self.numbers.get(target, ABSENT)
        if brought is ABSENT:
            self.numbers[target] = old
            return brought
        if mask is not None and brought is not factor:
            brought = mask.masked(brought, -0.0)
        if old is ABSENT:
            self.numbers[target] = brought
            if mask is not None:
                self.masks[target] = mask
        else:
            self.numbers[target] = old + brought
            if target in self.masks and mask is not self.masks[target]:
                if mask is None:
                    del self.masks[target]
                else:
                    self.masks[target] = self.masks[target] + mask
        return brought

    def total(self, node: Node) -> Any:
        """What has been added up at a node; 0.0 where nothing was."""
        number = self.numbers.get(node, ABSENT)
        return self.masks[node].masked(number, 0.0) if node in self.masks else number_of(number)


def sweep(
    order: list[Node],
    adjoints: dict[Node, Any],
    *,
    create_graph: bool = False,
    wanted: set[Node] | None = None,
    visit: Visitor | None = None,
) -> _Sums:
    """Complete `adjoints`, which holds those of the roots, for every node of `order`, or those in `wanted`.

    With `create_graph` the adjoints are nodes (or floats where they are constant), built of the same operations in the same
    order as the numbers would be, hence with the same bits. `visit` is called with each edge as it is passed; those that are
    not there bring 0.0. Raises StaleGraphError if the arguments of any node of `order` no longer give its number.
    """
    if active_modes:
        watching = [mode.swept for mode in current_modes() if type(mode).swept is not Mode.swept]
        visit = _all_of(watching + ([visit] if visit else []))
    sums = _Sums(adjoints)
    if not (create_graph or visit or active_modes) and wanted is None:
        _sweep_numbers(order, adjoints)
        return sums
    for node in reversed(order):
        op = node.op
        if op is None:
            continue
        numbers = numbers_of(node)
        adjoint = adjoints.get(node)
        if adjoint is None or (adjoint is ABSENT and visit is None):
            continue
        args = node.args
        needed = [x.__class__ is not float and (wanted is None or x in wanted) for x in args]
        rules_on_nodes = create_graph and adjoint is not ABSENT
        for slot, partial in enumerate(_partials(node, numbers, needed, rules_on_nodes)):
            if partial is not None:
                brought = sums.carry(node, args[slot], op, slot, partial)
                if visit is not None:
                    visit(Edge(node, slot, args[slot], number_of(adjoint), partial, number_of(brought)))
    return sums


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
            numbers_of(node)
            continue
        first, second, r, rules, selects = node._first, node._second, node._number, op.number_partials, op.selects
        if second is None:
            if first.__class__ is tuple:
                needed = [x.__class__ is not float for x in first]
                for slot, partial in enumerate(_partials(node, numbers_of(node), needed, create_graph=False)):
                    if partial is not None and (partial != 0.0 or not is_selecting(op, slot)):
                        adjoints[first[slot]] = get(first[slot], -0.0) + adjoint * partial
                continue
            if first.__class__ is float:  # a constant with a node of its own
                continue
            x = first._number
            if (x.__class__ is not float or r.__class__ is not float) and op.fn(x) != r:
                numbers_of(node)
            rule = rules[0]
            if rule is not None:
                partial = rule(r, x)
                if partial != 0.0 or not selects[0]:
                    adjoints[first] = get(first, -0.0) + adjoint * partial
            continue
        x = first if first.__class__ is float else first._number
        y = second if second.__class__ is float else second._number
        if (x.__class__ is not float or y.__class__ is not float or r.__class__ is not float) and op.fn(x, y) != r:
            numbers_of(node)
        rule = rules[0]
        if rule is not None and first.__class__ is not float:
            partial = rule(r, x, y)
            if partial != 0.0 or not selects[0]:
                adjoints[first] = get(first, -0.0) + adjoint * partial
        rule = rules[1]
        if rule is not None and second.__class__ is not float:
            partial = rule(r, x, y)
            if partial != 0.0 or not selects[1]:
                adjoints[second] = get(second, -0.0) + adjoint * partial


def number_of(brought: Any) -> Any:
    """An adjoint, a tangent or a contribution as it is shown: 0.0 where it is ABSENT."""
    return 0.0 if brought is ABSENT else brought


def partials_of(node: Node, needed: list[bool], create_graph: bool) -> Iterable[Any]:
    """The partial by each needed argument, None for the others: numbers, or with `create_graph` nodes."""
    return _partials(node, numbers_of(node), needed, create_graph)


def _partials(node: Node, numbers: list[float], needed: list[bool], create_graph: bool) -> Iterable[Any]:
    op = node.op
    rules, r, args = (op.partials, node, node.args) if create_graph else (op.number_partials, node.data, numbers)
    if op.variadic:
        if rules[0] is None:
            return [None] * len(needed)
        return [partial if need else None for partial, need in zip(rules[0](r, *args), needed, strict=True)]
    return [rule(r, *args) if need and rule is not None else None for rule, need in zip(rules, needed, strict=True)]


def _all_of(visitors: list[Visitor]) -> Visitor | None:
    def visit(edge: Edge) -> None:
        for visitor in visitors:
            visitor(edge)

    return visit if visitors else None


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
    only_routes = create_graph or bool(visit)
    if not (only_routes or active_modes):
        try:
            return pull_numbers(roots, leaves, prune)
        except FirstOrderError:  # perhaps off the routes
            only_routes = True
    order = topological_order(*roots, above=leaves if prune else ())
    wanted = dependents(order, leaves) if only_routes else None
    sums = sweep(order, dict(roots), create_graph=create_graph, wanted=wanted, visit=visit)
    return [sums.total(leaf) for leaf in leaves]


def pull_numbers(roots: dict[Node, Any], leaves: list[Node], prune: bool) -> list[Any]:
    """`pull_back` of numbers that nobody watches."""
    sums = sweep(topological_order(*roots, above=leaves if prune else ()), dict(roots))
    return [sums.total(leaf) for leaf in leaves]


def push_forward(order: list[Node], tangents: dict[Node, Any], create_graph: bool = False) -> _Sums:
    """Complete `tangents`, which holds those of the leaves, for every node of `order` that depends on one: forward mode."""
    sums = _Sums(tangents)
    visit = _all_of([mode.pushed for mode in current_modes() if type(mode).pushed is not Mode.pushed]) if active_modes else None
    for node in order:
        if node.op is None or node in tangents:
            continue
        args = node.args
        moved = [x.__class__ is not float and x in tangents for x in args]
        needed = [x and tangents[args[slot]] is not ABSENT for slot, x in enumerate(moved)]
        for slot, partial in enumerate(partials_of(node, needed, create_graph) if any(needed) else ()):
            if partial is not None:
                brought = sums.carry(args[slot], node, node.op, slot, partial)
                if visit is not None:
                    factor = number_of(tangents[args[slot]])
                    visit(Edge(node, slot, args[slot], factor, partial, number_of(brought)))
        if any(moved):
            tangents.setdefault(node, ABSENT)
    return sums


def reached(order: list[Node]) -> set[Node]:
    """The nodes of `order` that an edge reaches from its last one, with the shares of selections as they are now."""
    found = {order[-1]}
    for node in reversed(order):
        op = node.op
        if op is None or node not in found:
            continue
        args = node.args
        if any(op.selects):
            partials = partials_of(node, [x.__class__ is not float for x in args], create_graph=False)
        else:
            partials = op.partials * len(args) if op.variadic else op.partials
        found.update([
            x for slot, (x, partial) in enumerate(zip(args, partials, strict=True))
            if x.__class__ is not float and partial is not None
            and not (is_selecting(op, slot) and partial == 0.0)
        ])  # fmt: skip
    return found


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


under_way: set[Node] = set()
"""The argument nodes of functions that run now, in all threads: whatever depends on one is going to be differentiated."""


@contextmanager
def arguments_under_way(nodes: Iterable[Node]) -> Iterator[None]:
    """Count the nodes among the arguments of functions that run now."""
    under_way.update(nodes)
    try:
        yield
    finally:
        under_way.difference_update(nodes)


def under_way_in(order: list[Node]) -> list[Node]:
    """The nodes of an order that are arguments of functions that run now."""
    return [node for node in order if node in under_way] if under_way else []


def refuse_under_way(order: list[Node], what: str) -> None:
    """Raise TypeError if a graph holds an argument that is being differentiated, which is another variable when it is read."""
    if under_way_in(order):
        raise TypeError(
            f"{what}: the Value depends on an argument of a function that is being differentiated, and what is read back would"
            " have no derivative: write it outside of that function; copy.deepcopy(v) is a copy that keeps the derivative, and"
            f" v.data the number {order[-1].data!r} alone"
        )


def routes(y: Node) -> dict[Node, int]:
    """For each node below y, the exact number of routes (chains of edges) that lead from it to y.

    >>> import autograd_lite as ag
    >>> x = ag.Value(3.0)
    >>> y = x * x + x
    >>> ag.routes(y)[x]
    3
    """
    order = topological_order(y)
    counts = dict.fromkeys(order, 0)
    counts[y] = 1
    for node in reversed(order):
        for operand in node.args:
            if operand.__class__ is not float:
                counts[operand] += counts[node]
    return counts
