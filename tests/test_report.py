"""The report: its numbers are the engine's, its lines the sweep's edges, and what is not finite is traced to its origin."""

import itertools
import json
import math
import re

import pytest
from hypothesis import given

import autograd_lite as ag
from autograd_lite import report as module
from autograd_lite.__main__ import main
from autograd_lite.expression import ExpressionError, parse
from autograd_lite.report import MOST_COLUMNS, MOST_LINES, as_json, as_text, differentiate, show
from formulas import bits, formulas, points

CLASSIC = """\
f = (a + b) * (b + 1)    at a = 2, b = 1

value
  f = 6

gradient
  df/da = 2
  df/db = 5

hessian
     a  b
  a  0  1
  b  1  2

forward, operation by operation
  v1 = a + b   = 2 + 1 = 3
  v2 = b + 1   = 1 + 1 = 2
  f  = v1 * v2 = 3 * 2 = 6

chain rule, edge by edge (5 edges, each passed once)
  df/dv1  = df/df * d(v1 * v2)/dv1 = 1 * 2 = 2
  df/dv2  = df/df * d(v1 * v2)/dv2 = 1 * 3 = 3
  df/db   = df/dv2 * d(b + 1)/db   = 3 * 1 = 3
  df/da   = df/dv1 * d(a + b)/da   = 2 * 1 = 2
  df/db  += df/dv1 * d(a + b)/db   = 2 * 1 = 2   so far 5
"""

LINE = re.compile(
    r"  df/d(\w+) *(\+?=) df/d(\w+) \* d\(.*\)/d\1(?:#\d+)? *= (\S+) \* (\S+) *= (\S+)"
    r"(?: +so far (\S+))?(?: +\(not selected\))?"
)


def report(text, hessian=False, **point):
    return differentiate(parse(text), point, hessian)


def part(text, title):
    """The lines of a part, without its title."""
    return next(block.splitlines()[1:] for block in text.split("\n\n") if block.startswith(title))


def refuse_constant(name):
    raise AssertionError(f"{name} is no JSON")


def load(text):
    return json.loads(text, parse_constant=refuse_constant)


def reference(text, point, with_hessian=True):
    """Value, gradient and Hessian by the transforms, or None where one of them is not finite or complex."""
    parsed = parse(text)
    names = [name for name in parsed.used if name in point]

    def function(xs):
        return parsed.evaluate(dict(zip(names, xs, strict=True)))

    numbers = [point[name] for name in names]
    try:
        value, gradient = ag.value_and_grad(function)(numbers)
        hessian = ag.hessian(function)(numbers) if with_hessian else []
    except ExpressionError:
        return None
    if not all([math.isfinite(x) for x in [value, *gradient, *itertools.chain(*hessian)]]):
        return None
    return names, value, gradient, hessian


def printed_number(text):
    return float(text.strip("()"))


# --- the numbers


def test_the_classic_expression():
    assert as_text(report("(a + b) * (b + 1)", hessian=True, a=2.0, b=1.0)) == CLASSIC


@given(formulas, points)
def test_derivatives_are_those_of_the_transforms_bit_for_bit(formula, point):
    expected = reference(formula[0], point)
    if expected is None:
        with pytest.raises(ExpressionError):
            report(formula[0], hessian=True, **point)
        return
    names, value, gradient, hessian = expected
    result = report(formula[0], hessian=True, **point)
    assert list(result.leaves) == names
    assert bits(result.y.data if isinstance(result.y, ag.Value) else result.y) == bits(value)
    assert [bits(x) for x in result.gradient] == [bits(x) for x in gradient]
    assert [[bits(x) for x in row] for row in result.hessian] == [[bits(x) for x in row] for row in hessian]


