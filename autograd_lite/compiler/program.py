"""Straight-line programs: what a function of numbers computes, recorded by applying it to variables.

The numbers of a program have places, which are integers: the inputs come first, 0, 1, ...; then the results of the
instructions, in their order; the constants stand before 0, at -1, -2, ...
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograd_lite.compiler import c_file, listing, number_kinds, program_json
from autograd_lite.compiler.instructions import COMPARISONS, IS_DEFINED, Guards, Instructions
from autograd_lite.compiler.instructions import Guard as Guard
from autograd_lite.compiler.instructions import Instruction as Instruction
from autograd_lite.primitive import Primitive, real_number
from autograd_lite.primitives import TABLE


class PathError(ValueError):
    """A program was run at a point where a comparison does not come out as it did when the program was recorded.

    >>> import autograd_lite as ag
    >>> kernel = ag.compile(lambda x: x if x > 0.0 else -x)
    >>> kernel(1.0)
    1.0
    >>> try:
    ...     kernel.program(-2.0)
    ... except ag.PathError:
    ...     print("recorded where x > 0")
    recorded where x > 0
    """


@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)
class Program:
    """So many inputs, the instructions in the order of their execution, and the places of the outputs.

    It is right at the points where all guards come out as they did. Programs are equal if their constants are so bit for bit,
    and all else is equal. `digest` is text that tells programs apart, the same in every process. `str` lists the instructions.

    >>> import autograd_lite as ag
    >>> kernel = ag.compile(lambda x: x * x + 1.0)
    >>> kernel(3.0)
    10.0
    >>> print(kernel.program)
    inputs x0
    v1 = x0 * x0
    v2 = v1 + 1.0
    return v2
    """

    inputs: int
    constants: tuple[float, ...]
    instructions: Instructions
    outputs: tuple[int, ...]
    guards: Guards
    digest: str = field(init=False)

    def __init__(
        self,
        inputs: int,
        constants: Iterable[float],
        instructions: Iterable[Instruction],
        outputs: Iterable[int],
        guards: Iterable[Guard] = (),
    ) -> None:
        own = object.__setattr__
        own(self, "inputs", inputs)
        own(self, "constants", tuple(constants))
        own(self, "instructions", instructions if isinstance(instructions, Instructions) else Instructions(instructions))
        own(self, "outputs", tuple(outputs))
        own(self, "guards", guards if isinstance(guards, Guards) else Guards(guards))
        own(self, "digest", self._digest())

    def _digest(self) -> str:
        constants = array("d", [x if x == x else float("nan") for x in self.constants])  # nan is nan, and -0.0 is not 0.0
        lengths = self.inputs, len(self.constants), len(self.instructions), len(self.outputs)
        parts = constants.tobytes(), self.instructions.content(), array("i", self.outputs).tobytes(), self.guards.content()
        return hashlib.blake2b(repr(lengths).encode() + b"".join(parts), digest_size=16).hexdigest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Program):
            return NotImplemented
        return self.digest == other.digest and self.instructions.primitives == other.instructions.primitives

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple[Any, ...]:
        return Program, (self.inputs, self.constants, self.instructions, self.outputs, self.guards)

    def __str__(self) -> str:
        return "\n".join(listing.lines(self))

    def __repr__(self) -> str:
        return listing.summary(self)

    def to_json(self) -> str:
        """The program as JSON text. `from_json` gives an equal one."""
        return program_json.written(self)

    @classmethod
    def from_json(cls, text: str) -> Program:
        """The program that the text describes; runs nothing.

        Raises ProgramFormatError, naming the row, if the text is no program, or one of a primitive that the table has not.
        """
        return cls(*program_json.read(text))

    def to_c(self, name: str = "kernel") -> str:
        """A C99 file of its own: ``void name(const double *inputs, double *outputs)``, and if there are guards
        ``int name_on_path(const double *inputs)``, which tells whether all comparisons come out as they were recorded.

        Compiled without contraction (-ffp-contract=off) it gives the engine's bits; nan where a power is complex or a user's
        primitive raises by a `raise` statement. What Python raises by itself has IEEE 754's result. Raises ValueError if a
        function in C cannot have that name, if a user's primitive is not written in the part of Python that is translated, or
        if the path is that where one raises without such a statement.
        """
        return c_file.text(self, name)

    def __call__(self, *args: Any) -> list[Any]:
        """The outputs for these inputs.

        They are numbers or Values. With a `fractions.Fraction` among the inputs everything is computed exactly, floats being
        the fractions they are; with an mpf of mpmath everything, in its precision, by mpmath's functions and by formulas.

        Raises TypeError if their count is not that of the inputs; PathError where a comparison does not come out as it did
        when the program was recorded; NumberError, naming the primitive, where one has no exact value, or mpmath none.
        """
        if len(args) != self.inputs:
            raise TypeError(f"the program takes {self.inputs} inputs, got {len(args)}")
        kind = number_kinds.kind_of(args)
        given = [kind.wrapped(x) for x in args] if kind else [_plain(x) for x in args]
        numbers: list[Any] = [*given, *[None] * len(self.instructions), *reversed(self.constants)]
        standing = self.standing_guards()
        self._check(standing.get(-1, ()), numbers)
        watched = {guard.left for guard in self.guards if guard.comparison == IS_DEFINED}
        for at, (primitive, operands) in enumerate(self.instructions, self.inputs):
            try:
                numbers[at] = apply(primitive, [numbers[place] for place in operands])
            except number_kinds.NumberError:
                raise
            except Exception:
                if at not in watched:
                    raise
                numbers[at] = _NOTHING
            if at in standing:
                self._check(standing[at], numbers)
        outputs = [numbers[place] for place in self.outputs]
        return [kind.unwrapped(x) for x in outputs] if kind else outputs

    def standing_guards(self) -> dict[int, list[Guard]]:
        """The guards by the place after which they can be decided; by -1 those that ask for inputs and constants alone."""
        standing: dict[int, list[Guard]] = {}
        for guard in self.guards:
            place = max(guard.left, guard.right)
            standing.setdefault(place if place >= self.inputs else -1, []).append(guard)
        return standing

    def _check(self, guards: Iterable[Guard], numbers: Sequence[Any]) -> None:
        """Raise PathError for the first guard that does not come out as recorded."""
        for guard in guards:
            left, right = numbers[guard.left], numbers[guard.right]
            match guard.comparison:
                case "is real":
                    held = _is_real(left, right)
                case "is defined":
                    held = left is not _NOTHING
                case comparison:
                    held = bool(COMPARISONS[comparison](left, right))
            if held is not guard.outcome:
                raise PathError(
                    f"{listing.compared(self, guard)} is {held} here, with {left!r:.60} and {right!r:.60}, and was"
                    f" {guard.outcome} where the program was recorded: this point is on another path of the function"
                )


_NOTHING = "nothing"  # the result of what has raised


def _plain(x: Any) -> Any:
    return x if type(x) is float or hasattr(type(x), "__record__") else real_number(x, "an input of the program")


def _is_real(x: Any, y: Any) -> bool:
    """Whether x ** y is no complex number."""
    try:
        apply(TABLE["power"], (x, y))
    except number_kinds.NumberError:
        return True  # which is an error where it is computed
    except ValueError:
        return False
    return True


def apply(primitive: Primitive, operands: Sequence[Any]) -> Any:
    """A primitive applied to operands that have been gathered already: to a variadic one's in their final order."""
    for x in operands:
        record_on = getattr(type(x), "__record__", None)
        if record_on is not None:
            return record_on(primitive, tuple(operands))
    return primitive.fn(*operands)


