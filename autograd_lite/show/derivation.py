"""Derivations: how a derivative comes about, line by line, with the numbers at the point, as plain text and as LaTeX.

First what was computed, operands first, and the local partials, which the table's rules give. Then the chain rule: in reverse,
the adjoints of all values as the sweep completes them; or forward, the tangents; or route by route. The numbers are those of
the sweep. Griewank and Walther, Evaluating Derivatives (2008), chapters 2 and 3, have both sweeps in this form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from autograd_lite.engine import Value
from autograd_lite.show.names import names_of
from autograd_lite.show.notation import Latex, Notation, Text, operation_formula, partial_rule
from autograd_lite.show.routes import Route, counted, route_counts, swept
from autograd_lite.sweep import Edge, number_of, product, push_forward

STYLES = ("reverse", "paths", "forward")
LIMIT = 40  # lines of a part that are shown unless more are asked for
MOST_ROUTES = 64  # that are listed one by one
MOST_TERMS = 8  # of a sum or factors of a product, that are written out where lines are limited

Row = list[str]  # what a line says is equal


class Part(NamedTuple):
    """A part of a derivation: its title, how many lines it has, and those that are shown, the first and the last."""

    title: str
    size: int
    rows: list[Row]


class _Climb(NamedTuple):
    """A way up: where it has come, by which edge, and from where."""

    node: Value
    edge: Edge | None
    before: _Climb | None


class Derivation:
    """How the derivatives of a value come about; made by `value.derivation()`.

    `str` gives plain text, `latex` LaTeX; a notebook shows the second. The numbers are those of when it was made.

    >>> import autograd_lite as ag
    >>> a = ag.Value(3.0, label="a")

    >>> print(str((a * a).derivation(a)).splitlines()[-4].strip())
    ā = f̄·∂f/∂a#1 + f̄·∂f/∂a#2 = 1·3 + 1·3 = 6
    """

    __slots__ = (
        "_adjoints", "_edges", "_into", "_limit", "_names", "_order", "_position", "_tangents", "style", "value", "wrt",
    )  # fmt: skip

    def __init__(self, value: Value, wrt: Any = None, style: str = "reverse", limit: int | None = LIMIT) -> None:
        if style not in STYLES:
            raise ValueError(f"the style of a derivation is {', '.join(STYLES[:-1])} or {STYLES[-1]}, not {style!r:.60}")
        if limit is not None and (not isinstance(limit, int) or limit < 1):
            raise ValueError(f"limit is how many lines of a part are shown, from 1, or None for all, not {limit!r:.60}")
        self.value, self.style, self._limit = value, style, limit
        given = None if wrt is None else _values(wrt)
        self._order, self._edges, self._adjoints = swept(value, given)
        self._position = {node: i for i, node in enumerate(self._order)}
        apart = [x for x in dict.fromkeys(given or ()) if x not in self._position]
        self._names = names_of([*apart, *self._order])
        self.wrt = [x for x in self._order if x.op is None] if given is None else given
        self._into: dict[Value, list[Edge]] = {}
        for edge in self._edges:
            self._into.setdefault(edge.operand, []).append(edge)
        for edges in self._into.values():  # the consumers in the order in which they were computed
            edges.sort(key=lambda edge: (self._position[edge.node], edge.slot))
        self._tangents = [self._tangents_from(x) for x in self.wrt[:limit]] if style == "forward" else []

    def _tangents_from(self, x: Value) -> dict[Value, float]:
        tangents: dict[Value, Any] = {x: 1.0}
        push_forward(self._order, tangents)
        return tangents

    # --- what it gives

    @property
    def latex(self) -> str:
        """In LaTeX: a display for each part."""
        return "\n".join([_display(part) for part in self._parts(Latex())])

    def __str__(self) -> str:
        return "\n\n".join([_plain(part) for part in self._parts(Text())])

    def __repr__(self) -> str:
        counts = f"{len(self._order):,} values, {len(self._edges):,} edges"
        return f"<Derivation of {self._names[self.value]}, {self.style}: {counts}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """LaTeX and plain text, and no picture: notebooks prefer a picture to both."""
        bundle = {"text/latex": self.latex, "text/plain": str(self)}
        return {kind: text for kind, text in bundle.items() if (not include or kind in include) and kind not in (exclude or ())}

    def chain_rule(self, x: Value) -> str:
        """The derivative by one value as the sum over its consumers, in plain text.

        Raises ValueError if the derivation is not about that value.
        """
        if x not in self._position:
            raise ValueError(f"{x!r:.80} is not part of this derivation")
        return Text.equals.join(self._leibniz(x, Text()))

    # --- its parts

    def _parts(self, write: Notation) -> Iterator[Part]:
        title = write.words("Forward: each value from its operands")
        yield self._part(title, self._order, lambda x: self._value_row(x, write))
        local = [edge for edges in self._edges_by_consumer() for edge in edges]
        title = write.words("Local partials, by the rules of the operations")
        yield self._part(title, local, lambda edge: self._partial_row(edge, write))
        if self.style == "reverse":
            yield from self._reverse(write)
        elif self.style == "forward":
            for x, tangents in zip(self.wrt, self._tangents, strict=False):
                yield self._forward(x, tangents, write)
        else:
            for x in self.wrt[: self._limit]:
                yield from self._paths(x, write)
        if self.style != "reverse" and len(self.wrt) > len(self.wrt[: self._limit]):
            hidden = len(self.wrt) - len(self.wrt[: self._limit])
            yield Part(write.words(f"{hidden:,} more values to differentiate by are not shown; limit=None shows all"), 0, [])

    def _part(self, title: str, items: Sequence[Any], row: Callable[[Any], Row]) -> Part:
        return Part(title, len(items), [row(x) for x in self._shown(items)])

    def _shown(self, items: Sequence[Any]) -> Sequence[Any]:
        """The first and the last of many lines."""
        last = _last_of(self._limit or 0)
        return items if self._limit is None or len(items) <= self._limit else [*items[: self._limit - last], *items[-last:]]

    def _edges_by_consumer(self) -> Iterable[list[Edge]]:
        """The edges into each consumer that there are, consumers in the order in which they were computed."""
        by_node: dict[Value, list[Edge]] = {}
        for edge in self._edges:
            by_node.setdefault(edge.node, []).append(edge)
        return reversed(by_node.values())

    def _reverse(self, write: Notation) -> Iterator[Part]:
        reached = [x for x in reversed(self._order) if x in self._adjoints]
        example = write.adjoint("x") + write.equals + write.partial(self._names[self.value], "x")
        title = write.words("Reverse: adjoints ") + example + write.words(", each value after all its consumers")
        yield self._part(title, reached, lambda x: self._adjoint_row(x, write))
        results = [x for x in self.wrt if x in self._adjoints]
        apart = [x for x in self.wrt if x not in self._adjoints]
        yield self._part(write.words("Result"), [*results, *apart], lambda x: self._result_row(x, write))

    def _forward(self, x: Value, tangents: dict[Value, float], write: Notation) -> Part:
        reached = [node for node in self._order if node in tangents]
        example = write.tangent("v") + write.equals + write.partial("v", self._names[x])
        title = write.words("Forward mode: tangents ") + example + write.words(", each value after its operands")
        if self.value not in tangents:
            return Part(title, 1, [self._result_row(x, write)])
        into = {edges[0].node: edges for edges in self._edges_by_consumer()}
        return self._part(title, reached, lambda node: self._tangent_row(node, into.get(node, []), tangents, write))

    def _paths(self, x: Value, write: Notation) -> Iterator[Part]:
        count = route_counts(self.value, self._edges, {x}).get(x, 0)
        ends = [write.name(self._names[end]) for end in (x, self.value)]
        title = write.words(f"{counted(count)} {'route' if count == 1 else 'routes'}: ") + write.chain(ends)
        if count == 0:
            yield Part(title, 1, [self._result_row(x, write)])
        elif count <= MOST_ROUTES:
            routes = self._routes_from(x)
            yield self._part(title + write.words(", a product each"), routes, lambda route: self._route_row(route, write))
            yield Part(write.words("Sum over routes"), 1, [self._sum_row(x, routes, write)])
        else:
            title += write.words(", too many to list; factored, with every shared part written once")
            yield self._part(title, self._between(x), lambda node: self._leibniz(node, write))

    # --- routes

    def _routes_from(self, x: Value) -> list[Route]:
        """All routes from x, in the order in which their values were computed."""
        found: list[Route] = []
        waiting: list[_Climb] = [_Climb(x, None, None)]
        while waiting:
            climb = waiting.pop()
            if climb.node is self.value:
                found.append(_route(climb))
            waiting += [_Climb(edge.node, edge, climb) for edge in reversed(self._into.get(climb.node, []))]
        return found

    def _between(self, x: Value) -> list[Value]:
        """The values on routes from x, each after its consumers."""
        found = {x}
        for edges in self._edges_by_consumer():
            if any([edge.operand in found for edge in edges]):
                found.add(edges[0].node)
        return [node for node in reversed(self._order) if node in found and node is not self.value]

    # --- lines

    def _operands(self, node: Value, write: Notation) -> list[str]:
        return [write.name(self._names[x]) if isinstance(x, Value) else write.number(x) for x in node.args]

    def _numbers(self, node: Value, write: Notation) -> list[str]:
        return [write.number(x.data if isinstance(x, Value) else x) for x in node.args]

    def _value_row(self, node: Value, write: Notation) -> Row:
        row = [write.name(self._names[node])]
        if node.op is not None:
            row.append(self._operation(node, self._operands(node, write), write))
            row.append(self._operation(node, self._numbers(node, write), write))
        return [*row, write.number(node.data)]

    def _operation(self, node: Value, operands: list[str], write: Notation) -> str:
        """An operation on operands that are written already."""
        op = node.op
        if op is None:
            return ""
        count = len(operands)
        if op.variadic and self._limit is not None and count > MOST_TERMS:
            head = MOST_TERMS - 2
            operands, count = [*operands[:head], write.dots, operands[-1]], MOST_TERMS
        names = [f"x{i + 1}" for i in range(count)] if op.variadic else op.arguments
        return write.formula(operation_formula(op, count), dict(zip(names, operands, strict=True)))

    def _place(self, edge: Edge) -> int | None:
        """Which argument an edge is, where an operation has the same value several times."""
        return edge.slot + 1 if Counter(edge.node.args)[edge.operand] > 1 else None

    def _local(self, edge: Edge, write: Notation) -> str:
        return write.partial(self._names[edge.node], self._names[edge.operand], self._place(edge))

    def _rule(self, edge: Edge, write: Notation) -> str | None:
        """The formula of an edge's partial, with the names of values in it; None where it is but a number."""
        node = edge.node
        formula = partial_rule(node.op, edge.slot, len(node.args))
        if formula is None:
            return None
        names = [f"x{i + 1}" for i in range(len(node.args))] if node.op.variadic else node.op.arguments
        operands = dict(zip(names, self._operands(node, write), strict=True))
        return write.formula(formula, {**operands, "r": write.name(self._names[node])})

    def _partial_row(self, edge: Edge, write: Notation) -> Row:
        rule = self._rule(edge, write)
        return [self._local(edge, write), *([] if rule is None else [rule]), write.number(edge.partial)]

    def _adjoint_row(self, x: Value, write: Notation) -> Row:
        row = [write.adjoint(self._names[x])]
        edges = self._into.get(x, [])
        if edges:
            terms = [f"{write.adjoint(self._names[e.node])}{write.times}{self._local(e, write)}" for e in edges]
            row.append(self._sum(terms, write))
            row.append(self._numbers_of(edges, write))
        return _without_repetition([*row, write.number(self._adjoints[x])])

    def _leibniz(self, x: Value, write: Notation) -> Row:
        """The derivative by one value as a sum over its consumers, in fractions."""
        y = self._names[self.value]
        row = [write.partial(y, self._names[x])]
        edges = self._into.get(x, [])
        if len(edges) == 1 and edges[0].node is self.value:  # the derivative is a local partial
            rule = self._rule(edges[0], write)
            return [*row, *([] if rule is None else [rule]), write.number(self._adjoints[x])]
        if edges:
            direct = all([e.node is self.value for e in edges])
            before = ["" if direct else write.partial(y, self._names[e.node]) + write.times for e in edges]
            row.append(self._sum([x + self._local(e, write) for x, e in zip(before, edges, strict=True)], write))
            numbers = [write.number(e.contribution) for e in edges]
            row.append(self._sum(numbers, write) if direct else self._numbers_of(edges, write))
        return _without_repetition([*row, write.number(self._adjoints.get(x, 0.0))])

    def _tangent_row(self, node: Value, edges: list[Edge], tangents: dict[Value, float], write: Notation) -> Row:
        row = [write.tangent(self._names[node])]
        edges = [e for e in edges if e.operand in tangents]
        if edges:
            terms = [f"{self._local(e, write)}{write.times}{write.tangent(self._names[e.operand])}" for e in edges]
            row.append(self._sum(terms, write))
            brought = [product(e.node.op, e.slot, tangents[e.operand], e.partial) for e in edges]
            products = [(e.partial, number_of(tangents[e.operand]), number_of(x)) for e, x in zip(edges, brought, strict=True)]
            row.append(self._sum([_product(*x, write) for x in products], write))
        return _without_repetition([*row, write.number(number_of(tangents[node]))])

    def _result_row(self, x: Value, write: Notation) -> Row:
        return [write.partial(self._names[self.value], self._names[x]), write.number(self._adjoints.get(x, 0.0))]

    def _route_row(self, route: Route, write: Notation) -> Row:
        chain = write.chain(self._cut([write.name(self._names[x]) for x in route.values], write))
        if not route.edges:
            return [chain, write.number(route.product)]
        partials = write.times.join(self._cut([self._local(edge, write) for edge in route.edges], write))
        numbers = [write.factor(write.number(edge.partial), i) for i, edge in enumerate(route.edges)]
        row = [chain, partials, write.times.join(self._cut(numbers, write)), write.number(route.product)]
        return _without_repetition(row)

    def _sum_row(self, x: Value, routes: list[Route], write: Notation) -> Row:
        products = self._sum([write.number(route.product) for route in routes], write)
        row = [write.partial(self._names[self.value], self._names[x]), products]
        return _without_repetition([*row, write.number(self._adjoints[x])])

    def _numbers_of(self, edges: list[Edge], write: Notation) -> str:
        return self._sum([_product(e.adjoint, e.partial, e.contribution, write) for e in edges], write)

    def _sum(self, terms: list[str], write: Notation) -> str:
        return write.plus.join(self._cut([write.factor(term, i) for i, term in enumerate(terms)], write))

    def _cut(self, parts: list[str], write: Notation) -> list[str]:
        """The terms of a sum or the factors of a product; of many, where lines are limited, not those in the middle."""
        if self._limit is None or len(parts) <= MOST_TERMS:
            return parts
        hidden = write.words(f"({len(parts) - MOST_TERMS + 1:,} more)")
        return [*parts[: MOST_TERMS - 2], f"{write.dots} {hidden}", parts[-1]]


