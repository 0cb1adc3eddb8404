"""The explorer: one self-contained page in which a reader steps through an expression and moves its leaves.

Python lays the graph out and writes the tape: the graph, and in JavaScript the rules of the operations in it. ``explorer.js``
replays it. Nothing runs in the kernel.
"""

from __future__ import annotations

import html
import math
import string
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from autograd_lite.engine import Value
from autograd_lite.primitive import Primitive
from autograd_lite.show import layout
from autograd_lite.show.content import BOX_LABEL, Box, Content, Edge, content_of
from autograd_lite.show.figure import MARGIN, SIZE, Face, face_of
from autograd_lite.show.formula import argument_names
from autograd_lite.show.graph import Graph
from autograd_lite.show.javascript import UntranslatableError, arithmetic, definitions, key_of
from autograd_lite.show.metrics import width_of
from autograd_lite.show.names import names_of
from autograd_lite.show.notation import operation_formula, partial_rule
from autograd_lite.show.page import Page, checked_theme, document, part
from autograd_lite.show.scopes import OPEN_LIMIT
from autograd_lite.show.text import short
from autograd_lite.sweep import partials_of, topological_order

LIMIT = 20_000  # values up to which a page holds the whole graph
FULL = 6_000  # boxes up to which a drawing has them all
MOST_LEAVES = 200  # to choose from in a list
_NUMBER = "-1.234e-05"  # the widest number in a box


class Explorer(Page):
    """An expression to step through, in one page; made by `value.explore()`. A notebook shows it, `save` writes a file.

    >>> import autograd_lite as ag
    >>> a = ag.Value(3.0, label="a")

    >>> (a * a).explore().html[:15]
    '<!DOCTYPE html>'
    """

    __slots__ = ("_views",)

    def __init__(
        self, value: Value, wrt: Any = None, theme: str = "auto", limit: int = LIMIT, height: int | None = None
    ) -> None:
        if not isinstance(value, Value):
            raise TypeError(f"explore is for a Value, not for {type(value).__name__} {value!r:.60}")
        checked_theme(theme, "an explorer")
        order = topological_order(value)
        if len(order) > limit:
            raise ValueError(
                f"an explorer holds every value in its page, and this graph has {len(order):,}: draw it with graph(), explore a"
                f" part of it, or ask for more than limit={limit:,}"
            )
        targets = _targets(wrt, order)
        names = names_of(order)
        tape, table = _tape(order, names, targets)
        result = f"{names[value]} = {short(value.data)}"
        self._views = tape["views"]
        words = f"<Explorer of {result}; values: {len(order):,}>"
        page = _page(f"Explorer of {result}", tape, table, theme)
        super().__init__(page, Graph(value).to_svg, words, height or _height(tape))


def explore(value: Value, wrt: Any = None, theme: str = "auto", limit: int = LIMIT, height: int | None = None) -> Explorer:
    """The graph below this value to step through, forwards and backwards, with leaves to move.

    `wrt` is a Value or several to differentiate by at first (by default all leaves), `theme` "auto", "light" or "dark",
    `height` that of the frame in a notebook before its script runs, in pixels. Raises TypeError if it is no Value, or `wrt`
    holds none; ValueError if a Value of `wrt` is not below it, for another theme, and for a graph of more than `limit` values;
    StaleGraphError if `.data` was changed after recording.

    >>> import autograd_lite as ag
    >>> a = ag.Value(3.0, label="a")

    >>> (a * a).explore()
    <Explorer of f = 9; values: 2>
    """
    return Explorer(value, wrt, theme, limit, height)


def _targets(wrt: Any, order: list[Value]) -> list[int]:
    given = [] if wrt is None else [wrt] if isinstance(wrt, Value) or not isinstance(wrt, Iterable) else list(wrt)
    position = {node: i for i, node in enumerate(order)}
    for x in given:
        if not isinstance(x, Value):
            raise TypeError(f"wrt takes a Value or several, not {type(x).__name__} {x!r:.60}")
        if x not in position:
            raise ValueError(f"wrt takes Values that the result depends on, not {x!r:.80}")
    return [position[x] for x in given]


