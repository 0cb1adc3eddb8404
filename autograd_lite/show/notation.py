"""How a derivation writes what it is made of, in plain text and in LaTeX: one class each, with the same methods."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from autograd_lite.primitive import Primitive
from autograd_lite.show.formula import argument_names, partial_formulas
from autograd_lite.show.latex import latex_formula, latex_name, latex_number, upright
from autograd_lite.show.text import short

_MOST_ARGUMENTS = 4  # of a variadic operation that are written out


def operation_formula(op: Primitive, count: int) -> str:
    """An operation as a formula of its arguments."""
    names = argument_names(op, count)
    if op.symbol and not op.variadic:
        return f" {op.symbol} ".join(names) if len(names) == 2 else f"{op.symbol}{names[0]}"
    return f"{op.name}({', '.join(names)})"


def partial_rule(op: Primitive, slot: int, count: int) -> str | None:
    """The partial by the operand in a slot as a formula of the arguments and the result r.

    None if it is but a number, or cannot be printed.
    """
    if op.variadic and count > _MOST_ARGUMENTS:
        return None
    try:
        formula = partial_formulas(op, count=count)[slot]
    except Exception:  # noqa: BLE001 - a user's rule may raise anything on symbols, and the number alone will do
        return None
    return None if formula is None or formula.lstrip("-").replace(".", "").isdecimal() else formula


class Text:
    """Plain text."""

    plus, times, equals, dots = " + ", "·", " = ", "…"

    def name(self, name: str) -> str:
        """A value."""
        return name

    def adjoint(self, name: str) -> str:
        """The derivative of the result by a value: its name under a bar."""
        return self._marked(name, "\u0304")

    def tangent(self, name: str) -> str:
        """The derivative of a value by the input: its name under a dot."""
        return self._marked(name, "\u0307")

    @staticmethod
    def _marked(name: str, mark: str) -> str:
        marked = f"{name[0]}{mark}{name[1:]}" if re.fullmatch(r"\w[\d_]*", name) else f"({name}){mark}"
        return unicodedata.normalize("NFC", marked)

    def partial(self, of: str, by: str, place: int | None = None) -> str:
        """The derivative of one value by another; `place` tells several arguments that are the same value apart."""
        return f"∂{of}/∂{by}" if place is None else f"∂{of}/∂{by}#{place}"

    def number(self, x: float) -> str:
        """A number."""
        return short(x)

    def formula(self, formula: str, names: Mapping[str, str]) -> str:
        """A formula of the table, other names in place of its arguments."""
        # A negative number needs parentheses as an operand, but not as an argument, or alone.
        pattern = rf"(^|\(|, )?\b({'|'.join(map(re.escape, names))})\b(?!\()(?=($|\)|,)?)"

        def put(found: re.Match[str]) -> str:
            return (found[1] or "") + self.factor(names[found[2]], found[1] is None or found[3] is None)

        return re.sub(pattern, put, formula)

    def factor(self, text: str, at: int | bool) -> str:
        """A number as an operand: a negative one in parentheses, unless it is the first."""
        return f"({text})" if at and text.startswith("-") else text

    def words(self, text: str) -> str:
        """Words between formulas."""
        return text

    def chain(self, names: Sequence[str]) -> str:
        """The values along a route."""
        return " → ".join(names)


class Latex:
    """LaTeX, for KaTeX and MathJax."""

    plus, times, equals, dots = " + ", r" \cdot ", " = ", r"\cdots"

    def name(self, name: str) -> str:
        """A value."""
        return latex_name(name)

    def adjoint(self, name: str) -> str:
        """The derivative of the result by a value: its name under a bar."""
        return self._marked(name, "bar", "overline")

    def tangent(self, name: str) -> str:
        """The derivative of a value by the input: its name under a dot."""
        return self._marked(name, "dot", "dot")

    @staticmethod
    def _marked(name: str, narrow: str, wide: str) -> str:
        letter, _, index = latex_name(name).partition("_{")
        if not index or letter.startswith("{"):
            return f"\\{narrow if not letter.startswith('{') else wide}{{{latex_name(name)}}}"
        return f"\\{narrow}{{{letter}}}_{{{index}"

    def partial(self, of: str, by: str, place: int | None = None) -> str:
        """The derivative of one value by another, as a fraction; `place` as in plain text."""
        below = latex_name(by) if place is None else f"{{{latex_name(by)}}}^{{({place})}}"
        return f"\\frac{{\\partial {latex_name(of)}}}{{\\partial {below}}}"

    def number(self, x: float) -> str:
        """A number."""
        return latex_number(x)

    def formula(self, formula: str, names: Mapping[str, str]) -> str:
        """A formula of the table, other names in place of its arguments."""
        return latex_formula(formula, names)

    def factor(self, text: str, at: int | bool) -> str:
        """A number as an operand: a negative one in parentheses, unless it is the first."""
        return f"\\left({text}\\right)" if at and text.startswith("-") else text

    def words(self, text: str) -> str:
        """Words between formulas."""
        return upright(text)

    def chain(self, names: Sequence[str]) -> str:
        """The values along a route."""
        return r" \to ".join(names)


Notation = Text | Latex
