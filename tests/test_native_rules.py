"""rules.h against the table: values and partials computed in C have the bits of those computed in Python."""

import itertools
import math
import random
import struct
from pathlib import Path

import pytest

from autograd_lite.compiler import csource
from autograd_lite.compiler.translate import closure
from autograd_lite.compiler.tree import Number, walk
from autograd_lite.native import generate
from autograd_lite.primitive import paired
from autograd_lite.primitives import TABLE
from extensions import PURE, build
from points import LANDMARKS, beside, points, related

COUNT = 3000  # points a primitive
ENTRIES = list(enumerate([primitive.name for primitive in generate.entries()], 1))
VARIADIC = [(op, name) for op, name in ENTRIES if TABLE[name].variadic]
SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 5e-324, -2.3e-308, 1.7976931348623157e308, math.inf, -math.inf, math.nan)
NEGATIVE_NAN = math.copysign(math.nan, -1.0)
ORDERS = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
NO_ORDERS = (-1.0, 0.5, 1001.0, 1e300, math.inf, math.nan)
ALL = 2**32 - 1


def edges():
    """The constants of the translated functions, where they branch among them."""
    called = [primitive.fn for primitive in generate.entries() if csource.is_ours(primitive)]
    parts = [part for function in closure(called, generate.is_given) for statement in function.body for part in walk(statement)]
    return sorted(
        {part.value for part in parts if isinstance(part, Number) and part.kind == "float" and math.isfinite(part.value)}
    )


EDGES = edges()


def number(draw):
    """Any double, crowded where something happens."""
    sign = draw.choice((-1.0, 1.0))
    match draw.randrange(8):
        case 0:
            return struct.unpack("<d", draw.randbytes(8))[0]
        case 1:
            return draw.choice(SPECIAL)
        case 2:
            return sign * 2.0 ** draw.uniform(-1074.0, 1024.0)
        case 3:
            return draw.uniform(-5.0, 5.0)
        case 4:
            return draw.randint(-20, 20) / 2.0
        case 5:
            return sign * beside(draw.choice(LANDMARKS), draw.randint(-2, 2))
        case 6:
            return sign * beside(draw.choice(EDGES), draw.randint(-2, 2))
        case _:  # halfway between two decimals, or next to it
            return beside(draw.randint(-(10**6), 10**6) / 2.0 / 10.0 ** draw.randint(0, 4), draw.randint(-1, 1))


def order(draw):
    return draw.choice(ORDERS if draw.randrange(8) else NO_ORDERS)


def drawn(primitive, draw):
    """Arguments from all doubles, some of them related to one another."""
    if primitive.variadic:
        count = draw.randint(1, 6)
        args = [number(draw) for _ in range(count)]
    else:
        args = [order(draw) if interval.integers else number(draw) for interval in primitive.domain]
    for i, x in enumerate(args):
        if i and math.isfinite(args[0]) and not math.isnan(x) and x not in ORDERS and not draw.randrange(3):
            args[i] = related(args[0], draw)
    return tuple(args)


