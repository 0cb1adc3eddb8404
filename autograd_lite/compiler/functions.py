"""Float functions on single numbers, with control flow of their own, as functions in LLVM's representation."""

from __future__ import annotations

import math
from collections.abc import Callable

from autograd_lite.compiler.ir import SCALAR, Builder, Module, Operand, literal
from autograd_lite.compiler.tree import (
    Assign,
    Block,
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
    Procedure,
    Return,
    Split,
    Statement,
    Store,
)

_NOTHING: dict[Kind, str] = {"float": literal(math.nan), "int": "0", "bool": "false"}


def function_text(module: Module, name: str, source: Function) -> str:
    """A float function under this name; what it calls comes into the module."""
    return _FunctionPrinter(module, name, source).text()


class _FunctionPrinter:
    """A float function with its own control flow: variables are in memory, lists are addresses and lengths."""

    def __init__(self, module: Module, name: str, source: Function) -> None:
        self.name, self.source = name, source
        self.builder = Builder(module)
        self.kinds = source.parameters | source.variables
        self.places: dict[str, str] = {}
        self.lists: dict[str, tuple[str, str]] = {}
        self.blocks = 0

    def text(self) -> str:
        source, builder = self.source, self.builder
        parameters = []
        for name, kind in source.parameters.items():
            parameters.append(f"{SCALAR[kind]} %{name}")
            if kind == "list":
                parameters.append(f"i64 %{name}.length")
                self.lists[name] = f"%{name}", f"%{name}.length"
            else:
                self.store(name, Operand(f"%{name}", kind))
        if not self.block(source.body):
            builder.write("ret void" if source.result == "none" else f"ret {SCALAR[source.result]} {_NOTHING[source.result]}")
        return builder.text(f"define internal {SCALAR[source.result]} @{self.name}({', '.join(parameters)}) #0")

    def open(self, name: str) -> None:
        self.builder.open_block(name)
        self.builder.forget()

    def names(self, *kinds: str) -> list[str]:
        self.blocks += 1
        return [f"{kind}{self.blocks}" for kind in kinds]

    def place(self, name: str) -> str:
        if name not in self.places:
            self.places[name] = self.builder.allocate(SCALAR[self.kinds[name]])
        return self.places[name]

    def store(self, name: str, x: Operand) -> None:
        self.builder.write(f"store {self.builder.typed(x)}, ptr {self.place(name)}")

    # --- statements

    def block(self, body: Block) -> bool:
        """Write statements; whether the function has returned behind the last."""
        return any([self.statement(statement) for statement in body])

    def statement(self, statement: Statement) -> bool:
        builder = self.builder
        match statement:
            case Assign(name, value):
                self.store(name, self.expression(value))
            case Store(name, index, value):
                x = self.expression(value)
                builder.write(f"store {builder.typed(x)}, ptr {self.element(name, self.expression(index))}")
            case NewList(name, fill, length):
                size, x = self.expression(length), self.expression(fill)
                address = builder.new("m")
                builder.write(f"{address} = alloca double, i64 {size.text}")
                self.lists[name] = address, size.text
                counter = f"{name}.at"
                self.kinds[counter] = "int"
                self.loop(counter, builder.constant(0, "int"), lambda: size, 1, lambda at: self.fill(name, at, x))
            case ConstantList(name, values):
                address = builder.allocate("double", len(values))
                self.lists[name] = address, str(len(values))
                for i, number in enumerate(values):
                    at = self.element(name, builder.constant(i, "int"))
                    builder.write(f"store double {literal(number)}, ptr {at}")
            case Split(mantissa, exponent, value):
                self.split(mantissa, exponent, self.expression(value))
            case Loop(name, start, stop, step, body):
                self.loop(name, self.expression(start), lambda: self.expression(stop), step, lambda _: self.block(body))
            case If(test, then, otherwise):
                return self.branch(test, then, otherwise)
            case Return(value):
                x = self.expression(value)
                builder.write(f"ret {builder.typed(x)}")
                return True
            case Procedure(call):
                self.expression(call)
            case Fail():
                builder.write(f"ret {SCALAR[self.source.result]} {_NOTHING[self.source.result]}")
                return True
        return False

    def fill(self, name: str, at: Operand, x: Operand) -> None:
        self.builder.write(f"store {self.builder.typed(x)}, ptr {self.element(name, at)}")

    def element(self, name: str, index: Operand) -> str:
        return self.builder.emit(f"getelementptr double, ptr {self.lists[name][0]}, i64 {index.text}", "list").text

    def split(self, mantissa: str | None, exponent: str, x: Operand) -> None:
        builder = self.builder
        frexp = builder.module.declare("frexp", "double", ["double", "ptr"])
        address, result, whole = builder.allocate("i32"), builder.new(), builder.new()
        builder.write(f"{result} = call double @{frexp}({builder.typed(x)}, ptr {address})")
        number = builder.new()
        builder.write(f"{number} = load i32, ptr {address}")
        builder.write(f"{whole} = sext i32 {number} to i64")
        if mantissa:
            self.store(mantissa, Operand(result, "float"))
        self.store(exponent, Operand(whole, "int"))

    def branch(self, test: Expression, then: Block, otherwise: Block) -> bool:
        builder = self.builder
        yes, no, after = self.names("then", "else", "after")
        condition = self.expression(test)
        builder.write(f"br i1 {condition.text}, label %{yes}, label %{no}")
        returned = []
        for name, body in ((yes, then), (no, otherwise)):
            self.open(name)
            returned.append(self.block(body))
            if not returned[-1]:
                builder.write(f"br label %{after}")
        if all(returned):
            return True
        self.open(after)
        return False

    def loop(
        self, name: str, start: Operand, stop: Callable[[], Operand], step: int, body: Callable[[Operand], object]
    ) -> None:
        builder = self.builder
        test, inside, after = self.names("test", "loop", "after")
        self.store(name, start)
        builder.write(f"br label %{test}")
        self.open(test)
        at = self.load(name)
        going = builder.compare("<" if step > 0 else ">", at, stop())
        builder.write(f"br i1 {going.text}, label %{inside}, label %{after}")
        self.open(inside)
        body(self.load(name))
        self.store(name, builder.operation("+", (self.load(name), builder.constant(step, "int")), "int"))
        builder.write(f"br label %{test}")
        self.open(after)

    # --- expressions

    def load(self, name: str) -> Operand:
        kind, result = self.kinds[name], self.builder.new()
        self.builder.write(f"{result} = load {SCALAR[kind]}, ptr {self.place(name)}")
        return Operand(result, kind)

    def expression(self, expression: Expression) -> Operand:
        builder = self.builder
        match expression:
            case Number(value, kind):
                return builder.constant(value, kind)
            case Name(name, "list"):
                return Operand("|".join(self.lists[name]), "list")
            case Name(name):
                return self.load(name)
            case Operation("if", (test, then, otherwise), kind):
                return self.conditional(test, then, otherwise, kind)
            case Operation(("and" | "or") as name, operands):
                joined = operands[-1]
                for x in reversed(operands[:-1]):  # what stands behind need not be defined
                    pair = (joined, Number(False, "bool")) if name == "and" else (Number(True, "bool"), joined)
                    joined = Operation("if", (x, *pair), "bool")
                return self.expression(joined)
            case Operation("item", (Name(name), index)):
                result = builder.new()
                builder.write(f"{result} = load double, ptr {self.element(name, self.expression(index))}")
                return Operand(result, "float")
            case Operation("len", (Name(name),)):
                return Operand(self.lists[name][1], "int")
            case Operation("list", operands):
                return builder.array([self.expression(x) for x in operands])
            case Operation(name, operands, kind):
                return builder.operation(name, [self.expression(x) for x in operands], kind)
            case Call(function, operands):
                return builder.call(function, [self.expression(x) for x in operands])

    def conditional(self, test: Expression, then: Expression, otherwise: Expression, kind: Kind) -> Operand:
        builder = self.builder
        yes, no, after = self.names("then", "else", "after")
        condition = self.expression(test)
        builder.write(f"br i1 {condition.text}, label %{yes}, label %{no}")
        incoming = []
        for name, part in ((yes, then), (no, otherwise)):
            self.open(name)
            x = self.expression(part)
            incoming.append(f"[ {x.text}, %{builder.label} ]")
            builder.write(f"br label %{after}")
        self.open(after)
        result = builder.new()
        builder.write(f"{result} = phi {SCALAR[kind]} {', '.join(incoming)}")
        return Operand(result, kind)
