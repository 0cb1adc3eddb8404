"""The compiled engine and the one in Python give the same bits, the same graphs and the same errors, on whatever comes.

AUTOGRAD_LITE_GRAPHS sets the number of random graphs: 100000 is the full run.
"""

import math
import operator
import os
import random
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_lite.primitives import TABLE
from engines import installed, load_engine
from programs import EVERYTHING, Line, Program, programs
from values import SPECIAL, bits

ENGINES = (load_engine(pure=True), load_engine(pure=False))
GRAPHS = int(os.environ.get("AUTOGRAD_LITE_GRAPHS", "3000"))
ODD_NUMBERS = (
    *(0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, 3.0, -7.0, 0.1, math.pi, math.nan, math.inf, -math.inf, 1e308, -1.7e308),
    *(5e-324, -5e-324, 2.2250738585072014e-308, 1e-310, -1e-160, 1e160, 2.0**53, 1.0 + 2.0**-52, 709.78, -745.2, 1e22, 171.6),
)


def test_the_two_engines_are_two():
    assert [package.engine_name for package in ENGINES] == ["python", "native"]
    assert ENGINES[0].Value is not ENGINES[1].Value


REWORDED = (
    # CPython names a class written in C with its module, one written in Python without.
    (r"\bautograd_lite\.engine\.Value\b", "Value"),
)


def caught(work):
    """What it returns, or the type and the message of what it raises, but for what is REWORDED."""
    try:
        return work()
    except Exception as error:
        message = str(error)
        for pattern, replacement in REWORDED:
            message = re.sub(pattern, replacement, message)
        return type(error).__name__, message


def structure(package, roots):
    """A graph without identities: for each node in topological order its operation, its arguments and its bits."""
    order = package.topological_order(*[x for x in roots if isinstance(x, package.Value)])
    place = {node: i for i, node in enumerate(order)}
    nodes = [
        (node.op and node.op.name, [bits(x) if isinstance(x, float) else place[x] for x in node.args], bits(node.data))
        for node in order
    ]
    return nodes, [bits(x) if isinstance(x, float) else place[x] for x in roots]


def is_nan(x):
    number = x if isinstance(x, float) else x.data
    return number != number


def recorded(package, program, leaves):
    """The results of a program up to its first error, and the error or None."""
    results = list(leaves)
    for line in program.lines:
        operands = [results[x] if isinstance(x, int) else x for x in line.operands]
        if line.name == "copysign" and is_nan(operands[1]):  # the one function to which the sign of a nan is not all one
            operands[1] = 1.0
        try:
            results.append(package.primitives.TABLE[line.name](*operands))
        except (ValueError, TypeError, ArithmeticError) as error:
            return results, (type(error).__name__, str(error))
    return results, None


def outcome(package, program):
    """All that an engine says of a program, in comparable form."""
    leaves = [package.Value(x) for x in program.inputs]
    results, error = recorded(package, program, leaves)
    nodes = [x for x in results if isinstance(x, package.Value)]
    found = [error, structure(package, results)]
    root = nodes[-1]

    def numbers():
        return [bits(x) for x in package.gradient(root, nodes)]

    def higher():
        first = package.gradient(root, leaves, create_graph=True)
        second = package.gradient(first[0], leaves, create_graph=True)
        return structure(package, first), structure(package, second), [bits(x) for x in package.gradient(second[-1], leaves)]

    for node in nodes:
        found.append(caught(node.backward))
    found.append([bits(node.grad) for node in nodes])
    return [*found, caught(numbers), caught(higher)]