@given(formulas, points)
def test_every_edge_is_a_line_and_the_sums_are_the_gradient(formula, point):
    expected = reference(formula[0], point, with_hessian=False)
    if expected is None:
        return
    names, value, gradient, _ = expected
    result = report(formula[0], **point)
    text = as_text(result, everything=True)
    assert part(text, "value") == [f"  f = {show(value)}"]
    lines = part(text, "chain rule") if result.edges else []
    slots = {(node, slot) for node in result.operations for slot, x in enumerate(node.args) if isinstance(x, ag.Value)}
    passed = [(edge.node, edge.slot) for edge in result.edges]
    assert len(lines) == len(passed) == len(set(passed))
    assert set(passed) <= slots
    sums = {"f": 1.0}
    for line in lines:
        match = LINE.fullmatch(line)
        operand, sign, node, adjoint, partial, contribution, total = match.groups()
        assert bits(printed_number(adjoint) + 0.0) == bits(sums[node] + 0.0)  # an edge that is not there is shown to bring 0
        product = printed_number(adjoint) * printed_number(partial)
        assert bits(printed_number(contribution)) in (bits(product), bits(printed_number(adjoint)), bits(0.0))
        assert (sign == "+=") == (operand in sums) == (total is not None)
        added = printed_number(contribution)
        sums[operand] = sums[operand] + added if operand in sums else added
        assert total is None or bits(printed_number(total) + 0.0) == bits(sums[operand] + 0.0)
    if result.edges or isinstance(result.y, float):
        assert [bits(sums.get(name, 0.0) + 0.0) for name in names] == [bits(x + 0.0) for x in gradient]
        gradient_lines = part(text, "gradient") if names else []
        assert [bits(printed_number(line.split("= ")[1])) for line in gradient_lines] == [bits(x) for x in gradient]


@given(formulas, points)
def test_json_is_valid_and_holds_the_same_numbers(formula, point):
    expected = reference(formula[0], point)
    if expected is None:
        return
    names, value, gradient, hessian = expected
    content = load(as_json(report(formula[0], hessian=True, **point)))
    assert content["names"] == names
    assert content["point"] == {name: point[name] for name in names}
    assert bits(content["value"]) == bits(value)
    assert [bits(content["gradient"][name]) for name in names] == [bits(x) for x in gradient]
    assert content["hessian"] == hessian
    known = {*names, *[node["name"] for node in content["nodes"]]}
    assert len(known) == len(names) + len(content["nodes"])
    assert all({edge["node"], edge["operand"]} <= known for edge in content["edges"])


def test_json_of_the_classic_expression():
    content = load(as_json(report("(a + b) * (b + 1)", a=2.0, b=1.0)))
    assert list(content) == ["expression", "names", "point", "value", "gradient", "nodes", "edges"]
    assert content["value"] == 6.0
    assert content["gradient"] == {"a": 2.0, "b": 5.0}
    assert content["nodes"][1] == {"name": "v2", "operation": "add", "arguments": ["b", 1.0], "value": 2.0}
    assert content["edges"][0] == {
        "node": "f", "slot": 0, "operand": "v1", "adjoint": 1.0, "partial": 2.0, "contribution": 2.0,
    }  # fmt: skip
    assert len(content["edges"]) == 5


def test_infinities_inside_a_finite_result_are_strings_in_json():
    content = load(as_json(report("where(x > 0, log(x), 0) + exp(-y)", x=-1.0, y=math.inf)))
    assert content["point"]["y"] == "inf"
    assert "nan" in [node["value"] for node in content["nodes"]]
    assert "-inf" in [node["value"] for node in content["nodes"]]


# --- the words


def test_constants_stand_as_they_are_written():
    text = as_text(report("where(x > 0, x / (1+2), -1) * pi ** 2 - min(0.1e1, 2)", x=2.0))
    assert part(text, "forward") == [
        "  v1 = x / (1+2)            = 2 / 3                                  = 0.6666666666666666",
        "  v2 = where(x > 0, v1, -1) = where(1, 0.6666666666666666, -1)       = 0.6666666666666666",
        "  v3 = v2 * (pi ** 2)       = 0.6666666666666666 * 9.869604401089358 = 6.579736267392905",
        "  f  = v3 - min(0.1e1, 2)   = 6.579736267392905 - 1                  = 5.579736267392905",
    ]


def test_signs_are_in_parentheses():
    assert part(as_text(report("(-x) ** 3 * -x - -1", x=2.0)), "forward") == [
        "  v1 = -x        = -2        = -2",
        "  v2 = v1 ** 3   = (-2) ** 3 = -8",
        "  v3 = -x        = -2        = -2",
        "  v4 = v2 * v3   = -8 * (-2) = 16",
        "  f  = v4 - (-1) = 16 - (-1) = 17",
    ]


