"""The command line: ``autograd-lite "(a + b) * (b + 1)" a=2 b=1`` or ``python -m autograd_lite ...``.

It reads the arguments, has `expression` read the formula and the numbers and `report` do the rest, and writes the result.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import math
import re
import sys
import textwrap
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from autograd_lite import __version__
from autograd_lite.engine import Value
from autograd_lite.expression import CONSTANTS, SPELLINGS, Expression, ExpressionError, number, parse, signature_of
from autograd_lite.primitive import Interval
from autograd_lite.primitives import TABLE
from autograd_lite.report import MOST_LINES, as_json, as_text, differentiate, show, written
from autograd_lite.show.graph import to_dot

SUCCESS, FAILURE = 0, 2
BROKEN_PIPE = 141
"""The exit status when nobody reads the output any more, as of a program that the signal SIGPIPE ends."""

_WIDTH = 100
_DESCRIPTION = "The value and the gradient of an expression, and the chain rule edge by edge."
_EXAMPLES = """
examples:
  autograd-lite "(a + b) * (b + 1)" a=2 b=1
  autograd-lite "sqrt(x**2 + y**2)" x=3 y=4 --hessian
  autograd-lite "-log(sigmoid(w*x + b))" w=-1/2 x=pi b=1e-3 --json
  autograd-lite "where(x > 0, x*log(x), 0)" x=0.5 --dot - | dot -Tsvg > graph.svg

operators: + - * / // % **   == != < <= > >=   and or not   x if condition else y
constants: pi e inf nan, unless given a value

exit status: 0, or 2 for an error: text that is no expression, a missing or superfluous variable, a file that cannot be
written, a value or a derivative that is infinite or not a number (the message names the operation it comes from)
"""


class CommandError(Exception):
    """What is wrong with the arguments or the files, as one line."""


class _ArgumentParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message}; --help shows the usage")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line on the arguments given, by default the program's; the result is the exit status."""
    try:
        return _write(_run(list(sys.argv[1:] if argv is None else argv)), sys.stdout)
    except (ExpressionError, CommandError) as error:
        with contextlib.suppress(CommandError):  # nobody can be told
            return _write(f"autograd-lite: error: {error}\n", sys.stderr) or FAILURE
        return FAILURE


def _write(text: str, stream: Any) -> int:
    """Write all of it; characters that the stream's encoding lacks are written as escapes. Raises CommandError if it cannot."""
    if stream is None or stream.closed:  # None: the shell's >&-
        raise CommandError("cannot write the output: it is closed")
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except OSError as error:
        with contextlib.suppress(OSError):  # Python would try to write the rest as it ends, and fail once more
            stream.close()
        if isinstance(error, BrokenPipeError):
            return BROKEN_PIPE
        raise CommandError(f"cannot write the output: {error.strerror}") from None
    return SUCCESS


def _run(argv: list[str]) -> str:
    """What is to be printed."""
    help_or_version = io.StringIO()
    try:
        with contextlib.redirect_stdout(help_or_version):
            options = _options(argv)
    except SystemExit:
        return help_or_version.getvalue()
    if options.primitives or (options.expression == "primitives" and not options.bindings):
        return _table()
    if options.expression is None:
        raise CommandError('give an expression, such as "(a + b) * (b + 1)" a=2 b=1; --help shows more')
    if options.json and options.dot == "-":
        raise CommandError("--json and --dot - both write to the output; give --dot the name of a file")
    expression = parse(options.expression)
    report = differentiate(expression, _bindings(options.bindings, expression), options.hessian)
    if options.dot is not None:
        dot = _drawn(report.y)
        if options.dot == "-":
            return dot
        try:
            Path(options.dot).write_text(dot, encoding="utf-8")
        except (OSError, ValueError) as error:  # ValueError: a null byte in the name
            raise CommandError(f"cannot write {options.dot!r}: {getattr(error, 'strerror', None) or error}") from None
    return as_json(report) if options.json else as_text(report, options.all)


def _drawn(y: Value | float) -> str:
    if not isinstance(y, Value):
        return to_dot(Value(y))
    y.backward()  # the drawing shows each gradient
    return to_dot(y)


# --- arguments


