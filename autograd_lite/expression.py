"""Formulas as text: checked, taken apart into steps, and computed on numbers or Values.

Python's `ast` reads the text; a whitelist of its nodes is let through: numbers, names, arithmetic, comparisons, ``and``,
``or``, ``not``, ``x if condition else y`` and calls of the table's functions. Nothing else is ever looked up or run.
Every number becomes a float at once, so no integer can grow without bound.

    >>> from autograd_lite.expression import parse
    >>> parse("(a + b) * (b + 1)").evaluate({"a": 2.0, "b": 1.0})
    6.0
"""

from __future__ import annotations

import ast
import difflib
import math
import operator
import threading
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from autograd_lite.engine import Value
from autograd_lite.primitive import Primitive, real_number
from autograd_lite.primitives import TABLE

CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}
SPELLINGS = {"abs": "absolute", "max": "maximum", "min": "minimum", "pow": "power", "round": "around"}
"""Python's names for functions that the table calls otherwise."""

LONGEST_TEXT = 100_000
DEEPEST_NESTING = 1000

_LONGEST_MESSAGE = 300
_EXCERPT = 100


class ExpressionError(ValueError):
    """Text that is no formula, or a formula that cannot be computed.

    message: one line; text, start, end: where in the text it is wrong. `str` gives the message, and beneath it the text with
    carets under the place.
    """

    def __init__(self, message: str, text: str = "", start: int = 0, end: int | None = None) -> None:
        super().__init__(message, text, start, end)
        self.message = message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - 3] + "..."
        self.text = text
        self.start = min(max(start, 0), len(text))
        self.end = min(max(start + 1 if end is None else end, self.start + 1), max(len(text), self.start + 1))

    def __str__(self) -> str:
        return f"{self.message}\n{_underlined(self.text, self.start, self.end)}" if self.text else self.message


