"""What the command line has to say of an expression at a point: value, derivatives, and the chain rule edge by edge.

`differentiate` records and sweeps, and refuses what is not finite, naming the operation it comes from. `as_text` and
`as_json` print the result; the lines of the chain rule are the edges that the sweep passed, in its order.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from autograd_lite.engine import Value, gradient
from autograd_lite.expression import Expression, ExpressionError, Step, number
from autograd_lite.primitive import Primitive
from autograd_lite.primitives import TABLE
from autograd_lite.sweep import Edge, topological_order

T = TypeVar("T")

MOST_LINES = 40
"""How many lines of a part are printed unless all are asked for."""
MOST_COLUMNS = 10
_TERM = 40  # characters of an operation in a line that has more to say
_LINE = 100


@dataclass(frozen=True)
class Report:
    """An expression at a point.

    leaves: the variables in order of appearance; y: the result; operations: the nodes that it depends on, in the order of
    computation, each with its step; gradient, hessian: derivatives in the order of the leaves; edges: the steps of the sweep.
    """

    expression: Expression
    leaves: dict[str, Value]
    y: Value | float
    operations: dict[Value, Step]
    gradient: list[float]
    edges: list[Edge]
    hessian: list[list[float]] | None


def differentiate(expression: Expression, point: Mapping[str, float], hessian: bool = False) -> Report:
    """Compute the expression at the point, its gradient, and on demand its second derivatives (a sweep for each variable).

    Raises ExpressionError where the value or a derivative is infinite or nan, naming the operation it comes from.
    """
    leaves = {name: Value(point[name], label=name) for name in expression.used if name in point}
    results = expression.trace(leaves)
    y = results[-1]
    if not math.isfinite(number(y)):
        raise _origin_of_value(expression, [number(x) for x in results])
    live = set(topological_order(y)) if isinstance(y, Value) else set()
    recorded = zip(results, expression.steps, strict=True)
    operations = {x: step for x, step in recorded if isinstance(x, Value) and x in live and x.op is not None}
    report = Report(expression, leaves, y, operations, [], [], [] if hessian else None)
    report.gradient.extend(_finite_gradient(report, y, "the derivative by", report.edges))
    if report.hessian is not None:
        first = gradient(y, list(leaves.values()), create_graph=True)
        rows = zip(leaves, first, strict=True)
        report.hessian.extend([_finite_row(report, name, x) for name, x in rows])
    return report


def _finite_row(report: Report, name: str, derivative: Value | float) -> list[float]:
    """The second derivatives by a variable and each other one. The sweep is watched only where one of them is not finite."""
    row: list[float] = gradient(derivative, list(report.leaves.values()))
    if all(map(math.isfinite, row)):
        return row
    return _finite_gradient(report, derivative, f"the second derivative by {name} and", [])


def _finite_gradient(report: Report, y: Value | float, what: str, edges: list[Edge]) -> list[float]:
    """The gradient of y; `edges` gets the steps of the sweep."""
    derivatives: list[float] = gradient(y, list(report.leaves.values()), visit=edges.append)
    for (name, leaf), x in zip(report.leaves.items(), derivatives, strict=True):
        if not math.isfinite(x):
            raise _origin_of_derivative(report, f"{what} {name} is {x!r}", leaf, edges)
    return derivatives


# --- where a result that is not finite comes from


def _origin_of_value(expression: Expression, numbers: list[float]) -> ExpressionError:
    """The error for a value that is not finite: it points at the first step on the way to it that is not."""
    at = len(numbers) - 1
    while True:
        step, x = expression.steps[at], numbers[at]
        sources = [i for i in _selected(step, numbers) if not math.isfinite(numbers[i])]
        if not sources:
            break
        alike = [i for i in sources if math.isnan(numbers[i]) == math.isnan(x)]
        at = (alike or sources)[0]
    text = expression.text[step.start : step.end]
    if isinstance(step.operation, Primitive):
        text = written(step.operation, [show(numbers[i]) for i in step.arguments])
    prefix = "" if at == len(numbers) - 1 else f"the result is {numbers[-1]!r}: "
    return expression.error(f"{prefix}{_shortened(text)} is {x!r}", step)


def _selected(step: Step, numbers: list[float]) -> Sequence[int]:
    """The steps that a step's result can come from."""
    if step.operation is TABLE["where"]:
        condition, x, y = step.arguments
        return [x if numbers[condition] else y]
    return step.arguments


