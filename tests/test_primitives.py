"""The table against its reference in mpmath: values, partials and second derivatives over the whole range of doubles.

AUTOGRAD_LITE_POINTS sets the number of points a primitive (20000 for a thorough run; the seed is AUTOGRAD_LITE_SEED).
"""

import copy
import itertools
import math
import os
import pickle
from fractions import Fraction

import numpy as np
import pytest
from mpmath import mp, mpf

import autograd_lite as ag
from autograd_lite import Value, gradient, primitives
from autograd_lite.primitive import Interval, Primitive, lookup, register
from autograd_lite.primitives import TABLE
from points import beside, points
from reference import REFERENCES, UNDERFLOW, UndecidedError, differentiate, evaluate, ulps
from values import same

POINTS = int(os.environ.get("AUTOGRAD_LITE_POINTS", "500"))
SEED = os.environ.get("AUTOGRAD_LITE_SEED", "0")
NAMES = sorted(name for name, primitive in TABLE.items() if getattr(primitives, name, None) is primitive)
DIFFERENTIABLE = [name for name in NAMES if any(TABLE[name].partials)]
SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, math.inf, -math.inf, math.nan)

BOUND = 4.0  # ulp of the reference; where terms cancel, of the largest of them (see `larger` in the reference)
WIDTH = 2  # of the arguments so many are differentiated twice
SECOND_BOUND = 16.0  # for derivatives of derivatives, each a few operations more

# The argument that is the order in families of derivatives: each order more is the argument of the next partial.
ORDERS = {
    "normal_pdf": {0: 1},
    "erf_derivative": {0: 1},
    "silu_derivative": {0: 1},
    "log_normal_cdf_derivative": {0: 1},
    "sinc_derivative": {0: 1},
    "power_derivative": {0: 2, 1: 3},
    "hypot_derivative": {0: 2, 1: 3},
    "inverse_power_real": {0: 2, 1: 2},
    "inverse_power_imaginary": {0: 2, 1: 2},
}
FAMILIES = {
    "silu": lambda x: ("silu_derivative", (x, 0.0)),
    "sinc": lambda x: ("sinc_derivative", (x, 0.0)),
    "power": lambda x, y: ("power_derivative", (x, y, 0.0, 0.0)),
    "arctan2": lambda x, y: ("inverse_power_real", (y, x, 1.0)),
}
LARGER = {  # the larger term of second derivatives
    "gelu": lambda x: mp.exp(-(x**2) / 2) / mp.sqrt(2 * mp.pi) * max(2, x**2),
    "logistic_pdf": lambda x: max(mp.tanh(x / 2) ** 2, 1 / (2 * mp.cosh(x / 2) ** 2)) / (2 * mp.cosh(x / 2)) ** 2,
    "share": lambda x, y: 2 / (x + y) ** 2,
}


def allowed(primitive, args, slots):
    """The bound in ulp, for a value or the derivative by the slots."""
    orders = [x for x, interval in zip(args, primitive.domain, strict=False) if interval.integers]
    if primitive.variadic:
        return BOUND + 0.5 * max(0, len(args) - 4)  # sums round once a term
    if len(slots) == 2:
        return SECOND_BOUND
    # In families of derivatives: each order more is a factor more in every term, which is rounded.
    return BOUND + max(0.0, sum(orders) + len(slots) - 2.0)


def partials(primitive, r, args, rules):
    """All partials by a primitive's rules; None where it has none."""
    if primitive.variadic:
        return list(rules[0](r, *args)) if rules[0] else [None] * len(args)
    return [rule and rule(r, *args) for rule in rules]


def exact_partials(primitive):
    reference = REFERENCES[primitive.name]
    if not primitive.variadic:
        return reference.partials
    return [lambda *xs, i=i: reference.partials[0](i, *xs) for i in range(8)]


def check(primitive, args, slots, result, exact, larger=None):
    """Within the bound of the exact number, in ulp of that or of a larger term."""
    assert type(result) is float
    bound = allowed(primitive, args, slots)
    error = ulps(result, exact)
    if error > bound and larger is not None:
        error = ulps(result, exact, larger)
    assert error <= bound, f"{primitive.name}{args} by {slots}: {result!r} is {error:.3g} ulp from {mp.nstr(exact, 20)}"


def test_the_reference_knows_the_whole_table():
    assert set(NAMES) == set(REFERENCES)
    for name in NAMES:
        given = [partial is not None for partial in TABLE[name].partials]
        assert given == [partial is not None for partial in REFERENCES[name].partials]


