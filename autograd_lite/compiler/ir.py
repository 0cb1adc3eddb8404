"""LLVM's intermediate representation as text: operations on numbers, or on vectors of them.

A `Builder` writes the body of one function. Its numbers have a width: 1, or that of vectors, of which each element (a lane)
goes its own way and no lane looks at another. Equal instructions are written once, those on constants computed at once.
"""

from __future__ import annotations

import inspect
import math
import operator
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograd_lite import floats
from autograd_lite.compiler.tree import Function, Kind

SCALAR: dict[Kind, str] = {"float": "double", "int": "i64", "bool": "i1", "none": "void", "list": "ptr"}
# Instructions of the processor, exact in any mode.
_INTRINSIC = {
    math.fabs: "fabs", math.sqrt: "sqrt", math.floor: "floor", math.ceil: "ceil", math.trunc: "trunc", round: "rint",
    math.copysign: "copysign",
}  # fmt: skip
_INSTRUCTIONS = {
    ("+", "float"): "fadd", ("-", "float"): "fsub", ("*", "float"): "fmul", ("/", "float"): "fdiv",
    ("+", "int"): "add", ("-", "int"): "sub", ("*", "int"): "mul",
}  # fmt: skip
_COMPARISONS = {  # of floats, of integers
    "==": ("oeq", "eq"), "!=": ("une", "ne"), "<": ("olt", "slt"), "<=": ("ole", "sle"), ">": ("ogt", "sgt"),
    ">=": ("oge", "sge"),
}  # fmt: skip
_FOLDED: dict[str, Callable[..., Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": floats.divide, "==": operator.eq, "!=": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "negative": operator.neg, "abs": abs, "max": max,
    "min": min, "not": operator.not_, "float": float, "int": int, "//": operator.floordiv, "%": operator.mod,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operand:
    """A number in a function's body: its text, without its type, and its value where that is known already."""

    text: str
    kind: Kind
    value: float | bool | None = None


class Builder:
    """The body of a function while it is written."""

    def __init__(self, module: Module, width: int = 1) -> None:
        self.module = module
        self.width = width
        self.lines: list[str] = []
        self.label = "entry"
        self._entry: list[str] = []  # what stands at the function's start
        self._known: dict[str, str] = {}
        self._made: list[str] = []  # the keys of those, in order
        self._count = 0

    def type(self, kind: Kind) -> str:
        """The type of numbers of this kind."""
        return SCALAR[kind] if self.width == 1 else f"<{self.width} x {SCALAR[kind]}>"

    def typed(self, x: Operand) -> str:
        """An operand behind its type."""
        return f"{SCALAR[x.kind] if x.kind == 'list' else self.type(x.kind)} {x.text}"

    def new(self, prefix: str = "t") -> str:
        """A name that is not in use."""
        self._count += 1
        return f"%{prefix}{self._count}"

    def write(self, line: str) -> None:
        """Add a line."""
        self.lines.append(line)

    def emit(self, instruction: str, kind: Kind) -> Operand:
        """The result of an instruction without side effects: of the equal one where there is one."""
        name = self._known.get(instruction)
        if name is None:
            name = self._known[instruction] = self.new()
            self._made.append(instruction)
            self.lines.append(f"{name} = {instruction}")
        return Operand(name, kind)

    def once(self, line: str) -> None:
        """Add a line that has an effect, if it does not stand there already."""
        if line not in self._known:
            self._known[line] = ""
            self._made.append(line)
            self.lines.append(line)

    def open_block(self, name: str) -> None:
        """Begin a basic block. Names made before it must still be known in it."""
        self.lines.append(f"{name}:")
        self.label = name

    def forget(self) -> None:
        """Write instructions anew from here on: those before do not come before what follows on every way."""
        self._known.clear()
        self._made.clear()

    def forget_since(self, count: int) -> None:
        """The same for what is known since so many instructions were."""
        for instruction in self._made[count:]:
            del self._known[instruction]
        del self._made[count:]

    def constant(self, value: float, kind: Kind) -> Operand:
        """A known number."""
        text = literal(value) if kind == "float" else str(int(value)) if kind == "int" else str(bool(value)).lower()
        if self.width > 1:
            text = f"splat ({SCALAR[kind]} {text})"
        return Operand(text, kind, value)

    def allocate(self, kind: str, count: int = 1) -> str:
        """The address of memory that lasts until the function returns."""
        name = self.new("m")
        self._entry.append(f"{name} = alloca {kind}, i64 {count}")
        return name

    def array(self, operands: Sequence[Operand]) -> Operand:
        """Numbers side by side in memory: their address and how many they are."""
        address = self.allocate("double", max(1, len(operands)))
        for i, x in enumerate(operands):
            at = self.emit(f"getelementptr double, ptr {address}, i64 {i}", "list").text
            self.write(f"store {self.typed(x)}, ptr {at}")
        return Operand(f"{address}|{len(operands)}", "list")

    # --- operations

    def operation(self, name: str, operands: Sequence[Operand], kind: Kind) -> Operand:
        """An operator of `tree.Operation` applied to numbers."""
        values = [x.value for x in operands]
        if None not in values and name in _FOLDED and (name not in ("//", "%") or kind == "int"):
            return self.constant(_FOLDED[name](*values), kind)
        first = operands[0]
        if name in _COMPARISONS:
            return self.compare(name, first, operands[1])
        match name, first.kind:
            case "negative", "float":
                return self.emit(f"fneg {self.typed(first)}", kind)
            case "negative", "int":
                return self.emit(f"sub {self.typed(self.constant(0, 'int'))}, {first.text}", kind)
            case "abs", "float":
                return self.call(math.fabs, operands)
            case "float", "int":
                return self.emit(f"sitofp {self.typed(first)} to {self.type('float')}", kind)
            case "int", "float":
                suffix = "i64.f64" if self.width == 1 else f"v{self.width}i64.v{self.width}f64"
                name = self.module.declare(f"llvm.fptosi.sat.{suffix}", self.type("int"), [self.type("float")])
                return self.emit(f"call {self.type('int')} @{name}({self.typed(first)})", kind)
            case "not", "bool":
                return self.emit(f"xor {self.typed(first)}, {self.constant(True, 'bool').text}", kind)
            case "and", "bool":
                return self.every(operands)
            case "or", "bool":
                return self.some(operands)
            case (("max" | "min"), _):  # Python's: the first of equal ones, and of what cannot be compared
                test = self.compare(">" if name == "max" else "<", operands[1], first)
                return self.select(test, operands[1], first)
            case (("%" | "//" | "**"), "float"):
                return self.call({"%": floats.mod, "//": floats.floor_divide, "**": floats.power}[name], operands)
            case (("%" | "//"), "int"):
                return self.integer_division(name, *operands)
        return self.emit(f"{_INSTRUCTIONS[name, first.kind]} {self.typed(first)}, {operands[1].text}", kind)

    def fma(self, x: Operand, y: Operand, z: Operand) -> Operand:
        """x * y + z, rounded once."""
        suffix, type_ = "f64" if self.width == 1 else f"v{self.width}f64", self.type("float")
        name = self.module.declare(f"llvm.fma.{suffix}", type_, [type_] * 3)
        return self.emit(f"call {type_} @{name}({self.typed(x)}, {self.typed(y)}, {self.typed(z)})", "float")

    def filled(self, number: str, width: int, type_: str = "double") -> str:
        """The name of a vector with the same number in all lanes."""
        vector = f"<{width} x {type_}>"
        one = self.emit(f"insertelement {vector} poison, {type_} {number}, i64 0", "float").text
        return self.emit(f"shufflevector {vector} {one}, {vector} poison, <{width} x i32> zeroinitializer", "float").text

    def compare(self, name: str, x: Operand, y: Operand) -> Operand:
        """A comparison: false where one is nan, but for !=."""
        ordered, integers = _COMPARISONS[name]
        instruction = f"fcmp {ordered}" if x.kind == "float" else f"icmp {integers}"
        return self.emit(f"{instruction} {self.typed(x)}, {y.text}", "bool")

    def select(self, test: Operand, x: Operand, y: Operand) -> Operand:
        """x where the test holds, else y."""
        if test.value is not None or x == y:
            return x if test.value or x == y else y
        if x.kind == "bool" and x.value is not None:
            return self.some([test, y]) if x.value else self.every([self.operation("not", (test,), "bool"), y])
        if x.kind == "bool" and y.value is not None:
            return self.some([self.operation("not", (test,), "bool"), x]) if y.value else self.every([test, x])
        return self.emit(f"select {self.typed(test)}, {self.typed(x)}, {self.typed(y)}", x.kind)

    def every(self, operands: Sequence[Operand]) -> Operand:
        """Whether all hold."""
        return self.joined("and", operands)

    def some(self, operands: Sequence[Operand]) -> Operand:
        """Whether one holds."""
        return self.joined("or", operands)

    def joined(self, name: str, operands: Sequence[Operand]) -> Operand:
        """Operands joined by "and" or by "or"."""
        neutral = name == "and"
        open_ = [x for x in operands if x.value is None or bool(x.value) != neutral]
        known = [x for x in open_ if x.value is not None]
        if known or not open_:
            return self.constant(neutral if not known else not neutral, "bool")
        result = open_[0]
        for x in open_[1:]:
            result = result if x == result else self.emit(f"{name} {self.typed(result)}, {x.text}", "bool")
        return result

    def integer_division(self, name: str, x: Operand, y: Operand) -> Operand:
        """Python's // and % of integers, which round down."""
        remainder = self.emit(f"srem {self.typed(x)}, {y.text}", "int")
        zero = self.constant(0, "int")
        signs = self.emit(f"xor {self.typed(remainder)}, {y.text}", "int")
        other = self.every([self.compare("!=", remainder, zero), self.compare("<", signs, zero)])
        modulo = self.select(other, self.operation("+", (remainder, y), "int"), remainder)
        if name == "%":
            return modulo
        return self.emit(f"sdiv {self.typed(self.operation('-', (x, modulo), 'int'))}, {y.text}", "int")

    def shuffle(self, x: Operand, y: Operand, lanes: Sequence[int | None]) -> Operand:
        """The vector of these lanes of two; those of the second are counted on from those of the first. None: any number."""
        mask = ", ".join(["i32 poison" if lane is None else f"i32 {lane}" for lane in lanes])
        return self.emit(f"shufflevector {self.typed(x)}, {self.typed(y)}, <{len(lanes)} x i32> <{mask}>", "float")

    def gather(self, first: str, step: int) -> Operand:
        """The numbers at an address and so many numbers on, again and again."""
        vector, pointers, places = self.type("float"), *self._places(first, step)
        name = f"llvm.masked.gather.v{self.width}f64.v{self.width}p0"
        mask = f"<{self.width} x i1>"
        self.module.declare(name, vector, [pointers, mask, vector])
        return self.emit(
            f"call {vector} @{name}({pointers} align 8 {places}, {mask} splat (i1 true), {vector} poison)", "float"
        )

    def scatter(self, first: str, step: int, x: Operand) -> None:
        """Write numbers to an address and so many numbers on, again and again."""
        pointers, places = self._places(first, step)
        name = f"llvm.masked.scatter.v{self.width}f64.v{self.width}p0"
        mask = f"<{self.width} x i1>"
        self.module.declare(name, "void", [self.type("float"), pointers, mask])
        self.write(f"call void @{name}({self.typed(x)}, {pointers} align 8 {places}, {mask} splat (i1 true))")

    def _places(self, first: str, step: int) -> tuple[str, str]:
        lanes = f"<{self.width} x i64> <{', '.join([f'i64 {lane * step}' for lane in range(self.width)])}>"
        return f"<{self.width} x ptr>", self.emit(f"getelementptr double, ptr {first}, {lanes}", "list").text

    # --- calls

    def call(self, function: Callable[..., Any], operands: Sequence[Operand]) -> Operand:
        """A function of `math`, or of floats, applied to numbers."""
        function = inspect.unwrap(function)
        if function is floats.power:  # C's gives nan where it raises; that a point is such a one is told by a guard
            function = math.pow
        if function in (math.isnan, math.isinf, math.isfinite):
            return self.classify(function, operands[0])
        if function in _INTRINSIC:
            suffix = "f64" if self.width == 1 else f"v{self.width}f64"
            types = [self.type("float")] * len(operands)
            name = self.module.declare(f"llvm.{_INTRINSIC[function]}.{suffix}", types[0], types)
            return self.emit(f"call {types[0]} @{name}({', '.join([self.typed(x) for x in operands])})", "float")
        return self.call_function(function, operands)

    def classify(self, function: Callable[..., Any], x: Operand) -> Operand:
        """math.isnan, math.isinf or math.isfinite."""
        if function is math.isnan:
            return self.emit(f"fcmp uno {self.typed(x)}, {x.text}", "bool")
        size, infinity = self.call(math.fabs, [x]), self.constant(math.inf, "float")
        return self.compare("==" if function is math.isinf else "<", size, infinity)

    def call_function(self, function: Callable[..., Any], operands: Sequence[Operand]) -> Operand:
        """A call of a function that is no instruction."""
        name, kind = self.module.function(function)
        arguments: list[str] = []
        for x in operands:
            if x.kind == "list":
                address, length = x.text.split("|")
                arguments += [f"ptr {address}", f"i64 {length}"]
            elif x.kind == "int" and function is math.ldexp:
                arguments.append(f"i32 {self.emit(f'trunc i64 {x.text} to i32', 'int').text}")
            else:
                arguments.append(self.typed(x))
        if kind == "none":
            self.write(f"call void @{name}({', '.join(arguments)})")
            return Operand("", "none")
        instruction = f"call {SCALAR[kind]} @{name}({', '.join(arguments)})"
        if any(x.kind == "list" for x in operands):  # whose elements may have changed since an equal call
            result = self.new()
            self.write(f"{result} = {instruction}")
            return Operand(result, kind)
        return self.emit(instruction, kind)

    def text(self, head: str) -> str:
        """The whole function."""
        return "\n".join([f"{head} {{", "entry:", *self._entry, *self.lines, "}"])


@dataclass
class Module:
    """Functions that call one another, as one text.

    `resolve` gives a float function as a tree, or None: it is called outside; `define` prints a tree under a name. Functions
    outside are collected in `outside` by the names they are called by.
    """

    resolve: Callable[[Callable[..., Any]], Function | None]
    define: Callable[[Module, str, Function], str]
    outside: dict[str, Callable[..., Any]] = field(default_factory=dict)
    declarations: dict[str, str] = field(default_factory=dict)
    definitions: list[str] = field(default_factory=list)
    written: set[str] = field(default_factory=set)  # functions among the definitions that are no float function of ours
    _functions: dict[Callable[..., Any], tuple[str, Kind]] = field(default_factory=dict)

    def declare(self, name: str, result: str, parameters: Sequence[str]) -> str:
        """The name of a function elsewhere."""
        if name not in self.declarations:
            self.declarations[name] = f"declare {result} @{name}({', '.join(parameters)})"
        return name

    def function(self, function: Callable[..., Any]) -> tuple[str, Kind]:
        """The name of a function of floats, and the kind of its result; its definition comes into this module."""
        found = self._functions.get(function)
        if found is None:
            tree = self.resolve(function)
            name = f"{'f' if tree else 'm'}_{function.__name__.strip('_<>')}"
            if name in self.outside or any(name == other for other, _ in self._functions.values()):
                name += f"_{len(self._functions)}"
            found = self._functions[function] = name, tree.result if tree else "float"
            if tree is None:
                self.outside[name] = function
                kinds = ["double", "i32"] if function is math.ldexp else ["double"] * parameter_count(function)
                self.declare(name, "double", kinds)
            else:
                self.definitions.append(self.define(self, name, tree))
        return found

    def text(self) -> str:
        """The whole module."""
        return "\n\n".join(["\n".join(self.declarations.values()), *self.definitions]) + "\n"


def parameter_count(function: Callable[..., Any]) -> int:
    """How many numbers a function takes."""
    if function in (math.hypot, math.pow, math.fmod, math.atan2):
        return 2
    try:
        return len(inspect.signature(function).parameters)
    except ValueError:  # functions of math before they had signatures
        return 1


def literal(x: float) -> str:
    """A number exactly."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', x))[0]:016X}"
