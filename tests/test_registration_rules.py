"""Users' rules that name one another, that are known to first order only, that give no numbers, and that are defined anew."""

import copy
import math
import pickle
import random

import mpmath
import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.engine import Value
from autograd_lite.primitive import Interval
from autograd_lite.primitives import TABLE

pytestmark = pytest.mark.usefixtures("forget")
ORDER = Interval(-9.0, 9.0, integers=True)


def derivative(f, order=1):
    for _ in range(order):
        f = ag.grad(f)
    return f


# --- rules that name their primitive, or one that is defined later


def define_powers(**options):
    rule = lambda r, x, n: n * ag.nth_power(x, n - 1.0)
    return ag.define_primitive("nth_power", lambda x, n: x**n, [rule, None], domain=[(0.5, 9.0), ORDER], **options)


@pytest.mark.parametrize("exact", [True, False])
def test_a_rule_may_name_its_own_primitive(exact):
    define_powers()
    f = lambda x: ag.nth_power(x, 5.0)
    assert [derivative(f, order)(2.0) for order in range(7)] == [32.0, 80.0, 160.0, 240.0, 240.0, 120.0, 0.0]
    assert ag.jvp(ag.grad(f), 2.0, 1.0) == ag.hvp(f, 2.0, 1.0) == ag.hessian(f)(2.0) == 160.0
    kernel = ag.compile(ag.hessian(f), exact=exact)
    assert kernel(2.0) == 160.0
    assert kernel(np.array([1.0, 2.0])).tolist() == [20.0, 160.0]


def test_a_rule_may_name_its_primitive_by_the_variable_it_is_bound_to():
    power = ag.define_primitive(
        "power_by_variable", lambda x, n: x**n, [lambda r, x, n: n * power(x, n - 1.0), None], domain=[(0.5, 9.0), ORDER]
    )
    assert [derivative(lambda x: power(x, 3.0), order)(2.0) for order in range(5)] == [8.0, 12.0, 12.0, 6.0, 0.0]


@pytest.mark.parametrize("inside", [ag.no_grad, ag.anomaly, lambda: ag.scope("part")])
def test_rules_are_checked_in_spite_of_modes(inside):
    with inside():
        define_powers()
        cube = ag.define_primitive("cube_inside", lambda x: x**3, [lambda r, x: 3.0 * ag.nth_power(x, 2.0)])
        with pytest.raises(ag.WrongRuleError):
            ag.define_primitive("wrong_inside", math.sin, [lambda r, x: -ag.cos(x)])
        linear = ag.define_primitive("wrong_only_later", lambda x: x * 2.0, [lambda r, x: factor * x / x])
        factor = 2.0
        assert ag.grad(linear)(3.0) == 2.0
    assert not cube.first_order_only
    assert ag.hessian(cube)(2.0) == 12.0


@pytest.mark.parametrize("exact", [True, False])
def test_a_check_is_completed_while_a_function_is_compiled(exact):
    rules = [lambda r, x, n: n * power(x, n - 1.0), None]
    power = ag.define_primitive("power_while_compiled", lambda x, n: x**n, rules, domain=[(0.5, 9.0), ORDER])
    assert ag.compile(ag.hessian(lambda x: power(x, 3.0)), exact=exact)(2.0) == 12.0
    wrong_rules = [lambda r, x, n: n * wrong(x, n - 2.0), None]
    wrong = ag.define_primitive("wrong_while_compiled", lambda x, n: x**n, wrong_rules, domain=[(0.5, 9.0), ORDER])
    with pytest.raises(ag.WrongRuleError, match="wrong_while_compiled.*finite difference"):
        ag.compile(ag.grad(lambda x: wrong(x, 3.0)), exact=exact)(2.0)


def test_bessel_functions_by_order():
    bessel = lambda x, n: float(mpmath.besselj(n, x))
    rule = lambda r, x, n: 0.5 * (ag.bessel_j(x, n - 1.0) - ag.bessel_j(x, n + 1.0))
    ag.define_primitive("bessel_j", bessel, [rule, None], domain=[(0.5, 9.0), ORDER])
    for order in range(4):
        exact = mpmath.diff(lambda x: mpmath.besselj(0, x), 2.0, order)
        assert derivative(lambda x: ag.bessel_j(x, 0.0), order)(2.0) == pytest.approx(float(exact), abs=2e-15)


