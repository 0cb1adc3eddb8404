"""Transforms against exact arithmetic: polynomials bit for bit, and laws between the transforms with proved rounding bounds.

u = 2^-53 bounds the relative error of one rounding. A derivative is a sum over routes of products of partials, so a sweep over
E edges errs by at most 2 E u times the sum of the routes' absolute values (to first order; 1 % is added for the rest), however
its terms are grouped.
"""

import math
from fractions import Fraction
from itertools import pairwise

from hypothesis import assume, example, given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.primitives import TABLE
from programs import ARITHMETIC, SMOOTH, Line, Program, programs

U = 2.0**-53
quarters = st.integers(-8, 8).map(lambda k: k / 4)


# --- polynomials, exactly


class Polynomial(dict):
    """Exponents of the variables -> coefficient, a Fraction."""

    def __add__(self, other):
        return Polynomial({key: self.get(key, 0) + other.get(key, 0) for key in {*self, *other}})

    def __neg__(self):
        return Polynomial({key: -c for key, c in self.items()})

    def __mul__(self, other):
        product = Polynomial()
        for a, c in self.items():
            for b, d in other.items():
                key = tuple(map(sum, zip(a, b, strict=True)))
                product[key] = product.get(key, 0) + c * d
        return product

    def derivative(self, i):
        return Polynomial({(*key[:i], key[i] - 1, *key[i + 1 :]): c * key[i] for key, c in self.items() if key[i]})

    def __call__(self, point):
        return sum((c * math.prod(map(pow, point, key)) for key, c in self.items()), Fraction(0))


EXACT = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a + -b,
    "multiply": lambda a, b: a * b,
    "negative": lambda a: -a,
    "square": lambda a: a * a,
    "positive": lambda a: a,
}


def polynomials_of(program):
    """All results of a program of ARITHMETIC as polynomials in its inputs."""
    n = len(program.inputs)
    variables = [Polynomial({tuple(int(i == j) for j in range(n)): Fraction(1)}) for i in range(n)]
    lift = lambda x: x if isinstance(x, Polynomial) else Polynomial({(0,) * n: Fraction(x)})
    return program.run(variables, lambda primitive, *operands: EXACT[primitive.name](*map(lift, operands)))


def bits_needed(program):
    """A bound on the bits of every number in the first two derivatives of every result, with inputs that are quarters.

    A result of degree d is a multiple of 4^-d, and so are its derivatives. Take absolute values throughout and add 1 to every
    node: the result then is a polynomial in these 1s with non-negative coefficients, hence at least as large as each of its
    derivatives by nodes of order one, half of those of order two, and every partial sum on the way to them.
    """

    def bounded(primitive, *operands):
        (a, d), (b, e) = [x if isinstance(x, tuple) else (abs(Fraction(x)) + 1, 1) for x in (operands * 2)[:2]]
        if primitive.name in ("multiply", "square"):
            return a * b + 1, d + e
        return (a + b if len(operands) == 2 else a) + 1, max(d, e)

    results = program.run([(abs(Fraction(x)) + 1, 1) for x in program.inputs], bounded)
    return max(math.log2(2 * size) + 2 * degree for size, degree in results)


@st.composite
def exact_programs(draw):
    """Polynomials at quarters, as long as doubles hold every number exactly."""
    program = draw(programs(ARITHMETIC, numbers=quarters, max_inputs=3, max_lines=8, largest=1e6))
    lines = program.lines
    while bits_needed(Program(program.inputs, lines)) > 53.0:
        lines = lines[:-1]
    return Program(program.inputs, lines)


