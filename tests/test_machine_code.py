"""Machine code against the table: exact mode has the bits of the engine, the default mode is right to 4 ulp, lanes go alone.

AUTOGRAD_LITE_POINTS sets the number of points a primitive.
"""

import itertools
import math
import os
import random
import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import primitives, structures
from autograd_lite.compiler import lowering
from autograd_lite.primitives import TABLE
from points import LANDMARKS, LARGEST, any_double, beside, points, related
from programs import programs
from reference import REFERENCES, evaluate, ulps

POINTS = int(os.environ.get("AUTOGRAD_LITE_POINTS", "100"))
NAMES = sorted(name for name, primitive in TABLE.items() if getattr(primitives, name, None) is primitive)
SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 5e-324, -2.3e-308, LARGEST, math.inf, -math.inf, math.nan)
ORDERS = (0.0, 1.0, 2.0, 3.0, 4.0)
CONSTANTS = (0.0, -0.0, 1.0, -1.0, 0.5, -0.75, 2.0, 3.0, -3.0, 8.0, 17.0, 1e300, math.inf, math.nan)
# Products that absorb give 0 where an argument is 0. Without exactness its sign is that of a plain product: the sweeps, whose
# adjoints they multiply, promise the size of a contribution of nothing, and no sign.
SIGNLESS = {"dot"}  # where products underflow
BOUND = 4.0
WORST = 12  # so many points a kernel are compared with the reference: those furthest from the engine's numbers


def takes_order(primitive, slot):
    return primitive.domain[0 if primitive.variadic else slot].integers


def count_of(primitive):
    return 2 if primitive.variadic else len(primitive.domain)


def number(draw):
    """Any double, crowded where something happens."""
    sign = draw.choice((-1.0, 1.0))
    kind = draw.randrange(6)
    if kind == 0:
        return struct.unpack("<d", draw.randbytes(8))[0]
    if kind == 1:
        return draw.choice(SPECIAL)
    if kind == 2:
        return sign * any_double(draw)
    if kind == 3:
        return draw.uniform(-5.0, 5.0)
    if kind == 4:
        return draw.randint(-2000, 2000) / 2.0 / 10.0 ** draw.randint(0, 3)
    return sign * beside(draw.choice(LANDMARKS), draw.randint(-2, 2))


def drawn(primitive, count, draw):
    args = []
    for slot in range(count):
        if takes_order(primitive, slot):
            args.append(draw.choice((*ORDERS, *ORDERS, 7.0, 0.5, -1.0, math.nan)))
        elif args and math.isfinite(args[0]) and not draw.randrange(3):
            args.append(related(args[0], draw))
        else:
            args.append(number(draw))
    return tuple(args)


def is_defined(primitive, args):
    """Whether Python does not raise: a power that would be complex."""
    try:
        primitive.fn(*args)
    except ValueError:
        assert primitive.name == "power"
        return False
    return True


def arguments(primitive, count, amount=POINTS, seed=0):
    """Special numbers in all combinations, or as many of them, and any doubles."""
    draw = random.Random(f"{primitive.name} {count} {seed}")
    grids = [(*ORDERS[:3], 0.5) if takes_order(primitive, slot) else SPECIAL for slot in range(count)]
    combined = list(itertools.product(*grids)) if count < 4 else [drawn(primitive, count, draw) for _ in range(amount)]
    draw.shuffle(combined)
    rows = combined[:amount] + [drawn(primitive, count, draw) for _ in range(amount)]
    return [args for args in rows if is_defined(primitive, args)]


def inside(primitive, count, amount=POINTS):
    """Points of the domain."""
    if not primitive.variadic:
        return list(points(primitive, amount, "machine code"))
    found = [args for args in points(primitive, 4 * amount, "machine code") if len(args) >= count]
    return [args[:count] for args in found if len(args) == count or primitive.name != "dot"]


def kernel_of(primitive, fixed, exact):
    """The primitive compiled, with the numbers of `fixed` as constants and the others (None) as inputs."""

    def function(*xs):
        given = iter(xs)
        return primitive(*[next(given) if x is None else x for x in fixed])

    return ag.compile(function, exact=exact)