def test_polygamma_of_whole_orders_and_lgamma():
    """The order is taken as a whole number: between two of them there is nothing to differentiate, or to check."""
    polygamma = lambda x, n: float(mpmath.polygamma(int(n), x))
    ag.define_primitive(
        "psi", polygamma, [lambda r, x, n: ag.psi(x, n + 1.0), None], domain=[(0.5, 20.0), Interval(-1, 4, True)]
    )
    ag.define_primitive("lgamma", math.lgamma, [lambda r, x: ag.psi(x, 0.0)], domain=(0.5, 20.0))
    for order in range(1, 4):
        exact = mpmath.polygamma(order - 1, 2.0)
        assert derivative(ag.lgamma, order)(2.0) == pytest.approx(float(exact), rel=1e-15)


CIRCLE = {  # each is the derivative of the one before; the last leads to the first
    "one": (math.sin, "two"),
    "two": (math.cos, "three"),
    "three": (lambda x: -math.sin(x), "four"),
    "four": (lambda x: -math.cos(x), "one"),
}


def define_of_circle(name, sign=1.0, **options):
    fn, partner = CIRCLE[name]
    return ag.define_primitive(name, fn, [lambda r, x: sign * getattr(ag, partner)(x)], **options)


def test_rules_that_name_one_another_are_checked_when_all_are_defined():
    first = define_of_circle("one")
    assert ag.one(0.5) == Value(0.5).one().data == math.sin(0.5)
    for ask in (
        lambda: ag.grad(ag.one)(0.5),
        lambda: ag.hessian(ag.one)(0.5),
        lambda: ag.jvp(ag.one, 0.5, 1.0),
        lambda: Value(0.5).one().backward(),
        lambda: ag.compile(ag.grad(ag.one))(0.5),
        lambda: ag.gradient(x := Value(0.5), x) and ag.gradient(ag.one(x), x, create_graph=True),
    ):
        with pytest.raises(ag.WrongRuleError, match=r"one: the partial by argument 1 needs autograd_lite\.two, which is not"):
            ask()
    assert ag.compile(ag.one, exact=True)(0.5) == math.sin(0.5)
    define_of_circle("two")
    assert ag.grad(ag.one)(0.5) == math.cos(0.5)  # does not need what "two" waits for
    with pytest.raises(ag.WrongRuleError, match=r"two: the partial by argument 1 needs autograd_lite\.three"):
        ag.grad(ag.grad(ag.one))(0.5)
    define_of_circle("three")
    define_of_circle("four")
    assert TABLE["one"] is first
    assert repr(first) == "<primitive one(x): one>"
    expected = [math.sin(0.5), math.cos(0.5), -math.sin(0.5), -math.cos(0.5)]
    assert [derivative(ag.one, order)(0.5) for order in range(6)] == expected + expected[:2]
    assert ag.compile(ag.hessian(ag.two), exact=True)(0.5) == -math.cos(0.5)
    assert not any(p.first_order_only for name, p in TABLE.items() if name in CIRCLE)


def test_a_rule_that_waited_and_is_wrong_is_found_when_its_partner_is_defined():
    define_of_circle("one", sign=-1.0)
    with pytest.raises(ag.WrongRuleError, match=r"one\(.*finite difference gives .*waited for two, which is not defined now"):
        define_of_circle("two")
    assert "two" not in TABLE
    assert not hasattr(ag, "two")
    with pytest.raises(ag.WrongRuleError, match=r"needs autograd_lite\.two"):
        ag.grad(ag.one)(0.5)
    define_of_circle("one", replace=True)
    define_of_circle("two")
    assert ag.grad(ag.one)(0.5) == math.cos(0.5)


