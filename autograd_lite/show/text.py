"""What drawings say of a value: numbers, labels on one line, operand slots with the text of their partials."""

from __future__ import annotations

import functools
from typing import NamedTuple

from autograd_lite.engine import Value
from autograd_lite.primitive import Primitive
from autograd_lite.show.formula import argument_names, partial_formulas
from autograd_lite.sweep import partials_of

LABEL_WIDTH = 40  # characters of a label that are drawn
NAMED_ARGUMENTS = 8  # operands of a variadic operation up to which its partials are written as formulas
_TYPOGRAPHIC = {"*": "×", "-": "−", "/": "÷"}


class Slot(NamedTuple):
    """An operand slot of a node: the operand, its local partial (None where there is none) and its text, or what went wrong."""

    operand: Value | float
    number: float | None = None
    partial: str | None = None
    error: str | None = None


def slots_of(node: Value) -> list[Slot]:
    """The operand slots of a node, in order."""
    args, op = node.args, node.op
    if op is None:
        return []
    needed = [x.__class__ is not float for x in args]
    try:
        partials = list(partials_of(node, needed, create_graph=False))
    except Exception as error:  # noqa: BLE001 - a sweep of this graph raises it; a drawing shows where
        return [Slot(x, None, type(error).__name__ if need else None, str(error)) for x, need in zip(args, needed, strict=True)]
    return [
        Slot(x) if partial is None else Slot(x, float(partial), short(partial))
        for x, partial in zip(args, partials, strict=True)
    ]


def short(number: float) -> str:
    """A number in at most six significant digits."""
    return f"{float(number):.6g}"


def shorter(number: float) -> str:
    """A number as pictures have it, where room is scarce: whole up to a million, else in four significant digits."""
    if -1e6 < number < 1e6:
        if number == int(number):
            return str(int(number)) if number or str(number)[0] != "-" else "-0"
        return f"{number:.4g}" if -1e4 < number < 1e4 else f"{number:.0f}"
    return f"{number:.4g}"


def symbol_of(op: Primitive, operands: int) -> str:
    """What a picture shows of an operation: the operator where there is one, else the name."""
    return _TYPOGRAPHIC.get(op.symbol, op.symbol) if op.symbol and operands == 2 else op.name


def partial_formula(op: Primitive, slot: int, operands: int) -> str | None:
    """The partial by an operand as a formula, ``∂/∂y = x``; None where there are too many, or where it cannot be written."""
    formulas = _formulas(op, operands) if not op.variadic or operands <= NAMED_ARGUMENTS else None
    if formulas is None or formulas[slot] is None:
        return None
    return f"∂/∂{argument_names(op, operands)[slot]} = {formulas[slot]}"


@functools.cache
def _formulas(op: Primitive, count: int = 2) -> tuple[str | None, ...] | None:
    """The formulas of the partials; None where a user's rule cannot be written as one."""
    try:
        return partial_formulas(op, count=count)
    except Exception:  # noqa: BLE001 - a user's rule may raise anything, and the number alone will do
        return None


def printable(text: str) -> str:
    """Text on one line: line breaks and other characters that a terminal would obey are written as Python's escapes."""
    return text if text.isprintable() else "".join([c if c.isprintable() else repr(c)[1:-1] for c in text])


def shortened(label: str, width: int = LABEL_WIDTH) -> str:
    """A label as it is drawn: on one line, and cut where it is long."""
    return printable(label if len(label) <= width else label[: width - 1] + "…")