def record(function: Callable[..., Any], inputs: int) -> Program:
    """The program of a function, which takes so many numbers and returns a number or a sequence of numbers.

    Equal instructions are recorded once, those that no output needs are left out, and what depends on no input is computed
    at once. Raises TypeError if the function branches on a number or calls functions outside the table.
    """
    recording = Recording(inputs)
    result = function(*[Variable(recording, place) for place in range(inputs)])
    return recording.program(result if isinstance(result, (list, tuple)) else [result])


class Variable:
    """A number that is not known while a program is recorded: its place in it."""

    __slots__ = ("place", "recording")

    def __init__(self, recording: Recording, place: int) -> None:
        self.recording = recording
        self.place = place

    @staticmethod
    def __record__(primitive: Primitive, args: tuple[Any, ...]) -> Variable:
        """The result of a primitive applied to variables and numbers; `Primitive.__call__` comes here."""
        recordings = {id(x.recording): x.recording for x in args if isinstance(x, Variable)}
        if len(recordings) != 1:
            raise ValueError(f"{primitive.name} was given variables of different programs")
        return recordings.popitem()[1].append(primitive, args)

    def __repr__(self) -> str:
        return f"<number at {self.place} in a program>"

    def __bool__(self) -> bool:
        raise TypeError(f"a straight-line program cannot branch on the {self!r}; use where, step or sign instead")

    def __eq__(self, other: object) -> bool:
        return bool(self)  # raises: whether the numbers are equal is not known

    __hash__ = object.__hash__


def _operator(primitive: Primitive, *, reflected: bool = False) -> Callable[..., Any]:
    return lambda *args: primitive(*(args[::-1] if reflected else args))


