"""Programs run on numbers of every kind: floats, Values, fractions, mpmath's numbers; and the guards they check there."""

import math
from fractions import Fraction

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

import autograd_lite as ag
from autograd_lite import Value, gradient
from autograd_lite.compiler.instructions import Guard, Instruction
from autograd_lite.compiler.number_kinds import NumberError
from autograd_lite.compiler.program import PathError, Program, record
from autograd_lite.primitive import Primitive
from autograd_lite.primitives import TABLE
from points import points
from programs import SMOOTH, programs
from recorded import BRANCHING, of_lines, recorded
from reference import AGREEMENT, REFERENCES, evaluate, ulps
from values import bits

log, power = TABLE["log"], TABLE["power"]


# --- floats and Values


@given(programs(), st.data())
def test_a_program_computes_what_the_function_does(drawn, data):
    program = of_lines(drawn)
    assert list(map(bits, program(*drawn.inputs))) == list(map(bits, drawn.run(drawn.inputs)))
    leaves = [[Value(x) for x in drawn.inputs] for _ in range(2)]
    results = [program(*leaves[0])[-1], drawn.run(leaves[1])[-1]]
    assert gradient(results[0], leaves[0]) == gradient(results[1], leaves[1])


def test_numbers_of_any_real_kind_are_inputs():
    program = record(lambda x, y: x / y, 2)
    assert program(1, True) == [1.0]
    assert bits(program(1, 0)[0]) == "inf"
    assert isinstance(program(4, 2)[0], float)
    with pytest.raises(TypeError, match="an input of the program takes a real number, not str"):
        program("1", 2)
    with pytest.raises(TypeError, match="takes 2 inputs, got 1"):
        program(1.0)


def test_a_program_is_recorded_with_its_guards():
    kernel = ag.compile(lambda x, y: BRANCHING(x, y), exact=True)
    assert kernel(1.5, 1.0) == BRANCHING(1.5, 1.0)
    assert str(kernel.program) == str(BRANCHING)
    with pytest.raises(PathError):
        kernel(1.5, 3.0)


# --- guards

ORDERS = [
    ("<", 1.0, 2.0), ("<=", 2.0, 2.0), (">", 2.0, 1.0), (">=", 2.0, 2.0), ("==", 2.0, 2.0), ("!=", 1.0, 2.0),
    ("is real", -8.0, 2.0),
]  # fmt: skip
OTHERWISE = {
    "<": (2.0, 2.0), "<=": (2.0, 1.0), ">": (2.0, 2.0), ">=": (1.0, 2.0), "==": (1.0, 2.0), "!=": (2.0, 2.0),
    "is real": (-8.0, 0.5),
}  # fmt: skip
KINDS = [float, Value, Fraction, mpf]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(("comparison", "x", "y"), ORDERS)
def test_guards_are_checked(comparison, x, y, kind):
    other = OTHERWISE[comparison]
    for outcome, right, wrong in ((True, (x, y), other), (False, other, (x, y))):
        program = Program(2, (), (), (0,), [Guard(comparison, 0, 1, outcome)])
        program(*map(kind, right))
        text = "x0 ** x1 is real" if comparison == "is real" else f"x0 {comparison} x1"
        with pytest.raises(PathError) as caught:
            program(*map(kind, wrong))
        assert str(caught.value).startswith(f"{text} is {not outcome} here, with ")


@pytest.mark.parametrize("comparison", ["<", "<=", ">", ">=", "==", "!="])
def test_nan_is_unordered(comparison):
    guard = Guard(comparison, 0, -1, comparison == "!=")
    program = Program(1, (0.0,), (), (0,), [guard])
    assert bits(program(math.nan)[0]) == "nan"
    assert program(mp.nan)[0] != program(mp.nan)[0]
    assert math.isnan(program(Value(math.nan))[0].data)


def test_a_guard_is_checked_before_what_follows_it():
    program = recorded(lambda x: x**0.5, 4.0)
    with pytest.raises(PathError, match=r"x0 \*\* 0.5 is real is False here, with -4.0 and 0.5"):
        program(-4.0)


# --- mpmath