def test_operations_that_only_decide_are_left_out():
    assert part(as_text(report("where(x ** 2 > 1, -x, 0)", x=2.0)), "forward") == [
        "  v1 = -x                       = -2              = -2",
        "  f  = where(x ** 2 > 1, v1, 0) = where(1, -2, 0) = -2",
    ]


def test_equal_operands_are_told_apart():
    lines = part(as_text(report("x * x", x=3.0)), "chain rule")
    assert "d(x * x)/dx#1" in lines[0]
    assert "d(x * x)/dx#2" in lines[1]


def test_names_do_not_clash():
    text = as_text(report("f * v1 + v_2", f=1.0, v1=2.0, v_2=3.0))
    assert text.startswith("f_ = f * v1 + v_2 ")
    assert part(text, "forward")[0].startswith("  v__1 = f * v1 ")
    assert "df_/dv1" in text
    content = load(as_json(report("v1 * v1 + f", f=1.0, v1=2.0)))
    assert len({*content["names"], *[node["name"] for node in content["nodes"]]}) == 4


def test_what_was_not_selected_says_so():
    lines = part(as_text(report("where(x > 0, log(x), 0)", x=-1.0)), "chain rule")
    assert "0 * nan" in lines[1]
    assert lines[1].endswith("(not selected)")
    assert not lines[0].endswith("(not selected)")


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("2 ** 10", ["f =", "value"]),
        ("x", ["f =", "value", "gradient"]),
        ("x < 1", ["f =", "value", "gradient"]),
        ("stop_gradient(x)", ["f =", "value", "gradient", "forward", "chain rule"]),
    ],
)
def test_small_expressions(text, titles):
    blocks = as_text(report(text, x=2.0)).rstrip("\n").split("\n\n")
    assert len(blocks) <= len(titles)
    assert all([block.startswith(title) for block, title in zip(blocks, titles, strict=False)])


@pytest.mark.parametrize(
    ("x", "shown"), [(6.0, "6"), (-0.0, "-0"), (0.1, "0.1"), (1e22, "1e+22"), (1e16, "1e+16"), (5e-324, "5e-324")]
)
def test_numbers_are_the_shortest_that_read_back(x, shown):
    assert show(x) == shown
    assert bits(float(shown)) == bits(x)


