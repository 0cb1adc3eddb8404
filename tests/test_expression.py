"""The parser: nothing but the whitelist gets through, and what does is what Python computes."""

import ast
import math
import string
import threading
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import expression
from autograd_lite.expression import CONSTANTS, DEEPEST_NESTING, LONGEST_TEXT, SPELLINGS, ExpressionError, parse, signature_of
from autograd_lite.primitive import Primitive
from autograd_lite.primitives import TABLE
from formulas import NAMES, NotRealError, bits, formulas, points

PUBLIC = [primitive for primitive in TABLE.values() if primitive.public]

TOKENS = [
    *"()()()+-*/%,.<>=[]{}:;!^&|~@'\"\\`$?#_0123456789ab ",
    *["**", "//", "==", "!=", "<=", ">=", ":=", "->", "...", "<<", "0x", "1e", "1e999", "1_0", "0777", "1j", "\n", "\t", "\0"],
    *[
        "if ",
        " else ",
        "and ",
        "or ",
        "not ",
        "in ",
        "is ",
        "lambda ",
        "lambda: ",
        "for ",
        "await ",
        "yield ",
        "import ",
        "f'{",
        "rb'",
    ],
    *["True", "None", "__import__", "__class__", "pi", "e", "inf", "nan", "é", "日", "\u00a0", "\ufeff", "\ud800", "ﬁ", "²"],
    *[f"{primitive.name}(" for primitive in PUBLIC],
    *SPELLINGS,
]


def underlined(error):
    """The part of the shown text that stands over the carets, for text of characters one column wide."""
    _, text, carets = str(error).split("\n")
    return text[carets.index("^") : carets.rindex("^") + 1]


def read(text):
    """Parse and evaluate, and check whatever comes of it."""
    try:
        formula = parse(text)
        result = formula.evaluate(dict.fromkeys(formula.names, 0.5))
    except ExpressionError as error:
        raised = error
    else:
        for step in formula.steps:
            let_through(step.operation)
        assert type(result) is float
        return
    assert raised.message
    assert 0 <= raised.start <= len(raised.text)
    assert raised.start < raised.end
    lines = str(raised).split("\n")
    assert len(lines) == (3 if raised.text else 1)
    assert all([line.isprintable() and len(line) < 310 for line in lines])
    if raised.text:
        assert set(lines[2].lstrip(" ")) == {"^"}


def let_through(operation):
    """Only floats, names and functions that compute numbers of numbers."""
    assert (
        isinstance(operation, (float, str, expression._Comparison))
        or (isinstance(operation, Primitive) and operation.public)
        or operation in (expression._every, expression._any, expression._not)
    )


# --- whatever the text, a result or an ExpressionError


@given(st.text())
@example("\x0c a")
@example("a\\\n+b")
@example("1if a else b")
@example("'\\d'")
@example("# -*- coding: nonsense -*-\na")
def test_any_text_gives_a_result_or_an_expression_error(text):
    read(text)


@given(st.text(alphabet=string.printable + "\0\ud800\u00a0é日²", max_size=30))
def test_any_short_printable_text_gives_a_result_or_an_expression_error(text):
    read(text)


@given(st.lists(st.sampled_from(TOKENS), max_size=25).map("".join))
def test_text_near_the_grammar_gives_a_result_or_an_expression_error(text):
    read(text)


@given(formulas, st.integers(0, 1000), st.sampled_from(TOKENS), st.integers(0, 3))
def test_damaged_formulas_give_a_result_or_an_expression_error(formula, at, token, removed):
    text = formula[0]
    at %= len(text) + 1
    read(text[:at] + token + text[at + removed :])


