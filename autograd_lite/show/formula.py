"""The table's rules printed as formulas, by applying them to symbols.

A `Symbol` takes the place of a number in a rule and keeps what is computed with it as text, so a printed formula cannot drift
from its rule. A `Symbol` prints every term: evaluated with the table's functions, the text has the bits of the rule. A
`RealSymbol` prints what the rule is in real numbers inside the domain, where corrections of rounding errors are 0.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

from autograd_lite.primitive import Interval, Primitive, real_number
from autograd_lite.primitives import DEGREES, LN2, LOG2_E, LOG10_E, PI, RADIANS, TABLE, TWO_OVER_SQRT_PI

# How tightly an operation binds. Quotients rounded down stand below products: -(x//y) is not -x//y.
SUM, REMAINDER, PRODUCT, POWER, ATOM = range(5)
_INFIX = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": REMAINDER, "%": REMAINDER, "**": POWER}
_CONSTANTS = {
    LN2: ("log(2)", ATOM),
    LOG2_E: ("log2(e)", ATOM),
    LOG10_E: ("log10(e)", ATOM),
    TWO_OVER_SQRT_PI: ("2/sqrt(pi)", PRODUCT),
    PI: ("pi", ATOM),
    RADIANS: ("pi/180", PRODUCT),
    DEGREES: ("180/pi", PRODUCT),
}


class Symbol:
    """A formula: its text, and how tightly its outermost operation binds."""

    __slots__ = ("binding", "text")

    def __init__(self, text: str, binding: int = ATOM) -> None:
        self.text = text
        self.binding = binding

    @staticmethod
    def __record__(primitive: Primitive, args: tuple[Any, ...]) -> Any:
        """The formula of a primitive applied to formulas and numbers; `Primitive.__call__` comes here."""
        return Symbol(*_written(primitive, args))

    def within(self, binding: int) -> str:
        """The text as an operand that must bind at least so tightly: in parentheses where it does not."""
        return self.text if self.binding >= binding else f"({self.text})"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.text}>"

    def __bool__(self) -> bool:
        raise TypeError(f"a rule branches on the value of {self.text}; write it with where, step or sign instead")


class RealSymbol(Symbol):
    """A formula in real numbers: no terms 0, no factors 1, and the table's private helpers written out."""

    __slots__ = ()

    @staticmethod
    def __record__(primitive: Primitive, args: tuple[Any, ...]) -> Any:
        meaning = primitive.means or _PLAINER.get(primitive.name)
        result = meaning(*args) if meaning else None
        return RealSymbol(*_written(primitive, args)) if result is None else result


def _sum_of_two(x: Any, y: Any) -> Any:
    return y if x == 0.0 else x if y == 0.0 else None


def _product(x: Any, y: Any) -> Any:
    """x*y; a product or quotient on the right needs no parentheses, as real numbers may be multiplied in any order."""
    if x == 0.0 or y == 0.0:
        return 0.0
    if x == 1.0 or y == 1.0:
        return y if x == 1.0 else x
    if not isinstance(y, Symbol) or y.binding != PRODUCT or y.text.startswith(("-", "+")):
        return None
    left = (x if isinstance(x, Symbol) else _constant(x)).within(PRODUCT)
    return RealSymbol(left + (y.text[1:] if y.text.startswith("1/") else f"*{y.text}"), PRODUCT)


# How public operations are printed more plainly in real numbers; what private ones mean stands in the table.
_PLAINER: dict[str, Callable[..., Any]] = {
    "add": _sum_of_two,
    "multiply": _product,
    "power": lambda x, y: x if y == 1.0 else None,
    "reciprocal": lambda x: 1.0 / x,
    "sum": lambda *xs: functools.reduce(operator.add, xs) if xs else 0.0,
}


def _operator(name: str, reflected: bool = False) -> Callable[..., Any]:
    primitive = TABLE[name]
    return lambda *args: primitive(*(args[::-1] if reflected else args))


for _name, _method in {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "truediv", "power": "pow", "mod": "mod",
    "floor_divide": "floordiv",
}.items():  # fmt: skip
    setattr(Symbol, f"__{_method}__", _operator(_name))
    setattr(Symbol, f"__r{_method}__", _operator(_name, reflected=True))
for _name, _method in {"negative": "neg", "positive": "pos", "absolute": "abs"}.items():
    setattr(Symbol, f"__{_method}__", _operator(_name))


def _written(primitive: Primitive, args: tuple[Any, ...]) -> tuple[str, int]:
    """The call of a primitive, or its operator with as few parentheses as keep the result the same; and how it binds."""
    operands = [x if isinstance(x, Symbol) else _constant(real_number(x, "a formula")) for x in args]
    symbol = primitive.symbol
    if len(operands) == 2 and symbol in _INFIX:
        binding = _INFIX[symbol]
        left, right = operands[0].within(_LEFT[binding]), operands[1].within(_RIGHT[binding])
        if right.startswith(("-", "+")):
            right = f"({right})"
        return (f"{left} {symbol} {right}" if binding == SUM else left + symbol + right), binding
    if len(operands) == 1 and symbol in ("-", "+"):
        operand = operands[0].within(PRODUCT)
        return symbol + (f"({operand})" if operand.startswith(("-", "+")) else operand), PRODUCT
    return f"{primitive.name}({', '.join([x.text for x in operands])})", ATOM


