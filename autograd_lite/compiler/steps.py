"""A program's instructions as they are printed, and what is known of nan in them."""

from __future__ import annotations

import functools
import math
from collections import Counter
from typing import NamedTuple

from autograd_lite.compiler.program import Program
from autograd_lite.primitive import Primitive

OPCODES = {"add": "fadd", "subtract": "fsub", "multiply": "fmul", "divide": "fdiv", "negative": "fneg"}
ABSORBING = ("absorbing_multiply", "selecting_multiply")
COMPARING = {"equal": "==", "greater": ">", "step": ">"}  # 1 or 0; of one argument with 0
EXTREMES = {"maximum": ">", "minimum": "<"}
_PRODUCTS = ("multiply", "square", "power", *ABSORBING)
_PASSING = {*OPCODES, *ABSORBING, "sum", "dot", "maximum", "minimum", "difference"}


@functools.cache
def _passes_nan(primitive: Primitive) -> bool:
    """Whether the result of fast code is nan wherever an argument is."""
    if primitive.name in ("flat", *COMPARING) or primitive.variadic or len(primitive.arguments) != 1:  # 0, or 1
        return primitive.name in _PASSING
    try:
        return math.isnan(primitive.fn(math.nan))
    except Exception:  # noqa: BLE001 -- a user's function
        return False


def telling(program: Program) -> set[int]:
    """The places whose nan makes an output nan, if absorbing products are plain ones. Other products of these are doubted."""
    telling = {place for place in program.outputs if place >= 0}
    instructions = list(program.instructions)
    for place in range(program.inputs + len(instructions) - 1, program.inputs - 1, -1):
        instruction = instructions[place - program.inputs]
        if place in telling and _passes_nan(instruction.primitive):
            telling.update(instruction.operands)
    return telling


class Step(NamedTuple):
    """An instruction as it is printed: the place of its result, and those of its operands.

    Of a sum or a difference with a product in it: the two factors and the other operand; `product` says which one it was.
    """

    place: int
    operands: tuple[int, ...]
    product: int | None


def steps_of(program: Program, tells: set[int], fuse: bool) -> list[Step]:
    """The instructions in their order; with `fuse` products are part of the sums they go into, where that is right."""
    fused = _fused(program, tells) if fuse else {}
    left_out = {product for product, _ in fused.values()}
    steps = []
    instructions = list(program.instructions)
    for place, instruction in enumerate(instructions, program.inputs):
        if place in fused:
            product, addend = fused[place]
            factors = instructions[product - program.inputs].operands
            operands = (factors[0], factors[-1], instruction.operands[addend])
            steps.append(Step(place, operands, 1 - addend))
        elif place not in left_out:
            steps.append(Step(place, instruction.operands, None))
    return steps


def _fused(program: Program, tells: set[int]) -> dict[int, tuple[int, int]]:
    """Sums and differences that are computed together with a product which nothing else needs, and is rounded with them.

    Of the place of each: that of the product, and which operand the other one is. A sum of two products is left as it is: the
    difference of equal products stays 0.
    """

    def name_of(place: int) -> str:
        return instructions[place - program.inputs].primitive.name if place >= program.inputs else ""

    instructions = list(program.instructions)
    uses = Counter([x for instruction in instructions for x in instruction.operands])
    uses.update(program.outputs)
    uses.update([x for guard in program.guards for x in (guard.left, guard.right)])
    fused: dict[int, tuple[int, int]] = {}
    for place, instruction in enumerate(instructions, program.inputs):
        if instruction.primitive.name in ("add", "subtract"):
            names = [name_of(x) for x in instruction.operands]
            slots = [slot for slot, name in enumerate(names) if name in _PRODUCTS]
            if len(slots) == 1 and names[slots[0]] != "power":
                product = instruction.operands[slots[0]]
                if uses[product] == 1 and (names[slots[0]] not in ABSORBING or product in tells):
                    fused[place] = product, 1 - slots[0]
    return fused
