"""The explorer's arithmetic in node, on the table's own rules, against Python."""

import math
import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.primitives import TABLE
from autograd_lite.show.explorer import _tape
from autograd_lite.show.javascript import arithmetic
from autograd_lite.show.names import names_of
from browser.node import need, run
from points import points
from programs import EVERYTHING, programs
from values import classic, place

SHOW = Path(ag.show.__file__).parent
SCRIPT = (SHOW / "explorer.js").read_text(encoding="utf-8")
WHOLE_TABLE = [primitive for primitive in TABLE.values() if not primitive.variadic]
VARIADIC = [primitive for primitive in TABLE.values() if primitive.variadic]


def fixture():
    a, b, c, d, e = classic()
    c.label, d.label, e.label = "c", "d", "e"
    return a, b, c, d, e


def case(y, points=((),), only=None):
    """What the replay needs of a graph: `points` are lists of (position of a leaf, number)."""
    order = ag.topological_order(y)
    tape, table = _tape(order, names_of(order), [])
    found = {"tape": {**tape, "views": []}, "table": table, "points": points}
    return found if only is None else {**found, "only": place(order, only)}


def replay(cases):
    texts = "\n".join([found["table"] for found in cases])
    return run("replay.mjs", stdin={"arithmetic": arithmetic(texts), "explorer": SCRIPT, "cases": cases})


def written(x):
    return repr(x).replace("inf", "Infinity").replace("nan", "NaN")


def numbers(listed):
    return [x if x is None else float(x.replace("Infinity", "inf") if isinstance(x, str) else x) for x in listed]


def close(x, y, slack=0.0):
    """Whether they are equal to 1e-12, or as good as the rounding of the arguments lets them be."""
    if x is None or y is None or x != x or y != y or math.isinf(x) or math.isinf(y):
        return x == y or (x != x and y != y)
    return abs(x - y) <= 1e-12 * max(abs(x), abs(y), 1e-290) + slack


def swept(y, xs=None):
    edges = []
    if xs is None:
        y.backward(visit=edges.append)
    else:
        ag.gradient(y, xs, visit=edges.append)
    return edges


# --- the table


def operation_cases(count):
    """For each primitive a graph of it alone, at points all over its domain."""
    for primitive in [*WHOLE_TABLE, *VARIADIC]:
        by_size = {}
        for point in points(primitive, count, "explorer"):
            by_size.setdefault(len(point), []).append(point)
        for size, listed in by_size.items():
            leaves = [ag.Value(x) for x in listed[0]]
            y = ag.Value.__record__(primitive, tuple(leaves))
            yield primitive, listed, case(y, [[[i, written(x)] for i, x in enumerate(point)] for point in listed]), size


def test_every_primitive_of_the_table_has_its_values_and_partials():
    need()
    every = list(operation_cases(60))
    assert {primitive.name for primitive, *_ in every} == set(TABLE)
    outcomes = replay([found for _, _, found, _ in every])
    wrong = []
    for (primitive, listed, _, size), outcome in zip(every, outcomes, strict=True):
        for point, found in zip(listed, outcome, strict=True):
            r = primitive.fn(*point)
            rules = primitive.number_partials
            exact = rules[0](r, *point) if primitive.variadic and rules[0] else [rule and rule(r, *point) for rule in rules]
            partials = iter(numbers(found["partials"]))
            got = [
                None if partial is None else next(partials) for partial in (exact if any(primitive.partials) else [None] * size)
            ]
            slack = sum([abs(p) * math.ulp(x) for p, x in zip(exact, point, strict=True) if p is not None and math.isfinite(p)])
            if not close(numbers(found["data"])[-1], r, slack):
                wrong.append((primitive.name, point, r, found["data"][-1]))
            wrong += [
                (primitive.name, point, slot, x, y)
                for slot, (x, y) in enumerate(zip(exact, got, strict=True))
                if x is not None and not close(x, y)
            ]
    assert not wrong, wrong[:8]


SPECIAL = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    2.0,
    3.0,
    1e-320,
    1e300,
    -1e300,
    math.inf,
    -math.inf,
    math.nan,
    0.125,
    2.675,
]


def test_every_primitive_at_zeros_infinities_and_nan():
    need()
    draw = random.Random(7)
    every, expected = [], []
    for primitive in [*WHOLE_TABLE, *VARIADIC]:
        count = 4 if primitive.variadic else len(primitive.domain)
        listed = []
        while len(listed) < (len(SPECIAL) if count == 1 else 80):
            point = (SPECIAL[len(listed)],) if count == 1 else tuple(draw.choice(SPECIAL) for _ in range(count))
            try:
                listed.append((point, primitive.fn(*point)))
            except ValueError:  # a power that would be complex: nan
                listed.append((point, math.nan))
        leaves = [ag.Value(0.5) for _ in range(count)]
        every.append(
            case(
                ag.Value.__record__(primitive, tuple(leaves)),
                [[[i, written(x)] for i, x in enumerate(point)] for point, _ in listed],
            )
        )
        expected.append((primitive, listed))
    wrong = []
    for (primitive, listed), outcome in zip(expected, replay(every), strict=True):
        for (point, r), found in zip(listed, outcome, strict=True):
            value = numbers(found["data"])[-1]
            if not close(r, value):
                wrong.append((primitive.name, point, r, value))
                continue
            rules = primitive.number_partials
            try:
                exact = rules[0](r, *point) if primitive.variadic and rules[0] else [rule and rule(r, *point) for rule in rules]
            except ValueError:
                continue
            exact = [x for x in exact if x is not None]
            if any(not close(x, y) for x, y in zip(exact, numbers(found["partials"]), strict=True)):
                wrong.append((primitive.name, point, exact, found["partials"]))
    assert not wrong, (len(wrong), wrong[:12])


