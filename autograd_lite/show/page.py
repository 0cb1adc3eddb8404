"""Pages that need nothing else: a document of HTML with its colours, style and script in it, and how a notebook shows one.

Nothing is fetched. In a notebook the page lies in an <iframe srcdoc>, because scripts run there whatever inserted it, and
because it shares nothing with other pages.
"""

from __future__ import annotations

import html
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograd_lite.show.theme import Theme, theme_of

THEMES = ("auto", "light", "dark")
_FOLDER = Path(__file__).parent
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


class Page:
    """A page to look at: a notebook shows it, `save` writes a file."""

    __slots__ = ("_page", "_picture", "_words", "height")

    def __init__(self, page: str, picture: Callable[[], str], words: str, height: int) -> None:
        """The page; what draws a picture for what shows no pages; what it is called; the height of its frame in pixels."""
        self._page, self._picture, self._words, self.height = page, picture, words, height

    @property
    def html(self) -> str:
        """The page, a document of its own."""
        return self._page

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file, which a browser opens without a network."""
        Path(path).write_text(self._page, encoding="utf-8")

    def __repr__(self) -> str:
        return self._words

    def _repr_html_(self) -> str:
        """The page in a frame: notebooks run the scripts of a frame, however they put it there."""
        style = f"width:100%;height:{self.height}px;border:0;border-radius:8px"
        return f'<iframe title="{html.escape(self._words[1:-1])}" style="{style}" srcdoc="{html.escape(self._page)}"></iframe>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """The page; a picture, for what shows no pages; a line of text."""
        bundle = {"text/html": self._repr_html_(), "image/svg+xml": self._picture(), "text/plain": self._words}
        return {kind: text for kind, text in bundle.items() if (not include or kind in include) and kind not in (exclude or ())}


def document(title: str, name: str, markup: str, tape: dict[str, Any], theme: str, variables: Variables, code: str = "") -> str:
    """A page with this markup, the style and script of that name, and `code` before the script; both see `tape` and `root`."""
    # "<" is written so that no label ends the script, or starts a comment in it.
    data = json.dumps(tape, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return f"""<!DOCTYPE html>
<html lang="en"{"" if theme == "auto" else f' data-theme="{theme}"'}>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width">
<title>{html.escape(title)}</title>
<style>
{_colours(theme, variables)}
{part("page.css")}{part(f"{name}.css")}</style>
{markup}<script>
(() => {{
"use strict";
const root = document.currentScript.previousElementSibling, tape = {data};
{code}{part(f"{name}.js")}{part("frame.js")}}})();
</script>
"""


def part(name: str) -> str:
    """The text of a file beside this one."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def checked_theme(theme: str, what: str) -> str:
    """The theme of a page. Raises ValueError for another than "auto", "light" and "dark"."""
    if theme not in THEMES:
        raise ValueError(f"the theme of {what} is {', '.join(THEMES[:-1])} or {THEMES[-1]}, not {theme!r:.60}")
    return theme


Variables = Callable[[Theme], dict[str, str]]


def _colours(theme: str, variables: Variables) -> str:
    """The colours of the drawings as variables."""
    light, dark = [_written({**_variables(theme_of(name)), **variables(theme_of(name))}) for name in ("light", "dark")]
    if theme != "auto":
        return f":root {{ color-scheme: {theme}; {dark if theme == 'dark' else light} }}"
    return (
        f":root {{ color-scheme: light; {light} }}\n:root[data-theme=dark] {{ color-scheme: dark; {dark} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {{ color-scheme: dark; {dark} }} }}"
    )


def _variables(theme: Theme) -> dict[str, str]:
    """What the style of every page uses."""
    colours = {"text": theme.text, "muted": theme.muted, "strip": theme.strip, "pill": theme.pill, "frame": theme.frame}
    colours["back"] = theme.background or "#ffffff"
    for kind, (fill, line) in theme.boxes.items():
        colours |= {kind: fill, f"{kind}-line": line}
    return colours | theme.edges


def _written(colours: dict[str, str]) -> str:
    return " ".join([f"--{name}: {colour};" for name, colour in colours.items()])
