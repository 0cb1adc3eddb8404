"""A function recorded as a program: it runs once, on nodes that note every comparison and give no number away.

Operations on the nodes make a graph as they always do, also those of derivatives, so whatever composes on Values composes here.
Comparisons become guards, those of Values from outside too. What would freeze a number, of the point where the function was
recorded or of a Value from outside, raises RecordingError, whether the function catches that or not.
"""

from __future__ import annotations

import math
import operator
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import filterfalse
from numbers import Number, Real
from types import FrameType
from typing import Any, NamedTuple, NoReturn

from autograd_lite import modes, primitives, structures
from autograd_lite.compiler import collector
from autograd_lite.compiler.instructions import COMPARISONS, IS_DEFINED, IS_REAL, Guard
from autograd_lite.compiler.program import Program, Recording
from autograd_lite.compiler.spelling import is_users
from autograd_lite.copies import restored as restored_node
from autograd_lite.engine import Value
from autograd_lite.modes import source_line
from autograd_lite.primitive import TABLE, Primitive, real_number
from autograd_lite.sweep import arguments_under_way, topological_order


class RecordingError(TypeError):
    """A function that is compiled asks for a number which is another one at the next call.

    >>> import autograd_lite as ag
    >>> try:
    ...     ag.compile(lambda x: x * x.data)(3.0)
    ... except ag.RecordingError:
    ...     print("x.data would be 3.0 for every x")
    x.data would be 3.0 for every x
    """

    inputs: tuple[int, ...] = ()  # what the number depends on that something is counted with
    as_sequence = False  # whether a number is taken for a sequence


class Recorded(Value, own_results=True):
    """A number of a function that is being recorded."""

    __slots__ = ()
    is_variable = True  # sweeps ask: as the share of a selection it is 0 at some points, and at others not

    def behind(self, mask: Value | None) -> Value:
        """The mask of what lies behind an edge with this share, given the mask of the node it comes from (None: no mask)."""
        return self if mask is None else TABLE["where"](mask, self, 0.0)

    def masked(self, number: Value | float, otherwise: float) -> Value:
        """A number that an edge brings, or a sum of such, where this mask is not 0; else the zero given."""
        return TABLE["if_reached"](self, number, otherwise)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<recorded {'input' if self.op is None else self.op.name}>"

    def __bool__(self) -> bool:
        return bool(_compare("!=", self, 0.0))

    def __eq__(self, other: object) -> Any:
        return _compare("==", self, other)

    def __ne__(self, other: object) -> Any:
        return _compare("!=", self, other)

    __hash__ = Value.__hash__

    def __lt__(self, other: Any) -> Any:
        return _compare("<", self, other)

    def __le__(self, other: Any) -> Any:
        return _compare("<=", self, other)

    def __gt__(self, other: Any) -> Any:
        return _compare(">", self, other)

    def __ge__(self, other: Any) -> Any:
        return _compare(">=", self, other)


def _refused(what: str, remedy: str, counts: bool = False) -> Callable[..., Any]:
    def refused(self: Recorded, *_: Any, **__: Any) -> Any:
        asked, instead = _ASKED.get(sys._getframe(1).f_globals.get("__name__", ""), (what, remedy))
        inputs = _inputs_below(self) if counts else ()
        refuse(f"{asked} is only known at the point where the function was recorded{_here()}: {instead}", inputs)

    return refused


def refuse(message: str, inputs: tuple[int, ...] = ()) -> NoReturn:
    """Raise RecordingError, now and once more when the function has returned: it may catch the first one."""
    error, tape = RecordingError(message), _current.get()
    error.inputs = inputs
    if tape is not None and tape.refusal is None:
        tape.refusal = error
    raise error


