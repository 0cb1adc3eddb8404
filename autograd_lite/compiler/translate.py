"""Float functions written in Python, read as trees with types that a back end can print.

`translate` takes a function on floats whose source is in a small part of Python: parameters annotated as float, int, bool, or
list[float] (or ``*xs: float``); assignments, also of several names at once, and to an element of a list; ``if``, ``for`` over
a range, a list or constants, ``return``; arithmetic, comparisons, conditional expressions; ``math``, ``abs``, ``max``, ``min``,
``len``, ``float``, ``int``, and calls of functions of the same kind. A list is made as ``[x] * n`` and keeps its length. Whole
numbers are machine words elsewhere, so they must stay small.

What Python would raise is IEEE 754's result in other languages: of ``try: return x`` the handlers are left out, as functions
of `floats` return in them what IEEE 754 does. ``raise`` is a statement of its own, `Fail`.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import textwrap
import typing
from collections.abc import Callable, Iterator, Sequence
from typing import Any

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
    walk,
)


class TranslationError(ValueError):
    """A function is not written in the part of Python that is translated; the message names the function and the line."""


_KINDS: dict[Any, Kind] = {
    float: "float",
    int: "int",
    bool: "bool",
    list[float]: "list",
    Sequence[float]: "list",
    type(None): "none",
}
_OPERATORS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.And: "and", ast.Or: "or",
}  # fmt: skip
_OPPOSITE = {"==": "!=", "!=": "=="}
# Functions of floats, with the kinds of their arguments and results. Roundings give a float where `floats` has wrapped them.
_MATH: dict[Any, tuple[tuple[Kind, ...], Kind]] = {
    **dict.fromkeys(
        (
            math.acos, math.acosh, math.asin, math.asinh, math.atan, math.atanh, math.cbrt, math.cos, math.cosh, math.erf,
            math.erfc, math.exp, math.exp2, math.expm1, math.fabs, math.log, math.log10, math.log1p, math.log2, math.sin,
            math.sinh, math.sqrt, math.tan, math.tanh,
        ),
        (("float",), "float"),
    ),
    **dict.fromkeys((math.atan2, math.copysign, math.fmod, math.hypot, math.pow), (("float", "float"), "float")),
    **dict.fromkeys((math.isfinite, math.isinf, math.isnan), (("float",), "bool")),
    math.ldexp: (("float", "int"), "float"),
}  # fmt: skip
_ROUNDINGS = (math.ceil, math.floor, math.trunc, round)


def translate(function: Callable[..., Any]) -> Function:
    """The tree of a float function. Raises TranslationError where its source is not in the part of Python that is read."""
    return _Translator(function).function()


def signature(function: Callable[..., Any]) -> tuple[dict[str, Kind], Kind]:
    """The kinds of a function's parameters, and that of its result. Raises TranslationError where an annotation is missing."""
    hints = typing.get_type_hints(function)
    kinds: dict[str, Kind] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints.get(name)
        if parameter.kind is parameter.VAR_POSITIONAL:
            hint = list[float] if hint is float else None
        if hint not in _KINDS or hint is type(None):
            raise TranslationError(f"{function.__name__}: parameter {name} is not annotated as float, int, bool or list[float]")
        kinds[name] = _KINDS[hint]
    result = _KINDS.get(hints.get("return"))
    if result is None or result == "list":
        raise TranslationError(f"{function.__name__}: its result is not annotated as float, int, bool or None")
    return kinds, result


def closure(functions: Sequence[Callable[..., Any]], leaves: Callable[[Callable[..., Any]], bool]) -> list[Function]:
    """The functions and those that they call, each once, callees first; `leaves` says which are not to be translated."""
    found: dict[Callable[..., Any], Function] = {}
    open_: set[Callable[..., Any]] = set()

    def visit(function: Callable[..., Any]) -> None:
        if function in open_:
            raise TranslationError(f"{function.__name__} calls itself")
        if function not in found and not leaves(function):
            open_.add(function)
            translated = translate(function)
            for callee in translated.calls:
                visit(callee)
            open_.remove(function)
            found[function] = translated

    for function in functions:
        visit(inspect.unwrap(function))
    return list(found.values())


