"""The table in JavaScript: values and partials of the primitives that a graph uses, for a page that recomputes it.

Nothing is written a second time. A primitive's value is the table's `code`, or its float function, which `compiler.translate`
reads from Python; its partials are recorded by applying the table's rules to symbols. A few functions that Python has and
JavaScript has not are written by hand in ``arithmetic.js``, mostly under the names that they have in C.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from autograd_lite import floats
from autograd_lite.compiler.translate import TranslationError, closure
from autograd_lite.compiler.tree import (
    Assign,
    Block,
    Call,
    ConstantList,
    Expression,
    Fail,
    Function,
    If,
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
from autograd_lite.primitive import Primitive, real_number
from autograd_lite.show.formula import Symbol, argument_names

# What arithmetic.js has under another name than Python.
_SPELLED: dict[Any, str] = {
    round: "rint", math.fabs: "abs", floats.power: "pow", floats.mod: "mod", floats.floor_divide: "floorDivide",
    floats.around: "around", math.isfinite: "Number.isFinite", math.isnan: "Number.isNaN",
}  # fmt: skip
_OPERATORS = {
    "or": "||", "and": "&&", "==": "===", "!=": "!==", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "+": "+", "-": "-", "*": "*",
    "/": "/",
}  # fmt: skip
_FUNCTIONS = {
    ("**", "float"): "pow", ("//", "float"): "floorDivide", ("%", "float"): "mod", ("//", "int"): "floorDivide",
    ("%", "int"): "mod", ("abs", "float"): "abs", ("max", "float"): "larger", ("min", "float"): "smaller",
    ("max", "int"): "larger", ("min", "int"): "smaller",
}  # fmt: skip


_NAME = re.compile(r"^function (\w+)", re.MULTILINE)


class UntranslatableError(ValueError):
    """A primitive is not written in what is translated; the message names it."""


def definitions(used: Iterable[tuple[Primitive, int]]) -> str:
    """JavaScript that fills the object `table`: for each primitive with so many arguments its value and its partials.

    Raises UntranslatableError.
    """
    needed: dict[Callable[..., Any], None] = {}
    entries = [_entry(primitive, count, needed) for primitive, count in used]
    try:
        functions = closure(list(needed), _is_given)
    except TranslationError as error:
        raise UntranslatableError(str(error)) from None
    return "\n".join([*[_function(function) for function in functions], *entries])


def arithmetic(script: str) -> str:
    """The functions of ``arithmetic.js`` that a script calls, and those that they call."""
    text = (Path(__file__).parent / "arithmetic.js").read_text(encoding="utf-8")
    head, *functions = re.split(r"\n\n(?=(?:// .*\n)*function )", text.rstrip())
    needed = ""
    while True:
        chosen = [x for x in functions if re.search(rf"\b{_NAME.findall(x)[0]}\(", script + needed)]
        if "\n\n".join(chosen) == needed:
            return f"{head}\n\n{needed}"
        needed = "\n\n".join(chosen)


def key_of(primitive: Primitive, count: int) -> str:
    """The name of a primitive's entry in `table`."""
    return f"{primitive.name}/{count}" if primitive.variadic else primitive.name


def _entry(primitive: Primitive, count: int, needed: dict[Callable[..., Any], None]) -> str:
    names = argument_names(primitive, count)
    arguments = [_local(name) for name in names]
    recorder = _Recorder(needed)
    value = recorder.value(primitive, arguments)
    try:
        partials = [recorder.text(x) for x in _partials(primitive, [_Recorded(name, recorder) for name in ("r", *arguments)])]
    except Exception as error:  # a user's rule may raise anything on symbols
        raise UntranslatableError(f"the partials of {primitive.name} cannot be written as formulas: {error}") from error
    body = f"{{ {' '.join(recorder.lines)} return [{', '.join(partials)}]; }}" if recorder.lines else f"[{', '.join(partials)}]"
    fields = [
        f"value: ({', '.join(arguments)}) => {value}",
        f"partials: ({', '.join(['r', *arguments])}) => {body}",
    ]
    return f'table["{key_of(primitive, count)}"] = {{ {", ".join(fields)} }};'


def _partials(primitive: Primitive, symbols: list[_Recorded]) -> Sequence[Any]:
    rules = primitive.partials
    if primitive.variadic:
        return rules[0](*symbols) if rules[0] else [None] * (len(symbols) - 1)
    return [None if rule is None else rule(*symbols) for rule in rules]


class _Recorder:
    """The statements that rules make when they are applied to symbols, and the float functions that these call."""

    def __init__(self, needed: dict[Callable[..., Any], None]) -> None:
        self.lines: list[str] = []
        self.needed = needed

    def value(self, primitive: Primitive, operands: list[str]) -> str:
        """The value of a primitive as an expression, in parentheses where it is no call."""
        if not primitive.code.startswith(f"{primitive.name}("):
            return f"({primitive.code.format(*operands)})"
        function = inspect.unwrap(primitive.fn)
        self.needed[function] = None
        arguments = ", ".join(operands)
        return f"{_name(function)}({f'[{arguments}]' if primitive.variadic else arguments})"

    def record(self, primitive: Primitive, args: tuple[Any, ...]) -> _Recorded:
        name = f"t{len(self.lines)}"
        self.lines.append(f"const {name} = {self.value(primitive, [self.text(x) for x in args])};")
        return _Recorded(name, self)

    @staticmethod
    def text(x: Any) -> str:
        """A partial or an operand; null where there is no derivative."""
        return "null" if x is None else x.text if isinstance(x, Symbol) else literal(real_number(x, "a rule"), operand=True)