def _asker() -> str:
    """The module that asks for a number of a Value."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") in _ENGINE:
        frame = frame.f_back
    return frame.f_globals.get("__name__", "") if frame is not None else ""


def _inputs_below(x: Recorded) -> tuple[int, ...]:
    """The positions of the inputs that a number depends on."""
    tape = _current.get()
    places = {id(node): i for i, node in enumerate(tape.inputs)} if tape else {}
    return tuple([places[id(node)] for node in topological_order(x) if id(node) in places])


def _here() -> str:
    source = source_line()
    return f', File "{source[0]}", line {source[1]}, in {source[2]}' if source else ""


_AS_SEQUENCE = ("subscriptable", "iterable", "no len()")  # what Python says of a number that is used as one
_NO_SEQUENCE = (
    "compile: a number is taken for a sequence ({error}): an array among the arguments holds a number for each point, unless"
    " batch= says more; give a vector as a list, or say batch=(None, ...)"
)
_WITHOUT = (
    "keep it a Value (stop_gradient(x) drops its derivative, where, maximum and floor take the place of a number's tests)"
)
_COUNTED = "give an int, for each of which machine code of its own is kept"
_AFTER = "return it from the function, and read it there"
_SWEEP = "use ag.gradient(y, xs, create_graph=True) in the function, or compile(value_and_grad(f)) outside it"
_ENGINE = ("autograd_lite.engine", __name__)
_FROM_OUTSIDE = {  # what is asked of a Value that the function uses from outside
    "data": (
        "the number (.data) of a Value from outside would not be read again at later calls",
        "use the Value itself, which is read anew (stop_gradient(v) drops its derivative), or give the number as an argument",
    ),
    "grad": ("the gradient of a Value would not be read again at later calls", "give the number as an argument"),
    "copy": ("the copy of a Value from outside would not be made again at later calls", "use the Value itself"),
}
_ASSIGNED = (
    "assigning to .data of a Value would happen where a path is recorded, not at every call{here}: return the number from the"
    " function, and assign it outside"
)
_ASKED = {  # by other modules of this package
    "autograd_lite.modes": ("what no_grad() and anomaly() ask for", "use stop_gradient; look for anomalies without compile"),
    "autograd_lite.sweep": (
        "a derivative that is a number",
        "ask for a Value, by create_graph=True, or by grad outside of no_grad",
    ),
    "autograd_lite.transforms": ("a derivative inside of no_grad()", "differentiate outside of it, and use stop_gradient"),
}
Recorded.data = property(_refused("x.data", _WITHOUT), _refused("x.data", _WITHOUT))  # type: ignore[assignment, method-assign]
Recorded.grad = property(_refused("x.grad", _SWEEP), _refused("x.grad", _SWEEP))  # type: ignore[assignment, method-assign]
for _name, _what, _remedy, *_counts in (
    ("__float__", "float(x)", _WITHOUT),
    ("__int__", "int(x)", _WITHOUT, True),
    ("__index__", "a number that something is counted with", _COUNTED, True),
    ("__complex__", "complex(x)", _WITHOUT),
    ("__format__", "the text of a number", _AFTER),
    ("__reduce_ex__", "the pickle of a number", _AFTER),
    ("backward", "the gradient that x.backward() leaves", _SWEEP),
):
    setattr(Recorded, _name, _refused(_what, _remedy, *_counts))


@dataclass(frozen=True, slots=True)
class Trace:
    """A function on one path: its program; Values it uses from outside, further inputs; the structure of its result."""

    program: Program
    captured: tuple[Value, ...]
    result: structures.Structure
    raises: bool = False  # f raises on this path, for a power is complex; its number is nan here


class _Tape:
    """What is noted while a function is recorded."""

    def __init__(self) -> None:
        self.comparisons: list[tuple[str, Any, Any, bool]] = []
        self.own: set[Value] = set()  # made inside, and dependent on nothing from outside: constants
        self.inputs: list[Recorded] = []
        self.refusal: RecordingError | None = None  # the first
        self.attempts: list[_Attempt] = []  # of operations that may raise
        self.nan_from: int | None = None  # the attempt from which on powers are nan rather than raising


class _Attempt(NamedTuple):
    """An operation that may raise, and what it has raised."""

    primitive: Primitive
    operands: tuple[Any, ...]
    error: Exception | None


_TOTAL = frozenset(filterfalse(is_users, TABLE.values())) - {primitives.power}  # those that raise nothing
_current: ContextVar[_Tape | None] = ContextVar("tape", default=None)


class _Inside(modes.Mode):
    """Whatever is computed of Values from outside is recorded, also of other classes; their numbers are not given away."""

    def __init__(self, tape: _Tape) -> None:
        self.own, self.tape = tape.own, tape
        self.error: Exception | None = None  # in whose place a number was given

    def made(self, leaf: Any) -> None:
        self.own.add(leaf)

    def raised(self, primitive: Primitive, operands: tuple[Any, ...], error: Exception) -> float | None:
        tape = self.tape
        if primitive is primitives.power and tape.nan_from is not None and len(tape.attempts) >= tape.nan_from:
            self.error = error
            return math.nan
        tape.attempts.append(_Attempt(primitive, operands, error))
        return None

    def recorded(self, node: Any) -> Any:
        if node.op not in _TOTAL:
            self.tape.attempts.append(_Attempt(node.op, node.args, self.error))
            self.error = None
        if isinstance(node, Recorded):
            return node
        if all([x.__class__ is float or x in self.own for x in node.args]):
            self.own.add(node)
            return node
        return restored_node(Recorded, node.op, node.args, node._number, 0.0, tuple(node.note), assigned=False)

    def asked(self, node: Any, what: str) -> None:
        if isinstance(node, Recorded):
            return  # which refuses by itself
        if what == "data = ":
            refuse(_ASSIGNED.format(here=_here()))
        if node not in self.own:
            asked, instead = _ASKED.get(_asker(), _FROM_OUTSIDE[what])
            refuse(f"{asked}{_here()}: {instead}")

    def compared(self, comparison: str, node: Any, other: Any) -> Any:
        return _compare(comparison, node, other)


@contextmanager
def _recording(nan_from: int | None) -> Iterator[_Tape]:
    """Within it the modes that are active outside are not: they ask for numbers, or stop what is recorded."""
    tape = _Tape()
    tape.nan_from = nan_from
    inside = _Inside(tape)
    outer, token = modes._current.set((inside,)), _current.set(tape)
    modes.active_modes.append(inside)  # then sweeps on numbers ask for them by .data, which is refused
    try:
        yield tape
    finally:
        modes.active_modes.remove(inside)
        modes._current.reset(outer)
        _current.reset(token)


def is_recording() -> bool:
    """Whether a function is being recorded in this thread or task."""
    return _current.get() is not None


def _compare(comparison: str, x: Value, other: Any) -> Any:
    if isinstance(other, Value):
        y: Any = other
        number = other._number
    elif isinstance(other, Number if comparison in ("==", "!=") else Real):
        comparison, y = _with_float(comparison, other)
        if y is None:
            return comparison == "!="
        number = y
    else:
        return NotImplemented
    tape = _current.get()
    if tape is None:
        raise RecordingError(f"{x!r} was kept after the function had been recorded{_here()}: return it from the function")
    outcome = COMPARISONS[comparison](x._number, number)
    tape.comparisons.append((comparison, x, y, outcome))
    return outcome


def _with_float(comparison: str, other: Any) -> tuple[str, float | None]:
    """A comparison with a number as one with a float: there is no float between the number and the one next to it.

    None where no float equals the number: what is compared by == or != is unequal to it then.
    """
    try:
        number = float(other if isinstance(other, Real) else other.real)
    except OverflowError:
        number = float("inf") if other > 0 else float("-inf")
    if comparison in ("==", "!="):
        return comparison, number if number == other else None
    if number == other or number != number:
        return comparison, number
    above = number > other
    if comparison in ("<", "<="):
        return "<" if above else "<=", number
    return ">=" if above else ">", number


_ANOTHER = (
    "{name} made another program when it was called once more at the same point: it must not draw random numbers, or depend on"
    " what it has done before; give these as arguments"
)


def record(
    f: Callable[..., Any], numbers: Sequence[float], arguments: structures.Structure, complex_as_nan: bool = False
) -> Trace:
    """Call f on new nodes with these numbers, in the structure of its arguments, and give the program of its result.

    Its inputs are the numbers, and those of the captured Values. f is called once more, and must do the same; where it does
    not, a third time, for it may have made something at the first call that it keeps. Raises RecordingError where it does not
    either, or f needs a number itself; TypeError where it returns something else than real numbers; what f raises. With
    `complex_as_nan` a power that is complex is nan where f does not catch the ValueError, and the trace says that f `raises`.
    """
    run = _run(f, numbers, arguments, complex_as_nan)
    trace = _trace(run)
    for _ in range(2):
        again = _run(f, numbers, arguments, complex_as_nan)
        if _are_equal(run, again):
            return trace
        run, first = again, trace
        trace = _trace(run)
        if trace.program == first.program and all(map(operator.is_, trace.captured, first.captured)):
            return trace
    raise RecordingError(_ANOTHER.format(name=getattr(f, "__name__", "the function")))


def evaluate(
    f: Callable[..., Any], numbers: Sequence[float], arguments: structures.Structure, complex_as_nan: bool = False
) -> tuple[array[float], structures.Structure]:
    """The numbers of f's result and its structure, as on a path, without making one: f is called once, and refused as much."""
    run = _run(f, numbers, arguments, complex_as_nan)
    outputs = [x._number if isinstance(x, Value) else real_number(x, "a result") for x in run.outputs]
    return array("d", outputs), run.result