@pytest.mark.parametrize("name", NAMES)
def test_values_and_partials_over_the_whole_range_of_doubles(name):
    primitive, reference = TABLE[name], REFERENCES[name]
    exact = exact_partials(primitive)
    larger = (*reference.larger, *[None] * 8)
    for args in points(primitive, POINTS, SEED):
        r = primitive.fn(*args)
        check(primitive, args, (), r, evaluate(reference.value, *args), larger[0] and evaluate(larger[0], *args))
        for i, partial in enumerate(partials(primitive, r, args, primitive.number_partials)):
            if partial is None:
                continue
            expected = evaluate(exact[i], *args)
            if expected is None:
                assert math.isnan(partial), f"{name}{args} by {i}: {partial!r}"
            else:
                size = None if primitive.variadic or larger[i + 1] is None else evaluate(larger[i + 1], *args)
                check(primitive, args, (i,), partial, expected, size)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_the_reference_agrees_with_finite_differences_of_its_values(name):
    """Two ways to the exact partial, of which one needs only the value; without rounding, so without a tolerance."""
    primitive, reference = TABLE[name], REFERENCES[name]
    exact = exact_partials(primitive)
    for args in points(primitive, 3 + POINTS // 30, SEED):
        for i in range(len(args)):
            if not differs_by_differences(primitive, args, i):
                continue
            expected = evaluate(exact[i], *args)
            if expected is None:
                continue
            with mp.workprec(200):
                difference = differentiate(reference.value, args, (i,))
                assert abs(difference - expected) <= max(mpf(2) ** -60 * abs(expected), UNDERFLOW), (args, i)


def differs_by_differences(primitive, args, *slots):
    """Whether differences tell: the argument has a partial, and the steps of the function are wider than those of mpmath."""
    if any(not primitive.variadic and primitive.partials[i] is None for i in slots):
        return False
    if primitive.name in ("floor_divide", "mod"):
        return abs(args[0]) < 2.0**60 * abs(args[1])
    if primitive.name == "share":  # made for weights that add up to 1 or more
        return args[0] + args[1] > 1e-100
    return not (primitive.name.startswith("power") and args[0] < 0.0)


def larger_term(name, args, i, j):
    """The larger term of the second derivative by arguments i and j, or None."""
    if name in LARGER:
        return evaluate(LARGER[name], *args)
    if name == "arctan2":
        i, j = 1 - i, 1 - j
    name, args = FAMILIES[name](*args) if name in FAMILIES else (name, args)
    if name not in ORDERS:
        return None
    raised = list(args)
    raised[ORDERS[name][i]] += 1.0
    factor = args[2] if name.startswith("inverse") else 1.0
    return factor * evaluate(REFERENCES[name].larger[1 + j], *raised)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_derivatives_of_derivatives_keep_their_digits(name):
    """The gradient's gradient against second differences of the value alone."""
    primitive, reference = TABLE[name], REFERENCES[name]
    decided = 0
    for args in points(primitive, 5 + POINTS // 20, f"second {SEED}"):
        leaves = [Value(x) for x in args]
        firsts = gradient(primitive(*leaves), leaves, create_graph=True)
        for i in range(min(WIDTH, len(args))):
            seconds = gradient(firsts[i], leaves)
            for j in range(i, min(WIDTH, len(args))):
                if not differs_by_differences(primitive, args, i, j):
                    continue
                try:
                    exact = differentiate(reference.value, args, (i, j))
                except UndecidedError:  # the step would have to be smaller than any tried
                    continue
                decided += 1
                check(primitive, args, (i, j), seconds[j], exact, larger_term(name, args, i, j))
    assert decided > 4


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_partials_on_values_have_the_bits_of_those_on_floats(name):
    primitive = TABLE[name]
    several = itertools.islice(itertools.product(SPECIAL, repeat=2 if primitive.variadic else len(primitive.domain)), 1000)
    wholes = [interval.integers for interval in primitive.domain]
    special = [args for args in several if not any(w and x not in (1.0, 3.0) for w, x in zip(wholes, args, strict=False))]
    for args in [*points(primitive, 40, SEED), *special]:
        try:
            r = primitive.fn(*args)
        except ValueError:
            continue
        leaves = [Value(x) for x in args]
        numbers = partials(primitive, r, args, primitive.number_partials)
        nodes = partials(primitive, primitive(*leaves), leaves, primitive.partials)
        assert [repr(x.data if isinstance(x, Value) else x) for x in nodes] == [repr(x) for x in numbers], args


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_the_table_is_closed_under_differentiation(name):
    """Whatever a rule builds is built of the table's primitives, and so are the derivatives of that, to order 3."""
    primitive = TABLE[name]
    args = next(points(primitive, 1, SEED))
    leaves = [Value(x) for x in args]
    built = [primitive(*leaves)]
    for _ in range(3):
        nodes = [x for y in built for x in gradient(y, leaves, create_graph=True)]
        built = [x for x in nodes if x.op is not None][:6]
        for node in ag.topological_order(*built):
            assert node.op is None or TABLE[node.op.name] is node.op
            assert all(type(x) in (Value, float) for x in node.args)


class Unbranching:
    """In the place of a number in a rule: it can be computed with, not looked at."""

    __hash__ = None

    @staticmethod
    def __record__(primitive, args):
        assert TABLE[primitive.name] is primitive
        return Unbranching()

    def refuse(self, *_):
        raise AssertionError("a rule looks at a value")

    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __float__ = __int__ = __index__ = refuse
    __len__ = __iter__ = __getitem__ = __contains__ = __round__ = __floor__ = __ceil__ = __trunc__ = __format__ = refuse

    def compute(self, *_):
        return Unbranching()

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = compute
    __pow__ = __rpow__ = __mod__ = __rmod__ = __floordiv__ = __rfloordiv__ = __neg__ = __pos__ = __abs__ = compute


del Unbranching.__iter__  # arguments that have it are taken apart


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_rules_never_branch(name):
    primitive = TABLE[name]
    args = [Unbranching() for _ in range(4 if primitive.variadic else len(primitive.domain))]
    for partial in partials(primitive, Unbranching(), args, primitive.partials):
        assert partial is None or type(partial) in (float, Unbranching)


GRID = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)


def is_rough(function, args, slots):
    """Whether there is a kink, a jump or a pole: difference quotients to either side disagree, or there is no value."""
    with mp.workprec(2000):
        step = mpf(2) ** -600
        for i in slots:
            quotients = []
            for move in (step, step / 4, -step, -step / 4):
                try:
                    there = mpf(function(*[mpf(x) + move * (k == i) for k, x in enumerate(args)]))
                    quotients.append((there - mpf(function(*map(mpf, args)))) / move)
                except ZeroDivisionError:
                    return True
            if max(quotients) - min(quotients) > mpf(2) ** -100 * max(1, *map(abs, quotients)):
                return True
    return False


@pytest.mark.parametrize("name", NAMES)
def test_kinks_are_where_the_reference_is_not_smooth(name):
    primitive, reference = TABLE[name], REFERENCES[name]
    if name in ("difference_error", "stop_gradient"):  # 0 in real numbers; the identity
        return
    domain = primitive.domain * (1 + primitive.variadic)
    smooth_slots = [
        i for i, interval in enumerate(domain) if not interval.integers and not (name in ("where", "if_reached") and i == 0)
    ]
    grids = [(0.0, 1.0, 2.0) if interval.integers else GRID for interval in domain]
    for args in itertools.product(*grids):
        if not all(x in interval for x, interval in zip(args, domain, strict=True)):
            continue
        claimed = primitive.kink is not None and primitive.kink(*args)
        assert claimed == is_rough(reference.value, args, smooth_slots), args


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("power", "power_derivative", "share")])
def test_outside_the_domain_is_nan_and_at_its_edge_an_infinity(name):
    """The rest is defined on more than its domain: whole powers of negative numbers, 0 to some power, weights of 0."""
    primitive = TABLE[name]
    for i, interval in enumerate(primitive.domain):
        for bound, outward in ((interval.low, -1.0), (interval.high, 1.0)):
            if interval.integers or math.isinf(bound):
                continue
            for distance in (0.0, 5e-324, 1e-10, 1.0, 1e300, math.inf):
                x = bound + outward * distance
                if distance == 5e-324:
                    x = beside(bound, int(outward))
                args = tuple([x if k == i else 3.0 for k in range(len(primitive.domain))])
                r = primitive.fn(*args)
                both = (
                    r,
                    *[partial for partial in partials(primitive, r, args, primitive.number_partials) if partial is not None],
                )
                assert any(map(math.isinf, both)) if x == bound else all(map(math.isnan, both)), (args, both)


