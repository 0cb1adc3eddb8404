"""A content laid out: what is written in each box, how large it is, and where everything lies. Pixels; no colours.

    >>> import autograd_lite as ag
    >>> from autograd_lite.show.content import content_of
    >>> x = ag.Value(3.0, "x")
    >>> figure = figure_of(content_of(x * x))
    >>> [(face.symbol, face.title, face.rows) for face in figure.faces]
    [('', 'x', [('data', '3'), ('grad', '0')]), ('×', '', [('data', '9'), ('grad', '0')])]
    >>> len(figure.plan.routes)
    2

A renderer draws `content.boxes[i]` with `faces[i]` at `plan.boxes[i]`, and `content.edges[i]` along `plan.routes[i]` with its
text at `plan.labels[i]`, in a pill `labels[i]` wide and `PILL` high; `layout` says what a route is.
"""

from __future__ import annotations

from typing import NamedTuple

from autograd_lite.show import layout
from autograd_lite.show.content import Box, Content, Edge
from autograd_lite.show.metrics import width_of
from autograd_lite.show.text import shorter

SIZE = 11  # of the font
TITLE_SIZE = 12  # of labels and operations, which are bold
ROW = 14
PILL = 15
MARGIN = 8  # between text and the side of its box
CAPTION = 5  # characters from a caption to its number
REFERENCE = 12  # characters of the name at the end of an edge that is not drawn across


class Face(NamedTuple):
    """What is written in a box: the operation in a strip on the left (`strip` wide, 0: none), a title, and rows below it.

    A row is a caption and a text; in a closed box captions are empty.
    """

    symbol: str
    strip: int
    title: str
    rows: list[tuple[str, str]]
    width: int
    height: int


class Figure(NamedTuple):
    """A content, the face of each box, the width of each edge's pill (0: none), and the arrangement of all of it."""

    content: Content
    faces: list[Face]
    labels: list[int]
    plan: layout.Arrangement


def figure_of(content: Content) -> Figure:
    """The content laid out from left to right."""
    faces = [face_of(box) for box in content.boxes]
    labels = [_label_width(edge.text) for edge in content.edges]
    boxes = [layout.Box(face.width, face.height, box.groups) for face, box in zip(faces, content.boxes, strict=True)]
    links = [layout.Link(edge.tail, edge.head, width) for edge, width in zip(content.edges, labels, strict=True)]
    plan = layout.arrange(boxes, links, lambda i: _label_width(end_text(content, i, cut=True)))
    for i in plan.cut:
        labels[i] = _label_width(end_text(content, i, cut=True))
    return Figure(content, faces, labels, plan)


def end_text(content: Content, edge: int, cut: bool) -> str:
    """What stands in the pill of an edge: the partial; before it the operand, where the edge is not drawn across."""
    shown: Edge = content.edges[edge]
    if not cut or shown.tail is None:
        return shown.text
    operand = content.boxes[shown.tail]
    name = operand.label or operand.id
    return f"{name if len(name) <= REFERENCE else name[: REFERENCE - 1] + '…'} · {shown.text}" if shown.text else name


def face_of(box: Box) -> Face:
    """What is written in a box, and its size."""
    if box.kind == "group":
        title = f"{box.label} ×{box.copies}" if box.copies > 1 else box.label
        rows = [("", _counted(box.operations, box.copies, "operation"))]
        if len(box.values) > box.operations:
            rows.append(("", _counted(len(box.values) - box.operations, box.copies, "leaf", "leaves")))
        if box.result:
            rows += [("data", shorter(box.data)), ("grad", shorter(box.grad))]
    elif box.kind == "rest":
        title, rows = "…", [("", f"{_counted(len(box.values), 1, 'value')} more")]
    else:
        title, rows = box.label, [("data", shorter(box.data)), ("grad", shorter(box.grad))]
    strip = round(width_of(box.symbol, TITLE_SIZE)) + 14 if box.symbol else 0
    texts = [width_of(title, TITLE_SIZE)] + [
        width_of(text, SIZE) + (round(width_of("x", SIZE)) * CAPTION if caption else 0.0) for caption, text in rows
    ]
    lines = len(rows) + bool(title)
    return Face(box.symbol, strip, title, rows, strip + round(max(texts)) + 2 * MARGIN, lines * ROW + 10)


def _counted(number: int, copies: int, one: str, many: str = "") -> str:
    each = number // copies
    noun = one if each == 1 else many or one + "s"
    return f"{each:,} {noun}{' each' if copies > 1 else ''}"


def _label_width(text: str) -> int:
    return 2 * round(0.5 * width_of(text, SIZE)) + 11 if text else 0  # odd, as PILL is: its middle is a pixel
