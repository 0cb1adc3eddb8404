"""Writes rules.h, the table in C, from the table: ``python -m autograd_lite.native.generate``; ``--check`` only compares.

Values are spelled by the primitives' `code`, float functions are translated from their Python source, and partials are
printed as what the table's rules record when they are applied to variables.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from autograd_lite import primitives
from autograd_lite.compiler import csource
from autograd_lite.compiler.program import Program, record
from autograd_lite.compiler.translate import closure
from autograd_lite.native import rules_source
from autograd_lite.primitive import Primitive, Rule, paired
from autograd_lite.primitives import TABLE

PATH = Path(__file__).with_name("rules.h")
UNROLLED = range(1, 5)  # the numbers of arguments for which a variadic rule is written out
_ALL = "~0u"


def text() -> str:
    """The whole of rules.h."""
    table = entries()
    parts = [
        _HEADER,
        f"#define RULES_SOURCE {rules_source()}u /* a checksum of these files */",
        _operations(table),
        _RULE,
        _rules(table),
        *_functions(table),
        *[_value(primitive) for primitive in table],
        _value_of(table),
        *[_partials(primitive) for primitive in table],
        _partials_of(table),
        "#endif",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def entries() -> list[Primitive]:
    """The table as `primitives` has it, without what a program has added."""
    return [primitive for name, primitive in TABLE.items() if getattr(primitives, name, None) is primitive]


_HEADER = """\
/* Generated from the table in autograd_lite/primitives.py, and from floats.py, special.py and normal.py: do not edit.
   Written by: python -m autograd_lite.native.generate */
#ifndef AUTOGRAD_LITE_RULES_H
#define AUTOGRAD_LITE_RULES_H

#include "floats.h\""""

_RULE = """\
typedef struct {
    const char *name;
    const char *doc;
    short arity;          /* -1: variadic */
    short optional;       /* so many of the last arguments have defaults */
    double defaults[3];
    unsigned char is_public;
    unsigned char is_paired; /* a variadic one that takes its arguments in pairs */
    unsigned selects;     /* a bit for each argument whose partial says which share of it was selected; all if variadic */
    unsigned carries;     /* a bit for each argument that has a partial; all if variadic */
} Rule;"""


def _operation(primitive: Primitive) -> str:
    return f"OP_{primitive.name.upper()}"


def _operations(table: Sequence[Primitive]) -> str:
    names = ["OP_LEAF = 0", *[_operation(primitive) for primitive in table], "OP_COUNT"]
    return csource.block("enum", [f"{name}," for name in names]) + ";"


def _rules(table: Sequence[Primitive]) -> str:
    rows = ['{"", "a number", 0, 0, {0.0, 0.0, 0.0}, 0, 0, 0u, 0u},']
    for primitive in table:
        arity = -1 if primitive.variadic else len(primitive.arguments)
        defaults = [*primitive.defaults, 0.0, 0.0, 0.0][:3]
        fields = [
            json.dumps(primitive.name),
            json.dumps(primitive.doc),
            str(arity),
            str(len(primitive.defaults)),
            f"{{{', '.join([csource.constant(x) for x in defaults])}}}",
            str(int(primitive.public)),
            str(int(primitive.gather is paired)),
            _bits(primitive, primitive.selects),
            _bits(primitive, [rule is not None for rule in primitive.partials]),
        ]
        rows.append(f"{{{', '.join(fields)}}},")
    return csource.block("static const AG_UNUSED Rule RULES[OP_COUNT] =", rows) + ";"


def _bits(primitive: Primitive, flags: Sequence[bool]) -> str:
    if primitive.variadic:
        return _ALL if flags[0] else "0u"
    return f"{sum(1 << i for i, flag in enumerate(flags) if flag)}u"


def is_given(function: Callable[..., Any]) -> bool:
    """Whether a float function needs no translation: it is in C's library, or written by hand."""
    return function in csource.BY_HAND or csource.is_library_function(function)


def _functions(table: Sequence[Primitive]) -> Iterator[str]:
    """The float functions that values and partials call, and those that these call."""
    called = [primitive.fn for primitive in table if csource.is_ours(primitive)]
    yield from map(csource.function, closure(called, is_given))


def _value(primitive: Primitive) -> str:
    """The value as a function in C."""
    if primitive.variadic:
        call = f"{csource.function_name(primitive.fn)}(x, n)"
        return csource.block(
            f"static AG_UNUSED double value_{primitive.name}(const double *x, Py_ssize_t n)", [f"return {call};"]
        )
    names = [f"x{i}" for i in range(len(primitive.arguments))]
    parameters = ", ".join([f"double {name}" for name in names])
    head = f"static inline double value_{primitive.name}({parameters})"
    return csource.block(head, [f"return {csource.value(primitive, names)};"])