def _origin_of_derivative(report: Report, what: str, leaf: Value, edges: list[Edge]) -> ExpressionError:
    """The error for a derivative that is not finite: it points at the first edge on the way to it that makes it so."""
    into: dict[Value, Edge] = {}
    for edge in edges:
        if not math.isfinite(edge.contribution):
            into.setdefault(edge.operand, edge)
    origin = into.get(leaf)
    while origin is not None and not math.isfinite(origin.adjoint):
        origin = into.get(origin.node)
    if origin is None:
        return ExpressionError(f"{what}: a sum of contributions overflows")
    operation = written(origin.node.op, [show(number(x)) for x in origin.node.args])
    place = f" by argument {origin.slot + 1}" if len(origin.node.args) > 1 else ""
    reason = f"the derivative of {operation}{place} is {show(origin.partial)}"
    if math.isfinite(origin.partial):
        reason += f", which times {show(origin.adjoint)} overflows"
    elif math.isinf(origin.partial) and math.isnan(origin.contribution):
        reason += f", and {show(origin.adjoint)} times that is nan"
    step = report.operations.get(origin.node)
    return report.expression.error(f"{what}: {reason}", step) if step else ExpressionError(f"{what}: {reason}")


# --- words and numbers


def show(x: float) -> str:
    """A number in the fewest digits that tell it from all others."""
    return repr(x).removesuffix(".0")


def _shortened(text: str, length: int = _TERM) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."


def written(op: Primitive, operands: Sequence[str]) -> str:
    """An operation as it is written: an operator before or between its operands, or a function's call."""
    if not op.symbol or op.variadic:
        shown = operands if len(operands) <= 6 else [*operands[:3], "...", operands[-1]]
        return f"{op.name}({', '.join(shown)})"
    if len(operands) == 1:
        return op.symbol + _bracketed(operands[0])
    first = _bracketed(operands[0]) if op.symbol == "**" else operands[0]
    return f"{first} {op.symbol} {_bracketed(operands[1])}"


def _bracketed(text: str) -> str:
    """In parentheses, if there is a sign before it."""
    return f"({text})" if text.startswith("-") else text


class _Names:
    """What the nodes are called: the variables by their names, the result f, and what lies between v1, v2, ..."""

    def __init__(self, report: Report) -> None:
        self.expression = report.expression
        self.result = "f"
        while self.result in report.leaves:
            self.result += "_"
        prefix = "v"
        while any([re.fullmatch(f"{prefix}[0-9]+", name) for name in report.leaves]):
            prefix += "_"
        self.of = {leaf: name for name, leaf in report.leaves.items()}
        self.of |= {node: f"{prefix}{i}" for i, node in enumerate(report.operations, 1)}
        if isinstance(report.y, Value) and report.y.op is not None:
            self.of[report.y] = self.result
        self.steps = report.operations
        self._terms: dict[Value, str] = {}

    def term(self, node: Value) -> str:
        """An operation as it is written with names."""
        if node not in self._terms and node.op:
            self._terms[node] = written(node.op, self._operands(node, self.steps[node], bool(node.op.symbol)))
        return self._terms[node]

    def _operands(self, node: Value, step: Step, infix: bool) -> list[str]:
        return [
            self.of[x] if isinstance(x, Value) else self._constant(x, self.expression.steps[i], infix)
            for x, i in zip(node.args, step.arguments, strict=False)  # without defaults that the text leaves out
        ]

    def _constant(self, x: float, step: Step, infix: bool) -> str:
        """A constant as the text has it, where that is short."""
        text = self.expression.text[step.start : step.end]
        if len(text) > _TERM // 2:
            return show(x)
        return f"({text})" if infix and step.arguments and not text.endswith(")") else text


# --- text


def as_text(report: Report, everything: bool = False) -> str:
    """The report for a reader, of each part the first and last lines, or everything."""
    names = _Names(report)
    f = names.result
    at = ", ".join([f"{name} = {show(leaf.data)}" for name, leaf in report.leaves.items()])
    count = len(report.edges)
    parts = {
        f"{f} = {_shortened(report.expression.text, _LINE)}" + (f"    at {_shortened(at, _LINE)}" if at else ""): [],
        "value": [f"  {f} = {show(number(report.y))}"],
        "gradient": _lines(
            list(zip(report.leaves, report.gradient, strict=True)),
            lambda derivative: [f"d{f}/d{derivative[0]}", f"= {show(derivative[1])}"],
            everything,
        ),
        "hessian": _matrix(report.hessian or [], list(report.leaves), everything),
        "forward, operation by operation": _lines(list(report.operations), lambda node: _forward(names, node), everything),
        f"chain rule, edge by edge ({count} edge{'s' if count != 1 else ''}, each passed once)": _backward(
            report, names, everything
        ),
    }
    title, *rest = parts
    return "\n\n".join([title, *["\n".join([part, *parts[part]]) for part in rest if parts[part]]]) + "\n"