def derivation(value: Value, wrt: Any = None, style: str = "reverse", limit: int | None = LIMIT) -> Derivation:
    """How the derivatives of this value come about, by a Value or several (`wrt`; by default all leaves), line by line.

    The style is "reverse" (adjoints), "forward" (tangents) or "paths" (a product a route up to 64 routes, else their number and
    the factored form). Of each part `limit` lines are shown, None for all.

    Raises TypeError if `wrt` holds no Value, ValueError for an unknown style or limit, StaleGraphError if `.data` was changed
    after recording.

    >>> import autograd_lite as ag
    >>> a = ag.Value(3.0, label="a")

    >>> print(ag.exp(2.0 * a - 6.0).derivation().chain_rule(a))
    ∂f/∂a = ∂f/∂v1·∂v1/∂a = 1·2 = 2
    """
    if not isinstance(value, Value):
        raise TypeError(f"derivation is of a Value, not of {type(value).__name__} {value!r:.60}")
    return Derivation(value, wrt, style, limit)


def _values(wrt: Any) -> list[Value]:
    given = [wrt] if isinstance(wrt, Value) or not isinstance(wrt, Iterable) else list(wrt)
    for x in given:
        if not isinstance(x, Value):
            raise TypeError(f"wrt takes a Value or several, not {type(x).__name__} {x!r:.60}")
    return list(dict.fromkeys(given))


