"""Derivations: their text is read back and worked out with SymPy; their LaTeX is what strict KaTeX accepts."""

import math
import random
import re
import unicodedata
from functools import reduce

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.primitives import TABLE
from autograd_lite.show.derivation import Derivation
from autograd_lite.show.latex import latex_name
from browser.node import need, run
from programs import EVERYTHING, programs
from values import SPECIAL, classic, in_small_thread

KNOWN_TO_SYMPY = (
    "add", "subtract", "multiply", "divide", "power", "negative", "positive", "square", "sqrt", "reciprocal", "exp", "exp2",
    "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh",
    "arcsinh", "sigmoid", "silu", "softplus", "log_sigmoid", "erf", "erfc", "hypot", "sum", "dot", "xlogy", "logaddexp",
    "normal_cdf", "gelu",
)  # fmt: skip
HOSTILE = (
    "</script><script>alert(1)</script>", "<!--", "$", "$$", "\\", "\\\\", "\\end{aligned}", "{", "}", "}{", "%", "&", "#",
    "_", "^", "~", "a_b^c", 'a"b', "a'b`", "a b", "a\nb", "\0", "\u202e", "😀", "é", "Ångström", "λ", "∂e/∂b", "x̄", "v1", "f",
    "alpha", "w[1]", "文", "\\text{x}", "\\newcommand", "a-b", "e = 1", "…", "|", "<b>", "&lt;", "ﬁ", "∞", "x" * 500, "ä" *
    100, "\U00010000", "\ud800", "",
)  # fmt: skip


def named_classic():
    a, b, c, d, e = classic()
    c.label, d.label, e.label = "c", "d", "e"
    return a, b, c, d, e


# --- the fixture


def test_reverse_is_the_default():
    e = named_classic()[-1]
    assert str(e.derivation()) == (
        "Forward: each value from its operands\n"
        "  a = 2\n"
        "  b = 1\n"
        "  c = a + b = 2 + 1 = 3\n"
        "  d = b + 1 = 1 + 1 = 2\n"
        "  e = c * d = 3 * 2 = 6\n"
        "\n"
        "Local partials, by the rules of the operations\n"
        "  ∂c/∂a = 1\n"
        "  ∂c/∂b = 1\n"
        "  ∂d/∂b = 1\n"
        "  ∂e/∂c = d = 2\n"
        "  ∂e/∂d = c = 3\n"
        "\n"
        "Reverse: adjoints x̄ = ∂e/∂x, each value after all its consumers\n"
        "  ē = 1\n"
        "  d̄ = ē·∂e/∂d = 1·3 = 3\n"
        "  c̄ = ē·∂e/∂c = 1·2 = 2\n"
        "  b̄ = c̄·∂c/∂b + d̄·∂d/∂b = 2·1 + 3·1 = 5\n"
        "  ā = c̄·∂c/∂a = 2·1 = 2\n"
        "\n"
        "Result\n"
        "  ∂e/∂a = 2\n"
        "  ∂e/∂b = 5"
    )


def test_paths():
    _a, b, _c, _d, e = named_classic()
    assert str(e.derivation(b, "paths")).partition("\n\n2 routes")[2] == (
        ": b → e, a product each\n"
        "  b → c → e = ∂e/∂c·∂c/∂b = 2·1 = 2\n"
        "  b → d → e = ∂e/∂d·∂d/∂b = 3·1 = 3\n"
        "\n"
        "Sum over routes\n"
        "  ∂e/∂b = 2 + 3 = 5"
    )


def test_forward():
    _a, b, _c, _d, e = named_classic()
    assert str(e.derivation(b, style="forward")).partition("\n\nForward mode: ")[2] == (
        "tangents v̇ = ∂v/∂b, each value after its operands\n"
        "  ḃ = 1\n"
        "  ċ = ∂c/∂b·ḃ = 1·1 = 1\n"
        "  ḋ = ∂d/∂b·ḃ = 1·1 = 1\n"
        "  ė = ∂e/∂c·ċ + ∂e/∂d·ḋ = 2·1 + 3·1 = 5"
    )


def test_latex():
    _a, b, _c, _d, e = named_classic()
    latex = e.derivation(b).latex
    assert r"e &= c \cdot d = 3 \cdot 2 = 6" in latex
    assert r"\frac{\partial e}{\partial c} &= d = 2" in latex
    bar = (
        r"\bar{c} \cdot \frac{\partial c}{\partial b} + \bar{d} \cdot \frac{\partial d}{\partial b} = 2 \cdot 1 + 3 \cdot 1 = 5"
    )
    assert rf"\bar{{b}} &= {bar}" in latex
    assert latex.count("$$") == 2 * 4
    route = r"b \to c \to e &= \frac{\partial e}{\partial c} \cdot \frac{\partial c}{\partial b} = 2 \cdot 1 = 2"
    assert route in e.derivation(b, "paths").latex
    assert r"\dot{c} &= \frac{\partial c}{\partial b} \cdot \dot{b} = 1 \cdot 1 = 1" in e.derivation(b, "forward").latex


