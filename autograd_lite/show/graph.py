"""`value.graph()`: the graph below a value, to be seen in a notebook, printed, converted and saved.

Each value is drawn once. Each operand slot is an edge of its own, so ``x * x`` has two, and carries the number of its local
partial: what the reverse sweep multiplies the adjoint by. An edge that the sweep does not pass (from a constant, or into a
slot without a derivative) is dashed and carries none. The order of everything depends on the program alone: the same program
gives the same bytes. Nothing recurses, and nothing that a graph holds makes a drawing fail.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from autograd_lite.engine import Value
from autograd_lite.graph_json import graph_to_json
from autograd_lite.show import raster
from autograd_lite.show.content import Content, content_of
from autograd_lite.show.dot import digraph_of, dot_of
from autograd_lite.show.dot import quotable as quotable
from autograd_lite.show.dot import to_dot as to_dot
from autograd_lite.show.dot import to_graphviz as to_graphviz
from autograd_lite.show.engines import NoEngineError, drawn_by_graphviz
from autograd_lite.show.figure import Figure, figure_of
from autograd_lite.show.mermaid import mermaid_of
from autograd_lite.show.svg import EDGE, svg_of
from autograd_lite.show.text import printable as printable
from autograd_lite.show.text import short as short
from autograd_lite.show.text import shortened as shortened
from autograd_lite.show.text import shorter
from autograd_lite.show.theme import THEMES, theme_of
from autograd_lite.show.tikz import tikz_of
from autograd_lite.show.tree import LIMIT
from autograd_lite.show.tree import tree as tree
from autograd_lite.sweep import topological_order

NAMED_LEAVES = 12  # in the description of a picture


class Options(NamedTuple):
    """How a graph is drawn; see `graph`."""

    wrt: Any = None
    depth: float | None = None
    parameters: Any = None
    theme: str = "auto"
    engine: str = "builtin"


class Graph:
    """What can be drawn of the graph below a value; made by `value.graph()`.

    Every method reads the numbers and gradients as they are when it is called.

    >>> import autograd_lite as ag
    >>> a = ag.Value(3.0, label="a")

    >>> print((a * a).graph().to_mermaid().rstrip())
    flowchart LR
        n0(["a<br>data 3<br>grad 0"])
        n1[["×<br>data 9<br>grad 0"]]
        n0 -- "3" --> n1
        n0 -- "3" --> n1
    """

    __slots__ = ("options", "value")

    def __init__(self, value: Value, options: Options | None = None) -> None:
        if not isinstance(value, Value):
            raise TypeError(f"graph draws what a Value was computed from, not {type(value).__name__} {value!r:.60}")
        self.value = value
        self.options = options or Options()
        theme_of(self.options.theme)
        if self.options.engine not in ("builtin", "dot"):
            raise ValueError(f"no engine {self.options.engine!r:.40}: there are builtin and dot")

    def content(self) -> Content:
        """Boxes and edges, without geometry; see `content.content_of`."""
        wrt, depth, parameters, *_ = self.options
        return content_of(self.value, wrt=wrt, depth=depth, parameters=parameters)

    def figure(self) -> Figure:
        """The content laid out; see `figure.figure_of`."""
        return figure_of(self.content())

    def to_svg(self) -> str:
        """The picture as SVG: drawn with nothing but Python, or with `engine="dot"` by an installed Graphviz."""
        if self.options.engine == "dot":
            try:
                return drawn_by_graphviz(dot_of(self.content()))
            except NoEngineError as error:
                _warn_once(str(error))
        return self._builtin(self.figure())

    def _builtin(self, figure: Figure) -> str:
        return svg_of(figure, theme_of(self.options.theme), _title(self.value), _description(figure.content))

    def to_png(self, scale: float = raster.SCALE) -> bytes:
        """The built-in picture as PNG, `scale` pixels for one of SVG. Raises ImportError if typst is missing."""
        figure = self.figure()
        return raster.png_of(self._builtin(figure), *_size(figure), scale)

    def to_pdf(self) -> bytes:
        """The built-in picture as PDF. Raises ImportError if typst is missing."""
        return raster.pdf_of(self._builtin(self.figure()))

    def to_html(self) -> str:
        """The picture as a page that needs nothing else."""
        title = escape(_title(self.value))
        theme = theme_of(self.options.theme)
        background, heading = (theme.background, theme.text) if theme.background else ("Canvas", "CanvasText")
        return (
            f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
            f"<style>:root{{color-scheme:light dark}}body{{margin:1rem;background:{background}}}"
            f"h1{{font:600 1rem sans-serif;color:{heading}}}</style>\n</head>\n"
            f"<body>\n<main>\n<h1>{title}</h1>\n{self.to_svg()}</main>\n</body>\n</html>\n"
        )

    def to_dot(self) -> str:
        """The graph in the DOT language, left to right: all of it, unless scopes are closed by `depth`."""
        return dot_of(self._whole())

    def to_graphviz(self) -> Any:
        """The graph as a `graphviz.Digraph` with the source of `to_dot`. Raises ImportError if graphviz is missing."""
        return digraph_of(self._whole())

    def to_mermaid(self) -> str:
        """The graph as a Mermaid flowchart, all of it, unless scopes are closed by `depth`."""
        return mermaid_of(self._whole())

    def _whole(self) -> Content:
        wrt, depth, parameters, *_ = self.options
        return content_of(self.value, wrt=wrt, depth=math.inf if depth is None else depth, parameters=parameters, limit=None)

    def to_tex(self) -> str:
        """The built-in picture as a LaTeX document that draws it with TikZ."""
        return tikz_of(self.figure(), THEMES["light"])

    def to_json(self) -> str:
        """The graph itself, which `graph_from_json` reads. Raises StaleGraphError if `.data` was changed after recording."""
        return graph_to_json(self.value)

    def tree(self, limit: int | None = LIMIT) -> str:
        """The graph as a tree of text; see `tree`."""
        return tree(self.value, limit)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write what the suffix says: svg, png, pdf, html, dot (or gv), mmd, tex, json, txt.

        Raises ValueError for another suffix, ImportError if what draws PNG and PDF is missing, OSError if it cannot be written.
        """
        suffix = Path(path).suffix.lower()
        if suffix not in _WRITERS:
            raise ValueError(f"save writes {', '.join(_WRITERS)} by the suffix of the file, not {suffix or os.fspath(path)!r}")
        written = _WRITERS[suffix](self)
        Path(path).write_bytes(written.encode() if isinstance(written, str) else written)

    def __str__(self) -> str:
        return self.tree()

    def __repr__(self) -> str:
        order = topological_order(self.value)
        operands = [x for node in order for x in node.args]
        edges = sum([isinstance(x, Value) for x in operands])
        return f"<Graph of {self.value!r}; values: {len(order)}, edges: {edges}, constants: {len(operands) - edges}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """The picture as SVG, and as PNG where what draws it is installed; the tree as plain text."""
        figure = self.figure()
        width, height = _size(figure)
        svg = self._builtin(figure)
        shown = self.to_svg() if self.options.engine == "dot" else svg
        bundle: dict[str, Any] = {"text/plain": self.tree(), "image/svg+xml": shown}
        metadata: dict[str, Any] = {}
        if raster.is_installed() and _wanted("image/png", include, exclude):
            bundle["image/png"] = raster.png_of(svg, width, height)
            metadata["image/png"] = {"width": width, "height": height}
        return {kind: form for kind, form in bundle.items() if _wanted(kind, include, exclude)}, metadata


_WRITERS: dict[str, Callable[[Graph], str | bytes]] = {
    ".svg": Graph.to_svg,
    ".png": Graph.to_png,
    ".pdf": Graph.to_pdf,
    ".html": Graph.to_html,
    ".dot": Graph.to_dot,
    ".gv": Graph.to_dot,
    ".mmd": Graph.to_mermaid,
    ".tex": Graph.to_tex,
    ".json": Graph.to_json,
    ".txt": lambda graph: graph.tree(None) + "\n",
}


def graph(
    value: Value,
    *,
    wrt: Value | Iterable[Value] | None = None,
    depth: float | None = None,
    parameters: Any = None,
    theme: str = "auto",
    engine: str = "builtin",
) -> Graph:
    """The graph of everything this value was computed from, to be drawn.

    `wrt` keeps in colour what lies between these Values and the result. `depth` is how many scopes inside one another are
    drawn open: all of them up to 150 values, then as many as leave 40 boxes; math.inf for all. `parameters` (a module, a
    mapping of names to Values, or Values) are drawn as such. `theme` is "auto" (readable on any background), "light" or
    "dark"; `engine` is "builtin", or "dot" for an installed Graphviz.

    Raises TypeError if the value, or one of `wrt` and `parameters`, is no Value; ValueError for another theme, engine or depth.

    >>> import autograd_lite as ag
    >>> a = ag.Value(3.0, label="a")

    >>> (a * a).graph()
    <Graph of Value(9.0, grad=0.0, op=multiply); values: 2, edges: 2, constants: 0>
    """
    return Graph(value, Options(wrt, depth, parameters, theme, engine))


def _wanted(kind: str, include: Any, exclude: Any) -> bool:
    return (not include or kind in include) and kind not in (exclude or ())


def _size(figure: Figure) -> tuple[int, int]:
    return figure.plan.width + 2 * EDGE, figure.plan.height + 2 * EDGE


def _title(value: Value) -> str:
    """What a picture is called."""
    label = f"{shortened(value.label)} = " if value.label else ""
    return f"Computational graph of {label}{shorter(value.data)}"


def _description(content: Content) -> str:
    """What a picture shows, for those who do not see it."""
    edges = sum([edge.constant is None for edge in content.edges])
    text = f"{len(content.order):,} values in {len(content.boxes):,} boxes, {edges:,} edges."
    leaves = [box for box in content.boxes if box.kind in ("leaf", "parameter") and box.label][:NAMED_LEAVES]
    told = [
        f"{box.label} = {short(box.data)}" + (f" with gradient {short(box.grad)}" if content.swept else "") for box in leaves
    ]
    return f"{text} {'; '.join(told)}." if told else text


_warned: set[str] = set()


def _warn_once(reason: str) -> None:
    if not _warned:
        _warned.add(reason)
        warnings.warn(f"autograd_lite draws with its own layout: {reason}", RuntimeWarning, stacklevel=4)
