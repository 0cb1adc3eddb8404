"""Names, numbers and the table's formulas in LaTeX: what both KaTeX, strictly, and MathJax accept."""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Mapping

from autograd_lite.show.text import short

_GREEK_LETTERS = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta", "ι":
    "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ":
    "tau", "υ": "upsilon", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta",
    "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Υ": "Upsilon", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
_GREEK = frozenset(_GREEK_LETTERS.values())
# In mathematics, outside of \text, where KaTeX and MathJax read them alike. No character that HTML would read is left.
_SPECIAL = {
    "\\": r"\backslash ", "{": r"\{", "}": r"\}", "$": r"\$", "%": r"\%", "&": r"\&", "#": r"\#", "_": r"\_", "^": r"{\wedge}",
    "~": r"{\sim}", "<": r"\lt ", ">": r"\gt ", '"': r"\text{''}", "…": r"\ldots ",
}  # fmt: skip
_TEXT = re.compile(r"[A-Za-z0-9 .,:;!?()\[\]+*/=|@'-]+")
_FUNCTIONS = {
    "sin": r"\sin", "cos": r"\cos", "tan": r"\tan", "arcsin": r"\arcsin", "arccos": r"\arccos", "arctan": r"\arctan",
    "sinh": r"\sinh", "cosh": r"\cosh", "tanh": r"\tanh", "log": r"\log", "log2": r"\log_{2}", "log10": r"\log_{10}",
    "maximum": r"\max", "minimum": r"\min", "normal_cdf": r"\Phi", "sigmoid": r"\sigma",
}  # fmt: skip
SUM, PRODUCT, SIGN, POWER, ATOM = range(5)


def latex_name(name: str) -> str:
    """A name: letters with an index as mathematics has them, words upright, anything else character by character."""
    found = re.fullmatch(r"([A-Za-z])_?([0-9]*)(?:\[([0-9]+)\])?", name) or re.fullmatch(
        r"([A-Za-z]+)_?([0-9]*)(?:\[([0-9]+)\])?", name
    )
    if found is None or (len(found[1]) > 1 and found[1] not in _GREEK and (found[2] or found[3])):
        return upright(name)
    letter = found[1] if len(found[1]) == 1 else f"\\{found[1]}" if found[1] in _GREEK else upright(found[1])
    index = ",".join([part for part in (found[2], found[3] and f"[{found[3]}]") if part])
    return f"{letter}_{{{index}}}" if index else letter


def upright(text: str) -> str:
    """Any text, upright."""
    parts = []
    at = 0
    while at < len(text):
        run = _TEXT.match(text, at)
        if run:
            parts.append(f"\\text{{{run[0]}}}")
            at = run.end()
        else:
            parts.append(_character(text[at]))
            at += 1
    return f"{{{''.join(parts)}}}"


def _character(c: str) -> str:
    """A character outside ASCII's letters: by a command, or, where fonts of mathematics lack it, by its number."""
    if c in _SPECIAL:
        return _SPECIAL[c]
    if c in _GREEK_LETTERS:
        return f"\\{_GREEK_LETTERS[c]} "
    if "\u4e00" <= c <= "\u9faf" or "\u3041" <= c <= "\u30fe" or "\u0410" <= c <= "\u044f" or "\uac00" <= c <= "\ud7af":
        return f"\\text{{{c}}}"
    plain = unicodedata.normalize("NFKD", c)
    if plain.isascii() and _TEXT.fullmatch(plain):
        return f"\\text{{{plain}}}"
    if len(plain) == 2 and plain[0].isascii() and plain[0].isalpha() and plain[1] in _ACCENTS:
        return f"\\{_ACCENTS[plain[1]]}{{\\text{{{plain[0]}}}}}"
    return f"\\text{{[U+{ord(c):04X}]}}"


_ACCENTS = {
    "\u0300": "grave", "\u0301": "acute", "\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0306": "breve",
    "\u0307": "dot", "\u0308": "ddot", "\u030a": "mathring", "\u030c": "check",
}  # fmt: skip


