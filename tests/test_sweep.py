"""The sweep: each edge once, exact where it can be, the same bits watched or not, atomic, never stale, on any thread."""

import copy
import math
import pickle
import signal
import threading
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.engine import Value
from autograd_lite.primitives import TABLE
from autograd_lite.sweep import topological_order
from programs import ARITHMETIC, EVERYTHING, SMOOTH, Line, Program, programs
from values import SPECIAL, bits, classic

# --- the classic expression


def test_classic_expression():
    a, b, c, d, e = classic()
    assert e.data == 6.0
    e.backward()
    assert [v.grad for v in (a, b, c, d, e)] == [2.0, 5.0, 2.0, 3.0, 1.0]


def test_each_edge_is_visited_once_and_can_be_counted():
    a, b, c, d, e = classic()
    edges = []
    e.backward(visit=edges.append)
    assert [(edge.node, edge.operand, edge.adjoint, edge.partial, edge.contribution) for edge in edges] == [
        (e, c, 1.0, 2.0, 2.0),
        (e, d, 1.0, 3.0, 3.0),
        (d, b, 3.0, 1.0, 3.0),
        (c, a, 2.0, 1.0, 2.0),
        (c, b, 2.0, 1.0, 2.0),
    ]
    between = []
    assert ag.gradient(e, b, visit=between.append) == 5.0
    assert {(edge.node, edge.operand) for edge in between} == {(e, c), (e, d), (d, b), (c, b)}
    assert len(between) == 4
    assert ag.routes(e)[b] == 2


def test_fifty_doublings_take_a_hundred_edges_for_two_to_the_fifty_routes():
    x = y = Value(1.0)
    for _ in range(50):
        y = y + y
    edges = []
    y.backward(visit=edges.append)
    assert len(edges) == 100
    assert x.grad == 2.0**50
    assert ag.routes(y)[x] == 2**50


def test_a_thousand_doublings_are_exact():
    x = y = Value(1.0)
    for _ in range(1000):
        y = y + y
    y.backward()
    assert x.grad == 2.0**1000


@given(programs(EVERYTHING, max_lines=15))
def test_rule_calls_are_edges(program):
    """Each operand slot that holds a Value is an edge, and is passed once; slots without a derivative are no edges."""
    xs = [Value(x) for x in program.inputs]
    y = program(xs)
    edges = []
    y.backward(visit=edges.append)
    expected, reached = [], {y}
    for node in reversed(topological_order(y)):
        for slot, operand in enumerate(node.args if node in reached else ()):
            if isinstance(operand, Value) and node.op.partials[0 if node.op.variadic else slot] is not None:
                expected.append((id(node), slot))
                reached.add(operand)
    assert sorted((id(edge.node), edge.slot) for edge in edges) == sorted(expected)


# --- the sweep


@given(programs(EVERYTHING, SPECIAL, valid=False, max_lines=10))
def test_watched_unwatched_and_graph_sweeps_give_the_same_bits(program):
    xs = [Value(x) for x in program.inputs]
    y = program(xs)
    plain = ag.gradient(y, xs)
    y.backward()
    watched = ag.gradient(y, xs, visit=lambda edge: None)
    recorded = ag.gradient(y, xs, create_graph=True)
    assert list(map(bits, plain)) == list(map(bits, watched))
    assert list(map(bits, plain)) == [bits(g.data) for g in recorded]
    for x, g in zip(xs, plain, strict=True):
        expected = 1.0 if x is y else g
        assert bits(x.grad + 0.0) == bits(expected + 0.0)


@given(programs(SMOOTH), st.integers(1, 5))
def test_backward_twice_doubles_and_a_power_of_two_scales_exactly(program, k):
    xs = [Value(x) for x in program.inputs]
    y = program(xs)
    y.backward()
    once = [x.grad for x in xs]
    y.backward()
    assert [x.grad for x in xs] == [2.0 * g for g in once]
    for node in topological_order(y):
        node.grad = 0.0
    y.backward(seed=2.0**k)
    scaled = [x.grad for x in xs]
    assert all(s == 2.0**k * g for s, g in zip(scaled, once, strict=True))


@given(programs(ARITHMETIC, st.integers(-64, 64).map(lambda n: n / 8), max_lines=8, largest=1e4))
def test_arithmetic_programs_equal_exact_rationals(program):
    """On dyadic numbers small enough that nothing rounds, values and gradients equal those of Fractions carried forwards."""
    xs = [Value(x) for x in program.inputs]
    values = program.run(xs)
    exact = [Fraction(x) for x in program.inputs]

    def derivatives(i):
        tangents = [(x, Fraction(int(j == i))) for j, x in enumerate(exact)]

        def apply(primitive, *operands):
            (x, dx), (y, dy) = [(x if isinstance(x, tuple) else (Fraction(x), Fraction(0))) for x in (*operands, 0.0)][:2]
            return {
                "add": (x + y, dx + dy),
                "subtract": (x - y, dx - dy),
                "multiply": (x * y, x * dy + y * dx),
                "negative": (-x, -dx),
                "square": (x * x, 2 * x * dx),
                "positive": (x, dx),
            }[primitive.name]

        return program.run(tangents, apply)

    gradients = ag.gradient(values[-1], xs)
    for i, g in enumerate(gradients):
        value, derivative = derivatives(i)[-1]
        if not (is_dyadic(value) and is_dyadic(derivative)):
            return
        assert Fraction(values[-1].data) == value
        assert Fraction(g) == derivative