REFUSED = [
    "x.y", "x.__class__", "(1).real", "x[0]", "x[:]", "[1, 2]", "(1, 2)", "1, 2", "()", "{}", "{1}", "{1: 2}", "[i for i in x]",
    "{i for i in x}", "{i: i for i in x}", "sum(i for i in x)", "lambda: 1", "(lambda x: x)(1)", "(x := 1)", "'text'",
    "b'text'",
    "f'{x}'", "f'{__import__(chr(111))}'", "'a' 'b'", "...", "None", "True", "False", "1j", "x is x", "x in x", "x not in x",
    "~x", "x @ x", "x ^ x", "x | x", "x & x", "x << 1", "x >> 1", "sin(*x)", "sin(**x)", "sin(x=1)", "*x", "sin(*[1])",
    "__import__('os')", "__import__(1)", "eval(1)", "exec(1)", "open(1)", "print(1)", "getattr(1, 2)", "breakpoint()",
    "greater(1, 2)", "2(x)", "sin(1)(2)", "x.y(1)", "(await x)", "(yield x)", "await x", "yield", "import os", "x = 1", "x; x",
    "del x", "x\nx", "pass", "def f(): pass", "x # comment", "x if x", "t'{x}'",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_on_the_whitelist_is_refused(text):
    with pytest.raises(ExpressionError):
        parse(text)


def test_every_kind_of_syntax_is_refused_or_on_the_whitelist():
    """The whitelist, written down once more: a node that Python's grammar gains is refused until someone decides."""
    allowed = {"BinOp", "UnaryOp", "Compare", "BoolOp", "IfExp", "Call", "Constant", "Name"}
    kinds = [kind for kind in ast.expr.__subclasses__() if kind.__name__ not in allowed]
    assert len(kinds) > 15
    for kind in kinds:
        node = kind.__new__(kind)
        node.col_offset, node.end_col_offset = 0, 1
        with pytest.raises(ExpressionError, match="not part of an expression"):
            expression._Reader("0").read(node)


# --- what is computed


@given(formulas, points)
def test_values_are_those_of_python_bit_for_bit(formula, point):
    text, compute = formula
    try:
        expected = compute(point)
    except NotRealError:
        read(text)
        return
    assert bits(parse(text).evaluate(point)) == bits(expected)


@given(formulas, points)
def test_values_and_floats_give_the_same_bits(formula, point):
    parsed = parse(formula[0])
    values = {name: ag.Value(x) for name, x in point.items()}
    try:
        expected = parsed.evaluate(point)
    except ExpressionError:
        with pytest.raises(ExpressionError, match="complex"):
            parsed.evaluate(values)
        return
    result = parsed.evaluate(values)
    assert bits(result.data if isinstance(result, ag.Value) else result) == bits(expected)


@pytest.mark.parametrize(
    "text",
    ["-2.0**2.0", "2.0**-1.0", "2.0**3.0**2.0", "1.0-2.0-3.0", "8.0/4.0/2.0", "7.0//2.0*2.0", "-7.0%3.0", "1.0+2.0*3.0",
     "--1.0", "1.0 if 0.0 else 2.0 if 0.0 else 3.0", "(1.0+2.0)*3.0", "2.0*-3.0", "+-+1.0", "1e3", ".5", "5.", "1_000.5"],
)  # fmt: skip
def test_operators_bind_as_in_python(text):
    assert bits(parse(text).evaluate({})) == bits(eval(text))  # noqa: S307 - the texts are those above


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 < 2 < 3", 1.0), ("1 < 3 < 2", 0.0), ("2 > 1 != 1", 0.0), ("1 <= 1 >= 1 == 1", 1.0), ("nan == nan", 0.0),
        ("nan != nan", 1.0), ("1 and 2", 1.0), ("1 and 0", 0.0), ("0 or 3", 1.0), ("0 or 0 or 0", 0.0), ("not 0", 1.0),
        ("not 5", 0.0), ("not 1 < 2", 0.0), ("1 < 2 and 2 < 1 or 1", 1.0), ("where(2 > 1, 5, 6)", 5.0), ("5 if 0 else 6", 6.0),
        ("1/0", math.inf), ("-1/0", -math.inf), ("0/0", math.nan), ("log(0)", -math.inf), ("sqrt(-1)", math.nan),
        ("1e999", math.inf), ("9**9**9**9", math.inf), ("exp(1000)", math.inf), ("0x10", 16.0), ("0b11 + 0o17", 18.0),
        ("9" * 400, math.inf), ("0x" + "f" * 10_000, math.inf), ("9" * 400 + " * 0", math.nan), ("7 // 2", 3.0), ("2**-1", 0.5),
        ("2**1000 / 2**999", 2.0), ("10**400 // 10**399", math.nan), ("round(2.5)", 2.0), ("round(2.675, 2)", 2.67),
        ("pi", math.pi), ("e", math.e), ("-inf", -math.inf), ("max(1, 3, 2) - min(4, 2)", 1.0), ("1 if 1 else 0", 1.0),
        ("  1 +\n\t2 ", 3.0), ("1if 1else 2", 1.0), ("dot(1, 2, 3, 4)", 11.0), ("sum(1, 2, 3)", 6.0), ("pow(2, 3)", 8.0),
    ],
)  # fmt: skip
def test_numbers(text, expected):
    assert bits(parse(text).evaluate({})) == bits(expected)