LINEAR = ("add", "subtract", "multiply", "negative", "positive", "where", "sum", "dot", "leaky_relu", "deg2rad", "rad2deg")


@pytest.mark.parametrize(
    "name", [name for name in NAMES if TABLE[name].public and any(TABLE[name].partials) and name not in LINEAR]
)
def test_where_the_value_is_nan_so_are_the_partials(name):
    """Rule C4 on all combinations of special numbers; only what is linear in an argument has a partial that does not care."""
    primitive = TABLE[name]
    several = primitive.domain * 2 if primitive.variadic else primitive.domain
    grids = [(0.0, 1.0, 2.0) if interval.integers else SPECIAL for interval in several]
    for args in itertools.product(*grids):
        try:
            r = primitive.fn(*args)
        except ValueError:
            assert name == "power"
            assert args[0] < 0.0
            continue
        found = partials(primitive, r, args, primitive.number_partials)
        if name == "xlogy":
            del found[0]  # log(y), whatever x is
        if name == "power" and args[1] == 1.0:
            continue  # the identity
        assert r == r or all(math.isnan(partial) for partial in found if partial is not None), (args, found)


# Found wrong once: digits lost where an intermediate result under- or overflows, where a rounding error is amplified, signs.
@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("divide", (3.5e-323, 3e-5)),
        ("power", (-1.0, 2.0**53 + 2.0)),
        ("power", (1e-300, 2.0)),
        ("power", (0.5, 1e200)),
        ("gelu", (-38.2,)),
        ("gelu", (-37.39704349418764,)),
        ("logaddexp", (2.5150361554887927e-06, -12.41441109789571)),
        ("logsumexp", (-7.483395777198732e-08, -16.8404917129381, -16.8404917129381)),
        ("inverse_power_imaginary", (1e-5, 3e-323, 1.0)),
        ("inverse_power_real", (2.225073858507203e-308, 2.225073858507203e-308, 2.0)),
        ("hypot_derivative", (1e-10, 3.5e-323, 1.0, 1.0)),
        ("hypot_derivative", (1e-100, 1e-262, 2.0, 0.0)),
        ("hypot_derivative", (1.5e308, 1.5e308, 1.0, 1.0)),
        ("silu_derivative", (745.133219101942, 2.0)),
    ],
)
def test_once_wrong(name, args):
    primitive, reference = TABLE[name], REFERENCES[name]
    larger = (*reference.larger, *[None] * 8)
    r = primitive.fn(*args)
    check(primitive, args, (), r, evaluate(reference.value, *args), larger[0] and evaluate(larger[0], *args))
    for i, partial in enumerate(partials(primitive, r, args, primitive.number_partials)):
        exact = None if partial is None else evaluate(exact_partials(primitive)[i], *args)
        if exact is not None:
            check(primitive, args, (i,), partial, exact)


