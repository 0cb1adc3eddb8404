"""C text: programs as statements, float functions as functions, constants exactly.

An instruction of a program is a statement, which the primitive's own `code` spells. Float functions, translated from Python,
have the prefix ``ag_``; those that Python computes in its own way are written by hand in ``native/floats.h``.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from autograd_lite import floats
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
from autograd_lite.primitive import Primitive

if TYPE_CHECKING:  # programs are printed as C by what is here
    from autograd_lite.compiler.program import Program

# Where C's library has another name for a function, or other bits than Python.
_SPELLED: dict[Any, str] = {round: "rint", math.hypot: "ag_hypot", math.pow: "ag_pow"}
BY_HAND = frozenset({floats.power, floats.mod, floats.floor_divide, floats.around})
INDENT = "    "


def literal(x: float) -> str:
    """A number: decimal where that is short and exact, else hexadecimal."""
    if math.isnan(x):
        return "NAN"
    if math.isinf(x):
        return "INFINITY" if x > 0.0 else "-INFINITY"
    text = repr(x)
    return text if len(text) <= 8 and Decimal(text) == Decimal(x) else re.sub(r"\.?0*p", "p", x.hex())


def constant(x: float) -> str:
    """A number as an operand of anything: a negative one in parentheses."""
    text = literal(x)
    return f"({text})" if text.startswith("-") else text


def block(head: str, lines: Sequence[str]) -> str:
    """Lines in braces after a head."""
    return "\n".join([f"{head} {{", *[INDENT + line if line else "" for line in lines], "}"])


# --- programs


def is_library_function(function: Callable[..., Any]) -> bool:
    """Whether C calls a library function for it, rather than one that is translated from Python or written by hand."""
    function = inspect.unwrap(function)
    return function is round or getattr(math, getattr(function, "__name__", ""), None) is function


def function_name(function: Callable[..., Any]) -> str:
    """What a function on floats is called in C: as in C's library, or our own, with a prefix."""
    function = inspect.unwrap(function)
    if function in _SPELLED:
        return _SPELLED[function]
    return function.__name__ if is_library_function(function) else f"ag_{function.__name__.strip('_')}"


def is_ours(primitive: Primitive) -> bool:
    """Whether the value is a call of the primitive's float function; its own `code` spells it otherwise."""
    return primitive.code.startswith(f"{primitive.name}(")


def value(primitive: Primitive, operands: Sequence[str]) -> str:
    """The value of a primitive as an expression. Operands are names or literals."""
    if not is_ours(primitive):
        return primitive.code.format(*operands)
    arguments = ", ".join(operands)
    return f"{function_name(primitive.fn)}({_array(operands) if primitive.variadic else arguments})"


def _array(elements: Sequence[str]) -> str:
    """Numbers as the two arguments of a function that takes any number of them."""
    return f"(const double[]){{{', '.join(elements)}}}, {len(elements)}"


def statements(program: Program, inputs: Sequence[str], outputs: Sequence[str]) -> list[str]:
    """A program as statements: `inputs` are names of numbers, `outputs` what is assigned to at the end."""
    names = dict(enumerate(inputs))
    names.update({-1 - i: constant(x) for i, x in enumerate(program.constants)})
    lines = []
    for i, instruction in enumerate(program.instructions):
        expression = value(instruction.primitive, [names[place] for place in instruction.operands])
        names[program.inputs + i] = f"t{i}"
        lines.append(f"const double t{i} = {expression};")
    return lines + [f"{output} = {names[place]};" for output, place in zip(outputs, program.outputs, strict=True)]


# --- float functions