def uncertainty(program, args):
    """What rounding every result of a program by 4 units in the last place can do to its last output, to first order."""
    places = range(program.inputs + len(program.instructions))
    everything = Program(program.inputs, program.constants, program.instructions, places)
    nodes = everything(*[Value(x) for x in args])
    slopes = gradient(nodes[program.outputs[-1]], nodes)
    return math.fsum([4.0 * abs(slope) * math.ulp(node.data) for slope, node in zip(slopes, nodes, strict=True)])


def agrees(program, args):
    with mp.workdps(60):
        exact = program(*map(mpf, args))[-1]
        error = abs(exact - program(*args)[-1])
    assert error <= uncertainty(program, args) + 1e-300


@given(programs(SMOOTH))
def test_programs_in_multiple_precision(drawn):
    program = of_lines(drawn)
    if program.outputs[-1] >= 0:
        agrees(program, drawn.inputs)


@given(programs(SMOOTH, max_lines=6))
def test_programs_of_derivatives_in_multiple_precision(drawn):
    program = recorded(ag.grad(lambda *xs: drawn(xs) + 0.0 * xs[0], argnums=0), *drawn.inputs)
    if program.outputs[-1] >= 0:
        agrees(program, drawn.inputs)


@pytest.mark.parametrize("name", [name for name in TABLE if name != "difference_error"])  # which is of floats
def test_every_primitive_in_multiple_precision(name):
    primitive, reference = TABLE[name], REFERENCES[name]
    larger = reference.larger[0] if reference.larger else None
    for args in points(primitive, 60, "multiple precision"):
        exact = evaluate(reference.value, *args)
        if exact is None or abs(exact) > 1e305:
            continue
        program = Program(len(args), (), [Instruction(primitive, tuple(range(len(args))))], (len(args),))
        with mp.workdps(60):
            (result,) = program(*map(mpf, args))
            off = abs(result - exact)
            size = max(abs(exact), abs(larger(*map(mpf, args))) if larger else 0)
        assert ulps(float(result), exact, size) <= 0.5001, (args, result, exact)
        assert off <= AGREEMENT * size + mpf(10) ** -400_000, (args, result, exact)  # erfc of the reference ends there


def test_the_precision_is_the_contexts():
    program = record(lambda x: TABLE["sin"](x) * 0.1, 1)
    with mp.workdps(100):
        assert abs(program(mpf(1))[0] - mp.sin(1) * mpf(0.1)) < mpf(10) ** -98
        assert abs(program(mpf(1))[0] - Fraction(1, 10) * mp.sin(1)) > mpf(10) ** -20
    other = mp.clone()
    other.dps = 30
    assert program(other.mpf(1))[0].context is other