def test_partials_of_simple_cases_are_exact():
    draw = [x for (x,) in points(TABLE["square"], 200, SEED)]
    for x in draw:
        assert repr(TABLE["power"].number_partials[0](x * x, x, 2.0)) == repr(2.0 * x)
        assert TABLE["power"].number_partials[0](x, x, 1.0) == 1.0
        assert TABLE["power"].number_partials[0](1.0, x, 0.0) == 0.0
        assert TABLE["square"].number_partials[0](x * x, x) == 2.0 * x
    assert ag.gradient(ag.tanh(zero := Value(0.0)), zero) == 1.0
    assert ag.gradient(ag.sigmoid(zero), zero) == 0.25
    assert ag.gradient(ag.logsumexp(zero, zero + 0.0, zero * 1.0), zero) == 1.0


# --- what every primitive has in common


def test_numbers_of_every_kind_are_taken():
    for three in (3, 3.0, np.float64(3.0), np.float32(3.0), np.int64(3), np.array(3.0), Fraction(3), np.array(Fraction(3))):
        result = ag.exp(three)
        assert (type(result), result) == (float, math.exp(3.0))
        assert ag.add(three, Value(1.0)).data == 4.0
    assert ag.exp(True) == math.e
    assert ag.exp(10**300 * 0) == 1.0


@pytest.mark.parametrize("bad", ["1", 1j, None, [1.0, 2.0], np.complex128(1j), np.array(["1"]), np.str_("1"), {}, Interval()])
def test_what_is_no_real_number_is_refused_by_name(bad):
    with pytest.raises(TypeError, match=r"multiply takes a real number"):
        ag.multiply(2.0, bad)
    with pytest.raises(TypeError):
        ag.multiply(Value(2.0), bad)


@pytest.mark.parametrize("huge", [10**400, -(10**400), Fraction(10**400, 3)])
def test_numbers_beyond_the_largest_float_are_refused(huge):
    with pytest.raises(ValueError, match=r"exp: the number .* beyond the largest float"):
        ag.exp(huge)
    with pytest.raises(ValueError, match=r"beyond the largest float"):
        ag.maximum(Value(1.0), huge)