def _lines(items: Sequence[T], cells: Callable[[T], list[str]], everything: bool) -> list[str]:
    """A line for each item, its cells below those of the others; of many only the first and the last, or everything."""
    cut = 0 if everything else max(0, len(items) - MOST_LINES)
    last = MOST_LINES // 4 if cut else 0
    first = len(items) - cut - last
    lines = _aligned([cells(item) for item in (*items[:first], *items[len(items) - last :])])
    return [*lines[:first], *[f"  ... {cut} more lines; --all prints them"][: bool(cut)], *lines[first:]]


def _aligned(rows: list[list[str]], right: bool = False) -> list[str]:
    """The rows as lines, their cells below one another."""
    widths = [max([len(cell) for cell in column]) for column in zip(*rows, strict=True)]
    adjust = str.rjust if right else str.ljust
    return ["  " + " ".join([adjust(cell, width) for cell, width in zip(row, widths, strict=True)]).rstrip() for row in rows]


def _matrix(matrix: list[list[float]], names: list[str], everything: bool) -> list[str]:
    count = len(names) if everything else min(len(names), MOST_COLUMNS)
    rows = [[name, *[" " + show(x) for x in row[:count]]] for name, row in zip(names[:count], matrix[:count], strict=False)]
    if not rows:
        return []
    note = [f"  ... {count} of {len(names)} rows and columns; --all prints them"] if count < len(names) else []
    return _aligned([["", *[" " + name for name in names[:count]]], *rows], right=True) + note


def _forward(names: _Names, node: Value) -> list[str]:
    """The cells of an operation: its name, what it is of, the numbers, and the result."""
    numbers = written(node.op, [show(number(x)) for x in node.args]) if node.op else ""
    return [names.of[node], f"= {_shortened(names.term(node))}", f"= {_shortened(numbers, _LINE)}", f"= {show(node.data)}"]


def _backward(report: Report, names: _Names, everything: bool) -> list[str]:
    """A line an edge, in the order of the sweep; with the sum so far where several edges lead to one operand."""
    f = names.result
    sums: dict[Value, float] = {}
    uses: dict[Value, Counter[Value | float]] = {}
    summed: list[tuple[Edge, float | None]] = []  # the sum so far, from the second edge on
    for edge in report.edges:
        before = sums.get(edge.operand)
        sums[edge.operand] = edge.contribution if before is None else before + edge.contribution
        summed.append((edge, None if before is None else sums[edge.operand]))

    def cells(item: tuple[Edge, float | None]) -> list[str]:
        (node, slot, operand, adjoint, partial, contribution), total = item
        if node not in uses:
            uses[node] = Counter(node.args)
        place = f"#{slot + 1}" if uses[node][operand] > 1 else ""
        derivative = f"d({_shortened(names.term(node))})/d{names.of[operand]}{place}"
        return [
            f"d{f}/d{names.of[operand]}",
            " =" if total is None else "+=",
            f"d{f}/d{names.of[node]} * {derivative}",
            f"= {show(adjoint)} * {_bracketed(show(partial))}",
            f"= {show(contribution)}",
            "" if total is None else f"  so far {show(total)}",
            "" if math.isfinite(adjoint * partial) else "  (not selected)",
        ]

    return _lines(summed, cells, everything)


# --- JSON


def as_json(report: Report) -> str:
    """The report as one JSON object; nan and the infinities, for which JSON has no numbers, are strings."""
    names = _Names(report).of
    content: dict[str, Any] = {
        "expression": report.expression.text,
        "names": list(report.leaves),
        "point": {name: leaf.data for name, leaf in report.leaves.items()},
        "value": number(report.y),
        "gradient": dict(zip(report.leaves, report.gradient, strict=True)),
        "nodes": [_node(node, names) for node in report.operations],
        "edges": [{**edge._asdict(), "node": names[edge.node], "operand": names[edge.operand]} for edge in report.edges],
    }
    if report.hessian is not None:
        content["hessian"] = report.hessian
    return "{\n" + ",\n".join([f"  {json.dumps(key)}: {_json(item)}" for key, item in content.items()]) + "\n}\n"


def _json(content: Any) -> str:
    """On one line; a list of lists or objects on a line for each of them."""
    content = _without_infinities(content)
    if isinstance(content, list) and content and isinstance(content[0], (list, dict)):
        return "[\n    " + ",\n    ".join([json.dumps(item, allow_nan=False) for item in content]) + "\n  ]"
    return json.dumps(content, allow_nan=False)


def _node(node: Value, names: dict[Value, str]) -> dict[str, Any]:
    operands = [names[x] if isinstance(x, Value) else x for x in node.args]
    return {"name": names[node], "operation": node.op and node.op.name, "arguments": operands, "value": node.data}


def _without_infinities(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _without_infinities(item) for key, item in content.items()}
    if isinstance(content, list):
        return [_without_infinities(item) for item in content]
    return repr(content) if isinstance(content, float) and not math.isfinite(content) else content