# What an operand must bind at least, on the left of an operation that binds so tightly, and on its right.
_LEFT = {SUM: SUM, REMAINDER: PRODUCT, PRODUCT: PRODUCT, POWER: ATOM}
_RIGHT = {SUM: REMAINDER, REMAINDER: POWER, PRODUCT: POWER, POWER: ATOM}


def _constant(x: float) -> Symbol:
    if x in _CONSTANTS:
        return Symbol(*_CONSTANTS[x])
    integral = abs(x) < 1e15 and x == int(x) and not (x == 0.0 and math.copysign(1.0, x) < 0.0)
    return Symbol(str(int(x)) if integral else repr(x), ATOM if x >= 0.0 else PRODUCT)


def partial_formulas(primitive: Primitive, *, exact: bool = False, count: int = 2) -> tuple[str | None, ...]:
    """The partial derivatives of a primitive as formulas of its arguments and its result ``r``; None where it has none.

    They are written in Python's operators and the table's functions, with the constants ``e`` and ``pi``. By default they
    hold in real numbers, inside the domain; with `exact` every term of the rule is printed, and the formula gives its bits. A
    variadic primitive is taken with `count` arguments x1, x2, ...

        >>> import autograd_lite as ag
        >>> ag.show.partial_formulas(ag.divide)
        ('1/y', '-x/y**2')
        >>> ag.show.partial_formulas(ag.tanh)
        ('4*sigmoid(2*x)*sigmoid(-2*x)',)

    Raises TypeError if a rule cannot be applied to symbols: it branches on a value, or calls functions outside the table.
    """
    kind = Symbol if exact else RealSymbol
    args = [kind(name) for name in argument_names(primitive, count)]
    rules = primitive.partials
    if primitive.variadic:
        partials = rules[0](kind("r"), *args) if rules[0] else [None] * count
    else:
        partials = [rule and rule(kind("r"), *args) for rule in rules]
    return tuple(
        [
            None if x is None else x.text if isinstance(x, Symbol) else _constant(real_number(x, "a formula")).text
            for x in partials
        ]
    )


def argument_names(primitive: Primitive, count: int = 2) -> tuple[str, ...]:
    """The names of a primitive's arguments in its formulas."""
    return tuple([f"x{i + 1}" for i in range(count)]) if primitive.variadic else primitive.arguments


def primitive_table() -> str:
    """The public primitives as a table in Markdown: name, meaning, partial derivatives, and the domain where they hold.

    Of a variadic primitive the partial by the first of two arguments is shown.

    >>> import autograd_lite as ag
    >>> print(ag.show.primitive_table().splitlines()[2])
    | `add(x, y)` | x + y | ∂x: `1`, ∂y: `1` | all numbers |
    """
    rows = [_row(primitive) for primitive in TABLE.values() if primitive.public]
    header = [("primitive", "meaning", "partial derivatives (r: the result)", "domain"), ("---",) * 4]
    return "\n".join(["| " + " | ".join(row) + " |" for row in header + rows])


def _row(primitive: Primitive) -> tuple[str, str, str, str]:
    written = list(zip(argument_names(primitive), partial_formulas(primitive), strict=True))
    if primitive.variadic:
        del written[1:]
    partials = ", ".join([f"∂{name}: {_code(formula)}" for name, formula in written if formula])
    return _code(_signature(primitive)), primitive.doc.replace("|", "\\|"), partials or "none", domain_of(primitive, _code)


def _signature(primitive: Primitive) -> str:
    names = [*argument_names(primitive), "..."] if primitive.variadic else list(primitive.arguments)
    for i, default in enumerate(reversed(primitive.defaults), 1):
        names[-i] += f"={_constant(default).text}"
    return f"{primitive.name}({', '.join(names)})"


def domain_of(primitive: Primitive, limits: Callable[[str], str] = str) -> str:
    """Where the partial derivatives hold, in words; `limits` writes a formula."""
    intervals = zip(argument_names(primitive, 1), primitive.domain, strict=True)
    written = [limits(_limits(name, interval)) for name, interval in intervals if interval != Interval()]
    return ", ".join(written or ["all numbers"]) + (", off kinks" if primitive.kink else "")


def _limits(name: str, interval: Interval) -> str:
    low = "" if interval.low == -math.inf else f"{_constant(interval.low).text} < "
    high = "" if interval.high == math.inf else f" < {_constant(interval.high).text}"
    return low + name + high + (", integer" if interval.integers else "")


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"
