"""A program's instructions as they are printed, and what is known of nan in them."""

from __future__ import annotations

import functools
import math
from collections import Counter
from typing import NamedTuple

from autograd_lite.compiler.instructions import Instruction
from autograd_lite.compiler.program import Program
from autograd_lite.primitive import Primitive

OPCODES = {"add": "fadd", "subtract": "fsub", "multiply": "fmul", "divide": "fdiv", "negative": "fneg"}
COMPARING = {"equal": "==", "greater": ">", "step": ">"}  # 1 or 0; of one argument with 0
EXTREMES = {"maximum": ">", "minimum": "<"}
_PRODUCTS = ("multiply", "square", "power")
_PASSING = {*OPCODES, "sum", "dot", "maximum", "minimum", "difference"}


@functools.cache
def _passes_nan(primitive: Primitive) -> bool:
    """Whether the result of fast code is nan wherever an argument is."""
    if primitive.name in ("flat", *COMPARING) or primitive.variadic or len(primitive.arguments) != 1:  # 0, or 1
        return primitive.name in _PASSING
    try:
        return math.isnan(primitive.fn(math.nan))
    except Exception:  # noqa: BLE001 -- a user's function
        return False


class Unmasked(NamedTuple):
    """A program without the masks of edges.

    program: the operand x in the place of each if_reached(mask, x, zero). doubted: the places of these x: where the mask is 0
    they are 0 or nan. unused: the places of instructions that nothing needs any more.
    """

    program: Program
    doubted: set[int]
    unused: set[int]


def unmasked(program: Program) -> Unmasked:
    """The program for code that looks for nan afterwards. Only what an instruction has computed loses its mask."""
    if not any([primitive.name == "if_reached" for primitive in program.instructions.primitives]):
        return Unmasked(program, set(), set())
    moved: dict[int, int] = {}
    doubted, instructions = set(), []
    for place, (primitive, operands) in enumerate(program.instructions, program.inputs):
        operands = tuple([moved.get(x, x) for x in operands])
        if primitive.name == "if_reached" and operands[1] >= program.inputs:
            moved[place] = operands[1]
            doubted.add(operands[1])
        instructions.append(Instruction(primitive, operands))
    outputs = [moved.get(x, x) for x in program.outputs]
    guards = [
        guard._replace(left=moved.get(guard.left, guard.left), right=moved.get(guard.right, guard.right))
        for guard in program.guards
    ]
    needed = {*outputs, *[x for guard in guards for x in (guard.left, guard.right)]}
    unused = set()
    for place in range(program.inputs + len(instructions) - 1, program.inputs - 1, -1):
        if place in needed:
            needed.update(instructions[place - program.inputs].operands)
        else:
            unused.add(place)
    return Unmasked(Program(program.inputs, program.constants, instructions, outputs, guards), doubted - unused, unused)


def telling(program: Program) -> set[int]:
    """The places whose nan makes an output nan."""
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


def steps_of(unmasked: Unmasked, tells: set[int], fuse: bool) -> list[Step]:
    """The instructions in their order; with `fuse` products are part of the sums they go into, where that is right."""
    program = unmasked.program
    fused = _fused(unmasked, tells) if fuse else {}
    left_out = unmasked.unused | {product for product, _ in fused.values()}
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


def _fused(unmasked: Unmasked, tells: set[int]) -> dict[int, tuple[int, int]]:
    """Sums and differences that are computed together with a product which nothing else needs, and is rounded with them.

    Of the place of each: that of the product, and which operand the other one is. A sum of two products is left as it is: the
    difference of equal products stays 0.
    """

    def name_of(place: int) -> str:
        return instructions[place - program.inputs].primitive.name if place >= program.inputs else ""

    program, doubted, unused = unmasked
    instructions = list(program.instructions)
    used = [instruction.operands for place, instruction in enumerate(instructions, program.inputs) if place not in unused]
    uses = Counter([x for operands in used for x in operands])
    uses.update(program.outputs)
    uses.update([x for guard in program.guards for x in (guard.left, guard.right)])
    fused: dict[int, tuple[int, int]] = {}
    for place, instruction in enumerate(instructions, program.inputs):
        if place not in unused and instruction.primitive.name in ("add", "subtract"):
            names = [name_of(x) for x in instruction.operands]
            slots = [slot for slot, name in enumerate(names) if name in _PRODUCTS]
            if len(slots) == 1 and names[slots[0]] != "power":
                product = instruction.operands[slots[0]]
                if uses[product] == 1 and (product not in doubted or product in tells):
                    fused[place] = product, 1 - slots[0]
    return fused