def _underlined(text: str, start: int, end: int) -> str:
    """The text on one line, cut to what is around the place, and a line of carets beneath it."""
    first = max(0, start - _EXCERPT // 2) if len(text) > _EXCERPT else 0
    last = first + _EXCERPT
    before, after = "..." if first else "", "..." if last < len(text) else ""
    shown = "".join([c if c.isprintable() else "?" for c in text[first:last]])
    indent = len(before) + _columns(shown[: start - first])
    return f"  {before}{shown}{after}\n  {' ' * indent}{'^' * max(1, _columns(shown[start - first : end - first]))}"


def _columns(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return sum([0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text])


@dataclass(frozen=True, slots=True)
class Step:
    """A number, the name of a variable, or a function applied to the results of earlier steps.

    arguments: the positions of those steps; start, end: the place in the text.
    """

    operation: float | str | Callable[..., Any]
    arguments: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Expression:
    """A formula: its text, and the steps that compute it, the last of which is the result."""

    text: str
    steps: tuple[Step, ...]

    @cached_property
    def used(self) -> dict[str, Step]:
        """Each name in the formula, in order of appearance, with the step where it appears first."""
        first: dict[str, Step] = {}
        for step in sorted(self.steps, key=lambda step: step.start):
            if isinstance(step.operation, str):
                first.setdefault(step.operation, step)
        return first

    @property
    def names(self) -> tuple[str, ...]:
        """The free variables in order of appearance; pi, e, inf and nan are none (but may be given a value all the same)."""
        return tuple([name for name in self.used if name not in CONSTANTS])

    def evaluate(self, bindings: Mapping[str, Value | float]) -> Value | float:
        """The result, a Value if one of the variables in it is; `bindings` may hold more names than the formula.

        Raises ExpressionError if a variable has no value or a power is complex. Everything else follows IEEE 754: 1/0 is inf.
        """
        return self.trace(bindings)[-1]

    def trace(self, bindings: Mapping[str, Value | float]) -> list[Value | float]:
        """The results of all steps; arguments and errors as for `evaluate`."""
        given = {**CONSTANTS, **{name: _operand(x, name) for name, x in bindings.items()}}
        missing = [name for name in self.names if name not in given]
        if missing:
            raise self.error(_without_value(missing, bindings), self.used[missing[0]])
        results: list[Value | float] = []
        for step in self.steps:
            if isinstance(step.operation, float):
                results.append(step.operation)
            elif isinstance(step.operation, str):
                results.append(given[step.operation])
            else:
                results.append(self._apply(step.operation, [results[i] for i in step.arguments], step))
        return results

    def _apply(self, function: Callable[..., Any], arguments: list[Value | float], step: Step) -> Value | float:
        try:
            return function(*arguments)  # type: ignore[no-any-return]
        except (ValueError, ArithmeticError) as error:
            raise self.error(str(error), step) from None

    def error(self, message: str, step: Step) -> ExpressionError:
        """The error that points at a step."""
        return ExpressionError(message, self.text, step.start, step.end)


def number(x: Value | float) -> float:
    """The number of a Value, or the float itself."""
    return x.data if isinstance(x, Value) else x


def _operand(x: Value | float, name: str) -> Value | float:
    return x if isinstance(x, Value) else real_number(x, f"the variable {name}")


def _without_value(missing: list[str], bindings: Iterable[str]) -> str:
    name = missing[0]
    if name in _functions():
        return f"{name} is a function: write {name}(...), or give {name}=NUMBER to use it as a variable"
    given = f"no value for {', '.join(missing[:5])}{', ...' if len(missing) > 5 else ''}: give {name}=NUMBER"
    return given + _suggestion(name, [*bindings, *CONSTANTS])


def _suggestion(name: str, known: Iterable[str]) -> str:
    # Lower case first, so that Sin and PI find their way.
    close = difflib.get_close_matches(name.lower()[:50], sorted(known), n=2)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def parse(text: str) -> Expression:
    """The formula in the text.

    Raises ExpressionError, which points at the place, if the text is no formula: wrong syntax, anything but the whitelist, an
    unknown function, a wrong number of arguments; or if it is too long (100,000 characters) or nested too deeply (1000 levels).
    """
    text = "".join([" " if c in "\t\n\r\f\v" else c for c in text]).strip(" ")
    if not text:
        raise ExpressionError("the expression is empty; write one such as (a + b) * (b + 1)")
    if len(text) > LONGEST_TEXT:
        raise ExpressionError(f"the expression is longer than {LONGEST_TEXT} characters", text, LONGEST_TEXT)
    for i, c in enumerate(text):
        if c in "#\0" or "\ud800" <= c <= "\udfff":  # a comment, which would hide the rest; what Python cannot read
            raise ExpressionError(f"the character {c!r} cannot be part of an expression", text, i)
    return _Reader(text).read(_syntax_tree(text))


def _syntax_tree(text: str) -> ast.expr:
    try:
        with _reading, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of 1if x else y; nothing of it is wrong here
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        if not error.offset and error.msg == "invalid syntax":  # Python has no place for what is missing at the end
            raise ExpressionError("the expression ends where an operand is missing", text, len(text)) from None
        start = (error.offset or 1) - 1
        end = (error.end_offset or 0) - 1 if error.end_lineno == error.lineno else start
        raise ExpressionError(_explained(error.msg), text, start, max(end, start + 1)) from None
    except (RecursionError, MemoryError):
        raise ExpressionError(_TOO_DEEP, text) from None


_reading = threading.RLock()
"""Neither `warnings` nor, up to Python 3.11, the depth counter of `ast` is made for several threads."""
_TOO_DEEP = f"nested deeper than {DEEPEST_NESTING} levels; sum(x1, x2, ...) adds many terms on one level"


def _explained(message: str) -> str:
    if message.startswith("Exceeds the limit"):
        return "an integer of too many digits; write it with a decimal point or an exponent, as 1e300"
    if message == "invalid decimal literal":
        return f"{message}; a product needs its *, as in 2 * x"
    return message


class _Reader:
    """Turns the syntax tree of one text into steps, by a loop: deep nesting needs no deep stack."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.steps: list[Step] = []
        self.functions = _functions()
        # ast counts bytes of UTF-8, a caret counts characters: which character each byte belongs to.
        self.characters = range(len(text) + 1) if text.isascii() else [i for i, c in enumerate(text + " ") for _ in c.encode()]

    def read(self, root: ast.expr) -> Expression:
        waiting: list[tuple[ast.expr, int] | tuple[ast.expr, Callable[..., Any], int]] = [(root, 1)]
        results: list[int] = []
        while waiting:
            item = waiting.pop()
            node = item[0]
            if len(item) == 3:
                first = len(results) - item[2]
                arguments = tuple(results[first:])
                del results[first:]
                results.append(self._place(node, item[1], arguments))
            elif isinstance(node, (ast.Constant, ast.Name)):
                operation = self._number(node) if isinstance(node, ast.Constant) else node.id
                results.append(self._place(node, operation, ()))
            else:
                if item[1] >= DEEPEST_NESTING:
                    raise self._error(_TOO_DEEP, node)
                function, operands = self._operation(node)
                waiting.append((node, function, len(operands)))
                waiting.extend([(operand, item[1] + 1) for operand in reversed(operands)])
        return Expression(self.text, tuple(self.steps))

    def _place(self, node: ast.expr, operation: Any, arguments: tuple[int, ...]) -> int:
        self.steps.append(Step(operation, arguments, *self._span(node)))
        return len(self.steps) - 1

    def _span(self, node: ast.expr | ast.keyword) -> tuple[int, int]:
        return self.characters[node.col_offset], self.characters[node.end_col_offset or node.col_offset]

    def _error(self, message: str, node: ast.expr | ast.keyword) -> ExpressionError:
        return ExpressionError(message, self.text, *self._span(node))

    def _number(self, node: ast.Constant) -> float:
        value = node.value
        if type(value) is complex:
            raise self._error(f"{value!r} is imaginary; numbers here are real", node)
        if type(value) not in (int, float):
            kind = "a string" if isinstance(value, (str, bytes)) else repr(value)
            raise self._error(f"{kind} is no number", node)
        try:
            return float(value)  # type: ignore[arg-type]
        except OverflowError:
            return math.inf

    def _operation(self, node: ast.expr) -> tuple[Callable[..., Any], list[ast.expr]]:
        """The function that a node of the tree applies, and the nodes of its operands."""
        match node:
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(op, left, right), [left, right]
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
                return _UNARY[type(op)], [operand]
            case ast.Compare(left=left, ops=ops, comparators=others) if all([type(op) in _COMPARISONS for op in ops]):
                return _Comparison(tuple([_COMPARISONS[type(op)] for op in ops])), [left, *others]
            case ast.BoolOp(op=op, values=operands):
                return (_every if isinstance(op, ast.And) else _any), operands
            case ast.IfExp(test=condition, body=x, orelse=y):
                return TABLE["where"], [condition, x, y]
            case ast.Call(func=ast.Name(id=name)):
                return self._function(node, name), node.args
            case ast.Call(func=func):
                raise self._error("only a function's name can be called; a product needs its *, as in 2 * (x + 1)", func)
        kind = next((text for kinds, text in _REFUSED.items() if isinstance(node, kinds)), type(node).__name__)
        raise self._error(f"{kind} is not part of an expression; {_ALLOWED}", node)

    def _binary(self, op: ast.operator, left: ast.expr, right: ast.expr) -> Primitive:
        if type(op) in _BINARY:
            return TABLE[_BINARY[type(op)]]
        after = self._span(left)[1]
        between = self.text[after : self._span(right)[0]]
        symbol = between.strip(" ()")
        hint = "a power is written **" if symbol == "^" else _ALLOWED
        start = after + between.index(symbol)
        raise ExpressionError(f"there is no operator {symbol} here; {hint}", self.text, start, start + len(symbol))

    def _function(self, call: ast.Call, name: str) -> Primitive:
        if name not in self.functions:
            close = _MATHEMATICS.get(name.lower())
            hint = f"; did you mean {close}?" if close in self.functions else _suggestion(name, self.functions)
            hint = hint or f"; a product needs its *, as in {name} * (...)"
            raise self._error(f"there is no function {name}{hint}", call.func)
        primitive = self.functions[name]
        for argument in [*call.args, *call.keywords]:
            if isinstance(argument, (ast.Starred, ast.keyword)):
                raise self._error(f"arguments of {name} are given by position, as in {_usage(name, primitive)}", argument)
        if not _takes(primitive, len(call.args)):
            given = f"{len(call.args)} argument{'s' if len(call.args) != 1 else ''}"
            raise self._error(f"{_usage(name, primitive)} cannot take {given}", call)
        return primitive


def _functions() -> dict[str, Primitive]:
    """The functions by all their names."""
    public = {name: primitive for name, primitive in TABLE.items() if primitive.public}
    return public | {name: TABLE[spelling] for name, spelling in SPELLINGS.items()}


def _takes(primitive: Primitive, count: int) -> bool:
    if primitive.variadic:
        return count > 0 and not (primitive.name == "dot" and count % 2)
    return 0 <= len(primitive.arguments) - count <= len(primitive.defaults)


def _usage(name: str, primitive: Primitive) -> str:
    return f"{name}({signature_of(primitive)})"


def signature_of(primitive: Primitive) -> str:
    """The arguments of a primitive as a reader writes them, ``x, decimals=0``."""
    if primitive.variadic:
        return "x1, x2, ..., y1, y2, ..." if primitive.name == "dot" else "x1, x2, ..."
    required = len(primitive.arguments) - len(primitive.defaults)
    optional = [f"{name}={x:g}" for name, x in zip(primitive.arguments[required:], primitive.defaults, strict=True)]
    return ", ".join([*primitive.arguments[:required], *optional])


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A chain of comparisons, 1 where all hold, else 0; as a function of all that is compared."""

    comparisons: tuple[Callable[[float, float], bool], ...]

    def __call__(self, *xs: Value | float) -> float:
        numbers = [number(x) for x in xs]
        return float(all([holds(*pair) for holds, pair in zip(self.comparisons, pairwise(numbers), strict=True)]))


def _every(*xs: Value | float) -> float:
    return float(all([number(x) for x in xs]))


def _any(*xs: Value | float) -> float:
    return float(any([number(x) for x in xs]))


def _not(x: Value | float) -> float:
    return float(not number(x))


_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.FloorDiv: "floor_divide",
    ast.Mod: "mod", ast.Pow: "power",
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], Callable[..., Any]] = {
    ast.USub: TABLE["negative"], ast.UAdd: TABLE["positive"], ast.Not: _not,
}  # fmt: skip
_COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip
_REFUSED: dict[Any, str] = {
    ast.Attribute: "an attribute",
    ast.Subscript: "an index",
    (ast.Tuple, ast.List, ast.Set, ast.Dict): "a list",
    (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp): "a comprehension",
    ast.Lambda: "a function definition",
    ast.NamedExpr: "an assignment",
    ast.JoinedStr: "a string",
    (ast.Await, ast.Yield, ast.YieldFrom): "a statement of a coroutine",
    ast.Compare: "a test for identity or membership",
    ast.UnaryOp: "the operator ~",
    ast.Starred: "a star",
}
_ALLOWED = "allowed are numbers, names, + - * / // % **, comparisons and functions of the table"
_MATHEMATICS = {"ln": "log"} | {primitive.code.partition("(")[0]: name for name, primitive in TABLE.items() if primitive.public}
"""What mathematics or C call a function, to suggest the table's name for it."""