def latex_number(x: float) -> str:
    """A number in at most six significant digits."""
    text = short(x)
    if text in ("nan", "inf", "-inf"):
        return text.replace("nan", r"\text{nan}").replace("inf", r"\infty")
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return mantissa
    power = f"10^{{{int(exponent)}}}"
    return power if mantissa == "1" else f"-{power}" if mantissa == "-1" else f"{mantissa} \\cdot {power}"


def latex_formula(formula: str, names: Mapping[str, str]) -> str:
    """A formula of the table in LaTeX; `names` has what stands for its arguments, in LaTeX."""
    return _printed(ast.parse(formula, mode="eval").body, names)[0]


def _printed(node: ast.expr, names: Mapping[str, str]) -> tuple[str, int]:
    """The text of an expression, and how tightly its outermost operation binds."""
    match node:
        case ast.Constant(value=value):
            return latex_number(float(value)), ATOM  # type: ignore[arg-type]
        case ast.Name(id=name) if name in names:
            text = names[name]
            return text, SIGN if text.startswith("-") else PRODUCT if " \\cdot " in text else ATOM
        case ast.Name(id=name):
            return {"pi": r"\pi", "inf": r"\infty"}.get(name, name), ATOM
        case ast.UnaryOp(op=op, operand=operand):
            return ("-" if isinstance(op, ast.USub) else "+") + _within(operand, names, PRODUCT), SIGN
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
            sign = "+" if isinstance(op, ast.Add) else "-"
            return f"{_within(left, names, SUM)} {sign} {_right(right, names)}", SUM
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return f"{_within(left, names, PRODUCT)} \\cdot {_right(right, names)}", PRODUCT
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return f"\\frac{{{_printed(left, names)[0]}}}{{{_printed(right, names)[0]}}}", ATOM
        case ast.BinOp(left=left, op=ast.FloorDiv(), right=right):
            return f"\\left\\lfloor {_within(left, names, PRODUCT)} / {_within(right, names, POWER)} \\right\\rfloor", ATOM
        case ast.BinOp(left=left, op=ast.Mod(), right=right):
            return f"{_within(left, names, POWER)} \\bmod {_within(right, names, POWER)}", SUM
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return f"{{{_within(left, names, ATOM)}}}^{{{_printed(right, names)[0]}}}", POWER
        case ast.Call(func=ast.Name(id=name), args=args):
            return _call(name, args, names)
    return upright(ast.unparse(node)), ATOM


def _within(node: ast.expr, names: Mapping[str, str], binding: int) -> str:
    text, own = _printed(node, names)
    return text if own >= binding else f"\\left({text}\\right)"


def _right(node: ast.expr, names: Mapping[str, str]) -> str:
    """An operand on the right: in parentheses if it is a sum or has a sign."""
    text, own = _printed(node, names)
    return f"\\left({text}\\right)" if own == SUM or text.startswith("-") else text


def _call(name: str, args: list[ast.expr], names: Mapping[str, str]) -> tuple[str, int]:
    texts = [_printed(x, names)[0] for x in args]
    if len(args) == 1:
        match name:
            case "sqrt":
                return f"\\sqrt{{{texts[0]}}}", ATOM
            case "cbrt":
                return f"\\sqrt[3]{{{texts[0]}}}", ATOM
            case "exp":
                return f"e^{{{texts[0]}}}", POWER
            case "exp2":
                return f"2^{{{texts[0]}}}", POWER
            case "absolute":
                return f"\\left|{texts[0]}\\right|", ATOM
            case "square":
                return f"{{{_within(args[0], names, ATOM)}}}^{{2}}", POWER
            case "reciprocal":
                return f"\\frac{{1}}{{{texts[0]}}}", ATOM
    function = _FUNCTIONS.get(name) or f"\\operatorname{{{name.replace('_', chr(92) + '_')}}}"
    return f"{function}\\left({', '.join(texts)}\\right)", ATOM