class _Recorded(Symbol):
    """The place of a number in a rule: what is computed with it becomes statements."""

    __slots__ = ("recorder",)

    def __init__(self, text: str, recorder: _Recorder) -> None:
        super().__init__(text)
        self.recorder = recorder

    @staticmethod
    def __record__(primitive: Primitive, args: tuple[Any, ...]) -> Any:
        return next(x.recorder for x in args if isinstance(x, _Recorded)).record(primitive, args)


def literal(x: float, operand: bool = False) -> str:
    """A number; a negative operand in parentheses."""
    if math.isnan(x):
        return "NaN"
    text = "Infinity" if math.isinf(x) else repr(abs(x)).removesuffix(".0")
    return text if math.copysign(1.0, x) > 0.0 else f"(-{text})" if operand else f"-{text}"


# --- float functions


def _is_given(function: Callable[..., Any]) -> bool:
    """Whether arithmetic.js or JavaScript has the function."""
    function = inspect.unwrap(function)
    return function in _SPELLED or getattr(math, getattr(function, "__name__", ""), None) is function


def _name(function: Callable[..., Any]) -> str:
    function = inspect.unwrap(function)
    if function in _SPELLED:
        return _SPELLED[function]
    return function.__name__ if _is_given(function) else f"ag_{function.__name__.strip('_')}"


def _local(name: str) -> str:
    """The name of a variable, no word that JavaScript keeps."""
    return f"{name}_" if name in ("const", "function", "in", "let", "new", "var", "default", "this", "switch", "case") else name


def _function(source: Function) -> str:
    variables = [_local(name) for name, kind in source.variables.items() if kind != "list"]
    declared = [f"let {', '.join(variables)};"] if variables else []
    parameters = ", ".join([_local(name) for name in source.parameters])
    return f"function ag_{source.name.strip('_')}({parameters}) {{ {' '.join([*declared, *_block(source.body)])} }}"


def _block(body: Block) -> Iterator[str]:
    for statement in body:
        yield _statement(statement)


def _braces(body: Block) -> str:
    return f"{{ {' '.join(_block(body))} }}"


def _statement(statement: Statement) -> str:
    match statement:
        case Assign(name, assigned):
            return f"{_local(name)} = {_expression(assigned)};"
        case Store(name, index, assigned):
            return f"{_local(name)}[{_expression(index)}] = {_expression(assigned)};"
        case NewList(name, fill, length):
            return f"const {_local(name)} = new Array({_expression(length)}).fill({_expression(fill)});"
        case ConstantList(name, values):
            return f"const {_local(name)} = [{', '.join([literal(x) for x in values])}];"
        case Split(mantissa, exponent, split):
            return f"[{_local(mantissa) if mantissa else ''}, {_local(exponent)}] = frexp({_expression(split)});"
        case Loop(name, start, stop, step, body):
            counter = _local(name)
            end = f"{counter} {'<' if step > 0 else '>'} {_expression(stop)}"
            return f"for ({counter} = {_expression(start)}; {end}; {counter} += {step}) {_braces(body)}"
        case If(test, then, otherwise):
            return f"if ({_expression(test)}) {_braces(then)}" + (f" else {_braces(otherwise)}" if otherwise else "")
        case Return(returned):
            return f"return {_expression(returned)};"
        case Procedure(call):
            return f"{_expression(call)};"
        case Fail():
            return "return NaN;"


def _expression(expression: Expression) -> str:
    match expression:
        case Number(number, kind):
            return str(bool(number)).lower() if kind == "bool" else literal(float(number), operand=True)
        case Name(name):
            return _local(name)
        case Call(function, operands):
            if function is math.isinf:
                return f"(abs({_expression(operands[0])}) === Infinity)"
            return f"{_name(function)}({', '.join([_expression(x) for x in operands])})"
        case Operation(operator, operands, kind):
            return _operation(operator, [_expression(x) for x in operands], kind)


def _operation(operator: str, texts: list[str], kind: str) -> str:
    match operator:
        case "if":
            return f"({texts[0]} ? {texts[1]} : {texts[2]})"
        case "item":
            return f"{texts[0]}[{texts[1]}]"
        case "len":
            return f"{texts[0]}.length"
        case "list":
            return f"[{', '.join(texts)}]"
        case "negative":
            return f"(-{texts[0]})"
        case "not":
            return f"(!{texts[0]})"
        case "float":
            return texts[0]
        case "int":
            return f"trunc({texts[0]})"
    if operator in _OPERATORS:
        return f"({f' {_OPERATORS[operator]} '.join(texts)})"
    return f"{_FUNCTIONS[operator, kind]}({', '.join(texts)})"