def arguments(primitive):
    """Points of the domain, all combinations of special numbers, and any doubles."""
    draw = random.Random(primitive.name)
    yield from points(primitive, COUNT // 3)
    counts = range(1, 4) if primitive.variadic else [len(primitive.domain)]
    for count in counts:
        intervals = primitive.domain * (count if primitive.variadic else 1)
        grids = [(*ORDERS[:3], 0.5) if interval.integers else SPECIAL for interval in intervals]
        combined = list(itertools.product(*grids))
        yield from combined if len(combined) <= COUNT else draw.sample(combined, COUNT)
    for _ in range(COUNT):
        yield drawn(primitive, draw)


def bits(x):
    """What makes two results equal: a nan has no more to it."""
    return x if x is None or x == x else "nan", x is not None and math.copysign(1.0, x if x == x else 1.0)


def value_of(primitive, args):
    """The value; None where Python raises."""
    try:
        return primitive.fn(*args)
    except ValueError:
        assert primitive.name in ("power", "dot")
        return None


def partials_of(primitive, r, args, needed):
    """The partials that are needed; None where there is none."""
    if primitive.variadic:
        return list(primitive.number_partials[0](r, *args)) if primitive.partials[0] else [None] * len(args)
    rules = primitive.number_partials
    return [rule(r, *args) if rule and needed >> i & 1 else None for i, rule in enumerate(rules)]


if not PURE:  # elsewhere the text alone is tested

    @pytest.fixture(scope="module")
    def compiled(tmp_path_factory):
        source = Path(__file__).with_name("native_rules.c").read_text()
        return build(tmp_path_factory.mktemp("native_rules"), "native_rules", source)

    @pytest.mark.parametrize(("op", "name"), ENTRIES, ids=str)
    def test_values_have_the_bits_of_the_tables(compiled, op, name):
        primitive = TABLE[name]
        finite = 0
        for args in arguments(primitive):
            expected = value_of(primitive, args)
            assert bits(compiled.value(op, args)) == bits(expected), args
            finite += expected is not None and math.isfinite(expected)
        assert finite > COUNT // 4

    @pytest.mark.parametrize(("op", "name"), ENTRIES, ids=str)
    def test_partials_have_the_bits_of_the_tables_rules(compiled, op, name):
        primitive, draw = TABLE[name], random.Random(name)
        for args in arguments(primitive):
            r = value_of(primitive, args)
            if r is None:
                continue
            needed = ALL if primitive.variadic else draw.randrange(1, 2 ** len(args))
            result = compiled.partials(op, r, args, needed)
            if result is None:  # C has no rule for so many arguments
                assert primitive.variadic
                assert len(args) not in generate.UNROLLED
                continue
            expected = partials_of(primitive, r, args, needed)
            assert [bits(x) for x in result] == [bits(x) for x in expected], (args, needed)

    @pytest.mark.parametrize(("op", "name"), VARIADIC, ids=str)
    def test_partials_of_any_number_of_arguments(compiled, op, name):
        """Few are written out; loops take any number."""
        primitive = TABLE[name]
        for n in range(2, 33, 2):
            args = [math.sin(i) for i in range(n)]
            result = compiled.partials(op, value_of(primitive, args), args, ALL)
            assert result == (
                None
                if n > 4 and name in ("logsumexp", "maximum", "minimum")
                else partials_of(primitive, primitive.fn(*args), args, ALL)
            )

    def test_the_table_of_rules(compiled):
        leaf, *rows = compiled.rules()
        assert leaf == ("", "a number", 0, 0, (0.0, 0.0, 0.0), 0, 0, 0, 0)
        assert [row[0] for row in rows] == [name for _, name in ENTRIES]
        for (_, doc, arity, optional, defaults, public, is_paired, selects, carries), primitive in zip(
            rows, TABLE.values(), strict=True
        ):
            assert doc == primitive.doc
            assert arity == (-1 if primitive.variadic else len(primitive.domain))
            assert defaults[:optional] == primitive.defaults
            assert (public, is_paired) == (primitive.public, primitive.gather is paired)
            count = 32 if primitive.variadic else len(primitive.domain)
            for flags, expected in ((selects, primitive.selects), (carries, [rule is not None for rule in primitive.partials])):
                assert [flags >> i & 1 for i in range(count)] == list(expected) * (count if primitive.variadic else 1)

    def test_what_is_no_operation(compiled):
        for op in (0, len(ENTRIES) + 1):
            assert math.isnan(compiled.value(op, [1.0]))
            assert compiled.partials(op, 1.0, [1.0], ALL) is None


@pytest.mark.parametrize(("op", "name"), ENTRIES, ids=str)
def test_the_sign_of_a_nan_tells_nothing(op, name):
    """Which one an operation gives depends on the processor and the order of its operands."""
    primitive = TABLE[name]
    for n in (1, 2, 3) if primitive.variadic else [len(primitive.domain)]:
        for args in itertools.product((-2.0, 0.0, 1.0, math.inf, math.nan), repeat=n):
            other = [NEGATIVE_NAN if math.isnan(x) else x for x in args]
            r = value_of(primitive, args)
            assert bits(value_of(primitive, other)) == bits(r)
            if r is not None:
                expected = [bits(x) for x in partials_of(primitive, r, args, ALL)]
                assert [bits(x) for x in partials_of(primitive, NEGATIVE_NAN if r != r else r, other, ALL)] == expected


def test_each_primitive_has_its_value_and_its_partials_in_the_text():
    text = generate.PATH.read_text(encoding="utf-8")
    for primitive in generate.entries():
        assert text.count(f"\n    OP_{primitive.name.upper()},\n") == 1
        assert (
            text.count(f" value_{primitive.name}(double x0" if not primitive.variadic else f" value_{primitive.name}(const")
            == 1
        )
        assert f"return value_{primitive.name}(" in text
        if any(primitive.partials):
            assert f" partials_{primitive.name}(double r," in text