def is_dyadic(x):
    """Whether the program's numbers, of at most 8 lines on 3 fractional bits, stay far from rounding."""
    return x.denominator.bit_length() + x.numerator.bit_length() < 50


@given(programs(SMOOTH, max_lines=8))
@example(Program((0.0, 0.0, 1.5, 0.0), (Line("add", (1, 1)), Line("cos", (2,)), Line("power", (5, 5)))))
def test_gradients_agree_with_finite_differences(program):
    def value(point):
        try:
            return float(program(point))
        except ValueError:  # a step into where a power is complex: there is no difference to compare with
            return math.nan

    xs = [Value(x) for x in program.inputs]
    gradients = ag.gradient(program(xs), xs)
    estimates = ag.testing.finite_difference(value, list(program.inputs))
    for g, estimate in zip(gradients, estimates, strict=True):
        if estimate.error < 1e-4 * (1.0 + abs(estimate.derivative)):
            assert abs(g - estimate.derivative) <= 100.0 * estimate.error + 1e-9 * (1.0 + abs(g))


def test_dead_nodes_and_multiplication_by_one_change_nothing():
    x = Value(0.7)
    y = x.sin() * x.exp()
    z = (x * 1.0).sin() * (x.exp() * 1.0)
    x.log()
    assert ag.gradient(y, x) == ag.gradient(z, x)


def test_interior_nodes_and_unrelated_ones():
    a, b, c, d, e = classic()
    assert ag.gradient(e, {"c": c, "rest": [d, (a, b)]}) == {"c": 2.0, "rest": [3.0, (2.0, 5.0)]}
    assert ag.gradient(e, e) == 1.0
    assert ag.gradient(e, Value(3.0)) == 0.0
    assert ag.gradient(3.0, a) == 0.0
    assert [v.grad for v in (a, b, c, d, e)] == [0.0] * 5


def test_gradient_refuses_what_is_no_value():
    e = classic()[-1]
    with pytest.raises(TypeError, match="with respect to Values, not float 2.0"):
        ag.gradient(e, [2.0])


def test_create_graph_always_gives_values():
    x = Value(3.0)
    first = ag.gradient(x * x, x, create_graph=True)
    second = ag.gradient(first, x, create_graph=True)
    third = ag.gradient(second, x, create_graph=True)
    assert [first.data, second.data, third.data] == [6.0, 2.0, 0.0]


def test_what_is_not_selected_contributes_nothing_at_any_order():
    """Selected by a number, by a node, by relu, by maximum: each behind it has an infinite or undefined slope at 0."""
    for guard in (
        lambda x: ag.where(x > 0, x.sqrt(), 0.0),
        lambda x: ag.where(x.step(), x.log(), 0.0 * x),
        lambda x: ag.where(x.step(), 1.0 / x, 3.0),
        lambda x: (ag.relu(x - 1.0)).sqrt(),
    ):
        f = guard
        for _ in range(3):
            f = ag.grad(f)
            assert f(0.0) == 0.0


def test_what_happens_to_be_zero_still_has_derivatives():
    def f(x, y):
        u = x * y
        return u * u / 2

    assert ag.grad(ag.grad(f))(0.0, 3.0) == 9.0
    assert ag.grad(ag.grad(f, 1), 1)(3.0, 0.0) == 9.0


def test_an_exponent_that_is_a_constant_is_not_differentiated():
    called = []
    x = Value(-2.0)
    y = x**2
    y.backward(visit=lambda edge: called.append(edge.slot))
    assert called == [0]
    assert x.grad == -4.0


# --- repeatable, atomic, stale


def rules_called_by(call):
    """Twins of the table's primitives, whose rules on numbers go through `call(rule, args)`: either engine asks them."""
    twins = {}
    for name, primitive in TABLE.items():
        twins[name] = twin = replace(primitive)
        watched = [rule and (lambda *args, rule=rule: call(rule, args)) for rule in primitive.number_partials]
        object.__setattr__(twin, "number_partials", tuple(watched))
    return lambda primitive, *operands: twins[primitive.name](*operands)