def test_error_functions_are_right_to_12_digits_everywhere():
    need()
    xs = [i / 64.0 for i in range(-30 * 64, 30 * 64)]
    x = ag.Value(0.5)
    found = replay(
        [
            case(ag.Value.__record__(TABLE[name], (x,)), [[[0, written(v)]] for v in xs])
            for name in ("erf", "erfc", "normal_cdf")
        ]
    )
    for name, outcomes in zip(("erf", "erfc", "normal_cdf"), found, strict=True):
        for v, outcome in zip(xs, outcomes, strict=True):
            assert close(numbers(outcome["data"])[-1], TABLE[name].fn(v)), (name, v)


# --- graphs


def graphs(count):
    """Random graphs over the whole public table, at numbers where each operation is differentiable."""
    found = []

    @given(programs(EVERYTHING, largest=1e6), st.integers(0, 3))
    @settings(max_examples=count, derandomize=True, database=None)
    def collect(program, leaf):
        leaves = [ag.Value(x) for x in program.inputs]
        y = program(leaves)
        found.append((program, leaves, y, leaves[leaf % len(leaves)]))

    collect()
    return found


def test_gradients_of_random_graphs():
    need()
    drawn = graphs(200)
    outcomes = replay([case(y, only=x if x in set(ag.topological_order(y)) else None) for _, _, y, x in drawn])
    for (program, _, y, x), (outcome,) in zip(drawn, outcomes, strict=True):
        order = ag.topological_order(y)
        position = {node: i for i, node in enumerate(order)}
        edges = swept(y)
        assert [numbers(outcome["data"])[i] for i in range(len(order))] == pytest.approx(
            [node.data for node in order], rel=1e-12
        )
        adjoints = {node: ag.gradient(y, node) for node in order}
        largest = max([abs(edge.contribution) for edge in edges], default=1.0)
        for node, adjoint in zip(order, numbers(outcome["adjoints"]), strict=True):
            assert adjoint is None or abs(adjoint - adjoints[node]) <= 1e-12 * max(abs(adjoints[node]), largest), (
                program,
                node,
            )
        only = swept(y, x) if x in position else edges
        assert outcome["edges"] == [[position[edge.node], edge.slot, position[edge.operand]] for edge in only]
        assert outcome["routes"] == [str(ag.show.routes(y, node, 0).count) for node in order]


def test_gradients_after_leaves_have_moved():
    """The replay at other numbers is what Python computes there, as long as the program has no branches."""
    need()
    drawn = graphs(100)
    cases, expected = [], []
    for program, leaves, y, _ in drawn:
        order = ag.topological_order(y)
        moved = [x * 1.03125 + 0.015625 for x in program.inputs]
        point = [[place(order, x), written(v)] for x, v in zip(leaves, moved, strict=True) if x in set(order)]
        try:
            again = [ag.Value(v) for v in moved]
            result = program(again)
        except ValueError:  # a power that would be complex
            continue
        cases.append(case(y, [point]))
        expected.append(
            (result, [(place(order, x), ag.gradient(result, z)) for x, z in zip(leaves, again, strict=True) if x in set(order)])
        )
    for (result, derivatives), (outcome,) in zip(expected, replay(cases), strict=True):
        data, adjoints = numbers(outcome["data"]), numbers(outcome["adjoints"])
        if not math.isfinite(result.data):
            continue
        assert data[-1] == pytest.approx(result.data, rel=1e-10, abs=1e-12)
        for i, derivative in derivatives:
            if math.isfinite(derivative):
                assert (adjoints[i] or 0.0) == pytest.approx(derivative, rel=1e-9, abs=1e-9 * max(1.0, abs(result.data)))


def test_running_sums_are_those_of_the_sweep():
    need()
    drawn = graphs(60)
    for (_, _, y, _), (outcome,) in zip(drawn, replay([case(y) for _, _, y, _ in drawn]), strict=True):
        order = ag.topological_order(y)
        sums = {y: 1.0}
        for edge, running in zip(swept(y), outcome["running"], strict=False):
            sums[edge.operand] = sums[edge.operand] + edge.contribution if edge.operand in sums else edge.contribution
            for node, x in zip(order, numbers(running), strict=True):
                assert (x is None) == (node not in sums)
                assert x is None or x == pytest.approx(sums[node], rel=1e-10, abs=1e-12 * max(map(abs, sums.values())))