_TYPES: dict[Kind, str] = {"float": "double", "int": "ptrdiff_t", "bool": "int", "none": "void"}
_NOTHING: dict[Kind, str] = {"float": " NAN", "int": " 0", "bool": " 0", "none": ""}
_INFIX = {
    "or": ("||", 2), "and": ("&&", 3), "==": ("==", 4), "!=": ("!=", 4), "<": ("<", 5), "<=": ("<=", 5), ">": (">", 5),
    ">=": (">=", 5), "+": ("+", 6), "-": ("-", 6), "*": ("*", 7), "/": ("/", 7),
}  # fmt: skip
_PREFIX = {"negative": "-", "not": "!", "float": "(double)", "int": "(ptrdiff_t)"}
_CALLED = {
    ("**", "float"): "ag_pow", ("//", "float"): "ag_floor_divide", ("%", "float"): "ag_mod", ("abs", "float"): "fabs",
    ("max", "float"): "ag_max", ("min", "float"): "ag_min", ("//", "int"): "ag_int_floor_divide", ("%", "int"): "ag_int_mod",
    ("max", "int"): "ag_int_max", ("min", "int"): "ag_int_min",
}  # fmt: skip
_CONDITIONAL, _LOGICAL, _SUM, _UNARY, _ATOM = 1, 4, 6, 8, 9
_KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        "auto break case char const continue default do double else enum extern float for goto if inline int long register"
        " restrict return short signed sizeof static struct switch typedef union unsigned void volatile while failed",
    )
)
_INLINED = 60  # functions of so few parts are marked inline


def function(source: Function) -> str:
    """A float function as a function in C, with its summary as a comment."""
    return _FunctionPrinter(source).text()