@given(programs(EVERYTHING, max_lines=15))
def test_each_rule_is_called_once_an_edge(program):
    """The sweep nobody watches calls one rule an edge of the nodes that it reaches, and one in all for a variadic node."""
    calls = []
    apply = rules_called_by(lambda rule, args: calls.append(rule) or rule(*args))
    y = program.run([Value(x) for x in program.inputs], apply)[-1]
    edges = []
    y.backward(visit=edges.append)
    reached = {y}
    for e in edges:
        if e.node in reached and not (e.partial == 0.0 and e.node.op.selects[0 if e.node.op.variadic else e.slot]):
            reached.add(e.operand)
    wanted = {(e.node, 0 if e.node.op.variadic else e.slot) for e in edges if e.node in reached}
    calls.clear()
    y.backward()
    assert len(calls) == len(wanted)


@given(programs(SMOOTH, max_lines=8))
def test_backward_is_atomic(program):
    """A fault in any rule call leaves every gradient as it was, and the next sweep is right."""

    class FaultError(Exception):
        pass

    left = [10**6]  # calls until the fault

    def call(rule, args):
        if left[0] == 0:
            raise FaultError
        left[0] -= 1
        return rule(*args)

    y = program.run([Value(x) for x in program.inputs], rules_called_by(call))[-1]
    y.backward()
    order = topological_order(y)
    before = [node.grad for node in order]
    for at in range(1000):
        left[0] = at
        try:
            y.backward()
        except FaultError:
            assert [node.grad for node in order] == before
        else:
            break
    assert [node.grad for node in order] == [2.0 * g for g in before]


def test_an_interrupt_leaves_all_gradients_changed_or_none():
    x = y = Value(1.0)
    for _ in range(3000):
        y = y * 1.0001
    order = topological_order(y)
    state = {"interrupts": 0}

    def interrupt(*_):
        state["interrupts"] += 1
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        for k in range(60):
            before = [node.grad for node in order]
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-5 + 5e-5 * k)
                y.backward()
                signal.setitimer(signal.ITIMER_REAL, 0.0)
            except KeyboardInterrupt:
                changed = {node.grad != g for node, g in zip(order, before, strict=True)}
                assert len(changed) == 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, previous)
    assert state["interrupts"] > 0
    assert ag.gradient(y, x) == order[-1].data


def test_data_changed_after_recording_is_noticed():
    x, w = Value(2.0), Value(3.0)
    y = (x * w).sin()
    w.data = 5.0
    for differentiate in (
        y.backward,
        lambda: ag.gradient(y, w),
        lambda: ag.gradient(y, w, create_graph=True),
        lambda: ag.gradient(y, w, visit=lambda edge: None),
    ):
        with pytest.raises(ag.StaleGraphError, match=r"multiply\(2.0, 5.0\) was recorded with the value 6.0 and would be 10.0"):
            differentiate()
    assert (x.grad, w.grad) == (0.0, 0.0)
    assert ag.gradient((x * w).sin(), w) == 2.0 * math.cos(10.0)
    w.data = 3.0
    assert ag.gradient(y, w) == 2.0 * math.cos(6.0)


def test_an_interior_value_changed_by_hand_is_noticed():
    x = Value(2.0)
    y = x.exp()
    z = y * 3.0
    y.data = 1.0
    with pytest.raises(ag.StaleGraphError):
        z.backward()


@pytest.mark.parametrize(
    "op", [lambda v: v.sum(v, 1.0), lambda v: v.clip(0.0, 9.0), lambda v: 3.0 - v, lambda v: ag.maximum(v, 1.0)]
)
def test_staleness_is_noticed_behind_every_arity(op):
    v = Value(2.0)
    y = op(v)
    v.data = 2.5
    with pytest.raises(ag.StaleGraphError):
        y.backward()
    with pytest.raises(ag.StaleGraphError):
        ag.gradient(copy.deepcopy(y), Value(0.0))
    with pytest.raises(ag.StaleGraphError):
        pickle.loads(pickle.dumps(y)).backward()


# --- threads


def test_threads_share_leaves():
    """gradient on shared leaves from 8 threads gives the bits of one thread."""
    leaves = [Value(0.1 * i) for i in range(1, 6)]

    def work(seed):
        results = []
        for k in range(60):
            a, b, c = leaves[(seed + k) % 5], leaves[(seed * k) % 5], leaves[k % 5]
            results.append(tuple(ag.gradient((a * b).sin() + (b / c).exp() * a, leaves)))
        return results

    expected = [work(seed) for seed in range(8)]
    got = [None] * 8

    def run(seed):
        got[seed] = work(seed)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == expected


@settings(max_examples=20)
@given(st.integers(2, 30))
def test_order_is_operands_first_depth_first_left_to_right(n):
    leaves = [Value(float(i)) for i in range(n)]
    total = leaves[0]
    for leaf in leaves[1:]:
        total = total + leaf
    order = topological_order(total)
    position = {node: i for i, node in enumerate(order)}
    assert len(position) == len(order) == 2 * n - 1
    assert order[:3] == [leaves[0], leaves[1], total if n == 2 else order[2]]
    for node in order:
        for operand in node.args:
            assert position[operand] < position[node]
