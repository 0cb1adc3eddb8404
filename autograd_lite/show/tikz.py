"""A figure as a LaTeX document that draws it with TikZ: the places are those of the SVG, in big points."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_lite.show.content import Box
from autograd_lite.show.figure import MARGIN, ROW, Figure, end_text
from autograd_lite.show.layout import curve_of
from autograd_lite.show.svg import flow_kind
from autograd_lite.show.theme import Theme

_PREAMBLE = r"""\documentclass[border=4bp]{standalone}
\usepackage[T1]{fontenc}
\usepackage{tikz}
\usetikzlibrary{arrows.meta}
"""
_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    '"': r"\textquotedbl{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}", "-": "{-}",
    "×": r"\(\times\)", "−": r"\(-\)", "÷": r"\(\div\)", "·": r"\(\cdot\)", "…": r"\ldots{}",
}  # fmt: skip


def tikz_of(figure: Figure, theme: Theme) -> str:
    """The figure as a document of the class standalone."""
    colours = {
        **theme.edges,
        "frame": theme.frame,
        "ink": theme.text,
        "muted": theme.muted,
        "strip": theme.strip,
        "pill": theme.pill,
    }
    for kind, (fill, line) in theme.boxes.items():
        colours |= {f"{kind}fill": fill, f"{kind}line": line}
    defined = [f"\\definecolor{{{name}}}{{HTML}}{{{colour[1:].upper()}}}\n" for name, colour in colours.items()]
    body = "".join([*_frames(figure), *_edges(figure), *_boxes(figure), *_labels(figure)])
    return (
        f"{_PREAMBLE}{''.join(defined)}\\begin{{document}}\n\\begin{{tikzpicture}}[x=1bp, y=-1bp, >={{Stealth[length=6bp]}},\n"
        f"  every node/.style={{font=\\ttfamily\\scriptsize, inner sep=2bp}}]\n{body}\\end{{tikzpicture}}\n\\end{{document}}\n"
    )


def tex_text(text: str) -> str:
    """Text as LaTeX prints it; a character outside ASCII that has no command is left to the reader's fonts."""
    return "".join([_ESCAPES.get(character, character) for character in text])


def _frames(figure: Figure) -> Iterator[str]:
    for group, (x, y, w, h) in figure.plan.groups.items():
        title = tex_text(figure.content.groups[group].title)
        yield f"\\draw[frame, dashed, rounded corners=6bp] ({x},{y}) rectangle ({x + w},{y + h});\n"
        yield f"\\node[anchor=west] at ({x + 8},{y + 11}) {{{title}}};\n"


def _edges(figure: Figure) -> Iterator[str]:
    for edge, knots in zip(figure.content.edges, figure.plan.routes, strict=True):
        kind = flow_kind(edge, figure.content.swept)
        style = f"{kind}, {'densely dotted' if kind in ('cold', 'zero') else 'thick'}{', ->' if edge.constant is None else ''}"
        x, y = knots[0]
        parts = [f"\\draw[{style}] ({x},{y})"]
        for end in knots[1:]:
            if end[1] == y:
                parts.append(f"-- ({end[0]},{end[1]})")
            else:
                one, two = curve_of((x, y), end)
                parts.append(f".. controls ({one[0]},{one[1]}) and ({two[0]},{two[1]}) .. ({end[0]},{end[1]})")
            x, y = end
        yield " ".join(parts) + ";\n"


def _boxes(figure: Figure) -> Iterator[str]:
    for box, face, (x, y, w, h) in zip(figure.content.boxes, figure.faces, figure.plan.boxes, strict=True):
        colours = "aside" if box.aside else box.kind
        style = f"fill={colours}fill, draw={colours}line, {_border(box)}"
        yield f"\\filldraw[{style}] ({x},{y}) rectangle ({x + w},{y + h});\n"
        if face.strip:
            yield f"\\fill[strip] ({x + 1},{y + 1}) rectangle ({x + face.strip},{y + h - 1});\n"
            yield f"\\node[ink] at ({x + face.strip / 2:g},{y + h / 2:g}) {{\\bfseries {tex_text(face.symbol)}}};\n"
        left, line = x + face.strip + MARGIN - 2, y + (h - face.height) // 2 + 12
        lines = [f"\\bfseries {tex_text(face.title)}"] * bool(face.title)
        lines += [f"{caption} {tex_text(text)}".strip() for caption, text in face.rows]
        for i, text in enumerate(lines):
            yield f"\\node[ink, anchor=west] at ({left},{line + i * ROW}) {{{text}}};\n"


def _border(box: Box) -> str:
    """Leaves are round, parameters have a dashed and dotted border, the output a double one, what is drawn together is
    dashed.
    """
    if box.kind == "output":
        return "double, rounded corners=" + ("3bp" if box.operation else "12bp")
    return {
        "leaf": "rounded corners=12bp",
        "parameter": "rounded corners=5bp, dash dot",
        "operation": "rounded corners=3bp",
    }.get(box.kind, "densely dashed")


def _labels(figure: Figure) -> Iterator[str]:
    for i, (edge, centre) in enumerate(zip(figure.content.edges, figure.plan.labels, strict=True)):
        if centre is not None:
            text = tex_text(end_text(figure.content, i, i in figure.plan.cut))
            border = "draw=constantline, dashed" if edge.constant is not None else "draw=none"
            style = f"ink, fill=pill, rounded corners=6bp, inner sep=1.5bp, {border}"
            yield f"\\node[{style}] at ({centre[0]},{centre[1]}) {{{text}}};\n"
