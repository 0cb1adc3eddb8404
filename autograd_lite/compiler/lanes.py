"""Float functions on vectors: every lane goes its own way through a function's branches, and none looks at another.

Where lanes may differ both ways of a branch are computed, and each lane takes what belongs to it. What depends on constants
alone is decided at once, so that a family of derivatives with its order given becomes the few instructions which that order
needs. Long ways that lanes rarely go are left to the function on single numbers, called for just these lanes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from autograd_lite import floats
from autograd_lite.compiler.csource import is_library_function
from autograd_lite.compiler.elementary import ANY_WIDTH, at_any_width, limit
from autograd_lite.compiler.ir import SCALAR, Builder, Module, Operand
from autograd_lite.compiler.tree import (
    Assign,
    Call,
    ConstantList,
    Expression,
    Fail,
    Function,
    If,
    Kind,
    Loop,
    Name,
    NewList,
    Number,
    Operation,
    Return,
    Statement,
    Store,
)
from autograd_lite.compiler.vector_math import WRITTEN_OUT, written_out

_LONGEST = 40  # loops of more rounds are not written out, but those over the arguments of a variadic function


@dataclass(frozen=True, slots=True)
class ListOperand(Operand):
    """Several numbers as one argument."""

    elements: tuple[Operand, ...] = ()


class TooLongError(Exception):
    """A function is not worth writing out for vectors: a loop whose end lanes do not share, say."""


VectorFunction: TypeAlias = Callable[[str, int, int], tuple[str | None, int]]
"""For a function's name, its number of arguments and a width: a library's function of vectors, and how long these are."""


class VectorModule(Module):
    """A module of functions on vectors. A fast one leaves rare cases out, and notes in which lanes there is doubt."""

    def __init__(
        self,
        resolve: Callable[[Callable[..., Any]], Function | None],
        define: Callable[[Module, str, Function], str],
        vector_function: VectorFunction,
        fast: bool,
        has_wide_vectors: bool,
        has_fma: bool,
    ) -> None:
        super().__init__(resolve, define)
        self.vector_function = vector_function
        self.fast = fast
        self.has_wide_vectors = has_wide_vectors  # AVX-512
        self.has_fma = has_fma
        self.inline = True  # whether long functions are written where they are used, rather than called
        self._each: dict[tuple[str, tuple[Kind, ...]], str] = {}

    def each_lane(self, scalar: str, kinds: tuple[Kind, ...], width: int) -> str:
        """The name of a function that calls one on single numbers for the lanes of a mask."""
        key = scalar, kinds
        if key not in self._each:
            self._each[key] = f"each_{len(self._each)}_{scalar}"
            self.definitions.append(_each_lane_text(scalar, kinds, width, self._each[key]))
        return self._each[key]


class Lanes(Builder):
    """A builder that knows under which condition its lanes are there, and writes calls of float functions out."""

    module: VectorModule

    def __init__(self, module: VectorModule, width: int) -> None:
        super().__init__(module, width)
        self.conditions: list[Operand] = []  # all hold in the lanes whose results are wanted
        self.doubts: list[Operand] = []  # where one holds, the results of a fast module are not those of a careful one

    def array(self, operands: Sequence[Operand]) -> Operand:
        """Numbers as one argument."""
        return ListOperand("", "list", elements=tuple(operands))

    def call_function(self, function: Callable[..., Any], operands: Sequence[Operand]) -> Operand:
        """A call of a function that is no instruction."""
        if function is floats.product_error and self.module.has_fma:
            return self.product_error(*operands)
        tree = self.module.resolve(function)
        if tree is None or function is math.hypot:
            return self.outer_call(function, operands)
        if not tree.name.startswith("_general_"):  # those need the digits of the functions on single numbers
            lines, made, label = len(self.lines), len(self._made), self.label
            conditions, doubts = len(self.conditions), len(self.doubts)
            try:
                return _Evaluation(self, tree, operands).result()
            except TooLongError:
                del self.lines[lines:]
                del self.conditions[conditions:], self.doubts[doubts:]
                self.forget_since(made)
                self.label = label
        return self.one_by_one(function, operands)

    def product_error(self, x: Operand, y: Operand) -> Operand:
        """What x * y rounds away; 0 where it overflows."""
        product = self.operation("*", (x, y), "float")
        error = self.fma(x, y, self.operation("negative", (product,), "float"))
        return self.select(self.call(math.isfinite, [error]), error, self.constant(0.0, "float"))

    def outer_call(self, function: Callable[..., Any], operands: Sequence[Operand]) -> Operand:
        """A function that is no tree, on the numbers of all lanes."""
        if function is math.pow:
            return self.power(*operands)
        if function is math.fmod and operands[1].value == 1.0:
            x = operands[0]
            rest = self.operation("-", (x, self.call(math.trunc, [x])), "float")
            return self.call(math.copysign, [rest, x])
        return self.vector_call(function, operands)

    def vector_call(self, function: Callable[..., Any], operands: Sequence[Operand]) -> Operand:
        """A function of a library: on vectors if there is one, else on one lane after the other."""
        if self.module.has_wide_vectors and function in WRITTEN_OUT:
            return written_out(self, function, operands[0], self.module.inline)
        if function in ANY_WIDTH:
            return self.at_any_width(function, operands[0])
        if not is_library_function(function):  # a user's may have the name of one
            return self.one_by_one(function, operands)
        symbol, width = self.module.vector_function(function.__name__, len(operands), self.width)
        if symbol is None:
            return self.one_by_one(function, operands)
        vector = f"<{width} x double>"
        self.module.declare(symbol, vector, [vector] * len(operands))
        if self.width == width:
            return self.emit(f"call {vector} @{symbol}({', '.join([self.typed(x) for x in operands])})", "float")
        filled = [self.filled(x.text, width) for x in operands]  # the same bits as in a vector
        result = self.emit(f"call {vector} @{symbol}({', '.join([f'{vector} {x}' for x in filled])})", "float").text
        return self.emit(f"extractelement {vector} {result}, i64 0", "float")

    def at_any_width(self, function: Callable[..., Any], x: Operand) -> Operand:
        """A function of our own; libm's where its argument is too large for that."""
        module = self.module
        result = at_any_width(self, function, x, module.has_fma, module.inline)
        far = limit(function, module.has_fma)
        if far == math.inf:
            return result
        is_far = self.compare(">", self.call(math.fabs, [x]), self.constant(far, "float"))
        self.conditions.append(is_far)
        other = self.one_by_one(function, [x])
        self.conditions.pop()
        return self.select(is_far, other, result)

    def power(self, x: Operand, y: Operand) -> Operand:
        """x ** y; small whole exponents by multiplication, which stays within 4 units in the last place up to the eighth."""
        n = y.value
        if n is None or not math.isfinite(n) or n != int(n) or not 1 <= abs(n) <= 8:
            return self.vector_call(math.pow, (x, y))
        if n < 0:
            x = self.operation("/", (self.constant(1.0, "float"), x), "float")
        return self.repeated_product(x, int(abs(n)))

    def quotient_by_square(self, x: Operand, y: Operand) -> Operand:
        """x / y**2 by the reciprocal of y, which is often known; in doubt where that or its square is not normal."""
        size = self.call(math.fabs, [y])
        limits = self.constant(1e-75, "float"), self.constant(1e75, "float")
        fits = self.every([self.compare("<", limits[0], size), self.compare("<", size, limits[1])])
        self.doubts.append(self.operation("not", (fits,), "bool"))
        reciprocal = self.operation("/", (self.constant(1.0, "float"), y), "float")
        return self.operation("*", (x, self.operation("*", (reciprocal, reciprocal), "float")), "float")

    def repeated_product(self, x: Operand, n: int) -> Operand:
        """x to the power of a positive integer."""
        if n == 1:
            return x
        half = self.repeated_product(x, n // 2)
        square = self.operation("*", (half, half), "float")
        return self.operation("*", (square, x), "float") if n % 2 else square

    def one_by_one(self, function: Callable[..., Any], operands: Sequence[Operand]) -> Operand:
        """The function on single numbers, for the lanes that are there."""
        if any(x.kind == "list" for x in operands):
            raise TooLongError
        condition = self.every(self.conditions) if self.conditions else None
        if condition is None or condition.value:
            return self.each_lane(function, operands, None)
        if self.module.fast:
            self.doubts.append(condition)
            return self.constant(0.0, "float")
        number = self.new("rare")[1:]
        before, inside, after = self.label, f"{number}.do", f"{number}.end"
        any_lane = condition.text
        if self.width > 1:
            bits = self.emit(f"bitcast {self.typed(condition)} to i{self.width}", "int").text
            any_lane = self.emit(f"icmp ne i{self.width} {bits}, 0", "bool").text
        self.write(f"br i1 {any_lane}, label %{inside}, label %{after}")
        made = len(self._made)
        self.open_block(inside)
        found = self.each_lane(function, operands, condition)
        last = self.label
        self.write(f"br label %{after}")
        self.forget_since(made)
        self.open_block(after)
        result = self.new()
        zero = self.constant(0.0, "float").text
        self.write(f"{result} = phi {self.type('float')} [ {zero}, %{before} ], [ {found.text}, %{last} ]")
        return Operand(result, "float")

    def each_lane(self, function: Callable[..., Any], operands: Sequence[Operand], condition: Operand | None) -> Operand:
        """Calls with the lanes' numbers, one after the other: of a function of its own, as it is long."""
        scalar, _ = self.module.function(function)
        if self.width == 1:
            arguments = ", ".join([self.typed(x) for x in operands])
            return self.emit(f"call double @{scalar}({arguments})", "float")
        name = self.module.each_lane(scalar, tuple([x.kind for x in operands]), self.width)
        mask = condition or self.constant(True, "bool")
        arguments = ", ".join([self.typed(x) for x in (mask, *operands)])
        return self.emit(f"call {self.type('float')} @{name}({arguments})", "float")


def _each_lane_text(scalar: str, kinds: Sequence[Kind], width: int, name: str) -> str:
    """A function that calls one on single numbers for the lanes of a mask."""
    vector = f"<{width} x double>"
    types = [SCALAR[kind] for kind in kinds]
    parameters = ", ".join([f"<{width} x i1> %mask", *[f"<{width} x {type_}> %x{i}" for i, type_ in enumerate(types)]])
    lines = [
        f"define internal {vector} @{name}({parameters}) #1 {{",
        "entry:",
        f"%bits = bitcast <{width} x i1> %mask to i{width}",
        "br label %test",
        "test:",
        "%at = phi i64 [ 0, %entry ], [ %next, %behind ]",
        f"%result = phi {vector} [ zeroinitializer, %entry ], [ %results, %behind ]",
        f"%narrow = trunc i64 %at to i{width}",
        f"%shifted = lshr i{width} %bits, %narrow",
        f"%present = trunc i{width} %shifted to i1",
        "br i1 %present, label %do, label %behind",
        "do:",
        *[f"%y{i} = extractelement <{width} x {type_}> %x{i}, i64 %at" for i, type_ in enumerate(types)],
        f"%one = call double @{scalar}({', '.join([f'{type_} %y{i}' for i, type_ in enumerate(types)])})",
        f"%placed = insertelement {vector} %result, double %one, i64 %at",
        "br label %behind",
        "behind:",
        f"%results = phi {vector} [ %result, %test ], [ %placed, %do ]",
        "%next = add i64 %at, 1",
        f"%done = icmp eq i64 %next, {width}",
        "br i1 %done, label %end, label %test",
        "end:",
        f"ret {vector} %results",
        "}",
    ]
    return "\n".join(lines)


class _Evaluation:
    """A float function applied to the numbers of all lanes, statement by statement.

    Both ways of a branch are gone. What a lane returns is that of the first return statement whose branches it has taken.
    """

    def __init__(self, builder: Lanes, tree: Function, operands: Sequence[Operand]) -> None:
        self.builder, self.tree = builder, tree
        self.branches: list[Operand] = []  # the conditions of the branches that are open
        self.returned: list[tuple[Operand | None, Operand]] = []
        self.variables: dict[str, Any] = {}
        for (name, kind), x in zip(tree.parameters.items(), operands, strict=True):
            if kind == "list" and not isinstance(x, ListOperand):
                raise TooLongError
            self.variables[name] = list(x.elements) if isinstance(x, ListOperand) else x

    def result(self) -> Operand:
        if self.tree.result == "none":
            raise TooLongError  # a helper that fills a list
        self.run(self.tree.body, self.variables)
        *earlier, (_, result) = self.returned
        for condition, value in reversed(earlier):
            result = value if condition is None else self.builder.select(condition, value, result)
        return result

    def run(self, body: Sequence[Statement], variables: dict[str, Any]) -> Operand | None:
        """Execute statements; gives in which lanes there is more to do: None means in all."""
        builder = self.builder
        remaining: list[Operand] = []
        for statement in body:
            left: Operand | None = None
            match statement:
                case Return(value):
                    left = self.leave(self.expression(value, variables))
                case Fail():
                    left = self.leave(builder.constant(math.nan, "float"))
                case If(test, then, otherwise):
                    left = self.branch(self.expression(test, variables), then, otherwise, variables)
                case Loop():
                    left = self.run(self.unrolled(statement, variables), variables)
                case _:
                    self.simple(statement, variables)
            if left is not None and left.value is False:
                del builder.conditions[len(builder.conditions) - len(remaining) :]
                return left
            if left is not None:
                remaining.append(left)
                builder.conditions.append(left)
        del builder.conditions[len(builder.conditions) - len(remaining) :]
        return builder.every(remaining) if remaining else None

    def leave(self, value: Operand) -> Operand:
        self.returned.append((self.builder.every(self.branches) if self.branches else None, value))
        return self.builder.constant(False, "bool")

    def opposite(self, condition: Operand) -> Operand:
        return self.builder.operation("not", (condition,), "bool")

    def branch(
        self, condition: Operand, then: Sequence[Statement], otherwise: Sequence[Statement], variables: dict[str, Any]
    ) -> Operand | None:
        if condition.value is not None:
            return self.run(then if condition.value else otherwise, variables)
        builder = self.builder
        ways: list[dict[str, Any]] = []
        left: list[Operand | None] = []
        for test, body in ((condition, then), (self.opposite(condition), otherwise)):
            mine = dict(variables)
            builder.conditions.append(test)
            self.branches.append(test)
            left.append(self.run(body, mine))
            self.branches.pop()
            builder.conditions.pop()
            ways.append(mine)
        ended = [x is not None and x.value is False for x in left]
        if all(ended):
            return left[0]
        if any(ended):
            variables.update(ways[ended.index(False)])
        else:
            self.merge(condition, ways, variables)
        if left == [None, None]:
            return None
        true = builder.constant(True, "bool")
        return builder.select(condition, left[0] or true, left[1] or true)

    def merge(self, condition: Operand, ways: list[dict[str, Any]], variables: dict[str, Any]) -> None:
        """For each lane the variables of its own way."""
        for name in {**ways[0], **ways[1]}:
            x, y = ways[0].get(name), ways[1].get(name)
            if isinstance(x, list) or isinstance(y, list):
                if x != y:
                    raise TooLongError
                variables[name] = x
            else:
                variables[name] = (x or y) if x is None or y is None else self.builder.select(condition, x, y)

    def under(self, condition: Operand, work: Callable[[], Operand]) -> Operand:
        self.builder.conditions.append(condition)
        try:
            return work()
        finally:
            self.builder.conditions.pop()

    def simple(self, statement: Statement, variables: dict[str, Any]) -> None:
        match statement:
            case Assign(name, value):
                variables[name] = self.expression(value, variables)
            case NewList(name, fill, length):
                count = self.known(length, variables)
                variables[name] = [self.expression(fill, variables)] * count
            case ConstantList(name, values):
                variables[name] = [self.builder.constant(value, "float") for value in values]
            case Store(name, index, value):
                elements = list(variables[name])
                elements[self.known(index, variables)] = self.expression(value, variables)
                variables[name] = elements
            case _:
                raise TooLongError

    def known(self, expression: Expression, variables: dict[str, Any]) -> int:
        value = self.expression(expression, variables).value
        if value is None:
            raise TooLongError
        return int(value)

    def unrolled(self, loop: Loop, variables: dict[str, Any]) -> list[Statement]:
        rounds = range(self.known(loop.start, variables), self.known(loop.stop, variables), loop.step)
        if len(rounds) > _LONGEST and not (isinstance(loop.stop, Operation) and loop.stop.operator == "len"):
            raise TooLongError
        return [statement for at in rounds for statement in (Assign(loop.name, Number(at, "int")), *loop.body)]

    # --- expressions

    def expression(self, expression: Expression, variables: dict[str, Any]) -> Any:
        builder = self.builder
        match expression:
            case Number(value, kind):
                return builder.constant(value, kind)
            case Name(name):
                return variables[name]
            case Operation(("and" | "or") as name, operands):
                return self.junction(name, operands, variables)
            case Operation("if", (test, then, otherwise)):
                condition = self.expression(test, variables)
                if condition.value is not None:
                    return self.expression(then if condition.value else otherwise, variables)
                x = self.under(condition, lambda: self.expression(then, variables))
                y = self.under(self.opposite(condition), lambda: self.expression(otherwise, variables))
                return builder.select(condition, x, y)
            case Operation("item", (Name(name), index)):
                return variables[name][self.known(index, variables)]
            case Operation("len", (Name(name),)):
                return builder.constant(len(variables[name]), "int")
            case Operation("list", operands):
                return builder.array([self.expression(x, variables) for x in operands])
            case Operation(name, operands, kind):
                return builder.operation(name, [self.expression(x, variables) for x in operands], kind)
            case Call(function, operands):
                return builder.call(function, [self.argument(x, variables) for x in operands])
        raise TooLongError

    def argument(self, expression: Expression, variables: dict[str, Any]) -> Operand:
        x = self.expression(expression, variables)
        return self.builder.array(x) if isinstance(x, list) else x

    def junction(self, name: str, operands: Sequence[Expression], variables: dict[str, Any]) -> Operand:
        """and, or: what is known decides at once, and what stands behind it is not looked at."""
        decisive = name == "or"
        parts: list[Operand] = []
        for part in operands:
            x = self.expression(part, variables)
            if x.value is None:
                parts.append(x)
            elif bool(x.value) == decisive:
                parts.append(x)
                break
        if not parts:
            return self.builder.constant(not decisive, "bool")
        return self.builder.some(parts) if decisive else self.builder.every(parts)
