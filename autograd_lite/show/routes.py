"""Routes: the chains of edges that lead from a value to a result, what each contributes, and how many there are.

The product of a route is the product of its partials, multiplied on from the result downwards as the sweep does: 0 where a
selection left one of its edges out. The products of all
routes add up to the derivative. There may be more routes than can be listed, so the largest are found otherwise: at each value
the k largest products on the way to it are kept, for no edge changes the order of two products (0, finite, infinite, nan).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from autograd_lite.engine import Value
from autograd_lite.show.names import names_of
from autograd_lite.show.text import short
from autograd_lite.sweep import Edge, dependents, number_of, product, sweep, topological_order


class Route(NamedTuple):
    """A route: its values, the result last; its edges, the one into the result first; the product of their partials.

    >>> import autograd_lite as ag
    >>> a = ag.Value(3.0, label="a")

    >>> [route.product for route in ag.show.routes(a * a + a, a)]
    [3.0, 3.0, 1.0]
    """

    values: tuple[Value, ...]
    edges: tuple[Edge, ...]
    product: float


class Routes:
    """The routes from x to y.

    count: their exact number; largest: those that contribute most, by absolute value, nan first; gradient: what all add up to.

    >>> import autograd_lite as ag
    >>> a = ag.Value(3.0, label="a")

    >>> found = ag.show.routes(a * a, a)
    >>> found.count, found.gradient
    (2, 6.0)
    """

    __slots__ = ("count", "gradient", "largest", "names", "x", "y")

    def __init__(self, y: Value, x: Value, k: int) -> None:
        order, edges, adjoints = swept(y, [x])
        self.y, self.x = y, x
        self.count = route_counts(y, edges, {x}).get(x, 0)
        self.gradient: float = adjoints.get(x, 0.0)
        self.largest = largest_routes(y, x, edges, k)
        self.names = names_of(order) if x in adjoints else names_of([x, *order])

    def __iter__(self) -> Iterator[Route]:
        return iter(self.largest)

    def __len__(self) -> int:
        return len(self.largest)

    def __repr__(self) -> str:
        return f"<Routes from {self.names[self.x]} to {self.names[self.y]}: {counted(self.count)}, {len(self)} of them listed>"

    def __str__(self) -> str:
        x, y = self.names[self.x], self.names[self.y]
        if not self.count:
            return f"no route leads from {x} to {y}"
        what = "1 route leads" if self.count == 1 else f"{counted(self.count)} routes lead"
        head = f"{what} from {x} to {y}; {'its product is' if self.count == 1 else 'their products add up to'}"
        lines = [f"{head} ∂{y}/∂{x} = {short(self.gradient)}"]
        written = [(short(route.product), shortened_chain([self.names[v] for v in route.values])) for route in self.largest]
        width = max([len(number) for number, _ in written], default=0)
        lines += [f"  {number.rjust(width)}   {chain}" for number, chain in written]
        if len(self) < self.count:
            lines.append(f"  … {counted(self.count - len(self))} more, each no larger")
        return "\n".join(lines)


def routes(y: Value, x: Value, k: int = 10) -> Routes:
    """The routes from x to y: their exact number, and the k that contribute most to the derivative of y by x.

    A route is a chain of edges that carry a derivative. Time and memory grow with edges times k, not with routes.
    Raises TypeError if x or y is no Value or k no int, ValueError if k is negative, StaleGraphError if `.data` was changed
    after recording.

    >>> import autograd_lite as ag
    >>> a = ag.Value(3.0, label="a")

    >>> print(ag.show.routes(a * a, a))
    2 routes lead from a to f; their products add up to ∂f/∂a = 6
      3   a → f
      3   a → f
    """
    for value in (y, x):
        if not isinstance(value, Value):
            raise TypeError(f"routes lead from a Value to a Value, not {type(value).__name__} {value!r:.60}")
    if not isinstance(k, int):
        raise TypeError(f"k is how many routes to list, an int, not {type(k).__name__} {k!r:.60}")
    if k < 0:
        raise ValueError(f"k is how many routes to list: 0 or more, not {k}")
    return Routes(y, x, k)


def swept(y: Value, xs: list[Value] | None) -> tuple[list[Value], list[Edge], dict[Value, Any]]:
    """The order below y, the edges that a sweep passes on its way to xs (None: to everything), and all adjoints."""
    order = topological_order(y)
    adjoints: dict[Value, Any] = {y: 1.0}
    edges: list[Edge] = []
    sweep(order, adjoints, wanted=None if xs is None else dependents(order, xs), visit=edges.append)
    return order, edges, {node: number_of(adjoint) for node, adjoint in adjoints.items()}


def route_counts(y: Value, edges: list[Edge], wanted: set[Value]) -> dict[Value, int]:
    """For each wanted value that the edges of a sweep reach, how many routes along them lead from it to y."""
    counts = {y: 1}
    before = y
    for edge in edges:
        node = edge.node
        if node is not before:
            if before not in wanted:  # a count may have a digit an edge: only what is needed is kept
                del counts[before]
            before = node
        counts[edge.operand] = counts.get(edge.operand, 0) + counts[node]
    return counts


def counted(count: int) -> str:
    """A number of routes in full, or its power of ten where it has more than 60 digits."""
    digits = int(count.bit_length() * 0.30102999566398120)
    return f"{count:,}" if digits < 60 else f"about 10^{digits}"


class _Way(NamedTuple):
    """A way down from y: the product so far, and the edge by which it was reached from another way."""

    product: float
    edge: Edge | None
    above: _Way | None


def largest_routes(y: Value, x: Value, edges: list[Edge], k: int) -> list[Route]:
    """The k routes from x to y with the largest products; equal ones in the order of the sweep."""
    if k == 0:
        return []
    ways: dict[Value, list[_Way]] = {y: [_Way(1.0, None, None)]}
    into: dict[Value, list[list[_Way]]] = {}
    for edge in edges:
        node = edge.node
        if node not in ways:
            ways[node] = _merged(into.pop(node), k)
        op, slot, partial = node.op, edge.slot, edge.partial
        into.setdefault(edge.operand, []).append(
            [_Way(product(op, slot, way.product, partial), edge, way) for way in ways[node]]
        )
    if x not in ways:
        ways[x] = _merged(into.get(x, []), k)
    return [_route(x, way) for way in ways[x]]


def _merged(lists: list[list[_Way]], k: int) -> list[_Way]:
    """The k largest of several lists, each of which is in order already."""
    return lists[0] if len(lists) == 1 else list(islice(heapq.merge(*lists, key=_rank), k))


def _rank(way: _Way) -> tuple[bool, float]:
    size = abs(way.product)
    return (size == size, -size if size == size else 0.0)


def _route(x: Value, way: _Way) -> Route:
    edges = []
    above: _Way | None = way
    while above is not None and above.edge is not None:
        edges.append(above.edge)
        above = above.above
    return Route((x, *[edge.node for edge in edges]), tuple(reversed(edges)), number_of(way.product))


def shortened_chain(names: list[str], arrow: str = " → ", dots: str = "…", most: int = 10) -> str:
    """The names along a route, those in the middle of a long one left out."""
    half = most // 2
    shown = names if len(names) <= most else [*names[:half], dots, *names[-half:]]
    return arrow.join(shown)