class _FunctionPrinter:
    """The C text of one function."""

    def __init__(self, source: Function) -> None:
        self.source = source
        self.kinds = source.parameters | source.variables

    def text(self) -> str:
        source = self.source
        parts = [part for statement in source.body for part in walk(statement)]
        if any(isinstance(part, NewList) for part in parts):
            storage = "static AG_UNUSED AG_NOINLINE"  # what is allocated on the stack is freed where the function ends
        else:
            storage = "static inline" if len(parts) <= _INLINED else "static AG_UNUSED"
        head = f"{storage} {_TYPES[source.result]} ag_{source.name.strip('_')}({', '.join(self.parameters())})"
        unused = [f"(void){name};" for name in self.unused()]
        comment = f"/* {source.doc.replace('*/', '* /')} */\n" if source.doc else ""
        return comment + block(head, unused + self.block(source.body, set(source.variables)))

    def parameters(self) -> Iterator[str]:
        for name, kind in self.source.parameters.items():
            if kind == "list":
                yield f"{'' if self.is_filled(name) else 'const '}double *{local(name)}"
                yield f"ptrdiff_t {name}_length"
            else:
                yield f"{_TYPES[kind]} {local(name)}"

    def is_filled(self, name: str) -> bool:
        """Whether elements of this list are assigned, here or by a procedure that it is passed to."""
        for statement in self.source.body:
            for part in walk(statement):
                if isinstance(part, Store) and part.name == name:
                    return True
                if isinstance(part, Procedure) and any(isinstance(x, Name) and x.name == name for x in part.call.operands):
                    return True
        return False

    def unused(self) -> Iterator[str]:
        """Parameters that the body does not mention, lengths of lists among them."""
        parts = [part for statement in self.source.body for part in walk(statement)]
        measured = {x.name for part in parts if isinstance(part, (Operation, Call)) for x in _measured(part)}
        mentioned = set().union(*[_mentioned(statement) for statement in self.source.body])
        for name, kind in self.source.parameters.items():
            if name not in mentioned:
                yield local(name)
            if kind == "list" and name not in measured:
                yield f"{name}_length"

    # --- statements

    def block(self, body: Block, undeclared: set[str]) -> list[str]:
        """The lines of a block, in which these variables are declared: in the innermost blocks that they are confined to."""
        first: dict[int, list[str]] = {}
        for name in sorted(undeclared):
            at = [i for i, statement in enumerate(body) if name in _mentioned(statement)]
            if at and not all(_confines(body[i], name) for i in at):
                first.setdefault(at[0], []).append(name)
        here = {name for names in first.values() for name in names}
        lines = []
        for i, statement in enumerate(body):
            unassigned = [name for name in first.get(i, ()) if not _assigns(statement, name)]
            lines += [f"{_TYPES[self.kinds[name]]} {local(name)};" for name in unassigned]
            writes = {name: _writes(body, name) for name in first.get(i, ())}
            lines += self.statement(statement, undeclared - here, writes)
        return lines

    def statement(self, statement: Statement, inner: set[str], writes: dict[str, int]) -> Iterator[str]:
        """The lines of a statement; `inner` are the variables declared inside it, `writes` tells those declared by it."""
        match statement:
            case Assign(name, Operation("+" | "-" | "*" | "/" as operator, (Name(same), added))) if same == name:
                yield f"{local(name)} {operator}= {self.expression(added)};"
            case Assign(name, assigned):
                yield f"{self.declared(name, writes)}{local(name)} = {self.whole(assigned)};"
            case Store(name, index, assigned):
                yield f"{local(name)}[{self.expression(index)}] = {self.expression(assigned)};"
            case NewList(name, fill, length):
                yield f"const ptrdiff_t {name}_length = {self.expression(length)};"
                yield f"double *const {local(name)} = AG_ALLOCATE((size_t){name}_length * sizeof(double));"
                head = f"for (ptrdiff_t {name}_at = 0; {name}_at < {name}_length; {name}_at++)"
                yield from block(head, [f"{local(name)}[{name}_at] = {self.expression(fill)};"]).splitlines()
            case ConstantList(name, values):
                yield f"static const double {name}[] = {{{', '.join([literal(x) for x in values])}}};"
            case Split(mantissa, exponent, split):
                if exponent in writes:
                    yield f"ptrdiff_t {local(exponent)};"
                target = f"{self.declared(mantissa, writes)}{local(mantissa)} =" if mantissa else "(void)"
                yield f"{target} ag_frexp({self.expression(split)}, &{local(exponent)});"
            case Loop(name, start, stop, step, body):
                change = {1: "++", -1: "--"}.get(step, f" += {step}")
                counter, end = local(name), f"{'<' if step > 0 else '>'} {self.expression(stop, _SUM)}"
                declared = "ptrdiff_t " if name in inner or name in writes else ""
                head = f"for ({declared}{counter} = {self.expression(start)}; {counter} {end}; {counter}{change})"
                yield from block(head, self.block(body, (inner & _mentioned_in(body)) - {name})).splitlines()
            case If(test, then, otherwise):
                lines = block(f"if ({self.expression(test)})", self.block(then, inner & _mentioned_in(then))).splitlines()
                if otherwise:
                    last = block("} else", self.block(otherwise, inner & _mentioned_in(otherwise))).splitlines()
                    lines = lines[:-1] + last
                yield from lines
            case Return(returned):
                yield f"return {self.whole(returned)};"
            case Procedure(call):
                yield f"{self.expression(call)};"
            case Fail():
                yield "failed = 1;"
                yield f"return{_NOTHING[self.source.result]};"

    def declared(self, name: str | None, writes: dict[str, int]) -> str:
        """The type before a variable that is declared where it is assigned."""
        if name is None or name not in writes:
            return ""
        return ("const " if writes[name] == 1 else "") + _TYPES[self.kinds[name]] + " "

    # --- expressions

    def whole(self, expression: Expression, binding: int = 0) -> str:
        """An expression whose truth is 0 or 1: C's classifications may be any number."""
        return ("!!" if _is_classification(expression) else "") + self.expression(expression, binding)

    def expression(self, expression: Expression, binding: int = 0) -> str:
        """An expression as an operand that must bind at least so tightly: in parentheses where it does not."""
        text, own = self.bound(expression)
        return text if own >= binding else f"({text})"

    def bound(self, expression: Expression) -> tuple[str, int]:
        """The text of an expression, and how tightly its outermost operation binds."""
        match expression:
            case Number(number, kind):
                text = literal(number) if kind == "float" else str(int(number))
                return text, _UNARY if text.startswith("-") else _ATOM
            case Name(name):
                return local(name), _ATOM
            case Call():
                return self.call(expression), _ATOM
            case Operation("if", (test, then, otherwise)):
                parts = [self.expression(x, _CONDITIONAL + i % 2) for i, x in enumerate((then, otherwise), 1)]
                return f"{self.expression(test, _CONDITIONAL + 1)} ? {parts[0]} : {parts[1]}", _CONDITIONAL
            case Operation("item", (over, index)):
                return f"{self.expression(over)}[{self.expression(index)}]", _ATOM
            case Operation("len", (over,)):
                return f"{over.name if isinstance(over, Name) else over}_length", _ATOM
            case Operation(operator, (operand,)) if operator in _PREFIX:
                inner, prefix = self.expression(operand, _UNARY), _PREFIX[operator]
                return prefix + (f"({inner})" if inner.startswith(prefix) else inner), _UNARY
            case Operation(operator, operands) if operator in _INFIX:
                return self.infix(operator, operands)
            case Operation(operator, operands, kind):
                return f"{_CALLED[operator, kind]}({', '.join([self.expression(x) for x in operands])})", _ATOM

    def infix(self, operator: str, operands: tuple[Expression, ...]) -> tuple[str, int]:
        symbol, binding = _INFIX[operator]
        if operator in ("and", "or"):  # parentheses between the two, though C asks for none
            same = [isinstance(x, Operation) and x.operator == operator for x in operands]
            texts = [self.expression(x, binding if alike else _LOGICAL) for x, alike in zip(operands, same, strict=True)]
        elif binding < _SUM:
            texts = [self.whole(x, _SUM) for x in operands]
        else:  # from left to right
            texts = [self.expression(operands[0], binding), self.expression(operands[1], binding + 1)]
        return f" {symbol} ".join(texts), binding

    def call(self, call: Call) -> str:
        arguments: list[str] = []
        for operand in call.operands:
            if isinstance(operand, Operation) and operand.operator == "list":
                arguments.append(_array([self.expression(x) for x in operand.operands]))
            elif operand.kind == "list" and isinstance(operand, Name):
                arguments += [local(operand.name), f"{operand.name}_length"]
            elif operand.kind == "int" and is_library_function(call.function):
                arguments.append(f"(int){self.expression(operand, _UNARY)}")
            else:
                arguments.append(self.whole(operand))
        return f"{function_name(call.function)}({', '.join(arguments)})"