# --- the tape


def _tape(order: list[Value], names: dict[Value, str], targets: list[int]) -> tuple[dict[str, Any], str]:
    """The graph for ``explorer.js``, and the JavaScript that fills its table."""
    position = {node: i for i, node in enumerate(order)}
    kinds: dict[tuple[Primitive, int], int] = {}
    constants: dict[str, int] = {}
    places: dict[str, int] = {}
    ops: list[int] = []
    args: list[list[int]] = []
    for node in order:
        if node.op is None:
            ops.append(-1)
            args.append([])
            continue
        count = len(node.args)
        ops.append(kinds.setdefault((node.op, count if node.op.variadic else 0), len(kinds)))
        args.append(
            [position[x] if isinstance(x, Value) else -1 - constants.setdefault(repr(x), len(constants)) for x in node.args]
        )
    counted = [(op, count or len(op.domain)) for op, count in kinds]
    table, unknown, why = _definitions(counted)
    sources = [None if node.note.source is None else places.setdefault(_place(node.note.source), len(places)) for node in order]
    tape = {
        "names": [names[node] for node in order],
        "ops": ops,
        "args": args,
        "constants": [_number(float(text)) for text in constants],
        "data": [_number(node.data) for node in order],
        "kinds": [_kind(op, count) for op, count in counted],
        "fixed": {i: _partials(node) for i, node in enumerate(order) if node.op in unknown},
        "live": not unknown,
        "why": why,
        "sources": sources if places else None,
        "places": list(places),
        "by": targets,
        **_views(order, names),
    }
    for node in order:
        _partials(node)  # raises StaleGraphError where the tape would not be what was recorded
    return tape, table


def _definitions(kinds: list[tuple[Primitive, int]]) -> tuple[str, set[Primitive | None], str]:
    """The JavaScript of these primitives; those that have none; and what that means to a reader."""
    try:
        return definitions(kinds), set(), ""
    except UntranslatableError:
        pass
    known: list[tuple[Primitive, int]] = []
    unknown: dict[Primitive | None, None] = {}
    for op, count in kinds:
        try:
            definitions([(op, count)])
            known.append((op, count))
        except UntranslatableError:
            unknown[op] = None
    listed = ", ".join([op.name for op in unknown if op])
    return definitions(known), set(unknown), f"Leaves cannot be moved: {listed} cannot be computed outside of Python."


def _kind(op: Primitive, count: int) -> dict[str, Any]:
    return {
        "key": key_of(op, count),
        "name": op.name,
        "formula": operation_formula(op, count),
        "arguments": list(argument_names(op, count)),
        "rules": [partial_rule(op, slot, count) for slot in range(count)],
        "selects": [int(op.selects[0 if op.variadic else slot]) for slot in range(count)],
    }


def _partials(node: Value) -> list[float | str | None]:
    if node.op is None:
        return []
    needed = [isinstance(x, Value) for x in node.args]
    return [None if x is None else _number(float(x)) for x in partials_of(node, needed, create_graph=False)]


def _number(x: float) -> float | str:
    """A number as JSON has it, as an int where it is one; what JSON has not, as JavaScript's ``Number`` reads it."""
    if math.isfinite(x):
        return int(x) if abs(x) < 1e15 and x == int(x) and (x or math.copysign(1.0, x) > 0.0) else x
    return "NaN" if math.isnan(x) else "Infinity" if x > 0.0 else "-Infinity"


def _place(source: tuple[str, int, str]) -> str:
    return f"{Path(source[0]).name}, line {source[1]}, in {source[2]}"


# --- the views


def _views(order: list[Value], names: dict[Value, str]) -> dict[str, Any]:
    """Drawings at every number of open scopes, and which of them is shown first."""
    value = order[-1]
    deepest = max([len(scope.split(".")) if scope else 0 for scope in {node.note.scope for node in order}])
    contents = [content_of(value)] if len(order) > OPEN_LIMIT else []
    contents += [content_of(value, depth=depth) for depth in range(deepest + 1)]
    counts: dict[int, Content] = {}
    for content in contents:
        if len(content.boxes) <= FULL or not counts:
            counts.setdefault(len(content.boxes), content)
    views = [counts[count] for count in sorted(counts)]
    readable = [i for i, content in enumerate(views) if len(content.boxes) <= OPEN_LIMIT]
    return {"views": [_view(content, order, names) for content in views], "start": max(readable, default=0)}


