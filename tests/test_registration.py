"""define_primitive: right rules enter the table whole, wrong ones are refused with a counter-example and leave no trace."""

import math
import pickle

import pytest

import autograd_lite as ag
from autograd_lite import registration
from autograd_lite.engine import Value
from autograd_lite.primitive import Interval
from autograd_lite.primitives import TABLE
from autograd_lite.testing.differences import slope


@pytest.mark.usefixtures("forget")
def test_a_new_primitive_is_a_function_a_method_and_has_every_order():
    primitive = ag.define_primitive("cube", lambda x: x * x * x, [lambda r, x: 3.0 * x * x], doc="x * x * x")
    assert ag.cube is TABLE["cube"] is primitive
    assert ag.cube(2) == 8.0
    v = Value(2.0)
    assert v.cube().op is primitive
    f = ag.cube
    assert [ag.grad(f)(2.0), ag.grad(ag.grad(f))(2.0), ag.grad(ag.grad(ag.grad(f)))(2.0)] == [12.0, 12.0, 6.0]
    assert pickle.loads(pickle.dumps(v.cube())).op is primitive


@pytest.mark.usefixtures("forget")
def test_domains_kinks_selections_and_variadic_rules():
    ag.define_primitive(
        "root", lambda x: math.sqrt(x) if x >= 0 else math.nan, [lambda r, x: ag.divide(0.5, r)], domain=(0.0, math.inf)
    )
    ag.define_primitive(
        "hinge", lambda x: max(1.0 - x, 0.0), [lambda r, x: -ag.step(1.0 - x)], kink=lambda x: x == 1.0, selects=True
    )
    ag.define_primitive("mean", lambda *xs: math.fsum(xs) / len(xs), lambda r, *xs: [1.0 / len(xs)] * len(xs), variadic=True)
    ag.define_primitive(
        "scaled", lambda x, k: x * k, [lambda r, x, k: k, None], domain=[(-math.inf, math.inf), Interval(0.0, 9.0)]
    )
    assert ag.grad(lambda x: ag.root(ag.hinge(x)))(5.0) == 0.0
    assert ag.grad(ag.mean)([1.0, 2.0, 6.0]) == pytest.approx([1 / 3] * 3)
    assert ag.grad(ag.scaled, (0, 1))(2.0, 3.0) == (3.0, 0.0)


WRONG = {
    "a wrong sign": (math.sin, [lambda r, x: -ag.cos(x)], r"finite difference gives"),
    "a dropped factor": (lambda x: x**3, [lambda r, x: x * x], r"finite difference gives"),
    "one part in 10^7": (lambda x: x**3, [lambda r, x: 3.0 * x * x * (1.0 + 1e-7)], r"finite difference gives"),
    "swapped operands": (lambda x, y: x * x * y, [lambda r, x, y: x * x, lambda r, x, y: 2.0 * x * y], r"by argument [12]"),
    "a rule that leaves the graph in part": (
        lambda x: x**3, [lambda r, x: 3.0 * x * getattr(x, "data", x)], r"differentiated once"),
    "a rule for floats alone": (math.sin, [lambda r, x: math.cos(x)], r"TypeError on Values .* give first_order_only=True"),
    "a rule that branches to a constant": (
        lambda x: x * abs(x), [lambda r, x: 2.0 * x if x > 0 else -2.0 * getattr(x, "data", x)], "differentiated once more"),
    "wrong for negative numbers only": (lambda x: x * x, [lambda r, x: 2.0 * ag.absolute(x)], r"square_like\(-"),
    "another value on nodes": (lambda x: 2.0 * x, [lambda r, x: 2.0 if isinstance(x, float) else 3.0], r"3\.0 on Values"),
    "nan": (lambda x: 2.0 * x, [lambda r, x: math.nan], "finite difference gives"),
    "no result": (lambda x: None, [lambda r, x: 1.0], "is None, not a float"),
    "an exception in fn": (lambda x: 1.0 / (x - x), [lambda r, x: 1.0], "raised ZeroDivisionError"),
    "an exception in a rule": (lambda x: x, [lambda r, x: 1.0 / 0.0], "a partial raised ZeroDivisionError.*ag.divide"),
    "too few partials": (lambda x, y: x * y, [lambda r, x, y: y], "1 partial"),
    "nowhere finite": (lambda x: math.nan, [lambda r, x: 1.0], "no point of its domain"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_rule_is_refused_and_leaves_no_trace(what):
    fn, partials, message = WRONG[what]
    before = set(TABLE)
    with pytest.raises(ag.WrongRuleError, match=message):
        ag.define_primitive("square_like", fn, partials)
    assert set(TABLE) == before
    assert not hasattr(Value, "square_like")
    assert not hasattr(ag, "square_like")


@pytest.mark.parametrize("name", ["sin", "backward", "data", "grad", "gradient", "_hidden", "two words", "lambda", "", 3, "nn"])
def test_unusable_names(name):
    with pytest.raises(ValueError, match="name"):
        ag.define_primitive(name, lambda x: x, [lambda r, x: 1.0])


def test_arguments_of_the_wrong_kind():
    with pytest.raises(TypeError, match="fn is a function"):
        ag.define_primitive("f", 3.0, [lambda r, x: 1.0])
    with pytest.raises(TypeError, match="partials are callables or None"):
        ag.define_primitive("f", lambda x: x, [1.0])
    with pytest.raises(ValueError, match="a domain is one interval"):
        ag.define_primitive("f", lambda x: x, [lambda r, x: 1.0], domain=(2.0, 1.0))


# A whole number says which function is meant (an order, a number of decimals): by it there is nothing to differentiate.
CHECKED = [name for name, p in TABLE.items() if name != "dot" and not any(interval.integers for interval in p.domain)]


@pytest.mark.parametrize("name", CHECKED)
def test_the_check_accepts_every_rule_of_the_table(name):
    registration._check(TABLE[name])


@pytest.mark.parametrize("factor", [-1.0, 1.0 + 1e-6, 2.0])
def test_the_check_refuses_the_table_with_a_factor(factor):
    """Every smooth unary rule of the table, multiplied by a factor, is refused."""
    for name, primitive in list(TABLE.items()):
        rule = primitive.partials[0]
        if len(primitive.domain) != 1 or primitive.variadic or rule is None or any(primitive.selects):
            continue
        wrong = lambda r, x, rule=rule: rule(r, x) * factor
        with pytest.raises(ag.WrongRuleError):
            ag.define_primitive("wrong_" + name, primitive.fn, [wrong], domain=primitive.domain, kink=primitive.kink)


def test_slope_bounds_its_error():
    for f, derivative, x in (
        (math.exp, math.exp, 1.0),
        (math.sin, math.cos, 1e3),
        (math.log, lambda x: 1 / x, 1e-8),
        (abs, lambda x: 1.0, 0.5),
    ):
        estimate = slope(f, x)
        assert abs(estimate.derivative - derivative(x)) <= 10 * estimate.error + 1e-15
        assert estimate.error < 1e-6 * (1.0 + abs(estimate.derivative))