def _value_of(table: Sequence[Primitive]) -> str:
    lines = ["switch (op) {"]
    for primitive in table:
        arguments = ", ".join([f"x[{i}]" for i in range(len(primitive.arguments))])
        call = f"value_{primitive.name}({'x, n' if primitive.variadic else arguments})"
        lines += [f"case {_operation(primitive)}:", f"    return {call};"]
    lines += ["default:", "    return NAN;", "}"]
    return csource.block("static AG_UNUSED double value_of(int op, const double *x, Py_ssize_t n)", lines)


def _partials(primitive: Primitive) -> str:
    """The partials that are needed of a primitive, as a function in C."""
    if primitive.variadic:
        return _variadic_partials(primitive.name, primitive.partials[0]) if primitive.partials[0] else ""
    inputs = ["r", *[f"x[{i}]" for i in range(len(primitive.arguments))]]
    lines = []
    for i, rule in enumerate(primitive.partials):
        if rule is not None:
            body = csource.statements(record(rule, len(inputs)), inputs, [f"p[{i}]"])
            lines += csource.block(f"if (needed & {1 << i}u)", body).splitlines()
    head = f"static inline void partials_{primitive.name}(double r, const double *x, unsigned needed, double *p)"
    return csource.block(head, [*_unused(lines, "r", "x", "needed", "p"), *lines])


def _variadic_partials(name: str, rule: Rule) -> str:
    """All partials: in a loop where each is found in the same way, else written out for few arguments."""
    programs = {n: record(rule, 1 + n) for n in range(1, 9)}
    pattern = _pattern(programs)
    if pattern:
        loop = csource.block("for (Py_ssize_t i = 0; i < n; i++)", [f"p[i] = {pattern};"])
        lines = [*loop.splitlines(), "return 1;"]
    else:
        lines = ["switch (n) {"]
        for n in UNROLLED:
            inputs, outputs = ["r", *[f"x[{i}]" for i in range(n)]], [f"p[{i}]" for i in range(n)]
            body = [*csource.statements(programs[n], inputs, outputs), "return 1;"]
            lines += csource.block(f"case {n}:", body).splitlines()
        lines += ["default:", "    return 0;", "}"]
    head = f"static AG_UNUSED int partials_{name}(double r, const double *x, Py_ssize_t n, double *p)"
    return csource.block(head, [*_unused(lines, "r", "x"), *lines])


def _unused(lines: Sequence[str], *parameters: str) -> list[str]:
    """Statements that name the parameters which these lines leave out, as compilers warn of them."""
    words = set(re.findall(r"\w+", " ".join(lines)))
    return [f"(void){name};" for name in parameters if name not in words]


def _pattern(programs: dict[int, Program]) -> str | None:
    """The partial by argument i where every number of arguments has the same: a constant, or another argument."""
    if any(program.instructions for program in programs.values()):
        return None
    constants = {program.constants for program in programs.values()}
    if len(constants) == 1 and all(set(program.outputs) == {-1} for program in programs.values()):
        return csource.constant(constants.pop()[0])
    shifts: dict[str, Callable[[int], int]] = {"i": lambda n: 0, "(i + n / 2) % n": lambda n: n // 2}
    for index, shift in shifts.items():
        if all(program.outputs == tuple([1 + (i + shift(n)) % n for i in range(n)]) for n, program in programs.items()):
            return f"x[{index}]"
    return None


def _partials_of(table: Sequence[Primitive]) -> str:
    lines = ["switch (op) {"]
    for primitive in table:
        lines.append(f"case {_operation(primitive)}:")
        if primitive.variadic:
            call = f"partials_{primitive.name}(r, x, n, p)" if primitive.partials[0] else "1"
            lines.append(f"    return {call};")
        else:
            lines += [f"    partials_{primitive.name}(r, x, needed, p);", "    return 1;"]
    lines += ["default:", "    return 0;", "}"]
    head = "static AG_UNUSED int partials_of(int op, double r, const double *x, Py_ssize_t n, unsigned needed, double *p)"
    return csource.block(head, lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write rules.h; with ``--check`` only say whether it is current. The exit status: 1 if it is not."""
    parser = argparse.ArgumentParser(prog="python -m autograd_lite.native.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 1 if rules.h is not what would be written")
    generated = text()
    if parser.parse_args(arguments).check:
        return int(not PATH.exists() or PATH.read_text(encoding="utf-8") != generated)
    PATH.write_text(generated, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