def test_a_wrong_second_derivative_is_found_when_the_circle_closes():
    for name in ("one", "two", "three"):
        define_of_circle(name)
    wrong = lambda r, x: ag.one(x) * (1.0 + 1e-5)
    with pytest.raises(ag.WrongRuleError, match=r"four\("):
        ag.define_primitive("four", CIRCLE["four"][0], [wrong])
    define_of_circle("four")
    assert derivative(ag.one, 5)(0.5) == math.cos(0.5)


def test_an_unknown_name_that_is_the_rules_own_mistake():
    with pytest.raises(ag.WrongRuleError, match="a partial raised KeyError"):
        ag.define_primitive("mistaken", math.sin, [lambda r, x: {}["x"]])
    with pytest.raises(ag.WrongRuleError, match="a partial raised AttributeError"):
        ag.define_primitive("mistaken", math.sin, [lambda r, x: math.kos(x)])
    primitive = ag.define_primitive("mistaken", math.sin, [lambda r, x: cosine(x)])  # noqa: F821
    assert repr(primitive) == "<primitive mistaken(x): mistaken; waits for cosine>"
    with pytest.raises(ag.WrongRuleError, match="mistaken: the partial by argument 1 needs cosine, which is not defined"):
        ag.grad(ag.mistaken)(0.5)


# --- known to first order only


def number(x):
    return x.data if isinstance(x, Value) else x


FIRST_ORDER = {
    "found": (lambda: ag.define_primitive("outside", lambda x: x**3, [lambda r, x: 3.0 * number(x) ** 2])),
    "found in a node of its own": (
        lambda: ag.define_primitive(
            "outside", lambda x: x**3, [lambda r, x: Value(3.0 * x.data**2) if isinstance(x, Value) else 3.0 * x**2]
        )
    ),
    "said": (lambda: ag.define_primitive("outside", lambda x: x**3, [lambda r, x: 3.0 * x**2], first_order_only=True)),
    "for floats alone": (
        lambda: ag.define_primitive("outside", lambda x: x**3, [lambda r, x: math.fsum([x * x] * 3)], first_order_only=True)
    ),
    "variadic": (
        lambda: ag.define_primitive(
            "outside",
            lambda *xs: math.fsum([x**3 for x in xs]),
            lambda r, *xs: [3.0 * number(x) ** 2 for x in xs],
            variadic=True,
        )
    ),
}


@pytest.mark.parametrize("how", FIRST_ORDER)
def test_first_derivatives_are_right_and_second_ones_an_error(how):
    primitive = FIRST_ORDER[how]()
    assert primitive.first_order_only
    assert repr(primitive).endswith("; first order only>")
    f = lambda x: ag.outside(x * 2.0) * x  # 8 x^4
    assert ag.grad(f)(2.0) == ag.jacobian(f)(2.0) == ag.vjp(f, 2.0, 1.0) == ag.jvp(f, 2.0, 1.0) == 256.0
    assert ag.jacobian(lambda x: [f(x), x])(2.0) == [256.0, 1.0]
    x = Value(2.0)
    f(x).backward()
    assert x.grad == 256.0
    node = ag.gradient(f(x), x, create_graph=True)
    assert node.data == 256.0
    for ask in (
        lambda: ag.grad(ag.grad(f))(2.0),
        lambda: ag.hessian(f)(2.0),
        lambda: ag.hvp(f, 2.0, 1.0),
        lambda: ag.jvp(ag.grad(f), 2.0, 1.0),
        lambda: ag.grad(lambda x: ag.jvp(f, x, 1.0))(2.0),
        lambda: ag.gradient(node, x),
        lambda: ag.gradient(node, x, create_graph=True),
        node.backward,
        lambda: ag.compile(ag.hessian(f))(2.0),
        lambda: ag.compile(lambda x: ag.jvp(ag.grad(f), x, 1.0))(2.0),
    ):
        with pytest.raises(ag.FirstOrderError, match="outside is known to first order only"):
            ask()
    assert x.grad == 256.0  # nothing was added
    assert ag.grad(lambda x: ag.grad(lambda y: ag.stop_gradient(ag.grad(f)(y)) * y)(x))(2.0) == 0.0


