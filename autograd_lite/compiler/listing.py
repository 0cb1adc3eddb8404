"""Programs as text to read: an instruction a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from autograd_lite.compiler.instructions import IS_DEFINED, IS_REAL, Guard
from autograd_lite.primitive import Primitive

if TYPE_CHECKING:
    from autograd_lite.compiler.program import Program

_SHORT = 8  # a program of at most so many rows of a kind is shown whole by `repr`


def lines(program: Program) -> Iterator[str]:
    """The inputs, the instructions, each guard where it can be decided, and the outputs."""
    standing = program.standing_guards()
    yield f"inputs {', '.join([named(program, x) for x in range(program.inputs)])}".rstrip()
    yield from [f"assume {'' if guard.outcome else 'not '}{compared(program, guard)}" for guard in standing.get(-1, ())]
    for place, (primitive, operands) in enumerate(program.instructions, program.inputs):
        yield f"{named(program, place)} = {applied(primitive, [named(program, x) for x in operands])}"
        yield from [f"assume {'' if guard.outcome else 'not '}{compared(program, guard)}" for guard in standing.get(place, ())]
    yield f"return {', '.join([named(program, x) for x in program.outputs])}".rstrip()


def summary(program: Program) -> str:
    """A short program on one line; of a long one how long it is."""
    counts = {
        "input": program.inputs,
        "instruction": len(program.instructions),
        "guard": len(program.guards),
        "output": len(program.outputs),
    }
    if max(counts.values()) <= _SHORT:
        return f"<program: {'; '.join(lines(program))}>"
    return f"<program of {', '.join([f'{n} {what}s' if n != 1 else f'1 {what}' for what, n in counts.items()])}>"


def named(program: Program, place: int) -> str:
    """What stands at a place: an input, a result or a constant."""
    if place < 0:
        return repr(program.constants[-1 - place])
    return f"{'x' if place < program.inputs else 'v'}{place}"


def applied(primitive: Primitive, operands: Sequence[str]) -> str:
    """A primitive applied to numbers: by its operator, if it has one."""
    if not primitive.symbol:
        return f"{primitive.name}({', '.join(operands)})"
    if len(operands) == 1:
        return f"{primitive.symbol}{_enclosed(operands[0])}"
    left, right = operands
    return f"{_enclosed(left) if primitive.symbol == '**' else left} {primitive.symbol} {right}"


def _enclosed(number: str) -> str:
    return f"({number})" if number.startswith("-") else number


def compared(program: Program, guard: Guard) -> str:
    """What a guard compares."""
    left, right = named(program, guard.left), named(program, guard.right)
    if guard.comparison == IS_REAL:
        return f"{_enclosed(left)} ** {right} is real"
    if guard.comparison == IS_DEFINED:
        return f"{left} is defined"
    return f"{left} {guard.comparison} {right}"