_BINARY = {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod", "**": "pow"}
for _name, _primitive in TABLE.items():
    if _primitive.symbol in _BINARY and len(_primitive.arguments) == 2:
        setattr(Variable, f"__{_BINARY[_primitive.symbol]}__", _operator(_primitive))
        setattr(Variable, f"__r{_BINARY[_primitive.symbol]}__", _operator(_primitive, reflected=True))
for _name, _method in {"negative": "neg", "positive": "pos", "absolute": "abs"}.items():
    setattr(Variable, f"__{_method}__", _operator(TABLE[_name]))


class Recording:
    """A program while it is recorded."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.instructions: list[Instruction] = []
        self.constants: list[float] = []
        self._places: dict[object, int] = {}

    def append(self, primitive: Primitive, args: Sequence[Any]) -> Variable:
        """The result of an instruction: of the equal one where there is one."""
        return Variable(self, self.instruction(primitive, tuple([self.place(x, primitive.name) for x in args])))

    def instruction(self, primitive: Primitive, operands: tuple[int, ...]) -> int:
        """The place of an instruction's result: that of the equal one where there is one."""
        key = (primitive, operands)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = self.inputs + len(self.instructions)
            self.instructions.append(Instruction(primitive, operands))
        return place

    def simplified(self, primitive: Primitive, operands: tuple[int, ...]) -> int:
        """The place of an instruction's result; without one where the result is known, or is, bit for bit, an operand."""
        if max(operands, default=-1) < 0:
            try:
                return self.constant(primitive.fn(*[self.constants[-1 - x] for x in operands]))
            except Exception:  # noqa: BLE001 -- it raises where it is executed
                return self.instruction(primitive, operands)
        if len(operands) < 3:
            for slot, constant in _KEEPS.get(primitive.name, ()):
                if slot is None:
                    return operands[0]
                if operands[slot] < 0 and self.constants[-1 - operands[slot]].hex() == constant:
                    return operands[1 - slot]
        return self.instruction(primitive, operands)

    def place(self, x: Any, role: str) -> int:
        """The place of a variable or a constant; `role` says in an error what it was for."""
        return x.place if isinstance(x, Variable) else self.constant(real_number(x, role))

    def constant(self, number: float) -> int:
        """The place of a constant."""
        key = number.hex()  # tells -0.0 from 0.0, and nan equals nan
        place = self._places.get(key)
        if place is None:
            self.constants.append(number)
            place = self._places[key] = -len(self.constants)
        return place

    def program(self, outputs: Sequence[Any], guards: Sequence[Guard] = ()) -> Program:
        """What has been recorded, as far as these outputs and guards need it."""
        places = [self.place(x, "an output") for x in outputs]
        return self.reduced(places, guards)

    def reduced(self, places: Sequence[int], guards: Sequence[Guard]) -> Program:
        """The same for outputs at these places. Constants are numbered in the order in which they are used."""
        needed = {*places, *[guard.left for guard in guards], *[guard.right for guard in guards]}
        for at in range(len(self.instructions) - 1, -1, -1):
            if self.inputs + at in needed:
                needed.update(self.instructions[at].operands)
        moved = {place: place for place in range(self.inputs)}
        for place in sorted(needed):
            if place >= self.inputs:
                moved[place] = len(moved)
        used = [x for place in moved if place >= self.inputs for x in self.instructions[place - self.inputs].operands]
        used += [*places, *[x for guard in guards for x in (guard.left, guard.right)]]
        constants = list(dict.fromkeys([x for x in used if x < 0]))
        moved.update({place: -1 - i for i, place in enumerate(constants)})
        instructions = [
            Instruction(instruction.primitive, tuple([moved[x] for x in instruction.operands]))
            for place, instruction in enumerate(self.instructions, self.inputs)
            if place in needed
        ]
        kept = [self.constants[-1 - place] for place in constants]
        held = [Guard(guard.comparison, moved[guard.left], moved[guard.right], guard.outcome) for guard in guards]
        return Program(self.inputs, tuple(kept), tuple(instructions), tuple([moved[x] for x in places]), tuple(held))


_ONE, _ZERO, _MINUS_ZERO = (1.0).hex(), (0.0).hex(), (-0.0).hex()
# Operations whose result is, bit for bit, an operand: the first one, or the one beside a constant in that slot.
_KEEPS: dict[str, tuple[tuple[int | None, str], ...]] = {
    "positive": ((None, ""),),
    "stop_gradient": ((None, ""),),
    "add": ((0, _MINUS_ZERO), (1, _MINUS_ZERO)),
    "subtract": ((1, _ZERO),),
    "multiply": ((0, _ONE), (1, _ONE)),
    "divide": ((1, _ONE),),
}
