"""Programs as JSON text: a row an instruction, [name, place, ...], and a row a guard."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from autograd_lite import strict_json
from autograd_lite.compiler.instructions import COMPARISONS, IS_DEFINED, IS_REAL, Guard, Guards, Instruction, Instructions
from autograd_lite.graph_json import check_count, read_number, written_number
from autograd_lite.primitive import lookup, written_name

if TYPE_CHECKING:
    from autograd_lite.compiler.program import Program

_FORMAT = "autograd_lite program 1"
_KEYS = ("format", "inputs", "constants", "instructions", "guards", "outputs")
_LARGEST = 2**31  # places are numbers of 32 bits


class ProgramFormatError(ValueError):
    """The text is not JSON of a program."""


def written(program: Program) -> str:
    """The text of a program."""
    document = {
        "format": _FORMAT,
        "inputs": program.inputs,
        "constants": [written_number(x) for x in program.constants],
        "instructions": [[written_name(primitive), *operands] for primitive, operands in program.instructions],
        "guards": [list(guard) for guard in program.guards],
        "outputs": program.outputs,
    }
    return json.dumps(document, allow_nan=False, separators=(",", ":"))


def read(text: str) -> tuple[int, list[float], Instructions, list[int], Guards]:
    """The inputs, constants, instructions, outputs and guards of a program.

    Raises ProgramFormatError, naming the row, if the text is no program, or one of a primitive that the table has not.
    """
    try:
        document = strict_json.read(text)
    except ValueError as error:
        raise ProgramFormatError(f"not a program: {error}") from None
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise ProgramFormatError(f'not a program: "format" should be {_FORMAT!r}')
    if set(document) != set(_KEYS):
        raise ProgramFormatError(f"a program has the keys {', '.join(_KEYS)}, and this one {', '.join(document):.120}")
    for key in _KEYS[2:]:
        if not isinstance(document[key], list):
            raise ProgramFormatError(f'"{key}" should be a list, not {document[key]!r:.60}')
    inputs, rows = document["inputs"], document["instructions"]
    if type(inputs) is not int or not 0 <= inputs < _LARGEST - len(rows):
        raise ProgramFormatError(f'"inputs" should be how many there are, not {inputs!r:.60}')
    constants = list(_each("constant", document["constants"], lambda x, _: read_number(x)))

    def place(x: Any, end: int) -> int:
        if type(x) is not int or not -len(constants) <= x < end:
            raise ValueError(f"{x!r:.40} is not the place of a constant, an input or an earlier result")
        return x

    def instruction(row: Any, i: int) -> Instruction:
        name, *operands = _row(row)
        primitive = lookup(name)
        check_count(primitive, len(operands))
        return Instruction(primitive, tuple([place(x, inputs + i) for x in operands]))

    def guard(row: Any, _: int) -> Guard:
        comparison, left, right, outcome = _row(row)
        kinds = (*COMPARISONS, IS_REAL, IS_DEFINED)
        if comparison not in kinds or type(outcome) is not bool:
            raise ValueError(f"a guard is [{'|'.join(kinds)}, place, place, true|false]")
        return Guard(comparison, place(left, end), place(right, end), outcome)

    instructions = Instructions(_each("instruction", rows, instruction))
    end = inputs + len(rows)
    guards = Guards(_each("guard", document["guards"], guard))
    return inputs, constants, instructions, list(_each("output", document["outputs"], lambda x, _: place(x, end))), guards


def _each(what: str, rows: Sequence[Any], reader: Callable[[Any, int], Any]) -> Iterator[Any]:
    """The rows as `reader` reads them, given their index too."""
    for i, row in enumerate(rows):
        try:
            yield reader(row, i)
        except (TypeError, ValueError, KeyError) as error:
            said = error.args[0] if error.args else error
            raise ProgramFormatError(f"{what} {i}: {said}; the row is {row!r:.120}") from None


def _row(x: Any) -> list[Any]:
    if not isinstance(x, list) or not x or not isinstance(x[0], str):
        raise TypeError("a row is a list that begins with a name")
    return x
