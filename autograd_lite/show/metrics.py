"""Widths of text in the font of the drawings: a monospaced one, so that they hold on every machine.

Every font named in `FONTS` is at most `CELL` of its size wide a character, so text never needs more room than it was given,
whichever of them is there.
"""

from __future__ import annotations

import unicodedata

FONTS = '"DejaVu Sans Mono",Menlo,Consolas,monospace'
CELL = 0.603  # of the font size: DejaVu Sans Mono has 0.602, Menlo 0.602, Courier New 0.600, Consolas 0.550
WIDE = 1.1  # of the font size: ideographs and emoji, which come from other fonts
_SIGNS = "×−÷·…∂→αβγδεζηθικλμνξοπρςστυφχψωΓΔΘΛΞΠΣΦΨΩ₀₁₂₃₄₅₆₇₈₉′"
FOREIGN = 1.0  # other scripts, which may come from a proportional font: its widest usual letters


def width_of(text: str, size: float) -> float:
    """The room that a line of text needs at a font size, in pixels."""
    if text.isascii():
        return len(text) * CELL * size
    return size * sum([_width(character) for character in text])


def is_covered(text: str) -> bool:
    """Whether the font has every character: Latin letters and the signs of the drawings."""
    return text.isascii() or not any([character >= "\u0250" and character not in _SIGNS for character in text])


def _width(character: str) -> float:
    if character < "\u0250" or character in _SIGNS:
        return CELL
    if unicodedata.east_asian_width(character) in "WF" or character >= "\U00010000":
        return WIDE + 0.4 if character >= "\U00010000" else WIDE
    return 0.0 if unicodedata.combining(character) else FOREIGN