class _Run(NamedTuple):
    """What a call of a function has left: its arguments' and results' nodes and numbers, and the comparisons it made."""

    inputs: list[Recorded]
    outputs: list[Any]
    result: structures.Structure
    tape: _Tape

    def compared(self) -> list[Any]:
        """What was compared, pair by pair; and the operands of what may raise."""
        pairs = [x for _, *pair, _ in self.tape.comparisons for x in pair]
        return pairs + [x for attempt in self.tape.attempts for x in attempt.operands]

    def outcomes(self) -> list[Any]:
        """How that came out."""
        compared = [(name, outcome) for name, _, _, outcome in self.tape.comparisons]
        return compared + [(attempt.primitive, attempt.error is None) for attempt in self.tape.attempts]

    def order(self) -> list[Any]:
        """The nodes below what is left, operands first."""
        left = [*self.outputs, *self.compared()]
        return topological_order(*[x for x in left if isinstance(x, Recorded)], above=_outside(left))


def _run(
    f: Callable[..., Any],
    numbers: Sequence[float],
    arguments: structures.Structure,
    complex_as_nan: bool,
    nan_from: int | None = None,
) -> _Run:
    inputs = [Recorded(x) for x in numbers]
    uncaught: list[int] = []  # attempts whose errors f lets through
    with _recording(nan_from) as tape, arguments_under_way(inputs):
        tape.inputs = inputs
        try:
            result = f(*arguments(iter(inputs)))
        except Exception as error:
            refusal, tape.refusal = tape.refusal, None
            if refusal is not None and refusal is not error:
                raise refusal from error
            if isinstance(error, TypeError) and "Recorded" in str(error) and any([word in str(error) for word in _AS_SEQUENCE]):
                wrong = RecordingError(_NO_SEQUENCE.format(error=error))
                wrong.as_sequence = True
                raise wrong from error
            uncaught = [i for i, attempt in enumerate(tape.attempts) if attempt.error is error]
            may_be_nan = complex_as_nan and nan_from is None and isinstance(error, ValueError)
            if not may_be_nan or not uncaught or tape.attempts[uncaught[0]].primitive is not primitives.power:
                raise
    if uncaught:
        return _run(f, numbers, arguments, complex_as_nan, nan_from=uncaught[0])
    if tape.refusal is not None:
        raise tape.refusal
    outputs, structure = structures.flatten(result)
    for y in outputs:
        if not isinstance(y, Value):
            _check_result(y, f)
    return _Run(inputs, outputs, structure, tape)


