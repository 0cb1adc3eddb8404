"""Printed formulas: the exact ones have the bits of the rules, the readable ones are right in real numbers."""

import ast
import math
import re
from fractions import Fraction

import mpmath
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.primitive import Interval, Primitive
from autograd_lite.primitives import TABLE
from autograd_lite.show.formula import RealSymbol, Symbol, partial_formulas, primitive_table

DIFFERENTIABLE = [name for name, primitive in TABLE.items() if any(primitive.partials)]
PUBLIC = [name for name in DIFFERENTIABLE if TABLE[name].public]
NUMBERS = {"e": math.e, "pi": math.pi, "inf": math.inf, "nan": math.nan}
HALF = settings(max_examples=settings().max_examples // 2)  # these tests run for each primitive


def arguments(primitive, numbers):
    """Arguments of a primitive from `numbers(interval)`; a variadic one gets two, four or six, so that `dot` has pairs."""
    each = [st.integers(0, 7).map(float) if interval.integers else numbers(interval) for interval in primitive.domain]
    if primitive.variadic:
        return st.sampled_from([2, 4, 6]).flatmap(lambda count: st.tuples(*each * count))
    return st.tuples(*each)


def anywhere(_):
    """Any double, often a moderate or a special one."""
    return st.floats(-3.0, 3.0) | st.sampled_from([0.0, -0.0, 1.0, -1.0, math.inf, math.nan]) | st.floats()


def inside(interval):
    """Numbers of a moderate size in the domain."""
    inner = st.floats(max(interval.low, -9.0), min(interval.high, 9.0), exclude_min=True, exclude_max=True)
    return inner.filter(lambda x: abs(x) > 1e-3)


def names(args, primitive):
    return [f"x{i + 1}" for i in range(len(args))] if primitive.variadic else primitive.arguments


# --- the bits of a rule


@pytest.mark.parametrize("name", DIFFERENTIABLE)
@given(data=st.data())
@HALF
def test_an_exact_formula_has_the_bits_of_its_rule(name, data):
    primitive = TABLE[name]
    args = data.draw(arguments(primitive, anywhere))
    try:
        r = primitive.fn(*args)
    except ValueError:  # a power that is complex
        assume(False)
    rules = primitive.number_partials
    numbers = list(rules[0](r, *args)) if primitive.variadic else [rule and rule(r, *args) for rule in rules]
    values = {"r": ag.Value(r)} | {n: ag.Value(x) for n, x in zip(names(args, primitive), args, strict=True)}
    for formula, number in zip(partial_formulas(primitive, exact=True, count=len(args)), numbers, strict=True):
        assert (formula is None) == (number is None)
        if formula is not None:
            result = eval(formula, NUMBERS | dict(TABLE) | values)  # noqa: S307 - our own text
            result = result.data if isinstance(result, ag.Value) else float(result)
            assert result.hex() == float(number).hex(), formula


# --- real numbers: the functions that formulas use, at 60 digits


def density(x, order=0):
    before, hermite = mpmath.mpf(0), mpmath.mpf(1)
    for k in range(int(order)):
        before, hermite = hermite, -x * hermite - k * before
    return hermite * mpmath.npdf(x)


REAL = {
    "e": mpmath.e, "pi": mpmath.pi, "log": mpmath.log, "exp": mpmath.exp, "sqrt": mpmath.sqrt, "sin": mpmath.sin,
    "cos": mpmath.cos, "sinh": mpmath.sinh, "cosh": mpmath.cosh, "hypot": mpmath.hypot, "sign": mpmath.sign,
    "absolute": abs, "sinc": mpmath.sincpi, "normal_cdf": mpmath.ncdf, "normal_pdf": density,
    "log2": lambda x: mpmath.log(x, 2), "log10": lambda x: mpmath.log(x, 10), "exp2": lambda x: mpmath.mpf(2) ** x,
    "square": lambda x: x * x, "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)), "relu": lambda x: max(x, mpmath.mpf(0)),
    "step": lambda x: mpmath.mpf(x > 0), "greater": lambda x, y: mpmath.mpf(x > y), "equal": lambda x, y: mpmath.mpf(x == y),
    "where": lambda condition, x, y: x if condition else y, "clip": lambda x, low, high: min(max(x, low), high),
    "copysign": lambda x, y: abs(x) * (1 if y >= 0 else -1),
}  # fmt: skip
# The result, for the rules that use it.
RESULT = {
    "divide": lambda x, y: x / y, "reciprocal": lambda x: 1 / x, "sqrt": mpmath.sqrt, "exp": mpmath.exp, "tan": mpmath.tan,
    "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), "sigmoid": REAL["sigmoid"],
    "silu": lambda x: x * REAL["sigmoid"](x), "logsumexp": lambda *xs: mpmath.log(sum(mpmath.exp(x) for x in xs)),
    "maximum": lambda *xs: max(xs), "minimum": lambda *xs: min(xs), "clip": REAL["clip"],
}  # fmt: skip


# The size of the terms of a partial that subtracts them, where it may be much smaller itself.
LARGER_TERM = {
    "sinc": lambda x: 1 / abs(x),
    "gelu": lambda x: max(mpmath.ncdf(x), abs(x) * mpmath.npdf(x)),
    "silu": lambda x: max(REAL["sigmoid"](x), abs(x) * REAL["sigmoid"](x) * REAL["sigmoid"](-x)),
    "normal_pdf": lambda x, order: (
        abs(mpmath.hermite(order + 1, x * 1j / mpmath.sqrt(2))) / 2 ** ((order + 1) / 2) * mpmath.npdf(x)
    ),
}


@pytest.mark.parametrize("name", PUBLIC)
@given(data=st.data())
@HALF
def test_a_formula_is_right_in_real_numbers(name, data):
    """Numbers of the table keep 4 units in the last place (of the larger term, where a partial is a difference)."""
    primitive = TABLE[name]
    args = data.draw(arguments(primitive, inside))
    assume(not (primitive.kink and name != "around" and primitive.kink(*args)))
    assume(not (name == "sinc" and args[0] == 0.0))  # its formula is 0/0 there
    rules, r = primitive.number_partials, primitive.fn(*args)
    expected = list(rules[0](r, *args)) if primitive.variadic else [rule and rule(r, *args) for rule in rules]
    with mpmath.workdps(60):
        exact = [mpmath.mpf(x) for x in args]
        space = REAL | dict(zip(names(args, primitive), exact, strict=True))
        if name in RESULT:
            space["r"] = RESULT[name](*exact)
        for formula, number in zip(partial_formulas(primitive, count=len(args)), expected, strict=True):
            if formula is None:
                assert number is None
                continue
            text = re.sub(r"([\w()]+)//([\w()]+)", r"floor(\1/\2)", formula)
            result = mpmath.mpf(eval(text, {"floor": mpmath.floor} | space))  # noqa: S307 - our own text
            size = max(abs(number), float(LARGER_TERM[name](*exact)) if name in LARGER_TERM else 0.0)
            assert abs(result - number) <= 4 * mpmath.mpf(math.ulp(size)), (formula, args)


def test_the_helpers_are_written_out_and_corrections_left_out():
    written = " ".join([text for name in PUBLIC for text in partial_formulas(TABLE[name]) if text])
    private = {name for name, primitive in TABLE.items() if not primitive.public}
    called = private & set(re.findall(r"\w+", written))
    assert called == {"equal", "greater"}, "say what a private helper means, for readers of the README's table"
    assert not re.search(r"(?<![\d.])0 [+]|[+-] 0(?![\d.])|(?<![\d.])1[*]|[*]1(?![\d.])", written)


@pytest.mark.parametrize(
    ("name", "formulas"),
    [
        ("add", ("1", "1")),
        ("multiply", ("y", "x")),
        ("divide", ("1/y", "-x/y**2")),
        ("sqrt", ("0.5/r",)),
        ("cbrt", ("1/(3*square(r))",)),
        ("power", ("y*x**(y - 1)", "x**y*log(x)")),
        ("mod", ("1", "-(x//y)")),
        ("tanh", ("4*sigmoid(2*x)*sigmoid(-2*x)",)),
        ("log", ("1/x",)),
        ("exp2", ("log(2)*exp2(0.5*x)*exp2(0.5*x)",)),
        ("erfc", ("-2/sqrt(pi)*exp(-x*x)",)),
        ("arcsin", ("1/sqrt(1 - x*x)",)),
        ("arctan2", ("y/(y*y + x*x)", "-x/(y*y + x*x)")),
        ("sigmoid", ("sigmoid(x)*sigmoid(-x)",)),
        ("logaddexp", ("sigmoid(x - y)", "sigmoid(y - x)")),
        ("hypot", ("x/hypot(x, y)", "y/hypot(x, y)")),
        ("where", (None, "where(condition, 1, 0)", "where(condition, 0, 1)")),
        ("stop_gradient", (None,)),
        ("dot", ("x2", "x1")),
    ],
)
def test_formulas_as_they_are_printed(name, formulas):
    assert partial_formulas(TABLE[name]) == formulas


def test_variadic_formulas_for_as_many_arguments_as_are_asked_for():
    assert partial_formulas(TABLE["dot"], count=4) == ("x3", "x4", "x1", "x2")
    assert partial_formulas(TABLE["logsumexp"], count=1) == ("exp(x1 - r)/exp(x1 - r)",)
    assert partial_formulas(TABLE["sum"], count=0) == ()


# --- parentheses

OPERATIONS = ("add", "subtract", "multiply", "divide", "power", "mod", "floor_divide")
leaves = st.sampled_from(["x", "y", "z"]) | st.sampled_from([2.0, 0.5, -3.0, 1e300])
expressions = st.recursive(
    leaves,
    lambda inner: (
        st.tuples(st.sampled_from(OPERATIONS), inner, inner)
        | st.tuples(st.sampled_from(("negative", "positive", "sin")), inner)
    ),
    max_leaves=8,
)


def applied(expression, leaf):
    if not isinstance(expression, tuple):
        return leaf(expression)
    return TABLE[expression[0]](*[applied(x, leaf) for x in expression[1:]])


@given(expressions, st.tuples(*[st.floats(0.5, 4.0)] * 3))
def test_parentheses_keep_the_bits(expression, point):
    values = dict(zip("xyz", [ag.Value(x) for x in point], strict=True))
    try:
        expected = applied(expression, lambda x: values.get(x, x))
    except ValueError:  # a power that is complex
        assume(False)
    written = applied(expression, lambda x: Symbol(x) if isinstance(x, str) else x)
    assume(isinstance(written, Symbol))
    result = eval(written.text, NUMBERS | dict(TABLE) | values)  # noqa: S307 - our own text
    assert isinstance(expected, ag.Value)
    assert result.data.hex() == expected.data.hex()


smooth = st.recursive(
    st.sampled_from(["x", "y", "z", 2.0]),
    lambda inner: st.tuples(st.sampled_from(("add", "subtract", "multiply", "divide", "power")), inner, inner),
    max_leaves=8,
)


@given(smooth)
def test_no_parentheses_are_superfluous(expression):
    written = applied(expression, lambda x: Symbol(x) if isinstance(x, str) else Symbol("2"))
    text, tree = written.text, ast.dump(ast.parse(written.text))
    opened = []
    for i, character in enumerate(text):
        if character == "(":
            opened.append(i)
        elif character == ")":
            start = opened.pop()
            without = f"{text[:start]} {text[start + 1 : i]} {text[i + 1 :]}".strip()
            # A power of a power is set in parentheses on either side; Python reads one side without.
            assert ast.dump(ast.parse(without)) != tree or text[:start].endswith("**")


@given(
    st.floats()
    | st.sampled_from(
        [0.0, -0.0, 1e15, -1e16, math.inf, math.nan, math.log(2), math.log2(math.e), math.log10(math.e), 2 / math.sqrt(math.pi)]
    )
)
def test_a_number_is_printed_in_full(x):
    identity = Primitive("scaled", lambda v: v, (lambda r, v: x,), (Interval(),), "a constant partial")
    (text,) = partial_formulas(identity)
    assert float(eval(text, dict(TABLE) | NUMBERS)).hex() == x.hex()  # noqa: S307 - our own text
    if x.is_integer() and abs(x) < 1e6:
        assert text in (str(int(x)), "-0.0")


# --- symbols


def test_a_rule_that_branches_is_refused():
    branching = Primitive("branching", abs, (lambda r, x: 1.0 if x else -1.0,), (Interval(),), "branches")
    with pytest.raises(TypeError, match="a rule branches on the value of x; write it with where, step or sign"):
        partial_formulas(branching)


@pytest.mark.parametrize("kind", [Symbol, RealSymbol])
def test_symbols_combine_with_numbers_on_either_side(kind):
    x = kind("x")
    assert (2 + x * 3 - Fraction(1, 2)).text == "2 + x*3 - 0.5"
    assert (2 / x + 2**x + 5 // x + 7 % x).text == "2/x + 2**x + 5//x + 7%x"
    assert (3 - (-x)).text == "3 - (-x)"
    assert ((-2) ** x).text == "(-2)**x"
    assert (x ** (x**x)).text == "x**(x**x)"
    assert ((x**x) ** -x).text == "(x**x)**(-x)"
    assert (+abs(x)).text == "+absolute(x)"
    assert repr(x + 1) == f"<{kind.__name__} x + 1>"
    assert type(ag.sin(x)) is kind


def test_real_symbols_leave_out_what_does_nothing():
    x = RealSymbol("x")
    assert (x + 0.0) is x
    assert (0.0 + x) is x
    assert (1.0 * x) is x
    assert (x * 1.0) is x
    assert x * 0.0 == 0.0
    assert [(2 * (x * x)).text, (x * (x / 3)).text, (2 * (1 / x)).text] == ["2*x*x", "x*x/3", "2/x"]
    assert [(x * (-x * 3)).text, (x * (x // 3)).text, (3 * (x + 1)).text] == ["x*(-x*3)", "x*(x//3)", "3*(x + 1)"]
    exact = Symbol("x")
    assert [(exact + 0.0).text, (1.0 * exact).text] == ["x + 0", "1*x"]


# --- the table in Markdown


def cells(row):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def test_the_table_has_a_row_for_each_public_primitive():
    rows = [cells(row) for row in primitive_table().split("\n")]
    assert all(len(row) == 4 for row in rows)
    assert [set(cell) for cell in rows[1]] == [{"-"}] * 4
    assert [re.match(r"`(\w+)\(", row[0])[1] for row in rows[2:]] == [name for name, p in TABLE.items() if p.public]
    by_name = {row[0].strip("`"): row[1:] for row in rows}
    assert by_name["divide(x, y)"] == ["x / y", "∂x: `1/y`, ∂y: `-x/y**2`", "all numbers, off kinks"]
    assert by_name["absolute(x)"] == ["\\|x\\|", "∂x: `sign(x)`", "all numbers, off kinks"]
    assert by_name["leaky_relu(x, slope=0.01)"][0] == "x where positive, else slope * x"
    assert by_name["sum(x1, x2, ...)"][1:] == ["∂x1: `1`", "all numbers"]
    assert by_name["arctanh(x)"][2] == "`-1 < x < 1`"
    assert by_name["xlogy(x, y)"][2] == "`0 < y`"
    assert by_name["around(x, decimals=0)"][2] == "`-1 < decimals < 8, integer`, off kinks"
    assert all(row[2] == "none" for row in rows if row[0].startswith("`stop_gradient"))


def test_a_new_primitive_gets_its_row_by_itself(monkeypatch):
    rule = lambda r, x: r * (1.0 - ag.tanh(x))
    new = Primitive("invented", math.sin, (rule,), (Interval(0.0, 2.5),), "something | else", kink=lambda x: x == 1)
    monkeypatch.setitem(TABLE, "invented", new)
    row = "| `invented(x)` | something \\| else | ∂x: `r*(1 - tanh(x))` | `0 < x < 2.5`, off kinks |"
    assert primitive_table().endswith("\n" + row)