@pytest.mark.parametrize("exact", [True, False])
def test_first_derivatives_are_compiled(exact):
    for make in FIRST_ORDER.values():
        make()
        kernel = ag.compile(ag.value_and_grad(lambda x, y: ag.outside(x) * y + ag.sin(y), (0, 1)), exact=exact)
        assert kernel(2.0, 3.0)[1][0] == 36.0
        _, (by_x, by_y) = kernel(np.array([1.0, 2.0, 3.0]), 2.0)
        assert by_x.tolist() == [6.0, 24.0, 54.0]
        assert np.allclose(by_y, [1.0 + math.cos(2.0), 8.0 + math.cos(2.0), 27.0 + math.cos(2.0)], rtol=1e-15)
        assert pickle.loads(pickle.dumps(kernel.program)) == kernel.program
        del TABLE["outside"]
        delattr(Value, "outside")
        delattr(ag, "outside")


def test_what_does_not_ask_for_the_second_derivative_has_it_not_refused():
    """Derivatives by something else, with the first one in the graph."""
    FIRST_ORDER["found"]()
    assert ag.grad(lambda y: y * ag.grad(lambda x: y * ag.outside(x))(2.0))(5.0) == 120.0
    w = Value(5.0)
    assert ag.gradient(ag.grad(lambda x: w * ag.outside(x))(2.0), w) == 12.0
    assert ag.jvp(lambda y: ag.grad(lambda x: y * ag.outside(x))(2.0), 5.0, 1.0) == 12.0
    assert ag.compile(ag.grad(lambda y: ag.grad(lambda x: y * ag.outside(x))(2.0)))(5.0) == 12.0


def test_only_rules_that_give_numbers_are_known_to_first_order_only():
    """By arguments one at a time; a partial that does not vary has the derivative 0."""
    rules = [lambda r, x, y: y * y, lambda r, x, y: 2.0 * number(x) * number(y)]
    mixed = ag.define_primitive("mixed", lambda x, y: x * y * y, rules)
    assert mixed.first_order_only
    assert ag.hessian(mixed)(2.0, 3.0) == 0.0
    assert ag.grad(ag.grad(mixed), 1)(2.0, 3.0) == 6.0
    with pytest.raises(ag.FirstOrderError):
        ag.hessian(mixed, 1)(2.0, 3.0)
    line = ag.define_primitive("line", lambda x: 3.0 * x, [lambda r, x: 3.0])
    steps = ag.define_primitive("steps", abs, [lambda r, x: math.copysign(1.0, number(x))], kink=lambda x: x == 0.0)
    for primitive in (line, steps):
        assert not primitive.first_order_only
        assert ag.hessian(primitive)(2.0) == 0.0


def test_a_noisy_outside_function_is_known_to_first_order_only():
    """Finite differences of such a partial tell nothing: that it varies is enough."""
    noise = lambda x: 0.05 * random.Random(x).random()
    noisy = ag.define_primitive("noisy", lambda x: x + noise(x), [lambda r, x: 1.0 + noise(number(x))])
    assert noisy.first_order_only


def test_a_rule_may_use_a_primitive_of_first_order():
    ag.define_primitive("slope_of_cube", lambda x: 3.0 * x * x, [lambda r, x: 6.0 * number(x)])
    ag.define_primitive("cube_by_slope", lambda x: x**3, [lambda r, x: ag.slope_of_cube(x)])
    assert ag.hessian(ag.cube_by_slope)(2.0) == 12.0
    with pytest.raises(ag.FirstOrderError, match="slope_of_cube is known to first order only"):
        derivative(ag.cube_by_slope, 3)(2.0)


# --- rules that give no number

NO_NUMBERS = {"str": "text", "NoneType": None, "list": [1.0], "complex": 1j, "ndarray": np.ones(2)}


