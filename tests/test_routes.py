"""Routes: their number, and those that contribute most, against all of them listed one by one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import sweep
from programs import EVERYTHING, programs
from values import SPECIAL, bits, classic, in_small_thread


def listed(y, x):
    """All routes from x to y as chains of edges, by walking up from x; and their products, from y downwards."""
    edges = []
    ag.gradient(y, x, visit=edges.append)
    found, waiting = [], [[]]
    while waiting:
        chain = waiting.pop()
        end = chain[-1].node if chain else x
        if end is y:
            product = 1.0
            for edge in reversed(chain):
                product = sweep.product(edge.node.op, edge.slot, product, edge.partial)
            found.append((chain, sweep.number_of(product)))
        waiting += [[*chain, edge] for edge in edges if edge.operand is end]
    return found


def size(x):
    return math.inf if x != x else abs(x)


def test_the_classic_expression():
    a, b, c, d, e = classic()
    e.label = "e"
    found = ag.show.routes(e, b)
    assert (found.count, found.gradient, len(found)) == (2, 5.0, 2)
    assert [(route.values, route.product) for route in found] == [((b, d, e), 3.0), ((b, c, e), 2.0)]
    assert [[edge.partial for edge in route.edges] for route in found] == [[3.0, 1.0], [2.0, 1.0]]
    assert str(found) == (
        "2 routes lead from b to e; their products add up to ∂e/∂b = 5\n"
        "  3   b → v2 → e\n"
        "  2   b → v1 → e"
    )  # fmt: skip
    assert repr(found) == "<Routes from b to e: 2, 2 of them listed>"
    assert str(ag.show.routes(e, a)) == "1 route leads from a to e; its product is ∂e/∂a = 2\n  2   a → v1 → e"
    assert str(ag.show.routes(e, b, k=1)).endswith("  3   b → v2 → e\n  … 1 more, each no larger")
    assert str(ag.show.routes(c, d)) == "no route leads from v1 to f"


@given(programs(EVERYTHING, numbers=SPECIAL | st.floats(-3.0, 3.0), valid=False, max_lines=7), st.integers(0, 12))
def test_number_and_largest_are_those_of_all_listed(program, k):
    leaves = [ag.Value(x) for x in program.inputs]
    y = program(leaves)
    for x in leaves:
        every = listed(y, x)
        if len(every) > 2000:
            continue
        found = ag.show.routes(y, x, k)
        assert found.count == len(every)
        assert len(found) == min(k, len(every))
        products = sorted([product for _, product in every], key=lambda p: (p == p, -size(p)))
        assert [size(route.product) for route in found] == [size(p) for p in products[:k]]
        known = {tuple((edge.node, edge.slot) for edge in reversed(chain)): product for chain, product in every}
        chains = [tuple((edge.node, edge.slot) for edge in route.edges) for route in found]
        assert len(set(chains)) == len(chains)
        for route, chain in zip(found, chains, strict=True):
            assert bits(known[chain]) == bits(route.product)
            assert route.values[0] is x
            assert route.values[-1] is y


@given(programs(EVERYTHING))
def test_the_products_add_up_to_the_gradient(program):
    leaves = [ag.Value(x) for x in program.inputs]
    y = program(leaves)
    for x in leaves:
        found = ag.show.routes(y, x, k=5000)
        if found.count <= 5000:
            largest = max([abs(route.product) for route in found], default=0.0)
            assert math.fsum([route.product for route in found]) == pytest.approx(found.gradient, rel=1e-9, abs=1e-9 * largest)
        assert found.gradient == ag.gradient(y, x)


def test_where_every_operand_has_a_derivative_they_are_the_chains_of_edges():
    x = y = ag.Value(0.5)
    for _ in range(9):
        y = y * y + x
    assert ag.show.routes(y, x).count == ag.routes(y)[x]


def test_no_route_leads_where_nothing_is_differentiated():
    x = ag.Value(2.0)
    assert ag.show.routes(x.stop_gradient() * 2.0, x).count == 0
    assert ag.show.routes(x.stop_gradient() * x, x).count == 1
    assert ag.routes(x.stop_gradient() * x)[x] == 2  # chains of edges, whatever they carry


def test_a_thousand_million_million_routes():
    x = y = ag.Value(1.0, "x")
    for _ in range(50):
        y = y + y
    found = ag.show.routes(y, x, k=3)
    assert (found.count, found.gradient) == (2**50, 2.0**50)
    assert str(found).startswith("1,125,899,906,842,624 routes lead from x to f")
    assert len({tuple(edge.slot for edge in route.edges) for route in found}) == 3
    assert [route.product for route in found] == [1.0] * 3


def test_the_largest_of_very_many():
    x = y = ag.Value(1.0, "x")
    for i in range(200):
        y = y * (1.0 + i % 3) + y * 0.5
    found = ag.show.routes(y, x, k=2)
    assert found.count == 2**200
    assert found.largest[0].product == pytest.approx(math.prod([1.0 + i % 3 for i in range(200)]))
    assert found.largest[1].product == pytest.approx(found.largest[0].product / 2)


def test_zeros_infinities_and_nan():
    x = ag.Value(2.0)
    y = ag.sum(x * 0.0, x * math.inf, x * -3.0, x * math.nan, x * -0.0)
    assert [bits(route.product) for route in ag.show.routes(y, x)] == [bits(p) for p in (math.nan, math.inf, -3.0, -0.0, 0.0)]


def test_a_deep_graph():
    x = y = ag.Value(0.5)
    for _ in range(20_000):
        y = (y * y + y) * 0.5

    def work():
        found = ag.show.routes(y, x, k=2)
        assert "routes lead" in str(found)
        assert str(found).startswith("about 10^9542 routes lead")
        assert found.count == 3**20_000

    in_small_thread(work)


def test_from_a_value_to_itself_there_is_one_route_without_edges():
    x = ag.Value(2.0, "x")
    found = ag.show.routes(x, x)
    assert (found.count, found.gradient, [route.edges for route in found]) == (1, 1.0, [()])


def test_errors():
    e = classic()[-1]
    with pytest.raises(TypeError, match="from a Value to a Value, not float 1.0"):
        ag.show.routes(e, 1.0)
    with pytest.raises(TypeError, match="k is how many routes to list, an int"):
        ag.show.routes(e, e, k=1.0)
    with pytest.raises(ValueError, match="0 or more, not -1"):
        ag.show.routes(e, e, k=-1)