def _route(climb: _Climb) -> Route:
    edges, values, factor = [], [climb.node], 1.0
    below: _Climb | None = climb
    while below is not None and below.edge is not None and below.before is not None:
        edge, below = below.edge, below.before
        factor = product(edge.node.op, edge.slot, factor, edge.partial)
        edges.append(edge)
        values.append(below.node)
    return Route(tuple(reversed(values)), tuple(edges), number_of(factor))


def _product(x: float, y: float, product: float, write: Notation) -> str:
    """Two numbers as a product; the product alone where it is not IEEE 754's, as 0 for what was not selected."""
    if product != x * y and product == product:
        return write.number(product)
    return write.factor(write.number(x), 1) + write.times + write.factor(write.number(y), 1)


def _without_repetition(row: Row) -> Row:
    return [side for i, side in enumerate(row) if i == 0 or side != row[i - 1]]


# --- the layout of a part


def _plain(part: Part) -> str:
    write = Text()
    return "\n".join([part.title, *[f"  {line}" for line in _lines(part, write, write.equals)]])


def _display(part: Part) -> str:
    write = Latex()
    lines = [line if " &= " in line else f"&{line}" for line in _lines(part, write, " &= ")]
    return "$$\\begin{aligned}\n" + " \\\\\n".join([f"&{part.title}", *lines]) + "\n\\end{aligned}$$"


def _lines(part: Part, write: Notation, first: str) -> list[str]:
    """The lines of a part, and where some are hidden, one that says so; `first` is the first sign of equality."""
    lines = [row[0] + first + write.equals.join(row[1:]) for row in part.rows]
    hidden = part.size - len(lines)
    if hidden > 0:
        words = write.words(f"{hidden:,} of {part.size:,} lines are not shown; limit=None shows all")
        lines.insert(len(lines) - _last_of(len(lines)), f"{write.dots} {words}")
    return lines


def _last_of(limit: int) -> int:
    """How many of so many lines are the last of a part that has more."""
    return max(1, limit // 4)