@given(exact_programs(), st.data())
def test_all_derivatives_of_polynomials_are_exact(program, data):
    point, n = list(program.inputs), len(program.inputs)
    v = data.draw(st.lists(quarters, min_size=n, max_size=n))
    exact = polynomials_of(program)
    at = [Fraction(x) for x in point]
    value, gradient = ag.value_and_grad(program)(point)
    assert Fraction(value) == exact[-1](at)
    assert gradient == [exact[-1].derivative(i)(at) for i in range(n)]
    hessian = [[exact[-1].derivative(i).derivative(j)(at) for j in range(n)] for i in range(n)]
    assert ag.hessian(program)(point) == hessian
    rows = [[p.derivative(i)(at) for i in range(n)] for p in exact]
    assert ag.jacobian(program.run)(point) == rows
    assert ag.jacobian(lambda x: program.run(x)[-1:])(point) == rows[-1:]
    assume(bits_needed(program) < 50)  # the products below add up to three of these numbers, times quarters up to 2
    assert ag.jvp(program.run, point, v) == [sum(map(Fraction.__mul__, row, map(Fraction, v))) for row in rows]
    assert ag.hvp(program, point, v) == [sum(map(Fraction.__mul__, row, map(Fraction, v))) for row in hessian]


def test_the_exact_programs_are_not_trivial():
    program = Program((1.25, -2.0), (Line("multiply", (0, 1)), Line("square", (2,)), Line("subtract", (3, 0))))
    assert bits_needed(program) < 53.0
    assert polynomials_of(program)[-1] == {(2, 2): 1, (1, 0): -1}
    assert ag.grad(program)([1.25, -2.0]) == [9.0, -6.25]


def rosenbrock(x):
    return ag.sum([100 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in pairwise(x)])


@given(st.lists(st.integers(-1000, 1000), min_size=10, max_size=10))
def test_hessian_of_rosenbrock_is_exact_at_integers(x):
    expected = [[0] * 10 for _ in x]
    for i in range(9):
        expected[i][i] += 1200 * x[i] ** 2 - 400 * x[i + 1] + 2
        expected[i + 1][i + 1] += 200
        expected[i][i + 1] = expected[i + 1][i] = -400 * x[i]
    assert ag.hessian(rosenbrock)(x) == expected
    assert ag.hvp(rosenbrock, x, [1] * 10) == [sum(row) for row in expected]


# --- laws between the transforms, on programs of all smooth primitives


def absolute_routes(edges, weights):
    """For each node the sum over its routes to the roots of the product of absolute partials, given the roots' own weights."""
    sums = dict(weights)
    for edge in edges:
        size = abs(getattr(edge.partial, "data", edge.partial))
        assume(size == 0.0 or 1e-15 < size < 1e15)  # no product of so few of these underflows
        sums[edge.operand] = sums.get(edge.operand, 0.0) + sums.get(edge.node, 0.0) * size
    return sums


def edges_of(y, leaves):
    edges = []
    ag.gradient(y, leaves, visit=edges.append)
    return edges


@given(programs())
def test_forward_mode_equals_reverse_mode(program):
    point, n = list(program.inputs), len(program.inputs)
    leaves = [Value(x) for x in point]
    y = program(leaves)
    edges = edges_of(y, leaves)
    sums = absolute_routes(edges, {y: 1.0})
    reverse = ag.grad(program)(point)
    forward = [ag.jvp(program, point, [float(i == j) for j in range(n)]) for i in range(n)]
    columns = [row[0] for row in zip(*ag.jacobian(lambda x: [program(x)] * (n + 1))(point), strict=True)]
    assert forward == columns
    for leaf, a, b in zip(leaves, forward, reverse, strict=True):
        assert abs(Fraction(a) - Fraction(b)) <= 1.01 * 4 * len(edges) * U * sums.get(leaf, 0.0)


@given(programs(max_lines=8), st.data())
def test_vjp_is_the_transpose_of_jvp(program, data):
    point, n = list(program.inputs), len(program.inputs)
    f = lambda x: program.run(x)[-3:]
    leaves = [Value(x) for x in point]
    outputs = f(leaves)
    v = data.draw(st.lists(quarters, min_size=n, max_size=n))
    w = data.draw(st.lists(quarters, min_size=len(outputs), max_size=len(outputs)))
    dot = lambda a, b: sum((Fraction(x) * Fraction(y) for x, y in zip(a, b, strict=True)), Fraction(0))
    count, size = 0, 0.0
    for y, weight in zip(outputs, w, strict=True):
        edges = edges_of(y, leaves)
        sums = absolute_routes(edges, {y: abs(weight)})
        count += len(edges)
        size += sum(sums.get(leaf, 0.0) * abs(x) for leaf, x in zip(leaves, v, strict=True))
    left, right = dot(w, ag.jvp(f, point, v)), dot(v, ag.vjp(f, point, w))
    assert abs(left - right) <= 1.01 * 4 * (count + 4) * U * size


