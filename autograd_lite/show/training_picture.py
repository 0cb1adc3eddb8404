"""The picture of a training at one epoch: decision regions with the points, the network, the curves. The same bytes everywhere.

A `Scene` is what stays the same, a `Moment` what an epoch changes; the page of a training moves from one moment to the next in
the picture of the last one. Colours come by name, so that a page can have variables in their place.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from autograd_lite.show import raster
from autograd_lite.show.axis import Axis
from autograd_lite.show.curves import Curve
from autograd_lite.show.metrics import FONTS, width_of
from autograd_lite.show.network import LEVELS, Network
from autograd_lite.show.regions import BANDS, NODES, UNIT
from autograd_lite.show.samples import Samples
from autograd_lite.show.text import short
from autograd_lite.show.theme import Theme, theme_of

WIDTH = 840
PLOT = 360  # each side of the regions
SCALE = PLOT / (NODES - 1) / UNIT  # pixels for one of an outline's units
LEFT, TOP, RIGHT = 52, 76, WIDTH - 18  # of the regions; of the panels on the right
MIDDLE = LEFT + PLOT + 36  # where these begin
NETWORK_HEIGHT = 218
SIZE, LINE = 11, 15
SHAPES = (  # of the points of each class
    "m-3.5-3.5h7v7h-7z",
    "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    "m0-4.6l4.3 7.6h-8.6z",
    "m0-5l5 5l-5 5l-5-5z",
    "m-1.5-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z",
    "m0 4.6l4.3-7.6h-8.6z",
    "m-2.5-4.3h5l2.5 4.3l-2.5 4.3h-5l-2.5-4.3z",
)
TINTS = (0.2, 0.34, 0.48, 0.62)  # of a class's colour in its regions, by BANDS
BEND = 0.3  # of an edge's length, that is level at either end
MARK = 3.5  # radius, on a curve
CROSS = "m-4-4l8 8m0-8l-8 8"


class Moment(NamedTuple):
    """An epoch: its name, what is said of it, and what changes in the picture."""

    epoch: str
    words: str
    outlines: list[list[str]]
    weights: list[int | None]
    biases: list[int | None]
    wrong: list[bool]  # of the points that are drawn
    marks: list[tuple[float, float | None]]  # on the curves, as far as there is a number


class Scene(NamedTuple):
    """What is drawn at every epoch."""

    samples: Samples | None
    axes: tuple[Axis, Axis] | None  # of the points; None where the regions are left out
    classes: list[str]  # of the regions
    network: Network | None
    largest: list[float]  # weight, and bias, of all epochs
    epochs: Axis
    curves: dict[str, Curve]  # loss, accuracy
    notes: list[str]

    @property
    def right(self) -> tuple[float, float]:
        """Where the panels on the right begin and end."""
        return (MIDDLE if self.axes else 18), RIGHT

    @property
    def plot(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the curves."""
        left, right = self.right
        top = TOP + (NETWORK_HEIGHT + 36 if self.network else 0)
        return left + 46, top, right - (44 if "accuracy" in self.curves else 6), TOP + PLOT if self.axes else top + 108

    @property
    def height(self) -> int:
        """Of the picture."""
        return round(self.plot[3] + 34 + LINE * len(self.notes) + 6 * bool(self.notes))


# --- colours


def colours_of(theme: Theme) -> dict[str, str]:
    """The colours of a picture, by name."""
    card = theme.boxes["operation"][0]
    hues = [
        theme.edges["negative"],
        theme.edges["positive"],
        *[theme.boxes[kind][1] for kind in ("parameter", "group", "output")],
    ]
    colours = {
        "card": card,
        "line": theme.frame,
        "ink": theme.text,
        "muted": theme.muted,
        "hatching": theme.hatching,
        **{kind: theme.edges[kind] for kind in ("positive", "negative", "zero", "bad")},
        "accuracy": theme.boxes["parameter"][1],
    }
    for i, hue in enumerate([*hues, "#c2488f", "#2b8f8f"]):
        colours[f"class{i}"] = hue
        colours |= {f"tint{i}{k}": _mixed(hue, card, share) for k, share in enumerate(TINTS)}
    return colours