@pytest.mark.parametrize("primitive", PUBLIC, ids=lambda primitive: primitive.name)
def test_every_function_of_the_table_is_there_and_counts_its_arguments(primitive):
    arity = 4 if primitive.variadic else len(primitive.arguments)
    numbers = [0.25, 0.75, 1.0, 1.25][:arity]
    text = f"{primitive.name}({', '.join(map(str, numbers))})"
    assert bits(parse(text).evaluate({})) == bits(primitive(*numbers))
    parsed = parse(f"{primitive.name}({', '.join('abcd'[:arity])})")
    result = parsed.evaluate({name: ag.Value(x) for name, x in zip("abcd", numbers, strict=False)})
    assert result.op is primitive
    wrong = [0] if primitive.variadic else [arity + 1, arity - len(primitive.defaults) - 1]
    for count in wrong:
        call = f"{primitive.name}({', '.join(['1'] * count)})"
        with pytest.raises(ExpressionError, match="cannot take") as caught:
            parse(f"2 * {call} + 1")
        assert underlined(caught.value) == call
        assert signature_of(primitive) in caught.value.message


@pytest.mark.parametrize(("python", "name"), SPELLINGS.items())
def test_spellings_of_python_mean_the_functions_of_the_table(python, name):
    assert parse(f"{python}(x, y)" if name != "absolute" else f"{python}(x)").steps[-1].operation is TABLE[name]


def test_a_number_of_decimals_left_out_is_the_default():
    assert parse("round(x)").evaluate({"x": ag.Value(1.75)}).data == 2.0


def test_dot_takes_pairs():
    with pytest.raises(ExpressionError, match="cannot take 3 arguments"):
        parse("dot(1, 2, 3)")


def test_both_branches_are_evaluated_and_only_the_selected_one_has_a_derivative():
    parsed = parse("where(x > 0, sqrt(x), 0)")
    x = ag.Value(0.0)
    assert ag.gradient(parsed.evaluate({"x": x}), x) == 0.0
    assert [step.operation for step in parse("sqrt(x) if x > 0 else 0").steps] == [step.operation for step in parsed.steps]


# --- names


def test_names_are_in_order_of_appearance_and_constants_are_none_of_them():
    parsed = parse("c * sin(a) + c if b > pi else e")
    assert parsed.names == ("c", "a", "b")
    assert list(parsed.used) == ["c", "a", "b", "pi", "e"]


@pytest.mark.parametrize("name", [*CONSTANTS, "sin", "where", "f"])
def test_a_value_that_is_given_wins(name):
    assert parse(f"{name} + 1").evaluate({name: 2.0}) == 3.0
    assert parse(f"sin({name})").evaluate({name: 0.0}) == 0.0


def test_more_bindings_than_names_do_no_harm():
    assert parse("a").evaluate({"a": 1, "b": 2}) == 1.0


def test_names_are_normalised_as_python_does_it():
    assert parse("ﬁ + ª").names == ("fi", "a")


@pytest.mark.parametrize("x", ["1", None, 1j, [1.0]])
def test_bindings_are_real_numbers_or_values(x):
    with pytest.raises(TypeError, match="the variable a"):
        parse("a").evaluate({"a": x})


def test_integers_are_made_floats():
    assert type(parse("a").evaluate({"a": 2})) is float
    assert bits(parse("a ** 9 ** 9").evaluate({"a": 9})) == bits(math.inf)