def _options(argv: list[str]) -> argparse.Namespace:
    functions = " ".join([*[name for name, primitive in TABLE.items() if primitive.public], *SPELLINGS])
    functions = textwrap.fill(functions, _WIDTH, initial_indent="  ", subsequent_indent="  ")
    parser = _ArgumentParser(
        prog="autograd-lite",
        usage="autograd-lite EXPRESSION [NAME=NUMBER ...] [--hessian] [--json] [--dot FILE] [--all]",
        description=_DESCRIPTION,
        epilog=f"functions (--primitives tells what they are):\n{functions}\n{_EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("expression", nargs="?", metavar="EXPRESSION", help="what to differentiate; quote it for the shell")
    add("bindings", nargs="*", metavar="NAME=NUMBER", help="a variable's value: a number, or constants as in 1/3 or -pi/2")
    add("--hessian", action="store_true", help="print the matrix of second derivatives too")
    add("--json", action="store_true", help="print one JSON object; nan and the infinities are strings in it")
    add(
        "--dot",
        metavar="FILE",
        help="write the graph in Graphviz's DOT language to a file, or to the output alone if FILE is -",
    )
    add("--all", action="store_true", help=f"print every line, also of parts with more than {MOST_LINES}")
    add("--primitives", action="store_true", help="print the table of functions")
    add("--version", action="version", version=f"autograd-lite {__version__}")
    return parser.parse_args(_sorted_out(argv))


def _sorted_out(argv: list[str]) -> list[str]:
    """The options first, then -- and the rest: an expression may begin with a minus sign, or two."""
    options: list[str] = []
    positional: list[str] = []
    rest = iter(argv)
    for argument in rest:
        if argument == "--":
            positional.extend(rest)
        elif argument == "--dot":
            options.extend([argument, *[f for f in [next(rest, None)] if f is not None]])
        elif argument == "-h" or re.fullmatch("--[a-z]+(=.*)?", argument):
            options.append(argument)
        else:
            positional.append(argument)
    return [*options, "--", *positional]


def _bindings(arguments: list[str], expression: Expression) -> dict[str, float]:
    """The variables' numbers. Raises ExpressionError for what is no NAME=NUMBER, or given twice, or not in the expression."""
    bindings: dict[str, float] = {}
    for argument in arguments:
        name, equals, text = argument.partition("=")
        name = unicodedata.normalize("NFKC", name.strip())  # as Python reads names
        if not equals:
            raise ExpressionError("a variable's value is written NAME=NUMBER; quote the expression for the shell", argument)
        if not name.isidentifier():
            raise ExpressionError(f"{name!r} is no name of a variable", argument, 0, len(argument.partition("=")[0]))
        if name in bindings:
            raise ExpressionError(f"{name} is given twice", argument, 0, len(argument))
        if name not in expression.used:
            known = ", ".join(expression.names) or "none"
            raise ExpressionError(f"the expression has no variable {name}; its variables: {known}", argument, 0, len(name))
        if not text.strip():
            raise ExpressionError(f"{name} has no number", argument, len(argument))
        bindings[name] = _number_in(argument, len(argument) - len(text))
    return bindings


def _number_in(argument: str, start: int) -> float:
    """The number after NAME=. Errors point into the whole argument."""
    try:
        constant = parse(argument[start:])
        if constant.names:
            raise constant.error(f"{constant.names[0]} is no number", constant.used[constant.names[0]])
        return number(constant.evaluate({}))
    except ExpressionError as error:
        start += len(argument[start:]) - len(argument[start:].lstrip())
        raise ExpressionError(error.message, argument, start + error.start, start + error.end) from None


# --- the table


def _table() -> str:
    """The primitives for the terminal: how each is written, what it is, and where it is smooth."""
    rows = [("function", "operator", "meaning", "smooth for")]
    for primitive in TABLE.values():
        if primitive.public:
            operator = written(primitive, primitive.arguments) if primitive.symbol else ""
            limits = [_limits(*pair) for pair in zip(primitive.arguments, primitive.domain, strict=False)]
            smooth = (", ".join([limit for limit in limits if limit]) or "all numbers") + (
                ", off kinks" if primitive.kink else ""
            )
            rows.append((f"{primitive.name}({signature_of(primitive)})", operator, primitive.doc, smooth))
    widths = [max([len(cell) for cell in column]) for column in zip(*rows, strict=True)]
    lines = ["  ".join([cell.ljust(width) for cell, width in zip(row, widths, strict=True)]).rstrip() for row in rows]
    spellings = ", ".join([f"{python} for {name}" for python, name in SPELLINGS.items()])
    return "\n".join([*lines, "", f"also written: {spellings}", f"constants: {' '.join(CONSTANTS)}", ""])


def _limits(name: str, interval: Interval) -> str:
    if interval.integers:
        return f"whole {name}"
    low = "" if interval.low == -math.inf else f"{show(interval.low)} < "
    high = "" if interval.high == math.inf else f" < {show(interval.high)}"
    return low + name + high if low or high else ""


if __name__ == "__main__":
    sys.exit(main())