def local(name: str) -> str:
    """The name of a variable, changed where C has a word or a function of that name."""
    return f"{name}_" if name in _KEYWORDS or callable(getattr(math, name, None)) else name


def _is_classification(expression: Expression) -> bool:
    return isinstance(expression, Call) and expression.kind == "bool" and is_library_function(expression.function)


def _measured(part: Operation | Call) -> Iterator[Name]:
    """The lists whose lengths an expression needs: those it asks for, and those it passes on."""
    if isinstance(part, Call) or part.operator == "len":
        yield from [x for x in part.operands if isinstance(x, Name) and x.kind == "list"]


# --- where variables are declared


def _mentioned(statement: Statement) -> set[str]:
    """The names that a statement reads or assigns."""
    names: set[str] = set()
    for part in walk(statement):
        if isinstance(part, (Name, Assign, Store, NewList, ConstantList, Loop)):
            names.add(part.name)
        elif isinstance(part, Split):
            names |= {part.exponent} | ({part.mantissa} if part.mantissa else set())
    return names


def _mentioned_in(body: Block) -> set[str]:
    return set().union(*[_mentioned(statement) for statement in body])


def _assigns(statement: Statement, name: str) -> bool:
    """Whether the statement itself gives the variable its value, without reading it."""
    match statement:
        case Assign(target, assigned):
            return target == name and all(not isinstance(part, Name) or part.name != name for part in walk(assigned))
        case Split(mantissa, exponent, split):
            return name in (mantissa, exponent) and all(not isinstance(x, Name) or x.name != name for x in walk(split))
        case NewList(target) | ConstantList(target):
            return target == name
    return False


def _confines(statement: Statement, name: str) -> bool:
    """Whether the variable can be declared inside the statement: no value of it comes in, and none goes on to another round."""
    match statement:
        case Loop(counter, start, stop, _, body):
            outside = {part.name for bound in (start, stop) for part in walk(bound) if isinstance(part, Name)}
            return name not in outside and (counter == name or _owns(body, name))
        case If(test, then, otherwise):
            outside = {part.name for part in walk(test) if isinstance(part, Name)}
            return name not in outside and _owns(then, name) and _owns(otherwise, name)
    return False


def _owns(body: Block, name: str) -> bool:
    """Whether the block assigns the variable before it reads it, or does not mention it."""
    mentioning = [statement for statement in body if name in _mentioned(statement)]
    return not mentioning or _assigns(mentioning[0], name) or all(_confines(statement, name) for statement in mentioning)


def _writes(body: Block, name: str) -> int:
    """How many statements in the block, and in blocks in it, assign the variable."""
    parts = [part for statement in body for part in walk(statement)]
    splits = [part for part in parts if isinstance(part, Split) and name in (part.mantissa, part.exponent)]
    return len(splits) + len([part for part in parts if isinstance(part, (Assign, Loop)) and part.name == name])