# --- errors point at the place


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("a ^ b", "a power is written **", "^"),
        ("(a)^(b)", "a power is written **", "^"),
        ("a + (b @ c)", "no operator @", "@"),
        ("1 + x.y", "an attribute", "x.y"),
        ("αβγ + x.y", "an attribute", "x.y"),
        ("sinn(x)", "did you mean sin or sinh?", "sinn"),
        ("2 * arctann(x)", "did you mean arctan", "arctann"),
        ("Sin(x)", "did you mean sin?", "Sin"),
        ("ln(x)", "did you mean log?", "ln"),
        ("asin(x)", "did you mean arcsin?", "asin"),
        ("atan2(x, y)", "did you mean arctan2?", "atan2"),
        ("fabs(x)", "did you mean absolute?", "fabs"),
        ("k(x + 1)", "as in k * (...)", "k"),
        ("2x", "a product needs its", "2"),
        ("3(x + 1)", "a product needs its", "3"),
        ("b + sin(1, 2)", "cannot take 2 arguments", "sin(1, 2)"),
        ("sin()", "cannot take 0 arguments", "sin()"),
        ("log(x, base=2)", "by position", "base=2"),
        ("log(*x)", "by position", "*x"),
        ("1 + 'text'", "a string is no number", "'text'"),
        ("1 + True", "True is no number", "True"),
        ("1 + 2j", "imaginary", "2j"),
        ("x is y", "identity", "x is y"),
        ("1 + (x := 2)", "an assignment", "x := 2"),
        ("(a + b", "never closed", "("),
        ("a + b)", "unmatched", ")"),
        ("a # b", "cannot be part", "#"),
        ("9" * 5000, "too many digits", "9"),
    ],
)
def test_errors_of_syntax(text, message, place):
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert message in caught.value.message
    assert underlined(caught.value) == place


def test_a_surrogate_and_a_null_byte_are_pointed_at():
    for text in ("ab + \udc80", "ab + \0"):
        with pytest.raises(ExpressionError, match="cannot be part") as caught:
            parse(text)
        assert caught.value.start == 5


@pytest.mark.parametrize("text", ["", " ", "\n\t \x0c"])
def test_an_empty_expression(text):
    with pytest.raises(ExpressionError, match="is empty"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "point", "message", "place"),
    [
        ("a * beta", {"a": 1.0}, "no value for beta: give beta=NUMBER", "beta"),
        ("a * beta + c", {}, "no value for a, beta, c: give a=NUMBER", "a"),
        ("beta", {"bet": 1.0}, "did you mean bet?", "beta"),
        ("1 + PI", {}, "did you mean pi?", "PI"),
        ("sin * 2", {}, "sin is a function", "sin"),
        ("1 + (0 - a) ** 0.5", {"a": 4.0}, r"power\(-4.0, 0.5\) is complex", "(0 - a) ** 0.5"),
        ("1 + x ** 0.5", {"x": ag.Value(-4.0)}, r"power\(-4.0, 0.5\) is complex", "x ** 0.5"),
    ],
)
def test_errors_of_evaluation(text, point, message, place):
    with pytest.raises(ExpressionError, match=message) as caught:
        parse(text).evaluate(point)
    assert place in underlined(caught.value) or underlined(caught.value) in place


@pytest.mark.parametrize(("start", "end", "place"), [(1, 1, "b"), (1, None, "b"), (0, 2, "ab"), (2, 9, "c"), (-5, -5, "a")])
def test_there_is_a_caret_at_least(start, end, place):
    error = ExpressionError("wrong", "abc", start, end)
    assert underlined(error) == place
    assert error.start < error.end
    assert str(ExpressionError("wrong", "abc", 3)) == "wrong\n  abc\n     ^"


def test_wide_characters_take_two_columns():
    with pytest.raises(ExpressionError) as caught:
        parse("日本 ^ 2")
    assert str(caught.value).split("\n")[2] == " " * (2 + 5) + "^"