class _Translator:
    """The translation of one function."""

    def __init__(self, source: Callable[..., Any]) -> None:
        self.source = source
        self.parameters, self.result = signature(source)
        self.kinds = dict(self.parameters)
        self.loops = 0  # that are open
        self.calls: dict[Callable[..., Any], None] = {}
        try:
            lines, self.first_line = inspect.getsourcelines(source)
        except (OSError, TypeError):
            raise TranslationError(f"{source.__name__}: its source is not at hand") from None
        definition = ast.parse(textwrap.dedent("".join(lines))).body[0]
        if not isinstance(definition, ast.FunctionDef):
            raise TranslationError(f"{source.__name__}: only functions made by def are translated")
        self.definition = definition

    def function(self) -> Function:
        statements = self.definition.body
        if isinstance(statements[0], ast.Expr) and isinstance(statements[0].value, ast.Constant):
            statements = statements[1:]
        body = self.block(statements)
        variables = {name: kind for name, kind in self.kinds.items() if name not in self.parameters}
        doc = (inspect.getdoc(self.source) or "").partition("\n")[0]
        return Function(self.source.__name__, doc, self.parameters, self.result, body, variables, tuple(self.calls))

    def error(self, node: ast.AST, reason: str) -> TranslationError:
        line = self.first_line + getattr(node, "lineno", 1) - 1
        return TranslationError(f"{self.source.__name__}, line {line}: {reason}: {ast.unparse(node)}")

    # --- statements

    def block(self, statements: Sequence[ast.stmt]) -> Block:
        return tuple([translated for statement in statements for translated in self.statement(statement)])

    def statement(self, node: ast.stmt) -> Iterator[Statement]:
        match node:
            case ast.Assign(
                targets=[
                    ast.Tuple(elts=[mantissa, ast.Name() as exponent]),
                ],
                value=ast.Call() as call,
            ) if self.called(call) is math.frexp and isinstance(mantissa, ast.Name):
                yield self.split(mantissa, exponent, call)
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
                yield from self.assign_several(node, targets, values)
            case ast.Assign(targets=[target], value=value):
                yield self.assign(target, value)
            case ast.AugAssign(target=ast.Name() | ast.Subscript() as target, op=op, value=value):
                present: ast.expr = (
                    ast.Name(target.id, ast.Load()) if isinstance(target, ast.Name)
                    else ast.Subscript(target.value, target.slice, ast.Load())
                )  # fmt: skip
                yield self.assign(target, ast.copy_location(ast.BinOp(ast.copy_location(present, node), op, value), node))
            case ast.If(test=test, body=then, orelse=otherwise):
                yield If(self.truth(test), self.block(then), self.block(otherwise))
            case ast.For(orelse=[]):
                self.loops += 1
                yield from self.loop(node)
                self.loops -= 1
            case ast.Return(value=ast.expr() as value):
                yield Return(self.convert(self.expression(value), self.result, node))
            case ast.Try(body=[ast.Return() as returned], orelse=[], finalbody=[]):
                yield from self.statement(returned)
            case ast.Raise():
                yield Fail()
            case ast.Expr(value=ast.Call() as call):
                called = self.expression(call)
                if not isinstance(called, Call) or called.kind != "none":
                    raise self.error(node, "a result is thrown away")
                yield Procedure(called)
            case _:
                raise self.error(node, "this statement is not translated")

    def declare(self, target: ast.AST, kind: Kind) -> str:
        """The name of a variable that is assigned a value of this kind."""
        if not isinstance(target, ast.Name):
            raise self.error(target, "only names and elements of lists are assigned to")
        known = self.kinds.setdefault(target.id, kind)
        if known != kind and (known, kind) != ("float", "int"):
            raise self.error(target, f"this is of kind {known}, and is assigned one of kind {kind}")
        if kind in ("list", "none"):
            raise self.error(target, "a list is made as [x] * n and keeps its name")
        return target.id

    def assign(self, target: ast.expr, value: ast.expr) -> Statement:
        if isinstance(target, ast.Subscript):
            name = self.expression(target.value)
            if not isinstance(name, Name) or name.kind != "list":
                raise self.error(target, "only elements of lists are assigned to")
            index = self.of_kind(target.slice, "int")
            return Store(name.name, index, self.convert(self.expression(value), "float", value))
        if isinstance(value, ast.BinOp) and isinstance(value.left, ast.List) and isinstance(value.op, ast.Mult):
            return self.new_list(target, value.left, value.right)
        expression = self.expression(value)
        name_of = self.declare(target, expression.kind)
        return Assign(name_of, self.convert(expression, self.kinds[name_of], value))

    def new_list(self, target: ast.expr, fill: ast.List, length: ast.expr) -> NewList:
        if not isinstance(target, ast.Name) or target.id in self.kinds or len(fill.elts) != 1:
            raise self.error(target, "a list is made as name = [x] * n, and its name is a new one")
        if self.loops:
            raise self.error(target, "lists are made outside of loops")
        self.kinds[target.id] = "list"
        filled = self.convert(self.expression(fill.elts[0]), "float", fill)
        return NewList(target.id, filled, self.of_kind(length, "int"))

    def assign_several(self, node: ast.Assign, targets: list[ast.expr], values: list[ast.expr]) -> Iterator[Statement]:
        """Several names at once: through other variables where a value needs a name that is assigned before it."""
        named = [target.id for target in targets if isinstance(target, ast.Name)]
        if len(named) != len(targets):
            raise self.error(node, "only names are assigned several at once")
        used = [{leaf.id for leaf in ast.walk(value) if isinstance(leaf, ast.Name)} for value in values]
        if not any(named[i] in later for i in range(len(named)) for later in used[i + 1 :]):
            for target, value in zip(targets, values, strict=True):
                yield self.assign(target, value)
            return
        assigned = [self.expression(value) for value in values]
        kinds = [self.kinds.get(name, x.kind) for name, x in zip(named, assigned, strict=True)]
        following = [Name(f"next_{name}", kind) for name, kind in zip(named, kinds, strict=True)]
        for variable, x in zip(following, assigned, strict=True):
            self.kinds[variable.name] = variable.kind
            yield Assign(variable.name, self.convert(x, variable.kind, node))
        for target, variable in zip(targets, following, strict=True):
            yield Assign(self.declare(target, variable.kind), variable)

    def split(self, mantissa: ast.Name, exponent: ast.Name, call: ast.Call) -> Split:
        value = self.convert(self.expression(call.args[0]), "float", call)
        wanted = None if mantissa.id == "_" else self.declare(mantissa, "float")
        return Split(wanted, self.declare(exponent, "int"), value)

    def loop(self, node: ast.For) -> Iterator[Statement]:
        """A loop over a range; over a list, its end from an index on, its elements in reverse, or with their indices."""
        iterable, target = node.iter, node.target
        called = self.called(iterable)
        if isinstance(iterable, ast.Call) and called is range:
            bounds = [self.of_kind(bound, "int") for bound in iterable.args]
            step = ast.literal_eval(iterable.args[2]) if len(bounds) == 3 else 1
            start, stop = (Number(0, "int"), bounds[0]) if len(bounds) == 1 else (bounds[0], bounds[1])
            name, body = self.declare(target, "int"), self.block(node.body)
            fixed = {name} | {part.name for part in walk(stop) if isinstance(part, Name)}
            if any(isinstance(part, (Assign, Loop)) and part.name in fixed for part in walk(body)):
                raise self.error(node, "the loop changes its variable or its end")
            yield Loop(name, start, stop, step, body)
            return
        index: str | None = None
        if isinstance(iterable, ast.Call) and called is enumerate and isinstance(target, ast.Tuple) and len(iterable.args) == 1:
            index = self.declare(target.elts[0], "int")
            iterable, target = iterable.args[0], target.elts[1]
        backwards = isinstance(iterable, ast.Call) and called is reversed
        if isinstance(iterable, ast.Call) and backwards:
            iterable = iterable.args[0]
        first: Expression = Number(0, "int")
        if isinstance(iterable, ast.Subscript) and isinstance(iterable.slice, ast.Slice) and not (index or backwards):
            if iterable.slice.lower is None or iterable.slice.upper or iterable.slice.step:
                raise self.error(node.iter, "of a list only its end is taken, as xs[n:]")
            first, iterable = self.of_kind(iterable.slice.lower, "int"), iterable.value
        element = self.declare(target, "float")
        if isinstance(iterable, ast.Tuple):
            values = tuple([float(ast.literal_eval(value)) for value in iterable.elts])
            over, length = Name(f"{element}_values", "list"), Number(len(values), "int")
            yield ConstantList(over.name, values)
        else:
            expression = self.expression(iterable)
            if not isinstance(expression, Name) or expression.kind != "list":
                raise self.error(node.iter, "loops go over ranges, lists and constants")
            over, length = expression, None
        if index is None:
            index = f"{element}_at"
            self.kinds[index] = "int"
        end: Expression = length or Operation("len", (over,), "int")
        last = Operation("-", (end, Number(1, "int")), "int")
        inner = (Assign(element, Operation("item", (over, Name(index, "int")), "float")), *self.block(node.body))
        yield Loop(index, last, Number(-1, "int"), -1, inner) if backwards else Loop(index, first, end, 1, inner)

    # --- expressions

    def of_kind(self, node: ast.expr, kind: Kind) -> Expression:
        expression = self.expression(node)
        if expression.kind != kind:
            raise self.error(node, f"{kind} is needed here, this is {expression.kind}")
        return expression

    def convert(self, expression: Expression, kind: Kind, node: ast.AST) -> Expression:
        """The same number as a float where that is asked of an int."""
        if expression.kind == kind:
            return expression
        if kind == "float" and expression.kind == "int":
            if isinstance(expression, Number):
                return Number(float(expression.value), "float")
            return Operation("float", (expression,), "float")
        raise self.error(node, f"{kind} is needed here, this is {expression.kind}")

    def truth(self, node: ast.expr) -> Expression:
        """Whether something is true: a number if it is not 0, a list if it has elements."""
        if isinstance(node, ast.BoolOp):
            return Operation(_OPERATORS[type(node.op)], tuple([self.truth(value) for value in node.values]), "bool")
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            test = self.truth(node.operand)
            if isinstance(test, Operation) and test.operator in _OPPOSITE:
                return Operation(_OPPOSITE[test.operator], test.operands, "bool")
            return Operation("not", (test,), "bool")
        expression = self.expression(node)
        if expression.kind == "bool":
            return expression
        if expression.kind == "list":
            expression = Operation("len", (expression,), "int")
        return Operation("!=", (expression, self.convert(Number(0, "int"), expression.kind, node)), "bool")

    def expression(self, node: ast.expr) -> Expression:
        match node:
            case ast.Constant(value=bool() as value):
                return Number(value, "bool")
            case ast.Constant(value=int() as value):
                return Number(value, "int")
            case ast.Constant(value=float() as value):
                return Number(value, "float")
            case ast.Name(id=name) if name in self.kinds:
                return Name(name, self.kinds[name])
            case ast.Name() | ast.Attribute():
                return self.global_number(node)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.negative(self.expression(operand))
            case ast.UnaryOp(op=ast.Not()) | ast.BoolOp():
                if isinstance(node, ast.BoolOp) and any(self.expression(value).kind != "bool" for value in node.values):
                    raise self.error(node, "and, or stand between truths here")
                return self.truth(node)
            case ast.BinOp(left=left, op=op, right=right):
                return self.arithmetic(node, _OPERATORS.get(type(op), ""), self.expression(left), self.expression(right))
            case ast.Compare():
                return self.comparison(node)
            case ast.IfExp(test=test, body=then, orelse=otherwise):
                x, y = self.alike(node, self.expression(then), self.expression(otherwise))
                return Operation("if", (self.truth(test), x, y), x.kind)
            case ast.Subscript(value=value, slice=index) if not isinstance(index, ast.Slice):
                return Operation("item", (self.of_kind(value, "list"), self.of_kind(index, "int")), "float")
            case ast.Call():
                return self.call(node)
            case _:
                raise self.error(node, "this expression is not translated")

    def negative(self, x: Expression) -> Expression:
        return Number(-x.value, x.kind) if isinstance(x, Number) else Operation("negative", (x,), x.kind)

    def alike(self, node: ast.AST, x: Expression, y: Expression) -> tuple[Expression, Expression]:
        """Both as floats where one is a float."""
        if "float" in (x.kind, y.kind):
            return self.convert(x, "float", node), self.convert(y, "float", node)
        if x.kind != y.kind or x.kind in ("list", "none"):
            raise self.error(node, f"operands of kinds {x.kind} and {y.kind}")
        return x, y

    def arithmetic(self, node: ast.expr, operator: str, x: Expression, y: Expression) -> Expression:
        if operator in ("/", "**"):
            x, y = self.convert(x, "float", node), self.convert(y, "float", node)
        x, y = self.alike(node, x, y)
        if operator not in ("+", "-", "*", "/", "//", "%", "**") or x.kind == "bool":
            raise self.error(node, "this operator is not translated")
        return Operation(operator, (x, y), x.kind)

    def comparison(self, node: ast.Compare) -> Expression:
        """A chain of comparisons is all of them: what stands in the middle must be cheap, as it is printed twice."""
        operands = [node.left, *node.comparators]
        for middle in operands[1:-1]:
            if any(self.called(leaf) is not abs for leaf in ast.walk(middle) if isinstance(leaf, ast.Call)):
                raise self.error(middle, "give this a name, it stands in the middle of comparisons")
        parts: list[Expression] = []
        for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
            if type(operator) not in _OPERATORS:
                raise self.error(node, "this comparison is not translated")
            pair = self.alike(node, self.expression(left), self.expression(right))
            parts.append(Operation(_OPERATORS[type(operator)], pair, "bool"))
        return parts[0] if len(parts) == 1 else Operation("and", tuple(parts), "bool")

    # --- names of the module, and calls

    def global_value(self, node: ast.expr) -> Any:
        """What a name of the function's module, of a module in it, or of Python itself stands for."""
        scope = self.source.__globals__
        match node:
            case ast.Name(id=name) if name in scope:
                return scope[name]
            case ast.Name(id=name) if hasattr(builtins, name):
                return getattr(builtins, name)
            case ast.Attribute(value=ast.Name(id=module), attr=name) if inspect.ismodule(scope.get(module)):
                return getattr(scope[module], name, None)
        raise self.error(node, "this name is not known")

    def global_number(self, node: ast.expr) -> Number:
        value = self.global_value(node)
        if type(value) not in (float, int, bool):
            raise self.error(node, "this is no number")
        return Number(value, _KINDS[type(value)])

    def called(self, node: ast.AST) -> Any:
        """What is called: a function without its wrappers."""
        return inspect.unwrap(self.global_value(node.func)) if isinstance(node, ast.Call) else None

    def call(self, node: ast.Call) -> Expression:
        function: Callable[..., Any] = self.called(node)
        if function in (abs, max, min, len, float, int):
            return self.builtin(node, function.__name__)
        if function in _MATH or (function in _ROUNDINGS and self.global_value(node.func) is not function):
            kinds, result = _MATH.get(function, (("float",), "float"))
            if len(kinds) != len(node.args) or node.keywords:
                raise self.error(node, f"{len(kinds)} arguments are translated here")
            operands = [self.convert(self.expression(x), kind, x) for x, kind in zip(node.args, kinds, strict=True)]
            return Call(function, tuple(operands), result)
        if not inspect.isfunction(function):
            raise self.error(node, "a call of this is not translated")
        parameters, result = signature(function)
        self.calls[function] = None
        return Call(function, tuple(self.arguments(node, function, parameters)), result)

    def arguments(self, node: ast.Call, function: Callable[..., Any], parameters: dict[str, Kind]) -> Iterator[Expression]:
        """The operands of a call, in the order of the parameters."""
        if any(keyword.arg is None for keyword in node.keywords):
            raise self.error(node, "arguments are written out")
        try:
            bound = inspect.signature(function).bind(*node.args, **{str(k.arg): k.value for k in node.keywords})
        except TypeError as error:
            raise self.error(node, str(error)) from None
        for name, kind in parameters.items():
            if name not in bound.arguments:
                raise self.error(node, f"the argument {name} is missing")
            argument = bound.arguments[name]
            if not isinstance(argument, tuple):
                yield self.convert(self.expression(argument), kind, argument)
            elif len(argument) == 1 and isinstance(argument[0], ast.Starred):
                yield self.of_kind(argument[0].value, "list")
            else:
                elements = [self.convert(self.expression(x), "float", x) for x in argument]
                yield Operation("list", tuple(elements), "list")

    def builtin(self, node: ast.Call, name: str) -> Expression:
        operands = [self.expression(x) for x in node.args]
        kinds = [x.kind for x in operands]
        if not node.keywords:
            if name == "len" and kinds == ["list"]:
                return Operation(name, tuple(operands), "int")
            if name in ("float", "int") and kinds in (["float"], ["int"]):
                return operands[0] if kinds == [name] else Operation(name, tuple(operands), "int" if name == "int" else "float")
            if name == "abs" and kinds == ["float"]:
                return Operation(name, tuple(operands), "float")
            if name in ("max", "min") and len(operands) == 2 and set(kinds) <= {"float", "int"}:
                pair = self.alike(node, operands[0], operands[1])
                return Operation(name, pair, pair[0].kind)
        raise self.error(node, "a call of this with these arguments is not translated")