def transformed(package, program):
    """What jvp, hvp, vjp and hessian give for a program as a function of its inputs."""

    def f(xs):
        results, error = recorded(package, program, xs)
        if error:
            raise ValueError(error)
        return results[-1]

    xs, vs = list(program.inputs), [1.0, -0.5, 2.0, 0.25][: len(program.inputs)]

    def flat(result):
        return [flat(x) for x in result] if isinstance(result, list) else bits(result)

    with installed(package):
        return [
            caught(lambda: flat(package.jvp(f, xs, vs))),
            caught(lambda: flat(package.vjp(f, xs, 1.5))),
            caught(lambda: flat(package.hvp(f, xs, vs))),
            caught(lambda: flat(package.hessian(f)(xs))),
        ]


def check(program, transforms=True):
    python, native = [outcome(package, program) for package in ENGINES]
    assert native == python, program
    if transforms:
        python, native = [transformed(package, program) for package in ENGINES]
        assert native == python, program


@given(programs(EVERYTHING, SPECIAL, max_lines=8, valid=False))
@settings(max_examples=60)
def test_small_graphs_that_hypothesis_draws(program):
    check(program)


def number(source):
    """An ordinary number, an odd one, or any bits at all."""
    kind = source.random()
    if kind < 0.5:
        return source.uniform(-3.0, 3.0)
    return source.choice(ODD_NUMBERS) if kind < 0.85 else source.choice((1.0, -1.0)) * math.exp(source.uniform(-740.0, 709.0))


def random_program(source):
    """As `programs.programs` draws one with `valid=False`; a thousand of these are made while Hypothesis makes ten."""
    inputs = tuple([number(source) for _ in range(source.randint(1, 4))])
    lines: list[Line] = []
    for i in range(source.randint(1, 10)):
        name = source.choice(EVERYTHING)
        primitive = TABLE[name]
        count = source.choice((0, 1, 2, 3, 20)) if primitive.variadic else len(primitive.domain)
        if name == "dot":
            count = 2 * source.randint(0, 12)
        known = len(inputs) + i
        operands = [
            source.randrange(max(0, known - 4), known) if source.random() < 0.8 else number(source) for _ in range(count)
        ]
        lines.append(Line(name, tuple(operands)))
    return Program(inputs, tuple(lines))


def test_many_random_graphs():
    source = random.Random(20240229)
    for i in range(GRAPHS):
        check(random_program(source), transforms=i % 8 == 0)


# --- operands of any kind

BINARY = (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "lt", "le", "gt", "ge", "eq", "ne"),
    *("iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow", "matmul", "and_", "lshift"),
)
OPERATORS = {name: getattr(operator, name) for name in BINARY} | {"divmod": divmod, "pow": pow}
OPERANDS = {
    "int": 3,
    "zero": 0,
    "bool": True,
    "fraction": Fraction(1, 3),
    "float64": np.float64(0.7),
    "float32": np.float32(0.7),
    "int64": np.int64(-2),
    "array of no dimension": np.array(1.5),
    "array": np.array([1.0, 2.0]),
    "huge int": 10**400,
    "negative huge int": -(10**400),
    "large int": 2**1023 + 1,
    "huge fraction": Fraction(10**400, 3),
    "complex": 1j,
    "text": "1.0",
    "none": None,
    "list": [1.0],
    "tuple": (1.0, 2.0),
    "nan": math.nan,
    "minus zero": -0.0,
    "infinity": math.inf,
    "object": object,
}


class Doubled(float):
    """A float of another class."""


OPERANDS["float of another class"] = Doubled(0.25)


def described(package, x):
    """A result without identities: graphs by their structure, containers and arrays item by item."""
    if isinstance(x, package.Value):
        return type(x).__name__, structure(package, [x]), x.label
    if isinstance(x, (list, tuple)):
        return type(x).__name__, [described(package, item) for item in x]
    if isinstance(x, np.ndarray):
        return "array", x.shape, [described(package, item) for item in x.ravel()]
    return type(x).__name__, bits(x) if isinstance(x, float) else repr(x)


def agreed(work):
    """`work` does the same on both engines: result, or type and message of the error."""
    told = []
    for package in ENGINES:
        # NumPy asks for the processor's flags after its loops; divisions in C set them, Python asks before it divides.
        with installed(package), np.errstate(all="ignore"):
            told.append(caught(lambda package=package: described(package, work(package))))
    assert told[1] == told[0]


