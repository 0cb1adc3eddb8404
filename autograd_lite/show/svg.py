"""A figure as SVG, with nothing but the standard library: the same bytes for the same figure, everywhere.

Each box is a group with `data-id`, `data-op` and `data-kind`, each edge a path with `data-edge` (its operand's and its
consumer's id, and the slot), inside a group for its kind of flow (`data-flow`) and width. Shapes that recur are defined once;
the name of a definition says all of it, so that several drawings on one page may share them.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from html import escape

from autograd_lite.show.content import Box, Edge
from autograd_lite.show.figure import CAPTION, MARGIN, PILL, ROW, SIZE, TITLE_SIZE, Face, Figure, end_text
from autograd_lite.show.layout import Place, curve_of
from autograd_lite.show.metrics import FONTS, width_of
from autograd_lite.show.text import shortened
from autograd_lite.show.theme import Theme

EDGE = 12  # around the drawing
ARROW = 7
TOOLTIPS = 300  # boxes up to which each has a tooltip
WIDTHS = 10  # of edges, by their flow
CELL_WIDTH = round(width_of("x", SIZE))  # of a caption
CORNER = 7  # cut from a parameter's box


def svg_of(figure: Figure, theme: Theme, title: str, description: str) -> str:
    """The drawing as a document of SVG."""
    width, height = figure.plan.width + 2 * EDGE, figure.plan.height + 2 * EDGE
    shapes: dict[str, str] = {}
    body = "".join([*_frames(figure), *_edges(figure), *_boxes(figure, theme, shapes), *_labels(figure)])
    edges = [kind for kind in theme.edges if f'data-flow="{kind}"' in body]
    backdrop = f'<rect x="{-EDGE}" y="{-EDGE}" width="{width}" height="{height}" fill="{theme.background}"/>\n'
    definitions = _definitions(theme, edges, body) + "".join(shapes.values())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{_root(theme)}" role="img" width="{width}" height="{height}"'
        f' viewBox="{-EDGE} {-EDGE} {width} {height}">\n'
        f"<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>\n"
        f"<style>{_style(theme, edges, body)}</style>\n<defs>{definitions}</defs>\n"
        f"{backdrop if theme.background else ''}{body}</svg>\n"
    )


# --- what is defined once


def _style(theme: Theme, edges: list[str], body: str) -> str:
    """The style sheet, as far as the body needs it; every rule is for drawings of this theme alone, as a page may hold
    others.
    """
    operation, aside = theme.boxes["operation"], theme.boxes["aside"]
    boxes = {**theme.boxes, "reference": operation}
    rules = [
        ([""], f"font-family:{FONTS};font-size:{SIZE}px;max-width:100%;height:auto"),
        (["text"], f"fill:{theme.text};stroke:none"),
        ([".t"], f"font-weight:700;font-size:{TITLE_SIZE}px"),
        ([".s"], "text-anchor:middle"),
        ([".c", "[data-aside] text", "text[data-aside]"], f"fill:{theme.muted}"),
        ([".p"], f"stroke:{theme.pill};stroke-width:{PILL};stroke-linecap:round;text-anchor:middle"),
        (["g[data-kind]"], "stroke-width:1.25"),
        *[
            ([f"[data-kind={kind}]"], f"fill:{fill};stroke:{line}")
            for kind, (fill, line) in boxes.items()
            if f'"{kind}"' in body
        ],
        (["[data-kind=constant]", "[data-kind=rest]"], "stroke-dasharray:3 2"),
        *[
            ([f"[data-flow={kind}]"], f"fill:none;stroke:{theme.edges[kind]};marker-end:url(#{_root(theme)}-{kind})")
            for kind in edges
        ],
    ]
    if "cold" in edges or "zero" in edges:
        rules.append((["[data-flow=cold]", "[data-flow=zero]"], "stroke-dasharray:2 3"))
    if "cold" in edges:
        rules.append((["[data-flow=cold]"], "marker-end:none"))
    if "data-scope" in body:
        rules += [([".f"], f"fill:none;stroke:{theme.frame};stroke-dasharray:6 3"), ([".n"], f"fill:{theme.pill}")]
    if "data-zero" in body:
        rules.append((["[data-zero]"], f"fill:url(#{_root(theme)}-hatching)"))
    if "data-aside" in body:
        rules.append((["g[data-aside]"], f"fill:{aside[0]};stroke:{aside[1]}"))
    if "data-bad" in body:
        rules.append((["[data-bad]"], f"stroke:{theme.edges['bad']};stroke-width:2.5"))
    root = f".{_root(theme)}"
    return "".join([",".join([f"{root} {name}".strip() for name in names]) + f"{{{rule}}}" for names, rule in rules])


def _root(theme: Theme) -> str:
    """The class of a drawing, from which the names of all that is the same in drawings of its theme are made."""
    return f"ag-{theme.name}"


def _definitions(theme: Theme, edges: list[str], body: str) -> str:
    """Hatching, and an arrowhead in the colour of each kind of edge."""
    fill, root = theme.boxes["operation"][0], _root(theme)
    hatching = (
        f'<pattern id="{root}-hatching" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<path fill="{fill}" d="M0 0h6v6h-6z"/><path fill="{theme.hatching}" d="M0 0h2v6h-2z"/></pattern>'
    )
    return hatching * ("data-zero" in body) + "".join(
        [
            f'<marker id="{root}-{kind}" markerUnits="userSpaceOnUse" markerWidth="9" markerHeight="10" refX="1" refY="5"'
            f' orient="auto"><path fill="{theme.edges[kind]}" d="M0 0l9 5l-9 5l2-5z"/></marker>'
            for kind in edges
            if kind != "cold"
        ]
    )


def _shape(box: Box, face: Face, place: Place, theme: Theme, shapes: dict[str, str]) -> str:
    """The name of a box's shape, its symbol and captions included, which is defined if it is new.

    The origin is where the first row begins. The name is a checksum of the shape: equal names mean equal shapes.
    """
    w, h = place.width, place.height
    parts = _outline(box, w, h)
    if face.strip:
        s = face.strip
        parts.append(
            f'<path d="M4.5.75H{s}v{h - 1.5:g}H4.5a3.75 3.75 0 0 1-3.75-3.75V4.5A3.75 3.75 0 0 1 4.5.75z" fill="{theme.strip}"'
            f' stroke="none"/><text x="{s / 2:g}" y="{h / 2 + 4:g}" fill="{theme.text}" stroke="none" text-anchor="middle"'
            f' font-weight="700" font-size="{TITLE_SIZE}">{escape(face.symbol)}</text>'
        )
    x, y = _origin(face, h)
    parts += [
        f'<text x="{face.strip + MARGIN}" y="{y + i * ROW}" class="c" fill="{theme.muted}" stroke="none">{caption}</text>'
        for i, (caption, _) in enumerate(face.rows)
        if caption
    ]
    body = "".join(parts)
    name = f"a{_written(zlib.crc32(f'{x} {y} {body}'.encode()))}"
    if name not in shapes:
        shapes[name] = f'<g id="{name}" transform="translate({-x} {-y})">{body}</g>'
    return name


def _written(number: int) -> str:
    """A number in digits and small letters."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def _outline(box: Box, w: int, h: int) -> list[str]:
    """The sides of a box: round for a leaf, cut for a parameter, double for the output, sheets of paper for equal siblings."""
    if box.kind == "parameter":
        c = CORNER
        return [f'<path d="M{c} 0h{w - 2 * c}l{c} {c}v{h - 2 * c}l-{c} {c}h-{w - 2 * c}l-{c}-{c}v-{h - 2 * c}z"/>']
    corner = min(16, h // 2) if box.kind == "leaf" or (box.kind == "output" and not box.operation) else 4
    behind = []
    if box.copies > 1:
        behind = [f'<rect x="{d}" y="-{d}" width="{w}" height="{h}" rx="{corner}"/>' for d in (6, 3)]
    if box.kind == "output":
        behind = [f'<rect x="-3" y="-3" width="{w + 6}" height="{h + 6}" rx="{corner + 3}" fill="none"/>']
    return [*behind, f'<rect width="{w}" height="{h}" rx="{corner}"/>']


def _origin(face: Face, height: int) -> tuple[int, int]:
    """Where the text of the first row begins, from the upper left corner of a box."""
    top = (height - face.height) // 2 + 16
    return face.strip + MARGIN + _indent(face.rows[0][0]), top + ROW * bool(face.title)


# --- the parts of a drawing, from the lowest to the uppermost


def _indent(caption: str) -> int:
    """The room that a caption takes before the text of its row."""
    return CAPTION * CELL_WIDTH if caption else 0


def _frames(figure: Figure) -> Iterator[str]:
    for group, place in figure.plan.groups.items():
        title = figure.content.groups[group].title
        name = escape(shortened(figure.content.groups[group].name))
        x, y, width, height = place
        yield (
            f'<g data-scope="{name}"><rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" class="f"/>'
            f'<rect x="{x + 8}" y="{y + 4}" width="{round(width_of(title, SIZE)) + 10}" height="{PILL}" rx="4" class="n"/>'
            f'<text x="{x + 13}" y="{y + 15}">{escape(title)}</text></g>\n'
        )


def flow_kind(edge: Edge, swept: bool) -> str:
    """How an edge is drawn: "positive", "negative", "zero" or "flat" (nothing swept yet), "cold", "bad" or "aside"."""
    if edge.aside:
        return "aside"
    if edge.flow is None:
        return "flat" if edge.slots > 1 else "cold" if not edge.text or edge.constant is not None else "bad"
    number = edge.partial if edge.partial is not None else edge.flow
    if not (math.isfinite(edge.flow) and math.isfinite(number)):
        return "bad"
    if swept:
        return "positive" if edge.flow > 0.0 else "negative" if edge.flow < 0.0 else "zero"
    return "zero" if edge.partial == 0.0 else "flat"


def flow_width(flow: float, largest: float) -> float:
    """The width of an edge: its area grows with the flow, in steps."""
    return 1.25 + 0.25 * round((WIDTHS - 1) * math.sqrt(abs(flow) / largest)) if largest and math.isfinite(flow) else 1.25


def _edges(figure: Figure) -> Iterator[str]:
    """The edges, those of a kind and width together."""
    content, plan = figure.content, figure.plan
    flows = [abs(edge.flow) for edge in content.edges if edge.flow is not None and math.isfinite(edge.flow)]
    largest = max(flows, default=0.0) if content.swept else 0.0
    styles: dict[tuple[str, float], list[int]] = {}
    for i, edge in enumerate(content.edges):
        kind = flow_kind(edge, content.swept)
        width = flow_width(edge.flow, largest) if kind in ("positive", "negative") and edge.flow is not None else 1.25
        styles.setdefault((kind, 2.25 if kind == "bad" else width), []).append(i)
    compact = len(content.boxes) > TOOLTIPS
    for (kind, width), members in sorted(styles.items()):
        yield f'<g data-flow="{kind}" stroke-width="{width:g}">\n'
        titled: dict[str, list[str]] = {}
        for i in members:
            edge = content.edges[i]
            tail = "" if edge.tail is None else content.boxes[edge.tail].id
            data = path_of(plan.routes[i], 0 if edge.tail is None else ARROW + 1)
            path = f'<path data-edge="{tail} {content.boxes[edge.head].id} {edge.slot}" d="{data}"'
            titled.setdefault(escape(edge.formula if compact else _edge_title(edge)), []).append(path)
        for title, paths in titled.items():
            if compact:  # the edges of a formula share its title
                yield f"<g><title>{title}</title>{'/>'.join(paths)}/></g>\n" if title else f"{'/>'.join(paths)}/>\n"
            else:
                yield "".join([f"{path}><title>{title}</title></path>\n" if title else f"{path}/>\n" for path in paths])
        yield "</g>\n"


def _edge_title(edge: Edge) -> str:
    """The formula of the partial, its number to the last digit, and what the sweep brought along the edge."""
    if edge.partial is None:
        return edge.formula
    title = f"{edge.formula or 'partial'} = {edge.partial!r}"
    return title if not edge.flow else f"{title}; brings {edge.flow!r}"


def path_of(knots: list[tuple[int, int]], short: int = ARROW + 1) -> str:
    """A route as the data of a path, relative to its start, which ends so much before its last knot: where the arrowhead is."""
    x, y = knots[0]
    parts = [f"M{x} {y}"]
    last = len(knots) - 1
    for i, end in enumerate(knots[1:], 1):
        width, climb = end[0] - x - (short if i == last else 0), end[1] - y
        if climb:
            one, two = curve_of((x, y), end)
            parts.append(f"c{one[0] - x} 0 {two[0] - x} {climb} {width} {climb}")
        elif width:
            parts.append(f"h{width}")
        x, y = end
    return "".join(parts).replace(" -", "-")


def _boxes(figure: Figure, theme: Theme, shapes: dict[str, str]) -> Iterator[str]:
    content = figure.content
    tooltips = len(content.boxes) <= TOOLTIPS
    for box, face, place in zip(content.boxes, figure.faces, figure.plan.boxes, strict=True):
        flags = ' data-aside=""' if box.aside else ""
        if box.kind not in ("group", "rest") and not box.aside:
            if not (math.isfinite(box.data) and math.isfinite(box.grad)):
                flags = ' data-bad=""'
            elif content.swept and box.grad == 0.0:
                flags = ' data-zero=""'
        if len(box.values) > 1:
            flags += f' data-values="{len(box.values)}"'
        x, y = _origin(face, place.height)
        kind = f'data-id="{box.id}" data-op="{box.operation}" data-kind="{box.kind}"{flags}'
        parts = [f'<g {kind} transform="translate({place.x + x} {place.y + y})">']
        if tooltips:
            parts.append(f"<title>{escape(_box_title(box))}</title>")
        parts.append(f'<use href="#{_shape(box, face, place, theme, shapes)}"/>')
        if face.title:
            parts.append(f'<text x="{face.strip + MARGIN - x}" y="-{ROW}" class="t">{escape(face.title)}</text>')
        for i, (caption, text) in enumerate(face.rows):
            indent = _indent(caption) - _indent(face.rows[0][0])
            place_in_box = (f' x="{indent}"' if indent else "") + (f' y="{i * ROW}"' if i else "")
            parts.append(f"<text{place_in_box}>{escape(text)}</text>")
        yield "".join([*parts, "</g>\n" if tooltips else "</g>"])


def _box_title(box: Box) -> str:
    if box.kind == "group":
        return f"{box.label}: {len(box.values)} values"
    if box.kind == "rest":
        return f"{len(box.values)} values that are not shown"
    name = f"{box.label}: " if box.label else ""
    return f"{name}{box.operation or 'leaf'}, data {box.data!r}, grad {box.grad!r}"


def _labels(figure: Figure) -> Iterator[str]:
    """The pills of the edges, on top of everything: partials, constants, and names of operands that are not drawn across."""
    pills, texts, chips = [], [], []
    for i, (edge, width, centre) in enumerate(zip(figure.content.edges, figure.labels, figure.plan.labels, strict=True)):
        if centre is None:
            continue
        x, y = centre
        text = escape(end_text(figure.content, i, i in figure.plan.cut))
        aside = ' data-aside=""' if edge.aside else ""
        if edge.tail is None or i in figure.plan.cut:
            kind = "constant" if edge.tail is None else "reference"
            chips.append(
                f'<g data-kind="{kind}"{aside}><rect x="{x - width / 2:g}" y="{y - 8}" width="{width}" height="16" rx="8"/>'
                f'<text x="{x}" y="{y + 4}" class="s">{text}</text></g>\n'
            )
        else:
            pills.append(f"M{x - max(0, width - PILL) // 2} {y}h{max(0, width - PILL)}")
            texts.append(f'<text x="{x}" y="{y + 4}"{aside}>{text}</text>')
    if texts:
        yield f'<g class="p"><path d="{"".join(pills)}"/>\n'
        yield from texts
        yield "</g>\n"
    yield from chips