def _mixed(one: str, other: str, share: float) -> str:
    parts = [(int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join([f"{round(share * a + (1.0 - share) * b):02x}" for a, b in parts])


# --- the picture


def picture(scene: Scene, moment: Moment, colours: dict[str, str], root: str) -> str:
    """The picture as a document of SVG; `root` is the class of its outermost element, from which its style begins."""
    body = "".join(
        [
            *_header(moment),
            *(_regions(scene, moment, root) if scene.axes else ()),
            *(_network(scene, scene.network, moment) if scene.network else ()),
            *_curves(scene, moment),
            *_notes(scene),
        ]
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{root}" role="img" width="{WIDTH}" height="{scene.height}"'
        f' viewBox="0 0 {WIDTH} {scene.height}">\n<title>{escape(title_of(moment))}</title>\n'
        f"<desc>{escape(_description(scene))}</desc>\n<style>{_style(scene, colours, root)}</style>\n"
        f'<rect x=".5" y=".5" width="{WIDTH - 1}" height="{scene.height - 1}" rx="10" class="card"/>\n{body}</svg>\n'
    )


def title_of(moment: Moment) -> str:
    """What the picture of a moment is called."""
    return f"Training, {moment.epoch}{': ' if moment.words else ''}{moment.words}"


def _description(scene: Scene) -> str:
    parts = []
    if scene.axes and scene.samples:
        parts.append(f"Decision regions of {len(scene.classes)} classes with {len(scene.samples.drawn):,} points.")
    if scene.network:
        parts.append(f"The network {_sizes(scene.network)} with {len(scene.network.links):,} weights drawn as edges.")
    parts.append(f"Curves of {' and '.join(scene.curves)}." if scene.curves else "Nothing was recorded yet.")
    return " ".join([*parts, *[f"{note}." for note in scene.notes]])


def _style(scene: Scene, colours: dict[str, str], root: str) -> str:
    c = colours
    rules = {
        "": f"font-family:{FONTS};font-size:{SIZE}px;max-width:100%;height:auto",
        "text": f"fill:{c['ink']};stroke:none",
        ".t": "font-weight:700;font-size:12px",
        ".h": "font-size:13px",
        ".m": f"fill:{c['muted']}",
        ".e": "text-anchor:end",
        ".s": "text-anchor:middle",
        ".card": f"fill:{c['card']};stroke:{c['line']}",
        ".hatching": f"fill:{c['hatching']}",
        ".dots": f"fill:{c['muted']}",
        ".frame": f"fill:none;stroke:{c['line']}",
        ".edge": f"stroke:{c['ink']};stroke-width:1.2",
        ".p": f"stroke:{c['card']};stroke-width:.8",
        ".p.wrong": f"stroke:{c['ink']};stroke-width:2",
        ".any": f"fill:{c['ink']}",
        ".w": "fill:none",
        ".neuron": f"fill:{c['card']};stroke:{c['muted']}",
        ".positive": f"stroke:{c['positive']}",
        ".negative": f"stroke:{c['negative']}",
        ".zero": f"stroke:{c['zero']};stroke-dasharray:2 3",
        ".bad": f"stroke:{c['bad']};stroke-dasharray:5 2",
        ".disc.positive": f"fill:{c['positive']};stroke:none",
        ".disc.negative": f"fill:{c['negative']};stroke:none",
        ".disc.bad": f"fill:{c['bad']};stroke:none",
        ".grid": f"stroke:{c['line']};stroke-opacity:.35;fill:none",
        ".loss": f"fill:none;stroke:{c['ink']};stroke-width:1.6;stroke-linejoin:round",
        ".accuracy": f"fill:none;stroke:{c['accuracy']};stroke-width:1.6;stroke-dasharray:5 2",
        ".mark": f"fill:{c['card']};stroke-dasharray:none;stroke-width:2",
        ".missing": f"stroke:{c['bad']};stroke-width:1.6;fill:none",
        ".now": f"stroke:{c['muted']};stroke-dasharray:2 2",
    }
    kinds = max([*(scene.samples.classes if scene.samples else ()), len(scene.classes) - 1], default=-1) + 1
    for i in range(min(kinds, len(SHAPES))):
        rules[f".c{i}"] = f"fill:{c[f'class{i}']}"
        if i < len(scene.classes):
            rules |= {f".r{i}{k}": f"fill:{c[f'tint{i}{k}']}" for k in range(len(BANDS))}
    if scene.axes:
        rules[".regions path:first-child"] = f"stroke:{c['ink']};stroke-width:{1.2 / SCALE:.3g}"
        rules[".gap"] = f"fill:url(#{root}-gap)"
    return "".join([f".{root} {selector}{{{rule}}}" if selector else f".{root}{{{rule}}}" for selector, rule in rules.items()])


def _header(moment: Moment) -> Iterator[str]:
    yield (
        f'<text x="18" y="30" class="h"><tspan class="t epoch" font-size="15">{escape(moment.epoch)}</tspan>'
        f'<tspan dx="14" class="words">{escape(moment.words)}</tspan></text>\n'
    )


def _notes(scene: Scene) -> Iterator[str]:
    top = scene.plot[3] + 44
    for i, note in enumerate(scene.notes):
        yield f'<text x="18" y="{top + i * LINE:g}" class="m">{escape(note)}</text>\n'


# --- decision regions


def _regions(scene: Scene, moment: Moment, root: str) -> Iterator[str]:
    yield f'<text x="18" y="{TOP - 14}" class="t">Decision regions</text>\n'
    yield from _legend(scene)
    pattern = (
        f'<pattern id="{root}-gap" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<path class="hatching" d="M0 0h2v8h-2z"/></pattern>'
    )
    frame = f'x="{LEFT}" y="{TOP}" width="{PLOT}" height="{PLOT}"'
    yield f'<defs>{pattern}</defs>\n<rect {frame} class="gap"/>\n'
    yield f'<g class="regions" transform="translate({LEFT} {TOP}) scale({SCALE:g})">\n'
    for i, paths in enumerate(moment.outlines):
        drawn = "".join([f'<path class="r{i}{k}" d="{path}"/>' for k, path in enumerate(paths)])
        yield f"<g>{drawn}</g>\n"
    yield f'</g>\n<rect {frame} class="frame edge"/>\n'
    if scene.axes and scene.samples:
        yield from _ticks(scene.axes)
        yield from _points(scene.axes, scene.samples, moment.wrong)


def place_of(axes: tuple[Axis, Axis], point: Sequence[float]) -> tuple[float, float]:
    """Where a point lies in the picture."""
    return LEFT + PLOT * axes[0].share(point[0]), TOP + PLOT * (1.0 - axes[1].share(point[1]))


def _ticks(axes: tuple[Axis, Axis]) -> Iterator[str]:
    bottom = TOP + PLOT
    for share, text in axes[0].ticks(6):
        x = f"{LEFT + PLOT * share:.4g}"
        yield f'<path class="frame" d="M{x} {bottom}v4"/><text x="{x}" y="{bottom + 16}" class="m s">{text}</text>'
    for share, text in axes[1].ticks(6):
        y = bottom - PLOT * share
        yield f'<path class="frame" d="M{LEFT} {y:.4g}h-4"/><text x="{LEFT - 7}" y="{y + 4:.4g}" class="m e">{text}</text>'
    yield "\n"


def _points(axes: tuple[Axis, Axis], samples: Samples, wrong: Sequence[bool]) -> Iterator[str]:
    yield '<g class="points">\n'
    for i, is_wrong in zip(samples.drawn, wrong, strict=True):
        if all([math.isfinite(x) for x in samples.rows[i]]):
            x, y = place_of(axes, samples.rows[i])
            kind = samples.classes[i] % len(SHAPES) if samples.names else None
            style, shape = ("any", SHAPES[1]) if kind is None else (f"c{kind}", SHAPES[kind])
            yield f'<path class="p {style}{" wrong" if is_wrong else ""}" d="M{x:.2f} {y:.2f}{shape}"/>\n'
        else:
            yield '<path class="p"/>\n'
    yield "</g>\n"


def _legend(scene: Scene) -> Iterator[str]:
    """The shapes and names of the classes, from right to left."""
    names = scene.classes
    x: float = LEFT + PLOT
    room = max(1, int((220 / max(1, len(names)) - 22) / width_of("x", SIZE)))
    for i in reversed(range(len(names))):
        name = names[i] if len(names[i]) <= room else names[i][:room]
        x -= width_of(name, SIZE)
        yield f'<path class="p c{i}" d="M{x - 9:.1f} {TOP - 18}{SHAPES[i]}"/>'
        yield f'<text x="{x:.1f}" y="{TOP - 14}">{escape(name)}</text>'
        x -= 26
    yield "\n"


# --- the network


def _sizes(network: Network) -> str:
    sizes = [str(column.size) for column in network.columns]
    return "-".join(sizes if len(sizes) <= 6 else [*sizes[:3], "…", *sizes[-2:]])


def _centres(scene: Scene, network: Network) -> dict[tuple[int, int], tuple[float, float]]:
    """Where the neurons lie, by column and number."""
    left, right = scene.right
    left, right = left + 26, right - 14
    middle = TOP + NETWORK_HEIGHT / 2
    found = {}
    for place, k in enumerate(network.places):
        column = network.columns[k]
        x = left + (right - left) * place / max(1, len(network.places) - 1)
        rows = len(column.drawn) + _cut(network, k)
        step = min(40.0, NETWORK_HEIGHT / rows)
        for row, neuron in enumerate(column.drawn):
            below = _cut(network, k) and neuron > row
            found[k, neuron] = x, middle + step * (row + below - (rows - 1) / 2)
    return found


def _cut(network: Network, column: int) -> bool:
    """Whether there are neurons of a column that are not drawn."""
    return len(network.columns[column].drawn) < network.columns[column].size


def radius_of(network: Network) -> float:
    """The radius of a neuron."""
    return min(11.0, 0.4 * min([NETWORK_HEIGHT / (len(network.columns[k].drawn) + _cut(network, k)) for k in network.places]))


def sign_of(level: int | None) -> str:
    """The class of what has a sign."""
    return "bad" if level is None else "positive" if level > 0 else "negative" if level else "zero"


def width_of_edge(level: int | None, widest: float) -> float:
    """The width of an edge, which grows with its weight."""
    return 1.5 if level is None else 0.15 + (widest - 0.15) * (abs(level) / LEVELS) ** 1.5 if level else 0.8


def widest_of(network: Network) -> float:
    """The width of the largest weight: less, where many edges lie beside one another."""
    return 0.6 + 0.3 * radius_of(network)


def radius_of_disc(level: int | None, radius: float) -> float:
    """The radius of the disc in a neuron: its area is the bias."""
    return (radius - 1.0) * (1.0 if level is None else math.sqrt(abs(level) / LEVELS))


def _network(scene: Scene, network: Network, moment: Moment) -> Iterator[str]:
    left, right = scene.right
    yield f'<text x="{left}" y="{TOP - 14}" class="t">Network {_sizes(network)}</text>'
    yield (
        f'<g transform="translate({right} {TOP - 14})"><path class="w positive" stroke-width="3" d="M-177-4h12"/>'
        '<text x="-161">+</text><path class="w negative" stroke-width="3" d="M-146-4h12"/><text x="-130">− weight</text>'
        '<circle cx="-50" cy="-4" r="5.5" class="neuron"/><circle cx="-50" cy="-4" r="3.5" class="disc positive"/>'
        '<text class="e">± bias</text></g>\n'
    )
    centres, radius, widest = _centres(scene, network), radius_of(network), widest_of(network)
    yield '<g class="weights">\n'
    for link, level in zip(network.links, moment.weights, strict=True):
        (x, y), (z, w) = centres[link.column - 1, link.tail], centres[link.column, link.head]
        x, z = x + radius, z - radius
        bend = (z - x) * BEND
        yield (
            f'<path class="w {sign_of(level)}" data-edge="{link.column} {link.tail} {link.head}"'
            f' stroke-width="{width_of_edge(level, widest):.2f}"'
            f' d="M{x:.1f} {y:.1f}c{bend:.1f} 0 {z - x - bend:.1f} {w - y:.1f} {z - x:.1f} {w - y:.1f}"/>\n'
        )
    yield '</g>\n<g class="neurons">\n'
    for (k, neuron), (x, y) in centres.items():
        name = f"input {neuron + 1}" if k == 0 else f"layer {k}, neuron {neuron + 1}"
        circle = f'<circle class="neuron" data-neuron="{k} {neuron}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}">'
        yield f"{circle}<title>{name}</title></circle>\n"
        if k == 0:
            yield f'<text x="{x - radius - 4:.1f}" y="{y + 4:.1f}" class="m e">{_input(neuron)}</text>\n'
    for k, before in zip(network.places[1:], network.places[:-1], strict=True):
        if before != k - 1:
            yield _dots((centres[k, 0][0] + centres[before, 0][0]) / 2, TOP + NETWORK_HEIGHT / 2, 8.0, 0.0)
    for k in network.places:
        if _cut(network, k):
            drawn = network.columns[k].drawn
            after = next(i for i, neuron in enumerate(drawn) if neuron != i)
            x, y = centres[k, drawn[after]]
            yield _dots(x, (y + centres[k, drawn[after - 1]][1]) / 2, 0.0, 4.0)
    yield '</g>\n<g class="biases">\n'
    for (k, neuron, _), level in zip(network.biases, moment.biases, strict=True):
        x, y = centres[k, neuron]
        yield f'<circle class="disc {sign_of(level)}" cx="{x:.1f}" cy="{y:.1f}" r="{radius_of_disc(level, radius):.2f}"/>\n'
    yield "</g>\n"


def _dots(x: float, y: float, across: float, down: float) -> str:
    """Three dots for what is not drawn."""
    circles = [f'<circle cx="{x + i * across:.1f}" cy="{y + i * down:.1f}" r="1.4"/>' for i in (-1, 0, 1)]
    return f'<g class="dots">{"".join(circles)}</g>\n'


def _input(number: int) -> str:
    return "x" + "".join(["₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(number + 1)])


# --- curves


def _curves(scene: Scene, moment: Moment) -> Iterator[str]:
    left, top, right, bottom = scene.plot
    start = scene.right[0]
    loss = scene.curves.get("loss")
    scale = ", logarithmic" if loss and loss.axis.is_log else ""
    yield f'<text x="{start}" y="{top - 14:g}" class="t">Loss by epoch{scale}</text>\n'
    yield f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" class="frame"/>\n'
    if loss is None:
        yield f'<text x="{(left + right) / 2:g}" y="{(top + bottom) / 2:g}" class="m s">nothing recorded yet</text>\n'
        return
    for share, text in loss.axis.ticks(4):
        y = bottom - (bottom - top) * share
        yield f'<path class="grid" d="M{left} {y:.1f}H{right}"/>'
        yield f'<text x="{left - 6}" y="{y + 4:.1f}" class="m e">{text}</text>\n'
    for share, text in scene.epochs.ticks(6, whole=True):
        x = left + (right - left) * share
        yield f'<path class="frame" d="M{x:.1f} {bottom}v4"/><text x="{x:.1f}" y="{bottom + 16:g}" class="m s">{text}</text>\n'
    if "accuracy" in scene.curves:
        yield f'<path class="accuracy" d="M{right - 77} {top - 18:g}h18"/>'
        yield f'<text x="{right}" y="{top - 14:g}" class="e">accuracy</text>\n'
        for share, text in scene.curves["accuracy"].axis.ticks(3):
            percent = f"{short(100 * float(text))} %"
            yield f'<text x="{right + 5}" y="{bottom - (bottom - top) * share + 4:.1f}" class="m">{percent}</text>\n'
    for name, curve in scene.curves.items():
        yield f'<path class="{name}" stroke-linecap="round" d="{curve.path}"/>\n'
        yield "".join([f'<path class="missing" d="M{x:.1f} {top + 7:g}{CROSS}"/>' for x in curve.missing[:50]]) + "\n"
    if moment.marks:
        yield f'<path class="now" transform="translate({moment.marks[0][0]:g} 0)" d="M0 {top}V{bottom}"/>\n'
        for name, (x, height) in zip(scene.curves, moment.marks, strict=True):
            yield f'<circle class="{name} mark" cx="{x:g}" cy="{height or 0.0:g}" r="{0 if height is None else MARK}"/>\n'


class TrainingPicture:
    """A training at one epoch, to be seen in a notebook and saved; made by `TrainingView.at`."""

    def __init__(self, scene: Scene, moment: Moment, theme: str, sparks: str) -> None:
        self._scene, self._moment, self._theme, self._sparks = scene, moment, theme, sparks

    def to_svg(self) -> str:
        """The picture as SVG."""
        return picture(self._scene, self._moment, colours_of(theme_of(self._theme)), f"ag-training-{self._theme}")

    def to_png(self, scale: float = raster.SCALE) -> bytes:
        """The picture as PNG, `scale` pixels for one of SVG. Raises ImportError if typst is missing."""
        return raster.png_of(self.to_svg(), WIDTH, self._scene.height, scale)

    def to_pdf(self) -> bytes:
        """The picture as PDF. Raises ImportError if typst is missing."""
        return raster.pdf_of(self.to_svg())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write what the suffix says: svg, png, pdf, txt.

        Raises ValueError for another suffix, ImportError if what draws PNG and PDF is missing, OSError if it cannot be written.
        """
        writers: dict[str, Callable[[], str | bytes]] = {
            ".svg": self.to_svg,
            ".png": self.to_png,
            ".pdf": self.to_pdf,
            ".txt": lambda: f"{self}\n",
        }
        suffix = Path(path).suffix.lower()
        if suffix not in writers:
            raise ValueError(
                f"a picture of a training is saved as {', '.join(writers)} by the suffix of the file, not"
                f" {suffix or os.fspath(path)!r}; TrainingView.save writes .html too"
            )
        written = writers[suffix]()
        Path(path).write_bytes(written if isinstance(written, bytes) else written.encode())

    def __str__(self) -> str:
        return f"{title_of(self._moment)}{chr(10) if self._sparks else ''}{self._sparks}"

    def __repr__(self) -> str:
        moment = self._moment
        return f"<TrainingPicture of {moment.epoch.lower()}{': ' if moment.words else ''}{moment.words}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """The picture as SVG, and as PNG where what draws it is installed; what it says as plain text."""
        bundle: dict[str, Any] = {"text/plain": str(self), "image/svg+xml": self.to_svg()}
        wanted = [kind for kind in (*bundle, "image/png") if (not include or kind in include) and kind not in (exclude or ())]
        metadata: dict[str, Any] = {}
        if "image/png" in wanted and raster.is_installed():
            bundle["image/png"] = self.to_png()
            metadata["image/png"] = {"width": WIDTH, "height": self._scene.height}
        return {kind: form for kind, form in bundle.items() if kind in wanted}, metadata
