"""Programs printed as C. An instruction is a statement, and the primitives' own `code` spells it."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from autograd_lite.compiler.program import Program
from autograd_lite.primitive import Primitive

# Where C's library has the function under another name, or where Python's has other bits.
_SPELLED: dict[Any, str] = {round: "rint", math.hypot: "ag_hypot"}


def constant(x: float) -> str:
    """A number as C's literal: decimal where that is exact, else hexadecimal; negative ones in parentheses."""
    if math.isnan(x):
        return "NAN"
    if math.isinf(x):
        return "INFINITY" if x > 0.0 else "(-INFINITY)"
    text = repr(x)
    if len(text) > 8 or Decimal(text) != Decimal(x):
        text = re.sub(r"\.?0*p", "p", x.hex())
    return f"({text})" if text.startswith("-") else text


def function_name(function: Callable[..., Any]) -> str:
    """What a function on floats is called in C: as in C's library, or our own, with a prefix."""
    function = inspect.unwrap(function)
    if function in _SPELLED:
        return _SPELLED[function]
    if getattr(math, getattr(function, "__name__", ""), None) is function:
        return function.__name__
    return "ag_" + function.__name__.strip("_")


def value(primitive: Primitive, operands: Sequence[str]) -> str:
    """The value of a primitive as an expression in C. Operands are names or literals; a variadic one takes an array of them."""
    if not primitive.code.startswith(f"{primitive.name}("):
        return primitive.code.format(*operands)
    name = function_name(primitive.fn)
    if primitive.variadic:
        return f"{name}((const double[]){{{', '.join(operands)}}}, {len(operands)})"
    return f"{name}({', '.join(operands)})"


def statements(program: Program, inputs: Sequence[str], outputs: Sequence[str]) -> list[str]:
    """A program as statements in C: inputs are names of numbers, outputs what is assigned to."""
    names = dict(enumerate(inputs))
    names.update({-1 - i: constant(x) for i, x in enumerate(program.constants)})
    lines = []
    for i, instruction in enumerate(program.instructions):
        names[program.inputs + i] = f"t{i}"
        expression = value(instruction.primitive, [names[place] for place in instruction.operands])
        lines.append(f"const double t{i} = {expression};")
    return lines + [f"{output} = {names[place]};" for output, place in zip(outputs, program.outputs, strict=True)]