def test_long_texts_are_cut_around_the_place():
    for text in ("a + " * 200 + "b ^ c", "b ^ c" + " + a" * 200, "a + " * 200 + "b ^ c" + " + a" * 200):
        with pytest.raises(ExpressionError) as caught:
            parse(text)
        assert underlined(caught.value) == "^"
        shown = str(caught.value).split("\n")[1]
        assert len(shown) < 120
        assert shown.startswith("  ...") == (caught.value.start > 100)
        assert shown.endswith("...") == text.endswith(" + a")


def test_long_names_do_not_make_long_messages():
    with pytest.raises(ExpressionError) as caught:
        parse("a" * 50_000).evaluate({})
    assert len(str(caught.value)) < 600


# --- limits


CHAINS = {
    "sum": lambda n: "+".join(["a"] * n),
    "power": lambda n: "**".join(["a"] * n),
    "sign": lambda n: "-" * (n - 1) + "a",
    "not": lambda n: "not " * (n - 1) + "a",
    "if": lambda n: "a if a else " * (n - 1) + "a",
}


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_the_deepest_nesting(chain):
    assert len(parse(chain(DEEPEST_NESTING)).steps) >= DEEPEST_NESTING
    with pytest.raises(ExpressionError, match="nested deeper than 1000 levels"):
        parse(chain(DEEPEST_NESTING + 1))


@pytest.mark.parametrize(
    "link",
    ["(", "a(", "sin(", "[", "{", "a[", "-", "~", "not ", "a if a else ", "a if ", "lambda:", "lambda x=", "a+", "a**", "a<",
     "a and ", "a,", "()", "a.", "*", "(a:=", "f'{", "f(a=", "[a for a in ", "'", "0", "0x", "1e", "9**", "await ",
     "a\\", ";", "\n", "é", "日+"],
)  # fmt: skip
def test_endless_text_ends_in_an_error_or_a_number(link):
    for tail in ("", "a", "1 1", ")" * 50):
        read((link * LONGEST_TEXT)[: LONGEST_TEXT - len(tail)] + tail)


def test_many_terms_on_one_level():
    count = LONGEST_TEXT // 2 - 10
    assert parse(f"sum({','.join(['1'] * count)})").evaluate({}) == count
    assert parse("<".join(["1"] * count)).evaluate({}) == 0.0
    assert parse(" and ".join(["1"] * (LONGEST_TEXT // 6))).evaluate({}) == 1.0


def test_text_that_is_too_long():
    parse("1" + " " * LONGEST_TEXT)
    parse("1." + "0" * (LONGEST_TEXT - 2))
    with pytest.raises(ExpressionError, match="longer than 100000 characters"):
        parse("1." + "0" * (LONGEST_TEXT - 1))


def test_orders_and_decimals_out_of_range_end_at_once():
    for order in ("1e300", "inf", "nan", "-1", "0.5"):
        assert math.isnan(parse(f"normal_pdf(1, {order})").evaluate({}))
    assert parse("round(1.5, 1e300)").evaluate({}) == 1.5


def test_one_thread_reads_at_a_time(monkeypatch):
    """Up to Python 3.11 two that enter `ast` at once may raise SystemError: it has one depth counter for all threads."""
    inside, most = [], []
    parse_tree = ast.parse

    def slow_parse(*arguments, **options):
        inside.append(None)
        time.sleep(0.01)
        most.append(len(inside))
        inside.pop()
        return parse_tree(*arguments, **options)

    monkeypatch.setattr(ast, "parse", slow_parse)
    threads = [threading.Thread(target=parse, args=["a + 1"]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 4


def test_threads_read_at_once():
    results = []
    threads = [threading.Thread(target=lambda: results.append(parse("a" + "+a" * 500).evaluate({"a": 1.0}))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [501.0] * 8


def test_all_names_of_the_tests_are_free():
    assert not set(NAMES) & {*CONSTANTS, *SPELLINGS, *TABLE}


@pytest.mark.parametrize("text", ["a +", "2 *", "not", "a if b else", "3 <", "-"])
def test_a_missing_operand_is_pointed_at_where_it_is_missing(text):
    with pytest.raises(ExpressionError, match="an operand is missing") as raised:
        parse(text)
    assert raised.value.start == len(text)
