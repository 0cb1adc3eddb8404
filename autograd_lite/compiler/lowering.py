"""Programs in LLVM's representation: a function that runs one on points, one by one or as many at once as a vector holds.

Exact code computes every operation and every function as the engine does, so the bits are the same. Otherwise functions of
vectors are libmvec's where the system has them, or our own with all lanes going through together; every one stays within 4
units in the last place of the true value. Such code comes in two: the fast one leaves out what is hardly ever needed, and says
of each point whether it was; the careful one computes those points again. What a point gets depends on its own numbers only.

What the fast one leaves out: the ways through functions that few arguments take, and the masks of edges behind selections
(if_reached). Without its mask what an edge brings is 0 where the edge is not there, or nan (0 times an infinity), and then so
is what is computed from it: nan among the outputs tells.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from autograd_lite.compiler import collector
from autograd_lite.compiler.columns import Columns, address, new_points, read, write, write_column
from autograd_lite.compiler.functions import function_text
from autograd_lite.compiler.instructions import IS_DEFINED, IS_REAL
from autograd_lite.compiler.ir import Builder, Module, Operand
from autograd_lite.compiler.lanes import Lanes, VectorFunction, VectorModule
from autograd_lite.compiler.program import Guard, Program
from autograd_lite.compiler.spelling import is_users, of_count, resolve, spelled
from autograd_lite.compiler.steps import COMPARING, EXTREMES, OPCODES, Step, Unmasked, steps_of, telling, unmasked
from autograd_lite.compiler.tree import Call, Expression, Name, Number, Operation

INLINED, QUICKLY_INLINED = 4000, 100  # in a program of more instructions, exp, log and erfc are called
WHOLE = 6000  # a program of more instructions is several functions
SEGMENT = 1000  # of so many instructions
RAISED = 0x7FF8_5241_4953_4544  # the bits of the nan that a function in Python gives where it has raised, and of no other

_HOISTED = 64  # so many inputs are read before the loop


Mode: TypeAlias = Literal["exact", "careful", "fast"]


@collector.paused()
def text(
    program: Program,
    *,
    mode: Mode,
    width: int,
    batched: Sequence[int],
    placed: Sequence[int],
    vector_function: VectorFunction,
    has_wide_vectors: bool = False,
    has_fma: bool = False,
    reduce: bool = False,
    quick: bool = False,
) -> tuple[str, Module]:
    """A program as a module of LLVM's representation, with a function ``kernel`` that runs it on points one after the other.

    `batched` says of each input how many columns the array has that it is a column of, an array with a row for each point;
    0: it is shared by all points. `placed` says the same of the outputs. The kernel's arguments: the address of the shared
    inputs' numbers; that of the addresses of the arrays; that of the addresses of the outputs' arrays; that of a byte a point,
    which becomes 1 where all guards hold, else 0, and 2 where the careful code must decide; the first point, and the one behind
    the last, `width` of them at least. Its result: 1 if a byte is 0, plus 2 if one is 2. Outputs that are constants are written
    only beside others in an array. The last `width` points are computed together, some of them perhaps again.

    Without batched inputs the outputs lie side by side, constants among them, and their address is given in the place of
    addresses. With `reduce` too, but without the constants: a vector each, to which the outputs of points are added whose bytes
    are 1. `quick`: fewer long functions are written out, so that machine code is made sooner; the bits are the same.
    """
    if mode == "exact":
        module = Module(resolve, function_text)
    else:
        module = VectorModule(resolve, function_text, vector_function, mode == "fast", has_wide_vectors, has_fma)
    return _KernelPrinter(program, module, width, batched, placed, reduce, quick).module_text()


class _KernelPrinter:
    """The text of one kernel."""

    def __init__(
        self,
        program: Program,
        module: Module,
        width: int,
        batched: Sequence[int],
        placed: Sequence[int],
        reduce: bool,
        quick: bool,
    ) -> None:
        self.is_fast = isinstance(module, VectorModule) and module.fast
        plain = unmasked(program) if self.is_fast else Unmasked(program, set(), set())
        self.program, self.module, self.width, self.batched, self.reduce = plain.program, module, width, batched, reduce
        self.is_packed = reduce or not any(batched)
        self.quick = quick
        self.constants: dict[int, Operand] = {}
        program = self.program
        self.primitives = [instruction.primitive for instruction in program.instructions]
        self.variable = [i for i, place in enumerate(program.outputs) if place >= 0]
        self.columns, self.placed = Columns(batched), Columns(placed)
        used = {x for instruction in program.instructions for x in instruction.operands}
        used |= {*program.outputs, *[x for guard in program.guards for x in (guard.left, guard.right)]}
        self.busy = self.columns.busy_tiles([place for place in range(program.inputs) if place in used], width)
        self.vector = "double" if width == 1 else f"<{width} x double>"
        self.tells = telling(program) if self.is_fast else set()
        self.doubted = plain.doubted - self.tells
        self.steps = steps_of(plain, self.tells, fuse=isinstance(module, VectorModule) and module.fast and module.has_fma)

    def builder(self) -> Builder:
        return Lanes(self.module, self.width) if isinstance(self.module, VectorModule) else Builder(self.module)

    def module_text(self) -> tuple[str, Module]:
        if isinstance(self.module, VectorModule):
            self.module.inline = len(self.steps) <= (QUICKLY_INLINED if self.quick else INLINED)
        if len(self.steps) <= (SEGMENT if self.quick else WHOLE):
            self.whole()
        else:
            self.segments()
        aligned = f"alignstack={8 * self.width} " if self.width > 2 else ""  # else spilled vectors may lie across cache lines
        attributes = f'nounwind {aligned}"prefer-vector-width"="512" "min-legal-vector-width"="512"'
        tail = f"attributes #0 = {{ {attributes} }}\nattributes #1 = {{ noinline {attributes} }}\n"
        return self.module.text() + tail, self.module

    # --- a loop over groups of points

    def whole(self) -> None:
        """The whole program in the loop."""
        program, builder = self.program, self.builder()
        numbers: dict[int, Operand] = {}
        free = [i for i, count in enumerate(self.batched) if not count]
        if self.width > 1 and len(free) <= _HOISTED:  # what all points share is computed once
            numbers.update({place: self.shared(builder, place) for place in free})
            for step in self.steps:
                if all(x < 0 or x in numbers for x in step.operands):
                    numbers[step.place] = self.step(builder, step, numbers)
        for i in range(min(self.columns.arrays, _HOISTED)):
            address(builder, "batched", i)
        for i in range(0 if self.is_packed else min(self.placed.arrays, _HOISTED)):
            address(builder, "outputs", i)

        def body() -> None:
            for step in self.steps:
                if step.place not in numbers:
                    self.fetch(builder, step.operands, numbers, {})
                    numbers[step.place] = self.step(builder, step, numbers)
            self.fetch(builder, program.outputs, numbers, {})
            if not self.reduce:
                self.store_all(builder, numbers)
            for i in self.variable if self.is_fast else ():
                self.doubt_nan(builder, numbers[program.outputs[i]])
            self.fetch(builder, [x for guard in program.guards for x in (guard.left, guard.right)], numbers, {})
            guards = [self.guard(builder, guard, numbers) for guard in program.guards]
            doubts = builder.doubts if isinstance(builder, Lanes) else []
            self.store_ok(builder, guards, doubts)
            if self.reduce:
                self.accumulate(builder, guards, doubts, lambda place: numbers[place])

        self.begin(builder)
        self.loop(builder, body)
        self.end(builder)

    def begin(self, builder: Builder) -> None:
        builder.write("%flags = alloca i64")
        builder.write("store i64 0, ptr %flags")

    def end(self, builder: Builder) -> None:
        builder.write("%found = load i64, ptr %flags")
        builder.write("ret i64 %found")
        head = "define i64 @kernel(ptr %shared, ptr %batched, ptr %outputs, ptr %ok, i64 %first, i64 %last) #0"
        self.module.definitions.append(builder.text(head))

    def segments(self) -> None:
        """Long programs: functions one after the other in the loop, which leave numbers for each other in memory."""
        program = self.program
        last: dict[int, int] = {}  # the last segment that needs the number at a place
        count = -(-len(self.steps) // SEGMENT)
        for at, step in enumerate(self.steps):
            last.update(dict.fromkeys(step.operands, at // SEGMENT))
        compared = [place for guard in program.guards for place in (guard.left, guard.right)]
        last.update(dict.fromkeys(compared, count))
        wanted: dict[int, list[int]] = {}
        for i in self.variable:
            wanted.setdefault(program.outputs[i], []).append(i)
        if self.reduce:
            last.update(dict.fromkeys(wanted, count))
        slots: dict[int, int] = {}
        free: list[int] = []
        ending: dict[int, list[int]] = {}
        size = 1  # the first is for doubts
        for segment in range(count):
            builder = self.builder()
            numbers: dict[int, Operand] = {}
            first = segment * SEGMENT
            for step in self.steps[first : first + SEGMENT]:
                self.fetch(builder, step.operands, numbers, slots)
                place = step.place
                numbers[place] = self.step(builder, step, numbers)
                for i in wanted.get(place, ()) if not self.reduce else ():
                    self.store(builder, numbers[place], i)
                if place in wanted and self.is_fast:
                    self.doubt_nan(builder, numbers[place])
                if last.get(place, segment) > segment:
                    if not free:
                        free.append(size)
                        size += 1
                    slots[place] = free.pop()
                    ending.setdefault(last[place], []).append(slots[place])
                    builder.write(f"store {builder.typed(numbers[place])}, ptr {self.slot(builder, slots[place])}, align 8")
            free += ending.pop(segment, [])
            self.keep_doubts(builder)
            builder.write("ret void")
            self.define(builder, f"segment_{segment}", "i64 %point")
        self.rest(slots)
        builder = self.builder()
        malloc, release = self.module.declare("malloc", "ptr", ["i64"]), self.module.declare("free", "void", ["ptr"])
        builder.write(f"%scratch = call ptr @{malloc}(i64 {8 * self.width * max(size, 1)})")

        arguments = "ptr %shared, ptr %batched, ptr %outputs, ptr %scratch"

        def body() -> None:
            if self.is_fast:
                builder.write(f"store {builder.type('float')} zeroinitializer, ptr %scratch, align 8")
            for segment in range(count):
                builder.write(f"call void @segment_{segment}({arguments}, i64 %point)")
            builder.write(f"call void @rest({arguments}, ptr %ok, ptr %flags, i64 %point, i64 %again)")

        self.begin(builder)
        self.loop(builder, body)
        builder.write(f"call void @{release}(ptr %scratch)")
        self.end(builder)

    def rest(self, slots: dict[int, int]) -> None:
        """What follows the segments: outputs that are inputs or constants, and the guards."""
        program, builder = self.program, self.builder()
        numbers: dict[int, Operand] = {}
        for i, place in enumerate(() if self.reduce else program.outputs):
            if place < program.inputs and (place >= 0 or self.is_beside_others(i)):
                self.fetch(builder, [place], numbers, slots)
                self.store(builder, self.number(builder, place, numbers), i)
        guards = []
        for guard in program.guards:
            self.fetch(builder, (guard.left, guard.right), numbers, slots)
            guards.append(self.guard(builder, guard, numbers))
        self.keep_doubts(builder)
        doubts = [self.kept_doubts(builder)] if self.is_fast else []
        self.store_ok(builder, guards, doubts)
        if self.reduce:

            def fetched(place: int) -> Operand:
                self.fetch(builder, [place], numbers, slots)
                return numbers[place]

            self.accumulate(builder, guards, doubts, fetched)
        builder.write("ret void")
        self.define(builder, "rest", "ptr %ok, ptr %flags, i64 %point, i64 %again")

    def fetch(self, builder: Builder, places: Sequence[int], numbers: dict[int, Operand], slots: dict[int, int]) -> None:
        """Have the numbers at some places at hand, which other segments have left in memory."""
        for place in places:
            if place >= 0 and place not in numbers:
                if place < self.program.inputs:
                    numbers[place] = self.input(builder, place)
                else:
                    address = self.slot(builder, slots[place])
                    numbers[place] = builder.emit(f"load {builder.type('float')}, ptr {address}, align 8", "float")

    def slot(self, builder: Builder, slot: int) -> str:
        return builder.emit(f"getelementptr double, ptr %scratch, i64 {slot * self.width}", "list").text

    def loop(self, builder: Builder, body: Callable[[], None]) -> None:
        before = builder.label
        builder.write("br label %group")
        builder.open_block("group")
        builder.write(f"%at = phi i64 [ %first, %{before} ], [ %next, %behind ]")
        if self.width == 1:
            builder.write("%point = add i64 %at, 0")
        else:
            builder.write(f"%latest = sub i64 %last, {self.width}")
            minimum = self.module.declare("llvm.smin.i64", "i64", ["i64", "i64"])
            builder.write(f"%point = call i64 @{minimum}(i64 %at, i64 %latest)")
        builder.write("%again = sub i64 %at, %point")
        body()
        builder.write("br label %behind")
        builder.open_block("behind")
        builder.write(f"%next = add i64 %at, {self.width}")
        builder.write("%more = icmp slt i64 %next, %last")
        builder.write("br i1 %more, label %group, label %end")
        builder.open_block("end")

    def define(self, builder: Builder, name: str, parameters: str) -> None:
        before = "ptr %shared, ptr %batched, ptr %outputs, ptr %scratch"
        self.module.definitions.append(builder.text(f"define internal void @{name}({before}, {parameters}) #0"))

    # --- doubts

    def doubt_nan(self, builder: Builder, x: Operand) -> None:
        if isinstance(builder, Lanes) and x.value is None:
            nan = builder.call(math.isnan, [x])
            if nan not in builder.doubts:
                builder.doubts.append(nan)

    def keep_doubts(self, builder: Builder) -> None:
        """Add the doubts of a segment to those of the segments before it."""
        if isinstance(builder, Lanes) and builder.doubts:
            before = self.kept_doubts(builder)
            every = builder.some([before, *builder.doubts])
            whole = builder.emit(f"zext {builder.typed(every)} to {self.bytes}", "bool").text
            builder.write(f"store {self.bytes} {whole}, ptr %scratch, align 1")

    def kept_doubts(self, builder: Builder) -> Operand:
        bits = builder.new()
        builder.write(f"{bits} = load {self.bytes}, ptr %scratch, align 1")
        zero = "0" if self.width == 1 else "zeroinitializer"
        return builder.emit(f"icmp ne {self.bytes} {bits}, {zero}", "bool")

    @property
    def bytes(self) -> str:
        """The type of a byte a point."""
        return "i8" if self.width == 1 else f"<{self.width} x i8>"

    def input(self, builder: Builder, place: int) -> Operand:
        columns = self.columns
        if not columns.counts[place]:
            return self.shared(builder, place)
        array, is_busy = address(builder, "batched", columns.row[place]), columns.tile(place, self.width) in self.busy
        return read(builder, array, columns.column[place], columns.counts[place], is_busy)

    def shared(self, builder: Builder, place: int) -> Operand:
        address = builder.emit(f"getelementptr double, ptr %shared, i64 {self.columns.row[place]}", "list").text
        number = builder.emit(f"load double, ptr {address}", "float").text
        if self.width == 1:
            return Operand(number, "float")
        return Operand(builder.filled(number, self.width), "float")

    def is_beside_others(self, output: int) -> bool:
        """Whether an output is one of several columns of an array, which has to be written even if it is a constant."""
        return not self.is_packed and self.placed.counts[output] > 1

    def store_all(self, builder: Builder, numbers: dict[int, Operand]) -> None:
        """Write the outputs, array by array."""
        start = 0
        while start < len(self.program.outputs):
            count = 1 if self.is_packed else self.placed.counts[start]
            if count > 1:
                row = [self.number(builder, place, numbers) for place in self.program.outputs[start : start + count]]
                write(builder, address(builder, "outputs", self.placed.row[start]), row)
            elif self.program.outputs[start] >= 0:
                self.store(builder, numbers[self.program.outputs[start]], start)
            start += count

    def store(self, builder: Builder, x: Operand, output: int) -> None:
        """Write one of the outputs."""
        if self.is_packed:
            at = builder.emit(f"getelementptr double, ptr %outputs, i64 {output}", "list").text
            builder.write(f"store {builder.typed(x)}, ptr {at}, align 8")
        else:
            array = address(builder, "outputs", self.placed.row[output])
            write_column(builder, array, self.placed.column[output], self.placed.counts[output], x)

    def accumulate(
        self, builder: Builder, guards: list[Operand], doubts: list[Operand], number: Callable[[int], Operand]
    ) -> None:
        """Add the outputs of points that are on the path, are not in doubt, and were not computed before."""
        held = builder.every([*guards, *[builder.operation("not", (x,), "bool") for x in doubts], *new_points(builder)])
        for i, output in enumerate(self.variable):
            at = builder.emit(f"getelementptr double, ptr %outputs, i64 {i * self.width}", "list").text
            x, type_, before = number(self.program.outputs[output]), builder.type("float"), builder.new()
            builder.write(f"{before} = load {type_}, ptr {at}, align 8")
            after = builder.select(held, builder.emit(f"fadd {type_} {before}, {x.text}", "float"), Operand(before, "float"))
            builder.write(f"store {type_} {after.text}, ptr {at}, align 8")

    def any_of(self, builder: Builder, mask: Operand) -> str:
        """Whether a lane's truth holds."""
        if self.width == 1:
            return mask.text
        bits = builder.emit(f"bitcast {builder.typed(mask)} to i{self.width}", "int").text
        return builder.emit(f"icmp ne i{self.width} {bits}, 0", "bool").text

    def store_ok(self, builder: Builder, guards: list[Operand], doubts: list[Operand]) -> None:
        """Write the byte of each point: 1 on the path, 0 off it, 2 in doubt."""
        if not guards and not self.is_fast:
            return
        held, doubt = (
            builder.every([builder.constant(True, "bool"), *guards]),
            builder.some([builder.constant(False, "bool"), *doubts]),
        )
        zero, one, two = [f"i8 {i}" if self.width == 1 else f"{self.bytes} splat (i8 {i})" for i in range(3)]
        whole = builder.emit(f"select {builder.typed(held)}, {one}, {zero}", "bool").text
        byte = builder.emit(f"select {builder.typed(doubt)}, {two}, {self.bytes} {whole}", "bool").text
        at = builder.emit("getelementptr i8, ptr %ok, i64 %point", "list").text
        builder.write(f"store {self.bytes} {byte}, ptr {at}, align 1")
        self.raise_flag(builder, builder.operation("not", (held,), "bool"), 1)
        self.raise_flag(builder, doubt, 2)

    def raise_flag(self, builder: Builder, mask: Operand, flag: int) -> None:
        if mask.value is not None and not mask.value:
            return
        raised = self.any_of(builder, mask)
        before, after = builder.new(), builder.new()
        builder.write(f"{before} = load i64, ptr %flags")
        value = builder.emit(f"select i1 {raised}, i64 {flag}, i64 0", "int").text
        builder.write(f"{after} = or i64 {before}, {value}")
        builder.write(f"store i64 {after}, ptr %flags")

    # --- instructions

    def number(self, builder: Builder, place: int, numbers: dict[int, Operand]) -> Operand:
        if place >= 0:
            return numbers[place]
        constant = self.constants.get(place)
        if constant is None:
            constant = self.constants[place] = builder.constant(self.program.constants[-1 - place], "float")
        return constant

    def is_told(self, place: int) -> bool:
        """Whether a nan there makes an output nan, or there is none."""
        return place in self.tells if place >= 0 else not math.isnan(self.program.constants[-1 - place])

    def step(self, builder: Builder, step: Step, numbers: dict[int, Operand]) -> Operand:
        result = self.result(builder, step, numbers)
        if step.place in self.doubted:
            self.doubt_nan(builder, result)
        return result

    def result(self, builder: Builder, step: Step, numbers: dict[int, Operand]) -> Operand:
        place, operands = step.place, [self.number(builder, operand, numbers) for operand in step.operands]
        primitive = self.primitives[place - self.program.inputs]
        name = primitive.name
        if step.product is not None:
            if name == "subtract":  # the product, or what it is taken from
                at = 0 if step.product else 2
                operands[at] = builder.operation("negative", (operands[at],), "float")
            return builder.fma(operands[0], operands[1], operands[2])
        if name in OPCODES:
            return builder.emit(f"{OPCODES[name]} {self.vector} {', '.join([x.text for x in operands])}", "float")
        if isinstance(builder, Lanes) and self.is_fast and name == "power_quotient" and operands[2].value == 2.0:
            return builder.quotient_by_square(*operands[:2])
        if self.is_fast and name == "flat":
            if step.operands[0] not in self.tells:
                self.doubt_nan(builder, operands[0])
            return builder.constant(0.0, "float")
        if self.is_fast and name in COMPARING and all([self.is_told(operand) for operand in step.operands]):
            held = builder.compare(COMPARING[name], operands[0], [*operands, builder.constant(0.0, "float")][1])
            return builder.select(held, builder.constant(1.0, "float"), builder.constant(0.0, "float"))
        if self.is_fast and name in EXTREMES and len(operands) == 2 and step.operands[1] < 0 and self.is_told(step.operands[1]):
            return builder.select(builder.compare(EXTREMES[name], *operands[::-1]), *operands[::-1])  # the first, if it is nan
        if name in ("sum", "dot"):
            return _accumulated(
                builder, name, operands, self.is_fast and isinstance(self.module, VectorModule) and self.module.has_fma
            )
        expression = spelled(primitive)
        if isinstance(expression, Call):
            function = expression.function
            if is_users(primitive):
                function = of_count(function, len(operands))
            elif primitive.variadic:
                operands = [builder.array(operands)]
            return builder.call(function, operands)
        return self.evaluate(builder, expression, {f"x{i}": x for i, x in enumerate(operands)})

    def evaluate(self, builder: Builder, expression: Expression, names: dict[str, Operand]) -> Operand:
        match expression:
            case Number(value, kind):
                return builder.constant(value, kind)
            case Name(name):
                return names[name]
            case Operation("if", operands):
                return builder.select(*[self.evaluate(builder, x, names) for x in operands])
            case Operation(name, operands, kind):
                return builder.operation(name, [self.evaluate(builder, x, names) for x in operands], kind)
            case Call(function, operands):
                return builder.call(function, [self.evaluate(builder, x, names) for x in operands])

    def guard(self, builder: Builder, guard: Guard, numbers: dict[int, Operand]) -> Operand:
        x, y = [self.number(builder, place, numbers) for place in (guard.left, guard.right)]
        if guard.comparison == IS_REAL:  # x ** y is complex where x < 0, both are finite and y is not whole
            is_finite = [builder.call(math.isfinite, [number]) for number in (x, y)]
            is_fraction = builder.compare("!=", builder.call(math.floor, [y]), y)
            is_complex = builder.every([builder.compare("<", x, builder.constant(0.0, "float")), *is_finite, is_fraction])
            held = builder.operation("not", (is_complex,), "bool")
        elif guard.comparison == IS_DEFINED:
            bits = builder.emit(f"bitcast {builder.typed(x)} to {builder.type('int')}", "int")
            held = builder.compare("!=", bits, builder.constant(RAISED, "int"))
        else:
            held = builder.compare(guard.comparison, x, y)
        return held if guard.outcome else builder.operation("not", (held,), "bool")


def _accumulated(builder: Builder, name: str, operands: list[Operand], has_fma: bool) -> Operand:
    """A sum, or a sum of products, from left to right."""
    if not operands:
        return builder.constant(0.0, "float")
    if name == "sum":
        return functools.reduce(lambda x, y: builder.operation("+", (x, y), "float"), operands)
    half = len(operands) // 2
    result = builder.operation("*", (operands[0], operands[half]), "float")
    for i, (x, y) in enumerate(zip(operands[1:half], operands[half + 1 :], strict=True)):
        if has_fma and i:  # as in `_fused`, not of two products
            result = builder.fma(x, y, result)
        else:
            result = builder.operation("+", (result, builder.operation("*", (x, y), "float")), "float")
    return result