HARD = [
    ("divide", (1, 0), "inf"), ("divide", (-1, 0), "-inf"), ("divide", (0, 0), "nan"), ("reciprocal", (0,), "inf"),
    ("log", (0,), "-inf"), ("log", (-1,), "nan"), ("sqrt", (-1,), "nan"), ("arcsin", (2,), "nan"), ("arctanh", (1,), "inf"),
    ("power", (0, -1), "inf"), ("power", (0, 0), "1.0"), ("power", (-2, 3), "-8.0"), ("power", (2, math.inf), "inf"),
    ("power", (0.5, math.inf), "0.0"), ("power", (math.nan, 0), "1.0"), ("power", (1, math.nan), "1.0"),
    ("power", (-1, math.inf), "1.0"), ("power", (-math.inf, 3), "-inf"), ("power", (-math.inf, 0.5), "inf"),
    ("power", (2, math.nan), "nan"), ("mod", (5, math.inf), "5.0"), ("mod", (-5, math.inf), "inf"), ("mod", (5, 0), "nan"),
    ("floor_divide", (-5, math.inf), "-1.0"), ("floor_divide", (5, 0), "inf"), ("floor_divide", (7, -2), "-4.0"),
    ("floor", (math.inf,), "inf"), ("rint", (2.5,), "2.0"), ("trunc", (-2.5,), "-2.0"), ("around", (2.675, 2), "2.67"),
    ("around", (1, 0.5), "nan"), ("around", (math.inf, 1), "inf"), ("around", (1250, -2), "1200.0"), ("xlogy", (0, 0), "0.0"),
    ("if_reached", (0.5, 3, 0), "3.0"), ("if_reached", (0, math.nan, 0), "0.0"),
    ("difference", (math.inf, math.inf), "0.0"), ("difference_error", (0.1, 1e9), "0.0"),
    ("power_quotient", (0, 0, 2), "0.0"), ("power_quotient", (1, 0, 2), "inf"), ("power_quotient", (0, math.nan, 2), "nan"),
    ("logsumexp", (math.inf, 1), "inf"), ("logsumexp", (-math.inf, -math.inf), "-inf"), ("logaddexp", (math.nan, 1), "nan"),
    ("silu", (-math.inf,), "0.0"), ("gelu", (-math.inf,), "0.0"), ("sigmoid", (-math.inf,), "0.0"), ("erfc", (1e200,), "0.0"),
    ("hypot_derivative", (0, 0, 1, 0), "0.0"), ("hypot_derivative", (-math.inf, 1, 1, 0), "-1.0"),
    ("hypot_derivative", (math.inf, math.inf, 1, 0), "nan"), ("inverse_power_real", (0, 0, 1), "nan"),
    ("inverse_power_real", (math.inf, 0, 1), "0.0"), ("power_derivative", (0, 2, 0, 1), "0.0"),
    ("power_derivative", (-2, 0.5, 1, 0), "nan"), ("power_derivative", (-2, 3, 2, 0), "-12.0"),
    ("power_derivative", (0, 0, 1, 0), "0.0"), ("silu_derivative", (-math.inf, 3), "0.0"), ("flat", (math.nan,), "nan"),
    ("normal_pdf", (1, 0.5), "nan"), ("maximum", (1, math.nan), "nan"), ("copysign", (2, -1), "-2.0"), ("sign", (-3,), "-1.0"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "expected"), HARD)
def test_hard_points_are_the_same_in_multiple_precision(name, args, expected):
    program = Program(len(args), (), [Instruction(TABLE[name], tuple(range(len(args))))], (len(args),))
    (result,) = program(*map(mpf, args))
    assert repr(float(result) + 0.0) == expected
    assert name == "difference_error" or repr(program(*args)[0] + 0.0) == expected


def test_a_complex_power_is_an_error():
    program = Program(2, (), [Instruction(power, (0, 1))], (2,))
    for kind in (float, Fraction, mpf, Value):
        with pytest.raises(ValueError, match="power.* is complex"):
            program(kind(-8), kind(0.5))


def test_what_mpmath_does_not_know_is_named():
    own = Primitive("swish", lambda x: x, (lambda r, x: 1.0,), log.domain, "its own")
    program = Program(1, (), [Instruction(own, (0,))], (1,))
    for kind, what in ((mpf, "is not known in mpmath's numbers"), (Fraction, "has no exact value")):
        with pytest.raises(NumberError, match=rf"swish\(2(.0)?\) {what}"):
            program(kind(2))


# --- fractions

RATIONAL = (
    "add", "subtract", "multiply", "divide", "negative", "positive", "absolute", "reciprocal", "square", "mod", "floor_divide",
    "relu", "leaky_relu", "maximum", "minimum", "clip", "where", "sign", "step", "copysign", "floor", "ceil", "trunc", "rint",
    "sum", "dot", "stop_gradient",
)  # fmt: skip
EXACTLY = {
    "add": lambda x, y: x + y, "subtract": lambda x, y: x - y, "multiply": lambda x, y: x * y, "divide": lambda x, y: x / y,
    "negative": lambda x: -x, "positive": lambda x: x, "absolute": abs, "reciprocal": lambda x: 1 / x,
    "square": lambda x: x**2, "mod": lambda x, y: x % y, "floor_divide": lambda x, y: x // y, "relu": lambda x: max(x, 0),
    "leaky_relu": lambda x, slope: x if x > 0 else slope * x, "maximum": max, "minimum": min,
    "clip": lambda x, low, high: min(max(x, low), high), "where": lambda c, x, y: x if c else y,
    "sign": lambda x: (x > 0) - (x < 0), "step": lambda x: int(x > 0), "copysign": lambda x, y: abs(x) if y >= 0 else -abs(x),
    "floor": math.floor, "ceil": math.ceil, "trunc": math.trunc, "rint": round, "sum": lambda *xs: sum(xs),
    "dot": lambda x, y: x * y, "stop_gradient": lambda x: x,
}  # fmt: skip