def subclass_of(package):
    """A subclass of Value with a __dict__, one operator replaced."""

    class Tagged(package.Value):
        def __rsub__(self, other):
            return "replaced", other.data if isinstance(other, package.Value) else other

    return Tagged


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("kind", OPERANDS)
def test_operators_on_odd_operands(name, kind):
    apply, other = OPERATORS[name], OPERANDS[kind]
    for x in (1.5, -2.0, 0.0, math.nan):
        agreed(lambda package: apply(package.Value(x), other))
        agreed(lambda package: apply(other, package.Value(x)))
        agreed(lambda package: apply(subclass_of(package)(x), other))


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_between_a_value_and_its_subclass(name):
    apply = OPERATORS[name]
    agreed(lambda package: apply(package.Value(1.5), subclass_of(package)(2.5)))
    agreed(lambda package: apply(subclass_of(package)(2.5), package.Value(1.5)))
    agreed(lambda package: apply(subclass_of(package)(2.5), subclass_of(package)(-1.5)))


@pytest.mark.parametrize("name", EVERYTHING)
def test_functions_and_methods_on_odd_operands(name):
    count = len(TABLE[name].domain)
    for other in OPERANDS.values():
        for given_count in range(4):
            rest = [other] * given_count
            agreed(lambda package: package.primitives.TABLE[name](package.Value(0.5), *rest))
            agreed(lambda package: package.primitives.TABLE[name](*rest, package.Value(0.5)))
            agreed(lambda package: package.primitives.TABLE[name](*rest))
            agreed(lambda package: getattr(package.Value(0.5), name)(*rest))
            agreed(lambda package: package.primitives.TABLE[name]([package.Value(0.5), *rest], [1.0] * (given_count + 1)))
    agreed(lambda package: package.primitives.TABLE[name](*[subclass_of(package)(0.5)] * count))


@pytest.mark.parametrize("kind", OPERANDS)
def test_attributes_and_arguments_of_any_kind(kind):
    other = OPERANDS[kind]

    def assigned(package, name):
        x = package.Value(1.0)
        y = x * 2.0
        setattr(x, name, other)
        y.backward()
        return [x, x.grad]

    agreed(lambda package: package.Value(other))
    agreed(lambda package: package.Value(1.0, other))
    agreed(lambda package: package.Value(1.0).backward(other))
    agreed(lambda package: package.gradient(package.Value(1.0), other))
    agreed(lambda package: package.gradient(other, package.Value(1.0)))
    agreed(lambda package: round(package.Value(1.2345), other))
    agreed(lambda package: package.Value(package.Value(1.0)))
    for name in ("data", "grad", "label"):
        agreed(lambda package, name=name: assigned(package, name))


UNARY = (
    operator.neg,
    operator.pos,
    abs,
    bool,
    float,
    int,
    complex,
    round,
    math.floor,
    math.ceil,
    math.trunc,
    math.sin,
    str,
    len,
)


@pytest.mark.parametrize("apply", UNARY, ids=lambda apply: apply.__name__)
def test_operators_of_one_operand(apply):
    for x in ODD_NUMBERS:
        agreed(lambda package: apply(package.Value(x)))


@given(st.lists(SPECIAL, min_size=1, max_size=3), SPECIAL)
@settings(max_examples=30)
def test_data_assigned_after_recording(xs, new):
    """Either both engines find the graph stale, with one message, or both sweep it to the same bits."""

    def swept(package):
        leaves = [package.Value(x) for x in xs]
        y = package.sum([package.tanh(x) * x for x in leaves]) + leaves[0]
        leaves[-1].data = new
        gradients = package.gradient(y, leaves)
        y.backward()
        return [*gradients, *[x.grad for x in leaves]]

    agreed(swept)