def test_large_reports_are_cut_and_all_is_there_on_demand():
    point = {f"x{i}": float(i) for i in range(60)}
    result = report(" + ".join([f"{name} ** 2" for name in point]), hessian=True, **point)
    cut, full = as_text(result), as_text(result, everything=True)
    assert "more lines; --all prints them" in cut
    assert f"... {MOST_COLUMNS} of 60 rows and columns; --all" in cut
    assert "--all" not in full
    for title, count in {"gradient": 60, "hessian": 61, "forward": 119, "chain rule": 178}.items():
        assert len(part(full, title)) == count
        if title != "hessian":
            assert len(part(cut, title)) == MOST_LINES + 1
            kept = [line.split() for line in part(cut, title) if not line.startswith("  ...")]
            assert [line.split() for line in part(full, title)][: len(kept) * 3 // 4] == kept[: len(kept) * 3 // 4]
            assert [line.split() for line in part(full, title)][-1] == kept[-1]


@pytest.mark.parametrize(
    ("text", "names", "options"),
    [
        (f"sum({','.join(['x'] * 45_000)})", ["x"], []),
        (f"sum({','.join(['x'] * 45_000)})", ["x"], ["--json"]),
        (f"max({','.join(['x'] * 45_000)})", ["x"], ["--hessian"]),
        (f"dot({','.join(['x'] * 20_000)})", ["x"], ["--all"]),
        (f"sum({','.join(['sin(x)'] * 14_000)})", ["x"], ["--hessian"]),
        ("*".join([f"a{i}" for i in range(300)]), [f"a{i}" for i in range(300)], ["--hessian"]),
        ("*".join(["a"] * 900), ["a"], ["--hessian"]),
    ],
    ids=range(7),
)
def test_wide_and_long_expressions_are_reported(capsys, text, names, options):
    assert main([text, *[f"{name}=1.001" for name in names], *options]) == 0
    assert len(capsys.readouterr().out) > 2000


def test_what_a_cut_report_computes_does_not_grow_with_what_it_leaves_out(monkeypatch):
    """Of 899 operations and 900 edges only those that are shown are written out."""
    calls = []
    original = module.written
    monkeypatch.setattr(module, "written", lambda op, operands: calls.append(op) or original(op, operands))
    result = report("+".join(["x"] * 900), x=1.0)
    as_text(result)
    assert len(calls) <= 3 * (MOST_LINES + 1)


def test_the_columns_of_a_hessian_end_below_one_another():
    text = as_text(report("x ** 2 * beta - beta / 8", hessian=True, x=50.0, beta=-1.0))
    assert part(text, "hessian") == [
        "          x  beta",
        "     x   -2   100",
        "  beta  100     0",
    ]


def test_long_operations_are_shortened():
    text = as_text(report(f"sum({', '.join(['x'] * 500)}) * {'y' * 300}", x=1.0, **{"y" * 300: 2.0}))
    assert "sum(x, x, x, ..., x)" in text
    assert "500" in part(text, "forward")[0]


# --- what is not finite


@pytest.mark.parametrize(
    ("text", "point", "message", "place"),
    [
        ("1/0", {}, "1 / 0 is inf", "1/0"),
        ("2 * log(x)", {"x": -1.0}, "the result is nan: log(-1) is nan", "log(x)"),
        ("9**9**9**9", {}, "the result is inf: 9 ** 387420489 is inf", "9**9**9"),
        ("exp(x) - exp(x)", {"x": 1e3}, "the result is nan: exp(1000) is inf", "exp(x)"),
        ("1 / x + log(y)", {"x": 0.0, "y": -1.0}, "the result is nan: log(-1) is nan", "log(y)"),
        ("x + 1", {"x": math.inf}, "the result is inf: x is inf", "x"),
        ("x", {"x": math.nan}, "x is nan", "x"),
        ("1e999", {}, "1e999 is inf", "1e999"),
        ("where(x > 0, log(x), 1/x) + sqrt(x)", {"x": 0.0}, "the result is inf: 1 / 0 is inf", "1/x"),
        ("sqrt(x)", {"x": 0.0}, "the derivative by x is inf: the derivative of sqrt(0) is inf", "sqrt(x)"),
        ("1 + 2 * arctan2(x, y)", {"x": 0.0, "y": 0.0}, "derivative of arctan2(0, 0) by argument 1 is nan", "arctan2(x, y)"),
        ("sin(cos(x) + sqrt(x * 2))", {"x": 0.0}, "the derivative of sqrt(0) is inf", "sqrt(x * 2)"),
        ("(-2) ** y", {"y": 3.0}, "the derivative of (-2) ** 3 by argument 2 is nan", "-2) ** y"),
        ("1e200 * (1e200 * x)", {"x": 1e-200}, "which times 1e+200 overflows", "1e200 * x"),
        ("1 / (1 / x + 1 / y)", {"x": 0.0, "y": 2.0}, "1 / 0 by argument 2 is -inf, and -0 times that is nan", "1 / x"),
        ("sqrt(x) ** 2", {"x": 0.0}, "the derivative of sqrt(0) is inf, and 0 times that is nan", "sqrt(x)"),
    ],
)  # fmt: skip
def test_a_value_or_derivative_that_is_not_finite_is_traced_to_its_origin(text, point, message, place):
    with pytest.raises(ExpressionError) as caught:
        report(text, **point)
    assert message in caught.value.message
    assert text[caught.value.start : caught.value.end].endswith(place)


def test_a_sum_of_contributions_that_overflows():
    with pytest.raises(ExpressionError, match="the derivative by x is inf: a sum of contributions overflows"):
        report("1.5e308 * x + 1.5e308 * (x * 1)", x=1e-10)


@pytest.mark.parametrize(
    ("text", "point", "message"),
    [
        ("x ** 1.5", {"x": 0.0}, "the second derivative by x and x is inf: the derivative of"),
        ("x ** 1.5 * y", {"y": 1.0, "x": 0.0}, "the second derivative by x and x is inf"),
        ("y * y * x ** 1.5 + cbrt(x + 1)", {"y": 1.0, "x": -1.0}, "is "),
    ],
)
def test_a_second_derivative_that_is_not_finite(text, point, message):
    with pytest.raises(ExpressionError) as caught:
        report(text, hessian=True, **point)
    assert message in caught.value.message