def _view(content: Content, order: list[Value], names: dict[Value, str]) -> dict[str, Any]:
    faces = [_face(box, names[order[box.values[-1]]]) for box in content.boxes]
    boxes = [layout.Box(face.width, face.height, box.groups) for face, box in zip(faces, content.boxes, strict=True)]
    widths = [_pill(edge) for edge in content.edges]
    links = [layout.Link(edge.tail, edge.head, width) for edge, width in zip(content.edges, widths, strict=True)]
    plan = layout.arrange(boxes, links)
    return {
        "width": plan.width,
        "height": plan.height,
        "boxes": [
            {
                **place._asdict(),
                "kind": box.kind,
                "symbol": face.symbol,
                "strip": face.strip,
                "title": face.title,
                "rows": [text for caption, text in face.rows if not caption],
                "values": box.values,
            }
            for place, box, face in zip(plan.boxes, content.boxes, faces, strict=True)
        ],
        "edges": [
            {
                "head": edge.head,
                "slot": edge.slot,
                "tail": edge.tail,
                "d": _path(route),
                "x": place[0] if place else 0,
                "y": place[1] if place else 0,
                "width": width,
                "words": edge.text,
            }
            for edge, route, place, width in zip(content.edges, plan.routes, plan.labels, widths, strict=True)
        ],
        "groups": [[*plan.groups[i], group.title] for i, group in enumerate(content.groups) if i in plan.groups],
    }


def _face(box: Box, name: str) -> Face:
    """What is written in a box; one with numbers has room for any."""
    if box.kind in ("group", "rest"):
        return face_of(box)
    face = face_of(box._replace(label=name if len(name) <= BOX_LABEL else name[: BOX_LABEL - 1] + "…"))
    room = face.strip + 2 * MARGIN + round(width_of(f"data {_NUMBER}", SIZE))
    return face._replace(width=max(face.width, room), height=54)


def _pill(edge: Edge) -> int:
    """The width of an edge's pill; a partial has room to change."""
    text = edge.text if edge.partial is None else max(edge.text, "-0.1234", key=len)
    return round(width_of(text, SIZE)) + 10 if text else 0


def _path(route: list[tuple[int, int]]) -> str:
    """The route as a path of SVG."""
    parts = [f"M{route[0][0]} {route[0][1]}"]
    for before, after in pairwise(route):
        curve = (
            ""
            if before[1] == after[1]
            else "C{} {} {} {} ".format(*[z for point in layout.curve_of(before, after) for z in point])
        )
        parts.append(f"{curve or 'L'}{after[0]} {after[1]}")
    return "".join(parts)


# --- the page


def _page(title: str, tape: dict[str, Any], table: str, theme: str) -> str:
    markup = string.Template(part("explorer.html")).substitute(_words(tape))
    code = f"const table = {{}};\n{arithmetic(table)}\n{table}\n"
    return document(title, "explorer", markup, tape, theme, lambda theme: {}, code)


def _words(tape: dict[str, Any]) -> dict[str, str]:
    """What the page says of this graph before its script runs."""
    leaves = [i for i, op in enumerate(tape["ops"]) if op < 0][:MOST_LEAVES]
    options = [f'<option value="{i}">{html.escape(tape["names"][i])}</option>' for i in leaves]
    hidden = "" if len(tape["views"]) > 1 else "hidden"
    return {"result": html.escape(tape["names"][-1]), "options": "".join(options), "scopes": hidden}


def _height(tape: dict[str, Any]) -> int:
    """Of the frame: what stands around the drawing, and the drawing."""
    height: int = tape["views"][tape["start"]]["height"]
    return 560 + max(170, min(440, height + 50))