def test_forward_mode_passes_the_same_edges_and_ends_in_the_same_derivative():
    need()
    drawn = [(y, x) for _, _, y, x in graphs(80) if x in set(ag.topological_order(y))]
    for (y, x), (outcome,) in zip(drawn, replay([case(y, only=x) for y, x in drawn]), strict=True):
        if ag.show.routes(y, x, 0).count == ag.routes(y)[x]:  # no route is cut by what has no derivative
            assert sorted(outcome["forward"]) == sorted(outcome["edges"])
        seen = {place(ag.topological_order(y), x)}
        for node, _, operand in outcome["forward"]:
            assert operand in seen
            seen.add(node)
        derivative = numbers(outcome["tangents"])[-1] or 0.0
        assert derivative == pytest.approx(ag.gradient(y, x), rel=1e-9, abs=1e-9 * max(1.0, abs(y.data)))


def test_the_chain_rule_is_that_of_the_derivation():
    need()
    drawn = graphs(150)
    for _, leaves, y, _ in drawn:
        for i, (node, label) in enumerate(
            zip(ag.topological_order(y), ("w", None, "two words", "x", "w", "loss_1"), strict=False)
        ):
            node.label = label if i % 2 or node in set(leaves) else None
    for (_, _, y, _), (outcome,) in zip(drawn, replay([case(y) for _, _, y, _ in drawn]), strict=True):
        derivation = y.derivation()
        for node, text in zip(ag.topological_order(y), outcome["chains"], strict=True):
            assert numbers_apart(text) == numbers_apart(derivation.chain_rule(node))


def numbers_apart(text):
    """A text and its numbers, rounded to five digits: the last of six may differ by one."""
    number = r"(?<![\w.])-?\d+\.?\d*(?:e[+-]\d+)?"
    return re.sub(number, "0", text), [float(f"{float(x):.4g}") for x in re.findall(number, text)]


def test_the_fixture_word_by_word():
    need()
    _a, b, _c, _d, e = fixture()
    ((outcome,),) = replay([case(e, only=b)])
    assert outcome["chains"] == [e.derivation().chain_rule(x) for x in ag.topological_order(e)]
    assert outcome["chains"][1] == "∂e/∂b = ∂e/∂c·∂c/∂b + ∂e/∂d·∂d/∂b = 2·1 + 3·1 = 5"
    assert outcome["routes"] == ["1", "2", "1", "1", "1"]
    assert len(outcome["edges"]) == 4


def test_difference_quotients():
    need()
    drawn = graphs(60)
    for (program, leaves, y, _), (outcome,) in zip(drawn, replay([case(y) for _, _, y, _ in drawn]), strict=True):
        order = ag.topological_order(y)
        for i, x in enumerate(program.inputs):
            h = 6.055454452393343e-6 * max(1.0, abs(x))
            ends = [[*program.inputs[:i], x + step, *program.inputs[i + 1 :]] for step in (h, -h)]
            if leaves[i] in set(order):
                try:
                    slope = (program(ends[0]) - program(ends[1])) / (x + h - (x - h))
                except ValueError:  # a power that would be complex
                    continue
                assert numbers(outcome["slopes"])[place(order, leaves[i])] == pytest.approx(
                    slope, rel=1e-6, abs=1e-8 * max(1.0, abs(y.data)), nan_ok=True
                )


def test_routes_are_counted_exactly():
    need()
    x = y = ag.Value(1.0)
    for _ in range(150):
        y = y + y
    ((outcome,),) = replay([case(y)])
    assert outcome["routes"][0] == str(2**150)
    assert len(outcome["edges"]) == 300
    assert ag.show.routes(y, x).count == 2**150


def test_numbers_are_written_as_python_writes_them():
    need()
    draw = random.Random(3)
    xs = [draw.choice((-1, 1)) * 10 ** draw.uniform(-12, 18) for _ in range(300)]
    xs += [
        0.0,
        -0.0,
        1.0,
        -1.0,
        123456.0,
        1234567.0,
        999999.5,
        0.0001,
        0.00001,
        1e100,
        5e-324,
        math.inf,
        -math.inf,
        math.nan,
        100.0,
        1e22,
    ]
    x = ag.Value(1.0, "x")
    z = ag.Value(1.0, "z") * x
    z.label = "p"
    found = replay([case(z, [[[0, written(v)]] for v in xs])])[0]
    for v, outcome in zip(xs, found, strict=True):
        assert outcome["chains"][1] == f"∂p/∂x = z = {v:.6g}"


def tripled(x: float) -> float:
    """3 x, written so that it can be translated."""
    total = 0.0
    for _ in range(3):
        total += x
    return total


def test_a_primitive_in_translatable_python_is_live(forget):
    need()
    ag.define_primitive("tripled", tripled, lambda r, x: 3.0)
    y = ag.tripled(ag.Value(2.0, "x")) * 2.0
    ((before, after),) = replay([case(y, [[], [[0, "5"]]])])
    assert (before["data"][-1], after["data"][-1], after["adjoints"][0]) == (12, 30, 6)