@given(programs(RATIONAL, max_lines=10))
def test_fractions_are_exact(drawn):
    def exactly(primitive, *args):
        return Fraction(EXACTLY[primitive.name](*map(Fraction, args)))

    expected = drawn.run(list(map(Fraction, drawn.inputs)), exactly)
    result = of_lines(drawn)(*map(Fraction, drawn.inputs))
    assert result == expected
    assert {type(x) for x in result} == {Fraction}


@given(st.fractions(-5, 5), st.fractions(1, 5), st.integers(-4, 4), st.integers(1, 3))
def test_derivatives_of_rational_functions_are_exact(a, b, n, m):
    x, y = sympy.symbols("x y")

    def function(x, y):
        return (x * x - y) ** float(n) / (y + x * x) ** float(m) + x**3.0 * y - abs(x - 7.0)

    program = recorded(lambda x, y: ag.hessian(lambda v: function(v[0], v[1]))([x, y]), 3.0, 2.0)
    at = {x: sympy.Rational(a.numerator, a.denominator), y: sympy.Rational(b.numerator, b.denominator)}
    if a * a == b:
        return
    symbolic = (x * x - y) ** n / (y + x * x) ** m + x**3 * y + x - 7
    expected = [sympy.diff(symbolic, p, q).subs(at) for p in (x, y) for q in (x, y)]
    assert program(a, b) == [Fraction(int(z.p), int(z.q)) for z in expected]


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (lambda x: TABLE["sqrt"](x), (4,)),
        (lambda x: TABLE["logaddexp"](x, x), (1,)),
        (lambda x: TABLE["exp"](x), (0,)),
        (lambda x: 1.0 / x, (0,)),
        (lambda x, y: x**y, (4, Fraction(1, 2))),
        (lambda x, y: x**y, (0, -1)),
        (lambda x, y: x**y, (3, 10**9)),
        (lambda x, y: x % y, (3, 0)),
        (lambda x: x * math.inf, (3,)),
        (lambda x: TABLE["logistic_pdf"](x), (3,)),
        (lambda x: TABLE["around"](x, 0.5), (3,)),
        (lambda x: TABLE["power_derivative"](x, 2.0, 0.0, 1.0), (3,)),
        (lambda x: TABLE["power_quotient"](x, 0.0, 1.0), (3,)),
        (lambda x: TABLE["inverse_power_real"](x, 0.0, 1.0), (0,)),
    ],
)
def test_what_has_no_exact_value_is_named(function, args):
    program = record(function, len(args))
    with pytest.raises(NumberError, match=rf"^{program.instructions[0].primitive.name}\(.*has no exact value"):
        program(*map(Fraction, args))


def test_infinities_are_compared_and_chosen_among_fractions():
    program = record(lambda x: [TABLE["maximum"](x, -math.inf), TABLE["clip"](x, -1.0, math.inf), math.inf], 1)
    assert program(Fraction(1, 3)) == [Fraction(1, 3), Fraction(1, 3), math.inf]
    assert record(lambda x: TABLE["floor"](TABLE["minimum"](x, math.inf)), 1)(Fraction(7, 2)) == [3]


def test_the_smaller_exact_ones():
    program = record(
        lambda x, y: [
            x**3.0, x**-2.0, TABLE["around"](x, 1.0), TABLE["power_derivative"](x, 3.0, 2.0, 0.0),
            TABLE["inverse_power_real"](x, y, 2.0), TABLE["inverse_power_imaginary"](x, y, 1.0),
            TABLE["power_quotient"](x, y, 3.0), TABLE["share"](x, y), TABLE["one_minus_square"](x),
        ],
        2,
    )  # fmt: skip
    x, y = Fraction(1, 3), Fraction(2, 5)
    size = x * x + y * y
    assert program(x, y) == [
        x**3, 1 / x**2, Fraction(3, 10), 6 * x, (x * x - y * y) / size**2, -y / size, x / y**3, x / (x + y), 1 - x * x,
    ]  # fmt: skip
    assert program(x, 0.4)[5] == -Fraction(0.4) / (x * x + Fraction(0.4) ** 2)
