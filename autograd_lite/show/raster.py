"""A drawing as PNG or PDF, by Typst, which needs no other program and brings a font of its own: the same bytes on every
machine.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from autograd_lite.on_demand import how_to_install
from autograd_lite.show.metrics import is_covered

SCALE = 2.0  # pixels of a PNG for one of the drawing
PIXELS = 6_000_000  # of a PNG at most: a larger drawing is scaled down
_PAGE = '#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.svg), format: "svg")\n'


def is_installed() -> bool:
    """Whether there is what draws PNG and PDF."""
    return importlib.util.find_spec("typst") is not None


def png_of(svg: str, width: int, height: int, scale: float = SCALE) -> bytes:
    """The PNG of a drawing of that size. Raises ImportError if the package typst is not installed."""
    scale = min(scale, (PIXELS / max(1, width * height)) ** 0.5)
    return _compiled(svg, format="png", ppi=96.0 * scale)


def pdf_of(svg: str) -> bytes:
    """The PDF of a drawing, on one page of its size. Raises ImportError if the package typst is not installed."""
    return _compiled(svg, format="pdf")


def _compiled(svg: str, **options: Any) -> bytes:
    try:
        typst = importlib.import_module("typst")  # an extra, imported where it is used
    except ImportError as error:
        raise ImportError(f"PNG and PDF need the package typst: {how_to_install('png', 'typst')}; SVG needs nothing") from error
    # Other scripts than the font has are taken from the machine's fonts; then alone the bytes depend on the machine.
    result: bytes = typst.compile(_PAGE.encode(), sys_inputs={"svg": svg}, ignore_system_fonts=is_covered(svg), **options)
    return result