def test_a_notebook_gets_latex_and_text_alone():
    derivation = named_classic()[-1].derivation()
    bundle = derivation._repr_mimebundle_()
    assert bundle == {"text/latex": derivation.latex, "text/plain": str(derivation)}
    assert set(derivation._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
    assert set(derivation._repr_mimebundle_(exclude=["text/plain"])) == {"text/latex"}
    assert not hasattr(derivation, "_repr_html_")
    assert repr(derivation) == "<Derivation of e, reverse: 5 values, 5 edges>"


def test_a_consumer_of_the_same_number_is_not_taken_for_the_result():
    x = ag.Value(2.0, "x")
    y = (n := x * 1.0) * 1.0
    n.label, y.label = "n", "y"
    assert y.derivation().chain_rule(x) == "∂y/∂x = ∂y/∂n·∂n/∂x = 1·1 = 1"
    assert y.derivation().chain_rule(n) == "∂y/∂n = 1 = 1"


def test_the_chain_rule_of_one_value():
    _a, b, c, _d, e = named_classic()
    derivation = e.derivation()
    assert derivation.chain_rule(b) == "∂e/∂b = ∂e/∂c·∂c/∂b + ∂e/∂d·∂d/∂b = 2·1 + 3·1 = 5"
    assert derivation.chain_rule(c) == "∂e/∂c = d = 2"
    assert derivation.chain_rule(e) == "∂e/∂e = 1"
    with pytest.raises(ValueError, match="not part of this derivation"):
        derivation.chain_rule(ag.Value(1.0))


# --- the text, worked out


def sympy_functions():
    erf = sympy.erf
    cdf = lambda x: (1 + erf(x / sympy.sqrt(2))) / 2
    sigmoid = lambda x: 1 / (1 + sympy.exp(-x))
    density = lambda x, order=0: sympy.diff(sympy.exp(-(T**2) / 2) / sympy.sqrt(2 * sympy.pi), T, int(order)).subs(T, x)
    return {
        "square": lambda x: x**2, "reciprocal": lambda x: 1 / x, "exp2": lambda x: 2**x, "expm1": lambda x: sympy.exp(x) - 1,
        "log2": lambda x: sympy.log(x) / sympy.log(2), "log10": lambda x: sympy.log(x) / sympy.log(10),
        "log1p": lambda x: sympy.log(1 + x), "arcsin": sympy.asin, "arccos": sympy.acos, "arctan": sympy.atan,
        "arcsinh": sympy.asinh, "sigmoid": sigmoid, "silu": lambda x: x * sigmoid(x),
        "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
        "log_sigmoid": lambda x: sympy.log(sigmoid(x)), "hypot": lambda x, y: sympy.sqrt(x * x + y * y),
        "sum": lambda *xs: sum(xs),
        "dot": lambda *xs: sum(x * y for x, y in zip(xs[: len(xs) // 2], xs[len(xs) // 2 :], strict=True)),
        "xlogy": lambda x, y: x * sympy.log(y), "logaddexp": lambda x, y: sympy.log(sympy.exp(x) + sympy.exp(y)),
        "normal_cdf": cdf, "gelu": lambda x: x * cdf(x), "normal_pdf": density,
        **{x: getattr(sympy, x) for x in ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "erf", "erfc")},
        "e": sympy.E, "pi": sympy.pi,
    }  # fmt: skip


T = sympy.Symbol("t")
FUNCTIONS = sympy_functions()


def parts_of(derivation):
    """The lines of each part, each split at its signs of equality, by the first word of its title."""
    parts = {}
    for part in unicodedata.normalize("NFD", str(derivation)).split("\n\n"):
        title, *lines = part.split("\n")
        parts[title.split()[0].rstrip(":")] = [line.strip().split(" = ") for line in lines]
    return parts


def read(text, known):
    """What a text says, in what is known: names, adjoints, tangents and partials, each by its own text."""
    tokens = r"∂\w+/∂\w+(?:#\d+)?|\w[\u0304\u0307]\d*"
    names = {}

    def symbol(found):
        names[f"known_{len(names)}"] = known[found[0]]
        return f"known_{len(names) - 1}"

    text = re.sub(tokens, symbol, text).replace("·", "*")
    return eval(text, {"__builtins__": {}, **FUNCTIONS, **known, **names})  # noqa: S307 - the text of our own derivation


def close(x, y):
    x, y = complex(sympy.N(x, 40)), complex(sympy.N(y, 40))
    return abs(x - y) <= 1e-9 * max(1.0, abs(x), abs(y))


@given(programs(KNOWN_TO_SYMPY, max_inputs=2, max_lines=4, largest=30.0))
@settings(max_examples=60)
def test_the_text_worked_out_by_sympy_is_the_derivative(program):
    """Each value, local partial, adjoint and tangent is worked out from its line alone and compared with SymPy's derivative."""
    leaves = [ag.Value(x) for x in program.inputs]
    y = program(leaves)
    symbols = [sympy.Symbol(f"s{i}") for i in range(len(leaves))]
    point = {s: sympy.Rational(x.data) for s, x in zip(symbols, leaves, strict=True)}
    order = set(ag.topological_order(y))
    derivation = y.derivation(limit=None)
    names = derivation._names
    expressions = {names[x]: s for x, s in zip(leaves, symbols, strict=True) if x in order}
    parts = parts_of(derivation)
    for name, *sides in parts["Forward"]:
        if len(sides) > 1:
            expressions[name] = read(sides[0], expressions)
    result = sympy.sympify(expressions[names[y]])
    known = dict(expressions)
    for name, *sides in [*parts["Local"], *parts["Reverse"]]:
        known[name] = read(sides[0], known) if len(sides) > 1 else sympy.Rational(sides[-1])
    reached = 0
    for x, s in zip(leaves, symbols, strict=True):
        mark = f"{names[x][0]}\u0304{names[x][1:]}" if x in order else ""
        if mark in known:
            reached += 1
            assert close(sympy.sympify(known[mark]).subs(point), sympy.diff(result, s).subs(point)), (names[x], str(derivation))
    assert reached == len([x for x in leaves if x in order])


@given(programs(EVERYTHING))
@settings(max_examples=60)
def test_all_styles_end_in_the_gradient(program):
    leaves = [ag.Value(x) for x in program.inputs]
    y = program(leaves)
    order = set(ag.topological_order(y))
    for x in leaves:
        expected = ag.gradient(y, x)
        for style in ("reverse", "paths", "forward"):
            last = str(y.derivation(x, style, limit=None)).rpartition(" = ")[2]
            if x in order:
                assert float(last) == pytest.approx(float(f"{expected:.6g}"), rel=1e-5, abs=1e-12)
            else:
                assert float(last) == 0.0


@given(programs(EVERYTHING, numbers=SPECIAL, valid=False), st.sampled_from(["reverse", "paths", "forward"]))
def test_no_number_makes_a_derivation_fail(program, style):
    leaves = [ag.Value(x) for x in program.inputs]
    derivation = program(leaves).derivation(None, style)
    assert str(derivation)
    assert derivation.latex.count("$$") % 2 == 0


def test_the_sum_over_routes_is_that_of_the_products():
    x = y = ag.Value(1.25, "x")
    for _ in range(6):
        y = y * y
    text = str(y.derivation(x, "paths", limit=None))
    products = [float(line.rpartition(" = ")[2]) for line in text.split("\n") if "→" in line and line.startswith("  ")]
    assert len(products) == 64
    assert math.fsum(products) == pytest.approx(ag.gradient(y, x), rel=1e-4)
    assert " → f, a product each" in text


def test_more_than_64_routes_are_counted_and_factored():
    x = y = ag.Value(1.0, "x")
    for _ in range(50):
        y = y + y
    text = str(y.derivation(x, "paths", limit=None))
    assert f"{2**50:,} routes: x → f, too many to list; factored" in text
    factored = text.partition("factored")[2].split("\n")[1:]
    assert len(factored) == 50  # one line a value
    assert factored[-1].endswith("= 1.1259e+15")
    assert factored[0] == "  ∂f/∂v49 = ∂f/∂v49#1 + ∂f/∂v49#2 = 1 + 1 = 2"


def test_the_same_value_in_several_places():
    x = ag.Value(3.0, "x")
    text = str((x * x).derivation())
    assert "∂f/∂x#1 = x = 3\n  ∂f/∂x#2 = x = 3" in text
    assert "x̄ = f̄·∂f/∂x#1 + f̄·∂f/∂x#2 = 1·3 + 1·3 = 6" in text
    assert r"\frac{\partial f}{\partial {x}^{(1)}}" in (x * x).derivation().latex


def test_what_was_not_selected_is_0():
    x = ag.Value(-1.0, "x")
    y = x.relu() * math.inf
    assert "x̄ = v̄1·∂v1/∂x = 0 = 0" not in str(y.derivation())
    assert "x̄ = v̄1·∂v1/∂x = 0" in str(y.derivation())
    assert "nan" not in str(y.derivation()).partition("Reverse")[2]


def test_negative_numbers_stand_in_parentheses():
    x = ag.Value(-2.0, "x")
    text = str((-x * x + ag.clip(x, -3.0, 5.0)).derivation())
    assert "v1 = -x = -(-2) = 2" in text
    assert "v2 = v1 * x = 2 * (-2) = -4" in text
    assert "v3 = clip(x, -3, 5) = clip(-2, -3, 5) = -2" in text
    assert "x̄ = v̄1·∂v1/∂x + v̄2·∂v2/∂x + v̄3·∂v3/∂x = (-2)·(-1) + 1·2 + 1·1 = 5" in text


# --- names


def test_names_do_not_collide():
    values = [ag.Value(float(i), label) for i, label in enumerate(("v1", "f", None, "w", "w", "w[1]", "a b", ""))]
    derivation = ag.sum(*values).derivation()
    names = list(derivation._names.values())
    assert names == ["v1", "f", "v_1", "w[2]", "w[3]", "w[1]", '"a b"', "v_2", "f_"]


@given(st.lists(st.text() | st.sampled_from(HOSTILE), min_size=1, max_size=6))
def test_every_value_has_a_name_of_its_own(labels):
    y = ag.sum(*[ag.Value(1.0, label) for label in labels])
    names = list(y.derivation()._names.values())
    assert len(set(names)) == len(names)
    assert all(name.isprintable() and len(name) < 60 for name in names)


def test_names_in_latex():
    written = {
        "b": "b", "v12": "v_{12}", "x_3": "x_{3}", "w[2]": "w_{[2]}", "alpha": r"\alpha", "alpha_1": r"\alpha_{1}",
        "Gamma": r"\Gamma", "loss": r"{\text{loss}}", "a_b": r"{\text{a}\_\text{b}}", "$": r"{\$}", "λ": r"{\lambda }",
        "<b>": r"{\lt \text{b}\gt }",
        "é": r"{\acute{\text{e}}}", "😀": r"{\text{[U+1F600]}}",
    }  # fmt: skip
    assert {name: latex_name(name) for name in written} == written


@given(st.text() | st.sampled_from(HOSTILE))
def test_no_markup_of_a_label_reaches_latex(label):
    latex = latex_name(label)
    assert "<" not in latex
    assert ">" not in latex
    assert latex.isascii() or not any(ord(c) > 0xFFFF for c in latex)


# --- strict KaTeX


def random_graph(draw):
    numbers = (draw.uniform(-3, 3), draw.uniform(-1e9, 1e9), 1e-7, math.inf, math.nan)
    values = [ag.Value(draw.choice(numbers), draw.choice(HOSTILE)) for _ in range(draw.randint(1, 3))]
    for _ in range(draw.randint(1, 8)):
        primitive = TABLE[draw.choice(EVERYTHING)]
        count = 2 * draw.randint(1, 5) if primitive.variadic else len(primitive.domain)
        args = [draw.choice(values) if draw.random() < 0.8 else draw.uniform(-3, 3) for _ in range(count)]
        try:
            y = primitive(*args)
        except ValueError:  # a power that would be complex
            continue
        if isinstance(y, ag.Value):
            y.label = draw.choice((None, draw.choice(HOSTILE), "".join(chr(draw.randrange(0x3000)) for _ in range(5))))
            values.append(y)
    return values[-1]


def test_strict_katex_accepts_500_random_graphs():
    need("katex")
    draw = random.Random(5)
    styles = ("reverse", "paths", "forward")
    texts = [random_graph(draw).derivation(None, draw.choice(styles), draw.choice((3, 40, None))).latex for _ in range(500)]
    outcome = run("katex.mjs", stdin=texts)
    assert outcome["refused"] == []
    assert outcome["displays"] > 1500


def test_strict_katex_accepts_every_operation_and_every_character():
    need("katex")
    texts = [f"$${latex_name(''.join(map(chr, range(start, start + 64))))}$$" for start in range(0, 0x11000, 64)]
    for primitive in TABLE.values():
        if primitive.public and any(primitive.partials):
            for count in (2, 12) if primitive.variadic else (len(primitive.domain),):
                args = [ag.Value(0.5 + i, f"x{i}") for i in range(count)]
                y = primitive(*(args if primitive.name not in ("arccos", "arcsin", "arctanh") else [ag.Value(0.25)]))
                texts += [y.derivation(style=style).latex for style in ("reverse", "forward", "paths")]
    outcome = run("katex.mjs", stdin=texts)
    assert outcome["refused"] == []


# --- large graphs


def test_long_parts_are_cut_and_say_so():
    x = y = ag.Value(0.5, "x")
    for _ in range(1000):
        y = y.sin()
    for style in ("reverse", "forward", "paths"):
        text = str(y.derivation(x, style, limit=5))
        assert "… 996 of 1,001 lines are not shown; limit=None shows all" in text
        assert len(text.split("\n")) < 40
    assert "limit=None" not in str(y.derivation(limit=None))
    assert str(y.derivation(limit=None)).count("\n") > 3000
    chain = next(line for line in str(y.derivation(x, "paths")).split("\n") if line.startswith("  x →"))
    assert "… (" in chain
    assert len(chain) < 250


def test_long_sums_are_cut_and_say_so():
    x = ag.Value(0.5, "x")
    y = reduce(lambda y, i: y + x * float(i), range(1, 100), x)
    line = next(line for line in str(y.derivation(limit=300)).split("\n") if line.startswith("  x̄"))
    assert "… (93 more)" in line
    assert line.endswith("= 4951")
    sums = ag.sum(*[ag.Value(float(i)) for i in range(50)])
    assert "f = sum(v1, v2, v3, v4, v5, v6, …, v50)" in str(sums.derivation())
    assert len(str(sums.derivation(limit=None)).split("\n")) == (1 + 51) + 1 + (1 + 50) + 1 + (1 + 51) + 1 + (1 + 50)


def test_many_values_to_differentiate_by():
    y = reduce(lambda y, i: y * ag.Value(1.0), range(100), ag.Value(1.0))
    assert "98 more values to differentiate by are not shown; limit=None" in str(y.derivation(style="forward", limit=3))
    assert "98 more values" in str(y.derivation(style="paths", limit=3))


@pytest.mark.parametrize("style", ["reverse", "forward", "paths"])
def test_a_deep_graph(style):
    x = y = ag.Value(0.5, "x")
    for _ in range(100_000):
        y = y.sin()

    def work():
        derivation = y.derivation(x, style)
        assert len(str(derivation)) + len(derivation.latex) < 50_000

    in_small_thread(work)


# --- what cannot be


def test_a_value_that_the_result_does_not_depend_on():
    a, _b, c, d, _e = named_classic()
    for style in ("reverse", "paths", "forward"):
        assert str(c.derivation(d, style)).endswith("∂c/∂d = 0")
    assert str(c.derivation([a, d])).endswith("∂c/∂a = 1\n  ∂c/∂d = 0")


def test_a_leaf_and_a_result_alone():
    x = ag.Value(2.0, "x")
    assert str(x.derivation()).endswith("x̄ = 1\n\nResult\n  ∂x/∂x = 1")
    e = named_classic()[-1]
    assert str(e.derivation(e)).endswith("∂e/∂e = 1")
    assert str(e.derivation(e, "forward")).endswith("ė = 1")


def test_errors():
    _a, b, _c, _d, e = named_classic()
    with pytest.raises(ValueError, match="reverse, paths or forward, not 'backward'"):
        e.derivation(style="backward")
    with pytest.raises(TypeError, match="wrt takes a Value or several, not float 1.0"):
        e.derivation(1.0)
    with pytest.raises(TypeError, match="wrt takes a Value or several, not str 'a'"):
        e.derivation([b, "a"])
    with pytest.raises(TypeError, match="derivation is of a Value, not of float 1.0"):
        ag.Value.derivation(1.0)
    for limit in (0, -1, 1.5):
        with pytest.raises(ValueError, match="limit is how many lines"):
            e.derivation(limit=limit)
    b.data = 3.0
    with pytest.raises(ag.StaleGraphError):
        e.derivation()


def test_a_rule_that_cannot_be_printed_is_a_number(forget):
    ag.define_primitive("halved", lambda x: x / 2, lambda r, x: 0.5 if isinstance(x, (float, ag.Value)) else None.missing)
    x = ag.Value(3.0, "x")
    assert "∂f/∂x = 0.5" in str(ag.halved(x).derivation())


def test_it_keeps_the_numbers_of_when_it_was_made():
    _a, _b, _c, _d, e = named_classic()
    derivation = e.derivation()
    before = str(derivation)
    e.backward()
    assert str(derivation) == before
    assert isinstance(derivation, Derivation)
