"""The colours of drawings. "auto" is readable on white and on near-black alike; "light" and "dark" bring their own background.

Boxes and pills are opaque, and text stands on nothing else. Lines that lie on the background have a contrast of 3:1 with it,
text 4.5:1 with what it stands on (WCAG 2.2, success criteria 1.4.11 and 1.4.3). The sign of a flow is blue or vermilion, which
people who see fewer colours tell apart (M. Okabe and K. Ito, Color Universal Design, 2008).
"""

from __future__ import annotations

from typing import NamedTuple


class Theme(NamedTuple):
    """The colours of a drawing: fill and line of each kind of box, text, pills, and edges by what flows along them."""

    name: str
    background: str | None
    text: str
    muted: str  # captions, and what is set aside
    strip: str  # behind the symbol of an operation
    boxes: dict[str, tuple[str, str]]
    hatching: str  # the lines across a box whose gradient is exactly 0
    pill: str
    frame: str  # around an open scope
    edges: dict[str, str]


_LINES = {
    "flat": "#76828f",
    "positive": "#2a7fc4",
    "negative": "#d1641a",
    "zero": "#76828f",
    "cold": "#8a939d",
    "bad": "#e0353f",
    "aside": "#8a939d",
}
_AUTO = Theme(
    name="auto",
    background=None,
    text="#1b2530",
    muted="#4f5d6b",
    strip="#dce3ea",
    boxes={
        "operation": ("#f4f6f8", "#76828f"),
        "leaf": ("#e0eefb", "#2a7fc4"),
        "parameter": ("#e0f3e6", "#2f8a55"),
        "output": ("#fdf0cf", "#b07a1a"),
        "group": ("#ece7f7", "#7d68b8"),
        "rest": ("#eceef0", "#76828f"),
        "constant": ("#f4f6f8", "#76828f"),
        "aside": ("#eef0f2", "#8a939d"),
    },
    hatching="#cfd6dd",
    pill="#eef1f4",
    frame="#8a939d",
    edges=_LINES,
)
_DARK = Theme(
    name="dark",
    background="#111111",
    text="#f0f3f6",
    muted="#a9b4bf",
    strip="#37424d",
    boxes={
        "operation": ("#222a32", "#8b98a5"),
        "leaf": ("#14304b", "#4a9ade"),
        "parameter": ("#153a26", "#4caf76"),
        "output": ("#453510", "#d9a53a"),
        "group": ("#2f2748", "#9a86d4"),
        "rest": ("#262b31", "#8b98a5"),
        "constant": ("#222a32", "#8b98a5"),
        "aside": ("#1b1f24", "#6f7a85"),
    },
    hatching="#35404b",
    pill="#262e36",
    frame="#6f7a85",
    edges={**_LINES, "flat": "#8b98a5", "positive": "#4a9ade", "negative": "#e8833a", "zero": "#8b98a5", "bad": "#ff5a63"},
)
THEMES: dict[str, Theme] = {"auto": _AUTO, "light": _AUTO._replace(name="light", background="#ffffff"), "dark": _DARK}


def theme_of(theme: str | Theme) -> Theme:
    """A theme by its name. Raises ValueError if there is none of that name."""
    if isinstance(theme, Theme):
        return theme
    if theme not in THEMES:
        raise ValueError(f"no theme {theme!r:.40}: there are {', '.join(THEMES)}")
    return THEMES[theme]