@pytest.mark.parametrize("kind", NO_NUMBERS)
def test_a_rule_that_gives_no_number_is_named_with_its_place(kind):
    bad = NO_NUMBERS[kind]
    with pytest.raises(ag.WrongRuleError, match=rf"product\(.*: the rule for the partial by argument 2 gives {kind} "):
        ag.define_primitive("product", lambda x, y: x * y, [lambda r, x, y: y, lambda r, x, y: bad])
    with pytest.raises(ag.WrongRuleError, match=rf"total\(.*by argument 1 gives {kind}"):
        ag.define_primitive("total", lambda *xs: math.fsum(xs), lambda r, *xs: [bad] * len(xs), variadic=True)
    rule = lambda r, x, y: x if x < 50.0 else bad
    ag.define_primitive("product", lambda x, y: x * y, [lambda r, x, y: y, rule], domain=(-9.0, 9.0))
    message = rf"product\(60\.0, 2\.0\): the rule for the partial by argument 2 gives {kind} .*, not a real number"
    x, y = Value(60.0), Value(2.0)
    for ask in (
        ag.product(x, y).backward,
        lambda: ag.gradient(ag.product(x, y), [x, y], create_graph=True),
        lambda: ag.grad(ag.product, 1)(60.0, 2.0),
        lambda: ag.jvp(ag.product, (60.0, 2.0), (0.0, 1.0)),
        lambda: ag.compile(ag.grad(ag.product, 1))(60.0, 2.0),
    ):
        with pytest.raises(ag.WrongRuleError, match=message):
            ask()
    assert ag.grad(ag.product)(60.0, 2.0) == 2.0


def test_a_variadic_rule_gives_a_list_of_partials():
    for bad in (3.0, None, [1.0], "ab", iter([1.0])):
        with pytest.raises(ag.WrongRuleError, match=r"total\(.*: the rule gives .* not a list of \d partials for \d arguments"):
            ag.define_primitive("total", lambda *xs: math.fsum(xs) * 2.0, lambda r, *xs, bad=bad: bad, variadic=True)


def test_real_numbers_of_any_kind_are_partials():
    for one in (1, True, np.float32(1.0), np.int64(1), np.array(1.0)):
        ag.define_primitive("shifted", lambda x: x + 1.0, [lambda r, x, one=one: one], replace=True)
        derivative = ag.grad(ag.shifted)(2.0)
        assert (derivative, type(derivative)) == (1.0, float)


def test_a_value_on_floats_is_no_number():
    w = Value(2.0)
    with pytest.raises(ag.WrongRuleError, match="gives a Value on floats"):
        ag.define_primitive("weighted", lambda x: 2.0 * x, [lambda r, x: w * 1.0])


# --- defined anew


def define(power, **options):
    return ag.define_primitive("changing", lambda x: x**power, [lambda r, x: power * x ** (power - 1.0)], **options)


def test_a_name_is_defined_anew_where_that_is_said():
    old = define(2.0, replace=True)
    with pytest.raises(ValueError, match="'changing' has been defined already; give replace=True"):
        define(3.0)
    x = Value(5.0)
    recorded = x.changing()
    new = define(3.0, replace=True)
    assert TABLE["changing"] is ag.changing is new is Value(5.0).changing().op
    assert (ag.changing(5.0), x.changing().data, ag.grad(ag.changing)(5.0)) == (125.0, 125.0, 75.0)
    assert ag.gradient(recorded, x) == 10.0  # of its own operation
    assert recorded.op is old is copy.deepcopy(old) is copy.copy(old)
    assert copy.deepcopy(recorded).op is old
    assert ag.grad(old)(5.0) == 10.0
    for write in (lambda: pickle.dumps(recorded), lambda: ag.graph_to_json(recorded)):
        with pytest.raises(ValueError, match="the primitive 'changing' was defined anew, or taken away"):
            write()
    again = pickle.loads(pickle.dumps(x.changing()))
    assert again.op is new
    assert list(TABLE).count("changing") == 1


@pytest.mark.parametrize("name", ["sin", "normal_pdf_derivative", "absorbing_multiply", "gradient", "backward"])
def test_what_the_package_has_is_not_replaced(name):
    with pytest.raises(ValueError, match="is taken in autograd_lite"):
        ag.define_primitive(
            name if name in TABLE or hasattr(ag, name) else "backward", lambda x: x, [lambda r, x: 1.0], replace=True
        )