def test_too_few_or_too_many_arguments_are_refused():
    for call in (
        ag.exp,
        lambda: ag.exp(1.0, 2.0),
        lambda: ag.divide(1.0),
        lambda: ag.clip(1.0, 2.0),
        lambda: ag.leaky_relu(1.0, 2.0, 3.0),
    ):
        with pytest.raises(TypeError, match=r"takes (1 argument|[23] arguments), got [0123]"):
            call()


def test_defaults_are_filled_in_for_numbers_and_values():
    assert ag.leaky_relu(-2.0) == -0.02
    assert ag.leaky_relu(Value(-2.0)).args[1] == 0.01
    assert ag.around(2.5) == 2.0
    assert ag.normal_pdf(1.0) == ag.normal_pdf(1.0, 0.0)


@pytest.mark.parametrize("name", [name for name in NAMES if TABLE[name].variadic and name != "dot"])
def test_variadic_primitives_take_numbers_and_iterables(name):
    primitive = TABLE[name]
    expected = primitive(1.0, 3.0, 2.0)
    assert primitive([1.0, 3.0, 2.0]) == primitive(x for x in (1, 3, 2)) == primitive((1.0, 3), 2.0) == expected
    assert primitive(np.array([1.0, 3.0, 2.0])) == expected
    values = [Value(x) for x in (1.0, 3.0, 2.0)]
    assert primitive(values).data == primitive(*values).data == primitive(np.array(values)).data == expected
    assert same(primitive(values).args, values)


def test_sums_of_nothing_and_extremes_of_nothing():
    assert (ag.sum(), ag.sum([]), ag.dot([], []), ag.logsumexp([])) == (0.0, 0.0, 0.0, -math.inf)
    for primitive in (ag.maximum, ag.minimum):
        with pytest.raises(ValueError, match=f"{primitive.name} of nothing"):
            primitive([])


def test_dot_pairs_its_factors():
    assert ag.dot([1.0, 2.0], [3.0, 4.0]) == ag.dot(1.0, 2.0, 3.0, 4.0) == 11.0
    assert ag.dot((x for x in (1.0, 2.0)), np.array([3.0, 4.0])) == 11.0
    for wrong in (([1.0, 2.0, 3.0], [4.0]), ([1.0, 2.0], []), ([1.0],), (1.0, 2.0, 3.0), ([1.0, 2.0], 3.0), ([1.0],) * 3):
        with pytest.raises(ValueError, match="dot takes two iterables of one length"):
            ag.dot(*wrong)


@pytest.mark.parametrize("name", NAMES)
def test_a_primitive_is_copied_and_pickled_as_itself(name):
    primitive = TABLE[name]
    assert copy.copy(primitive) is copy.deepcopy(primitive) is pickle.loads(pickle.dumps(primitive)) is primitive


@pytest.mark.parametrize("name", NAMES)
def test_entries_are_complete(name):
    primitive = TABLE[name]
    assert primitive.name == name == name.lower()
    assert primitive.doc
    assert primitive.arguments
    assert len(primitive.partials) == len(primitive.domain) == len(primitive.selects)
    assert primitive.variadic or len(primitive.arguments) == len(primitive.domain)
    assert "{0}" in primitive.code or primitive.variadic
    assert name in repr(primitive)
    assert primitive.public == hasattr(ag, name)


def test_an_unknown_primitive_is_named():
    with pytest.raises(KeyError, match="no primitive is called 'sine'"):
        lookup("sine")


def test_the_table_takes_no_name_twice():
    with pytest.raises(ValueError, match="has a primitive 'exp' already"):
        register(TABLE["exp"])
    assert isinstance(TABLE["exp"], Primitive)


def test_intervals_are_open():
    assert 0.0 not in Interval(0.0, 1.0)
    assert 1.0 not in Interval(0.0, 1.0)
    assert 0.5 in Interval(0.0, 1.0)
    assert 0.5 not in Interval(0.0, 2.0, integers=True)
    assert 1.0 in Interval(0.0, 2.0, integers=True)
    assert not any(x in Interval() for x in (math.inf, -math.inf, math.nan))


@pytest.mark.parametrize("name", [name for name in NAMES if TABLE[name].means])
def test_what_a_helper_means_is_what_it_computes(name):
    primitive = TABLE[name]
    grids = [(0.0, 1.0, 2.0) if interval.integers else (-1.2, 0.3, 0.8) for interval in primitive.domain]
    for args in itertools.product(*grids):
        meaning = primitive.means(*args) if args[0] > 0.0 or name != "power_derivative" else None
        assert meaning is None or math.isclose(primitive.fn(*args), meaning, rel_tol=1e-14, abs_tol=1e-15), args
