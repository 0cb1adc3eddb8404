"""What the table's primitives and float functions are, as trees: what every back end but C reads."""

from __future__ import annotations

import ast
import functools
import inspect
import math
import re
from collections.abc import Callable
from typing import Any

from autograd_lite import floats, primitives
from autograd_lite.compiler import arithmetic, csource, hypotenuse
from autograd_lite.compiler.translate import TranslationError, translate
from autograd_lite.compiler.tree import Call, Expression, Function, Name, Number, Operation
from autograd_lite.primitive import Primitive

_PACKAGE = __package__.rpartition(".")[0]
_BY_HAND: dict[Any, Callable[..., Any]] = {
    floats.mod: arithmetic.mod,
    floats.floor_divide: arithmetic.floor_divide,
    floats.power: math.pow,
    math.hypot: hypotenuse.hypot,
}
_IN_PYTHON = (floats.around,)  # Python's own algorithm, which no library has


@functools.cache
def spelled(primitive: Primitive) -> Expression:
    """The value of a primitive as a tree, on parameters named x0, x1, ...; its `code` spells it."""
    names = [Name(f"x{i}", "float") for i in range(len(primitive.arguments))]
    if csource.is_ours(primitive):
        return Call(inspect.unwrap(primitive.fn), tuple(names), "float")
    text = primitive.code.format(*[name.name for name in names])
    condition, chosen, otherwise = re.fullmatch(r"(?:(.*)\?(.*):)?(.*)", text).groups()  # type: ignore[union-attr]
    if condition is None:
        return _expression(ast.parse(otherwise.strip(), mode="eval").body)
    parts = [_expression(ast.parse(part.strip(), mode="eval").body) for part in (condition, chosen, otherwise)]
    return Operation("if", tuple(parts), "float")


_C_OPERATORS: dict[Any, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.NotEq: "!="}


def _expression(node: ast.expr) -> Expression:
    match node:
        case ast.Constant(value=float() as value):
            return Number(value, "float")
        case ast.Name(id=name):
            return Name(name, "float")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Operation("negative", (_expression(operand),), "float")
        case ast.BinOp(left=left, op=op, right=right):
            return Operation(_C_OPERATORS[type(op)], (_expression(left), _expression(right)), "float")
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return Operation(_C_OPERATORS[type(op)], (_expression(left), _expression(right)), "bool")
        case ast.Call(func=ast.Name(id=name), args=args):
            return Call(getattr(math, name), tuple([_expression(x) for x in args]), "float")
    raise ValueError(f"the code of a primitive holds {ast.unparse(node)}, which no back end reads")


@functools.cache
def _tree(function: Callable[..., Any]) -> Function | None:
    """A float function of this package as a tree; None for one that is called as it is."""
    if csource.is_library_function(function) or function in _IN_PYTHON or not function.__module__.startswith(_PACKAGE):
        return None
    try:
        return translate(function)
    except TranslationError:
        return None


def is_users(primitive: Primitive) -> bool:
    """Whether a primitive is no entry of this package's table: its function may raise, and is called as it is."""
    return getattr(primitives, primitive.name, None) is not primitive


def resolve(function: Callable[..., Any]) -> Function | None:
    """A float function as a tree, or None where it is called outside."""
    replaced = _BY_HAND.get(function, function)
    if replaced is math.pow:
        return None
    return _tree(replaced)


@functools.cache
def of_count(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    """A function as one of `count` numbers: a variadic one, or one with defaults."""

    def fixed(*numbers: float) -> Any:
        return function(*numbers)

    parameters = [inspect.Parameter(f"x{i}", inspect.Parameter.POSITIONAL_ONLY) for i in range(count)]
    fixed.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    fixed.__name__, fixed.__module__ = function.__name__, function.__module__
    return fixed