@collector.paused()
def _are_equal(one: _Run, other: _Run) -> bool:
    """Whether two calls have done the same, node by node: then their programs are equal too."""
    order, other_order = one.order(), other.order()
    own, other_own = one.tape.own, other.tape.own
    if len(order) != len(other_order) or one.outcomes() != other.outcomes() or len(one.outputs) != len(other.outputs):
        return False
    compared, other_compared = one.compared(), other.compared()
    if len(compared) != len(other_compared):
        return False
    twins: dict[Any, Any] = dict(zip(one.inputs, other.inputs, strict=True))

    def are_twins(x: Any, y: Any) -> bool:
        if isinstance(x, Recorded):
            return twins[x] is y
        x, y = x._number if x in own else x, y._number if y in other_own else y
        return x is y or (x.__class__ is float and y.__class__ is float and (x == y != 0.0 or repr(x) == repr(y)))

    for node, twin in zip(order, other_order, strict=True):
        if isinstance(node, Recorded) and node not in twins:
            if node.op is not twin.op or len(node.args) != len(twin.args) or not all(map(are_twins, node.args, twin.args)):
                return False
            twins[node] = twin
    return all(map(are_twins, [*one.outputs, *compared], [*other.outputs, *other_compared]))


def _check_result(y: Any, f: Callable[..., Any]) -> None:
    try:
        real_number(y, "compile: a result of the function")
    except TypeError:
        raise TypeError(
            f"compile: {getattr(f, '__name__', 'the function')} returned {type(y).__name__} {y!r:.60}, which is no real number;"
            " a result is a number or a list, tuple, dict or NumPy array of numbers"
        ) from None


