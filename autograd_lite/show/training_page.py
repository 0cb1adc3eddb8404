"""The page of a training: the picture of the last epoch, and what ``training.js`` changes in it for each of the others."""

from __future__ import annotations

import html
import string
from collections.abc import Sequence
from typing import Any

from autograd_lite.show.network import CODES, LEVELS, codes_of
from autograd_lite.show.page import document, part
from autograd_lite.show.theme import theme_of
from autograd_lite.show.training_picture import (
    MARK,
    Moment,
    Scene,
    colours_of,
    picture,
    radius_of,
    radius_of_disc,
    widest_of,
    width_of_edge,
)

OUTLINES = 1_000_000  # characters of all epochs together: of more, every second epoch is left out until there are not


def page_of(scene: Scene, moments: Sequence[Moment], theme: str, title: str) -> str:
    """The page, a document of its own."""
    shown = thinned(moments)
    variables = {name: f"var(--{name})" for name in colours_of(theme_of("auto"))}
    words = {
        "title": html.escape(title),
        "picture": picture(scene, shown[-1], variables, "ag-training-page"),
        "last": str(len(shown) - 1),
    }
    markup = string.Template(part("training.html")).substitute(words)
    return document(title, "training", markup, _tape(scene, shown), theme, colours_of)


def thinned(moments: Sequence[Moment]) -> list[Moment]:
    """As many epochs as a page holds: every one, every second, ... and the last."""
    shown = list(moments)
    while len(shown) > 2 and sum([len(path) for moment in shown for paths in moment.outlines for path in paths]) > OUTLINES:
        shown = shown[:-1:2] + shown[-1:]
    return shown


def _tape(scene: Scene, moments: Sequence[Moment]) -> dict[str, Any]:
    radius, widest = (radius_of(scene.network), widest_of(scene.network)) if scene.network else (0.0, 1.0)
    levels = [*range(LEVELS + 1), None]
    return {
        "codes": CODES,
        "levels": LEVELS,
        "widths": [f"{width_of_edge(level, widest):.2f}" for level in levels],
        "radii": [f"{radius_of_disc(level, radius):.2f}" for level in levels],
        "mark": MARK,
        "moments": [
            {
                "epoch": moment.epoch,
                "words": moment.words,
                "outlines": [path for paths in moment.outlines for path in paths],
                "weights": codes_of(moment.weights),
                "biases": codes_of(moment.biases),
                "wrong": "".join(["1" if is_wrong else "0" for is_wrong in moment.wrong]),
                "marks": moment.marks,
            }
            for moment in moments
        ],
    }