def run(kernel, rows):
    return kernel(*[np.array(column) for column in zip(*rows, strict=True)]).tolist()


def bits(x):
    """What makes two results equal: a nan has no more to it."""
    return "nan" if x != x else float(x).hex()


def varied(primitive):
    """Ways to give the arguments: all as inputs; orders as constants; any one as a constant, any other number as input."""
    if primitive.variadic:
        counts = (2, 4, 6, 10) if primitive.name == "dot" else (1, 2, 3, 5)
        yield from [(None,) * count for count in counts]
        yield (None, 1.5)
        yield (math.nan, None)
        return
    count = len(primitive.domain)
    yield (None,) * count
    slots = [slot for slot in range(count) if takes_order(primitive, slot)]
    for orders in itertools.product(ORDERS, repeat=len(slots)):
        if slots and sum(orders) <= max(ORDERS) and (POINTS >= 1000 or sum(orders) in (0.0, 1.0, 4.0) or len(slots) == 1):
            yield tuple([orders[slots.index(slot)] if slot in slots else None for slot in range(count)])


def with_constants(primitive):
    draw = random.Random(primitive.name)
    for slot in range(len(primitive.domain)):
        for constant in draw.sample(CONSTANTS, min(len(CONSTANTS), 3 + POINTS // 100)):
            if not takes_order(primitive, slot):
                yield tuple([constant if i == slot else None for i in range(len(primitive.domain))])


def inserted(fixed, rows):
    """For each row of arguments the inputs alone, and all arguments with the constants in their places."""
    inputs = [tuple([x for x, constant in zip(args, fixed, strict=True) if constant is None]) for args in rows]
    complete = [tuple([x if c is None else c for x, c in zip(args, fixed, strict=True)]) for args in rows]
    return inputs, complete


def check_exact(primitive, fixed, rows):
    inputs, complete = inserted(fixed, rows)
    kept = [i for i, args in enumerate(complete) if is_defined(primitive, args)]
    kernel = kernel_of(primitive, fixed, exact=True)
    results = run(kernel, [inputs[i] for i in kept])
    for i, result in zip(kept, results, strict=True):
        assert bits(result) == bits(primitive.fn(*complete[i])), (primitive.name, complete[i])
    for i, result in [*zip(kept, results, strict=True)][:: max(1, len(kept) // 20)] if set(fixed) == {None} else ():
        assert bits(kernel(*inputs[i])) == bits(result), (primitive.name, complete[i])


@pytest.mark.parametrize("name", NAMES)
def test_exact_mode_has_the_bits_of_the_table(name):
    primitive = TABLE[name]
    for fixed in varied(primitive):
        check_exact(primitive, fixed, arguments(primitive, len(fixed)) + inside(primitive, len(fixed)))


@pytest.mark.parametrize("name", [name for name in NAMES if len(TABLE[name].domain) > 1])
def test_exact_mode_has_the_bits_of_the_table_with_constants(name):
    primitive = TABLE[name]
    for fixed in with_constants(primitive):
        check_exact(primitive, fixed, arguments(primitive, len(fixed), POINTS // 2))


def allowed(primitive, args):
    """The bound in ulp that the table itself keeps: sums round once a term, families of derivatives once an order."""
    if primitive.variadic:
        return BOUND + 0.5 * max(0, len(args) - 4)
    orders = sum([x for x, interval in zip(args, primitive.domain, strict=True) if interval.integers])
    return BOUND + max(0.0, orders - 2.0)


def distance(x, y):
    """How far two numbers of one kind are from each other, in ulp of the smaller."""
    return 0.0 if x == y else abs(x - y) / math.ulp(min(abs(x), abs(y)))


def same_kind(x, y):
    """Both nan, the same infinity, or both finite; the largest numbers may be rounded to either side of infinity."""
    if x != x or y != y:
        return x != x and y != y
    if math.isinf(x) or math.isinf(y):
        return min(abs(x), abs(y)) >= LARGEST * (1.0 - 2.0**-50) and (x > 0.0) == (y > 0.0)
    return True


def check_accuracy(primitive, args, result):
    reference = REFERENCES[primitive.name]
    exact = evaluate(reference.value, *args)
    if exact is None:
        return
    error = ulps(result, exact)
    if error > allowed(primitive, args) and any(reference.larger[:1]):
        error = ulps(result, exact, evaluate(reference.larger[0], *args))
    assert error <= allowed(primitive, args), f"{primitive.name}{args}: {result!r} is {error:.3g} ulp from {exact}"


def is_overflow(args, result):
    """Whether products overflow one by one, and perhaps not where they are fused: the result is infinite, nan, or right."""
    pairs = list(zip(args[: len(args) // 2], args[len(args) // 2 :], strict=True))
    if not all(math.isfinite(x) for x in args):
        return not math.isfinite(result) and any(math.isinf(x * y) for x, y in pairs if math.isfinite(x) and math.isfinite(y))
    return not math.isfinite(result) or abs(sum(Fraction(x) * Fraction(y) for x, y in pairs)) <= LARGEST


def check_default(primitive, fixed, rows, in_domain):
    """Special results as in the engine; those of the domain that are furthest from the engine's right to 4 ulp."""
    inputs, complete = inserted(fixed, rows)
    kept = [i for i, args in enumerate(complete) if is_defined(primitive, args)]
    kernel = kernel_of(primitive, fixed, exact=False)
    results = run(kernel, [inputs[i] for i in kept])
    far = []
    for i, result in zip(kept, results, strict=True):
        args, expected = complete[i], primitive.fn(*complete[i])
        if primitive.name == "dot" and not math.isfinite(expected) and is_overflow(args, result):
            continue
        assert same_kind(result, expected), f"{primitive.name}{args}: {result!r}, not {expected!r}"
        if result == expected == 0.0 and primitive.name not in SIGNLESS:
            assert bits(result) == bits(expected), f"{primitive.name}{args}: {result!r}, not {expected!r}"
        if math.isfinite(result) and result != expected:
            far.append((distance(result, expected), args, result))
    for _, args, result in sorted(far, reverse=True)[:WORST] if in_domain else ():
        check_accuracy(primitive, args, result)
    for i, result in [*zip(kept, results, strict=True)][:: max(1, len(kept) // 10)] if set(fixed) == {None} else ():
        assert bits(kernel(*inputs[i])) == bits(result), (primitive.name, complete[i])


@pytest.mark.parametrize("name", NAMES)
def test_default_mode_is_right_to_4_ulp(name):
    primitive = TABLE[name]
    for fixed in varied(primitive):
        rows = inside(primitive, len(fixed))
        _, complete = inserted(fixed, rows)
        domain = primitive.domain * (len(fixed) if primitive.variadic else 1)
        kept = [all(x in interval for x, interval in zip(args, domain, strict=True)) for args in complete]
        kinks = [primitive.kink is not None and keep and primitive.kink(*a) for a, keep in zip(complete, kept, strict=True)]
        rows = [args for args, keep, kink in zip(rows, kept, kinks, strict=True) if keep and not kink]
        if rows:
            check_default(primitive, fixed, rows, in_domain=True)


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("name", NAMES)
def test_default_mode_has_the_special_results_of_the_engine(name):
    primitive = TABLE[name]
    for fixed in varied(primitive):
        check_default(primitive, fixed, arguments(primitive, len(fixed)), in_domain=False)
    for fixed in with_constants(primitive) if len(primitive.domain) > 1 else ():
        check_default(primitive, fixed, arguments(primitive, len(fixed), POINTS // 2), in_domain=False)


# --- lanes, batches, threads, segments


def everything(*xs):
    """A result of every function of the table, each on its own inputs."""
    given = itertools.cycle(xs)
    found = []
    for name in NAMES:
        primitive = TABLE[name]
        args = [2.0 if takes_order(primitive, i) else next(given) for i in range(count_of(primitive))]
        found.append(primitive(*[ag.absolute(args[0]), *args[1:]] if name == "power" else args))
    return found


@pytest.fixture(scope="module")
def columns():
    """Three arrays of numbers of any kind."""
    draw = random.Random("columns")
    return [np.array([number(draw) for _ in range(1500)]) for _ in range(3)]


def same(xs, ys):
    """Bit for bit, but for what a nan holds."""
    x, y = np.array(xs), np.array(ys)
    assert x.shape == y.shape
    x, y = [np.where(np.isnan(z), np.nan, z).view(np.int64) for z in (x, y)]
    return np.array_equal(x, y)


def default_and_exact():
    return pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])


@default_and_exact()
def test_no_lane_looks_at_another(exact, columns):
    """Every point among other neighbours, at another place of the vector, and with nothing but odd numbers beside it."""
    kernel = ag.compile(everything, exact=exact)
    expected = np.array(kernel(*columns))
    generator = np.random.default_rng(1)
    for _ in range(3):
        order = generator.permutation(len(columns[0]))
        assert same(kernel(*[column[order] for column in columns]), expected[:, order])
    for odd in SPECIAL:
        places = generator.integers(0, len(columns[0]), 8)
        batch = [np.full(64, odd) for _ in columns]
        for lane, place in enumerate(places):  # one a vector of up to 8, each in another lane
            for column, source in zip(batch, columns, strict=True):
                column[8 * lane + lane] = source[place]
        assert same(np.array(kernel(*batch))[:, [9 * lane for lane in range(8)]], expected[:, places])


@default_and_exact()
def test_bits_do_not_depend_on_the_size_of_the_batch(exact, columns):
    kernel = ag.compile(everything, exact=exact)
    expected = np.array(kernel(*columns))
    for size in (1, 2, 7, 8, 9, 16, 31, 1000):
        start = 37 * size % 400
        assert same(kernel(*[column[start : start + size] for column in columns]), expected[:, start : start + size])
    for i in range(0, 1500, 50):
        assert same(kernel(*[float(column[i]) for column in columns]), expected[:, i])
    split = [kernel(*[column[start:stop] for column in columns]) for start, stop in ((0, 3), (3, 700), (700, 1500))]
    assert same(np.concatenate(split, axis=1), expected)


@default_and_exact()
def test_bits_do_not_depend_on_what_is_shared(exact, columns):
    """A number that all points have in common, given once and given to each."""
    kernel = ag.compile(everything, exact=exact)
    for i in range(3):
        shared = float(columns[i][7 * i])
        once = [shared if k == i else column for k, column in enumerate(columns)]
        each = [np.full(1500, shared) if k == i else column for k, column in enumerate(columns)]
        assert same(kernel(*once), kernel(*each))


@default_and_exact()
def test_bits_do_not_depend_on_the_threads(exact, columns):
    repeated = [np.tile(column, 7)[: 10_000 + 3] for column in columns]
    expected = ag.compile(everything, exact=exact)(*repeated)
    for threads in (2, 3):
        assert same(ag.compile(everything, exact=exact, threads=threads)(*repeated), expected)


@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_sums_do_not_depend_on_the_threads(reduce):
    xs = np.random.default_rng(3).normal(size=20_000) * 10.0 ** np.random.default_rng(4).integers(-8, 8, 20_000)
    expected = ag.compile(ag.value_and_grad(ag.sin), reduce=reduce)(xs)
    for threads in (2, 3):
        assert same(ag.compile(ag.value_and_grad(ag.sin), reduce=reduce, threads=threads)(xs), expected)


@default_and_exact()
def test_long_programs_cut_into_segments_have_the_bits_of_whole_ones(exact, columns, monkeypatch):
    def function(x, y, z):
        found = everything(x, y, z)
        if found[0] > found[1]:
            found[2] = found[3] + found[0] * x
        return [*found, x, found[4], 2.5, [(x + y) * (x + y) - found[5]]]

    few = [column[:100] for column in columns]
    whole = ag.compile(function, exact=exact)
    found, points_found = whole(*few), [whole(*[float(column[i]) for column in few]) for i in range(5)]
    monkeypatch.setattr(lowering, "SEGMENT", 13)
    cut = ag.compile(function, exact=exact)
    flat = [*found[:-1], *found[-1]]
    results = cut(*few)
    assert same([*results[:-1], *results[-1]], flat)
    assert cut.paths == whole.paths == 2
    for i, expected in enumerate(points_found):  # one point after the other
        result = cut(*[float(column[i]) for column in few])
        assert same([*result[:-1], *result[-1]], [*expected[:-1], *expected[-1]])


# --- what is not a number, or infinite, in whole programs

# Programs whose numbers are integers over powers of 2, of fewer than 53 bits: exact in either mode, whatever is fused.
EXACT = (
    *("add", "subtract", "multiply", "negative", "absolute", "square", "relu", "leaky_relu", "maximum", "minimum", "clip"),
    *("where", "sign", "step", "floor", "stop_gradient", "sum", "dot"),
)
NUMBERS = st.sampled_from((0.0, -0.0, 1.0, -1.0, 4.0, -4.0, 0.25, math.inf, -math.inf, math.nan))
FIRST = st.sampled_from((ag.positive, ag.sqrt, ag.reciprocal, lambda x: ag.where(x, ag.reciprocal(x), 1.0), ag.relu))


@given(
    programs(EXACT, NUMBERS, max_lines=3, valid=False),
    st.tuples(*[FIRST] * 4),
    st.lists(st.tuples(*[NUMBERS] * 4), min_size=12, max_size=12),
)
@settings(max_examples=max(8, POINTS // 10))
def test_default_mode_loses_no_special_number_of_a_program_or_its_derivatives(program, first, rows):
    """What default code leaves out at first, it notices: products 0 * inf in sweeps, the outside of domains, rare arguments."""
    count = len(program.inputs)
    rows = [program.inputs, *[row[:count] for row in rows]]

    def value(*xs):
        return program.run([function(x) for function, x in zip(first, xs, strict=False)])[-1]

    def second(*xs):
        return ag.hessian(lambda ys: value(*ys))(list(xs))

    check_special(value, rows)
    check_special(ag.value_and_grad(value, tuple(range(count))), rows, derivatives=True)
    check_special(second, rows, derivatives=True)


HIDING = (  # a nan
    lambda x, y: ag.where(x, 2.0, y),
    lambda x, y: ag.where(y, x, 3.0),
    lambda x, y: 2.0 if x > 0.0 else 3.0,
    lambda x, y: y if x <= 1.0 else 3.0,
    lambda x, y: 2.0 if x else y,
    lambda x, y: ag.power(x, 0.0),
    lambda x, y: ag.power(1.0, x) + ag.hypot(math.inf, x),
    lambda x, y: ag.grad(lambda z: ag.where(z, z * x, 4.0 * z))(y),
    lambda x, y: ag.grad(lambda z: ag.maximum(z * x, z))(y),
)


ABSORBING = (  # in whose derivatives 0 meets an infinity
    lambda x, y: ag.where(x, x * y, 1.0),
    lambda x, y: ag.where(y, x, x * y),
    lambda x, y: ag.relu(x) * y,
    lambda x, y: ag.maximum(x, 1.0) * y + x,
    lambda x, y: ag.clip(x, -1.0, 1.0) * y,
    lambda x, y: ag.where(x, ag.reciprocal(x), y),
    lambda x, y: ag.where(y, ag.sqrt(x), x),
)


@pytest.mark.parametrize("hide", HIDING)
def test_default_mode_notices_what_the_rest_of_a_program_would_hide(hide):
    numbers = (0.0, 1.0, -4.0, math.inf, -math.inf, math.nan)
    for inner in ABSORBING:
        derivative = ag.grad(inner)
        check_special(lambda x, y: hide(derivative(x, y), y), list(itertools.product(numbers, repeat=2)), derivatives=True)


def check_special(function, rows, derivatives=False):
    """The same bits in both modes, of a batch and of its points; but for the signs of zeros among derivatives."""
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    fast = ag.compile(function)
    found, expected = [flat(kernel(*columns)) for kernel in (fast, ag.compile(function, exact=True))]
    for xs, ys in zip(found, expected, strict=True):
        for x, y, row in zip(xs.tolist(), ys.tolist(), rows, strict=True):
            assert bits(x) == bits(y) or (derivatives and x == y == 0.0), (row, x, y)
    assert [bits(x) for x in flat(fast(*rows[0]))] == [bits(xs[0]) for xs in found]


def flat(result):
    return structures.flatten(result, arrays=False)[0]