@given(programs())
def test_values_get_the_bits_that_floats_get(program):
    values = [Value(x) for x in program.inputs]
    assert [getattr(d, "data", d) for d in ag.grad(program)(values)] == ag.grad(program)(list(program.inputs))


@given(programs())
@example(
    Program(  # c*x + (b*x + a*x) and (a*x + b*x) + c*x
        (1.0, 1.0),
        (
            *[Line("multiply", (0, c)) for c in (0.1, 0.2, 0.3)],
            *[Line("add", pair) for pair in ((3, 2), (2, 3), (4, 5), (6, 4))],
        ),
    )
)
def test_rows_of_a_jacobian_have_the_bits_of_the_gradients(program):
    point = list(program.inputs)
    count = min(len(point), len(program.lines))
    rows = ag.jacobian(lambda x: program.run(x)[-count:])(point)
    assert rows == [ag.grad(lambda x, i=i: program.run(x)[i])(point) for i in range(-count, 0)]


SHARED = ("add", "subtract", "multiply", "divide", *[name for name in SMOOTH if len(TABLE[name].domain) == 1])


def second_partials(node):
    """For each pair of slots of a node the absolute second partial, summed over the routes through its rule."""
    leaves = {slot: Value(x.data) for slot, x in enumerate(node.args) if isinstance(x, Value)}
    operands = [leaves.get(slot, x) for slot, x in enumerate(node.args)]
    r = node.op(*operands)
    found = {}
    for a in leaves:
        partial = node.op.partials[a](r, *operands)
        if isinstance(partial, Value):
            sums = absolute_routes(edges_of(partial, list(leaves.values())), {partial: 1.0})
            found.update({(a, b): sums.get(leaf, 0.0) for b, leaf in leaves.items()})
    return found


@given(programs([name for name in SHARED if not TABLE[name].variadic], max_lines=7, largest=30.0))
@example(Program((1.0, 2.0), (Line("divide", (0, 1)), Line("tanh", (2,)), Line("multiply", (3, 1)))))
def test_hessians_are_symmetric(program):
    """H_ij = sum over nodes of adjoint * second partial * tangents i and j. Both triangles use the same partials (those of a
    quotient differ by less than 16 u), so they differ by the grouping of their terms alone."""
    point, n = list(program.inputs), len(program.inputs)
    leaves = [Value(x) for x in point]
    y = program(leaves)
    edges = edges_of(y, leaves)
    adjoints = absolute_routes(edges, {y: 1.0})
    tangents = {leaf: [float(i == j) for j in range(n)] for i, leaf in enumerate(leaves)}
    by_node = {}
    for edge in edges:
        by_node.setdefault(edge.node, []).append(edge)
    for node in ag.topological_order(y):
        tangents.setdefault(node, [0.0] * n)
        if node in by_node:
            below = [(abs(e.partial), tangents[e.operand]) for e in by_node[node]]
            tangents[node] = [sum(size * tangent[i] for size, tangent in below) for i in range(n)]
    size = [[0.0] * n for _ in range(n)]
    for node in by_node:
        for (a, b), second in second_partials(node).items():
            for i in range(n):
                for j in range(n):
                    size[i][j] += adjoints[node] * second * tangents[node.args[a]][i] * tangents[node.args[b]][j]
    gradient = [g for g in ag.gradient(y, leaves, create_graph=True) if isinstance(g, Value)]
    count = sum(isinstance(x, Value) for node in ag.topological_order(*gradient) for x in node.args)
    hessian = ag.hessian(program)(point)
    for i in range(n):
        for j in range(i):
            difference = abs(Fraction(hessian[i][j]) - Fraction(hessian[j][i]))
            assert difference <= 1.01 * (4 * count + 16) * U * max(size[i][j], size[j][i])