@collector.paused()
def _trace(run: _Run) -> Trace:
    inputs, outputs, rebuild, tape = run
    order = run.order()
    captured = _captured(order, [*outputs, *run.compared()], tape.own)
    recording = Recording(len(inputs) + len(captured))
    places: dict[Value, int] = {node: place for place, node in enumerate((*inputs, *captured))}

    def place_of(x: Any) -> int:
        if isinstance(x, Value):
            return recording.constant(float(x._number)) if x in tape.own else places[x]
        return recording.constant(x) if x.__class__ is float else recording.constant(real_number(x, "a result"))

    for node in order:
        if node in places or not isinstance(node, Recorded):  # before what is read from outside
            continue
        if node.op is None:
            raise RecordingError(f"{node!r} of another recording is used: return it from the function where it was recorded")
        operands = tuple([place_of(x) for x in node.args])
        places[node] = recording.simplified(node.op, operands)
    guards: dict[Guard, None] = {}
    for comparison, x, y, outcome in tape.comparisons:
        guard = Guard(comparison, place_of(x), place_of(y), outcome)
        if guard.left >= 0 or guard.right >= 0:
            guards[guard] = None
    for primitive, args, error in tape.attempts:
        operands = tuple([place_of(x) for x in args])
        if max(operands, default=-1) < 0:
            continue
        if primitive is not primitives.power:
            place = recording.instruction(primitive, operands)
            guards[Guard(IS_DEFINED, place, place, error is None)] = None
        elif not _is_real(recording, operands):
            guards[Guard(IS_REAL, operands[0], operands[1], error is None)] = None
    program = recording.reduced([place_of(y) for y in outputs], list(guards))
    return Trace(program, tuple(captured), rebuild, tape.nan_from is not None)


def _is_real(recording: Recording, operands: tuple[int, ...]) -> bool:
    """Whether a power is no complex number, whatever the inputs are."""
    base, exponent = [recording.constants[-1 - x] if x < 0 else None for x in operands]
    return (base is not None and not base < 0.0) or (exponent is not None and exponent % 1.0 == 0.0)


def _outside(xs: Iterable[Any]) -> list[Value]:
    """The Values among these that are not being recorded."""
    return [x for x in xs if isinstance(x, Value) and not isinstance(x, Recorded)]


def _captured(order: Iterable[Any], others: Iterable[Any], own: set[Value]) -> list[Value]:
    """The Values from outside that a function uses: their history is none of its business."""
    found: dict[Value, None] = {}
    for node in order:
        if isinstance(node, Recorded):
            found.update(dict.fromkeys(_outside(node.args)))
    found.update(dict.fromkeys(_outside(others)))
    return [x for x in found if x not in own]