def test_a_wrong_rule_leaves_the_old_definition():
    old = define(2.0)
    method = vars(Value)["changing"]
    with pytest.raises(ag.WrongRuleError):
        ag.define_primitive("changing", math.sin, [lambda r, x: ag.sin(x)], replace=True)
    assert TABLE["changing"] is ag.changing is old
    assert vars(Value)["changing"](Value(3.0)).op is old
    assert type(method) is type(vars(Value)["changing"])
    assert ag.grad(ag.changing)(3.0) == 6.0


@pytest.mark.parametrize("exact", [True, False])
def test_compiled_functions_record_themselves_anew(exact):
    define(2.0)
    functions = [
        lambda x: ag.changing(x),
        ag.value_and_grad(lambda x: ag.changing(x) * 2.0),
        lambda x: x * ag.changing(3.0),  # a number by the time the function is recorded
        lambda x: x.changing() if isinstance(x, Value) else ag.changing(x),
    ]
    kernels = [ag.compile(f, exact=exact) for f in functions]
    xs = np.array([1.0, 2.0])
    before = [(kernel(5.0), kernel(xs)) for kernel in kernels]
    assert before[0][0] == 25.0
    text = kernels[0].program.to_json()
    program = kernels[0].program
    define(3.0, replace=True)
    for f, kernel in zip(functions, kernels, strict=True):
        assert kernel(5.0) == f(5.0)
    assert kernels[0](xs).tolist() == [1.0, 8.0]
    assert kernels[1](xs)[1].tolist() == [6.0, 24.0]
    assert kernels[2](xs).tolist() == [27.0, 54.0]
    assert program(5.0) == [25.0]
    assert program != type(program).from_json(text)
    for write in (program.to_json, lambda: pickle.dumps(program)):
        with pytest.raises(ValueError, match="the primitive 'changing' was defined anew"):
            write()


def test_first_order_may_come_and_go():
    for order_known, second in ((True, 12.0), (False, None), (True, 12.0), (False, None)):
        rule = (lambda r, x: 3.0 * x * x) if order_known else (lambda r, x: 3.0 * number(x) ** 2)
        ag.define_primitive("cubing", lambda x: x**3, [rule], replace=True)
        assert ag.cubing.first_order_only is not order_known
        assert ("_cubing_partial" in TABLE) is not order_known
        x = Value(2.0)
        node = ag.gradient(ag.cubing(x), x, create_graph=True)
        assert pickle.loads(pickle.dumps(node)).data == 12.0
        if order_known:
            assert ag.gradient(node, x) == second
        else:
            with pytest.raises(ag.FirstOrderError):
                ag.gradient(node, x)


def test_rules_that_name_what_was_replaced_are_checked_again():
    ag.define_primitive("squared_case", lambda x: x * x, [lambda r, x: ag.slope_case(x)])
    ag.define_primitive("slope_case", lambda x: 2.0 * x, [lambda r, x: 2.0])
    assert ag.grad(ag.squared_case)(3.0) == 6.0
    ag.define_primitive("slope_case", lambda x: 5.0 * x, [lambda r, x: 5.0], replace=True)
    for derivative in (ag.grad(ag.squared_case), lambda x: ag.jvp(ag.squared_case, x, 1.0)):
        with pytest.raises(ag.WrongRuleError, match="squared_case"):
            derivative(3.0)
    ag.define_primitive("other_case", lambda x: x, [lambda r, x: 1.0])  # which has nothing to do with it
    assert ag.grad(ag.other_case)(3.0) == 1.0


def test_arguments_are_called_as_the_function_calls_them():
    ag.define_primitive("less_case", lambda x, y: x - y, [lambda r, y, x: 1.0, lambda r, _, x: -1.0])
    assert ag.less_case(5.0, 1.0) == ag.less_case(y=1.0, x=5.0) == 4.0
    ag.define_primitive("starred_case", lambda *xs: xs[0] - xs[1], [lambda r, *xs: 1.0, lambda r, *xs: -1.0])
    assert ag.starred_case(5.0, 1.0) == ag.starred_case(x1=5.0, x2=1.0) == 4.0
    assert ag.grad(ag.starred_case, (0, 1))(5.0, 1.0) == (1.0, -1.0)
